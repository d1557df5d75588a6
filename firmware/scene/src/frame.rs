use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::{Moment, Mono};

/// Bytes of a picture that somebody keeps alive: a mapped GStreamer buffer, a
/// `Vec`. Borrowed, never copied, on its way to the model.
pub trait Pixels: Send + Sync {
    /// The bytes, row by row.
    fn bytes(&self) -> &[u8];
}

impl Pixels for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }
}

/// One picture for inference: RGB, 8 bits a channel, rows `stride` bytes apart.
/// Cloning shares the pixels.
#[derive(Clone)]
pub struct Frame {
    pixels: Arc<dyn Pixels>,
    /// Columns, ≥ 1.
    pub width: u32,
    /// Rows, ≥ 1.
    pub height: u32,
    stride: usize,
    /// Counts up by one a frame that the source delivered to inference; a gap
    /// is a frame that was dropped.
    pub seq: u64,
    /// When it was captured.
    pub captured: Moment,
}

/// Why bytes do not make a [`Frame`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// No pixels.
    #[error("a frame of {width}x{height} has no pixels")]
    Empty {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Rows overlap.
    #[error("a stride of {stride} bytes is too short for {width} RGB pixels")]
    Stride {
        /// Bytes from row to row.
        stride: usize,
        /// Columns.
        width: u32,
    },
    /// Not enough bytes.
    #[error("{given} bytes are too few for a frame that needs {needed}")]
    TooShort {
        /// How many there are.
        given: usize,
        /// How many there must be.
        needed: usize,
    },
}

impl Frame {
    /// Wraps RGB `pixels` of `width` x `height` whose rows are `stride` bytes
    /// apart (≥ 3 x width; the last row may be unpadded).
    pub fn rgb(
        pixels: Arc<dyn Pixels>,
        width: u32,
        height: u32,
        stride: usize,
        seq: u64,
        captured: Moment,
    ) -> Result<Self, FrameError> {
        if width == 0 || height == 0 {
            return Err(FrameError::Empty { width, height });
        }
        let row = width as usize * 3;
        if stride < row {
            return Err(FrameError::Stride { stride, width });
        }
        let needed = stride * (height as usize - 1) + row;
        let given = pixels.bytes().len();
        if given < needed {
            return Err(FrameError::TooShort { given, needed });
        }
        Ok(Self {
            pixels,
            width,
            height,
            stride,
            seq,
            captured,
        })
    }

    /// A tightly packed frame with no history: for pictures from files and tests.
    pub fn still(rgb: Vec<u8>, width: u32, height: u32) -> Result<Self, FrameError> {
        Self::rgb(
            Arc::new(rgb),
            width,
            height,
            width as usize * 3,
            0,
            Moment::unclocked(Mono::ZERO),
        )
    }

    /// Bytes from one row's start to the next one's.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The pixels of row `y` (< height): `3 * width` bytes, R G B.
    pub fn row(&self, y: u32) -> &[u8] {
        let at = y as usize * self.stride;
        &self.pixels.bytes()[at..at + self.width as usize * 3]
    }

    /// All pixels in one run if the rows are tightly packed.
    pub fn packed(&self) -> Option<&[u8]> {
        let row = self.width as usize * 3;
        (self.stride == row).then(|| &self.pixels.bytes()[..row * self.height as usize])
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Frame #{} {}x{} at {:.3} s",
            self.seq,
            self.width,
            self.height,
            self.captured.mono.as_secs_f64()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padded_rows_are_skipped() {
        let at = Moment::unclocked(Mono::ZERO);
        let bytes = vec![1, 2, 3, 0, 4, 5, 6];
        let frame = Frame::rgb(Arc::new(bytes), 1, 2, 4, 7, at).unwrap();
        assert_eq!(frame.row(0), [1, 2, 3]);
        assert_eq!(frame.row(1), [4, 5, 6]);
        assert_eq!(frame.packed(), None);
    }

    #[test]
    fn short_buffers_are_refused() {
        assert!(matches!(
            Frame::still(vec![0; 11], 2, 2),
            Err(FrameError::TooShort {
                given: 11,
                needed: 12
            })
        ));
        assert!(Frame::still(vec![], 0, 2).is_err());
        assert!(Frame::still(vec![0; 12], 2, 2).unwrap().packed().is_some());
    }
}
