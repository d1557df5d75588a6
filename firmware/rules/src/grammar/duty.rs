//! Duties: "there must always be a guard at the gate", "no more than 4 people
//! are allowed in the lift". A duty is turned round into what breaks it: its
//! words are rewritten to a plain condition, and what was demanded is inverted.

use super::courtesy;
use super::number::small_number;
use super::pattern::{Pattern, any_of, here, longest, patterns};
use super::phrase::place_cannot;
use super::token::{Tok, gaps_at, span_of};
use super::words::*;
use crate::{Refusal, RefusalKind};

/// What to do with the condition that the words of a duty leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Turn {
    /// The condition is what is forbidden: it stays.
    Forbidden,
    /// The condition is what is demanded: its opposite is watched for.
    Demanded,
    /// The condition is what is allowed: only its limit can be broken.
    Allowed,
    /// Everyone must wear, carry or have something: who does not is watched for.
    Worn,
}

pub(super) fn refuse(why: &str, offer: &str, span: [usize; 2]) -> Refusal {
    Refusal::new(RefusalKind::Ambiguous, why)
        .offer(offer)
        .at(span)
}

fn word(like: &Tok, text: &str) -> Tok {
    Tok {
        text: text.to_owned(),
        raw: text.to_owned(),
        span: like.span,
        word: true,
    }
}

const ALWAYS: &[Pattern] = patterns![
    "always",
    "at all times",
    "at any time",
    "at any one time",
    "at one time",
    "at a time",
    "at once",
    "ever",
    "permanently",
    "constantly",
    "continuously",
    "strictly",
    "under any circumstances",
    "round the clock",
    "around the clock",
    "day and night",
    "24/7",
    "at every moment",
    "all the time",
    "generally",
];

fn drop_always(toks: &mut Vec<Tok>) {
    let mut i = 0;
    while i < toks.len() {
        let n = longest(toks, i, ALWAYS);
        match n {
            Some(n) => {
                toks.drain(i..i + n);
            }
            None => i += 1,
        }
    }
}

/// Takes "make sure that …" from the start: what follows is demanded.
pub(crate) fn wrapper(toks: &mut Vec<Tok>) -> bool {
    let Some(n) = wrapped(toks) else { return false };
    toks.drain(..n);
    true
}

fn wrapped(toks: &[Tok]) -> Option<usize> {
    let lead = toks
        .iter()
        .take_while(|t| t.is_gap() || t.any(&["please", "always", ",", "kindly"]))
        .count();
    let n = any_of!(
        toks,
        lead,
        [
            "make sure|certain that?",
            "ensure that?",
            "see to it that",
            "be sure that",
            "check|verify that",
            "it must be ensured that",
            "we|i|you always? need|require there? to? be?",
            "there needs to be",
        ]
    )?;
    let next = toks.get(lead + n)?;
    let need = toks[lead].any(&["we", "i", "you"]);
    let tells = toks[lead + n..].iter().take(4).any(|t| {
        t.any(courtesy::TELLING) || t.any(&["that", "when", "if", "whenever", "this", "it"])
    });
    if need && tells {
        return None;
    }
    let frame = next.any(&["to", "you", "i", "we", "the-alert"])
        || here!(toks, lead + n, "i|we get|am|are").is_some();
    (!frame).then_some(lead + n)
}

/// A modal at some place: (from, to, negative, demands).
struct Modal {
    from: usize,
    to: usize,
    negative: bool,
    demands: bool,
}

fn modal_at(toks: &[Tok], i: usize) -> Option<Modal> {
    const NEVER: &str = "not|never";
    let forbidding = patterns![
        "is|are|be strictly? forbidden|prohibited|banned|off-limits to?",
        "is|are strictly? forbidden|prohibited|banned from?",
        "is|are off limits to?",
        "strictly? forbidden|prohibited",
        "must|should never|not be allowed|permitted to?",
    ];
    if let Some(n) = longest(toks, i, forbidding) {
        return Some(Modal {
            from: i,
            to: i + n,
            negative: true,
            demands: true,
        });
    }
    let allowed = patterns![
        "is|are not|never|only? allowed|permitted|supposed|meant to?",
        "is|are allowed|permitted to?",
        "not|never allowed|permitted to?",
        "allowed|permitted to?",
        "can|may|must only be allowed|permitted to?",
    ];
    if let Some(n) = longest(toks, i, allowed) {
        let negative = toks[i..i + n].iter().any(|t| t.any(&["not", "never"]));
        let supposed = toks[i..i + n].iter().any(|t| t.any(&["supposed", "meant"]));
        return Some(Modal {
            from: i,
            to: i + n,
            negative,
            demands: supposed,
        });
    }
    let demanding = patterns![
        "must|should|shall|ought",
        "has|have|needs|need|ought to",
        "is|are to",
        "is|are required|obliged|supposed|expected|meant to",
    ];
    if let Some(n) = longest(toks, i, demanding) {
        let never = here!(toks, i + n, NEVER).unwrap_or(0);
        let to = i + n + never + here!(toks, i + n + never, "only").unwrap_or(0);
        let plain = toks[i].any(&["has", "have", "need", "needs", "is", "are"]);
        // "is to the left of": a verb follows a real one
        let verb_next = toks.get(to).is_some_and(|t| {
            t.is("be")
                || t.any(&["stay", "remain", "wear", "have", "keep"])
                || verb(&t.text).is_some()
        });
        if plain && !verb_next {
            return None;
        }
        return Some(Modal {
            from: i,
            to,
            negative: never > 0,
            demands: true,
        });
    }
    let n = here!(toks, i, "may|can")?;
    // "trash can full" allows nothing.
    let modal = toks.get(i + n).is_some_and(|t| {
        t.any(&["be", "not", "never", "only", "have", "stay", "wear"])
            || verb(&t.text).is_some() && !t.text.ends_with('s')
    });
    if !modal {
        return None;
    }
    let never = here!(toks, i + n, NEVER).unwrap_or(0);
    let only = here!(toks, i + n + never, "only").unwrap_or(0);
    Some(Modal {
        from: i,
        to: i + n + never + only,
        negative: never > 0,
        demands: false,
    })
}

/// "enter" after a modal, as it stands in a plain sentence.
fn finite(tok: &Tok) -> Tok {
    let text = tok.text.as_str();
    let form = match text {
        "be" => "is".to_owned(),
        "have" => "has".to_owned(),
        _ if verb(text).is_some() && !text.ends_with("ing") && !text.ends_with('s') => {
            let es = ["ch", "sh", "x", "ss", "go", "do"]
                .iter()
                .any(|e| text.ends_with(e));
            format!("{text}{}", if es { "es" } else { "s" })
        }
        _ => text.to_owned(),
    };
    word(tok, &form)
}

/// Rewrites a duty to a plain condition; `None` if the sentence is none.
///
/// `conditional`: the sentence has an "if" or "when" of its own, so that
/// "should" is no duty.
pub(crate) fn rewrite(
    toks: &mut Vec<Tok>,
    wrapped: bool,
    conditional: bool,
) -> Result<Option<Turn>, Refusal> {
    let turn = wrapped.then_some(Turn::Demanded);
    if conditional && turn.is_none() {
        return Ok(None);
    }
    let found = (0..toks.len()).find_map(|i| modal_at(toks, i));
    let Some(modal) = found else {
        return Ok(without_modal(toks, turn));
    };
    let span = span_of(&toks[modal.from..modal.to]);
    let mut negative = modal.negative;
    let mut tail: Vec<Tok> = toks.split_off(modal.to);
    toks.truncate(modal.from);
    drop_always(toks);
    drop_always(&mut tail);
    // "otherwise alert me": the frame is gone, its word is left.
    while tail.last().is_some_and(|t| {
        t.is_gap() || t.any(&["otherwise", "else", ",", "not", "or", "if", "and", "then"])
    }) && tail.last().is_some_and(|t| {
        !t.is_gap()
            || tail
                .iter()
                .rev()
                .any(|t| t.any(&["otherwise", "else", "not"]))
    }) {
        tail.pop();
    }
    let lead = gaps_at(toks, 0);
    let only = here!(toks, lead, "only|just").is_some()
        && toks
            .get(lead + 1)
            .is_none_or(|t| small_number(&t.text).is_none() && !t.any(&["a", "one"]));
    if only {
        toks.remove(lead);
    }
    if let Some(n) = here!(&tail, 0, "be worn|used|carried by?") {
        worn_by(toks, tail, n, span)?;
        let turn = if negative {
            Turn::Forbidden
        } else {
            Turn::Worn
        };
        return Ok(Some(turn));
    }
    // Who: "no dogs", "nobody", "smoking".
    let nobody = here!(toks, lead, "nobody|none").or(here!(toks, lead, "no one"));
    let no_more = here!(toks, lead, "no more|fewer|less|greater").is_some();
    let not_more = here!(toks, lead, "not more|fewer|less").is_some();
    let mut subject_negative = false;
    if let Some(n) = nobody {
        let like = toks[lead].clone();
        toks.splice(lead..lead + n, [word(&like, "someone")]);
        subject_negative = true;
    } else if (here!(toks, lead, "no").is_some() || here!(toks, lead, "not a|any").is_some())
        && !no_more
        && !not_more
    {
        toks.remove(lead);
        subject_negative = true;
    }
    if subject_negative && negative {
        return Err(refuse(
            "Two negations in one duty can be read in two ways.",
            "Say what must not happen, for example 'nobody may enter the pit'.",
            span,
        ));
    }
    negative |= subject_negative;
    deed_of_someone(toks);
    let universal = drop_universal(toks);
    let verb_follows = tail.first().is_some_and(|t| t.word && !t.any(PREPOSITIONS));
    let worn = any_of!(
        &tail,
        0,
        [
            "wear|have|carry|use|hold|keep",
            "be wearing|carrying|holding|using|dressed|equipped",
            "be in",
        ]
    )
    .is_some();
    // "be kept closed", "keep closed", "be staffed"
    let is_there = here!(&tail, 0, "be there").is_some() && toks.iter().all(|t| !t.is("there"));
    if is_there || here!(&tail, 0, "be kept|held|made").is_some() {
        tail.remove(1);
    }
    if verb_follows {
        // "people queue", "a dog enters"
        let many = (toks.last()).is_some_and(|t| t.word && crate::noun::is_plural(&t.text));
        if !many || tail[0].any(&["be", "have"]) {
            tail[0] = finite(&tail[0]);
        }
    }
    let keeps = tail.first().is_some_and(|t| t.any(&["keeps", "keep"]));
    if keeps {
        tail[0] = word(&tail[0].clone(), "is");
    }
    let there = toks.iter().any(|t| t.is("there"));
    // "there must be nobody in the pit", "there must be no dogs"
    toks.append(&mut tail);
    // "the desk must have someone at it"
    if universal && !negative && !worn && turn.is_none() && !modal.demands {
        return Err(place_cannot(&toks[lead..]));
    }
    let mut out = match (negative, modal.demands) {
        (true, _) => Turn::Forbidden,
        (false, true) if worn && !there => Turn::Worn,
        (false, true) => Turn::Demanded,
        (false, false) if only => {
            let people = toks.iter().find(|t| t.word).is_some_and(|t| {
                t.any(&[
                    "people", "persons", "person", "those", "anyone", "someone", "vehicles", "cars",
                ])
            });
            if !people {
                return Err(refuse(
                    "The camera can't tell who else that shuts out.",
                    "Say who must wear what, for example 'everyone must wear a helmet on the site'.",
                    span,
                ));
            }
            Turn::Worn
        }
        (false, false) => Turn::Allowed,
    };
    if only && modal.demands && !negative {
        return Err(refuse(
            "'Only' and 'must' together can be read in two ways.",
            "Say 'only … are allowed', or 'nobody may …'.",
            span,
        ));
    }
    if out == Turn::Demanded {
        out = opposite_of_none(toks, out);
    }
    Ok(Some(out))
}

/// Duties without a modal: "make sure there are never …", "never more than 10
/// people", "only one person at a time", "no smoking".
fn without_modal(toks: &mut Vec<Tok>, turn: Option<Turn>) -> Option<Turn> {
    if turn.is_some() {
        drop_always(toks);
        // "make sure there are never more than 15"
        if let Some(at) = toks.iter().position(|t| t.is("never")) {
            toks.remove(at);
            return Some(Turn::Forbidden);
        }
        let everyone = drop_universal(toks);
        let wears = toks.iter().any(|t| {
            t.any(&[
                "wearing", "wears", "has", "have", "carries", "carrying", "wear",
            ])
        });
        if everyone && wears {
            return Some(Turn::Worn);
        }
        return Some(opposite_of_none(toks, Turn::Demanded));
    }
    let lead = gaps_at(toks, 0);
    // "never more than 10 people on the bridge"
    if toks.get(lead).is_some_and(|t| t.is("never")) {
        toks.remove(lead);
        drop_always(toks);
        return Some(Turn::Forbidden);
    }
    // "only one person at a time in the airlock"
    let together = patterns![
        "at a time",
        "at any one time",
        "at one time",
        "at any time",
        "at once",
    ];
    let limit = here!(toks, lead, "only|just|maximum|max|no|at|up").is_some();
    if limit && (0..toks.len()).any(|i| longest(toks, i, together).is_some()) {
        drop_always(toks);
        return Some(Turn::Allowed);
    }
    // "no smoking in the lobby", "no parking here"
    let deed = toks.get(lead + 1).is_some_and(|t| {
        t.any(&[
            "smoking",
            "parking",
            "running",
            "climbing",
            "loitering",
            "diving",
            "jumping",
            "cycling",
            "swimming",
            "fighting",
            "skateboarding",
        ]) && toks
            .get(lead + 2)
            .is_none_or(|n| !n.word || n.any(PREPOSITIONS))
    });
    if deed && here!(toks, lead, "no").is_some() {
        toks.drain(..=lead);
        deed_of_someone(toks);
        return Some(Turn::Forbidden);
    }
    None
}

/// "helmets must be worn by workers in the pit": puts who must before what is
/// worn; `n` tokens of `tail` are "be worn by".
fn worn_by(
    toks: &mut Vec<Tok>,
    mut tail: Vec<Tok>,
    n: usize,
    span: [usize; 2],
) -> Result<(), Refusal> {
    let worn = tail[1].text.clone();
    let by = tail.get(n - 1).is_some_and(|t| t.is("by"));
    let mut rest = tail.split_off(n);
    let mut things: Vec<Tok> = toks.drain(..).filter(|t| !t.is_gap()).collect();
    let like = things.first().cloned().ok_or_else(|| {
        refuse(
            "It is not said what must be worn.",
            "Say 'everyone must wear a helmet in the pit'.",
            span,
        )
    })?;
    let agent: Vec<Tok> = if by {
        let n = rest
            .iter()
            .take_while(|t| t.word && !t.any(PREPOSITIONS))
            .count();
        rest.drain(..n).collect()
    } else {
        vec![word(&like, "someone")]
    };
    toks.extend(agent);
    toks.push(word(
        &like,
        if worn == "carried" {
            "carrying"
        } else {
            "wearing"
        },
    ));
    things.retain(|t| !t.any(ARTICLES) && !t.any(UNIVERSAL));
    toks.append(&mut things);
    toks.append(&mut rest);
    drop_universal(toks);
    Ok(())
}

/// "nobody enters the pit" as a demand forbids that somebody does.
fn opposite_of_none(toks: &mut Vec<Tok>, turn: Turn) -> Turn {
    let lead = gaps_at(toks, 0);
    let there = here!(toks, lead, "there is|are|be")
        .or(here!(toks, lead, "there"))
        .unwrap_or(0);
    let at = lead + there;
    if here!(toks, at, "no more|fewer|less|greater").is_some()
        || here!(toks, at, "not more|fewer|less").is_some()
    {
        return turn;
    }
    if let Some(n) = here!(toks, at, "nobody").or(here!(toks, at, "no one")) {
        let like = toks[at].clone();
        toks.splice(at..at + n, [word(&like, "someone")]);
        return Turn::Forbidden;
    }
    if here!(toks, at, "nothing").is_some() {
        toks[at] = word(&toks[at].clone(), "anything");
        return Turn::Forbidden;
    }
    if here!(toks, at, "no").is_some() {
        toks.remove(at);
        return Turn::Forbidden;
    }
    turn
}

/// "smoking" as a subject is somebody's deed.
fn deed_of_someone(toks: &mut Vec<Tok>) {
    let lead = gaps_at(toks, 0);
    let Some(t) = toks.get(lead).cloned() else {
        return;
    };
    let next_noun = toks
        .get(lead + 1)
        .is_some_and(|n| n.word && !n.any(PREPOSITIONS) && !n.any(COPULAS));
    if !t.text.ends_with("ing") || next_noun {
        return;
    }
    if t.is("parking") {
        toks[lead] = word(&t, "vehicle");
        toks.insert(lead + 1, word(&t, "parked"));
    } else if from_gerund(&t.text).is_some() {
        toks.insert(lead, word(&t, "someone"));
        toks.insert(lead + 1, word(&t, "is"));
    }
}

/// "everyone", "all workers" -> "someone", "workers"; whether it was there.
fn drop_universal(toks: &mut Vec<Tok>) -> bool {
    let lead = gaps_at(toks, 0);
    let Some(t) = toks.get(lead).cloned() else {
        return false;
    };
    if t.any(&["everyone", "everybody"]) {
        toks[lead] = word(&t, "someone");
        true
    } else if t.any(UNIVERSAL) {
        toks.remove(lead);
        let the = here!(toks, lead, "of the|our|my")
            .or(here!(toks, lead, "the|our|my"))
            .unwrap_or(0);
        toks.drain(lead..lead + the);
        true
    } else {
        false
    }
}
