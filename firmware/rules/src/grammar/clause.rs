//! A clause: what is watched, and what must be true of it. Its subjects are
//! read in `subject`, what is said of them in `predicate`, places in `place`;
//! `leaf` makes rules of it.

use super::acts::acts;
use super::compare::{Compare, compare};
use super::pattern::here;
use super::phrase::{Phrase, Role, phrase, place_cannot};
use super::place::preposition;
use super::token::{Tok, span_of};
use super::words::*;
use crate::lexicon::{Lexicon, Words, lexicon};
use crate::noun::is_plural;
use crate::{Refusal, RefusalKind};

/// One clause as it is put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clause {
    pub subjects: Vec<Phrase>,
    /// The subjects are joined by "and" (`true`) or "or".
    pub both: bool,
    pub attributes: Vec<String>,
    pub state: Option<String>,
    pub action: Option<String>,
    pub direction: Option<String>,
    pub zones: Vec<String>,
    pub place: Vec<String>,
    pub compare: Option<Compare>,
    pub unattended: bool,
    /// Nobody is there, whatever it is: "the chair is unmanned".
    pub watched: bool,
    pub queue: bool,
    pub negative: bool,
    /// A copula or a verb was there: it is a sentence, not a fragment.
    pub verbal: bool,
    /// After "unless": its opposite is meant.
    pub inverted: bool,
    pub span: [usize; 2],
}

const ADVERBS: &Lexicon = lexicon![
    "currently",
    "now",
    "still",
    "already",
    "again",
    "actually",
    "really",
    "simply",
    "also",
    "ever",
    "suddenly",
    "continuously",
    "constantly",
    "here",
    "simultaneously",
    "anymore",
    "anywhere",
    "somewhere",
    "visibly",
    "just",
    "then",
    "someplace",
];

/// Whether the clause's subject leaves only a verb to follow.
pub(super) fn clause_reading(c: &Clause) -> bool {
    c.verbal || c.subjects.iter().any(|s| s.pronoun)
}

pub(super) fn ambiguous(why: impl Into<String>, offer: &str, span: [usize; 2]) -> Refusal {
    Refusal::new(RefusalKind::Ambiguous, why)
        .offer(offer)
        .at(span)
}

pub(super) fn skip(toks: &[Tok], mut i: usize) -> usize {
    loop {
        // "just two guards" is exactly two
        let exactly = toks.get(i).is_some_and(|t| t.is("just"))
            && super::number::number(toks, i + 1).is_some();
        if exactly {
            return i;
        }
        if toks.get(i).is_some_and(|t| t.is_gap() || t.any(ADVERBS)) {
            i += 1;
        } else if let Some(n) =
            here!(toks, i, "at a|one|any|once time").or(here!(toks, i, "at any one time"))
        {
            i += n;
        } else if let Some(n) = here!(toks, i, "at the same time")
            .filter(|n| !toks.get(i + n).is_some_and(|t| t.is("as")))
        {
            i += n;
        } else if let Some(n) = here!(toks, i, "any more|longer") {
            // "is not there any more"; "any more than" compares
            if toks.get(i + n).is_some_and(|t| t.is("than"))
                || toks
                    .get(i + n)
                    .is_some_and(|t| t.word && !t.any(PREPOSITIONS))
            {
                return i;
            }
            i += n;
        } else {
            return i;
        }
    }
}

pub(crate) struct Parser<'a> {
    pub toks: &'a [Tok],
    /// The clause before, for pronouns and what is left unsaid.
    pub before: Option<Clause>,
    /// The sentence asks "is …?".
    pub asks: bool,
}

impl Parser<'_> {
    pub(super) fn at<W: Words + ?Sized>(&self, i: usize, words: &W) -> bool {
        self.toks.get(i).is_some_and(|t| t.any(words))
    }

    /// The clause at `i` and where it ends.
    pub fn clause(&self, start: usize) -> Result<(Clause, usize), Refusal> {
        let toks = self.toks;
        let mut c = Clause::default();
        let mut i = skip(toks, start);
        // "there is", "there are not"
        if self.at(i, &["there"]) {
            i = skip(toks, i + 1);
            let have = usize::from(self.at(i, &["has", "have"]));
            if self.at(i + have, COPULAS) || self.at(i + have, &["appears", "appear"]) {
                i += have + 1;
                c.verbal = true;
                if self.at(i, &["to"]) && self.at(i + 1, &["be"]) {
                    i += 2;
                }
            }
            i = skip(toks, i);
        }
        if let Some(end) = self.weather(i, &mut c)? {
            c.span = span_of(&toks[start..end]);
            return Ok((c, end));
        }
        let pronoun = self.at(i, &["it", "they", "them", "one"])
            && (self.at(i + 1, COPULAS)
                || self.at(
                    i + 1,
                    &[
                        "has", "have", "exceeds", "exceed", "reaches", "drops", "falls",
                    ],
                )
                || self.at(i + 1, BEING));
        let implied = !pronoun && self.implied(i)?;
        if pronoun || implied {
            let Some(before) = &self.before else {
                return Err(place_cannot(&toks[i..i + 1]));
            };
            c.subjects = before.subjects.clone();
            c.both = before.both;
            c.queue = before.queue;
            c.attributes = before.attributes.clone();
            for s in &mut c.subjects {
                s.compare = None;
            }
            i += usize::from(pronoun);
        } else {
            i = self.subjects(i, &mut c)?;
        }
        let i = self.rest(i, &mut c)?;
        c.span = span_of(&toks[start.min(i)..i]);
        Ok((c, i))
    }

    /// "it starts to smoke", "it snows": what is there is said by the verb.
    fn weather(&self, i: usize, c: &mut Clause) -> Result<Option<usize>, Refusal> {
        let toks = self.toks;
        if !self.at(i, &["it"]) {
            return Ok(None);
        }
        let n = here!(toks, i + 1, "is? starts|begins|starting|beginning to?")
            .or(here!(toks, i + 1, "is"))
            .unwrap_or(0);
        let stuff = toks.get(i + 1 + n).and_then(|t| match t.text.as_str() {
            "smoke" | "smokes" | "smoking" => Some("smoke"),
            "burn" | "burns" | "burning" => Some("fire"),
            "snow" | "snows" | "snowing" => Some("snow"),
            "rain" | "rains" | "raining" => Some("rain"),
            "flood" | "floods" | "flooding" => Some("water"),
            _ => None,
        });
        if let Some(stuff) = stuff {
            c.subjects.push(Phrase {
                noun: stuff.into(),
                raw: stuff.into(),
                span: toks[i + 1 + n].span,
                ..Phrase::default()
            });
            c.verbal = true;
            return self.rest(i + 2 + n, c).map(Some);
        }
        Ok(None)
    }

    /// Whether the clause at `i` leaves its subject unsaid, as the clause
    /// before has it: "a van enters or | leaves", "the gate is open and | unattended".
    fn implied(&self, i: usize) -> Result<bool, Refusal> {
        let toks = self.toks;
        let Some(before) = &self.before else {
            return Ok(false);
        };
        if self.at(i, COPULAS) || self.at(i, &["not", "without"]) || self.at(i, UNATTENDED) {
            return Ok(true);
        }
        // "or more than 5"
        if compare(toks, i)?.is_some_and(|k| {
            !k.bare && phrase(toks, i + k.len, Role::Subject).is_ok_and(|p| p.is_none())
        }) {
            return Ok(true);
        }
        // "or open"
        if toks.get(i).is_some_and(|t| t.any(STATES))
            && phrase(toks, i, Role::Subject)?.is_none_or(|(_, end)| end == i + 1)
        {
            return Ok(true);
        }
        // "or in the yard"
        if preposition(toks, i).is_some() && compare(toks, i)?.is_none() {
            return Ok(true);
        }
        // "and running", behind a deed or a state
        if toks.get(i).is_some_and(|t| t.text.ends_with("ing"))
            && acts(toks, i, 0, false, true, Role::Subject)
            && (before.action.is_some() || before.state.is_some())
            && phrase(toks, i, Role::Subject)?.is_none()
        {
            return Ok(true);
        }
        // "and leaves"
        if toks.get(i).is_some_and(|t| {
            verb(&t.text).is_some()
                && !t.text.ends_with("ing")
                && (t.text.ends_with('s')
                    || before.subjects.first().is_some_and(|s| is_plural(&s.raw)))
        }) && phrase(toks, i, Role::Subject)?
            .is_none_or(|(p, end)| end == i + 1 && p.article.is_empty())
        {
            return Ok(true);
        }
        Ok(false)
    }
}
