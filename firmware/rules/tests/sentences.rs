//! Sentences and what they must be read as: the project's own, one file a
//! category under `sentences/`, and the shared worked examples where they are
//! at hand. A new case needs no Rust.
//!
//! A case is `{"text", "understood" | "error", ...}`. `understood` may leave out
//! keys that are null; `error` needs `kind`, and `missing` where given.

use std::path::{Path, PathBuf};

use rules::read;
use serde_json::{Map, Value, json};

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn cases(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// Drops what is null or empty, in parts of compound rules too.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter(|(_, v)| !v.is_null() && **v != json!([]))
                .map(|(k, v)| (k.clone(), if k == "schedule" { v.clone() } else { bare(v) }))
                .collect();
            Value::Object(kept)
        }
        Value::Array(list) => Value::Array(list.iter().map(bare).collect()),
        other => other.clone(),
    }
}

/// What is wrong with the reading of `case`.
fn wrong(case: &Value, every_key: bool) -> Option<String> {
    let text = case["text"].as_str().expect("a case has a text");
    let want_error = case.get("error").filter(|e| !e.is_null());
    match (read(text), want_error) {
        (Ok(rule), None) => {
            let got = serde_json::to_value(&rule).expect("a rule is JSON");
            let want = &case["understood"];
            let same = if every_key {
                got == *want
            } else {
                bare(&got) == bare(want)
            };
            (!same).then(|| format!("{text}\n  want {}\n  got  {}", bare(want), bare(&got)))
        }
        (Ok(rule), Some(error)) => {
            let got = bare(&serde_json::to_value(&rule).expect("a rule is JSON"));
            Some(format!("{text}\n  want {error}\n  got  {got}"))
        }
        (Err(refusal), None) => Some(format!(
            "{text}\n  want {}\n  got  {refusal} at {:?}",
            bare(&case["understood"]),
            refusal.spans
        )),
        (Err(refusal), Some(error)) => {
            let got = serde_json::to_value(&refusal).expect("a refusal is JSON");
            let missing = error.get("missing").is_none_or(|m| got["missing"] == *m);
            let same = got["kind"] == error["kind"] && missing;
            let complete = !refusal.why.is_empty() && refusal.offer.is_some();
            (!same || !complete).then(|| format!("{text}\n  want {error}\n  got  {got}"))
        }
    }
}

fn run(file: &Path, every_key: bool) -> (usize, Vec<String>) {
    let cases = cases(file);
    let failures = cases.iter().filter_map(|c| wrong(c, every_key)).collect();
    (cases.len(), failures)
}

#[test]
fn own_sentences_are_read_as_written() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(here().join("tests/sentences"))
        .expect("the folder of sentences")
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut failures = Vec::new();
    for file in files {
        let (n, wrong) = run(&file, false);
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        println!("{name:24} {:3} of {n:3}", n - wrong.len());
        failures.extend(wrong);
    }
    assert!(
        failures.is_empty(),
        "{} misread:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn shared_examples_are_read_exactly() {
    let file = here().join("../../../shared/rules/examples.json");
    if !file.exists() {
        eprintln!("SKIPPED: {} is not here", file.display());
        return;
    }
    let (n, wrong) = run(&file, true);
    assert!(n > 0);
    assert!(
        wrong.is_empty(),
        "{} of {n} misread:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What a rule says of itself is a sentence that means the same.
#[test]
fn what_a_rule_says_reads_back() {
    let mut files = vec![here().join("../../../shared/rules/examples.json")];
    files.extend(
        std::fs::read_dir(here().join("tests/sentences"))
            .expect("a folder")
            .map(|e| e.expect("an entry").path()),
    );
    let (mut n, mut failures) = (0, Vec::new());
    for file in files.iter().filter(|f| f.exists()) {
        for case in cases(file) {
            let Ok(rule) = read(case["text"].as_str().expect("a text")) else {
                continue;
            };
            n += 1;
            let says = rule.says();
            let want = bare(&serde_json::to_value(rule.with_defaults()).expect("JSON"));
            match read(&says) {
                Ok(back) => {
                    let got = bare(&serde_json::to_value(back.with_defaults()).expect("JSON"));
                    if got != want {
                        failures.push(format!(
                            "{}\n  says {says}\n  want {want}\n  got  {got}",
                            case["text"]
                        ));
                    }
                }
                Err(refusal) => failures.push(format!(
                    "{}\n  says {says}\n  refused: {refusal} {:?}",
                    case["text"], refusal.spans
                )),
            }
        }
    }
    assert!(n > 0);
    assert!(
        failures.is_empty(),
        "{} of {n} don't read back:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
