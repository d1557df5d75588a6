//! One time line, whatever the source's clock does.
//!
//! Drivers and cameras set their clocks while they run, and some give a picture
//! no time at all. Encoders, RTSP clients and rules all reckon with times that
//! only rise, so pictures are put right once, before they part.

use std::sync::{Mutex, PoisonError};

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::replay::{TURN_AWAY, running_time};

/// A picture up to this much earlier than the last one came out of order or
/// twice, and is dropped; one that is earlier comes from a clock set back. ns.
const OUT_OF_ORDER: u64 = 200_000_000;
/// A picture can't have been taken later than now; this much is rounding and
/// jitter. ns.
const AHEAD: u64 = 1_000_000_000;

/// Without a picture for so long, one that came out of order is taken. ns.
const STANDS: u64 = 1_000_000_000;

/// From one picture to the next where that is not known yet, and the bounds of
/// what is taken for it. Two pictures a nanosecond apart would be one to RTP,
/// whose clock ticks every 11 µs. ns.
const STEP: u64 = 33_000_000;
const STEPS: std::ops::RangeInclusive<u64> = 1_000_000..=200_000_000;

/// Moves times of a source's own line to ours; nanoseconds of running time.
#[derive(Debug)]
struct Steady {
    /// Ours less the source's.
    shift: i128,
    last: Option<u64>,
    /// From the picture before the last one to the last one.
    step: u64,
}

impl Default for Steady {
    fn default() -> Self {
        Self {
            shift: 0,
            last: None,
            step: STEP,
        }
    }
}

/// What becomes of a picture.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// It was taken at this time; the source's clock jumped by so much, if it did.
    At(u64, Option<i128>),
    /// It is older than one that went before.
    Old,
}

impl Steady {
    /// A picture that says it is of `says`, when it is `now`, each if known.
    fn place(&mut self, says: Option<u64>, now: Option<u64>) -> Verdict {
        let Some(says) = says else {
            // It is of now, whatever the source's line is like.
            let Some(now) = now else {
                return Verdict::Old;
            };
            let at = now.max(self.last.map_or(0, |last| last + STEPS.start()));
            self.last = Some(at);
            return Verdict::At(at, None);
        };
        let at = i128::from(says) + self.shift;
        let next = self.last.map_or(0, |last| last + 1);
        let behind = i128::from(next) - at;
        // A clock that stands still must not stop the picture.
        let stands = now.is_some_and(|now| now > next + STANDS);
        if (1..=i128::from(OUT_OF_ORDER)).contains(&behind) && !stands {
            return Verdict::Old;
        }
        let ahead = now.is_some_and(|now| at > i128::from(now) + i128::from(AHEAD));
        let (at, jump) = if behind > 0 || ahead {
            let next = self.last.map_or(0, |last| last + self.step);
            let anchor = now.unwrap_or(next).max(next);
            let shift = i128::from(anchor) - i128::from(says);
            let jump = self.shift - shift;
            self.shift = shift;
            (anchor, Some(jump))
        } else {
            let at = u64::try_from(at).unwrap_or(next);
            if let Some(last) = self.last {
                self.step = (at - last).clamp(*STEPS.start(), *STEPS.end());
            }
            (at, None)
        };
        self.last = Some(at);
        Verdict::At(at, jump)
    }
}

/// Sees to it that the times of pictures that go through `pad` only rise.
pub(crate) fn keep(pad: &gst::Pad) {
    let steady = Mutex::new(Steady::default());
    pad.add_probe(gst::PadProbeType::BUFFER, move |pad, info| {
        let Some(buffer) = info.buffer() else {
            return gst::PadProbeReturn::Ok;
        };
        let says = running_time(pad, buffer).map(gst::ClockTime::nseconds);
        let now = pad
            .parent_element()
            .and_then(|element| element.current_running_time())
            .map(gst::ClockTime::nseconds);
        let verdict = steady
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .place(says, now);
        let Verdict::At(at, jump) = verdict else {
            return TURN_AWAY;
        };
        if let Some(jump) = jump {
            let seconds = jump as f64 / 1e9;
            tracing::warn!(
                seconds,
                "the source's clock jumped; its times are put right"
            );
        }
        if says != Some(at) {
            move_to(pad, info, gst::ClockTime::from_nseconds(at));
        }
        gst::PadProbeReturn::Ok
    });
}

/// Gives the buffer that goes by the running time `at`.
fn move_to(pad: &gst::Pad, info: &mut gst::PadProbeInfo, at: gst::ClockTime) {
    let Some(event) = pad.sticky_event::<gst::event::Segment>(0) else {
        return;
    };
    let segment = event.segment().downcast_ref::<gst::ClockTime>();
    let pts = segment.and_then(|segment| segment.position_from_running_time(at));
    if let (Some(pts), Some(gst::PadProbeData::Buffer(buffer))) = (pts, &mut info.data) {
        // Copies the times only; the memory is shared.
        let buffer = buffer.make_mut();
        buffer.set_pts(pts);
        buffer.set_dts(gst::ClockTime::NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{At, Old};
    use super::*;

    const MS: u64 = 1_000_000;

    fn ms(steady: &mut Steady, says: impl Into<Option<u64>>, now: u64) -> Verdict {
        match steady.place(says.into().map(|ms| ms * MS), Some(now * MS)) {
            At(at, jump) => At(at / MS, jump.map(|jump| jump / i128::from(MS))),
            Old => Old,
        }
    }

    #[test]
    fn times_that_rise_are_left_alone() {
        let mut steady = Steady::default();
        for (says, now) in [(0, 20), (40, 60), (80, 400), (900, 905), (1900, 1000)] {
            assert_eq!(ms(&mut steady, says, now), At(says, None));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_or_on_is_followed() {
        let mut steady = Steady::default();
        assert_eq!(ms(&mut steady, 5000, 5010), At(5000, None));
        // Back by an hour or so, to the camera's own zero.
        assert_eq!(ms(&mut steady, 0, 5050), At(5050, Some(-5050)));
        assert_eq!(ms(&mut steady, 40, 5090), At(5090, None));
        // On by a day: it can't be later than it is.
        assert_eq!(
            ms(&mut steady, 86_400_080, 5130),
            At(5130, Some(86_400_000))
        );
        assert_eq!(ms(&mut steady, 86_400_120, 5170), At(5170, None));
        // And back again; the last one was given a time a little ahead of now.
        assert_eq!(ms(&mut steady, 86_400_160, 5190), At(5210, None));
        assert_eq!(ms(&mut steady, 160, 5205), At(5250, Some(-86_400_040)));
    }

    #[test]
    fn twice_and_out_of_order_is_dropped() {
        let mut steady = Steady::default();
        assert_eq!(ms(&mut steady, 100, 100), At(100, None));
        assert_eq!(ms(&mut steady, 100, 110), Old);
        assert_eq!(ms(&mut steady, 60, 120), Old);
        assert_eq!(ms(&mut steady, 140, 150), At(140, None));
    }

    #[test]
    fn a_clock_that_stands_still_does_not_stop_the_picture() {
        let mut steady = Steady::default();
        assert_eq!(ms(&mut steady, 100, 100), At(100, None));
        let passed = (0..100).filter(|n| ms(&mut steady, 100, 140 + n * 40) != Old);
        assert_eq!(passed.count(), 3, "one a second of four");
    }

    #[test]
    fn a_picture_without_a_time_is_of_now() {
        let mut steady = Steady::default();
        assert_eq!(ms(&mut steady, None, 70), At(70, None));
        assert_eq!(ms(&mut steady, None, 70), At(71, None));
        assert_eq!(ms(&mut steady, 100, 105), At(100, None));
        assert_eq!(steady.place(None, None), Old);
        assert_eq!(steady.place(Some(200 * MS), None), At(200 * MS, None));
        assert_eq!(steady.place(Some(MS), None), Old, "by less than 200 ms");
        let At(at, Some(_)) = steady.place(Some(0), None) else {
            panic!("a jump");
        };
        assert_eq!(at, 300 * MS, "without a clock it goes on at the last pace");
        // The source's line is another one by now; the next has no time again.
        assert_eq!(ms(&mut steady, None, 320), At(320, None));
    }
}
