//! Energy counters of x86 processors.

use std::path::Path;

use crate::sysfs::{self, Attribute, folders};

/// The processor packages' energy counters (powercap, Intel and AMD), µJ.
#[derive(Debug)]
pub(crate) struct Rapl {
    packages: Vec<Package>,
}

#[derive(Debug)]
struct Package {
    energy: Attribute,
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
                let name = sysfs::text(&dir.join("name")).unwrap_or_default();
                name.starts_with("package")
            })
            .filter_map(|dir| {
                let energy = Attribute::existing(dir.join("energy_uj"))?;
                let last = energy.whole().filter(|e| *e >= 0)?;
                Some(Package {
                    energy,
                    range: sysfs::once(&dir.join("max_energy_range_uj")).filter(|r| *r > 0),
                    last: Some(last),
                })
            })
            .collect();
        (!packages.is_empty()).then_some(Self { packages })
    }

    /// Joules since the last call. `None` if a counter could not be read or
    /// went back without a range that explains it; the next call counts from
    /// there.
    pub fn joules(&mut self) -> Option<f64> {
        let mut sum = Some(0.0);
        for p in &mut self.packages {
            let now = p.energy.whole().filter(|e| *e >= 0);
            let went = match (p.last, now, p.range) {
                (Some(last), Some(now), _) if now >= last => Some((now - last) as f64),
                (Some(last), Some(now), Some(range)) if last <= range => {
                    Some((range - last) as f64 + now as f64)
                }
                _ => None,
            };
            p.last = now;
            sum = sum.zip(went).map(|(sum, uj)| sum + uj / 1e6);
        }
        sum
    }
}
