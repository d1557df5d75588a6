use std::sync::{Arc, Mutex};
use std::time::Duration;

use scene::ports::{Ability, Knowledge, Model};
use scene::{
    Answer, CountBelief, Detection, Frame, Joules, Quantity, Question, QuestionKind, Sight,
    Unknown, Value, Zone,
};

/// What a look costs: 2 W while it lasts, as one ARM core does.
const LOOK_JOULES: f64 = 0.4;
const LOOK_LATENCY: Duration = Duration::from_millis(200);

/// What a [`SimModel`] says: set by the test, read at each look.
#[derive(Clone, Debug, Default)]
pub struct Scripted {
    /// Answers to questions by their words; what is not here is `Unsure`.
    pub answers: Vec<(String, Value)>,
    /// What the detector sees; `None` is a model without a detector.
    pub detections: Option<Vec<Detection>>,
    /// If set, every question is answered with this.
    pub failing: Option<Unknown>,
}

/// A model that says what its script says. Questions about a plain noun are
/// answered from the scripted detections, as a real detector's are.
pub struct SimModel {
    script: Arc<Mutex<Scripted>>,
    classes: Vec<String>,
    looks: Arc<Mutex<u64>>,
}

struct SimKnowledge {
    classes: Vec<String>,
}

impl SimModel {
    /// A model whose detector knows `classes` and that tries everything else.
    pub fn new(classes: &[&str]) -> Self {
        Self {
            script: Arc::default(),
            classes: classes.iter().map(|c| c.to_string()).collect(),
            looks: Arc::default(),
        }
    }

    /// The script, shared with the test.
    pub fn script(&self) -> Arc<Mutex<Scripted>> {
        self.script.clone()
    }

    /// How often it looked, shared with the test.
    pub fn looks(&self) -> Arc<Mutex<u64>> {
        self.looks.clone()
    }
}

impl Knowledge for SimKnowledge {
    fn name(&self) -> String {
        "sim/1".into()
    }

    fn ability(&self, question: &Question) -> Ability {
        match &question.about {
            Some(about) if about.noun == "giraffe" => {
                Ability::Cannot("sim was not trained on 'giraffe'; install smolvlm-256m".into())
            }
            _ => Ability::Tries,
        }
    }

    fn classes_for(&self, noun: &str) -> Vec<String> {
        self.classes
            .iter()
            .filter(|c| *c == noun)
            .cloned()
            .collect()
    }

    fn classes(&self) -> Vec<String> {
        self.classes.clone()
    }
}

impl Model for SimModel {
    fn knowledge(&self) -> Arc<dyn Knowledge> {
        Arc::new(SimKnowledge {
            classes: self.classes.clone(),
        })
    }

    fn look(
        &mut self,
        _frame: &Frame,
        _zones: &[Zone],
        questions: &[Question],
        detect: bool,
        _deadline: Duration,
    ) -> Sight {
        *self.looks.lock().expect("no test panicked") += 1;
        let script = self.script.lock().expect("no test panicked").clone();
        let joules = Quantity::modelled(Joules(LOOK_JOULES));
        let latency = LOOK_LATENCY;
        let answers = questions
            .iter()
            .map(|question| Answer {
                value: script.say(question),
                model: "sim/1".into(),
                latency,
                joules: Quantity::modelled(Joules(LOOK_JOULES / questions.len() as f64)),
                age: None,
            })
            .collect();
        Sight {
            answers,
            detections: script.detections.filter(|_| detect),
            detections_age: None,
            joules,
            latency,
        }
    }
}

impl Scripted {
    fn say(&self, question: &Question) -> Value {
        if let Some(unknown) = &self.failing {
            return Value::Unknown(unknown.clone());
        }
        if let Some((_, value)) = self.answers.iter().find(|(ask, _)| *ask == question.ask) {
            return value.clone();
        }
        let (Some(seen), Some(about)) = (&self.detections, &question.about) else {
            return Value::Unknown(Unknown::Unsure);
        };
        let scores = seen
            .iter()
            .filter(|d| d.class == about.noun)
            .map(|d| d.score);
        match question.kind {
            QuestionKind::Count => Value::Count(CountBelief::from_independent(scores)),
            QuestionKind::YesNo => {
                Value::YesNo(1.0 - scores.map(|score| 1.0 - score).product::<f32>())
            }
            QuestionKind::Text => Value::Unknown(Unknown::Unsure),
        }
    }
}
