//! From GStreamer's samples to frames, without a copy.

use std::sync::Arc;

use gstreamer as gst;
use gstreamer_video as gst_video;
use scene::{Frame, Moment, Pixels};

/// A buffer that stays mapped for as long as somebody looks at the frame.
struct Mapped {
    buffer: gst::MappedBuffer<gst::buffer::Readable>,
    offset: usize,
}

impl Pixels for Mapped {
    fn bytes(&self) -> &[u8] {
        &self.buffer.as_slice()[self.offset..]
    }
}

/// Borrows the pixels of an RGB sample. The stride is the buffer's own, from
/// its video meta if it has one.
pub(crate) fn frame(sample: &gst::Sample, seq: u64, captured: Moment) -> Result<Frame, String> {
    let caps = sample.caps().ok_or("a sample without caps")?;
    let info = gst_video::VideoInfo::from_caps(caps).map_err(|e| e.to_string())?;
    if info.format() != gst_video::VideoFormat::Rgb {
        return Err(format!(
            "the inference branch gives {} and not RGB",
            info.format()
        ));
    }
    let buffer = sample.buffer_owned().ok_or("a sample without a buffer")?;
    let (offset, stride) = match buffer.meta::<gst_video::VideoMeta>() {
        Some(meta) => (meta.offset()[0], meta.stride()[0]),
        None => (info.offset()[0], info.stride()[0]),
    };
    let stride = usize::try_from(stride).map_err(|_| format!("a stride of {stride} bytes"))?;
    let buffer =
        (buffer.into_mapped_buffer_readable()).map_err(|_| "a buffer that can't be mapped")?;
    if offset > buffer.as_slice().len() {
        return Err(format!("pixels at byte {offset} of a shorter buffer"));
    }
    let pixels = Arc::new(Mapped { buffer, offset });
    Frame::rgb(pixels, info.width(), info.height(), stride, seq, captured)
        .map_err(|e| e.to_string())
}

/// The size that inference sees of a picture of `info`: square pixels, the
/// aspect kept, at most `max_width` wide, never enlarged, even.
pub(crate) fn inference_size(info: &gst_video::VideoInfo, max_width: u32) -> (u32, u32) {
    let par = info.par();
    let (num, den) = (f64::from(par.numer().max(1)), f64::from(par.denom().max(1)));
    fit(info.width(), info.height(), num / den, max_width)
}

fn fit(width: u32, height: u32, pixel_aspect: f64, max_width: u32) -> (u32, u32) {
    let (width, height) = (f64::from(width.max(1)), f64::from(height.max(1)));
    // Wide pixels shrink the height, tall ones the width: neither side grows.
    let (width, height) = if pixel_aspect >= 1.0 {
        (width, height / pixel_aspect)
    } else {
        (width * pixel_aspect, height)
    };
    let scale = (f64::from(max_width.max(2)) / width).min(1.0);
    let even = |side: f64| (((side * scale / 2.0).round() * 2.0) as u32).max(2);
    let down = |side: f64| (((side * scale / 2.0).floor() * 2.0) as u32).max(2);
    // Rounding up must not enlarge a side that is odd.
    let pick = |side: f64| {
        if f64::from(even(side)) > side {
            down(side)
        } else {
            even(side)
        }
    };
    (pick(width), pick(height))
}

/// What the inference branch is to give for pictures of `info`.
pub(crate) fn inference_caps(info: &gst_video::VideoInfo, max_width: u32) -> gst::Caps {
    let (width, height) = inference_size(info, max_width);
    gst::Caps::builder("video/x-raw")
        .field("format", "RGB")
        .field("width", width as i32)
        .field("height", height as i32)
        .field("pixel-aspect-ratio", gst::Fraction::new(1, 1))
        .build()
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn sizes_keep_the_aspect_and_never_grow() {
        assert_eq!(fit(1920, 1080, 1.0, 960), (960, 540));
        assert_eq!(fit(640, 360, 1.0, 960), (640, 360));
        assert_eq!(fit(641, 361, 1.0, 960), (640, 360));
        assert_eq!(fit(720, 576, 16.0 / 15.0, 960), (720, 540));
        assert_eq!(fit(720, 480, 8.0 / 9.0, 960), (640, 480));
        assert_eq!(fit(1, 1, 1.0, 960), (2, 2));
        assert_eq!(fit(4000, 30, 1.0, 0), (2, 2));
    }
}
