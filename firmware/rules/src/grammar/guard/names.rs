//! Names of persons.

use super::super::pattern::here;
use super::super::token::Tok;
use super::super::words::{ARTICLES, COPULAS, KNOWN, PREPOSITIONS, verb};
use super::people::{GIVEN, GIVEN_WORDS, NATIONS, PEOPLE, PLACE_NOUNS, RELATIONS, TRAITS};
use crate::lexicon::{Lexicon, lexicon};

fn capital(t: &Tok) -> bool {
    let mut chars = t.raw.chars();
    t.word
        && chars.next().is_some_and(char::is_uppercase)
        && chars.clone().count() > 0
        && chars.all(|c| c.is_lowercase() || matches!(c, '\'' | '-') || c.is_uppercase())
        && t.raw.chars().any(char::is_lowercase)
        && t.raw
            .chars()
            .all(|c| c.is_alphabetic() || matches!(c, '\'' | '-'))
}

/// A sentence with most of its words in capitals says nothing by them.
fn title_case(toks: &[Tok]) -> bool {
    let words: Vec<&Tok> = toks.iter().filter(|t| t.word && t.raw.len() > 2).collect();
    let upper = words.iter().filter(|t| t.starts_upper()).count();
    words.len() > 3 && upper * 10 >= words.len() * 6
}

const CALENDAR: &Lexicon = lexicon![
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "christmas",
    "easter",
];

#[rustfmt::skip]
const PERSONAL: &Lexicon = lexicon![
    "is", "enters", "leaves", "comes", "goes", "arrives", "walks", "exits", "stays", "stands",
    "appears", "gets", "sits", "sleeps", "has", "was", "does", "and", "or", "are", "falls", "returns",
    "works", "smokes", "takes", "opens", "looks", "runs", "passes", "starts", "stops", "parks",
    "drives", "waits", "shows", "turns", "to", "around",
];

/// Words before the subject of a sentence.
#[rustfmt::skip]
const BEFORE_SUBJECT: &Lexicon = lexicon![
    "if", "when", "whenever", "once", "is", "does", "has", "watch", "track", "follow", "see", "where",
    "and", "or", "as", "unless", "until", "while", "that", "than", "did", "find", "spot", "catch",
    "monitor", "me", "for", "about", "spotted", "every", "time", "case", ",", ":", "should", "can",
    "with", "called", "named", "before", "after", "because",
];

/// How many tokens from `i` on name a person.
pub(super) fn name(toks: &[Tok], i: usize, shouted: bool) -> Option<usize> {
    let t = &toks[i];
    let prev = i.checked_sub(1).map(|p| &toks[p]);
    let word = t.text.trim_end_matches("'s").trim_end_matches('\'');
    let owned = word.len() < t.text.len();
    let next = toks.get(i + 1);
    if t.any(&["mr", "mrs", "ms", "dr", "prof", "professor"]) {
        let dot = usize::from(next.is_some_and(|n| n.is(".")));
        let who = toks.get(i + 1 + dot).is_some_and(|n| {
            n.word && !n.any(PREPOSITIONS) && !n.any(COPULAS) && verb(&n.text).is_none()
        });
        let street = prev.is_some_and(|p| p.any(PREPOSITIONS))
            && toks.get(i + 2 + dot).is_some_and(|n| n.any(PLACE_NOUNS));
        return (who && !street).then_some(2 + dot);
    }
    if CALENDAR.contains(word) && !(word == "april" || word == "june") {
        return None;
    }
    let given = GIVEN.contains(word);
    let given_word = GIVEN_WORDS.contains(word) && capital(t) && !shouted;
    // Things that are called so.
    let thing = next.is_some_and(|n| {
        n.any(&[
            "deere", "crane", "machine", "tree", "statue", "truck", "lift", "hammer", "bin", "van",
        ]) || (n.any(PLACE_NOUNS) && !owned)
    });
    let article = prev.is_some_and(|p| p.any(ARTICLES));
    // "at Victoria Station", "in Tom's office", "on St John Street"
    let near = prev.is_some_and(|p| p.any(&["near", "by", "with", "behind", "beside", "from"]))
        || here!(toks, i.saturating_sub(2), "next|close to").is_some();
    let placed = prev.is_some_and(|p| {
        p.any(PREPOSITIONS) || p.any(&["of", "st", "saint", "enters", "leaves", "crosses"])
    });
    let more = next
        .is_some_and(|n| (n.starts_upper() && n.word) || n.any(PLACE_NOUNS) || (owned && n.word));
    let in_name = prev.is_some_and(|p| p.starts_upper() && i > 1 && !p.any(BEFORE_SUBJECT));
    // "Will it rain?"
    let word_first = i == 0 && !given && !next.is_some_and(|n| n.any(PERSONAL));
    if (given || given_word) && !word_first {
        if placed && (more || !near) || thing || (article && more) || (in_name && !given) {
            return None;
        }
        if in_name {
            // "King George Street", "the Mary Rose"
            return None;
        }
        let subject = prev.is_none_or(|p| {
            p.any(BEFORE_SUBJECT) || !p.word || ((p.any(PEOPLE) || p.any(RELATIONS)) && capital(t))
        });
        let verbal = next.is_none_or(|n| {
            !n.word
                || n.any(PERSONAL)
                || n.any(PREPOSITIONS)
                || verb(&n.text).is_some()
                || n.any(COPULAS)
        });
        let surname = next.is_some_and(|n| capital(n) && !n.any(CALENDAR) && !n.any(KNOWN));
        let upper = capital(t) && !shouted;
        let sure =
            (subject && (verbal || owned || surname)) || (near && !more) || (upper && subject);
        // In lower case and at the start alone it may be anything.
        let sure = sure && (upper || verbal || owned);
        return sure.then_some(1 + usize::from(surname && upper));
    }
    if shouted || i == 0 || title_case(toks) || !capital(t) {
        return None;
    }
    // Unknown names: "Tom Smith enters", "when Okonkwo leaves".
    let names_people = NATIONS.contains(word) || TRAITS.contains(word) || RELATIONS.contains(word);
    let opens = prev.is_some_and(|p| {
        p.any(&[
            "if", "when", "whenever", "once", "is", "does", "watch", "follow", "track", "unless",
            "see",
        ])
    });
    if !opens || names_people || t.any(KNOWN) || thing {
        return None;
    }
    let company = next.is_some_and(capital)
        && toks
            .get(i + 2)
            .is_some_and(|n| n.any(PLACE_NOUNS) || n.any(KNOWN));
    if company {
        return None;
    }
    let pair = next.is_some_and(capital);
    let acts = |j: usize| {
        toks.get(j).is_some_and(|n| {
            n.any(&[
                "enters", "leaves", "comes", "goes", "arrives", "walks", "exits", "sits", "sleeps",
                "gets", "returns",
            ])
        }) || here!(toks, j, "is at|in his|her|home|work").is_some()
            || here!(toks, j, "is home|late|back|here|asleep|awake").is_some()
            || here!(toks, j, "at his|her").is_some()
    };
    let plural = word.ends_with('s') && !word.ends_with("ss");
    if pair
        && (acts(i + 2)
            || toks
                .get(i + 2)
                .is_none_or(|n| !n.word || n.any(PREPOSITIONS) || n.is("is")))
        && !plural
    {
        let known = next.is_some_and(|n| n.any(KNOWN) || n.any(PLACE_NOUNS));
        return (!known && acts(i + 2)).then_some(2);
    }
    (acts(i + 1) && !plural).then_some(1)
}
