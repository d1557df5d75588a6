//! The golden sentences in `tests/sentences/<category>/*.jsonl`, and how a
//! reading is held against one. Their README says what a case means.

use std::path::{Path, PathBuf};

use rules::{Refusal, Rule, read};
use serde_json::{Map, Value, json};

/// One sentence and what it must become.
pub struct Case {
    /// The folder it stands in.
    pub category: String,
    /// "ok", "err" or "held".
    pub part: String,
    /// The sentence.
    pub text: String,
    /// The case as it is written.
    pub value: Value,
    /// Whether it is listed as refused although it should be understood.
    pub known_miss: bool,
}

/// How a sentence was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As the case says.
    Right,
    /// Refused with another kind, place or offer than the case says.
    OtherRefusal,
    /// Refused, but it should be understood.
    Refused,
    /// Understood as something else, or although it should be refused: the
    /// worst outcome.
    Misread,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sorted(dir: &Path) -> Vec<PathBuf> {
    let mut list: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .map(|e| e.expect("an entry").path())
        .collect();
    list.sort();
    list
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// All cases, in the order of their folders and lines.
pub fn cases() -> Vec<Case> {
    let mut out = Vec::new();
    for folder in sorted(&root().join("tests/sentences"))
        .iter()
        .filter(|p| p.is_dir())
    {
        let misses = std::fs::read_to_string(folder.join("known_misses.txt")).unwrap_or_default();
        for file in sorted(folder)
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        {
            let lines = std::fs::read_to_string(file).expect("a file of cases");
            for (n, line) in lines.lines().enumerate().filter(|(_, l)| !l.is_empty()) {
                let at = || format!("{}:{}", file.display(), n + 1);
                let value: Value =
                    serde_json::from_str(line).unwrap_or_else(|e| panic!("{}: {e}", at()));
                let Some(text) = value["text"].as_str().map(str::to_owned) else {
                    panic!("{}: a case has a text", at());
                };
                out.push(Case {
                    category: stem(folder),
                    part: stem(file),
                    known_miss: misses.lines().any(|l| l == text),
                    text,
                    value,
                });
            }
        }
    }
    assert!(!out.is_empty(), "there are golden sentences");
    out
}

/// Drops what is null or empty, in parts of compound rules too.
pub fn bare(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept: Map<String, Value> = map
                .iter()
                .filter(|(_, v)| !v.is_null() && **v != json!([]))
                .map(|(k, v)| (k.clone(), bare(v)))
                .collect();
            Value::Object(kept)
        }
        Value::Array(list) => Value::Array(list.iter().map(bare).collect()),
        other => other.clone(),
    }
}

pub fn as_json(rule: &Rule) -> Value {
    serde_json::to_value(rule).expect("a rule is JSON")
}

/// Whether `refusal` is what `want` asks for, in a sentence `text`.
fn refused_so(refusal: &Refusal, want: &Value, text: &str) -> bool {
    let got = serde_json::to_value(refusal).expect("a refusal is JSON");
    let chars: Vec<char> = text.chars().collect();
    let placed = refusal
        .spans
        .iter()
        .all(|[a, b]| a <= b && *b <= chars.len())
        && !refusal.spans.is_empty();
    let at = want["at"].as_str().is_none_or(|piece| {
        let starts = text.match_indices(piece).map(|(byte, _)| {
            let start = text[..byte].chars().count();
            (start, start + piece.chars().count())
        });
        let mut starts = starts.peekable();
        assert!(starts.peek().is_some(), "'{piece}' is not in '{text}'");
        starts.any(|(a, b)| refusal.spans.iter().any(|s| s[0] < b && a < s[1]))
    });
    let offered = want["offer_has"].as_str().is_none_or(|piece| {
        refusal.why.contains(piece) || refusal.offer.as_deref().is_some_and(|o| o.contains(piece))
    });
    got["kind"] == want["kind"]
        && want.get("missing").is_none_or(|m| got["missing"] == *m)
        && placed
        && at
        && offered
        && !refusal.why.is_empty()
        && refusal.offer.is_some()
}

/// How `case` is read, and both sides in words where it is not right.
pub fn judge(case: &Value) -> (Verdict, String) {
    let text = case["text"].as_str().expect("a case has a text");
    let want_error = case.get("error").filter(|e| !e.is_null());
    match (read(text), want_error) {
        (Ok(rule), None) => {
            let (got, want) = (bare(&as_json(&rule)), bare(&case["understood"]));
            if got == want {
                (Verdict::Right, String::new())
            } else {
                (Verdict::Misread, format!("  want {want}\n  got  {got}"))
            }
        }
        (Ok(rule), Some(error)) => {
            let got = bare(&as_json(&rule));
            (
                Verdict::Misread,
                format!("  want refused: {error}\n  got  {got}"),
            )
        }
        (Err(refusal), None) => (
            Verdict::Refused,
            format!(
                "  want {}\n  got  {refusal} at {:?}",
                bare(&case["understood"]),
                refusal.spans
            ),
        ),
        (Err(refusal), Some(error)) => {
            if refused_so(&refusal, error, text) {
                (Verdict::Right, String::new())
            } else {
                let got = serde_json::to_string(&refusal).expect("a refusal is JSON");
                (
                    Verdict::OtherRefusal,
                    format!("  want refused: {error}\n  got  {got}"),
                )
            }
        }
    }
}
