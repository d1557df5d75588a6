//! The noun of a phrase from its words: its head, its singular, what hides in it.

use super::number::small_number;
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
    let mut noun = text.join(" ");
    let of = text.iter().position(|w| *w == "of");
    let head = of.unwrap_or(text.len()) - 1;
    let head_word = text[head];
    let many = |w: &str| is_plural(w) && !S_SINGULAR.contains(w);
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
                | "pieces" | "groups" => noun = singular(&back),
                _ => noun = format!("{} of {back}", singular(&front)),
            }
        } else {
            noun = singular(&noun);
        }
    }
    out.noun = match noun.as_str() {
        "folk" | "individual" | "human" | "human being" => "person".to_owned(),
        _ => noun,
    };
    Ok(())
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
