//! One alert a visit: "once per car", "don't repeat until it clears".

use super::cooldown::{BOUND, one_alert, tell};
use super::number::{small_number, unit_millis};
use super::pattern::{any_of, here, longest};
use super::token::Tok;
use super::words::{COPULAS, PREPOSITIONS, STRUCTURE};
use crate::lexicon::{Lexicon, lexicon};

/// Nouns of which one alert each is one alert a visit.
#[rustfmt::skip]
const VISITS: &Lexicon = lexicon![
    "visit", "episode", "occurrence", "occasion", "incident", "event", "stay", "appearance",
    "vehicle", "person", "car", "object", "truck", "van", "lorry", "bus", "animal", "visitor",
    "customer", "guest", "case", "instance", "entry", "arrival", "individual", "thing", "item",
];
/// What an alert each is no alert a visit of.
#[rustfmt::skip]
const NO_VISITS: &Lexicon = lexicon!["camera", "zone", "area", "shift", "night", "morning", "week", "month", "time"];

/// "once per visit", "only once per car", "one alert per incident", "don't
/// repeat until it clears".
pub(crate) fn visit(toks: &[Tok], i: usize, free: bool) -> Option<usize> {
    let bound = longest(toks, i, BOUND).unwrap_or(0);
    let at = i + bound;
    if let Some(n) = one_alert(toks, at)
        && let Some(m) = here!(
            toks,
            at + n,
            "a visit|episode|incident|occurrence|event|stay"
        )
    {
        return Some(bound + n + m);
    }
    if let Some(n) = one_alert(toks, at)
        && let Some(m) = any_of!(
            toks,
            at + n,
            [
                "per each|every|single?",
                "each|every single?",
                "for|in each|every|any",
                "for the same",
            ]
        )
    {
        let m = m + here!(toks, at + n + m, "same|single|different|individual|new").unwrap_or(0);
        let noun = toks.get(at + n + m)?;
        let elsewhere = toks
            .iter()
            .enumerate()
            .any(|(j, t)| (j < i || j > at + n + m) && crate::noun::singular(&t.text) == noun.text);
        let thing = noun.word
            && !noun.any(NO_VISITS)
            && small_number(&noun.text).is_none()
            && unit_millis(&noun.text).is_none()
            && !noun.any(STRUCTURE)
            && !noun.any(PREPOSITIONS)
            && !noun.any(COPULAS);
        let bounded = bound > 0 || free || toks[at].is("once");
        // "alert me once for each dog on the lawn": the dog is what is watched.
        let told = (i > 0 && toks[i - 1].any(&["me", "us", "alert", "notify"]))
            || here!(toks, i, "alert|tell|notify").is_some();
        if thing && told && !elsewhere && !noun.any(VISITS) && toks.get(at + n + m + 1).is_some() {
            return Some(bound + n);
        }
        // "once every guest has left": a link, no limit.
        let over = toks.get(at + n + m + 1).is_none_or(|t| {
            !t.word
                || t.any(&[
                    "if", "when", "whenever", "and", "but", "please", "only", "at", "that", "who",
                    "as", "on", "in",
                ])
        });
        if thing && bounded && over && (noun.any(VISITS) || elsewhere) {
            let tail = here!(toks, at + n + m + 1, "at most|only|please").unwrap_or(0);
            return Some(bound + n + m + 1 + tail);
        }
    }
    const QUIET_VERBS: &str = concat!(
        "do not ",
        tell!(),
        " me|us|it|this|yourself|alerts? again|twice? about? it?"
    );
    const NO_REPEATS: &str =
        "no|without repeats|repeat|repetition|repetitions|duplicates|repeating|repeated alerts?";
    const NO_MORE: &str = "no|not more|further|another|second alert|alerts|message|messages|notification|notifications";
    let first = any_of!(
        toks,
        i,
        [
            "only|just the|on? first time",
            "the first time only",
            "for the first time only",
            "only the very first time",
            "first time only",
            "only|just on|for the first time|occurrence",
        ]
    )
    .filter(|n| toks[i..i + n].iter().any(|t| t.is("first")));
    if let Some(n) = first {
        let more = here!(toks, i + n, "it happens|occurs").unwrap_or(0);
        return Some(n + more);
    }
    for (lead, alone) in [
        (any_of!(toks, i, [QUIET_VERBS]), false),
        (any_of!(toks, i, [NO_REPEATS]), true),
        (any_of!(toks, i, [NO_MORE]), false),
        (any_of!(toks, i, ["only|just? once|one alert?"]), false),
    ] {
        let Some(n) = lead else { continue };
        if let Some(m) = until(toks, i + n) {
            return Some(n + m);
        }
        if let Some(m) = here!(toks, i + n, "for the same") {
            return Some(n + m + 1);
        }
        let ends = toks.get(i + n).is_none_or(|t| !t.word);
        let repeat = toks[i..i + n]
            .iter()
            .any(|t| t.any(&["repeat", "repeats", "duplicates"]));
        if ends && free && (alone || repeat) {
            return Some(n);
        }
    }
    None
}

/// "until it clears", "till it is closed again", "before it has left": the
/// alert's end, in any words.
pub(crate) fn until(toks: &[Tok], i: usize) -> Option<usize> {
    let lead = any_of!(
        toks,
        i,
        [
            "until|till|before|unless it|this|that|they|he|she|everything is|are|has|have? been? all?",
            "while it|this|that|they is|are|remains|remain|stays|stay",
            "for? as long as it|this|that|they is|are|remains|remain|stays|stay",
        ]
    )?;
    let t = toks.get(i + lead).filter(|t| {
        t.word
            && (t.any(&["over", "off", "so", "there", "on"])
                || !t.any(STRUCTURE) && !t.any(PREPOSITIONS) && !t.any(COPULAS))
    })?;
    let more = here!(toks, i + lead + 1, "away|again|down|up|out|with|off|back")
        .filter(|_| !t.is("over"))
        .unwrap_or(0);
    let again = here!(toks, i + lead + 1 + more, "again").unwrap_or(0);
    Some(lead + 1 + more + again)
}
