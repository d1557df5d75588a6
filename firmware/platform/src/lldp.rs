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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    /// What `lldpcli -f json0 show neighbors details` says of one neighbour on
    /// `interface` with the power TLV `power`.
    fn neighbour(interface: &str, power: &str) -> String {
        format!(
            r#"{{"name": "{interface}", "via": "LLDP", "rid": "1", "age": "0 day, 00:00:12",
              "chassis": [{{"id": [{{"type": "mac", "value": "00:11:22:33:44:55"}}],
                "name": [{{"value": "switch-1"}}], "descr": [{{"value": "A switch"}}],
                "capability": [{{"type": "Bridge", "enabled": true}}]}}],
              "port": [{{"id": [{{"type": "ifname", "value": "gi1/0/7"}}],
                "descr": [{{"value": "camera"}}], "ttl": [{{"value": "120"}}],
                "auto-negotiation": [{{"supported": true, "enabled": true,
                  "advertised": [{{"type": "100Base-TX", "hd": false, "fd": true}}],
                  "current": [{{"value": "100BaseTXFD"}}]}}],
                "power": [{power}]}}],
              "vlan": [{{"vlan-id": "20", "pvid": true}}]}}"#
        )
    }

    fn answer(neighbours: &[String]) -> String {
        format!(
            r#"{{"lldp": [{{"interface": [{}]}}]}}"#,
            neighbours.join(",")
        )
    }

    fn pse(class: &str, more: &str) -> String {
        format!(
            r#"{{"supported": true, "enabled": true, "paircontrol": false,
              "device-type": [{{"value": "PSE"}}], "pairs": [{{"value": "signal"}}],
              "class": [{{"value": "{class}"}}]{more}}}"#
        )
    }

    fn at(requested: u32, allocated: u32) -> String {
        format!(
            r#", "power-type": [{{"value": "2"}}], "source": [{{"value": "PSE"}}],
              "priority": [{{"value": "high"}}], "requested": [{{"value": "{requested}"}}],
              "allocated": [{{"value": "{allocated}"}}]"#
        )
    }

    fn bt(a: u32, b: u32) -> String {
        format!(
            r#", "requested-a": [{{"value": "{a}"}}], "requested-b": [{{"value": "{b}"}}],
              "allocated-a": [{{"value": "{a}"}}], "allocated-b": [{{"value": "{b}"}}],
              "pse-powering-status": [{{"value": "4-pair powering dual-signature PD"}}],
              "pd-powering-status": [{{"value": "4-pair powered dual-signature PD"}}],
              "power-pairs-ext": [{{"value": "Both alternatives"}}],
              "power-class-ext-a": [{{"value": "Class 4"}}],
              "power-class-ext": [{{"value": "Class 6"}}],
              "power-type-ext": [{{"value": "Type 3 PSE"}}],
              "max-power": [{{"value": "51000"}}]"#
        )
    }

    fn grant(powers: &[String]) -> Option<f64> {
        let all: Vec<String> = powers.iter().map(|p| neighbour("eth0", p)).collect();
        granted(&parse(&answer(&all)).unwrap()).map(|w| w.0)
    }

    #[test]
    fn an_allocation_is_read_whole() {
        let told = parse(&answer(&[neighbour(
            "eth0",
            &pse("class 4", &at(25_500, 20_000)),
        )]));
        let expected = asked_25_given_20("eth0");
        assert_eq!(told.unwrap(), [expected]);
        let more = at(51_000, 51_000) + &bt(0, 0);
        let told = parse(&answer(&[neighbour("eth0", &pse("class 4", &more))])).unwrap();
        assert_eq!(told[0].class_ext, Some(6));
        assert_eq!(told[0].type_ext.as_deref(), Some("Type 3 PSE"));
        assert_eq!(told[0].most, Some(51_000));
        assert_eq!(told[0].granted().unwrap().0, 51.0);
    }

    /// A switch that was asked for 25.5 W on this interface and gives 20 W.
    fn asked_25_given_20(interface: &str) -> MdiPower {
        MdiPower {
            interface: interface.into(),
            is_pse: true,
            supported: true,
            enabled: true,
            class: Some(4),
            at: true,
            requested: Some(25_500),
            allocated: Some(20_000),
            ..MdiPower::default()
        }
    }

    /// Written by lldpcli 1.0.16, the neighbour another lldpd that plays the
    /// switch.
    #[test]
    fn lldpd_itself_is_understood() {
        let json0 = include_str!("../tests/trees/lldp/neighbours.json0");
        let json = include_str!("../tests/trees/lldp/neighbours.json");
        let told = parse(json0).unwrap();
        let expected = asked_25_given_20("veth0");
        assert_eq!(told, [expected]);
        assert_eq!(parse(json), Ok(told));
    }

    #[test]
    fn what_is_granted() {
        for (power, expected) in [
            (pse("class 4", &at(25_500, 25_500)), Some(25.5)),
            (pse("class 4", &at(25_500, 13_000)), Some(12.95)),
            (pse("class 4", &at(25_500, 6_400)), Some(6.4)),
            // It has not decided.
            (pse("class 4", &at(25_500, 0)), None),
            // A switch of 802.3af.
            (pse("class 4", ""), Some(12.95)),
            (pse("class 3", ""), Some(12.95)),
            (pse("class 2", ""), Some(6.49)),
            (pse("class 1", ""), Some(3.84)),
            (pse("class 0", ""), Some(12.95)),
            (pse("class 9", ""), None),
            // Dual signature: both pair sets.
            (
                pse("class 4", &(at(0, 0) + &bt(12_900, 12_900))),
                Some(25.8),
            ),
            (pse("class 4", &(at(0, 0) + &bt(12_900, 0))), Some(12.9)),
            // It is fed itself, or feeds nothing.
            (
                pse("class 4", &at(25_500, 25_500)).replace("PSE\"}], \"pairs", "PD\"}], \"pairs"),
                None,
            ),
            (
                pse("class 3", "").replace("\"enabled\": true", "\"enabled\": false"),
                None,
            ),
            (
                pse("class 3", "").replace("\"supported\": true", "\"supported\": false"),
                None,
            ),
            // More than the wire can say.
            (pse("class 4", &at(25_500, 4_000_000_000)), None),
        ] {
            assert_eq!(grant(std::slice::from_ref(&power)), expected, "{power}");
        }
    }

    #[test]
    fn of_several_neighbours_the_lowest_counts() {
        let powers = [
            pse("class 4", &at(25_500, 25_500)),
            pse("class 4", &at(25_500, 15_400)),
            pse("class 4", &at(25_500, 0)),
        ];
        assert_eq!(grant(&powers), Some(15.4));
        assert_eq!(grant(&[]), None);
        // A neighbour without the TLV, and lldpd without neighbours.
        let plain = neighbour("eth0", "").replace(r#""power": []"#, r#""mfs": []"#);
        assert_eq!(parse(&answer(&[plain])), Ok(vec![]));
        for none in ["{\"lldp\": [{}]}", "{\"lldp\": {}}", "{\"lldp\": []}"] {
            assert_eq!(parse(none), Ok(vec![]));
        }
    }

    #[test]
    fn the_other_form_of_json_is_understood() {
        let text = r#"{"lldp": {"interface": {"eth0": {"via": "LLDP", "chassis": {"switch-1": {}},
            "port": {"id": {"type": "mac", "value": "0"}, "power": {"supported": true, "enabled": true,
            "device-type": "PSE", "class": "class 4", "power-type": "2",
            "requested": "25500", "allocated": "25500"}}}}}}"#;
        let told = parse(text).unwrap();
        assert_eq!(granted(&told).unwrap().0, 25.5);
        assert_eq!(told[0].interface, "eth0");
    }

    #[test]
    fn what_is_no_answer_says_so() {
        for bad in ["", "garbage", "{", "[1, 2", "{\"lldp\":"] {
            assert!(parse(bad).unwrap_err().contains("no JSON"), "{bad}");
        }
        for bad in ["{}", "[]", "7", "{\"lldpd\": []}"] {
            assert!(parse(bad).unwrap_err().contains("no \"lldp\""), "{bad}");
        }
        // Nested deeper than any answer: an error, no overflow.
        assert!(parse(&"[".repeat(1 << 20)).is_err());
        let deep = format!("{{\"lldp\": {}1{}}}", "[".repeat(100), "]".repeat(100));
        assert_eq!(parse(&deep), Ok(vec![]));
    }

    /// Any JSON, with the keys of an answer in it.
    fn json() -> impl Strategy<Value = Value> {
        let key = prop::sample::select(vec![
            "lldp",
            "interface",
            "port",
            "power",
            "value",
            "name",
            "eth0",
            "allocated",
            "class",
            "device-type",
            "supported",
            "enabled",
            "power-type",
            "allocated-a",
            "allocated-b",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "PSE|PD|class [0-9]|[0-9]{0,12}|.{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(8, 128, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..6).prop_map(|all| {
                    Value::Object(all.into_iter().map(|(k, v)| (k.to_string(), v)).collect())
                }),
            ]
        })
    }

    proptest! {
        // The same cases at every run; PROPTEST_RNG_SEED and PROPTEST_CASES choose others.
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn no_json_upsets_it(inner in json()) {
            let root = serde_json::json!({ "lldp": inner });
            let told = parse(&root.to_string()).unwrap();
            if let Some(watts) = granted(&told) {
                prop_assert!(watts.0 > 0.0 && watts.0 < 200.0);
            }
        }

        #[test]
        fn no_text_upsets_it(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }

        /// A true answer, damaged.
        #[test]
        fn no_damage_upsets_it(from in 0usize..1_000, length in 0usize..40, with in "[\"{}\\[\\]:, 0-9]{0,6}") {
            let mut text = answer(&[neighbour("eth0", &pse("class 4", &at(25_500, 20_000)))]);
            let from = from.min(text.len());
            let to = (from + length).min(text.len());
            text.replace_range(from..to, &with);
            let told = parse(&text).unwrap_or_default();
            prop_assert!(granted(&told).is_none_or(|watts| watts.0 > 0.0 && watts.0 < 100.0));
        }
    }
}
