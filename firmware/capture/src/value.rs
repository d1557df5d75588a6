//! What fills a description's placeholders.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a placeholder stands for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A whole number.
    Int(i64),
    /// Text: a path, a fraction ("25/2"), a word. It is quoted where it must
    /// be, so it can't add anything to a pipeline but a value.
    Text(String),
}

impl Value {
    pub(crate) fn plain(&self) -> String {
        match self {
            Value::Int(n) => n.to_string(),
            Value::Text(text) => text.clone(),
        }
    }

    /// As GStreamer's launch syntax wants a property's value.
    pub(crate) fn quoted(&self) -> String {
        let text = self.plain();
        let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
        if !text.is_empty() && text.chars().all(harmless) {
            return text;
        }
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Value::Int(n)
    }
}

impl From<u32> for Value {
    fn from(n: u32) -> Self {
        Value::Int(n.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

/// Values by the name of their placeholder.
pub type Values = BTreeMap<String, Value>;
