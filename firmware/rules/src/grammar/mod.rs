//! The grammar: a closed, documented set of structure words takes a sentence
//! apart; what is left is the visual concept. What can't be placed is refused
//! with its span, never guessed.
//!
//! [`parse`] goes in this order:
//!
//! 1. tokens (`token`), and a copy without courtesies for the guards;
//! 2. guards refuse by words (`guard`, with `typo`);
//! 3. what surrounds the condition is taken out wherever it stands, and leaves
//!    a gap: severity, cool-down (`cooldown`, `dedup`, `quiet`), schedule
//!    (`hours`, `clock`, `days`, `dates`), hold, window;
//! 4. tidying: marks, the camera's name, an exception or a place in front
//!    (`tidy`), counts of times (`repeat`);
//! 5. frames ("alert me when", `frames`, `courtesy`) and duties ("must", `duty`);
//! 6. clauses (`join`, `clause`): subjects (`subject`, `phrase`, `head`,
//!    `acts`, `compare`), what is said of them (`predicate`, `amount`,
//!    `presence`, `attribute`, `state`, `deed`, `object`), places (`place`);
//! 7. their rules (`leaf`), joined by AND or OR (`join`);
//! 8. checks of what can't be meant (`check`, `guard::contrary`).
//!
//! `words` is the vocabulary, `number` reads numbers and lengths of time,
//! `pattern` tells whether some words stand at a place.

mod acts;
mod amount;
mod attribute;
mod breach;
mod check;
mod clause;
mod clock;
mod compare;
mod cooldown;
mod courtesy;
mod dates;
mod days;
mod dedup;
mod deed;
mod duty;
mod frames;
mod guard;
mod head;
mod hold;
mod hours;
mod join;
mod leaf;
mod limits;
mod number;
mod object;
mod pattern;
mod phrase;
mod place;
mod predicate;
mod presence;
mod quiet;
mod repeat;
mod severity;
mod state;
mod subject;
mod tidy;
mod token;
mod typo;
mod window;
mod words;

pub(crate) use acts::is_plural_too;

/// Whether the word is a state that things can be in.
pub(crate) fn is_state(word: &str) -> bool {
    words::STATES.contains(word)
}

pub(crate) fn is_preposition(word: &str) -> bool {
    words::PREPOSITIONS.contains(word)
}

use crate::refusal;
use crate::{Predicate, Refusal, RefusalKind, Rule};
use check::{check, plain};
use frames::Framed;
use join::condition;
use token::{Tok, gaps_at, span_of, tokenise};

/// The longest sentence that is read, in characters.
pub const MAX_CHARS: usize = 1000;

const EXAMPLE: &str =
    "Say what to watch for, for example 'Alert me when more than 3 people are at the till'.";

/// Reads a sentence.
///
/// # Errors
/// A [`Refusal`] with its kind, the reason, what is missing, an offer and the
/// place in the sentence. Never panics, whatever the text.
pub fn read(text: &str) -> Result<Rule, Refusal> {
    let length = text.chars().count();
    parse(text, length).map_err(|mut refusal| {
        if refusal.spans.is_empty() {
            refusal.spans.push([0, length]);
        }
        mended(text, refusal)
    })
}

/// The refusal with the whole sentence as it would be understood, where the
/// words in the way can be put right.
fn mended(text: &str, mut refusal: Refusal) -> Refusal {
    let mut mended = text.to_owned();
    let mut edits = std::mem::take(&mut refusal.edits);
    // Several words may be in the way: five are enough.
    for _ in 0..5 {
        if edits.is_empty() {
            return refusal;
        }
        mended = refusal::edited(&mended, &edits);
        match parse(&mended, mended.chars().count()) {
            Ok(_) => {
                refusal.suggest(&mended);
                return refusal;
            }
            Err(next) => edits = next.edits,
        }
    }
    refusal
}

fn parse(text: &str, length: usize) -> Result<Rule, Refusal> {
    if length > MAX_CHARS {
        return Err(Refusal::new(
            RefusalKind::NotARule,
            format!("The text has {length} characters; a rule has at most {MAX_CHARS}."),
        )
        .offer("Say one thing to watch for in one sentence.")
        .at([MAX_CHARS, length]));
    }
    let mut toks = tokenise(text);
    if !toks.iter().any(|t| t.word) {
        return Err(
            Refusal::new(RefusalKind::NotARule, "There are no words in this.")
                .offer(EXAMPLE)
                .at([0, length]),
        );
    }
    let shouted = !toks.iter().any(|t| t.raw.chars().any(char::is_lowercase));
    if shouted {
        toks.iter_mut().for_each(|t| t.raw.clone_from(&t.text));
    }
    let mut bare = toks.clone();
    courtesy::courtesy(&mut bare);
    guard::words(&toks, &bare, shouted)?;
    let whole = span_of(&toks);
    let severity = limits::severity(&mut toks)?;
    let (cooldown, dedup) = limits::cooldown(&mut toks)?;
    let schedule = hours::extract(&mut toks)?;
    let before = gaps(&toks);
    let hold = limits::hold(&mut toks)?;
    let held_at = gaps(&toks).into_iter().find(|g| !before.contains(g));
    let window = limits::window(&mut toks)?;
    hold::fits(hold, window, schedule.as_ref()).map_err(|r| guard::placed(r, &bare, hold))?;
    tidy::marks(&mut toks);
    let camera = tidy::camera(&mut toks);
    let demanded = duty::wrapper(&mut toks);
    unless_first(&mut toks);
    let mut front = tidy::front_place(&mut toks)?;
    let times = repeat::times(&mut toks)?;
    repeat::common(&mut toks);
    let framed = frames::strip(&mut toks);
    if front.is_none() && framed.framed {
        front = tidy::front_place(&mut toks)?;
    }
    tidy::pairs(&mut toks);
    tidy::either_count(&mut toks);
    tidy::either_kind(&mut toks);
    let framed = Framed {
        framed: framed.framed || severity.is_some() || demanded,
        ..framed
    };
    let duty = duty::rewrite(&mut toks, demanded, framed.conditional)?;
    let framed = Framed {
        framed: framed.framed || duty.is_some(),
        ..framed
    };
    let mut rule = condition(
        &toks,
        framed,
        front.as_ref(),
        window.filter(|_| times.is_none()),
        hold,
    )?;
    if rule.all.is_some() || rule.any.is_some() {
        whole_hold(&toks, held_at)?;
    }
    rule.camera = camera;
    repeat::count(&mut rule, times, window)?;
    if let Some(turn) = duty {
        let camera = rule.camera.take();
        rule = breach::apply(turn, rule, whole)?;
        rule.camera = camera;
    }
    let copula = toks.iter().any(|t| t.any(words::COPULAS));
    let gone = |l: &Rule| copula && l.predicate == Some(Predicate::Absence);
    if !(framed.framed || rule.leaves().iter().all(|l| plain(l) || gone(l))) {
        return Err(Refusal::new(
            RefusalKind::NotARule,
            "This does not say what to watch for.",
        )
        .offer(EXAMPLE)
        .at(whole));
    }
    rule.severity = severity;
    rule.cooldown_seconds = cooldown;
    rule.dedup = dedup;
    rule.schedule = schedule;
    rule.for_seconds = hold;
    check(&rule, framed, whole)?;
    guard::contrary(&rule, &bare)?;
    Ok(rule)
}

/// Where phrases were taken out.
fn gaps(toks: &[Tok]) -> Vec<[usize; 2]> {
    let gaps = toks.iter().filter(|t| t.is_gap());
    gaps.map(|t| t.span).collect()
}

/// A hold belongs to the whole of a compound rule: said of its first part
/// only, it would be another rule.
fn whole_hold(toks: &[Tok], held_at: Option<[usize; 2]>) -> Result<(), Refusal> {
    let Some(at) = toks
        .iter()
        .position(|t| t.is_gap() && Some(t.span) == held_at)
    else {
        return Ok(());
    };
    let first = toks[..at].iter().any(|t| t.word);
    let more = toks[at..]
        .iter()
        .any(|t| t.any(&["and", "or", "while", "whilst", "unless", "but"]));
    if !(first && more) {
        return Ok(());
    }
    Err(Refusal::new(
        RefusalKind::Ambiguous,
        "It is not clear whether all of this must last so long, or only its first part.",
    )
    .missing("for_seconds")
    .offer("Say the time at the end if it is for all of it, or make a rule for each part.")
    .at(toks[at].span))
}

/// "Unless a guard is there, tell me …": puts the exception last.
fn unless_first(toks: &mut Vec<Tok>) {
    let lead = gaps_at(toks, 0);
    let first = ["unless", "while", "whilst"];
    if !toks.get(lead).is_some_and(|t| t.any(&first)) {
        return;
    }
    let comma = (lead + 1..toks.len()).find(|i| toks[*i].is(",") && frames::starts(toks, *i + 1));
    let Some(comma) = comma else { return };
    let mut rest = toks.split_off(comma + 1);
    toks.pop();
    while rest.last().is_some_and(|t| !t.word) {
        rest.pop();
    }
    let tail: Vec<Tok> = toks.drain(lead..).collect();
    toks.extend(rest);
    toks.extend(tail);
}
