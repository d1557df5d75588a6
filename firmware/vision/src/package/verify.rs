//! Checks a package whole: files, sizes, checksums, tensors, and one dry run.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use scene::Frame;
use sha2::{Digest, Sha256};

use super::{Checksum, Kind, Package, Problem};
use crate::brake::Stop;
use crate::detect::Detector;
use crate::internals::Probe;
use crate::runtime;

/// What was checked and found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `id/version[/variant]`.
    pub name: String,
    /// What it answers with.
    pub kind: Kind,
    /// The licence as the manifest states it.
    pub licence: String,
    /// The variants that were loaded and run.
    pub variants: Vec<String>,
    /// Files whose checksums were found right.
    pub checked_files: usize,
    /// What is not wrong and should be known, a sentence each.
    pub notes: Vec<String>,
}

/// Checks the package in `folder`: every file's size and SHA-256, and for each
/// variant whose files are there, the tensors of its graphs (names, types,
/// ranks) and a dry run. ONNX Runtime is loaded if it is not yet.
pub fn verify(folder: &Path) -> Result<Report, Vec<Problem>> {
    let package = Package::read(folder, None)?;
    let manifest = &package.manifest;
    let mut problems = Vec::new();
    let mut notes = Vec::new();
    let mut checked_files = 0;
    let mut check = |file: &str, sum: Option<&Checksum>| {
        let path = folder.join(file);
        match (path.is_file(), sum) {
            (false, _) => Err(Problem::new(
                path.display().to_string(),
                "is missing; fetch the package again",
            )),
            (true, None) => Ok(()),
            (true, Some(sum)) => check_file(&path, sum).map(|()| checked_files += 1),
        }
    };
    for variant in manifest.variants.values() {
        for (_, entry) in variant.graphs(manifest.kind) {
            let Some(entry) = entry else {
                problems.push(Problem::new(
                    folder.display().to_string(),
                    "a variant lacks a graph",
                ));
                continue;
            };
            let sum = entry.sha256.clone().zip(entry.bytes);
            let sum = sum.map(|(sha256, bytes)| Checksum { sha256, bytes });
            problems.extend(check(&entry.file, sum.as_ref()).err());
        }
    }
    for (file, sum) in &manifest.files {
        problems.extend(check(file, Some(sum)).err());
    }
    if !package.has_manifest {
        notes.push(
            "there is no model.toml: nothing vouches for these files, and no calibration is known"
                .to_owned(),
        );
    }
    if manifest.kind == Kind::Vlm && manifest.concepts.is_none() {
        notes.push(
            "it lists no concepts: it will try any question, and promises nothing".to_owned(),
        );
    }
    if let Some(processor) = &package.processor
        && processor.do_image_splitting
        && !processor.split
    {
        notes.push(
            "preprocessor_config.json splits pictures (do_image_splitting); here each is one tile, \
             which costs least. Set image.splitting = \"configured\" in model.toml to split them"
                .to_owned(),
        );
    }
    // What is damaged is not run.
    if !problems.is_empty() {
        return Err(problems);
    }
    let runtime = runtime::load(None)
        .map_err(|error| vec![Problem::new("ONNX Runtime", error.to_string())])?;
    let mut variants = Vec::new();
    for variant in manifest.variants.keys() {
        let package = Package::read(folder, Some(variant))?;
        let ran = match manifest.kind {
            Kind::Vlm => {
                let sizes = package.told_sizes();
                Probe::load(&runtime, package).and_then(|mut probe| probe.dry_run(&sizes))
            }
            Kind::Detector => Detector::load(&runtime, &package, 1).and_then(|mut detector| {
                let grey = Frame::still(vec![114; 64 * 48 * 3], 64, 48);
                let grey =
                    grey.map_err(|error| vec![Problem::new("dry run", error.to_string())])?;
                let stop = Stop::never().map_err(|problem| vec![problem])?;
                detector
                    .look(&grey, &stop)
                    .map(|_| ())
                    .map_err(|halt| vec![halt.into()])
            }),
        };
        match ran {
            Ok(()) => variants.push(variant.clone()),
            Err(found) => problems.extend(found),
        }
    }
    match problems.is_empty() {
        true => Ok(Report {
            name: package.name(),
            kind: manifest.kind,
            licence: manifest.licence.clone(),
            variants,
            checked_files,
            notes,
        }),
        false => Err(problems),
    }
}

fn check_file(path: &Path, sum: &Checksum) -> Result<(), Problem> {
    let place = path.display().to_string();
    let unread = |error: std::io::Error| Problem::new(&place, format!("can't be read: {error}"));
    let mut file = File::open(path).map_err(unread)?;
    let bytes = file.metadata().map_err(unread)?.len();
    if bytes != sum.bytes {
        let what = format!(
            "has {bytes} bytes; model.toml says {}. Fetch the package again",
            sum.bytes
        );
        return Err(Problem::new(place, what));
    }
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk).map_err(unread)? {
            0 => break,
            n => hasher.update(&chunk[..n]),
        }
    }
    let got: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    match got == sum.sha256 {
        true => Ok(()),
        false => {
            let what = format!(
                "has sha256 {got}; model.toml says {}. Fetch the package again",
                sum.sha256
            );
            Err(Problem::new(place, what))
        }
    }
}
