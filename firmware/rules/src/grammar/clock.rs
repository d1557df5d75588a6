//! Times of the day as people write them: "8 a.m.", "0800", "8.30pm", "22h",
//! "half past eight", "noon", "sunset".

use super::number::small_number;
use super::pattern::{Pattern, here, longest, patterns, stands, table};
use super::token::Tok;
use crate::TimeOfDay;

/// A time as it was said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    /// Said beyond doubt, with am or pm, or by name.
    Sure(TimeOfDay),
    /// On the 24-hour clock: "22:00", "0800", "17".
    Day(u16),
    /// Minutes on a clock face; am or pm is not said.
    Face(u16),
}

/// A time, how many tokens it is, and whether it can be nothing but a time:
/// "8" may count things, "8 o'clock" can't.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Time {
    pub said: Said,
    pub len: usize,
    pub marked: bool,
}

const SUNSET: &[&str] = &["sunset", "dusk", "nightfall", "sundown", "twilight"];
const SUNRISE: &[&str] = &["sunrise", "dawn", "daybreak", "sunup"];

fn minutes(h: u16, m: u16) -> Option<u16> {
    match (h, m) {
        (24, 0) => Some(0),
        (0..24, 0..60) => Some(h * 60 + m),
        _ => None,
    }
}

/// `face` minutes on the clock face, in the half of the day that `pm` says.
fn half(face: u16, pm: bool) -> TimeOfDay {
    TimeOfDay::Clock(face % 720 + if pm { 720 } else { 0 })
}

/// The time at `i`.
pub(crate) fn time(toks: &[Tok], i: usize) -> Option<Time> {
    let t = toks.get(i)?;
    let named = |time: TimeOfDay, len: usize| {
        Some(Time {
            said: Said::Sure(time),
            len,
            marked: true,
        })
    };
    if let Some(len) = here!(toks, i, "12? noon|midday") {
        return named(TimeOfDay::Clock(720), len);
    }
    if let Some(len) = here!(toks, i, "12? midnight") {
        return named(TimeOfDay::Clock(0), len);
    }
    if t.any(SUNSET) {
        return named(TimeOfDay::Sunset, 1);
    }
    if t.any(SUNRISE) {
        return named(TimeOfDay::Sunrise, 1);
    }
    let (face, len, marked) = past(toks, i).or_else(|| hour(toks, i))?;
    Some(settle_half(toks, i, face, len, marked))
}

/// "half past eight", "quarter to six", "ten past 5", "twenty to nine".
fn past(toks: &[Tok], i: usize) -> Option<(Said, usize, bool)> {
    let article = here!(toks, i, "a|at|the").unwrap_or(0);
    let (shift, len) = if let Some(len) = here!(toks, i + article, "half past") {
        (30, article + len)
    } else if let Some(len) = here!(toks, i + article, "quarter past|after") {
        (15, article + len)
    } else if let Some(len) = here!(toks, i + article, "quarter to|before") {
        (-15, article + len)
    } else {
        let n = small_number(&toks.get(i)?.text).filter(|n| [5.0, 10.0, 20.0, 25.0].contains(n))?;
        let minutes = here!(toks, i + 1, "minutes").unwrap_or(0);
        // "five to nine" alone may be a range.
        let word = here!(toks, i + 1 + minutes, "past|to")?;
        let to = toks[i + minutes + word].is("to");
        if to && (minutes == 0 && toks[i].text.starts_with(|c: char| c.is_ascii_digit())) {
            return None;
        }
        if to && n as u16 <= 12 && minutes == 0 {
            return None;
        }
        let n = n as i32;
        (if to { -n } else { n }, 1 + minutes + word)
    };
    let (said, more, _) = hour(toks, i + len)?;
    let add = |m: u16, day: i32| (i32::from(m) + shift).rem_euclid(day) as u16;
    let said = match said {
        Said::Face(m) => Said::Face(add(m, 720)),
        Said::Day(m) => Said::Day(add(m, 1440)),
        Said::Sure(TimeOfDay::Clock(m)) => Said::Sure(TimeOfDay::Clock(add(m, 1440))),
        Said::Sure(_) => return None,
    };
    Some((said, len + more, true))
}

/// What settles which half of the day is meant, and whether it is the second.
const HALVES: &[(Pattern, Option<bool>)] = table![
    ("in the early? morning", Some(false)),
    ("in the afternoon|evening", Some(true)),
    ("at night", None),
    ("in the night", None),
    ("am", Some(false)),
    ("pm", Some(true)),
];

/// What follows the hour and settles it: "8 in the morning", "11 at night".
fn settle_half(toks: &[Tok], i: usize, said: Said, len: usize, marked: bool) -> Time {
    let face = match said {
        Said::Face(m) => Some(m),
        Said::Day(m) if m < 780 => Some(m % 720),
        _ => None,
    };
    let time = |said, len, marked| Time { said, len, marked };
    let Some(face) = face else {
        return time(said, len, marked);
    };
    if let Some(n) = here!(toks, i + len, "noon|midday").filter(|_| face == 0) {
        return time(Said::Sure(TimeOfDay::Clock(720)), len + n, true);
    }
    for (pattern, pm) in HALVES {
        if let Some(n) = stands(toks, i + len, pattern) {
            // "at night" after a small hour is past midnight.
            let pm = pm.unwrap_or((360..720).contains(&face));
            return time(Said::Sure(half(face, pm)), len + n, true);
        }
    }
    time(said, len, marked)
}

/// "8am", "8:30 pm", "22:00", "0800", "18h30", "8 o'clock", "8".
fn hour(toks: &[Tok], i: usize) -> Option<(Said, usize, bool)> {
    let text = toks.get(i)?.text.as_str();
    let stem = ["am", "pm", "hours", "hrs", "h"]
        .iter()
        .find_map(|s| text.strip_suffix(s).filter(|stem| !stem.is_empty()))
        .unwrap_or(text);
    let suffix = &text[stem.len()..];
    // "8", "08:30", "8.30", "0830", "8h30", "eight"
    let split = stem.split_once([':', '.', 'h']);
    let digits = |s: &str| s.chars().all(|c| c.is_ascii_digit()) && !s.is_empty();
    let (h, m, minutes_said) = match split {
        Some((h, m)) if digits(h) && digits(m) && h.len() <= 2 && m.len() == 2 => {
            (h.parse::<u16>().ok()?, m.parse::<u16>().ok()?, true)
        }
        Some(_) if stem.starts_with(|c: char| c.is_ascii_digit()) => return None,
        _ if digits(stem) && stem.len() == 4 => {
            let n = stem.parse::<u16>().ok()?;
            (n / 100, n % 100, true)
        }
        _ => {
            let n = small_number(stem)?;
            (n.fract() == 0.0 && n <= 24.0).then_some((n as u16, 0, false))?
        }
    };
    let minute = minutes(h, m)?;
    let twelve = (1..=12).contains(&h);
    match suffix {
        "am" | "pm" => {
            return twelve.then(|| (Said::Sure(half(minute, suffix == "pm")), 1, true));
        }
        "h" | "hrs" | "hours" => return Some((Said::Day(minute), 1, true)),
        _ => {}
    }
    if minutes_said && stem.contains('h') {
        return Some((Said::Day(minute), 1, true));
    }
    if let Some(n) = here!(toks, i + 1, "am|pm") {
        let pm = toks[i + 1].is("pm");
        return twelve.then(|| (Said::Sure(half(minute, pm)), 1 + n, true));
    }
    let zero = stem.starts_with('0');
    let four = !stem.contains([':', '.']) && minutes_said;
    if let Some(n) = here!(toks, i + 1, "hours|hrs|h").filter(|_| four || stem.contains(':')) {
        return Some((Said::Day(minute), 1 + n, true));
    }
    if let Some(n) = here!(toks, i + 1, "o'clock|oclock") {
        let said = if twelve {
            Said::Face(minute % 720)
        } else {
            Said::Day(minute)
        };
        return Some((said, 1 + n, true));
    }
    let colon = stem.contains(':');
    let said = if zero || !twelve || four {
        Said::Day(minute)
    } else {
        Said::Face(minute % 720)
    };
    // "12" on a clock face is 0; "12:30" is read by its other end.
    // "18.00", "06.30": dots of a 24-hour clock.
    let dotted = stem.contains('.') && (zero || h > 12);
    Some((said, 1, colon || dotted || (zero && four)))
}

/// Both ends of a span, when what is not said can be told from the other end.
pub(crate) fn settle(a: Said, b: Said, written: (&Tok, &Tok)) -> Option<(TimeOfDay, TimeOfDay)> {
    use Said::{Day, Face, Sure};
    let clock = TimeOfDay::Clock;
    // "8" beside "17" is on the same 24-hour clock; a lone 12 there is noon.
    let day = |face: u16| clock(if face < 60 { face + 720 } else { face });
    let near = |m: u16, other: u16, forward: bool| {
        let gap = |c: u16| {
            let (from, to) = if forward { (other, c) } else { (c, other) };
            (to + 1440 - from + 1439) % 1440
        };
        clock(
            [m, m + 720]
                .into_iter()
                .min_by_key(|c| gap(*c))
                .unwrap_or(m),
        )
    };
    match (a, b) {
        (Sure(a), Sure(b)) => Some((a, b)),
        (Sure(a), Day(b)) => Some((a, clock(b))),
        (Day(a), Sure(b)) => Some((clock(a), b)),
        (Day(a), Day(b)) => Some((clock(a), clock(b))),
        // The shortest span that fits: "8 to 11pm" is three hours.
        (Sure(clock_a @ TimeOfDay::Clock(a)), Face(m)) => Some((clock_a, near(m, a, true))),
        (Face(m), Sure(clock_b @ TimeOfDay::Clock(b))) => Some((near(m, b, false), clock_b)),
        // "12:00 to sunset"
        (Face(m), Sure(b)) if written.0.text.contains(':') => Some((day(m), b)),
        (Sure(a), Face(m)) if written.1.text.contains(':') => Some((a, day(m))),
        (Day(a), Face(m)) => Some((clock(a), day(m))),
        (Face(m), Day(b)) => Some((day(m), clock(b))),
        // "10:00 to 11:30" is written on the 24-hour clock; "9:00 to 5:00" is
        // not, and neither are "9 to 5" and "half past 9 to 5".
        (Face(x), Face(y)) => {
            let colons = written.0.text.contains(':') && written.1.text.contains(':');
            let (x, y) = (day(x), day(y));
            let up = matches!((x, y), (clock_x, clock_y) if rank(clock_x) < rank(clock_y));
            (colons && up).then_some((x, y))
        }
        _ => None,
    }
}

fn rank(t: TimeOfDay) -> u16 {
    match t {
        TimeOfDay::Clock(m) => m,
        _ => 0,
    }
}

/// A part of the day by name: the clock's or the sun's.
pub(crate) fn part(toks: &[Tok], i: usize) -> Option<((TimeOfDay, TimeOfDay), usize)> {
    use TimeOfDay::{Clock, Sunrise, Sunset};
    const PARTS: &[((TimeOfDay, TimeOfDay), &[Pattern])] = &[
        ((Clock(360), Clock(720)), patterns!["mornings|morning"]),
        ((Clock(720), Clock(1080)), patterns!["afternoons|afternoon"]),
        ((Clock(1080), Clock(1320)), patterns!["evenings|evening"]),
        (
            (Clock(1320), Clock(360)),
            patterns![
                "nights|night|nighttime|night-time",
                "night time",
                "night hours",
            ],
        ),
        (
            (Sunrise, Sunset),
            patterns![
                "daylight|daytime|day-time",
                "daylight hours",
                "day time",
                "hours of daylight",
            ],
        ),
        (
            (Sunset, Sunrise),
            patterns!["darkness|dark", "hours of darkness"],
        ),
    ];
    PARTS
        .iter()
        .filter_map(|(span, names)| longest(toks, i, names).map(|n| (*span, n)))
        .max_by_key(|(_, n)| *n)
}

#[cfg(test)]
mod tests {
    use super::super::token::tokenise;
    use super::*;

    #[test]
    fn times_in_all_styles() {
        for (text, at) in [
            ("8am", "08:00"),
            ("8 a.m.", "08:00"),
            ("8.30pm", "20:30"),
            ("12am", "00:00"),
            ("12pm", "12:00"),
            ("12 noon", "12:00"),
            ("noon", "12:00"),
            ("midnight", "00:00"),
            ("half past eight in the evening", "20:30"),
            ("quarter to six in the morning", "05:45"),
            ("a quarter past 7 pm", "19:15"),
            ("ten past five pm", "17:10"),
            ("11 at night", "23:00"),
            ("2 at night", "02:00"),
            ("10 o'clock in the evening", "22:00"),
            ("dusk", "sunset"),
        ] {
            let toks = tokenise(text);
            let t = time(&toks, 0).unwrap_or_else(|| panic!("{text}"));
            let Said::Sure(said) = t.said else {
                panic!("{text} is not sure")
            };
            assert_eq!(
                (said.to_string().as_str(), t.len),
                (at, toks.len()),
                "{text}"
            );
        }
        for (text, at) in [
            ("22:00", 1320),
            ("22h", 1320),
            ("0800", 480),
            ("1730 hrs", 1050),
            ("18h30", 1110),
            ("08:30", 510),
            ("24:00", 0),
            ("17", 1020),
        ] {
            let toks = tokenise(text);
            let t = time(&toks, 0).map(|t| (t.said, t.len));
            assert_eq!(t, Some((Said::Day(at), toks.len())), "{text}");
        }
        for text in [
            "25:00",
            "8:75",
            "13pm",
            "8.5",
            "people",
            "three-fold",
            "1000000",
            "0890",
        ] {
            assert_eq!(time(&tokenise(text), 0), None, "{text}");
        }
    }

    #[test]
    fn an_end_settles_the_other() {
        let read = |text: &str| {
            let toks = tokenise(text);
            let a = time(&toks, 0).unwrap_or_else(|| panic!("{text}"));
            let b = time(&toks, a.len + 1).unwrap_or_else(|| panic!("{text}"));
            settle(a.said, b.said, (&toks[0], &toks[a.len + 1])).map(|(a, b)| format!("{a} {b}"))
        };
        for (text, span) in [
            ("8 to 11pm", Some("20:00 23:00")),
            ("9 to 5pm", Some("09:00 17:00")),
            ("9am to 5", Some("09:00 17:00")),
            ("10 to 6am", Some("22:00 06:00")),
            ("8 to 17", Some("08:00 17:00")),
            ("22 to 6", Some("22:00 06:00")),
            ("noon to 3", Some("12:00 15:00")),
            ("10:00 to 11:30", Some("10:00 11:30")),
            ("9 to 12:30", None),
            ("12:00 to 2:00", None),
            ("9:00 to 5:00", None),
            ("9 to 5", None),
            ("one to three", None),
            ("sunset to 11", None),
        ] {
            assert_eq!(read(text).as_deref(), span, "{text}");
        }
    }
}
