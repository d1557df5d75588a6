//! What is said of a subject. [`Parser::rest`] goes on behind it from word to
//! word; at each, [`KINDS`] are tried in their order, and the first that knows
//! the words takes them.

use super::clause::{Clause, Parser, ambiguous, skip};
use super::compare::compare;
use super::deed;
use super::frames::TURN;
use super::pattern::here;
use super::phrase::{Role, phrase, place_cannot};
use super::place::{preposition, zone_name};
use super::token::{Tok, span_of};
use super::words::*;
use crate::Refusal;
use crate::lexicon::{Lexicon, lexicon};

/// Where a predicate ends; `None` if it is not of this kind.
pub(super) type Step = Result<Option<usize>, Refusal>;

/// What was said on the way to a predicate.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// "is", "gets"
    pub copula: bool,
    /// A "not" that no predicate has taken yet.
    pub not: bool,
    /// "that", "who"
    pub relative: bool,
}

impl Said {
    /// Takes the "not", so that it counts once.
    pub fn take_not(&mut self) -> bool {
        std::mem::take(&mut self.not)
    }
}

type Kind = fn(&Parser<'_>, usize, &mut Clause, &mut Said) -> Step;

/// The kinds of predicates in the order in which they are tried: what names
/// amounts and absence goes before states, and places come last, since nearly
/// everything may be one.
const KINDS: &[Kind] = &[
    |p, i, c, said| p.how_many(i, c, said),
    |p, i, c, said| p.holds_so_many(i, c, said),
    |p, i, c, said| p.none_left(i, c, said),
    |p, i, c, said| p.without_somebody(i, c, said),
    |p, i, c, said| p.staffed(i, c, said),
    |p, i, c, said| p.left_alone(i, c, said),
    |p, i, c, said| p.unattended(i, c, said),
    |p, i, c, said| p.gone(i, c, said),
    |p, i, c, said| p.there(i, c, said),
    |p, i, c, said| p.attribute(i, c, said),
    |p, i, c, said| p.up_or_down(i, c, said),
    |p, i, c, said| p.set_phrase(i, c, said),
    |p, i, c, said| p.degree(i, c, said),
    |p, i, c, said| p.colour(i, c, said),
    |p, i, c, said| p.adjective(i, c, said),
    |p, i, c, said| p.way_behind_place(i, c, said),
    |p, i, c, said| p.does(i, c, said),
    |p, i, c, said| p.somewhere(i, c, said),
];

/// What may go on a list of attributes.
const ATTRIBUTE_VERBS: &Lexicon = lexicon![
    "wearing", "carrying", "holding", "with", "without", "pushing", "pulling", "riding", "using",
];

impl Parser<'_> {
    /// Everything behind the subject.
    pub(super) fn rest(&self, mut i: usize, c: &mut Clause) -> Result<usize, Refusal> {
        let toks = self.toks;
        let start = i;
        let mut said = Said {
            // "is the stove on?" has its copula in front.
            copula: self.asks && self.before.is_none(),
            ..Said::default()
        };
        loop {
            i = skip(toks, i);
            let Some(t) = toks.get(i) else { break };
            let counts = t.is(":") && compare(toks, i + 1)?.is_some_and(|k| !k.bare);
            if t.is(TURN) || t.any(&[".", ";", ":"]) && !counts {
                break;
            }
            if t.is(",") {
                // A comma goes on if what follows can only belong here.
                let next = skip(toks, i + 1);
                let on = preposition(toks, next).is_some()
                    || self.at(
                        next,
                        &[
                            "without", "wearing", "with", "carrying", "not", "who", "that", "which",
                        ],
                    )
                    || next >= toks.len();
                if on && c.zones.is_empty() || next >= toks.len() {
                    i += 1;
                    continue;
                }
                break;
            }
            if let Some(n) = self.connective(i, c, &mut said)? {
                i = n;
                continue;
            }
            if let Some(n) = self.predicate(i, c, &mut said)? {
                i = n;
                continue;
            }
            if let Some(n) = self.telegram_place(i, c, said.copula)? {
                i = n;
                continue;
            }
            break;
        }
        // "a hat is": what?
        let is = i.checked_sub(1).filter(|j| *j >= start);
        if let Some(j) = is.filter(|j| toks[*j].any(COPULAS) && said.copula && c.state.is_none()) {
            return Err(place_cannot(&toks[j..=j]));
        }
        if said.not {
            return Err(place_cannot(
                &toks[i.saturating_sub(1).min(toks.len() - 1)..i.min(toks.len())],
            ));
        }
        Ok(i)
    }

    /// Words that lead to a predicate and are none: "that", "is", "not", "has
    /// been", "and" before one more attribute.
    fn connective(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if t.any(&["that", "who", "which"]) {
            said.relative = true;
            return Ok(Some(i + 1));
        }
        // "a dog that is not on a leash" is a dog, though not on a leash.
        if said.relative && said.not && preposition(toks, i).is_some() {
            return Err(ambiguous(
                "'Not' before a place can be read in two ways here.",
                "Say what is there instead, for example 'a dog without a lead', or 'there is no dog on the lawn'.",
                span_of(&toks[i.saturating_sub(1)..(i + 3).min(toks.len())]),
            ));
        }
        if let Some(n) = self.auxiliary(i, c)? {
            return Ok(Some(n));
        }
        // "wearing a coat and not carrying a bag"
        if t.any(&["and"])
            && (!c.attributes.is_empty() || c.verbal && !c.zones.is_empty())
            && c.action.is_none()
            && c.state.is_none()
            && !c.negative
            && !c.unattended
            && (self.at(i + 1, ATTRIBUTE_VERBS)
                || (self.at(i + 1, &["not"]) && self.at(i + 2, ATTRIBUTE_VERBS)))
        {
            return Ok(Some(i + 1));
        }
        // "in a coat but without an apron"
        if t.is("but") && self.at(i + 1, &["without", "not", "with", "no"]) {
            return Ok(Some(i + 1));
        }
        if t.any(&["not"]) || here!(toks, i, "no longer").is_some() {
            said.not = true;
            return Ok(Some(i + if t.is("not") { 1 } else { 2 }));
        }
        if t.any(COPULAS) || becomes(toks, i) {
            said.copula = true;
            c.verbal = true;
            return Ok(Some(i + 1));
        }
        // "in line at the till: more than 6"
        if t.any(&[":", "-"])
            && c.compare.is_none()
            && c.subjects.iter().all(|s| s.compare.is_none())
            && compare(toks, i + 1)?.is_some_and(|k| !k.bare && i + 1 + k.len >= toks.len())
        {
            return Ok(Some(i + 1));
        }
        if t.any(&["very", "really", "quite", "extremely", "rather", "pretty"])
            && toks.get(i + 1).is_some_and(|n| n.any(STATES))
        {
            return Ok(Some(i + 1));
        }
        Ok(None)
    }

    /// "has been", "have not", "has fallen", "does not".
    fn auxiliary(&self, i: usize, c: &mut Clause) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        // "everyone has left the building": nobody is left there.
        if t.any(&["has", "have"])
            && self.at(i + 1, &["left", "gone", "exited"])
            && c.subjects.iter().any(|s| s.universal)
        {
            return Err(ambiguous(
                "The camera can't tell that all of them have gone.",
                "Ask for nobody being there, for example 'nobody is in the building'.",
                t.span,
            ));
        }
        if t.any(&["has", "have", "had"])
            && (self.at(i + 1, &["been", "not"])
                || toks.get(i + 1).is_some_and(|n| {
                    n.any(STATES)
                        || (verb(&n.text).is_some()
                            && (n.text.ends_with("ed")
                                || n.any(&[
                                    "left", "come", "gone", "fallen", "got", "stood", "sat",
                                    "lain", "hung", "taken", "driven",
                                ])))
                }))
        {
            c.verbal = true;
            return Ok(Some(i + 1));
        }
        if t.any(&["do", "does", "did"]) && self.at(i + 1, &["not"]) {
            return Ok(Some(i + 1));
        }
        Ok(None)
    }

    /// The predicate at `i`, of whatever kind.
    fn predicate(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        for kind in KINDS {
            if let Some(end) = kind(self, i, c, said)? {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// "person yard", "cars ... parking lot": a place without a preposition.
    fn telegram_place(&self, i: usize, c: &mut Clause, copula: bool) -> Step {
        let toks = self.toks;
        if !c.verbal
            && !copula
            && c.zones.is_empty()
            && c.action.is_none()
            && let Some((p, end)) = phrase(toks, i, Role::Place)?
            && p.article.is_empty()
            && toks[end..].iter().all(Tok::is_gap)
            && (p.raw.rsplit(' ').next().map(str::to_lowercase))
                .is_some_and(|h| PLACES.contains(h.as_str()) || FIXTURES.contains(h.as_str()))
            // "in the line" is a queue, "in the lobby camera" a camera.
            && !toks[end - 1].any(&["line", "camera"])
        {
            c.zones = vec![zone_name(&p.raw)];
            c.place = vec![format!("in the {}", p.raw)];
            return Ok(Some(end));
        }
        Ok(None)
    }

    /// "crosses the line from left to right".
    pub(super) fn way_behind_place(&self, i: usize, c: &mut Clause, _: &mut Said) -> Step {
        let toks = self.toks;
        if c.action.is_some()
            && c.direction.is_none()
            && let Some((n, way)) = deed::way(toks, i)
        {
            c.direction = Some(way.to_owned());
            return Ok(Some(i + n));
        }
        Ok(None)
    }

    /// "enters the yard", "is running".
    fn does(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        // "is close to the gate" closes nothing.
        if here!(self.toks, i, "close to|by").is_some() {
            return Ok(None);
        }
        if let Some(end) = deed::deed(self, i, c, said)? {
            c.verbal = true;
            return Ok(Some(end));
        }
        if c.action.is_some() && here!(self.toks, i, "together|alone").is_some() {
            return Err(place_cannot(&self.toks[i..i + 1]));
        }
        Ok(None)
    }

    /// "the guard is not at the desk".
    fn somewhere(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let end = self.place(i, c)?;
        if end.is_some() {
            c.negative ^= said.take_not();
        }
        Ok(end)
    }
}

/// "gets longer", "stands open", "turns red": as good as "is".
fn becomes(toks: &[Tok], i: usize) -> bool {
    let t = &toks[i];
    t.any(&["get", "gets", "got", "getting"])
        && toks.get(i + 1).is_some_and(|n| {
            n.any(STATES) || n.any(&["longer", "larger", "bigger", "blocked", "left"])
        })
        || t.any(&["stands", "stand", "stood", "standing", "sits", "sat"])
            && toks.get(i + 1).is_some_and(|n| {
                n.any(&[
                    "open", "empty", "idle", "ajar", "unlocked", "full", "unused",
                ])
            })
        || t.any(&["turns", "turn", "turned", "turning", "goes", "go", "went"])
            && toks
                .get(i + 1)
                .is_some_and(|n| n.any(STATES) || n.any(COLOURS))
            && toks
                .get(i + 2)
                .is_none_or(|n| !n.word || n.any(PREPOSITIONS) || n.any(STRUCTURE))
}
