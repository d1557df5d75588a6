//! Whether a word acts as a noun or as a verb where it stands: "car park" and
//! "cars park", "fire exit" and "people exit".

use super::number::{is_number_word, small_number};
use super::phrase::Role;
use super::place::preposition;
use super::token::Tok;
use super::words::*;
use crate::lexicon::{Lexicon, lexicon};
use crate::noun::singular;

/// Verbs in the third person that are plurals of things as well.
#[rustfmt::skip]
const THINGS_IN_S: &Lexicon = lexicon![
    "exits", "stands", "works", "stops", "lifts", "drops", "locks", "turns", "passes", "parks",
    "docks", "walks", "drives", "rides", "lands", "boxes", "rows", "packs", "stacks", "sinks",
    "scales", "wheels", "posts", "covers", "rests", "nests", "swings", "marches", "vaults",
    "switches", "hangs",
];

/// Verbs that need no ending to be said of one.
#[rustfmt::skip]
const FINITE: &Lexicon = lexicon![
    "left", "came", "went", "gone", "fell", "ran", "got", "worn", "has", "have", "held", "taken",
];

/// Whether a verb in the third person is the plural of a thing as well.
pub(crate) fn is_plural_too(verb: &str) -> bool {
    THINGS_IN_S.contains(verb) || KNOWN.contains(singular(verb).as_str())
}

/// Whether the word at `i` may be part of a noun.
pub(super) fn nounish(toks: &[Tok], i: usize) -> bool {
    toks.get(i).is_some_and(|t| {
        t.word
            && (!t.any(STRUCTURE) || t.any(&["lower", "higher", "back", "first", "second"]))
            && !t.any(PREPOSITIONS)
            && !t.any(COPULAS)
            && !t.any(ARTICLES)
            && !t.any(UNIVERSAL)
            && !t.any(UNATTENDED)
            && small_number(&t.text).is_none()
            && !is_number_word(&t.text)
    })
}

/// Whether the word at `i` acts as a verb, given that `words` noun words came
/// before it.
pub(crate) fn acts(
    toks: &[Tok],
    i: usize,
    words: usize,
    after_plural: bool,
    after_pronoun: bool,
    role: Role,
) -> bool {
    let t = &toks[i];
    let object_follows = toks
        .get(i + 1)
        .is_some_and(|n| n.any(ARTICLES) || n.any(&["into", "onto", "out"]));
    let s = t.text.as_str();
    let known = verb(s).is_some();
    if words == 0 && !after_pronoun {
        return false;
    }
    if s.ends_with("ing") {
        return gerund_acts(toks, i, after_plural, object_follows, role);
    }
    if !known {
        return false;
    }
    if after_pronoun {
        return true;
    }
    let goes_on = toks
        .get(i + 1)
        .is_some_and(|n| n.any(ARTICLES) || n.any(&["to", "down", "up"]))
        || preposition(toks, i + 1).is_some();
    if role != Role::Subject && !goes_on && THINGS_IN_S.contains(s) {
        return false;
    }
    // "the car parks are full"
    if s.ends_with('s')
        && toks
            .get(i + 1)
            .is_some_and(|n| n.any(&["is", "are", "was", "were", "has", "have"]))
    {
        return false;
    }
    let finite =
        s.ends_with('s') && !S_SINGULAR.contains(s) || s.ends_with("ed") || FINITE.contains(s);
    if finite {
        return true;
    }
    // "people enter", but "fire exit"; "cars park" but "car park"
    after_plural || (object_follows && role == Role::Subject)
}

/// Whether the word at `i` must be a verb that is in no table: "a dog digs in …".
pub(crate) fn strange_verb(toks: &[Tok], i: usize, article: &str) -> bool {
    let t = &toks[i];
    let single = matches!(article, "a" | "an" | "pronoun");
    let pronoun = article == "pronoun";
    let ends = toks.get(i + 1).is_none_or(|n| {
        !n.word || n.any(ARTICLES) || n.any(PREPOSITIONS) || n.any(&["up", "down", "out", "away"])
    });
    single
        && ends
        && t.text.len() > 3
        && t.text.ends_with('s')
        && !["ss", "us", "is", "'s"].iter().any(|e| t.text.ends_with(e))
        && t.text.is_ascii()
        && !t.any(S_SINGULAR)
        && !t.any(STRUCTURE)
        && !t.is("times")
        && !t.any(CLOTHES)
        && !crate::noun::takes_no_article(&t.text)
        && (pronoun || !KNOWN.contains(singular(&t.text).as_str()))
}

/// Whether the word in -ing at `i` is a deed, and not "the loading bay".
fn gerund_acts(
    toks: &[Tok],
    i: usize,
    after_plural: bool,
    object_follows: bool,
    role: Role,
) -> bool {
    let s = toks[i].text.as_str();
    let known = verb(s).is_some();
    if ING_NOUNS.contains(s) {
        let free = toks.get(i + 1).is_none_or(|n| {
            !n.word
                || n.any(PREPOSITIONS)
                || n.any(ARTICLES)
                || n.any(&["up", "away", "down", "out", "back", "together", "and", "or"])
        });
        let who = i.checked_sub(1).is_some_and(|p| {
            HUMANS.contains(singular(&toks[p].text).as_str())
                && s != "parking"
                && toks.get(i + 1).is_none_or(|n| {
                    !n.word
                        || n.any(PREPOSITIONS)
                        || n.any(ARTICLES)
                        || n.any(&["up", "away", "down", "out", "back", "together"])
                })
        });
        known && (object_follows || (after_plural && free) || (who && role == Role::Subject))
    } else {
        known || from_gerund(s).is_some()
    }
}
