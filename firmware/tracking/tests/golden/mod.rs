//! Golden trajectories: scenes with a stated truth (`tests/data/*.json`), a
//! detector simulated over them, and how far a tracker is from the truth.
//!
//! The detector is off by noise, misses things, sees weakly what is half
//! covered and not at all what is covered. All of it is reckoned from the time,
//! the actor and a seed: the same everywhere.

// Each user of this module uses a part of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::path::Path;

use scene::{BBox, Detection, Heading, Id, Mono, Passage, Point, Polygon, Track, Zone};
use serde::Deserialize;
use tracking::{Config, Tracker};

/// A scene with its truth.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// What it is about.
    pub about: String,
    seconds: f64,
    /// Looks a second it is played at.
    #[serde(default = "usual_rates")]
    pub rates: Vec<f64>,
    /// Boxes are off by up to this share of their size.
    #[serde(default = "usual_noise")]
    noise: f32,
    /// The share of things that a look misses; half of them are seen weakly.
    #[serde(default)]
    misses: f32,
    /// The whole picture is off by up to this share of its height.
    #[serde(default)]
    shake: f32,
    #[serde(default)]
    zones: BTreeMap<String, Polygon>,
    actors: Vec<Actor>,
    /// What happens: actor, deed, zone (or ""), second.
    #[serde(default)]
    events: Vec<(String, String, String, f64)>,
    /// The deeds that are judged.
    #[serde(default = "usual_deeds")]
    judge: Vec<String>,
    /// What no tracker here gets right: at so many looks a second, so many
    /// switches and so many wrong or missed events in five plays.
    #[serde(default)]
    allow: Vec<(f64, usize, usize)>,
    /// How far from its second an event may be told, beside two looks.
    #[serde(default = "usual_tolerance")]
    within: f64,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Actor {
    name: String,
    class: String,
    /// Width and height in shares of the picture's.
    size: (f32, f32),
    /// Second, foot x, foot y and optionally a scale; straight between. It is
    /// there from the first to the last.
    path: Vec<Vec<f64>>,
    /// From, to: the detector does not see it.
    #[serde(default)]
    hidden: Vec<(f64, f64)>,
    /// The same again: every so many seconds, so many times.
    #[serde(default)]
    again: Option<(f64, usize)>,
}

fn usual_rates() -> Vec<f64> {
    vec![1.0, 2.0, 5.0, 10.0]
}
fn usual_noise() -> f32 {
    0.04
}
fn usual_deeds() -> Vec<String> {
    vec!["enter".into(), "exit".into()]
}
fn usual_tolerance() -> f64 {
    1.5
}

/// How long a thing must be still and alone here to count as left behind.
const LEFT_SECONDS: f64 = 10.0;

/// How far from the truth; sums add up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Times that an actor went on under another number.
    pub switches: usize,
    /// Numbers given beyond one an actor.
    pub extra: usize,
    /// Sum over looks of |things followed - things there|.
    pub miscounted: usize,
    /// Looks.
    pub looks: usize,
    /// Events in truth.
    pub events: usize,
    /// Events told that did not happen, or not then.
    pub wrong: usize,
    /// Events that were not told.
    pub missed: usize,
    /// The wrong and missed ones in words.
    pub notes: Vec<String>,
}

impl Score {
    /// Mean error of the number of things.
    pub fn count_error(&self) -> f64 {
        self.miscounted as f64 / self.looks.max(1) as f64
    }

    pub fn add(&mut self, other: &Score) {
        self.switches += other.switches;
        self.extra += other.extra;
        self.miscounted += other.miscounted;
        self.looks += other.looks;
        self.events += other.events;
        self.wrong += other.wrong;
        self.missed += other.missed;
        self.notes.extend(other.notes.iter().cloned());
    }
}

/// Deterministic noise in -1..1 (SplitMix64).
fn noise(seed: u64) -> f32 {
    let mut x = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    ((x >> 40) as f32 / (1u64 << 23) as f32) - 1.0
}

impl Actor {
    /// Its true box at `t`, as far as it is in the picture.
    fn at(&self, t: f64) -> Option<BBox> {
        let after = self.path.iter().position(|p| p[0] >= t)?;
        let (a, b) = (&self.path[after.saturating_sub(1)], &self.path[after]);
        if t < self.path[0][0] {
            return None;
        }
        let share = if b[0] > a[0] {
            (t - a[0]) / (b[0] - a[0])
        } else {
            1.0
        };
        let mix = |a: f64, b: f64| (a + share * (b - a)) as f32;
        let scale = |p: &Vec<f64>| p.get(3).copied().unwrap_or(1.0);
        let (x, y, s) = (mix(a[1], b[1]), mix(a[2], b[2]), mix(scale(a), scale(b)));
        let (w, h) = (self.size.0 * s, self.size.1 * s);
        let whole = BBox {
            x: x - w / 2.0,
            y: y - h,
            w,
            h,
        };
        let seen = whole.clamped();
        // Half of it must be in view to be there.
        (seen.area() >= 0.5 * whole.area()).then_some(seen)
    }
}

/// The share of `thing` under `cover`.
fn covered(thing: &BBox, cover: &BBox) -> f32 {
    let w = (thing.x + thing.w).min(cover.x + cover.w) - thing.x.max(cover.x);
    let h = (thing.y + thing.h).min(cover.y + cover.h) - thing.y.max(cover.y);
    w.max(0.0) * h.max(0.0) / thing.area()
}

impl Scene {
    /// Reads all scenes of `tests/data`, by name.
    pub fn all() -> BTreeMap<String, Scene> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let mut out = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).expect("tests/data is there") {
            let path = entry.expect("a readable folder").path();
            let text = std::fs::read_to_string(&path).expect("a readable file");
            let scene: Scene = serde_json::from_str(&text)
                .unwrap_or_else(|e| panic!("{} is no scene: {e}", path.display()));
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            out.insert(name, scene.unrolled());
        }
        assert!(!out.is_empty(), "no scenes in {}", folder.display());
        out
    }

    /// A minute of eight people who come over one edge of the picture and leave
    /// over another by way of one or two places, near and far: nothing was
    /// tuned on these.
    pub fn at_random(seed: u64) -> Scene {
        let draw = |k: u64, low: f64, high: f64| {
            let n = f64::from(noise(seed.wrapping_mul(7919).wrapping_add(k) ^ 0x5EED));
            low + (n + 1.0) / 2.0 * (high - low)
        };
        let actor = |i: u64| {
            let k = |n: u64| i * 97 + n;
            // Who stands lower is nearer, and so taller.
            let place = |x: f64, y: f64| vec![x, y, 0.3 + 0.9 * (y - 0.4) / 0.6];
            let side = |n: u64| f64::from(draw(k(n), 0.0, 1.0) > 0.5);
            let mut stops = vec![place(side(1), draw(k(2), 0.5, 1.0))];
            for n in 0..1 + (draw(k(3), 0.0, 2.0) as u64) {
                stops.push(place(
                    draw(k(10 + n), 0.15, 0.85),
                    draw(k(20 + n), 0.5, 1.0),
                ));
            }
            stops.push(place(side(4), draw(k(5), 0.5, 1.0)));
            // At 0.6 to 1.4 own heights a second.
            let pace = draw(k(6), 0.6, 1.4);
            let mut t = draw(k(7), 0.0, 40.0);
            let mut path = vec![[vec![t], stops[0].clone()].concat()];
            for pair in stops.windows(2) {
                let way = ((pair[1][0] - pair[0][0]) * 16.0 / 9.0).hypot(pair[1][1] - pair[0][1]);
                t += way / (pace * 0.4 * (pair[0][2] + pair[1][2]) / 2.0);
                path.push([vec![t], pair[1].clone()].concat());
                t += draw(k(8), -2.0, 6.0).max(0.0);
                path.push([vec![t], pair[1].clone()].concat());
            }
            path.pop();
            Actor {
                name: format!("p{i}"),
                class: "person".into(),
                size: (0.08, 0.4),
                path,
                hidden: Vec::new(),
                again: None,
            }
        };
        Scene {
            about: "people at random".into(),
            seconds: 60.0,
            rates: usual_rates(),
            noise: usual_noise(),
            misses: 0.08,
            shake: 0.0,
            zones: BTreeMap::new(),
            actors: (0..8).map(actor).collect(),
            events: Vec::new(),
            judge: Vec::new(),
            allow: Vec::new(),
            within: usual_tolerance(),
        }
    }

    /// Switches and wrong or missed events that are allowed at `rate`.
    pub fn allowed(&self, rate: f64) -> (usize, usize) {
        let own = self.allow.iter().find(|(at, _, _)| *at == rate);
        own.map_or((0, 0), |(_, switches, events)| (*switches, *events))
    }

    /// Plays the scene with so many detectors' noise.
    pub fn judge_all(&self, config: &Config, rate: f64, seeds: u64) -> Score {
        let mut sum = Score::default();
        for seed in 0..seeds {
            sum.add(&self.judge(config, rate, seed));
        }
        sum
    }

    /// Repeated actors and their events, one by one.
    fn unrolled(mut self) -> Self {
        for actor in self.actors.clone() {
            let Some((every, times)) = actor.again else {
                continue;
            };
            for k in 1..times {
                let later = every * k as f64;
                let name = format!("{}-{k}", actor.name);
                for (_, deed, zone, at) in self.events.clone().iter().filter(|e| e.0 == actor.name)
                {
                    let event = (name.clone(), deed.clone(), zone.clone(), at + later);
                    self.events.push(event);
                }
                let mut next = actor.clone();
                next.name = name;
                next.path.iter_mut().for_each(|p| p[0] += later);
                next.hidden
                    .iter_mut()
                    .for_each(|h| *h = (h.0 + later, h.1 + later));
                self.actors.push(next);
            }
        }
        self
    }

    pub fn zones(&self) -> Vec<Zone> {
        let zones = self.zones.iter().map(|(name, polygon)| Zone {
            name: Id::new(name).expect("a zone's name"),
            polygon: polygon.clone(),
        });
        zones.collect()
    }

    /// Who is there at `t`, with true boxes.
    fn there(&self, t: f64) -> Vec<(usize, BBox)> {
        let all = self.actors.iter().enumerate();
        all.filter_map(|(i, a)| Some((i, a.at(t)?))).collect()
    }

    /// What the detector sees at `t`.
    pub fn detections(&self, t: f64, seed: u64) -> Vec<Detection> {
        let there = self.there(t);
        let look = (t * 1000.0).round() as u64;
        let salt = seed.wrapping_mul(0x1234_5678_9ABC_DEF1) ^ look.wrapping_mul(1_000_003);
        let shake = (
            noise(salt ^ 0xAAAA) * self.shake,
            noise(salt ^ 0xBBBB) * self.shake,
        );
        let mut out = Vec::new();
        for &(i, true_box) in &there {
            let actor = &self.actors[i];
            let n = |k: u64| noise(salt ^ (i as u64 * 64 + k).wrapping_mul(0x2545_F491_4F6C_DD1D));
            if actor
                .hidden
                .iter()
                .any(|(from, to)| (*from..*to).contains(&t))
            {
                continue;
            }
            // Who stands lower in the picture stands before it.
            let cover = (there.iter())
                .filter(|(j, b)| *j != i && b.y + b.h > true_box.y + true_box.h)
                .map(|(_, b)| covered(&true_box, b))
                .fold(0.0, f32::max);
            let missed = (n(9) + 1.0) / 2.0 < self.misses;
            if cover >= 0.7 || missed && n(10) < 0.0 {
                continue;
            }
            let score = if cover >= 0.45 || missed { 0.3 } else { 0.85 };
            let mut bbox = true_box;
            bbox.x += true_box.w * self.noise * n(1) + shake.0 * 9.0 / 16.0;
            bbox.y += true_box.h * self.noise * n(2) + shake.1;
            bbox.w *= 1.0 + self.noise * n(3);
            bbox.h *= 1.0 + self.noise * n(4);
            out.push(Detection {
                class: actor.class.clone(),
                score: score + 0.1 * n(5),
                bbox: bbox.clamped(),
            });
        }
        out
    }

    /// Plays the scene at `rate` looks a second and judges.
    pub fn judge(&self, config: &Config, rate: f64, seed: u64) -> Score {
        let mut tracker = Tracker::new(config.clone());
        let zones = self.zones();
        let start = 1000.0;
        let mut score = Score::default();
        let mut name_of: BTreeMap<usize, u64> = BTreeMap::new();
        let mut ids = std::collections::BTreeSet::new();
        let mut left = std::collections::BTreeSet::new();
        let mut told: Vec<(f64, String, String, Option<usize>)> = Vec::new();
        for i in 0..=(self.seconds * rate).round() as u64 {
            let t = i as f64 / rate;
            let now = Mono::from_secs_f64(start + t);
            let update = tracker.update(now, &self.detections(t, seed), &zones);
            let there = self.there(t);
            score.looks += 1;
            score.miscounted += update.tracks.len().abs_diff(there.len());
            ids.extend(update.tracks.iter().map(|t| t.id.0));

            // As in CLEAR MOT (Bernardin and Stiefelhagen 2008): who was
            // matched stays so while the boxes overlap, the rest by overlap.
            let seen: Vec<&Track> = update.tracks.iter().filter(|t| t.seen == now).collect();
            let mut pairs: Vec<(bool, f32, usize, u64)> = Vec::new();
            for &(a, b) in &there {
                for track in &seen {
                    let iou = track.bbox.iou(&b);
                    if iou >= 0.3 && track.class == self.actors[a].class {
                        pairs.push((name_of.get(&a) == Some(&track.id.0), iou, a, track.id.0));
                    }
                }
            }
            pairs.sort_by(|p, q| (q.0.cmp(&p.0)).then(q.1.total_cmp(&p.1)));
            let mut matched: BTreeMap<usize, u64> = BTreeMap::new();
            for (_, _, a, id) in pairs {
                if !matched.contains_key(&a) && !matched.values().any(|v| *v == id) {
                    matched.insert(a, id);
                }
            }
            for (a, id) in &matched {
                let before = name_of.insert(*a, *id);
                score.switches += usize::from(before.is_some_and(|b| b != *id));
            }

            let nearest = |track: &Track| {
                let c = track.bbox.centre();
                let of_class = |a: &usize| self.actors[*a].class == track.class;
                let apart = |b: &BBox| {
                    let o: Point = b.centre();
                    (o.x - c.x).hypot(o.y - c.y)
                };
                // Where it was when last seen, for one that is gone.
                let then = self.there(track.seen.as_secs_f64() - start);
                let mine = then.into_iter().filter(|(a, _)| of_class(a));
                mine.min_by(|p, q| apart(&p.1).total_cmp(&apart(&q.1)))
                    .map(|(a, _)| a)
            };
            for event in &update.events {
                let (deed, zone) = words(&event.what);
                told.push((t, deed.to_string(), zone, nearest(&event.track)));
            }
            for track in &update.tracks {
                let alone = track
                    .still_since
                    .zip(track.alone_since)
                    .map(|(a, b)| a.max(b));
                let long = alone.is_some_and(|s| now.since(s).as_secs_f64() >= LEFT_SECONDS);
                if long && left.insert(track.id) {
                    told.push((t, "abandoned".into(), String::new(), nearest(track)));
                } else if !long && left.remove(&track.id) {
                    told.push((t, "attended".into(), String::new(), nearest(track)));
                }
            }
        }
        score.extra = ids.len().saturating_sub(self.actors.len());
        told.retain(|e| self.judge.contains(&e.1));
        for (actor, deed, zone, at) in &self.events {
            score.events += 1;
            // One look to be seen, one to be believed.
            let within = self.within + 2.0 / rate;
            let hit = told.iter().position(|(t, d, z, a)| {
                let by = a.is_none_or(|a| self.actors[a].name == *actor);
                d == deed && z == zone && by && (t - at).abs() <= within
            });
            match hit {
                Some(i) => drop(told.remove(i)),
                None => {
                    score.missed += 1;
                    score
                        .notes
                        .push(format!("missed: {actor} {deed} {zone} at {at} s"));
                }
            }
        }
        score.wrong = told.len();
        for (t, deed, zone, a) in told {
            let who = a.map_or("nobody", |a| &self.actors[a].name);
            score
                .notes
                .push(format!("wrong: {who} {deed} {zone} at {t:.1} s"));
        }
        score
    }
}

/// A passage as the scenes write it: deed and zone.
fn words(what: &Passage) -> (&'static str, String) {
    let way = |heading: &Heading| match heading {
        Heading::Left => "left",
        Heading::Right => "right",
        Heading::Up => "up",
        Heading::Down => "down",
        Heading::Toward => "toward",
        Heading::Away => "away",
    };
    let named = |zone: &Option<Id>| zone.as_ref().map_or(String::new(), |z| z.to_string());
    match what {
        Passage::Appear => ("appear", String::new()),
        Passage::Disappear => ("disappear", String::new()),
        Passage::Enter(z) => ("enter", z.to_string()),
        Passage::Exit(z) => ("exit", z.to_string()),
        Passage::Cross(z) => ("cross", z.to_string()),
        Passage::Approach(z) => ("approach", z.to_string()),
        Passage::Retreat(z) => ("retreat", z.to_string()),
        Passage::Go { heading, zone } => (way(heading), named(zone)),
        Passage::Turn { to, zone } => match to {
            Heading::Left => ("turn left", named(zone)),
            _ => ("turn right", named(zone)),
        },
    }
}
