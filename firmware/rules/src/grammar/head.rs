//! The noun of a phrase from its words: its head, its singular, what hides in it.

use super::acts::acts;
use super::days::day;
use super::number::{is_number_word, small_number, unit_millis};
use super::phrase::{Phrase, Role, place_cannot};
use super::token::Tok;
use super::words::*;
use crate::Refusal;
use crate::noun::{is_plural, singular};

/// The phrase with its attributes and state: "red wooden box".
pub(super) fn full(p: &Phrase) -> String {
    let mut words = p.attributes.clone();
    words.extend(p.state.clone());
    words.push(p.noun.clone());
    words.join(" ")
}

pub(crate) fn is_quantity_noun(word: &str) -> bool {
    matches!(
        word,
        "number"
            | "count"
            | "amount"
            | "group"
            | "crowd"
            | "queue"
            | "line"
            | "row"
            | "total"
            | "queues"
            | "lines"
            | "signs"
            | "sign"
            | "pieces"
            | "groups"
    )
}

/// Sets the noun of a phrase; refuses one that hides a verb or says two things.
pub(super) fn finish(
    toks: &[Tok],
    out: &mut Phrase,
    words: &[usize],
    last: usize,
    role: Role,
) -> Result<(), Refusal> {
    if words.len() > 6 {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    let text: Vec<&str> = words.iter().map(|w| toks[*w].text.as_str()).collect();
    let raw: Vec<&str> = words.iter().map(|w| toks[*w].raw.as_str()).collect();
    out.raw = raw.join(" ").replace(" - ", "-");
    // "person count"
    let text: Vec<&str> = match text.as_slice() {
        [front @ .., "count" | "number" | "total"]
            if role == Role::Subject && front.last().is_some_and(|w| *w != "of") =>
        {
            front.to_vec()
        }
        _ => text,
    };
    let Some(&tail) = text.last().filter(|w| **w != "of") else {
        return Err(place_cannot(&toks[words[0]..=last]));
    };
    // "info broken number", "a car opens": a state that was not taken as one
    // would be read as one in another place.
    let stateful = |w: &str| STATES.contains(w) || UNATTENDED.contains(w);
    if role == Role::Subject
        && text.len() > 1
        && (stateful(&singular(tail))
            || matches!(
                &*singular(tail),
                "left" | "gone" | "count" | "number" | "total"
            ))
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "broken smokes", "large open": what narrows a thing was taken before, if
    // a thing follows.
    let narrows = |w: &str| stateful(w) || COLOURS.contains(w) || ATTRIBUTES.contains(w);
    if role == Role::Subject
        && text.len() == 2
        && narrows(text[0])
        && (acts(toks, words[1], 1, false, false, role) || small_number(text[1]).is_some())
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "3 day gates": three days, or three gates?
    if role == Role::Subject && out.compare.is_some() && unit_millis(text[0]).is_some() {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "without a monday": a day is when, and no thing.
    let day = |w: &usize| toks[*w].text.len() > 3 && day(&toks[*w]).is_some();
    if role != Role::Place && words.iter().any(day) {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "watch smoke": watch it, or is it a watch's?
    if role == Role::Subject
        && text.len() > 1
        && matches!(text[0], "watch" | "count")
        && crate::noun::is_mass(tail)
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    let many = |w: &str| is_plural(w) && !S_SINGULAR.contains(w);
    // "under dozen", "near out": no names of anything
    if text.len() == 1 && (text[0] == "out" || role == Role::Place && is_number_word(text[0])) {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "carrying cars parks": does what is carried park?
    if role == Role::Object && (1..text.len()).any(|n| many(text[n - 1]) && verb(text[n]).is_some())
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "half gates", "couple log": of how many?
    if role == Role::Subject
        && (text[0] == "half"
            || text[0] == "couple" && text.len() > 1
            || text.windows(2).any(|w| w[0] == "of" && w[1] == "couple")
            || text.len() == 1 && UNATTENDED.contains(text[0]))
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    let mut noun = text.join(" ");
    let of = text.iter().position(|w| *w == "of");
    let head = of.unwrap_or(text.len()) - 1;
    let head_word = text[head];
    // "people dig": an unknown verb hides behind a plural.
    for (n, w) in text.iter().enumerate().take(head) {
        let fine = n + 1 == of.unwrap_or(usize::MAX) || small_number(text[n + 1]).is_some();
        let initials = raw[n].len() > 1 && raw[n].chars().all(char::is_uppercase);
        if role == Role::Subject
            && many(w)
            && !fine
            && !initials
            && !w.ends_with("'s")
            && !w.ends_with("s'")
        {
            return Err(place_cannot(&toks[words[n]..=last]));
        }
    }
    // "red leaves something": a colour is no thing
    if role == Role::Subject
        && text.len() == 1
        && COLOURS.contains(text[0])
        && !matches!(text[0], "light" | "orange")
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "hall people count": where, or which people?
    if role == Role::Subject
        && head > 0
        && matches!(text[head], "people" | "person" | "persons")
        && (PLACES.contains(text[0]) || FIXTURES.contains(text[0]))
    {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    // "the number of people doubles"
    if let Some(of) = of
        && role == Role::Subject
        && text
            .get(of + 1..text.len() - 1)
            .is_some_and(|rest| rest.iter().any(|w| many(w)))
    {
        return Err(place_cannot(&toks[words[of]..=last]));
    }
    // "a dog digs": so it does behind "a".
    if matches!(out.article.as_str(), "a" | "an")
        && many(head_word)
        && !crate::noun::takes_no_article(head_word)
        && head > 0
        && role == Role::Subject
    {
        return Err(place_cannot(&toks[words[head]..=last]));
    }
    if role != Role::Place {
        if let Some(of) = of {
            let (front, back) = (
                text[..of].join(" "),
                text[of + 1..]
                    .iter()
                    .filter(|w| !ARTICLES.contains(w))
                    .copied()
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            match head_word {
                "queue" | "line" | "queues" | "lines" | "row" => {
                    noun = format!("{} in queue", singular(&back))
                }
                "number" | "count" | "amount" | "group" | "crowd" | "total" | "signs" | "sign"
                | "pieces" | "groups" => noun = singular(narrowed(out, &back)),
                _ => noun = format!("{} of {back}", singular(&front)),
            }
        } else {
            noun = singular(&noun);
        }
    }
    // "the number of another"
    if noun.is_empty() {
        return Err(place_cannot(&toks[words[0]..=last]));
    }
    out.noun = match noun.as_str() {
        "folk" | "individual" | "human" | "human being" => "person".to_owned(),
        _ => noun,
    };
    Ok(())
}

/// Takes what narrows the thing that is counted out of its words: "the number
/// of | red | cars".
fn narrowed<'a>(out: &mut Phrase, words: &'a str) -> &'a str {
    let mut words = words;
    while let Some((first, rest)) = words.split_once(' ') {
        if COLOURS.contains(first) || ATTRIBUTES.contains(first) {
            out.attributes.push(first.to_owned());
        } else if STATES.contains(first) && out.state.is_none() {
            out.state = Some(first.to_owned());
        } else {
            break;
        }
        words = rest;
    }
    words
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_count_behind_of_is_answered() {
        // The last word is what is counted only if something stands before it.
        for text in ["a pile of count", "tell me if the door of total is open"] {
            let _answer = crate::read(text).is_ok();
        }
        assert!(crate::read("alert me if the people count exceeds 5").is_ok());
    }
}
