//! A week of every scenario, and of some made-up ones, against the marks that
//! say that nothing breaks. What is best left to judgement (how much of the
//! budget is used, how many checks that is) is told by the example `marks`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sim::power::{Report, Scenario, random, simulate};

fn files() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let listed = std::fs::read_dir(dir).unwrap();
    let mut paths: Vec<PathBuf> = listed.map(|f| f.unwrap().path()).collect();
    paths.sort();
    paths
}

fn run(all: &[(String, Scenario)], days: f64) -> Vec<Report> {
    let (next, reports) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = thread::available_parallelism().map_or(1, |n| n.get());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((name, scenario)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = simulate(name, scenario, days, false).report;
                    reports.lock().unwrap().push(report);
                }
            });
        }
    });
    reports.into_inner().unwrap()
}

/// Nothing starts that could have been known to be unsafe, the supply cuts
/// only what it cuts anyway, nothing gets critically hot, nobody starves.
fn nothing_breaks(reports: &[Report]) {
    let mut broken = Vec::new();
    for r in reports {
        let own = &r.governor;
        let cut = own.pse_cuts > 0 && r.pse_cuts_without_inference == 0;
        let bad = own.unsafe_starts > 0
            || cut
            || own.critical_seconds > 0.0
            || own.operating_point_changes_per_hour > 12.0
            || !r.starved.is_empty();
        if bad {
            broken.push(r.to_string());
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_week_of_every_scenario() {
    let load = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, Scenario::load(path).unwrap())
    };
    let all: Vec<_> = files().iter().map(load).collect();
    assert!(all.len() >= 14, "{} scenarios", all.len());
    let reports = run(&all, 7.0);
    nothing_breaks(&reports);
    let of = |name: &str| reports.iter().find(|r| r.scenario == name).unwrap();
    // That which can't be helped is told apart from that which can.
    let anyway = of("cuts-anyway");
    assert!(anyway.pse_cuts_without_inference > 0, "{anyway}");
    // The days are not so easy that nothing could break.
    let on_off = |r: &Report| {
        let other = &r.baselines.on_off;
        other.pse_cuts > r.pse_cuts_without_inference || other.critical_seconds > 0.0
    };
    let harmed = reports.iter().filter(|r| on_off(r)).count();
    assert!(harmed >= 3, "on/off throttling is harmed by {harmed}");
    // Where there is room for everything, everything is done.
    let calm = of("calm-day");
    let share = calm.governor.checks_per_hour / calm.wanted_checks_per_hour;
    assert!(share > 0.98, "{calm}");
    // Watts are worth learning: joules are right.
    let error = calm.joule_error.as_ref().unwrap();
    assert!(error.p95 < 0.05, "{calm}");
}

#[test]
fn days_of_made_up_ones() {
    let all: Vec<_> = (0..8)
        .map(|seed| (format!("seed-{seed}"), random::scenario(seed)))
        .collect();
    nothing_breaks(&run(&all, 2.0));
}

#[test]
fn the_same_seed_gives_the_same_days() {
    let scenario = random::scenario(11);
    let days = || {
        let mut report = simulate("again", &scenario, 0.2, false).report;
        report.seconds_per_day = 0.0;
        report
    };
    assert_eq!(days(), days());
}

#[test]
fn bad_scenarios_are_refused_by_name() {
    let good = std::fs::read_to_string(files()[0].clone()).unwrap();
    let refuses = |from: &str, to: &str, says: &str| {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, good, "{from}");
        let why = Scenario::parse("x.toml", &text).unwrap_err().to_string();
        assert!(why.contains("x.toml") && why.contains(says), "{why}");
    };
    refuses("[poe]\n", "[poe]\nvolts = 48.0\n", "volts");
    refuses("idle_watts = ", "idle_watts = 1e9 # ", "board.idle_watts");
    refuses(
        "every_seconds = ",
        "every_seconds = nan # ",
        "rule.every_seconds",
    );
    refuses("priority = ", "count = 40\npriority = ", "count");
    refuses("q4/512px/1t/2c", "fast", "looks like f32/256px/1t/2c");
    refuses("seed = ", "# seed = ", "seed");
    let missing = Scenario::load(Path::new("no/such.toml")).unwrap_err();
    assert!(missing.to_string().contains("no/such.toml"));
}

#[test]
fn a_plot_is_drawn() {
    let scenario = random::scenario(4);
    let outcome = simulate("plot", &scenario, 0.5, true);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plot.svg");
    sim::power::plot(&path, &scenario, &outcome.governor).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.starts_with("<svg") && text.contains("inference") && text.len() > 10_000);
    assert!(
        outcome.governor.series.len() >= 700,
        "minutes of half a day"
    );
}
