use scene::{QuestionKind, Source};
use serde::Serialize;

use crate::ask::concept;
use scene::ports::Knowledge;

use crate::{Armed, Defaults, Predicate, Refusal, Rule, Site, arm, read};

/// A question as the echo shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EchoQuestion {
    /// The sentence that the model is asked.
    pub ask: String,
    /// `count`, `presence` or `state`.
    pub kind: &'static str,
    /// The drawn zone that is looked at, by its id; `null` is the whole frame.
    pub crop: Option<String>,
}

/// What a rule costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// The interval from look to look, seconds.
    pub check_every_seconds: f64,
    /// Energy of one look, joules.
    pub joules_per_check: f64,
    /// Average power, watts.
    pub watts: f64,
    /// Measured or modelled.
    pub source: Source,
}

/// What the camera made of a sentence; serialises to the contract's form with
/// every key present.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Echo {
    /// The rule; `null` if it was refused.
    pub understood: Option<Rule>,
    /// The refusal; `null` if it was understood.
    pub error: Option<Refusal>,
    /// What is applied where the sentence is silent.
    pub defaults: Option<Defaults>,
    /// The rule in one plain sentence, with all defaults.
    pub says: Option<String>,
    /// What the model is asked.
    pub questions: Vec<EchoQuestion>,
    /// What it costs; `null` until costs are known.
    pub cost: Option<Cost>,
    /// Weaker readings and other things a person should know.
    pub notes: Vec<String>,
}

impl Echo {
    /// The echo of a refused sentence.
    pub fn refused(refusal: Refusal) -> Self {
        Self {
            understood: None,
            error: Some(refusal),
            defaults: None,
            says: None,
            questions: Vec::new(),
            cost: None,
            notes: Vec::new(),
        }
    }

    /// The echo of a rule that is understood but not armed.
    pub fn understood(rule: &Rule) -> Self {
        Self {
            understood: Some(rule.clone()),
            error: None,
            defaults: Some(rule.defaults()),
            says: Some(rule.says()),
            questions: Vec::new(),
            cost: None,
            notes: Vec::new(),
        }
    }

    /// The echo of an armed rule. `cost` is for the caller to fill.
    pub fn armed(armed: &Armed) -> Self {
        let leaves = armed.rule().leaves();
        let kind = |q: &scene::Question| match q.kind {
            QuestionKind::Count => "count",
            _ => {
                let asks_state = leaves.iter().any(|l| {
                    l.predicate == Some(Predicate::State) && Some(&concept(l)) == q.about.as_ref()
                });
                if asks_state { "state" } else { "presence" }
            }
        };
        let questions = armed.questions().iter().map(|q| EchoQuestion {
            ask: q.ask.clone(),
            kind: kind(q),
            crop: q.crop.as_ref().map(|id| id.to_string()),
        });
        Self {
            questions: questions.collect(),
            notes: armed.notes().to_vec(),
            ..Self::understood(armed.rule())
        }
    }
}

/// Reads `text` and arms it: the echo, and the armed rule unless it was refused.
pub fn check(text: &str, site: &Site<'_>, senses: &dyn Knowledge) -> (Echo, Option<Armed>) {
    let result = read(text).and_then(|rule| arm(&rule, site, senses));
    match result {
        Ok(armed) => (Echo::armed(&armed), Some(armed)),
        Err(refusal) => (Echo::refused(refusal), None),
    }
}
