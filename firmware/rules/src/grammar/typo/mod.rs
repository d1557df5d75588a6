//! Mistyped words of structure. A slip in "minutes" or "more than" would turn
//! a number or a time into part of a thing's name; it is reported with the
//! word that was probably meant, and never put right in silence.
//!
//! Things to watch for are an open vocabulary, so a word is only taken for a
//! slip if it is close to a word of the closed list [`CLOSED`] (or to a usual
//! thing, [`USUAL`]) and is no English word itself ([`real::REAL`]).

mod real;

use super::number::{duration, number, unit_millis};
use super::pattern::here;
use super::token::Tok;
use crate::lexicon::{Lexicon, lexicon};
use crate::{Refusal, RefusalKind};
use real::REAL;

/// Words that carry the structure of a sentence. The usual ones come first:
/// of two that are as close, the first is offered.
#[rustfmt::skip]
const CLOSED: &Lexicon = lexicon![
    "the", "and", "for", "are", "there", "when", "whenever", "while", "with", "without", "within",
    "than", "then", "that", "this", "these", "those", "their", "they", "them", "from", "into",
    "onto", "inside", "outside", "behind", "beside", "between", "near", "next", "under",
    "underneath", "above", "below", "over", "across", "through", "throughout", "towards", "toward",
    "around", "along", "against", "opposite", "front", "middle", "about", "after", "before",
    "during", "until", "unless", "except", "since", "because", "every", "each", "another", "other",
    "only", "just", "more", "less", "fewer", "least", "most", "exactly", "precisely", "exceeds",
    "exceed", "minimum", "maximum", "greater", "longer", "larger", "higher", "lower", "shorter",
    "many", "people", "person", "persons", "someone", "somebody", "something", "anyone", "anybody",
    "anything", "nobody", "nothing", "none", "everyone", "everybody", "everything",
    "three", "four", "five", "seven", "eight", "nine", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty",
    "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "dozen",
    "couple", "half", "quarter", "once", "twice", "times", "time",
    "second", "seconds", "minute", "minutes", "hour", "hours", "days", "week", "weeks",
    "milliseconds", "hourly", "daily",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "mondays",
    "tuesdays", "wednesdays", "thursdays", "fridays", "saturdays", "sundays", "weekday",
    "weekdays", "weekend", "weekends", "morning", "afternoon", "evening", "night", "overnight",
    "midnight", "noon", "sunset", "sunrise", "daylight", "always", "never",
    "alert", "alerts", "notify", "tell", "warn", "inform", "message", "notification", "watch",
    "count", "know", "send", "report", "record", "detect", "please", "should", "would", "could",
    "must", "allowed", "does", "have", "been", "being", "isn't", "aren't", "doesn't", "hasn't",
    "don't", "where", "which", "whose", "also", "again", "still",
    "critical", "urgent", "warning", "emergency", "immediately", "priority", "severity",
    "unattended", "abandoned", "missing", "empty", "open", "opened", "closed", "shut", "full",
    "blocked", "parked", "stopped", "fallen", "lying", "sitting", "standing", "sleeping",
    "running", "moving", "waiting", "loitering", "wearing", "carrying", "holding", "occupied",
    "vacant", "locked", "unlocked", "broken", "damaged", "leaking", "burning", "overflowing",
    "enter", "enters", "entered", "entering", "leave", "leaves", "leaving", "exit", "exits",
    "exiting", "cross", "crosses", "crossing", "appears", "appear", "disappears", "disappear",
    "arrives", "arrive", "arriving", "approaches", "approaching", "comes", "coming", "goes",
    "going", "walks", "walking", "drives", "driving", "stays", "stay", "remains", "stands",
    "waits", "falls", "climbs", "climbing", "passes", "stops", "visit", "visits",
    "queue", "camera", "approximately", "roughly", "left",
];

/// Things that are so usual that a slip in them is one: with five letters or
/// more, or with two letters swapped.
#[rustfmt::skip]
const USUAL: &Lexicon = lexicon![
    "door", "gate", "yard", "room", "hall", "shop", "desk", "till", "street", "garden", "lobby",
    "entrance", "corridor", "platform", "kitchen", "warehouse", "office", "window", "counter",
    "reception", "driveway", "pavement", "hallway", "stairs", "parking", "building", "machine",
    "forklift", "forklifts", "truck", "trucks", "lorry", "vehicle", "vehicles", "bicycle",
    "worker", "workers", "child", "children", "customer", "customers", "visitor", "visitors",
    "package", "parcel", "pallet", "pallets", "suitcase", "backpack", "helmet", "helmets",
    "ladder", "trolley", "smoke", "flames", "water", "guard", "table", "shelf", "shelves",
    "bottle", "bottles", "cars",
];

/// Words that are written together or are further off than two letters, and
/// rare words that are nearly always a slip.
#[rustfmt::skip]
const KNOWN_SLIPS: &[(&str, &str)] = &[
    ("atleast", "at least"), ("atmost", "at most"), ("morethan", "more than"),
    ("lessthan", "less than"), ("fewerthan", "fewer than"), ("longerthan", "longer than"),
    ("infront", "in front"), ("nextto", "next to"), ("incase", "in case"),
    ("aslong", "as long"), ("assoon", "as soon"), ("eachtime", "each time"),
    ("inbetween", "in between"), ("alot", "a lot"), ("outof", "out of"), ("ontop", "on top"),
    ("tho", "though"), ("wen", "when"), ("whit", "with"), ("wiht", "with"), ("taht", "that"),
    ("teh", "the"), ("hte", "the"), ("adn", "and"), ("nad", "and"),
    ("fro", "for"), ("ofr", "for"), ("aer", "are"), ("si", "is"),
    ("ot", "to"), ("ni", "in"), ("fo", "of"), ("whn", "when"), ("tht", "that"),
    ("thn", "than"), ("mor", "more"), ("mre", "more"), ("les", "less"), ("wth", "with"),
    ("frm", "from"), ("hav", "have"), ("sumone", "someone"), ("sombody", "somebody"), ("sumbody", "somebody"),
    ("wensday", "Wednesday"), ("midnite", "midnight"), ("evertime", "every time"),
    ("evrytime", "every time"), ("thier", "their"), ("befor", "before"), ("untill", "until"),
    ("wehn", "when"), ("tehre", "there"), ("minits", "minutes"), ("enuf", "enough"),
    ("evryone", "everyone"), ("everbody", "everybody"), ("imediately", "immediately"),
    ("emergancy", "emergency"), ("abandonned", "abandoned"), ("unatended", "unattended"),
    ("exept", "except"), ("accross", "across"), ("allways", "always"), ("twelth", "twelve"),
    ("fourty", "forty"), ("ninty", "ninety"), ("excede", "exceed"), ("excedes", "exceeds"),
    ("loittering", "loitering"), ("beleive", "believe"), ("recieve", "receive"),
];

/// The longest word that is looked at for a slip; longer ones are none.
const MAX_LETTERS: usize = 32;

/// Edits between `a` and `b`, of at most [`MAX_LETTERS`] each: letters put in,
/// left out, changed, or two neighbours swapped (Damerau 1964, in the
/// restricted form in which no part is edited twice).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut above2 = [0u8; MAX_LETTERS + 1];
    let mut above: [u8; MAX_LETTERS + 1] = std::array::from_fn(|j| j as u8);
    for i in 1..=a.len() {
        let mut line = [i as u8; MAX_LETTERS + 1];
        for j in 1..=b.len() {
            line[j] = (above[j] + 1)
                .min(line[j - 1] + 1)
                .min(above[j - 1] + u8::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                line[j] = line[j].min(above2[j - 2] + 1);
            }
        }
        (above2, above) = (above, line);
    }
    usize::from(above[b.len()])
}

/// Which letters a word has, as a set of bits. One edit changes the set by two
/// letters at most, so words whose sets differ by more are further apart.
const fn letters(word: &[u8]) -> u32 {
    let (mut set, mut i) = (0, 0);
    while i < word.len() {
        set |= 1 << (word[i] % 32);
        i += 1;
    }
    set
}

/// The sets of letters of a list of words.
const fn sets<const N: usize>(words: &[&str]) -> [u32; N] {
    let (mut sets, mut i) = ([0; N], 0);
    while i < N {
        sets[i] = letters(words[i].as_bytes());
        i += 1;
    }
    sets
}

const CLOSED_SETS: &[u32] = &sets::<{ CLOSED.words().len() }>(CLOSED.words());
const USUAL_SETS: &[u32] = &sets::<{ USUAL.words().len() }>(USUAL.words());

/// The words of a list that are at most two edits away from a word with these
/// letters, as far as letters tell.
fn like(
    list: &'static Lexicon,
    sets: &'static [u32],
    word: u32,
) -> impl Iterator<Item = &'static str> {
    (list.words().iter().zip(sets))
        .filter(move |(_, set)| (*set ^ word).count_ones() <= 4)
        .map(|(word, _)| *word)
}

/// Whether `word` is `meant` with two neighbouring letters swapped.
fn swapped(word: &[u8], meant: &[u8]) -> bool {
    let Some(at) = (0..word.len().min(meant.len())).find(|i| word[*i] != meant[*i]) else {
        return false;
    };
    word.len() == meant.len()
        && word.get(at) == meant.get(at + 1)
        && word.get(at + 1) == meant.get(at)
        && word.get(at + 2..) == meant.get(at + 2..)
}

/// How far `word` is from `meant`, if that is near enough for a slip.
fn slip(word: &[u8], meant: &[u8]) -> Option<usize> {
    if word.len().abs_diff(meant.len()) > 2 || word == meant {
        return None;
    }
    if swapped(word, meant) {
        return Some(1);
    }
    let (short, long) = (word.len().min(meant.len()), meant.len());
    if short < 3 || long < 4 {
        return None;
    }
    let first = word[0] == meant[0];
    if !first && long < 6 {
        return None;
    }
    let d = distance(word, meant);
    let near = d == 1 || (d == 2 && first && long >= 7 && short >= 6);
    near.then_some(d)
}

/// The words that `word` may have been meant to be, nearest first; none if it
/// is an English word.
fn meant(word: &str) -> Vec<&'static str> {
    if let Some((_, right)) = KNOWN_SLIPS.iter().find(|(slip, _)| *slip == word) {
        return vec![right];
    }
    let plain = (3..=MAX_LETTERS).contains(&word.len())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'\'');
    if !plain || english(word) {
        return Vec::new();
    }
    let bytes = word.as_bytes();
    let set = letters(bytes);
    let closed =
        like(CLOSED, CLOSED_SETS, set).filter_map(|m| slip(bytes, m.as_bytes()).map(|d| (d, m)));
    let usual = like(USUAL, USUAL_SETS, set)
        .filter(|m| m.len() > 4 || swapped(bytes, m.as_bytes()))
        .filter_map(|m| {
            slip(bytes, m.as_bytes())
                .filter(|d| *d == 1)
                .map(|d| (d, m))
        });
    let mut near: Vec<(usize, &str)> = closed.chain(usual).collect();
    near.sort_by_key(|(d, m)| {
        let last = m.as_bytes().last() == bytes.last();
        (*d, !swapped(bytes, m.as_bytes()), !last)
    });
    let best = near.first().map_or(0, |n| n.0);
    near.into_iter()
        .filter(|(d, _)| *d == best)
        .map(|(_, m)| m)
        .take(2)
        .collect()
}

fn english(word: &str) -> bool {
    let word = word
        .strip_suffix("'s")
        .or(word.strip_suffix('\''))
        .unwrap_or(word);
    CLOSED.contains(word)
        || USUAL.contains(word)
        || REAL.binary_search(&word).is_ok()
        || unit_millis(word).is_some()
}

const DAYS: &[&str] = &[
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

/// As it is offered: days have a capital.
fn as_written(word: &str) -> String {
    let day = DAYS
        .iter()
        .find(|d| word.to_lowercase().trim_end_matches('s') == d.to_lowercase());
    match day {
        Some(day) if word.ends_with('s') => format!("{day}s"),
        Some(day) => (*day).to_owned(),
        None => word.to_owned(),
    }
}

/// English words that stand where only another one can: the place of the
/// slip, and what was meant.
fn misplaced(toks: &[Tok], i: usize) -> Option<(usize, &'static str)> {
    let numbered = |j: usize| number(toks, j).is_some();
    if here!(
        toks,
        i,
        "more|less|fewer|greater|longer|larger|higher|lower then"
    )
    .is_some()
        && (numbered(i + 2) || duration(toks, i + 2).is_some())
    {
        return Some((i + 1, "than"));
    }
    // "mere than 5", "fever than 3"
    if here!(toks, i + 1, "than|then").is_some() && numbered(i + 2) {
        const NEAR: &[(&[&str], &str)] = &[
            (&["mere", "moor", "mare", "move", "moore", "mor"], "more"),
            (&["lass", "loss", "lest", "les", "lees"], "less"),
            (&["fever", "newer", "fewest", "few", "viewer"], "fewer"),
        ];
        if let Some((_, right)) = NEAR.iter().find(|(words, _)| toks[i].any(words)) {
            return Some((i, right));
        }
    }
    if toks[i].any(&["minuets", "minuet", "minuites"]) && i > 0 && numbered(i - 1) {
        return Some((i, "minutes"));
    }
    if toks[i].any(&["ours", "our", "hors"])
        && (i > 0 && numbered(i - 1)
            || i > 1 && toks[i - 1].any(&["an"]) && toks[i - 2].any(&["half", "of"]))
    {
        return Some((i, "hours"));
    }
    if toks[i].any(&["fore", "fro", "foe"]) && duration(toks, i + 1).is_some() {
        return Some((i, "for"));
    }
    let clock = |j: usize| {
        toks.get(j).is_some_and(|t| {
            let digits = t.text.trim_end_matches("am").trim_end_matches("pm");
            (digits.len() < t.text.len() || digits.contains(':')) && number_like(digits)
        })
    };
    if toks[i].is("form") && (clock(i + 1) || here!(toks, i + 2, "am|pm").is_some()) {
        return Some((i, "from"));
    }
    if here!(toks, i, "at lest|leased|leas|lease").is_some() && numbered(i + 2) {
        return Some((i + 1, "least"));
    }
    if here!(toks, i, "their|they're is|are").is_some() && i > 0 && toks[i - 1].any(&["if", "when"])
    {
        return Some((i, "there"));
    }
    if here!(toks, i, "ore more|less|fewer").is_some() && i > 0 && numbered(i - 1) {
        return Some((i, "or"));
    }
    None
}

fn number_like(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == ':')
}

/// "5minuts": a number and a unit in one word.
fn glued_unit(word: &str) -> Option<&'static str> {
    let letters = word.trim_start_matches(|c: char| c.is_ascii_digit());
    if letters.len() == word.len() || letters.len() < 4 || unit_millis(letters).is_some() {
        return None;
    }
    ["minutes", "seconds", "hours", "minute", "second", "hour"]
        .into_iter()
        .find(|u| slip(letters.as_bytes(), u.as_bytes()).is_some())
}

/// Reports the first mistyped word of structure.
///
/// # Errors
/// Ambiguous, with the right word in the offer.
pub(crate) fn typos(toks: &[Tok]) -> Result<(), Refusal> {
    for (i, t) in toks.iter().enumerate().filter(|(_, t)| t.word) {
        if let Some((at, right)) = misplaced(toks, i) {
            return Err(refusal(&toks[at], &[right]));
        }
        if let Some(right) = glued_unit(&t.text) {
            return Err(refusal(t, &[right]));
        }
        // A capital in the middle of a sentence makes a name, if not a day's.
        let opens = i == 0 || (!toks[i - 1].word && !toks[i - 1].any(&["-", "&", "/", "("]));
        let letters = t.raw.chars().filter(|c| c.is_alphabetic());
        if letters.clone().count() > 1 && letters.clone().all(char::is_uppercase) {
            // "AGV", "HGV"
            continue;
        }
        let mut right = meant(&t.text);
        if t.starts_upper() && !opens {
            right.retain(|r| *r != as_written(r));
        }
        if !right.is_empty() {
            return Err(refusal(t, &right));
        }
    }
    Ok(())
}

fn refusal(t: &Tok, right: &[&str]) -> Refusal {
    let right: Vec<String> = right.iter().map(|r| as_written(r)).collect();
    // "5minuts": the number stays.
    let number: String = (t.raw.chars())
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        .collect();
    let space = if number.is_empty() { "" } else { " " };
    let mended = format!("{number}{space}{}", right[0]);
    let right: Vec<String> = right.iter().map(|r| format!("'{r}'")).collect();
    Refusal::new(
        RefusalKind::Ambiguous,
        format!("'{}' may be a slip of the keys.", t.raw),
    )
    .offer(format!("Did you mean {}?", right.join(" or ")))
    .at(t.span)
    .mend(t.span, mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (a, b, d) in [
            ("minuts", "minutes", 1),
            ("mroe", "more", 1),
            ("wednsday", "wednesday", 1),
            ("secnods", "seconds", 1),
            ("mintues", "minutes", 1),
            ("mnts", "minutes", 3),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), d, "{a}");
        }
    }

    #[test]
    fn english_words_are_no_slips() {
        assert!(REAL.is_sorted());
        for word in [
            "than",
            "then",
            "hall",
            "wren",
            "hen",
            "tern",
            "mare",
            "fore",
            "form",
            "knight",
            "weir",
            "reefer",
            "gantry",
            "pallet",
            "jack",
            "quay",
            "tyre",
            "kerb",
            "mere",
            "lorries",
            "gates",
            "pavements",
            "doors",
            "counters",
            "windows",
            "trucker",
            "builder",
            "hose",
            "house",
            "tilt",
            "tile",
            "shelf",
            "shell",
            "hallways",
            "minster",
            "sever",
            "eights",
            "pillow",
            "palette",
            "pellet",
            "carts",
            "cards",
            "tablet",
            "cable",
            "stable",
            "waters",
            "waiter",
            "ladders",
            "adder",
            "officer",
            "poach",
            "crossed",
            "visitors",
        ] {
            assert!(meant(word).is_empty(), "{word}: {:?}", meant(word));
        }
    }

    #[test]
    fn slips_are_found() {
        for (word, right) in [
            ("minuts", "minutes"),
            ("evrey", "every"),
            ("nobdy", "nobody"),
            ("secnds", "seconds"),
            ("ther", "there"),
            ("betwen", "between"),
            ("wihtout", "without"),
            ("huor", "hour"),
            ("emtpy", "empty"),
            ("peple", "people"),
            ("yrad", "yard"),
        ] {
            assert!(meant(word).contains(&right), "{word}: {:?}", meant(word));
        }
    }
}
