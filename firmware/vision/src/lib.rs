//! ONNX Runtime: model packages answer questions about a frame.
//!
//! [`open`] loads an optional detector package and an optional VLM package as
//! [`Eyes`], which answer by the cheapest means that can: a plain noun that the
//! detector knows is counted from its boxes, all else goes to the language
//! model. [`package::verify`] checks a package whole.

#![warn(missing_docs)]

pub mod bench;
mod brake;
mod cost;
mod detect;
mod eyes;
pub mod gate;
mod graph;
pub mod package;
mod picture;
mod resample;
pub mod runtime;
mod tiles;
mod vlm;

use std::path::PathBuf;

use scene::Watts;
use thiserror::Error;

pub use eyes::Eyes;
use package::Problem;
use runtime::RuntimeError;
pub use tiles::Grid;

#[doc(hidden)]
pub mod internals;

/// What to load, and how to run it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of a package of kind `vlm`, or a plain Hugging Face download.
    pub vlm: Option<PathBuf>,
    /// Folder of a package of kind `detector`.
    pub detector: Option<PathBuf>,
    /// Variant of the VLM; its default otherwise.
    pub variant: Option<String>,
    /// The ONNX Runtime library; searched for otherwise, see [`runtime::load`].
    pub runtime: Option<PathBuf>,
    /// Threads a graph runs on, ≥ 1. One is the joule-optimal number for the
    /// decoder; two halve the wall time of the encoder.
    pub threads: usize,
    /// What one busy core draws over idle, for modelled joules. A board's
    /// constant; must be ≥ 0.
    pub watts_per_core: Watts,
    /// A zone's crop is grown by this share of its size on every side, so that
    /// what stands on its edge is seen whole; 0..1.
    pub crop_margin: f32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            vlm: None,
            detector: None,
            variant: None,
            runtime: None,
            threads: 1,
            watts_per_core: Watts(1.5),
            crop_margin: 0.1,
        }
    }
}

/// Why no model could be opened.
#[derive(Clone, Debug, Error)]
pub enum VisionError {
    /// No ONNX Runtime.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A package is broken.
    #[error("{}", listed(.0))]
    Package(Vec<Problem>),
    /// Neither a VLM nor a detector was named.
    #[error("no model package is named; give the folder of a VLM, of a detector, or both")]
    Nothing,
}

fn listed(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(Problem::to_string).collect();
    lines.join("; ")
}

impl From<Vec<Problem>> for VisionError {
    fn from(problems: Vec<Problem>) -> Self {
        VisionError::Package(problems)
    }
}

/// Loads the packages that `options` name. Checks their graphs' tensors but
/// not their checksums; [`package::verify`] does that.
pub fn open(options: Options) -> Result<Eyes, VisionError> {
    if options.vlm.is_none() && options.detector.is_none() {
        return Err(VisionError::Nothing);
    }
    let runtime = runtime::load(options.runtime.as_deref())?;
    Ok(Eyes::open(&runtime, &options)?)
}
