//! What was lost lately: a thing that turns up where another one stood and
//! vanished is more likely that one than a newcomer.

use std::collections::VecDeque;
use std::time::Duration;

use scene::{BBox, Id, Mono};

use crate::Config;
use crate::follow::Followed;
use crate::path::at_edge;

/// How long a thing that stood still is looked for near by …
const NEAR_BY: Duration = Duration::from_secs(30);
/// … and in its very place.
const IN_PLACE: Duration = Duration::from_secs(600);
/// Things that are remembered; the oldest go first.
const MOST: usize = 64;
/// A thing may have gone this many of its own lengths at once and each second,
/// and so many in all.
const REACH: (f32, f32, f32) = (0.5, 0.5, 3.0);
/// Sizes (square roots of areas) of one thing differ by less than this factor.
const SIZE: f32 = 1.6;
/// A thing that stood still is in its old place: by this overlap (IoU).
const SAME_PLACE: f32 = 0.3;
/// Who vanishes or turns up this close to the picture's edge goes out of view
/// or comes into it.
pub(crate) const EDGE: f32 = 0.02;

#[derive(Clone, Debug)]
struct Lost {
    class: String,
    bbox: BBox,
    seen: Mono,
    zones: Vec<Id>,
}

/// What was lost lately. Bounded by [`MOST`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Gone(VecDeque<Lost>);

/// Whether `track` was last seen where one goes out of view.
pub(crate) fn went_out(track: &Followed) -> bool {
    at_edge(&track.bbox, EDGE) || at_edge(&track.predicted, EDGE)
}

fn is_it(config: &Config, old: &Lost, new: &Followed) -> bool {
    if !config.akin(&old.class, &new.class) {
        return false;
    }
    let unseen = new.since.since(old.seen);
    if unseen <= IN_PLACE && old.bbox.iou(&new.first) >= SAME_PLACE {
        return true;
    }
    let (a, b) = (old.bbox.centre(), new.first.centre());
    let apart = ((a.x - b.x) * config.aspect).hypot(a.y - b.y);
    let long = (old.bbox.w * config.aspect).hypot(old.bbox.h);
    let reach = long * (REACH.0 + REACH.1 * unseen.as_secs_f32()).min(REACH.2);
    let size = (old.bbox.area() / new.first.area()).sqrt();
    unseen <= NEAR_BY && apart <= reach && (1.0 / SIZE..=SIZE).contains(&size)
}

fn lost(track: &Followed) -> Lost {
    Lost {
        class: track.class.clone(),
        bbox: track.bbox,
        seen: track.seen,
        zones: track.places.inside().map(|(id, _)| id.clone()).collect(),
    }
}

impl Gone {
    /// `track` was given up. What moved may well have gone, through a door
    /// perhaps; what stood would have been seen to go.
    pub fn keep(&mut self, config: &Config, track: &Followed) {
        if went_out(track) || track.still.since(config, track.seen).is_none() {
            return;
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(lost(track));
    }

    /// The zones that `new` was in when it was lost, if it is a thing that was
    /// lost: one that was given up, or one of `hidden`. Each is found once.
    pub fn find<'a>(
        &mut self,
        config: &Config,
        new: &Followed,
        hidden: impl Iterator<Item = &'a Followed>,
    ) -> Option<Vec<Id>> {
        self.0.retain(|old| new.since.since(old.seen) <= IN_PLACE);
        // The last one first: it is the least far.
        if let Some(i) = self.0.iter().rposition(|old| is_it(config, old, new)) {
            return self.0.remove(i).map(|old| old.zones);
        }
        (hidden.filter(|old| !went_out(old)).map(lost))
            .find(|old| is_it(config, old, new))
            .map(|old| old.zones)
    }
}
