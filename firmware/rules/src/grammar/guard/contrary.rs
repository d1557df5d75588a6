//! What can never hold.

use super::super::compare::compare;
use super::super::number::{duration, number, small_number, unit_millis};
use super::super::pattern::here;
use super::super::token::{Tok, span_of};
use super::super::words::{ARTICLES, COPULAS};
use crate::{Comparator, Predicate, Refusal, RefusalKind, Rule, Seconds, Threshold};

use super::people::PEOPLE;

const OPPOSITES: &[(&[&str], &[&str])] = &[
    (&["open", "opened"], &["closed", "shut"]),
    (&["ajar"], &["closed", "shut"]),
    (
        &["empty", "vacant", "unoccupied"],
        &["full", "occupied", "taken"],
    ),
    (&["on", "lit"], &["off", "unlit"]),
    (&["present", "there"], &["absent", "missing", "gone"]),
    (&["locked"], &["unlocked"]),
    (
        &["moving", "driving", "running"],
        &["stationary", "still", "stopped", "parked", "motionless"],
    ),
    (&["wet"], &["dry"]),
    (&["clean"], &["dirty"]),
    (&["standing"], &["lying", "sitting"]),
    (&["raised", "up"], &["lowered", "down"]),
    (&["inside", "indoors"], &["outside", "outdoors"]),
    (&["covered"], &["uncovered"]),
    (&["attended"], &["unattended"]),
    (&["blocked"], &["free", "clear"]),
];

fn opposite(a: &str, b: &str) -> bool {
    OPPOSITES
        .iter()
        .any(|(x, y)| (x.contains(&a) && y.contains(&b)) || (y.contains(&a) && x.contains(&b)))
        || a.strip_prefix("not ").is_some_and(|a| a == b)
        || b.strip_prefix("not ").is_some_and(|b| a == b)
}

fn never(why: String, offer: &str, spans: &[[usize; 2]]) -> Refusal {
    spans.iter().fold(
        Refusal::new(RefusalKind::Contradictory, why).offer(offer),
        |r, s| r.at(*s),
    )
}

/// Contradictions that show in the words.
///
/// # Errors
/// `contradictory`, with the places of the words.
pub(crate) fn words(toks: &[Tok]) -> Result<(), Refusal> {
    for (i, t) in toks.iter().enumerate() {
        negative_count(toks, i)?;
        // "critical and low priority: …"
        if let Some(n) = here!(
            toks,
            i,
            "critical|urgent|emergency|high|low|info priority|severity|alert?"
        ) && let Some(g) = here!(toks, i + n, "and|but|, also?")
            && let Some(m) = here!(
                toks,
                i + n + g,
                "critical|urgent|emergency|high|low|info priority|severity|alert?"
            )
            && toks
                .get(i + n + g + m)
                .is_some_and(|t| t.any(&[":", "-", ","]))
        {
            let low = |t: &Tok| t.any(&["low", "info"]);
            if low(t) != low(&toks[i + n + g]) {
                return Err(never(
                    format!("It can't be '{}' and '{}'.", t.raw, toks[i + n + g].raw),
                    "Keep one of them.",
                    &[
                        span_of(&toks[i..i + n]),
                        span_of(&toks[i + n + g..i + n + g + m]),
                    ],
                ));
            }
        }
        // "is both open and closed", "is on and off"
        let be = t.any(COPULAS) || t.is("both");
        let a = i + 1 + usize::from(toks.get(i + 1).is_some_and(|t| t.is("both")));
        let glue = here!(toks, a + 1, "and|but|yet also|still|simultaneously?").or(here!(
            toks,
            a + 1,
            "while also?"
        ));
        if be
            && let Some(g) = glue
            && let (Some(x), Some(y)) = (toks.get(a), toks.get(a + 1 + g))
            && opposite(&x.text, &y.text)
            && toks
                .get(a + 2 + g)
                .is_none_or(|n| !n.word || !n.text.ends_with('s') || n.any(COPULAS))
            && !toks[..i]
                .iter()
                .rev()
                .take(2)
                .any(|t| t.any(&["not", "neither"]))
        {
            return Err(never(
                format!("Nothing is '{}' and '{}' at once.", x.raw, y.raw),
                "Say 'or', or make two rules.",
                &[x.span, y.span],
            ));
        }
        // "nobody and more than 3 people"
        let none = t.any(&["nobody", "noone"]).then_some(1).or(here!(
            toks,
            i,
            "no one|people|person|persons"
        ));
        if let Some(n) = none
            && let Some(g) = here!(toks, i + n, ", and|but").or(here!(toks, i + n, "and|but"))
            && let Ok(Some(c)) = compare(toks, i + n + g)
            && toks.get(i + n + g + c.len).is_some_and(|t| t.any(PEOPLE))
            && !zeroable(c.comparator, c.threshold)
        {
            let end = i + n + g + c.len;
            return Err(never(
                format!(
                    "There is either '{}' or '{}'.",
                    t.raw,
                    raw(&toks[i + n + g..=end])
                ),
                "Say 'or', or make two rules.",
                &[span_of(&toks[i..i + n]), span_of(&toks[i + n + g..=end])],
            ));
        }
        from_to_same(toks, i)?;
        // "within 1 minute, for 10 minutes"
        if t.any(&["within"])
            && let Some((window, n)) = duration(toks, i + 1)
            && let Some(j) = (i + 1 + n..toks.len()).take(3).find(|j| toks[*j].is("for"))
            && let Some((hold, m)) = duration(toks, j + 1)
            && hold > window
        {
            return Err(never(
                format!("What is counted within {window} can't hold for {hold}."),
                "Keep one of them: 'more than 5 cars enter the yard within 10 minutes'.",
                &[span_of(&toks[i..=i + n]), span_of(&toks[j..=j + m])],
            ));
        }
    }
    cooldowns(toks)
}

fn raw(toks: &[Tok]) -> String {
    let words: Vec<&str> = toks.iter().map(|t| t.raw.as_str()).collect();
    words.join(" ")
}

fn zeroable(comparator: Comparator, threshold: Threshold) -> bool {
    match (comparator, threshold) {
        (Comparator::Lt | Comparator::Le | Comparator::Ne, _) => true,
        (Comparator::Eq | Comparator::Ge, Threshold::One(n)) => n == 0,
        (_, Threshold::Range([low, _])) => low == 0,
        _ => false,
    }
}

/// "minus three people", "-2 cars", "one and a half people"
fn negative_count(toks: &[Tok], i: usize) -> Result<(), Refusal> {
    let t = &toks[i];
    let next = toks.get(i + 1);
    let thing = |j: usize| {
        toks.get(j).is_some_and(|n| {
            n.word
                && unit_millis(&n.text).is_none()
                && small_number(&n.text).is_none()
                && n.text.chars().all(|c| c.is_alphabetic() || c == '-')
                && !n.any(&[
                    "to", "and", "or", "am", "pm", "degrees", "hour", "minute", "second",
                ])
        })
    };
    let Some((_, n)) = number(toks, i + 1) else {
        if let Some((_, n)) = number(toks, i)
            && let Some(half) = here!(toks, i + n, "and a half|quarter|third")
            && toks.get(i + n + half).is_some_and(|t| t.any(PEOPLE))
        {
            return Err(never(
                format!(
                    "There is no such count as '{}'.",
                    raw(&toks[i..i + n + half])
                ),
                "Give a whole number, for example 'at least 2 people'.",
                &[span_of(&toks[i..i + n + half])],
            ));
        }
        if let Some(n) =
            here!(toks, i, "half a|an").filter(|n| toks.get(i + n).is_some_and(|t| t.any(PEOPLE)))
        {
            return Err(never(
                format!("There is no such count as '{}'.", raw(&toks[i..i + n + 1])),
                "Give a whole number, for example 'at least 1 person'.",
                &[span_of(&toks[i..i + n + 1])],
            ));
        }
        return Ok(());
    };
    let dash = t.is("-")
        && next.is_some_and(|n| n.span[0] == t.span[1])
        && (i == 0
            || (toks[i - 1].span[1] < t.span[0]
                && small_number(&toks[i - 1].text).is_none()
                && toks[i - 1].word))
        && toks.get(i.wrapping_sub(1)).is_none_or(|p| {
            i == 0
                || p.any(&[
                    "than", "least", "most", "are", "is", "exactly", "when", "if", "to", "below",
                    "under",
                ])
        });
    if (t.any(&["minus", "negative"]) || dash) && thing(i + 1 + n) {
        return Err(never(
            format!(
                "There is no such count as '{}'.",
                raw(&toks[i..i + 1 + n]).replace("- ", "-")
            ),
            "Give a number from 0 on, for example 'at least 2 cars'.",
            &[span_of(&toks[i..i + 1 + n])],
        ));
    }
    Ok(())
}

/// "from bay 2 to bay 2"
fn from_to_same(toks: &[Tok], i: usize) -> Result<(), Refusal> {
    if !toks[i].is("from") {
        return Ok(());
    }
    let Some(to) =
        (i + 2..toks.len().min(i + 7)).find(|j| toks[*j].any(&["to", "into", "towards"]))
    else {
        return Ok(());
    };
    let name = |from: usize, end: usize| -> Vec<&str> {
        toks[from.min(end)..end]
            .iter()
            .filter(|t| !t.any(ARTICLES))
            .map(|t| t.text.as_str())
            .collect()
    };
    let a = name(i + 1, to);
    let articles = usize::from(toks.get(to + 1).is_some_and(|t| t.any(ARTICLES)));
    let end = to + 1 + articles + a.len();
    let ends = toks
        .get(end)
        .is_none_or(|t| !t.word || small_number(&t.text).is_none());
    if end <= toks.len()
        && !a.is_empty()
        && ends
        && a == name(to + 1, end)
        && !a[0].starts_with(|c: char| c.is_ascii_digit())
    {
        return Err(never(
            format!("'{}' is on both sides.", a.join(" ")),
            "Name two places, for example 'a van enters bay 3'.",
            &[span_of(&toks[i + 1..to]), span_of(&toks[to + 1..end])],
        ));
    }
    Ok(())
}

/// "at most once an hour and at most every 5 minutes"
fn cooldowns(toks: &[Tok]) -> Result<(), Refusal> {
    let mut found: Option<(Seconds, [usize; 2])> = None;
    for i in 0..toks.len() {
        let Some(n) = here!(toks, i, "at most once? every|per|a|an|in|each").or(here!(
            toks,
            i,
            "no more than once every|per|a|an|in|each"
        )) else {
            continue;
        };
        let one = toks
            .get(i + n)
            .and_then(|t| unit_millis(&t.text))
            .map(|ms| (Seconds::from_millis(ms as u64), 1));
        let Some((d, m)) = duration(toks, i + n).or(one) else {
            continue;
        };
        let span = span_of(&toks[i..i + n + m]);
        match found {
            Some((old, at)) if old != d => {
                return Err(never(
                    format!("Two limits are given: once in {old} and once in {d}."),
                    "Keep one of them.",
                    &[at, span],
                ));
            }
            _ => found = Some((d, span)),
        }
    }
    Ok(())
}

/// Contradictions between the parts of a rule that was understood.
///
/// # Errors
/// `contradictory`, with the places of the words in `toks`.
pub(crate) fn parts(rule: &Rule, toks: &[Tok]) -> Result<(), Refusal> {
    let Some(all) = &rule.all else {
        return Ok(());
    };
    for (n, b) in all.iter().enumerate() {
        for a in &all[..n] {
            clash(a, b, toks)?;
        }
    }
    Ok(())
}

fn clash(a: &Rule, b: &Rule, toks: &[Tok]) -> Result<(), Refusal> {
    let same = a.subject == b.subject
        && a.zone == b.zone
        && a.attributes == b.attributes
        && a.direction == b.direction
        && a.camera == b.camera;
    if !same {
        return Ok(());
    }
    let places = |words: &[&str]| -> Vec<[usize; 2]> {
        let found: Vec<[usize; 2]> = toks
            .iter()
            .filter(|t| t.any(words))
            .map(|t| t.span)
            .collect();
        if found.is_empty() {
            vec![span_of(toks)]
        } else {
            found
        }
    };
    if let (Some(x), Some(y)) = (&a.state, &b.state)
        && opposite(x, y)
    {
        let words = [x.trim_start_matches("not "), y.trim_start_matches("not ")];
        return Err(never(
            format!("Nothing is '{x}' and '{y}' at once."),
            "Say 'or', or make two rules.",
            &places(&words),
        ));
    }
    let absent = |r: &Rule| r.predicate == Some(Predicate::Absence);
    let there = |r: &Rule| {
        r.predicate == Some(Predicate::Presence)
            || (r.predicate == Some(Predicate::Count)
                && r.comparator
                    .zip(r.threshold)
                    .is_some_and(|(c, t)| !zeroable(c, t)))
    };
    if (absent(a) && there(b)) || (there(a) && absent(b)) {
        return Err(never(
            "It can't be there and not there at once.".into(),
            "Say 'or', or make two rules.",
            &places(&[
                "nobody", "nothing", "no", "none", "absent", "missing", "gone", "without",
            ]),
        ));
    }
    let plain = |r: &Rule| r.predicate == Some(Predicate::Count) && r.window_seconds.is_none();
    if let (Some((low, high)), Some((from, to))) = (limits(a), limits(b))
        && plain(a)
        && plain(b)
        && low.max(from) > high.min(to)
    {
        return Err(never(
            "No count meets both limits.".into(),
            "Say 'or', or make two rules.",
            &[span_of(toks)],
        ));
    }
    Ok(())
}

/// The lowest and highest count that a rule asks for.
fn limits(r: &Rule) -> Option<(u64, u64)> {
    use Comparator::{Between, Eq, Ge, Gt, Le, Lt};
    Some(match (r.comparator?, r.threshold?) {
        (Gt, Threshold::One(n)) => (n.checked_add(1)?, u64::MAX),
        (Ge, Threshold::One(n)) => (n, u64::MAX),
        (Lt, Threshold::One(n)) => (0, n.checked_sub(1)?),
        (Le, Threshold::One(n)) => (0, n),
        (Eq, Threshold::One(n)) => (n, n),
        (Between, Threshold::Range([low, high])) => (low, high),
        _ => return None,
    })
}
