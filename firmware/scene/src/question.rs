use serde::{Deserialize, Serialize};

use crate::Id;

/// What form the answer to a question takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Yes or no.
    YesNo,
    /// A whole number, 0 or more.
    Count,
    /// A short sentence. Only for `ask` and the line in an alert; rules never
    /// decide on text.
    Text,
}

/// The visual concept that is left when structure is taken out of a sentence:
/// "car", "not wearing safety vest".
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Concept {
    /// A singular noun phrase in lower case: "person", "hard hat".
    pub noun: String,
    /// What narrows it ("red", "not wearing hard hat", "fallen", "in queue").
    /// A detector that only knows classes can't answer for these.
    pub qualifiers: Vec<String>,
}

/// Something to find out about a frame. Rules that need the same question
/// share it, so equality is what counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// The sentence that a language model is asked.
    pub ask: String,
    /// The form of the answer.
    pub kind: QuestionKind,
    /// The zone to look at; `None` is the whole frame.
    pub crop: Option<Id>,
    /// What it is about, where a rule knows it; lets a detector answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Concept>,
}
