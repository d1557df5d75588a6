//! The cascade: detector first, language model for the rest.

mod language;
mod mind;
mod points;

use std::sync::Arc;
use std::time::Duration;

use scene::ports::{Cancel, Knowledge, Model};
use scene::{
    Answer, BBox, CountBelief, Detection, Frame, Id, OperatingPoint, Polygon, Question,
    QuestionKind, Sight, Unknown, Value, Zone,
};

use language::Language;
use mind::{Mind, Route};
use points::Points;

use crate::Options;
use crate::brake::{Brake, Halt, Stop};
use crate::cost::Meter;
use crate::detect::Detector;
use crate::package::{Kind, Package, Problem};
use crate::runtime::Runtime;
use crate::vlm::{Cache, Engine};

/// Loaded packages that answer questions about frames.
#[derive(Debug)]
pub struct Eyes {
    mind: Arc<Mind>,
    detector: Option<Detector>,
    language: Option<Language>,
    meter: Meter,
    crop_margin: f32,
    brake: Brake,
    points: Points,
}

/// Two boxes of *different* classes that overlap more than this are one thing
/// seen twice ("handbag" and "suitcase" round one bag).
const SAME_THING_IOU: f32 = 0.6;

/// One look at one frame, as it goes.
struct Look<'l> {
    frame: &'l Frame,
    zones: &'l [Zone],
    stop: Stop,
    found: Vec<Option<Found>>,
}

/// An answer, and the CPU time that is its alone or its share.
struct Found {
    value: Value,
    model: String,
    latency: Duration,
    cpu: Duration,
}

impl Eyes {
    pub(crate) fn open(runtime: &Runtime, options: &Options) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut detector: Option<(Package, Detector)> = None;
        let mut language = None;
        let kinds = [
            (&options.detector, Kind::Detector),
            (&options.vlm, Kind::Vlm),
        ];
        for (folder, kind) in kinds {
            let Some(folder) = folder else { continue };
            let variant = options.variant.as_deref().filter(|_| kind == Kind::Vlm);
            let package = match Package::read(folder, variant) {
                Ok(package) => package,
                Err(found) => {
                    problems.extend(found);
                    continue;
                }
            };
            let loaded = match (kind, package.manifest.kind) {
                (Kind::Detector, Kind::Detector) => {
                    Detector::load(runtime, &package, options.threads)
                        .map(|loaded| detector = Some((package, loaded)))
                }
                (Kind::Vlm, Kind::Vlm) => Language::load(runtime, package, options.threads, None)
                    .map(|loaded| language = Some(loaded)),
                (wanted, is) => {
                    let what = format!("is a package of kind {is:?}, not {wanted:?}");
                    Err(vec![Problem::new(folder.display().to_string(), what)])
                }
            };
            problems.extend(loaded.err().into_iter().flatten());
        }
        let spoken: Option<&Language> = language.as_ref();
        let mind = Mind::new(
            detector.as_ref().map(|(package, _)| package),
            spoken.map(|language| (language.package(), language.prompter())),
        );
        let brake = Brake::new().map_err(|problem| vec![problem])?;
        let (package, side) = match &detector {
            Some((package, detector)) => (Some(package), detector.side()),
            None => (None, 0),
        };
        let points = Points::new(runtime, options, spoken, package.map(|p| (p, side)));
        match problems.is_empty() {
            true => Ok(Self {
                brake,
                points,
                mind: Arc::new(mind),
                detector: detector.map(|(_, detector)| detector),
                language,
                meter: Meter::new(options.watts_per_core, options.threads),
                crop_margin: options.crop_margin.clamp(0.0, 1.0),
            }),
            false => Err(problems),
        }
    }

    /// The language model's engine, for the bench.
    pub(crate) fn engine(&mut self) -> Result<&mut Engine, Problem> {
        let language = self.language.as_mut();
        let engine = language.map(|language| &mut language.engine);
        engine.ok_or_else(|| Problem::new("the bench", "needs a package of kind vlm"))
    }

    /// What follows the shared prefix when the language model is asked
    /// `question`, for the bench.
    pub(crate) fn suffix_of(&self, question: &Question) -> Result<Vec<u32>, Problem> {
        match self.mind.route(question) {
            Route::Language { suffix, .. } => Ok(suffix),
            Route::Cannot(why) => Err(Problem::new("the bench's question", why.to_string())),
            Route::Detector { model, .. } => {
                let what = format!("is answered by the detector of {model}");
                Err(Problem::new("the bench's question", what))
            }
        }
    }

    /// Reads and scores one question after `prefix`, for the bench.
    pub(crate) fn score(
        &mut self,
        prefix: &Cache,
        suffix: &[u32],
        kind: QuestionKind,
        stop: &Stop,
    ) -> Result<(), Problem> {
        if let Some(language) = &mut self.language {
            language.ask(prefix, suffix, kind, None, stop)?;
        }
        Ok(())
    }

    /// Bytes of weights and cache that the language model's graphs have read
    /// and written so far, for the bench.
    pub(crate) fn bytes_moved(&self) -> u64 {
        let moved = self.language.as_ref().map(|l| l.engine.bytes_moved());
        moved.unwrap_or(0)
    }

    fn answer_from(
        look: &Look,
        detections: &[Detection],
        classes: &[String],
        question: &Question,
    ) -> Value {
        let zone = match zone_of(look.zones, &question.crop) {
            Ok(zone) => zone,
            Err(unknown) => return Value::Unknown(unknown),
        };
        let things = things(detections, classes, zone.map(|zone| &zone.polygon));
        let belief = CountBelief::from_independent(things);
        match question.kind {
            QuestionKind::YesNo => Value::YesNo(belief.probability(|n| n > 0)),
            _ => Value::Count(belief),
        }
    }
}

fn zone_of<'z>(zones: &'z [Zone], crop: &Option<Id>) -> Result<Option<&'z Zone>, Unknown> {
    match crop {
        None => Ok(None),
        Some(name) => match zones.iter().find(|zone| zone.name == *name) {
            Some(zone) => Ok(Some(zone)),
            None => Err(Unknown::NoSuchZone(name.to_string())),
        },
    }
}

/// The scores of the things of `classes` whose foot is in `zone`, each thing
/// once whatever it was taken for.
fn things(detections: &[Detection], classes: &[String], zone: Option<&Polygon>) -> Vec<f32> {
    let inside = |bbox: &BBox| {
        let mut foot = bbox.foot();
        // A box cut by the picture's edge stands on it; a zone drawn to the
        // edge ends just before.
        foot.x = foot.x.clamp(0.001, 0.999);
        foot.y = foot.y.clamp(0.001, 0.999);
        zone.is_none_or(|zone| zone.contains(foot))
    };
    let mut kept: Vec<&Detection> = Vec::new();
    // Best first, as detectors give them.
    for next in detections
        .iter()
        .filter(|d| classes.contains(&d.class) && inside(&d.bbox))
    {
        let twin =
            |k: &&Detection| k.class != next.class && k.bbox.iou(&next.bbox) > SAME_THING_IOU;
        if !kept.iter().any(twin) {
            kept.push(next);
        }
    }
    kept.iter().map(|d| d.score).collect()
}

fn unknown(halt: &Halt) -> Unknown {
    match halt {
        Halt::Timeout => Unknown::Timeout,
        Halt::Cancelled => Unknown::Cancelled,
        Halt::Failed(problem) => Unknown::Failed(problem.to_string()),
    }
}

impl Look<'_> {
    fn settle(&mut self, index: usize, value: Value, model: &str, cpu: Duration) {
        let latency = self.stop.elapsed();
        self.found[index] = Some(Found {
            value,
            model: model.to_owned(),
            latency,
            cpu,
        });
    }

    fn settle_all(&mut self, indexes: &[usize], why: &Halt, model: &str) {
        for &index in indexes {
            if self.found[index].is_none() {
                self.settle(index, Value::Unknown(unknown(why)), model, Duration::ZERO);
            }
        }
    }
}

fn share(cpu: Duration, among: usize) -> Duration {
    cpu / u32::try_from(among.max(1)).unwrap_or(u32::MAX)
}

impl Model for Eyes {
    fn knowledge(&self) -> Arc<dyn Knowledge> {
        Arc::clone(&self.mind) as Arc<dyn Knowledge>
    }

    fn canceller(&self) -> Arc<dyn Cancel> {
        Arc::new(self.brake.canceller())
    }

    fn points(&self) -> Vec<OperatingPoint> {
        self.points.all()
    }

    fn run_at(&mut self, point: &OperatingPoint) -> Result<(), String> {
        self.change_to(point)
    }

    fn look(
        &mut self,
        frame: &Frame,
        zones: &[Zone],
        questions: &[Question],
        detect: bool,
        deadline: Duration,
    ) -> Sight {
        let meter = self.meter;
        let start = meter.read();
        let mut look = Look {
            frame,
            zones,
            stop: self.brake.look(deadline),
            found: questions.iter().map(|_| None).collect(),
        };
        let mind = Arc::clone(&self.mind);
        let routes: Vec<Route> = questions.iter().map(|q| mind.route(q)).collect();
        let everyone = mind.name();
        let mut by_detector = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            match route {
                Route::Cannot(why) => {
                    look.settle(
                        index,
                        Value::Unknown(why.clone()),
                        &everyone,
                        Duration::ZERO,
                    );
                }
                Route::Detector { .. } => by_detector.push(index),
                Route::Language { .. } => {}
            }
        }

        let wanted: Vec<&String> = (routes.iter())
            .filter_map(|route| match route {
                Route::Detector { classes, .. } => Some(classes),
                _ => None,
            })
            .flatten()
            .collect();
        let package =
            self.detector.is_some() && (detect || wanted.iter().any(|c| mind.package_knows(c)));
        let head = self.language.as_ref().is_some_and(Language::detects)
            && ((detect && mind.head_adds()) || wanted.iter().any(|c| !mind.package_knows(c)));
        let mut detections: Option<Vec<Detection>> = None;
        let mut failed: Option<Halt> = None;
        if package && let Some(detector) = &mut self.detector {
            match detector.look(frame, &look.stop) {
                Ok(found) => detections = Some(found),
                Err(halt) => failed = Some(halt),
            }
        }
        if head
            && failed.is_none()
            && let Some(language) = &mut self.language
        {
            match language.detections(frame, &look.stop) {
                Ok(found) => {
                    let all = detections.get_or_insert_default();
                    all.extend(found.into_iter().filter(|d| !mind.package_knows(&d.class)));
                    all.sort_by(|a, b| b.score.total_cmp(&a.score));
                }
                Err(halt) => failed = Some(halt),
            }
        }
        if let Some(halt) = &failed {
            // Half a list would pass for "saw nothing" of the other half.
            detections = None;
            if let Halt::Failed(problem) = halt {
                tracing::warn!(%problem, "detection failed");
            }
            look.settle_all(&by_detector, halt, &everyone);
        }
        let each = share(meter.read() - start, by_detector.len());
        let head_name = mind.language_name();
        for &index in &by_detector {
            if let (Some(detections), Route::Detector { model, classes }) =
                (&detections, &routes[index])
            {
                let value = Self::answer_from(&look, detections, classes, &questions[index]);
                // The vision graph's own detections depend on the point.
                let at_point = self.language.as_ref().map(Language::name);
                let at_point = at_point.filter(|_| head_name.as_ref() == Some(model));
                look.settle(index, value, at_point.unwrap_or(model), each);
            }
        }

        if let Some(language) = &mut self.language {
            language.answer(&mut look, questions, &routes, &meter, self.crop_margin);
        }

        let answers = look.found.into_iter().map(|found| {
            let found = found.unwrap_or_else(|| Found {
                value: Value::Unknown(Unknown::Failed(
                    "no part of the model took the question".into(),
                )),
                model: everyone.clone(),
                latency: look.stop.elapsed(),
                cpu: Duration::ZERO,
            });
            Answer {
                value: found.value,
                model: found.model,
                latency: found.latency,
                joules: meter.joules(found.cpu),
                age: None,
            }
        });
        Sight {
            answers: answers.collect(),
            detections: detections.filter(|_| detect),
            detections_age: None,
            joules: meter.joules(meter.read() - start),
            latency: look.stop.elapsed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(class: &str, score: f32, x: f32, foot: f32) -> Detection {
        Detection {
            class: class.into(),
            score,
            bbox: BBox {
                x,
                y: foot - 0.2,
                w: 0.1,
                h: 0.2,
            },
        }
    }

    #[test]
    fn things_are_counted_once_and_by_their_feet() {
        let classes = ["handbag".to_owned(), "suitcase".to_owned()];
        let all = [
            seen("suitcase", 0.9, 0.1, 0.5),
            seen("handbag", 0.8, 0.1, 0.5),
            seen("handbag", 0.7, 0.6, 1.0),
            seen("person", 0.9, 0.6, 1.0),
        ];
        assert_eq!(things(&all, &classes, None), [0.9, 0.7]);
        let lower = Polygon::new(vec![
            [0.0, 0.8].into(),
            [1.0, 0.8].into(),
            [1.0, 1.0].into(),
            [0.0, 1.0].into(),
        ])
        .unwrap();
        assert_eq!(things(&all, &classes, Some(&lower)), [0.7]);
    }

    #[test]
    fn shares_survive_nobody() {
        assert_eq!(share(Duration::from_secs(1), 0), Duration::from_secs(1));
        assert_eq!(share(Duration::from_secs(1), 4), Duration::from_millis(250));
    }
}
