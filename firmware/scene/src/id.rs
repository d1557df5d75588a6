use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The name of a camera, rule or zone: `[a-z0-9-]{1,40}`, so that it can stand
/// in an MQTT topic, a file name and a URL without escaping.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

/// Why a string is not an [`Id`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("'{given}' is not an id: {why}; an id is 1 to 40 of a-z, 0-9 and '-'")]
pub struct IdError {
    /// What was given, cut to 60 characters.
    pub given: String,
    /// What is wrong with it.
    pub why: &'static str,
}

impl Id {
    /// The most characters an id may have.
    pub const MAX_LEN: usize = 40;

    /// Checks and wraps `text`.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        let why = if text.is_empty() {
            "it is empty"
        } else if text.chars().count() > Self::MAX_LEN {
            "it is too long"
        } else if !text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            "it holds another character"
        } else {
            return Ok(Self(text));
        };
        Err(IdError {
            given: text.chars().take(60).collect(),
            why,
        })
    }

    /// The nearest id to a person's words: lower case, runs of anything else
    /// become one `-`, cut to 40. `None` if nothing is left.
    ///
    /// ```
    /// # use scene::Id;
    /// assert_eq!(Id::slug("Passport control").unwrap().as_str(), "passport-control");
    /// assert_eq!(Id::slug("!?"), None);
    /// ```
    pub fn slug(words: &str) -> Option<Self> {
        let mut out = String::new();
        for c in words.chars() {
            if c.is_ascii_alphanumeric() {
                out.push(c.to_ascii_lowercase());
            } else if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
            if out.len() == Self::MAX_LEN {
                break;
            }
        }
        Self::new(out.trim_end_matches('-')).ok()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Id {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl std::str::FromStr for Id {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> String {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_plain() {
        assert!(Id::new("gate-3").is_ok());
        assert!(Id::new("").is_err());
        assert!(Id::new("a".repeat(40)).is_ok());
        assert!(Id::new("a".repeat(41)).is_err());
        for bad in ["Gate", "a/b", "a b", "a+", "#", "é", "a\0"] {
            let error = Id::new(bad).unwrap_err().to_string();
            assert!(error.contains(bad), "{error}");
        }
    }

    #[test]
    fn slugs_are_ids() {
        for (words, id) in [("Rack B3 area!", "rack-b3-area"), ("  x ", "x")] {
            assert_eq!(Id::slug(words).unwrap().as_str(), id);
        }
        let long = Id::slug(&"word ".repeat(30)).unwrap();
        assert!(long.as_str().len() <= 40 && !long.as_str().ends_with('-'));
    }
}
