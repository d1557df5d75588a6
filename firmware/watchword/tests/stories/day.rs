//! Twenty-four hours in simulated time on a source that is cut every minute, with a model that times out, a broker that
//! goes and comes back, and rules of every kind. What happens before the camera is the same every hour, so every alert
//! of the day is known beforehand.

use crate::common::{Camera, people};
use scene::ports::{Clock, FrameSource};
use scene::{BBox, Detection, Mono, Phase, Unknown};
use watchword::watch::Event;

const HOURS: usize = 24;
/// The camera starts at 10:00; the night rule watches from 22:00 to 06:00.
const NIGHT: std::ops::Range<usize> = 12..20;
/// Hours in which the source is away for 90 s, longer than any gap that is forgiven.
const OUTAGES: [usize; 3] = [3, 11, 19];
const RULES: [&str; 4] = ["queue", "desk", "night", "door"];
/// Seconds.
const STEP: f64 = 1.0;

fn person(x: f32) -> Detection {
    let (y, w, h) = (0.4, 0.06, 0.2);
    Detection {
        class: "person".into(),
        score: 0.95,
        bbox: BBox { x, y, w, h },
    }
}

/// Who is before the camera at a second of the hour: a queue of five from minute 5 to 12; from minute 40 one who walks
/// into the dock, stays, and is gone at minute 45; else nobody.
fn seen_at(second: f64) -> Vec<Detection> {
    let minute = second / 60.0;
    if (5.0..12.0).contains(&minute) {
        people(5)
    } else if (40.0..45.0).contains(&minute) {
        let way = ((second - 2400.0) / 20.0).min(1.0);
        vec![person(0.1 + 0.65 * way as f32)]
    } else {
        Vec::new()
    }
}

/// Whether the source is away: 6 s at the end of every minute, 20 s of every tenth, and three long outages.
fn cut_at(hour: usize, second: f64) -> bool {
    let (minute, within) = ((second / 60.0) as usize, second % 60.0);
    let length = if minute % 10 == 9 { 20.0 } else { 6.0 };
    let outage = OUTAGES.contains(&hour) && (1800.0..1890.0).contains(&second);
    outage || within >= 60.0 - length
}

/// Whether the model times out: 10 s of every seventh minute.
fn model_fails_at(second: f64) -> bool {
    (second / 60.0) as usize % 7 == 3 && (20.0..30.0).contains(&(second % 60.0))
}

/// Whether the broker is away: 30 s of every twentieth minute.
fn broker_away_at(second: f64) -> bool {
    (second / 60.0) as usize % 20 == 15 && (10.0..40.0).contains(&(second % 60.0))
}

/// An alert that must come: its rule, its phase, and between which seconds of the day.
#[derive(Debug, Clone, PartialEq)]
struct Expected(&'static str, Phase, f64, f64);

/// Every alert of the day in the order of its time, updates apart.
fn expected() -> Vec<Expected> {
    let mut all = Vec::new();
    for hour in 0..HOURS {
        let mut add = |rule, phase, from: f64, within: f64| {
            let from = hour as f64 * 3600.0 + from;
            all.push(Expected(rule, phase, from, from + within));
        };
        // Two minutes of hold, and what two cuts of 6 s and a look every 5 s add.
        add("queue", Phase::New, 300.0 + 120.0, 30.0);
        add("queue", Phase::End, 720.0, 20.0);
        // The desk is left at minute 12 and 45, and somebody comes at minute 40 and 5. Ten minutes of hold, and one time
        // or two for which the model is silent for 10 s, less a look; with a cut of 20 s and a look after each no more
        // than 75 s in all.
        add("desk", Phase::New, 720.0 + 605.0, 70.0);
        add("desk", Phase::End, 2400.0, 20.0);
        add("desk", Phase::New, 2700.0 + 610.0, 65.0);
        if hour > 0 {
            add("desk", Phase::End, 300.0, 20.0);
        }
        if OUTAGES.contains(&hour) {
            // 30 s after the last look, which was before the cut of 20 s that the outage follows.
            add("desk", Phase::Stale, 1780.0 + 25.0, 10.0);
        }
        if NIGHT.contains(&hour) {
            for (comes, goes) in [(300.0, 720.0), (2400.0, 2700.0)] {
                add("night", Phase::New, comes, 20.0);
                add("night", Phase::End, goes, 20.0);
            }
        }
        // An event begins and ends at once.
        add("door", Phase::New, 2400.0 + 8.0, 12.0);
        add("door", Phase::End, 2400.0 + 8.0, 12.0);
    }
    all.sort_by(|a, b| a.2.total_cmp(&b.2));
    all
}

/// Resident memory of this process, MB.
fn resident_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096.0 / 1e6
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn last_why(camera: &Camera, rule: &str) -> String {
    let state = camera.state(&format!("rules/{rule}/why"));
    let json: serde_json::Value = serde_json::from_str(state.unwrap()).unwrap();
    let list = json["why"].as_array().unwrap();
    assert!(list.len() <= 10, "why is bounded");
    list.last().unwrap()["text"].as_str().unwrap().to_owned()
}

fn camera_with_rules() -> Camera {
    let mut camera = Camera::new();
    camera.event(Event::LinkUp);
    camera.draw(
        "dock",
        r#"{"polygon":[[0.5,0.2],[1,0.2],[1,0.9],[0.5,0.9]]}"#,
    );
    for (rule, sentence) in [
        (
            "queue",
            "alert me when there are more than 3 people for 2 minutes",
        ),
        ("desk", "The desk must never be unattended for 10 minutes"),
        ("night", "a person between 22:00 and 06:00"),
        ("door", "someone walks into the dock"),
    ] {
        camera.set(rule, sentence);
        let echo = camera.echo(rule);
        let state = if rule == "night" { "waiting" } else { "armed" };
        assert_eq!(echo["state"], state, "{echo}");
    }
    camera
}

/// Seconds since the camera was started: waiting for a frame that does not come takes time, too.
fn seconds(camera: &Camera) -> f64 {
    camera.clock.now().mono.since(Mono::ZERO).as_secs_f64()
}

#[test]
fn a_day_of_cuts_tells_every_alert_and_no_other() {
    let mut camera = camera_with_rules();
    let mut told: Vec<(String, Phase, f64)> = Vec::new();
    let mut resident = Vec::new();
    let (mut cut, mut broker, mut asked) = (false, true, false);
    let (mut looks, mut hour, mut said_unknown) = (0, 0, 0);
    while hour < HOURS {
        let now = seconds(&camera);
        let second = now - hour as f64 * 3600.0;
        let was_cut = std::mem::replace(&mut cut, cut_at(hour, second));
        camera.source.cut(cut);
        let watching = |rule: &&str| *rule != "night" || NIGHT.contains(&hour);
        if was_cut && !cut {
            // Unknown is not no: every rule that watches says that it could not see.
            for rule in RULES.into_iter().filter(watching) {
                let why = last_why(&camera, rule);
                let wanted = "unknown: no frame (the simulated source is cut";
                assert!(
                    why.starts_with(wanted),
                    "{rule} at {hour} h {second} s: {why}"
                );
                said_unknown += 1;
            }
        }
        if !was_cut && cut {
            // It was looked at since the last cut, and nothing was lost.
            for rule in RULES {
                let state = if watching(&rule) { "armed" } else { "waiting" };
                let (echo, why) = (camera.echo(rule), last_why(&camera, rule));
                assert_eq!(echo["state"], state, "{rule} at {hour} h {second} s");
                assert!(
                    !why.contains("no frame"),
                    "{rule} at {hour} h {second} s: {why}"
                );
            }
            assert!(camera.looks() > looks, "no look since the last cut");
            looks = camera.looks();
        }
        if was_cut != cut {
            let state = camera.source.state();
            camera.event(Event::Source(state));
        }
        {
            let mut script = camera.script.lock().unwrap();
            let failing = model_fails_at(second);
            script.failing = failing.then_some(Unknown::Timeout);
            script.detections = (!failing).then(|| seen_at(second));
        }
        if broker == broker_away_at(second) {
            broker = !broker;
            camera.event(if broker {
                Event::LinkUp
            } else {
                Event::LinkDown
            });
        }
        if cut && second > 1796.0 && !asked {
            // More questions than can wait, and no frame to answer them from: each is answered.
            (0..20).for_each(|_| camera.ask(r#"{"question":"How many people are there?"}"#));
            asked = true;
        }
        camera.run(STEP);
        let new = camera
            .alerts
            .drain(..)
            .filter(|alert| alert.phase != Phase::Update);
        told.extend(new.map(|alert| (alert.rule.to_string(), alert.phase, now)));
        if seconds(&camera) >= (hour + 1) as f64 * 3600.0 {
            assert!(said_unknown >= 3 * 58, "{said_unknown} in hour {hour}");
            assert_eq!(camera.replies.len(), 20, "every question is answered");
            camera.replies.clear();
            camera.pictured.clear();
            assert!(camera.states.len() < 40, "what is retained is bounded");
            resident.push(resident_mb());
            (said_unknown, asked) = (0, false);
            hour += 1;
        }
    }
    check(&told);
    println!("resident at every hour, MB: {resident:.1?}");
    let (first, last) = (median(&resident[2..6]), median(&resident[HOURS - 4..]));
    assert!(
        last <= (first * 1.02).max(first + 1.0),
        "{first:.1} MB in the first hours, {last:.1} MB in the last: {resident:.1?}"
    );
}

fn check(told: &[(String, Phase, f64)]) {
    let mut left = told.to_vec();
    for wanted in expected() {
        let Expected(rule, phase, from, to) = &wanted;
        let found = left
            .iter()
            .position(|(r, p, t)| r == rule && p == phase && t >= from && t <= to);
        match found {
            Some(found) => drop(left.remove(found)),
            None => {
                let near: Vec<_> = left
                    .iter()
                    .filter(|(r, _, t)| r == rule && (t - from).abs() < 1800.0)
                    .collect();
                panic!("{wanted:?} was not told; of this rule around it: {near:?}");
            }
        }
    }
    assert!(left.is_empty(), "told and not expected: {left:?}");
}

/// Holds for `before` seconds, is cut for `cut`, and says when the alert came, in seconds of picture after the return;
/// and what was said meanwhile.
fn hold_over_a_cut(before: f64, cut: f64) -> (f64, String) {
    let mut camera = Camera::new();
    camera.set(
        "queue",
        "alert me when there are more than 3 people for 2 minutes",
    );
    camera.see(people(5));
    camera.run(before);
    assert!(
        last_why(&camera, "queue").starts_with("held "),
        "{}",
        last_why(&camera, "queue")
    );
    camera.source.cut(true);
    let state = camera.source.state();
    camera.event(Event::Source(state));
    camera.run(cut);
    let why = last_why(&camera, "queue");
    camera.source.cut(false);
    assert!(camera.alerts.is_empty(), "unknown raises nothing");
    let mut seconds = 0.0;
    while camera.alerts.is_empty() {
        assert!(seconds < 300.0, "no alert: {}", last_why(&camera, "queue"));
        camera.run(1.0);
        seconds += 1.0;
    }
    (seconds, why)
}

#[test]
fn a_hold_resumes_after_a_short_cut_and_begins_anew_after_a_long_one() {
    let (after, why) = hold_over_a_cut(60.0, 25.0);
    assert!(
        why.starts_with("unknown: no frame (the simulated source is cut"),
        "{why}"
    );
    // What was held counts, and so does what the last look vouched for, 15 s at most.
    assert!(
        (40.0..=65.0).contains(&after),
        "{after} s after a short cut"
    );
    let (after, _) = hold_over_a_cut(60.0, 60.0);
    assert!(
        (115.0..=130.0).contains(&after),
        "{after} s after a long cut"
    );
}

#[test]
fn a_cut_at_the_very_end_of_a_hold_does_not_fill_it() {
    let mut camera = Camera::new();
    camera.set(
        "queue",
        "alert me when there are more than 3 people for 2 minutes",
    );
    camera.see(people(5));
    camera.run(118.0);
    camera.source.cut(true);
    camera.run(600.0);
    assert!(camera.alerts.is_empty(), "no picture is no proof");
    camera.see(people(1));
    camera.source.cut(false);
    camera.run(300.0);
    assert!(camera.alerts.is_empty());
    assert_eq!(camera.state("rules/queue/active"), Some("OFF"));
}
