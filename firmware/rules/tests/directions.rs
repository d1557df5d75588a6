//! Directions: armed where tracks tell them, refused with a reason where not,
//! and told by the right passages only.

use rules::{Armed, Echo, Predicate, RefusalKind, Rule, Seen, Site, arm, check, read};
use scene::ports::{Ability, Knowledge};
use scene::{
    BBox, Heading, Id, Moment, Mono, Movement, Passage, Phase, Polygon, Question, Track,
    TrackEvent, TrackId, Zone,
};

/// A detector with these classes, and a model that knows these words' things.
struct Camera(&'static [&'static str], &'static [&'static str]);

impl Knowledge for Camera {
    fn name(&self) -> String {
        "test/1".into()
    }
    fn ability(&self, q: &Question) -> Ability {
        match self.1.iter().any(|w| q.ask.contains(w)) {
            true => Ability::Tries,
            false => Ability::Cannot("the model has never seen it".into()),
        }
    }
    fn classes_for(&self, noun: &str) -> Vec<String> {
        let known = self.0.iter().filter(|c| **c == noun);
        known.map(|c| c.to_string()).collect()
    }
    fn classes(&self) -> Vec<String> {
        self.0.iter().map(|c| c.to_string()).collect()
    }
}

const CAMERA: Camera = Camera(&["person", "car", "truck"], &["red"]);

fn zone(name: &str, x: [f32; 2]) -> Zone {
    let corners = [[x[0], 0.1], [x[1], 0.1], [x[1], 0.9], [x[0], 0.9]];
    Zone {
        name: Id::new(name).unwrap(),
        polygon: Polygon::new(corners.map(Into::into).to_vec()).unwrap(),
    }
}

fn zones() -> Vec<Zone> {
    vec![
        zone("fence", [0.7, 0.9]),
        zone("ramp", [0.1, 0.5]),
        zone("line", [0.6, 0.62]),
    ]
}

fn echo(text: &str, senses: &Camera) -> Echo {
    let zones = zones();
    check(text, &Site::new(&zones), senses).0
}

fn refused(text: &str, senses: &Camera) -> (RefusalKind, String, String) {
    let error = echo(text, senses)
        .error
        .unwrap_or_else(|| panic!("'{text}' is armed"));
    (error.kind, error.why, error.offer.unwrap_or_default())
}

fn armed(text: &str) -> Armed {
    let zones = zones();
    let rule = read(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    arm(&rule, &Site::new(&zones), &CAMERA).unwrap_or_else(|e| panic!("{text}: {e:?}"))
}

/// Whether `what` by a `class` that moves so raises an alert of the rule.
fn fires_for(
    armed: &Armed,
    class: &str,
    what: Passage,
    movement: Movement,
    zones: &[&str],
) -> bool {
    let at = |s| Moment::unclocked(Mono::from_millis(s));
    let track = Track {
        id: TrackId(1),
        class: class.into(),
        score: 0.9,
        bbox: BBox {
            x: 0.4,
            y: 0.4,
            w: 0.1,
            h: 0.1,
        },
        since: Mono::from_millis(500),
        seen: Mono::from_millis(2_000),
        still_since: None,
        alone_since: None,
        zones: zones.iter().map(|z| Id::new(*z).unwrap()).collect(),
        zones_since: zones.iter().map(|_| Mono::ZERO).collect(),
        movement,
    };
    let event = TrackEvent {
        track: track.clone(),
        what,
        at: Mono::from_millis(2_000),
    };
    let mut life = armed.life();
    life.observe(
        at(1_000),
        &Seen {
            tracks: Some(&[]),
            ..Seen::default()
        },
    );
    let seen = Seen {
        tracks: Some(std::slice::from_ref(&track)),
        events: std::slice::from_ref(&event),
        ..Seen::default()
    };
    let steps = life.observe(at(2_000), &seen);
    steps.iter().any(|s| s.phase == Phase::New)
}

fn id(name: &str) -> Id {
    Id::new(name).unwrap()
}

fn going(right: f32, down: f32) -> Movement {
    Movement {
        right,
        down,
        ..Movement::NONE
    }
}

fn go(heading: Heading, zone: Option<&str>) -> Passage {
    Passage::Go {
        heading,
        zone: zone.map(id),
    }
}

#[test]
fn a_car_that_goes_left_is_told_by_tracks() {
    for text in [
        "a car moves left",
        "Alert me when a car drives to the left",
        "a car goes left",
    ] {
        let rule = armed(text);
        assert!(rule.needs_tracks() && rule.questions().is_empty(), "{text}");
        assert_eq!(
            rule.notes(),
            ["left and right are those of the picture"],
            "{text}"
        );
        let fires = |class, what| fires_for(&rule, class, what, Movement::NONE, &[]);
        assert!(fires("car", go(Heading::Left, None)), "{text}");
        assert!(!fires("car", go(Heading::Right, None)), "{text}");
        assert!(!fires("person", go(Heading::Left, None)), "{text}");
        assert!(
            !fires("car", go(Heading::Left, Some("ramp"))),
            "told once: {text}"
        );
        assert!(!fires("car", Passage::Appear), "{text}");
    }
}

#[test]
fn in_a_zone_only_the_way_there_counts() {
    let rule = armed("a car goes up the ramp");
    assert_eq!(
        rule.notes(),
        ["up and down are those of the picture: towards its upper and its lower edge"]
    );
    let fires = |what| fires_for(&rule, "car", what, Movement::NONE, &["ramp"]);
    assert!(fires(go(Heading::Up, Some("ramp"))));
    assert!(!fires(go(Heading::Up, Some("fence"))));
    assert!(!fires(go(Heading::Up, None)));
}

#[test]
fn towards_a_zone_needs_the_zone() {
    let rule = armed("a person walks toward the fence");
    let fires = |what| fires_for(&rule, "person", what, Movement::NONE, &[]);
    assert!(fires(Passage::Approach(id("fence"))));
    assert!(!fires(Passage::Approach(id("ramp"))));
    assert!(!fires(Passage::Retreat(id("fence"))));
    let rule = armed("a person walks away from the fence");
    let what = Passage::Retreat(id("fence"));
    // "away from" may also be read as leaving it; either is told.
    let left = Passage::Exit(id("fence"));
    let fires = |what| fires_for(&rule, "person", what, Movement::NONE, &[]);
    assert!(fires(what) || fires(left));
    let (kind, why, offer) = refused("a person walks toward the coop", &CAMERA);
    assert_eq!(kind, RefusalKind::NotObservable);
    assert_eq!(
        why,
        "Which way 'coop' lies can't be told: no such zone is drawn."
    );
    assert!(offer.contains("Draw a zone named 'coop'"), "{offer}");
}

#[test]
fn towards_the_camera_is_growing() {
    let rule = Rule {
        subject: Some("person".into()),
        predicate: Some(Predicate::Event),
        action: Some("walk".into()),
        direction: Some("toward".into()),
        ..Rule::default()
    };
    let rule = arm(&rule, &Site::new(&[]), &CAMERA).unwrap();
    assert!(fires_for(
        &rule,
        "person",
        go(Heading::Toward, None),
        Movement::NONE,
        &[]
    ));
    assert!(!fires_for(
        &rule,
        "person",
        go(Heading::Away, None),
        Movement::NONE,
        &[]
    ));
    assert_eq!(
        rule.notes(),
        ["coming towards the camera is told by growing in the picture"]
    );
}

#[test]
fn a_turn_is_by_the_cars_own_left() {
    let rule = armed("a truck turns left");
    assert_eq!(
        rule.notes(),
        ["left is the truck's own, as seen from above"]
    );
    let turn = |to| Passage::Turn { to, zone: None };
    assert!(fires_for(
        &rule,
        "truck",
        turn(Heading::Left),
        Movement::NONE,
        &[]
    ));
    assert!(!fires_for(
        &rule,
        "truck",
        turn(Heading::Right),
        Movement::NONE,
        &[]
    ));
    assert!(!fires_for(
        &rule,
        "truck",
        go(Heading::Left, None),
        Movement::NONE,
        &[]
    ));
}

#[test]
fn crossing_a_line_has_a_direction() {
    let rule = armed("someone crosses the line from left to right");
    let cross = || Passage::Cross(id("line"));
    assert!(fires_for(&rule, "person", cross(), going(0.2, 0.05), &[]));
    assert!(!fires_for(&rule, "person", cross(), going(-0.2, 0.05), &[]));
    assert!(!fires_for(
        &rule,
        "person",
        Passage::Enter(id("line")),
        going(0.2, 0.0),
        &["line"]
    ));
    // A wide zone is crossed by going in, which is told at once.
    let rule = armed("someone crosses the ramp from left to right");
    assert!(fires_for(
        &rule,
        "person",
        Passage::Enter(id("ramp")),
        going(0.2, 0.0),
        &["ramp"]
    ));
    assert!(!fires_for(
        &rule,
        "person",
        Passage::Enter(id("ramp")),
        going(-0.2, 0.0),
        &["ramp"]
    ));
    let rule = armed("someone crosses the line");
    assert!(fires_for(&rule, "person", cross(), going(-0.2, 0.0), &[]));
}

#[test]
fn what_can_not_be_told_is_refused_with_a_reason() {
    for (text, why) in [
        (
            "a car goes the wrong way",
            "Nothing here says which way is the right one",
        ),
        ("a car drives north", "does not know where north is"),
        ("a car drives backwards", "not which way it faces"),
    ] {
        let (kind, said, offer) = refused(text, &CAMERA);
        assert_eq!(kind, RefusalKind::NotObservable, "{text}");
        assert!(said.contains(why), "{text}: {said}");
        assert!(offer.starts_with("Say "), "{text}: {offer}");
    }
    let (_, why, _) = refused("a fox goes left", &CAMERA);
    assert_eq!(
        why,
        "'go left' needs a detector that knows 'fox', and the one installed doesn't."
    );
    let (_, why, _) = refused("a car goes left", &Camera(&[], &["car"]));
    assert!(why.ends_with("and none is installed."), "{why}");
}

#[test]
fn what_narrows_the_thing_is_asked_of_the_model() {
    let rule = armed("a red car goes left");
    assert_eq!(rule.questions().len(), 1);
    assert!(rule.questions()[0].ask.contains("red car"));
    // How it goes is asked where the model knows it, and named where not.
    let note =
        "nothing here tells running from any other way to go: every person that goes there counts";
    let e = echo("a person runs left", &CAMERA);
    assert!(e.error.is_none() && e.questions.is_empty());
    assert!(e.notes.iter().any(|n| n == note), "{:?}", e.notes);
    let e = echo("a person runs left", &Camera(&["person"], &["running"]));
    assert_eq!(e.questions[0].ask, "Is there a person running?");
    assert!(!e.notes.iter().any(|n| n == note), "{:?}", e.notes);
}

#[test]
fn ways_are_counted_in_a_window() {
    let rule = armed("more than 40 people going down the ramp within 5 minutes");
    assert!(rule.needs_tracks(), "{:?}", rule.notes());
}
