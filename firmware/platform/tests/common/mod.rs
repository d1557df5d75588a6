//! Recorded trees, and boards to read them with.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use platform::{Outside, Platform, PlatformError, Tell, Told};
use scene::Mono;
use scene::ports::Readings;

/// The boards that ship.
pub fn boards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board")
}

/// A copy of a tree, to be changed and read.
pub struct Tree(tempfile::TempDir);

impl Tree {
    /// An empty one.
    pub fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A copy of `trees/<name>`. A colon is `%3A` in the repository.
    pub fn recorded(name: &str) -> Self {
        let tree = Self::empty();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trees");
        copy(&from.join(name), tree.root());
        tree
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn get(&self, path: &str) -> String {
        let text = fs::read_to_string(self.root().join(path)).unwrap();
        text.trim().to_string()
    }

    pub fn remove(&self, path: &str) {
        let path = self.root().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    /// A board whose file is `toml`, called good.
    pub fn board(&self, toml: &str) -> Result<Platform, PlatformError> {
        self.board_with(toml, Outside::default())
    }

    pub fn board_with(&self, toml: &str, outside: Outside) -> Result<Platform, PlatformError> {
        self.put("good/board.toml", toml);
        Platform::open_with(&self.root().join("good"), self.root(), outside)
    }

    /// One of the boards that ship, on this tree.
    pub fn shipped(&self, name: &str) -> Platform {
        Platform::open(&boards().join(name), self.root()).unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap().replace("%3A", ":");
        let to = to.join(name);
        if entry.path().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

pub const GOOD: &str = r#"
[board]
name = "good"
title = "Good"
[video]
source = "test"
encoder = "x264"
[poe]
class = 4
[power]
idle_watts = 4.0
watts_per_core = 1.0
[thermal]
critical_celsius = 90.0
[compute]
cores = 4
threads = 2
[boot]
counter = "none"
"#;

/// The same with more in `[power]`.
pub fn with_power(more: &str) -> String {
    GOOD.replace("[thermal]", &format!("{more}\n[thermal]"))
}

/// Reads at `seconds`, one core busy for `busy` of them so far.
pub fn read(board: &mut Platform, seconds: f64, busy: f64) -> Readings {
    board.read_at(Mono::from_secs_f64(seconds), Duration::from_secs_f64(busy))
}

/// Somebody outside of `/sys` whose words a test sets.
#[derive(Clone, Default)]
pub struct Says(Arc<Mutex<Option<Told>>>);

impl Says {
    pub fn say(&self, seconds: f64, text: Result<&str, &str>) {
        *self.0.lock().unwrap() = Some(Told {
            at: Mono::from_secs_f64(seconds),
            text: text.map(Into::into).map_err(Into::into),
        });
    }

    pub fn boxed(&self) -> Option<Box<dyn Tell>> {
        Some(Box::new(self.clone()))
    }
}

impl Tell for Says {
    fn newest(&mut self) -> Option<Told> {
        self.0.lock().unwrap().clone()
    }
}
