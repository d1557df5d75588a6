//! Sensors of a board's draw.

use std::path::{Path, PathBuf};
use std::time::Duration;

use scene::Mono;

use crate::command::{Tell, Told};
use crate::meter::{Average, Said};
use crate::rapl::Rapl;
use crate::spec::{Power, Sensor};
use crate::sysfs::{self, Attribute, devices};

/// What `ina2xx-adc` (IIO) is called by: its chip.
const IIO_CHIPS: [&str; 5] = ["ina219", "ina220", "ina226", "ina230", "ina231"];

/// The PoE+ HAT's output, volts; its converter holds it.
const HAT_VOLTS: f64 = 5.0;

/// An answer of the power management that is older is none.
const PMIC_STALE: Duration = Duration::from_secs(10);

/// A sensor that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub kind: Sensor,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// `power1_input`, µW; `energy1_input`, µJ, where there is one.
    Hwmon {
        power: Option<Attribute>,
        volts_amperes: Option<(Attribute, Attribute)>,
        energy: Option<Counter>,
    },
    /// mV and mA of each input.
    Inputs(Vec<(Attribute, Attribute)>),
    /// Raw, and milliwatts for each.
    Iio(Attribute, f64),
    /// `online`, and `current_now`, µA.
    Hat(Option<Attribute>, Attribute),
    Rapl(Rapl, Average),
    /// By another program, which is asked elsewhere.
    Pmic,
}

/// A counter of µJ that only grows, until its chip is reset.
#[derive(Debug)]
struct Counter {
    micro: Attribute,
    last: Option<i64>,
    average: Average,
}

impl Counter {
    fn read(&mut self, now: Mono) -> Said {
        let counted = self.micro.whole().filter(|e| *e >= 0);
        let went = self.last.zip(counted).and_then(|(last, counted)| {
            let went = counted.checked_sub(last).filter(|went| *went >= 0)?;
            Some(went as f64 / 1e6)
        });
        self.last = counted;
        self.average.read(now, went)
    }
}

impl Found {
    /// What it says at `now`, watts where it sits.
    pub fn read(&mut self, now: Mono, pmic: Option<&Told>) -> Said {
        match &mut self.way {
            Way::Hwmon {
                power,
                volts_amperes,
                energy,
            } => {
                let average = energy.as_mut().map(|counter| counter.read(now));
                if let Some(Said::Watts(watts, age)) = average {
                    return Said::Watts(watts, age);
                }
                let told = power.as_ref().and_then(Attribute::whole);
                let product = || {
                    let (mv, ma) = volts_amperes.as_ref()?;
                    Some(mv.whole()? as f64 * ma.whole()? as f64)
                };
                (told.map(|uw| uw as f64).or_else(product))
                    .map(|uw| uw / 1e6)
                    .into()
            }
            Way::Inputs(inputs) => (inputs.iter())
                .map(|(mv, ma)| Some(mv.whole()? as f64 * ma.whole()? as f64 / 1e6))
                .sum::<Option<f64>>()
                .into(),
            Way::Iio(raw, milliwatts) => raw.decimal().map(|raw| raw * *milliwatts / 1e3).into(),
            Way::Hat(online, current) => {
                if online.as_ref().is_some_and(|o| o.whole() != Some(1)) {
                    return Said::Nothing;
                }
                (current.whole())
                    .map(|ua| ua as f64 / 1e6 * HAT_VOLTS)
                    .into()
            }
            Way::Rapl(rapl, average) => {
                let joules = rapl.joules();
                average.read(now, joules)
            }
            Way::Pmic => match pmic {
                None => Said::NotYet,
                Some(told) => {
                    let age = now.since(told.at);
                    match told.text.as_deref().ok().and_then(pmic_watts) {
                        Some(watts) if age <= PMIC_STALE => Said::Watts(watts, age),
                        _ => Said::Nothing,
                    }
                }
            },
        }
    }
}

/// Watts in what `vcgencmd pmic_read_adc` says: volts x amperes of every rail
/// that has both (`3V3_SYS_A current(1)=0.06831510A`, `3V3_SYS_V
/// volt(9)=3.30000000V`); `None` if none has. The 5 V input has no current, so
/// what the regulators lose, and what USB takes, is not in it.
pub fn pmic_watts(text: &str) -> Option<f64> {
    let rails = |unit: char, suffix: &'static str| {
        text.lines().filter_map(move |line| {
            let mut words = line.split_whitespace();
            let rail = words.next()?.strip_suffix(suffix)?;
            let (_, value) = words.next()?.split_once('=')?;
            let value = sysfs::decimal(value.strip_suffix(unit)?.as_bytes())?;
            Some((rail, value))
        })
    };
    let mut sum = None;
    for (rail, amperes) in rails('A', "_A") {
        if let Some((_, volts)) = rails('V', "_V").find(|(of, _)| *of == rail) {
            *sum.get_or_insert(0.0) += volts * amperes;
        }
    }
    sum.filter(|watts: &f64| watts.is_finite())
}

/// The sensor that `power` names, below `root`. An error is a sentence that
/// names the key.
pub(crate) fn find(
    root: &Path,
    power: &Power,
    pmic: Option<&dyn Tell>,
) -> Result<Option<Found>, String> {
    let seek = |kind| seek(root, power, kind, pmic.is_some());
    match power.sensor {
        Sensor::None => Ok(None),
        Sensor::Auto => {
            let mut kinds = vec![
                Sensor::Ina226,
                Sensor::Ina228,
                Sensor::Ina238,
                Sensor::Ina2xx,
                Sensor::RpiPoe,
            ];
            // Which of its inputs make up a board nobody can guess.
            if !power.channels.is_empty() {
                kinds.push(Sensor::Ina3221);
            }
            let mut found = Vec::new();
            for kind in kinds {
                found.extend(seek(kind)?);
            }
            if found.len() > 1 {
                let names: Vec<&str> = found.iter().map(|f| f.kind.name()).collect();
                return Err(format!(
                    "[power] sensor = \"auto\": {} are all there; name the one that measures the board",
                    names.join(", ")
                ));
            }
            let one = found.pop();
            one.map(Some)
                .ok_or_else(|| "[power] sensor = \"auto\": there is none".into())
        }
        kind => seek(kind)?.map(Some).ok_or_else(|| {
            let why = match kind {
                Sensor::Ina2xx => "no IIO device is an INA2xx",
                Sensor::RpiPoe => "there is no power_supply of that name",
                Sensor::Pmic => "vcgencmd is not asked here",
                Sensor::Rapl => "it can't be read; only root may, on most systems",
                _ => "no hwmon device has that name",
            };
            format!("[power] sensor = \"{}\": {why}", kind.name())
        }),
    }
}

/// The sensor of `kind`, if there is one.
fn seek(root: &Path, power: &Power, kind: Sensor, has_pmic: bool) -> Result<Option<Found>, String> {
    let way = match kind {
        Sensor::None | Sensor::Auto => None,
        Sensor::Ina226 | Sensor::Ina228 | Sensor::Ina238 => {
            only(&root.join("sys/class/hwmon"), &[kind.name()], power)?.and_then(|dir| hwmon(&dir))
        }
        Sensor::Ina3221 => match only(&root.join("sys/class/hwmon"), &["ina3221"], power)? {
            None => None,
            Some(dir) => Some(Way::Inputs(inputs(&dir, &power.channels)?)),
        },
        Sensor::Ina2xx => {
            only(&root.join("sys/bus/iio/devices"), &IIO_CHIPS, power)?.and_then(|dir| iio(&dir))
        }
        Sensor::RpiPoe => {
            let dir = hat(root);
            Attribute::existing(dir.join("current_now"))
                .map(|current| Way::Hat(Attribute::existing(dir.join("online")), current))
        }
        Sensor::Pmic => has_pmic.then_some(Way::Pmic),
        Sensor::Rapl => Rapl::find(root).map(|rapl| Way::Rapl(rapl, Average::default())),
    };
    Ok(way.map(|way| Found { kind, way }))
}

/// The one device with one of `names`, or the one that `[power] at` says.
fn only(class: &Path, names: &[&str], power: &Power) -> Result<Option<PathBuf>, String> {
    let mut all = devices(class, names);
    if let Some(at) = &power.at {
        // hwmon3/device leads to 1-0040; an IIO device lies in it.
        let is_at = |dir: &Path| {
            let link = dir.join("device").canonicalize();
            let inside = dir.canonicalize();
            let inside = inside
                .ok()
                .and_then(|dir| Some(dir.parent()?.to_path_buf()));
            (link.ok().into_iter().chain(inside))
                .any(|path| path.file_name().is_some_and(|name| name == at.as_str()))
        };
        all.retain(|(dir, _)| is_at(dir));
    }
    if all.len() > 1 {
        let places: Vec<String> = (all.iter())
            .map(|(dir, name)| {
                let link = dir.join("device").canonicalize().ok();
                let place = link.as_deref().unwrap_or(dir).file_name();
                let place = place.unwrap_or_default().to_string_lossy();
                format!("{name} at {place}")
            })
            .collect();
        return Err(format!(
            "[power] at: there are {}; say which one measures the board",
            places.join(" and ")
        ));
    }
    Ok(all.pop().map(|(dir, _)| dir))
}

fn hwmon(dir: &Path) -> Option<Way> {
    let attribute = |name: &str| Attribute::existing(dir.join(name));
    let power = attribute("power1_input");
    let volts_amperes = attribute("in1_input").zip(attribute("curr1_input"));
    if power.is_none() && volts_amperes.is_none() {
        return None;
    }
    Some(Way::Hwmon {
        power,
        volts_amperes,
        energy: attribute("energy1_input").map(|micro| Counter {
            micro,
            last: None,
            average: Average::default(),
        }),
    })
}

/// The inputs of an ina3221 that `channels` name.
fn inputs(dir: &Path, channels: &[String]) -> Result<Vec<(Attribute, Attribute)>, String> {
    let labels: Vec<(String, Option<String>)> = (1..=3)
        .map(|n: u32| {
            let label = sysfs::text(&dir.join(format!("in{n}_label")));
            (n.to_string(), label)
        })
        .collect();
    let input = |channel: &String| {
        let (n, _) = (labels.iter())
            .find(|(n, label)| label.as_ref() == Some(channel) || n == channel)
            .ok_or_else(|| {
                let names = labels.iter().map(|(n, label)| label.as_ref().unwrap_or(n));
                let names: Vec<&str> = names.map(String::as_str).collect();
                format!(
                    "[power] channels: this ina3221 has no \"{channel}\" but {}",
                    names.join(", ")
                )
            })?;
        let file = |name: String| Attribute::existing(dir.join(name));
        (file(format!("in{n}_input")).zip(file(format!("curr{n}_input"))))
            .ok_or_else(|| format!("[power] channels: \"{channel}\" can't be read"))
    };
    channels.iter().map(input).collect()
}

fn iio(dir: &Path) -> Option<Way> {
    let scale = |name: &str| {
        let text = sysfs::text(&dir.join(name))?;
        sysfs::decimal(text.as_bytes()).filter(|scale| *scale > 0.0)
    };
    // IIO's unit of power is the milliwatt.
    let raw = Attribute::existing(dir.join("in_power2_raw"))?;
    Some(Way::Iio(raw, scale("in_power2_scale")?))
}

fn hat(root: &Path) -> PathBuf {
    root.join("sys/class/power_supply/rpi-poe")
}

/// What the Raspberry Pi PoE+ HAT was granted, by what it lets flow.
#[derive(Debug)]
pub(crate) struct HatGrant {
    online: Attribute,
    most: Attribute,
}

impl HatGrant {
    pub fn new(root: &Path) -> Self {
        Self {
            online: Attribute::new(hat(root).join("online")),
            most: Attribute::new(hat(root).join("current_max")),
        }
    }

    /// Watts at the PoE input: 2.5 A is 802.3af, 5 A is 802.3at. Less, and
    /// what lies between, counts as the lower.
    pub fn watts(&self) -> Option<scene::Watts> {
        if self.online.whole() != Some(1) {
            return None;
        }
        match self.most.whole()? {
            5_000_000.. => Some(scene::Watts(25.5)),
            1.. => Some(scene::Watts(12.95)),
            _ => None,
        }
    }
}

/// The Raspberry Pi's alarm of an input that is too low.
pub(crate) fn undervoltage(root: &Path) -> Option<Attribute> {
    let (dir, _) = devices(&root.join("sys/class/hwmon"), &["rpi_volt"]).pop()?;
    Attribute::existing(dir.join("in0_lcrit_alarm"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    #[test]
    fn rails_of_the_pi_5_are_added_up() {
        let text = "   3V7_WL_SW_A current(0)=0.10000000A\n   VDD_CORE_A current(7)=1.50000000A\n\
                    \x20  NO_VOLTS_A current(8)=9.00000000A\n   3V7_WL_SW_V volt(8)=3.70000000V\n\
                    \x20  VDD_CORE_V volt(15)=0.80000000V\n   EXT5V_V volt(24)=5.10000000V\n";
        assert!((pmic_watts(text).unwrap() - 1.57).abs() < 1e-9);
        for bad in [
            "",
            "error=1 error_msg=\"Command not registered\"",
            "X_A current(0)=nanA\nX_V volt(1)=1V",
            "X_A current(0)=1V\nX_V volt(1)=1A",
            "X_A\nX_V",
        ] {
            assert_eq!(pmic_watts(bad), None, "{bad}");
        }
    }

    proptest! {
        // The same cases at every run; PROPTEST_RNG_SEED and PROPTEST_CASES choose others.
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn no_text_upsets_the_rails(text in "(?s)[A-Z_AV =.0-9()\n-]{0,120}") {
            assert!(pmic_watts(&text).is_none_or(f64::is_finite));
        }
    }
}
