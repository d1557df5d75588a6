use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How long to wait before the next try: doubles from `least` to `most`, each
/// wait drawn evenly from its upper half so that a fleet that lost its broker
/// at one moment does not come back at one moment ("equal jitter", AWS
/// Architecture Blog, "Exponential Backoff And Jitter", 2015).
#[derive(Debug)]
pub(super) struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most: most.max(least),
            next: least,
        }
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        self.wait_with(random_share())
    }

    fn wait_with(&mut self, share: f64) -> Duration {
        let ceiling = self.next;
        self.next = ceiling.saturating_mul(2).min(self.most);
        ceiling.mul_f64(0.5 + share / 2.0)
    }

    /// Tells how long a connection lasted. One that broke at once does not
    /// count: two cameras with one client id throw each other out for ever.
    pub fn lasted(&mut self, up: Duration) {
        if up >= Duration::from_secs(5) {
            self.next = self.least;
        }
    }
}

/// Evenly from 0 to 1. The standard library seeds each `RandomState` anew;
/// nothing here needs better randomness.
fn random_share() -> f64 {
    let bits = RandomState::new().hash_one(std::time::Instant::now());
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_most() {
        let s = Duration::from_secs;
        let mut b = Backoff::new(s(1), s(60));
        let longest: Vec<u64> = (0..9).map(|_| b.wait_with(1.0).as_secs()).collect();
        assert_eq!(longest, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(b.wait_with(0.0), s(30));
        b.lasted(s(1));
        assert_eq!(b.wait_with(1.0), s(60));
        b.lasted(s(5));
        assert_eq!(b.wait_with(1.0), s(1));
    }

    #[test]
    fn a_fleet_spreads_out() {
        let mut waits: Vec<Duration> = (0..100)
            .map(|_| Backoff::new(Duration::from_secs(10), Duration::from_secs(10)).wait())
            .collect();
        waits.sort();
        assert!(waits[0] >= Duration::from_secs(5) && waits[99] <= Duration::from_secs(10));
        assert!(waits[99] - waits[0] > Duration::from_secs(3), "{waits:?}");
        waits.dedup();
        assert!(waits.len() > 90);
    }
}
