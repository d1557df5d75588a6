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

/// A person who may be near a thing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub id: TrackId,
    pub bbox: BBox,
    /// Going somewhere, in place of standing about.
    pub walks: bool,
}

/// Somebody near a thing.
#[derive(Clone, Copy, Debug)]
struct Visit {
    id: TrackId,
    came: Mono,
    /// Since when they have stood about there.
    stands: Option<Mono>,
    /// Was there when the thing was first seen, or has stayed: is with it.
    with: bool,
}

/// Who is with a thing, and since when nobody is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Company {
    /// Persons that are near now. Bounded by the number of tracks.
    near: Vec<Visit>,
    alone: Option<Mono>,
    met: bool,
}

impl Company {
    /// `persons` are near now.
    pub fn update(&mut self, config: &Config, now: Mono, persons: &[Person]) {
        let first = !std::mem::replace(&mut self.met, true);
        self.near.retain(|v| persons.iter().any(|p| p.id == v.id));
        for person in persons {
            let known = self.near.iter().position(|v| v.id == person.id);
            let i = known.unwrap_or_else(|| {
                self.near.push(Visit {
                    id: person.id,
                    came: now,
                    stands: None,
                    with: first,
                });
                self.near.len() - 1
            });
            let visit = &mut self.near[i];
            visit.stands = match person.walks {
                true => None,
                false => visit.stands.or(Some(now)),
            };
            let stays = (visit.stands).is_some_and(|s| now.since(s) >= config.attend);
            visit.with |= stays || now.since(visit.came) >= config.attend_pacing;
        }
        let attended = self.near.iter().any(|v| v.with);
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
