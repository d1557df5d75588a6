//! States that last: "on fire", "up", "red", "blocked", "not locked".

use super::clause::{Clause, Parser, ambiguous};
use super::number::is_number_word;
use super::pattern::{Pattern, here, longest, patterns};
use super::phrase::place_cannot;
use super::predicate::{Said, Step};
use super::token::Tok;
use super::words::{
    ARTICLES, COLOURS, HUMANS, POSTURE_VERBS, PREPOSITIONS, STATES, STRUCTURE, verb,
};
use crate::Refusal;

/// States of several words.
const SET_PHRASES: &[Pattern] = patterns![
    "on fire",
    "out of order|stock|service|place|position|line",
    "upside down",
    "wide open",
    "half open|empty|full|closed",
    "in use",
    "in flames",
    "knocked|tipped|fallen|pushed over|down",
    "switched|turned? on",
    "switched|turned? off",
    "face down",
    "on the ground",
    "on the floor",
];

impl Parser<'_> {
    /// "the barrier is up": of things, and with nothing behind it.
    pub(super) fn up_or_down(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        let thing = !c
            .subjects
            .iter()
            .any(|s| HUMANS.contains(s.noun.as_str()) || s.compare.is_some());
        if said.copula
            && thing
            && t.any(&["up", "down"])
            && toks
                .get(i + 1)
                .is_none_or(|n| !n.word || n.any(&["and", "or", "while"]))
        {
            let text = t.text.clone();
            self.set_state(
                c,
                if said.take_not() {
                    format!("not {text}")
                } else {
                    text
                },
                &toks[i..i + 1],
            )?;
            return Ok(Some(i + 1));
        }
        Ok(None)
    }

    /// "on fire", "knocked over", "out of order".
    pub(super) fn set_phrase(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        if let Some(n) =
            longest(toks, i, SET_PHRASES).filter(|_| here!(toks, i, "on the").is_none())
        {
            let n2 = n;
            // "on" and "off" alone are states only after a said.copula
            let alone = n == 1;
            if !alone
                || (said.copula
                    && toks.get(i + 1).is_none_or(|x| {
                        !x.word
                            || x.any(&["and", "or", "with", "while"])
                            || (x.any(&["in", "at", "near", "inside", "outside", "behind"])
                                && toks.get(i + 2).is_some_and(|y| y.word))
                    }))
            {
                let text = toks[i..i + n2]
                    .iter()
                    .map(|t| t.text.as_str())
                    .collect::<Vec<_>>()
                    .join(" ");
                let text = match text.as_str() {
                    "knocked down" | "knocked over" | "pushed over" | "tipped over" => {
                        "knocked over".to_owned()
                    }
                    "fallen over" | "fallen down" => "fallen".to_owned(),
                    "wide open" => "open".to_owned(),
                    "in flames" => "on fire".to_owned(),
                    "switched on" | "turned on" => "on".to_owned(),
                    "switched off" | "turned off" => "off".to_owned(),
                    _ => text,
                };
                self.set_state(
                    c,
                    if said.take_not() {
                        format!("not {text}")
                    } else {
                        text
                    },
                    &toks[i..i + n2],
                )?;
                return Ok(Some(i + n2));
            }
        }
        Ok(None)
    }

    /// "wide open": how much so is no state of its own.
    pub(super) fn degree(&self, i: usize, _: &mut Clause, _: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if t.any(&["wide", "fully", "completely", "partly", "slightly"])
            && toks.get(i + 1).is_some_and(|n| n.any(STATES))
        {
            return Ok(Some(i + 1));
        }
        Ok(None)
    }

    /// "the signal is red".
    pub(super) fn colour(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if said.copula
            && t.any(COLOURS)
            && toks
                .get(i + 1)
                .is_none_or(|n| !n.word || n.any(&["and", "or", "while"]) || n.any(PREPOSITIONS))
        {
            let colour = t.text.clone();
            self.set_state(
                c,
                if said.take_not() {
                    format!("not {colour}")
                } else {
                    colour
                },
                &toks[i..i + 1],
            )?;
            return Ok(Some(i + 1));
        }
        Ok(None)
    }

    /// "blocked", "fallen over", "not locked".
    pub(super) fn adjective(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        let person = c
            .subjects
            .iter()
            .any(|s| matches!(s.noun.as_str(), "person" | "worker" | "person in queue"));
        let s = t.text.as_str();
        let participle = said.copula
            && s.len() > 4
            && s.ends_with("ed")
            && t.word
            && !t.any(STRUCTURE)
            && !is_number_word(s)
            && verb(s).is_none();
        let person_posture = POSTURE_VERBS
            .iter()
            .find(|(b, _)| verb(s) == Some(b))
            .map(|(_, g)| *g);
        let done = !said.copula
            && verb(s).is_some()
            && toks.get(i + 1).is_some_and(|n| n.any(ARTICLES))
            && c.subjects.len() == 1;
        if (STATES.contains(s) || participle)
            && !done
            && person_posture.is_none()
            && !(s == "running" || s == "moving" || s == "waiting" || s == "smoking")
            || (matches!(s, "running" | "moving" | "smoking")
                && !person
                && toks
                    .get(i + 1)
                    .is_none_or(|n| !n.word || n.any(&["and", "or"])))
        {
            let state = match s {
                "opened" => "open",
                other => other,
            };
            let down = here!(toks, i + 1, "over|down|up")
                .filter(|_| {
                    matches!(
                        s,
                        "fallen"
                            | "toppled"
                            | "tipped"
                            | "collapsed"
                            | "overturned"
                            | "blocked"
                            | "stacked"
                    )
                })
                .unwrap_or(0);
            self.set_state(
                c,
                if said.take_not() {
                    format!("not {state}")
                } else {
                    state.to_owned()
                },
                &toks[i..i + 1],
            )?;
            self.no_agent(i + 1 + down, s)?;
            return Ok(Some(i + 1 + down));
        }
        Ok(None)
    }

    /// "blocked by boxes": what blocks it is no place.
    fn no_agent(&self, i: usize, s: &str) -> Result<(), Refusal> {
        if self.at(i, &["by"])
            && matches!(
                s,
                "blocked"
                    | "obstructed"
                    | "covered"
                    | "surrounded"
                    | "damaged"
                    | "occupied"
                    | "hit"
                    | "crushed"
                    | "broken"
                    | "smashed"
                    | "opened"
                    | "shut"
                    | "trapped"
                    | "hidden"
                    | "jammed"
                    | "knocked-over"
                    | "bent"
                    | "overgrown"
            )
        {
            return Err(ambiguous(
                format!("A rule can't say by what something is {s}."),
                "Leave it out, or ask for the thing that is in the way.",
                self.toks[i].span,
            ));
        }
        Ok(())
    }

    /// Sets the clause's state; it has one only.
    pub(super) fn set_state(
        &self,
        c: &mut Clause,
        state: String,
        at: &[Tok],
    ) -> Result<(), Refusal> {
        if c.state.is_some() {
            return Err(place_cannot(at));
        }
        match state.as_str() {
            "missing" => c.negative ^= true,
            "not missing" => {}
            _ => c.state = Some(state),
        }
        c.verbal = true;
        Ok(())
    }
}
