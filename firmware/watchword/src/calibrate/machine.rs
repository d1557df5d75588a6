//! What a calibration holds for: this machine, these packages; and whether
//! anybody else was at work meanwhile.

use std::fs;
use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::evidence::hex;

/// Files above this are told apart by their size alone: the manifest has their
/// checksums, and `watchword model verify` holds them against it.
const READ_WHOLE: u64 = 1 << 20;

/// SHA-256 over the packages in `folders`: names and sizes of their graphs and
/// settings, and the contents of those up to 1 MiB. Notes beside them do not
/// count.
pub fn fingerprint<'p>(folders: impl IntoIterator<Item = &'p Path>) -> io::Result<String> {
    let counts = |name: &str| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        matches!(ending, Some("onnx" | "json" | "toml" | "onnx_data")) && name != "evaluation.json"
    };
    let mut sum = Sha256::new();
    for folder in folders {
        let mut files = Vec::new();
        for sub in ["", "onnx"] {
            let Ok(entries) = fs::read_dir(folder.join(sub)) else {
                continue;
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if counts(&name) && entry.path().is_file() {
                    files.push((format!("{sub}/{name}"), entry.path()));
                }
            }
        }
        files.sort();
        for (name, path) in files {
            let size = fs::metadata(&path)?.len();
            sum.update(format!("{name} {size}\n"));
            if size <= READ_WHOLE {
                sum.update(fs::read(&path)?);
            }
        }
    }
    Ok(hex(&sum.finalize()))
}

/// What this machine is: the device tree's model, or the processor's name, and
/// its cores.
pub fn machine() -> String {
    let tree = fs::read_to_string("/proc/device-tree/model").ok();
    let processor = || {
        let text = fs::read_to_string("/proc/cpuinfo").ok()?;
        let line = text.lines().find(|l| l.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = tree.map(|t| t.trim_end_matches('\0').trim().to_owned());
    let name = name.filter(|n| !n.is_empty()).or_else(processor);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let name = name.unwrap_or_else(|| std::env::consts::ARCH.into());
    match cores {
        1 => format!("{name}, 1 core"),
        n => format!("{name}, {n} cores"),
    }
}

/// Work of all programs on this machine so far, seconds of a core. `None`
/// where the kernel does not tell.
pub(super) fn work_so_far() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    busy_ticks(&text).map(|ticks| ticks as f64 / TICKS_PER_SECOND)
}

/// `USER_HZ`, which is 100 on every architecture that Linux has.
const TICKS_PER_SECOND: f64 = 100.0;

/// user, nice, system, irq and softirq of the first line of `/proc/stat`.
fn busy_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .map_while(|n| n.parse().ok())
        .collect();
    match ticks[..] {
        [user, nice, system, _idle, _wait, irq, softirq, ..] => {
            Some(user + nice + system + irq + softirq)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_what_is_neither_idle_nor_waiting() {
        let stat = "cpu  100 20 30 4000 50 6 7 8 0 0\ncpu0 1 2 3\n";
        assert_eq!(busy_ticks(stat), Some(163));
        assert_eq!(busy_ticks("cpu 1 2\n"), None);
        assert_eq!(busy_ticks(""), None);
    }

    #[test]
    fn a_package_is_told_by_what_it_runs_on() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("model.toml", "id = \"a\"");
        write("vision_encoder.onnx", "graph");
        let before = fingerprint([dir.path()]).unwrap();
        write("README.md", "a note");
        assert_eq!(fingerprint([dir.path()]).unwrap(), before);
        write("vision_encoder.onnx", "grape");
        let after = fingerprint([dir.path()]).unwrap();
        assert_ne!(after, before);
        assert_eq!(after.len(), 64);
    }
}
