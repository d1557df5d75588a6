//! Comparators and what they compare with.

use super::number::number;
use super::pattern::{Pattern, entry, here, stands, table};
use super::token::{Tok, span_of};
use crate::lexicon::{Lexicon, lexicon};
use crate::{Comparator, Refusal, RefusalKind, Threshold};

use Comparator::{Between, Eq, Ge, Gt, Le, Lt, Ne};

/// A count that grows or shrinks past a threshold; `{up}` and `{down}` stand
/// for the verbs.
const UP: &str = "rises|rise|rising|goes|go|climbs|climb|climbing|gets|get|grows|grow|growing|increases|increase|jumps|jump|moves|swells|swell";
const DOWN: &str = "drops|drop|dropping|falls|fall|falling|goes|go|sinks|sink|dips|dip|gets|get|decreases|decrease|shrinks|shrink|slips|declines|decline|comes";

#[rustfmt::skip]
const CROSSINGS: &[(Pattern, (bool, Comparator))] = table![
    ("above|over|beyond|past", true, Gt), ("to more|higher|greater than", true, Gt),
    ("more|higher|greater|larger|bigger|longer than", true, Gt), ("to", true, Ge),
    ("to at least", true, Ge), ("up to", true, Ge), ("to over|above", true, Gt),
    ("to or above|over", true, Ge), ("as high as", true, Ge),
    ("below|under|beneath", false, Lt), ("to fewer|less|lower than", false, Lt),
    ("lower|smaller|less|fewer|shorter than", false, Lt), ("to", false, Le),
    ("down to", false, Le), ("to at most", false, Le), ("to below|under", false, Lt),
    ("to or below|under", false, Le), ("as low as", false, Le),
];

#[rustfmt::skip]
const BEFORE: &[(Pattern, Comparator)] = table![
    ("more|greater|larger|longer|bigger|higher than", Gt), ("over", Gt), ("above", Gt),
    ("exceeding|exceeds|exceed|exceeded", Gt), ("in excess of", Gt), (">", Gt),
    ("surpasses|surpass|surpassing|surpassed|tops|top", Gt), ("well? over", Gt), ("upwards of", Ge),
    ("at least", Ge), ("at the least", Ge), ("at the very least", Ge), ("a|the minimum of", Ge),
    ("minimum|min of?", Ge), ("no|not fewer|less|lower|smaller than", Ge), ("no|not below|under", Ge),
    (">=", Ge), ("reaches|reach|reached|reaching|hits|hit|attains", Ge),
    ("at or above|over", Ge), ("more|greater|larger|higher than or equal to", Ge),
    ("equal to or more|greater|larger|higher than", Ge), ("equals|equal|reaches|meets or exceeds", Ge),
    ("reach|meet or exceed", Ge), ("as many as or more than", Ge), ("never? fewer|less than", Lt),
    ("less|fewer|smaller|shorter|lower than", Lt), ("under", Lt), ("below", Lt), ("<", Lt),
    ("beneath", Lt), ("not at least", Lt), ("not even", Lt), ("short of", Lt),
    ("at most", Le), ("at the most", Le), ("at the very most", Le), ("a|the maximum of", Le),
    ("maximum|max of?", Le), ("no|not|never more|greater|longer|larger|higher|bigger than", Le),
    ("up to", Le), ("<=", Le), ("no|not over|above|exceeding", Le), ("down to", Le),
    ("at or below|under", Le), ("less|fewer|smaller|lower than or equal to", Le),
    ("equal to or less|fewer|smaller|lower than", Le),
    ("exactly", Eq), ("precisely", Eq), ("only", Eq), ("just", Eq), ("equal to", Eq),
    ("equals|equal", Eq), ("=", Eq), ("not|no more or|nor less|fewer than", Eq),
    ("not|no more and not|no less|fewer than", Eq), ("not|no less|fewer and not|no more than", Eq),
    ("only|just exactly", Eq), ("nothing but", Eq),
    ("not exactly", Ne), ("other than", Ne), ("anything but", Ne), ("any number but", Ne),
    ("any number other than", Ne), ("not equal to", Ne), ("!=", Ne), ("a number other than", Ne),
    ("anything other than", Ne), ("different from|to|than", Ne),
    ("fails|fail to reach", Lt),
    ("does|do not equal", Ne), ("never exceeds|exceed", Le), ("never reaches|reach", Lt), ("differs from", Ne),
    ("anything except", Ne), ("unequal to", Ne),
];

#[rustfmt::skip]
const AFTER: &[(Pattern, Comparator)] = table![
    ("or more", Ge), ("and more", Ge), ("or above", Ge), ("or over", Ge), ("or greater", Ge),
    ("and above|up|over|upwards", Ge), ("or up|upwards|beyond", Ge), ("+", Ge), ("plus", Ge),
    ("or even more", Ge), ("or larger|bigger", Ge), ("or fewer", Le), ("or less", Le),
    ("or under", Le), ("or below", Le), ("or even fewer|less", Le), ("at least", Ge),
    ("at the very? least", Ge), ("at most", Le), ("at the very? most", Le), ("or smaller", Le),
    ("and fewer|less|under|below", Le), ("or longer", Ge), ("or higher", Ge), ("or lower", Le),
    ("upwards", Ge), ("exactly", Eq), ("minimum", Ge), ("maximum|max|tops", Le),
];

/// Verbs whose object is the count itself.
#[rustfmt::skip]
pub(crate) const REACHES: &Lexicon = lexicon![
    "reaches", "reach", "hits", "hit", "exceeds", "exceed", "surpasses", "surpass", "tops", "top",
    "equals", "equal", "attains",
];

/// Amounts that name a scale and no number.
const SCALES: &str = "dozens|hundreds|thousands|tens|scores|masses|millions|heaps|swarms|hordes";
/// Words before a number that take its edge away.
const APPROXIMATE: &str = "about|around|roughly|approximately|circa|nearly|almost|approx|some";

/// A comparison as it stands in the sentence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Compare {
    pub comparator: Comparator,
    pub threshold: Threshold,
    /// Tokens.
    pub len: usize,
    /// A number without a comparator: "two people".
    pub bare: bool,
}

fn whole(n: f64, toks: &[Tok]) -> Result<u64, Refusal> {
    if n.fract() == 0.0 {
        Ok(n as u64)
    } else {
        Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("There is no such count as {n}."),
        )
        .offer("Give a whole number.")
        .at(span_of(toks)))
    }
}

/// What stands before and between the ends of a range.
const RANGES: &[(Pattern, Pattern)] = table![
    ("between", Pattern::new("and|to|-")),
    ("from", Pattern::new("to|-")),
    ("anything|somewhere between", Pattern::new("and")),
    ("anywhere between", Pattern::new("and")),
    ("anywhere from", Pattern::new("to")),
];

fn one(toks: &[Tok], i: usize) -> Result<Option<Compare>, Refusal> {
    // ranges
    for (lead, glue) in RANGES {
        if let Some(l) = stands(toks, i, lead)
            && let Some((a, n)) = number(toks, i + l)
            && let Some(g) = stands(toks, i + l + n, glue)
            && let Some((b, m)) = number(toks, i + l + n + g)
        {
            let more = here!(toks, i + l + n + g + m, "inclusive").unwrap_or(0);
            return range(a, b, &toks[i..i + l + n + g + m + more]).map(Some);
        }
    }
    if let Some((l, comparator)) = lead(toks, i) {
        let total = here!(toks, i + l, "a? total|maximum|minimum of").unwrap_or(0);
        let Some((n, len)) = number(toks, i + l + total) else {
            return no_number(toks, i, l);
        };
        let l = l + total;
        // "climbs to 30 or more"
        let len = len
            + afterthought(toks, i + l + len)
                .filter(|(c, _)| *c == comparator)
                .map_or(0, |(_, more)| more);
        let threshold = Threshold::One(whole(n, &toks[i..i + l + len])?);
        return Ok(Some(Compare {
            comparator,
            threshold,
            len: l + len,
            bare: false,
        }));
    }
    // "passes the 40 mark"
    if let Some(l) = here!(
        toks,
        i,
        "passes|pass|crosses|cross|breaks|break|tops|exceeds the"
    ) && let Some((n, len)) = number(toks, i + l)
        && let Some(mark) = here!(toks, i + l + len, "mark|threshold")
    {
        return Ok(Some(Compare {
            comparator: Gt,
            threshold: Threshold::One(whole(n, &toks[i..i + l + len])?),
            len: l + len + mark,
            bare: false,
        }));
    }
    let Some((a, n)) = number(toks, i) else {
        return Ok(None);
    };
    if let Some(g) = here!(toks, i + n, "to|-|or")
        && let Some((b, m)) = number(toks, i + n + g)
        && (!toks[i + n].is("or") || b == a + 1.0)
    {
        return range(a, b, &toks[i..i + n + g + m]).map(Some);
    }
    let after = entry(toks, i + n, AFTER);
    let threshold = Threshold::One(whole(a, &toks[i..i + n])?);
    Ok(Some(match after {
        Some((l, &comparator)) => Compare {
            comparator,
            threshold,
            len: n + l,
            bare: false,
        },
        None => Compare {
            comparator: Ge,
            threshold,
            len: n,
            bare: true,
        },
    }))
}

/// The comparator that a number follows: "more than", "at least", "climbs
/// above"; and how many tokens it is.
pub(crate) fn lead(toks: &[Tok], i: usize) -> Option<(usize, Comparator)> {
    BEFORE
        .iter()
        .filter_map(|(p, c)| stands(toks, i, p).map(|n| (n, *c)))
        .chain(crossing(toks, i))
        .max_by_key(|(n, _)| *n)
}

/// Whether a verb of counts and its number stand at `i`: "reaches 200".
pub(crate) fn is_crossing(toks: &[Tok], i: usize) -> bool {
    // "people in the hall number more than 5"
    if here!(toks, i, "number|numbers|total|totals").is_some()
        && lead(toks, i + 1).is_some_and(|(n, _)| number(toks, i + 1 + n).is_some())
    {
        return true;
    }
    if here!(toks, i, "passes|crosses|breaks the").is_some_and(|n| number(toks, i + n).is_some()) {
        return true;
    }
    let verb = toks.get(i).is_some_and(|t| {
        t.word && (here!(toks, i, UP).is_some() || here!(toks, i, DOWN).is_some() || t.any(REACHES))
    });
    verb && lead(toks, i).is_some_and(|(n, _)| number(toks, i + n).is_some())
}

/// "climbs above", "dips under", "drops to": the tokens and the comparator.
fn crossing(toks: &[Tok], i: usize) -> Option<(usize, Comparator)> {
    let (up, down) = (here!(toks, i, UP), here!(toks, i, DOWN));
    CROSSINGS
        .iter()
        .filter_map(|(tail, (rises, c))| {
            let verb = if *rises { up } else { down }?;
            // "goes to 5", "gets to 5" say no direction, but that it is reached.
            Some((verb + stands(toks, i + verb, tail)?, *c))
        })
        .min_by_key(|(n, c)| (std::cmp::Reverse(*n), *c != Ge))
}

/// "more than people": a comparison whose number is missing.
fn no_number(toks: &[Tok], i: usize, len: usize) -> Result<Option<Compare>, Refusal> {
    let than = toks[i + len - 1].is("than") && toks[i].any(&["more", "fewer", "less"]);
    // "more than half a minute" is a length of time.
    let unclear = than && super::number::duration(toks, i + len).is_none();
    if !unclear {
        return Ok(None);
    }
    Err(missing(&toks[i..(i + len + 1).min(toks.len())]))
}

fn missing(toks: &[Tok]) -> Refusal {
    Refusal::new(RefusalKind::Ambiguous, "It is not said how many that is.")
        .missing("threshold")
        .offer("Say a number, for example 'more than 10 people'.")
        .at(span_of(toks))
}

fn range(a: f64, b: f64, toks: &[Tok]) -> Result<Compare, Refusal> {
    let (a, b) = (whole(a, toks)?, whole(b, toks)?);
    if a > b {
        return Err(Refusal::new(
            RefusalKind::Contradictory,
            format!("No number lies between {a} and {b}."),
        )
        .offer(format!("Say 'between {b} and {a}'."))
        .at(span_of(toks)));
    }
    Ok(Compare {
        comparator: Between,
        threshold: Threshold::Range([a, b]),
        len: toks.len(),
        bare: false,
    })
}

fn interval(c: Compare) -> Option<(u64, u64)> {
    let Threshold::One(n) = c.threshold else {
        return None;
    };
    Some(match c.comparator {
        Gt => (n.checked_add(1)?, u64::MAX),
        Ge => (n, u64::MAX),
        Lt => (0, n.checked_sub(1)?),
        Le => (0, n),
        Eq => (n, n),
        _ => return None,
    })
}

fn impossible(span: &[Tok], what: &str) -> Refusal {
    Refusal::new(RefusalKind::Contradictory, what.to_owned())
        .offer("Give limits that a count can meet.")
        .at(span_of(span))
}

/// Two limits of one count, `len` tokens in all: "more than 2 and fewer than 8".
pub(crate) fn within_both(
    first: Compare,
    second: Compare,
    len: usize,
    said: &[Tok],
) -> Result<Compare, Refusal> {
    let (Some(a), Some(b)) = (interval(first), interval(second)) else {
        return Err(impossible(said, "These two limits don't go together."));
    };
    let (low, high) = (a.0.max(b.0), a.1.min(b.1));
    if low > high {
        return Err(impossible(said, "No count is both."));
    }
    let (comparator, threshold) = match (low, high) {
        (low, u64::MAX) => (Ge, Threshold::One(low)),
        (low, high) if low == high => (Eq, Threshold::One(low)),
        (low, high) => (Between, Threshold::Range([low, high])),
    };
    Ok(Compare {
        comparator,
        threshold,
        len,
        bare: false,
    })
}

/// The comparison at `i`: "more than 10", "3 or more", "more than 2 and fewer
/// than 8". A bare number is at least that many.
pub(crate) fn compare(toks: &[Tok], i: usize) -> Result<Option<Compare>, Refusal> {
    let vague = here!(toks, i, SCALES)
        .filter(|n| {
            here!(toks, i + n, "of").is_some() || super::number::is_number_word(&toks[i].text)
        })
        .or_else(|| here!(toks, i, APPROXIMATE).filter(|n| about(toks, i, *n)));
    if let Some(n) = vague {
        return Err(missing(&toks[i..i + n]));
    }
    let Some(first) = one(toks, i)? else {
        return Ok(None);
    };
    // "one and a half people"
    if let Some((share, n)) = super::number::and_share(toks, i + first.len)
        && toks
            .get(i + first.len + n)
            .is_some_and(|t| t.word && super::number::unit_millis(&t.text).is_none())
    {
        whole(share, &toks[i..i + first.len + n])?;
    }
    if let Some(n) = here!(toks, i + first.len, "or so|thereabouts")
        .or(here!(toks, i + first.len, "-? ish"))
        .or(here!(toks, i + first.len, "give or take"))
    {
        return Err(missing(&toks[i..i + first.len + n]));
    }
    if first.comparator == Lt && first.threshold == Threshold::One(0) {
        return Err(impossible(
            &toks[i..i + first.len],
            "There are never fewer than 0.",
        ));
    }
    let glue = here!(toks, i + first.len, "and|but|, and|but?").unwrap_or(0);
    if glue > 0
        && let Some(second) = one(toks, i + first.len + glue)?.filter(|c| !c.bare)
    {
        let len = first.len + glue + second.len;
        return within_both(first, second, len, &toks[i..i + len]).map(Some);
    }
    Ok(Some(first))
}

/// Refuses what can't be counted: "-2 cars", "minus three people", "a second
/// car", "every third person".
pub(crate) fn uncountable(toks: &[Tok]) -> Result<(), Refusal> {
    const PLACES: &Lexicon = lexicon![
        "floor", "hand", "level", "storey", "deck", "row", "lane", "aisle",
    ];
    for i in 0..toks.len() {
        if let Some(n) = here!(
            toks,
            i,
            "a|another|every|each second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|2nd|3rd|4th|5th|6th|10th"
        ) && toks.get(i + n).is_some_and(|t| {
            t.word
                && !t.any(super::words::STRUCTURE)
                && !t.any(super::words::PREPOSITIONS)
                && !t.any(PLACES)
        }) && !toks.get(i + n + 1).is_some_and(|t| t.any(PLACES))
        {
            return Err(Refusal::new(
                RefusalKind::Ambiguous,
                format!(
                    "Things are counted, not numbered: '{}' has no number.",
                    toks[i + n - 1].raw
                ),
            )
            .missing("threshold")
            .offer("Say how many, for example 'at least 2 cars'.")
            .at(span_of(&toks[i..i + n + 1])));
        }
        let alone = i == 0 || toks[i - 1].span[1] < toks[i].span[0];
        let sign = toks[i].is("minus")
            || toks[i].is("-")
                && alone
                && toks
                    .get(i + 1)
                    .is_some_and(|t| t.span[0] == toks[i].span[1]);
        if sign
            && let Some((n, len)) = number(toks, i + 1)
            && n > 0.0
        {
            return Err(Refusal::new(
                RefusalKind::Contradictory,
                format!("There are never fewer than 0, so never -{n}."),
            )
            .offer("Give a number from 0 up.")
            .at(span_of(&toks[i..i + 1 + len])));
        }
    }
    Ok(())
}

/// Whether "about" or a word like it at `i` blurs a count: "around 10 people",
/// but not "around 10 Downing Street" or "about 5 minutes".
fn about(toks: &[Tok], i: usize, len: usize) -> bool {
    number(toks, i + len).is_some_and(|(_, n)| {
        toks.get(i + len + n)
            .is_some_and(|t| crate::noun::is_plural(&t.text) && !t.starts_upper())
            && super::number::duration(toks, i + len).is_none()
    })
}

/// The comparator that follows the thing it counts: "a dozen pallets or more".
pub(crate) fn afterthought(toks: &[Tok], i: usize) -> Option<(Comparator, usize)> {
    AFTER
        .iter()
        .filter(|(p, _)| p.words.starts_with("or ") || p.words.starts_with("and "))
        .filter_map(|(p, c)| stands(toks, i, p).map(|n| (*c, n)))
        .max_by_key(|(_, n)| *n)
}
