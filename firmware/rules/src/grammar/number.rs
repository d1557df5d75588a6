//! Numbers and lengths of time, in digits and in words.

use super::pattern::{Pattern, any_of, here, longest, patterns, stands, table};
use super::token::Tok;
use crate::Seconds;
use crate::lexicon::{Lexicon, lexicon};

const ONES: &Lexicon = lexicon![
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &Lexicon = lexicon![
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

/// The largest number that a sentence may name.
pub(crate) const MAX_NUMBER: f64 = 1_000_000.0;

/// A number that is one word: "7", "2.5", "1,000", "seven", "twenty-five".
pub(crate) fn small_number(word: &str) -> Option<f64> {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        // "1.000" is a thousand in half of Europe.
        if word.split_once('.').is_some_and(|(_, d)| d == "000") {
            return None;
        }
        let plain = word.replace(',', "");
        let digits = plain.chars().all(|c| c.is_ascii_digit() || c == '.');
        return if digits {
            plain.parse().ok().filter(|n| *n <= MAX_NUMBER)
        } else {
            None
        };
    }
    if let Some(n) = ONES.position(word) {
        return Some(n as f64);
    }
    if let Some(n) = TENS.position(word) {
        return Some((n as f64 + 2.0) * 10.0);
    }
    let (tens, ones) = word.split_once('-')?;
    let (tens, ones) = (TENS.position(tens)?, ONES.position(ones)?);
    (1..10)
        .contains(&ones)
        .then_some((tens as f64 + 2.0) * 10.0 + ones as f64)
}

/// Numbers of several words, the first that stands is meant.
const AMOUNTS: &[(Pattern, f64)] = table![
    ("half a? dozen", 6.0),
    ("a half dozen", 6.0),
    ("a|one dozen", 12.0),
    ("a? couple of? dozen", 24.0),
    ("a? couple of", 2.0),
    ("a? pair of", 2.0),
    ("a trio of", 3.0),
    ("a|one hundred", 100.0),
    ("a|one thousand", 1000.0),
    ("a|one million", 1_000_000.0),
    ("dozen", 12.0),
    ("hundred", 100.0),
    ("thousand", 1000.0),
    ("million", 1_000_000.0),
];

/// Words that make numbers and are no things: where they are not part of a
/// number that can be read, they are part of nothing.
const NUMBER_WORDS: &Lexicon = lexicon![
    "dozen",
    "hundred",
    "thousand",
    "million",
    "billion",
    "trillion",
    "dozens",
    "hundreds",
    "thousands",
    "millions",
    "billions",
    "trillions",
];

pub(crate) fn is_number_word(word: &str) -> bool {
    NUMBER_WORDS.contains(word)
}

/// "a couple cars" are two; "a couple", "a couple enters" and "a couple in the
/// hall" are people.
fn bare_couple(toks: &[Tok], i: usize) -> Option<usize> {
    let n = here!(toks, i, "a? couple")?;
    let counted = toks.get(i + n).is_some_and(|t| {
        t.word
            && !t.any(super::words::STRUCTURE)
            && !t.any(super::words::PREPOSITIONS)
            && !t.any(super::words::COPULAS)
            && !t.any(super::words::STATES)
            && super::words::verb(&t.text).is_none()
            || unit_millis(&t.text).is_some()
    });
    (counted || toks.get(i + n).is_some_and(|t| t.is("more"))).then_some(n)
}

/// The number at `i` and how many tokens it is. "a" alone is no number.
pub(crate) fn number(toks: &[Tok], i: usize) -> Option<(f64, usize)> {
    for (pattern, n) in AMOUNTS {
        if let Some(len) = stands(toks, i, pattern) {
            let (more, extra) = tail(toks, i + len, *n);
            return Some((more, len + extra));
        }
    }
    if let Some(len) = bare_couple(toks, i) {
        return Some((2.0, len));
    }
    let n = small_number(&toks.get(i)?.text)?;
    // "twenty five"
    if TENS.contains(toks[i].text.as_str())
        && let Some(ones) = toks.get(i + 1).and_then(|t| ONES.position(&t.text))
        && (1..10).contains(&ones)
    {
        return Some((n + ones as f64, 2));
    }
    for (word, times) in [
        ("dozen", 12.0),
        ("hundred", 100.0),
        ("thousand", 1000.0),
        ("million", 1_000_000.0),
    ] {
        if toks.get(i + 1).is_some_and(|t| t.is(word)) {
            let (more, extra) = tail(toks, i + 2, n * times);
            return (more <= MAX_NUMBER).then_some((more, 2 + extra));
        }
    }
    Some((n, 1))
}

/// "… and twenty", "… twenty" after a hundred or a thousand.
fn tail(toks: &[Tok], i: usize, n: f64) -> (f64, usize) {
    if n < 100.0 {
        return (n, 0);
    }
    let skip = usize::from(toks.get(i).is_some_and(|t| t.is("and")));
    let spelled = (toks.get(i + skip))
        .is_some_and(|t| t.text.starts_with(char::is_alphabetic) && !t.any(&["a", "couple"]));
    match number(toks, i + skip).filter(|_| spelled) {
        Some((m, len)) if m < 100.0 || (m < 1000.0 && n % 1000.0 == 0.0) => (n + m, len + skip),
        _ => (n, 0),
    }
}

/// A share that is one word: "½", or the end of "2½".
fn share(c: char) -> Option<f64> {
    Some(match c {
        '¼' => 0.25,
        '½' => 0.5,
        '¾' => 0.75,
        '⅓' => 1.0 / 3.0,
        '⅔' => 2.0 / 3.0,
        _ => return None,
    })
}

const AND_SHARES: &[(Pattern, f64)] = table![
    ("and a|one half", 0.5),
    ("and a|one quarter", 0.25),
    ("and three quarters", 0.75),
    ("and a|one third", 1.0 / 3.0),
    ("1 / 2", 0.5),
    ("1 / 4", 0.25),
    ("3 / 4", 0.75),
    ("½", 0.5),
    ("¼", 0.25),
    ("¾", 0.75),
];

/// "and a half", "and three quarters": what is added to a number, and how
/// many tokens say it.
pub(crate) fn and_share(toks: &[Tok], i: usize) -> Option<(f64, usize)> {
    AND_SHARES
        .iter()
        .find_map(|(p, n)| stands(toks, i, p).map(|len| (*n, len)))
}

/// The length of a unit of time in milliseconds.
pub(crate) fn unit_millis(word: &str) -> Option<f64> {
    Some(match word {
        "ms" | "millisecond" | "milliseconds" | "msec" => 1.0,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000.0,
        "day" | "days" => 86_400_000.0,
        "week" | "weeks" => 604_800_000.0,
        _ => return None,
    })
}

/// What follows a length in metres, not a time in minutes.
const DISTANCE: &Lexicon = lexicon![
    "of", "from", "away", "high", "long", "wide", "tall", "deep", "apart", "above", "below", "off",
];

/// The unit at `i`. "5 m of the door" is a distance; "a second person", "every
/// second car" count; "the minute hand" is a thing.
fn unit(toks: &[Tok], i: usize) -> Option<f64> {
    let tok = toks.get(i)?;
    let next = toks.get(i + 1);
    if tok.is("m") && next.is_some_and(|t| t.any(DISTANCE)) {
        return None;
    }
    if tok.any(&["second", "minute"]) && next.is_some_and(|t| t.any(&["hand", "hands", "floor"])) {
        return None;
    }
    unit_millis(&tok.text)
}

/// Whether "second" at `i` is an ordinal: a thing follows that it counts.
pub(crate) fn is_ordinal(toks: &[Tok], i: usize) -> bool {
    toks.get(i).is_some_and(|t| t.is("second"))
        && toks.get(i + 1).is_some_and(|t| {
            t.word
                && !t.any(super::words::STRUCTURE)
                && !t.any(super::words::PREPOSITIONS)
                && !t.any(super::words::COPULAS)
                && !t.any(&["straight", "window", "period"])
        })
}

fn millis(ms: f64) -> Option<Seconds> {
    (0.0..=3.2e10)
        .contains(&ms)
        .then(|| Seconds::from_millis(ms.round() as u64))
}

/// The length of time at `i` and how many tokens it is: "2 minutes", "90s",
/// "half a minute", "a quarter of an hour", "an hour and a half", "1 h 30 min".
pub(crate) fn duration(toks: &[Tok], i: usize) -> Option<(Seconds, usize)> {
    let (first, len) = one_duration(toks, i)?;
    let glue = toks.get(i + len).is_some_and(|t| t.any(&["and", ","]));
    let skip = usize::from(glue);
    if let Some((second, more)) = one_duration(toks, i + len + skip)
        && second < first
        // "for an hour, 5 minutes after that": a comma joins digits only.
        && (!toks[i + len..].first().is_some_and(|t| t.is(",")) || more == 2)
    {
        // "1 h 30 min 20 s"
        let (third, last) = one_duration(toks, i + len + skip + more)
            .filter(|(third, _)| *third < second)
            .unwrap_or((0.0, 0));
        return Some((millis(first + second + third)?, len + skip + more + last));
    }
    Some((millis(first)?, len))
}

/// Words before a number of units that do not change it: "a good ten minutes".
const STRESS: &[Pattern] = patterns![
    "a good",
    "a full",
    "a whole",
    "a solid",
    "a total of",
    "a period of",
    "a minimum of",
    "the full",
    "fully",
    "another",
    "a further",
    "a continuous|consecutive",
];
/// The same between the number and its unit: "five consecutive minutes".
const BETWEEN: &[Pattern] = patterns![
    "consecutive",
    "continuous",
    "uninterrupted",
    "straight",
    "full",
    "whole",
    "solid",
    "entire",
    "successive",
    "more",
    "further",
    "complete",
    "+",
    "-",
    "or more",
    "or so",
    "plus",
];

/// Shares that a unit follows: "half a minute".
const SHARES: &[(Pattern, f64)] = table![
    ("half an|a", 0.5),
    ("a half", 0.5),
    ("one half", 0.5),
    ("a|one? quarter of an|a", 0.25),
    ("a|one? quarter", 0.25),
    ("three quarters of an|a", 0.75),
    ("three-quarters of an|a", 0.75),
    ("3 / 4 of? an|a?", 0.75),
    ("1 / 2 an|a?", 0.5),
    ("1 / 4 of? an|a?", 0.25),
    ("a third of an|a", 1.0 / 3.0),
    ("a|one? tenth of an|a", 0.1),
    ("a|one? hundredth of an|a", 0.01),
    ("a|one? thousandth of an|a", 0.001),
    ("half", 0.5),
    ("½ an|a?", 0.5),
    ("¼ of? an|a?", 0.25),
    ("¾ of? an|a?", 0.75),
];

fn one_duration(toks: &[Tok], i: usize) -> Option<(f64, usize)> {
    for (pattern, share) in SHARES {
        if let Some(len) = stands(toks, i, pattern)
            && let Some(u) = unit(toks, i + len)
        {
            return Some((share * u, len + 1));
        }
    }
    // "a minute", "a full minute", "an hour and a half"
    if toks.get(i)?.any(&["a", "an", "one"]) {
        let stress = any_of!(
            toks,
            i + 1,
            ["full|whole|solid|entire|good|complete|single"]
        );
        let at = i + 1 + stress.unwrap_or(0);
        if let Some(u) = unit(toks, at)
            && toks[at].text.len() > 2
            && !is_ordinal(toks, at)
        {
            // "an hour and a quarter of an hour" has its own unit.
            let (more, n) = and_share(toks, at + 1)
                .filter(|(_, n)| !toks.get(at + 1 + n).is_some_and(|t| t.is("of")))
                .unwrap_or((0.0, 0));
            return Some(((1.0 + more) * u, at + 1 + n - i));
        }
    }
    // "a fortnight"
    if let Some(len) = here!(toks, i, "a|one fortnight") {
        return Some((14.0 * 86_400_000.0, len));
    }
    let stress = longest(toks, i, STRESS).unwrap_or(0);
    if let Some(short) = abbreviated(toks, i + stress) {
        return Some((short, 1 + stress));
    }
    let at = i + stress;
    let (mut n, mut len) = match toks.get(at)?.text.chars().last().and_then(share) {
        // "2½"
        Some(part) => {
            let text = &toks[at].text;
            let digits = &text[..text.char_indices().last()?.0];
            (small_number(digits)? + part, 1)
        }
        None => number(toks, at)?,
    };
    if let Some((more, words)) = and_share(toks, at + len) {
        n += more;
        len += words;
    }
    len += longest(toks, at + len, BETWEEN)
        .filter(|words| unit(toks, at + len + words).is_some())
        .unwrap_or(0);
    let u = unit(toks, at + len)?;
    if is_ordinal(toks, at + len) && toks[at + len].is("second") {
        return None;
    }
    len += 1;
    if let Some((more, words)) = and_share(toks, at + len)
        && n.fract() == 0.0
        && !toks.get(at + len + words).is_some_and(|t| t.is("of"))
    {
        n += more;
        len += words;
    }
    Some((n * u, stress + len))
}

/// "90s", "2min", "1.5h", "1h30", "1m30", "2m30s", "1h30m20s" in milliseconds.
fn abbreviated(toks: &[Tok], i: usize) -> Option<f64> {
    let text = toks.get(i)?.text.as_str();
    if !text.starts_with(|c: char| c.is_ascii_digit())
        || !text.contains(|c: char| c.is_ascii_alphabetic())
    {
        return None;
    }
    let (mut rest, mut total, mut last) = (text, 0.0, f64::INFINITY);
    while !rest.is_empty() {
        let split = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(rest.len());
        let n = small_number(&rest[..split])?;
        rest = &rest[split..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let u = match &rest[..end] {
            // The unit below: 1h30 is an hour and 30 minutes.
            "" if last == 3_600_000.0 => 60_000.0,
            "" if last == 60_000.0 => 1000.0,
            unit => unit_millis(unit)?,
        };
        if u >= last || (last.is_finite() && n >= 60.0) {
            return None;
        }
        total += n * u;
        last = u;
        rest = &rest[end..];
    }
    let distance = text.ends_with('m') && toks.get(i + 1).is_some_and(|t| t.any(DISTANCE));
    (!distance).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("2 minutes", 120.0),
            ("90s", 90.0),
            ("half a minute", 30.0),
            ("a quarter of an hour", 900.0),
            ("quarter of an hour", 900.0),
            ("an hour and a half", 5400.0),
            ("one and a half minutes", 90.0),
            ("1 h 30 min", 5400.0),
            ("ten minutes", 600.0),
            ("1h30", 5400.0),
            ("half an hour", 1800.0),
            ("twenty five seconds", 25.0),
            ("five-minute", 300.0),
            ("2 hours and 5 minutes", 7500.0),
            ("0.5 s", 0.5),
            ("a couple of minutes", 120.0),
            ("three quarters of an hour", 2700.0),
            ("250 ms", 0.25),
            ("1m30", 90.0),
            ("1h30m20s", 5420.0),
            ("2½ minutes", 150.0),
            ("½ hour", 1800.0),
            ("1 3/4 hours", 6300.0),
            ("two-and-a-half hours", 9000.0),
            ("half-an-hour", 1800.0),
            ("an hour and a quarter", 4500.0),
            ("an hour and a quarter of an hour", 4500.0),
            ("an hour and twenty minutes", 4800.0),
            ("a good ten minutes", 600.0),
            ("a full minute", 60.0),
            ("five consecutive minutes", 300.0),
            ("10+ minutes", 600.0),
            ("one hour, 5 minutes", 3900.0),
            ("a couple of hours", 7200.0),
        ] {
            let toks = tokenise(text);
            let (d, len) = duration(&toks, 0).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((d.as_secs_f64(), len), (seconds, toks.len()), "{text}");
        }
        assert_eq!(duration(&tokenise("5 m of the door"), 0), None);
        for text in [
            "5 metres",
            "5m from the gate",
            "a second person",
            "1.000 s",
            "1m90",
        ] {
            assert_eq!(duration(&tokenise(text), 0), None, "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, n) in [
            ("a dozen", 12.0),
            ("two dozen", 24.0),
            ("twenty-five", 25.0),
            ("a hundred and five", 105.0),
            ("two hundred fifty", 250.0),
            ("one thousand two hundred", 1200.0),
            ("half a dozen", 6.0),
            ("half-dozen", 6.0),
            ("1,000", 1000.0),
        ] {
            assert_eq!(number(&tokenise(text), 0).map(|n| n.0), Some(n), "{text}");
        }
    }
}
