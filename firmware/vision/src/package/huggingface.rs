//! The Hugging Face files of a package. Other people's formats: only what is
//! needed is read, and unknown keys are let be.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{PointSpec, Problem, Splitting};
use crate::tiles::Grid;

/// A resampling filter, with Pillow's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// 1, window 3.
    Lanczos,
    /// 2.
    Bilinear,
    /// 3, a = -0.5.
    Bicubic,
}

/// How a picture becomes tiles, from `preprocessor_config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageProcessor {
    /// Side of a tile, pixels.
    pub tile: u32,
    /// The longest edge after the first resize, which keeps the aspect;
    /// `None` if the picture is squared at once.
    pub longest_edge: Option<u32>,
    /// What `do_image_splitting` says; true where it is not said, as in the reference.
    pub do_image_splitting: bool,
    /// Whether pictures are split: `image.splitting` of `model.toml` decides.
    /// Only where `longest_edge` bounds the number of tiles.
    pub split: bool,
    /// The filter of all resizes.
    pub filter: Filter,
    /// Pixels are multiplied by this,
    pub rescale: f64,
    /// less this (red, green, blue),
    pub mean: [f32; 3],
    /// divided by this.
    pub std: [f32; 3],
}

#[derive(Deserialize)]
struct Edge {
    longest_edge: Option<u32>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct RawProcessor {
    max_image_size: Edge,
    size: Option<Edge>,
    #[serde(default = "yes")]
    do_resize: bool,
    #[serde(default = "yes")]
    do_rescale: bool,
    #[serde(default = "yes")]
    do_normalize: bool,
    #[serde(default = "yes")]
    do_image_splitting: bool,
    #[serde(default = "lanczos")]
    resample: u8,
    #[serde(default = "per_level")]
    rescale_factor: f64,
    #[serde(default = "half")]
    image_mean: [f32; 3],
    #[serde(default = "half")]
    image_std: [f32; 3],
}

fn lanczos() -> u8 {
    1
}

fn per_level() -> f64 {
    1.0 / 255.0
}

fn half() -> [f32; 3] {
    [0.5; 3]
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, Problem> {
    let path = folder.join(name);
    let place = path.display().to_string();
    let text = std::fs::read_to_string(&path)
        .map_err(|error| Problem::new(&place, format!("can't be read: {error}")))?;
    serde_json::from_str(&text).map_err(|error| Problem::new(place, error.to_string()))
}

impl ImageProcessor {
    const FILE: &str = "preprocessor_config.json";
    const MAX_SIDE: u32 = PointSpec::MAX_RESOLUTION;

    /// The most tiles that a picture can be cut into.
    pub fn largest_grid(&self) -> Grid {
        match self.longest_edge {
            Some(longest) if self.split => {
                // The shorter edge of a square is rounded up to an even number.
                let tiles = (longest + longest % 2).div_ceil(self.tile);
                match tiles {
                    1 => Grid::WHOLE,
                    _ => Grid {
                        rows: tiles,
                        columns: tiles,
                    },
                }
            }
            _ => Grid::WHOLE,
        }
    }

    pub(super) fn read(folder: &Path, splitting: Splitting) -> Result<Self, Problem> {
        let raw: RawProcessor = read(folder, Self::FILE)?;
        let place = || folder.join(Self::FILE).display().to_string();
        let side = |key: &str, side: Option<u32>| match side {
            Some(side) if (1..=Self::MAX_SIDE).contains(&side) => Ok(side),
            Some(side) => Err(Problem::new(
                place(),
                format!(
                    "{key}.longest_edge: {side} is not in 1 to {}",
                    Self::MAX_SIDE
                ),
            )),
            None => Err(Problem::new(
                place(),
                format!("{key}.longest_edge: is missing"),
            )),
        };
        let tile = side("max_image_size", raw.max_image_size.longest_edge)?;
        let longest_edge = match (raw.do_resize, raw.size) {
            (true, Some(size)) => Some(side("size", size.longest_edge)?),
            _ => None,
        };
        let split = match splitting {
            Splitting::Off => false,
            Splitting::On => true,
            Splitting::Configured => raw.do_image_splitting,
        };
        if split && longest_edge.is_none() {
            let what = "image splitting needs do_resize and size.longest_edge, which bound the \
                        number of tiles; set image.splitting = \"off\" in model.toml to use one tile";
            return Err(Problem::new(place(), what));
        }
        let filter = match raw.resample {
            1 => Filter::Lanczos,
            2 => Filter::Bilinear,
            3 => Filter::Bicubic,
            other => {
                let what = format!(
                    "resample: {other} is not supported; 1 (Lanczos), 2 (bilinear) and 3 (bicubic) are"
                );
                return Err(Problem::new(place(), what));
            }
        };
        if raw.image_std.iter().any(|s| !s.is_finite() || *s == 0.0) {
            return Err(Problem::new(place(), "image_std: 0 or not finite"));
        }
        let (mean, std) = match raw.do_normalize {
            true => (raw.image_mean, raw.image_std),
            false => ([0.0; 3], [1.0; 3]),
        };
        Ok(Self {
            tile,
            longest_edge,
            do_image_splitting: raw.do_image_splitting,
            split,
            filter,
            rescale: if raw.do_rescale {
                raw.rescale_factor
            } else {
                1.0
            },
            mean,
            std,
        })
    }
}

/// What is read of `config.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelConfig {
    /// The id of the image token, if it is given.
    pub image_token_id: Option<u32>,
    /// The longest sequence, tokens, if it is given.
    pub max_positions: Option<usize>,
    /// What sides of tiles must be multiples of, pixels, if it is given: a
    /// patch, times the patches that become one feature.
    pub tile_step: Option<u32>,
}

#[derive(Deserialize)]
struct RawConfig {
    image_token_id: Option<u32>,
    text_config: Option<RawText>,
    scale_factor: Option<u32>,
    vision_config: Option<RawVision>,
}

#[derive(Deserialize)]
struct RawVision {
    patch_size: Option<u32>,
}

#[derive(Deserialize)]
struct RawText {
    max_position_embeddings: Option<usize>,
}

impl ModelConfig {
    pub(super) fn read(folder: &Path) -> Result<Self, Problem> {
        let raw: RawConfig = read(folder, "config.json")?;
        let patch = raw.vision_config.and_then(|vision| vision.patch_size);
        let step = patch.zip(raw.scale_factor);
        Ok(Self {
            tile_step: step.and_then(|(patch, scale)| patch.checked_mul(scale)),
            image_token_id: raw.image_token_id,
            max_positions: raw
                .text_config
                .and_then(|text| text.max_position_embeddings),
        })
    }
}
