use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// Something that is needed is not said, or can be read in two ways.
    Ambiguous,
    /// It can never hold.
    Contradictory,
    /// This camera can't see it.
    NotObservable,
    /// It would harm people.
    Unsafe,
    /// It says nothing to watch for.
    NotARule,
    /// It is not English.
    UnsupportedLanguage,
    /// It asks for more looks than the camera can afford.
    OverBudget,
}

impl fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RefusalKind::Ambiguous => "ambiguous",
            RefusalKind::Contradictory => "contradictory",
            RefusalKind::NotObservable => "not_observable",
            RefusalKind::Unsafe => "unsafe",
            RefusalKind::NotARule => "not_a_rule",
            RefusalKind::UnsupportedLanguage => "unsupported_language",
            RefusalKind::OverBudget => "over_budget",
        })
    }
}

/// Why a sentence does not become a rule, and what would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind.
    pub kind: RefusalKind,
    /// The reason, in a sentence.
    pub why: String,
    /// Names of the rule's fields that are missing.
    pub missing: Vec<String>,
    /// What to say instead.
    pub offer: Option<String>,
    /// Where in the sentence, as [start, end) in characters.
    pub spans: Vec<[usize; 2]>,
    /// What to put in the place of words, to make a sentence that may be
    /// understood: spans of characters and their new words.
    #[serde(skip)]
    pub(crate) edits: Box<[Edit]>,
}

/// A span of characters, and the words to put there.
pub(crate) type Edit = ([usize; 2], String);

/// `text` with each span of characters replaced by its words.
pub(crate) fn edited(text: &str, edits: &[Edit]) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut sorted: Vec<_> = edits.iter().collect();
    sorted.sort_by_key(|(span, _)| span[0]);
    let mut out = String::new();
    let mut at = 0;
    for ([from, to], words) in sorted {
        if *from < at || *to > chars.len() || from > to {
            continue;
        }
        out.extend(&chars[at..*from]);
        out.push_str(words);
        at = *to;
    }
    out.extend(&chars[at..]);
    out
}

impl Refusal {
    /// A refusal of `kind` because `why`.
    pub fn new(kind: RefusalKind, why: impl Into<String>) -> Self {
        Self {
            kind,
            why: why.into(),
            missing: Vec::new(),
            offer: None,
            spans: Vec::new(),
            edits: Box::default(),
        }
    }

    /// Offers `sentence`, which is understood.
    pub(crate) fn suggest(&mut self, sentence: &str) {
        let sentence = sentence.trim();
        let quote = if sentence.contains('\'') { '"' } else { '\'' };
        let said = format!("Say {quote}{sentence}{quote}.");
        self.offer = Some(match self.offer.take() {
            Some(offer) => format!("{offer} {said}"),
            None => said,
        });
    }

    /// With words that would mend the sentence.
    pub(crate) fn mend(mut self, span: [usize; 2], words: impl Into<String>) -> Self {
        let mut edits = std::mem::take(&mut self.edits).into_vec();
        edits.push((span, words.into()));
        self.edits = edits.into_boxed_slice();
        self
    }

    /// With what to say instead.
    pub fn offer(mut self, offer: impl Into<String>) -> Self {
        self.offer = Some(offer.into());
        self
    }

    /// With the field that is missing.
    pub fn missing(mut self, field: &str) -> Self {
        self.missing.push(field.to_owned());
        self
    }

    /// With where in the sentence, as [start, end) in characters.
    pub fn at(mut self, span: [usize; 2]) -> Self {
        self.spans.push(span);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.why)?;
        if let Some(offer) = &self.offer {
            write!(f, " {offer}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
