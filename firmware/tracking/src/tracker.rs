use std::time::Duration;

use scene::{BBox, Detection, Id, Mono, Passage, Track, TrackEvent, TrackId, Zone};

use crate::Config;
use crate::associate::{associate, sensible};
use crate::follow::Followed;
use crate::gone::{EDGE, Gone};
use crate::near::{Person, near};
use crate::path::at_edge;
use crate::zones::{First, Move, go};

/// Tracking warms up for at least so many looks.
const WARM_LOOKS: u32 = 4;

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
    gone: Gone,
    next: u64,
    first: Option<Mono>,
    /// The last of the first looks.
    warm: Mono,
    looks: u32,
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
            gone: Gone::default(),
            next: 1,
            first: None,
            warm: Mono::ZERO,
            looks: 0,
            last: None,
            dropped: 0,
        }
    }

    /// Tells the width of the picture by its height, from the frame that is
    /// looked at. One that can't be is ignored.
    pub fn set_aspect(&mut self, aspect: f32) {
        if !(0.05..=20.0).contains(&aspect) || aspect == self.config.aspect {
            return;
        }
        let by = aspect / self.config.aspect;
        self.config.aspect = aspect;
        for track in &mut self.tracks {
            track.still.rescale(by);
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
        self.first.get_or_insert(at);
        self.looks = self.looks.saturating_add(1);
        if self.looks <= WARM_LOOKS {
            self.warm = at;
        }
        for track in &mut self.tracks {
            track.predict(at);
        }
        let seen = sensible(&self.config, detections);
        let pairs = associate(&self.config, &self.tracks, &seen, at);

        let mut update = Update::default();
        for t in 0..self.tracks.len() {
            match pairs.iter().find(|(pt, _)| *pt == t) {
                Some((_, d)) => self.see(t, seen[*d], at, zones, &mut update),
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
                self.begin(detection, at, zones, &mut update);
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
        update: &mut Update,
    ) {
        let was_believed = self.tracks[t].believed;
        self.tracks[t].see(detection, at, &self.config);
        if self.tracks[t].believed {
            self.announce(t, at, zones, !was_believed, update);
        }
    }

    /// Tells what a believed track did; `new`: it has just become one.
    fn announce(&mut self, t: usize, at: Mono, zones: &[Zone], new: bool, update: &mut Update) {
        let before = match new {
            true => self.gone.find(
                &self.config,
                &self.tracks[t],
                (self.tracks.iter().enumerate())
                    .filter(|(i, old)| *i != t && old.believed && !old.is_seen())
                    .map(|(_, old)| old),
            ),
            false => None,
        };
        // There from the start, unless it came over the picture's edge since.
        let start = self.first.unwrap_or(at);
        let mine = &self.tracks[t];
        let early = mine.since <= self.warm || mine.since.since(start) < self.config.warm_up;
        let warming = early && !(mine.since > start && at_edge(&mine.first, EDGE));
        let known = |zone: &Id| warming || before.as_ref().is_some_and(|b| b.contains(zone));
        let track = &mut self.tracks[t];
        let bbox = track.bbox;
        let still = track.still.since(&self.config, at);
        let still = still.map_or(Duration::ZERO, |since| at.since(since));
        let (ways, turned) = track.path.judge(&self.config, still);
        let first: Option<First> = new.then_some((track.since, &known));
        let mut moves: Vec<Move> = Vec::new();
        if new {
            moves.push((Passage::Appear, None));
        }
        moves.extend((track.places).seen(&self.config, &bbox, zones, at, first, &track.path));
        moves.extend(ways.headings().map(|h| (go(h, None), None)));
        if let Some(to) = turned {
            let within = track.places.inside().map(|(id, _)| Some(id.clone()));
            let turn = |zone| (Passage::Turn { to, zone }, None);
            moves.extend([None].into_iter().chain(within).map(turn));
        }
        if moves.is_empty() {
            return;
        }
        let now = track.track(&self.config);
        update.events.extend(moves.into_iter().map(|(what, how)| {
            let mut track = now.clone();
            track.movement = how.unwrap_or(track.movement);
            TrackEvent { track, what, at }
        }));
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
        let gone = &mut self.gone;
        self.tracks.retain(|t| {
            if !t.gone(config, at) {
                return true;
            }
            if t.believed {
                gone.keep(config, t);
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

    fn begin(&mut self, seen: &Detection, at: Mono, zones: &[Zone], update: &mut Update) {
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
            self.announce(t, at, zones, true, update);
        }
    }

    /// Who is near what.
    fn keep_company(&mut self, at: Mono) {
        // Doubtful persons count too: they can only delay an alarm.
        let persons: Vec<Person> = (self.tracks.iter())
            .filter(|t| self.config.is_person(&t.class))
            .map(|t| {
                let way = t.path.movement(&self.config);
                let seconds = way.over.as_secs_f32();
                Person {
                    id: t.id,
                    bbox: t.predicted,
                    walks: way.length() > self.config.walks * t.bbox.h * seconds,
                }
            })
            .collect();
        for track in &mut self.tracks {
            if self.config.is_person(&track.class) {
                continue;
            }
            let by: Vec<Person> = (persons.iter().copied())
                .filter(|person| near(&self.config, &person.bbox, &track.bbox))
                .collect();
            track.company.update(&self.config, at, &by);
        }
    }
}
