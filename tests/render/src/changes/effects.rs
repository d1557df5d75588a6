//! What looks like a change and is none: lamps, weather, the camera itself.

use std::f32::consts::TAU;

use super::{Kind, Rect};
use crate::rng::{Rng, mix};

/// One disturbance, with its strength.
pub(super) enum Effect {
    /// Rows brighter and darker by `depth`; the phase is another one in each frame.
    Bands {
        depth: f32,
        bands: f32,
    },
    Tremble {
        depth: f32,
    },
    Rain {
        streaks: usize,
        seed: u64,
    },
    Exposure,
    Dusk,
    Shake {
        pixels: f32,
    },
    Tree {
        rect: Rect,
        seed: u64,
    },
    Screen {
        rect: Rect,
        seed: u64,
    },
}

/// Seconds of one swing of the automatic exposure, and its depth.
const EXPOSURE_S: f32 = 40.0;
const EXPOSURE_DEPTH: f32 = 0.1;
/// Seconds in which dusk halves the brightness.
const DUSK_S: f32 = 600.0;

/// `share` of `b` over `a`.
pub(super) fn blend(a: &[u8], b: &[u8], share: f32) -> Vec<u8> {
    let share = (share.clamp(0.0, 1.0) * 256.0) as i32;
    a.iter()
        .zip(b)
        .map(|(&a, &b)| (i32::from(a) + (((i32::from(b) - i32::from(a)) * share) >> 8)) as u8)
        .collect()
}

fn unit(hash: u64) -> f32 {
    (mix(hash) >> 40) as f32 / (1u64 << 24) as f32
}

impl Effect {
    pub fn of(kind: Kind, rng: &mut Rng) -> Vec<Self> {
        // 25 ms of read-out under lamps of 100 or 120 Hz.
        let bands = |rng: &mut Rng| Effect::Bands {
            depth: rng.range(0.02, 0.07),
            bands: rng.range(1.5, 3.5),
        };
        let rain = |rng: &mut Rng| Effect::Rain {
            streaks: 30 + rng.below(150),
            seed: rng.bits(),
        };
        match kind {
            Kind::Bands | Kind::InFlicker => vec![bands(rng)],
            Kind::Tremble => vec![Effect::Tremble {
                depth: rng.range(0.01, 0.05),
            }],
            Kind::Rain | Kind::InRain => vec![rain(rng)],
            Kind::Exposure => vec![Effect::Exposure],
            Kind::Dusk | Kind::InDusk => vec![Effect::Dusk],
            Kind::Shake => vec![Effect::Shake {
                pixels: rng.range(0.2, 0.6),
            }],
            Kind::Tree => vec![Effect::Tree {
                rect: [0.0, 0.0, rng.range(0.18, 0.3), rng.range(0.5, 0.8)],
                seed: rng.bits(),
            }],
            Kind::Screen => vec![Effect::Screen {
                rect: [rng.range(0.75, 0.85), 0.1, 0.97, rng.range(0.25, 0.35)],
                seed: rng.bits(),
            }],
            _ => Vec::new(),
        }
    }

    /// Where it moves, if it is in one place.
    pub fn rect(&self) -> Option<Rect> {
        match self {
            Effect::Tree { rect, .. } | Effect::Screen { rect, .. } => Some(*rect),
            _ => None,
        }
    }

    /// Its factor on the brightness of the whole picture.
    pub fn brightness(&self, t: f32, frame: u64) -> f32 {
        match self {
            Effect::Tremble { depth } => 1.0 + depth * (2.0 * unit(frame ^ 0x7ea) - 1.0),
            Effect::Exposure => 1.0 + EXPOSURE_DEPTH * (t * TAU / EXPOSURE_S).sin(),
            Effect::Dusk => 0.5f32.powf(t / DUSK_S),
            _ => 1.0,
        }
    }

    /// Draws what is more than brightness over a developed picture.
    pub fn apply(&self, rgb: &mut Vec<u8>, width: usize, t: f32, frame: u64) {
        let height = rgb.len() / 3 / width;
        match self {
            Effect::Bands { depth, bands } => {
                let phase = unit(frame ^ 0xba5d);
                for (y, row) in rgb.chunks_exact_mut(width * 3).enumerate() {
                    let wave = (TAU * (bands * y as f32 / height as f32 + phase)).sin();
                    let factor = ((1.0 + depth * wave) * 256.0) as u32;
                    for v in row {
                        *v = ((u32::from(*v) * factor) >> 8).min(255) as u8;
                    }
                }
            }
            Effect::Rain { streaks, seed } => rain(rgb, width, height, *streaks, seed ^ mix(frame)),
            Effect::Shake { pixels } => {
                let dx = pixels * (2.0 * unit(frame ^ 0x5a) - 1.0);
                let dy = pixels * (2.0 * unit(frame ^ 0xa5) - 1.0);
                *rgb = shifted(rgb, width, height, dx, dy);
            }
            Effect::Tree { rect, seed } => tree(rgb, width, height, *rect, *seed, t),
            Effect::Screen { rect, seed } => {
                let show = mix(seed ^ (t / 3.0) as u64);
                let [x0, y0, x1, y1] = *rect;
                for y in (y0 * height as f32) as usize..(y1 * height as f32) as usize {
                    for x in (x0 * width as f32) as usize..(x1 * width as f32) as usize {
                        let tile = (x * 6 / width) as u64 * 7 + (y * 9 / height) as u64;
                        let at = (y * width + x) * 3;
                        for k in 0..3 {
                            let ink = mix(show ^ (tile << 3) ^ k as u64) % 200 + 40;
                            // A glass over the picture keeps its noise.
                            rgb[at + k] = ((ink as u32 * 3 + u32::from(rgb[at + k])) / 4) as u8;
                        }
                    }
                }
            }
            Effect::Tremble { .. } | Effect::Exposure | Effect::Dusk => {}
        }
    }
}

fn rain(rgb: &mut [u8], width: usize, height: usize, streaks: usize, seed: u64) {
    let mut rng = Rng::new(seed);
    for _ in 0..streaks {
        let (x, y) = (rng.unit() * width as f32, rng.unit() * height as f32);
        let long = rng.range(0.02, 0.07) * height as f32;
        let slant = rng.range(0.05, 0.15);
        let share = (rng.range(0.1, 0.35) * 256.0) as i32;
        let wide = 1 + usize::from(rng.chance(0.3));
        for step in 0..long as usize {
            let (px, py) = ((x + slant * step as f32) as usize, y as usize + step);
            for px in px..px + wide {
                if px >= width || py >= height {
                    continue;
                }
                let at = (py * width + px) * 3;
                for v in &mut rgb[at..at + 3] {
                    *v = (i32::from(*v) + (((210 - i32::from(*v)) * share) >> 8)) as u8;
                }
            }
        }
    }
}

/// Moved by part of a pixel, bilinear, the edge repeated.
fn shifted(rgb: &[u8], width: usize, height: usize, dx: f32, dy: f32) -> Vec<u8> {
    let axis = |at: usize, by: f32, of: usize| {
        let at = (at as f32 + by).clamp(0.0, of as f32 - 1.0);
        let low = at as usize;
        (low, (low + 1).min(of - 1), at - low as f32)
    };
    let mut out = Vec::with_capacity(rgb.len());
    for y in 0..height {
        let (y0, y1, fy) = axis(y, dy, height);
        for x in 0..width {
            let (x0, x1, fx) = axis(x, dx, width);
            for k in 0..3 {
                let at = |x: usize, y: usize| f32::from(rgb[(y * width + x) * 3 + k]);
                let upper = at(x0, y0) * (1.0 - fx) + at(x1, y0) * fx;
                let lower = at(x0, y1) * (1.0 - fx) + at(x1, y1) * fx;
                out.push((upper * (1.0 - fy) + lower * fy + 0.5) as u8);
            }
        }
    }
    out
}

/// Leaves as blocks of two greens that swing by some pixels.
fn tree(rgb: &mut [u8], width: usize, height: usize, rect: Rect, seed: u64, t: f32) {
    let [x0, y0, x1, y1] = rect;
    let (cx, cy) = ((x0 + x1) / 2.0, (y0 + y1) / 2.0);
    let (rx, ry) = ((x1 - x0) / 2.0, (y1 - y0) / 2.0);
    for y in (y0 * height as f32) as usize..(y1 * height as f32) as usize {
        let v = (y as f32 / height as f32 - cy) / ry;
        let swing = 5.0 * ((t * 1.9).sin() + 0.6 * (t * 3.1 + v * 2.0).sin()) * (1.0 - v) / 2.0;
        for x in (x0 * width as f32) as usize..(x1 * width as f32) as usize {
            let u = (x as f32 / width as f32 - cx) / rx;
            if u * u + v * v > 1.0 {
                continue;
            }
            let leaf = ((x as f32 + swing) / 7.0) as u64 | (((y / 6) as u64) << 20);
            let light = unit(seed ^ leaf);
            // Between the leaves one sees through.
            if light < 0.3 {
                continue;
            }
            let at = (y * width + x) * 3;
            for (k, ink) in [60.0, 100.0, 45.0].into_iter().enumerate() {
                let old = f32::from(rgb[at + k]);
                rgb[at + k] = (0.15 * old + 0.85 * ink * (0.5 + light)).min(255.0) as u8;
            }
        }
    }
}
