//! Questions as token ids.

use std::path::Path;

use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::package::{Package, Problem, Prompt};

/// Turns questions into token ids by one package's template.
#[derive(Debug)]
pub(crate) struct Prompter {
    tokenizer: Tokenizer,
    prompt: Prompt,
    image_token: u32,
    image_tokens: usize,
    /// The id of unknown words, where the tokenizer has such a thing.
    unknown: Option<u32>,
    /// Texts that mean something to the model; taken out of questions.
    special: Vec<String>,
    /// The ids that all prompts begin with, up to and with the last special token.
    prefix: Vec<u32>,
    /// The most tokens a whole prompt may have.
    longest: usize,
    place: String,
}

/// Why a question makes no prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PromptError {
    /// Words that the tokenizer does not have.
    UnknownWords(Vec<String>),
    /// Anything else.
    Failed(String),
}

/// A question may not push the picture out of the model's context.
const LONGEST_QUESTION: usize = 256;

#[derive(Deserialize)]
struct RawTokenizer {
    model: RawModel,
}

#[derive(Deserialize)]
struct RawModel {
    unk_token: Option<String>,
}

impl Prompter {
    /// Reads the tokenizer of `package`, whose vision graph gives
    /// `image_tokens` features a tile.
    pub fn read(package: &Package, image_tokens: usize) -> Result<Self, Problem> {
        let path = package.folder().join("tokenizer.json");
        Self::from_file(&path, package, image_tokens)
    }

    fn from_file(path: &Path, package: &Package, image_tokens: usize) -> Result<Self, Problem> {
        let place = path.display().to_string();
        let problem = |what: String| Problem::new(&place, what);
        let bytes =
            std::fs::read(path).map_err(|error| problem(format!("can't be read: {error}")))?;
        let tokenizer =
            Tokenizer::from_bytes(&bytes).map_err(|error| problem(error.to_string()))?;
        let raw: RawTokenizer =
            serde_json::from_slice(&bytes).map_err(|error| problem(error.to_string()))?;
        let prompt = package.manifest.prompt.clone();
        let id = |token: &str| {
            let missing = || problem(format!("has no token '{token}', which the prompt needs"));
            tokenizer.token_to_id(token).ok_or_else(missing)
        };
        let image_token = id(&prompt.image_token)?;
        if let Some(said) = package.config.as_ref().and_then(|c| c.image_token_id)
            && said != image_token
        {
            let token = &prompt.image_token;
            return Err(problem(format!(
                "'{token}' has the id {image_token}, but config.json has image_token_id {said}"
            )));
        }
        let special: Vec<String> = tokenizer
            .get_added_tokens_decoder()
            .into_values()
            .filter(|token| token.special && !token.content.is_empty())
            .map(|token| token.content)
            .collect();
        let longest = package.config.as_ref().and_then(|c| c.max_positions);
        let mut prompter = Self {
            unknown: raw
                .model
                .unk_token
                .and_then(|unk| tokenizer.token_to_id(&unk)),
            tokenizer,
            image_token,
            image_tokens,
            special,
            prefix: Vec::new(),
            longest: longest
                .unwrap_or(8192)
                .saturating_sub(prompt.max_new_tokens)
                .max(1),
            prompt,
            place,
        };
        let head = prompter.expand("");
        let ids = prompter.encode(&head, true)?;
        if ids.iter().filter(|&&id| id == image_token).count() != image_tokens {
            return Err(Problem::new(
                &prompter.place,
                format!(
                    "does not keep '{}' as one token",
                    prompter.prompt.image_token
                ),
            ));
        }
        // A special token is never merged with what follows, so up to the last
        // one before the question all prompts are the same, whatever is asked.
        let question = prompter.prompt.template.find("{question}").unwrap_or(0);
        let before = prompter.fill_image(&prompter.prompt.template[..question]);
        let before = prompter.encode(&before, true)?;
        let is_special = |id: &u32| {
            let token = prompter.tokenizer.id_to_token(*id).unwrap_or_default();
            prompter.special.contains(&token)
        };
        let end = before.iter().rposition(is_special).map_or(0, |at| at + 1);
        let last_image = before
            .iter()
            .rposition(|&id| id == image_token)
            .map_or(0, |at| at + 1);
        if end < last_image || !ids.starts_with(&before[..end]) {
            let what = format!("'{}' is not a special token", prompter.prompt.image_token);
            return Err(Problem::new(&prompter.place, what));
        }
        prompter.prefix = before[..end].to_vec();
        Ok(prompter)
    }

    fn fill_image(&self, template: &str) -> String {
        let tiles = self.prompt.image_token.repeat(self.image_tokens);
        template.replacen(
            "{image}",
            &self.prompt.image.replacen("{tiles}", &tiles, 1),
            1,
        )
    }

    fn expand(&self, question: &str) -> String {
        // The image first: a question that contains "{image}" must not be filled.
        let filled = self.fill_image(&self.prompt.template);
        filled.replacen("{question}", question, 1)
    }

    fn encode(&self, text: &str, whole: bool) -> Result<Vec<u32>, Problem> {
        let encoding = self
            .tokenizer
            .encode(text, whole)
            .map_err(|error| Problem::new(&self.place, error.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The question without any text that the tokenizer would take for a
    /// control token: rule text must not be able to end its own turn.
    fn harmless(&self, question: &str) -> String {
        let mut text = question.to_owned();
        // Taking one out may make another one; each round shortens the text.
        while let Some(token) = self
            .special
            .iter()
            .find(|token| text.contains(token.as_str()))
        {
            text = text.replace(token.as_str(), "");
        }
        match self.prompt.lowercase {
            true => text.to_lowercase(),
            false => text,
        }
    }

    /// The ids that every prompt begins with; with the image tokens.
    pub fn prefix(&self) -> &[u32] {
        &self.prefix
    }

    /// Whether `id` stands for an image feature.
    pub fn is_image(&self, id: u32) -> bool {
        id == self.image_token
    }

    /// All ids of the prompt that asks `question`; begins with [`Self::prefix`].
    pub fn ids(&self, question: &str) -> Result<Vec<u32>, PromptError> {
        let failed = |problem: Problem| PromptError::Failed(problem.to_string());
        let question = self.harmless(question);
        let unknown = self.unknown_words(&question).map_err(failed)?;
        if !unknown.is_empty() {
            return Err(PromptError::UnknownWords(unknown));
        }
        let ids = self.encode(&self.expand(&question), true).map_err(failed)?;
        let asked = ids.len().saturating_sub(self.prefix.len());
        if asked > LONGEST_QUESTION || ids.len() > self.longest {
            return Err(PromptError::Failed(format!(
                "the question has {asked} tokens; at most {LONGEST_QUESTION} fit, and the whole prompt's {} must fit in {}",
                ids.len(),
                self.longest
            )));
        }
        if !ids.starts_with(&self.prefix) {
            return Err(PromptError::Failed(
                "the prompt does not begin with the shared prefix".into(),
            ));
        }
        Ok(ids)
    }

    fn unknown_words(&self, question: &str) -> Result<Vec<String>, Problem> {
        let Some(unknown) = self.unknown else {
            return Ok(Vec::new());
        };
        let encoding = self
            .tokenizer
            .encode(question, false)
            .map_err(|error| Problem::new(&self.place, error.to_string()))?;
        let offsets = encoding.get_offsets();
        let words = encoding.get_ids().iter().zip(offsets);
        let text = |&(from, to): &(usize, usize)| question.get(from..to).unwrap_or("?").to_owned();
        let mut found: Vec<String> = words
            .filter(|(id, _)| **id == unknown)
            .map(|(_, span)| text(span))
            // Punctuation that a small vocabulary lacks changes no meaning.
            .filter(|word| word.chars().any(char::is_alphanumeric))
            .collect();
        found.dedup();
        Ok(found)
    }

    /// The ids of one way to write an answer.
    pub fn answer_ids(&self, text: &str) -> Result<Vec<u32>, Problem> {
        let ids = self.encode(text, false)?;
        // A spelling with words the tokenizer lacks would score any word.
        let known = |id: &u32| Some(*id) != self.unknown;
        Ok(if ids.iter().all(known) {
            ids
        } else {
            Vec::new()
        })
    }

    /// The ids that end free text.
    pub fn stops(&self) -> Vec<u32> {
        let id = |token: &String| self.tokenizer.token_to_id(token);
        self.prompt.stop.iter().filter_map(id).collect()
    }

    /// The text of generated `ids`.
    pub fn text(&self, ids: &[u32]) -> Result<String, Problem> {
        let text = self.tokenizer.decode(ids, true);
        let text = text.map_err(|error| Problem::new(&self.place, error.to_string()))?;
        Ok(text.trim().to_owned())
    }

    /// How many ids there are.
    pub fn vocabulary(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
    }

    pub fn prompt(&self) -> &Prompt {
        &self.prompt
    }
}
