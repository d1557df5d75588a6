//! What looks cost at each operating point.

use std::time::Instant;

use scene::ports::Model;
use scene::{Frame, OperatingPoint, Quantity, Question, Value, Zone};
use serde::Serialize;

use super::{LONG, cpu, median};
use crate::eyes::Eyes;

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'s> {
    /// The picture.
    pub frame: &'s Frame,
    /// The zones that questions crop to.
    pub zones: &'s [Zone],
    /// At least one. The first makes up a look by itself; the others are what
    /// further questions cost.
    pub questions: &'s [Question],
    /// Whether detections are wanted too.
    pub detect: bool,
}

/// Medians over the rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// CPU time of the whole process, ms, all threads together.
    pub cpu_ms: f64,
    /// Time until it was done, ms.
    pub wall_ms: f64,
    /// Bytes of weights and cache that the graphs read and wrote, from the sizes
    /// of files and tensors; modelled, and a lower bound.
    pub bytes: u64,
}

/// One operating point, measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PointCost {
    /// Where it ran.
    pub point: OperatingPoint,
    /// What its answers are worth, see [`Eyes::accuracy`].
    pub accuracy: Quantity<f64>,
    /// A look with the first question.
    pub look: Cost,
    /// Each further question of the same look, on average; `None` if there was
    /// one question only.
    pub question: Option<Cost>,
    /// Going there from the point before it, ms of wall time; the shortest, as
    /// the first time includes a trial and, for other weights, a load from disk.
    pub switch_ms: f64,
    /// Questions that got no answer (a model can be unsure).
    pub unknown: usize,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Measured {
    /// In the order that was asked for.
    pub points: Vec<PointCost>,
    /// The points that could not be run at, and why.
    pub refused: Vec<(OperatingPoint, String)>,
}

/// How far the measurement is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// From 0.
    pub round: usize,
    /// How many there are.
    pub rounds: usize,
    /// What is measured next.
    pub point: &'p OperatingPoint,
    /// Points that are done, over all rounds.
    pub done: usize,
    /// Points to be done, over all rounds.
    pub all: usize,
}

/// Looks of one point, as they came.
#[derive(Default)]
struct Looks {
    one: Vec<(f64, f64)>,
    all: Vec<(f64, f64)>,
    switches: Vec<f64>,
    bytes: (u64, u64),
    unknown: usize,
    refused: Option<String>,
}

/// Measures looks at `of`, some of `eyes`' points, in `rounds` rounds (≥ 1) over
/// all of them, so that what else the machine does falls on all alike; each
/// look is preceded by one that is not measured. `progress` is told before each
/// point; it returns whether to go on, and if not, what was measured so far is
/// given. Ends at the point that `eyes` ran at before.
///
/// Points of other variants are loaded anew in every round: put those of one
/// variant side by side.
pub fn points(
    eyes: &mut Eyes,
    sample: &Sample,
    of: &[OperatingPoint],
    rounds: usize,
    progress: &mut dyn FnMut(&Progress) -> bool,
) -> Measured {
    let before = eyes.points().into_iter().next();
    let mut looks: Vec<Looks> = of.iter().map(|_| Looks::default()).collect();
    'rounds: for round in 0..rounds.max(1) {
        for (at, (point, looks)) in of.iter().zip(&mut looks).enumerate() {
            let done = round * of.len() + at;
            let now = Progress {
                round,
                rounds: rounds.max(1),
                point,
                done,
                all: rounds.max(1) * of.len(),
            };
            if !progress(&now) {
                break 'rounds;
            }
            looks.measure(eyes, sample, point);
        }
    }
    if let Some(before) = before
        && let Err(why) = eyes.run_at(&before)
    {
        tracing::warn!(%before, why, "can't go back to the point of before");
    }
    let mut measured = Measured::default();
    for (point, looks) in of.iter().zip(looks) {
        match looks.refused {
            Some(why) => measured.refused.push((point.clone(), why)),
            // Nobody got as far as that.
            None if looks.one.is_empty() => {}
            None => {
                let accuracy = eyes.accuracy(point);
                let further = sample.questions.len().saturating_sub(1);
                measured.points.push(looks.cost(point, accuracy, further));
            }
        }
    }
    measured
}

impl Looks {
    fn measure(&mut self, eyes: &mut Eyes, sample: &Sample, point: &OperatingPoint) {
        if self.refused.is_some() {
            return;
        }
        let start = Instant::now();
        if let Err(why) = eyes.run_at(point) {
            self.refused = Some(why);
            return;
        }
        self.switches.push(start.elapsed().as_secs_f64() * 1e3);
        let first = &sample.questions[..sample.questions.len().min(1)];
        // The first run of a graph, and of a size of tiles, finds its memory.
        look(eyes, sample, first);
        let (cost, bytes, _) = look(eyes, sample, first);
        self.one.push(cost);
        self.bytes.0 = bytes;
        let (cost, bytes, unknown) = match sample.questions.len() > 1 {
            true => look(eyes, sample, sample.questions),
            false => return,
        };
        self.all.push(cost);
        self.bytes.1 = bytes;
        self.unknown = unknown;
    }

    fn cost(self, point: &OperatingPoint, accuracy: Quantity<f64>, further: usize) -> PointCost {
        let middle = |of: &[(f64, f64)]| {
            let (cpu, wall): (Vec<f64>, Vec<f64>) = of.iter().copied().unzip();
            (median(cpu), median(wall))
        };
        let one = middle(&self.one);
        let look = Cost {
            cpu_ms: one.0,
            wall_ms: one.1,
            bytes: self.bytes.0,
        };
        let question = (!self.all.is_empty() && further > 0).then(|| {
            let all = middle(&self.all);
            // Noise may make more questions look cheaper than one.
            let each = |all: f64, one: f64| ((all - one) / further as f64).max(0.0);
            Cost {
                cpu_ms: each(all.0, one.0),
                wall_ms: each(all.1, one.1),
                bytes: self.bytes.1.saturating_sub(self.bytes.0) / further as u64,
            }
        });
        PointCost {
            point: point.clone(),
            accuracy,
            look,
            question,
            switch_ms: self.switches.into_iter().fold(f64::INFINITY, f64::min),
            unknown: self.unknown,
        }
    }
}

/// CPU and wall milliseconds of one look, bytes moved, and how many questions
/// had no answer.
fn look(eyes: &mut Eyes, sample: &Sample, questions: &[Question]) -> ((f64, f64), u64, usize) {
    let (moved, cpu_before, start) = (eyes.bytes_moved(), cpu(), Instant::now());
    let sight = eyes.look(sample.frame, sample.zones, questions, sample.detect, LONG);
    let wall = start.elapsed().as_secs_f64() * 1e3;
    let took = (cpu() - cpu_before).as_secs_f64() * 1e3;
    let unknown = |a: &&scene::Answer| matches!(a.value, Value::Unknown(_));
    let unknown = sight.answers.iter().filter(unknown).count();
    (
        (took, wall),
        eyes.bytes_moved().saturating_sub(moved),
        unknown,
    )
}
