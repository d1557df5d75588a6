//! How many: "are more than 10", "exceeds 3", "the lobby has 5 people".

use super::clause::{Clause, Parser};
use super::compare::{Compare, compare};
use super::pattern::here;
use super::phrase::{Role, phrase, place_cannot};
use super::place::zone_name;
use super::predicate::{Said, Step};
use super::words::{CLOTHES, HUMANS};
use crate::Comparator;

impl Parser<'_> {
    /// "the number of cars exceeds 10", "longer than 5 people".
    pub(super) fn how_many(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let about_people = c.subjects.first().is_some_and(|s| s.compare.is_none());
        if about_people
            && c.compare.is_none()
            && (c.verbal || !said.copula)
            && let Some(k) = compare(toks, i)?.filter(|k| !k.bare || said.copula)
        {
            let mut k = k;
            if said.take_not() {
                // "does not exceed 3" is at most 3
                let Some(opposite) = opposite(k) else {
                    return Err(place_cannot(&toks[i..i + k.len]));
                };
                (k.comparator, k.bare) = (opposite, false);
            } else if k.bare {
                // "the number of cars is 3": that many, no more.
                (k.comparator, k.bare) = (Comparator::Eq, false);
            }
            c.compare = Some(k);
            c.verbal = true;
            let mut end = i + k.len;
            if let Some(n) = here!(toks, end, "in number|total|all|length").or(here!(
                toks,
                end,
                "long|strong|deep|full"
            )) {
                end += n;
            } else if let Some((p, e)) = phrase(toks, end, Role::Subject)? {
                // "longer than 10 people"
                let same = c.subjects.iter().any(|s| {
                    s.noun == p.noun
                        || s.noun.starts_with(&format!("{} in", p.noun))
                        || matches!(s.noun.as_str(), "queue" | "line")
                });
                if !same || p.compare.is_some() {
                    return Err(place_cannot(&toks[end..e]));
                }
                for s in &mut c.subjects {
                    if matches!(s.noun.as_str(), "queue" | "line") {
                        s.noun = format!("{} in queue", p.noun);
                    }
                }
                end = e;
            }
            name_who_is_counted(c);
            return Ok(Some(end));
        }
        Ok(None)
    }

    /// "the lobby has more than 10 people".
    pub(super) fn holds_so_many(&self, i: usize, c: &mut Clause, said: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if t.any(&["has", "have", "contains", "contain", "holds", "hold"])
            && let [place] = c.subjects.as_slice()
            && place.compare.is_none()
            && let Some(k) = compare(toks, i + 1)?
            && let Some((mut what, mut end)) = phrase(toks, i + 1, Role::Subject)?
            && what.compare.is_some()
            && !place.universal
            && !HUMANS.contains(place.noun.as_str())
        {
            if let Some(n) = here!(toks, end, "in|inside|on it|them").or(here!(toks, end, "inside"))
            {
                end += n;
            }
            if said.take_not() {
                return Err(place_cannot(&toks[i..i + k.len]));
            }
            if matches!(place.noun.as_str(), "queue" | "line") {
                what.noun = format!("{} in queue", what.noun);
                c.subjects = vec![what];
                c.verbal = true;
                return Ok(Some(end));
            }
            let head = place.noun.rsplit(' ').next().unwrap_or("");
            if !c.zones.is_empty() || CLOTHES.contains(head) {
                return Err(place_cannot(&toks[i..end]));
            }
            let raw = place.raw.clone();
            c.zones = vec![zone_name(&raw)];
            c.place = vec![format!("in the {raw}")];
            what.article.clear();
            c.subjects = vec![what];
            c.verbal = true;
            return Ok(Some(end));
        }
        Ok(None)
    }

    /// "no trolleys left", "there is nobody left".
    pub(super) fn none_left(&self, i: usize, c: &mut Clause, _: &mut Said) -> Step {
        let toks = self.toks;
        let t = &toks[i];
        if t.is("left") && (c.negative || c.subjects.iter().any(|s| s.negative)) && !c.unattended {
            let n = here!(toks, i, "left over?").unwrap_or(1);
            return Ok(Some(i + n));
        }
        Ok(None)
    }
}

/// What "not" makes of a comparison; `None` if that is no single one.
fn opposite(k: Compare) -> Option<Comparator> {
    use Comparator::{Between, Eq, Ge, Gt, Le, Lt, Ne};
    Some(match k.comparator {
        _ if k.bare => Ne,
        Gt => Le,
        Le => Gt,
        Ge => Lt,
        Lt => Ge,
        Eq => Ne,
        Ne => Eq,
        Between => return None,
    })
}

/// "the queue exceeds 5": of people, who queue.
fn name_who_is_counted(c: &mut Clause) {
    for s in &mut c.subjects {
        match s.noun.as_str() {
            "queue" | "line" => s.noun = "person in queue".into(),
            "crowd" | "group" | "gathering" | "occupancy" | "headcount" | "attendance" => {
                s.noun = "person".into();
            }
            _ => {}
        }
    }
}
