//! Directions: which ones tracks tell, and what they mean.

use scene::{Heading, Id, Polygon};

use super::{Arming, Deed, cannot};
use crate::{Refusal, Rule};

/// Verbs of going that say no more than that something goes.
const GOES: &[&str] = &[
    "go", "come", "move", "walk", "drive", "head", "travel", "proceed", "get", "pull", "back",
    "turn",
];

/// Verbs of going that also say how; that part is asked of the model.
const GOES_SOMEHOW: &[&str] = &[
    "run", "race", "rush", "sprint", "speed", "ride", "cycle", "fly", "wander", "stray", "sneak",
    "climb", "jump", "crawl", "roll", "drift", "reverse", "step", "sail", "swim", "skate", "slide",
    "stagger", "stumble", "march", "pass", "wheel", "float",
];

/// Whether `action` moves a thing through the picture.
pub(super) fn travels(action: &str) -> bool {
    GOES.contains(&action) || says_how(action)
}

/// Whether `action` says more than that a thing goes: running, flying.
pub(super) fn says_how(action: &str) -> bool {
    GOES_SOMEHOW.contains(&action)
}

/// The heading for a rule's direction, or why there is none.
pub(super) fn heading(direction: &str) -> Result<Heading, Refusal> {
    Ok(match direction {
        "left" => Heading::Left,
        "right" => Heading::Right,
        "up" => Heading::Up,
        "down" => Heading::Down,
        "toward" => Heading::Toward,
        "away" => Heading::Away,
        "wrong_way" => {
            return Err(cannot(
                "Nothing here says which way is the right one, so going the wrong way can't be told."
                    .into(),
                "Say the way as this camera's picture shows it: goes left, right, up or down.",
            ));
        }
        "north" | "south" | "east" | "west" => {
            return Err(cannot(
                format!("The camera does not know where {direction} is."),
                "Say the way as this camera's picture shows it: goes left, right, up or down.",
            ));
        }
        other => {
            return Err(cannot(
                format!(
                    "Going '{other}' can't be told: a box in the picture shows where a thing goes, not which way it faces."
                ),
                "Say left, right, up or down as the picture shows it, or towards a drawn zone.",
            ));
        }
    })
}

/// What a heading means, for the echo.
pub(super) fn meaning(heading: Heading) -> &'static str {
    match heading {
        Heading::Left | Heading::Right => "left and right are those of the picture",
        Heading::Up | Heading::Down => {
            "up and down are those of the picture: towards its upper and its lower edge"
        }
        Heading::Toward => "coming towards the camera is told by growing in the picture",
        Heading::Away => "going away from the camera is told by shrinking in the picture",
    }
}

impl Arming<'_> {
    /// The deed of a rule about where a thing goes, if it is one.
    pub(super) fn moving(
        &mut self,
        rule: &Rule,
        action: &str,
        noun: &str,
        areas: &[(Id, Polygon)],
    ) -> Result<Option<Deed>, Refusal> {
        if action == "approach" && rule.direction.is_none() {
            let tracked = !areas.is_empty() && self.classes(noun).is_some();
            return Ok(tracked.then_some(Deed::Approach));
        }
        let Some(direction) = rule.direction.as_deref().filter(|_| travels(action)) else {
            return Ok(None);
        };
        let way = heading(direction)?;
        // Named before any zone, since without one no zone would help.
        self.needs_classes(noun, &format!("'{action} {direction}'"))?;
        if let (Heading::Toward | Heading::Away, Some(zone)) = (way, &rule.zone) {
            if areas.is_empty() {
                let name = zone.names().join(", ");
                return Err(cannot(
                    format!("Which way '{name}' lies can't be told: no such zone is drawn."),
                    &format!("Draw a zone named '{name}' where it is, then set the rule again."),
                ));
            }
            return Ok(Some(match way {
                Heading::Toward => Deed::Approach,
                _ => Deed::Retreat,
            }));
        }
        if action == "turn" && matches!(way, Heading::Left | Heading::Right) {
            self.note(format!(
                "{direction} is the {noun}'s own, as seen from above"
            ));
            return Ok(Some(Deed::Turn(way)));
        }
        self.note(meaning(way).into());
        Ok(Some(Deed::Go(way)))
    }
}
