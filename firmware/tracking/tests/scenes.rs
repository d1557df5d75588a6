//! The golden scenes: identities, counts and events against their truth.
//! `cargo run -p tracking --example score` prints them with other trackers'.

mod golden;

use golden::{Scene, Score};
use tracking::{Assignment, Config};

const SEEDS: u64 = 5;

fn table(config: &Config, check: impl Fn(&str, f64, &Scene, &Score)) -> Score {
    let mut all = Score::default();
    for (name, scene) in Scene::all() {
        // Twenty minutes, played once: it is about what does not add up.
        let seeds = if name == "long_run" { 1 } else { SEEDS };
        for &rate in &scene.rates {
            let score = scene.judge_all(config, rate, seeds);
            check(&name, rate, &scene, &score);
            all.add(&score);
        }
    }
    all
}

#[test]
fn scenes_go_as_they_say() {
    let bad = std::cell::RefCell::new(Vec::new());
    table(&Config::default(), |name, rate, scene, score| {
        println!(
            "{name} at {rate}/s: {} switches, {} extra, count error {:.3}, {} of {} events wrong, {} missed",
            score.switches,
            score.extra,
            score.count_error(),
            score.wrong,
            score.events,
            score.missed
        );
        let (switches, events) = scene.allowed(rate);
        if score.switches > switches || score.wrong + score.missed > events {
            let notes = score.notes.join("\n    ");
            let about = &scene.about;
            bad.borrow_mut().push(format!(
                "{name} at {rate}/s ({about}): {} switches, {switches} allowed; {} events wrong or missed, {events} allowed\n    {notes}",
                score.switches, score.wrong + score.missed
            ));
        }
        // Numbers are not given away: one a thing, but where it was long lost.
        assert!(score.extra <= switches, "{name} at {rate}/s: {score:?}");
        // Things are counted from their second look and for some seconds
        // after they are gone.
        assert!(score.count_error() < 1.3, "{name} at {rate}/s: {score:?}");
    });
    let bad = bad.into_inner();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn it_is_better_than_what_it_was_measured_against() {
    let quiet = |_: &str, _: f64, _: &Scene, _: &Score| ();
    let used = table(&Config::default(), quiet);
    let greedy = table(
        &Config {
            assignment: Assignment::Greedy,
            ..Config::default()
        },
        quiet,
    );
    let iou = table(&Config::iou_only(), quiet);
    assert!(
        used.switches < greedy.switches,
        "{} < {}",
        used.switches,
        greedy.switches
    );
    assert!(
        5 * used.switches < iou.switches,
        "{} < {}",
        used.switches,
        iou.switches
    );
    let wrong = |s: &Score| s.wrong + s.missed;
    assert!(
        10 * wrong(&used) < wrong(&iou),
        "{} < {}",
        wrong(&used),
        wrong(&iou)
    );
}

#[test]
fn random_crowds_keep_their_names() {
    for (rate, most) in [(2.0, 48), (5.0, 18), (10.0, 12)] {
        let mut sum = Score::default();
        for seed in 0..10 {
            sum.add(&Scene::at_random(seed).judge(&Config::default(), rate, 0));
        }
        println!("80 people at {rate}/s: {} switches", sum.switches);
        assert!(sum.switches <= most, "{rate}/s: {sum:?}");
        assert!(sum.count_error() < 0.4, "{rate}/s: {sum:?}");
    }
}
