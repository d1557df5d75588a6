//! What the loaded packages can do, and who answers a question: all that can
//! be known before any frame is looked at.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use scene::ports::{Ability, Knowledge};
use scene::{Concept, Question, QuestionKind, Unknown};

use crate::package::{Answers as Form, DetectorSpec, Manifest, Package, Prompt};
use crate::vlm::{PromptError, Prompter};

/// Who answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Route {
    /// Counted from detections of these classes.
    Detector {
        /// The package whose detector it is.
        model: String,
        /// Its classes for the noun.
        classes: Vec<String>,
    },
    /// Asked of the language model.
    Language {
        /// What follows the shared prefix.
        suffix: Vec<u32>,
        /// The noun by which it is calibrated.
        noun: Option<String>,
        /// Whether it was made for this.
        known: bool,
    },
    /// By nobody.
    Cannot(Unknown),
}

/// The noun of a question that asks about nothing else.
pub(super) fn plain_noun(question: &Question) -> Option<&str> {
    let about = question.about.as_ref()?;
    about.qualifiers.is_empty().then_some(about.noun.as_str())
}

/// One package, as far as questions are concerned.
#[derive(Debug)]
struct Source {
    /// Another variant of the package has another one.
    name: RwLock<String>,
    manifest: Manifest,
}

/// What the loaded packages can do. Shared, and asked from any thread.
#[derive(Debug)]
pub(super) struct Mind {
    detector: Option<Source>,
    language: Option<(Source, Arc<Prompter>)>,
}

/// The classes of `spec` that stand for `noun`: itself, or its synonyms that
/// are classes.
pub(super) fn classes(
    spec: &DetectorSpec,
    synonyms: &BTreeMap<String, Vec<String>>,
    noun: &str,
) -> Vec<String> {
    let is_class = |name: &&String| spec.classes.contains(name);
    if let Some(class) = spec.classes.iter().find(|class| *class == noun) {
        return vec![class.clone()];
    }
    let others = synonyms.get(noun).into_iter().flatten();
    others.filter(is_class).cloned().collect()
}

impl Source {
    fn new(package: &Package) -> Self {
        Self {
            name: RwLock::new(package.name()),
            manifest: package.manifest.clone(),
        }
    }

    fn name(&self) -> String {
        let name = self.name.read();
        name.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn spec(&self) -> Option<&DetectorSpec> {
        self.manifest.detector.as_ref()
    }

    fn classes(&self) -> &[String] {
        self.spec().map_or(&[], |spec| &spec.classes)
    }

    /// Its classes for `noun`, if it detects and answers `form` so.
    fn detects(&self, noun: &str, form: Option<Form>) -> Option<Vec<String>> {
        let spec = self.spec()?;
        let classes = classes(spec, &self.manifest.synonyms, noun);
        let answers = form.is_none_or(|form| spec.answers.contains(&form));
        (answers && !classes.is_empty()).then_some(classes)
    }
}

impl Mind {
    pub fn new(detector: Option<&Package>, language: Option<(&Package, Arc<Prompter>)>) -> Self {
        Self {
            detector: detector.map(Source::new),
            language: language.map(|(package, prompter)| (Source::new(package), prompter)),
        }
    }

    fn language(&self) -> Option<&Source> {
        self.language.as_ref().map(|(source, _)| source)
    }

    /// The language model's name, whatever it runs at.
    pub fn language_name(&self) -> Option<String> {
        self.language().map(Source::name)
    }

    /// Calls the language model `name` from now on.
    pub fn rename_language(&self, name: String) {
        if let Some(source) = self.language() {
            *source.name.write().unwrap_or_else(PoisonError::into_inner) = name;
        }
    }

    /// The language model's tokenizer.
    pub fn prompter(&self) -> Option<Arc<Prompter>> {
        self.language.as_ref().map(|(_, p)| Arc::clone(p))
    }

    /// Whether the detector package knows `class`.
    pub fn package_knows(&self, class: &str) -> bool {
        let own = self.detector.as_ref().map_or(&[][..], Source::classes);
        own.iter().any(|c| c == class)
    }

    /// Whether the VLM's vision graph detects something the package does not.
    pub fn head_adds(&self) -> bool {
        let head = self.language().map_or(&[][..], Source::classes);
        head.iter().any(|class| !self.package_knows(class))
    }

    /// The package that would detect `noun`, and its classes for it.
    fn detects(&self, noun: &str, form: Option<Form>) -> Option<(String, Vec<String>)> {
        let sources = self.detector.iter().chain(self.language());
        let found = |source: &'_ Source| source.detects(noun, form);
        for source in sources {
            if let Some(classes) = found(source) {
                return Some((source.name(), classes));
            }
        }
        None
    }

    /// Who answers `question`.
    pub fn route(&self, question: &Question) -> Route {
        let form = match question.kind {
            QuestionKind::Count => Some(Form::Count),
            QuestionKind::YesNo => Some(Form::YesNo),
            QuestionKind::Text => None,
        };
        if let (Some(form), Some(noun)) = (form, plain_noun(question))
            && let Some((model, classes)) = self.detects(noun, Some(form))
        {
            return Route::Detector { model, classes };
        }
        match &self.language {
            Some((source, prompter)) => source.ask(prompter, question),
            None => {
                let known = self
                    .classes()
                    .into_iter()
                    .take(5)
                    .collect::<Vec<_>>()
                    .join(", ");
                Route::Cannot(Unknown::OutsideConcepts(format!(
                    "{} can't answer \"{}\"; it only finds plain things ({known}, ...); \
                     install a language model such as smolvlm-256m",
                    self.name(),
                    question.ask
                )))
            }
        }
    }
}

impl Knowledge for Mind {
    fn name(&self) -> String {
        let sources = self.language().into_iter().chain(&self.detector);
        let names: Vec<_> = sources.map(Source::name).collect();
        names.join("+")
    }

    fn ability(&self, question: &Question) -> Ability {
        match self.route(question) {
            Route::Detector { .. } => Ability::Knows,
            Route::Language { known: true, .. } => Ability::Knows,
            Route::Language { known: false, .. } => Ability::Tries,
            Route::Cannot(why) => Ability::Cannot(why.to_string()),
        }
    }

    fn classes_for(&self, noun: &str) -> Vec<String> {
        self.detects(noun, None)
            .map(|(_, classes)| classes)
            .unwrap_or_default()
    }

    fn classes(&self) -> Vec<String> {
        let mut classes: Vec<String> = Vec::new();
        for class in self
            .detector
            .iter()
            .chain(self.language())
            .flat_map(Source::classes)
        {
            if !classes.contains(class) {
                classes.push(class.clone());
            }
        }
        classes
    }
}

impl Source {
    /// How `question` would be asked, or why not.
    fn ask(&self, prompter: &Prompter, question: &Question) -> Route {
        let prompt = &self.manifest.prompt;
        let about = match self.concept(question) {
            Ok(about) => about,
            Err(why) => return Route::Cannot(Unknown::OutsideConcepts(why)),
        };
        let known = about.is_some() && self.manifest.concepts.is_some();
        let text = wording(prompt, question, about.as_ref());
        match prompter.suffix(&text) {
            Ok(suffix) => Route::Language {
                suffix,
                noun: about.map(|about| about.noun),
                known,
            },
            Err(PromptError::Failed(why)) => Route::Cannot(Unknown::Failed(why)),
            Err(PromptError::UnknownWords(words)) => {
                let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
                let id = &self.manifest.id;
                Route::Cannot(Unknown::OutsideConcepts(format!(
                    "{id} was not trained on {}; install smolvlm-256m",
                    words.join(", ")
                )))
            }
        }
    }

    /// The concept in this package's own nouns, or why it is outside them.
    fn concept(&self, question: &Question) -> Result<Option<Concept>, String> {
        let (Some(about), Some(concepts)) = (&question.about, &self.manifest.concepts) else {
            return Ok(question.about.clone());
        };
        let id = &self.manifest.id;
        let install = "install smolvlm-256m";
        let noun = if concepts.contains_key(&about.noun) {
            about.noun.clone()
        } else {
            let others = self
                .manifest
                .synonyms
                .get(&about.noun)
                .into_iter()
                .flatten();
            let others: Vec<_> = others.filter(|noun| concepts.contains_key(*noun)).collect();
            match others[..] {
                [one] => one.clone(),
                [] => {
                    return Err(format!(
                        "{id} was not trained on '{}'; {install}",
                        about.noun
                    ));
                }
                _ => {
                    let others: Vec<_> = others.iter().map(|o| o.as_str()).collect();
                    return Err(format!(
                        "{id} was not trained on '{}', only on {} each by itself; ask for one of them or {install}",
                        about.noun,
                        others.join(", ")
                    ));
                }
            }
        };
        let known = &concepts[&noun];
        if let Some(strange) = about.qualifiers.iter().find(|q| !known.contains(q)) {
            return Err(format!(
                "{id} was not trained on '{noun}' that is '{strange}' (it knows {}); {install}",
                if known.is_empty() {
                    "no such details".into()
                } else {
                    known.join(", ")
                }
            ));
        }
        Ok(Some(Concept {
            noun,
            qualifiers: about.qualifiers.clone(),
        }))
    }
}

/// The sentence that is put to the model.
fn wording(prompt: &Prompt, question: &Question, about: Option<&Concept>) -> String {
    let (form, suffix) = match question.kind {
        QuestionKind::YesNo => (&prompt.yes_no_form, &prompt.yes_no_suffix),
        QuestionKind::Count => (&prompt.count_form, &prompt.count_suffix),
        QuestionKind::Text => return question.ask.clone(),
    };
    match (form, about) {
        (Some(form), Some(about)) => {
            let qualifiers = about.qualifiers.join(" and ");
            let concept = match qualifiers.is_empty() {
                true => about.noun.clone(),
                false => format!("{} {qualifiers}", about.noun),
            };
            form.replace("{concept}", &concept)
                .replace("{noun}", &about.noun)
                .replace("{qualifiers}", &qualifiers)
        }
        _ => format!("{}{suffix}", question.ask),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_put_concepts_and_suffixes_follow_sentences() {
        let prompt = Prompt {
            count_form: Some("how many {concept} ?".into()),
            yes_no_suffix: " Yes or no?".into(),
            ..Prompt::default()
        };
        let about = Concept {
            noun: "person".into(),
            qualifiers: vec!["in queue".into(), "fallen".into()],
        };
        let mut question = Question {
            ask: "How many folk?".into(),
            kind: QuestionKind::Count,
            crop: None,
            about: None,
        };
        assert_eq!(
            wording(&prompt, &question, Some(&about)),
            "how many person in queue and fallen ?"
        );
        assert_eq!(wording(&prompt, &question, None), "How many folk?");
        question.kind = QuestionKind::YesNo;
        assert_eq!(
            wording(&prompt, &question, Some(&about)),
            "How many folk? Yes or no?"
        );
    }
}
