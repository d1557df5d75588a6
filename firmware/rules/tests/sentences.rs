//! Sentences and what they must be read as: the project's own, in a folder a
//! category under `sentences/`, and the shared worked examples where they are
//! at hand. A new case needs no Rust.

mod golden;

use golden::{Verdict, as_json, bare, cases, judge};
use rules::read;
use serde_json::Value;

/// The worked examples beside the checkout, where they are.
fn shared_examples() -> Option<Vec<Value>> {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/rules/examples.json");
    if !file.exists() {
        eprintln!("SKIPPED: {} is not here", file.display());
        return None;
    }
    let text = std::fs::read_to_string(&file).expect("the examples");
    Some(serde_json::from_str(&text).expect("examples are a JSON array"))
}

fn none(what: &str, list: &[String], of: usize) {
    assert!(
        list.is_empty(),
        "{} of {of} {what}:\n{}",
        list.len(),
        list.join("\n")
    );
}

#[test]
fn own_sentences_are_read_as_written() {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let (verdict, words) = judge(&case.value);
        match (verdict, case.known_miss) {
            (Verdict::Right, false) | (Verdict::Refused | Verdict::OtherRefusal, true) => {}
            (Verdict::Right, true) => wrong.push(format!(
                "{}\n  is right now: take it out of {}/known_misses.txt",
                case.text, case.category
            )),
            _ => wrong.push(format!(
                "[{}/{}] {}\n{words}",
                case.category, case.part, case.text
            )),
        }
    }
    none("wrong", &wrong, cases.len());
}

#[test]
fn known_misses_are_cases() {
    let cases = cases();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sentences");
    for folder in std::fs::read_dir(root).expect("folders") {
        let file = folder.expect("an entry").path().join("known_misses.txt");
        for line in std::fs::read_to_string(&file).unwrap_or_default().lines() {
            let known = cases.iter().any(|c| c.known_miss && c.text == line);
            assert!(known, "{}: no case says '{line}'", file.display());
        }
    }
}

#[test]
fn no_sentence_stands_twice() {
    let mut texts: Vec<String> = cases().into_iter().map(|c| c.text).collect();
    texts.sort();
    let twice: Vec<String> = (texts.windows(2).filter(|p| p[0] == p[1]))
        .map(|p| p[0].clone())
        .collect();
    none("stand twice", &twice, texts.len());
}

#[test]
fn shared_examples_are_read_exactly() {
    let Some(examples) = shared_examples() else {
        return;
    };
    assert!(!examples.is_empty());
    let mut wrong = Vec::new();
    for case in &examples {
        let (verdict, words) = judge(case);
        if verdict != Verdict::Right {
            wrong.push(format!("{}\n{words}", case["text"]));
        } else if let Ok(rule) = read(case["text"].as_str().expect("a text"))
            && as_json(&rule) != case["understood"]
        {
            wrong.push(format!("{}: a key differs", case["text"]));
        }
    }
    none("misread", &wrong, examples.len());
}

/// What a rule says of itself is a sentence that means the same.
#[test]
fn what_a_rule_says_reads_back() {
    let mut texts: Vec<String> = cases().into_iter().map(|c| c.text).collect();
    for example in shared_examples().unwrap_or_default() {
        texts.push(example["text"].as_str().expect("a text").to_owned());
    }
    let (mut n, mut failures) = (0, Vec::new());
    for text in texts {
        let Ok(rule) = read(&text) else { continue };
        n += 1;
        let says = rule.says();
        let want = bare(&as_json(&rule.with_defaults()));
        match read(&says) {
            Ok(back) => {
                let got = bare(&as_json(&back.with_defaults()));
                if got != want {
                    failures.push(format!(
                        "{text}\n  says {says}\n  want {want}\n  got  {got}"
                    ));
                }
            }
            Err(refusal) => failures.push(format!(
                "{text}\n  says {says}\n  refused: {refusal} {:?}",
                refusal.spans
            )),
        }
    }
    assert!(n > 0);
    none("don't read back", &failures, n);
}
