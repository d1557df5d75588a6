use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident, $sign:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub f64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let decimals = f.precision().unwrap_or(2);
                write!(f, "{:.*} {}", decimals, self.0, $sign)
            }
        }
        impl Add for $name {
            type Output = Self;
            fn add(self, rhs: Self) -> Self {
                Self(self.0 + rhs.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, rhs: Self) {
                self.0 += rhs.0;
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, rhs: Self) -> Self {
                Self(self.0 - rhs.0)
            }
        }
    };
}

unit!(
    /// Power in watts.
    Watts,
    "W"
);
unit!(
    /// Energy in joules.
    Joules,
    "J"
);
unit!(
    /// Temperature in degrees Celsius.
    Celsius,
    "°C"
);

impl Joules {
    /// The energy of `watts` over `duration`.
    pub fn over(watts: Watts, duration: std::time::Duration) -> Self {
        Self(watts.0 * duration.as_secs_f64())
    }
}

/// Whether a number was read from a sensor or reckoned from constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Read from a sensor.
    Measured,
    /// Reckoned, from CPU time and board constants for example.
    Modelled,
}

/// A number that says where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantity<T> {
    /// The number.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

impl<T> Quantity<T> {
    /// A number that no sensor vouches for.
    pub const fn modelled(value: T) -> Self {
        Self {
            value,
            source: Source::Modelled,
        }
    }
    /// A number from a sensor.
    pub const fn measured(value: T) -> Self {
        Self {
            value,
            source: Source::Measured,
        }
    }
}
