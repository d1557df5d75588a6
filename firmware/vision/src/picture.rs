//! A frame, or a part of it, as the tensor that a vision graph wants.
//!
//! The steps and their rounding are those of the reference image processor
//! (Idefics3, without image splitting): resize so that the longest edge is
//! `size.longest_edge` with the aspect kept, resize to a square tile, scale,
//! normalise. Both resizes round to 8 bits, as Pillow's do.

use std::borrow::Cow;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use scene::{BBox, Frame};

use crate::package::{Colour, DetectorInput, Fit, ImageProcessor};
use crate::resample;

/// Tightly packed RGB, 8 bits a channel; borrowed from the frame where possible.
#[derive(Clone, Debug)]
pub(crate) struct Picture<'f> {
    pub width: u32,
    pub height: u32,
    pub rgb: Cow<'f, [u8]>,
}

impl<'f> Picture<'f> {
    /// The part of `frame` in `part` (0..1), at least one pixel of it, and the
    /// part in whole pixels, again as 0..1.
    pub fn crop(frame: &'f Frame, part: BBox) -> (Self, BBox) {
        let (x0, x1) = span(part.x, part.w, frame.width);
        let (y0, y1) = span(part.y, part.h, frame.height);
        let (width, height) = (x1 - x0, y1 - y0);
        let whole = width == frame.width && height == frame.height;
        let rgb = match frame.packed() {
            Some(all) if whole => Cow::Borrowed(all),
            _ => {
                let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
                for y in y0..y1 {
                    rgb.extend_from_slice(&frame.row(y)[x0 as usize * 3..x1 as usize * 3]);
                }
                Cow::Owned(rgb)
            }
        };
        let (w, h) = (frame.width as f32, frame.height as f32);
        let exact = BBox {
            x: x0 as f32 / w,
            y: y0 as f32 / h,
            w: width as f32 / w,
            h: height as f32 / h,
        };
        (Self { width, height, rgb }, exact)
    }
}

/// `at..at + size` of `0..1` in whole pixels of `pixels`, never empty.
fn span(at: f32, size: f32, pixels: u32) -> (u32, u32) {
    let scale = |v: f32| (v.clamp(0.0, 1.0) * pixels as f32) as f64;
    let start = (scale(at).floor() as u32).min(pixels - 1);
    let end = (scale(at + size).ceil() as u32).clamp(start + 1, pixels);
    (start, end)
}

/// Resizes pictures for detectors; keeps its buffers.
#[derive(Debug, Default)]
pub(crate) struct Scaler {
    resizer: Resizer,
}

impl Scaler {
    fn resize<'p>(
        &mut self,
        picture: Picture<'p>,
        width: u32,
        height: u32,
        alg: ResizeAlg,
    ) -> Result<Picture<'p>, String> {
        if (picture.width, picture.height) == (width, height) {
            return Ok(picture);
        }
        let source = ImageRef::new(picture.width, picture.height, &picture.rgb, PixelType::U8x3)
            .map_err(|error| error.to_string())?;
        let mut scaled = Image::new(width, height, PixelType::U8x3);
        let options = ResizeOptions::new().resize_alg(alg).use_alpha(false);
        self.resizer
            .resize(&source, &mut scaled, &options)
            .map_err(|error| error.to_string())?;
        Ok(Picture {
            width,
            height,
            rgb: Cow::Owned(scaled.into_vec()),
        })
    }

    /// The input of a detector of `width` x `height`: f32, channels first; and
    /// how many input pixels a picture pixel became, across and down.
    pub fn detector_input(
        &mut self,
        picture: Picture<'_>,
        width: u32,
        height: u32,
        to: &DetectorInput,
    ) -> Result<(Vec<f32>, (f32, f32)), String> {
        let (w, h) = (picture.width as f32, picture.height as f32);
        // Bilinear with a fixed kernel is what YOLOX was trained with.
        let alg = ResizeAlg::Interpolation(FilterType::Bilinear);
        let (inner, ratio) = match to.fit {
            Fit::Squash => ((width, height), (width as f32 / w, height as f32 / h)),
            Fit::Letterbox => {
                let ratio = (width as f32 / w).min(height as f32 / h);
                let side = |v: f32, max: u32| ((v * ratio) as u32).clamp(1, max);
                ((side(w, width), side(h, height)), (ratio, ratio))
            }
        };
        let scaled = self.resize(picture, inner.0, inner.1, alg)?;
        let row = inner.0 as usize * 3;
        let mut padded = vec![to.pad; width as usize * height as usize * 3];
        for (into, from) in padded
            .chunks_exact_mut(width as usize * 3)
            .zip(scaled.rgb.chunks_exact(row))
        {
            into[..row].copy_from_slice(from);
        }
        let order = match to.colour {
            Colour::Rgb => [0, 1, 2],
            Colour::Bgr => [2, 1, 0],
        };
        let level = |c: usize, v: usize| (v as f32 * to.scale - to.mean[c]) / to.std[c];
        Ok((planes(&padded, order, level), ratio))
    }
}

/// The tile of a VLM: f32, channels first, `3 * tile * tile` numbers.
pub(crate) fn tile(picture: Picture<'_>, to: &ImageProcessor) -> Vec<f32> {
    let resized = |picture: Picture<'_>, (width, height): (u32, u32)| {
        let size = |(w, h): (u32, u32)| (w as usize, h as usize);
        let from = (picture.width, picture.height);
        match from == (width, height) {
            true => picture.rgb.into_owned(),
            false => resample::resize(&picture.rgb, size(from), size((width, height)), to.filter),
        }
    };
    let first = match to.longest_edge {
        Some(longest) => keep_aspect(picture.width, picture.height, longest),
        None => (picture.width, picture.height),
    };
    let rgb = resized(picture, first);
    let picture = Picture {
        width: first.0,
        height: first.1,
        rgb: Cow::Owned(rgb),
    };
    let tile = resized(picture, (to.tile, to.tile));
    // As the reference rounds: scaled in f64, then f32 throughout.
    let level = |c: usize, v: usize| ((v as f64 * to.rescale) as f32 - to.mean[c]) / to.std[c];
    planes(&tile, [0, 1, 2], level)
}

/// Interleaved bytes to planes of `level(channel, byte)`, by a table.
fn planes(rgb: &[u8], order: [usize; 3], level: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut out = Vec::with_capacity(rgb.len());
    for (channel, from) in order.into_iter().enumerate() {
        let table: [f32; 256] = std::array::from_fn(|v| level(channel, v));
        out.extend(rgb.chunks_exact(3).map(|pixel| table[pixel[from] as usize]));
    }
    out
}

/// The size with the longest edge `longest` and the aspect of `width` x
/// `height`; the other edge is rounded down and then up to an even number, as
/// the reference does, and is at least 1 wherever that leaves 0.
fn keep_aspect(width: u32, height: u32, longest: u32) -> (u32, u32) {
    let aspect = width as f64 / height as f64;
    let even = |v: f64| {
        let v = v as u32;
        (v + v % 2).max(1)
    };
    match width >= height {
        true => (longest, even(longest as f64 / aspect)),
        false => (even(longest as f64 * aspect), longest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_follow_the_reference() {
        // Worked by hand from the reference's formula.
        assert_eq!(keep_aspect(160, 90, 256), (256, 144));
        assert_eq!(keep_aspect(37, 53, 256), (178, 256));
        assert_eq!(keep_aspect(1, 1, 64), (64, 64));
        assert_eq!(keep_aspect(1000, 1, 64), (64, 1));
    }

    #[test]
    fn crops_are_whole_pixels_and_never_empty() {
        let rgb: Vec<u8> = (0..5 * 4 * 3).map(|v| v as u8).collect();
        let frame = Frame::still(rgb, 5, 4).unwrap();
        let part = |x, y, w, h| BBox { x, y, w, h };
        let (all, exact) = Picture::crop(&frame, BBox::WHOLE);
        assert!(matches!(all.rgb, Cow::Borrowed(_)));
        assert_eq!(exact, BBox::WHOLE);
        let (crop, exact) = Picture::crop(&frame, part(0.45, 0.5, 0.2, 0.25));
        assert_eq!((crop.width, crop.height), (2, 1));
        assert_eq!(crop.rgb[..3], frame.row(2)[6..9]);
        assert!((exact.x - 0.4).abs() < 1e-6 && (exact.w - 0.4).abs() < 1e-6);
        for odd in [
            part(1.0, 1.0, 0.0, 0.0),
            part(-3.0, 0.0, 1.0, 0.0),
            part(f32::NAN, 0.0, f32::NAN, 9.0),
        ] {
            let (crop, _) = Picture::crop(&frame, odd);
            assert!(crop.width >= 1 && crop.height >= 1);
            assert_eq!(crop.rgb.len() as u32, crop.width * crop.height * 3);
        }
    }

    #[test]
    fn letterbox_pads_right_and_below_in_bgr() {
        let frame = Frame::still([10, 20, 30].repeat(8 * 4), 8, 4).unwrap();
        let (picture, _) = Picture::crop(&frame, BBox::WHOLE);
        let (tensor, ratio) = Scaler::default()
            .detector_input(picture, 4, 4, &DetectorInput::default())
            .unwrap();
        assert_eq!(ratio, (0.5, 0.5));
        let plane = |c: usize| &tensor[c * 16..(c + 1) * 16];
        assert_eq!(plane(0)[..8], [30.0; 8]);
        assert_eq!(plane(2)[..8], [10.0; 8]);
        assert_eq!(plane(0)[8..], [114.0; 8]);
    }
}
