use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a look is run: what can be traded for watts. Written as
/// `f32/256px/1t/2c` or, with a cap on the frequency, `f32/256px/1t/2c/1200MHz`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OperatingPoint {
    /// The variant of the model's weights, as its package names it:
    /// `[a-z0-9._-]`, not empty.
    pub variant: String,
    /// Side of a tile that the model sees, pixels, ≥ 1.
    pub resolution: u32,
    /// Tiles that a picture is cut into at most, the whole picture included,
    /// ≥ 1; 1 never cuts.
    pub tiles: u32,
    /// Cores that it runs on, ≥ 1.
    pub threads: u32,
    /// Cap on the processor's frequency while it runs, MHz; `None`: none.
    pub cap_mhz: Option<u32>,
}

/// Why a text is no operating point.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is no operating point; one looks like f32/256px/1t/2c or f32/256px/1t/2c/1200MHz")]
pub struct OperatingPointError(String);

impl fmt::Display for OperatingPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            variant,
            resolution,
            tiles,
            threads,
            cap_mhz,
        } = self;
        write!(f, "{variant}/{resolution}px/{tiles}t/{threads}c")?;
        cap_mhz.map_or(Ok(()), |mhz| write!(f, "/{mhz}MHz"))
    }
}

impl FromStr for OperatingPoint {
    type Err = OperatingPointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
        let number = |part: &str, unit: &str| -> Option<u32> {
            let digits = part.strip_suffix(unit)?;
            digits.parse().ok().filter(|n| *n >= 1)
        };
        let parts: Vec<&str> = text.split('/').collect();
        let read = || {
            let (variant, rest) = parts.split_first()?;
            let (resolution, tiles, threads, cap) = match rest {
                [resolution, tiles, threads] => (resolution, tiles, threads, None),
                [resolution, tiles, threads, cap] => (resolution, tiles, threads, Some(cap)),
                _ => return None,
            };
            if variant.is_empty() || !variant.bytes().all(plain) {
                return None;
            }
            Some(Self {
                variant: (*variant).into(),
                resolution: number(resolution, "px")?,
                tiles: number(tiles, "t")?,
                threads: number(threads, "c")?,
                cap_mhz: match cap {
                    Some(cap) => Some(number(cap, "MHz")?),
                    None => None,
                },
            })
        };
        read().ok_or_else(|| OperatingPointError(text.chars().take(80).collect()))
    }
}

impl TryFrom<String> for OperatingPoint {
    type Error = OperatingPointError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OperatingPoint> for String {
    fn from(point: OperatingPoint) -> String {
        point.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for text in ["f32/256px/1t/2c", "int8_q-4.1/512px/17t/1c/1200MHz"] {
            let point: OperatingPoint = text.parse().unwrap();
            assert_eq!(point.to_string(), text);
            let json = serde_json::to_string(&point).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(
                serde_json::from_str::<OperatingPoint>(&json).unwrap(),
                point
            );
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "f32",
            "f32/256/1t/2c",
            "f32/0px/1t/2c",
            "F32/256px/1t/2c",
            "/256px/1t/2c",
            "f32/256px/1t/2c/1200MHz/x",
            "f32/-1px/1t/2c",
        ] {
            let error = text.parse::<OperatingPoint>().unwrap_err();
            assert!(error.to_string().contains("looks like"), "{error}");
        }
    }
}
