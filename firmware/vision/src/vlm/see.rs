//! Pictures become features: the vision graph.

use std::borrow::Cow;

use ort::value::{Tensor, TensorRef};

use super::Engine;
use crate::brake::{Halt, Stop};
use crate::graph::{Inputs, floats, take};
use crate::package::Problem;
use crate::tiles::{Grid, Tiles};

/// What one picture looks like to the model.
#[derive(Debug)]
pub struct Seen {
    grid: Grid,
    /// Tile by tile, `tokens x hidden` numbers each.
    pub(super) features: Vec<f32>,
    /// Rows `x, y, w, h, score, class`, if the graph detects.
    pub detections: Option<Rows>,
}

/// Rows of a vision graph's extra output.
type Rows = Vec<[f32; 6]>;

/// What one run of the vision graph gave: the same amount for each tile.
struct Run {
    features: Vec<f32>,
    detections: Option<Rows>,
}

impl Seen {
    /// How its picture was cut.
    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// How many features of `hidden` numbers it has.
    pub(super) fn tokens(&self, hidden: usize) -> usize {
        self.features.len() / hidden
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

impl Engine {
    /// A grey picture of one tile, as the model sees it.
    pub fn grey(&mut self, stop: &Stop) -> Result<Seen, Halt> {
        let side = self.processor.tile as usize;
        let run = self.encode_tiles(vec![0.1; 3 * side * side], 1, stop)?;
        Ok(Seen {
            grid: Grid::WHOLE,
            features: run.features,
            detections: run.detections,
        })
    }

    /// Encodes one picture.
    pub fn encode(&mut self, tiles: &Tiles<'_>, stop: &Stop) -> Result<Seen, Halt> {
        let mut seen = self.encode_all(std::slice::from_ref(tiles), stop)?;
        let none = || self.vision.problem("encoded no picture");
        seen.pop().ok_or_else(|| none().into())
    }

    /// Encodes pictures, as many tiles a run as the package allows: one, if it
    /// does not say. The peak of memory is then one tile's, and the scales of a
    /// graph that quantises as it runs can't depend on a tile's neighbours.
    pub fn encode_all(&mut self, pictures: &[Tiles<'_>], stop: &Stop) -> Result<Vec<Seen>, Halt> {
        let at_once = self.tiles_at_once;
        let mut seen: Vec<Seen> = Vec::with_capacity(pictures.len());
        let all: usize = pictures.iter().map(|p| p.grid().tiles()).sum();
        // Of which picture each tile of the waiting ones is.
        let (mut waiting, mut owners) = (Vec::new(), Vec::with_capacity(at_once));
        let mut done = 0;
        for (owner, picture) in pictures.iter().enumerate() {
            seen.push(Seen {
                grid: picture.grid(),
                features: Vec::new(),
                detections: None,
            });
            for pixels in picture.tensors() {
                stop.check()?;
                match waiting.is_empty() {
                    true => waiting = pixels,
                    false => waiting.extend_from_slice(&pixels),
                }
                owners.push(owner);
                done += 1;
                if owners.len() < at_once && done < all {
                    continue;
                }
                let run = self.encode_tiles(std::mem::take(&mut waiting), owners.len(), stop)?;
                let of_a_tile = run.features.len() / owners.len();
                let rows = run.detections.as_ref().map_or(0, Vec::len) / owners.len();
                for (at, owner) in owners.drain(..).enumerate() {
                    let one = &mut seen[owner];
                    let features = &run.features[at * of_a_tile..(at + 1) * of_a_tile];
                    one.features.extend_from_slice(features);
                    // The last tile is the whole picture, so its boxes stay.
                    let detections = run.detections.as_ref();
                    one.detections = detections.map(|d| d[at * rows..(at + 1) * rows].to_vec());
                }
            }
        }
        Ok(seen)
    }

    /// Encodes `tiles` tiles of `3 * S * S` numbers each.
    fn encode_tiles(&mut self, pixels: Vec<f32>, tiles: usize, stop: &Stop) -> Result<Run, Halt> {
        let place = self.vision.place().to_owned();
        let made =
            |error: ort::Error| Problem::new(&place, format!("input 'pixel_values': {error}"));
        let side = self.processor.tile as usize;
        let mask = vec![true; tiles * side * side];
        let mut inputs: Inputs = vec![(
            Cow::Borrowed("pixel_values"),
            Tensor::from_array(([1, tiles, 3, side, side], pixels))
                .map_err(made)?
                .into(),
        )];
        if self.pixel_mask {
            let mask =
                TensorRef::from_array_view(([1, tiles, side, side], &*mask)).map_err(made)?;
            inputs.push((Cow::Borrowed("pixel_attention_mask"), mask.into()));
        }
        self.moved += self.vision.bytes();
        let mut outputs = self.vision.run(inputs, stop)?;
        let features = take(&mut outputs, "image_features", &place)?;
        let (shape, features) = floats(&features, "image_features", &place)?;
        let whole = !features.is_empty() && shape.first() == Some(&tiles);
        if !whole || shape.last() != Some(&self.hidden) {
            let what = format!(
                "output 'image_features' is {shape:?}; [{tiles}, tokens, {}] is needed",
                self.hidden
            );
            return Err(Problem::new(&place, what).into());
        }
        let detections = match &self.detections {
            Some(name) => {
                let value = take(&mut outputs, name, &place)?;
                let (shape, rows) = floats(&value, name, &place)?;
                if shape.first() != Some(&tiles) || shape.last() != Some(&6) {
                    let what = format!("output '{name}' is {shape:?}; [{tiles}, K, 6] is needed");
                    return Err(Problem::new(&place, what).into());
                }
                Some(rows.as_chunks::<6>().0.to_vec())
            }
            None => None,
        };
        Ok(Run {
            features: features.to_vec(),
            detections,
        })
    }
}
