use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why there is no picture. Every variant reads as a sentence that names the
/// thing, what is wrong with it and, where there is one, the remedy.
#[derive(Debug, Error)]
pub enum CaptureError {
    /// GStreamer itself does not start.
    #[error("GStreamer does not start: {0}")]
    Gstreamer(String),
    /// A description can't be read.
    #[error("{file}: {why}", file = file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// A description is not what it should be.
    #[error("{file}: {why}", file = file.display())]
    Description {
        /// The file at fault.
        file: PathBuf,
        /// What is wrong with it, and what would be right.
        why: String,
    },
    /// There is no such description.
    #[error("there is no {what} '{name}'; {dir} has {have}", dir = dir.display())]
    NoSuch {
        /// "source" or "encoder".
        what: &'static str,
        /// What was asked for.
        name: String,
        /// Where descriptions are.
        dir: PathBuf,
        /// What there is instead.
        have: String,
    },
    /// A placeholder that nothing fills.
    #[error("{file}: nothing says what {{{name}}} stands for; give it a value or a default", file = file.display())]
    Unfilled {
        /// The file at fault.
        file: PathBuf,
        /// The placeholder, without braces.
        name: String,
    },
    /// A value for which the description has no placeholder.
    #[error("{file} has no placeholder {{{name}}}; it has {have}", file = file.display())]
    Unasked {
        /// The description.
        file: PathBuf,
        /// The value's name.
        name: String,
        /// The placeholders that it has.
        have: String,
    },
    /// An element that a package would bring is not installed.
    #[error(
        "the GStreamer element '{element}' that {file} uses is not installed; it is in the package {package} (apt install {package})",
        file = file.display()
    )]
    MissingElement {
        /// The element.
        element: String,
        /// Who uses it.
        file: PathBuf,
        /// The Debian package that has it.
        package: String,
    },
    /// An element that nobody has heard of.
    #[error(
        "{file} names an element '{element}' that is not installed and that no package in packages.toml has; check the spelling, or install the plugin that has it",
        file = file.display()
    )]
    UnknownElement {
        /// The element.
        element: String,
        /// Who names it.
        file: PathBuf,
    },
    /// A network camera's address that is none. The address is not repeated:
    /// it may hold a password.
    #[error("the camera's url can't be used: {why}")]
    Url {
        /// What is wrong, and the remedy.
        why: String,
    },
    /// The source gives no picture.
    #[error("{0}")]
    Source(String),
    /// Nothing can be served there.
    #[error("RTSP can't be served on {address}: {why}")]
    Rtsp {
        /// Address and port.
        address: std::net::SocketAddr,
        /// What is wrong, and the remedy.
        why: String,
    },
    /// The system has no room for another thread.
    #[error("no thread for {what}: {why}")]
    Thread {
        /// What it was for.
        what: &'static str,
        /// What the system says.
        why: io::Error,
    },
}
