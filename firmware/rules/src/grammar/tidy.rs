//! What is put in order before clauses are read: interjections, dots, "either"
//! and "neither", the camera's name, a place at the front.

use super::clause::{Clause, Parser};
use super::compare::compare;
use super::frames;
use super::pattern::here;
use super::phrase::{Role, phrase};
use super::place::preposition;
use super::token::{GAP, Tok, gaps_at, take};
use super::words::*;
use crate::Refusal;
use crate::lexicon::{Lexicon, lexicon};

fn leading(toks: &[Tok]) -> usize {
    let front = toks.iter().take_while(|t| t.is_gap() || t.is(","));
    front.count()
}

/// "Yo! …", "three cars … parking lot", "when, on a Sunday, somebody".
pub(crate) fn marks(toks: &mut Vec<Tok>) {
    const CALLS: &Lexicon = lexicon![
        "yo",
        "hey",
        "hi",
        "hello",
        "ok",
        "okay",
        "so",
        "well",
        "right",
        "listen",
        "attention",
        "oi",
        "camera",
        "watchword",
    ];
    loop {
        let calls = toks.iter().take_while(|t| t.any(CALLS)).count();
        let marked = toks
            .get(calls)
            .is_some_and(|t| t.any(&["!", ",", "-", ":", "."]));
        if calls == 0 || !marked || toks.len() < calls + 2 {
            break;
        }
        toks.drain(..=calls);
    }
    let mut i = 0;
    while i < toks.len() {
        if toks[i].is("…") || (toks[i].is(".") && toks.get(i + 1).is_some_and(|t| t.is("."))) {
            let n = toks[i..].iter().take_while(|t| t.any(&[".", "…"])).count();
            take(toks, i, i + n);
            toks[i].text = GAP.into();
        } else if toks[i].is("/")
            && i > 0
            && toks[i - 1].word
            && toks.get(i + 1).is_some_and(|t| t.word)
        {
            // "fire / smoke"
            toks[i].text = "or".into();
            toks[i].word = true;
        } else if !toks[i].word
            && !toks[i].is_gap()
            && toks[i]
                .text
                .chars()
                .all(|c| !c.is_ascii() && !c.is_alphanumeric() && !"–—…“”°€£".contains(c))
        {
            // a picture, not a word
            toks[i].text = GAP.into();
        } else if toks[i].any(&["if", "when", "whenever"])
            && toks.get(i + 1).is_some_and(|t| t.is(","))
        {
            toks.remove(i + 1);
        }
        i += 1;
    }
}

/// "either a or b" is "a or b", "neither a nor b" is "no a and no b".
pub(crate) fn pairs(toks: &mut Vec<Tok>) {
    if let Some(i) = toks.iter().position(|t| t.is("either")) {
        if toks[i..].iter().any(|t| t.is("or")) {
            toks.remove(i);
        }
        return;
    }
    if let Some(i) = toks.iter().position(|t| t.is("both")) {
        let listed = toks
            .get(i + 1)
            .is_some_and(|t| t.any(&["a", "an", "the", "no"]));
        if listed && toks[i..].iter().any(|t| t.is("and")) {
            toks.remove(i);
        }
        return;
    }
    let Some(i) = toks.iter().position(|t| t.is("neither")) else {
        return;
    };
    let Some(nor) = (i..toks.len()).find(|j| toks[*j].is("nor")) else {
        return;
    };
    let like = |t: &Tok, text: &str| Tok {
        text: text.into(),
        raw: text.into(),
        ..t.clone()
    };
    let and = like(&toks[nor], "and");
    let no = like(&toks[nor], "no");
    let skip = |toks: &[Tok], at: usize| {
        usize::from(
            toks.get(at)
                .is_some_and(|t| t.any(&["a", "an", "the", "any"])),
        )
    };
    let n = skip(toks, nor + 1);
    toks.splice(nor..=nor + n, [and, no]);
    let no = like(&toks[i], "no");
    let n = skip(toks, i + 1);
    toks.splice(i..=i + n, [no]);
}

/// The words at `i` that can only be a noun.
fn noun_at(toks: &[Tok], i: usize) -> Vec<Tok> {
    let noun = toks[i.min(toks.len())..].iter().take_while(|t| {
        t.word
            && !t.any(STRUCTURE)
            && !t.any(PREPOSITIONS)
            && !t.any(COPULAS)
            && !t.any(ARTICLES)
            && (verb(&t.text).is_none() || KNOWN.contains(t.text.as_str()))
            && !t.any(STATES)
    });
    noun.cloned().collect()
}

/// "fewer than 2 or more than 8 people" is "fewer than 2 people or more than 8
/// people".
pub(crate) fn either_count(toks: &mut Vec<Tok>) {
    let said = |toks: &[Tok], i: usize| compare(toks, i).ok().flatten().filter(|k| !k.bare);
    for i in 0..toks.len() {
        let Some(first) = said(toks, i) else { continue };
        let or = i + first.len;
        if !toks.get(or).is_some_and(|t| t.is("or")) {
            continue;
        }
        let Some(second) = said(toks, or + 1) else {
            continue;
        };
        let noun = noun_at(toks, or + 1 + second.len);
        for (n, t) in noun.into_iter().enumerate() {
            toks.insert(or + n, t);
        }
        return;
    }
}

/// "a red or blue car" is "a red car or a blue car".
pub(crate) fn either_kind(toks: &mut Vec<Tok>) {
    let kind = |t: &Tok| -> Option<u8> {
        if t.any(COLOURS) {
            Some(0)
        } else if t.any(ATTRIBUTES) {
            Some(1)
        } else if t.any(STATES) {
            Some(2)
        } else {
            None
        }
    };
    for i in 0..toks.len() {
        let (Some(a), Some(b)) = (kind(&toks[i]), toks.get(i + 2).and_then(kind)) else {
            continue;
        };
        let first = i == 0 || !toks[i - 1].any(COPULAS);
        if a != b || !toks[i + 1].is("or") || !first {
            continue;
        }
        let noun = noun_at(toks, i + 3);
        if noun.is_empty() {
            continue;
        }
        let article = i
            .checked_sub(1)
            .map(|p| toks[p].clone())
            .filter(|t| t.any(&["a", "an", "the", "any"]));
        if let Some(article) = article {
            toks.insert(i + 2, article);
        }
        for (n, t) in noun.into_iter().enumerate() {
            toks.insert(i + 1 + n, t);
        }
        return;
    }
}

/// Takes "on the lobby camera" and "camera 3:" out.
pub(crate) fn camera(toks: &mut Vec<Tok>) -> Option<String> {
    let named = |toks: &[Tok], i: usize, n: usize| -> Option<String> {
        let words: Vec<&str> = toks[i..i + n].iter().map(|t| t.raw.as_str()).collect();
        let fine = n > 0
            && toks[i..i + n].iter().all(|t| {
                t.word
                    && !t.any(STRUCTURE)
                    && !t.any(PREPOSITIONS)
                    && !t.any(ARTICLES)
                    && !t.any(COPULAS)
            });
        fine.then(|| words.join(" "))
    };
    let numbered = |t: Option<&Tok>| {
        t.is_some_and(|t| {
            super::number::small_number(&t.text).is_some()
                || t.text.starts_with(|c: char| c.is_ascii_digit())
                || (t.raw.len() == 1 && t.raw.chars().all(|c| c.is_ascii_uppercase()))
        })
    };
    for i in 0..toks.len() {
        let prep = here!(toks, i, "on|from|at|in|via|for").unwrap_or(0);
        let article = here!(toks, i + prep, "the|my|our").unwrap_or(0);
        let at = i + prep + article;
        let start = i == leading(toks);
        if prep == 0 && !start {
            continue;
        }
        // "on camera 3", "camera 3:"
        if here!(toks, at, "camera|cam").is_some() && numbered(toks.get(at + 1)) {
            let end = at + 2;
            let mark = usize::from(toks.get(end).is_some_and(|t| t.any(&[":", ",", "-"])));
            if prep > 0 || mark > 0 {
                let name = format!("camera {}", toks[at + 1].raw);
                take(toks, i, end + if start { mark } else { 0 });
                return Some(name);
            }
        }
        for n in 1..=3 {
            if here!(toks, at + n, "camera|cam").is_some()
                && !toks.get(at + n + 1).is_some_and(|t| {
                    t.any(&[
                        "is", "room", "mast", "pole", "tower", "position", "view", "bag", "case",
                    ])
                })
                && let Some(name) = named(toks, at, n)
            {
                let end = at + n + 1;
                let mark = usize::from(toks.get(end).is_some_and(|t| t.any(&[":", ",", "-"])));
                if prep > 0 || mark > 0 {
                    take(toks, i, end + if start { mark } else { 0 });
                    return Some(name);
                }
            }
        }
    }
    None
}

/// Takes a place from the front: "In the loading bay, tell me when …".
pub(crate) fn front_place(toks: &mut Vec<Tok>) -> Result<Option<Clause>, Refusal> {
    const LEADS: &Lexicon = lexicon![
        "in",
        "at",
        "on",
        "by",
        "near",
        "inside",
        "behind",
        "outside",
        "under",
        "along",
        "around",
        "within",
        "beside",
        "above",
        "below",
        "between",
        "opposite",
        "underneath",
        "next",
        "close",
        "over",
    ];
    let lead = leading(toks);
    if !toks.get(lead).is_some_and(|t| t.any(LEADS))
        || preposition(toks, lead).is_none()
        || here!(toks, lead, "in case").is_some()
        || here!(toks, lead, "in the event").is_some()
        || here!(toks, lead, "over|under|above|below|within").is_some()
            && compare(toks, lead)?.is_some()
    {
        return Ok(None);
    }
    let mut c = Clause::default();
    let parser = Parser {
        toks,
        before: None,
        asks: false,
    };
    let mut end = lead;
    while let Some(e) = parser.place(end, &mut c)? {
        end = e;
    }
    if c.zones.is_empty() {
        return Ok(None);
    }
    let gaps = gaps_at(toks, end);
    let at = end + gaps;
    let mark = usize::from(toks.get(at).is_some_and(|t| t.any(&[",", ":", "-", ";"])));
    let next = at + mark;
    let goes_on = mark > 0
        || frames::starts(toks, next)
        || toks.get(next).is_some_and(|t| t.is("there"))
        || compare(toks, next).is_ok_and(|k| k.is_some_and(|k| !k.bare))
        || phrase(toks, next, Role::Subject)
            .is_ok_and(|p| p.is_some_and(|(p, _)| p.pronoun || p.negative));
    if !goes_on || next >= toks.len() {
        return Ok(None);
    }
    toks.drain(lead..next);
    Ok(Some(c))
}

/// Puts a clause into the place that stood at the front.
pub(crate) fn put_there(front: &Clause, c: &mut Clause) {
    if c.zones.is_empty() {
        c.zones.clone_from(&front.zones);
        c.place.clone_from(&front.place);
        return;
    }
    let outer = front.place.join(" ");
    if let [own] = c.zones.as_mut_slice() {
        *own = super::place::zone_name(&format!("{own} {outer}"));
        c.place.push(outer);
    }
}
