use std::path::PathBuf;

use thiserror::Error;

/// Why a board can't be used.
#[derive(Debug, Error)]
pub enum PlatformError {
    /// There is no such file, or it can't be read.
    #[error(
        "no board at {path}: {why}; {remedy}",
        path = path.display(),
        remedy = remedy(known)
    )]
    Missing {
        /// The file looked for.
        path: PathBuf,
        /// What the system said.
        why: String,
        /// The boards that there are beside it.
        known: Vec<String>,
    },
    /// It is not what a board.toml is: wrong form, a key that is not known, a
    /// key that is missing.
    #[error("{path}: {why}", path = path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and key.
        why: String,
    },
    /// A value that can't be.
    #[error("{path}: {key} = {value} can't be: {why}", path = path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key, with its section.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        why: String,
    },
}

fn remedy(known: &[String]) -> String {
    if known.is_empty() {
        return "name a folder that has a board.toml".into();
    }
    format!("the boards that there are: {}", known.join(", "))
}
