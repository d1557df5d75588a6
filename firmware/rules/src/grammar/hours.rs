//! Schedules: days of the week and times of the day.

use super::number::small_number;
use super::token::{Tok, here, span_of, take};
use crate::{Day, Refusal, RefusalKind, Schedule, TimeOfDay};

/// A time as it was said: sure, or an hour that may be am or pm.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Said {
    Sure(TimeOfDay),
    Bare(u16),
}

fn clock(h: u16, m: u16) -> Option<TimeOfDay> {
    match (h, m) {
        (24, 0) => Some(TimeOfDay::Clock(0)),
        (0..24, 0..60) => Some(TimeOfDay::Clock(h * 60 + m)),
        _ => None,
    }
}

fn half_day(h: u16, m: u16, pm: bool) -> Option<TimeOfDay> {
    (1..=12)
        .contains(&h)
        .then(|| clock(h % 12 + if pm { 12 } else { 0 }, m))?
}

/// The time at `i` and how many tokens it is.
fn time(toks: &[Tok], i: usize) -> Option<(Said, usize)> {
    let t = toks.get(i)?;
    let sure = |time: Option<TimeOfDay>, len: usize| time.map(|t| (Said::Sure(t), len));
    match t.text.as_str() {
        "noon" | "midday" => return sure(clock(12, 0), 1),
        "midnight" => return sure(clock(0, 0), 1),
        "sunset" | "dusk" | "nightfall" | "sundown" => {
            return Some((Said::Sure(TimeOfDay::Sunset), 1));
        }
        "sunrise" | "dawn" | "daybreak" | "sunup" => {
            return Some((Said::Sure(TimeOfDay::Sunrise), 1));
        }
        _ => {}
    }
    // half past eight, quarter to nine
    for (pattern, minutes) in [
        ("half past", 30i32),
        ("a? quarter past", 15),
        ("a? quarter to", -15),
    ] {
        if let Some(len) = here(toks, i, pattern)
            && let Some((Said::Bare(h) | Said::Sure(TimeOfDay::Clock(h)), more)) =
                hour(toks, i + len)
        {
            let sure_time = matches!(hour(toks, i + len), Some((Said::Sure(_), _)));
            let base = if sure_time {
                i32::from(h)
            } else {
                i32::from(h) * 60
            };
            let at = (base + minutes).rem_euclid(1440) as u16;
            return if sure_time || h > 12 {
                Some((Said::Sure(TimeOfDay::Clock(at)), len + more))
            } else {
                None
            };
        }
    }
    hour(toks, i)
}

/// "8am", "8 am", "8:30 pm", "22:00", "8 o'clock", "eight in the evening", "8".
fn hour(toks: &[Tok], i: usize) -> Option<(Said, usize)> {
    let t = toks.get(i)?.text.as_str();
    let stem = t
        .trim_end_matches("am")
        .trim_end_matches("pm")
        .trim_end_matches("hrs")
        .trim_end_matches('h');
    let suffix = &t[stem.len()..];
    let (h, m, minutes) = match stem.split_once([':', '.']) {
        Some((h, m)) if m.len() == 2 && !h.is_empty() && h.len() <= 2 => {
            (h.parse::<u16>().ok()?, m.parse::<u16>().ok()?, true)
        }
        Some(_) => return None,
        None => {
            let n = small_number(stem)?;
            (n.fract() == 0.0 && n <= 24.0).then_some((n as u16, 0, false))?
        }
    };
    let sure = |time: Option<TimeOfDay>, len| time.map(|t| (Said::Sure(t), len));
    match suffix {
        "am" => return sure(half_day(h, m, false), 1),
        "pm" => return sure(half_day(h, m, true), 1),
        "h" | "hrs" => return sure(clock(h, m), 1),
        _ => {}
    }
    let next = |n: usize| toks.get(i + n).map_or("", |t| t.text.as_str());
    match next(1) {
        "am" => return sure(half_day(h, m, false), 2),
        "pm" => return sure(half_day(h, m, true), 2),
        _ => {}
    }
    let oclock = usize::from(next(1) == "o'clock");
    for (pattern, pm) in [
        ("in the morning", false),
        ("in the afternoon|evening", true),
        ("at night", true),
    ] {
        if let Some(len) = here(toks, i + 1 + oclock, pattern) {
            // "at night" after a small hour is past midnight.
            let pm = pm && !(pattern == "at night" && h < 6);
            return sure(half_day(h, m, pm), 1 + oclock + len);
        }
    }
    if minutes {
        return if t.contains(':') {
            sure(clock(h, m), 1)
        } else {
            None
        };
    }
    (h <= 24).then_some((
        if h > 12 {
            Said::Sure(clock(h, 0)?)
        } else {
            Said::Bare(h)
        },
        1 + oclock,
    ))
}

/// Settles bare hours by the sure end: the span is the shortest one that fits.
fn settle(a: Said, b: Said) -> Option<(TimeOfDay, TimeOfDay)> {
    let minutes = |t: TimeOfDay| match t {
        TimeOfDay::Clock(m) => Some(m),
        _ => None,
    };
    match (a, b) {
        (Said::Sure(a), Said::Sure(b)) => Some((a, b)),
        (Said::Sure(a), Said::Bare(h)) => {
            let from = minutes(a)?;
            let best = [h % 12 * 60, (h % 12 + 12) * 60]
                .into_iter()
                .min_by_key(|m| (m + 1440 - from - 1) % 1440)?;
            Some((a, TimeOfDay::Clock(best)))
        }
        (Said::Bare(h), Said::Sure(b)) => {
            let to = minutes(b)?;
            let best = [h % 12 * 60, (h % 12 + 12) * 60]
                .into_iter()
                .min_by_key(|m| (to + 1440 - m - 1) % 1440)?;
            Some((TimeOfDay::Clock(best), b))
        }
        (Said::Bare(_), Said::Bare(_)) => None,
    }
}

fn day(t: &Tok) -> Option<Day> {
    let s = t.text.as_str();
    let s = if s.len() > 4 {
        s.strip_suffix('s').unwrap_or(s)
    } else {
        s
    };
    Some(match s {
        "mon" | "monday" => Day::Mon,
        "tue" | "tues" | "tuesday" => Day::Tue,
        "wed" | "wednesday" => Day::Wed,
        "thu" | "thur" | "thurs" | "thursday" => Day::Thu,
        "fri" | "friday" => Day::Fri,
        "sat" | "saturday" => Day::Sat,
        "sun" | "sunday" => Day::Sun,
        _ => return None,
    })
}

/// The days at `i` and how many tokens they are.
fn days(toks: &[Tok], i: usize) -> Option<(Option<Vec<Day>>, usize)> {
    let lead = here(toks, i, "on|at|during|over|every|from").unwrap_or(0);
    let each = here(toks, i + lead, "every|each|all|the").unwrap_or(0);
    let at = i + lead + each;
    let t = toks.get(at)?;
    let named = match t.text.as_str() {
        "weekday" | "weekdays" | "workdays" | "workday" => Some(Day::ALL[..5].to_vec()),
        "weekend" | "weekends" => Some(Day::ALL[5..].to_vec()),
        "working" | "work" | "week"
            if toks.get(at + 1).is_some_and(|t| t.any(&["days", "day"])) =>
        {
            return Some((Some(Day::ALL[..5].to_vec()), lead + each + 2));
        }
        _ => None,
    };
    if let Some(days) = named {
        return Some((Some(days), lead + each + 1));
    }
    if (t.is("day") && (each > 0 || toks[i].is("every"))) || (t.is("daily") && lead + each == 0) {
        return Some((None, lead + each + 1));
    }
    let first = day(t)?;
    // "sun" and "sat" alone may be other words.
    if lead + each == 0
        && t.any(&["sun", "sat", "mon", "wed"])
        && !toks
            .get(at + 1)
            .is_some_and(|t| t.any(&["-", "to", "and", ","]))
    {
        return None;
    }
    if let Some(len) = here(toks, at + 1, "-|to|till|until|through|thru")
        && let Some(last) = toks.get(at + 1 + len).and_then(day)
    {
        let mut list = Vec::new();
        let mut n = first.index();
        loop {
            list.push(Day::ALL[n]);
            if n == last.index() {
                break;
            }
            n = (n + 1) % 7;
        }
        list.sort();
        return Some((Some(list), lead + each + 1 + len + 1));
    }
    let mut list = vec![first];
    let mut end = at + 1;
    loop {
        let comma = usize::from(toks.get(end).is_some_and(|t| t.is(",")));
        let and = comma
            + usize::from(
                toks.get(end + comma)
                    .is_some_and(|t| t.any(&["and", "or", "&"])),
            );
        let on = and + usize::from(and > 0 && toks.get(end + and).is_some_and(|t| t.any(&["on"])));
        match toks.get(end + on).and_then(day) {
            Some(d) if on > 0 => {
                list.push(d);
                end += on + 1;
            }
            _ => break,
        }
    }
    list.sort();
    list.dedup();
    Some((Some(list), end - i))
}

type Span = (Option<TimeOfDay>, Option<TimeOfDay>);

/// The hours at `i` and how many tokens they are.
fn hours(toks: &[Tok], i: usize) -> Option<Result<(Span, usize), Refusal>> {
    let sure = |t: Said| match t {
        Said::Sure(t) => Some(t),
        Said::Bare(_) => None,
    };
    let outside = here(toks, i, "outside of?|except")
        .filter(|n| here(toks, i + n, "between|from").is_some() || time(toks, i + n).is_some());
    let out = outside.unwrap_or(0);
    let open = here(toks, i + out, "between|from|during").unwrap_or(0);
    if let Some((a, n)) = time(toks, i + out + open) {
        let mid = i + out + open + n;
        if let Some(glue) = here(toks, mid, "and|to|till|until|til|-|through")
            && let Some((b, m)) = time(toks, mid + glue)
        {
            let len = out + open + n + glue + m;
            if let Some((a, b)) = settle(a, b) {
                let span = if out > 0 {
                    (Some(b), Some(a))
                } else {
                    (Some(a), Some(b))
                };
                return Some(Ok((span, len)));
            }
            // "from 9 to 5": hours, but which?
            let unit_follows = toks.get(i + len).is_some_and(|t| t.word);
            if toks[i].is("from") && !unit_follows {
                return Some(Err(Refusal::new(
                    RefusalKind::Ambiguous,
                    "It is not clear whether these hours are am or pm.",
                )
                .missing("schedule")
                .offer("Write them as 09:00 to 17:00, or 9am to 5pm.")
                .at(span_of(&toks[i..i + len]))));
            }
            return None;
        }
    }
    for (pattern, span) in [
        ("at night|nighttime", (22, 6)),
        ("during the night", (22, 6)),
        ("overnight", (22, 6)),
        ("in|during the morning|mornings", (6, 12)),
        ("in|during the afternoon|afternoons", (12, 18)),
        ("in|during the evening|evenings", (18, 22)),
    ] {
        if let Some(len) = here(toks, i, pattern) {
            return Some(Ok(((clock(span.0, 0), clock(span.1, 0)), len)));
        }
    }
    let after_day = i > 0 && toks[i - 1].is_gap();
    for (word, span) in [
        ("mornings|morning", (6, 12)),
        ("afternoons|afternoon", (12, 18)),
        ("evenings|evening", (18, 22)),
        ("nights|night", (22, 6)),
    ] {
        if after_day && let Some(len) = here(toks, i, word) {
            return Some(Ok(((clock(span.0, 0), clock(span.1, 0)), len)));
        }
    }
    if let Some(len) = here(toks, i, "after dark")
        .or(here(toks, i, "when it is dark"))
        .or(here(toks, i, "in|during the dark"))
    {
        return Some(Ok((
            (Some(TimeOfDay::Sunset), Some(TimeOfDay::Sunrise)),
            len,
        )));
    }
    if let Some(len) = here(toks, i, "during the day")
        .or(here(toks, i, "in|during daylight"))
        .or(here(toks, i, "in|during the daytime"))
    {
        return Some(Ok((
            (Some(TimeOfDay::Sunrise), Some(TimeOfDay::Sunset)),
            len,
        )));
    }
    for (pattern, is_start) in [("after|from|since", true), ("before|until|till", false)] {
        if let Some(len) = here(toks, i, pattern)
            && let Some((t, n)) = time(toks, i + len)
            && let Some(t) = sure(t)
        {
            let onwards = here(toks, i + len + n, "on|onwards|onward")
                .filter(|_| is_start)
                .unwrap_or(0);
            let span = if is_start {
                (Some(t), None)
            } else {
                (None, Some(t))
            };
            return Some(Ok((span, len + n + onwards)));
        }
    }
    let vague = here(toks, i, "outside|during|in|out|after of? opening|office|business|working|school|closing|work|shop|visiting hours")
        .or(here(toks, i, "after hours|work|school|closing"))
        .or(here(toks, i, "out of hours"))
        .or(here(toks, i, "during lunch|lunchtime|rush|breaks?"));
    if let Some(len) = vague {
        return Some(Err(Refusal::new(
            RefusalKind::Ambiguous,
            "The camera does not know which hours these are.",
        )
        .missing("schedule")
        .offer("Say them as times, for example 'from 08:00 to 18:00'.")
        .at(span_of(&toks[i..i + len]))));
    }
    None
}

/// Takes the schedule out of the sentence.
pub(crate) fn extract(toks: &mut Vec<Tok>) -> Result<Option<Schedule>, Refusal> {
    let mut found: Option<Schedule> = None;
    let mut seen = (false, false);
    let mut i = 0;
    while i < toks.len() {
        let clash = |toks: &[Tok], len: usize| {
            Refusal::new(RefusalKind::Contradictory, "Two schedules are given.")
                .offer("Make two rules, one for each.")
                .at(span_of(&toks[i..i + len]))
        };
        if let Some((list, len)) = days(toks, i) {
            if seen.0 {
                return Err(clash(toks, len));
            }
            seen.0 = true;
            if list.is_some() {
                found.get_or_insert_default().days = list;
            }
            take(toks, i, i + len);
        } else if let Some(span) = hours(toks, i) {
            let ((start, end), len) = span?;
            if seen.1 {
                return Err(clash(toks, len));
            }
            if start.is_some() && start == end {
                return Err(Refusal::new(
                    RefusalKind::Contradictory,
                    "The schedule ends when it starts.",
                )
                .offer("Give two different times, or none for the whole day.")
                .at(span_of(&toks[i..i + len])));
            }
            seen.1 = true;
            let s = found.get_or_insert_default();
            (s.start, s.end) = (start, end);
            take(toks, i, i + len);
        }
        i += 1;
    }
    Ok(found)
}
