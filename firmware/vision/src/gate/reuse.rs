//! A model behind the gate.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use scene::ports::{Cancel, Knowledge, Model};
use scene::{
    Answer, BBox, Detection, Frame, Joules, Mono, OperatingPoint, Polygon, Quantity, Question,
    Sight, Unknown, Value, Zone,
};

use super::agree::{Comparable, middle};
use super::change::{Difference, Noise, Sensitivity};
use super::plane::Plane;

/// Questions whose answers are remembered. Full-policy: the one that was asked
/// longest ago goes, and is asked anew when it comes again. 32 rules with
/// their questions fit; a plane is 58 kB and is shared by all questions that
/// were asked together.
const MAX_QUESTIONS: usize = 64;

/// When answers are given again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// An answer is never given again when its frame is older than this. What
    /// the gate overlooks is seen this much later at worst. The default is the
    /// time for which a rule trusts its last look if none comes
    /// (`rules::life::MIN_GAP_LIMIT`).
    pub max_age: Duration,
    /// Fresh looks in a row that must agree, nothing having changed, before
    /// their answer is given again; ≥ 1. A rule smooths over answers so that a
    /// bad one does no harm; one that is repeated would. Two bad ones in a row
    /// fire a rule without any gate, so that with 3 the gate adds no mistake.
    pub looks: usize,
    /// A zone is watched for change with this share of its size added on every
    /// side, 0..1: the crop that a model is shown is grown by
    /// [`crate::Options::crop_margin`].
    pub margin: f32,
    /// What counts as a change.
    pub sensitivity: Sensitivity,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(30),
            looks: 3,
            margin: 0.1,
            sensitivity: Sensitivity::default(),
        }
    }
}

/// Fresh finds of one thing while nothing changed, newest last.
#[derive(Debug)]
struct Run<T> {
    /// Of the newest.
    plane: Arc<Plane>,
    at: Mono,
    finds: VecDeque<T>,
}

/// An answer, and what it is an answer to: whatever the question, the zone or
/// its outline changes makes it another one.
#[derive(Debug)]
struct Kept {
    question: Question,
    zone: Option<Polygon>,
    part: BBox,
    run: Option<Run<Found>>,
}

/// A fresh answer, and who gave it: the model may run at another operating
/// point by the time it is given again.
#[derive(Debug)]
struct Found {
    value: Value,
    model: String,
}

impl Comparable for Found {
    fn distance(&self, other: &Self) -> f32 {
        self.value.distance(&other.value)
    }

    fn agrees(&self, other: &Self) -> bool {
        self.value.agrees(&other.value)
    }
}

/// Stands before a model and gives its answers again while nothing changed.
///
/// An answer is given again if its zone (the whole picture without one) shows
/// no change since the last fresh answer, that one is younger than
/// [`Config::max_age`], and the last [`Config::looks`] fresh ones agreed. The
/// rest is asked of the model together, in one look. Detections are treated
/// like an answer about the whole picture. `Unknown` is never given again. A
/// model that is exchanged takes its gate along, and the new one knows nothing.
pub struct Gated {
    inner: Box<dyn Model>,
    config: Config,
    noise: Option<Noise>,
    last: Option<(Mono, Arc<Plane>)>,
    /// The one that was asked last is last.
    kept: VecDeque<Kept>,
    seen: Option<Run<Vec<Detection>>>,
}

/// What changed between this picture and earlier ones, each compared once.
struct Changes<'g> {
    now: &'g Plane,
    noise: Option<&'g Noise>,
    sensitivity: &'g Sensitivity,
    known: Vec<(Arc<Plane>, Option<Difference>)>,
}

impl Changes<'_> {
    /// Whether something changed in `part` since `then`, or that can't be
    /// known.
    fn since(&mut self, then: &Arc<Plane>, part: BBox) -> bool {
        let Some(noise) = self.noise else { return true };
        let at = self.known.iter().position(|(p, _)| Arc::ptr_eq(p, then));
        let at = at.unwrap_or_else(|| {
            let difference = Difference::between(then, self.now, noise, self.sensitivity);
            self.known.push((Arc::clone(then), difference));
            self.known.len() - 1
        });
        (self.known[at].1.as_ref()).is_none_or(|difference| difference.changed(part))
    }
}

impl<T: Comparable> Run<T> {
    /// What may be given again at `at` without looking, and its age.
    fn again(
        &self,
        at: Mono,
        part: BBox,
        config: &Config,
        changes: &mut Changes,
    ) -> Option<(&T, Duration)> {
        let age = at.since(self.at);
        let good = self.finds.len() >= config.looks.max(1) && at >= self.at;
        let again = good && age <= config.max_age && !changes.since(&self.plane, part);
        middle(self.finds.iter())
            .filter(|_| again)
            .map(|find| (find, age))
    }

    /// The run with a fresh find, or a new one if anything changed.
    fn went_on(
        before: Option<Self>,
        find: T,
        (at, plane): (Mono, &Arc<Plane>),
        part: BBox,
        config: &Config,
        changes: &mut Changes,
    ) -> Self {
        let goes_on = |run: &Self| {
            at > run.at
                && run.finds.back().is_some_and(|last| last.agrees(&find))
                && !changes.since(&run.plane, part)
        };
        let mut finds = match before.filter(goes_on) {
            Some(run) => run.finds,
            None => VecDeque::new(),
        };
        finds.push_back(find);
        while finds.len() > config.looks.max(1) {
            finds.pop_front();
        }
        Self {
            plane: Arc::clone(plane),
            at,
            finds,
        }
    }
}

impl Gated {
    /// A gate before `inner` that knows nothing yet.
    pub fn new(inner: Box<dyn Model>, config: Config) -> Self {
        Self {
            inner,
            config,
            noise: None,
            last: None,
            kept: VecDeque::new(),
            seen: None,
        }
    }

    fn forget(&mut self) {
        self.noise = None;
        self.last = None;
        self.kept.clear();
        self.seen = None;
    }

    /// Puts the memory of `question` last, a new one if there is none.
    fn remember(&mut self, question: &Question, zone: Option<&Polygon>) {
        let known = self.remembered(question, zone);
        let kept = known.and_then(|at| self.kept.remove(at));
        self.kept.push_back(kept.unwrap_or_else(|| Kept {
            question: question.clone(),
            part: zone.map_or(BBox::WHOLE, |p| p.bounds().grown(self.config.margin)),
            zone: zone.cloned(),
            run: None,
        }));
    }

    fn remembered(&self, question: &Question, zone: Option<&Polygon>) -> Option<usize> {
        (self.kept.iter()).position(|kept| kept.question == *question && kept.zone.as_ref() == zone)
    }

    /// Takes in this picture as the newest.
    fn learn(&mut self, at: Mono, plane: Arc<Plane>) {
        if let (Some((before, last)), Some(noise)) = (&self.last, &mut self.noise)
            && at > *before
        {
            noise.learn(last, &plane, &self.config.sensitivity);
        }
        self.last = Some((at, plane));
    }

    /// Whether the detector answers `question`, so that it costs nothing more
    /// once that runs.
    fn detected(knowledge: &dyn Knowledge, question: &Question) -> bool {
        (question.about.as_ref()).is_some_and(|about| {
            about.qualifiers.is_empty() && !knowledge.classes_for(&about.noun).is_empty()
        })
    }
}

fn again(found: &Found, age: Duration) -> Answer {
    Answer {
        value: found.value.clone(),
        model: found.model.clone(),
        latency: Duration::ZERO,
        joules: Quantity::modelled(Joules(0.0)),
        age: Some(age),
    }
}

/// In place of an answer that the model owes.
fn lost() -> Answer {
    Answer {
        value: Value::Unknown(Unknown::Failed("the model left a question out".into())),
        model: String::new(),
        latency: Duration::ZERO,
        joules: Quantity::modelled(Joules(0.0)),
        age: None,
    }
}

impl Model for Gated {
    fn knowledge(&self) -> Arc<dyn Knowledge> {
        self.inner.knowledge()
    }

    fn canceller(&self) -> Arc<dyn Cancel> {
        self.inner.canceller()
    }

    fn points(&self) -> Vec<OperatingPoint> {
        self.inner.points()
    }

    /// What is remembered stays: it is the same model's, and it is given again
    /// no longer than ever.
    fn run_at(&mut self, point: &OperatingPoint) -> Result<(), String> {
        self.inner.run_at(point)
    }

    fn look(
        &mut self,
        frame: &Frame,
        zones: &[Zone],
        questions: &[Question],
        detect: bool,
        deadline: Duration,
    ) -> Sight {
        let plane = Arc::new(Plane::of(frame));
        let at = frame.captured.mono;
        // Another format, or a source whose time begins anew.
        let another = |(last, of): &(Mono, Arc<Plane>)| of.size() != plane.size() || at < *last;
        if self.last.as_ref().is_some_and(another) {
            self.forget();
        }
        // What is known of the noise is from before this picture, but for the
        // first pair.
        if let (None, Some((before, last))) = (&self.noise, &self.last)
            && at > *before
        {
            self.noise = Some(Noise::new(last, &plane, self.config.sensitivity.band));
        }
        if questions.len() > MAX_QUESTIONS {
            self.learn(at, plane);
            return self.inner.look(frame, zones, questions, detect, deadline);
        }
        let outline = |question: &Question| {
            let name = question.crop.as_ref()?;
            let zone = zones.iter().find(|zone| zone.name == *name)?;
            Some(&zone.polygon)
        };
        for question in questions {
            self.remember(question, outline(question));
        }
        while self.kept.len() > MAX_QUESTIONS {
            self.kept.pop_front();
        }
        // Those of this look are the last ones, so none of them went.
        let place = |question| {
            self.remembered(question, outline(question))
                .unwrap_or_default()
        };
        let places: Vec<usize> = questions.iter().map(place).collect();

        let config = self.config;
        let mut changes = Changes {
            now: &plane,
            noise: self.noise.as_ref(),
            sensitivity: &config.sensitivity,
            known: Vec::new(),
        };
        let mut answers: Vec<Option<Answer>> = (places.iter())
            .map(|&place| {
                let kept = &self.kept[place];
                let run = kept.run.as_ref()?;
                let (found, age) = run.again(at, kept.part, &config, &mut changes)?;
                Some(again(found, age))
            })
            .collect();
        let mut detections = (self.seen.as_ref())
            .filter(|_| detect)
            .and_then(|run| run.again(at, BBox::WHOLE, &config, &mut changes))
            .map(|(all, age)| (all.clone(), age));

        // Where the detector runs anyway, all that it knows is fresh.
        let knowledge = self.inner.knowledge();
        let by_detector = |at: &usize| Self::detected(&*knowledge, &questions[*at]);
        let every = || 0..questions.len();
        let asked_for_it = every().any(|at| answers[at].is_none() && by_detector(&at));
        let runs = detect && (detections.is_none() || asked_for_it);
        if runs {
            detections = None;
            for at in every().filter(by_detector) {
                answers[at] = None;
            }
        }

        let open: Vec<usize> = every().filter(|at| answers[*at].is_none()).collect();
        let sight = (runs || !open.is_empty()).then(|| {
            let asked: Vec<Question> = open.iter().map(|&at| questions[at].clone()).collect();
            self.inner.look(frame, zones, &asked, runs, deadline)
        });
        let (mut joules, mut latency) = (Quantity::modelled(Joules(0.0)), Duration::ZERO);
        let mut detections_age = detections.as_ref().map(|(_, age)| *age);
        let mut detections = detections.map(|(all, _)| all);
        if let Some(sight) = sight {
            (joules, latency) = (sight.joules, sight.latency);
            for (&index, answer) in open.iter().zip(sight.answers) {
                let kept = &mut self.kept[places[index]];
                // A question that was put twice counts once.
                if (kept.run.as_ref()).is_some_and(|run| Arc::ptr_eq(&run.plane, &plane)) {
                    answers[index] = Some(answer);
                    continue;
                }
                let before = kept.run.take();
                kept.run = (!matches!(answer.value, Value::Unknown(_))).then(|| {
                    let found = Found {
                        value: answer.value.clone(),
                        model: answer.model.clone(),
                    };
                    let now = (at, &plane);
                    Run::went_on(before, found, now, kept.part, &config, &mut changes)
                });
                answers[index] = Some(answer);
            }
            if runs {
                let before = self.seen.take();
                self.seen = sight.detections.as_ref().map(|all| {
                    let (all, now) = (all.clone(), (at, &plane));
                    Run::went_on(before, all, now, BBox::WHOLE, &config, &mut changes)
                });
                (detections, detections_age) = (sight.detections, None);
            }
        }
        self.learn(at, plane);
        Sight {
            answers: answers
                .into_iter()
                .map(|a| a.unwrap_or_else(lost))
                .collect(),
            detections,
            detections_age,
            joules,
            latency,
        }
    }
}
