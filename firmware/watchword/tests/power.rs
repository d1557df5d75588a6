//! Watts through the watch loop, in simulated time: what is told of them, what
//! an operator may say about them, and what happens when they fail.

mod common;
#[path = "common/schema.rs"]
mod schema;

use std::time::Duration;

use common::{Camera, id, people};
use governor::{Config, Told};
use scene::Watts;
use scene::ports::Reading;
use schema::{assert_keeps, contract};
use spool::Note;
use watchword::watch::{Drops, Event};

const QUEUE: &str = "alert me when there are more than 3 people for 10 seconds";
const LIGHT: &str = "tell me when the light is on";

fn measured(watts: f64) -> Option<Reading<Watts>> {
    Some(Reading::measured(Watts(watts), "ina226"))
}

/// Two sizes on two cores and on one, as scout has them, but slow.
fn points() -> Config {
    let told = |point: &str, accuracy, step, look_ms| Told {
        point: point.parse().unwrap(),
        accuracy,
        step: Watts(step),
        look: Duration::from_millis(look_ms),
        question: Duration::from_millis(20),
    };
    Config {
        points: vec![
            told("f32/256px/1t/2c", 0.73, 2.4, 400),
            told("f32/128px/1t/2c", 0.69, 2.4, 200),
            told("f32/256px/1t/1c", 0.73, 1.2, 900),
            told("f32/128px/1t/1c", 0.69, 1.2, 450),
        ],
        ..Config::default()
    }
}

#[test]
fn what_is_published_keeps_the_contract() {
    let mut camera = Camera::with(1, points());
    camera.event(Event::LinkUp);
    camera.set("queue", QUEUE);
    camera.set(
        "light",
        r#"{"text":"tell me when the light is on","every_seconds":20}"#,
    );
    camera.set("bad", "tell me when it is crowded");
    camera.see(people(5));
    camera.run(40.0);
    for rule in ["queue", "light", "bad"] {
        assert_keeps("rule", &camera.echo(rule));
    }
    assert_keeps("check-answer", &camera.check(QUEUE));
    assert_keeps("power", &camera.power());
    assert_keeps(
        "info",
        &serde_json::from_str(camera.state("info").unwrap()).unwrap(),
    );
    assert_keeps("alert", &serde_json::to_value(&camera.alerts[0]).unwrap());
    camera.ask("Are there people?");
    let (_, answer) = camera.replies.pop().unwrap();
    assert_keeps("ask-answer", &answer);
    assert_eq!(answer["point"], "f32/256px/1t/2c");
    for (schema, example) in [
        ("power", "power"),
        ("limit-set", "limit-set"),
        ("rule", "rule"),
        ("rule", "rule-rejected"),
        ("rule", "rule-bad-id"),
        ("rule-set", "rule-set"),
        ("check-answer", "check-answer"),
        ("ask-answer", "ask-answer"),
        ("alert", "alert"),
        ("info", "info"),
    ] {
        assert_keeps(schema, &contract(&format!("examples/{example}")));
    }
}

#[test]
fn what_a_rule_costs_is_told_before_anything_was_looked_at() {
    let mut camera = Camera::with(1, points());
    let echo = camera.check(LIGHT);
    assert_eq!(camera.looks(), 0);
    let cost = &echo["cost"];
    assert_eq!(cost["source"], "modelled");
    assert_eq!(cost["check_every_seconds"], 5.0);
    let joules = cost["joules_per_check"].as_f64().unwrap();
    assert!((joules - 2.4 * 0.42).abs() < 1e-6, "{joules}");
    assert!((cost["watts"].as_f64().unwrap() - joules / 5.0).abs() < 1e-6);

    camera.set("light", LIGHT);
    let echo = camera.echo("light");
    assert_eq!(echo["state"], "armed");
    assert_eq!(echo["interval_seconds"], 5.0);
    assert!(echo["blind_seconds"].is_number());
    assert_eq!(echo["watts_per_inference"]["source"], "modelled");
}

#[test]
fn the_operator_lowers_the_allotment_and_lifts_that() {
    let mut camera = Camera::with(1, points());
    camera.set("queue", QUEUE);
    camera.set("light", LIGHT);
    camera.board.readings.board = Some(Reading::modelled(Watts(4.0), "CPU time"));
    camera.run(30.0);
    assert_eq!(camera.power()["point"], "f32/256px/1t/2c");
    assert_eq!(camera.power()["throttle"], serde_json::Value::Null);
    assert_eq!(camera.power()["allotment"]["value"], 12.95);
    assert_eq!(camera.power()["allotment"]["by"], "class 3");

    // One core fits under it, two do not.
    camera.limit(r#"{"watts": 8.0}"#);
    camera.run(3.0);
    let power = camera.power();
    assert_eq!(power["limit"], 8.0);
    assert!(power["point"].as_str().unwrap().ends_with("/1c"), "{power}");
    assert!(camera.notes.note(Note::Limit).unwrap().is_some());

    // Nothing does.
    camera.limit("6");
    let looks = camera.looks();
    camera.run(40.0);
    assert_eq!(camera.looks(), looks);
    assert_eq!(camera.power()["throttle"]["cause"], "peak");
    let echo = camera.echo("queue");
    assert_eq!(echo["state"], "slowed");
    let throttle = echo["throttle"].as_str().unwrap();
    assert!(throttle.contains("6.0 W"), "{throttle}");
    assert!(echo["blind_seconds"].as_f64().unwrap() > 30.0, "{echo}");
    assert_keeps("rule", &echo);
    assert_keeps("power", &camera.power());

    // More than was granted changes nothing, and is told so.
    camera.limit("{\"watts\": 30}");
    camera.run(60.0);
    let power = camera.power();
    assert!(power["note"].as_str().unwrap().contains("30 W"), "{power}");
    assert_eq!(power["allotment"]["value"], 12.95);

    camera.limit("");
    camera.run(60.0);
    let power = camera.power();
    assert_eq!(power["limit"], serde_json::Value::Null);
    let point = power["point"].as_str().unwrap();
    assert!(point.starts_with("f32/256px"), "{point}");
    assert_eq!(power["throttle"], serde_json::Value::Null);
    assert_eq!(camera.echo("queue")["state"], "armed");
    assert_eq!(camera.notes.note(Note::Limit).unwrap(), None);
}

#[test]
fn under_a_limit_for_inference_pictures_get_smaller_and_rules_slow() {
    let mut camera = Camera::with(1, points());
    for n in 0..4 {
        camera.set(&format!("rule-{n}"), &thing(n));
    }
    camera.board.readings.board = Some(Reading::modelled(Watts(4.0), "CPU time"));
    camera.run(60.0);
    let before = camera.power();
    assert_eq!(before["throttle"], serde_json::Value::Null);
    assert!(before["point"].as_str().unwrap().starts_with("f32/256px"));
    let took = before["inference"]["watts"].as_f64().unwrap();

    let order = serde_json::json!({"watts": 11, "inference_watts": took / 4.0});
    camera.limit(&order.to_string());
    camera.run(60.0);
    let power = camera.power();
    assert!(
        power["point"].as_str().unwrap().starts_with("f32/128px"),
        "{power}"
    );
    assert_eq!(power["throttle"]["cause"], "energy");
    assert!(power["inference"]["watts"].as_f64().unwrap() < took / 2.0);
    assert_eq!(power["limit"], 11.0);
    for n in 0..4 {
        let echo = camera.echo(&format!("rule-{n}"));
        assert_eq!(echo["state"], "slowed");
        assert!(echo["interval_seconds"].as_f64().unwrap() > 6.0, "{echo}");
        assert!(
            echo["throttle"]
                .as_str()
                .unwrap()
                .contains("left for inference")
        );
    }
    assert_keeps("power", &power);

    camera.limit("null");
    camera.run(60.0);
    let power = camera.power();
    assert!(
        power["point"].as_str().unwrap().starts_with("f32/256px"),
        "{power}"
    );
    assert_eq!(power["throttle"], serde_json::Value::Null);
    assert_eq!(camera.echo("rule-0")["state"], "armed");
    assert_eq!(camera.echo("rule-0")["interval_seconds"], 5.0);
}

#[test]
fn a_limit_that_makes_no_sense_is_refused_and_changes_nothing() {
    let mut camera = Camera::new();
    camera.limit("8");
    for (payload, word) in [
        ("-3", "-3 W"),
        ("NaN", "JSON"),
        ("\"8\"", "JSON"),
        ("[]", "JSON"),
        ("1e12", "makes no sense"),
        ("{\"watts\":8,\"amps\":1}", "amps"),
    ] {
        camera.limit(payload);
        camera.run(1.5);
        let power = camera.power();
        assert!(power["error"].as_str().unwrap().contains(word), "{power}");
        assert_eq!(power["limit"], 8.0, "{payload}");
        assert_keeps("power", &power);
    }
    camera.limit("9");
    camera.run(1.5);
    assert_eq!(camera.power()["error"], serde_json::Value::Null);
    assert_eq!(camera.power()["limit"], 9.0);
}

#[test]
fn a_limit_outlives_a_restart_and_costs_do_too() {
    let mut camera = Camera::with(1, points());
    camera.limit("11");
    camera.set("light", LIGHT);
    camera.look_takes = Duration::from_millis(700);
    camera.look_draws = 2.0;
    camera.run(1_300.0);
    let joules = |camera: &Camera| {
        let told = &camera.power()["joules_per_inference"];
        (told["value"].as_f64().unwrap(), told["source"].clone())
    };
    let before = joules(&camera);
    assert_eq!(before.1, "measured");
    assert!((before.0 - 1.4).abs() < 0.15, "{before:?}");
    let kept = camera.notes.note(Note::Costs).unwrap();
    assert!(kept.is_some(), "written down while it runs");

    let mut camera = camera.restarted(&[("light", LIGHT)]);
    camera.run(0.6);
    assert_eq!(camera.power()["limit"], 11.0);
    let after = joules(&camera);
    assert!(
        (after.0 - before.0).abs() < 0.2,
        "{after:?} after {before:?}"
    );

    // What can't be read is left, and the camera goes on.
    let mut camera = Camera::with(1, points());
    camera.watch.recall(Some(b"\xff{"), Some(b"much"));
    camera.set("light", LIGHT);
    camera.run(10.0);
    assert!(camera.looks() > 0);
    assert_eq!(camera.power()["limit"], serde_json::Value::Null);
}

/// One of many sentences, of one question each.
fn thing(n: usize) -> String {
    const COLOURS: [&str; 6] = ["red", "blue", "green", "white", "black", "yellow"];
    const THINGS: [&str; 6] = ["car", "van", "box", "bicycle", "chair", "door"];
    format!(
        "tell me when a {} {} is there",
        COLOURS[n % 6],
        THINGS[n / 6]
    )
}

#[test]
fn a_rule_too_many_is_refused_with_the_interval_that_it_could_have() {
    let mut camera = Camera::with(
        1,
        Config {
            cap: Some(Watts(0.012)),
            ..points()
        },
    );
    camera.board.readings.board = Some(Reading::modelled(Watts(4.0), "CPU time"));
    camera.run(2.0);
    let mut n = 0;
    let refused = loop {
        let rule = format!("rule-{n}");
        camera.set(&rule, &thing(n));
        let echo = camera.echo(&rule);
        if echo["state"] == "rejected" {
            break echo;
        }
        n += 1;
        assert!(n < 32, "all fit");
    };
    assert!(n > 0, "one fits");
    assert_eq!(refused["error"]["kind"], "over_budget");
    let offer = refused["error"]["offer"].as_str().unwrap().to_string();
    assert!(offer.contains("every_seconds"), "{offer}");
    let check = camera.check("tell me when there is a ladder in the yard");
    assert_eq!(check["error"]["kind"], "over_budget");
    assert!(check["cost"]["watts"].is_number(), "the cost is told too");
    assert_keeps("check-answer", &check);
    assert_eq!(camera.stored, n, "what is refused is not stored");

    // What is offered is taken.
    let seconds: f64 = (offer.split("checked every ").nth(1))
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .unwrap();
    let order = serde_json::json!({"text": LIGHT, "every_seconds": seconds});
    camera.set("light", &order.to_string());
    let echo = camera.echo("light");
    assert_eq!(echo["state"], "armed", "{echo}");
    assert_eq!(echo["every_seconds"], seconds);

    // A good rule is not displaced, and one that is stored is never refused.
    camera.set("light", LIGHT);
    let echo = camera.echo("light");
    assert_eq!(
        (&echo["state"], &echo["watching"]),
        (&"rejected".into(), &LIGHT.into())
    );
    let texts: Vec<(String, String)> = (0..8).map(|n| (format!("rule-{n}"), thing(n))).collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(a, b)| (&**a, &**b)).collect();
    let mut camera = camera.restarted(&texts);
    camera.run(10.0);
    for (rule, _) in texts {
        assert_eq!(camera.echo(rule)["state"], "slowed");
    }
}

#[test]
fn a_look_is_given_up_when_the_room_shrinks() {
    let mut camera = Camera::with(1, points());
    camera.look_takes = Duration::from_secs(3);
    camera.look_draws = 2.4;
    camera.board.readings.board = measured(5.0);
    camera.set("light", LIGHT);
    camera.run(1.0);
    assert!(camera.watch.looking().is_some());
    camera.board.readings.allotment = Reading::measured(Watts(6.49), "lldp");
    camera.run(1.0);
    assert!(!camera.given_up.is_empty(), "told to give up");
    assert!(camera.watch.looking().is_none(), "it ended at once");
    let why = camera
        .state("rules/light/why")
        .unwrap_or_default()
        .to_string();
    assert!(why.contains("cancelled"), "{why}");
    assert!(camera.alerts.is_empty());
    let looks = camera.looks();
    camera.run(30.0);
    assert_eq!(camera.looks(), looks, "no other starts");
    assert_eq!(camera.power()["allotment"]["by"], "lldp");
    assert_eq!(camera.power()["throttle"]["cause"], "peak");
    camera.board.readings.allotment = Reading::measured(Watts(12.95), "lldp");
    camera.run(30.0);
    assert!(camera.looks() > looks);
}

#[test]
fn a_point_that_cannot_be_run_at_is_told_and_left() {
    let mut camera = Camera::with(1, points());
    camera.no_point = vec!["f32/256px/1t/2c".into()];
    camera.set("light", LIGHT);
    camera.run(20.0);
    assert!(camera.looks() >= 2, "it goes on elsewhere");
    assert!(camera.points.iter().all(|point| point != "f32/256px/1t/2c"));
    let power = camera.power();
    let problem = power["problems"][0].as_str().unwrap();
    assert!(
        problem.contains("f32/256px/1t/2c") && problem.contains("missing"),
        "{problem}"
    );
    assert_keeps("power", &power);
}

#[test]
fn a_lost_sensor_is_told_and_the_camera_goes_on() {
    let mut camera = Camera::with(1, points());
    camera.set("light", LIGHT);
    camera.board.readings.board = measured(4.0);
    camera.run(30.0);
    let before = camera.power();
    assert_eq!(before["board"]["source"], "measured");
    camera.board.readings.board = None;
    camera.board.readings.hottest = None;
    camera.board.readings.problems = vec!["ina226: it vanished; watts are modelled".into()];
    let looks = camera.looks();
    camera.run(30.0);
    assert!(camera.looks() > looks);
    let power = camera.power();
    assert_eq!(power["board"], serde_json::Value::Null);
    assert_eq!(power["baseline"]["source"], "modelled");
    assert!(power["problems"][0].as_str().unwrap().contains("vanished"));
    let margin = |power: &serde_json::Value| power["margin"].as_f64().unwrap();
    assert!(margin(&power) > margin(&before), "the margin is wider");
    assert_keeps("power", &power);
}

#[test]
fn nobody_is_flooded_with_watts() {
    let mut camera = Camera::with(1, points());
    camera.set("light", LIGHT);
    camera.run(20.0);
    let mut told = 0;
    let mut last = camera.power();
    for n in 0..600 {
        // A noisy sensor, and frames that are dropped all the time.
        let noise = 0.1 * f64::from(n * 7 % 11 - 5) / 5.0;
        camera.board.readings.board = measured(4.0 + noise);
        let frames = n as u64;
        camera.event(Event::Dropped(Drops {
            frames,
            ..Drops::default()
        }));
        camera.run(0.5);
        let now = camera.power();
        told += u32::from(now != last);
        last = now;
    }
    assert!(told <= 10, "told {told} times in five minutes");
    camera.event(Event::Dropped(Drops {
        publishes: 3,
        ..Drops::default()
    }));
    camera.run(11.0);
    assert_eq!(camera.power()["drops"]["publishes"], 3);
}

#[test]
fn a_question_is_held_to_the_allotment_too() {
    let mut camera = Camera::with(1, points());
    camera.board.readings.board = measured(12.0);
    camera.run(30.0);
    camera.ask("Is there a dog?");
    let (_, answer) = camera.replies.pop().unwrap();
    assert_eq!(answer["answer"], "unknown");
    assert!(
        answer["why"].as_str().unwrap().contains("allotment"),
        "{answer}"
    );
    assert_eq!(camera.looks(), 0);
    assert_keeps("ask-answer", &answer);
}

#[test]
fn a_trial_look_teaches_what_looks_cost_and_answers_nobody() {
    let mut camera = Camera::with(1, points());
    camera.event(Event::Trial);
    camera.run(1.0);
    assert_eq!((camera.looks(), camera.replies.len()), (1, 0));
    camera.event(Event::Trial);
    camera.run(1.0);
    assert_eq!(camera.looks(), 1, "once is enough");
    camera.event(Event::LinkUp);
    let info: serde_json::Value = serde_json::from_str(camera.state("info").unwrap()).unwrap();
    assert_eq!(info["answers"], 0);
    let echo = camera.check(LIGHT);
    let joules = echo["cost"]["joules_per_check"].as_f64().unwrap();
    assert!(
        (joules - 2.4 * 0.42).abs() > 0.1,
        "no longer as told: {joules}"
    );
    assert!(!camera.watch.has_rule(&id("light")));
}
