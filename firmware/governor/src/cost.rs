//! What looks cost at each operating point: told before, learned while
//! running, kept over reboots.

use std::time::Duration;

use scene::{OperatingPoint, Source, Watts};
use serde::{Deserialize, Serialize};

use crate::config::Told;
use crate::kalman::Pair;

/// What a rule costs, as its echo says it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Seconds from check to check.
    pub check_every_seconds: f64,
    /// Energy of one check if it had the look to itself; rules that are due
    /// together share a look and cost less.
    pub joules_per_check: f64,
    /// The one by the other.
    pub watts: f64,
    /// Measured once looks have been measured.
    pub source: Source,
}

/// What was learned of one operating point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LearnedPoint {
    /// Which.
    pub point: OperatingPoint,
    /// What a look adds to the board's draw.
    pub step: Watts,
    /// Standard deviation of that, as a share of it.
    pub doubt: f64,
    /// By how much looks and questions take more time than told.
    pub time: [f64; 2],
    /// Looks that taught this.
    pub looks: u64,
}

/// Doubt, as a share, of what was told and not tried.
const TOLD_DOUBT: f64 = 0.2;
/// Share of what was told that the peak guard heeds, whatever was measured.
const HEEDED: f64 = 0.7;
/// What is believed of a step must not be further off than so many times.
const STEP_RANGE: f64 = 8.0;
/// A measured step falls no faster than this from reading to reading, since
/// a few may mislead and the guard is for the worst look. It rises at once.
const FALLS: f64 = 0.99;
/// Standard deviations that a look may take longer or shorter before it counts
/// as an outlier, and how many in a row are believed after all.
const OUTLIER: f64 = 4.0;
const INSIST: u32 = 4;
/// How much longer or shorter than expected looks are by content, as a share.
const CONTENT: f64 = 0.08;
/// Drift of times, variance a look.
const DRIFT: f64 = 2e-4;
/// Looks above which a modelled step counts as learned slowly.
const MEMORY: f64 = 20.0;

/// One operating point.
#[derive(Clone, Debug)]
struct Entry {
    told: Told,
    step: f64,
    doubt: f64,
    time: Pair,
    strange: u32,
    looks: u64,
    /// It turned out that nothing runs at it.
    excluded: bool,
}

impl Entry {
    fn new(told: Told) -> Self {
        Self {
            step: told.step.0.max(0.05),
            doubt: TOLD_DOUBT,
            time: Pair {
                x: [1.0, 1.0],
                p: [0.25, 0.0, 0.25],
            },
            strange: 0,
            looks: 0,
            excluded: false,
            told,
        }
    }

    fn shape(&self, questions: usize) -> [f64; 2] {
        [
            self.told.look.as_secs_f64(),
            self.told.question.as_secs_f64() * questions as f64,
        ]
    }
}

/// The table, and which point runs.
#[derive(Clone, Debug)]
pub(crate) struct Costs {
    entries: Vec<Entry>,
    current: usize,
    /// The current step when it was held against readings first.
    base: f64,
    source: Source,
}

impl Costs {
    /// The most accurate point first; among equals the one with the least
    /// joules a look.
    pub fn new(points: &[Told]) -> Self {
        let mut points: Vec<Told> = match points {
            [] => vec![Told::default()],
            points => points.to_vec(),
        };
        let joules = |t: &Told| t.step.0 * (t.look + t.question).as_secs_f64();
        points.sort_by(|a, b| {
            let first = b.accuracy.total_cmp(&a.accuracy);
            first.then(joules(a).total_cmp(&joules(b)))
        });
        let entries: Vec<Entry> = points.into_iter().map(Entry::new).collect();
        Self {
            base: entries[0].step,
            entries,
            current: 0,
            source: Source::Modelled,
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn excluded(&self, index: usize) -> bool {
        self.entries[index].excluded
    }

    /// Nothing runs at `point`; the last one that is left stays.
    pub fn exclude(&mut self, point: &OperatingPoint) {
        let left = self.entries.iter().filter(|e| !e.excluded).count();
        let entry = self.entries.iter_mut().find(|e| e.told.point == *point);
        if let Some(entry) = entry.filter(|_| left > 1) {
            entry.excluded = true;
        }
    }

    pub fn current(&self) -> usize {
        self.current
    }

    pub fn run_at(&mut self, index: usize) {
        // Before: a point that has not run is off by as much as this one.
        let (step, time) = (self.step(index), self.time(index));
        let entry = &mut self.entries[index];
        if entry.looks == 0 {
            entry.step = step;
            entry.time.x = time;
        }
        self.current = index;
        self.base = step;
    }

    /// What looks at the current point were believed to add when it was taken;
    /// readings tell by how much that is off.
    pub fn base(&self) -> f64 {
        self.base
    }

    pub fn point(&self, index: usize) -> &OperatingPoint {
        &self.entries[index].told.point
    }

    pub fn accuracy(&self, index: usize) -> f64 {
        self.entries[index].told.accuracy
    }

    /// What a look adds to the board's draw while it runs, watts. A point that
    /// has not run yet is off by as much as the one that runs.
    pub fn step(&self, index: usize) -> f64 {
        let entry = &self.entries[index];
        if entry.looks > 0 || index == self.current {
            return entry.step;
        }
        let told = |entry: &Entry| entry.told.step.0.max(0.05);
        let runs = &self.entries[self.current];
        told(entry) * (runs.step / told(runs)).clamp(0.5, 2.0)
    }

    /// The same for the peak guard: short looks are hard to see, so what was
    /// told counts for the most of it.
    pub fn step_guarded(&self, index: usize) -> f64 {
        self.step(index)
            .max(HEEDED * self.entries[index].told.step.0)
    }

    /// The same, as high as it may well be.
    pub fn step_most(&self, index: usize) -> f64 {
        self.step_guarded(index) * (1.0 + self.entries[index].doubt.min(TOLD_DOUBT))
    }

    /// How long a look with so many questions takes, seconds.
    pub fn seconds(&self, index: usize, questions: usize) -> f64 {
        self.fixed(index) + self.each(index) * questions as f64
    }

    /// The part of it that does not depend on the questions.
    pub fn fixed(&self, index: usize) -> f64 {
        self.time(index)[0] * self.entries[index].told.look.as_secs_f64()
    }

    /// The part of each question.
    pub fn each(&self, index: usize) -> f64 {
        self.time(index)[1] * self.entries[index].told.question.as_secs_f64()
    }

    fn time(&self, index: usize) -> [f64; 2] {
        let entry = &self.entries[index];
        let from = match entry.looks {
            0 => &self.entries[self.current],
            _ => entry,
        };
        from.time.x
    }

    /// Energy of a look with so many questions.
    pub fn joules(&self, index: usize, questions: usize) -> f64 {
        self.step(index) * self.seconds(index, questions)
    }

    pub fn learned(&self) -> bool {
        self.entries[self.current].looks > 0
    }

    /// A look at the current point with so many questions took this long.
    /// Teaches nothing if it makes no sense.
    pub fn took(&mut self, latency: Duration, questions: usize) {
        let entry = &mut self.entries[self.current];
        let shape = entry.shape(questions);
        let expected = entry.time.expected(shape);
        let seconds = latency.as_secs_f64();
        if seconds <= 0.0 || expected <= 0.0 {
            return;
        }
        let noise = (CONTENT * expected).powi(2);
        let first = entry.looks < 3;
        let strange =
            (seconds - expected).powi(2) > OUTLIER * OUTLIER * (entry.time.spread(shape) + noise);
        entry.looks += 1;
        if strange && !first {
            entry.strange += 1;
            if entry.strange < INSIST {
                return;
            }
            // So many in a row are not chance.
            entry.time.p = [0.25, 0.0, 0.25];
        }
        entry.strange = 0;
        entry.time.p[0] = (entry.time.p[0] + DRIFT).min(0.25);
        entry.time.p[2] = (entry.time.p[2] + DRIFT).min(0.25);
        entry.time.learn(shape, seconds, noise);
        for x in &mut entry.time.x {
            *x = x.clamp(0.02, 50.0);
        }
    }

    /// Readings say that looks at the current point add `watts`, and how sure
    /// that is.
    pub fn measured(&mut self, watts: f64, doubt: f64) {
        let entry = &mut self.entries[self.current];
        let told = entry.told.step.0.max(0.05);
        let watts = watts.clamp(told / STEP_RANGE, told * STEP_RANGE);
        entry.step = watts.max(entry.step * FALLS);
        entry.doubt = doubt;
        self.source = Source::Measured;
    }

    /// A look at the current point is reckoned to have added `watts`.
    pub fn modelled(&mut self, watts: f64) {
        self.source = Source::Modelled;
        let entry = &mut self.entries[self.current];
        let told = entry.told.step.0.max(0.05);
        if !watts.is_finite() || watts <= 0.0 {
            return;
        }
        let watts = watts.clamp(told / STEP_RANGE, told * STEP_RANGE);
        // Up at once, down slowly: the guard is for the worst look. The told
        // value goes with the first.
        entry.step = match entry.looks <= 1 || watts > entry.step {
            true => watts.min(entry.step.max(told) * 2.0),
            false => entry.step + (watts - entry.step) / MEMORY,
        };
        entry.doubt = TOLD_DOUBT / 2.0;
    }

    /// The current step goes back towards what was told by this share of the
    /// way, if it is higher. Gives what was told, as a share of the base.
    pub fn age(&mut self, gain: f64) -> f64 {
        let entry = &mut self.entries[self.current];
        let told = entry.told.step.0.max(0.05);
        entry.step -= gain * (entry.step - told).max(0.0);
        told / self.base.max(0.05)
    }

    /// Standard deviation of the current step, as a share of it.
    pub fn doubt(&self) -> f64 {
        self.entries[self.current].doubt
    }

    /// What a rule with `questions` costs, looked at every `every`.
    pub fn cost(&self, every: Duration, questions: usize) -> Cost {
        let seconds = every.as_secs_f64();
        let joules = self.joules(self.current, questions);
        Cost {
            check_every_seconds: seconds,
            joules_per_check: joules,
            watts: joules / seconds.max(1e-3),
            source: self.source,
        }
    }

    /// What is worth keeping.
    pub fn learnt(&self) -> Vec<LearnedPoint> {
        let ran = self.entries.iter().filter(|entry| entry.looks > 0);
        ran.map(|entry| LearnedPoint {
            point: entry.told.point.clone(),
            step: Watts(entry.step),
            doubt: entry.doubt,
            time: entry.time.x,
            looks: entry.looks,
        })
        .collect()
    }

    /// Takes up what was kept, as far as it is of points that there are and
    /// makes sense.
    pub fn recall(&mut self, kept: &[LearnedPoint]) {
        for entry in &mut self.entries {
            let told = entry.told.step.0.max(0.05);
            let sane = |k: &&LearnedPoint| {
                let step = (told / STEP_RANGE..=told * STEP_RANGE).contains(&k.step.0);
                let time = k.time.iter().all(|x| (0.02..=50.0).contains(x));
                k.point == entry.told.point && step && time && k.looks > 0
            };
            if let Some(kept) = kept.iter().find(sane) {
                entry.step = kept.step.0;
                // The board may be another one than it was, or hotter.
                entry.doubt = kept.doubt.clamp(0.0, TOLD_DOUBT).max(TOLD_DOUBT / 4.0);
                entry.time.x = kept.time;
                entry.time.p = [0.01, 0.0, 0.01];
                entry.looks = kept.looks;
            }
        }
        self.run_at(self.current);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_learned_at_one_point_goes_along_to_another() {
        let told = |point: &str, accuracy, millis| Told {
            point: point.parse().unwrap(),
            accuracy,
            step: Watts(1.2),
            look: Duration::from_millis(millis),
            question: Duration::from_millis(10),
        };
        let points = [
            told("f32/256px/1t/1c", 0.7, 400),
            told("f32/128px/1t/1c", 0.6, 200),
        ];
        let mut costs = Costs::new(&points);
        for _ in 0..20 {
            costs.took(Duration::from_millis(41), 1);
            costs.modelled(0.9);
        }
        let (before, step) = (costs.seconds(1, 1), costs.step(1));
        assert!((before - 0.021).abs() < 0.006, "{before}");
        assert!((step - 0.9).abs() < 0.05, "{step}");
        for _ in 0..5 {
            costs.run_at(1);
            assert!((costs.seconds(1, 1) - before).abs() < 1e-9);
            assert!((costs.step(1) - step).abs() < 1e-9);
            costs.run_at(0);
        }
    }
}
