use std::time::Duration;

use scene::Frame;
use scene::ports::{Clock, FrameSource, SourceState};

use crate::SimClock;

/// A source that has a fresh grey frame whenever it is asked, stamped by the
/// simulated clock, except while it is cut.
pub struct SimSource {
    clock: SimClock,
    width: u32,
    height: u32,
    seq: u64,
    cut: bool,
}

impl SimSource {
    /// Frames of `width` x `height` pixels.
    pub fn new(clock: SimClock, width: u32, height: u32) -> Self {
        Self {
            clock,
            width,
            height,
            seq: 0,
            cut: false,
        }
    }

    /// Cuts the source (no frames come) or mends it.
    pub fn cut(&mut self, cut: bool) {
        self.cut = cut;
    }
}

impl FrameSource for SimSource {
    fn next(&mut self, timeout: Duration) -> Option<Frame> {
        if self.cut {
            self.clock.advance(timeout);
            return None;
        }
        self.seq += 1;
        let shade = (self.seq % 200) as u8;
        let mut frame = Frame::still(
            vec![shade; (self.width * self.height * 3) as usize],
            self.width,
            self.height,
        )
        .expect("width and height are not zero");
        frame.seq = self.seq;
        frame.captured = self.clock.now();
        Some(frame)
    }

    fn state(&self) -> SourceState {
        if self.cut {
            SourceState::Retrying {
                why: "the simulated source is cut".into(),
                retry_in: Duration::from_secs(1),
            }
        } else {
            SourceState::Live
        }
    }

    fn dropped(&self) -> u64 {
        0
    }
}
