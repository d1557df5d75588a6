use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use scene::ports::Clock;
use scene::{Moment, Mono};

/// 2026-01-01T00:00:00Z, seconds since 1970. A clock that shows less has not
/// been set: this software is younger.
const NOT_BEFORE: i64 = 1_767_225_600;

/// A clock of the system, as time since its start.
pub(crate) fn since_start(clock: ClockId) -> Duration {
    let t = clock_gettime(clock);
    let seconds = u64::try_from(t.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// The system's clocks: time since boot, suspend included, which survives a
/// restart of the daemon; and UTC, once it is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The clock.
    pub fn new() -> Self {
        Self
    }
}

/// The wall time if the clock has been set.
fn set(wall: Timestamp) -> Option<Timestamp> {
    (wall.as_second() >= NOT_BEFORE).then_some(wall)
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment {
            mono: Mono::ZERO + since_start(ClockId::Boottime),
            wall: set(Timestamp::now()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unset_clock_tells_no_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(set(at("1970-01-01T00:01:00Z")), None);
        assert_eq!(set(at("2025-12-31T23:59:59Z")), None);
        let first = at("2026-01-01T00:00:00Z");
        assert_eq!(set(first), Some(first));
    }

    #[test]
    fn time_goes_on() {
        let clock = SystemClock::new();
        let a = clock.now();
        std::thread::sleep(Duration::from_millis(20));
        let went = clock.now().mono.since(a.mono);
        assert!(went >= Duration::from_millis(20), "{went:?}");
        // Not the time since the process started.
        assert!(a.mono.as_secs_f64() > 0.0);
    }
}
