//! Comparators and what they compare with.

use super::number::number;
use super::token::{Tok, here, span_of};
use crate::{Comparator, Refusal, RefusalKind, Threshold};

use Comparator::{Between, Eq, Ge, Gt, Le, Lt, Ne};

#[rustfmt::skip]
const BEFORE: &[(&str, Comparator)] = &[
    ("more|greater|larger|longer|bigger|higher than", Gt), ("over", Gt), ("above", Gt),
    ("exceeding|exceeds|exceed", Gt), ("in excess of", Gt), (">", Gt),
    ("rises|goes|climbs|gets|grows|rise|go|climb|get|grow above|over|beyond", Gt),
    ("surpasses|tops", Gt), ("upwards of", Ge), ("rises|goes|grows|rise|go|grow to more than", Gt),
    ("at least", Ge), ("a minimum of", Ge), ("minimum of?", Ge), ("no|not fewer|less than", Ge),
    (">=", Ge), ("reaches|reach|hits|hit", Ge), ("gets|get|rises|grows to at? least?", Ge),
    ("at the least", Ge), ("less|fewer|smaller|shorter|lower than", Lt), ("under", Lt),
    ("below", Lt), ("<", Lt),
    ("drops|falls|goes|sinks|dips|drop|fall|go|sink|dip below|under|beneath", Lt),
    ("drops|falls|drop|fall to fewer|less than", Lt), ("at most", Le), ("a maximum of", Le),
    ("maximum|max of?", Le), ("no|not more|greater|longer|larger|higher than", Le), ("up to", Le),
    ("<=", Le), ("no|not over|above", Le), ("drops|falls|drop|fall to", Le), ("at the most", Le),
    ("exactly", Eq), ("precisely", Eq), ("only", Eq), ("just", Eq), ("equal to", Eq),
    ("equals|equal", Eq), ("=", Eq), ("not more or less than", Eq), ("is exactly", Eq),
    ("not exactly", Ne), ("other than", Ne), ("anything but", Ne), ("any number but", Ne),
    ("any number other than", Ne), ("not equal to", Ne), ("!=", Ne), ("a number other than", Ne),
    ("anything other than", Ne),
];

#[rustfmt::skip]
const AFTER: &[(&str, Comparator)] = &[
    ("or more", Ge), ("and more", Ge), ("or above", Ge), ("or over", Ge), ("or greater", Ge),
    ("and above|up|over|upwards", Ge), ("+", Ge), ("plus", Ge), ("or fewer", Le), ("or less", Le),
    ("or under", Le), ("or below", Le), ("at least", Ge), ("at most", Le),
    ("and fewer|less|under", Le), ("or longer", Ge), ("or higher", Ge), ("or lower", Le),
    ("upwards", Ge), ("exactly", Eq),
];

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

fn one(toks: &[Tok], i: usize) -> Result<Option<Compare>, Refusal> {
    // ranges
    for (lead, glue) in [
        ("between", "and|to|-"),
        ("from", "to|-"),
        ("anywhere between", "and"),
        ("anywhere from", "to"),
    ] {
        if let Some(l) = here(toks, i, lead)
            && let Some((a, n)) = number(toks, i + l)
            && let Some(g) = here(toks, i + l + n, glue)
            && let Some((b, m)) = number(toks, i + l + n + g)
        {
            return range(a, b, &toks[i..i + l + n + g + m]).map(Some);
        }
    }
    let lead = BEFORE
        .iter()
        .filter_map(|(p, c)| here(toks, i, p).map(|n| (n, *c)))
        .max_by_key(|(n, _)| *n);
    if let Some((l, comparator)) = lead
        && let Some((n, len)) = number(toks, i + l)
    {
        let threshold = Threshold::One(whole(n, &toks[i..i + l + len])?);
        return Ok(Some(Compare {
            comparator,
            threshold,
            len: l + len,
            bare: false,
        }));
    }
    let Some((a, n)) = number(toks, i) else {
        return Ok(None);
    };
    if let Some(g) = here(toks, i + n, "to|-|or")
        && let Some((b, m)) = number(toks, i + n + g)
        && (!toks[i + n].is("or") || b == a + 1.0)
    {
        return range(a, b, &toks[i..i + n + g + m]).map(Some);
    }
    let after = AFTER
        .iter()
        .filter_map(|(p, c)| here(toks, i + n, p).map(|l| (l, *c)))
        .max_by_key(|(l, _)| *l);
    let threshold = Threshold::One(whole(a, &toks[i..i + n])?);
    Ok(Some(match after {
        Some((l, comparator)) => Compare {
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

/// The comparison at `i`: "more than 10", "3 or more", "more than 2 and fewer
/// than 8". A bare number is at least that many.
pub(crate) fn compare(toks: &[Tok], i: usize) -> Result<Option<Compare>, Refusal> {
    let Some(first) = one(toks, i)? else {
        return Ok(None);
    };
    let impossible = |span: &[Tok], what: &str| {
        Refusal::new(RefusalKind::Contradictory, what.to_owned())
            .offer("Give limits that a count can meet.")
            .at(span_of(span))
    };
    if first.comparator == Lt && first.threshold == Threshold::One(0) {
        return Err(impossible(
            &toks[i..i + first.len],
            "There are never fewer than 0.",
        ));
    }
    let glue = here(toks, i + first.len, "and|but|, and|but?").unwrap_or(0);
    if glue > 0
        && let Some(second) = one(toks, i + first.len + glue)?.filter(|c| !c.bare)
    {
        let len = first.len + glue + second.len;
        return match (interval(first), interval(second)) {
            (Some(a), Some(b)) => {
                let (low, high) = (a.0.max(b.0), a.1.min(b.1));
                if low > high {
                    Err(impossible(&toks[i..i + len], "No count is both."))
                } else {
                    Ok(Some(match (low, high) {
                        (low, u64::MAX) => Compare {
                            comparator: Ge,
                            threshold: Threshold::One(low),
                            len,
                            bare: false,
                        },
                        (low, high) if low == high => Compare {
                            comparator: Eq,
                            threshold: Threshold::One(low),
                            len,
                            bare: false,
                        },
                        (low, high) => Compare {
                            comparator: Between,
                            threshold: Threshold::Range([low, high]),
                            len,
                            bare: false,
                        },
                    }))
                }
            }
            _ => Err(impossible(
                &toks[i..i + len],
                "These two limits don't go together.",
            )),
        };
    }
    Ok(Some(first))
}

/// The comparator that follows the thing it counts: "a dozen pallets or more".
pub(crate) fn afterthought(toks: &[Tok], i: usize) -> Option<(Comparator, usize)> {
    AFTER
        .iter()
        .filter(|(p, _)| p.starts_with("or ") || p.starts_with("and "))
        .filter_map(|(p, c)| here(toks, i, p).map(|n| (*c, n)))
        .max_by_key(|(_, n)| *n)
}
