//! The tables in `docs/guides/rules.md` say what the grammar does. After a
//! change, `UPDATE_EXPECT=1 cargo test -p rules --test guide` writes them anew.

mod golden;

use golden::{Verdict, cases, judge};
use rules::read;

const GUIDE: &str = include_str!("../../../docs/guides/rules.md");

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The rule's sentence without what every rule without a word about it says.
fn short(says: &str) -> String {
    says.trim_end_matches("; then at most once a minute.")
        .trim_end_matches('.')
        .replacen("Alert (warning) when", "when", 1)
        .replacen("Alert (warning)", "", 1)
        .trim()
        .to_owned()
}

/// The rows for the flagged cases of `category`.
fn rows(category: &str, refusals: bool) -> Vec<String> {
    let mut out = Vec::new();
    for case in cases() {
        let flagged = case.value["guide"] == serde_json::json!(true);
        let part = if refusals { "err" } else { "ok" };
        if case.category != category || !flagged || case.part != part {
            continue;
        }
        assert!(
            !case.known_miss,
            "{}: a known miss is no example",
            case.text
        );
        let (verdict, words) = judge(&case.value);
        assert!(verdict == Verdict::Right, "{}\n{words}", case.text);
        out.push(match read(&case.text) {
            Ok(rule) => format!("| {} | {} |", cell(&case.text), cell(&short(&rule.says()))),
            Err(refusal) => format!(
                "| {} | {} | {} | {} |",
                cell(&case.text),
                refusal.kind,
                cell(&refusal.why),
                cell(refusal.offer.as_deref().unwrap_or(""))
            ),
        });
    }
    assert!(
        !out.is_empty(),
        "no case of {category} is flagged for the guide"
    );
    out
}

/// The guide with its tables made anew.
fn rendered() -> String {
    let mut out = String::new();
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let inner = line
            .strip_prefix("<!-- ")
            .and_then(|l| l.strip_suffix(" -->"))
            .and_then(|l| l.split_once(": "));
        let Some((kind, categories)) = inner else {
            continue;
        };
        let refusals = kind == "refusals";
        out.push_str(if refusals {
            "| you say | kind | why | what it offers |\n|---|---|---|---|\n"
        } else {
            "| you say | understood as: alert … |\n|---|---|\n"
        });
        for category in categories.split(' ') {
            for row in rows(category, refusals) {
                out.push_str(&row);
                out.push('\n');
            }
        }
        let end = lines.by_ref().find(|l| *l == "<!-- end -->");
        assert!(end.is_some(), "{categories} has no end");
        out.push_str("<!-- end -->\n");
    }
    out
}

#[test]
fn the_guide_says_what_the_grammar_does() {
    expect_test::expect_file!["../../../docs/guides/rules.md"].assert_eq(&rendered());
}
