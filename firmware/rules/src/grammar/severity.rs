//! How urgent: "critical:", "at once", "just record it".

use crate::lexicon::{Lexicon, lexicon};
use scene::Severity;

use super::number::number;
use super::pattern::{Pattern, any_of, here, longest, patterns};
use super::token::{Tok, span_of, take};
use super::words::{ARTICLES, COPULAS, PREPOSITIONS, STRUCTURE};
use crate::noun::is_plural;
use crate::{Refusal, RefusalKind};

use Severity::{Critical, Info, Warning};

fn level(t: &Tok) -> Option<Severity> {
    match t.text.as_str() {
        "critical" | "urgent" | "emergency" | "high-priority" => Some(Critical),
        "warning" => Some(Warning),
        "info" | "informational" | "information" | "low-priority" | "non-urgent"
        | "non-critical" => Some(Info),
        _ => None,
    }
}

/// Whom a message goes to, or what sends it: "tell me | at once".
#[rustfmt::skip]
const TELLING: &Lexicon = lexicon![
    "me", "us", "alert", "notify", "know", "tell", "inform", "warn", "security", "staff", "act",
    "alerted", "notified", "told", "informed", "ping", "message", "page", "guard", "guards", "it",
];
const NOUN: &str = "alert|alerts|alarm|alarms|priority|severity|event|rule|notification|notifications|only|warning|message|messages";
/// Words before a level that make it one: "send an | urgent alert".
#[rustfmt::skip]
const BEFORE: &Lexicon = lexicon![
    "!", "?", "a", "an", "severity", "priority", ":", ",", "-", "as", "level", "me", "us", "is", "=", ";",
    ".", "(", "send", "issue", "raise", "trigger", "want", "get", "give", "with", "very", "really",
];

/// Words that ask for a level, wherever they stand; what they take out.
const ASIDES: &[(Severity, &[Pattern])] = &[
    (
        Critical,
        patterns![
            "with? high|highest|top|urgent|maximum priority|severity|urgency",
            "priority|severity|urgency :|=|is? high|highest|top|urgent|maximum",
            "urgently",
            "right away",
            "straight away",
            "straightaway",
            "as soon as possible",
            "asap",
            "without delay",
            "with the? highest|utmost|top priority|urgency",
        ],
    ),
    (
        Warning,
        patterns![
            "with? medium|normal|standard priority|severity",
            "priority|severity :|=|is? medium|normal|standard",
        ],
    ),
    (
        Info,
        patterns![
            "with a? low|lowest|minor priority|severity|urgency",
            "low|lowest priority|severity|urgency",
            "priority|severity|urgency :|=|is? low|lowest|minor",
            "not urgent",
            "no|not rush",
            "nothing urgent",
            "just|only? for the? record",
            "just|only? for the|our|my records|log|logs|logbook",
            "just|only? for my|your|our? info|information",
            "fyi",
            "no need to hurry",
        ],
    ),
];

/// "This is urgent", "treat it as an emergency", "severity: critical".
const ASSIGN: &[Pattern] = patterns![
    "this|it|that is a|an|very|really|quite?",
    "treat|mark|classify|flag|handle|consider|rate this|it|that|them as? a|an?",
    "severity|priority|level :|=|is|of?",
    "with a? severity|priority|level of?",
    "as a|an?",
    "at|with level",
];

/// "log it", "just record", "make a note of it".
const RECORD: &[Pattern] = patterns![
    "just|only|simply|merely|please record|log|note it|this|that|them|down? down|only?",
    "record|log|note it|this|that|them down|only|please?",
    "just|only|simply|merely record|log|note",
    "record|log|note only",
    "just|please? make|take|keep a? note|record of? it|this|that?",
    "just|only|please? put it in the log|logbook|records",
    "just|please? write it down",
    "log|record :",
    "no|without need|alert|alerts|alarm|notification|notifications , but? just|only? log|record|note it|this?",
    "do not alert|notify|tell|bother|disturb|message me|us? , but? just|only? log|record|note it|this?",
    "do not alert|notify|tell|bother|disturb|message me|us? but|and? just|only log|record|note it|this?",
];

/// Whether the phrase `i..end` stands apart from things: "the low priority
/// bay" is a place.
fn apart(toks: &[Tok], i: usize, end: usize) -> bool {
    let the = i > 0 && toks[i - 1].any(ARTICLES) && !toks[i - 1].any(&["a", "an"]);
    let named = toks
        .get(end)
        .is_some_and(|t| t.word && !t.any(STRUCTURE) && !t.any(PREPOSITIONS) && !t.any(ARTICLES));
    let noun = here!(toks, end, NOUN).is_some();
    !((the || (i > 0 && toks[i - 1].any(PREPOSITIONS))) && named && !noun)
}

fn boundary(toks: &[Tok], i: usize) -> bool {
    i == 0
        || !toks[i - 1].word
        || toks[i - 1].any(&["please", "and", "but", "then", "so", "just", "only"])
}

#[derive(Default)]
struct Finding {
    strong: Option<(Severity, [usize; 2])>,
    /// "Warn me" is a warning unless more is said: "warn me at once".
    warn: bool,
}

impl Finding {
    fn set(&mut self, s: Severity, span: [usize; 2]) -> Result<(), Refusal> {
        match self.strong {
            Some((old, at)) if old != s => Err(Refusal::new(
                RefusalKind::Contradictory,
                format!("The sentence asks for severity {old} and for {s}."),
            )
            .offer("Keep one of them.")
            .at(at)
            .at(span)),
            _ => {
                self.strong = Some((s, span));
                Ok(())
            }
        }
    }
}

/// A level word at `i`: what it says and what to take out.
fn level_at(toks: &[Tok], i: usize) -> Option<(Severity, usize, usize)> {
    if let Some(n) = longest(toks, i, ASSIGN)
        && let Some(s) = toks.get(i + n).and_then(level)
    {
        let noun = here!(toks, i + n + 1, NOUN).unwrap_or(0);
        let end = i + n + 1 + noun;
        let named = toks[i..i + n]
            .iter()
            .any(|t| t.any(&["severity", "priority"]));
        let said = toks[i].any(&["as", "at", "with"]) || boundary(toks, i);
        let over = toks
            .get(end)
            .is_none_or(|t| !t.word || t.any(STRUCTURE) || t.any(PREPOSITIONS) || t.any(ARTICLES));
        // "it is critical that …" and "is information" say no more than that.
        if said && (over || named) {
            let mark = here!(toks, end, ":|,|-|!").unwrap_or(0);
            return Some((s, i, end + mark));
        }
    }
    let s = level(&toks[i])?;
    if i > 0 && !toks[i - 1].is_gap() && !toks[i - 1].any(BEFORE) {
        return None;
    }
    let noun = here!(toks, i + 1, NOUN);
    let next = i + 1 + noun.unwrap_or(0);
    let mark = any_of!(toks, next, ["!? :|-|,", "!|.|;"]).unwrap_or(0);
    let framed = here!(
        toks,
        next,
        "if|when|whenever|once|as|should|in|every|each|any"
    )
    .is_some()
        || i == 0
            && here!(
                toks,
                next,
                "a|an|the|someone|somebody|anyone|nobody|there|more|fewer"
            )
            .is_some();
    let ends = next >= toks.len() || toks[next].is_gap() || mark > 0 || toks[next].is(")");
    let determined = i > 0 && toks[i - 1].any(&["a", "an", "me", "is", "very", "really"]);
    if i == 0 || !toks[i - 1].word {
        // "Critical: …", "urgent alert when", "…, emergency"
        if ends || framed || noun.is_some() {
            // "…: emergency": its mark goes with it.
            let before = usize::from(
                i > 0
                    && next + mark >= toks.len()
                    && toks[i - 1].any(&[":", "-", ";", ",", "!", "."]),
            );
            return Some((s, i - before, next + mark));
        }
    } else if noun.is_some() || (determined && framed) {
        // "send an urgent alert when": the frame keeps its noun. "Send a
        // warning when" keeps the level itself, which is its noun.
        return Some((s, i, if noun.is_some() { i + 1 } else { i }));
    }
    None
}

/// Takes the severity out. "Warn me" stays for the frames.
pub(crate) fn severity(toks: &mut Vec<Tok>) -> Result<Option<Severity>, Refusal> {
    let mut found = Finding::default();
    let mut i = 0;
    while i < toks.len() {
        // "Alert (warning) when"
        if toks[i].any(&["(", "["])
            && toks.get(i + 2).is_some_and(|t| t.any(&[")", "]"]))
            && let Some(s) = toks.get(i + 1).and_then(level)
        {
            found.set(s, toks[i + 1].span)?;
            take(toks, i, i + 3);
        } else if let Some((s, from, to)) = level_at(toks, i) {
            found.set(s, span_of(&toks[i..to.max(i + 1)]))?;
            if to > from {
                take(toks, from, to);
                i = from;
            }
        } else if let Some((s, n)) = aside(toks, i) {
            let mark = here!(toks, i + n, ":|!")
                .or(here!(toks, i + n, ",? but").filter(|_| i == 0))
                .or(here!(toks, i + n, NOUN).filter(|_| i == 0))
                .unwrap_or(0);
            found.set(s, span_of(&toks[i..i + n]))?;
            take(toks, i, i + n + mark);
        } else if let Some(n) = at_once(toks, i) {
            if n.1 {
                found.set(Critical, span_of(&toks[i..i + n.0]))?;
            }
            take(toks, i, i + n.0);
        } else if let Some(n) = record(toks, i) {
            found.set(Info, span_of(&toks[i..i + n.max(1)]))?;
            take(toks, i, i + n);
        } else if here!(toks, i, "warn").is_some() {
            found.warn = true;
        }
        i += 1;
    }
    Ok(found.strong.map(|f| f.0).or(found.warn.then_some(Warning)))
}

fn aside(toks: &[Tok], i: usize) -> Option<(Severity, usize)> {
    ASIDES
        .iter()
        .filter_map(|(s, patterns)| longest(toks, i, patterns).map(|n| (*s, n)))
        .max_by_key(|(_, n)| *n)
        .filter(|(_, n)| apart(toks, i, i + n))
}

/// "At once" and "immediately", and whether they hurry the message: "more
/// than 3 people at once" are there at the same time, "immediately behind the
/// van" is a place.
fn at_once(toks: &[Tok], i: usize) -> Option<(usize, bool)> {
    let n = here!(toks, i, "at once|immediately")
        .filter(|_| here!(toks, i, "at once").is_some())
        .or(here!(toks, i, "immediately"))?;
    let place = toks
        .get(i + n)
        .is_some_and(|t| t.any(PREPOSITIONS) || t.any(&["next", "after", "before"]));
    if toks[i].is("immediately") {
        return (!place).then_some((n, true));
    }
    let told = i == 0
        || !toks[i - 1].word
        || toks[i - 1].any(TELLING)
        || here!(toks, i + n, "if|when|whenever|should").is_some();
    let counted = (0..i).any(|j| number(toks, j).is_some());
    (told || counted).then_some((n, told))
}

/// "log it": how many tokens to take out. "Log every car", "record when": the
/// verb alone.
fn record(toks: &[Tok], i: usize) -> Option<usize> {
    if !boundary(toks, i) {
        return None;
    }
    if let Some(n) = longest(toks, i, RECORD) {
        let next = toks.get(i + n);
        // "just log into …", "a note of thanks": no such verbs.
        let verb = next.is_none_or(|t| !t.any(COPULAS) && !t.any(&["into", "on", "in"]))
            || toks[i + n - 1].any(&["it", "this", "that", "them"]);
        return verb.then_some(n);
    }
    here!(toks, i, "log|record")?;
    let next = toks.get(i + 1)?;
    let first = i == 0 || toks[..i].iter().all(|t| !t.word || t.is("please"));
    let thing = next.any(ARTICLES)
        || next.any(&[
            "every",
            "each",
            "any",
            "all",
            "anyone",
            "anything",
            "everyone",
            "everything",
            "someone",
            "somebody",
            "anybody",
            "when",
            "whenever",
            "if",
            "more",
            "fewer",
        ])
        || is_plural(&next.text) && !next.any(COPULAS);
    (first && thing).then_some(1)
}

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    #[test]
    fn levels_and_the_words_they_take() {
        for (text, level, rest) in [
            ("critical: smoke", Some(Critical), "smoke"),
            ("smoke, high priority", Some(Critical), "smoke ,"),
            ("this is urgent: smoke", Some(Critical), "smoke"),
            (
                "send an urgent alert when",
                Some(Critical),
                "send an alert when",
            ),
            ("send a warning when", Some(Warning), "send a warning when"),
            ("warn me at once", Some(Critical), "warn me"),
            ("if smoke, just log it", Some(Info), "if smoke ,"),
            ("log every car", Some(Info), "every car"),
            (
                "car in the low priority bay",
                None,
                "car in the low priority bay",
            ),
            ("emergency exit blocked", None, "emergency exit blocked"),
            ("3 people at once", None, "3 people"),
            ("log on the road", None, "log on the road"),
            (
                "immediately behind the van",
                None,
                "immediately behind the van",
            ),
        ] {
            let mut toks = tokenise(text);
            assert_eq!(severity(&mut toks).ok(), Some(level), "{text}");
            let words: Vec<&str> = (toks.iter().filter(|t| !t.is_gap()))
                .map(|t| t.text.as_str())
                .collect();
            assert_eq!(words.join(" "), rest, "{text}");
        }
    }
}
