//! How long it must hold: "for more than 5 seconds", "has been open for 20
//! minutes", "10 minutes straight".

use super::limits::FLOOR;
use super::number::{duration, number, small_number, unit_millis};
use super::pattern::{Pattern, any_of, here, longest, patterns, stands};
use super::token::{Tok, span_of, take};
use super::words::{ARTICLES, PREPOSITIONS, STRUCTURE};
use crate::lexicon::{Lexicon, lexicon};
use crate::{Refusal, RefusalKind, Schedule, Seconds, TimeOfDay};

const FOR: &[Pattern] = patterns![
    "for",
    "for a|about|around|roughly|approximately|nearly|almost",
    "for at least|minimum of?",
    "for at the? very? least",
    "for a minimum of",
    "for minimum of?",
    "for more|longer|greater than",
    "for the last|past",
    "for a period|time|total|duration of",
    "for a period longer|of more than",
    "for over|upwards",
    "for upwards of",
    "for in excess of",
    "for any|>|>=|exactly|precisely|just",
    "for not|no less|fewer|shorter than",
    "for anything over|above",
    "for well? over",
    "for longer or equal to",
    "since",
    "after",
];
/// Without "for", these say a hold only before a length of time.
const ALONE: &[Pattern] = patterns![
    "longer than",
    ">",
    ">=",
    "more than",
    "over",
    "at least",
    "lasting|lasts for? at? least?",
    "lasting|lasts for? more|longer than",
    "lasting|lasts for? over|exactly?",
    "in excess of",
    "exceeding|exceeds",
    "a minimum of",
    "minimum|min",
    "no|not less|fewer|shorter than",
    "upwards of",
    "throughout",
];
/// Lengths of time that are none.
const VAGUE: &[Pattern] = patterns![
    "for too|very|so|quite|really? long",
    "for a? good|little|short|long? while|time|period|moment|bit",
    "for a very|fairly|really? long|short? time|period|while",
    "for some|ages time?",
    "for some considerable|length of? time",
    "for ages",
    "for too much time",
    "for a bit|moment|second|minute or two|three",
    "too long",
    "for hours|minutes|seconds|days",
    "for hours and|on hours|end",
    "for a few|several|many seconds|minutes|hours|days",
    "for several|many|some|multiple|few seconds|minutes|hours|days",
    "longer|more than usual|normal|expected|necessary|allowed|needed|permitted",
    "for longer|more than usual|normal|expected|necessary|allowed|needed|permitted|a while",
    "for an? extended|prolonged|long|excessive|unusual period|time|duration of? time?",
    "for an age|eternity",
];
/// What can't be known before it is over.
const BOUNDED: &[Pattern] = patterns![
    "for up to",
    "for at most",
    "for at the most",
    "for less|fewer|shorter than",
    "for no|not more|longer than",
    "for under|below|max|maximum|<|<=",
    "for a maximum of",
    "for no longer than",
];

fn tail(toks: &[Tok], i: usize) -> usize {
    any_of!(toks,
        i, [
            "or more|longer|over|above",
            "and more|longer|over|above|up",
            "or even more|longer",
            "straight|continuously|continually|constantly|nonstop|uninterrupted|uninterruptedly|solid",
            "at? a stretch|time",
            "at least|minimum",
            "minimum|min|plus|+",
            "at the very? least",
            "without interruption|break|pause|interruptions|stopping|moving",
            "in a row|total",
            "on end",
            "already|now",
        ])
    .filter(|_| here!(toks, i, "at most").is_none())
    .unwrap_or(0)
}

fn missing(why: &str, offer: String, toks: &[Tok]) -> Refusal {
    Refusal::new(RefusalKind::Ambiguous, why)
        .missing("for_seconds")
        .offer(offer)
        .at(span_of(toks))
}

/// What is no exact least time at `i`.
fn refuse(toks: &[Tok], i: usize) -> Result<(), Refusal> {
    if let Some(len) = longest(toks, i, BOUNDED)
        && let Some((d, n)) = duration(toks, i + len)
    {
        return Err(missing(
            &format!("A hold of at most {d} can't be known before it is over."),
            format!("Say 'for {d}' or 'for at least {d}'."),
            &toks[i..i + len + n],
        ));
    }
    // "for 5 to 10 minutes", "for between 5 and 10 minutes"
    let between = here!(toks, i, "for between|from?").unwrap_or(0);
    if between > 0
        && let Some((low, n)) = number(toks, i + between)
        && let Some(m) = range_unit(toks, i + between + n)
    {
        return Err(missing(
            "Two times are given; it can't be known before it is over which one it will be.",
            format!("Say the least time, for example 'for at least {low} minutes'."),
            &toks[i..i + between + n + m],
        ));
    }
    if let Some(len) = longest(toks, i, VAGUE) {
        // "for minutes" but "for a second time"
        let thing = toks
            .get(i + len)
            .is_some_and(|t| t.is("time") || t.is("hand"));
        if !thing {
            return Err(missing(
                "It is not said how long that is.",
                "Say how long it must last, for example 'for 5 minutes'.".into(),
                &toks[i..i + len],
            ));
        }
    }
    // "for 20": of what?
    if let Some(len) = longest(toks, i, FOR).filter(|_| toks[i].is("for"))
        && let Some((n, m)) = number(toks, i + len)
        && toks.get(i + len + m).is_none_or(|t| {
            !t.word
                || t.any(&[
                    "if", "when", "whenever", "straight", "at", "please", "then", "and",
                ])
        })
        && duration(toks, i + len).is_none()
        && !toks
            .get(i + len + m)
            .is_some_and(|t| t.any(&["-", "/", "+", "%"]))
        && range_unit(toks, i + len + m).is_none()
    {
        return Err(missing(
            &format!("It is not said whether {n} are seconds, minutes or hours."),
            format!("Say the unit, for example 'for {n} seconds'."),
            &toks[i..i + len + m],
        ));
    }
    Ok(())
}

/// "… to 10 minutes" after a number.
fn range_unit(toks: &[Tok], i: usize) -> Option<usize> {
    let unit =
        |at: usize| usize::from(toks.get(at).is_some_and(|t| unit_millis(&t.text).is_some()));
    let first = unit(i);
    let glue = here!(toks, i + first, "to|-|or|and")?;
    // "1 hour and 5 minutes" is one time.
    if first > 0 && toks[i + first].is("and") {
        return None;
    }
    let (_, n) = number(toks, i + first + glue)?;
    (unit(i + first + glue + n) > 0).then_some(first + glue + n + 1)
}

/// The longest of `leads` at `i` that a length of time follows: the time, and
/// how many tokens the lead and the time are.
fn timed(toks: &[Tok], i: usize, leads: &[Pattern]) -> Option<(Seconds, usize, usize)> {
    leads
        .iter()
        .filter_map(|p| stands(toks, i, p))
        .filter_map(|len| length(toks, i, len).map(|(d, n)| (d, len, n)))
        // "still open after 5 minutes", but not "after 5 minutes of rain"
        .filter(|(_, len, n)| !toks[i].is("after") || ends(toks, i + len + n))
        .max_by_key(|(_, len, n)| len + n)
}

fn length(toks: &[Tok], i: usize, lead: usize) -> Option<(Seconds, usize)> {
    let at = i + lead;
    // "for the past hour"
    let unit = (toks.get(at))
        .filter(|t| {
            toks[at - 1].any(&["past", "last"]) && t.any(&["minute", "hour", "day", "week"])
        })
        .and_then(|t| unit_millis(&t.text));
    duration(toks, at).or(unit.map(|ms| (Seconds::from_millis(ms as u64), 1)))
}

fn ends(toks: &[Tok], i: usize) -> bool {
    toks.get(i)
        .is_none_or(|t| !t.word || t.any(&["if", "when", "whenever", "tell", "alert", "let"]))
}

/// "waits 5 minutes at the gate", "stays half an hour": "for" left out.
fn stays(toks: &[Tok], i: usize) -> Option<(Seconds, usize)> {
    const STAYS: &Lexicon = lexicon![
        "stay",
        "stays",
        "stayed",
        "staying",
        "wait",
        "waits",
        "waited",
        "waiting",
        "remain",
        "remains",
        "remained",
        "remaining",
        "linger",
        "lingers",
        "lingering",
        "loiter",
        "loiters",
        "loitering",
        "dwell",
        "dwells",
        "dwelling",
        "sits",
        "sitting",
        "stands",
        "standing",
        "sleeps",
        "sleeping",
        "lies",
        "lying",
        "lasts",
        "lasting",
        "parks",
        "parked",
        "there",
        "here",
        "still",
        "idle",
        "idling",
        "open",
        "closed",
        "empty",
        "unattended",
    ];
    let verb = i > 0 && toks[i - 1].any(STAYS);
    duration(toks, i).filter(|(_, n)| {
        let metres = toks[i + n - 1].text.ends_with('m');
        let point = here!(toks, i + n, "before|after|ago|later|early|late|from").is_some();
        verb && (!metres || toks[i + n - 1].is("min")) && !point
    })
}

/// A length of time at the end of a telegram: "door open 5 min".
fn bare(toks: &[Tok], i: usize) -> Option<(Seconds, usize)> {
    let mut before = &toks[i.checked_sub(1)?];
    // "a car in bay 5 20 min"
    if i > 1 && number(toks, i - 1).is_some_and(|(_, n)| n == 1) {
        before = &toks[i - 2];
    }
    let free = before.word
        && !before.any(PREPOSITIONS)
        && !before.any(STRUCTURE)
        && !before.any(ARTICLES)
        && small_number(&before.text).is_none();
    let (d, n) = duration(toks, i).filter(|_| free)?;
    let digits = small_number(&toks[i].text).is_some()
        || toks[i].text.starts_with(|c: char| c.is_ascii_digit());
    // "gate 5 m", "hall 10m": metres or a name.
    let unit = &toks[i + n - 1].text;
    let short = n > 1 && unit.len() == 1 || unit.ends_with('m');
    let ends = toks[i + n..].iter().all(|t| !t.word);
    (ends && digits && !short).then_some((d, n))
}

/// Refuses times that can't be met together: a hold longer than the hours in
/// which it may hold, or a hold of what is counted over a window.
pub(crate) fn fits(
    hold: Option<Seconds>,
    window: Option<Seconds>,
    schedule: Option<&Schedule>,
) -> Result<(), Refusal> {
    let Some(hold) = hold.filter(|h| *h > Seconds::ZERO) else {
        return Ok(());
    };
    if let Some(window) = window {
        return Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("What is counted within {window} can't also last for {hold}."),
        )
        .offer("Keep one of the two times."));
    }
    let span = schedule.and_then(|s| match (s.start, s.end) {
        (Some(TimeOfDay::Clock(a)), Some(TimeOfDay::Clock(b))) => {
            Some(Seconds::new(60 * u64::from((b + 1440 - a) % 1440)))
        }
        (Some(TimeOfDay::Clock(a)), None) => Some(Seconds::new(60 * u64::from(1440 - a))),
        (None, Some(TimeOfDay::Clock(b))) => Some(Seconds::new(60 * u64::from(b))),
        _ => None,
    });
    match span {
        Some(span) if span > Seconds::ZERO && hold > span => Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("It can't hold for {hold} in hours that are {span} long."),
        )
        .offer("Give a shorter time, or longer hours.")),
        _ => Ok(()),
    }
}

/// Takes the hold out.
pub(crate) fn hold(toks: &mut Vec<Tok>) -> Result<Option<Seconds>, Refusal> {
    let mut found: Option<Seconds> = None;
    let mut i = 0;
    while i < toks.len() {
        refuse(toks, i)?;
        let with_for = timed(toks, i, FOR)
            // "for a second person": no time
            .filter(|_| here!(toks, i, "for each|every").is_none());
        let alone = || {
            timed(toks, i, ALONE)
                // "not over 5 minutes", "in at least 5 minutes"
                .filter(|_| {
                    i == 0
                        || !toks[i - 1].any(&["not", "no", "in", "within", "never", "of", "every"])
                })
                // "at least 3 day gates" are gates
                .filter(|(d, len, n)| {
                    let unit = &toks[i + len + n - 1];
                    let one = unit_millis(&unit.text).is_some_and(|ms| d.as_millis() as f64 <= ms);
                    one || !unit.any(&["second", "minute", "hour", "day", "week"])
                        || !super::acts::nounish(toks, i + len + n)
                })
        };
        if let Some((d, len, n)) = with_for.or_else(alone) {
            let more = tail(toks, i + len + n);
            found = one(found, d, &toks[i..i + len + n])?;
            let from = if i > 0
                && toks[i - 1].any(&[
                    "continuously",
                    "lasting",
                    "continually",
                    "constantly",
                    "uninterruptedly",
                    "uninterrupted",
                    "steadily",
                    "nonstop",
                    "solidly",
                ]) {
                i - 1
            } else {
                i
            };
            take(toks, from, i + len + n + more);
            i = from;
        } else if let Some((d, n)) = stays(toks, i).or_else(|| bare(toks, i)) {
            found = one(found, d, &toks[i..i + n])?;
            let more = tail(toks, i + n);
            take(toks, i, i + n + more);
        } else if let Some((d, n)) = duration(toks, i)
            && let more = tail(toks, i + n).max(here!(toks, i + n, "long|duration").unwrap_or(0))
            && more > 0
        {
            found = one(found, d, &toks[i..i + n])?;
            take(toks, i, i + n + more);
        }
        i += 1;
    }
    if let Some(d) = found.filter(|d| d.as_millis() > 0 && d.as_millis() < 2 * FLOOR.as_millis()) {
        return Err(Refusal::new(
            RefusalKind::OverBudget,
            format!("A hold of {d} needs three looks, and at least {FLOOR} lie between two looks."),
        )
        .offer("Ask for a hold of 0.4 s or longer, or for none."));
    }
    Ok(found)
}

/// One time only.
pub(crate) fn one(
    old: Option<Seconds>,
    new: Seconds,
    toks: &[Tok],
) -> Result<Option<Seconds>, Refusal> {
    match old {
        Some(old) if old != new => Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("Two different times are given: {old} and {new}."),
        )
        .offer("Keep one of them, or make one rule for each.")
        .at(span_of(toks))),
        _ => Ok(Some(new)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    #[test]
    fn what_holds_and_what_only_looks_so() {
        for (text, seconds, rest) in [
            ("open for a good ten minutes", 600, "open"),
            ("open for 10+ minutes", 600, "open"),
            ("open 10 minutes or longer", 600, "open"),
            ("open continuously for half an hour", 1800, "open"),
            ("open 5 minutes straight", 300, "open"),
            ("door open 5 min", 300, "door open"),
            ("a car > 10 min", 600, "a car"),
            ("van at gate 12 for 2 min", 120, "van at gate 12"),
            ("open lasting longer than 20 s", 20, "open"),
        ] {
            let mut toks = tokenise(text);
            let d = hold(&mut toks).unwrap_or_default().unwrap_or_default();
            assert_eq!(d, Seconds::new(seconds), "{text}");
            let words: Vec<&str> = (toks.iter().filter(|t| !t.is_gap()))
                .map(|t| t.text.as_str())
                .collect();
            assert_eq!(words.join(" "), rest);
        }
        for text in [
            "5 m from the door",
            "look for 3 cars",
            "a second person for the job",
            "over 5 people",
            "a car at gate 5 m",
            "more than 3 boxes",
        ] {
            assert_eq!(hold(&mut tokenise(text)).ok(), Some(None), "{text}");
        }
        for text in [
            "for a while",
            "for 20",
            "for less than 10 seconds",
            "for 5 to 10 minutes",
            "for between 5 and 10 minutes",
            "for a few minutes",
        ] {
            assert!(hold(&mut tokenise(text)).is_err(), "{text}");
        }
    }
}
