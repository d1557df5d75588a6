//! What somebody wears, carries or lacks: "without a hard hat", "carrying a
//! ladder", "with no vest or gloves".

use super::clause::{Clause, Parser, ambiguous};
use super::deed;
use super::head::full;
use super::pattern::{Pattern, entry, here, table};
use super::phrase::{Role, phrase, place_cannot};
use super::place::preposition;
use super::predicate::{Said, Step};
use super::token::span_of;
use super::words::{CLOTHES, ING_NOUNS, STATES, UNATTENDED, from_gerund};
use crate::Refusal;

/// What leads an attribute, the attribute's verb, and whether it is lacked.
const KINDS: &[(Pattern, (&str, bool))] = table![
    ("without wearing", "wearing", true),
    ("without", "with", true),
    ("with no", "with", true),
    ("has|have|having no", "with", true),
    ("lacking|lacks|lack", "with", true),
    ("missing", "with", true),
    ("wearing|wears|wear no", "wearing", true),
    ("wearing|wears|wear", "wearing", false),
    ("dressed in", "wearing", false),
    ("carrying|carries|carry", "carrying", false),
    ("holding|holds|hold", "holding", false),
    ("pushing", "pushing", false),
    ("riding|rides", "riding", false),
    ("pulling", "pulling", false),
    ("using", "using", false),
    ("with", "with", false),
    ("has|have|having", "with", false),
    ("no", "wearing", true),
];

/// A thing that somebody has.
struct Thing {
    name: String,
    /// It is worn, not only carried.
    worn: bool,
    /// "no gloves"
    negative: bool,
}

/// A list of things, where it ends, and its "or".
struct Garments {
    things: Vec<Thing>,
    end: usize,
    either: Option<[usize; 2]>,
}

impl Parser<'_> {
    /// "without a hard hat", "not wearing gloves", "carrying a box".
    pub(super) fn attribute(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        // "a helmet but no vest"
        if self.at(i, &["no"]) && !c.attributes.iter().any(|a| a.starts_with("wearing ")) {
            return Ok(None);
        }
        // "rides the wrong way" rides no thing
        if toks[i].text.starts_with("rid") && deed::any_way(toks, i + 1) {
            return Ok(None);
        }
        let Some((n, &(verb, lacks))) = entry(toks, i, KINDS) else {
            return Ok(None);
        };
        // "open with nobody in the kitchen" is two conditions
        if verb == "with"
            && c.verbal
            && phrase(toks, i + n, Role::Object)?.is_some_and(|(p, _)| p.pronoun && p.negative)
        {
            return Ok(None);
        }
        let Garments {
            mut things,
            mut end,
            either,
        } = self.garments(i + n, c)?;
        if things.is_empty() {
            return Ok(None);
        }
        // "has a dog with him"
        if let Some(n) = here!(toks, end, "with|on|near|beside him|her|them|it") {
            end += n;
        }
        // "leaves without paying"
        if verb == "with"
            && lacks
            && toks[i + n..end].iter().any(|t| {
                t.text.ends_with("ing")
                    && !ING_NOUNS.contains(t.text.as_str())
                    && from_gerund(&t.text).is_some()
                    && !t.any(STATES)
            })
        {
            return Err(ambiguous(
                "That something is not done meanwhile does not show in a picture.",
                "Ask for what is worn, carried or there.",
                span_of(&toks[i..end]),
            ));
        }
        if let Some(span) = either {
            return Err(ambiguous(
                "It is not clear whether one of these is enough.",
                "Make one rule for each.",
                span,
            ));
        }
        // "without a helmet and a worker …": the second is no garment.
        if things.iter().any(|t| t.worn) && !things.iter().all(|t| t.worn) {
            return Err(place_cannot(&toks[i..end]));
        }
        let not = said.take_not();
        // "with its door open": the door is open, not what has it
        let open = toks.get(end).filter(|t| {
            verb == "with" && !c.verbal && things.len() == 1 && t.any(STATES) && !t.any(UNATTENDED)
        });
        if let Some(state) = open {
            things[0].name = format!("{} {}", state.text, things[0].name);
            end += 1;
        }
        for Thing {
            name,
            worn,
            negative,
        } in things
        {
            let lacks = lacks ^ not ^ negative;
            let on_body = verb == "wearing" || (worn && verb == "with");
            c.attributes.push(match (on_body, lacks) {
                (true, true) => format!("not wearing {name}"),
                (true, false) => format!("wearing {name}"),
                (false, true) if verb == "with" => format!("without {name}"),
                (false, true) => format!("not {verb} {name}"),
                (false, false) => format!("{verb} {name}"),
            });
        }
        Ok(Some(end))
    }

    /// "a helmet, gloves and a vest": as far as it goes on with things.
    fn garments(&self, i: usize, c: &Clause) -> Result<Garments, Refusal> {
        let toks = self.toks;
        let (mut things, mut end, mut either) = (Vec::<Thing>::new(), i, None);
        while let Some((p, e)) = phrase(toks, end, Role::Object)? {
            // "with a dirty blocked": a state is no thing
            let stateful = STATES.contains(p.noun.rsplit(' ').next().unwrap_or(""));
            if stateful || p.pronoun || (p.negative && !things.is_empty()) || p.universal {
                return Err(place_cannot(&toks[end..e]));
            }
            let last = p.noun.rsplit(' ').next().unwrap_or("").to_owned();
            things.push(Thing {
                name: full(&p),
                worn: CLOTHES.contains(&last),
                negative: p.negative,
            });
            end = e;
            let comma = usize::from(self.at(end, &[","]));
            let word = here!(toks, end + comma, "and|or").unwrap_or(0);
            let next = end + comma + word;
            let one_of = word > 0 && self.at(end + comma, &["or"]) && !c.verbal;
            // "a vest and a white helmet walks in": one more garment, no new clause
            let garment = things.iter().all(|t| t.worn)
                && phrase(toks, next, Role::Object)?.is_some_and(|(p, _)| {
                    (p.noun.rsplit(' ').next()).is_some_and(|w| CLOTHES.contains(w))
                });
            if comma + word == 0
                || (!one_of && !garment && self.new_clause(next))
                || preposition(toks, next).is_some()
            {
                break;
            }
            if word > 0 {
                let or = &toks[end + comma];
                either = or.is("or").then_some(or.span);
            }
            end = next;
        }
        Ok(Garments {
            things,
            end,
            either,
        })
    }
}
