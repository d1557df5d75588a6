//! Numbers and lengths of time, in digits and in words.

use super::token::{Tok, here};
use crate::Seconds;

const ONES: &[&str] = &[
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
const TENS: &[&str] = &[
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

/// The largest number that a sentence may name.
pub(crate) const MAX_NUMBER: f64 = 1_000_000.0;

/// A number that is one word: "7", "2.5", "1,000", "seven", "twenty-five".
pub(crate) fn small_number(word: &str) -> Option<f64> {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        let plain = word.replace(',', "");
        let digits = plain.chars().all(|c| c.is_ascii_digit() || c == '.');
        return if digits {
            plain.parse().ok().filter(|n| *n <= MAX_NUMBER)
        } else {
            None
        };
    }
    let at = |table: &[&str], w: &str| table.iter().position(|t| *t == w);
    if let Some(n) = at(ONES, word) {
        return Some(n as f64);
    }
    if let Some(n) = at(TENS, word) {
        return Some((n as f64 + 2.0) * 10.0);
    }
    let (tens, ones) = word.split_once('-')?;
    let (tens, ones) = (at(TENS, tens)?, at(ONES, ones)?);
    (1..10)
        .contains(&ones)
        .then_some((tens as f64 + 2.0) * 10.0 + ones as f64)
}

/// The number at `i` and how many tokens it is. "a" alone is no number.
pub(crate) fn number(toks: &[Tok], i: usize) -> Option<(f64, usize)> {
    for (pattern, n) in [
        ("half a dozen", 6.0),
        ("a half dozen", 6.0),
        ("a|one dozen", 12.0),
        ("a couple of?", 2.0),
        ("a pair of", 2.0),
        ("a|one hundred", 100.0),
        ("a|one thousand", 1000.0),
        ("dozen", 12.0),
    ] {
        if let Some(len) = here(toks, i, pattern) {
            let (more, extra) = tail(toks, i + len, n);
            return Some((more, len + extra));
        }
    }
    let n = small_number(&toks.get(i)?.text)?;
    // "twenty five"
    if TENS.contains(&toks[i].text.as_str())
        && let Some(ones) = toks
            .get(i + 1)
            .and_then(|t| ONES.iter().position(|o| t.is(o)))
        && (1..10).contains(&ones)
    {
        return Some((n + ones as f64, 2));
    }
    for (word, times) in [("dozen", 12.0), ("hundred", 100.0), ("thousand", 1000.0)] {
        if toks.get(i + 1).is_some_and(|t| t.is(word)) {
            let (more, extra) = tail(toks, i + 2, n * times);
            return (more <= MAX_NUMBER).then_some((more, 2 + extra));
        }
    }
    Some((n, 1))
}

/// "… and twenty" after a hundred.
fn tail(toks: &[Tok], i: usize, n: f64) -> (f64, usize) {
    if n < 100.0 {
        return (n, 0);
    }
    let skip = usize::from(toks.get(i).is_some_and(|t| t.is("and")));
    match number(toks, i + skip) {
        Some((m, len)) if m < 100.0 && skip == 1 => (n + m, len + 1),
        _ => (n, 0),
    }
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

fn unit(toks: &[Tok], i: usize) -> Option<f64> {
    let tok = toks.get(i)?;
    // "5 m of the door" is a distance.
    if tok.is("m")
        && toks
            .get(i + 1)
            .is_some_and(|t| t.any(&["of", "from", "away", "high", "long", "wide"]))
    {
        return None;
    }
    unit_millis(&tok.text)
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
    let skip = usize::from(toks.get(i + len).is_some_and(|t| t.is("and")));
    if let Some((second, more)) = one_duration(toks, i + len + skip)
        && second < first
    {
        return Some((millis(first + second)?, len + skip + more));
    }
    Some((millis(first)?, len))
}

fn one_duration(toks: &[Tok], i: usize) -> Option<(f64, usize)> {
    for (pattern, share) in [
        ("half an|a", 0.5),
        ("a half", 0.5),
        ("a? quarter of an|a", 0.25),
        ("a? quarter", 0.25),
        ("three quarters of an|a", 0.75),
        ("three-quarters of an|a", 0.75),
        ("half", 0.5),
    ] {
        if let Some(len) = here(toks, i, pattern)
            && let Some(u) = unit(toks, i + len)
        {
            return Some((share * u, len + 1));
        }
    }
    // "a minute", "an hour and a half"
    if toks.get(i)?.any(&["a", "an"])
        && let Some(u) = unit(toks, i + 1).filter(|_| !toks[i + 1].any(&["s", "m", "h", "ms"]))
    {
        return Some(match here(toks, i + 2, "and a half") {
            Some(n) => (1.5 * u, 2 + n),
            None => (u, 2),
        });
    }
    // "90s", "2min", "1.5h", "1h30"
    let text = &toks[i].text;
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (digits, letters) = text.split_at(split);
    if !digits.is_empty() && !letters.is_empty() {
        let n = small_number(digits)?;
        if let Some(u) = unit_millis(letters) {
            let distance = letters == "m"
                && toks
                    .get(i + 1)
                    .is_some_and(|t| t.any(&["of", "from", "away", "high", "long", "wide"]));
            return (!distance).then_some((n * u, 1));
        }
        let (letters, rest) = letters
            .split_once(|c: char| c.is_ascii_digit())
            .map(|(l, _)| (l, &letters[l.len()..]))?;
        let minutes = small_number(rest.trim_end_matches(|c: char| c.is_ascii_alphabetic()))?;
        let tail = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        return (letters == "h" && minutes < 60.0 && matches!(tail, "" | "m" | "min"))
            .then_some((n * 3_600_000.0 + minutes * 60_000.0, 1));
    }
    let (n, mut len) = number(toks, i)?;
    let mut n = n;
    if let Some(more) = here(toks, i + len, "and a half") {
        n += 0.5;
        len += more;
    }
    if toks
        .get(i + len)
        .is_some_and(|t| t.is("-") || t.is("more") || t.is("full"))
    {
        len += 1;
    }
    let u = unit(toks, i + len)?;
    len += 1;
    if let Some(more) = here(toks, i + len, "and a half") {
        n += 0.5;
        len += more;
    }
    Some((n * u, len))
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
        ] {
            let toks = tokenise(text);
            let (d, len) = duration(&toks, 0).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((d.as_secs_f64(), len), (seconds, toks.len()), "{text}");
        }
        assert_eq!(duration(&tokenise("5 m of the door"), 0), None);
        assert_eq!(duration(&tokenise("5 metres"), 0), None);
    }

    #[test]
    fn numbers() {
        for (text, n) in [
            ("a dozen", 12.0),
            ("two dozen", 24.0),
            ("twenty-five", 25.0),
            ("a hundred and five", 105.0),
            ("1,000", 1000.0),
        ] {
            assert_eq!(number(&tokenise(text), 0).map(|n| n.0), Some(n), "{text}");
        }
    }
}
