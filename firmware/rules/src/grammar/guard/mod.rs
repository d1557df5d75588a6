//! What is refused by its words: other languages, too many looks, no rules at
//! all, harm, what a camera can't see, slips of the keys, contradictions and
//! amounts without a number.

mod budget;
mod contrary;
mod harm;
mod language;
mod names;
mod observable;
mod order;
mod particular;
mod people;
mod private;
mod unseen;
mod vague;

use super::number::duration;
use super::token::{Tok, span_of};
use super::typo;
use crate::{Refusal, RefusalKind, Seconds};

pub(crate) use contrary::parts as contrary;

fn refuse(kind: RefusalKind, why: &str, offer: &str, span: [usize; 2]) -> Result<(), Refusal> {
    Err(Refusal::new(kind, why).offer(offer).at(span))
}

/// All guards in their order; `bare` is the sentence without greetings,
/// `shouted` one in capitals throughout.
///
/// # Errors
/// The first refusal: harm goes before small talk, so that it is named.
pub(crate) fn words(toks: &[Tok], bare: &[Tok], shouted: bool) -> Result<(), Refusal> {
    language::language(toks)?;
    budget::budget(toks)?;
    super::limits::looks(toks)?;
    let rule = order::not_a_rule(bare);
    harm::harm(bare, shouted)?;
    rule?;
    vague::odd(bare)?;
    observable::observable(bare)?;
    vague::strange(bare)?;
    typo::typos(bare)?;
    contrary::words(bare)?;
    vague::vague(toks)
}

/// A refusal about the hold, with the hold's place in the sentence.
pub(crate) fn placed(mut refusal: Refusal, toks: &[Tok], hold: Option<Seconds>) -> Refusal {
    let said = (0..toks.len()).find_map(|i| {
        duration(toks, i)
            .filter(|(d, _)| Some(*d) == hold)
            .map(|(_, n)| span_of(&toks[i..i + n]))
    });
    if refusal.spans.is_empty() {
        refusal.spans.extend(said);
    }
    refusal
}
