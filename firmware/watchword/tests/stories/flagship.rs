//! The sentences that the product is sold with, through the whole machine in
//! simulated time: from what the operator types to the alert. The same on real
//! and rendered footage is `scripts/check-replay`.

use crate::common::{Camera, people};
use scene::{BBox, Detection, Value};

fn thing(class: &str, x: f32, y: f32) -> Detection {
    Detection {
        class: class.into(),
        score: 0.95,
        bbox: BBox {
            x,
            y,
            w: 0.06,
            h: 0.2,
        },
    }
}

/// Lets somebody walk from `from` to `to` (left edges) in `seconds`.
fn walk(camera: &mut Camera, from: f32, to: f32, seconds: usize, with: &[Detection]) {
    for step in 0..=seconds * 2 {
        let x = from + (to - from) * step as f32 / (seconds * 2) as f32;
        let mut seen = with.to_vec();
        seen.push(thing("person", x, 0.4));
        camera.see(seen);
        camera.run(0.5);
    }
}

#[test]
fn count_over_n_for_m_seconds() {
    let mut camera = Camera::new();
    camera.set(
        "lift",
        "No more than 3 people may be in the lift for longer than 20 seconds",
    );
    assert_eq!(camera.echo("lift")["understood"]["comparator"], "gt");
    camera.see(people(3));
    camera.run(60.0);
    assert!(camera.alerts.is_empty(), "three are allowed");
    camera.see(people(4));
    camera.run(15.0);
    assert!(camera.alerts.is_empty(), "not yet for long enough");
    camera.run(15.0);
    assert_eq!(camera.phases(), ["new"]);
}

#[test]
fn enters_and_leaves_a_zone() {
    let mut camera = Camera::new();
    camera.draw(
        "dock",
        r#"{"polygon":[[0.5,0.2],[1,0.2],[1,0.9],[0.5,0.9]]}"#,
    );
    camera.set(
        "in",
        "Critical: someone walks into the dock, once per visit",
    );
    camera.set("out", "log it when a person leaves the dock");
    assert_eq!(camera.echo("in")["state"], "armed");
    assert_eq!(camera.echo("in")["understood"]["dedup"], "per_episode");
    assert_eq!(camera.echo("out")["understood"]["severity"], "info");
    walk(&mut camera, 0.1, 0.3, 6, &[]);
    assert!(camera.alerts.is_empty(), "still outside");
    walk(&mut camera, 0.3, 0.75, 6, &[]);
    let rules: Vec<&str> = camera.alerts.iter().map(|a| a.rule.as_str()).collect();
    assert!(
        rules.contains(&"in") && !rules.contains(&"out"),
        "{rules:?}"
    );
    walk(&mut camera, 0.75, 0.2, 8, &[]);
    assert!(camera.alerts.iter().any(|a| a.rule.as_str() == "out"));
}

#[test]
fn a_way_through_the_picture() {
    let mut camera = Camera::new();
    camera.set("left", "tell me when a person goes left");
    assert_eq!(
        camera.echo("left")["state"],
        "armed",
        "{}",
        camera.echo("left")
    );
    walk(&mut camera, 0.2, 0.8, 8, &[]);
    assert!(camera.alerts.is_empty(), "that was to the right");
    walk(&mut camera, 0.8, 0.2, 8, &[]);
    assert_eq!(camera.alerts[0].rule.as_str(), "left");
}

#[test]
fn a_thing_left_behind() {
    let mut camera = Camera::new();
    camera.set(
        "case",
        "Let me know if somebody leaves a suitcase behind for 30 seconds",
    );
    assert_eq!(
        camera.echo("case")["understood"]["subject"],
        "unattended suitcase"
    );
    let case = thing("suitcase", 0.2, 0.5);
    walk(&mut camera, 0.1, 0.2, 5, std::slice::from_ref(&case));
    camera.run(60.0);
    assert!(camera.alerts.is_empty(), "its owner stands beside it");
    walk(&mut camera, 0.2, 0.9, 6, std::slice::from_ref(&case));
    camera.see(vec![case]);
    camera.run(15.0);
    assert!(camera.alerts.is_empty(), "alone, but not for long enough");
    camera.run(40.0);
    assert_eq!(camera.phases(), ["new"]);
}

#[test]
fn nobody_for_m_seconds() {
    let mut camera = Camera::new();
    camera.set("desk", "The desk must never be unattended for a minute");
    assert_eq!(camera.echo("desk")["understood"]["predicate"], "absence");
    camera.see(people(1));
    camera.run(90.0);
    assert!(camera.alerts.is_empty());
    camera.see(Vec::new());
    camera.run(50.0);
    assert!(camera.alerts.is_empty());
    camera.run(30.0);
    assert_eq!(camera.phases(), ["new"]);
    camera.see(people(1));
    camera.run(20.0);
    assert_eq!(camera.phases(), ["new", "end"]);
}

#[test]
fn somebody_who_does_not_wear_it() {
    let mut camera = Camera::new();
    camera.set("vest", "Everyone must wear a safety vest");
    let echo = camera.echo("vest");
    assert_eq!(
        echo["understood"]["attributes"][0],
        "not wearing safety vest"
    );
    let asked = echo["questions"][0]["ask"].as_str().unwrap().to_owned();
    assert_eq!(asked, "Is there a person not wearing a safety vest?");
    let answer = |camera: &Camera, p| {
        camera.script.lock().unwrap().answers = vec![(asked.clone(), Value::YesNo(p))];
    };
    camera.see(people(1));
    answer(&camera, 0.05);
    camera.run(30.0);
    assert!(camera.alerts.is_empty());
    answer(&camera, 0.95);
    camera.run(30.0);
    assert_eq!(camera.phases(), ["new"]);
}

#[test]
fn a_zone_drawn_while_it_lasts_does_not_start_the_hold_anew() {
    let mut camera = Camera::new();
    camera.set("yard", "a person in the yard for 60 seconds");
    camera.see(people(1));
    camera.run(45.0);
    camera.draw("gate", r#"{"polygon":[[0.9,0.9],[1,0.9],[1,1]]}"#);
    camera.run(25.0);
    assert_eq!(camera.phases(), ["new"], "the 45 s before counted");
}
