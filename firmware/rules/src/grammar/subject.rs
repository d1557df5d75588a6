//! The subjects of a clause: "a van", "two people or a dog", "no guard or porter".

use super::acts::acts;
use super::clause::{Clause, Parser, ambiguous, skip};
use super::compare::{afterthought, compare, within_both};
use super::pattern::here;
use super::phrase::{Phrase, Role, phrase, place_cannot};
use super::place::preposition;
use super::token::{Tok, span_of};
use super::words::{COPULAS, ING_NOUNS, STATES, UNATTENDED};
use crate::noun::is_plural;
use crate::{Refusal, RefusalKind};

impl Parser<'_> {
    /// The subjects at `i`; where they end.
    pub(super) fn subjects(&self, mut i: usize, c: &mut Clause) -> Result<usize, Refusal> {
        let toks = self.toks;
        i = skip(toks, i);
        if let Some(t) = self.doer_unsaid(i)? {
            c.subjects.push(Phrase {
                noun: "person".into(),
                raw: "person".into(),
                pronoun: true,
                span: t.span,
                ..Phrase::default()
            });
            return Ok(i);
        }
        let Some((first, mut end)) = phrase(toks, i, Role::Subject)? else {
            return Err(self.nothing_at(i));
        };
        let mut first = first;
        end = self.second_bound(i, &mut first, end)?;
        let negative = first.negative;
        c.subjects.push(first);
        let (joined, end) = self.more_subjects(i, end, c)?;
        if c.subjects.len() > 1 {
            let Some(g) = joined else {
                return Err(place_cannot(&toks[i..end]));
            };
            c.both = g;
            // "no guard or porter" means neither.
            if negative {
                c.both = true;
                c.subjects.iter_mut().for_each(|s| s.negative = true);
            }
        }
        Ok(end)
    }

    /// "loitering near the machine": of a person.
    fn doer_unsaid(&self, i: usize) -> Result<Option<&Tok>, Refusal> {
        let toks = self.toks;
        let Some(t) = toks.get(i) else {
            return Ok(None);
        };
        let deed = t.text.ends_with("ing")
            && acts(toks, i, 0, false, true, Role::Subject)
            && !ING_NOUNS.contains(&t.text)
            && phrase(toks, i, Role::Subject)?.is_none();
        Ok(deed.then_some(t))
    }

    /// Why no subject can be read at `i`.
    fn nothing_at(&self, i: usize) -> Refusal {
        let toks = self.toks;
        let word = &toks[i.min(toks.len().saturating_sub(1))..(i + 1).min(toks.len())];
        if word.is_empty() {
            Refusal::new(
                RefusalKind::NotARule,
                "There is nothing to watch for in this.",
            )
            .offer("Say what to watch for, for example 'Alert me when someone enters the yard'.")
        } else {
            place_cannot(word)
        }
    }

    /// A comparison that is said behind the first subject: "a dozen pallets or
    /// more", "at least nine crates but no more than twelve crates".
    fn second_bound(&self, i: usize, first: &mut Phrase, end: usize) -> Result<usize, Refusal> {
        let toks = self.toks;
        let mut end = end;
        if let Some(k) = first.compare.as_mut().filter(|k| k.bare)
            && let Some((comparator, n)) = afterthought(toks, end)
        {
            (k.comparator, k.bare) = (comparator, false);
            end += n;
        }
        // "at least nine crates but no more than twelve crates"
        if let Some(own) = first.compare.filter(|k| !k.bare)
            && let Some(glue) = here!(toks, end, ",? but|and")
            && let Some(second) = compare(toks, end + glue)?.filter(|k| !k.bare)
        {
            let to = end + glue + second.len;
            let again = phrase(toks, end + glue, Role::Subject)?
                .filter(|(p, _)| p.noun == first.noun && p.compare.is_some())
                .map(|(_, e)| e);
            if let Some(e) = again {
                first.compare = Some(within_both(own, second, own.len, &toks[i..e])?);
                end = e.max(to);
            }
        }
        Ok(end)
    }

    /// Subjects that "and", "or" and commas join to the first one: how, if by
    /// a word, and where they end.
    fn more_subjects(
        &self,
        i: usize,
        end: usize,
        c: &mut Clause,
    ) -> Result<(Option<bool>, usize), Refusal> {
        let toks = self.toks;
        let mut end = end;
        let negative = c.subjects[0].negative;
        let mut joined: Option<bool> = None;
        loop {
            let comma = usize::from(self.at(end, &[","]));
            let word = here!(toks, end + comma, "or|and|and/or|&").unwrap_or(0);
            if comma + word == 0 {
                break;
            }
            let glue = (word > 0).then(|| self.at(end + comma, &["and", "&"]));
            let at = end + comma + word;
            if self.at(at, &["there", "it", "they"]) {
                break;
            }
            let Ok(Some((next, next_end))) = phrase(toks, at, Role::Subject) else {
                break;
            };
            // "two vans and a truck": each with its own number or article
            let each_own = glue.is_some()
                && c.subjects
                    .iter()
                    .all(|s| s.compare.is_some() || !s.article.is_empty())
                && c.subjects.iter().all(|s| !s.negative && !s.pronoun)
                && (next.compare.is_some() || !next.article.is_empty())
                && !next.negative;
            // A phrase with its own number or its own "no" starts its own clause,
            // and so does one after a comma that no list goes on from.
            let list_goes_on = word > 0
                || here!(toks, next_end, "or|and").is_some()
                || (here!(toks, next_end, ",").is_some() && toks.get(next_end + 1).is_some());
            if (next.compare.is_some() && !each_own)
                || (next.negative && !negative)
                || !list_goes_on
            {
                break;
            }
            // "there is a knife or a lorry is broken": two clauses
            if c.verbal && self.at(next_end, COPULAS) {
                break;
            }
            // "a fire or smoke": elliptic states ("open or closed") are none.
            if toks[at..next_end]
                .iter()
                .all(|t| t.any(STATES) || t.any(UNATTENDED))
            {
                break;
            }
            if let Some(g) = glue {
                if joined.is_some_and(|j| j != g) {
                    return Err(ambiguous(
                        "Both 'and' and 'or' join these.",
                        "Make two rules.",
                        span_of(&toks[i..next_end]),
                    ));
                }
                joined = Some(g);
            }
            c.subjects.push(next);
            end = next_end;
        }
        Ok((joined, end))
    }

    /// Whether a new clause, not a continuation, starts after the "and" at `i`.
    pub(super) fn new_clause(&self, i: usize) -> bool {
        let toks = self.toks;
        if self.at(
            i,
            &[
                "there",
                "it",
                "they",
                "nobody",
                "someone",
                "somebody",
                "anyone",
                "anybody",
                "no",
                "nothing",
                "something",
                "anything",
                "not",
            ],
        ) || self.at(i, COPULAS)
        {
            return true;
        }
        match phrase(toks, i, Role::Subject) {
            Ok(Some((p, end))) => {
                p.compare.is_some()
                    || p.unattended
                    || p.state.is_some()
                    || self.at(end, COPULAS)
                    || self.at(end, &["has", "have", "that", "who", "which"])
                    || toks.get(end).is_some_and(|t| {
                        t.word
                            && (t.any(STATES)
                                || acts(toks, end, 1, is_plural(&p.raw), p.pronoun, Role::Subject))
                    })
                    || (matches!(p.article.as_str(), "a" | "an")
                        && preposition(toks, end).is_some())
            }
            _ => true,
        }
    }
}
