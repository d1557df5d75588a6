//! One thing that is followed.

use scene::{BBox, Detection, Mono, Track, TrackId};

use crate::Config;
use crate::gone::went_out;
use crate::motion::Mover;
use crate::near::Company;
use crate::path::Path;
use crate::still::Still;
use crate::zones::Places;

#[derive(Clone, Debug)]
pub(crate) struct Followed {
    pub id: TrackId,
    /// The class with the most score so far among akin ones.
    pub class: String,
    votes: Vec<(String, f32)>,
    pub score: f32,
    /// Where it was first seen.
    pub first: BBox,
    /// Where it was last seen.
    pub bbox: BBox,
    /// Where it should be now.
    pub predicted: BBox,
    mover: Mover,
    pub since: Mono,
    pub seen: Mono,
    hits: u32,
    pub believed: bool,
    /// Looks since it was last seen.
    missed: u32,
    /// Seconds unseen that nothing covered.
    uncovered: f32,
    pub still: Still,
    pub company: Company,
    pub places: Places,
    pub path: Path,
}

impl Followed {
    pub fn new(id: TrackId, seen: &Detection, at: Mono, config: &Config) -> Self {
        Self {
            id,
            class: seen.class.clone(),
            votes: vec![(seen.class.clone(), seen.score)],
            score: seen.score,
            first: seen.bbox,
            bbox: seen.bbox,
            predicted: seen.bbox,
            mover: Mover::new(config.motion, &seen.bbox, at, config.aspect),
            since: at,
            seen: at,
            hits: 1,
            believed: config.hits <= 1,
            missed: 0,
            uncovered: 0.0,
            still: Still::new(&seen.bbox, at, config.aspect),
            company: Company::default(),
            places: Places::default(),
            path: Path::new(&seen.bbox, at),
        }
    }

    /// Reckons where it should be at `at`.
    pub fn predict(&mut self, at: Mono) {
        self.predicted = self.mover.predict(at);
    }

    /// It was seen again.
    pub fn see(&mut self, seen: &Detection, at: Mono, config: &Config) {
        let dt = at.since(self.seen).as_secs_f32();
        self.mover.see(&seen.bbox, at, config.aspect);
        self.still.seen(config, &seen.bbox, at, dt);
        self.path.see(&seen.bbox, at);
        self.bbox = seen.bbox;
        self.predicted = seen.bbox;
        self.score = seen.score;
        self.seen = at;
        self.hits = self.hits.saturating_add(1);
        self.missed = 0;
        self.uncovered = 0.0;
        // Akin classes only come from one group, so this stays short.
        match self.votes.iter_mut().find(|(c, _)| *c == seen.class) {
            Some((_, sum)) => *sum += seen.score,
            None => self.votes.push((seen.class.clone(), seen.score)),
        }
        let best = self.votes.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((class, _)) = best {
            self.class.clone_from(class);
        }
        self.believed |= self.hits >= config.hits;
    }

    /// It was not seen in a look `dt` seconds after the one before.
    pub fn miss(&mut self, covered: bool, dt: f32) {
        self.missed = self.missed.saturating_add(1);
        if !covered {
            self.uncovered += dt;
        }
    }

    /// Whether it is to be given up.
    pub fn gone(&self, config: &Config, at: Mono) -> bool {
        if self.missed == 0 {
            return false;
        }
        let unseen = at.since(self.seen);
        if !self.believed {
            // At slow rates one look may lie further back than that.
            return unseen >= config.doubt && self.missed >= 2 || self.missed >= 3;
        }
        let stood = self.still.since(config, self.seen).is_some();
        let lost = if stood && !config.is_person(&self.class) {
            config.lost_still
        } else if went_out(self) {
            config.lost
        } else {
            config.lost_inside
        };
        self.missed >= 2 && (self.uncovered >= lost.as_secs_f32() || unseen >= config.hidden)
    }

    pub fn is_seen(&self) -> bool {
        self.missed == 0
    }

    /// As the rest of the camera sees it.
    pub fn track(&self, config: &Config) -> Track {
        let person = config.is_person(&self.class);
        Track {
            id: self.id,
            class: self.class.clone(),
            score: self.score,
            bbox: self.bbox,
            since: self.since,
            seen: self.seen,
            still_since: self.still.since(config, self.seen),
            alone_since: self.company.alone().filter(|_| !person),
            zones: self.places.inside().map(|(id, _)| id.clone()).collect(),
            zones_since: self.places.inside().map(|(_, since)| since).collect(),
            movement: self.path.movement(config),
        }
    }
}
