//! The time over which events are counted: "within 10 minutes", "per hour",
//! "in any 10-minute window".

use super::hold::one;
use super::number::{duration, is_ordinal, unit_millis};
use super::pattern::{Pattern, any_of, longest, patterns, stands};
use super::token::{Tok, span_of, take};
use crate::lexicon::{Lexicon, lexicon};
use crate::{Refusal, RefusalKind, Seconds};

const LEADS: &[Pattern] = patterns![
    "within",
    "within a|any|the|one|each|every? single|given|one?",
    "within the? last|past",
    "within the? space|course|span|period of",
    "within a|any? period|window|interval|span|time|space of",
    "in",
    "in a|any|one|each|every single|given|one?",
    "in a|any rolling|sliding|moving|single|given?",
    "in under|less|fewer|at than|most?",
    "in no more than",
    "in the? last|past",
    "in the? space|course|span of",
    "in a|any|each period|window|interval|span|time|space of",
    "over a|any|each rolling|sliding|moving?",
    "over the? last|past",
    "over the? space|course|span of",
    "over a|any period|window|interval|span|time|space of",
    "during a|any|each|one rolling|sliding|given?",
    "during the? last|past",
    "during the? space|course|span|period of",
    "inside of?",
    "inside a",
    "per",
    "/",
    "each|every|any",
    "per each|single",
    "at a rate of",
];
/// Windows without a length.
const VAGUE: &[Pattern] = patterns![
    "within|in a very? short|brief|small time|while|period|interval|space|span of? time?",
    "within|in the space of a? short|few time|moments|minutes|seconds?",
    "within|in a while|moment|bit",
    "within|in a few|couple|several of? seconds|minutes|hours|days|moments",
    "within|in seconds|minutes|moments|hours|days",
    "in quick|rapid|short|close succession",
    "shortly after one|each another|other",
    "over time",
];
/// What "a minute" after it is not a rate: "for a minute", "than an hour".
#[rustfmt::skip]
const NO_RATE: &Lexicon = lexicon![
    "for", "of", "than", "half", "about", "almost", "after", "lasts", "least", "over",
    "quarter", "and", "to", "takes", "nearly", "in", "within", "is", "are", "before", "until",
    "wait", "waits", "just", "only", "or", "with", "at", "by", "on", "every", "last", "past",
];

/// A length of time after a lead; "per hour" has no number.
fn length(toks: &[Tok], i: usize, lead: usize) -> Option<(Seconds, usize)> {
    let at = i + lead;
    if let Some(found) = duration(toks, at) {
        return Some(found);
    }
    let unit = toks.get(at)?;
    let last = &toks[at - 1];
    let bare = last.any(&[
        "per", "each", "every", "any", "/", "last", "past", "a", "the", "single", "given", "one",
    ]);
    let singular = !unit.text.ends_with('s') || unit.is("s");
    let short = unit.text.len() <= 2 && !last.any(&["/", "per"]);
    let ms = unit_millis(&unit.text)?;
    (bare && singular && !short && !is_ordinal(toks, at))
        .then_some((Seconds::from_millis(ms as u64), 1))
}

/// Takes the window out.
pub(crate) fn window(toks: &mut Vec<Tok>) -> Result<Option<Seconds>, Refusal> {
    let mut found = None;
    let mut i = 0;
    while i < toks.len() {
        if let Some(n) = longest(toks, i, VAGUE) {
            return Err(
                Refusal::new(RefusalKind::Ambiguous, "It is not said within what time.")
                    .missing("window_seconds")
                    .offer("Say it, for example 'within 10 minutes'.")
                    .at(span_of(&toks[i..i + n])),
            );
        }
        // The longest lead that a length follows.
        let hit = LEADS
            .iter()
            .filter_map(|p| stands(toks, i, p))
            .filter_map(|len| length(toks, i, len).map(|(d, n)| (d, len + n)))
            .max_by_key(|(_, n)| *n);
        if let Some((d, n)) = hit {
            // "any time" and "any minute now" are no windows, nor is "within 5 m".
            let metres = toks[i + n - 1].is("m") || {
                let t = &toks[i + n - 1].text;
                t.ends_with('m') && t[..t.len() - 1].chars().all(|c| c.is_ascii_digit())
            };
            if metres && toks[i].any(&["within", "in", "inside"]) {
                return Err(
                    Refusal::new(RefusalKind::Ambiguous, "'m' may be minutes or metres.")
                        .missing("window_seconds")
                        .offer("Say 'min' for minutes; a camera does not measure metres.")
                        .at(span_of(&toks[i..i + n])),
                );
            }
            // "tell me in 10 minutes": a delay, not a window.
            if toks[i].is("in") && i > 0 && toks[i - 1].any(&["me", "us", "alert", "notify"]) {
                return Err(Refusal::new(
                    RefusalKind::Ambiguous,
                    "A rule watches from now on; it can't be put off.",
                )
                .missing("schedule")
                .offer("Say from when to when, for example 'from 22:00 to 06:00'.")
                .at(span_of(&toks[i..i + n])));
            }
            let more = any_of!(
                toks,
                i + n,
                [
                    "-? window|period|interval|span|time|slot",
                    "of each|one other|another",
                    "or less",
                    "in total",
                ]
            )
            .unwrap_or(0);
            found = one(found, d, &toks[i..i + n])?;
            take(toks, i, i + n + more);
        } else if i > 0
            && toks[i].any(&["a", "an"])
            && toks
                .get(i + 1)
                .is_some_and(|t| t.any(&["minute", "hour", "day", "week", "second"]))
            && !is_ordinal(toks, i + 1)
            && !toks[i - 1].any(NO_RATE)
        {
            // "more than 20 cars an hour"
            let ms = unit_millis(&toks[i + 1].text).unwrap_or_default();
            found = one(found, Seconds::from_millis(ms as u64), &toks[i..i + 2])?;
            take(toks, i, i + 2);
        }
        i += 1;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    #[test]
    fn windows() {
        for (text, seconds) in [
            ("within 10 minutes", 600),
            ("in any 30-minute window", 1800),
            ("in the last 15 minutes", 900),
            ("within the last hour", 3600),
            ("cars an hour", 3600),
            ("people/hour", 3600),
            ("per 5 minutes", 300),
            ("in under 2 minutes", 120),
            ("over a period of 2 hours", 7200),
            ("within the space of a minute", 60),
            ("within 10 seconds of each other", 10),
            ("in a 10 minute period", 600),
        ] {
            let found = window(&mut tokenise(text)).unwrap_or_default();
            assert_eq!(found, Some(Seconds::new(seconds)), "{text}");
        }
        for text in [
            "every second car",
            "for a minute",
            "in the hall",
            "in bay 2",
            "per person",
        ] {
            assert_eq!(window(&mut tokenise(text)).ok(), Some(None), "{text}");
        }
        for text in [
            "within a short time",
            "within minutes",
            "within 5m",
            "tell me in 5 minutes",
        ] {
            assert!(window(&mut tokenise(text)).is_err(), "{text}");
        }
    }
}
