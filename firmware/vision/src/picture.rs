//! A frame, or a part of it: borrowed, cropped, and made to fit a detector.
//! [`crate::tiles`] makes it fit a language model.

use std::borrow::Cow;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use scene::{BBox, Frame};

use crate::package::{Colour, DetectorInput, Fit};

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

/// Interleaved bytes to planes of `level(channel, byte)`, by a table.
fn planes(rgb: &[u8], order: [usize; 3], level: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut out = Vec::with_capacity(rgb.len());
    for (channel, from) in order.into_iter().enumerate() {
        let table: [f32; 256] = std::array::from_fn(|v| level(channel, v));
        out.extend(rgb.chunks_exact(3).map(|pixel| table[pixel[from] as usize]));
    }
    out
}

/// Interleaved red, green, blue bytes to planes of `levels[channel][byte]`.
pub(crate) fn planes_of(rgb: &[u8], levels: &[[f32; 256]; 3]) -> Vec<f32> {
    planes(rgb, [0, 1, 2], |channel, byte| levels[channel][byte])
}

#[cfg(test)]
mod tests {
    use super::*;

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
