//! Prints how far trackers are from the truth of the golden scenes:
//! `cargo run -p tracking --example score [-- --notes]`.

#[path = "../tests/golden/mod.rs"]
mod golden;

use golden::{Scene, Score};
use tracking::{Assignment, Config, Motion};

/// Each scene is played with this many detectors' noise.
const SEEDS: u64 = 5;
/// Crowds made at random.
const CROWDS: u64 = 40;

fn main() {
    let scenes = Scene::all();
    let with = |assignment, motion| Config {
        assignment,
        motion,
        ..Config::default()
    };
    let trackers = [
        ("IoU only, greedy", Config::iou_only()),
        ("stay, optimal", with(Assignment::Optimal, Motion::Stay)),
        ("damped, greedy", with(Assignment::Greedy, Motion::Damped)),
        ("damped, optimal", with(Assignment::Optimal, Motion::Damped)),
        ("Kalman, greedy", with(Assignment::Greedy, Motion::Kalman)),
        ("Kalman, optimal", with(Assignment::Optimal, Motion::Kalman)),
    ];
    let head = "switches  extra ids  count error   events  wrong  missed";
    let line = |s: &Score| {
        format!(
            "{:8}  {:9}  {:11.3}  {:7}  {:5}  {:6}",
            s.switches,
            s.extra,
            s.count_error(),
            s.events,
            s.wrong,
            s.missed
        )
    };
    println!(
        "Sums over {} scenes, {SEEDS} detectors' noise each.\n",
        scenes.len()
    );
    println!("{:18} {:>8}  {head}", "tracker", "looks/s");
    for (name, config) in &trackers {
        let mut all = Score::default();
        for rate in [1.0, 2.0, 5.0, 10.0] {
            let mut sum = Score::default();
            for scene in scenes.values().filter(|s| s.rates.contains(&rate)) {
                sum.add(&scene.judge_all(config, rate, SEEDS));
            }
            println!("{name:18} {rate:8}  {}", line(&sum));
            all.add(&sum);
        }
        println!("{name:18} {:>8}  {}\n", "all", line(&all));
    }
    println!("Identity in {CROWDS} random crowds, on which nothing was tuned:\n");
    println!("{:18} {:>8}  {head}", "tracker", "looks/s");
    for (name, config) in &trackers {
        for rate in [1.0, 2.0, 5.0, 10.0] {
            let mut sum = Score::default();
            for seed in 0..CROWDS {
                sum.add(&Scene::at_random(seed).judge(config, rate, seed));
            }
            println!("{name:18} {rate:8}  {}", line(&sum));
        }
        println!();
    }
    println!("The tracker in use, scene by scene:\n");
    println!("{:28} {:>8}  {head}", "scene", "looks/s");
    let notes = std::env::args().any(|a| a == "--notes");
    for (name, scene) in &scenes {
        for rate in &scene.rates {
            let sum = scene.judge_all(&Config::default(), *rate, SEEDS);
            println!("{name:28} {rate:8}  {}", line(&sum));
            if notes {
                sum.notes.iter().for_each(|note| println!("    {note}"));
            }
        }
    }
}
