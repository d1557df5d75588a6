//! Deeds and what they are done to: "opens the hatch", "climbs the fence",
//! "picks up a box".

use super::clause::{Clause, Parser, ambiguous};
use super::deed::{away_from, direction};
use super::head::full;
use super::pattern::here;
use super::phrase::{Role, phrase, place_cannot};
use super::predicate::Step;
use super::token::Tok;
use super::words::*;
use crate::lexicon::{Lexicon, lexicon};

/// Verbs that keep their particle before an object: "picks up a box".
#[rustfmt::skip]
const PARTICLE_VERBS: &Lexicon = lexicon![
    "pick", "put", "break", "take", "knock", "throw", "cut", "pull", "set", "push", "kick", "turn",
    "pack", "wrap", "smash", "tip", "fold", "roll", "drop", "light", "dig", "load", "stack",
];

/// Things that are climbed or blocked where they stand, beside places.
#[rustfmt::skip]
const BARRIERS: &Lexicon = lexicon![
    "fence", "wall", "railing", "railings", "turnstile", "turnstiles", "hedge", "scaffolding",
    "tower", "barriers", "stairs", "rocks", "cliff", "fences", "tracks",
];

/// Verbs that say nothing without what they are done to.
#[rustfmt::skip]
const NEEDS_OBJECT: &Lexicon = lexicon![
    "start", "begin", "try", "need", "want", "has", "look", "take", "put", "use", "hold", "carry",
    "wear", "contain", "reach", "exceed", "lack", "happen", "occur", "exist", "show", "bring", "build", "point",
    "push", "lift", "touch", "hit", "kick", "throw", "pick", "grab", "load", "unload", "feed", "remove",
];

/// A deed and what it is done to: "opens the hatch", "falls", "climbs the fence".
pub(super) fn done_to(
    parser: &Parser<'_>,
    i: usize,
    base: &str,
    action: &str,
    c: &mut Clause,
    copula: bool,
) -> Step {
    let toks = parser.toks;
    let s = toks[i].text.as_str();
    let mut at = i + 1;
    let mut words = vec![action.to_owned()];
    if matches!(
        base,
        "change" | "vary" | "increase" | "decrease" | "double" | "triple" | "fluctuate" | "halve"
    ) {
        return Err(ambiguous(
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
    at = particle_or_way(toks, at, base, &mut words, c);
    if c.direction.as_deref() == Some("away") {
        c.action = Some(words.join(" "));
        return Ok(Some(away_from(parser, at, c)?));
    }
    let way = c.direction.is_some();
    if let Some((p, end)) = phrase(toks, at, Role::Place)? {
        let head = p.raw.rsplit(' ').next().unwrap_or("").to_lowercase();
        let place = is_place_of(action, &head);
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
            full(&thing)
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

/// Whether the deed is done at a place, and not to a thing: "climbs the fence",
/// "blocks the driveway".
fn is_place_of(action: &str, head: &str) -> bool {
    let one = crate::noun::singular(head);
    let barrier = BARRIERS.contains(head)
        || [head, &one]
            .iter()
            .any(|h| PLACES.contains(h) || FIXTURES.contains(h));
    let blocks = matches!(action, "block" | "obstruct" | "occupy");
    matches!(action, "approach" | "pass")
        || (blocks && (barrier || head.ends_with("lane") || head.ends_with("way")))
        || (matches!(
            action,
            "climb" | "jump" | "vault" | "scale" | "hop" | "leap"
        ) && barrier)
}

/// "falls | over", "knocks | over a bin", "drives | the wrong way": adds the
/// particle to the deed's words or sets its direction; where it goes on.
fn particle_or_way(
    toks: &[Tok],
    mut at: usize,
    base: &str,
    words: &mut Vec<String>,
    c: &mut Clause,
) -> usize {
    if let Some(n) = here!(toks, at, "down|over|up|around|about|off|out|away|open").filter(|n| {
        let next = toks.get(at + n);
        let bare = next
            .is_none_or(|x| !x.word || x.any(PREPOSITIONS) || x.any(&["and", "or", "has", "have"]));
        let kept = PARTICLE_VERBS.contains(base);
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
    at
}
