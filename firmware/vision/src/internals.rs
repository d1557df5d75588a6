//! The engine's steps one by one, for parity tests and benches. Not a public
//! interface.

#![allow(missing_docs)]

use std::time::Duration;

use scene::{BBox, Frame};

use crate::package::{Filter, ImageProcessor, Package, Problem};
use crate::picture::{Picture, tile};
use crate::runtime::Runtime;
pub use crate::vlm::{Cache, Seen};
use crate::vlm::{Engine, Halt, PromptError, Prompter, Stop};

/// One VLM, step by step.
#[derive(Debug)]
pub struct Probe {
    engine: Engine,
}

impl Probe {
    pub fn load(runtime: &Runtime, package: Package) -> Result<Self, Vec<Problem>> {
        Ok(Self {
            engine: Engine::load(runtime, &package, 1)?,
        })
    }

    pub fn pixels(&self, frame: &Frame) -> Vec<f32> {
        let (picture, _) = Picture::crop(frame, BBox::WHOLE);
        tile(picture, &self.engine.processor)
    }

    pub fn prompt_ids(&self, question: &str) -> Result<Vec<u32>, String> {
        self.engine
            .prompter
            .ids(question)
            .map_err(|error| match error {
                PromptError::Failed(why) => why,
                PromptError::UnknownWords(words) => words.join(" "),
            })
    }

    pub fn shared_prefix(&self) -> &[u32] {
        self.engine.prompter.prefix()
    }

    pub fn encode(&mut self, pixels: Vec<f32>) -> Result<Seen, Problem> {
        self.engine.encode(pixels)
    }

    pub fn prefill(&mut self, seen: &Seen) -> Result<Cache, Problem> {
        self.engine.prefill(seen)
    }

    pub fn step(&mut self, cache: &Cache, ids: &[u32]) -> Result<(Cache, Vec<f32>), Problem> {
        self.engine.step(cache, ids)
    }

    pub fn read_whole(&mut self, seen: &Seen, ids: &[u32]) -> Result<(Cache, Vec<f32>), Problem> {
        self.engine.read_whole(seen, ids)
    }

    pub fn generate(
        &mut self,
        cache: Cache,
        logits: Vec<f32>,
    ) -> Result<(Vec<u32>, String), Problem> {
        let ids = match self
            .engine
            .generate(cache, logits, &Stop::after(Duration::MAX))
        {
            Ok(ids) => ids,
            Err(Halt::Failed(problem)) => return Err(problem),
            Err(Halt::Timeout) => Vec::new(),
        };
        let text = self.engine.prompter.text(&ids)?;
        Ok((ids, text))
    }

    /// A grey picture through all graphs.
    pub(crate) fn dry_run(&mut self) -> Result<(), Vec<Problem>> {
        let one = |problem: Problem| vec![problem];
        let side = self.engine.processor.tile as usize;
        let seen = self
            .engine
            .encode(vec![0.1; 3 * side * side])
            .map_err(one)?;
        let cache = self.engine.prefill(&seen).map_err(one)?;
        let last = self.engine.prompter.prefix().last().copied().unwrap_or(0);
        let (_, logits) = self.engine.step(&cache, &[last]).map_err(one)?;
        let tokens = self.engine.prompter.vocabulary();
        if logits.len() < tokens {
            let what = format!(
                "gives {} logits, but tokenizer.json has {tokens} tokens",
                logits.len()
            );
            return Err(vec![self.engine.decoder_problem(what)]);
        }
        match logits.iter().all(|v| v.is_finite()) {
            true => Ok(()),
            false => Err(vec![
                self.engine
                    .decoder_problem("gives logits that are not finite"),
            ]),
        }
    }
}

/// The prompt of `package` for a vision graph of `image_tokens` features.
pub fn prompt_ids_of(
    package: &Package,
    image_tokens: usize,
    question: &str,
) -> Result<Vec<u32>, String> {
    let prompter = Prompter::read(package, image_tokens).map_err(|p| p.to_string())?;
    prompter.ids(question).map_err(|error| format!("{error:?}"))
}

/// A tile as SmolVLM wants it, of any size.
pub fn lanczos_tile(frame: &Frame, side: u32, longest_edge: u32) -> Vec<f32> {
    let to = ImageProcessor {
        tile: side,
        longest_edge: Some(longest_edge),
        filter: Filter::Lanczos,
        rescale: 1.0 / 255.0,
        mean: [0.5; 3],
        std: [0.5; 3],
    };
    tile(Picture::crop(frame, BBox::WHOLE).0, &to)
}
