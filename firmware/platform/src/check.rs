//! What can't be in a board.toml: values out of range, and keys that
//! contradict each other.

use std::path::Path;

use crate::PlatformError;
use crate::spec::{BoardSpec, Compute, Controller, Pins, Poe, Power, Sensor, Thermal, Video};

/// A key, what it says, and why that can't be.
struct Refusal(&'static str, String, String);

type Checked = Result<(), Refusal>;

fn refuse(key: &'static str, value: impl ToString, why: impl Into<String>) -> Checked {
    Err(Refusal(key, value.to_string(), why.into()))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Written so that NaN is outside.
fn within(key: &'static str, value: f64, low: f64, high: f64) -> Checked {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    refuse(key, value, format!("it is {low} to {high}"))
}

/// Refuses what can't be in `spec`, which was read from `path` in `dir`.
pub(crate) fn check(spec: &BoardSpec, dir: &Path, path: &Path) -> Result<(), PlatformError> {
    name(spec, dir)
        .and_then(|()| video(&spec.video))
        .and_then(|()| poe(&spec.poe))
        .and_then(|()| power(&spec.power, &spec.poe))
        .and_then(|()| thermal(&spec.thermal))
        .and_then(|()| compute(&spec.compute))
        .map_err(|Refusal(key, value, why)| PlatformError::Value {
            path: path.to_path_buf(),
            key,
            value,
            why,
        })
}

fn name(spec: &BoardSpec, dir: &Path) -> Checked {
    // "." and a link have no or another name; what they lead to counts.
    let folder = dir.canonicalize().ok();
    let folder = folder.as_deref().unwrap_or(dir).file_name();
    match folder {
        Some(folder) if folder != spec.board.name.as_str() => {
            let why = format!("its folder is called \"{}\"", folder.to_string_lossy());
            refuse("[board] name", quoted(&spec.board.name), why)
        }
        _ => Ok(()),
    }
}

fn video(video: &Video) -> Checked {
    if video.encoder.is_empty() {
        return refuse("[video] encoder", "[]", "name at least one");
    }
    let source = ("[video] source", &video.source);
    let encoders = video.encoder.iter().map(|name| ("[video] encoder", name));
    for (key, name) in std::iter::once(source).chain(encoders) {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(plain) {
            let why = "it names a file of pipelines/: a-z, 0-9 and '-'";
            return refuse(key, quoted(name), why);
        }
    }
    let Some(most) = video.most else {
        return Ok(());
    };
    within("[video] most.width", f64::from(most.width), 16.0, 7680.0)?;
    within("[video] most.height", f64::from(most.height), 16.0, 4320.0)?;
    within("[video] most.rate", f64::from(most.rate), 1.0, 240.0)
}

fn poe(poe: &Poe) -> Checked {
    if poe.allotment().is_none() {
        return refuse("[poe] class", poe.class, "classes run from 0 to 8");
    }
    poe.pins.as_ref().map_or(Ok(()), pins)
}

fn pins(pins: &Pins) -> Checked {
    let lines = [
        (
            "[poe.pins] tph",
            &pins.tph,
            pins.controller != Controller::Tps23731,
            true,
        ),
        (
            "[poe.pins] tpl",
            &pins.tpl,
            pins.controller != Controller::Tps23731,
            true,
        ),
        (
            "[poe.pins] bt",
            &pins.bt,
            pins.controller != Controller::Tps23731,
            pins.controller == Controller::Tps2373,
        ),
        (
            "[poe.pins] t2p",
            &pins.t2p,
            pins.controller == Controller::Tps23731,
            true,
        ),
    ];
    let mut seen = Vec::new();
    for (key, line, has, needed) in lines {
        match line {
            Some(line) if !has => {
                let why = "this controller has no such pin; leave it out";
                return refuse(key, quoted(line), why);
            }
            Some(line) if line.trim().is_empty() || seen.contains(&line) => {
                let why = "name a line of its own, as in the device tree's gpio-line-names";
                return refuse(key, quoted(line), why);
            }
            Some(line) => seen.push(line),
            None if has && needed => {
                let why = "name the line that this pin of the controller is wired to";
                return refuse(key, "nothing", why);
            }
            None => {}
        }
    }
    Ok(())
}

fn power(power: &Power, poe: &Poe) -> Checked {
    within("[power] idle_watts", power.idle_watts, 0.0, 100.0)?;
    within("[power] watts_per_core", power.watts_per_core, 0.0, 100.0)?;
    within("[power] efficiency", power.efficiency, 0.5, 1.0)?;
    within("[power] tolerance", power.tolerance, 0.0, 0.3)?;
    let class = poe.class;
    // A class that does not exist was refused before.
    let most = poe.allotment().map_or(0.0, |watts| watts.0);
    if power.idle_watts >= most {
        let why = format!(
            "[poe] class = {class} gives {most} W and leaves nothing for inference; \
             raise the class or lower the load"
        );
        return refuse("[power] idle_watts", power.idle_watts, why);
    }
    for (name, &watts) in &power.switched {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if name.is_empty() || !name.bytes().all(plain) {
            let why = "a load's name is made of a-z, 0-9 and '-'";
            return refuse("[power] switched", quoted(name), why);
        }
        let told = format!("{{ {name} = {watts} }}");
        if !(0.0..=100.0).contains(&watts) {
            return refuse("[power] switched", told, "watts are 0 to 100");
        }
        if power.idle_watts + watts > most {
            let why = format!(
                "with [power] idle_watts = {} it is more than the {most} W of [poe] class = {class}, \
                 and the switch would cut the power; raise the class or lower the load",
                power.idle_watts
            );
            return refuse("[power] switched", told, why);
        }
    }
    sensor(power)
}

fn sensor(power: &Power) -> Checked {
    let kind = power.sensor;
    let devices = [
        Sensor::Auto,
        Sensor::Ina226,
        Sensor::Ina228,
        Sensor::Ina238,
        Sensor::Ina3221,
        Sensor::Ina2xx,
    ];
    if let Some(at) = &power.at {
        if !devices.contains(&kind) {
            let why = format!("there is only one \"{}\"; leave it out", kind.name());
            return refuse("[power] at", quoted(at), why);
        }
        if at.is_empty() || at.contains('/') {
            let why = "it is the name of a device, such as \"1-0040\"";
            return refuse("[power] at", quoted(at), why);
        }
    }
    let channels = format!("{:?}", power.channels);
    match kind {
        Sensor::Ina3221 if power.channels.is_empty() => refuse(
            "[power] channels",
            channels,
            "name the inputs of the ina3221 that make up the whole board, by label or number",
        ),
        Sensor::Ina3221 | Sensor::Auto => Ok(()),
        _ if !power.channels.is_empty() => {
            let why = format!(
                "\"{}\" has no channels to choose from; leave it out",
                kind.name()
            );
            refuse("[power] channels", channels, why)
        }
        _ => Ok(()),
    }
}

fn thermal(t: &Thermal) -> Checked {
    within(
        "[thermal] critical_celsius",
        t.critical_celsius,
        30.0,
        150.0,
    )?;
    within("[thermal] kelvin_per_watt", t.kelvin_per_watt, 0.2, 30.0)?;
    within("[thermal] case_seconds", t.case_seconds, 30.0, 7200.0)?;
    within(
        "[thermal] die_kelvin_per_watt",
        t.die_kelvin_per_watt,
        0.1,
        30.0,
    )?;
    within("[thermal] die_seconds", t.die_seconds, 1.0, 300.0)?;
    within(
        "[thermal] ambient_most_celsius",
        t.ambient_most_celsius,
        0.0,
        85.0,
    )?;
    let derate = t.derate().0;
    if !(20.0..t.critical_celsius).contains(&derate) {
        let why = format!(
            "it is 20 or more and below [thermal] critical_celsius = {}",
            t.critical_celsius
        );
        return refuse("[thermal] derate_celsius", derate, why);
    }
    if t.ambient_most_celsius >= derate {
        let why = format!(
            "in such air inference would never run: it is below the {derate} of derate_celsius"
        );
        return refuse(
            "[thermal] ambient_most_celsius",
            t.ambient_most_celsius,
            why,
        );
    }
    Ok(())
}

fn compute(compute: &Compute) -> Checked {
    let Compute {
        cores,
        threads,
        caps_mhz,
    } = compute;
    within("[compute] cores", f64::from(*cores), 1.0, 256.0)?;
    if *threads == 0 || threads > cores {
        let why = format!("it is 1 to the {cores} of [compute] cores");
        return refuse("[compute] threads", threads, why);
    }
    for cap in caps_mhz {
        within("[compute] caps_mhz", f64::from(*cap), 100.0, 10_000.0)?;
    }
    if !caps_mhz.is_sorted_by(|a, b| a < b) {
        let why = "they rise, each named once";
        return refuse("[compute] caps_mhz", format!("{caps_mhz:?}"), why);
    }
    Ok(())
}
