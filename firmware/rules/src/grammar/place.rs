//! Places: "at the till", "in aisles 5, 6 or 7", "near it", and as they are
//! written in a rule.

use super::clause::{Clause, Parser, ambiguous};
use super::head::full;
use super::pattern::{here, longest};
use super::phrase::{Phrase, Role, phrase, place_cannot};
use super::token::{Tok, span_of};
use super::words::{ARTICLES, CLOTHES, COPULAS, GOING, LONG_PREPOSITIONS, PREPOSITIONS, STRUCTURE};
use crate::Refusal;
use crate::noun::is_plural;

/// The preposition at `i`; how many tokens it is.
pub(super) fn preposition(toks: &[Tok], i: usize) -> Option<usize> {
    longest(toks, i, LONG_PREPOSITIONS)
        .or_else(|| toks.get(i).filter(|t| t.any(PREPOSITIONS)).map(|_| 1))
}

impl Parser<'_> {
    /// The places behind the preposition of `prep` tokens at `from`, as names
    /// of zones and in the user's words.
    pub(super) fn add_place(
        &self,
        from: usize,
        prep: usize,
        c: &mut Clause,
    ) -> Result<Option<usize>, Refusal> {
        let toks = self.toks;
        let at = from + prep;
        if self.at(at, &["it", "them"]) {
            // "near it": near what the clause before is about
            let Some(thing) = self.before.as_ref().and_then(|b| b.subjects.first()) else {
                return Err(place_cannot(&toks[at..at + 1]));
            };
            c.zones.push(zone_name(&thing.raw));
            c.place
                .push(format!("{} the {}", words_of(&toks[from..at]), thing.raw));
            return Ok(Some(at + 1));
        }
        let Some((first, mut end)) = phrase(toks, at, Role::Place)? else {
            return Ok(None);
        };
        if first.pronoun || first.negative || (first.universal && !self.at(at, &["all", "both"])) {
            return Err(place_cannot(&toks[at..end]));
        }
        let mut names = vec![first];
        let mut words = words_of(&toks[from..end]);
        if let Some((numbered, to)) = numbers(toks, &names[0], end) {
            words.push_str(if self.at(end, &[","]) { "" } else { " " });
            words.push_str(&words_of(&toks[end..to]));
            names = numbered;
            end = to;
        }
        loop {
            let comma = usize::from(self.at(end, &[","]));
            let word = here!(toks, end + comma, "or|and|&").unwrap_or(0);
            if comma + word == 0 {
                break;
            }
            let and = word > 0 && self.at(end + comma, &["and", "&"]);
            let next = end + comma + word;
            let again = preposition(toks, next)
                .filter(|_| {
                    words_of(&toks[next..next + 1])
                        .eq_ignore_ascii_case(&words_of(&toks[from..from + 1]))
                })
                .unwrap_or(0);
            if self.new_clause(next + again) {
                break;
            }
            let Some((p, next_end)) = phrase(toks, next + again, Role::Place)? else {
                break;
            };
            let goes_on = word > 0
                || here!(toks, next_end, "or|and").is_some()
                || here!(toks, next_end, ", or|and").is_some()
                || (self.at(next_end, &[","]) && !p.article.is_empty());
            if !goes_on {
                break;
            }
            // "between the door and the desk" is one place
            if and && toks[from].is("between") && names.len() == 1 {
                names[0].raw = format!("{} and {}", names[0].raw, words_of(&toks[next..next_end]));
            } else {
                names.push(p);
            }
            words.push_str(if comma > 0 { "," } else { "" });
            words.push(' ');
            words.push_str(&words_of(&toks[end + comma..next_end]));
            end = next_end;
        }
        for p in &names {
            c.zones.push(zone_name(&p.raw));
        }
        c.place.push(words.trim().to_owned());
        Ok(Some(end))
    }

    /// A bare phrase as the place of a deed: "enters the driveway".
    pub(super) fn bare_place(&self, i: usize, c: &mut Clause) -> Result<Option<usize>, Refusal> {
        self.add_place(i, 0, c)
    }

    /// A place, which may itself have one: "at the till in the shop".
    pub(super) fn place(&self, i: usize, c: &mut Clause) -> Result<Option<usize>, Refusal> {
        let toks = self.toks;
        let Some(prep) = preposition(toks, i) else {
            return Ok(None);
        };
        // queues: "in a queue", "in line"
        if here!(toks, i, "in a|the? queue|line").is_some() {
            let n = here!(toks, i, "in a|the? queue|line").unwrap_or(0);
            c.queue = true;
            return Ok(Some(i + n));
        }
        // "off leash", "from Spain": no places, unless something moves there.
        let still = c.action.is_none() && c.state.is_none() && !c.negative;
        if still
            && toks[i].any(&[
                "off", "from", "to", "into", "onto", "through", "via", "towards",
            ])
        {
            return Err(place_cannot(&toks[i..(i + 2).min(toks.len())]));
        }
        // "jumps quickly off the wall": the deed has not seen where it goes.
        if c.action.as_deref().is_some_and(|a| GOING.contains(a))
            && toks[i].any(&["into", "onto", "off", "through", "across", "to"])
        {
            return Err(place_cannot(&toks[i..(i + 2).min(toks.len())]));
        }
        // clothes: "in a red jacket"
        if toks[i].is("in")
            && let Some((p, end)) = phrase(toks, i + 1, Role::Object)?
            && p.noun
                .rsplit(' ')
                .next()
                .is_some_and(|w| CLOTHES.contains(w))
        {
            c.attributes.push(format!("wearing {}", full(&p)));
            return Ok(Some(end));
        }
        if here!(toks, i, "in|into view|sight").is_some()
            || here!(toks, i, "in the picture|frame|image|view|scene").is_some()
            || here!(toks, i, "on camera|screen").is_some()
        {
            let n = here!(toks, i, "in|into view|sight")
                .or(here!(toks, i, "in the picture|frame|image|view|scene"))
                .or(here!(toks, i, "on camera|screen"))
                .unwrap_or(0);
            return Ok(Some(i + n));
        }
        let had = c.zones.len();
        let moving = [
            "to", "into", "onto", "from", "towards", "toward", "through", "off",
        ];
        if had > 0 && toks[i].any(&moving) {
            return Err(place_cannot(&toks[i..i + 2.min(toks.len() - i)]));
        }
        let before = c.place.len();
        let Some(end) = self.add_place(i, prep, c)? else {
            return Ok(None);
        };
        // "gone from the pier": there is none at the pier.
        if c.negative
            && c.action.is_none()
            && toks[i].is("from")
            && let Some(p) = c.place.get_mut(before)
            && let Some(rest) = p.strip_prefix("from ")
        {
            *p = format!("at {rest}");
        }
        if had > 0 {
            // A second place narrows the first: one place in the user's words.
            if had > 1 || c.zones.len() > had + 1 {
                return Err(ambiguous(
                    "These places can't be told apart.",
                    "Name one place, or a list of places.",
                    span_of(&toks[i..end]),
                ));
            }
            let outer = words_of(&toks[i..end]);
            c.zones.truncate(had);
            let narrowed = format!("{} {outer}", c.zones[0]);
            c.zones[0] = zone_name(&narrowed);
        }
        Ok(Some(end))
    }
}

/// "aisle 5, 6 or 7", "platforms 1 and 2", "gates 3 to 5": each with its name.
fn numbers(toks: &[Tok], first: &Phrase, end: usize) -> Option<(Vec<Phrase>, usize)> {
    let is_number = |t: &Tok| {
        t.word
            && (t.text.chars().all(|c| c.is_ascii_digit())
                || (t.raw.len() == 1 && t.raw.chars().all(|c| c.is_ascii_uppercase())))
    };
    let (front, number) = first.raw.rsplit_once(' ')?;
    let digit = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    if !(digit(number) || number.len() == 1 && number.chars().all(|c| c.is_ascii_uppercase())) {
        return None;
    }
    let mut list = vec![number.to_owned()];
    let mut at = end;
    loop {
        let range = here!(toks, at, "to|-|through").unwrap_or(0);
        if range > 0
            && list.len() == 1
            && let Some(t) = toks.get(at + 1).filter(|t| digit(&t.text))
            && let (Ok(a), Ok(b)) = (number.parse::<u32>(), t.text.parse::<u32>())
            && a < b
            && b - a <= 20
            && is_plural(front)
        {
            list.extend((a + 1..=b).map(|n| n.to_string()));
            at += 2;
            break;
        }
        let comma = usize::from(toks.get(at).is_some_and(|t| t.is(",")));
        let word = here!(toks, at + comma, "or|and|&").unwrap_or(0);
        let next = at + comma + word;
        let stops = toks.get(next + 1).is_none_or(|n| {
            !n.word
                || n.any(PREPOSITIONS)
                || n.any(&["or", "and"])
                || n.any(COPULAS)
                || n.any(STRUCTURE)
        });
        match toks.get(next) {
            Some(t) if comma + word > 0 && is_number(t) && stops => {
                list.push(t.raw.clone());
                at = next + 1;
            }
            _ => break,
        }
    }
    if list.len() < 2 {
        return None;
    }
    let one = if is_plural(front) {
        crate::noun::singular(front)
    } else {
        front.to_owned()
    };
    let names = list
        .into_iter()
        .map(|n| Phrase {
            raw: format!("{one} {n}"),
            ..first.clone()
        })
        .collect();
    Some((names, at))
}

/// The words as they are written, but prepositions and articles in lower case.
pub(crate) fn words_of(toks: &[Tok]) -> String {
    let mut out = String::new();
    for t in toks.iter().filter(|t| !t.raw.is_empty()) {
        if !out.is_empty() && !t.is(",") {
            out.push(' ');
        }
        let letter = t.raw.len() == 1 && !out.is_empty() && t.raw.chars().all(char::is_uppercase);
        out.push_str(
            if t.word && !letter && (t.any(PREPOSITIONS) || t.any(ARTICLES)) {
                &t.text
            } else {
                &t.raw
            },
        );
    }
    out
}

/// The zone's name: the user's words without a trailing "zone".
pub(crate) fn zone_name(raw: &str) -> String {
    match raw.rsplit_once(' ') {
        Some((front, last)) if last.eq_ignore_ascii_case("zone") => front.to_owned(),
        _ => raw.to_owned(),
    }
}
