//! How long to be quiet after an alert: "cool-down 5 min", "wait 5 minutes
//! between alerts".

use super::cooldown::{alert, missing, no_time, tell};
use super::number::duration;
use super::pattern::any_of;
use super::token::Tok;
use crate::{Refusal, Seconds};

/// "then be quiet for 10 minutes", "cool-down 5 min", "wait 5 minutes between
/// alerts", "don't alert again for an hour".
pub(crate) fn quiet(toks: &[Tok], i: usize) -> Option<Result<(Seconds, usize), Refusal>> {
    const NOT_AGAIN: &str = concat!(
        "do not ",
        tell!(),
        " me|us|it|this|yourself? again? for|within|in|before?"
    );
    const NO_MORE: &str = concat!(
        "no|not more|further|other|another|repeat|new? ",
        alert!(),
        "|repeats|repetition|repetitions for|within|in"
    );
    let calm = any_of!(
        toks,
        i,
        [
            "be|stay|keep|remain|go quiet|silent|calm|still for? at? least?",
            "with a? cool-down|cooling-off|quiet|silence time|period? of|is|:|=?",
            "with? a|an|the? cool-down|cooling-off time|period? of|is|:|=|for?",
            "cool down for|of|:?",
            "cooling off of|:?",
            "mute|snooze|silence|suppress alerts|notifications|it|me|this|them|everything? for",
            "ignore|skip|suppress it|repeats|repetitions|duplicates|further|more|any alerts|ones|repeats? for|within",
            "leave me|us alone|be|in peace? for",
            "not again for|within|before",
            NOT_AGAIN,
            NO_MORE,
            "minimum|min interval|gap|pause|time of? between alerts of|is|:?",
        ]
    );
    let wait = any_of!(
        toks,
        i,
        [
            "wait|pause for? at? least?",
            "leave|allow|keep|have at? least?",
            "leave|allow|keep a? gap|pause|break of at? least?",
            "mute|snooze|silence|pause|suppress alerts|notifications|it|me|this|them|further? for?",
        ]
    );
    let weak = any_of!(
        toks,
        i,
        [
            "with|and a|an|the?",
            "minimum|min",
            "a minimum of",
            "at least",
            "with|and at least",
            "a|an",
        ]
    )
    .unwrap_or(0);
    for (lead, trust) in [(calm, 2), (wait, 1), (Some(weak), 0)] {
        let Some(len) = lead else { continue };
        let at = i + len;
        let Some((d, n)) = duration(toks, at) else {
            if trust == 2
                && let Some(n) = no_time(toks, at)
            {
                return Some(Err(missing(&toks[i..at + n])));
            }
            continue;
        };
        let end = at + n;
        let named = any_of!(
            toks,
            end,
            [
                "-? cool-down|cooldown|cooling-off period|time?",
                "-? cool down period?",
                "-? quiet|silent period|time",
            ]
        );
        let pause = any_of!(toks, end, ["-? pause|gap|break|interval|silence"]);
        let tail = after(toks, end);
        let apart = between(toks, end);
        let found = if let Some(m) = named {
            Some(m + after(toks, end + m).or(between(toks, end + m)).unwrap_or(0))
        } else if let Some(m) = pause
            && let Some(more) = after(toks, end + m).or(between(toks, end + m))
        {
            Some(m + more)
        } else {
            match trust {
                2 => Some(tail.or(apart).unwrap_or(0)),
                // "then pause for 10 minutes"
                1 if i > 0 && toks[i - 1].is("then") => Some(tail.or(apart).unwrap_or(0)),
                1 => tail.or(apart),
                // "5 minutes between alerts" can't be anything else.
                _ => apart,
            }
        };
        if let Some(more) = found {
            return Some(Ok((d, len + n + more)));
        }
    }
    None
}

/// "between alerts", "apart".
fn between(toks: &[Tok], i: usize) -> Option<usize> {
    const ALERTS: &str = concat!(
        "between any|each|the|two|consecutive? ",
        alert!(),
        "|them|repeats"
    );
    any_of!(
        toks,
        i,
        [ALERTS, "in between", "in between alerts", "apart"]
    )
}

/// What follows a time between alerts: "before the next alert", "afterwards".
fn after(toks: &[Tok], i: usize) -> Option<usize> {
    const BEFORE: &str = concat!(
        "before the|another|a|any|sending|raising? next|another|new? ",
        alert!(),
        "|one"
    );
    const AGAIN: &str = concat!(
        "before ",
        tell!(),
        "|alerting|telling|notifying|warning|repeating|sending|reminding me|us|it? again?"
    );
    const MAY: &str = concat!("before you? ", tell!(), " me|us? again");
    const AFTER: &str = concat!("after each|every|an|the|that|any ", alert!());
    any_of!(
        toks,
        i,
        [
            BEFORE,
            AGAIN,
            MAY,
            AFTER,
            "after each|every one|time",
            "afterwards|afterward|again|thereafter",
            "after that",
        ]
    )
}
