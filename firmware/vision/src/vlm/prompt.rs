//! Questions as token ids.

use std::borrow::Cow;
use std::path::Path;

use serde::Deserialize;
use tokenizers::Tokenizer;

use crate::package::{Package, Problem, Prompt};
use crate::tiles::Grid;

/// Turns questions into token ids by one package's template.
#[derive(Debug)]
pub(crate) struct Prompter {
    tokenizer: Tokenizer,
    prompt: Prompt,
    image_token: u32,
    /// Features a tile, of the package's own size of tiles.
    image_tokens: usize,
    /// The id of unknown words, where the tokenizer has such a thing.
    unknown: Option<u32>,
    /// Texts that mean something to the model; taken out of questions.
    special: Vec<String>,
    /// The ids that all prompts about an uncut picture begin with, up to and
    /// with the last special token.
    prefix: Vec<u32>,
    /// How long the prefix is for the picture with the most tiles.
    longest_prefix: usize,
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
            longest_prefix: 0,
            longest: longest
                .unwrap_or(8192)
                .saturating_sub(prompt.max_new_tokens)
                .max(1),
            prompt,
            place,
        };
        let processor = package.processor.as_ref();
        let largest = processor.map_or(Grid::WHOLE, |p| p.largest_grid());
        prompter.prefix = prompter.find_prefix(Grid::WHOLE, image_tokens)?;
        prompter.longest_prefix = prompter.find_prefix(largest, image_tokens)?.len();
        prompter.check_tile_marks(largest)?;
        if prompter.longest_prefix >= prompter.longest {
            let what = format!(
                "a picture of {} tiles takes {} tokens, and {} fit beside an answer; \
                 set image.splitting = \"off\" in {}",
                largest.tiles(),
                prompter.longest_prefix,
                prompter.longest,
                crate::package::MANIFEST
            );
            return Err(Problem::new(&prompter.place, what));
        }
        Ok(prompter)
    }

    /// The ids that all prompts about a picture cut as `grid` begin with. A
    /// special token is never merged with what follows, so up to the last one
    /// before the question all prompts are the same, whatever is asked; and
    /// what follows it is the same, however the picture is cut.
    fn find_prefix(&self, grid: Grid, image_tokens: usize) -> Result<Vec<u32>, Problem> {
        let ids = self.encode(&self.expand(grid, image_tokens, ""), true)?;
        let images = ids.iter().filter(|&&id| id == self.image_token).count();
        if images != grid.tiles() * image_tokens {
            let token = &self.prompt.image_token;
            let what = format!("does not keep '{token}' as one token");
            return Err(Problem::new(&self.place, what));
        }
        let question = self.prompt.template.find("{question}").unwrap_or(0);
        let before = self.fill_image(grid, image_tokens, &self.prompt.template[..question]);
        let mut before = self.encode(&before, true)?;
        let end = before.iter().rposition(|&id| self.is_special(id));
        let end = end.map_or(0, |at| at + 1);
        let last_image = before.iter().rposition(|&id| id == self.image_token);
        if end < last_image.map_or(0, |at| at + 1) || !ids.starts_with(&before[..end]) {
            let what = format!("'{}' is not a special token", self.prompt.image_token);
            return Err(Problem::new(&self.place, what));
        }
        before.truncate(end);
        Ok(before)
    }

    /// Every tile of `grid` must be told apart by a token of its own. Without
    /// one, its name would be spelt in letters, which no model was trained on.
    fn check_tile_marks(&self, grid: Grid) -> Result<(), Problem> {
        for row in 1..=grid.rows {
            for column in 1..=grid.columns {
                let mark = self.mark(row, column).replacen("{tiles}", "", 1);
                let ids = self.encode(&mark, false)?;
                if !ids.last().is_some_and(|&id| self.is_special(id)) {
                    let what = format!(
                        "has no token for '{mark}', but a picture may have {} x {} tiles; \
                         lower size.longest_edge in preprocessor_config.json",
                        grid.rows, grid.columns
                    );
                    return Err(Problem::new(&self.place, what));
                }
            }
        }
        Ok(())
    }

    fn is_special(&self, id: u32) -> bool {
        let token = self.tokenizer.id_to_token(id);
        token.is_some_and(|token| self.special.contains(&token))
    }

    fn mark(&self, row: u32, column: u32) -> String {
        let tile = self.prompt.tile.replacen("{row}", &row.to_string(), 1);
        tile.replacen("{column}", &column.to_string(), 1)
    }

    fn fill_image(&self, grid: Grid, image_tokens: usize, template: &str) -> String {
        let features = self.prompt.image_token.repeat(image_tokens);
        let mut image = String::new();
        for row in 1..=grid.rows {
            for column in 1..=grid.columns {
                image += &self.mark(row, column).replacen("{tiles}", &features, 1);
            }
            image += &self.prompt.row_end;
        }
        if grid != Grid::WHOLE {
            image += &self.prompt.before_whole;
        }
        image += &self.prompt.image.replacen("{tiles}", &features, 1);
        template.replacen("{image}", &image, 1)
    }

    fn expand(&self, grid: Grid, image_tokens: usize, question: &str) -> String {
        // The image first: a question that contains "{image}" must not be filled.
        let filled = self.fill_image(grid, image_tokens, &self.prompt.template);
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

    /// The ids that every prompt about a picture cut as `grid` begins with;
    /// the image tokens are among them.
    pub fn prefix(&self, grid: Grid) -> Result<Cow<'_, [u32]>, Problem> {
        Ok(match grid {
            Grid::WHOLE => Cow::Borrowed(&self.prefix),
            _ => Cow::Owned(self.find_prefix(grid, self.image_tokens)?),
        })
    }

    /// Likewise where a tile has `image_tokens` features, as smaller ones do.
    pub fn prefix_of(&self, grid: Grid, image_tokens: usize) -> Result<Cow<'_, [u32]>, Problem> {
        match image_tokens == self.image_tokens {
            true => self.prefix(grid),
            false => Ok(Cow::Owned(self.find_prefix(grid, image_tokens)?)),
        }
    }

    /// How many features a tile of the package's own size has.
    pub fn image_tokens(&self) -> usize {
        self.image_tokens
    }

    /// Whether `id` stands for an image feature.
    pub fn is_image(&self, id: u32) -> bool {
        id == self.image_token
    }

    /// The ids that ask `question`, however the picture is cut: what follows
    /// [`Self::prefix`].
    pub fn suffix(&self, question: &str) -> Result<Vec<u32>, PromptError> {
        let ids = self.ids(Grid::WHOLE, question)?;
        Ok(ids[self.prefix.len()..].to_vec())
    }

    /// All ids of the prompt that asks `question` about a picture cut as `grid`.
    pub fn ids(&self, grid: Grid, question: &str) -> Result<Vec<u32>, PromptError> {
        let failed = |problem: Problem| PromptError::Failed(problem.to_string());
        let question = self.harmless(question);
        let unknown = self.unknown_words(&question).map_err(failed)?;
        if !unknown.is_empty() {
            return Err(PromptError::UnknownWords(unknown));
        }
        let prefix = self.prefix(grid).map_err(failed)?;
        let ids = self
            .encode(&self.expand(grid, self.image_tokens, &question), true)
            .map_err(failed)?;
        let asked = ids.len().saturating_sub(prefix.len());
        let whole = asked + self.longest_prefix;
        if asked > LONGEST_QUESTION || whole > self.longest {
            return Err(PromptError::Failed(format!(
                "the question has {asked} tokens; at most {LONGEST_QUESTION} fit, and the whole prompt's {whole} must fit in {}",
                self.longest
            )));
        }
        if !ids.starts_with(&prefix) {
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
