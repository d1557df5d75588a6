//! Questions by operators: about the frame now (`ask`), or what the camera
//! would make of a sentence (`check`).

use scene::{Answer, Id, OperatingPoint, Quantity, Question, QuestionKind, Unknown, Value};
use serde::Serialize;

use super::Watch;
use super::event::Effect;
use super::inbox::{self, ReplyTo};

/// Questions that may wait for a frame. When full, a further one is refused
/// with an answer that says so.
pub const MAX_ASKS: usize = 8;

/// A question that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) question: Question,
    /// `None`: nobody waits, it is there for what it costs.
    reply: Option<ReplyTo>,
}

impl Ask {
    pub(super) fn is_trial(&self) -> bool {
        self.reply.is_none()
    }
}

/// An answer as `ask` prints and publishes it.
#[derive(Clone, Debug, Serialize)]
pub struct AskAnswer {
    /// Version of this form: 1.
    pub v: u8,
    /// `yes`, `no`, a count, a text, or `unknown`.
    pub answer: String,
    /// Probability of that answer, 0..1.
    pub confidence: f32,
    /// Why it is unknown.
    pub why: Option<String>,
    /// How old the answer is if nothing changed since and it was given again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_age_seconds: Option<f64>,
    /// From the start of the look to the answer.
    pub latency_ms: u64,
    /// Energy of the answer.
    pub joules: Quantity<f64>,
    /// Who answered.
    pub model: ModelName,
    /// How the model was run, if it was for this answer and that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<OperatingPoint>,
    /// The question, as it was put to the model.
    pub question: String,
    /// Sent back as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// `id/version[/variant]`, taken apart.
#[derive(Clone, Debug, Serialize)]
pub struct ModelName {
    /// The package's id.
    pub id: String,
    /// Its version.
    pub version: Option<String>,
    /// Which of its variants.
    pub variant: Option<String>,
}

impl ModelName {
    /// Takes `name` apart.
    pub fn parse(name: &str) -> Self {
        let mut parts = name.splitn(3, '/').map(str::to_string);
        Self {
            id: parts.next().unwrap_or_default(),
            version: parts.next(),
            variant: parts.next(),
        }
    }
}

impl AskAnswer {
    /// Puts `answer` to `question` in its published form.
    pub fn new(question: &Question, answer: &Answer, request_id: Option<String>) -> Self {
        Self {
            v: 1,
            answer: answer.value.word(),
            confidence: answer.value.confidence(),
            why: match &answer.value {
                Value::Unknown(unknown) => Some(unknown.to_string()),
                _ => None,
            },
            answer_age_seconds: answer.age.map(|age| age.as_secs_f64()),
            latency_ms: answer.latency.as_millis() as u64,
            joules: Quantity {
                value: answer.joules.value.0,
                source: answer.joules.source,
            },
            model: ModelName::parse(&answer.model),
            point: None,
            question: question.ask.clone(),
            request_id,
        }
    }

    /// An answer that never reached a model.
    fn unknown(question: &str, model: &str, why: String, request_id: Option<String>) -> Self {
        Self {
            v: 1,
            answer: "unknown".into(),
            confidence: 0.0,
            why: Some(why),
            answer_age_seconds: None,
            latency_ms: 0,
            joules: Quantity::modelled(0.0),
            model: ModelName::parse(model),
            point: None,
            question: question.into(),
            request_id,
        }
    }
}

/// What kind of answer a question in plain English wants.
pub fn kind_of(question: &str) -> QuestionKind {
    let lower = question.trim().to_lowercase();
    let first = lower.split_whitespace().next().unwrap_or_default();
    const YES_NO: [&str; 14] = [
        "is", "are", "was", "were", "does", "do", "did", "has", "have", "can", "could", "will",
        "any", "isn't",
    ];
    if lower.starts_with("how many") || lower.starts_with("count ") {
        QuestionKind::Count
    } else if YES_NO.contains(&first) {
        QuestionKind::YesNo
    } else {
        QuestionKind::Text
    }
}

/// A question in plain English as the model is asked it. Where the rule
/// grammar finds a concept in it, a detector can answer too.
pub fn question(text: &str, kind: Option<QuestionKind>, crop: Option<Id>) -> Question {
    let text = text.trim();
    let kind = kind.unwrap_or_else(|| kind_of(text));
    Question {
        ask: text.into(),
        kind,
        crop,
        about: rules::concept_of(text),
    }
}

impl Watch {
    /// `ask`.
    pub(super) fn ask_request(
        &mut self,
        payload: &[u8],
        reply: ReplyTo,
        effects: &mut Vec<Effect>,
    ) {
        let asked = inbox::ask(payload, reply.topic.clone(), reply.correlation.clone());
        let asked = match asked {
            Ok(asked) => asked,
            Err(why) => return self.answer_unknown("", why, reply, effects),
        };
        let undrawn = (asked.zone.as_ref()).filter(|zone| self.drawn(zone).is_none());
        if let Some(zone) = undrawn {
            let why = Unknown::NoSuchZone(zone.to_string()).to_string();
            self.answer_unknown(&asked.question, why, asked.reply, effects);
        } else if self.asks.len() >= MAX_ASKS {
            let why = format!("{MAX_ASKS} questions wait already; ask again in some seconds");
            self.answer_unknown(&asked.question, why, asked.reply, effects);
        } else {
            self.asks.push_back(Ask {
                question: question(&asked.question, asked.kind, asked.zone),
                reply: Some(asked.reply),
            });
        }
    }

    /// Has a look made though nobody asks, if none has taught anything yet.
    pub(super) fn trial(&mut self) {
        if !self.governor.learned() && self.asks.is_empty() {
            self.asks.push_back(Ask {
                question: question("Is there a person?", None, None),
                reply: None,
            });
        }
    }

    fn answer_unknown(
        &self,
        question: &str,
        why: String,
        reply: ReplyTo,
        effects: &mut Vec<Effect>,
    ) {
        let model = self.setup.knowledge.name();
        let answer = AskAnswer::unknown(question, &model, why, reply.request_id.clone());
        effects.push(self.reply(self.topics.ask_answer(), reply, &answer));
    }

    /// Answers a waiting question with what was found and how the model was
    /// run, or says why there is nothing.
    pub(super) fn answer_ask(
        &self,
        ask: Ask,
        found: Result<(Answer, OperatingPoint), String>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(reply) = ask.reply else { return };
        let (answer, point) = match found {
            Ok(found) => found,
            Err(why) => return self.answer_unknown(&ask.question.ask, why, reply, effects),
        };
        let fresh = answer.age.is_none();
        let answer = AskAnswer {
            point: fresh.then_some(point),
            ..AskAnswer::new(&ask.question, &answer, reply.request_id.clone())
        };
        effects.push(self.reply(self.topics.ask_answer(), reply, &answer));
    }

    /// `check`: what the camera would make of a sentence. Changes nothing.
    pub(super) fn check_request(
        &mut self,
        payload: &[u8],
        reply: ReplyTo,
        effects: &mut Vec<Effect>,
    ) {
        #[derive(Serialize)]
        struct Form<'a> {
            v: u8,
            text: &'a str,
            #[serde(flatten)]
            echo: &'a rules::Echo,
            #[serde(skip_serializing_if = "Option::is_none")]
            request_id: Option<&'a str>,
        }
        let answer_topic = self.topics.check_answer();
        match inbox::check(payload, reply.topic.clone(), reply.correlation.clone()) {
            Ok(request) => {
                let echo = self.dry_run(&request.text);
                let form = Form {
                    v: 1,
                    text: &request.text,
                    echo: &echo,
                    request_id: request.reply.request_id.as_deref(),
                };
                effects.push(self.reply(answer_topic, request.reply.clone(), &form));
            }
            Err(why) => {
                let form = serde_json::json!({"v": 1, "error": {"kind": "not_a_rule", "why": why}});
                effects.push(self.reply(answer_topic, reply, &form));
            }
        }
    }

    /// The echo that `text` would get, with its cost.
    pub fn dry_run(&self, text: &str) -> rules::Echo {
        let (mut echo, armed) = rules::check(text, &self.site(), &*self.setup.knowledge);
        let Some(armed) = armed.filter(|_| self.setup.metered) else {
            return echo;
        };
        let wish = self.wish_of(&armed, None);
        if let Some(refused) = self.over_budget(&self.unused_id(), &wish) {
            echo.error = Some(refused);
        }
        let cost = self.governor.cost_of(wish.wanted, wish.questions);
        echo.cost = Some(super::report::cost(cost));
        echo
    }

    fn reply(&self, default: String, to: ReplyTo, form: &impl Serialize) -> Effect {
        Effect::Reply {
            topic: to.topic.unwrap_or(default),
            correlation: to.correlation,
            payload: serde_json::to_vec(form).expect("an answer is plain data"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_read_off_the_question() {
        for (text, kind) in [
            ("How many cars are there?", QuestionKind::Count),
            ("count the dogs", QuestionKind::Count),
            ("Is there a fire?", QuestionKind::YesNo),
            ("are the lights on", QuestionKind::YesNo),
            ("What is on the table?", QuestionKind::Text),
            ("", QuestionKind::Text),
        ] {
            assert_eq!(kind_of(text), kind, "{text}");
        }
    }

    #[test]
    fn a_model_name_comes_apart() {
        let name = ModelName::parse("scout/0.1.0/int8");
        assert_eq!(name.id, "scout");
        assert_eq!(name.version.as_deref(), Some("0.1.0"));
        assert_eq!(name.variant.as_deref(), Some("int8"));
        assert_eq!(ModelName::parse("sim").version, None);
    }
}
