//! The three-graph language model: encode the tiles, prefill the shared prefix,
//! fork its key/value cache a question, score or generate.

mod prompt;
mod read;
mod score;
mod see;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ort::value::TensorElementType;

pub(crate) use prompt::{PromptError, Prompter};
pub use read::Cache;
use read::Copies;
pub(crate) use score::Answers;
pub use see::Seen;

use crate::brake::{Halt, Stop};
use crate::graph::Graph;
use crate::package::{Cut, ImageProcessor, Package, PointSpec, Problem};
use crate::runtime::Runtime;
use crate::tiles::Grid;

/// A loaded VLM.
#[derive(Debug)]
pub(crate) struct Engine {
    vision: Graph,
    embed: Graph,
    decoder: Graph,
    pub prompter: Arc<Prompter>,
    /// As it runs now; [`Engine::cut_as`] changes it.
    pub processor: ImageProcessor,
    /// As the package has it.
    own: ImageProcessor,
    /// Whether the vision graph leaves height and width of tiles open.
    free: bool,
    /// Sizes of tiles that a run has shown to work; at most as many as the
    /// package has points.
    proven: BTreeSet<u32>,
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
    /// Prompts' beginnings for cut pictures, by their grid and the features of a
    /// tile; as many as there are grids of an image processor, some dozens, and
    /// one more for each smaller size of tiles.
    prefixes: HashMap<(Grid, usize), Arc<[u32]>>,
    copies: Copies,
    /// Bytes of weights and cache that the graphs have read and written.
    moved: u64,
}

/// What graphs may speak. Here all but the cache is f32; `graph` translates.
const FLOATS: &[TensorElementType] = &[TensorElementType::Float32, TensorElementType::Float16];
const I64: &[TensorElementType] = &[TensorElementType::Int64];
const BOOL: &[TensorElementType] = &[TensorElementType::Bool];

impl Engine {
    /// Loads the graphs of `package` and checks their tensors. The tokenizer of
    /// `known`, another variant of the same package, is shared.
    pub fn load(
        runtime: &Runtime,
        package: &Package,
        threads: usize,
        known: Option<Arc<Prompter>>,
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
        Self::assemble(package, vision, embed, decoder, known).map_err(|problem| vec![problem])
    }

    fn assemble(
        package: &Package,
        vision: Graph,
        embed: Graph,
        decoder: Graph,
        known: Option<Arc<Prompter>>,
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
        let open = [3, 4].iter().all(|&at| free(pixels.get(at)));
        let elsewhere = |p: &&PointSpec| {
            let here = p.variant.as_ref().is_none_or(|v| *v == package.variant);
            here && p.resolution != processor.tile
        };
        if !open && let Some(point) = package.manifest.points.iter().find(elsewhere) {
            let what = format!(
                "input 'pixel_values' is {pixels:?}, so tiles are {side} pixels wide; \
                 points of model.toml has {}: leave it out, or export the graph with free height and width",
                point.resolution
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
        let input = |name: &str| {
            ["inputs_embeds", "attention_mask", "position_ids"].contains(&name)
                || past.iter().any(|p| p == name)
        };
        decoder.only_inputs(input)?;
        let (cache_type, heads, head_dim) = shape.unwrap_or((TensorElementType::Float32, 0, 0));

        let said = features.get(1).and_then(|&d| usize::try_from(d).ok());
        let prompter = |tokens: usize| match &known {
            Some(known) if known.image_tokens() == tokens => Ok(Arc::clone(known)),
            _ => Prompter::read(package, tokens).map(Arc::new),
        };
        let likely = known.as_ref().map_or(1, |known| known.image_tokens());
        let mut engine = Self {
            prompter: prompter(said.unwrap_or(likely))?,
            vision,
            embed,
            decoder,
            own: processor.clone(),
            free: open,
            proven: BTreeSet::from([processor.tile]),
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
            engine.prompter = prompter(tokens)?;
        }
        Ok(engine)
    }

    /// Whether the vision graph leaves height and width of tiles open.
    pub fn takes_any_size(&self) -> bool {
        self.free
    }

    /// Runs the vision graph in `graph` from now on, which is the same one
    /// loaded again.
    pub fn exchange_vision(&mut self, graph: Graph) {
        self.vision = graph;
    }

    /// Cuts pictures as `cut` says from now on. A size of tiles is tried once
    /// on a grey picture; an error leaves everything as it was.
    pub fn cut_as(&mut self, cut: Cut, stop: &Stop) -> Result<(), Halt> {
        let before = std::mem::replace(&mut self.processor, self.own.cut_as(cut));
        if self.proven.contains(&cut.resolution) {
            return Ok(());
        }
        let tried = self.try_size(stop);
        match &tried {
            Ok(()) => drop(self.proven.insert(cut.resolution)),
            Err(_) => self.processor = before,
        }
        tried
    }

    /// One grey tile of the size that is set now.
    fn try_size(&mut self, stop: &Stop) -> Result<(), Halt> {
        let side = self.processor.tile;
        let most = self.prompter.image_tokens();
        let seen = self.grey(stop).map_err(|halt| match halt {
            Halt::Failed(why) => self
                .vision
                .problem(format!("takes no tile of {side} pixels: {}", why.what))
                .into(),
            halt => halt,
        })?;
        match seen.tokens(self.hidden) {
            tokens if (1..=most).contains(&tokens) => Ok(()),
            tokens => Err(self
                .vision
                .problem(format!(
                    "gives {tokens} features for a tile of {side} pixels; the prompt has room for {most}"
                ))
                .into()),
        }
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
