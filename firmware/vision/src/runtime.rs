//! Finds and loads the ONNX Runtime library, once a process.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;
use thiserror::Error;

/// Why there is no ONNX Runtime.
#[derive(Debug, Clone, Error)]
pub enum RuntimeError {
    /// No library was found.
    #[error(
        "no ONNX Runtime library was found; looked at {}. \
         Run scripts/fetch-onnxruntime, or set ORT_DYLIB_PATH to a libonnxruntime.so of version 1.21 or later",
        list(.tried)
    )]
    NotFound {
        /// All places that were looked at.
        tried: Vec<PathBuf>,
    },
    /// A library was named, and is not there.
    #[error(
        "the ONNX Runtime library {} ({named_by}) is not a file; correct the path or run scripts/fetch-onnxruntime",
        path.display()
    )]
    Missing {
        /// The path.
        path: PathBuf,
        /// Where the path came from.
        named_by: &'static str,
    },
    /// The library is there and can't be used.
    #[error(
        "the ONNX Runtime library {} does not load: {why}. Version 1.21 or later for this machine is needed; \
         scripts/fetch-onnxruntime fetches one",
        path.display()
    )]
    Unusable {
        /// The path.
        path: PathBuf,
        /// What the loader says.
        why: String,
    },
}

fn list(paths: &[PathBuf]) -> String {
    let shown: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
    shown.join(", ")
}

/// ONNX Runtime, loaded. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Runtime {
    pub(crate) environment: Environment,
    path: PathBuf,
}

impl Runtime {
    /// The library file it came from.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

const FILE: &str = "libonnxruntime.so";
const SYSTEM: &str = "/usr/lib/watchword";

/// ONNX Runtime can be initialised once a process and must outlive all
/// sessions, so it stays here.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// Loads ONNX Runtime from `explicit`, else from `ORT_DYLIB_PATH`, else from
/// the first of: next to the executable, `/usr/lib/watchword`, and
/// `.cache/onnxruntime` under the working directory, the executable's folder
/// or one of their ancestors. A second call returns the library that is loaded
/// already, whatever it asks for.
pub fn load(explicit: Option<&Path>) -> Result<Runtime, RuntimeError> {
    let mut loaded = LOADED.lock().unwrap_or_else(|poison| poison.into_inner());
    if let Some(runtime) = &*loaded {
        return Ok(runtime.clone());
    }
    let path = find(
        explicit,
        std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from),
    )?;
    let unusable = |why: String| RuntimeError::Unusable {
        path: path.clone(),
        why,
    };
    let environment = ort::init_from(&path)
        .map_err(|error| unusable(error.to_string()))?
        .with_name("watchword")
        .with_telemetry(false)
        .build()
        .map_err(|error| unusable(error.to_string()))?;
    tracing::debug!(path = %path.display(), "ONNX Runtime is loaded");
    let runtime = Runtime { environment, path };
    *loaded = Some(runtime.clone());
    Ok(runtime)
}

fn find(explicit: Option<&Path>, named: Option<PathBuf>) -> Result<PathBuf, RuntimeError> {
    let named = explicit
        .map(|path| (path.to_owned(), "as configured"))
        .or(named.map(|path| (path, "from ORT_DYLIB_PATH")));
    if let Some((path, named_by)) = named {
        return match path.is_file() {
            true => Ok(path),
            false => Err(RuntimeError::Missing { path, named_by }),
        };
    }
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(Path::parent);
    let working = std::env::current_dir().ok();
    search(beside, working.as_deref(), Path::new(SYSTEM))
}

fn search(
    beside: Option<&Path>,
    working: Option<&Path>,
    system: &Path,
) -> Result<PathBuf, RuntimeError> {
    let mut tried = Vec::new();
    for folder in beside.into_iter().chain([system]) {
        let path = folder.join(FILE);
        if path.is_file() {
            return Ok(path);
        }
        tried.push(path);
    }
    for start in working.into_iter().chain(beside) {
        for folder in start.ancestors() {
            let cache = folder.join(".cache/onnxruntime");
            if let Some(path) = newest_in(&cache) {
                return Ok(path);
            }
            if !tried.contains(&cache) {
                tried.push(cache);
            }
        }
    }
    Err(RuntimeError::NotFound { tried })
}

/// `<cache>/<version>/<this architecture>/libonnxruntime.so` of the highest version.
fn newest_in(cache: &Path) -> Option<PathBuf> {
    let numbers = |version: &Path| -> Vec<u32> {
        let name = version.file_name().unwrap_or_default().to_string_lossy();
        name.split('.').map(|n| n.parse().unwrap_or(0)).collect()
    };
    let mut versions: Vec<_> = std::fs::read_dir(cache)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    versions.sort_by_key(|version| numbers(version));
    let library = |version: PathBuf| version.join(std::env::consts::ARCH).join(FILE);
    versions
        .into_iter()
        .rev()
        .map(library)
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"x").unwrap();
    }

    #[test]
    fn a_named_library_must_exist() {
        let error = find(Some(Path::new("/nowhere/lib.so")), None).unwrap_err();
        assert!(error.to_string().contains("/nowhere/lib.so"), "{error}");
        let error = find(None, Some("/nowhere/env.so".into())).unwrap_err();
        assert!(error.to_string().contains("ORT_DYLIB_PATH"), "{error}");
    }

    #[test]
    fn places_are_searched_in_order_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let (beside, working) = (dir.path().join("bin"), dir.path().join("work/deep"));
        let system = dir.path().join("usr");
        std::fs::create_dir_all(&beside).unwrap();
        std::fs::create_dir_all(&working).unwrap();
        let look = || search(Some(&beside), Some(&working), &system);

        let error = look().unwrap_err().to_string();
        for part in [
            "bin/libonnxruntime.so",
            "usr/",
            ".cache/onnxruntime",
            "fetch-onnxruntime",
        ] {
            assert!(error.contains(part), "{error}");
        }
        let cached = |version: &str| {
            dir.path()
                .join("work/.cache/onnxruntime")
                .join(version)
                .join(std::env::consts::ARCH)
                .join(FILE)
        };
        touch(&cached("1.9.0"));
        touch(&cached("1.23.2"));
        assert_eq!(look().unwrap(), cached("1.23.2"));
        touch(&system.join(FILE));
        assert_eq!(look().unwrap(), system.join(FILE));
        touch(&beside.join(FILE));
        assert_eq!(look().unwrap(), beside.join(FILE));
    }
}
