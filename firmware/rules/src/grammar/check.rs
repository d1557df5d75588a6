//! What is understood word by word, but can't be meant: a rule that always
//! holds, a thing that no picture shows, a time that is part of no schedule.

use super::frames::Framed;
use super::number::{small_number, unit_millis};
use super::words;
use crate::lexicon::{Lexicon, lexicon};
use crate::{Comparator, Predicate, Refusal, RefusalKind, Rule, Threshold};

/// Words of time that no schedule took: "the yard tonight".
#[rustfmt::skip]
const TIMES: &Lexicon = lexicon![
    "tonight", "today", "tomorrow", "yesterday", "night", "nights", "morning", "afternoon",
    "evening", "weekend", "weekends", "week", "month", "year", "summer", "winter", "spring-time",
    "autumn", "christmas", "easter", "hours", "lunchtime", "weekday", "weekdays", "midnight",
    "noon", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
];

/// Things that no picture shows.
#[rustfmt::skip]
const ABSTRACT: &Lexicon = lexicon![
    "time", "date", "question", "answer", "opinion", "advice", "help", "price", "meaning",
    "history", "capital", "score", "idea", "reason", "truth", "love", "luck", "stock", "email",
    "video", "movie", "internet", "rule", "rules", "settings", "memory", "problem", "trouble",
    "situation", "event", "activity", "behaviour", "behavior", "stuff", "everything", "danger",
    "crime", "incident", "emergency", "accident", "anomaly", "issue", "threat", "nothing", "way",
    "case", "kind", "status", "report", "camera", "count", "number", "capacity", "alert",
];

/// What is understood but can't be meant.
pub(super) fn check(rule: &Rule, framed: Framed, whole: [usize; 2]) -> Result<(), Refusal> {
    for leaf in rule.leaves() {
        time_as_thing(leaf, whole)?;
        always(leaf, whole)?;
        visible(leaf, framed, whole)?;
    }
    Ok(())
}

/// "the yard this summer": a time that was taken for a part of a name.
fn time_as_thing(leaf: &Rule, whole: [usize; 2]) -> Result<(), Refusal> {
    let names = leaf
        .zone
        .iter()
        .flat_map(|z| z.names().iter().map(String::as_str));
    let time = names.chain(leaf.subject.as_deref()).find(|n| {
        let last = n.rsplit(' ').next().unwrap_or(n).to_lowercase();
        TIMES.contains(&last) || lasts(n)
    });
    if let Some(time) = time {
        return Err(Refusal::new(
            RefusalKind::Ambiguous,
            format!("It is not clear which hours '{time}' means."),
        )
        .missing("schedule")
        .offer("Say the days or the hours, for example 'from 22:00 to 06:00' or 'on Sundays'.")
        .at(whole));
    }
    Ok(())
}

/// Whether a name holds a length of time: "the room r 2 min".
fn lasts(name: &str) -> bool {
    let words: Vec<String> = name.split(' ').map(str::to_lowercase).collect();
    words.windows(2).any(|pair| {
        small_number(&pair[0]).is_some() && unit_millis(&pair[1]).is_some() && pair[1].len() > 1
    })
}

/// "something is there", "at least 0 cars".
fn always(leaf: &Rule, whole: [usize; 2]) -> Result<(), Refusal> {
    if leaf.predicate == Some(Predicate::Presence)
        && leaf.subject.as_deref() == Some("any object")
        && leaf.zone.is_none()
        && leaf.attributes.is_empty()
    {
        return Err(
            Refusal::new(RefusalKind::Ambiguous, "Something is always in view.")
                .missing("subject")
                .offer("Say what to watch for, or where.")
                .at(whole),
        );
    }
    let always = match (leaf.comparator, leaf.threshold) {
        (Some(Comparator::Ge), Some(Threshold::One(0))) => true,
        (Some(Comparator::Between), Some(Threshold::Range([0, high]))) => high > 1_000,
        _ => false,
    };
    if always {
        return Err(
            Refusal::new(RefusalKind::Contradictory, "There are always at least 0.")
                .offer("Say at least 1.")
                .at(whole),
        );
    }
    Ok(())
}

/// "alert me about trouble".
fn visible(leaf: &Rule, framed: Framed, whole: [usize; 2]) -> Result<(), Refusal> {
    let abstract_noun = leaf.subject.as_deref().is_some_and(|s| {
        let head = s.rsplit(' ').next().unwrap_or(s);
        ABSTRACT.contains(head)
    });
    if abstract_noun && leaf.predicate != Some(Predicate::State) {
        return Err(Refusal::new(
            if framed.framed {
                RefusalKind::NotObservable
            } else {
                RefusalKind::NotARule
            },
            format!(
                "'{}' is not a thing that a picture shows.",
                leaf.subject.as_deref().unwrap_or("")
            ),
        )
        .offer("Name things that can be seen: people, vehicles, smoke, a door that is open.")
        .at(whole));
    }
    Ok(())
}

/// Whether a sentence without any frame says clearly enough that it is a rule.
pub(super) fn plain(leaf: &Rule) -> bool {
    let head = leaf.subject.as_deref().unwrap_or("");
    let known = head.split(' ').any(|w| words::KNOWN.contains(w)) || head == "any object";
    let deed = leaf
        .action
        .as_deref()
        .is_some_and(|a| words::verb(a.split(' ').next().unwrap_or(a)).is_some());
    let state = leaf
        .state
        .as_deref()
        .map(|s| s.trim_start_matches("not "))
        .is_some_and(|s| {
            words::STATES.contains(s)
                || s.contains(' ')
                || matches!(s, "on" | "off" | "up" | "down")
        });
    known || leaf.comparator.is_some() || leaf.zone.is_some() || deed || state
}
