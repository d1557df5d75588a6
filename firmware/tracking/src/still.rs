//! Whether a thing stays where it is.

use scene::{BBox, Mono};

use crate::Config;

/// Time constant of the smoothed position, seconds.
const SMOOTH: f32 = 0.5;

/// Where a thing stays and since when.
#[derive(Clone, Debug)]
pub(crate) struct Still {
    /// Smoothed centre, in picture heights.
    at: (f32, f32),
    /// Where it stays, in picture heights.
    anchor: (f32, f32),
    /// Sightings that the anchor is the mean of.
    weight: f32,
    since: Mono,
    /// Since when it has been away from the anchor.
    away: Option<Mono>,
}

fn centre(bbox: &BBox, aspect: f32) -> (f32, f32) {
    let c = bbox.centre();
    (c.x * aspect, c.y)
}

impl Still {
    pub fn new(bbox: &BBox, at: Mono, aspect: f32) -> Self {
        let c = centre(bbox, aspect);
        Self {
            at: c,
            anchor: c,
            weight: 1.0,
            since: at,
            away: None,
        }
    }

    /// The thing was seen `dt` seconds after it was last seen.
    pub fn seen(&mut self, config: &Config, bbox: &BBox, now: Mono, dt: f32) {
        let c = centre(bbox, config.aspect);
        let gain = 1.0 - (-dt / SMOOTH).exp();
        self.at.0 += gain * (c.0 - self.at.0);
        self.at.1 += gain * (c.1 - self.at.1);
        let size = (bbox.w * config.aspect * bbox.h).sqrt();
        let moved = (self.at.0 - self.anchor.0).hypot(self.at.1 - self.anchor.1);
        if moved <= size * config.still_share {
            self.away = None;
            // One sighting is off by jitter; the mean of the first ones less.
            if now.since(self.since) <= config.still {
                self.weight += 1.0;
                self.anchor.0 += (c.0 - self.anchor.0) / self.weight;
                self.anchor.1 += (c.1 - self.anchor.1) / self.weight;
            }
            return;
        }
        let away = *self.away.get_or_insert(now);
        // One strange box is jitter; two looks and some time are a move.
        if now > away && now.since(away) >= config.jitter {
            self.anchor = self.at;
            self.weight = 1.0;
            self.since = now;
            self.away = None;
        }
    }

    /// The picture's width by its height turned out to be `by` times what it
    /// was taken for.
    pub fn rescale(&mut self, by: f32) {
        self.at.0 *= by;
        self.anchor.0 *= by;
    }

    /// Since when it has not moved; `None` while it moves.
    pub fn since(&self, config: &Config, now: Mono) -> Option<Mono> {
        (now.since(self.since) >= config.still).then_some(self.since)
    }
}
