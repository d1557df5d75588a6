use std::time::Duration;

/// Begins of a source that gives a picture and dies are at least this many
/// first waits apart: it must not spin, and building a pipeline costs watts.
const APART: u32 = 4;

/// How long to wait before a dead source is tried again: doubling, bounded,
/// with jitter so that a hundred cameras behind one switch do not all come
/// back in the same instant.
///
/// What grows is the wait between tries that gave no picture. A source that
/// gave one is there, however short it lived, and is tried soon again: a camera
/// on a bad cable that is cut every few seconds is seen most of the time.
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
    /// above `most`. `lived` is how long the try took that just ended, if it
    /// gave pictures. `luck` is a random number in 0..1.
    pub fn wait(&mut self, lived: Option<Duration>, luck: f64) -> Duration {
        let least = match lived {
            Some(lived) => {
                self.next = self.first;
                self.first.saturating_mul(APART).saturating_sub(lived)
            }
            None => Duration::ZERO,
        };
        let wait = self.next.mul_f64(0.75 + luck.clamp(0.0, 1.0) / 2.0);
        self.next = self.next.saturating_mul(2).min(self.most);
        wait.max(least).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn backoff() -> Backoff {
        Backoff::new(500 * MS, Duration::from_secs(30))
    }

    #[test]
    fn waits_double_up_to_the_bound_and_start_over() {
        let mut backoff = backoff();
        let waits: Vec<_> = (0..9)
            .map(|_| backoff.wait(None, 0.5).as_millis())
            .collect();
        assert_eq!(
            waits,
            [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]
        );
        assert_eq!(backoff.wait(None, 0.0), 22_500 * MS);
        assert_eq!(backoff.wait(None, 1.0), Duration::from_secs(30));
        assert_eq!(backoff.wait(Some(3000 * MS), 1.0), 625 * MS);
        assert_eq!(backoff.wait(None, 0.5), 1000 * MS);
    }

    #[test]
    fn a_source_that_flaps_is_tried_soon_and_does_not_spin() {
        let mut backoff = backoff();
        for _ in 0..100 {
            // Cut after three seconds, away for two tries.
            assert_eq!(backoff.wait(Some(3000 * MS), 0.5), 500 * MS);
            assert_eq!(backoff.wait(None, 0.5), 1000 * MS);
            assert_eq!(backoff.wait(None, 0.5), 2000 * MS);
        }
        for _ in 0..100 {
            // One picture and the end: one begin in two seconds, not more.
            assert_eq!(backoff.wait(Some(100 * MS), 0.5), 1900 * MS);
        }
        let mut short = Backoff::new(200 * MS, 300 * MS);
        assert_eq!(short.wait(Some(MS), 0.5), 300 * MS, "most is most");
    }
}
