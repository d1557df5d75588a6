//! `watchword rule check` as a script uses it: its JSON, its exit status.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The exit status and the JSON of `rule check --json`.
fn check(sentence: &str) -> (Option<i32>, Value) {
    let done = Command::new(env!("CARGO_BIN_EXE_watchword"))
        .args(["rule", "check", "--json", "--", sentence])
        .output()
        .expect("the command runs");
    let text = String::from_utf8(done.stdout).expect("UTF-8");
    let json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{sentence}: {e}: {text}"));
    (done.status.code(), json)
}

#[test]
fn worked_examples_are_read_exactly() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/rules/examples.json");
    if !file.exists() {
        eprintln!("SKIPPED: {} is not here", file.display());
        return;
    }
    let text = std::fs::read_to_string(file).expect("the examples");
    let examples: Vec<Value> = serde_json::from_str(&text).expect("a JSON array");
    assert!(!examples.is_empty());
    for example in examples {
        let sentence = example["text"].as_str().expect("a text");
        let (status, got) = check(sentence);
        assert_eq!(got["understood"], example["understood"], "{sentence}");
        match example["error"].as_object() {
            None => {
                assert_eq!(status, Some(0), "{sentence}");
                assert!(got["error"].is_null(), "{sentence}");
                assert!(got["says"].is_string(), "{sentence}");
            }
            Some(want) => {
                assert_eq!(status, Some(2), "{sentence}");
                for (key, value) in want {
                    assert_eq!(got["error"][key], *value, "{sentence}: {key}");
                }
                assert!(got["error"]["offer"].is_string(), "{sentence}");
            }
        }
    }
}

#[test]
fn what_no_camera_could_arm_is_understood_with_a_note() {
    for (sentence, direction) in [
        ("Let me know when a car goes the wrong way", "wrong_way"),
        ("A person runs towards the fence", "toward"),
    ] {
        let (status, got) = check(sentence);
        assert_eq!(status, Some(0), "{sentence}");
        assert_eq!(got["understood"]["direction"], direction);
        let notes = got["notes"].as_array().expect("notes");
        let told = |n: &Value| n.as_str().is_some_and(|n| n.contains("can't be armed"));
        assert!(notes.iter().any(told), "{notes:?}");
    }
}

#[test]
fn a_refusal_shows_the_place_and_exits_with_2() {
    let sentence = "tell me if a car is in the yard for 5 minuts";
    let (status, got) = check(sentence);
    assert_eq!(status, Some(2));
    assert_eq!(got["error"]["spans"], serde_json::json!([[38, 44]]));
    let done = Command::new(env!("CARGO_BIN_EXE_watchword"))
        .args(["rule", "check", sentence])
        .output()
        .expect("the command runs");
    let shown = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(shown.contains("^^^^^^"), "{shown}");
    assert!(shown.contains("minutes"), "{shown}");
}
