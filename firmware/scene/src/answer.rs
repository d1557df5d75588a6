use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{BBox, Joules, Quantity};

/// Why there is no answer. Unknown is not no: it pauses a hold and neither
/// raises nor clears an alert.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "unknown", content = "detail")]
pub enum Unknown {
    /// The model took longer than it was given.
    #[error("model timeout")]
    Timeout,
    /// The look was given up before the model had answered.
    #[error("the look was cancelled")]
    Cancelled,
    /// The model's belief was too weak to act on.
    #[error("the model is not sure")]
    Unsure,
    /// The model was not trained for this.
    #[error("{0}")]
    OutsideConcepts(String),
    /// The zone to look at is not drawn.
    #[error("no zone '{0}' is drawn")]
    NoSuchZone(String),
    /// The model failed.
    #[error("model failed: {0}")]
    Failed(String),
    /// No frame came.
    #[error("no frame")]
    NoFrame,
    /// What the question needs has not been seen for long enough yet.
    #[error("{0}")]
    NotYet(String),
}

/// How probable each count is: index is the count, the last entry stands for
/// "that many or more". Entries are ≥ 0 and sum to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountBelief(Vec<f32>);

impl CountBelief {
    /// The highest count told apart; everything above is one entry.
    pub const MAX: usize = 100;

    /// From unnormalised weights, `weights[n]` for a count of `n`. `None` if
    /// there are none, one is negative or not finite, or all are zero.
    pub fn from_weights(mut weights: Vec<f32>) -> Option<Self> {
        if weights.len() > Self::MAX + 1 {
            let rest: f32 = weights.drain(Self::MAX + 1..).sum();
            weights[Self::MAX] += rest;
        }
        let sum: f32 = weights.iter().sum();
        let valid = weights.iter().all(|w| w.is_finite() && *w >= 0.0);
        if !valid || !sum.is_finite() || sum <= 0.0 {
            return None;
        }
        weights.iter_mut().for_each(|w| *w /= sum);
        Some(Self(weights))
    }

    /// Certain of `n`.
    pub fn exactly(n: usize) -> Self {
        let n = n.min(Self::MAX);
        let mut p = vec![0.0; n + 1];
        p[n] = 1.0;
        Self(p)
    }

    /// The count of things of which each is there with its own probability
    /// (the Poisson binomial distribution, by convolution). Probabilities are
    /// clamped to 0..1.
    pub fn from_independent(probabilities: impl IntoIterator<Item = f32>) -> Self {
        let mut p = vec![1.0f32];
        for q in probabilities {
            let q = if q.is_nan() { 0.0 } else { q.clamp(0.0, 1.0) };
            let full = p.len() > Self::MAX;
            let mut next = vec![0.0; p.len() + usize::from(!full)];
            for (n, mass) in p.iter().enumerate() {
                next[n] += mass * (1.0 - q);
                let up = (n + 1).min(next.len() - 1);
                next[up] += mass * q;
            }
            p = next;
        }
        Self(p)
    }

    /// The probability that the count satisfies `holds`.
    pub fn probability(&self, holds: impl Fn(usize) -> bool) -> f32 {
        let sum: f32 = (self.0.iter().enumerate())
            .filter(|(n, _)| holds(*n))
            .map(|(_, p)| p)
            .sum();
        sum.clamp(0.0, 1.0)
    }

    /// The most probable count; the lower one of equals.
    pub fn most_likely(&self) -> usize {
        let mut best = 0;
        for (n, p) in self.0.iter().enumerate() {
            if *p > self.0[best] {
                best = n;
            }
        }
        best
    }

    /// The probability of each count.
    pub fn masses(&self) -> &[f32] {
        &self.0
    }
}

/// What was found out.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Calibrated probability (0..1) that the answer is yes.
    YesNo(f32),
    /// How many.
    Count(CountBelief),
    /// A short sentence.
    Text(String),
    /// Nothing, and why.
    Unknown(Unknown),
}

impl Value {
    /// The answer in a word: `yes`, `no`, a count, the text, or `unknown`.
    pub fn word(&self) -> String {
        match self {
            Value::YesNo(p) if *p >= 0.5 => "yes".into(),
            Value::YesNo(_) => "no".into(),
            Value::Count(belief) => belief.most_likely().to_string(),
            Value::Text(text) => text.clone(),
            Value::Unknown(_) => "unknown".into(),
        }
    }

    /// The probability of that word, 0..1; 0 for unknown.
    pub fn confidence(&self) -> f32 {
        match self {
            Value::YesNo(p) => p.max(1.0 - p),
            Value::Count(belief) => belief.masses()[belief.most_likely()],
            Value::Text(_) => 1.0,
            Value::Unknown(_) => 0.0,
        }
    }
}

/// An answer with what it took.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What was found out.
    pub value: Value,
    /// Which model said so: `id/version[/variant]`.
    pub model: String,
    /// From the start of the work on the frame to this answer.
    pub latency: Duration,
    /// This answer's share of the frame's energy.
    pub joules: Quantity<Joules>,
    /// `None` if it is of this very frame. Otherwise nothing changed since, it
    /// was given again, and this is how much earlier the frame was captured
    /// that it is of.
    pub age: Option<Duration>,
}

/// One thing that a detector saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The class, as the model package names it: "person", "suitcase".
    pub class: String,
    /// Calibrated probability that it is there, 0..1.
    pub score: f32,
    /// Where.
    pub bbox: BBox,
}

/// All that one look at one frame found: the answers, in the order of the
/// questions, and what a detector saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// One answer a question.
    pub answers: Vec<Answer>,
    /// What the detector saw; `None` if no detector ran (which is not "saw
    /// nothing").
    pub detections: Option<Vec<Detection>>,
    /// As [`Answer::age`], of the detections.
    pub detections_age: Option<Duration>,
    /// The energy of the whole look.
    pub joules: Quantity<Joules>,
    /// From start to end of the look.
    pub latency: Duration,
}

impl Sight {
    /// How many of its answers are of this very frame.
    pub fn fresh_answers(&self) -> usize {
        self.answers.iter().filter(|a| a.age.is_none()).count()
    }

    /// Whether no model looked at the frame: all that it says was given again.
    pub fn reused(&self) -> bool {
        let detected = self.detections.is_some() && self.detections_age.is_none();
        let anything = !self.answers.is_empty() || self.detections.is_some();
        anything && self.fresh_answers() == 0 && !detected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prelude::*, test_runner::RngSeed};

    #[test]
    fn independent_things_add_up() {
        let b = CountBelief::from_independent([1.0, 0.5, 0.5]);
        assert_eq!(b.masses(), [0.0, 0.25, 0.5, 0.25]);
        assert_eq!(b.most_likely(), 2);
        assert_eq!(b.probability(|n| n > 1), 0.75);
        assert_eq!(CountBelief::from_independent([]).most_likely(), 0);
    }

    #[test]
    fn crowds_stay_bounded() {
        let b = CountBelief::from_independent(vec![1.0; 500]);
        assert_eq!(b.most_likely(), CountBelief::MAX);
        assert_eq!(b.masses().len(), CountBelief::MAX + 1);
        let w = CountBelief::from_weights(vec![1.0; 300]).unwrap();
        assert_eq!(w.masses().len(), CountBelief::MAX + 1);
    }

    #[test]
    fn weights_that_say_nothing_are_refused() {
        for bad in [vec![], vec![0.0, 0.0], vec![1.0, -0.1], vec![f32::NAN]] {
            assert_eq!(CountBelief::from_weights(bad), None);
        }
    }

    proptest! {
        // The same cases at every run; PROPTEST_RNG_SEED and PROPTEST_CASES choose others.
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

        #[test]
        fn belief_is_a_distribution(ps in prop::collection::vec(-1.0f32..2.0, 0..150)) {
            let b = CountBelief::from_independent(ps);
            let sum: f32 = b.masses().iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-3);
            prop_assert!(b.masses().iter().all(|p| (0.0..=1.0001).contains(p)));
        }
    }
}
