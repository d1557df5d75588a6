//! Runs all scenarios and many made-up ones, prints a table and every mark
//! that is not met, and exits 1 if there is one.
//!
//!     cargo run --release -p sim --example marks -- --random 200 --days 7
//!
//! `--first SEED` begins at another seed, `--only NAME` takes the scenarios
//! whose name holds NAME, `--seed N` one made-up one, told in full, and
//! `--write DIR` writes made-up scenarios that miss a mark as files.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use sim::power::{Report, Scenario, random, simulate};

struct Args {
    random: u64,
    first: u64,
    days: f64,
    only: Option<String>,
    seed: Option<u64>,
    write: Option<PathBuf>,
}

fn args() -> Result<Args, String> {
    let mut args = Args {
        random: 0,
        first: 0,
        days: 7.0,
        only: None,
        seed: None,
        write: None,
    };
    let mut given = std::env::args().skip(1);
    while let Some(key) = given.next() {
        let value = given.next().ok_or(format!("{key} needs a value"))?;
        let number = || {
            let read = value
                .parse::<f64>()
                .ok()
                .filter(|n| n.is_finite() && *n >= 0.0);
            read.ok_or(format!("{key}: \"{value}\" is no number"))
        };
        match key.as_str() {
            "--random" => args.random = number()? as u64,
            "--first" => args.first = number()? as u64,
            "--days" => args.days = number()?.max(0.01),
            "--seed" => args.seed = Some(number()? as u64),
            "--only" => args.only = Some(value),
            "--write" => args.write = Some(value.into()),
            _ => return Err(format!("{key} is not known; see the top of this example")),
        }
    }
    Ok(args)
}

fn scenarios(args: &Args) -> Result<Vec<(String, Scenario)>, String> {
    if let Some(seed) = args.seed {
        return Ok(vec![(format!("seed-{seed}"), random::scenario(seed))]);
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let listed = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut paths: Vec<PathBuf> = listed.filter_map(|f| Some(f.ok()?.path())).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
    {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if args.only.as_ref().is_none_or(|only| name.contains(only)) {
            let scenario = Scenario::load(path).map_err(|e| e.to_string())?;
            all.push((name.into_owned(), scenario));
        }
    }
    for seed in args.first..args.first + args.random {
        all.push((format!("seed-{seed}"), random::scenario(seed)));
    }
    Ok(all)
}

fn row(r: &Report) -> String {
    let percent = |share: Option<f64>| share.map_or("-".into(), |s| format!("{:.1}", s * 100.0));
    let most = r.max_blind_seconds_while_possible.values();
    format!(
        "{:<22} {:>6} {:>4}/{:<4} {:>6.0} {:>6} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>4}/{:<5.0} {:>5.1} {:>6.0} {:>6} {:>5.2}",
        r.scenario,
        r.governor.unsafe_starts,
        r.governor.pse_cuts,
        r.pse_cuts_without_inference,
        r.governor.critical_seconds,
        percent(r.governor.budget_used),
        r.governor.checks_per_hour,
        r.wanted_checks_per_hour,
        r.baselines.fixed.checks_per_hour,
        r.baselines.on_off.checks_per_hour,
        r.baselines.on_off.pse_cuts,
        r.baselines.on_off.critical_seconds,
        r.governor.operating_point_changes_per_hour,
        most.copied().fold(0.0, f64::max),
        percent(r.joule_error.as_ref().map(|e| e.p95)),
        r.seconds_per_day,
    )
}

fn go() -> Result<bool, String> {
    let args = args()?;
    let all = scenarios(&args)?;
    let (next, reports) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let workers = thread::available_parallelism().map_or(1, |n| n.get());
    println!(
        "{:<22} {:>6} {:>9} {:>6} {:>6} {:>8} {:>8} {:>8} {:>8} {:>10} {:>5} {:>6} {:>6} {:>5}",
        "scenario",
        "unsafe",
        "cuts/none",
        "crit s",
        "used %",
        "checks/h",
        "wanted",
        "fixed",
        "on/off",
        "its c/crit",
        "chg/h",
        "blind",
        "J err",
        "s/day"
    );
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((name, scenario)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = simulate(name, scenario, args.days, false).report;
                    println!("{}", row(&report));
                    for found in &report.violations {
                        println!("    NOT MET: {found}");
                    }
                    if let Ok(mut reports) = reports.lock() {
                        reports.push((report, scenario));
                    }
                }
            });
        }
    });
    let reports = reports.into_inner().map_err(|e| e.to_string())?;
    if let [(report, _)] = &reports[..] {
        println!("{report}");
    }
    let bad: Vec<_> = reports
        .iter()
        .filter(|(r, _)| !r.violations.is_empty())
        .collect();
    if let Some(dir) = &args.write {
        for (report, scenario) in &bad {
            let text = toml::to_string(scenario).map_err(|e| e.to_string())?;
            let path = dir.join(format!("{}.toml", report.scenario));
            std::fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    let cut: Vec<&str> = (reports.iter())
        .filter(|(r, _)| r.pse_cuts_without_inference > 0)
        .map(|(r, _)| r.scenario.as_str())
        .collect();
    println!(
        "\n{} scenarios of {} days, {} miss a mark; cut without inference too: {}",
        reports.len(),
        args.days,
        bad.len(),
        if cut.is_empty() {
            "none".into()
        } else {
            cut.join(", ")
        }
    );
    if args.random > 0 {
        println!("seeds {} to {}", args.first, args.first + args.random - 1);
    }
    let marks: [(&str, &str); 9] = [
        ("unsafe starts", "unsafe starts"),
        ("cuts", "cuts of the power"),
        ("critical", "critical temperature"),
        ("budget", "of the budget used"),
        ("changes", "changes of the point"),
        ("blind or starved", "blind for"),
        ("joules", "joules are"),
        ("2x fixed", "a fixed interval gets"),
        ("on/off", "on/off throttling gets"),
    ];
    for (name, words) in marks {
        let missed: Vec<&str> = (bad.iter())
            .filter(|(r, _)| r.violations.iter().any(|v| v.contains(words)))
            .map(|(r, _)| r.scenario.as_str())
            .collect();
        println!(
            "{name:<17} missed by {}: {}",
            missed.len(),
            missed.join(" ")
        );
    }
    Ok(bad.is_empty())
}

fn main() -> ExitCode {
    match go() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}
