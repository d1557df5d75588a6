//! Between video and inference: lets a frame through only when somebody
//! waits for one, and counts those that nobody took.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use scene::ports::Clock;
use scene::{Frame, Moment, Mono};

use crate::slots::Slots;

/// A frame that came while nobody waited is given to the next one who asks
/// only if it is this young.
const STALE: Duration = Duration::from_millis(500);

/// Frames between the gate and the appsink. One is usual; more mean that
/// conversion is stuck, and then the oldest is forgotten.
const MOST_UNDER_WAY: usize = 4;

#[derive(Debug)]
struct Inner {
    slots: Slots,
    next_seq: u64,
    /// Number of the current slot, while its frame has not been given away.
    open: Option<u64>,
    wanted: bool,
    /// Time and number of frames let through and not delivered yet.
    under_way: VecDeque<(u64, u64)>,
    /// One place; a newer frame replaces an older one, which is counted.
    frame: Option<Frame>,
    dropped: u64,
    last: Option<Mono>,
    over: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Gate {
    inner: Mutex<Inner>,
    came: Condvar,
}

impl Gate {
    pub fn new(rate: f64) -> Self {
        Self {
            inner: Mutex::new(Inner {
                slots: Slots::new(rate),
                next_seq: 0,
                open: None,
                wanted: false,
                under_way: VecDeque::new(),
                frame: None,
                dropped: 0,
                last: None,
                over: false,
            }),
            came: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_rate(&self, rate: f64) {
        self.lock().slots.set_rate(rate);
    }

    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// A frame of pipeline time `at` (nanoseconds) goes by; whether inference
    /// gets it. Never waits for more than the lock.
    pub fn offer(&self, at: u64) -> bool {
        let mut inner = self.lock();
        if inner.slots.begins(at) {
            if inner.open.is_some() {
                inner.dropped += 1;
            }
            inner.open = Some(inner.next_seq);
            inner.next_seq += 1;
        }
        if !inner.wanted {
            return false;
        }
        // Within a slot the newest frame stands for it, not its first one:
        // who asks late gets what is there now and need not wait for the next slot.
        let Some(seq) = inner.open.take() else {
            return false;
        };
        inner.wanted = false;
        if inner.under_way.len() == MOST_UNDER_WAY {
            inner.under_way.pop_front();
            inner.dropped += 1;
        }
        inner.under_way.push_back((at, seq));
        true
    }

    /// A converted frame of pipeline time `at`, captured at `captured`. `make`
    /// builds it, given its number and a capture time later than all before.
    pub fn deliver(
        &self,
        at: u64,
        captured: Moment,
        make: impl FnOnce(u64, Moment) -> Result<Frame, String>,
    ) -> Result<(), String> {
        let mut inner = self.lock();
        let Some(place) = inner.under_way.iter().position(|(t, _)| *t == at) else {
            return Ok(());
        };
        let seq = inner.under_way[place].1;
        // Converted in order: what is before it was lost on the way.
        inner.under_way.drain(..=place);
        inner.dropped += place as u64;
        let mono = match inner.last {
            Some(last) => captured.mono.max(last + Duration::from_nanos(1)),
            None => captured.mono,
        };
        inner.last = Some(mono);
        let wall = captured.wall_at(mono);
        let frame = match make(seq, Moment { mono, wall }) {
            Ok(frame) => frame,
            Err(why) => {
                inner.dropped += 1;
                return Err(why);
            }
        };
        if inner.frame.replace(frame).is_some() {
            inner.dropped += 1;
        }
        drop(inner);
        self.came.notify_all();
        Ok(())
    }

    /// Waits for a frame; see [`scene::ports::FrameSource::next`].
    pub fn next(&self, timeout: Duration, clock: &dyn Clock) -> Option<Frame> {
        let end = Instant::now() + timeout.min(Duration::from_secs(3600));
        let mut inner = self.lock();
        if let Some(frame) = &inner.frame
            && clock.now().mono.since(frame.captured.mono) > STALE
        {
            inner.frame = None;
            inner.dropped += 1;
        }
        loop {
            if let Some(frame) = inner.frame.take() {
                inner.wanted = false;
                return Some(frame);
            }
            if inner.over {
                return None;
            }
            // The order stands if time runs out: who polls gets a frame too.
            inner.wanted = true;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let woken = self.came.wait_timeout(inner, left);
            inner = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The pipeline was torn down: what was under way will not come.
    pub fn forget_under_way(&self) {
        let mut inner = self.lock();
        inner.dropped += inner.under_way.len() as u64;
        inner.under_way.clear();
    }

    /// No frame will ever come again (or, after a `false`, may come again).
    pub fn set_over(&self, over: bool) {
        self.lock().over = over;
        self.came.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Mono);
    impl Clock for Fixed {
        fn now(&self) -> Moment {
            Moment::unclocked(self.0)
        }
    }

    const MS: u64 = 1_000_000;

    fn still(seq: u64, captured: Moment) -> Result<Frame, String> {
        let pixels = std::sync::Arc::new(vec![0u8; 12]);
        Frame::rgb(pixels, 2, 2, 6, seq, captured).map_err(|e| e.to_string())
    }

    fn deliver(gate: &Gate, ms: u64) {
        let at = Moment::unclocked(Mono::from_millis(ms));
        gate.deliver(ms * MS, at, still).unwrap();
    }

    #[test]
    fn nothing_passes_that_nobody_asked_for_and_all_of_it_is_counted() {
        let gate = Gate::new(10.0);
        assert!((0..100).all(|n| !gate.offer(n * 40 * MS)));
        // 4 s at 10 a second are 40 slots; the last one may still be taken.
        assert_eq!(gate.dropped(), 39);
        let clock = Fixed(Mono::from_millis(4000));
        assert!(gate.next(Duration::ZERO, &clock).is_none());
        assert!(gate.offer(4000 * MS));
        assert!(!gate.offer(4040 * MS), "one frame for one order");
        deliver(&gate, 4000);
        let frame = gate.next(Duration::ZERO, &clock).unwrap();
        assert_eq!((frame.seq, gate.dropped()), (40, 40));
    }

    #[test]
    fn who_asks_late_in_a_slot_gets_the_newest_frame_of_it() {
        let gate = Gate::new(1.0);
        assert!(!gate.offer(0));
        let clock = Fixed(Mono::from_millis(500));
        assert!(gate.next(Duration::ZERO, &clock).is_none());
        assert!(gate.offer(500 * MS));
        deliver(&gate, 500);
        let frame = gate.next(Duration::ZERO, &clock).unwrap();
        assert_eq!(
            (frame.seq, frame.captured.mono),
            (0, Mono::from_millis(500))
        );
        // The slot is used up: the next frame comes with the next slot.
        assert!(gate.next(Duration::ZERO, &clock).is_none());
        assert!(!gate.offer(900 * MS));
        assert!(gate.offer(1000 * MS));
    }

    #[test]
    fn a_frame_that_waited_too_long_is_not_given() {
        let gate = Gate::new(0.0);
        let early = Fixed(Mono::from_millis(0));
        assert!(gate.next(Duration::ZERO, &early).is_none());
        assert!(gate.offer(0));
        deliver(&gate, 0);
        assert!(
            gate.next(Duration::ZERO, &Fixed(Mono::from_millis(501)))
                .is_none()
        );
        assert_eq!(gate.dropped(), 1);
    }

    #[test]
    fn capture_times_never_go_back() {
        let gate = Gate::new(0.0);
        let clock = Fixed(Mono::from_millis(10));
        let mut times = vec![];
        for (at, says) in [(5, 10), (6, 10), (7, 9)] {
            assert!(gate.next(Duration::ZERO, &clock).is_none());
            assert!(gate.offer(at * MS));
            let captured = Moment::unclocked(Mono::from_millis(says));
            gate.deliver(at * MS, captured, still).unwrap();
            times.push(gate.next(Duration::ZERO, &clock).unwrap().captured.mono);
        }
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }

    #[test]
    fn an_ended_source_does_not_keep_anybody_waiting() {
        let gate = Gate::new(0.0);
        gate.set_over(true);
        let begun = Instant::now();
        assert!(
            gate.next(Duration::from_secs(60), &Fixed(Mono::ZERO))
                .is_none()
        );
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
