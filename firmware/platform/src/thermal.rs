//! Thermal zones.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scene::{Celsius, Mono};

use crate::health::{Fault, Judge, Kind};
use crate::sysfs::{self, Attribute, folders};

/// Zones come late, with their drivers, and go with them.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

#[derive(Debug)]
struct Zone {
    folder: PathBuf,
    kind: String,
    milli: Attribute,
    judge: Judge,
    /// Whether it ever told a number. Many boards have zones that never do,
    /// of parts that are off; nobody misses those.
    spoke: bool,
}

impl Zone {
    /// For people: the zone's type and its number.
    fn name(&self) -> String {
        let folder = self.folder.file_name().unwrap_or_default();
        format!("{} ({})", self.kind, folder.to_string_lossy())
    }
}

/// All thermal zones below a root.
#[derive(Debug)]
pub(crate) struct Zones {
    class: PathBuf,
    zones: Vec<Zone>,
    next: Option<Mono>,
}

impl Zones {
    pub fn new(root: &Path) -> Self {
        Self {
            class: root.join("sys/class/thermal"),
            zones: Vec::new(),
            next: None,
        }
    }

    /// The hottest zone that can be believed, and its type. `rise` is what the
    /// board's model says that the die is warmer than the case, K. Faults are
    /// added to `problems`.
    pub fn hottest(
        &mut self,
        now: Mono,
        rise: f64,
        problems: &mut Vec<String>,
    ) -> Option<(Celsius, String)> {
        if self.next.is_none_or(|next| now >= next) {
            self.look();
            self.next = Some(now + LOOK_AGAIN);
        }
        let mut hottest: Option<(f64, &str)> = None;
        for zone in &mut self.zones {
            let raw = zone.milli.whole().map(|milli| milli as f64 / 1000.0);
            zone.spoke |= raw.is_some();
            match zone.judge.judge(now, raw, rise) {
                Ok(celsius) => {
                    if hottest.is_none_or(|(most, _)| celsius > most) {
                        hottest = Some((celsius, &zone.kind));
                    }
                }
                Err(Fault::Vanished(_)) if !zone.spoke => {}
                Err(fault) => problems.push(format!("{}: {fault}", zone.name())),
            }
        }
        hottest.map(|(celsius, kind)| (Celsius(celsius), kind.to_string()))
    }

    /// What every zone says now, by type, unjudged.
    pub fn all(&self) -> Vec<(String, Celsius)> {
        (self.zones.iter())
            .filter_map(|zone| {
                let milli = zone.milli.whole()?;
                Some((zone.kind.clone(), Celsius(milli as f64 / 1000.0)))
            })
            .collect()
    }

    /// Finds zones; those known keep what was learned of them. One that went
    /// stays, if it spoke, to be missed.
    fn look(&mut self) {
        let is_zone = |name: &str| name.starts_with("thermal_zone");
        let mut known = std::mem::take(&mut self.zones);
        for folder in folders(&self.class, is_zone) {
            let kind = sysfs::text(&folder.join("type")).unwrap_or_else(|| "no type".into());
            let same = known
                .iter()
                .position(|zone| zone.folder == folder && zone.kind == kind);
            self.zones.push(match same {
                Some(at) => known.swap_remove(at),
                None => Zone {
                    milli: Attribute::new(folder.join("temp")),
                    folder,
                    kind,
                    judge: Judge::new(Kind::Temperature),
                    spoke: false,
                },
            });
        }
        known.retain(|old| {
            let replaced = self.zones.iter().any(|zone| zone.folder == old.folder);
            old.spoke && !replaced
        });
        self.zones.append(&mut known);
    }
}

/// What the die is warmer than the case, from recent watts: one thermal mass
/// behind one resistance.
#[derive(Clone, Debug)]
pub(crate) struct Rise {
    kelvin_per_watt: f64,
    seconds: f64,
    last: Option<(Mono, f64)>,
}

impl Rise {
    pub fn new(thermal: &crate::spec::Thermal) -> Self {
        Self {
            kelvin_per_watt: thermal.die_kelvin_per_watt,
            seconds: thermal.die_seconds,
            last: None,
        }
    }

    /// Kelvin at `now`, the board drawing `watts` since the last call.
    pub fn kelvin(&mut self, now: Mono, watts: f64) -> f64 {
        let end = watts * self.kelvin_per_watt;
        let rise = self.last.map_or(end, |(then, rise)| {
            let dt = now.since(then).as_secs_f64();
            end + (rise - end) * (-dt / self.seconds).exp()
        });
        self.last = Some((now, rise));
        rise
    }
}
