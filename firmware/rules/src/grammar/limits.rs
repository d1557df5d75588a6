//! What surrounds the condition: severity, cool-down, dedup, window and hold.

use scene::Severity;

use super::number::{duration, number};
use super::token::{Tok, here, span_of, take};
use crate::{Dedup, Refusal, RefusalKind, Seconds};

/// The shortest time between two looks.
const FLOOR: Seconds = Seconds::from_millis(200);

fn all_matches(toks: &[Tok], patterns: &[&str], i: usize) -> Option<usize> {
    patterns.iter().filter_map(|p| here(toks, i, p)).max()
}

/// Takes the severity out: "critical alert:", "warning:", "just record it".
/// "warn me" stays for the frames and counts as a warning.
pub(crate) fn severity(toks: &mut Vec<Tok>) -> Result<Option<Severity>, Refusal> {
    use Severity::{Critical, Info, Warning};
    let mut found: Option<(Severity, [usize; 2])> = None;
    let mut set = |s: Severity, span: [usize; 2]| match found {
        Some((old, at)) if old != s => Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("The sentence asks for severity {old} and for {s}."),
        )
        .offer("Keep one of them.")
        .at(at)
        .at(span)),
        _ => {
            found = Some((s, span));
            Ok(())
        }
    };
    let mut i = 0;
    while i < toks.len() {
        let level = |t: &Tok| match t.text.as_str() {
            "critical" | "urgent" | "emergency" | "critically" | "high-priority" | "alarm" => {
                Some(Critical)
            }
            "warning" => Some(Warning),
            "info" | "informational" | "information" | "low-priority" => Some(Info),
            _ => None,
        };
        // "Alert (warning) when"
        if toks[i].is("(") && toks.get(i + 2).is_some_and(|t| t.is(")")) {
            if let Some(s) = toks.get(i + 1).and_then(level) {
                set(s, toks[i + 1].span)?;
                take(toks, i, i + 3);
            }
        } else if let Some(s) = level(&toks[i]).filter(|_| {
            i == 0
                || toks[i - 1].is_gap()
                || toks[i - 1].any(&["a", "an", "severity", ":", ",", "as", "level", "me", "is"])
        }) {
            let start = if i > 0 && toks[i - 1].any(&["as", "severity", "level"]) {
                i - 1
            } else {
                i
            };
            let start = if start > 0 && toks[start - 1].any(&["severity", "with"]) {
                start - 1
            } else {
                start
            };
            let noun = here(
                toks,
                i + 1,
                "alert|alarm|priority|severity|event|level|rule|notification|only|warning|message",
            );
            let colon = toks
                .get(i + 1 + noun.unwrap_or(0))
                .is_some_and(|t| t.any(&[":", "-", "!", ","]));
            let framed = here(toks, i + 1 + noun.unwrap_or(0), "if|when|whenever").is_some();
            let ends = i + 1 == toks.len()
                || toks
                    .get(i + 1)
                    .is_some_and(|t| t.any(&[".", "!"]) || t.is_gap());
            if start < i && noun.is_none() {
                set(s, toks[i].span)?;
                take(toks, start, i + 1);
            } else if colon || (noun.is_some() && i == 0) || (i == 0 && framed) {
                set(s, toks[i].span)?;
                let to = i + 1 + noun.unwrap_or(0) + usize::from(colon);
                take(toks, i, to);
            } else if noun.is_some() || (ends && i > 0 && toks[i - 1].any(&[",", ":"])) {
                set(s, toks[i].span)?;
                // "a critical alert when": the frame keeps its noun.
                take(toks, i, i + 1);
            }
        } else if let Some(len) = all_matches(
            toks,
            &[
                "high|highest|top priority|severity",
                "with high|highest|top priority|severity",
                "at once",
                "immediately",
                "urgently",
                "right away",
                "straight away",
                "straightaway",
                "as soon as possible",
                "asap",
                "without delay",
                "raise|sound the|an alarm",
            ],
            i,
        ) {
            set(Critical, span_of(&toks[i..i + len]))?;
            // "raise the alarm if" is a frame and a severity.
            if toks[i].any(&["raise", "sound"]) {
                i += len
            } else {
                take(toks, i, i + len)
            }
        } else if let Some(len) = all_matches(
            toks,
            &[
                "low|lowest priority|severity",
                "with low|lowest priority|severity",
                "not urgent",
                "no rush",
                "nothing urgent",
                "for the record|records",
                "for information",
                "no need to hurry",
            ],
            i,
        ) {
            set(Info, span_of(&toks[i..i + len]))?;
            take(toks, i, i + len);
        } else if let Some(len) = all_matches(
            toks,
            &[
                "just|only|simply|merely record|log|note it|this|that? down?",
                "please? record|log|note it",
                "record|log|note only",
                "record|log when|whenever|if",
                "log|record every|each|any|all|anyone|anything|everyone|everything|a|an|the",
            ],
            i,
        )
        .filter(|_| {
            i == 0
                || toks[i - 1].is_gap()
                || toks[i - 1].any(&[",", ":", "please", "and", "but", ";"])
        }) {
            set(Info, span_of(&toks[i..i + len]))?;
            let keep = usize::from(toks[i + len - 1].any(&["when", "whenever", "if"]));
            let det = usize::from(toks[i + len - 1].any(&[
                "every",
                "each",
                "any",
                "all",
                "anyone",
                "anything",
                "everyone",
                "everything",
                "a",
                "an",
                "the",
            ]));
            let upto = i + len - keep - det;
            if upto > i {
                take(toks, i, upto)
            }
        } else if here(toks, i, "warn").is_some() {
            set(Warning, toks[i].span)?;
        }
        i += 1;
    }
    Ok(found.map(|f| f.0))
}

/// "a minute" after "once": a duration that may lack its number.
fn every(toks: &[Tok], i: usize) -> Option<(Seconds, usize)> {
    let lead = here(toks, i, "every|per|in|an|a|each|within").unwrap_or(0);
    let any = here(toks, i + lead, "any|a|an|each")
        .filter(|_| lead > 0 && !toks[i + lead].is("a"))
        .unwrap_or(0);
    let from = if toks.get(i).is_some_and(|t| t.any(&["a", "an"])) {
        i
    } else {
        i + lead + any
    };
    if let Some((d, len)) = duration(toks, from) {
        return Some((d, from - i + len));
    }
    let unit = toks.get(from).filter(|t| !t.any(&["s", "m", "h", "ms"]))?;
    let ms = super::number::unit_millis(&unit.text)?;
    (lead > 0).then_some((Seconds::from_millis(ms as u64), from - i + 1))
}

/// Takes the cool-down and "once per visit" out.
pub(crate) fn cooldown(toks: &mut Vec<Tok>) -> Result<(Option<Seconds>, Option<Dedup>), Refusal> {
    let mut cool: Option<Seconds> = None;
    let mut dedup = None;
    let mut i = 0;
    while i < toks.len() {
        let lead = {
            let comma = usize::from(toks[i].any(&[",", ";", "("]));
            let word = here(toks, i + comma, "but|and|then|also").unwrap_or(0);
            let word = word
                + here(
                    toks,
                    i + comma + word,
                    "then|please|only|tell|alert|notify|send|do|with me?",
                )
                .unwrap_or(0);
            let word = word + here(toks, i + comma + word, "me").unwrap_or(0);
            comma + word
        };
        let mut hit = None;
        for at in [i + lead, i] {
            let visit = all_matches(
                toks,
                &[
                    "only? just? once|one alert? per|each|every|for|a each? visit|episode|occurrence|time|incident|stay|appearance|vehicle|person|car|object|event",
                    "just|only one alert per|each|for each? visit|episode|occurrence|incident|event",
                    "one alert|notification|message per|each|for each? visit|episode|occurrence|incident|event",
                ],
                at,
            );
            if let Some(len) = visit {
                dedup = Some(Dedup::PerEpisode);
                hit = Some((at, at + len));
                break;
            }
            let once = all_matches(
                toks,
                &[
                    "no|not more than|often|frequently? than? once|one alert|message|notification?",
                    "not more often|frequently than once?",
                    "no more often|frequently than once?",
                    "not|no more than once|one|1 alert|alerts|message|notification|time?",
                    "at most once|one|1 alert|alerts|message|notification?",
                    "max|maximum once|one|1 alert|alerts|message|notification?",
                    "only|just once|one|1 alert|message|notification?",
                    "once",
                    "limit alerts|notifications|it|them to once|one|1",
                    "limited to once|one|1 alert?",
                    "one|1 alert|notification|message at most?",
                    "maximum one|1 alert?",
                    "no more than once|one|1",
                    "repeat|remind at most?",
                    "a maximum of once|one|1 alert?",
                ],
                at,
            );
            if let Some(len) = once
                && let Some((d, n)) = every(toks, at + len)
            {
                let tail = here(toks, at + len + n, "at most")
                    .or(here(toks, at + len + n, "at the most"))
                    .or(here(toks, at + len + n, "maximum|max|only"))
                    .unwrap_or(0);
                // "once" alone before "a minute" must be about alerts: it may
                // say how often a thing happens in the middle of a sentence.
                cool = replace(cool, d, toks, at, at + len + n)?;
                hit = Some((at, at + len + n + tail));
                break;
            }
            let quiet = all_matches(
                toks,
                &[
                    "with a? cool-down|cooling-off|pause|gap|break of",
                    "with a?",
                    "cool-down|cooldown of|is|:?",
                    "cool down for|of?",
                    "be|stay|keep quiet|silent for",
                    "wait",
                    "pause|mute|snooze|silence|pauses alerts|for?",
                    "do not repeat within|for",
                    "do not tell|alert|bother|disturb|notify me? again for|within",
                    "no repeat within|for",
                    "no repeats within|for",
                    "leave|wait at least",
                ],
                at,
            );
            if let Some(len) = quiet
                && let Some((d, n)) = duration(toks, at + len)
            {
                let more = here(toks, at + len + n, "-? cool-down|cooldown|pause")
                    .or(here(
                        toks,
                        at + len + n,
                        "between alerts|notifications|messages|them",
                    ))
                    .or(here(
                        toks,
                        at + len + n,
                        "before the next|alerting|telling one|alert|again|me? again?",
                    ))
                    .or(here(
                        toks,
                        at + len + n,
                        "before alerting|telling me? again",
                    ))
                    .or(here(toks, at + len + n, "afterwards|again"));
                let word = toks[at..at + len].iter().any(|t| {
                    t.any(&[
                        "cool-down",
                        "cooldown",
                        "cool",
                        "quiet",
                        "silent",
                        "repeat",
                        "repeats",
                        "again",
                        "cooling-off",
                    ])
                });
                if word || more.is_some() {
                    cool = replace(cool, d, toks, at, at + len + n)?;
                    hit = Some((at, at + len + n + more.unwrap_or(0)));
                    break;
                }
            }
            if let Some(len) = here(toks, at, "then every time") {
                cool = replace(cool, Seconds::ZERO, toks, at, at + len)?;
                hit = Some((at, at + len));
                break;
            }
        }
        if let Some((at, to)) = hit {
            let close = usize::from(toks.get(to).is_some_and(|t| t.is(")")) && toks[i].is("("));
            // Only swallow the lead words that belong to it.
            let from = if at > i && toks[i].any(&[",", ";", "(", "but", "then", "and"]) {
                i
            } else {
                at
            };
            take(toks, from, to + close);
        }
        i += 1;
    }
    Ok((cool, dedup))
}

fn replace(
    old: Option<Seconds>,
    new: Seconds,
    toks: &[Tok],
    from: usize,
    to: usize,
) -> Result<Option<Seconds>, Refusal> {
    match old {
        Some(old) if old != new => Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("Two different times are given: {old} and {new}."),
        )
        .offer("Keep one of them.")
        .at(span_of(&toks[from..to]))),
        _ => Ok(Some(new)),
    }
}

/// Refuses looks that come faster than the camera can look.
pub(crate) fn looks(toks: &[Tok]) -> Result<(), Refusal> {
    let over = |span: [usize; 2], what: &str| {
        Err(Refusal::new(
            RefusalKind::OverBudget,
            format!("{what} is more than the camera can afford: at least {FLOOR} lie between two looks."),
        )
        .offer(format!("Leave it out and the camera looks as often as it must, or ask for one look every {FLOOR} or longer."))
        .at(span))
    };
    for i in 0..toks.len() {
        if let Some((n, len)) = number(toks, i) {
            let times =
                here(toks, i + len, "times|x|frames|looks|checks|images|pictures").unwrap_or(0);
            let per = here(toks, i + len + times, "a|per|each|every|/");
            let unit = toks
                .get(i + len + times + per.unwrap_or(0))
                .and_then(|t| super::number::unit_millis(&t.text));
            if times > 0
                && per.is_some()
                && n > 0.0
                && let Some(unit) = unit
                && unit / n < FLOOR.as_millis() as f64
            {
                return over(
                    span_of(&toks[i..i + len + times + 2]),
                    &format!("{n} looks in that time"),
                );
            }
            if toks.get(i + len).is_some_and(|t| t.any(&["fps", "hz"])) && n > 5.0 {
                return over(
                    span_of(&toks[i..i + len + 1]),
                    &format!("{n} looks a second"),
                );
            }
        }
        if let Some(len) = here(toks, i, "every|each single? frame|millisecond|ms") {
            return over(span_of(&toks[i..i + len]), "Looking at every frame");
        }
        if let Some(len) = here(toks, i, "every|each")
            && let Some((d, n)) = duration(toks, i + len)
            && d < FLOOR
        {
            return over(span_of(&toks[i..i + len + n]), &format!("A look every {d}"));
        }
    }
    Ok(())
}

fn two_times(
    old: Option<Seconds>,
    new: Seconds,
    span: [usize; 2],
) -> Result<Option<Seconds>, Refusal> {
    match old {
        Some(old) if old != new => Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("Two different times are given: {old} and {new}."),
        )
        .offer("Keep one of them.")
        .at(span)),
        _ => Ok(Some(new)),
    }
}

/// Takes the window out: "within 10 minutes", "per hour", "in the last hour".
pub(crate) fn window(toks: &mut Vec<Tok>) -> Result<Option<Seconds>, Refusal> {
    let mut found = None;
    let mut i = 0;
    while i < toks.len() {
        let lead = all_matches(
            toks,
            &[
                "within any?|the? last|past?",
                "within the? space|course of",
                "in the? space of",
                "in any?|under|the? last|past?",
                "in less than",
                "over the last|past",
                "over a period of",
                "over any?",
                "during any|the? last|past?",
                "inside of",
                "inside",
                "per",
                "each",
                "every",
                "in a period of",
                "within a period of",
            ],
            i,
        );
        if let Some(len) = lead {
            let unit = |t: &Tok| super::number::unit_millis(&t.text).filter(|_| t.text.len() > 1);
            let one = toks
                .get(i + len)
                .and_then(unit)
                .map(|ms| (Seconds::from_millis(ms as u64), 1));
            let over = toks[i].is("over") && i > 0 && toks[i - 1].any(&["for", "of", "than"]);
            // "within a hour", "per hour", "in the last hour"
            if let Some((d, n)) = duration(toks, i + len).or(one)
                && !over
            {
                let bare = here(toks, i + len + n, "window|period|interval").unwrap_or(0);
                found = two_times(found, d, span_of(&toks[i..i + len + n]))?;
                take(toks, i, i + len + n + bare);
            }
        } else if i > 0
            && toks[i].any(&["a", "an"])
            && toks
                .get(i + 1)
                .is_some_and(|t| t.any(&["minute", "hour", "day"]))
            && !toks[i - 1].any(&[
                "for", "of", "than", "once", "half", "about", "almost", "after", "lasts", "least",
                "over", "quarter", "and", "to", "takes", "nearly",
            ])
        {
            // "more than 20 cars an hour"
            let ms = super::number::unit_millis(&toks[i + 1].text).unwrap_or_default();
            found = two_times(
                found,
                Seconds::from_millis(ms as u64),
                span_of(&toks[i..i + 2]),
            )?;
            take(toks, i, i + 2);
        }
        i += 1;
    }
    Ok(found)
}

/// Takes the hold out: "for more than 5 seconds", "longer than 2 min", "lasting
/// half an hour".
pub(crate) fn hold(toks: &mut Vec<Tok>) -> Result<Option<Seconds>, Refusal> {
    let mut found = None;
    let mut i = 0;
    while i < toks.len() {
        if let Some(len) = here(toks, i, "for up|at to|most")
            .or(here(toks, i, "for less|fewer than"))
            .or(here(toks, i, "for no more|longer than"))
            .or(here(toks, i, "for under|max|maximum"))
            && let Some((d, n)) = duration(toks, i + len)
        {
            return Err(Refusal::new(
                RefusalKind::Ambiguous,
                format!("A hold of at most {d} can't be known before it is over."),
            )
            .missing("for_seconds")
            .offer(format!("Say 'for {d}' or 'for at least {d}'."))
            .at(span_of(&toks[i..i + len + n])));
        }
        if let Some(len) = all_matches(
            toks,
            &[
                "for too|very|so|quite? long",
                "for a while",
                "for a long|short while|time",
                "for some|ages time?",
                "for ages",
                "for too much time",
                "for a bit",
                "for a moment",
                "too long",
                "for hours",
                "for minutes",
                "for a few|several|many seconds|minutes|hours",
                "for several|many|some seconds|minutes|hours",
                "longer than usual|normal|expected|necessary|allowed",
            ],
            i,
        ) {
            return Err(
                Refusal::new(RefusalKind::Ambiguous, "It is not said how long that is.")
                    .missing("for_seconds")
                    .offer("Say how long it must last, for example 'for 5 minutes'.")
                    .at(span_of(&toks[i..i + len])),
            );
        }
        let lead = all_matches(
            toks,
            &[
                "for",
                "for a|about|around|roughly|over|approximately",
                "for at least|minimum of?",
                "for a minimum of",
                "for more|longer|greater than",
                "for the last|past",
                "for a full|whole|total|period of?",
                "for a period of",
                "for over",
                "for upwards of",
                "for in excess of",
                "for any",
                "for longer|more than",
                "continuously for",
                "for not less than",
                "for no less than",
            ],
            i,
        );
        let alone = all_matches(
            toks,
            &[
                "longer than",
                ">",
                ">=",
                "more than",
                "over",
                "at least",
                "lasting|lasts|last at? least?",
                "lasting|lasts|last for? more|longer than",
                "lasting|lasts|last over",
                "in excess of",
                "exceeding",
                "exceeds",
                "lasting for at? least?",
                "a minimum of",
                "not less than",
                "no less than",
                "upwards of",
            ],
            i,
        );
        if let Some((d, len, n)) = lead
            .or(alone)
            .and_then(|len| duration(toks, i + len).map(|(d, n)| (d, len, n)))
        {
            // A cooldown or schedule never comes here: they were taken out before.
            let more = here(toks, i + len + n, "or more|longer|over")
                .or(here(
                    toks,
                    i + len + n,
                    "straight|continuously|at? a? stretch|time?",
                ))
                .or(here(toks, i + len + n, "at least|minimum"))
                .or(here(toks, i + len + n, "without interruption|break|pause"))
                .or(here(toks, i + len + n, "in a row"))
                .or(here(toks, i + len + n, "on end"))
                .unwrap_or(0);
            found = two_times(found, d, span_of(&toks[i..i + len + n]))?;
            let from = if i > 0
                && toks[i - 1].any(&["continuously", "lasting", "continually", "constantly"])
            {
                i - 1
            } else {
                i
            };
            take(toks, from, i + len + n + more);
            i = from;
        } else if let Some((d, n)) = duration(toks, i)
            && let Some(more) = here(toks, i + n, "or more|longer|over")
                .or(here(toks, i + n, "straight|continuously|long"))
                .or(here(toks, i + n, "at least"))
                .or(here(toks, i + n, "in a row"))
        {
            found = two_times(found, d, span_of(&toks[i..i + n]))?;
            take(toks, i, i + n + more);
        }
        i += 1;
    }
    if found.is_some_and(|d| d.as_millis() > 0 && d.as_millis() < 3 * FLOOR.as_millis()) {
        let d = found.unwrap_or_default();
        return Err(Refusal::new(
            RefusalKind::OverBudget,
            format!("A hold of {d} needs three looks, and at least {FLOOR} lie between two looks."),
        )
        .offer("Ask for a hold of 0.6 s or longer, or for none."));
    }
    Ok(found)
}
