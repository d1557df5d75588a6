//! What is private: bare bodies, and people in rooms where nobody is to be
//! watched.

use super::super::pattern::{Pattern, here, longest, patterns};
use super::super::token::{Tok, span_of};
use super::super::words::{ARTICLES, COPULAS, PREPOSITIONS, STRUCTURE, verb};
use super::harm::unsafe_to;
use super::people::{PEOPLE, SEXED};
use crate::Refusal;
use crate::lexicon::{Lexicon, lexicon};

#[rustfmt::skip]
const BARE: &Lexicon = lexicon![
    "naked", "nude", "nudes", "undressing", "undressed", "undresses", "undress", "topless",
    "bottomless", "sexual", "sexually", "sex", "sexy", "breasts", "breast", "boobs", "tits",
    "genitals", "penis", "vagina", "underwear", "bikini", "bikinis", "lingerie", "masturbating",
    "masturbates", "intimate", "upskirt", "kissing", "kisses", "kiss", "cleavage", "buttocks", "butt",
    "breastfeeding", "porn", "horny", "striptease", "panties", "bra", "nudity", "nipples", "thong",
    "voyeur", "peeping", "perv", "milf", "snogging", "cuddling",
];
#[rustfmt::skip]
const ROOMS: &Lexicon = lexicon![
    "toilet", "toilets", "restroom", "restrooms", "bathroom", "bathrooms", "shower", "showers",
    "cubicle", "cubicles", "washroom", "washrooms", "lavatory", "lavatories", "loo", "loos", "urinal",
    "urinals", "bathtub", "wc", "tub",
];
const ROOM_PAIRS: &[Pattern] = patterns![
    "changing|fitting|dressing|locker|shower|bath|rest|powder|ladies|men's|women's|mens|womens|gents room|rooms|cubicle|cubicles|cabin|cabins",
    "toilet|shower cubicle|cubicles|stall|stalls|cabin|room|rooms|block",
    "wash room|rooms",
];

/// People inside a private room: "somebody is in the shower".
fn private_room(toks: &[Tok], i: usize) -> Option<[usize; 2]> {
    let n = longest(toks, i, ROOM_PAIRS).or_else(|| toks[i].any(ROOMS).then_some(1));
    let owned_bedroom = toks[i].any(&["bedroom", "bedrooms"])
        && i > 0
        && (toks[i - 1].text.ends_with("'s")
            || toks[i - 1].text.ends_with("s'")
            || toks[i - 1].any(&[
                "her",
                "his",
                "their",
                "hotel",
                "guest",
                "tenant",
                "neighbour",
                "neighbor",
            ]));
    let n = n.or(owned_bedroom.then_some(1))?;
    // "changing room corridor", "toilet door", "the queue for the toilets"
    let more = toks.get(i + n).is_some_and(|t| {
        t.word
            && !t.any(STRUCTURE)
            && !t.any(PREPOSITIONS)
            && !t.any(COPULAS)
            && !t.any(ARTICLES)
            && verb(&t.text).is_none()
    });
    if more {
        return None;
    }
    let inside = (i.saturating_sub(3)..i).rev().find(|j| {
        !toks[*j].any(ARTICLES)
            && !toks[*j].any(&[
                "ladies", "ladies'", "gents", "men's", "women's", "mens", "womens", "girls'",
                "boys'", "public",
            ])
            && !toks[*j].text.ends_with("'s")
    })?;
    let inside = toks[inside].any(&["in", "inside", "within"]);
    let people = toks[..i].iter().any(|t| {
        t.any(PEOPLE)
            || t.any(SEXED)
            || t.any(&[
                "nobody",
                "everyone",
                "everybody",
                "him",
                "her",
                "them",
                "who",
                "child",
                "children",
                "kid",
                "kids",
            ])
    });
    let queue = toks[..i]
        .iter()
        .any(|t| t.any(&["queue", "queueing", "queuing", "line"]));
    let filmed = toks[..i].iter().all(|t| {
        t.any(ARTICLES)
            || t.any(&[
                "watch", "film", "record", "monitor", "observe", "peep", "ladies", "gents",
                "men's", "women's", "girls", "girls'", "into", "inside", "in",
            ])
    }) && toks[..i]
        .iter()
        .any(|t| t.any(&["watch", "film", "record", "monitor", "observe", "peep"]));
    if filmed && toks.get(i + n).is_none_or(|t| !t.word) {
        return Some(span_of(&toks[i..i + n]));
    }
    (inside && people && !queue).then(|| span_of(&toks[i..i + n]))
}

pub(super) fn private(toks: &[Tok], i: usize) -> Option<Refusal> {
    const WHY: &str = "Rules do not watch what is private";
    if toks[i].any(BARE) && here!(toks, i, "butt|bra joint|weld|hinge|strap").is_none() {
        return Some(unsafe_to(
            format!("{WHY}: '{}'.", toks[i].raw),
            "Watch a place outside instead, for example 'someone enters the changing room corridor'.",
            toks[i].span,
        ));
    }
    let span = private_room(toks, i)?;
    let name: Vec<&str> = toks
        .iter()
        .filter(|t| t.span[0] >= span[0] && t.span[1] <= span[1])
        .map(|t| t.raw.as_str())
        .collect();
    Some(unsafe_to(
        format!("{WHY}: people in the '{}'.", name.join(" ")),
        "Watch a place outside instead, for example 'someone enters the changing room corridor'.",
        span,
    ))
}
