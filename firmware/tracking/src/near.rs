//! Whether somebody is with a thing.

use scene::{BBox, Mono, TrackId};

use crate::Config;

/// A camera that looks down at about 30° shows depth at half its length, so
/// distance up and down the picture counts twice (1 / sin 30°).
const DEPTH: f32 = 2.0;

/// Whether a person stands near a thing: the distance between their feet,
/// measured in the person's heights and in the thing's own sides.
pub(crate) fn near(config: &Config, person: &BBox, thing: &BBox) -> bool {
    let (p, t) = (person.foot(), thing.foot());
    // A person round the middle of the thing carries it, or covers it.
    let c = thing.centre();
    let inside = c.x >= person.x
        && c.x <= person.x + person.w
        && c.y >= person.y
        && c.y <= person.y + person.h;
    let apart = ((p.x - t.x) * config.aspect).hypot((p.y - t.y) * DEPTH);
    let side = (thing.w * config.aspect).max(thing.h);
    inside || apart <= (person.h * config.near_heights).min(side * config.near_sides)
}

/// Who is with a thing, and since when nobody is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Company {
    /// Persons that are near now, and since when; `None` for those who were
    /// there when the thing was first seen. Bounded by the number of tracks.
    near: Vec<(TrackId, Option<Mono>)>,
    alone: Option<Mono>,
    met: bool,
}

impl Company {
    /// `persons` are near now.
    pub fn update(&mut self, config: &Config, now: Mono, persons: &[TrackId]) {
        let first = !std::mem::replace(&mut self.met, true);
        self.near.retain(|(id, _)| persons.contains(id));
        for &id in persons {
            if self.near.iter().all(|(known, _)| *known != id) {
                self.near.push((id, (!first).then_some(now)));
            }
        }
        let attended = (self.near.iter())
            .any(|(_, came)| came.is_none_or(|came| now.since(came) >= config.attend));
        self.alone = match (attended, self.alone) {
            (true, _) => None,
            (false, None) => Some(now),
            (false, since) => since,
        };
    }

    /// Since when nobody has been with it; `None` while somebody is.
    pub fn alone(&self) -> Option<Mono> {
        self.alone
    }
}
