use scene::{BBox, Detection, Mono, Passage, Track, TrackEvent, TrackId, Zone};

use crate::Config;
use crate::associate::{associate, sensible};
use crate::follow::Followed;
use crate::near::near;
use crate::zones::Move;

/// What one look changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// All believed tracks, by number. One that is hidden has `seen` earlier
    /// than the look.
    pub tracks: Vec<Track>,
    /// What they did, by number.
    pub events: Vec<TrackEvent>,
}

/// Follows things over looks.
#[derive(Clone, Debug)]
pub struct Tracker {
    config: Config,
    /// By number.
    tracks: Vec<Followed>,
    next: u64,
    first: Option<Mono>,
    last: Option<Mono>,
    dropped: u64,
}

/// The share of `thing` that lies under `cover`, 0..1.
fn covered_share(thing: &BBox, cover: &BBox) -> f32 {
    let w = (thing.x + thing.w).min(cover.x + cover.w) - thing.x.max(cover.x);
    let h = (thing.y + thing.h).min(cover.y + cover.h) - thing.y.max(cover.y);
    w.max(0.0) * h.max(0.0) / thing.area().max(f32::MIN_POSITIVE)
}

impl Tracker {
    /// Nothing is followed yet.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            tracks: Vec::new(),
            next: 1,
            first: None,
            last: None,
            dropped: 0,
        }
    }

    /// Things that were not followed, or no longer, because there were too
    /// many at once.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A detector looked at a frame of time `at` and saw `detections` (none:
    /// it saw nothing; if no detector ran, don't call). A time before the last
    /// one counts as the last one.
    ///
    /// A thing in a zone from its first moment on counts as entering it, but
    /// not while tracking warms up, nor when a thing of its kind was just lost
    /// near by, since then it is more likely that one, which never left.
    pub fn update(&mut self, at: Mono, detections: &[Detection], zones: &[Zone]) -> Update {
        let last = self.last.unwrap_or(at);
        let at = at.max(last);
        let dt = at.since(last).as_secs_f32();
        self.last = Some(at);
        let first = *self.first.get_or_insert(at);
        for track in &mut self.tracks {
            track.predict(at);
        }
        let seen = sensible(&self.config, detections);
        let pairs = associate(&self.config, &self.tracks, &seen, dt);

        let mut update = Update::default();
        let warming = at.since(first) < self.config.warm_up;
        for t in 0..self.tracks.len() {
            match pairs.iter().find(|(pt, _)| *pt == t) {
                Some((_, d)) => self.see(t, seen[*d], at, zones, warming, &mut update),
                None => {
                    let covered = self.covered(t, &seen);
                    self.tracks[t].miss(covered, dt);
                }
            }
        }
        self.leave(at, &mut update);
        for (d, detection) in seen.iter().enumerate() {
            let taken = pairs.iter().any(|(_, pd)| *pd == d);
            if !taken && detection.score >= self.config.sure {
                self.begin(detection, at, zones, warming, &mut update);
            }
        }
        self.keep_company(at);

        update.events.sort_by_key(|e| e.track.id);
        let believed = self.tracks.iter().filter(|t| t.believed);
        update.tracks = believed.map(|t| t.track(&self.config)).collect();
        update
    }

    fn see(
        &mut self,
        t: usize,
        detection: &Detection,
        at: Mono,
        zones: &[Zone],
        warming: bool,
        update: &mut Update,
    ) {
        let was_believed = self.tracks[t].believed;
        self.tracks[t].see(detection, at, &self.config);
        if self.tracks[t].believed {
            self.announce(t, at, zones, warming, !was_believed, update);
        }
    }

    /// Tells what a believed track did; `new`: it has just become one.
    fn announce(
        &mut self,
        t: usize,
        at: Mono,
        zones: &[Zone],
        warming: bool,
        new: bool,
        update: &mut Update,
    ) {
        let entered = !(new && (warming || self.reborn(t)));
        let track = &mut self.tracks[t];
        let bbox = track.bbox;
        let moves = track.places.seen(&self.config, &bbox, zones, at);
        let mut tell = |track: &Followed, what| {
            update.events.push(TrackEvent {
                track: track.track(&self.config),
                what,
                at,
            });
        };
        if new {
            tell(track, Passage::Appear);
        }
        for step in moves {
            match step {
                Move::In(_) if !entered => {}
                Move::In(zone) => tell(track, Passage::Enter(zone)),
                Move::Out(zone) => tell(track, Passage::Exit(zone)),
            }
        }
    }

    /// Whether track `t` may be one that is hidden now and stands near by.
    fn reborn(&self, t: usize) -> bool {
        let new = &self.tracks[t];
        let c = new.bbox.centre();
        (self.tracks.iter()).any(|old| {
            let o = old.bbox.centre();
            let apart = ((c.x - o.x) * self.config.aspect).hypot(c.y - o.y);
            old.believed
                && old.id != new.id
                && !old.is_seen()
                && self.config.akin(&old.class, &new.class)
                && apart < 2.0 * old.bbox.h.max(new.bbox.h)
        })
    }

    /// Whether something stands before the place of track `t`.
    fn covered(&self, t: usize, seen: &[&Detection]) -> bool {
        let place = &self.tracks[t].predicted;
        (seen.iter()).any(|d| {
            // A thing of its own kind and size in its place is no cover.
            let other = !self.config.akin(&d.class, &self.tracks[t].class)
                || d.bbox.area() > 2.0 * place.area();
            other && covered_share(place, &d.bbox) >= 0.5
        })
    }

    /// Gives up what is gone.
    fn leave(&mut self, at: Mono, update: &mut Update) {
        let config = &self.config;
        self.tracks.retain(|t| {
            if !t.gone(config, at) {
                return true;
            }
            if t.believed {
                let track = t.track(config);
                let exits = track.zones.iter().cloned().map(Passage::Exit);
                for what in exits.chain([Passage::Disappear]) {
                    update.events.push(TrackEvent {
                        track: track.clone(),
                        what,
                        at,
                    });
                }
            }
            false
        });
    }

    fn begin(
        &mut self,
        seen: &Detection,
        at: Mono,
        zones: &[Zone],
        warming: bool,
        update: &mut Update,
    ) {
        if self.tracks.len() >= self.config.most {
            self.dropped += 1;
            match self.tracks.iter().position(|t| !t.believed) {
                Some(oldest) => drop(self.tracks.remove(oldest)),
                None => return,
            }
        }
        let id = TrackId(self.next);
        self.next += 1;
        self.tracks.push(Followed::new(id, seen, at, &self.config));
        let t = self.tracks.len() - 1;
        if self.tracks[t].believed {
            self.announce(t, at, zones, warming, true, update);
        }
    }

    /// Who is near what.
    fn keep_company(&mut self, at: Mono) {
        // Doubtful persons count too: they can only delay an alarm.
        let persons: Vec<(TrackId, BBox)> = (self.tracks.iter())
            .filter(|t| self.config.is_person(&t.class))
            .map(|t| (t.id, t.predicted))
            .collect();
        for track in &mut self.tracks {
            if self.config.is_person(&track.class) {
                continue;
            }
            let by: Vec<TrackId> = (persons.iter())
                .filter(|(_, person)| near(&self.config, person, &track.bbox))
                .map(|(id, _)| *id)
                .collect();
            track.company.update(&self.config, at, &by);
        }
    }
}
