//! How often to alert: cool-downs, reminders, and one alert a visit.

use super::dedup::{until, visit};
use super::number::{duration, number, unit_millis};
use super::pattern::{Pattern, any_of, here, longest, patterns};
use super::quiet::quiet;
use super::repeat::several;
use super::token::{Tok, span_of, take};
use crate::lexicon::{Lexicon, lexicon};
use crate::{Dedup, Refusal, RefusalKind, Seconds};

/// What is sent, as a pattern.
macro_rules! alert {
    () => {
        "alert|alerts|alarm|alarms|message|messages|notification|notifications|warning|warnings|email|emails|text|texts|ping|pings|reminder|push"
    };
}
/// Verbs of telling, as a pattern.
macro_rules! tell {
    () => {
        "alert|tell|notify|warn|bother|message|ping|disturb|inform|text|email|remind|nag|repeat|pester|trigger|fire|contact|call|spam|annoy"
    };
}
pub(crate) use {alert, tell};

/// "at most", "no more than": what bounds how often.
pub(crate) const BOUND: &[Pattern] = patterns![
    "at most",
    "at the most",
    "at the very most",
    "no|not|never more than",
    "no|not|never more often|frequently than",
    "max|maximum|maximally of?",
    "a|the maximum of",
    "up to",
    "only|just",
    "limited to",
    "limit alerts|notifications|messages|it|this|them|yourself|alerting to",
];

/// "per hour", "every 10 minutes", "a day", "in any hour", "/h": the time, and
/// how many tokens.
fn every(toks: &[Tok], i: usize) -> Option<(Seconds, usize)> {
    let lead = any_of!(
        toks,
        i,
        [
            "every|per|in|within|each|/",
            "for every",
            "every|each single",
            "in|within|for any|each|every|the? space|course|span of?",
            "in|within any|each|every|one?",
        ]
    )
    .unwrap_or(0);
    let article = toks.get(i + lead).is_some_and(|t| t.any(&["a", "an"]));
    if (lead > 0 || article)
        && let Some((d, len)) = duration(toks, i + lead)
    {
        let window = here!(toks, i + lead + len, "window|period|interval").unwrap_or(0);
        return Some((d, lead + len + window));
    }
    // "10 min" without a lead: "once 10 minutes" is no time.
    let unit = toks.get(i + lead).filter(|_| lead > 0)?;
    let slash = toks[i].is("/");
    let ms = unit_millis(&unit.text)?;
    let whole = slash || (unit.text.len() > 2 && !unit.text.ends_with('s'));
    whole.then_some((Seconds::from_millis(ms as u64), lead + 1))
}

/// "hourly", "daily" as a time.
fn adverb(toks: &[Tok], i: usize) -> Option<Seconds> {
    Some(match toks.get(i)?.text.as_str() {
        "hourly" => Seconds::new(3600),
        "daily" => Seconds::new(86_400),
        "weekly" => Seconds::new(604_800),
        _ => return None,
    })
}

pub(crate) fn one_alert(toks: &[Tok], i: usize) -> Option<usize> {
    const NOUN: &str = concat!("one|1|a|an single? ", alert!());
    const SINGLE: &str = concat!("single ", alert!());
    any_of!(
        toks,
        i,
        ["once", "one time", "1 time|x", "1x", NOUN, SINGLE]
    )
}

pub(crate) fn missing(toks: &[Tok]) -> Refusal {
    Refusal::new(
        RefusalKind::Ambiguous,
        "It is not said how long to wait from one alert to the next.",
    )
    .missing("cooldown_seconds")
    .offer("Say it with a unit, for example 'at most once every 10 minutes'.")
    .at(span_of(toks))
}

/// A time without a number or a unit: "for a bit", "every so often", "20".
pub(crate) fn no_time(toks: &[Tok], i: usize) -> Option<usize> {
    let vague = any_of!(
        toks,
        i,
        [
            "in|every|once a|so while|often",
            "in a while",
            "every once in a while",
            "every now and then|again",
            "for? a|some? bit|while|moment|time",
            "every few|couple|several of? seconds|minutes|hours|days",
            "for? a few|several seconds|minutes|hours|days",
            "now and then|again",
        ]
    );
    if vague.is_some() {
        return vague;
    }
    let lead = here!(toks, i, "every|per|in|within|for|of|:|is").unwrap_or(0);
    let (_, n) = number(toks, i + lead)?;
    let open = toks.get(i + lead + n).is_none_or(|t| {
        !t.word || t.any(&["if", "when", "whenever", "and", "please", "tell", "alert"])
    });
    open.then_some(lead + n)
}

/// "at most once an hour", "not more often than every 5 minutes", "one alert
/// per hour".
fn often(toks: &[Tok], i: usize, free: bool) -> Option<Result<(Seconds, usize), Refusal>> {
    const TELL: &str = concat!("do not ", tell!(), " me|us? again? more|often than");
    const TELL_OFTEN: &str = concat!("do not ", tell!(), " me|us? more often|frequently than");
    let bound = longest(toks, i, BOUND)
        .or_else(|| any_of!(toks, i, [TELL, TELL_OFTEN]))
        .unwrap_or(0);
    let at = i + bound;
    let alerts = toks[i..at]
        .iter()
        .any(|t| t.any(&["often", "frequently", "limit", "limited"]))
        || here!(toks, i, "do not").is_some();
    // "at most 3 times an hour": one cool-down can't keep it.
    if let Some((n, len)) = several(toks, at)
        && (bound > 0 && !toks[i].any(&["only", "just"])
            || (free && !toks[at + len - 1].any(&["times", "twice"])))
        && let Some((d, m)) = every(toks, at + len)
    {
        let share = Seconds::from_millis(d.as_millis() / n.max(1));
        return Some(Err(Refusal::new(
            RefusalKind::Ambiguous,
            format!("'{n} in {d}' leaves open how far apart they may be."),
        )
        .missing("cooldown_seconds")
        .offer(format!("Say 'at most once every {share}'."))
        .at(span_of(&toks[i..at + len + m]))));
    }
    // "limit alerts to one per hour"
    let one = here!(toks, at, "one|1").filter(|n| bound > 0 && every(toks, at + n).is_some());
    let count = one_alert(toks, at).or(one);
    // "at most hourly", "no more often than daily", "hourly at most"
    let tail = any_of!(
        toks,
        at + 1,
        ["at most", "at the very? most", "max|maximum"]
    );
    if let Some(d) = adverb(toks, at)
        && (bound > 0 || tail.is_some())
    {
        return Some(Ok((d, bound + 1 + tail.unwrap_or(0))));
    }
    let alert_noun = count.is_some_and(|n| !toks[at].is("once") && n > 1);
    if let Some(n) = count
        && let Some((d, m)) = every(toks, at + n)
    {
        let end = at + n + m;
        let tail = any_of!(
            toks,
            end,
            [
                "at most",
                "at the very? most",
                "maximum|max|only|tops",
                "or less",
                "is enough|plenty|fine",
            ]
        );
        let told = i > 0 && toks[i - 1].any(&["me", "us", "alert", "notify"]);
        // "once an hour" may say how often a thing happens; "one alert" and
        // "at most" can't.
        if bound > 0
            || tail.is_some()
            || (free && alert_noun)
            || told
            || free && toks[at].is("once")
        {
            return Some(Ok((d, end + tail.unwrap_or(0) - i)));
        }
        return None;
    }
    let bare = bound > 0 && !toks[i].any(&["only", "just", "up"]);
    if bare
        && count.is_none()
        && toks
            .get(at)
            .is_some_and(|t| t.any(&["every", "once", "each", "per"]))
        && let Some((d, m)) = every(toks, at)
    {
        return Some(Ok((d, bound + m)));
    }
    let at = at + count.unwrap_or(0);
    let said = bare && (count.is_some() || alerts) || (count.is_some() && alert_noun && free);
    if said && let Some(n) = no_time(toks, at) {
        return Some(Err(missing(&toks[i..at + n])));
    }
    if let Some(n) = any_of!(
        toks,
        i,
        [
            "but? not too|that|so|very often|frequently",
            "not all the time",
        ]
    )
    .filter(|_| free || toks[i].is("but"))
    {
        return Some(Err(missing(&toks[i..i + n])));
    }
    unsaid(toks, i).map(Err)
}

/// What can't be told: "don't spam me", "tell me only once".
fn unsaid(toks: &[Tok], i: usize) -> Option<Refusal> {
    let ends = |at: usize| {
        toks.get(at)
            .is_none_or(|t| !t.word || t.any(&["if", "when", "whenever"]))
    };
    let spam = here!(
        toks,
        i,
        "do not spam|annoy|bother|pester|flood|overwhelm|disturb|bombard me|us|anyone?"
    );
    if let Some(n) = spam.filter(|n| ends(i + n)) {
        return Some(missing(&toks[i..i + n]));
    }
    // "tell me only once": ever, or each time it happens?
    let once = any_of!(
        toks,
        i,
        [
            "only|just once",
            "only|just a|one|1 single? alert|message|notification|warning|email|text",
            "a|one|1 single? alert|message|notification only",
            "once only",
        ]
    )?;
    ends(i + once).then(|| {
        Refusal::new(
            RefusalKind::Ambiguous,
            "It is not said what there shall be one alert of.",
        )
        .missing("dedup")
        .offer("Say 'once per visit', or 'at most once a day'.")
        .at(span_of(&toks[i..i + once]))
    })
}

/// "remind me every 10 minutes while it lasts", "repeat every hour".
fn reminder(toks: &[Tok], i: usize) -> Option<Result<(Seconds, usize), Refusal>> {
    let remind = any_of!(
        toks,
        i,
        [
            "keep|keeps? remind|reminding|repeat|repeating|nag|nagging|re-alert|alerting|telling me|us|it|the? alert|this? again? about? it?",
            "alert|tell|notify|warn|ping|message me|us? again? about? it?",
            "with? a? reminder|reminders",
            "send a? reminder|reminders to? me?",
            "again",
        ]
    )?;
    let at = i + remind;
    let end = if here!(toks, at, "every|each|once").is_some() {
        let once = here!(toks, at, "once").unwrap_or(0);
        let (d, n) = match every(toks, at + once) {
            Some(found) => found,
            None => {
                let n = no_time(toks, at)?;
                return Some(Err(missing(&toks[i..at + n])));
            }
        };
        (d, at + once + n)
    } else {
        return None;
    };
    let (d, end) = end;
    let tail = any_of!(
        toks,
        end,
        [
            "while it|this|that lasts|continues|persists",
            "while it|this|that goes|holds on",
            "for? as long as it|this|that lasts|continues|persists",
            "after that",
            "thereafter|afterwards",
            "if it lasts|continues|persists|goes on?",
        ]
    )
    .or_else(|| until(toks, end))
    .unwrap_or(0);
    Some(Ok((d, end + tail - i)))
}

/// Words of which every limit has one.
#[rustfmt::skip]
const SIGNS: &Lexicon = lexicon![
    "once", "1", "alone", "peace", "one", "single", "most", "1x", "max", "maximum", "maximally", "limit", "limited",
    "often", "frequently", "hourly", "daily", "weekly", "quiet", "silent", "calm", 
    "cool-down", "cooling-off", "cool", "cooling", "wait", "pause", 
    "mute", "snooze", "silence", "suppress", "ignore", "skip", "repeat", "repeats",
    "repeating", "repetition", "repetitions", "duplicates", "again", "between", "apart", "remind",
    "reminding", "reminder", "reminders", "re-alert", "re-alerting", "nag", "nagging", "first", "further", "alerts", "messages",
    "notifications", "spam", "annoy", "bother", "pester", "flood", "overwhelm", "disturb",
    "bombard", "every", "twice", "interval", 
];

/// Takes the cool-down and "once per visit" out.
pub(crate) fn cooldown(toks: &mut Vec<Tok>) -> Result<(Option<Seconds>, Option<Dedup>), Refusal> {
    let mut cool: Option<Seconds> = None;
    let mut dedup = None;
    // Most sentences say nothing of the kind.
    if !toks.iter().any(|t| t.any(SIGNS)) {
        return Ok((None, None));
    }
    let mut i = 0;
    while i < toks.len() {
        // "…, but then", "(": words that belong to what follows.
        let mark = usize::from(toks[i].any(&[",", ";", "(", "-", "."]));
        let mut lead = mark;
        while let Some(n) = here!(
            toks,
            i + lead,
            "but|and|then|also|please|so|afterwards|with"
        )
        .filter(|n| *n == 1 && lead < 5)
        {
            lead += n;
        }
        lead += here!(toks, i + lead, "only|just")
            .filter(|n| {
                lead > 0 && here!(toks, i + lead + n, "alert|tell|notify|ping|send").is_some()
            })
            .unwrap_or(0);
        const ALERTED: &str = concat!(
            "after|following each|every|an|any|the|that ",
            alert!(),
            " ,|:?"
        );
        lead += any_of!(toks, i + lead, [ALERTED]).unwrap_or(0);
        lead += here!(toks, i + lead, "alert|tell|notify|ping|send me|us?")
            .filter(|n| {
                longest(toks, i + lead + n, BOUND).is_some()
                    || here!(toks, i + lead + n, "once|one|only|just").is_some()
            })
            // The frame's own verb stays: "tell me at most once an hour if".
            .filter(|_| lead > 0)
            .unwrap_or(0);
        let mut hit = None;
        for at in if lead > 0 { vec![i + lead, i] } else { vec![i] } {
            if at >= toks.len() {
                continue;
            }
            let free = lead > 0 && at > i || at == 0 || !toks[at - 1].word;
            if let Some(len) = visit(toks, at, free) {
                dedup = Some(Dedup::PerEpisode);
                hit = Some((at, at + len));
                break;
            }
            let found = often(toks, at, free)
                .or_else(|| reminder(toks, at))
                .or_else(|| quiet(toks, at));
            if let Some(found) = found {
                let (d, len) = found?;
                cool = replace(cool, d, &toks[at..at + len])?;
                hit = Some((at, at + len));
                break;
            }
            if let Some(len) = here!(toks, at, "then every time") {
                cool = replace(cool, Seconds::ZERO, &toks[at..at + len])?;
                hit = Some((at, at + len));
                break;
            }
        }
        if let Some((at, mut to)) = hit {
            // "Remind me every 10 minutes while nobody …": what lasts comes after.
            if toks[..at]
                .iter()
                .all(|t| t.is_gap() || t.any(&["please", ","]))
            {
                let reminded = toks[at..to].iter().any(|t| t.any(&["every", "each"]));
                to += any_of!(toks, to, ["while", "as long as", "for as long as"])
                    .filter(|_| reminded)
                    .unwrap_or(0);
            }
            let close = usize::from(toks.get(to).is_some_and(|t| t.is(")")) && toks[i].is("("));
            let colon = here!(toks, to + close, ":").unwrap_or(0);
            // Only the lead words that belong to it go with it. A reminder's
            // own verb ("alert me every hour if") stays for the frame.
            let mut from = if at > i { i } else { at };
            if at == i && here!(toks, at, "alert|tell|notify|warn|ping|message").is_some() {
                from =
                    at + here!(toks, at, "alert|tell|notify|warn|ping|message me|us?").unwrap_or(0);
            }
            take(toks, from, to + close + colon);
            // "once per dog on the lawn" goes on as "for each dog".
            if let Some(t) = toks.get_mut(from + 1).filter(|t| t.is("per")) {
                (t.text, t.raw) = ("for".into(), "for".into());
            }
        }
        i += 1;
    }
    Ok((cool, dedup))
}

fn replace(old: Option<Seconds>, new: Seconds, toks: &[Tok]) -> Result<Option<Seconds>, Refusal> {
    match old {
        Some(old) if old != new => Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("Two different times from one alert to the next are given: {old} and {new}."),
        )
        .offer("Keep one of them.")
        .at(span_of(toks))),
        _ => Ok(Some(new)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    fn read(text: &str) -> Option<(Option<u64>, bool, String)> {
        let mut toks = tokenise(text);
        let (cool, dedup) = cooldown(&mut toks).ok()?;
        let words: Vec<&str> = (toks.iter().filter(|t| !t.is_gap()))
            .map(|t| t.text.as_str())
            .collect();
        Some((
            cool.map(|c| c.as_millis() / 1000),
            dedup.is_some(),
            words.join(" "),
        ))
    }

    #[test]
    fn limits_and_what_they_leave() {
        for (text, cool, rest) in [
            ("x, at most once an hour", 3600, "x"),
            ("x but not more often than every half hour", 1800, "x"),
            ("x, then be quiet for 10 minutes", 600, "x"),
            ("with a 10 minute cooldown, x", 600, ", x"),
            ("x and remind me every 5 min while it lasts", 300, "x"),
            ("tell me at most every 5 minutes if x", 300, "tell me if x"),
            (
                "don't alert me more than once every two hours when x",
                7200,
                "when x",
            ),
            ("x; one alert every 30 minutes at most", 1800, "x"),
            ("x, max 1 alert/hour", 3600, "x"),
            ("after an alert be quiet for 10 minutes: x", 600, "x"),
            ("x and leave at least 5 minutes between alerts", 300, "x"),
        ] {
            assert_eq!(read(text), Some((Some(cool), false, rest.into())), "{text}");
        }
        for text in [
            "x, only once per car",
            "x, one alert per incident",
            "x and don't repeat until it clears",
            "x, only the first time",
            "x, once per visit",
        ] {
            assert_eq!(read(text), Some((None, true, "x".into())), "{text}");
        }
        for text in [
            "for at least 5 minutes",
            "a person waits 5 minutes",
            "more than once an hour",
            "the door opens once an hour",
            "5 minutes after the gate opens",
            "open for 10 minutes then tell me",
            "a 10 minute break",
            "every 5 minutes",
        ] {
            let same = tokenise(text).len();
            let (cool, dedup, rest) = read(text).unwrap_or_default();
            assert_eq!(
                (cool, dedup, rest.split(' ').count()),
                (None, false, same),
                "{text}"
            );
        }
        for text in [
            "x at most once every 20",
            "x, but not too often",
            "x, at most 3 alerts an hour",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
