//! Arming: the means are found, or what is missing is named.

use rules::{Echo, RefusalKind, Site, arm, check, read};
use scene::ports::{Ability, Knowledge};
use scene::{Id, Polygon, Question, Zone};

struct Camera {
    classes: &'static [&'static str],
    model: bool,
}

impl Knowledge for Camera {
    fn name(&self) -> String {
        "test/1".into()
    }
    fn ability(&self, q: &Question) -> Ability {
        let knows = self.model && !q.ask.contains("extinguisher");
        if knows {
            Ability::Tries
        } else {
            Ability::Cannot("the model has never seen one; install one that has".into())
        }
    }
    fn classes_for(&self, noun: &str) -> Vec<String> {
        let class = match noun {
            "worker" => "person",
            other => other,
        };
        self.classes
            .iter()
            .filter(|c| **c == class)
            .map(|c| (*c).to_owned())
            .collect()
    }
    fn classes(&self) -> Vec<String> {
        self.classes.iter().map(|c| (*c).to_owned()).collect()
    }
}

const FULL: Camera = Camera {
    classes: &["person", "car", "bag", "truck"],
    model: true,
};
const BLIND: Camera = Camera {
    classes: &[],
    model: true,
};
const NO_MODEL: Camera = Camera {
    classes: &["person", "car", "bag", "truck"],
    model: false,
};

fn zone(name: &str) -> Zone {
    let corners = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
        .map(scene::Point::from)
        .to_vec();
    Zone {
        name: Id::new(name).unwrap(),
        polygon: Polygon::new(corners).unwrap(),
    }
}

fn echo(text: &str, zones: &[Zone], senses: &Camera) -> Echo {
    check(text, &Site::new(zones), senses).0
}

#[test]
fn questions_are_phrased_as_the_model_was_taught() {
    for (text, ask) in [
        (
            "Alert me if there is a fire in the kitchen",
            "Is there a fire in the kitchen?",
        ),
        (
            "Alert me if a red car is at the west gate",
            "Is there a red car at the west gate?",
        ),
        (
            "a worker without a hard hat near the crane",
            "Is there a worker not wearing a hard hat near the crane?",
        ),
        (
            "Identify stranded bags on the station platform",
            "Is there an unattended bag on the station platform?",
        ),
        (
            "Send me alerts for fallen boxes in the warehouse",
            "Is there a fallen box in the warehouse?",
        ),
        ("Watch for empty shelves", "Is there an empty shelf?"),
        (
            "Count the people in a queue by passport control and alert me if it is longer than 10",
            "How many people are in the queue by passport control?",
        ),
        (
            "the queue at passport control is longer than 10",
            "How many people are in the queue at passport control?",
        ),
        ("more than 3 forklifts", "How many forklifts are there?"),
        (
            "more than 3 red cars at the gate",
            "How many red cars are at the gate?",
        ),
        (
            "Warn me if there is nobody in the control room",
            "Is there a person in the control room?",
        ),
        (
            "Just record it if it starts to smoke in the kitchen",
            "Is there smoke in the kitchen?",
        ),
        (
            "tell me if a person is lying on the floor",
            "Is there a person lying on the floor?",
        ),
        (
            "tell me if a person climbs over the fence",
            "Is there a person climbing over the fence?",
        ),
    ] {
        let e = echo(text, &[], &BLIND);
        assert_eq!(e.questions.len(), 1, "{text}: {e:?}");
        assert_eq!(e.questions[0].ask, ask, "{text}");
    }
}

#[test]
fn the_echo_of_the_contract() {
    let text = "Count the people in a queue at passport control and alert me if it is longer than 10 for 2 minutes";
    let e = serde_json::to_value(echo(text, &[zone("passport-control")], &FULL)).unwrap();
    assert_eq!(
        e["questions"][0],
        serde_json::json!({"ask": "How many people are in the queue at passport control?", "kind": "count", "crop": "passport-control"})
    );
    assert_eq!(
        e["defaults"],
        serde_json::json!({"cooldown_seconds": 60, "severity": "warning"})
    );
    assert_eq!(
        e["says"],
        "Alert (warning) when there are more than 10 people in the queue at passport control for 2 min; then at most once a minute."
    );
    assert_eq!(e["notes"], serde_json::json!([]));
    assert!(e["cost"].is_null() && e["error"].is_null());
    let e = serde_json::to_value(echo(text, &[], &FULL)).unwrap();
    assert!(e["questions"][0]["crop"].is_null());
    assert_eq!(
        e["notes"],
        serde_json::json!(["no zone 'passport control' is drawn: the whole frame is looked at"])
    );
}

#[test]
fn plain_concepts_go_to_the_detector_and_narrow_ones_to_the_model() {
    let needs = |text: &str, senses: &Camera| {
        let armed = arm(&read(text).unwrap(), &Site::new(&[]), senses)
            .unwrap_or_else(|e| panic!("{text}: {e}"));
        (
            armed.questions().len(),
            armed.needs_detections(),
            armed.needs_tracks(),
        )
    };
    assert_eq!(
        needs("more than 3 people in the hall", &FULL),
        (0, true, false)
    );
    assert_eq!(
        needs("more than 3 people in the hall", &BLIND),
        (1, false, false)
    );
    assert_eq!(needs("nobody is in the hall", &FULL), (0, true, false));
    assert_eq!(needs("a red car at the gate", &FULL), (1, false, false));
    assert_eq!(
        needs("a person not wearing a helmet", &FULL),
        (1, false, false)
    );
    assert_eq!(
        needs("alert me if someone enters the yard", &FULL),
        (0, true, true)
    );
    assert_eq!(
        needs("alert me if a red car leaves the yard", &FULL),
        (1, true, true)
    );
    assert_eq!(
        needs("alert me when a car is parked", &FULL),
        (0, true, true)
    );
    assert_eq!(
        needs("a bag left alone on the platform", &FULL),
        (0, true, true)
    );
    assert_eq!(
        needs("a bag left alone on the platform", &BLIND),
        (1, false, false)
    );
    assert_eq!(
        needs("alert me when anything enters the driveway", &FULL),
        (0, true, true)
    );
    assert_eq!(
        needs("tell me if a truck or a van is at the dock", &FULL),
        (1, true, false)
    );
}

#[test]
fn what_is_missing_is_named() {
    let refused = |text: &str, senses: &Camera| {
        let e = echo(text, &[], senses);
        let refusal = e.error.unwrap_or_else(|| panic!("{text} was armed"));
        assert_eq!(refusal.kind, RefusalKind::NotObservable, "{text}");
        assert!(refusal.offer.is_some());
        refusal.why
    };
    assert!(refused("alert me if a cat enters the yard", &FULL).contains("'cat'"));
    assert!(refused("alert me if someone enters the yard", &BLIND).contains("none is installed"));
    assert!(
        refused("is there a fire extinguisher on the wall", &FULL).contains("fire extinguisher")
    );
    assert!(refused("a person not wearing a helmet", &NO_MODEL).contains("not wearing helmet"));
    assert!(refused("alert me when someone crosses the line", &FULL).contains("no such zone"));
    assert!(refused("let me know when a car goes the wrong way", &NO_MODEL).contains("going"));
    let weaker = echo(
        "the queue at the till is longer than 3 people",
        &[],
        &NO_MODEL,
    );
    assert!(
        weaker
            .notes
            .iter()
            .any(|n| n == "counts every person in view: nothing here tells a queue"),
        "{weaker:?}"
    );
}

#[test]
fn rules_that_ask_the_same_share_the_question() {
    let armed = |text: &str| arm(&read(text).unwrap(), &Site::new(&[]), &BLIND).unwrap();
    let a = armed("Alert me if there is a fire in the kitchen");
    let b = armed("critical: fire in the kitchen for 10 seconds");
    let c = armed("tell me if there is no fire in the kitchen");
    assert_ne!(a.rule(), b.rule());
    assert_eq!(b.questions()[0].about, a.questions()[0].about);
    assert_eq!(a.questions(), c.questions());
    assert_eq!(a.questions(), b.questions());
}
