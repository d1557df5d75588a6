//! Times that no weekly schedule holds (dates, seasons, hours that only the
//! user knows), and words that say "always".

use super::clock::part;
use super::days::day;
use super::hours::unclear;
use super::number::{duration, small_number, unit_millis};
use super::pattern::{Pattern, any_of, here, longest, patterns};
use super::token::{Tok, take};
use super::words::{COPULAS, PREPOSITIONS, STRUCTURE};
use crate::Refusal;
use crate::lexicon::{Lexicon, lexicon};

#[rustfmt::skip]
const MONTHS: &Lexicon = lexicon![
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep",
    "sept", "oct", "nov", "dec",
];

/// Hours that only the people of the place know.
#[rustfmt::skip]
const HOURS: &[Pattern] = patterns![
    "during|outside|in|after|before|within|out|at|except|beyond of? the|our|my|normal|regular|usual|official? opening|office|business|working|school|closing|work|shop|store|visiting|trading|service|lunch|peak|rush|core|operating|banking|duty|dinner|quiet|nap|bed|term hours|hour|time|times",
    "opening|office|business|working|trading hours", "out of hours", "off hours", "off-hours",
    "after|before|between hours", "after|before work|school|closing|opening|close|class|lunch|dinner|breakfast",
    "during|at|over lunch|lunchtime|breakfast|dinner|dinnertime|bedtime|naptime|mealtimes",
    "during|in|at the? rush|break|breaks|recess|class|classes|lessons|shift|playtime|handover|peak",
    "during the? day|night|early|late shift|shifts",
    "when|while|once we are|have closed|shut|open|away|out",
    "in the small|early|late hours", "in the middle of the night", "at any odd hour",
];
/// Days that no week has.
#[rustfmt::skip]
const DATES: &[Pattern] = patterns![
    "today|tonight|tomorrow|yesterday|tonite", "the day after tomorrow",
    "this|next|last|coming week|weekend|month|year|morning|afternoon|evening|night",
    "the next|coming|following week|weekend|month|day|days|weeks|months|night|nights",
    "in|during|over|throughout|until|since the? summer|winter|autumn|wintertime|summertime|summers|winters",
    "in|during|over|throughout the? spring|fall",
    "on|during|over|at|in|except|outside|and the? public|bank|school|national|summer|winter? holidays",
    "on|during|over|at|except|and the? public|bank|school|national holiday",
    "on|at|over|during|until|before|after|except the? christmas|xmas|easter|thanksgiving|halloween|ramadan|hanukkah|diwali",
    "on|at|over new year's|years eve|day?", "every|each other|second|third day|night|week|weekend|month|year",
    "every|each month|week|year|quarter|fortnight", "weekly|monthly|yearly|fortnightly",
    "on alternate|odd|even days|nights|weeks", "at|by|until|before|towards the? month's? month|year|week end",
    "in term time", "on school|match|market|race|game days|nights|day",
    "at|in the? full|new moon", "until further notice", "for the rest of the day|night|week|month|year",
    "in the next|coming days|weeks|months", "at the start|end|beginning of the day|week|month|year|shift",
];

fn thing(toks: &[Tok], i: usize) -> bool {
    toks.get(i).is_some_and(|t| {
        t.word && !t.any(STRUCTURE) && !t.any(PREPOSITIONS) && !t.any(COPULAS) && day(t).is_none()
    })
}

/// "3rd", "24th", "first".
fn ordinal(t: &Tok) -> bool {
    let digits = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|s| t.text.strip_suffix(s))
        .is_some_and(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_digit()));
    digits
        || t.any(&[
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "last",
            "final",
            "penultimate",
        ])
}

/// A date at `i`: "3 May", "May 3rd", "in March", "on 24/12", "on the 3rd".
fn date(toks: &[Tok], i: usize) -> Option<usize> {
    let t = toks.get(i)?;
    let number = |at: usize| {
        toks.get(at).is_some_and(|t| {
            (t.text.starts_with(|c: char| c.is_ascii_digit()) && ordinal(t))
                || small_number(&t.text).is_some_and(|n| {
                    n >= 1.0 && n.fract() == 0.0 && (n <= 31.0 || (1990.0..2100.0).contains(&n))
                })
        })
    };
    let month = |at: usize| toks.get(at).is_some_and(|t| t.any(MONTHS));
    // "3 May", "3rd of May"; "3 may enter" is a verb.
    if number(i) {
        let of = here!(toks, i + 1, "of").unwrap_or(0);
        // "no one may be in the stockroom"
        let allows = here!(toks, i + 1, "may be|not|only|never|have").is_some();
        // "3 may enter", "one may be": verbs.
        let verb = toks
            .get(i + 1)
            .is_some_and(|t| t.any(&["may", "march"]) && !t.starts_upper());
        if month(i + 1 + of)
            && !allows
            && (of > 0 || !verb && (!thing(toks, i + 2) || toks[i + 1].starts_upper()))
        {
            return Some(2 + of);
        }
    }
    if month(i) && number(i + 1) && (!t.is("may") || t.starts_upper()) && !thing(toks, i + 2) {
        return Some(2);
    }
    let lead = any_of!(
        toks,
        i,
        [
            "in|during|until|till|since|by|throughout|through|every|each|before|after|from",
            "in|since|until early|late|mid",
        ]
    );
    if let Some(n) = lead
        && month(i + n)
        && !(toks[i + n].is("may") && toks[i].any(&["every", "each", "before", "after", "by"]))
        && !(toks[i + n].is("march") && toks[i].any(&["after", "through", "by", "every", "each"]))
        && !(toks[i + n].text.len() < 4 && thing(toks, i + n + 1))
    {
        return Some(n + 1);
    }
    let on = here!(toks, i, "on|until|till|from|since|before|after")?;
    let the = here!(toks, i + on, "the").unwrap_or(0);
    let at = i + on + the;
    // "on 24/12", "until 2026-12-24"
    if number(at) && here!(toks, at + 1, "/|-").is_some() && number(at + 2) && toks[i].is("on") {
        return Some(on + the + 3);
    }
    let nth = toks.get(at).is_some_and(ordinal);
    if nth && toks.get(at + 1).and_then(day).is_some() {
        return Some(on + the + 2);
    }
    let digits = toks
        .get(at)
        .is_some_and(|t| t.text.starts_with(|c: char| c.is_ascii_digit()));
    if nth && the > 0 && digits && !thing(toks, at + 1) {
        return Some(on + the + 1);
    }
    if nth && here!(toks, at + 1, "of the|each|every? month|year").is_some() {
        return Some(on + the + 2);
    }
    None
}

/// Refuses times that a weekly schedule can't hold or that are not said.
pub(crate) fn refuse(toks: &[Tok]) -> Result<(), Refusal> {
    for i in 0..toks.len() {
        if let Some(n) = longest(toks, i, HOURS) {
            // "the office hours sign", "at the service desk": things.
            let names = thing(toks, i + n)
                && !toks[i + n].any(&["only", "daily", "weekdays"])
                && toks[i..i + n].iter().any(|t| {
                    t.any(&[
                        "opening", "office", "business", "working", "trading", "the", "our",
                    ])
                });
            if !names {
                return Err(unclear(
                    "The camera does not know which hours these are.",
                    "Say them as times, for example 'from 08:00 to 18:00'.",
                    &toks[i..i + n],
                ));
            }
        }
        let other_day = here!(toks, i, "every|each|on? other|second|third|fourth")
            .filter(|n| {
                toks.get(i + n).and_then(day).is_some()
                    && toks[i..i + n].iter().any(|t| !t.is("on"))
            })
            .map(|n| n + 1);
        let this_day = here!(toks, i, "this|next|last|coming")
            .filter(|n| toks.get(i + n).and_then(day).is_some())
            .map(|n| n + 1);
        // "from Monday": on which day does it end?
        let one_day = here!(toks, i, "since|until|till|by|after|before|from")
            .filter(|n| {
                let end = i + n + 1;
                let glue =
                    here!(toks, end, "to|-|until|till|through|thru|and|or|,|up|only").is_some();
                toks.get(i + n).and_then(day).is_some()
                    && !(i > 0 && day(&toks[i - 1]).is_some())
                    && !glue
                    && part(toks, end).is_none()
                    && super::clock::time(toks, end).is_none()
                    && !toks
                        .get(end)
                        .is_some_and(|t| t.any(&["at", "from", "between"]))
            })
            .map(|n| n + 1);
        let ahead = here!(
            toks,
            i,
            "for|over|during|in|within the? next|coming|following"
        )
        .and_then(|n| duration(toks, i + n).map(|(_, m)| n + m));
        // "the last hour" is a window; "last night" and "next Monday" are dates.
        let date = longest(toks, i, DATES)
            .or(other_day)
            .or(this_day)
            .or(one_day)
            .or(ahead)
            .or_else(|| date(toks, i));
        // "in the winter garden"
        let place = date.is_some_and(|n| {
            toks.get(i + n).is_some_and(|t| {
                t.any(&[
                    "garden", "house", "terrace", "market", "kitchen", "camp", "palace",
                    "pavilion", "room", "pool", "stage", "coat", "coats",
                ])
            })
        });
        if let Some(n) = date.filter(|_| !place) {
            return Err(unclear(
                "A schedule repeats every week; it has no dates.",
                "Name days of the week and times, and change the rule when the date has passed.",
                &toks[i..i + n],
            ));
        }
    }
    Ok(())
}

/// Takes out what says "always": it is so without a schedule.
pub(crate) fn take_always(toks: &mut Vec<Tok>) {
    let mut i = 0;
    while i < toks.len() {
        let held = i > 0
            && toks[i - 1].any(&[
                "for", "within", "in", "per", "every", "than", "last", "past", "least", "over",
                "to", "-", "and",
            ]);
        let found = any_of!(
            toks,
            i,
            [
                "24 / 7",
                "24 hours|h a|per day",
                "24h a|per day",
                "7|seven days a|per week",
                "24 hours a|per day , 7|seven days a|per week",
                "24 hours a|per day and? 7|seven days a|per week",
                "twenty-four seven",
                "all? round|around the clock",
                "at all hours|times",
                "at any time of the? day or night",
                "at any time|hour of the? day|night",
                "at any time|hour",
                "at any time day or night",
                "day and|or night",
                "night and|or day",
                "all day and|or night long?",
                "all day and all night",
                "all day every day",
                "all day long?",
                "all the time",
                "all week|year long|round?",
                "all week|year",
                "the whole day|time|week",
                "year round",
                "year-round",
                "from now on",
                "non-stop",
                "round-the-clock",
            ]
        )
        .filter(|n| {
            !held && (here!(toks, i, "at any time").is_none() || !thing_or_article(toks, i + n))
        });
        if let Some(n) = found {
            take(toks, i, i + n);
        }
        i += 1;
    }
}

fn thing_or_article(toks: &[Tok], i: usize) -> bool {
    part(toks, i).is_some()
        || toks.get(i).is_some_and(|t| {
            t.any(&[
                "a", "an", "the", "any", "someone", "somebody", "anyone", "anybody",
            ]) || unit_millis(&t.text).is_some()
        })
}
