//! Frequencies: of the processor, of other devices, and the processor's cap.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scene::Mono;
use scene::ports::Throttle;

use crate::sysfs::{Attribute, folders, once};

const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The clock of something that has several.
#[derive(Clone, Debug, PartialEq)]
pub struct Frequency {
    /// As the kernel calls it: `policy0` for a cluster of cores,
    /// `fdab0000.npu` for another device.
    pub name: String,
    /// Now, MHz.
    pub now_mhz: f64,
    /// What it is kept within, MHz; `None` if it is not told.
    pub least_mhz: Option<f64>,
    /// What it is kept within, MHz; `None` if it is not told.
    pub most_mhz: Option<f64>,
}

fn policies(root: &Path) -> Vec<PathBuf> {
    let dir = root.join("sys/devices/system/cpu/cpufreq");
    folders(&dir, |name| name.starts_with("policy"))
}

/// All clocks below `root` that are told: cpufreq's policies, then devfreq's
/// devices.
pub(crate) fn all(root: &Path) -> Vec<Frequency> {
    let read = |dir: PathBuf, prefix: &str, per_mhz: f64| {
        let file = |which: &str| {
            let number = once(&dir.join(format!("{prefix}{which}_freq")))?;
            (number > 0).then(|| number as f64 / per_mhz)
        };
        Some(Frequency {
            name: dir.file_name()?.to_string_lossy().into_owned(),
            now_mhz: file("cur")?,
            least_mhz: file("min"),
            most_mhz: file("max"),
        })
    };
    let cores = policies(root).into_iter();
    let devices = folders(&root.join("sys/class/devfreq"), |_| true).into_iter();
    cores
        .filter_map(|dir| read(dir, "scaling_", 1e3))
        .chain(devices.filter_map(|dir| read(dir, "", 1e6)))
        .collect()
}

/// The processor's frequency, reading by reading.
#[derive(Debug)]
pub(crate) struct Now {
    root: PathBuf,
    kilohertz: Vec<Attribute>,
    next: Option<Mono>,
}

impl Now {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            kilohertz: Vec::new(),
            next: None,
        }
    }

    /// MHz of the fastest cluster.
    pub fn mhz(&mut self, now: Mono) -> Option<u32> {
        if self.kilohertz.is_empty() && self.next.is_none_or(|next| now >= next) {
            self.next = Some(now + LOOK_AGAIN);
            let files = policies(&self.root).into_iter();
            self.kilohertz = files
                .filter_map(|dir| Attribute::existing(dir.join("scaling_cur_freq")))
                .collect();
        }
        let all = self.kilohertz.iter().filter_map(Attribute::whole);
        let fastest = all.filter(|khz| *khz > 0).max()?;
        u32::try_from(fastest / 1_000).ok()
    }
}

/// Caps the frequency of all of a processor's clusters by cpufreq's
/// `scaling_max_freq`.
///
/// A daemon that crashed may have left a cap behind, so [`CpuCap::open`] lifts
/// what it finds. Lifted means what the hardware can: the file shows also what
/// the kernel's own thermal governor leaves at the moment, and to write that
/// back would keep it. Dropped, it lifts its own.
#[derive(Debug)]
pub struct CpuCap {
    policies: Vec<Policy>,
}

#[derive(Debug)]
struct Policy {
    file: PathBuf,
    /// The hardware's, kHz.
    least: u64,
    most: u64,
    capped: bool,
}

fn kilohertz(path: &Path) -> Option<u64> {
    once(path)
        .and_then(|khz| u64::try_from(khz).ok())
        .filter(|khz| *khz > 0)
}

impl Policy {
    fn set(&self, khz: u64) -> Result<(), String> {
        let why = |e: std::io::Error| {
            format!(
                "{} can't be written: {e}; the service needs access to it",
                self.file.display()
            )
        };
        fs::write(&self.file, format!("{khz}\n")).map_err(why)?;
        match kilohertz(&self.file) {
            Some(is) if is <= khz => Ok(()),
            is => Err(format!(
                "{} was set to {khz} kHz and says {}",
                self.file.display(),
                is.map_or("nothing".into(), |khz| format!("{khz} kHz"))
            )),
        }
    }

    fn lift(&mut self) -> Result<(), String> {
        if self.capped {
            self.set(self.most)?;
            self.capped = false;
        }
        Ok(())
    }
}

impl CpuCap {
    /// The processor below `root`; a cap that was left behind is lifted to
    /// what the hardware can. A processor without cpufreq is no error: to cap
    /// it is one.
    pub fn open(root: &Path) -> Self {
        let policies: Vec<Policy> = policies(root)
            .into_iter()
            .filter_map(|dir| {
                let policy = Policy {
                    least: kilohertz(&dir.join("cpuinfo_min_freq"))?,
                    most: kilohertz(&dir.join("cpuinfo_max_freq"))?,
                    file: dir.join("scaling_max_freq"),
                    capped: false,
                };
                (policy.least <= policy.most).then_some(policy)
            })
            .collect();
        for policy in &policies {
            let left = kilohertz(&policy.file).filter(|khz| *khz < policy.most);
            if let Some(khz) = left {
                match policy.set(policy.most) {
                    Ok(()) => tracing::info!(khz, "a cap on the processor's frequency was lifted"),
                    Err(why) => {
                        tracing::warn!(khz, %why, "a cap on the processor's frequency stays")
                    }
                }
            }
        }
        Self { policies }
    }

    /// What can be capped to, MHz: from the highest of the clusters' lowest to
    /// the highest of all. `None` without cpufreq.
    pub fn range_mhz(&self) -> Option<(u32, u32)> {
        let least = self
            .policies
            .iter()
            .map(|p| p.least.div_ceil(1_000))
            .max()?;
        let most = self.policies.iter().map(|p| p.most / 1_000).max()?;
        Some((u32::try_from(least).ok()?, u32::try_from(most).ok()?))
    }

    fn lift(&mut self) -> Result<(), String> {
        // All are tried before anything is said.
        let all: Vec<_> = self.policies.iter_mut().map(Policy::lift).collect();
        all.into_iter().collect()
    }
}

impl Throttle for CpuCap {
    /// Caps every cluster at `mhz`; one that is slower anyway keeps its own
    /// most. If one can't be capped, none is.
    fn cap(&mut self, mhz: Option<u32>) -> Result<(), String> {
        let Some(mhz) = mhz else {
            return self.lift();
        };
        let Some((least, most)) = self.range_mhz() else {
            return Err("this processor has no cpufreq: its frequency can't be capped".into());
        };
        if !(least..=most).contains(&mhz) {
            return Err(format!(
                "{mhz} MHz is no cap for this processor: it runs at {least} to {most} MHz"
            ));
        }
        let mut done = Ok(());
        for policy in &mut self.policies {
            done = policy.set((u64::from(mhz) * 1_000).min(policy.most));
            // Also after a failure, which may have been the reading back.
            policy.capped = true;
            if done.is_err() {
                break;
            }
        }
        if let Err(why) = done {
            // What it said is why; that it can't be undone either adds nothing.
            let _ = self.lift();
            return Err(why);
        }
        Ok(())
    }
}

impl Drop for CpuCap {
    fn drop(&mut self) {
        if let Err(why) = self.lift() {
            tracing::warn!(%why, "a cap on the processor's frequency stays");
        }
    }
}
