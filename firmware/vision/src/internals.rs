//! The engine's steps one by one, for parity tests and benches. Not a public
//! interface.

#![allow(missing_docs)]

use scene::{BBox, Frame};

use crate::brake::{Halt, Stop};
use crate::package::{Cut, Filter, ImageProcessor, Package, Problem};
use crate::picture::Picture;
use crate::runtime::Runtime;
use crate::tiles::{Grid, Tiles};
pub use crate::vlm::{Cache, Seen};
use crate::vlm::{Engine, PromptError, Prompter};

/// One VLM, step by step.
#[derive(Debug)]
pub struct Probe {
    engine: Engine,
    stop: Stop,
}

impl Probe {
    pub fn load(runtime: &Runtime, package: Package) -> Result<Self, Vec<Problem>> {
        Ok(Self {
            engine: Engine::load(runtime, &package, 1, None)?,
            stop: Stop::never().map_err(|problem| vec![problem])?,
        })
    }

    /// The pixel tensors of all tiles, one after the other.
    pub fn pixels(&self, frame: &Frame) -> (Grid, Vec<f32>) {
        pixels(frame, &self.engine.processor)
    }

    pub fn prompt_ids(&self, grid: Grid, question: &str) -> Result<Vec<u32>, String> {
        self.engine
            .prompter
            .ids(grid, question)
            .map_err(|error| match error {
                PromptError::Failed(why) => why,
                PromptError::UnknownWords(words) => words.join(" "),
            })
    }

    pub fn suffix(&self, question: &str) -> Result<Vec<u32>, String> {
        let ids = self.engine.prompter.suffix(question);
        ids.map_err(|error| format!("{error:?}"))
    }

    pub fn shared_prefix(&self, grid: Grid) -> Result<Vec<u32>, Problem> {
        Ok(self.engine.prompter.prefix(grid)?.into_owned())
    }

    pub fn see(&mut self, frame: &Frame) -> Result<Seen, Problem> {
        let (picture, _) = Picture::crop(frame, BBox::WHOLE);
        let tiles = Tiles::of(picture, &self.engine.processor);
        Ok(self.engine.encode(&tiles, &self.stop)?)
    }

    pub fn prefill(&mut self, seen: &Seen) -> Result<Cache, Problem> {
        Ok(self.engine.prefill(seen, &self.stop)?)
    }

    pub fn step(&mut self, cache: &Cache, ids: &[u32]) -> Result<(Cache, Vec<f32>), Problem> {
        Ok(self.engine.step(cache, ids, &self.stop)?)
    }

    /// `tokens`, each as a continuation of `cache`, in one run.
    pub fn step_many(
        &mut self,
        cache: &Cache,
        tokens: &[u32],
    ) -> Result<Vec<(Cache, Vec<f32>)>, Problem> {
        Ok(self.engine.step_many(cache, tokens, &self.stop)?)
    }

    pub fn read_whole(&mut self, seen: &Seen, ids: &[u32]) -> Result<(Cache, Vec<f32>), Problem> {
        Ok(self.engine.read_whole(seen, ids, &self.stop)?)
    }

    pub fn generate(
        &mut self,
        cache: Cache,
        logits: Vec<f32>,
    ) -> Result<(Vec<u32>, String), Problem> {
        let ids = self.engine.generate(cache, logits, &self.stop)?;
        let text = self.engine.prompter.text(&ids)?;
        Ok((ids, text))
    }

    /// A grey picture of as many tiles as there can be through all graphs, and
    /// a tile of every other size that the package says it takes.
    pub(crate) fn dry_run(&mut self, sizes: &[u32]) -> Result<(), Vec<Problem>> {
        let one = |halt: Halt| vec![Problem::from(halt)];
        let own = self.engine.processor.own_cut();
        for &resolution in sizes {
            let cut = Cut {
                resolution,
                tiles: 1,
            };
            self.engine.cut_as(cut, &self.stop).map_err(one)?;
        }
        self.engine.cut_as(own, &self.stop).map_err(one)?;
        let seen = self.engine.grey(&self.stop).map_err(one)?;
        let seen = seen.repeated(self.engine.processor.largest_grid());
        let cache = self.engine.prefill(&seen, &self.stop).map_err(one)?;
        let prefix = self.shared_prefix(Grid::WHOLE).map_err(|p| vec![p])?;
        let last = prefix.last().copied().unwrap_or(0);
        let (_, logits) = self.engine.step(&cache, &[last], &self.stop).map_err(one)?;
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

/// The prompt of `package` for a vision graph of `image_tokens` features a tile.
pub fn prompt_ids_of(
    package: &Package,
    image_tokens: usize,
    grid: Grid,
    question: &str,
) -> Result<Vec<u32>, String> {
    let prompter = Prompter::read(package, image_tokens).map_err(|p| p.to_string())?;
    let ids = prompter.ids(grid, question);
    ids.map_err(|error| format!("{error:?}"))
}

/// The pixel tensors of all tiles of `frame`, one after the other.
pub fn pixels(frame: &Frame, to: &ImageProcessor) -> (Grid, Vec<f32>) {
    let tiles = Tiles::of(Picture::crop(frame, BBox::WHOLE).0, to);
    (tiles.grid(), tiles.tensors().flatten().collect())
}

/// Image processing as SmolVLM wants it, for tiles of any size.
pub fn smolvlm_processor(tile: u32, longest_edge: u32, split: bool) -> ImageProcessor {
    ImageProcessor {
        tile,
        longest_edge: Some(longest_edge),
        do_image_splitting: split,
        split,
        filter: Filter::Lanczos,
        rescale: 1.0 / 255.0,
        mean: [0.5; 3],
        std: [0.5; 3],
    }
}
