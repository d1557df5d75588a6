//! What a camera does to a picture: blur, colour, vignette, noise.

use tiny_skia::Pixmap;

use crate::place::Sensor;
use crate::rng::{Rng, mix};

/// Applies a sensor to pictures of one size.
pub struct Developer {
    width: usize,
    height: usize,
    sensor: Sensor,
    /// Value of each level after gamma, gain and cast, times 256, for each colour.
    curves: [Vec<i32>; 3],
    /// Factor x 256 of each pixel.
    vignette: Vec<u16>,
    /// Random numbers of the noise; long and prime, so that rows don't repeat visibly.
    grain: Vec<i16>,
}

const GRAIN: usize = 65_537;

impl Developer {
    pub fn new(sensor: &Sensor, width: u32, height: u32, seed: u64) -> Self {
        let curves = [0, 1, 2].map(|k| {
            (0..256)
                .map(|v| {
                    ((v as f32 / 255.0).powf(sensor.gamma)
                        * sensor.gain
                        * sensor.cast[k]
                        * 255.0
                        * 256.0) as i32
                })
                .collect()
        });
        let (cx, cy) = (width as f32 / 2.0, height as f32 / 2.0);
        let vignette = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| {
                let d2 = (((x as f32 - cx) / cx).powi(2) + ((y as f32 - cy) / cy).powi(2)) / 2.0;
                (256.0 * (1.0 - sensor.vignette * d2)) as u16
            })
            .collect();
        let mut rng = Rng::named(seed, "grain");
        let grain = (0..GRAIN)
            .map(|_| (rng.normal() * sensor.noise * 16.0) as i16)
            .collect();
        Self {
            width: width as usize,
            height: height as usize,
            sensor: *sensor,
            curves,
            vignette,
            grain,
        }
    }

    /// Develops a picture in place; `frame` chooses the noise. `flicker` is a factor on the brightness.
    pub fn develop(&self, pix: &mut Pixmap, frame: u64, flicker: f32) {
        let mut share = self.sensor.blur;
        while share > 0.01 {
            self.soften(pix.data_mut(), (share.min(1.0) * 256.0) as i32);
            share -= 1.0;
        }
        let sat = (self.sensor.saturation * 256.0) as i32;
        let flick = (flicker * 256.0) as i32;
        let salt = mix(frame.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x51);
        let data = pix.data_mut();
        for y in 0..self.height {
            // A new place in the table for every row and frame.
            let mut g = (mix(salt ^ ((y as u64) << 20)) % GRAIN as u64) as usize;
            let row = y * self.width;
            for x in 0..self.width {
                let i = (row + x) * 4;
                let v = (i32::from(self.vignette[row + x]) * flick) >> 8;
                let rgb = [0, 1, 2].map(|k| (self.curves[k][usize::from(data[i + k])] * v) >> 16);
                let luma = (rgb[0] * 77 + rgb[1] * 151 + rgb[2] * 28) >> 8;
                g += 1;
                if g >= GRAIN {
                    g = 0;
                }
                let common = i32::from(self.grain[g]);
                // Shot noise: dark parts have less of it, but never none.
                let common = (common * (160 + luma / 2)) >> 8;
                let chroma = i32::from(self.grain[GRAIN - 1 - g]) >> 2;
                data[i] = ((luma + (((rgb[0] - luma) * sat) >> 8)) + ((common + chroma) >> 4))
                    .clamp(0, 255) as u8;
                data[i + 1] =
                    ((luma + (((rgb[1] - luma) * sat) >> 8)) + (common >> 4)).clamp(0, 255) as u8;
                data[i + 2] = ((luma + (((rgb[2] - luma) * sat) >> 8)) + ((common - chroma) >> 4))
                    .clamp(0, 255) as u8;
            }
        }
    }

    /// A 1-2-1 blur in both directions, mixed in by `share` of 256.
    fn soften(&self, data: &mut [u8], share: i32) {
        let (w, h) = (self.width * 4, self.height);
        if self.width < 3 || h < 3 {
            return;
        }
        let mut above: Vec<u8> = data[..w].to_vec();
        let mut sum = vec![0u16; w];
        for y in 0..h {
            let here: Vec<u8> = data[y * w..(y + 1) * w].to_vec();
            let below = if y + 1 < h { (y + 1) * w } else { y * w };
            for x in 0..w {
                sum[x] = u16::from(above[x]) + 2 * u16::from(here[x]) + u16::from(data[below + x]);
            }
            let row = &mut data[y * w..(y + 1) * w];
            for x in 4..w - 4 {
                let soft =
                    (i32::from(sum[x - 4]) + 2 * i32::from(sum[x]) + i32::from(sum[x + 4])) >> 4;
                let v = i32::from(here[x]);
                row[x] = (v + (((soft - v) * share) >> 8)) as u8;
            }
            above = here;
        }
    }
}
