//! The language model's part of a look.

use std::sync::Arc;
use std::time::Duration;

use scene::{
    BBox, CountBelief, Detection, Frame, Id, OperatingPoint, Question, QuestionKind, Unknown, Value,
};

use super::mind::Route;
use super::{Look, share, unknown, zone_of};
use crate::brake::{Halt, Stop};
use crate::cost::Meter;
use crate::detect;
use crate::graph::Graph;
use crate::package::{CountCalibration, Cut, Package, Problem, YesNoCalibration};
use crate::picture::Picture;
use crate::runtime::Runtime;
use crate::tiles::Tiles;
use crate::vlm::{Answers, Engine, Prompter, Seen};

/// A VLM package, loaded.
#[derive(Debug)]
pub(crate) struct Language {
    package: Package,
    /// Who its answers are from: the package, and the point if it is not the
    /// package's own.
    name: String,
    pub(super) engine: Engine,
    yes_no: Answers,
    counts: Answers,
    /// The whole frame of this look, where detection encoded it.
    whole: Option<Seen>,
}

/// A part of the frame, and the questions about it.
struct Crop {
    zone: Option<Id>,
    part: BBox,
    questions: Vec<usize>,
}

const NO: usize = 0;
const YES: usize = 1;

impl Language {
    /// Loads `package`, and shares the tokenizer of another of its variants if
    /// that is `known`.
    pub fn load(
        runtime: &Runtime,
        package: Package,
        threads: usize,
        known: Option<Arc<Prompter>>,
    ) -> Result<Self, Vec<Problem>> {
        let engine = Engine::load(runtime, &package, threads, known)?;
        let answers =
            || -> Result<_, Problem> { Ok((yes_no(&engine.prompter)?, counts(&engine.prompter)?)) };
        let (yes_no, counts) = answers().map_err(|problem| vec![problem])?;
        let mut problems = Vec::new();
        let place = || {
            package
                .folder()
                .join("tokenizer.json")
                .display()
                .to_string()
        };
        if yes_no.reachable().contains(&false) {
            problems.push(Problem::new(
                place(),
                "has tokens for no spelling of prompt.yes or of prompt.no",
            ));
        }
        if !counts.reachable().contains(&true) {
            problems.push(Problem::new(
                place(),
                "has tokens for no number in prompt.count_spellings",
            ));
        }
        match problems.is_empty() {
            true => Ok(Self {
                name: package.name(),
                package,
                engine,
                yes_no,
                counts,
                whole: None,
            }),
            false => Err(problems),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Cuts pictures as `point` says from now on. An error leaves everything as
    /// it was.
    pub fn cut_as(&mut self, point: &OperatingPoint, stop: &Stop) -> Result<(), Halt> {
        let cut = Cut::of(point);
        self.engine.cut_as(cut, stop)?;
        self.name = match self.package.has_as_own(cut) {
            true => self.package.name(),
            false => self.package.name_at(point),
        };
        Ok(())
    }

    /// Its vision graph once more, to run on `threads` threads.
    pub fn vision_again(&self, runtime: &Runtime, threads: usize) -> Result<Graph, Problem> {
        let graphs = self.package.graphs();
        let entry = graphs.iter().find(|(role, _)| *role == "vision_encoder");
        let place = || self.package.folder().display().to_string();
        let (_, entry) = entry.ok_or_else(|| Problem::new(place(), "lacks a vision graph"))?;
        Graph::load(runtime, &self.package.folder().join(&entry.file), threads)
    }

    /// What it is asked through; shared with [`super::Mind`].
    pub fn package(&self) -> &Package {
        &self.package
    }

    /// Its tokenizer.
    pub fn prompter(&self) -> Arc<Prompter> {
        Arc::clone(&self.engine.prompter)
    }

    pub fn detects(&self) -> bool {
        self.engine.detects()
    }

    fn see(&mut self, frame: &Frame, part: BBox, stop: &Stop) -> Result<Seen, Halt> {
        stop.check()?;
        let (picture, _) = Picture::crop(frame, part);
        let tiles = Tiles::of(picture, &self.engine.processor);
        self.engine.encode(&tiles, stop)
    }

    /// What the vision graph detects in the whole frame. The encoded frame is
    /// kept for [`Self::answer`] of the same look.
    pub fn detections(&mut self, frame: &Frame, stop: &Stop) -> Result<Vec<Detection>, Halt> {
        let seen = self.see(frame, BBox::WHOLE, stop)?;
        let (spec, rows) = (self.package.manifest.detector.as_ref(), &seen.detections);
        let found = match (spec, rows) {
            (Some(spec), Some(rows)) => detect::from_rows(spec, rows),
            _ => Vec::new(),
        };
        self.whole = Some(seen);
        Ok(found)
    }

    /// Answers all questions that are routed here, crop by crop; as many crops
    /// are encoded in one run as the package allows.
    pub fn answer(
        &mut self,
        look: &mut Look,
        questions: &[Question],
        routes: &[Route],
        meter: &Meter,
        margin: f32,
    ) {
        let model = self.name.clone();
        let mut crops: Vec<Crop> = Vec::new();
        for (index, question) in questions.iter().enumerate() {
            let Route::Language { .. } = routes[index] else {
                continue;
            };
            if let Some(known) = crops.iter_mut().find(|c| c.zone == question.crop) {
                known.questions.push(index);
                continue;
            }
            match zone_of(look.zones, &question.crop) {
                Ok(zone) => crops.push(Crop {
                    zone: question.crop.clone(),
                    part: zone.map_or(BBox::WHOLE, |z| z.polygon.bounds().grown(margin)),
                    questions: vec![index],
                }),
                Err(why) => look.settle(index, Value::Unknown(why), &model, Duration::ZERO),
            }
        }
        let mut whole = self.whole.take();
        // What detection has encoded already comes first, and alone.
        crops.sort_by_key(|crop| whole.is_none() || crop.zone.is_some());
        let mut crops = &crops[..];
        while !crops.is_empty() {
            let start = meter.read();
            let kept = whole.take().filter(|_| crops[0].zone.is_none());
            let (now, seen) = match kept {
                Some(seen) => (&crops[..1], Ok(vec![seen])),
                None => {
                    let now = &crops[..self.engine.tiles_at_once().min(crops.len())];
                    (now, self.see_all(look.frame, now, &look.stop))
                }
            };
            crops = &crops[now.len()..];
            let seen = match seen {
                Ok(seen) => seen,
                Err(halt) => {
                    for crop in now {
                        look.settle_all(&crop.questions, &halt, &model);
                    }
                    continue;
                }
            };
            let encoded = share(meter.read() - start, now.len());
            for (crop, seen) in now.iter().zip(seen) {
                self.answer_crop(look, crop, &seen, encoded, questions, routes, meter);
            }
        }
        self.engine.rest();
    }

    fn see_all(&mut self, frame: &Frame, crops: &[Crop], stop: &Stop) -> Result<Vec<Seen>, Halt> {
        let mut tiles = Vec::with_capacity(crops.len());
        for crop in crops {
            stop.check()?;
            let (picture, _) = Picture::crop(frame, crop.part);
            tiles.push(Tiles::of(picture, &self.engine.processor));
        }
        self.engine.encode_all(&tiles, stop)
    }

    /// Answers the questions about one crop, which took `encoded` to encode.
    #[allow(clippy::too_many_arguments)] // One inner step of `answer`, which owns all of these.
    fn answer_crop(
        &mut self,
        look: &mut Look,
        crop: &Crop,
        seen: &Seen,
        encoded: Duration,
        questions: &[Question],
        routes: &[Route],
        meter: &Meter,
    ) {
        let model = self.name.clone();
        let start = meter.read();
        let prefix = match self.engine.prefill(seen, &look.stop) {
            Ok(prefix) => prefix,
            Err(halt) => {
                look.settle_all(&crop.questions, &halt, &model);
                return;
            }
        };
        let shared = share(encoded + (meter.read() - start), crop.questions.len());
        for &index in &crop.questions {
            let start = meter.read();
            let Route::Language { suffix, noun, .. } = &routes[index] else {
                continue;
            };
            let (kind, noun) = (questions[index].kind, noun.as_deref());
            let value = self
                .ask(&prefix, suffix, kind, noun, &look.stop)
                .unwrap_or_else(|halt| Value::Unknown(unknown(&halt)));
            look.settle(index, value, &model, shared + (meter.read() - start));
        }
    }

    pub(super) fn ask(
        &mut self,
        prefix: &crate::vlm::Cache,
        suffix: &[u32],
        kind: QuestionKind,
        noun: Option<&str>,
        stop: &Stop,
    ) -> Result<Value, Halt> {
        let (cache, logits) = self.engine.step(prefix, suffix, stop)?;
        let calibration = &self.package.manifest.calibration;
        match kind {
            QuestionKind::YesNo => {
                let by = calibration.yes_no(noun);
                let weights = self.engine.score(&cache, &logits, &self.yes_no, stop)?;
                Ok(yes_or_no(weights[YES], weights[NO], by))
            }
            QuestionKind::Count => {
                let by = calibration.count(noun);
                let open_ended = self.package.manifest.prompt.count_open_ended;
                let weights = self.engine.score(&cache, &logits, &self.counts, stop)?;
                Ok(count(weights, by, open_ended))
            }
            QuestionKind::Text => {
                let ids = self.engine.generate(cache, logits, stop)?;
                Ok(Value::Text(self.engine.prompter.text(&ids)?))
            }
        }
    }
}

fn yes_no(prompter: &Prompter) -> Result<Answers, Problem> {
    let prompt = prompter.prompt();
    let mut paths = Vec::new();
    for (words, value) in [(&prompt.yes, YES), (&prompt.no, NO)] {
        for word in words {
            paths.push((prompter.answer_ids(word)?, value));
        }
    }
    Ok(Answers::new(paths, 2))
}

/// Numbers 0 to the highest, and as the last value all that go on beyond it.
fn counts(prompter: &Prompter) -> Result<Answers, Problem> {
    let prompt = prompter.prompt();
    let highest = prompt.max_count;
    let beyond = (1..=highest).flat_map(|n| (0..10).map(move |digit| n * 10 + digit));
    let numbers: Vec<usize> = (0..=highest)
        .chain(beyond.filter(|n| *n > highest))
        .collect();
    let mut paths = Vec::new();
    for spelling in &prompt.count_spellings {
        for &n in &numbers {
            let path = prompter.answer_ids(&spelling.replacen("{n}", &n.to_string(), 1))?;
            paths.push((path, n.min(highest + 1)));
        }
    }
    Ok(Answers::new(paths, highest + 2))
}

fn yes_or_no(yes: f64, no: f64, by: YesNoCalibration) -> Value {
    // Floor: probabilities that vanish in f64 still compare.
    let ratio = (yes.max(1e-30) / no.max(1e-30)).ln();
    let logit = ratio / by.temperature as f64 + by.bias as f64;
    let p = (1.0 / (1.0 + (-logit).exp())) as f32;
    let readable = (yes + no).is_finite() && p.is_finite() && yes + no > 1e-30;
    match readable && p.max(1.0 - p) >= by.unsure_below {
        true => Value::YesNo(p),
        false => Value::Unknown(Unknown::Unsure),
    }
}

fn count(mut weights: Vec<f64>, by: CountCalibration, open_ended: bool) -> Value {
    let beyond = weights.pop().unwrap_or(0.0);
    if let Some(last) = weights.last_mut().filter(|_| open_ended) {
        *last += beyond;
    }
    // Scaled to the highest first: f32 holds no 1e-60.
    let highest = weights.iter().copied().fold(0.0, f64::max);
    let tempered = |w: f64| ((w / highest).powf(1.0 / by.temperature as f64)) as f32;
    match CountBelief::from_weights(weights.into_iter().map(tempered).collect()) {
        Some(belief) if belief.masses()[belief.most_likely()] >= by.unsure_below => {
            Value::Count(belief)
        }
        _ => Value::Unknown(Unknown::Unsure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_no_is_scaled_and_may_be_unsure() {
        let by = YesNoCalibration::default();
        assert!(matches!(yes_or_no(0.3, 0.1, by), Value::YesNo(p) if (p - 0.75).abs() < 1e-6));
        let biased = YesNoCalibration {
            bias: -3f32.ln(),
            ..by
        };
        assert!(matches!(yes_or_no(0.3, 0.1, biased), Value::YesNo(p) if (p - 0.5).abs() < 1e-6));
        let strict = YesNoCalibration {
            unsure_below: 0.8,
            ..by
        };
        assert_eq!(yes_or_no(0.3, 0.1, strict), Value::Unknown(Unknown::Unsure));
        assert_eq!(yes_or_no(0.0, 0.0, by), Value::Unknown(Unknown::Unsure));
        assert_eq!(
            yes_or_no(f64::NAN, 0.1, by),
            Value::Unknown(Unknown::Unsure)
        );
    }

    #[test]
    fn counts_beyond_the_last_are_the_last_if_open_ended() {
        let by = CountCalibration::default();
        let Value::Count(open) = count(vec![0.1, 0.1, 0.2], by, true) else {
            panic!()
        };
        assert_eq!(open.most_likely(), 1);
        let Value::Count(shut) = count(vec![0.1, 0.3, 0.2], by, false) else {
            panic!()
        };
        assert!((shut.masses()[1] - 0.75).abs() < 1e-6);
        let sharp = CountCalibration {
            temperature: 0.5,
            ..by
        };
        let Value::Count(sharp) = count(vec![0.1, 0.2, 0.0], sharp, true) else {
            panic!()
        };
        assert!((sharp.masses()[1] - 0.8).abs() < 1e-6);
        assert_eq!(
            count(vec![0.0; 3], by, true),
            Value::Unknown(Unknown::Unsure)
        );
        let Value::Count(tiny) = count(vec![1e-60, 3e-60, 0.0], by, true) else {
            panic!()
        };
        assert!((tiny.masses()[1] - 0.75).abs() < 1e-6);
    }
}
