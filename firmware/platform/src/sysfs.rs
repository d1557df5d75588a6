//! Sensors below `/sys`. The root is an argument, so that recorded trees can
//! stand in for boards.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use scene::Celsius;

/// A number in a file of sysfs; `None` if it is missing, can't be read, or is
/// no number.
fn number(path: &Path) -> Option<i64> {
    // Such a file has one short line. A long one is none, and is not read.
    let mut text = String::new();
    File::open(path)
        .ok()?
        .take(64)
        .read_to_string(&mut text)
        .ok()?;
    text.trim().parse().ok()
}

/// Folders in `dir` whose name `wanted` likes, in the order of their names.
fn folders(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = (fs::read_dir(dir).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .filter(|path| {
            path.file_name()
                .and_then(|n| n.to_str())
                .is_some_and(&wanted)
        })
        .collect();
    found.sort();
    found
}

/// The hottest thermal zone. Values that no camera survives are the sensor's
/// fault and left out.
pub(crate) fn hottest(root: &Path) -> Option<Celsius> {
    folders(&root.join("sys/class/thermal"), |n| {
        n.starts_with("thermal_zone")
    })
    .iter()
    .filter_map(|zone| number(&zone.join("temp")))
    .map(|milli| milli as f64 / 1000.0)
    .filter(|celsius| (-60.0..=200.0).contains(celsius))
    .reduce(f64::max)
    .map(Celsius)
}

/// The processor packages' energy counters (powercap, Intel and AMD), µJ.
#[derive(Clone, Debug)]
pub(crate) struct Rapl {
    packages: Vec<Package>,
}

#[derive(Clone, Debug)]
struct Package {
    energy: PathBuf,
    /// The counter goes on from 0 after this.
    range: Option<i64>,
    last: Option<i64>,
}

impl Rapl {
    /// The packages below `root`; `None` if there is none that can be read
    /// (most systems let only root).
    pub fn find(root: &Path) -> Option<Self> {
        // intel-rapl:0 is a package; intel-rapl:0:1 is a part of one.
        let top = |n: &str| n.starts_with("intel-rapl:") && n.matches(':').count() == 1;
        let packages: Vec<Package> = folders(&root.join("sys/class/powercap"), top)
            .into_iter()
            .filter(|dir| {
                let name = fs::read_to_string(dir.join("name")).unwrap_or_default();
                name.trim().starts_with("package")
            })
            .map(|dir| Package {
                energy: dir.join("energy_uj"),
                range: number(&dir.join("max_energy_range_uj")).filter(|r| *r > 0),
                last: number(&dir.join("energy_uj")).filter(|e| *e >= 0),
            })
            .filter(|p| p.last.is_some())
            .collect();
        (!packages.is_empty()).then_some(Self { packages })
    }

    /// Joules since the last call. `None` if a counter could not be read or
    /// went back without a range that explains it; the next call counts from
    /// there.
    pub fn joules(&mut self) -> Option<f64> {
        let mut sum = Some(0.0);
        for p in &mut self.packages {
            let now = number(&p.energy).filter(|e| *e >= 0);
            let went = match (p.last, now, p.range) {
                (Some(last), Some(now), _) if now >= last => Some(now - last),
                (Some(last), Some(now), Some(range)) if last <= range => Some(range - last + now),
                _ => None,
            };
            p.last = now;
            sum = sum.zip(went).map(|(sum, uj)| sum + uj as f64 / 1e6);
        }
        sum
    }
}
