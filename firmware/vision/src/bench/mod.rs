//! What a language model's answers cost on this machine, against the naive way
//! in the same run: `watchword bench vlm`.
//!
//! *Shared* is what the camera does: one encode a crop, one prefill of the
//! shared prefix, and a short read for each rule's question. *Naive* is what a
//! loop over rules does with the same package, threads and key/value cache: it
//! encodes the frame anew for every rule, reads the whole prompt, and generates
//! eight tokens. Both are measured in CPU time of the process, in turns, and
//! medians are given.
//!
//! [`points`] measures looks at several operating points.

mod points;

pub use points::{Cost, Measured, PointCost, Progress, Sample, points};

use std::path::PathBuf;
use std::time::Duration;

use ndarray::Array2;
use rustix::time::{ClockId, clock_gettime};
use scene::ports::Model;
use scene::{BBox, Frame, Id, Polygon, Question, QuestionKind, Value, Zone};
use serde::Serialize;

use crate::brake::Stop;
use crate::eyes::Eyes;
use crate::package::Problem;
use crate::picture::Picture;
use crate::tiles::Tiles;
use crate::{Options, VisionError};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Bench {
    /// Folder of a package of kind `vlm`.
    pub model: PathBuf,
    /// Its variant; the default one otherwise.
    pub variant: Option<String>,
    /// Rules that are due on the same frame, 1 to [`Bench::MOST_RULES`]; every
    /// other one counts.
    pub rules: usize,
    /// Zones that the rules look at by turns, 0 (all look at the whole frame)
    /// to [`Bench::MOST_ZONES`].
    pub zones: usize,
    /// Threads of the vision graph, ≥ 1.
    pub threads: usize,
    /// Measurements of each kind, ≥ 1.
    pub rounds: usize,
}

impl Bench {
    /// More would be the same sentences again.
    pub const MOST_RULES: usize = 64;
    /// More strips would be narrower than anything to be seen.
    pub const MOST_ZONES: usize = 16;
}

/// CPU milliseconds of the steps of one look, medians.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Stages {
    /// Resizing and normalising one crop.
    pub process: f64,
    /// The vision graph on it.
    pub encode: f64,
    /// The decoder on the shared prefix, once a crop.
    pub prefill: f64,
    /// The question read after the prefix and its answer scored, a rule; the
    /// mean over all rules.
    pub score: f64,
    /// Likewise for yes or no only; `None` without such a rule.
    pub score_yes_no: Option<f64>,
    /// Likewise for counts only.
    pub score_count: Option<f64>,
}

/// What one core of this machine can do, for comparison.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Machine {
    /// 10⁹ floating-point operations a second, f32 matrix product, one thread.
    pub gflops: f64,
    /// 10⁹ bytes read from memory a second, one thread.
    pub gbps: f64,
}

/// What was measured. Times are CPU milliseconds of the whole process.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `id/version/variant`.
    pub model: String,
    /// How many rules.
    pub rules: usize,
    /// How many zones they look at; 0 is the whole frame.
    pub zones: usize,
    /// Threads of the vision graph; the decoder has one.
    pub threads: usize,
    /// Measurements behind each median.
    pub rounds: usize,
    /// One frame with all rules.
    pub frame_cpu_ms: f64,
    /// One frame with one rule alone.
    pub one_rule_cpu_ms: f64,
    /// `frame_cpu_ms / one_rule_cpu_ms`.
    pub frame_over_one_rule: f64,
    /// `frame_cpu_ms / rules`.
    pub per_answer_cpu_ms: f64,
    /// One rule, the naive way.
    pub naive_per_answer_cpu_ms: f64,
    /// `naive_per_answer_cpu_ms / per_answer_cpu_ms`.
    pub naive_over_shared: f64,
    /// How much an answer depends on which other rules are asked: the largest
    /// difference of its probabilities alone and together, in standard
    /// deviations of the probabilities' logits over the answers that there are.
    pub neighbour_sigma: f64,
    /// Rules that got no answer (a model can be unsure).
    pub unknown: usize,
    /// The steps.
    pub stages: Stages,
    /// Bytes of weights and cache that the graphs read and write for one
    /// answer, from the sizes of files and tensors; modelled.
    pub bytes_per_answer: u64,
    /// This machine.
    pub machine: Machine,
    /// Resident memory after the looks, MB (10⁶ bytes).
    pub rss_mb: f64,
    /// The most that was resident; loading takes more than looking.
    pub peak_rss_mb: f64,
    /// Heap allocations of the Rust code in one look at the frame; the
    /// runtime's own are not seen. `None` where nobody counts.
    pub allocations: Option<u64>,
}

/// CPU time of the process so far, all threads.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(secs, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What `work` gives, and the CPU milliseconds it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = cpu();
    let done = work();
    (done, (cpu() - start).as_secs_f64() * 1e3)
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    match of.len() {
        0 => 0.0,
        n if n % 2 == 1 => of[n / 2],
        n => (of[n / 2 - 1] + of[n / 2]) / 2.0,
    }
}

/// A picture with edges, colours and noise, as a camera hands it out.
fn frame() -> Result<Frame, Problem> {
    let (width, height) = (960usize, 540usize);
    let at = |i: usize| {
        let (x, y, c) = (i / 3 % width, i / 3 / width, i % 3);
        let ramp = (x * 170 / width + y * 30 / height + c * 10) as u8;
        let edge = if (x / 37 + y / 23) % 2 == 0 { 15 } else { 0 };
        ramp + edge + (i * 7919 % 13) as u8
    };
    Frame::still((0..width * height * 3).map(at).collect(), 960, 540)
        .map_err(|error| Problem::new("the bench's picture", error.to_string()))
}

const NOUNS: [&str; 8] = [
    "person",
    "car",
    "truck",
    "bicycle",
    "dog",
    "suitcase",
    "bag",
    "motorcycle",
];

fn zones(count: usize) -> Vec<Zone> {
    let strip = |n: usize| {
        let (w, x) = (1.0 / count as f32, n as f32 / count as f32);
        let corners = [[x, 0.0], [x + w, 0.0], [x + w, 1.0], [x, 1.0]];
        Some(Zone {
            name: Id::new(format!("strip-{n}")).ok()?,
            polygon: Polygon::new(corners.map(Into::into).to_vec()).ok()?,
        })
    };
    (0..count).filter_map(strip).collect()
}

/// Rule `n`: yes or no and counts by turns, in the words that every package's
/// tokenizer has.
fn question(n: usize, zones: &[Zone]) -> Question {
    let noun = NOUNS[n % NOUNS.len()];
    let kind = match (n + n / NOUNS.len()) % 2 {
        0 => QuestionKind::YesNo,
        _ => QuestionKind::Count,
    };
    let ask = match kind {
        QuestionKind::YesNo => format!("Is there a {noun}?"),
        _ => format!("How many {noun} are there?"),
    };
    let crop = (!zones.is_empty()).then(|| zones[n % zones.len()].name.clone());
    Question {
        ask,
        kind,
        crop,
        about: None,
    }
}

/// Answers' probabilities as logits, so that far ends count.
fn logits(value: &Value) -> Vec<f64> {
    let logit = |p: &f32| {
        let p = f64::from(*p).clamp(1e-9, 1.0 - 1e-9);
        (p / (1.0 - p)).ln()
    };
    match value {
        Value::YesNo(p) => vec![logit(p)],
        Value::Count(belief) => belief.masses().iter().map(logit).collect(),
        _ => Vec::new(),
    }
}

/// The largest difference of `alone` and `together`, in standard deviations of
/// all of `alone`.
fn sigma(alone: &[Value], together: &[Value]) -> f64 {
    let all: Vec<f64> = alone.iter().flat_map(logits).collect();
    let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
    let variance = all.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / all.len().max(1) as f64;
    let pairs = alone.iter().zip(together);
    let worst = pairs
        .flat_map(|(a, b)| {
            let (a, b) = (logits(a), logits(b));
            match a.len() == b.len() {
                true => a.iter().zip(&b).map(|(a, b)| (a - b).abs()).collect(),
                // One had an answer and the other none: as far apart as can be.
                false => vec![f64::INFINITY],
            }
        })
        .fold(0.0, f64::max);
    match worst == 0.0 {
        true => 0.0,
        false => worst / variance.sqrt().max(f64::MIN_POSITIVE),
    }
}

/// Long enough for any model; a look here must not be cut short.
const LONG: Duration = Duration::from_secs(3600);
/// Tokens that the naive loop generates for an answer.
const NAIVE_TOKENS: usize = 8;
/// Answers a round that the naive loop is measured on; each costs the same.
const NAIVE_ANSWERS: usize = 2;

/// Measures. `say` is told what is under way; `allocations` counts the
/// process's heap allocations so far, if anybody does.
pub fn run(
    bench: &Bench,
    say: &mut dyn FnMut(&str),
    allocations: Option<&dyn Fn() -> u64>,
) -> Result<Report, VisionError> {
    let one = |problem: Problem| VisionError::Package(vec![problem]);
    say("loading the model");
    let mut eyes = crate::open(Options {
        vlm: Some(bench.model.clone()),
        variant: bench.variant.clone(),
        threads: bench.threads,
        ..Options::default()
    })?;
    let frame = frame().map_err(one)?;
    let zones = zones(bench.zones);
    let asked: Vec<Question> = (0..bench.rules).map(|n| question(n, &zones)).collect();

    let look = |eyes: &mut Eyes, asked: &[Question]| {
        let sight = eyes.look(&frame, &zones, asked, false, LONG);
        let values: Vec<Value> = sight.answers.into_iter().map(|a| a.value).collect();
        values
    };
    say("warming up");
    let together = look(&mut eyes, &asked);
    if let Some(Value::Unknown(why)) = together.first()
        && together.iter().all(|v| matches!(v, Value::Unknown(_)))
    {
        let what = format!("answers none of the {} questions: {why}", asked.len());
        return Err(one(Problem::new(bench.model.display().to_string(), what)));
    }
    let (moved, before) = (eyes.bytes_moved(), allocations.map(|count| count()));
    look(&mut eyes, &asked);
    let bytes = eyes.bytes_moved() - moved;
    let counted = allocations
        .zip(before)
        .map(|(count, before)| count() - before);

    let (mut shared, mut single, mut naive) = (Vec::new(), Vec::new(), Vec::new());
    let mut parts = Parts::default();
    for round in 0..bench.rounds {
        say(&format!("round {} of {}", round + 1, bench.rounds));
        shared.push(timed(|| look(&mut eyes, &asked)).1);
        // Another one each round, so that both kinds are among them.
        let alone = &asked[round % asked.len()..][..1];
        single.push(timed(|| look(&mut eyes, alone)).1);
        for n in 0..NAIVE_ANSWERS {
            let question = &asked[(round * NAIVE_ANSWERS + n) % asked.len()];
            let (done, took) = timed(|| naively(&mut eyes, &frame, question));
            done.map_err(one)?;
            naive.push(took);
        }
        parts.measure(&mut eyes, &frame, &asked).map_err(one)?;
    }
    say("asking each rule alone");
    let alone: Vec<Value> = (asked.iter())
        .flat_map(|question| look(&mut eyes, std::slice::from_ref(question)))
        .collect();
    let (rss_mb, peak_rss_mb) = (resident_mb("VmRSS:"), resident_mb("VmHWM:"));
    say("measuring the machine");
    let (frame_cpu_ms, one_rule_cpu_ms) = (median(shared), median(single));
    let per_answer_cpu_ms = frame_cpu_ms / asked.len() as f64;
    let naive_per_answer_cpu_ms = median(naive);
    let unknown = |value: &&Value| matches!(value, Value::Unknown(_));
    Ok(Report {
        model: eyes.knowledge().name(),
        rules: asked.len(),
        zones: zones.len(),
        threads: bench.threads,
        rounds: bench.rounds,
        frame_cpu_ms,
        one_rule_cpu_ms,
        frame_over_one_rule: frame_cpu_ms / one_rule_cpu_ms,
        per_answer_cpu_ms,
        naive_per_answer_cpu_ms,
        naive_over_shared: naive_per_answer_cpu_ms / per_answer_cpu_ms,
        neighbour_sigma: sigma(&alone, &together),
        unknown: together.iter().filter(unknown).count(),
        stages: parts.stages(),
        bytes_per_answer: bytes / asked.len() as u64,
        machine: machine(),
        rss_mb,
        peak_rss_mb,
        allocations: counted,
    })
}

/// One rule as a loop over rules would do it.
fn naively(eyes: &mut Eyes, frame: &Frame, question: &Question) -> Result<(), Problem> {
    let ids = eyes.suffix_of(question)?;
    let stop = Stop::never()?;
    let engine = eyes.engine()?;
    let (picture, _) = Picture::crop(frame, BBox::WHOLE);
    let tiles = Tiles::of(picture, &engine.processor);
    let seen = engine.encode(&tiles, &stop)?;
    let mut prompt = engine.prompter.prefix(seen.grid())?.into_owned();
    prompt.extend(ids);
    let (cache, logits) = engine.read_whole(&seen, &prompt, &stop)?;
    // All eight: a random model might stop at once, or never.
    engine.generate_exactly(cache, logits, NAIVE_TOKENS, &stop)?;
    Ok(())
}

#[derive(Default)]
struct Parts {
    process: Vec<f64>,
    encode: Vec<f64>,
    prefill: Vec<f64>,
    yes_no: Vec<f64>,
    count: Vec<f64>,
}

impl Parts {
    fn measure(
        &mut self,
        eyes: &mut Eyes,
        frame: &Frame,
        asked: &[Question],
    ) -> Result<(), Problem> {
        let stop = Stop::never()?;
        let engine = eyes.engine()?;
        let (tiles, took) = timed(|| {
            let (picture, _) = Picture::crop(frame, BBox::WHOLE);
            let tiles = Tiles::of(picture, &engine.processor);
            // Made again by the encoder, whose time this is not.
            tiles.tensors().for_each(|tensor| {
                std::hint::black_box(tensor);
            });
            tiles
        });
        self.process.push(took);
        let tensors = timed(|| tiles.tensors().for_each(drop)).1;
        let (seen, took) = timed(|| engine.encode(&tiles, &stop));
        self.encode.push((took - tensors).max(0.0));
        let seen = seen?;
        let (prefix, took) = timed(|| engine.prefill(&seen, &stop));
        self.prefill.push(took);
        let prefix = prefix?;
        for question in asked {
            let suffix = eyes.suffix_of(question)?;
            let (done, took) = timed(|| eyes.score(&prefix, &suffix, question.kind, &stop));
            done?;
            match question.kind {
                QuestionKind::YesNo => self.yes_no.push(took),
                _ => self.count.push(took),
            }
        }
        Ok(())
    }

    fn stages(self) -> Stages {
        let rules = (self.yes_no.len() + self.count.len()) as f64;
        let sum: f64 = self.yes_no.iter().chain(&self.count).sum();
        let some = |of: Vec<f64>| (!of.is_empty()).then(|| median(of));
        Stages {
            process: median(self.process),
            encode: median(self.encode),
            prefill: median(self.prefill),
            score: sum / rules.max(1.0),
            score_yes_no: some(self.yes_no),
            score_count: some(self.count),
        }
    }
}

fn machine() -> Machine {
    // Fits the second-level cache of common cores.
    const SIDE: usize = 384;
    let matrix = |seed: usize| {
        Array2::from_shape_fn((SIDE, SIDE), |(y, x)| ((x * 31 + y * 17 + seed) % 7) as f32)
    };
    let (a, b) = (matrix(1), matrix(2));
    let products = (0..9).map(|_| {
        let took = timed(|| std::hint::black_box(a.dot(&b))).1;
        2.0 * (SIDE as f64).powi(3) / (took * 1e6).max(1e-9)
    });
    // Larger than any cache.
    let memory = vec![1u64; (256 << 20) / 8];
    let reads = (0..5).map(|_| {
        let took = timed(|| {
            // Eight sums side by side, so that adding is not what takes the time.
            let sums = memory
                .as_chunks::<8>()
                .0
                .iter()
                .fold([0u64; 8], |sums, eight| {
                    std::array::from_fn(|i| sums[i].wrapping_add(eight[i]))
                });
            std::hint::black_box(sums)
        });
        (memory.len() * 8) as f64 / (took.1 * 1e6).max(1e-9)
    });
    Machine {
        gflops: median(products.collect()),
        gbps: median(reads.collect()),
    }
}

/// What `/proc/self/status` says after `key`; 0 where there is none.
fn resident_mb(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use scene::{CountBelief, Unknown};

    #[test]
    fn medians_are_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![]), 0.0);
    }

    #[test]
    fn neighbours_that_change_nothing_are_no_sigma_away() {
        let count = |w: [f32; 3]| Value::Count(CountBelief::from_weights(w.to_vec()).unwrap());
        let alone = [Value::YesNo(0.7), count([1.0, 2.0, 1.0])];
        assert_eq!(sigma(&alone, &alone), 0.0);
        let moved = [Value::YesNo(0.7), count([1.0, 2.2, 1.0])];
        let far = [Value::YesNo(0.1), count([1.0, 2.0, 1.0])];
        assert!(sigma(&alone, &moved) > 0.0);
        assert!(sigma(&alone, &far) > sigma(&alone, &moved));
        let lost = [Value::Unknown(Unknown::Unsure), alone[1].clone()];
        assert_eq!(sigma(&alone, &lost), f64::INFINITY);
    }

    #[test]
    fn rules_are_of_both_kinds_and_differ() {
        let all: Vec<_> = (0..16).map(|n| question(n, &[])).collect();
        let counts = all.iter().filter(|q| q.kind == QuestionKind::Count).count();
        assert_eq!(counts, 8);
        for (n, question) in all.iter().enumerate() {
            assert!(!all[..n].contains(question), "{question:?}");
        }
    }
}
