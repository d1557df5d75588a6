//! A clause as rules, one a subject: the leaves of a compound rule.

use super::clause::{Clause, ambiguous};
use super::phrase::Phrase;
use super::place::zone_name;
use super::words::{CLOTHES, FIXTURES, PLACES};
use crate::{Comparator, Place, Predicate, Refusal, Rule, Threshold};

impl Clause {
    /// The clause as rules, one a subject.
    pub fn rules(&self) -> Result<Vec<Rule>, Refusal> {
        let counted = self.subjects.iter().any(|s| s.compare.is_some()) || self.compare.is_some();
        let own = self.compare.is_none()
            && (self.subjects.iter()).all(|s| s.compare.is_some() || !s.article.is_empty());
        if self.subjects.len() > 1 && counted && !own {
            return Err(ambiguous(
                "It is not clear whether these are counted together or each for itself.",
                "Make one rule for each thing.",
                self.span,
            ));
        }
        self.subjects.iter().map(|s| self.rule(s)).collect()
    }

    fn rule(&self, s: &Phrase) -> Result<Rule, Refusal> {
        let mut rule = Rule::default();
        let watched = self.name(s, &mut rule)?;
        self.count(s, &mut rule)?;
        // "movement in the hall": something moves.
        if matches!(
            s.noun.as_str(),
            "movement" | "motion" | "any movement" | "any motion"
        ) && rule.comparator.is_none()
            && self.action.is_none()
            && !(self.negative || s.negative)
            && rule.state.is_none()
        {
            rule.subject = Some("any object".into());
            rule.action = Some("move".into());
            rule.predicate = Some(Predicate::Event);
            return Ok(rule);
        }
        rule.action = self.action.clone();
        rule.direction = self.direction.clone();
        if s.universal && self.action.is_none() && self.verbal {
            return Err(ambiguous(
                "'Every' and 'all' can't be checked of things that may be out of view.",
                "Ask for the ones that are not so, for example 'a person not wearing a helmet'.",
                s.span,
            ));
        }
        // "no hard hat in zone A": on whom?
        if (self.negative || s.negative) && !self.verbal && CLOTHES.contains(head(&s.noun)) {
            return Err(ambiguous(
                format!("It is not said who wears no {}.", s.noun),
                "Say 'a person without a helmet', or 'there is no helmet on the rack'.",
                self.span,
            ));
        }
        rule.predicate = Some(self.kind(s, &mut rule, watched)?);
        Ok(rule)
    }

    /// Sets subject, attributes, state, zones and place. "The desk is
    /// unattended" is about nobody being at the desk: then it is `true`.
    fn name(&self, s: &Phrase, rule: &mut Rule) -> Result<bool, Refusal> {
        let mut place = self.place.join(" ");
        let mut zones = self.zones.clone();
        let mut subject = s.noun.clone();
        let unattended = self.unattended || s.unattended;
        let negative = self.negative || s.negative;
        let head = head(&s.noun);
        let place_like = FIXTURES.contains(head) || PLACES.contains(head);
        let watched = unattended && !s.unattended && (place_like || self.watched);
        if unattended && self.action.is_some() {
            return Err(place_cannot_span(self.span));
        }
        if unattended
            && matches!(
                subject.as_str(),
                "person" | "worker" | "child" | "baby" | "dog"
            )
            && negative
        {
            return Err(place_cannot_span(self.span));
        }
        rule.attributes = s.attributes.clone();
        rule.attributes.extend(self.attributes.iter().cloned());
        rule.state = match (&s.state, &self.state) {
            (Some(a), None) | (None, Some(a)) => Some(a.clone()),
            (Some(_), Some(_)) => return Err(place_cannot_span(self.span)),
            (None, None) => None,
        };
        if watched {
            if negative || rule.state.is_some() || self.action.is_some() || head == "camera" {
                return Err(place_cannot_span(self.span));
            }
            // Nobody looks after the desk: nobody is there.
            if zones.is_empty() {
                zones = vec![zone_name(&s.raw)];
                place = format!("at the {}", s.raw);
            } else {
                zones[0] = format!("{} {}", s.raw, place);
                place = format!("at the {} {place}", s.raw);
            }
            subject = "person".into();
            rule.attributes.clear();
        } else if unattended {
            let thing = if subject == "any object" {
                "object"
            } else {
                &subject
            };
            subject = format!("unattended {thing}");
        }
        if self.queue && !subject.ends_with(" in queue") {
            let thing = subject.strip_prefix("any ").unwrap_or(&subject);
            subject = format!("{thing} in queue");
        }
        rule.subject = Some(subject);
        rule.zone = match zones.len() {
            0 => None,
            1 => Some(Place::One(zones[0].clone())),
            _ => Some(Place::Many(zones)),
        };
        rule.place = (!place.is_empty()).then_some(place);
        Ok(watched)
    }

    /// Sets comparator and threshold.
    fn count(&self, s: &Phrase, rule: &mut Rule) -> Result<(), Refusal> {
        let numbered = rule.subject.as_deref().is_some_and(|s| {
            s.rsplit(' ')
                .next()
                .is_some_and(|w| w.chars().all(|c| c.is_ascii_digit()))
        });
        if let Some(k) = s.compare.or(self.compare) {
            // "twenty door 3"
            if numbered && k.threshold != Threshold::One(1) {
                return Err(place_cannot_span(self.span));
            }
            rule.comparator = Some(k.comparator);
            rule.threshold = Some(k.threshold);
            if rule.subject.as_deref() == Some("any object") {
                rule.subject = Some("object".into());
            }
        }
        Ok(())
    }

    /// Which predicate it is, as its parts tell.
    fn kind(&self, s: &Phrase, rule: &mut Rule, watched: bool) -> Result<Predicate, Refusal> {
        let unattended = self.unattended || s.unattended;
        let negative = self.negative || s.negative;
        let compare = s.compare.or(self.compare);
        let clash = || {
            ambiguous(
                "This 'not' can be read in two ways.",
                "Say plainly what is not there, for example 'there is no car at the gate', or name the state.",
                self.span,
            )
        };
        Ok(if rule.action.is_some() {
            if negative || rule.state.is_some() {
                return Err(clash());
            }
            Predicate::Event
        } else if negative || watched {
            if compare.is_some() || rule.state.is_some() || (unattended && !watched) {
                return Err(clash());
            }
            Predicate::Absence
        } else if let Some(k) = compare {
            if k.bare && k.threshold == Threshold::One(1) {
                // "one person" is a person
                rule.comparator = Some(Comparator::Ge);
            }
            Predicate::Count
        } else if rule.state.is_some() {
            Predicate::State
        } else {
            self.not_a_bare_place(s, rule, unattended)?;
            Predicate::Presence
        })
    }

    /// "the yard" alone says where, and not what.
    fn not_a_bare_place(&self, s: &Phrase, rule: &Rule, unattended: bool) -> Result<(), Refusal> {
        let head = head(&s.noun);
        let bare = rule.zone.is_none() && rule.attributes.is_empty() && !unattended;
        if bare
            && s.article == "the"
            && (PLACES.contains(head) || FIXTURES.contains(head) && head != "fire")
        {
            return Err(ambiguous(
                format!("It is not said what to watch for at '{}'.", s.raw),
                "Say what, for example 'a person at the entrance'.",
                s.span,
            )
            .missing("subject"));
        }
        Ok(())
    }
}

/// The word that says what a thing is; in "till 4" that is no number.
fn head(noun: &str) -> &str {
    let last = |s: &'_ str| s.rfind(' ').map_or(0, |i| i + 1);
    match noun.rsplit_once(' ') {
        Some((front, number)) if number.chars().any(|c| c.is_ascii_digit()) => {
            &front[last(front)..]
        }
        _ => &noun[last(noun)..],
    }
}

fn place_cannot_span(span: [usize; 2]) -> Refusal {
    ambiguous(
        "It is not clear how these words go together.",
        "Say one thing at a time: what to watch for, where, how many, for how long.",
        span,
    )
}
