//! Model packages: a folder with `model.toml`, Hugging Face files and ONNX graphs.

mod check;
mod huggingface;
mod manifest;
mod points;
mod verify;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use scene::Id;

pub use huggingface::{Filter, ImageProcessor, ModelConfig};
pub use manifest::{
    Answers, Calibration, Checksum, ClassCalibration, ClassOverride, Colour, CountCalibration,
    Decode, DetectorInput, DetectorSpec, FileEntry, Fit, ImageOptions, Kind, Manifest,
    NounCalibration, PointSpec, Prompt, Splitting, Variant, YesNoCalibration,
};
pub(crate) use points::Cut;
pub use verify::{Report, verify};

/// Something wrong with a package: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, graph or tensor.
    pub place: String,
    /// What is wrong there, and the remedy if there is one.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

impl std::error::Error for Problem {}

/// A package as read from its folder; no graph is loaded yet.
#[derive(Clone, Debug)]
pub struct Package {
    folder: PathBuf,
    /// What `model.toml` says, or what could be inferred without one.
    pub manifest: Manifest,
    /// Whether there is a `model.toml`. Without one nothing vouches for the files.
    pub has_manifest: bool,
    /// The chosen variant's name.
    pub variant: String,
    /// VLM: from `preprocessor_config.json`.
    pub processor: Option<ImageProcessor>,
    /// VLM: from `config.json`.
    pub config: Option<ModelConfig>,
}

/// The manifest's file name.
pub const MANIFEST: &str = "model.toml";

impl Package {
    /// Reads the package in `folder` and chooses `variant`, or its default.
    /// A folder downloaded from Hugging Face, which has no `model.toml`, is
    /// read too. Checksums are not looked at; [`verify`] does that.
    pub fn read(folder: &Path, variant: Option<&str>) -> Result<Self, Vec<Problem>> {
        if !folder.is_dir() {
            let what = "is not a folder; a model package is a folder with a model.toml";
            return Err(vec![Problem::new(folder.display().to_string(), what)]);
        }
        let path = folder.join(MANIFEST);
        let has_manifest = path.exists();
        let manifest = match has_manifest {
            true => read_manifest(&path)?,
            false => infer(folder)?,
        };
        let variant = match variant.or(manifest.default_variant.as_deref()) {
            Some(name) => name.to_owned(),
            None => manifest.variants.keys().next().cloned().unwrap_or_default(),
        };
        if !manifest.variants.contains_key(&variant) {
            let known: Vec<_> = manifest.variants.keys().map(String::as_str).collect();
            let what = format!("has no variant '{variant}'; it has {}", known.join(", "));
            return Err(vec![Problem::new(folder.display().to_string(), what)]);
        }
        let mut problems = Vec::new();
        let (mut processor, mut config) = (None, None);
        if manifest.kind == Kind::Vlm {
            match ImageProcessor::read(folder, manifest.image.splitting) {
                Ok(read) => processor = Some(read),
                Err(problem) => problems.push(problem),
            }
            match ModelConfig::read(folder) {
                Ok(read) => config = Some(read),
                Err(problem) => problems.push(problem),
            }
        }
        match problems.is_empty() {
            true => Ok(Self {
                folder: folder.to_owned(),
                manifest,
                has_manifest,
                variant,
                processor,
                config,
            }),
            false => Err(problems),
        }
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// `id/version/variant`; the variant only where there are several.
    pub fn name(&self) -> String {
        let Manifest {
            id,
            version,
            variants,
            ..
        } = &self.manifest;
        match variants.len() {
            1 => format!("{id}/{version}"),
            _ => format!("{id}/{version}/{}", self.variant),
        }
    }

    /// How many tiles the chosen variant's vision graph may encode in one run.
    pub(crate) fn tiles_at_once(&self) -> usize {
        let variant = self.manifest.variants.get(&self.variant);
        variant.and_then(|v| v.tiles_at_once).unwrap_or(1)
    }

    /// The chosen variant's graphs, by key.
    pub(crate) fn graphs(&self) -> Vec<(&'static str, FileEntry)> {
        let variant = self.manifest.variants.get(&self.variant);
        let graphs = variant
            .map(|v| v.graphs(self.manifest.kind))
            .unwrap_or_default();
        let present = |(role, entry): (_, Option<&FileEntry>)| Some((role, entry?.clone()));
        graphs.into_iter().filter_map(present).collect()
    }
}

fn read_manifest(path: &Path) -> Result<Manifest, Vec<Problem>> {
    let place = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| vec![Problem::new(&place, format!("can't be read: {error}"))])?;
    let manifest: Manifest = toml::from_str(&text)
        .map_err(|error| vec![Problem::new(&place, error.to_string().trim_end())])?;
    let mut wrong = manifest.problems();
    wrong.extend(manifest.lacks_checksums());
    match wrong.is_empty() {
        true => Ok(manifest),
        false => Err(wrong.into_iter().map(|w| Problem::new(&place, w)).collect()),
    }
}

/// A manifest for a plain download of the public three-graph export.
fn infer(folder: &Path) -> Result<Manifest, Vec<Problem>> {
    let mut variants = BTreeMap::new();
    for under in ["onnx", ""] {
        let Ok(entries) = std::fs::read_dir(folder.join(under)) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(suffix) = name
                .strip_prefix("vision_encoder")
                .and_then(|rest| rest.strip_suffix(".onnx"))
            else {
                continue;
            };
            let file = |stem: &str| {
                let name = format!("{stem}{suffix}.onnx");
                let path = Path::new(under).join(name).to_string_lossy().into_owned();
                folder.join(&path).is_file().then_some(FileEntry {
                    file: path,
                    sha256: None,
                    bytes: None,
                })
            };
            let variant = match suffix.trim_start_matches('_') {
                "" => "f32",
                other => other,
            };
            variants.entry(variant.to_owned()).or_insert(Variant {
                vision_encoder: file("vision_encoder"),
                embed_tokens: file("embed_tokens"),
                decoder: file("decoder_model_merged"),
                detector: None,
                tiles_at_once: None,
            });
        }
    }
    let place = folder.display().to_string();
    if variants.is_empty() {
        let what = format!(
            "has neither {MANIFEST} nor vision_encoder*.onnx (here or under onnx/); it is no model package"
        );
        return Err(vec![Problem::new(place, what)]);
    }
    let known = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let called = known.file_name().unwrap_or_default().to_string_lossy();
    let id = Id::slug(&called)
        .or_else(|| Id::new("unnamed").ok())
        .ok_or_else(|| {
            vec![Problem::new(
                &place,
                "its name makes no id; add a model.toml",
            )]
        })?;
    let manifest = Manifest {
        id,
        version: "unversioned".into(),
        licence: "unknown".into(),
        kind: Kind::Vlm,
        title: None,
        source: None,
        default_variant: variants.contains_key("f32").then(|| "f32".into()),
        variants,
        files: BTreeMap::new(),
        image: ImageOptions::default(),
        prompt: Prompt {
            yes_no_suffix: " Answer yes or no.".into(),
            count_suffix: " Answer with a number.".into(),
            ..Prompt::default()
        },
        calibration: Calibration::default(),
        concepts: None,
        synonyms: BTreeMap::new(),
        detector: None,
        points: Vec::new(),
    };
    let wrong = manifest.problems();
    match wrong.is_empty() {
        true => Ok(manifest),
        false => Err(wrong.into_iter().map(|w| Problem::new(&place, w)).collect()),
    }
}
