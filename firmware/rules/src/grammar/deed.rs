//! Deeds: what a thing does, as canonical actions with their place.

use super::clause::{Clause, Parser};
use super::pattern::{Pattern, entry, here, table};
use super::phrase::{Role, acts, phrase, place_cannot, strange_verb};
use super::place::words_of;
use super::predicate::{Said, Step};
use super::token::Tok;
use crate::lexicon::{Lexicon, lexicon};

use super::words::*;
use crate::Refusal;
use crate::noun::is_plural;

/// Particles of going, the action they make, and whether a bare place follows.
#[rustfmt::skip]
const PARTICLES: &[(Pattern, (&str, &str))] = table![
    ("into view|sight", "appear", ""), ("in to view", "appear", ""),
    ("out of view|sight", "disappear", ""), ("in|back? through|via|by", "enter", "through"),
    ("out through|via|by", "exit", "through"), ("into|onto", "enter", ""), ("in to", "enter", ""),
    ("on to", "enter", ""), ("inside", "enter", ""), ("in", "enter", "?"),
    ("back? into|onto", "enter", ""), ("out of", "exit", ""), ("off", "exit", ""),
    ("outside", "exit", "?"), ("away from", "exit", ""), ("away", "exit", "?"),
    ("out", "exit", "?"), ("across", "cross", ""), ("over", "cross", ""),
    ("up to", "approach", ""), ("near|by", "approach", ""),
    ("close to", "approach", ""), ("to", "approach", ""), ("past", "pass", ""),
    ("through", "cross", "through"), ("onto", "enter", ""),
];

#[rustfmt::skip]
const DIRECTIONS: &[(Pattern, &str)] = table![
    ("in the wrong direction", "wrong_way"), ("the wrong way", "wrong_way"),
    ("in|from the wrong way|side", "wrong_way"), ("against the flow|traffic", "wrong_way"),
    ("wrong way", "wrong_way"), ("in the opposite direction", "wrong_way"),
    ("from left to right", "right"), ("from right to left", "left"), ("left to right", "right"),
    ("right to left", "left"), ("to|towards the left", "left"), ("to|towards the right", "right"),
    ("left", "left"), ("right", "right"), ("upwards", "up"), ("downwards", "down"), ("up", "up"),
    ("down", "down"), ("towards|toward the camera", "toward"), ("away from the camera", "away"),
    ("backwards", "backward"), ("forwards|forward", "forward"), ("northbound|north", "north"),
    ("towards|toward the?", "toward"), ("in the direction of", "toward"),
    ("southbound|south", "south"), ("eastbound|east", "east"), ("westbound|west", "west"),
];

fn direction(toks: &[Tok], i: usize) -> Option<(usize, &'static str)> {
    entry(toks, i, DIRECTIONS).map(|(n, way)| (n, *way))
}

/// The deed at `i`; where it ends.
pub(super) fn deed(parser: &Parser<'_>, i: usize, c: &mut Clause, said: &mut Said) -> Step {
    let toks = parser.toks;
    let copula = said.copula;
    let t = &toks[i];
    let (plural, pronoun) = c.subjects.first().map_or((false, false), |s| {
        (is_plural(&s.raw) || s.raw.ends_with("people"), s.pronoun)
    });
    let s = t.text.as_str();
    let lone = c.subjects.len() == 1
        && c.zones.is_empty()
        && c.subjects
            .first()
            .is_some_and(|s| s.pronoun || matches!(s.article.as_str(), "a" | "an"));
    let somebody = (c.subjects.first()).is_some_and(|s| HUMANS.contains(s.noun.as_str()));
    let kind = if pronoun || somebody { "pronoun" } else { "a" };
    let strange = !copula && lone && verb(s).is_none() && strange_verb(toks, i, kind);
    if !t.word
        || (!copula
            && !strange
            && !acts(
                toks,
                i,
                1,
                plural || c.subjects.len() > 1 || !c.zones.is_empty(),
                pronoun || s.ends_with("ing") || super::clause::clause_reading(c),
                Role::Subject,
            ))
    {
        return Ok(None);
    }
    let base = match verb(s) {
        Some(base) => base.to_owned(),
        None if s.ends_with("ing") => match from_gerund(s) {
            Some(base) => base,
            None => return Ok(None),
        },
        None if strange => from_third_person(s),
        None => return Ok(None),
    };
    if c.action.is_some() || c.state.is_some() && !copula {
        return Err(place_cannot(&toks[i..i + 1]));
    }
    let not_here = said.take_not();
    if let Some((_, posture)) = POSTURE_VERBS.iter().find(|(b, _)| *b == base) {
        if not_here {
            return Err(place_cannot(&toks[i..i + 1]));
        }
        let down = here!(toks, i + 1, "down|around|about").unwrap_or(0);
        if here!(toks, i + 1 + down, "in a|the? queue|line").is_some() {
            return Ok(Some(i + 1 + down));
        }
        parser.set_state(c, (*posture).to_owned(), &toks[i..i + 1])?;
        return Ok(Some(i + 1 + down));
    }
    let two = toks
        .get(i + 1)
        .map(|n| format!("{base} {}", n.text))
        .filter(|two| BEING.contains(two.as_str()));
    if two.is_some() && !not_here {
        // "around" goes with a place, if one follows
        let place = toks
            .get(i + 2)
            .is_some_and(|t| t.word && !t.any(PREPOSITIONS));
        return Ok(Some(if place { i + 1 } else { i + 2 }));
    }
    if BEING.contains(base.as_str()) {
        let queueing = base == "wait" && here!(toks, i + 1, "in a|the? queue|line").is_some();
        if not_here || (base == "wait" && !queueing && toks.get(i + 1).is_some_and(|n| n.is("for")))
        {
            return Err(place_cannot(&toks[i..i + 1]));
        }
        return Ok(Some(i + 1));
    }
    if base == "queue" {
        c.queue = true;
        return Ok(Some(i + 1 + here!(toks, i + 1, "up").unwrap_or(0)));
    }
    if not_here {
        return Err(place_cannot(&toks[i..i + 1]));
    }
    if base == "park" {
        parser.set_state(c, "parked".into(), &toks[i..i + 1])?;
        return Ok(Some(i + 1));
    }
    // "shows up", "turns up"
    let pair = toks.get(i + 1).and_then(|n| {
        let both = format!("{base} {}", n.text);
        action(&both)
    });
    let arrives = pair.is_some_and(|a| a == "appear")
        && toks.get(i + 2).is_none_or(|n| {
            !n.word
                || n.any(&[
                    "in", "at", "on", "by", "near", "outside", "behind", "and", "or", "inside",
                    "beside", "next",
                ])
        });
    if arrives {
        c.action = Some("appear".into());
        return Ok(Some(i + 2));
    }
    // "pulls up at the dock"
    if pair == Some("enter") && base == "pull" {
        c.action = Some("enter".into());
        let prep = here!(toks, i + 2, "at|in|by|near|outside|on").unwrap_or(0);
        if prep == 0 {
            return Ok(Some(i + 2));
        }
        return Ok(Some(parser.bare_place(i + 2 + prep, c)?.unwrap_or(i + 2)));
    }
    let action = action(&base).unwrap_or(&base);
    let mut at = i + 1;
    if GOING.contains(base.as_str()) {
        let particle = entry(toks, at, PARTICLES).map(|(n, (a, w))| (n, *a, *w));
        // "moves in the garden" moves there; "goes in" enters.
        let goes = matches!(
            base.as_str(),
            "go" | "come" | "get" | "step" | "sneak" | "head"
        );
        let particle = particle.filter(|(_, act, words)| {
            let vague = *words == "?" && *act == "enter" && here!(toks, at, "in").is_some();
            let near = *act == "approach" && here!(toks, at, "near|by").is_some();
            goes || !(vague || near)
        });
        let direction = direction(toks, at);
        // "runs away from the coop"; what drives away from a place leaves it
        let away = (!matches!(base.as_str(), "drive" | "get" | "ride" | "pull" | "go"))
            .then(|| here!(toks, at, "away from"))
            .flatten();
        if let Some(n) = away.filter(|n| direction.is_none_or(|(m, _)| m <= *n)) {
            c.action = Some(base.clone());
            c.direction = Some("away".to_owned());
            return Ok(Some(away_from(parser, at + n, c)?));
        }
        if let Some((n, way)) = direction.filter(|(n, _)| particle.is_none_or(|(m, _, _)| *n > m)) {
            c.action = Some(base.clone());
            c.direction = Some(way.to_owned());
            at += n;
            return Ok(Some(along(parser, at, way, toks[at - 1].is("the"), c)?));
        }
        // "gets on the conveyor"
        let on = matches!(base.as_str(), "get" | "step" | "climb" | "hop")
            .then(|| here!(toks, at, "on"))
            .flatten()
            .filter(|n| toks.get(at + n).is_some_and(|t| t.any(ARTICLES)));
        if let Some(n) = on {
            c.action = Some(if base == "climb" {
                base.clone()
            } else {
                "enter".into()
            });
            return Ok(Some(parser.bare_place(at + n, c)?.unwrap_or(at + n)));
        }
        let light = c.subjects.iter().any(|s| {
            let head = s.noun.rsplit(' ').next().unwrap_or("");
            matches!(
                head,
                "light"
                    | "lamp"
                    | "candle"
                    | "fire"
                    | "flame"
                    | "bulb"
                    | "screen"
                    | "led"
                    | "lantern"
                    | "power"
            )
        });
        if light && here!(toks, at, "out|off|on").is_some() {
            c.action = Some(format!("{base} {}", toks[at].text));
            return Ok(Some(at + 1));
        }
        if let Some((n, act, words)) = particle {
            let climbs = matches!(base.as_str(), "climb" | "jump" | "crawl" | "fly" | "roll");
            let over = here!(toks, at, "over|across|through").is_some();
            let onto = base == "climb" && here!(toks, at, "onto|on").is_some();
            c.action = Some(if climbs && (over || onto || act == "approach") {
                base.clone()
            } else if act == "cross" && here!(toks, at, "through").is_some() && base == "come" {
                "enter".into()
            } else {
                act.to_owned()
            });
            let from = at;
            at += n;
            let plain = climbs && (over || onto);
            let before = c.place.len();
            let Some(end) = parser.bare_place(at, c)? else {
                return if words == "?" || act.ends_with("appear") {
                    Ok(Some(at))
                } else {
                    Err(place_cannot(&toks[i..at]))
                };
            };
            if let Some(place) = c.place.get_mut(before) {
                if plain {
                    *place = format!("{} {place}", words_of(&toks[from..from + 1]));
                } else if words == "through" {
                    *place = format!("through {place}");
                }
            }
            return Ok(Some(end));
        }
        let done_to_it = toks.get(at).is_some_and(|n| n.any(ARTICLES));
        if matches!(base.as_str(), "go" | "come" | "get" | "head")
            || matches!(base.as_str(), "pull" | "back") && !done_to_it
        {
            return Ok(None);
        }
    }
    match action {
        "enter" | "exit" | "cross" => {
            // "leaves a bag": the bag is what is left.
            if base == "leave"
                && toks.get(at).is_some_and(|n| {
                    n.any(&["a", "an", "his", "her", "their", "some", "its", "something"])
                })
            {
                let Some((thing, end)) = phrase(toks, at, Role::Object)? else {
                    return Err(place_cannot(&toks[i..at + 1]));
                };
                let behind = here!(toks, end, "behind|unattended|alone").unwrap_or(0);
                if matches!(
                    thing.noun.as_str(),
                    "door"
                        | "gate"
                        | "room"
                        | "building"
                        | "shop"
                        | "house"
                        | "window"
                        | "car park"
                ) && behind == 0
                {
                    return Err(place_cannot(&toks[i..end]));
                }
                c.subjects = vec![thing];
                c.unattended = true;
                return Ok(Some(end + behind));
            }
            c.action = Some(action.to_owned());
            let prep = here!(toks, at, "through|via|by")
                .or(here!(
                    toks,
                    at,
                    "into|onto|in|at|on|over|inside|from|across|to|the?"
                ))
                .filter(|_| !toks.get(at).is_some_and(|t| t.is("the")))
                .unwrap_or(0);
            let through = here!(toks, at, "through|via|by").is_some();
            let left_from = base == "depart" && here!(toks, at, "from").is_some();
            if prep > 0
                && !through
                && !left_from
                && base == "leave"
                && here!(toks, at, "from|in|at|on|to").is_some()
                && here!(toks, at, "from").is_none()
            {
                return Err(place_cannot(&toks[i..at + prep]));
            }
            let had = c.zones.len();
            if had > 0 && prep == 0 && phrase(toks, at, Role::Place)?.is_some() {
                return Err(place_cannot(&toks[i..at + 1]));
            }
            if toks.get(at + prep).is_none() || had > 0 {
                return Ok(Some(at));
            }
            // "enters followed by …" names no place
            if prep == 0
                && toks
                    .get(at)
                    .is_some_and(|t| t.word && (t.text.ends_with("ed") || t.text.ends_with("ing")))
                && !toks
                    .get(at + 1)
                    .is_some_and(|n| n.word && !n.any(PREPOSITIONS) && !n.any(STRUCTURE))
                && !toks[at].any(ING_NOUNS)
            {
                return Err(place_cannot(&toks[at..at + 1]));
            }
            let Some(end) = parser.bare_place(at + prep, c)? else {
                return if prep > 0 {
                    Err(place_cannot(&toks[at..at + prep]))
                } else {
                    Ok(Some(at))
                };
            };
            if through && let Some(place) = c.place.last_mut() {
                *place = format!("through {place}");
            }
            // "enters the shop through the back door": the door is where.
            if !through && let Some(n) = here!(toks, end, "through|via|by") {
                let zones = std::mem::take(&mut c.zones);
                let places = std::mem::take(&mut c.place);
                match parser.bare_place(end + n, c)? {
                    Some(last) => {
                        if zones.len() == 1 && c.zones.len() == 1 {
                            c.place = vec![format!(
                                "{} through {}",
                                places.join(" "),
                                c.place.join(" ")
                            )];
                            return Ok(Some(last));
                        }
                        return Err(place_cannot(&toks[end..last]));
                    }
                    None => {
                        c.zones = zones;
                        c.place = places;
                    }
                }
            }
            Ok(Some(end))
        }
        "appear" | "disappear" => {
            c.action = Some(action.to_owned());
            Ok(Some(at))
        }
        _ => done_to(parser, i, &base, action, c, copula),
    }
}

fn away_from(parser: &Parser<'_>, at: usize, c: &mut Clause) -> Result<usize, Refusal> {
    let before = c.place.len();
    let Some(end) = parser.bare_place(at, c)? else {
        return Err(place_cannot(&parser.toks[at.saturating_sub(1)..at]));
    };
    if let Some(p) = c.place.get_mut(before) {
        *p = format!("away from {p}");
    }
    Ok(end)
}

pub(super) fn any_way(toks: &[Tok], i: usize) -> bool {
    direction(toks, i).is_some()
}

/// A way that is said behind the place: "crosses the line from left to right".
pub(super) fn way(toks: &[Tok], i: usize) -> Option<(usize, &'static str)> {
    direction(toks, i).filter(|(n, way)| *n > 1 && *way != "toward")
}

/// The place that a way goes by: "down the ramp", "toward the fence".
fn along(
    parser: &Parser<'_>,
    at: usize,
    way: &str,
    article_taken: bool,
    c: &mut Clause,
) -> Result<usize, Refusal> {
    let from = if article_taken { at - 1 } else { at };
    // "the wrong way down the ramp"
    if way == "wrong_way"
        && let Some(n) = here!(parser.toks, at, "down|up|along|through|in|on")
        && parser.toks.get(at + n).is_some_and(|t| t.any(ARTICLES))
    {
        let before = c.place.len();
        let end = parser.bare_place(at + n, c)?.unwrap_or(at);
        if let Some(p) = c.place.get_mut(before) {
            *p = format!("on {p}");
        }
        return Ok(end);
    }
    // "walks towards the camera"
    if parser.toks[..at].last().is_some_and(|t| t.is("camera")) {
        return Ok(at);
    }
    let takes = matches!(way, "up" | "down" | "toward" | "left" | "right");
    let next = parser.toks.get(from);
    let place = next.is_some_and(|n| n.word && !n.any(PREPOSITIONS) && !n.any(&["and", "or"]));
    if takes && place && c.zones.is_empty() && !(matches!(way, "left" | "right")) {
        let before = c.place.len();
        let end = parser.bare_place(from, c)?.unwrap_or(at);
        if let Some(p) = c.place.get_mut(before) {
            let word = if way == "toward" { "toward" } else { way };
            *p = format!("{word} {p}");
        }
        return Ok(end);
    }
    if way == "toward" {
        return Err(place_cannot(&parser.toks[at.saturating_sub(1)..at]));
    }
    Ok(at)
}

/// "digs" -> "dig", "carries" -> "carry".
fn from_third_person(s: &str) -> String {
    if let Some(stem) = s.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let es = ["ches", "shes", "sses", "xes", "zzes", "oes"];
    let cut = if es.iter().any(|e| s.ends_with(e)) {
        2
    } else {
        1
    };
    s[..s.len() - cut].to_owned()
}

/// Verbs that say nothing without what they are done to.
#[rustfmt::skip]
const NEEDS_OBJECT: &Lexicon = lexicon![
    "start", "begin", "try", "need", "want", "has", "look", "take", "put", "use", "hold", "carry",
    "wear", "contain", "reach", "exceed", "lack", "happen", "occur", "exist", "show", "bring", "build", "point",
    "push", "lift", "touch", "hit", "kick", "throw", "pick", "grab", "load", "unload", "feed", "remove",
];

/// A deed and what it is done to: "opens the hatch", "falls", "climbs the fence".
fn done_to(
    parser: &Parser<'_>,
    i: usize,
    base: &str,
    action: &str,
    c: &mut Clause,
    copula: bool,
) -> Result<Option<usize>, Refusal> {
    let toks = parser.toks;
    let s = toks[i].text.as_str();
    let mut at = i + 1;
    let mut words = vec![action.to_owned()];
    if matches!(
        base,
        "change" | "vary" | "increase" | "decrease" | "double" | "triple" | "fluctuate" | "halve"
    ) {
        return Err(super::clause::ambiguous(
            "A rule compares with a number; it does not follow changes.",
            "Say the number at which to alert, for example 'more than 10 people in the hall'.",
            toks[i].span,
        )
        .missing("threshold"));
    }
    if base == "reach"
        && let Some(n) = here!(toks, at, "into|over|through|under")
    {
        c.action = Some(format!("reach {}", toks[at].text));
        return Ok(Some(parser.bare_place(at + n, c)?.unwrap_or(at + n)));
    }
    if matches!(
        base,
        "start" | "begin" | "try" | "need" | "want" | "has" | "look"
    ) {
        return Ok(None);
    }
    if let Some(n) = here!(toks, at, "down|over|up|around|about|off|out|away|open").filter(|n| {
        let next = toks.get(at + n);
        let bare = next.is_none_or(|x| !x.word || x.any(PREPOSITIONS) || x.any(&["and", "or"]));
        let kept = matches!(
            base,
            "pick"
                | "put"
                | "break"
                | "take"
                | "knock"
                | "throw"
                | "cut"
                | "pull"
                | "set"
                | "push"
                | "kick"
                | "turn"
                | "pack"
                | "wrap"
                | "smash"
                | "tip"
                | "fold"
                | "roll"
                | "drop"
                | "light"
                | "dig"
                | "load"
                | "stack"
        );
        (bare || kept) && here!(toks, at, "off|out of|from").is_none_or(|m| m <= *n)
    }) {
        let particle = toks[at].text.clone();
        let moves = matches!(particle.as_str(), "down" | "up") && DEEDS.contains(base);
        let empty = matches!(
            (base, particle.as_str()),
            (
                "fall" | "tip" | "topple" | "collapse" | "trip" | "slip" | "tumble",
                "over" | "down"
            ) | (_, "about" | "around")
        );
        let next_object = toks
            .get(at + n)
            .is_some_and(|x| x.word && !x.any(PREPOSITIONS) && !x.any(&["and", "or"]));
        if moves && !empty && !next_object {
            c.direction = Some(particle);
        } else if !empty {
            words.push(particle);
        }
        at += n;
    } else if let Some(n) = here!(toks, at, "away from") {
        c.direction = Some("away".to_owned());
        at += n;
    } else if let Some((n, way)) = direction(toks, at) {
        c.direction = Some(way.to_owned());
        at += n;
        if way == "toward" && toks[at - 1].is("the") {
            at -= 1;
        }
    }
    if c.direction.as_deref() == Some("away") {
        c.action = Some(words.join(" "));
        return Ok(Some(away_from(parser, at, c)?));
    }
    let way = c.direction.is_some();
    if let Some((p, end)) = phrase(toks, at, Role::Place)? {
        let head = p.raw.rsplit(' ').next().unwrap_or("").to_lowercase();
        let barrier = PLACES.contains(head.as_str())
            || FIXTURES.contains(head.as_str())
            || matches!(
                head.as_str(),
                "fence"
                    | "wall"
                    | "railing"
                    | "railings"
                    | "turnstile"
                    | "turnstiles"
                    | "hedge"
                    | "scaffolding"
                    | "tower"
                    | "barriers"
                    | "stairs"
                    | "rocks"
                    | "cliff"
                    | "fences"
                    | "tracks"
            );
        let blocks = matches!(action, "block" | "obstruct" | "occupy");
        let place = matches!(action, "approach" | "pass")
            || (blocks && (barrier || head.ends_with("lane") || head.ends_with("way")))
            || (matches!(
                action,
                "climb" | "jump" | "vault" | "scale" | "hop" | "leap"
            ) && barrier);
        if (place || way) && c.zones.is_empty() && !p.negative && !p.pronoun {
            c.action = Some(words.join(" "));
            return Ok(Some(parser.bare_place(at, c)?.unwrap_or(end)));
        }
        let Some((thing, end)) = phrase(toks, at, Role::Object)? else {
            return Err(place_cannot(&toks[i..end]));
        };
        if thing.negative || (thing.pronoun && thing.universal) || thing.unattended || way {
            return Err(place_cannot(&toks[i..end]));
        }
        if (copula || s.ends_with("ing")) && HANDLING.contains(&base) {
            c.attributes
                .push(format!("{} {}", crate::ask::gerund(base), thing.noun));
            return Ok(Some(end));
        }
        let noun = if thing.pronoun && thing.noun == "any object" {
            "something".to_owned()
        } else {
            super::phrase::full(&thing)
        };
        words.push(noun);
        c.action = Some(words.join(" "));
        return Ok(Some(end));
    }
    if NEEDS_OBJECT.contains(base) && words.len() == 1 {
        return Ok(None);
    }
    c.action = Some(words.join(" "));
    Ok(Some(at))
}
