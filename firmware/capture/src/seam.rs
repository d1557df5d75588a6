//! Joins the end of a looped clip to its start.
//!
//! A clip is looped by seeking to its start without a flush (a segment seek),
//! so that the pipeline's time goes on. Demultiplexers then begin the next
//! round at the time of the last picture instead of at its end, and a decoder
//! may give a picture twice when it is drained; both would upset an encoder.

use std::sync::Mutex;

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::replay::{TURN_AWAY, running_time};

/// Where one round ends; times in nanoseconds of running time.
#[derive(Debug, Default)]
struct Seam {
    last: Option<u64>,
    end: u64,
    interval: u64,
}

impl Seam {
    /// A new round would begin at `start`: by how much it has to be later.
    fn shift(&self, start: u64) -> u64 {
        match self.last {
            Some(_) => self.end.saturating_sub(start),
            None => 0,
        }
    }

    /// A picture at `at` that lasts `duration`, if it says so: whether it is
    /// later than the one before.
    fn passes(&mut self, at: u64, duration: Option<u64>) -> bool {
        if let Some(last) = self.last {
            if at <= last {
                return false;
            }
            self.interval = at - last;
        }
        self.last = Some(at);
        self.end = at + duration.filter(|d| *d > 0).unwrap_or(self.interval);
        true
    }
}

/// Watches `pad`, the sink pad of `pace`.
pub(crate) fn join(pad: &gst::Pad) {
    let seam = Mutex::new(Seam::default());
    let types = gst::PadProbeType::BUFFER
        | gst::PadProbeType::EVENT_DOWNSTREAM
        | gst::PadProbeType::EVENT_FLUSH;
    pad.add_probe(types, move |pad, info| {
        let mut seam = seam
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let later = match &info.data {
            Some(gst::PadProbeData::Event(event)) => match event.view() {
                gst::EventView::FlushStop(_) => {
                    *seam = Seam::default();
                    None
                }
                gst::EventView::Segment(segment) => later(segment, &seam),
                _ => None,
            },
            Some(gst::PadProbeData::Buffer(buffer)) => {
                let at = running_time(pad, buffer).map(gst::ClockTime::nseconds);
                let duration = buffer.duration().map(gst::ClockTime::nseconds);
                if at.is_some_and(|at| !seam.passes(at, duration)) {
                    return TURN_AWAY;
                }
                None
            }
            _ => None,
        };
        if let Some(event) = later {
            info.data = Some(gst::PadProbeData::Event(event));
        }
        gst::PadProbeReturn::Ok
    });
}

/// The segment event that begins the round where the last one ended; `None`
/// if it does so already.
fn later(event: &gst::event::Segment, seam: &Seam) -> Option<gst::Event> {
    let mut segment = event.segment().downcast_ref::<gst::ClockTime>()?.clone();
    let start = segment.to_running_time(segment.start()?)?;
    let shift = seam.shift(start.nseconds());
    if shift == 0 {
        return None;
    }
    segment.set_base(segment.base()? + gst::ClockTime::from_nseconds(shift));
    Some(
        gst::event::Segment::builder(&segment)
            .seqnum(event.seqnum())
            .build(),
    )
}

#[cfg(test)]
mod tests {
    use super::Seam;

    #[test]
    fn a_round_begins_where_the_last_one_ended() {
        let mut seam = Seam::default();
        assert_eq!(seam.shift(0), 0);
        for at in [0, 100, 200] {
            assert!(seam.passes(at, None));
        }
        // The demultiplexer begins again at the last picture's time.
        assert_eq!(seam.shift(200), 100);
        assert!(seam.passes(300, Some(40)));
        assert!(!seam.passes(300, Some(40)), "given twice");
        assert!(seam.passes(400, Some(40)));
        assert_eq!(
            (seam.shift(440), seam.shift(430), seam.shift(500)),
            (0, 10, 0)
        );
    }
}
