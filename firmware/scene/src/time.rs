use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A point on a clock that never steps: nanoseconds since an arbitrary start
/// (boot on a camera, the first frame in a replay). Holds and cool-downs are
/// measured on it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Mono {
    nanos: u64,
}

impl Mono {
    /// The start of the clock.
    pub const ZERO: Mono = Mono { nanos: 0 };

    /// `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self { nanos }
    }

    /// `millis` milliseconds after the start.
    pub const fn from_millis(millis: u64) -> Self {
        Self {
            nanos: millis.saturating_mul(1_000_000),
        }
    }

    /// `seconds` after the start; negative, NaN or infinite counts as the start.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self {
            nanos: (seconds.max(0.0) * 1e9) as u64,
        }
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.nanos
    }

    /// Seconds since the start.
    pub fn as_secs_f64(self) -> f64 {
        self.nanos as f64 / 1e9
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub fn since(self, earlier: Mono) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }
}

impl Add<Duration> for Mono {
    type Output = Mono;
    fn add(self, rhs: Duration) -> Mono {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Mono {
            nanos: self.nanos.saturating_add(nanos),
        }
    }
}

impl Sub<Duration> for Mono {
    type Output = Mono;
    fn sub(self, rhs: Duration) -> Mono {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Mono {
            nanos: self.nanos.saturating_sub(nanos),
        }
    }
}

/// Now, as the core is told it: always a monotonic reading, and the wall time
/// if the camera knows it (a camera may boot with no clock at all).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Monotonic; for durations.
    pub mono: Mono,
    /// UTC wall time; for schedules and for people. `None` before the clock is set.
    pub wall: Option<Timestamp>,
}

impl Moment {
    /// A moment on a clock that knows no wall time.
    pub const fn unclocked(mono: Mono) -> Self {
        Self { mono, wall: None }
    }

    /// The wall time at `mono`, reckoned from this moment's pair of readings.
    pub fn wall_at(&self, mono: Mono) -> Option<Timestamp> {
        let wall = self.wall?;
        if mono >= self.mono {
            wall.checked_add(mono.since(self.mono)).ok()
        } else {
            wall.checked_sub(self.mono.since(mono)).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_reckoned_from_a_pair() {
        let now = Moment {
            mono: Mono::from_millis(10_000),
            wall: Some("2026-01-02T03:04:05Z".parse().unwrap()),
        };
        let at = |ms| now.wall_at(Mono::from_millis(ms)).unwrap().to_string();
        assert_eq!(at(8_000), "2026-01-02T03:04:03Z");
        assert_eq!(at(12_500), "2026-01-02T03:04:07.5Z");
        assert_eq!(Moment::unclocked(Mono::ZERO).wall_at(Mono::ZERO), None);
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Mono::ZERO - Duration::from_secs(1), Mono::ZERO);
        assert_eq!(Mono::ZERO.since(Mono::from_millis(5)), Duration::ZERO);
        assert_eq!((Mono::from_nanos(5) + Duration::MAX).as_nanos(), u64::MAX);
        assert_eq!(Mono::from_secs_f64(f64::NAN), Mono::ZERO);
    }
}
