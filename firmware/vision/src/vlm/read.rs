//! The decoder reads: prompts, questions, and what may follow.

use std::borrow::Cow;
use std::sync::Arc;

use half::f16;
use ort::memory::Allocator;
use ort::session::SessionInputValue;
use ort::value::PrimitiveTensorElementType;
use ort::value::{DynTensor, DynValue, Tensor, TensorElementType, TensorRef};

use super::Engine;
use super::see::Seen;
use crate::brake::{Halt, Stop};
use crate::graph::{Inputs, floats, take};
use crate::package::Problem;
use crate::tiles::Grid;

/// The keys and values of what the decoder has read. Cloning shares them: a
/// fork costs nothing, and the runtime reads the shared tensors in place.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Shape `[rows, heads, length, head size]` each.
    tensors: Arc<[DynValue]>,
    rows: usize,
    /// Which of the rows this is.
    row: usize,
    length: usize,
}

impl Cache {
    /// Whether both are forks at the same place.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.tensors, &other.tensors) && self.row == other.row
    }
}

/// Continuations a run, each with a copy of the cache. Ten digits and a blank
/// fit: on a 256M model one run of 12 takes 0.7 of the CPU time of runs of 8
/// and 4.
const AT_ONCE: usize = 12;

impl Engine {
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
            rows: 1,
            row: 0,
            length: 0,
        })
    }

    /// Reads the shared prefix with the image in it.
    pub fn prefill(&mut self, seen: &Seen, stop: &Stop) -> Result<Cache, Halt> {
        let ids = self.prefix(seen.grid(), seen.tokens(self.hidden) / seen.grid().tiles())?;
        let empty = self.empty()?;
        let (cache, _) = self.read(&empty, &ids, Some(seen), stop)?;
        Ok(cache)
    }

    /// The ids that prompts about a picture cut as `grid`, of `tokens` features
    /// a tile, begin with.
    fn prefix(&mut self, grid: Grid, tokens: usize) -> Result<Arc<[u32]>, Problem> {
        if let Some(ids) = self.prefixes.get(&(grid, tokens)) {
            return Ok(Arc::clone(ids));
        }
        let ids: Arc<[u32]> = self.prompter.prefix_of(grid, tokens)?.into();
        self.prefixes.insert((grid, tokens), Arc::clone(&ids));
        Ok(ids)
    }

    /// Reads `ids` after `cache`; gives the longer cache and the last logits.
    pub fn step(
        &mut self,
        cache: &Cache,
        ids: &[u32],
        stop: &Stop,
    ) -> Result<(Cache, Vec<f32>), Halt> {
        self.read(cache, ids, None, stop)
    }

    /// Reads a whole prompt at once, as a naive loop would. For parity tests
    /// and the baseline of the bench.
    pub fn read_whole(
        &mut self,
        seen: &Seen,
        ids: &[u32],
        stop: &Stop,
    ) -> Result<(Cache, Vec<f32>), Halt> {
        let empty = self.empty()?;
        self.read(&empty, ids, Some(seen), stop)
    }

    /// Reads each of `tokens` after `cache`, in one run where the graph can;
    /// as [`Self::step`] for each of them.
    pub fn step_many(
        &mut self,
        cache: &Cache,
        tokens: &[u32],
        stop: &Stop,
    ) -> Result<Vec<(Cache, Vec<f32>)>, Halt> {
        let mut read = Vec::with_capacity(tokens.len());
        for some in tokens.chunks(AT_ONCE) {
            if self.batches && some.len() > 1 {
                match self.read_rows(cache, some, some.len(), None, stop) {
                    Ok(rows) => {
                        read.extend(rows);
                        continue;
                    }
                    Err(Halt::Failed(problem)) => {
                        tracing::warn!(%problem, "the decoder reads no batch; going on one by one");
                        self.batches = false;
                    }
                    Err(halt) => return Err(halt),
                }
            }
            for token in some {
                read.push(self.step(cache, &[*token], stop)?);
            }
        }
        Ok(read)
    }

    fn read(
        &mut self,
        cache: &Cache,
        ids: &[u32],
        seen: Option<&Seen>,
        stop: &Stop,
    ) -> Result<(Cache, Vec<f32>), Halt> {
        let mut rows = self.read_rows(cache, ids, 1, seen, stop)?;
        let none = || self.decoder.problem("gave no output");
        rows.pop().ok_or_else(|| none().into())
    }

    /// Reads `ids` as `rows` continuations of `cache` of the same length; gives
    /// the longer cache and the last logits of each.
    fn read_rows(
        &mut self,
        cache: &Cache,
        ids: &[u32],
        rows: usize,
        seen: Option<&Seen>,
        stop: &Stop,
    ) -> Result<Vec<(Cache, Vec<f32>)>, Halt> {
        let fresh = ids.len() / rows;
        let mut embeds = self.embed(ids, rows, stop)?;
        if let Some(seen) = seen {
            self.merge(&mut embeds, ids, seen)?;
        }
        let place = self.decoder.place().to_owned();
        let made = |error: ort::Error| Problem::new(&place, error.to_string());
        let length = cache.length + fresh;
        let mut inputs: Inputs = Vec::with_capacity(3 + self.past.len());
        inputs.push((Cow::Borrowed("inputs_embeds"), embeds.into()));
        let mask = Tensor::from_array(([rows, length], vec![1i64; rows * length]));
        inputs.push((Cow::Borrowed("attention_mask"), mask.map_err(made)?.into()));
        if self.positions {
            // cumsum(mask) - 1: counted from 0 over cache and fresh tokens.
            let at: Vec<i64> = (cache.length as i64..length as i64).collect();
            let at = Tensor::from_array(([rows, fresh], at.repeat(rows))).map_err(made)?;
            inputs.push((Cow::Borrowed("position_ids"), at.into()));
        }
        let copied = (cache.rows, rows) != (1, 1);
        if copied {
            self.copies.fill(cache, rows).map_err(made)?;
        }
        let shape = [rows, self.heads, cache.length, self.head_dim];
        for (at, (name, tensor)) in self.past.iter().zip(cache.tensors.iter()).enumerate() {
            let past = match copied {
                // A view: forks read the same memory.
                false => SessionInputValue::from(tensor),
                true => self.copies.view(at, shape).map_err(made)?,
            };
            inputs.push((Cow::Borrowed(name.as_str()), past));
        }
        // Weights once, the past read and the present written.
        let position = self.past.len() * self.heads * self.head_dim * cache_bytes(self.cache_type);
        self.moved += self.decoder.bytes() + (position * rows * (cache.length + length)) as u64;
        let mut outputs = self.decoder.run(inputs, stop)?;
        let logits = take(&mut outputs, "logits", &place)?;
        let (shape, numbers) = floats(&logits, "logits", &place)?;
        let vocabulary = shape.last().copied().unwrap_or(0);
        let of_a_row = numbers.len() / rows;
        // One position a row or all of them: the last one counts.
        if vocabulary == 0 || of_a_row < vocabulary || shape.first() != Some(&rows) {
            let what = format!("output 'logits' is {shape:?}; [{rows}, …, vocabulary] is needed");
            return Err(Problem::new(&place, what).into());
        }
        let tensors: Result<Vec<_>, Problem> = (self.present.iter())
            .map(|name| take(&mut outputs, name, &place))
            .collect();
        let tensors: Arc<[DynValue]> = tensors?.into();
        let read = numbers
            .chunks_exact(of_a_row)
            .enumerate()
            .map(|(row, all)| {
                let cache = Cache {
                    tensors: Arc::clone(&tensors),
                    rows,
                    row,
                    length,
                };
                (cache, all[of_a_row - vocabulary..].to_vec())
            });
        Ok(read.collect())
    }

    /// Gives back the memory that only a look needs.
    pub fn rest(&mut self) {
        self.copies = Copies::of(self.cache_type);
    }

    fn embed(&mut self, ids: &[u32], rows: usize, stop: &Stop) -> Result<DynValue, Halt> {
        let place = self.embed.place().to_owned();
        let ids: Vec<i64> = ids.iter().map(|&id| id as i64).collect();
        let made = |error: ort::Error| Problem::new(&place, format!("input 'input_ids': {error}"));
        let tensor = Tensor::from_array(([rows, ids.len() / rows], ids)).map_err(made)?;
        let inputs = vec![(Cow::Borrowed("input_ids"), tensor.into())];
        let mut outputs = self.embed.run(inputs, stop)?;
        Ok(take(&mut outputs, "inputs_embeds", &place)?)
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
                seen.grid().tiles()
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
        stop: &Stop,
    ) -> Result<Vec<u32>, Halt> {
        let bound = self.prompter.prompt().max_new_tokens;
        let stops = self.prompter.stops();
        self.generate_until(cache, logits, &stops, bound, stop)
    }

    /// Likewise, of `length` tokens, whatever they are. For the bench.
    pub fn generate_exactly(
        &mut self,
        cache: Cache,
        logits: Vec<f32>,
        length: usize,
        stop: &Stop,
    ) -> Result<Vec<u32>, Halt> {
        self.generate_until(cache, logits, &[], length, stop)
    }

    fn generate_until(
        &mut self,
        cache: Cache,
        logits: Vec<f32>,
        stops: &[u32],
        bound: usize,
        stop: &Stop,
    ) -> Result<Vec<u32>, Halt> {
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
            (cache, logits) = self.step(&cache, &[next], stop)?;
        }
    }
}

/// A row of a cache several times over, a tensor each. Kept for the next count
/// of the same look, so that its memory is asked for once.
#[derive(Debug)]
pub(super) enum Copies {
    F32(Vec<Vec<f32>>),
    F16(Vec<Vec<f16>>),
}

impl Copies {
    pub fn of(element: TensorElementType) -> Self {
        match element {
            TensorElementType::Float16 => Self::F16(Vec::new()),
            _ => Self::F32(Vec::new()),
        }
    }

    /// `cache`'s row `times` times.
    fn fill(&mut self, cache: &Cache, times: usize) -> ort::Result<()> {
        match self {
            Self::F32(copies) => repeat(copies, cache, times),
            Self::F16(copies) => repeat(copies, cache, times),
        }
    }

    /// Tensor `at` of what was filled in.
    fn view(&self, at: usize, shape: [usize; 4]) -> ort::Result<SessionInputValue<'_>> {
        Ok(match self {
            Self::F32(copies) => TensorRef::from_array_view((shape, &*copies[at]))?.into(),
            Self::F16(copies) => TensorRef::from_array_view((shape, &*copies[at]))?.into(),
        })
    }
}

fn repeat<T: PrimitiveTensorElementType + Copy>(
    copies: &mut Vec<Vec<T>>,
    cache: &Cache,
    times: usize,
) -> ort::Result<()> {
    copies.resize_with(cache.tensors.len(), Vec::new);
    for (copy, tensor) in copies.iter_mut().zip(cache.tensors.iter()) {
        let (_, numbers) = tensor.try_extract_tensor::<T>()?;
        let of_a_row = numbers.len() / cache.rows;
        let row = &numbers[cache.row * of_a_row..][..of_a_row];
        copy.clear();
        copy.reserve(of_a_row * times);
        for _ in 0..times {
            copy.extend_from_slice(row);
        }
    }
    Ok(())
}

fn cache_bytes(of: TensorElementType) -> usize {
    match of {
        TensorElementType::Float16 => 2,
        _ => 4,
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
