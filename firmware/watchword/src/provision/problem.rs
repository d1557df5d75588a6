use std::fmt;

use serde::Serialize;

/// Why a key can't be followed. Holds no secret: values of secret keys, and of
/// keys that are not known, are never taken into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The key, such as `mqtt.url`, or `line 3, column 7`, or `the file`.
    pub key: String,
    /// What it is, as far as it may be shown.
    pub value: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}: {}", self.key, self.value, self.remedy)
    }
}

/// All problems of a file, in the order in which they are met.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

/// Stands for a value that may be secret.
pub(super) const HIDDEN: &str = "(not shown)";

impl Problems {
    /// Notes a problem. The first one of a key is enough.
    pub fn add(&mut self, key: impl Into<String>, value: impl fmt::Display, remedy: &str) {
        let key = key.into();
        if self.0.iter().all(|problem| problem.key != key) {
            self.0.push(Problem {
                key,
                value: value.to_string(),
                remedy: remedy.into(),
            });
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}

/// `text` in quotes, control characters escaped, cut to 60 characters.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{dots}")
}

/// A value of a key that is not secret, as short as a line wants it.
pub(super) fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => quoted(text),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => {
            value.to_string()
        }
        other => format!("({})", kind(other)),
    }
}

/// What sort of value it is.
pub(super) fn kind(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::String(_) => "text",
        toml::Value::Integer(_) => "a whole number",
        toml::Value::Float(_) => "a number",
        toml::Value::Boolean(_) => "true or false",
        toml::Value::Datetime(_) => "a date or time",
        toml::Value::Array(_) => "a list",
        toml::Value::Table(_) => "a section",
    }
}

/// The one of `known` that `given` is probably meant to be.
pub(super) fn nearest<'a>(given: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_ascii_lowercase().replace('-', "_");
    let known: Vec<&str> = known.collect();
    let begins = |name: &&&str| given.len() > 2 && name.starts_with(&given);
    if let Some(longer) = known.iter().find(begins) {
        return Some(longer);
    }
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&given, name), name))
        // A third of the letters may be wrong.
        .filter(|(distance, name)| distance * 3 <= name.len().max(3))
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_near_one_is_found_and_the_far_one_is_not() {
        let known = ["url", "username", "password", "ca", "ca_file"];
        for (given, found) in [
            ("pasword", Some("password")),
            ("user_name", Some("username")),
            ("Password", Some("password")),
            ("ca-file", Some("ca_file")),
            ("pass", Some("password")),
            ("colour", None),
        ] {
            assert_eq!(nearest(given, known.into_iter()), found, "{given}");
        }
    }
}
