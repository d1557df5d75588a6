//! Where the read-only data of the firmware lies: pipelines, boards, models.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use scene::Id;

/// The folder that holds `pipelines/`, `board/` and `models/`.
#[derive(Clone, Debug)]
pub struct Share(PathBuf);

impl Share {
    /// Finds it: `WATCHWORD_SHARE`, else a checkout that the program was built
    /// in or is started from, else `/usr/share/watchword`.
    pub fn find() -> Result<Self> {
        let mut tried = Vec::new();
        if let Some(dir) = std::env::var_os("WATCHWORD_SHARE") {
            tried.push(PathBuf::from(dir));
        } else {
            let exe = std::env::current_exe().ok();
            let here = std::env::current_dir().ok();
            for start in [exe, here].into_iter().flatten() {
                tried.extend(start.ancestors().skip(1).map(Path::to_path_buf));
                tried.push(start);
            }
            tried.push(PathBuf::from("/usr/share/watchword"));
        }
        let holds_data =
            |dir: &&PathBuf| dir.join("pipelines").is_dir() && dir.join("board").is_dir();
        match tried.iter().find(holds_data) {
            Some(dir) => Ok(Self(dir.clone())),
            None => bail!(
                "found no folder with pipelines/ and board/ in it (looked in {}); set WATCHWORD_SHARE to it",
                tried
                    .iter()
                    .map(|dir| dir.display().to_string())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    }

    /// Uses `dir` without looking.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// Pipeline descriptions.
    pub fn pipelines(&self) -> PathBuf {
        self.0.join("pipelines")
    }

    /// The folder of the board `name`.
    pub fn board(&self, name: &Id) -> PathBuf {
        self.0.join("board").join(name.as_str())
    }

    /// The built-in model.
    pub fn scout(&self) -> PathBuf {
        self.0.join("models/scout")
    }
}
