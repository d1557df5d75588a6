use std::time::Duration;

/// Cuts time into slots of one over the wanted rate; a slot is one frame's
/// worth of inference. Pure: time comes with the frames.
///
/// Slots are aligned to the first frame, so that a source whose rate is no
/// multiple of the wanted one is still sampled at the wanted rate on average.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    /// Nanoseconds; 0 makes every frame a slot.
    interval: u64,
    start: Option<u64>,
}

/// Timestamps are rounded by muxers, to a millisecond in Matroska: a frame
/// that comes this much early belongs to the next slot.
const ROUNDING: u64 = 1_000_000;

impl Slots {
    /// Slots for `rate` frames a second; 0, negative or not finite: every frame.
    pub fn new(rate: f64) -> Self {
        Self {
            interval: interval(rate),
            start: None,
        }
    }

    /// Changes the rate from the next frame on.
    pub fn set_rate(&mut self, rate: f64) {
        self.interval = interval(rate);
    }

    /// Whether a frame of time `at`, nanoseconds, begins a new slot.
    pub fn begins(&mut self, at: u64) -> bool {
        let Some(start) = self.start else {
            self.start = Some(at);
            return true;
        };
        if at < start {
            // Time went back: a new stream. Begin anew rather than wait it out.
            self.start = Some(at);
            return true;
        }
        if self.interval == 0 {
            self.start = Some(at);
            return true;
        }
        let gone = (at + ROUNDING.min(self.interval / 2) - start) / self.interval;
        if gone == 0 {
            return false;
        }
        self.start = Some(start + gone * self.interval);
        true
    }
}

fn interval(rate: f64) -> u64 {
    if rate.is_finite() && rate > 0.0 {
        Duration::try_from_secs_f64(1.0 / rate).map_or(u64::MAX / 4, |d| {
            d.as_nanos().min(u128::from(u64::MAX / 4)) as u64
        })
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(fps: f64, rate: f64, frames: u32) -> Vec<u32> {
        let mut slots = Slots::new(rate);
        (0..frames)
            .filter(|n| slots.begins((f64::from(*n) / fps * 1e9) as u64))
            .collect()
    }

    #[test]
    fn the_average_rate_is_kept_whatever_the_source_does() {
        assert_eq!(taken(15.0, 5.0, 15), [0, 3, 6, 9, 12]);
        assert_eq!(taken(12.5, 5.0, 15), [0, 3, 5, 8, 10, 13]);
        assert_eq!(taken(25.0, 5.0, 1000).len(), 200);
        assert_eq!(taken(10.0, 30.0, 50).len(), 50);
        assert_eq!(taken(10.0, 0.0, 50).len(), 50);
        assert_eq!(taken(10.0, f64::NAN, 50).len(), 50);
        assert_eq!(taken(25.0, 0.5, 100), [0, 50]);
        assert_eq!(taken(25.0, 1e-300, 100), [0]);
    }

    #[test]
    fn millisecond_rounding_does_not_lose_a_slot() {
        let mut slots = Slots::new(30.0);
        let times = [0u64, 33, 67, 100, 133, 167, 200];
        assert!(times.iter().all(|ms| slots.begins(ms * 1_000_000)));
    }

    #[test]
    fn a_stream_that_starts_over_is_not_waited_out() {
        let mut slots = Slots::new(1.0);
        assert!(slots.begins(100_000_000_000));
        assert!(slots.begins(5));
        assert!(!slots.begins(500_000_000));
    }
}
