//! What the tests of this crate share.

#![allow(dead_code)] // Each test binary uses its part.

use std::path::{Path, PathBuf};

use scene::Frame;
use vision::runtime::Runtime;

/// ONNX Runtime, or a failure that says how to get it.
pub fn runtime() -> Runtime {
    vision::runtime::load(None).unwrap_or_else(|error| panic!("{error}"))
}

pub fn tiny_vlm() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tiny-vlm")
}

/// `path` beside the repository, where there is more to test with.
pub fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("SKIPPED: {} is not there", found.display());
    None
}

pub fn picture(path: &Path) -> Frame {
    let image = image::open(path)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        .into_rgb8();
    let (width, height) = image.dimensions();
    Frame::still(image.into_raw(), width, height).unwrap()
}

/// A copy of the tiny package that a test may damage.
pub fn copy_of(package: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(package).unwrap().flatten() {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
    }
    dir
}

/// The tokenizer and the configs of the real model in `real`, with graphs that
/// the tiny one lends.
pub fn with_tiny_graphs(real: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["config.json", "preprocessor_config.json", "tokenizer.json"] {
        std::fs::copy(real.join(name), dir.path().join(name)).unwrap();
    }
    for name in [
        "vision_encoder.onnx",
        "embed_tokens.onnx",
        "decoder_model_merged.onnx",
    ] {
        std::fs::copy(tiny_vlm().join(name), dir.path().join(name)).unwrap();
    }
    dir
}
