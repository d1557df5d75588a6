//! What is asked: the allotment and the rules.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use scene::Watts;
use serde_json::Value as Json;

use crate::watch::MAX_RULES;
use crate::watch::inbox::{RuleSet, RuleWish, rule_set};

/// Watts that a device may draw, and what they were called.
#[derive(Clone, Debug, PartialEq)]
pub struct Allotment {
    /// At the device, after the cable.
    pub watts: Watts,
    /// For people: "class 4", "802.3at".
    pub by: String,
}

/// Watts at the device by class (IEEE 802.3bt-2018, table 145-11 and 145-26).
const CLASSES: [f64; 9] = [12.95, 3.84, 6.49, 12.95, 25.5, 40.0, 51.0, 62.0, 71.3];

/// Watts at the device by what is written on switches.
const STANDARDS: [(&str, f64); 6] = [
    ("802.3af", 12.95),
    ("802.3at", 25.5),
    ("802.3bt type 3", 51.0),
    ("802.3bt type 4", 71.3),
    ("poe", 12.95),
    ("poe+", 25.5),
];

/// The most that PoE grants a device.
const MOST: f64 = 71.3;

impl FromStr for Allotment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.trim().to_ascii_lowercase();
        let refuse = || {
            format!(
                "\"{text}\" is no allotment: give watts at the device (12.95), a class (\"class 4\", 0 to 8) \
                 or a standard (802.3af, 802.3at, \"802.3bt type 3\", \"802.3bt type 4\")"
            )
        };
        if let Some(class) = plain.strip_prefix("class") {
            let class = class.trim_start_matches(['-', ' ']).parse::<usize>().ok();
            let watts = class
                .and_then(|class| CLASSES.get(class))
                .ok_or_else(refuse)?;
            return Ok(Self {
                watts: Watts(*watts),
                by: format!("class {}", class.unwrap_or_default()),
            });
        }
        if let Some((name, watts)) = STANDARDS.iter().find(|(name, _)| *name == plain) {
            return Ok(Self {
                watts: Watts(*watts),
                by: (*name).into(),
            });
        }
        let number = plain.trim_end_matches('w').trim_end().parse::<f64>();
        match number {
            Ok(watts) if watts > 0.0 && watts <= MOST => Ok(Self {
                watts: Watts(watts),
                by: "as asked".into(),
            }),
            Ok(watts) => Err(format!(
                "{watts} W is no allotment: PoE grants a device more than 0 and at most {MOST} W"
            )),
            Err(_) => Err(refuse()),
        }
    }
}

impl fmt::Display for Allotment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.watts, self.by)
    }
}

/// Reads rules: a sentence a line, where empty lines and those that begin with
/// `#` do not count; or a JSON array of sentences, or of rules as
/// `rules/<id>/set` takes them. One that is not enabled is left out, as it
/// costs nothing.
pub fn read_rules(path: &Path) -> Result<Vec<RuleWish>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read the rules {}", path.display()))?;
    let rules = match text.trim_start().starts_with('[') {
        true => from_json(&text).with_context(|| format!("the rules {}", path.display()))?,
        false => {
            let lines = text.lines().map(str::trim);
            let sentences = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            sentences.map(RuleWish::plain).collect()
        }
    };
    let rules: Vec<RuleWish> = rules.into_iter().filter(|rule| rule.enabled).collect();
    match rules.len() {
        0 => bail!(
            "{} has no rules: write a sentence a line, like \"more than 3 people for 10 s\"",
            path.display()
        ),
        n if n > MAX_RULES => bail!(
            "{} has {n} rules, and a camera watches at most {MAX_RULES}: share them out among cameras",
            path.display()
        ),
        _ => Ok(rules),
    }
}

fn from_json(text: &str) -> Result<Vec<RuleWish>> {
    let form = "want an array of sentences, or of {\"text\": …} as rules/<id>/set takes them";
    let all: Vec<Json> = serde_json::from_str(text).context(form)?;
    let mut rules = Vec::with_capacity(all.len());
    for (number, one) in (1..).zip(&all) {
        rules.push(match one {
            Json::String(sentence) => RuleWish::plain(sentence.as_str()),
            Json::Object(_) => match rule_set(one.to_string().as_bytes()) {
                Ok(RuleSet::Put(wish)) => wish,
                Ok(RuleSet::Delete) => bail!("number {number} is empty; {form}"),
                Err(why) => bail!("number {number}: {why}"),
            },
            other => bail!("number {number} is {other}; {form}"),
        });
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allotment(text: &str) -> Result<f64, String> {
        text.parse::<Allotment>().map(|a| a.watts.0)
    }

    #[test]
    fn an_allotment_is_watts_or_a_name() {
        for (text, watts) in [
            ("12.95", 12.95),
            ("25.5 W", 25.5),
            ("9w", 9.0),
            ("class 4", 25.5),
            ("Class-0", 12.95),
            ("802.3AT", 25.5),
            ("802.3bt type 4", 71.3),
            ("PoE+", 25.5),
        ] {
            assert_eq!(allotment(text), Ok(watts), "{text}");
        }
        for text in [
            "", "class 9", "class", "802.3bt", "much", "0", "-3", "72", "NaN", "inf",
        ] {
            let why = allotment(text).unwrap_err();
            assert!(why.contains("no allotment"), "{why}");
        }
    }

    fn rules(text: &str) -> Result<Vec<RuleWish>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rules");
        std::fs::write(&path, text).unwrap();
        read_rules(&path)
    }

    #[test]
    fn rules_are_lines_or_json() {
        let lines = rules("# a note\n\n  a person\nmore than 3 cars\n").unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].text, "a person");
        let json = rules(
            r#"["a person", {"text": "a dog", "priority": 9}, {"text": "a car", "enabled": false}]"#,
        );
        let json = json.unwrap();
        assert_eq!(json.len(), 2, "what is not enabled costs nothing");
        assert_eq!(json[1].priority, 9);
    }

    #[test]
    fn what_is_no_rules_says_so() {
        for (text, says) in [
            ("# nothing\n", "has no rules"),
            ("[]", "has no rules"),
            ("[1]", "number 1 is 1"),
            (r#"[{"txt": "a person"}]"#, "number 1"),
            ("[\"a person\"", "want an array"),
            (&"a person\n".repeat(33), "33 rules"),
        ] {
            let why = format!("{:#}", rules(text).unwrap_err());
            assert!(why.contains(says), "{why}");
        }
    }
}
