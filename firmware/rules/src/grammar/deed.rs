//! Deeds: what a thing does, as canonical actions with their place: postures,
//! going, passages. What is done to a thing is in `object`.

use std::ops::ControlFlow::{self, Break, Continue};

use super::acts::{acts, strange_verb};
use super::clause::{Clause, Parser};
use super::object::done_to;
use super::pattern::{Pattern, entry, here, table};
use super::phrase::{Role, phrase, place_cannot};
use super::place::{preposition, words_of};
use super::predicate::{Said, Step};
use super::token::Tok;

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

/// The direction that is said at `i`.
pub(super) fn direction(toks: &[Tok], i: usize) -> Option<(usize, &'static str)> {
    entry(toks, i, DIRECTIONS).map(|(n, way)| (n, *way))
}

/// The deed at `i`; where it ends. In order: postures and being there ("sits",
/// "waits in a queue"), appearing ("shows up"), going with its particles and
/// directions ("walks out of the hall"), passages ("enters the lab"), and what
/// is done to a thing ("opens the hatch").
pub(super) fn deed(parser: &Parser<'_>, i: usize, c: &mut Clause, said: &mut Said) -> Step {
    let toks = parser.toks;
    let copula = said.copula;
    let Some(base) = base_at(toks, i, c, copula) else {
        return Ok(None);
    };
    if c.action.is_some() || c.state.is_some() && !copula {
        return Err(place_cannot(&toks[i..i + 1]));
    }
    let not_here = said.take_not();
    if let Break(end) = stays(parser, i, &base, not_here, c)? {
        return Ok(end);
    }
    if let Break(end) = shows_up(parser, i, &base, c)? {
        return Ok(end);
    }
    if GOING.contains(&base)
        && let Break(end) = goes(parser, i, &base, c)?
    {
        return Ok(end);
    }
    let action = action(&base).unwrap_or(&base);
    match action {
        "enter" | "exit" | "cross" => passes(parser, i, &base, action, c),
        "appear" | "disappear" => {
            c.action = Some(action.to_owned());
            Ok(Some(i + 1))
        }
        _ => done_to(parser, i, &base, action, c, copula),
    }
}

/// A step that may leave the deed to the ones after it.
type Flow = Result<ControlFlow<Option<usize>>, Refusal>;

/// The base form of the verb at `i`, if the word acts as one.
fn base_at(toks: &[Tok], i: usize, c: &Clause, copula: bool) -> Option<String> {
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
        return None;
    }
    match verb(s) {
        Some(base) => Some(base.to_owned()),
        None if s.ends_with("ing") => from_gerund(s),
        None if strange => Some(from_third_person(s)),
        None => None,
    }
}

/// "sits", "stays", "waits in a queue", "parks": states, or no more than
/// being there.
fn stays(parser: &Parser<'_>, i: usize, base: &str, not_here: bool, c: &mut Clause) -> Flow {
    let toks = parser.toks;
    if let Some((_, posture)) = POSTURE_VERBS.iter().find(|(b, _)| *b == base) {
        if not_here {
            return Err(place_cannot(&toks[i..i + 1]));
        }
        let down = here!(toks, i + 1, "down|around|about").unwrap_or(0);
        if here!(toks, i + 1 + down, "in a|the? queue|line").is_some() {
            return Ok(Break(Some(i + 1 + down)));
        }
        parser.set_state(c, (*posture).to_owned(), &toks[i..i + 1])?;
        return Ok(Break(Some(i + 1 + down)));
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
        return Ok(Break(Some(if place { i + 1 } else { i + 2 })));
    }
    if BEING.contains(base) {
        let queueing = base == "wait" && here!(toks, i + 1, "in a|the? queue|line").is_some();
        if not_here || (base == "wait" && !queueing && toks.get(i + 1).is_some_and(|n| n.is("for")))
        {
            return Err(place_cannot(&toks[i..i + 1]));
        }
        return Ok(Break(Some(i + 1)));
    }
    if base == "queue" {
        c.queue = true;
        return Ok(Break(Some(i + 1 + here!(toks, i + 1, "up").unwrap_or(0))));
    }
    if not_here {
        return Err(place_cannot(&toks[i..i + 1]));
    }
    if base == "park" {
        parser.set_state(c, "parked".into(), &toks[i..i + 1])?;
        return Ok(Break(Some(i + 1)));
    }
    Ok(Continue(()))
}

/// "shows up", "pulls up at the dock".
fn shows_up(parser: &Parser<'_>, i: usize, base: &str, c: &mut Clause) -> Flow {
    let toks = parser.toks;
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
        return Ok(Break(Some(i + 2)));
    }
    // "pulls up at the dock"
    if pair == Some("enter") && base == "pull" {
        c.action = Some("enter".into());
        let prep = here!(toks, i + 2, "at|in|by|near|outside|on").unwrap_or(0);
        if prep == 0 {
            return Ok(Break(Some(i + 2)));
        }
        return Ok(Break(Some(
            parser.bare_place(i + 2 + prep, c)?.unwrap_or(i + 2),
        )));
    }
    Ok(Continue(()))
}

/// "goes in", "walks up the ramp", "runs away from the coop".
fn goes(parser: &Parser<'_>, i: usize, base: &str, c: &mut Clause) -> Flow {
    let toks = parser.toks;
    let mut at = i + 1;
    let particle = entry(toks, at, PARTICLES).map(|(n, (a, w))| (n, *a, *w));
    // "moves in the garden" moves there; "goes in" enters.
    let goes = matches!(base, "go" | "come" | "get" | "step" | "sneak" | "head");
    let particle = particle.filter(|(_, act, words)| {
        let vague = *words == "?" && *act == "enter" && here!(toks, at, "in").is_some();
        let near = *act == "approach" && here!(toks, at, "near|by").is_some();
        goes || !(vague || near)
    });
    let direction = direction(toks, at);
    // "runs away from the coop"; what drives away from a place leaves it
    let away = (!matches!(base, "drive" | "get" | "ride" | "pull" | "go"))
        .then(|| here!(toks, at, "away from"))
        .flatten();
    if let Some(n) = away.filter(|n| direction.is_none_or(|(m, _)| m <= *n)) {
        c.action = Some(base.to_owned());
        c.direction = Some("away".to_owned());
        return Ok(Break(Some(away_from(parser, at + n, c)?)));
    }
    if let Some((n, way)) = direction.filter(|(n, _)| particle.is_none_or(|(m, _, _)| *n > m)) {
        c.action = Some(base.to_owned());
        c.direction = Some(way.to_owned());
        at += n;
        return Ok(Break(Some(along(
            parser,
            at,
            way,
            toks[at - 1].is("the"),
            c,
        )?)));
    }
    // "gets on the conveyor"
    let on = matches!(base, "get" | "step" | "climb" | "hop")
        .then(|| here!(toks, at, "on"))
        .flatten()
        .filter(|n| toks.get(at + n).is_some_and(|t| t.any(ARTICLES)));
    if let Some(n) = on {
        c.action = Some(if base == "climb" {
            base.to_owned()
        } else {
            "enter".into()
        });
        return Ok(Break(Some(parser.bare_place(at + n, c)?.unwrap_or(at + n))));
    }
    if gives_light(c) && here!(toks, at, "out|off|on").is_some() {
        c.action = Some(format!("{base} {}", toks[at].text));
        return Ok(Break(Some(at + 1)));
    }
    if let Some(particle) = particle {
        return through(parser, i, base, particle, c).map(Break);
    }
    let done_to_it = toks.get(at).is_some_and(|n| n.any(ARTICLES));
    if matches!(base, "go" | "come" | "get" | "head")
        || matches!(base, "pull" | "back") && !done_to_it
    {
        return Ok(Break(None));
    }
    Ok(Continue(()))
}

/// Whether the subject is a light, which may go out.
fn gives_light(c: &Clause) -> bool {
    c.subjects.iter().any(|s| {
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
    })
}

/// A particle of [`PARTICLES`]: how many tokens, its action, and what goes
/// before its place.
type Particle = (usize, &'static str, &'static str);

/// "goes | into the hall", "climbs | over the fence".
fn through(
    parser: &Parser<'_>,
    i: usize,
    base: &str,
    (n, act, words): Particle,
    c: &mut Clause,
) -> Step {
    let toks = parser.toks;
    let mut at = i + 1;
    let climbs = matches!(base, "climb" | "jump" | "crawl" | "fly" | "roll");
    let over = here!(toks, at, "over|across|through").is_some();
    let onto = base == "climb" && here!(toks, at, "onto|on").is_some();
    c.action = Some(if climbs && (over || onto || act == "approach") {
        base.to_owned()
    } else if act == "cross" && here!(toks, at, "through").is_some() && base == "come" {
        "enter".into()
    } else {
        act.to_owned()
    });
    let from = at;
    at += n;
    let plain = climbs && (over || onto);
    let plain = plain || climbs && act == "approach";
    let before = c.place.len();
    if !c.zones.is_empty() && (words != "?" || phrase(toks, at, Role::Place)?.is_some()) {
        return Err(place_cannot(&toks[i..at]));
    }
    let Some(end) = parser.bare_place(at, c)? else {
        return if words == "?" || act.ends_with("appear") {
            Ok(Some(at))
        } else {
            Err(place_cannot(&toks[i..at]))
        };
    };
    if let Some(place) = c.place.get_mut(before) {
        if plain {
            *place = format!("{} {place}", words_of(&toks[from..at]));
        } else if words == "through" {
            *place = format!("through {place}");
        }
    }
    Ok(Some(end))
}

/// "enters the lab", "leaves through the gate", "crosses the line".
fn passes(parser: &Parser<'_>, i: usize, base: &str, action: &str, c: &mut Clause) -> Step {
    let toks = parser.toks;
    let at = i + 1;
    if base == "leave"
        && let Some(end) = leaves_behind(parser, i, c)?
    {
        return Ok(Some(end));
    }
    c.action = Some(action.to_owned());
    let prep = here!(toks, at, "through|via|by")
        .or(here!(
            toks,
            at,
            "into|onto|in|at|on|over|inside|from|across|to"
        ))
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
    // "enters in front of the van": that is where
    if preposition(toks, at).is_some_and(|n| n > prep) && here!(toks, at, "in front of").is_some() {
        return Ok(Some(at));
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
    if !through && let Some(last) = by_way_of(parser, end, c)? {
        return Ok(Some(last));
    }
    Ok(Some(end))
}

/// "leaves a bag": the bag is what is left.
fn leaves_behind(parser: &Parser<'_>, i: usize, c: &mut Clause) -> Step {
    let toks = parser.toks;
    let at = i + 1;
    if toks
        .get(at)
        .is_some_and(|n| n.any(&["a", "an", "his", "her", "their", "some", "its", "something"]))
    {
        let Some((thing, end)) = phrase(toks, at, Role::Object)? else {
            return Err(place_cannot(&toks[i..at + 1]));
        };
        let behind = here!(toks, end, "behind|unattended|alone").unwrap_or(0);
        if matches!(
            thing.noun.as_str(),
            "door" | "gate" | "room" | "building" | "shop" | "house" | "window" | "car park"
        ) && behind == 0
        {
            return Err(place_cannot(&toks[i..end]));
        }
        c.subjects = vec![thing];
        c.unattended = true;
        return Ok(Some(end + behind));
    }
    Ok(None)
}

/// "enters the shop through the back door": the door is where.
fn by_way_of(parser: &Parser<'_>, end: usize, c: &mut Clause) -> Step {
    let toks = parser.toks;
    if let Some(n) = here!(toks, end, "through|via|by") {
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
    Ok(None)
}

/// The place behind "away from".
pub(super) fn away_from(parser: &Parser<'_>, at: usize, c: &mut Clause) -> Result<usize, Refusal> {
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
