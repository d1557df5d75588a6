//! The gate on the labelled set of changes that `tests/render` draws, and the
//! plain difference to the frame before as a baseline.

#![allow(dead_code)]

use render::changes::{Kind, Label, Rect, Sequence};
use scene::{BBox, Frame};
use vision::gate::{Config, Difference, Noise, Plane};

/// The set's pictures.
pub const SIZE: (u32, u32) = (640, 360);

/// Looks that are asked anyway before answers are given again, here as there.
const WARM_UP: usize = 3;

/// What one look at one part of the picture came to.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Seconds.
    pub t: f32,
    /// The gate opened: it found a change.
    pub opened: bool,
    /// The model was asked: for a change, or since the answer was too old.
    pub asked: bool,
    /// A baseline's score: mean difference to the frame before, levels.
    pub before: f32,
    /// Another one's: the same of the block of 8 x 8 cells that differs most.
    pub block: f32,
}

/// A part of a sequence and what the gate made of it.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    pub looks: Vec<Look>,
}

/// A sequence, watched whole and in its zones.
pub struct Case {
    pub kind: Kind,
    pub seed: u64,
    /// From when and until when a change must be noticed, seconds.
    pub due: Option<(f32, f32)>,
    pub contrast: Option<f32>,
    pub whole: Watched,
    /// A zone that holds the change.
    pub with: Option<Watched>,
    /// A zone that it does not touch.
    pub without: Option<Watched>,
}

fn bbox([x0, y0, x1, y1]: Rect) -> BBox {
    BBox {
        x: x0,
        y: y0,
        w: x1 - x0,
        h: y1 - y0,
    }
}

/// One question's part of the picture, as the gate before a model keeps it.
struct Part {
    part: BBox,
    watched: Watched,
    reference: Option<(f32, Plane)>,
}

impl Part {
    fn look(&mut self, t: f32, now: &Plane, last: Option<&Plane>, noise: Option<&Noise>) {
        let config = Config::default();
        let (Some(last), Some(noise)) = (last, noise) else {
            self.reference = Some((t, now.clone()));
            return;
        };
        let (opened, old) = match &self.reference {
            Some((at, then)) => {
                let difference = Difference::between(then, now, noise, &config.sensitivity);
                let changed = difference.is_none_or(|d| d.changed(self.part));
                (changed, t - at > config.max_age.as_secs_f32())
            }
            None => (false, true),
        };
        if opened || old {
            self.reference = Some((t, now.clone()));
        }
        self.watched.looks.push(Look {
            t,
            opened,
            asked: opened || old,
            before: mean_difference(last, now, self.part),
            block: largest_block(last, now, self.part),
        });
    }
}

/// Whether the middle of cell `at` lies in `part`.
fn inside((columns, rows): (usize, usize), at: usize, part: BBox) -> bool {
    let x = ((at % columns) as f32 + 0.5) / columns as f32;
    let y = ((at / columns) as f32 + 0.5) / rows as f32;
    let within = |at: f32, low: f32, size: f32| at >= low && at <= low + size;
    within(x, part.x, part.w) && within(y, part.y, part.h)
}

fn mean_difference(last: &Plane, now: &Plane, part: BBox) -> f32 {
    let (mut sum, mut count) = (0.0, 0u32);
    for (at, (a, b)) in last.luma().iter().zip(now.luma()).enumerate() {
        if inside(now.size(), at, part) {
            sum += (a - b).abs();
            count += 1;
        }
    }
    sum / count.max(1) as f32
}

fn largest_block(last: &Plane, now: &Plane, part: BBox) -> f32 {
    const SIDE: usize = 8;
    let (columns, _) = now.size();
    let wide = columns.div_ceil(SIDE);
    let mut blocks: Vec<(f32, u32)> = Vec::new();
    for (at, (a, b)) in last.luma().iter().zip(now.luma()).enumerate() {
        if !inside(now.size(), at, part) {
            continue;
        }
        let block = at / columns / SIDE * wide + at % columns / SIDE;
        if block >= blocks.len() {
            blocks.resize(block + 1, (0.0, 0));
        }
        blocks[block].0 += (a - b).abs();
        blocks[block].1 += 1;
    }
    // Less than half of a block is more noise than picture.
    let whole = blocks
        .iter()
        .filter(|(_, n)| *n as usize * 2 >= SIDE * SIDE);
    whole.map(|(sum, n)| sum / *n as f32).fold(0.0, f32::max)
}

impl Case {
    /// Watches frames `from..to` of a sequence, or all of them.
    pub fn watch(
        kind: Kind,
        seed: u64,
        frames: impl Fn(&Sequence) -> std::ops::Range<usize>,
    ) -> Self {
        let sequence = Sequence::new(kind, seed, SIZE.0, SIZE.1);
        let margin = Config::default().margin;
        let part = |rect: Option<Rect>| {
            rect.map(|rect| Part {
                part: bbox(rect).grown(margin),
                watched: Watched::default(),
                reference: None,
            })
        };
        let mut parts = [
            part(Some([0.0, 0.0, 1.0, 1.0])),
            part(sequence.zone_with()),
            part(sequence.zone_without()),
        ];
        let sensitivity = Config::default().sensitivity;
        let (mut noise, mut last): (Option<Noise>, Option<Plane>) = (None, None);
        for index in frames(&sequence) {
            let frame = Frame::still(sequence.frame(index), SIZE.0, SIZE.1).unwrap();
            let now = Plane::of(&frame);
            for part in parts.iter_mut().flatten() {
                part.look(sequence.time(index), &now, last.as_ref(), noise.as_ref());
            }
            match (&last, &mut noise) {
                (Some(last), Some(noise)) => noise.learn(last, &now, &sensitivity),
                (Some(last), none) => *none = Some(Noise::new(last, &now, sensitivity.band)),
                (None, _) => {}
            }
            last = Some(now);
        }
        let [whole, with, without] = parts.map(|part| {
            part.map(|part| {
                let looks = part.watched.looks.into_iter().skip(WARM_UP).collect();
                Watched { looks }
            })
        });
        let due = sequence.change.map(|change| match kind {
            Kind::Passing => (change.from, change.until),
            _ => (change.from, sequence.time(sequence.frames)),
        });
        Self {
            kind,
            seed,
            due,
            contrast: sequence.change.map(|change| change.contrast),
            whole: whole.unwrap_or_default(),
            with,
            without,
        }
    }

    /// Seconds from the change until `watched` was found changed by `opens`;
    /// `None` if it never was.
    pub fn delay(&self, watched: &Watched, opens: impl Fn(&Look) -> bool) -> Option<f32> {
        let (from, until) = self.due?;
        let hit = |look: &&Look| look.t >= from && look.t <= until && opens(look);
        watched.looks.iter().find(hit).map(|look| look.t - from)
    }

    /// Looks at which nothing had happened where one looked: the whole picture
    /// before a change, or all of a sequence without one.
    pub fn quiet(&self) -> impl Iterator<Item = &Look> {
        let label = self.kind.label();
        let from = self.due.map_or(f32::MAX, |(from, _)| from);
        (self.whole.looks.iter()).filter(move |l| label != Label::Elsewhere && l.t < from)
    }
}

/// Watches so many seeds of all kinds, on all cores.
pub fn watch_all(
    kinds: &[Kind],
    seeds: std::ops::Range<u64>,
    frames: impl Fn(&Sequence) -> std::ops::Range<usize> + Sync,
) -> Vec<Case> {
    let jobs: Vec<(Kind, u64)> = (kinds.iter())
        .flat_map(|kind| seeds.clone().map(|seed| (*kind, seed)))
        .collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get());
    let mut cases: Vec<(usize, Case)> = std::thread::scope(|scope| {
        let work = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some((kind, seed)) = jobs.get(at) else {
                    return done;
                };
                done.push((at, Case::watch(*kind, *seed, &frames)));
            }
        };
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        (threads.into_iter())
            .flat_map(|thread| thread.join().expect("a case can be watched"))
            .collect()
    });
    cases.sort_by_key(|(at, _)| *at);
    cases.into_iter().map(|(_, case)| case).collect()
}
