//! Resampling that gives the very bytes that Pillow gives.
//!
//! The models were trained on pictures that Pillow resized, and the parity
//! tests compare with it to 1e-5. SIMD resizers round their weights to 16 bits
//! and are off by up to several levels after the reference's two resizes; so
//! this is Pillow's arithmetic (`Resample.c`, 8 bits a channel): weights in
//! f64, normalised, rounded to 22 fraction bits; two passes, each rounded to
//! 8 bits; the columns first, unless the height shrinks much more.

use std::f64::consts::PI;

use crate::package::Filter;

const FRACTION_BITS: u32 = 32 - 8 - 2;
const HALF: i32 = 1 << (FRACTION_BITS - 1);

impl Filter {
    /// Half the width of the window at scale 1, input pixels.
    fn support(self) -> f64 {
        match self {
            Filter::Lanczos => 3.0,
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let sinc = |x: f64| {
            if x == 0.0 {
                1.0
            } else {
                (x * PI).sin() / (x * PI)
            }
        };
        match self {
            Filter::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Filter::Lanczos => 0.0,
            Filter::Bilinear => (1.0 - x.abs()).max(0.0),
            Filter::Bicubic => {
                const A: f64 = -0.5;
                let x = x.abs();
                if x < 1.0 {
                    ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
                } else if x < 2.0 {
                    (((x - 5.0) * x + 8.0) * x - 4.0) * A
                } else {
                    0.0
                }
            }
        }
    }
}

/// The input pixels that make one output pixel.
struct Window {
    first: usize,
    weights: Vec<i32>,
}

fn windows(from: usize, to: usize, filter: Filter) -> Vec<Window> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let support = filter.support() * stretch;
    let window = |at: usize| {
        let centre = (at as f64 + 0.5) * scale;
        // Casts cut towards zero and saturate at 0, as intended.
        let first = (centre - support + 0.5) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let weights: Vec<f64> = (first..end)
            .map(|x| filter.weight((x as f64 - centre + 0.5) * (1.0 / stretch)))
            .collect();
        let sum: f64 = weights.iter().sum();
        let fixed = |w: f64| {
            let w = if sum != 0.0 { w / sum } else { w };
            let w = w * f64::from(1 << FRACTION_BITS);
            (w + 0.5f64.copysign(w)) as i32
        };
        Window {
            first,
            weights: weights.into_iter().map(fixed).collect(),
        }
    };
    (0..to).map(window).collect()
}

fn byte(sum: i32) -> u8 {
    (sum >> FRACTION_BITS).clamp(0, 255) as u8
}

/// `rgb` of `width` x `height` (3 bytes a pixel, tightly packed, both ≥ 1) as
/// `to_width` x `to_height` (both ≥ 1).
pub(crate) fn resize(
    rgb: &[u8],
    (width, height): (usize, usize),
    (to_width, to_height): (usize, usize),
    filter: Filter,
) -> Vec<u8> {
    let across = |rgb: &[u8], rows: usize| match width == to_width {
        true => rgb.to_vec(),
        false => columns(rgb, width, rows, &windows(width, to_width, filter)),
    };
    let down = |rgb: &[u8], width: usize| match height == to_height {
        true => rgb.to_vec(),
        false => rows(rgb, width, &windows(height, to_height, filter)),
    };
    match rows_first((width, height), (to_width, to_height)) {
        true => across(&down(rgb, width), to_height),
        false => down(&across(rgb, height), to_width),
    }
}

/// Pillow 13's order of the passes (its pull request 9549; older ones always
/// take the columns first). It shows, as each pass cuts overshoots off.
fn rows_first((width, height): (usize, usize), (to_width, to_height): (usize, usize)) -> bool {
    let (fewer_columns, fewer_rows) = (
        width as i64 - to_width as i64,
        height as i64 - to_height as i64,
    );
    fewer_rows > 0 && fewer_rows > 2 * fewer_columns
}

fn columns(rgb: &[u8], width: usize, height: usize, windows: &[Window]) -> Vec<u8> {
    let mut out = Vec::with_capacity(height * windows.len() * 3);
    for row in rgb.chunks_exact(width * 3) {
        let pixels = row.as_chunks::<3>().0;
        for window in windows {
            let mut sums = [HALF; 3];
            for (pixel, &weight) in pixels[window.first..].iter().zip(&window.weights) {
                for (sum, &level) in sums.iter_mut().zip(pixel) {
                    *sum += i32::from(level) * weight;
                }
            }
            out.extend(sums.map(byte));
        }
    }
    out
}

fn rows(rgb: &[u8], width: usize, windows: &[Window]) -> Vec<u8> {
    let row = width * 3;
    let mut sums = vec![HALF; row];
    let mut out = Vec::with_capacity(row * windows.len());
    for window in windows {
        sums.fill(HALF);
        // Row by row, so that the inner loop runs over neighbours.
        let from = rgb[window.first * row..].chunks_exact(row);
        for (levels, &weight) in from.zip(&window.weights) {
            for (sum, &level) in sums.iter_mut().zip(levels) {
                *sum += i32::from(level) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| byte(sum)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_pictures_stay_flat() {
        for filter in [Filter::Lanczos, Filter::Bilinear, Filter::Bicubic] {
            for (from, to) in [((7, 5), (64, 3)), ((100, 33), (8, 64)), ((1, 1), (5, 9))] {
                let rgb = [200u8, 13, 255].repeat(from.0 * from.1);
                let out = resize(&rgb, from, to, filter);
                assert_eq!(
                    out,
                    [200u8, 13, 255].repeat(to.0 * to.1),
                    "{filter:?} {from:?}"
                );
            }
        }
    }

    #[test]
    fn passes_are_in_pillow_s_order() {
        // Each as found with Pillow 13.0 by comparing with its passes one by one.
        for (from, to) in [
            ((4, 256), (64, 64)),
            ((30, 63), (8, 17)),
            ((10, 64), (1000, 63)),
        ] {
            assert!(rows_first(from, to), "{from:?} to {to:?}");
        }
        for (from, to) in [
            ((51, 141), (13, 65)),
            ((256, 4), (64, 64)),
            ((150, 100), (33, 2)),
            ((37, 53), (178, 256)),
        ] {
            assert!(!rows_first(from, to), "{from:?} to {to:?}");
        }
    }

    #[test]
    fn windows_sum_to_one_and_stay_inside() {
        for (from, to) in [(640, 512), (3, 500), (2048, 1)] {
            for window in windows(from, to, Filter::Lanczos) {
                assert!(window.first + window.weights.len() <= from && !window.weights.is_empty());
                let sum: i64 = window.weights.iter().map(|&w| i64::from(w)).sum();
                let off = (sum - (1 << FRACTION_BITS)).abs();
                assert!(
                    off <= window.weights.len() as i64,
                    "{from} to {to}: off by {off}"
                );
            }
        }
    }
}
