//! The watch loop's machine through whole stories, in simulated time.

mod common;
#[path = "stories/flagship.rs"]
mod flagship;

use std::time::Duration;

use common::{Camera, people};
use scene::Unknown;
use scene::ports::{Clock, Reading, SourceState};
use serde_json::Value as Json;
use watchword::watch::{Event, MAX_RULES};

const QUEUE: &str = "alert me when there are more than 3 people for 10 seconds";

#[test]
fn a_sentence_becomes_one_alert_with_a_beginning_and_an_end() {
    let mut camera = Camera::new();
    camera.set("queue", QUEUE);
    assert_eq!(camera.echo("queue")["state"], "armed");
    assert_eq!(camera.echo("queue")["understood"]["threshold"], 3);
    assert_eq!(camera.stored, 1, "the rule is stored");
    camera.see(people(2));
    camera.run(30.0);
    assert!(camera.alerts.is_empty());
    assert_eq!(camera.state("rules/queue/active"), Some("OFF"));

    camera.see(people(5));
    camera.run(30.0);
    assert_eq!(camera.phases(), ["new"]);
    assert!(camera.pictured[0], "a new alert shows the frame that fired");
    assert_eq!(camera.state("rules/queue/active"), Some("ON"));
    assert_eq!(camera.state("rules/queue/value"), Some("5"));

    camera.see(people(1));
    camera.run(30.0);
    assert_eq!(camera.phases(), ["new", "end"]);
    let (new, end) = (&camera.alerts[0], camera.alerts.last().unwrap());
    assert_eq!(new.id, end.id);
    assert!(new.id.as_str().starts_with("0000abcd-"));
    assert_eq!(camera.state("rules/queue/active"), Some("OFF"));
}

#[test]
fn a_bad_sentence_leaves_the_last_good_one_watching() {
    let mut camera = Camera::new();
    camera.set("queue", QUEUE);
    camera.set("queue", "tell me when it is crowded");
    let echo = camera.echo("queue");
    assert_eq!(echo["state"], "rejected");
    assert_eq!(echo["error"]["kind"], "ambiguous");
    assert_eq!(echo["watching"], QUEUE);
    camera.see(people(5));
    camera.run(40.0);
    assert_eq!(camera.phases(), ["new"]);
}

#[test]
fn what_no_grammar_can_read_is_refused_and_harms_nothing() {
    let mut camera = Camera::new();
    for (n, payload) in ["{\"text\":", "\u{0}\u{0}", "{\"text\":5}", "{}", "🦒🦒🦒"]
        .iter()
        .enumerate()
    {
        camera.set(&format!("bad-{n}"), payload);
        let echo = camera.echo(&format!("bad-{n}"));
        assert_eq!(echo["state"], "rejected", "{payload}");
        assert!(
            echo["error"]["why"]
                .as_str()
                .is_some_and(|why| !why.is_empty())
        );
    }
    assert_eq!(camera.stored, 0, "a refused sentence is not stored");
}

#[test]
fn a_model_that_fails_turns_an_open_alert_stale_and_never_ends_it() {
    let mut camera = Camera::new();
    camera.set("queue", QUEUE);
    camera.see(people(5));
    camera.run(40.0);
    assert_eq!(camera.phases(), ["new"]);
    camera.script.lock().unwrap().detections = None;
    camera.script.lock().unwrap().failing = Some(Unknown::Timeout);
    camera.run(300.0);
    assert_eq!(camera.phases(), ["new", "stale"]);
    assert_eq!(
        camera.state("rules/queue/active"),
        Some("ON"),
        "unknown is not no"
    );
}

#[test]
fn a_dead_source_turns_an_open_alert_stale() {
    let mut camera = Camera::new();
    camera.set("queue", QUEUE);
    camera.see(people(5));
    camera.run(40.0);
    camera.source.cut(true);
    camera.run(300.0);
    assert_eq!(camera.phases(), ["new", "stale"]);
}

fn lost(why: &str, retry_in_ms: u64) -> Event {
    Event::Source(SourceState::Retrying {
        why: why.into(),
        retry_in: Duration::from_millis(retry_in_ms),
    })
}

#[test]
fn no_picture_is_told_with_its_reason_even_without_a_rule() {
    let mut camera = Camera::new();
    let told = |camera: &Camera| -> Json {
        serde_json::from_str(camera.state("source").expect("told")).unwrap()
    };
    camera.event(Event::LinkUp);
    assert_eq!(told(&camera)["state"], "live");
    let begun = camera.clock.now().wall.unwrap().to_string();
    camera.event(lost("the camera /dev/video0 is not there", 500));
    let first = told(&camera);
    assert_eq!(first["state"], "retrying");
    assert_eq!(first["why"], "the camera /dev/video0 is not there");
    assert_eq!(first["retry_in_ms"], 500);
    assert_eq!(first["since"], begun.as_str());
    // Tried again in vain: gone since it went.
    camera.run(60.0);
    camera.event(lost(
        "the camera /dev/video0: another program uses it",
        1000,
    ));
    let second = told(&camera);
    assert!(second["why"].as_str().unwrap().contains("another program"));
    assert_eq!(
        (&second["since"], &second["retry_in_ms"]),
        (&first["since"], &1000.into())
    );
    // The broker forgot, or is another one.
    camera.states.clear();
    camera.event(Event::LinkUp);
    assert_eq!(told(&camera), second);
    camera.event(Event::Source(SourceState::Live));
    let live = told(&camera);
    assert_eq!(live["state"], "live");
    assert!(live["why"].is_null() && live["retry_in_ms"].is_null());
    assert_ne!(live["since"], first["since"]);
    // The same again is not published again.
    camera.states.clear();
    camera.event(Event::Source(SourceState::Live));
    assert_eq!(camera.state("source"), None);
    camera.event(Event::Source(SourceState::Ended));
    assert_eq!(told(&camera)["state"], "ended");
}

#[test]
fn what_is_told_of_the_source_keeps_the_contract() {
    let mut camera = Camera::new();
    let file = |name: &str| -> Json {
        let path = format!("{}/../../docs/mqtt/{name}.json", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let required = file("schemas/source")["required"].clone();
    for (name, event) in [
        ("source", lost("a sentence", 4212)),
        ("source-live", Event::Source(SourceState::Live)),
    ] {
        camera.event(event);
        let told: Json = serde_json::from_str(camera.state("source").unwrap()).unwrap();
        let example = file(&format!("examples/{name}"));
        for form in [&told, &example] {
            let form = form.as_object().unwrap();
            assert_eq!(form.len(), required.as_array().unwrap().len(), "{name}");
            let has = |key: &Json| form.contains_key(key.as_str().unwrap());
            assert!(required.as_array().unwrap().iter().all(has), "{name}");
            form["since"]
                .as_str()
                .unwrap()
                .parse::<jiff::Timestamp>()
                .unwrap();
        }
        for key in ["v", "state", "retry_in_ms"] {
            assert_eq!(told[key], example[key], "{name}: {key}");
        }
    }
}

#[test]
fn an_alert_keeps_its_id_over_a_restart() {
    let mut camera = Camera::new();
    camera.set("queue", QUEUE);
    camera.see(people(5));
    camera.run(40.0);
    let first = camera.alerts[0].id.clone();
    let mut camera = camera.restarted(&[("queue", QUEUE)]);
    camera.see(people(1));
    camera.run(40.0);
    assert_eq!(camera.phases(), ["end"]);
    assert_eq!(camera.alerts[0].id, first);
}

#[test]
fn a_deleted_rule_leaves_nothing_behind() {
    let mut camera = Camera::new();
    camera.event(Event::LinkUp);
    camera.set("queue", QUEUE);
    camera.see(people(5));
    camera.run(40.0);
    camera.set("queue", "");
    assert_eq!(camera.phases(), ["new", "end"]);
    let left: Vec<_> = camera
        .states
        .keys()
        .filter(|topic| topic.contains("queue"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    camera.run(60.0);
    assert_eq!(camera.phases(), ["new", "end"]);
}

#[test]
fn the_same_wish_again_does_not_start_the_hold_anew() {
    let mut camera = Camera::new();
    camera.set("queue", QUEUE);
    camera.see(people(5));
    for _ in 0..40 {
        camera.run(1.0);
        camera.set("queue", QUEUE);
    }
    assert_eq!(camera.phases(), ["new"]);
    assert_eq!(camera.stored, 1);
}

#[test]
fn a_paused_rule_does_not_look() {
    let mut camera = Camera::new();
    camera.set(
        "queue",
        &serde_json::json!({"text": QUEUE, "enabled": false}).to_string(),
    );
    assert_eq!(camera.echo("queue")["state"], "paused");
    camera.see(people(9));
    camera.run(60.0);
    assert!(camera.alerts.is_empty());
    camera.set("queue", QUEUE);
    assert_eq!(camera.echo("queue")["state"], "armed");
    camera.run(40.0);
    assert_eq!(camera.phases(), ["new"]);
}

#[test]
fn a_drawn_zone_bounds_what_counts() {
    let mut camera = Camera::new();
    camera.set(
        "till",
        "alert me when there are more than 1 people at the till",
    );
    let note = camera.echo("till")["notes"][0]
        .as_str()
        .unwrap_or_default()
        .to_string();
    assert!(note.contains("till"), "{note}");
    camera.draw("till", r#"{"polygon":[[0.9,0.9],[1,0.9],[1,1]]}"#);
    let notes = camera.echo("till")["notes"].to_string();
    assert!(!notes.contains("no zone"), "{notes}");
    camera.see(people(5));
    camera.run(60.0);
    assert!(camera.alerts.is_empty(), "all five stand elsewhere");
    camera.draw("till", r#"{"polygon":[[0,0],[1,0],[1,1],[0,1]]}"#);
    camera.run(60.0);
    assert_eq!(camera.phases(), ["new"]);
    camera.draw("till", "nonsense");
    let zone = camera.state("zones/till").unwrap();
    assert!(zone.contains("error") && zone.contains("polygon"), "{zone}");
}

#[test]
fn a_camera_without_watts_to_spare_says_so() {
    let mut camera = Camera::new();
    camera.set("queue", QUEUE);
    camera.run(5.0);
    camera.board.readings.board = Some(Reading::measured(scene::Watts(12.5), "sim"));
    let looks = camera.looks();
    camera.run(60.0);
    assert!(
        camera.looks() <= looks + 1,
        "no look starts that would pass the allotment"
    );
    assert_eq!(camera.echo("queue")["state"], "slowed");
    let why = camera.echo("queue")["why"].to_string();
    assert!(why.contains("allotment"), "{why}");
    camera.board.readings.board = Some(Reading::measured(scene::Watts(4.0), "sim"));
    camera.run(120.0);
    assert_eq!(camera.echo("queue")["state"], "armed");
}

#[test]
fn the_book_is_bounded() {
    let mut camera = Camera::new();
    for n in 0..MAX_RULES {
        camera.set(&format!("r{n}"), QUEUE);
    }
    camera.set("one-more", QUEUE);
    let echo = camera.echo("one-more");
    assert_eq!(echo["state"], "rejected");
    assert_eq!(echo["error"]["kind"], "over_budget");
}

#[test]
fn questions_are_answered_and_bounded() {
    let mut camera = Camera::new();
    camera.see(people(3));
    camera.ask(r#"{"question":"How many people are there?","kind":"count","request_id":"q1"}"#);
    let (topic, answer) = camera.replies.pop().unwrap();
    assert_eq!(topic, "watchword/gate/ask/answer");
    assert_eq!(answer["answer"], "3", "{answer}");
    assert_eq!(answer["request_id"], "q1");
    assert_eq!(answer["joules"]["source"], "modelled");
    camera.ask(r#"{"question":"How many?","zone":"nowhere"}"#);
    let (_, answer) = camera.replies.pop().unwrap();
    assert_eq!(answer["answer"], "unknown");
    assert!(answer["why"].as_str().unwrap().contains("nowhere"));
}

#[test]
fn a_dry_run_changes_nothing() {
    let mut camera = Camera::new();
    let echo = camera.check(QUEUE);
    assert_eq!(echo["understood"]["comparator"], "gt");
    let echo = camera.check("tell me when a giraffe wearing a hat is there");
    assert!(
        echo["error"]["why"].as_str().unwrap().contains("giraffe"),
        "{echo}"
    );
    assert_eq!(camera.stored, 0);
    assert!(camera.state("rules/queue").is_none());
}

#[test]
fn everything_retained_is_said_again_after_a_reconnect() {
    let mut camera = Camera::new();
    camera.set("queue", QUEUE);
    camera.see(people(5));
    camera.run(40.0);
    let before = camera.states.clone();
    camera.states.clear();
    camera.event(Event::LinkDown);
    camera.event(Event::LinkUp);
    for topic in before.keys() {
        assert!(camera.states.contains_key(topic), "{topic}");
    }
    assert_eq!(camera.state("status"), Some("online"));
    assert!(camera.state("info").unwrap().contains("\"rules\":32"));
}
