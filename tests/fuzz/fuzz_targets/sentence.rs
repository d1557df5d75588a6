//! Any UTF-8 as a rule: it is answered, in full, without a panic; and what is
//! understood says of itself a sentence that is read as the same rule.
//!
//! With FUZZ_SAYS=no in the environment the second is not asked: among random
//! letters there is always one more noun whose plural is read as something else.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rules::{MAX_CHARS, Refusal, Rule, read};

static SAYS: LazyLock<bool> =
    LazyLock::new(|| std::env::var("FUZZ_SAYS").as_deref() != Ok("no"));

fn as_json(rule: &Rule) -> serde_json::Value {
    serde_json::to_value(rule.with_defaults()).expect("a rule is JSON")
}

fn whole(refusal: &Refusal, length: usize) {
    assert!(!refusal.why.is_empty() && refusal.offer.is_some(), "{refusal:?}");
    assert!(!refusal.spans.is_empty(), "{refusal:?}");
    for [from, to] in &refusal.spans {
        assert!(from <= to && *to <= length, "{refusal:?} in {length} characters");
    }
}

fuzz_target!(|text: &str| {
    let length = text.chars().count();
    match read(text) {
        Err(refusal) => whole(&refusal, length),
        Ok(rule) => {
            assert!(length <= MAX_CHARS);
            let says = rule.says();
            if *SAYS && let Ok(back) = read(&says) {
                assert_eq!(as_json(&back), as_json(&rule), "{text:?} says {says:?}");
            }
        }
    }
});
