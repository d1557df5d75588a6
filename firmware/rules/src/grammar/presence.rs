//! Whether somebody or something is there: gone, present, left behind, staffed.

use super::acts::nounish;
use super::clause::{Clause, Parser, ambiguous};
use super::pattern::{Pattern, here, longest, patterns};
use super::phrase::{Phrase, Role, phrase, place_cannot};
use super::place::{preposition, zone_name};
use super::predicate::{Said, Step};
use super::words::{ARTICLES, HUMANS, STATES, UNATTENDED};

/// Ways to say that a thing was left alone.
const LEFT: &[Pattern] = patterns![
    "left|standing|lying|sitting all? alone|behind|unattended|unwatched|abandoned",
    "all? alone",
    "left without its|an|their|the? owner",
    "without its|an|their|the owner",
    "left|standing? with nobody|no-one near|around|nearby|by it?",
    "left all? by itself|themselves",
    "by itself|themselves",
    "on its own",
    "on their own",
    "left",
    "left standing|lying|sitting|there",
];

impl Parser<'_> {
    /// "the gate is without a guard": nobody is there.
    pub(super) fn without_somebody(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if t.any(&["without"])
            && said.copula
            && let [place] = c.subjects.as_slice()
            && !place.negative
            && c.zones.is_empty()
            && let Some((who, end)) = phrase(toks, i + 1, Role::Object)?
            && (who.pronoun || HUMANS.contains(who.noun.rsplit(' ').next().unwrap_or("")))
            && !place
                .noun
                .rsplit(' ')
                .next()
                .is_some_and(|h| HUMANS.contains(h))
        {
            let raw = place.raw.clone();
            c.zones = vec![zone_name(&raw)];
            c.place = vec![format!("at the {raw}")];
            c.subjects = vec![Phrase {
                article: "a".into(),
                negative: !said.take_not(),
                ..who
            }];
            return Ok(Some(end));
        }
        Ok(None)
    }

    /// "the desk is staffed": somebody is there.
    pub(super) fn staffed(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if t.any(&["staffed", "manned", "attended", "supervised"])
            && said.copula
            && let [place] = c.subjects.as_slice()
            && c.zones.is_empty()
        {
            let raw = place.raw.clone();
            c.zones = vec![zone_name(&raw)];
            c.place = vec![format!("at the {raw}")];
            c.subjects = vec![Phrase {
                noun: "person".into(),
                raw: "person".into(),
                article: "a".into(),
                negative: said.take_not(),
                span: place.span,
                ..Default::default()
            }];
            return Ok(Some(i + 1));
        }
        Ok(None)
    }

    /// "left behind", "standing with nobody near it", "left open".
    pub(super) fn left_alone(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        let person = c
            .subjects
            .iter()
            .any(|s| s.noun == "person" || s.noun == "worker");
        // "standing behind the gate" is where, and not left behind.
        let n = longest(toks, i, LEFT).and_then(|n| {
            let place = n > 1
                && toks[i + n - 1].is("behind")
                && (self.at(i + n, ARTICLES) || nounish(toks, i + n));
            if place {
                t.is("left").then_some(1)
            } else {
                Some(n)
            }
        });
        let is_left = t.is("left") && !person;
        let then_state = t.is("left")
            && toks.get(i + 1).is_some_and(|x| {
                let wide = x.any(&["wide", "fully", "half", "slightly"])
                    && toks.get(i + 2).is_some_and(|y| y.any(STATES));
                wide || x.any(STATES) && !x.any(&["standing", "lying", "sitting", "running"])
            });
        if let Some(n) = n.filter(|n| {
            (!t.is("left") || is_left)
                && !(then_state && *n == 1)
                && !(t.is("left")
                    && *n == 1
                    && !said.copula
                    && toks.get(i + 1).is_some_and(|x| x.any(ARTICLES)))
        }) {
            if said.not || person {
                return Err(place_cannot(&toks[i..i + n]));
            }
            c.unattended = true;
            c.verbal = true;
            return Ok(Some(i + n));
        }
        if then_state {
            c.verbal = true;
            return Ok(Some(i + 1));
        }
        Ok(None)
    }

    /// "unattended", "unstaffed".
    pub(super) fn unattended(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if t.any(UNATTENDED) {
            c.watched |= t.any(&[
                "unmanned",
                "unstaffed",
                "unguarded",
                "unwatched",
                "unminded",
            ]);
            if said.take_not() {
                return Err(ambiguous(
                    "The camera can't tell who looks after a thing.",
                    "Ask for a person being there.",
                    t.span,
                ));
            }
            c.unattended = true;
            c.verbal = true;
            return Ok(Some(i + 1));
        }
        Ok(None)
    }

    /// "missing", "gone", "out of sight".
    pub(super) fn gone(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        if let Some(n) = here!(toks, i, "missing|gone|absent")
            .or(here!(toks, i, "out of sight|view"))
            .filter(|_| {
                (said.copula || i + 1 >= toks.len() || preposition(toks, i + 1).is_some())
                    && phrase(toks, i + 1, Role::Object).is_ok_and(|p| p.is_none())
            })
        {
            c.negative ^= !said.take_not();
            c.verbal = true;
            return Ok(Some(i + n));
        }
        Ok(None)
    }

    /// "there", "detected", "to be seen".
    pub(super) fn there(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if (said.copula || t.any(&["detected", "seen", "spotted"]))
            && let Some(n) = here!(
                toks,
                i,
                "there|present|visible|detected|seen|found|around|spotted"
            )
            .or(here!(toks, i, "on duty|shift|site"))
            .or(here!(toks, i, "to be seen"))
            .or(here!(toks, i, "in sight|view"))
        {
            c.negative ^= said.take_not();
            // "a customer is at the counter and nobody is there"
            if t.is("there")
                && c.zones.is_empty()
                && let Some(before) = self.before.as_ref()
            {
                (c.zones, c.place) = (before.zones.clone(), before.place.clone());
            }
            return Ok(Some(i + n));
        }
        if t.any(&["visible", "present"]) && i + 1 >= toks.len() {
            return Ok(Some(i + 1));
        }
        Ok(None)
    }
}
