//! Schedules: which days, and from when to when.

use super::clock::{Said, Time, part, settle, time};
use super::dates;
use super::days::{Rest, but, day, days, thing};
use super::number::{duration, number, unit_millis};
use super::pattern::{any_of, here, patterns, stands};
use super::token::{Tok, span_of, take};
use super::words::{ARTICLES, FIXTURES, PLACES, PREPOSITIONS, STRUCTURE, UNIVERSAL};
use crate::lexicon::{Lexicon, lexicon};
use crate::{Day, Refusal, RefusalKind, Schedule, TimeOfDay};

type Span = (Option<TimeOfDay>, Option<TimeOfDay>);
type Found = Option<Result<(Span, usize), Refusal>>;

/// Refuses a time that no schedule can hold, or that is not said.
pub(crate) fn unclear(why: &str, offer: &str, toks: &[Tok]) -> Refusal {
    Refusal::new(RefusalKind::Ambiguous, why)
        .missing("schedule")
        .offer(offer)
        .at(span_of(toks))
}

fn am_or_pm(toks: &[Tok]) -> Refusal {
    unclear(
        "It is not clear whether these hours are am or pm.",
        "Write them as 09:00 to 17:00, or 9am to 5pm.",
        toks,
    )
}

/// Whether a thing follows at `i`, so that the number before it counts things.
fn thing_follows(toks: &[Tok], i: usize) -> bool {
    toks.get(i).is_some_and(|t| {
        unit_millis(&t.text).is_some()
            || t.word
                && !t.any(STRUCTURE)
                && !t.any(PREPOSITIONS)
                && !t.any(ARTICLES)
                && !t.any(UNIVERSAL)
                && !t.any(&[
                    "flag", "ping", "inform", "watch", "report", "count", "text", "email",
                    "weekdays", "weekends", "daily", "show", "check", "keep", "look", "give",
                    "nobody", "local",
                ])
                && day(t).is_none()
    })
}

/// "from 9pm to 6am", "between 8 and 11 pm", "9am-5pm".
fn range(toks: &[Tok], i: usize, after_day: bool) -> Found {
    let lead = any_of!(
        toks,
        i,
        [
            "between|from|during|at",
            "between|from|during|in the hours of|between|from?",
            "the hours of|between|from?",
            "starting|beginning from|at?",
        ]
    )
    .unwrap_or(0);
    let a = time(toks, i + lead)?;
    let mid = i + lead + a.len;
    let glue = any_of!(
        toks,
        mid,
        [
            ",? to|till|until|til|through|thru",
            "-",
            "and",
            "up to|until|till",
            "and? ending|ends at",
            "all the way to",
        ]
    )?;
    let between = lead > 0 && toks[i..i + lead].iter().any(|t| t.any(&["between", "of"]));
    if toks[mid].is("and") && glue == 1 && !between {
        return None;
    }
    let b = time(toks, mid + glue)?;
    let end = mid + glue + b.len;
    let boundary = i == 0 || !toks[i - 1].word;
    let led = lead > 0 && (toks[i].any(&["from", "starting", "beginning"]) || boundary && between);
    if !(a.marked || b.marked)
        && (thing_follows(toks, end) || !(led || after_day || days(toks, end).is_some()))
    {
        return None;
    }
    // "20:15 to 3 people": the number after a time counts things.
    if !b.marked && thing_follows(toks, end) {
        return None;
    }
    let zone = here!(toks, end, "local time")
        .or(here!(toks, end, "only"))
        .unwrap_or(0);
    let Some((a, b)) = settle(a.said, b.said, (&toks[i + lead], &toks[mid + glue])) else {
        return Some(Err(am_or_pm(&toks[i..end])));
    };
    Some(Ok(((Some(a), Some(b)), end + zone - i)))
}

/// "at night", "in the mornings", "during daylight hours", "after dark".
fn part_of_day(toks: &[Tok], i: usize, after_day: bool) -> Found {
    use TimeOfDay::{Clock, Sunrise, Sunset};
    let only = here!(toks, i, "only|just").unwrap_or(0);
    let night = (Some(Clock(1320)), Some(Clock(360)));
    let sunlight = (Some(Sunrise), Some(Sunset));
    let dark = (Some(Sunset), Some(Sunrise));
    for (found, span) in [
        (
            any_of!(
                toks,
                i + only,
                [
                    "overnight",
                    "nightly",
                    "all night long?",
                    "by night",
                    "during the? night shift?",
                ]
            ),
            night,
        ),
        (
            any_of!(
                toks,
                i + only,
                [
                    "after dark|nightfall",
                    "when|while|once it is|gets dark",
                    "when|while dark",
                    "after it gets|is dark",
                ]
            ),
            dark,
        ),
        (
            any_of!(
                toks,
                i + only,
                [
                    "by day",
                    "during the day",
                    "in the day",
                    "when|while it is light|bright outside?",
                ]
            ),
            sunlight,
        ),
    ] {
        if let Some(n) = found
            && !toks[i + only..i + only + n].iter().any(|t| t.is("shift"))
            && !toks.get(i + only + n).is_some_and(|t| t.any(NAMES))
        {
            let more = here!(toks, i + only + n, "only").unwrap_or(0);
            return Some(Ok((span, only + n + more)));
        }
    }
    let lead = any_of!(
        toks,
        i + only,
        [
            "in|during|at|by|over|through|throughout|on|for",
            "in|during|through|throughout|over|on|of|for the|every|each|an",
            "all",
        ]
    )
    .unwrap_or(0);
    let at = i + only + lead;
    if lead == 0 && !after_day {
        // "person yard night": a telegram, without any article.
        let telegram = toks[i..].iter().filter(|t| t.word).count() == 1
            && i > 1
            && (toks[i - 1].any(PLACES) || toks[i - 1].any(FIXTURES))
            && toks[0].any(&["person", "people"])
            && toks[..i].iter().all(|t| {
                !t.any(ARTICLES) && !t.any(PREPOSITIONS) && !t.any(STRUCTURE) && !t.any(UNIVERSAL)
            });
        if telegram && let Some((span, n)) = part(toks, i) {
            return Some(Ok(((Some(span.0), Some(span.1)), n)));
        }
        // "mornings on weekdays"
        let bare = part(toks, at).filter(|(_, n)| {
            toks[at].text.ends_with('s')
                && here!(toks, at + n, "on|of").is_some()
                && days(toks, at + n).is_some_and(|d| d.list.is_some())
        });
        let (span, n) = bare?;
        return Some(Ok(((Some(span.0), Some(span.1)), only + n)));
    }
    // "early in the morning", "late at night", "in the early evening"
    const EDGE: &str = "early|late|mid|middle";
    if here!(toks, at, EDGE).is_some() && part(toks, at + 1).is_some() {
        return Some(Err(not_said(&toks[i..at + 2])));
    }
    let (span, n) = part(toks, at)?;
    if toks.get(at + n).is_some_and(|t| t.any(NAMES)) {
        return None;
    }
    // "in the night shop": a name.
    if toks[i..at].iter().any(|t| t.is("the")) && thing(toks, at + n) {
        return None;
    }
    if i > 0 && here!(toks, i - 1, EDGE).is_some() {
        return Some(Err(not_said(&toks[i - 1..at + n])));
    }
    let list = here!(toks, at + n, "and|or|,|to|till|until the?").unwrap_or(0);
    if list > 0 && part(toks, at + n + list).is_some() {
        return Some(Err(two(&toks[i..at + n + list + 1])));
    }
    let more = here!(toks, at + n, "only|long|time").unwrap_or(0);
    Some(Ok(((Some(span.0), Some(span.1)), only + lead + n + more)))
}

/// What a part of the day may name: "the morning room".
#[rustfmt::skip]
const NAMES: &Lexicon = lexicon![
    "room", "rooms", "shift", "shifts", "class", "classes", "bus", "train", "club", "nurse",
    "watchman", "porter", "light", "lights", "vision", "guard", "market", "school", "nursery",
    "centre", "center", "care", "staff", "glory", "star", "bell", "desk", "entrance",
];

fn not_said(toks: &[Tok]) -> Refusal {
    unclear(
        "The camera does not know which hours these are.",
        "Say them as times, for example 'from 08:00 to 18:00'.",
        toks,
    )
}

fn two(toks: &[Tok]) -> Refusal {
    unclear(
        "Two schedules are given; a rule has one.",
        "Make two rules, one for each.",
        toks,
    )
}

/// "after 10pm", "until 7am", "from 9pm onwards", "not before 8am".
fn open_ended(toks: &[Tok], i: usize) -> Found {
    let only = here!(toks, i, "only|just").unwrap_or(0);
    let starts = any_of!(
        toks,
        i + only,
        [
            "after|from|past",
            "later than",
            "starting|beginning at|from|after?",
            "as of|from",
            "not before",
            "not|no earlier than",
            "anytime|any after",
            "any time after|from",
        ]
    );
    let ends = any_of!(
        toks,
        i + only,
        [
            "before|until|till|til",
            "up until|till|to",
            "ending|stopping at|before?",
            "earlier than",
            "prior to",
            "not after",
            "not|no later than",
            "any time before|until",
        ]
    );
    // "at the till 9-17", "if till 4 is": the thing, not the word for until.
    let noun = here!(toks, i, "till").is_some()
        && (i == 0
            || toks[i - 1].any(ARTICLES)
            || toks[i - 1].any(PREPOSITIONS)
            || toks[i - 1].any(STRUCTURE))
        && !time(toks, i + 1).is_some_and(|t| t.marked);
    let (lead, is_start) = match (starts, ends.filter(|_| !noun)) {
        (Some(s), e) if e.is_none_or(|e| s >= e) => (s, true),
        (_, Some(e)) => (e, false),
        _ => return onwards(toks, i),
    };
    let at = i + only + lead;
    let t = time(toks, at)?;
    let end = at + t.len;
    let word = toks[at - 1].text.as_str();
    // "from 8 to 12 cars" counts.
    let ranges = here!(toks, end, "to|-|or|and").is_some_and(|n| number(toks, end + n).is_some());
    if !t.marked
        && (ranges || thing_follows(toks, end) || matches!(word, "past" | "to" | "than" | "as"))
    {
        return None;
    }
    let said = match t.said {
        Said::Sure(t) => t,
        Said::Day(m) => TimeOfDay::Clock(m),
        // "8:30" on a clock face is written on the 24-hour clock.
        Said::Face(m) if toks[at].text.contains(':') => {
            TimeOfDay::Clock(if m < 60 { m + 720 } else { m })
        }
        Said::Face(_) => return Some(Err(am_or_pm(&toks[i..end]))),
    };
    let more = here!(toks, end, "on|onwards|onward")
        .filter(|_| is_start && !(toks[end].is("on") && thing_or_day(toks, end + 1)))
        .or(here!(toks, end, "or|and later|after").filter(|_| is_start))
        .or(here!(toks, end, "or|and earlier|before").filter(|_| !is_start))
        .or(here!(toks, end, "only"))
        .unwrap_or(0);
    let span = if is_start {
        (Some(said), None)
    } else {
        (None, Some(said))
    };
    Some(Ok((span, end + more - i)))
}

fn thing_or_day(toks: &[Tok], i: usize) -> bool {
    toks.get(i)
        .is_some_and(|t| t.any(ARTICLES) || t.any(UNIVERSAL) || day(t).is_some() || t.word)
}

/// "9pm onwards", "22:00 or later"; "at 10pm" is a moment.
fn onwards(toks: &[Tok], i: usize) -> Found {
    let sure = |t: &Time| match t.said {
        Said::Sure(t) => Some(t),
        Said::Day(m) if t.marked => Some(TimeOfDay::Clock(m)),
        _ => None,
    };
    if let Some(t) = time(toks, i)
        && let Some(n) = here!(toks, i + t.len, "onwards|onward").or(here!(
            toks,
            i + t.len,
            "or|and later|after|onwards"
        ))
        && let Some(at) = sure(&t)
    {
        return Some(Ok(((Some(at), None), t.len + n)));
    }
    let lead = any_of!(
        toks,
        i,
        [
            "at|by|around|about|circa",
            "at about|around|exactly|precisely",
            "exactly at",
        ]
    )?;
    let t = time(toks, i + lead).filter(|t| t.marked)?;
    Some(Err(unclear(
        "This is a moment; a schedule lasts from one time to another.",
        "Say from when to when, for example 'from 22:00 to 22:15'.",
        &toks[i..i + lead + t.len],
    )))
}

/// "an hour before sunset", "30 minutes after midnight".
fn shifted(toks: &[Tok], i: usize) -> Option<Refusal> {
    let (_, n) = duration(toks, i)?;
    let glue = here!(toks, i + n, "before|after|past|until|till|to")?;
    // "open for 10 minutes after 8pm": a hold, and a schedule.
    if i > 0
        && toks[i - 1].any(&[
            "for", "than", "least", "over", "within", "every", "per", "most", ">",
        ])
    {
        return None;
    }
    let t = time(toks, i + n + glue).filter(|t| t.marked)?;
    Some(unclear(
        "A schedule starts and ends at times, not some time before or after one.",
        "Say the time itself, for example 'from 21:30'.",
        &toks[i..i + n + glue + t.len],
    ))
}

/// "from Friday 6pm to Monday 6am": one span over several days.
fn several_days(toks: &[Tok], i: usize) -> Option<Refusal> {
    let lead = here!(toks, i, "from|between").unwrap_or(0);
    let clock = |at: usize| {
        let skip = here!(toks, at, "at|,|in the?").unwrap_or(0);
        let found = time(toks, at + skip)
            .filter(|t| t.marked)
            .map(|t| t.len)
            .or(part(toks, at + skip).map(|p| p.1));
        found.map(|n| n + skip)
    };
    let name = |at: usize| {
        let on = here!(toks, at, "on").unwrap_or(0);
        toks.get(at + on).and_then(day).map(|_| on + 1)
    };
    let at = i + lead;
    // DAY TIME … or TIME DAY …
    let first = match name(at).and_then(|n| clock(at + n).map(|m| n + m)) {
        Some(n) => n,
        None => clock(at).and_then(|n| name(at + n).map(|m| n + m))?,
    };
    let glue = here!(toks, at + first, "to|until|till|through|-|and")?;
    let next = at + first + glue;
    let second = name(next).or_else(|| clock(next).and_then(|n| name(next + n).map(|m| n + m)))?;
    // "Saturday nights and Sunday" is a list, not a span.
    (!toks[at + first].is("and") || lead > 0 && toks[i].is("between")).then(|| {
        unclear(
            "A schedule has the same hours on each of its days; this is one span over several days.",
            "Make one rule for each part, for example 'on Fridays after 18:00' and 'on Saturdays'.",
            &toks[i..next + second],
        )
    })
}

/// The hours at `i`.
fn hours(toks: &[Tok], i: usize, after_day: bool) -> Found {
    range(toks, i, after_day)
        .or_else(|| part_of_day(toks, i, after_day))
        .or_else(|| open_ended(toks, i))
}

fn other_way(span: Span) -> Span {
    match span {
        (Some(a), Some(b)) => (Some(b), Some(a)),
        (a, b) => (b, a),
    }
}

/// "except on Sundays", "outside 8am to 6pm": the length of the exception's
/// lead at `i`. "Outside" before anything but a time is a place.
fn exception(toks: &[Tok], i: usize) -> Option<usize> {
    let not = any_of!(
        toks,
        i,
        [
            ",|( except|excluding|excepting for?",
            "except|excluding|excepting|save|besides for?",
            "other than",
            "apart from",
            ",? but not",
            "with the exception of",
        ]
    );
    if not.is_some() {
        return not;
    }
    let outside = any_of!(
        toks,
        i,
        ["outside of?", "outside of? the hours of|between|from?"]
    );
    if let Some(n) = outside
        && (time(toks, i + n).is_some_and(|_| range(toks, i + n, true).is_some())
            || (toks[i + n..].first()).is_some_and(|t| t.any(&["daylight", "daytime"])))
    {
        return Some(n);
    }
    // "every day but Sunday", ", not on Sundays"
    let free = i == 0 || !toks[i - 1].word;
    here!(toks, i, "but|not|never|bar").filter(|n| {
        free && !toks[i].is("but") && here!(toks, i + n, "on|at|between|during|in|from").is_some()
            || i > 0 && toks[i - 1].is_gap() && toks[i].any(&["but", "bar"])
    })
}

/// What was found so far.
#[derive(Default)]
struct Finding {
    days: Option<Option<Vec<Day>>>,
    not: Vec<Day>,
    span: Span,
    hours: bool,
}

impl Finding {
    fn add_days(&mut self, list: Option<Vec<Day>>, toks: &[Tok]) -> Result<(), Refusal> {
        match &self.days {
            Some(old) if *old != list && old.is_some() && list.is_some() => return Err(two(toks)),
            Some(Some(_)) => {}
            _ => self.days = Some(list),
        }
        Ok(())
    }

    fn add_hours(&mut self, span: Span, toks: &[Tok]) -> Result<(), Refusal> {
        if let (Some(TimeOfDay::Clock(0)), Some(TimeOfDay::Clock(0))) = span
            && toks.iter().any(|t| t.text.starts_with("24"))
        {
            // "from 00:00 to 24:00"
            return Ok(());
        }
        let merged = match (self.span, span) {
            _ if !self.hours => span,
            // "after 6pm and before 10pm", "before 6am or after 10pm"
            ((Some(a), None), (None, Some(b))) | ((None, Some(b)), (Some(a), None)) => {
                (Some(a), Some(b))
            }
            (old, new) if old == new => old,
            _ => return Err(two(toks)),
        };
        if merged.0.is_some() && merged.0 == merged.1 {
            return Err(Refusal::new(
                RefusalKind::Contradictory,
                "The schedule ends when it starts.",
            )
            .offer("Give two different times, or none for the whole day.")
            .at(span_of(toks)));
        }
        (self.span, self.hours) = (merged, true);
        Ok(())
    }

    fn schedule(self, whole: [usize; 2]) -> Result<Option<Schedule>, Refusal> {
        let mut list = self.days.flatten();
        if !self.not.is_empty() {
            let left = but(list.as_deref().unwrap_or(&Day::ALL), &self.not);
            if left.is_empty() {
                return Err(Refusal::new(
                    RefusalKind::Contradictory,
                    "No day is left on which it could watch.",
                )
                .offer("Name the days on which it shall watch.")
                .at(whole));
            }
            list = Some(left);
        }
        let list = list.filter(|l| l.len() < 7);
        let (start, end) = self.span;
        Ok(
            (list.is_some() || start.is_some() || end.is_some()).then_some(Schedule {
                days: list,
                start,
                end,
            }),
        )
    }
}

/// Takes out `from..to`, with the "and" that joins it to a gap before it, and
/// with an "it is" around it: "if it is after 10pm and a person …".
fn take_joined(toks: &mut Vec<Tok>, from: usize, to: usize) -> usize {
    let it_is = (2..=3).filter(|n| from >= *n).find(|n| {
        patterns!["and? it is", "and? only? if it is"]
            .iter()
            .any(|p| stands(toks, from - n, p) == Some(*n))
    });
    if let Some(mut n) = it_is {
        n += usize::from(n == 2 && from > 2 && toks[from - 3].any(&["and", "while"]));
        let and = here!(toks, to, ",? and").unwrap_or(0);
        take(toks, from - n, to + and);
        toks[from - n].raw = "\u{0}".into();
        return from - n;
    }
    let joins = from > 1
        && toks[from - 1].any(&["and", "or", ",", "but"])
        && toks[from - 2].is_gap()
        && !toks[from - 2].raw.is_empty();
    let from = if joins { from - 1 } else { from };
    take(toks, from, to);
    // A schedule's gap: what joins to it may be taken with it.
    toks[from].raw = "\u{0}".into();
    from
}

/// Takes the schedule out of the sentence.
pub(crate) fn extract(toks: &mut Vec<Tok>) -> Result<Option<Schedule>, Refusal> {
    // "Mon. to Fri.": their dots end no sentence.
    let mut i = 1;
    while i < toks.len() {
        if toks[i].is(".") && toks[i - 1].text.len() < 6 && day(&toks[i - 1]).is_some() {
            toks.remove(i);
        }
        i += 1;
    }
    dates::refuse(toks)?;
    dates::take_always(toks);
    let mut found = Finding::default();
    let mut whole = [0, 0];
    let mut part_next = false;
    // Where the gap of the days before is: "Friday | nights".
    let mut day_gap = None;
    let mut i = 0;
    while i < toks.len() {
        if let Some(refusal) = several_days(toks, i).or_else(|| shifted(toks, i)) {
            return Err(refusal);
        }
        let not = exception(toks, i);
        let at = i + not.unwrap_or(0);
        let after_day = not.is_none() && i > 0 && day_gap == Some(i - 1);
        if let Some(d) = days(toks, at).filter(|d| d.rest == Rest::Open) {
            let span = toks[i..at + d.len].to_vec();
            whole = span_of(&span);
            if not.is_some() {
                // "except on Sundays from 9 to 5pm": neither days nor hours.
                let part = hours(toks, at + d.len, true).is_some();
                let Some(list) = d.list.filter(|_| !part) else {
                    return Err(unclear(
                        "An exception of some hours on some days can't be kept by one schedule.",
                        "Make two rules, one for each.",
                        &span,
                    ));
                };
                found.not.extend(list);
            } else {
                found.add_days(d.list, &span)?;
            }
            i = take_joined(toks, i, at + d.len);
            day_gap = Some(i);
        } else if let Some(d) = days(toks, at).filter(|_| not.is_none()) {
            // "every night": the part of the day comes next.
            take(toks, at, at + d.len);
            day_gap = Some(at);
            part_next = true;
        } else if let Some(span) = hours(toks, at, after_day || part_next || not.is_some()) {
            let (span, len) = span?;
            part_next = false;
            let words = toks[i..at + len].to_vec();
            whole = span_of(&words);
            found.add_hours(if not.is_some() { other_way(span) } else { span }, &words)?;
            i = take_joined(toks, i, at + len);
        }
        i += 1;
    }
    for t in toks.iter_mut().filter(|t| t.is_gap()) {
        t.raw.clear();
    }
    found.schedule(whole)
}
