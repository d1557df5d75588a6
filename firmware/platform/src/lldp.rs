//! What the switch says of power, by LLDP: `lldpcli -f json0 show neighbors
//! details`. Pure on text.
//!
//! json0 keeps its shape: every tag is a list of objects, an attribute is a
//! string or a boolean, and data are in `value`. lldpd's other form, `json`,
//! leaves out lists and `value` where there is one of them; it is understood
//! as well, since a switch must not be misread because of a flag. Powers are
//! strings, milliwatts.

use scene::Watts;
use serde_json::Value;

/// Nothing on 802.3bt's wire is more: 99.9 W.
const MOST_MILLIWATTS: u32 = 100_000;

/// Type 1, and what rounding to the wire's 0.1 W makes of it.
const TYPE_1: (f64, f64) = (12.95, 13.0);

/// The power TLV (IEEE 802.3, 79.3.2) of one neighbour. Powers in milliwatts
/// at the powered device; `None`: not told, or nothing that could be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MdiPower {
    /// The interface that it was heard on.
    pub interface: String,
    /// Whether the neighbour is the one that feeds.
    pub is_pse: bool,
    /// Whether it can feed this port.
    pub supported: bool,
    /// Whether it does.
    pub enabled: bool,
    /// 0 to 4, as the switch classified this device.
    pub class: Option<u8>,
    /// Whether it has the fields of 802.3at: who does can allocate.
    pub at: bool,
    /// What this device asked for, as the switch heard it.
    pub requested: Option<u32>,
    /// What the switch allocated.
    pub allocated: Option<u32>,
    /// The same for each pair set of 802.3bt (dual signature): asked for.
    pub requested_pairs: [Option<u32>; 2],
    /// Allocated for each pair set.
    pub allocated_pairs: [Option<u32>; 2],
    /// The most that the switch could give (802.3bt).
    pub most: Option<u32>,
    /// 1 to 8, 802.3bt's class of a single signature.
    pub class_ext: Option<u8>,
    /// 802.3bt's type, in lldpd's words.
    pub type_ext: Option<String>,
}

impl MdiPower {
    /// What it grants the device; `None` if it feeds nothing here or has not
    /// decided.
    ///
    /// The allocation if there is one, else the sum over both pair sets. A
    /// switch that can't allocate (802.3af's TLV) grants what its class says,
    /// and class 4 is then 12.95 W: only a type 2 switch gives 25.5.
    pub fn granted(&self) -> Option<Watts> {
        if !(self.is_pse && self.supported && self.enabled) {
            return None;
        }
        let pairs = || match self.allocated_pairs {
            [Some(a), Some(b)] => Some(a.saturating_add(b)),
            [one, other] => one.or(other),
        };
        if let Some(milliwatts) = self.allocated.or_else(pairs) {
            let watts = f64::from(milliwatts) / 1000.0;
            let (type_1, rounded) = TYPE_1;
            let is_type_1 = watts > type_1 && watts <= rounded;
            return Some(Watts(if is_type_1 { type_1 } else { watts }));
        }
        if self.at {
            return None;
        }
        self.class.map(|class| {
            Watts(match class {
                1 => 3.84,
                2 => 6.49,
                _ => TYPE_1.0,
            })
        })
    }
}

/// The lowest that any neighbour grants, and what all of them said. An error
/// is a sentence: the text is not lldpcli's.
pub fn parse(text: &str) -> Result<Vec<MdiPower>, String> {
    let root: Value = serde_json::from_str(text)
        .map_err(|e| format!("lldpcli's answer is no JSON ({e}); is it older than 1.0?"))?;
    let lldp = root
        .get("lldp")
        .ok_or("lldpcli's answer has no \"lldp\" in it")?;
    let mut told = Vec::new();
    for_each(lldp, &mut |lldp| {
        let Some(interfaces) = lldp.get("interface") else {
            return;
        };
        for_each(interfaces, &mut |interface| {
            if interface.get("port").is_some() {
                let name = word(interface.get("name")).unwrap_or_default();
                ports(interface, &name, &mut told);
            } else if let Value::Object(named) = interface {
                // The form `json` has the interface's name as a key.
                for (name, interface) in named {
                    for_each(interface, &mut |one| ports(one, name, &mut told));
                }
            }
        });
    });
    Ok(told)
}

/// The lowest that any of `neighbours` grants.
pub fn granted(neighbours: &[MdiPower]) -> Option<Watts> {
    let all = neighbours.iter().filter_map(MdiPower::granted);
    all.map(|watts| watts.0).reduce(f64::min).map(Watts)
}

/// One or a list of them.
fn for_each(value: &Value, each: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(all) => all.iter().for_each(each),
        one => each(one),
    }
}

fn ports(interface: &Value, name: &str, told: &mut Vec<MdiPower>) {
    let Some(port) = interface.get("port") else {
        return;
    };
    for_each(port, &mut |port| {
        if let Some(power) = port.get("power") {
            for_each(power, &mut |power| told.push(mdi(power, name)));
        }
    });
}

fn mdi(power: &Value, interface: &str) -> MdiPower {
    let say = |key: &str| word(power.get(key));
    // Zero is lldpd's "not told".
    let milliwatts = |key: &str| -> Option<u32> {
        let number: u32 = say(key)?.trim().parse().ok()?;
        (1..MOST_MILLIWATTS).contains(&number).then_some(number)
    };
    let flag = |key: &str| match power.get(key) {
        Some(Value::Bool(flag)) => *flag,
        other => matches!(word(other).as_deref(), Some("yes" | "on" | "true")),
    };
    let class = |key: &str, most: u8| -> Option<u8> {
        let said = say(key)?;
        let digits = said.trim().to_ascii_lowercase();
        let digits = digits.strip_prefix("class").unwrap_or(&digits);
        digits.trim().parse().ok().filter(|class| *class <= most)
    };
    MdiPower {
        interface: interface.chars().take(40).collect(),
        is_pse: say("device-type").is_some_and(|kind| kind.eq_ignore_ascii_case("PSE")),
        supported: flag("supported"),
        enabled: flag("enabled"),
        class: class("class", 4),
        at: power.get("power-type").is_some(),
        requested: milliwatts("requested"),
        allocated: milliwatts("allocated"),
        requested_pairs: [milliwatts("requested-a"), milliwatts("requested-b")],
        allocated_pairs: [milliwatts("allocated-a"), milliwatts("allocated-b")],
        most: milliwatts("max-power"),
        class_ext: class("power-class-ext", 8),
        type_ext: say("power-type-ext").map(|told| told.chars().take(40).collect()),
    }
}

/// The text of `"…"`, `{"value": "…"}` or `[{"value": "…"}]`.
fn word(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(all) => word(all.first()),
        Value::Object(object) => match object.get("value")? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        },
        _ => None,
    }
}
