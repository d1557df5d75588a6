//! The three-graph language model: encode the tiles, prefill the shared prefix,
//! fork its key/value cache a question, score or generate.

mod prompt;
mod score;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ort::memory::Allocator;
use ort::session::SessionInputValue;
use ort::value::{DynTensor, DynValue, Tensor, TensorElementType, TensorRef};

pub(crate) use prompt::{PromptError, Prompter};
pub(crate) use score::Answers;

use crate::graph::{Graph, Inputs, floats, take};
use crate::package::{ImageProcessor, Package, Problem};
use crate::runtime::Runtime;
use crate::tiles::{Grid, Tiles};

/// When to give up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    start: Instant,
    after: Duration,
}

impl Stop {
    pub fn after(after: Duration) -> Self {
        Self {
            start: Instant::now(),
            after,
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub fn check(&self) -> Result<(), Halt> {
        match self.start.elapsed() < self.after {
            true => Ok(()),
            false => Err(Halt::Timeout),
        }
    }
}

/// Why a look ended early.
#[derive(Clone, Debug)]
pub(crate) enum Halt {
    Timeout,
    Failed(Problem),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Halt::Failed(problem)
    }
}

/// The keys and values of what the decoder has read. Cloning shares them: a
/// fork costs nothing, and the runtime reads the shared tensors in place.
#[derive(Clone, Debug)]
pub struct Cache {
    tensors: Arc<[DynValue]>,
    length: usize,
}

/// What one picture looks like to the model.
#[derive(Debug)]
pub struct Seen {
    grid: Grid,
    /// Tile by tile, `tokens x hidden` numbers each.
    features: Vec<f32>,
    /// Rows `x, y, w, h, score, class`, if the graph detects.
    pub detections: Option<Rows>,
}

/// Rows of a vision graph's extra output.
type Rows = Vec<[f32; 6]>;

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
}

const F32: &[TensorElementType] = &[TensorElementType::Float32];
const I64: &[TensorElementType] = &[TensorElementType::Int64];
const BOOL: &[TensorElementType] = &[TensorElementType::Bool];
const CACHE: &[TensorElementType] = &[TensorElementType::Float32, TensorElementType::Float16];

impl Engine {
    /// Loads the graphs of `package` and checks their tensors.
    pub fn load(
        runtime: &Runtime,
        package: &Package,
        threads: usize,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut graphs = Vec::new();
        for (_, entry) in package.graphs() {
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

        let (_, pixels) = vision.input("pixel_values", F32, 5)?;
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
        let (_, features) = vision.output("image_features", F32, 3)?;
        let wanted = package.manifest.detector.as_ref();
        let detections = wanted.map(|d| d.output.clone().unwrap_or_else(|| "detections".into()));
        if let Some(name) = &detections {
            vision.output(name, F32, 3)?;
        }

        embed.input("input_ids", I64, 2)?;
        embed.only_inputs(|name| name == "input_ids")?;
        let (_, embeds) = embed.output("inputs_embeds", F32, 3)?;

        let (_, into) = decoder.input("inputs_embeds", F32, 3)?;
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
        decoder.output("logits", F32, 3)?;

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
                let (ty, dims) = decoder.input(&name, CACHE, 4)?;
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
        };
        if said.is_none() {
            // The graph leaves open how many features a tile has; a run tells.
            let tokens = engine.grey()?.features.len() / hidden;
            engine.prompter = Arc::new(Prompter::read(package, tokens)?);
        }
        Ok(engine)
    }

    /// A grey picture of one tile, as the model sees it.
    pub fn grey(&mut self) -> Result<Seen, Problem> {
        let side = self.processor.tile as usize;
        let (features, detections) = self.encode_tile(vec![0.1; 3 * side * side])?;
        Ok(Seen {
            grid: Grid::WHOLE,
            features,
            detections,
        })
    }

    pub fn decoder_problem(&self, what: impl Into<String>) -> Problem {
        self.decoder.problem(what)
    }

    pub fn detects(&self) -> bool {
        self.detections.is_some()
    }

    /// Encodes a picture, tile by tile: the peak of memory is one tile's, a
    /// deadline can be looked at between tiles, and the scales of an int8 graph
    /// don't depend on a tile's neighbours. On a CPU a batch would be no faster.
    pub fn encode(&mut self, tiles: &Tiles<'_>, stop: &Stop) -> Result<Seen, Halt> {
        let mut all = Vec::new();
        let mut detections = None;
        for pixels in tiles.tensors() {
            stop.check()?;
            let (features, found) = self.encode_tile(pixels)?;
            all.extend(features);
            // The last tile is the whole picture, so its boxes are the frame's.
            detections = found;
        }
        Ok(Seen {
            grid: tiles.grid(),
            features: all,
            detections,
        })
    }

    /// Encodes one tile of `3 * S * S` numbers.
    fn encode_tile(&mut self, pixels: Vec<f32>) -> Result<(Vec<f32>, Option<Rows>), Problem> {
        let place = self.vision.place().to_owned();
        let made =
            |error: ort::Error| Problem::new(&place, format!("input 'pixel_values': {error}"));
        let side = self.processor.tile as usize;
        let mask = vec![true; side * side];
        let mut inputs: Inputs = vec![(
            Cow::Borrowed("pixel_values"),
            Tensor::from_array(([1, 1, 3, side, side], pixels))
                .map_err(made)?
                .into(),
        )];
        if self.pixel_mask {
            let mask = TensorRef::from_array_view(([1, 1, side, side], &*mask)).map_err(made)?;
            inputs.push((Cow::Borrowed("pixel_attention_mask"), mask.into()));
        }
        let mut outputs = self.vision.run(inputs)?;
        let features = take(&mut outputs, "image_features", &place)?;
        let (shape, features) = floats(&features, "image_features", &place)?;
        if shape.last() != Some(&self.hidden) || features.is_empty() {
            let what = format!(
                "output 'image_features' is {shape:?}; [1, tokens, {}] is needed",
                self.hidden
            );
            return Err(Problem::new(&place, what));
        }
        let detections = match &self.detections {
            Some(name) => {
                let value = take(&mut outputs, name, &place)?;
                let (shape, rows) = floats(&value, name, &place)?;
                if shape.first() != Some(&1) || shape.last() != Some(&6) {
                    let what = format!("output '{name}' is {shape:?}; [1, K, 6] is needed");
                    return Err(Problem::new(&place, what));
                }
                Some(rows.as_chunks::<6>().0.to_vec())
            }
            None => None,
        };
        Ok((features.to_vec(), detections))
    }

    fn empty(&self) -> Result<Cache, Problem> {
        let none = || {
            DynTensor::new(
                &Allocator::default(),
                self.cache_type,
                [1, self.heads, 0, self.head_dim],
            )
        };
        let tensors: Result<Vec<DynValue>, ort::Error> =
            self.past.iter().map(|_| Ok(none()?.into_dyn())).collect();
        let failed = |error: ort::Error| self.decoder.problem(format!("an empty cache: {error}"));
        Ok(Cache {
            tensors: tensors.map_err(failed)?.into(),
            length: 0,
        })
    }

    /// Reads the shared prefix with the image in it.
    pub fn prefill(&mut self, seen: &Seen) -> Result<Cache, Problem> {
        let ids = self.prompter.prefix(seen.grid)?.into_owned();
        let empty = self.empty()?;
        Ok(self.read(&empty, &ids, Some(seen))?.0)
    }

    /// Reads `ids` after `cache`; gives the longer cache and the last logits.
    pub fn step(&mut self, cache: &Cache, ids: &[u32]) -> Result<(Cache, Vec<f32>), Problem> {
        self.read(cache, ids, None)
    }

    /// Reads a whole prompt at once, as a naive loop would. For parity tests
    /// and the baseline of the bench.
    pub fn read_whole(&mut self, seen: &Seen, ids: &[u32]) -> Result<(Cache, Vec<f32>), Problem> {
        let empty = self.empty()?;
        self.read(&empty, ids, Some(seen))
    }

    fn read(
        &mut self,
        cache: &Cache,
        ids: &[u32],
        seen: Option<&Seen>,
    ) -> Result<(Cache, Vec<f32>), Problem> {
        let mut embeds = self.embed(ids)?;
        if let Some(seen) = seen {
            self.merge(&mut embeds, ids, seen)?;
        }
        let place = self.decoder.place().to_owned();
        let made = |error: ort::Error| Problem::new(&place, error.to_string());
        let (fresh, length) = (ids.len(), cache.length + ids.len());
        let mut inputs: Inputs = Vec::with_capacity(3 + self.past.len());
        inputs.push((Cow::Borrowed("inputs_embeds"), embeds.into()));
        let mask = Tensor::from_array(([1, length], vec![1i64; length])).map_err(made)?;
        inputs.push((Cow::Borrowed("attention_mask"), mask.into()));
        if self.positions {
            // cumsum(mask) - 1: counted from 0 over cache and fresh tokens.
            let at: Vec<i64> = (cache.length as i64..length as i64).collect();
            let at = Tensor::from_array(([1, fresh], at)).map_err(made)?;
            inputs.push((Cow::Borrowed("position_ids"), at.into()));
        }
        for (name, tensor) in self.past.iter().zip(cache.tensors.iter()) {
            // A view: forks read the same memory.
            inputs.push((
                Cow::Borrowed(name.as_str()),
                SessionInputValue::from(tensor),
            ));
        }
        let mut outputs = self.decoder.run(inputs)?;
        let logits = take(&mut outputs, "logits", &place)?;
        let (shape, numbers) = floats(&logits, "logits", &place)?;
        let vocabulary = shape.last().copied().unwrap_or(0);
        if vocabulary == 0 || numbers.len() < vocabulary {
            return Err(Problem::new(
                &place,
                format!("output 'logits' is {shape:?}"),
            ));
        }
        let last = numbers[numbers.len() - vocabulary..].to_vec();
        let tensors: Result<Vec<_>, Problem> = (self.present.iter())
            .map(|name| take(&mut outputs, name, &place))
            .collect();
        let cache = Cache {
            tensors: tensors?.into(),
            length,
        };
        Ok((cache, last))
    }

    fn embed(&mut self, ids: &[u32]) -> Result<DynValue, Problem> {
        let place = self.embed.place().to_owned();
        let ids: Vec<i64> = ids.iter().map(|&id| id as i64).collect();
        let made = |error: ort::Error| Problem::new(&place, format!("input 'input_ids': {error}"));
        let tensor = Tensor::from_array(([1, ids.len()], ids)).map_err(made)?;
        let mut outputs = self
            .embed
            .run(vec![(Cow::Borrowed("input_ids"), tensor.into())])?;
        take(&mut outputs, "inputs_embeds", &place)
    }

    /// Puts the image features where the image tokens are.
    fn merge(&self, embeds: &mut DynValue, ids: &[u32], seen: &Seen) -> Result<(), Problem> {
        let features = &seen.features;
        let slots = ids.iter().filter(|&&id| self.prompter.is_image(id)).count();
        let hidden = self.hidden;
        if features.len() != slots * hidden {
            let what = format!(
                "output 'image_features' gave {} numbers for {} tiles; the prompt has room for {slots} features of {hidden}",
                features.len(),
                seen.grid.tiles()
            );
            return Err(self.vision.problem(what));
        }
        let (_, rows) = embeds.try_extract_tensor_mut::<f32>().map_err(|error| {
            self.embed
                .problem(format!("output 'inputs_embeds': {error}"))
        })?;
        if rows.len() != ids.len() * hidden {
            return Err(self
                .embed
                .problem(format!("output 'inputs_embeds' is not {hidden} wide")));
        }
        let images = ids
            .iter()
            .zip(rows.chunks_exact_mut(hidden))
            .filter(|(id, _)| self.prompter.is_image(**id));
        for ((_, row), feature) in images.zip(features.chunks_exact(hidden)) {
            row.copy_from_slice(feature);
        }
        Ok(())
    }

    /// The most probable continuation, token by token, until a stop token or
    /// the length bound.
    pub fn generate(
        &mut self,
        cache: Cache,
        logits: Vec<f32>,
        until: &Stop,
    ) -> Result<Vec<u32>, Halt> {
        let stops = self.prompter.stops();
        let bound = self.prompter.prompt().max_new_tokens;
        let (mut cache, mut logits) = (cache, logits);
        let mut ids = Vec::new();
        loop {
            let Some(next) = argmax(&logits) else {
                return Err(self
                    .decoder_problem("gave logits that are not numbers")
                    .into());
            };
            if stops.contains(&next) {
                return Ok(ids);
            }
            ids.push(next);
            if ids.len() >= bound {
                return Ok(ids);
            }
            until.check()?;
            (cache, logits) = self.step(&cache, &[next])?;
        }
    }
}

impl Seen {
    /// How its picture was cut.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// The same tile in every place of `grid`: what a dry run needs.
    pub fn repeated(&self, grid: Grid) -> Self {
        Self {
            grid,
            features: self.features.repeat(grid.tiles()),
            detections: self.detections.clone(),
        }
    }
}

/// The first of the highest; `None` if none is a number.
fn argmax(logits: &[f32]) -> Option<u32> {
    let mut best: Option<(usize, f32)> = None;
    for (index, &value) in logits.iter().enumerate() {
        if !value.is_nan() && best.is_none_or(|(_, highest)| value > highest) {
            best = Some((index, value));
        }
    }
    best.and_then(|(index, _)| u32::try_from(index).ok())
}
