use std::time::Duration;

/// How long to wait before a dead source is tried again: doubling, bounded,
/// with jitter so that a hundred cameras behind one switch do not all come
/// back in the same instant.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub fn new(first: Duration, most: Duration) -> Self {
        let most = most.max(first);
        Self {
            first,
            most,
            next: first,
        }
    }

    /// The wait before the next try: the doubled base times 0.75..1.25, never
    /// above `most`. `luck` is a random number in 0..1.
    pub fn wait(&mut self, luck: f64) -> Duration {
        let wait = self.next.mul_f64(0.75 + luck.clamp(0.0, 1.0) / 2.0);
        self.next = self.next.saturating_mul(2).min(self.most);
        wait.min(self.most)
    }

    /// The source was well for a while: start over.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_bound_and_start_over() {
        let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(30));
        let waits: Vec<_> = (0..9).map(|_| backoff.wait(0.5).as_millis()).collect();
        assert_eq!(
            waits,
            [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]
        );
        assert_eq!(backoff.wait(0.0), Duration::from_millis(22_500));
        assert_eq!(backoff.wait(1.0), Duration::from_secs(30));
        backoff.reset();
        assert_eq!(backoff.wait(1.0), Duration::from_millis(625));
    }
}
