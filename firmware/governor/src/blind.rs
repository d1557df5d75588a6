//! How long a rule went without a look lately.

use std::time::Duration;

use scene::Mono;

/// Two of these make the time that is looked back on.
const HALF: Duration = Duration::from_secs(1_800);

/// The longest times without a look, of this half hour and of the last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blind {
    looked: Mono,
    began: Mono,
    now: Duration,
    before: Duration,
}

impl Blind {
    /// Nothing has been looked at yet at `now`.
    pub fn new(now: Mono) -> Self {
        Self {
            looked: now,
            began: now,
            now: Duration::ZERO,
            before: Duration::ZERO,
        }
    }

    fn turn(&mut self, now: Mono) {
        let gone = now.since(self.began);
        if gone >= HALF {
            self.before = if gone < 2 * HALF {
                self.now
            } else {
                Duration::ZERO
            };
            self.now = Duration::ZERO;
            self.began = now;
        }
    }

    /// It was looked at.
    pub fn looked(&mut self, now: Mono) {
        self.turn(now);
        self.now = self.now.max(now.since(self.looked));
        self.looked = now;
    }

    /// How long it has not been looked at, or not been there.
    pub fn unseen(&self, now: Mono) -> Duration {
        now.since(self.looked)
    }

    /// The longest within the last half to whole hour, the time since the last
    /// look included.
    pub fn longest(&self, now: Mono) -> Duration {
        let mut copy = *self;
        copy.turn(now);
        copy.now.max(copy.before).max(now.since(self.looked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_is_forgotten_after_an_hour() {
        let t = Mono::from_secs_f64;
        let mut b = Blind::new(t(0.0));
        b.looked(t(100.0));
        for n in 0..400 {
            b.looked(t(105.0 + f64::from(n) * 5.0));
        }
        assert_eq!(b.longest(t(2_101.0)), Duration::from_secs(100));
        for n in 0..800 {
            b.looked(t(2_105.0 + f64::from(n) * 5.0));
        }
        assert_eq!(b.longest(t(6_101.0)), Duration::from_secs(5));
        assert_eq!(b.longest(t(6_200.0)), Duration::from_secs(100));
    }
}
