//! The three-graph language model: encode the tiles, prefill the shared prefix,
//! fork its key/value cache a question, score or generate.

mod prompt;
mod read;
mod score;
mod see;

use std::collections::HashMap;
use std::sync::Arc;

use ort::value::TensorElementType;

pub(crate) use prompt::{PromptError, Prompter};
pub use read::Cache;
use read::Copies;
pub(crate) use score::Answers;
pub use see::Seen;

use crate::brake::Stop;
use crate::graph::Graph;
use crate::package::{ImageProcessor, Package, Problem};
use crate::runtime::Runtime;
use crate::tiles::Grid;

/// A loaded VLM.
#[derive(Debug)]
pub(crate) struct Engine {
    vision: Graph,
    embed: Graph,
    decoder: Graph,
    pub prompter: Arc<Prompter>,
    pub processor: ImageProcessor,
    detections: Option<String>,
    pixel_mask: bool,
    positions: bool,
    /// Names of `past_key_values.*` and `present.*`, in the same order.
    past: Vec<String>,
    present: Vec<String>,
    heads: usize,
    head_dim: usize,
    cache_type: TensorElementType,
    hidden: usize,
    /// Tiles a run of the vision graph, ≥ 1.
    tiles_at_once: usize,
    /// Whether the decoder takes several continuations in one run.
    batches: bool,
    /// Prompts' beginnings for cut pictures, by their grid; as many as there
    /// are grids of an image processor, some dozens.
    prefixes: HashMap<Grid, Arc<[u32]>>,
    copies: Copies,
    /// Bytes of weights and cache that the graphs have read and written.
    moved: u64,
}

/// What graphs may speak. Here all but the cache is f32; `graph` translates.
const FLOATS: &[TensorElementType] = &[TensorElementType::Float32, TensorElementType::Float16];
const I64: &[TensorElementType] = &[TensorElementType::Int64];
const BOOL: &[TensorElementType] = &[TensorElementType::Bool];

impl Engine {
    /// Loads the graphs of `package` and checks their tensors.
    pub fn load(
        runtime: &Runtime,
        package: &Package,
        threads: usize,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut graphs = Vec::new();
        for (role, entry) in package.graphs() {
            // A second thread halves the encoder's wall time at the same CPU
            // time; for a decoder's few rows it only doubles the joules.
            let threads = match role {
                "vision_encoder" => threads,
                _ => 1,
            };
            match Graph::load(runtime, &package.folder().join(&entry.file), threads) {
                Ok(graph) => graphs.push(graph),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let Ok([vision, embed, decoder]) = <[Graph; 3]>::try_from(graphs) else {
            let place = package.folder().display().to_string();
            return Err(vec![Problem::new(
                place,
                "is no VLM package: three graphs are needed",
            )]);
        };
        Self::assemble(package, vision, embed, decoder).map_err(|problem| vec![problem])
    }

    fn assemble(
        package: &Package,
        vision: Graph,
        embed: Graph,
        decoder: Graph,
    ) -> Result<Self, Problem> {
        let no_processor = || vision.problem("the package has no preprocessor_config.json");
        let processor = package.processor.clone().ok_or_else(no_processor)?;
        let side = processor.tile as i64;

        let (_, pixels) = vision.input("pixel_values", FLOATS, 5)?;
        let free = |dim: Option<&i64>| dim.is_none_or(|d| *d < 0);
        let tiles_at_once = match free(pixels.get(1)) {
            true => package.tiles_at_once(),
            false => 1,
        };
        if let [_, _, channels, height, width] = pixels[..]
            && (![3, -1].contains(&channels)
                || ![side, -1].contains(&height)
                || ![side, -1].contains(&width))
        {
            let what = format!(
                "input 'pixel_values' is {pixels:?}; preprocessor_config.json makes tiles of {side}x{side}"
            );
            return Err(vision.problem(what));
        }
        let pixel_mask = vision.has_input("pixel_attention_mask");
        if pixel_mask {
            vision.input("pixel_attention_mask", BOOL, 4)?;
        }
        vision.only_inputs(|name| ["pixel_values", "pixel_attention_mask"].contains(&name))?;
        let (_, features) = vision.output("image_features", FLOATS, 3)?;
        let wanted = package.manifest.detector.as_ref();
        let detections = wanted.map(|d| d.output.clone().unwrap_or_else(|| "detections".into()));
        if let Some(name) = &detections {
            vision.output(name, FLOATS, 3)?;
        }

        embed.input("input_ids", I64, 2)?;
        embed.only_inputs(|name| name == "input_ids")?;
        let (_, embeds) = embed.output("inputs_embeds", FLOATS, 3)?;

        let (_, into) = decoder.input("inputs_embeds", FLOATS, 3)?;
        let batches = free(into.first());
        let last = |shape: &[i64]| shape.last().copied().unwrap_or(-1);
        let hidden = [last(&features), last(&embeds), last(&into)];
        let fixed: Vec<i64> = hidden.into_iter().filter(|&d| d > 0).collect();
        if fixed.iter().any(|d| Some(d) != fixed.first()) {
            let what = format!(
                "hidden sizes differ: image_features {}, embeddings {}, decoder {}; the graphs are of different models",
                hidden[0], hidden[1], hidden[2]
            );
            return Err(decoder.problem(what));
        }
        let hidden = fixed.first().copied().unwrap_or(0);
        let hidden = usize::try_from(hidden).unwrap_or(0);
        if hidden == 0 {
            return Err(decoder.problem(
                "no graph says the hidden size; fix the last dimension of inputs_embeds",
            ));
        }
        decoder.input("attention_mask", I64, 2)?;
        let positions = decoder.has_input("position_ids");
        if positions {
            decoder.input("position_ids", I64, 2)?;
        }
        decoder.output("logits", FLOATS, 3)?;

        let layers = decoder
            .inputs()
            .filter(|name| name.starts_with("past_key_values.") && name.ends_with(".key"))
            .count();
        if layers == 0 {
            return Err(decoder.problem(
                "has no input 'past_key_values.0.key'; a decoder with a cache is needed",
            ));
        }
        let (mut past, mut present) = (Vec::new(), Vec::new());
        let mut shape = None;
        for layer in 0..layers {
            for what in ["key", "value"] {
                let name = format!("past_key_values.{layer}.{what}");
                let (ty, dims) = decoder.input(&name, FLOATS, 4)?;
                let of = (
                    ty,
                    dims.get(1).copied().unwrap_or(-1),
                    dims.get(3).copied().unwrap_or(-1),
                );
                let same = *shape.get_or_insert(of) == of;
                if !same || of.1 <= 0 || of.2 <= 0 {
                    let what = format!(
                        "input '{name}' is {dims:?}; heads and head size must be fixed and the same in all layers"
                    );
                    return Err(decoder.problem(what));
                }
                let out = format!("present.{layer}.{what}");
                decoder.output(&out, &[ty], 4)?;
                past.push(name);
                present.push(out);
            }
        }
        let known = |name: &str| {
            ["inputs_embeds", "attention_mask", "position_ids"].contains(&name)
                || past.iter().any(|p| p == name)
        };
        decoder.only_inputs(known)?;
        let (cache_type, heads, head_dim) = shape.unwrap_or((TensorElementType::Float32, 0, 0));

        let said = features.get(1).and_then(|&d| usize::try_from(d).ok());
        let mut engine = Self {
            prompter: Arc::new(Prompter::read(package, said.unwrap_or(1))?),
            vision,
            embed,
            decoder,
            processor,
            detections,
            pixel_mask,
            positions,
            past,
            present,
            heads: usize::try_from(heads).unwrap_or(0),
            head_dim: usize::try_from(head_dim).unwrap_or(0),
            cache_type,
            hidden,
            tiles_at_once,
            batches,
            prefixes: HashMap::new(),
            copies: Copies::of(cache_type),
            moved: 0,
        };
        if said.is_none() {
            // The graph leaves open how many features a tile has; a run tells.
            let tokens = engine.grey(&Stop::never()?)?.tokens(hidden);
            engine.prompter = Arc::new(Prompter::read(package, tokens)?);
        }
        Ok(engine)
    }

    pub fn decoder_problem(&self, what: impl Into<String>) -> Problem {
        self.decoder.problem(what)
    }

    pub fn detects(&self) -> bool {
        self.detections.is_some()
    }

    /// Bytes of weights and cache that vision graph and decoder have read and
    /// written so far, by the sizes of their files and tensors. A lower bound:
    /// what they pass from node to node is not known, and weights that stay in
    /// the processor's cache are counted again.
    pub fn bytes_moved(&self) -> u64 {
        self.moved
    }

    /// How many tiles are encoded in one run, ≥ 1.
    pub fn tiles_at_once(&self) -> usize {
        self.tiles_at_once
    }
}
