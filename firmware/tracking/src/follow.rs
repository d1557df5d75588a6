//! One thing that is followed.

use scene::{BBox, Detection, Mono, Track, TrackId};

use crate::Config;
use crate::near::Company;
use crate::still::Still;
use crate::zones::Places;

/// Time constant of the learned velocity, seconds.
const VELOCITY: f32 = 0.5;
/// Time constant with which velocity is forgotten while the thing is unseen,
/// seconds: nobody walks straight on for long.
const COAST: f32 = 1.0;

#[derive(Clone, Debug)]
pub(crate) struct Followed {
    pub id: TrackId,
    /// The class with the most score so far among akin ones.
    pub class: String,
    votes: Vec<(String, f32)>,
    pub score: f32,
    /// Where it was last seen.
    pub bbox: BBox,
    /// Where it should be now.
    pub predicted: BBox,
    /// Of the centre, in widths and heights of the picture a second.
    velocity: (f32, f32),
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
}

impl Followed {
    pub fn new(id: TrackId, seen: &Detection, at: Mono, config: &Config) -> Self {
        Self {
            id,
            class: seen.class.clone(),
            votes: vec![(seen.class.clone(), seen.score)],
            score: seen.score,
            bbox: seen.bbox,
            predicted: seen.bbox,
            velocity: (0.0, 0.0),
            since: at,
            seen: at,
            hits: 1,
            believed: config.hits <= 1,
            missed: 0,
            uncovered: 0.0,
            still: Still::new(&seen.bbox, at, config.aspect),
            company: Company::default(),
            places: Places::default(),
        }
    }

    /// Where it should be at `at`: constant velocity, damped.
    pub fn predict(&mut self, at: Mono) {
        let dt = at.since(self.seen).as_secs_f32();
        // The integral of exp(-t / COAST).
        let run = COAST * (1.0 - (-dt / COAST).exp());
        self.predicted = BBox {
            x: self.bbox.x + self.velocity.0 * run,
            y: self.bbox.y + self.velocity.1 * run,
            ..self.bbox
        };
    }

    /// It was seen again.
    pub fn see(&mut self, seen: &Detection, at: Mono, config: &Config) {
        let dt = at.since(self.seen).as_secs_f32();
        if dt > 0.0 {
            let (a, b) = (self.bbox.centre(), seen.bbox.centre());
            let gain = 1.0 - (-dt / VELOCITY).exp();
            self.velocity.0 += gain * ((b.x - a.x) / dt - self.velocity.0);
            self.velocity.1 += gain * ((b.y - a.y) / dt - self.velocity.1);
        }
        self.still.seen(config, &seen.bbox, at, dt);
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
        let lost = match stood && !config.is_person(&self.class) {
            true => config.lost_still,
            false => config.lost,
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
            zones: self.places.inside(),
            zones_since: Vec::new(),
            movement: scene::Movement::NONE,
        }
    }
}
