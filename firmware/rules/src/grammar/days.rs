//! Days of the week: names, ranges, lists, and all but some.

use super::clock::{part, time};
use super::pattern::{any_of, here};
use super::token::Tok;
use crate::Day;

/// Days as they stand in the sentence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Days {
    /// `None` is every day.
    pub list: Option<Vec<Day>>,
    /// Tokens.
    pub len: usize,
    /// "Every night", "each morning": what follows is a part of the day.
    pub rest: Rest,
}

/// What must follow the days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rest {
    Open,
    Part,
}

pub(crate) fn day(t: &Tok) -> Option<Day> {
    let s = t.text.trim_end_matches("'s");
    let s = if s.len() > 4 {
        s.strip_suffix('s').unwrap_or(s)
    } else {
        s
    };
    Some(match s {
        "mon" | "mons" | "monday" => Day::Mon,
        "tue" | "tues" | "tuesday" => Day::Tue,
        "wed" | "weds" | "wednesday" => Day::Wed,
        "thu" | "thur" | "thurs" | "thursday" => Day::Thu,
        "fri" | "fris" | "friday" => Day::Fri,
        "sat" | "sats" | "saturday" => Day::Sat,
        "sun" | "suns" | "sunday" => Day::Sun,
        _ => return None,
    })
}

/// Short names that are words of their own: "the dog sat", "in the sun".
fn doubtful(t: &Tok) -> bool {
    t.any(&["sun", "suns", "sat", "mon", "wed", "weds"])
}

/// From `first` to `last`, over the end of the week if need be.
fn through(first: Day, last: Day) -> Vec<Day> {
    let days = 1 + (last.index() + 7 - first.index()) % 7;
    (0..days)
        .map(|n| Day::ALL[(first.index() + n) % 7])
        .collect()
}

/// A day name, or a name for several, at `i`.
fn named(toks: &[Tok], i: usize) -> Option<(Vec<Day>, usize)> {
    let t = toks.get(i)?;
    if t.any(&["weekday", "weekdays", "workday", "workdays"]) {
        return Some((Day::ALL[..5].to_vec(), 1));
    }
    if t.any(&["weekend", "weekends"]) {
        return Some((Day::ALL[5..].to_vec(), 1));
    }
    if let Some(n) = here!(toks, i, "working|work|week day|days") {
        return Some((Day::ALL[..5].to_vec(), n));
    }
    let first = day(t)?;
    let dot = |at: usize| usize::from(toks.get(at).is_some_and(|t| t.is(".")) && t.text.len() < 5);
    let end = i + 1;
    // "from Friday to Monday"
    let skip = if toks.get(end + dot(end)).is_some_and(|t| t.is("-")) {
        dot(end)
    } else {
        0
    };
    if let Some(glue) = any_of!(
        toks,
        end + skip,
        [
            "-|to|till|til|until|through|thru",
            "up to",
            "up? until",
            "through to",
        ]
    ) && let Some(last) = toks.get(end + skip + glue).and_then(day)
    {
        return Some((through(first, last), 1 + skip + glue + 1));
    }
    Some((vec![first], 1))
}

/// Whether the word at `i` may be what a day names: "Sunday market".
pub(crate) fn thing(toks: &[Tok], i: usize) -> bool {
    use super::words::{ARTICLES, PREPOSITIONS, STRUCTURE, UNIVERSAL};
    toks.get(i).is_some_and(|t| {
        t.word
            && !t.any(STRUCTURE)
            && !t.any(PREPOSITIONS)
            && !t.any(ARTICLES)
            && !t.any(UNIVERSAL)
            && !crate::noun::is_plural(&t.text)
            && !t.any(&[
                "flag", "ping", "watch", "report", "count", "show", "check", "look", "daily",
            ])
            && time(toks, i).is_none()
            && part(toks, i).is_none()
    })
}

/// Whether a doubtful name at `i` is a day here: nothing but a time, a mark, a
/// gap or a word of structure follows.
fn stands_alone(toks: &[Tok], end: usize) -> bool {
    match toks.get(end) {
        None => true,
        Some(t) if !t.word => true,
        Some(t) => {
            time(toks, end).is_some()
                || part(toks, end).is_some()
                || t.any(&[
                    "from", "between", "at", "after", "before", "if", "when", "whenever", "alert",
                    "tell", "notify", "let", "warn", "only", "and", "or", "until", "till",
                    "please",
                ])
        }
    }
}

/// The days at `i`.
pub(crate) fn days(toks: &[Tok], i: usize) -> Option<Days> {
    let only = here!(toks, i, "only|just").unwrap_or(0);
    let lead = any_of!(
        toks,
        i + only,
        [
            "on|at|during|over|from|between|of",
            "on|during|from only",
            "for|in|through|throughout the",
        ]
    )
    .unwrap_or(0);
    let each = any_of!(
        toks,
        i + only + lead,
        [
            "every|each|all|any|the|a",
            "every single",
            "all of the",
            "all the",
        ]
    )
    .unwrap_or(0);
    let before = only + lead + each;
    let at = i + before;
    let first = toks.get(at)?;
    let said = each > 0 && toks[at - each].any(&["every", "each", "all", "any"]);
    if said && here!(toks, at, "day|days").is_some() && only == 0 {
        let long = here!(toks, at + 1, "of the week").unwrap_or(0);
        let all = here!(toks, i, "on|for|during? all day|days").is_some();
        // "all day" says nothing; "any day now" is no schedule.
        return (here!(toks, at + 1, "now").is_none() || all).then_some(Days {
            list: None,
            len: before + 1 + long,
            rest: Rest::Open,
        });
    }
    if first.is("daily") && before == 0 {
        return Some(Days {
            list: None,
            len: 1,
            rest: Rest::Open,
        });
    }
    // "every night", "each morning", "nightly"
    if said && toks[at - each].any(&["every", "each"]) && part(toks, at).is_some() {
        return Some(Days {
            list: None,
            len: before,
            rest: Rest::Part,
        });
    }
    let (mut list, mut n) = named(toks, at)?;
    // "between Monday and Friday"
    if lead > 0
        && toks[i + only].is("between")
        && here!(toks, at + n, "and").is_some()
        && let ([from], Some(to)) = (list.as_slice(), toks.get(at + n + 1).and_then(day))
    {
        list = through(*from, to);
        n += 2;
    }
    let mut end = at + n;
    let single = n == 1;
    loop {
        let comma = usize::from(toks.get(end).is_some_and(|t| t.is(",")));
        let and = comma
            + usize::from(
                (toks.get(end + comma)).is_some_and(|t| t.any(&["and", "or", "&", "/", "+"])),
            );
        let on = and
            + here!(toks, end + and, "on|at|during? the|every|all?")
                .filter(|_| and > 0)
                .unwrap_or(0);
        let next = [on, and]
            .into_iter()
            .find_map(|skip| named(toks, end + skip).map(|(d, n)| (d, skip + n)));
        match next {
            // A comma alone joins no doubtful name to what is not a list.
            Some((more, n)) if and > 0 => {
                list.extend(more);
                end += n;
            }
            _ => break,
        }
    }
    if single && end == at + 1 && doubtful(first) {
        let led = (lead > 0
            && !toks[i + only..i + only + lead]
                .iter()
                .any(|t| t.any(&["from", "between", "of", "over", "the"])))
            || (each > 0 && toks[at - each].any(&["every", "each"]));
        let article = each > 0 && toks[at - each].any(&["the", "a", "all", "any"]);
        let gap = i == 0 || !toks[i - 1].word;
        if article
            || !stands_alone(toks, end)
            || !(led || (gap && end < toks.len() && first.starts_upper()))
        {
            return None;
        }
    }
    // "a Sunday market", "the Friday prayer" name things.
    let named_thing = before == 0
        && (i > 0 && toks[i - 1].any(super::words::ARTICLES)
            || single && !first.text.ends_with('s') && list.len() == 1 && thing(toks, end));
    if named_thing {
        return None;
    }
    let the = toks[i..at].iter().any(|t| t.any(&["the", "a"]));
    if the && single && thing(toks, end) {
        return None;
    }
    let article_only = lead == 0 && each > 0 && !said && list.len() == 1;
    if article_only
        || (lead > 0 && toks[i + only].any(&["of", "between"]) && single && list.len() == 1)
    {
        return None;
    }
    end += here!(toks, end, "only").unwrap_or(0);
    list.sort();
    list.dedup();
    Some(Days {
        list: Some(list),
        len: end - i,
        rest: Rest::Open,
    })
}

/// All days but these.
pub(crate) fn but(days: &[Day], not: &[Day]) -> Vec<Day> {
    days.iter().filter(|d| !not.contains(d)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    fn read(text: &str) -> Option<(String, usize)> {
        days(&tokenise(text), 0).map(|d| {
            let list = d.list.unwrap_or_default();
            let names: Vec<String> = list.iter().map(|d| d.name()[..2].to_lowercase()).collect();
            (names.join(" "), d.len)
        })
    }

    #[test]
    fn ranges_lists_and_plurals() {
        for (text, list) in [
            ("on Mondays", "mo"),
            ("Mon-Fri", "mo tu we th fr"),
            ("from Friday to Monday", "mo fr sa su"),
            ("Mon, Wed and Fri", "mo we fr"),
            ("between Monday and Friday", "mo tu we th fr"),
            ("Tue/Thu", "tu th"),
            ("Mon-Thu and Sat", "mo tu we th sa"),
            ("weekdays and Saturdays", "mo tu we th fr sa"),
            ("every Sunday", "su"),
            ("on Sat", "sa"),
            ("at weekends", "sa su"),
            ("on weekdays only", "mo tu we th fr"),
            ("every day", ""),
        ] {
            let toks = tokenise(text).len();
            assert_eq!(read(text), Some((list.to_owned(), toks)), "{text}");
        }
    }

    #[test]
    fn words_that_look_like_days() {
        for text in [
            "sat on the sofa",
            "sun lounger",
            "the sun",
            "wed couple",
            "in the sun",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
