//! Whether a picture differs from an earlier one by more than noise and light.

use scene::BBox;

use super::plane::{Cells, Plane};

/// How much is a change. The defaults are measured; see
/// `docs/decisions/0017-the-gate.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sensitivity {
    /// A difference counts from so many standard deviations of the noise, ≥ 1.
    /// 14,400 windows are tested at once, so 5 would open by chance every
    /// hundredth time.
    pub deviations: f32,
    /// … and from so many levels of luma (of 255) over 3 x 3 cells, which is
    /// 0.06 % of the picture.
    pub contrast_small: f32,
    /// … or from so many over 9 x 9 cells, 0.6 % of the picture.
    pub contrast_large: f32,
    /// The whole picture's brightness may change by this factor, up or down,
    /// before that itself is a change; > 1.
    pub light: f32,
    /// A row's brightness may go this share beyond the whole picture's: lamps
    /// on the mains seen through a rolling shutter; ≥ 0.
    pub band: f32,
    /// How far the picture may move between two looks (a mast in the wind),
    /// cells, that is 1/160 of the width: where the picture has an edge, as
    /// much difference as that makes is no change; ≥ 0.
    pub shake: f32,
}

impl Default for Sensitivity {
    fn default() -> Self {
        Self {
            deviations: 6.0,
            contrast_small: 3.0,
            contrast_large: 1.5,
            light: 1.25,
            band: 0.2,
            shake: 0.25,
        }
    }
}

/// Between these a cell follows the light; darker and brighter ones may be
/// clipped in part, and may stay as they were. Levels of 255.
const DARK: f32 = 12.0;
const BRIGHT: f32 = 215.0;

/// The large window reaches so many cells to each side of its middle, …
const LARGE_REACH: usize = 4;
/// … and is tried at every so many cells.
const STEP: usize = 3;

/// A median of nine normal numbers deviates this much more than their mean.
const MEDIAN_PER_MEAN: f32 = 1.22;

/// Standard deviation of a normal distribution by its median absolute
/// deviation.
const DEVIATION_PER_MAD: f32 = 1.4826;

/// The least noise that a cell is believed to have, levels: rounding to whole
/// levels before averaging, and encoders that repeat blocks as they are.
const LEAST_NOISE: f32 = 0.3;

/// The most noise that a typical cell is believed to have, levels: a pixel of
/// 20 at the highest gain, averaged over 4 x 4. What is more is no noise.
const HIGHEST_NOISE: f32 = 5.0;

/// No cell is believed to be noisier than this many times the picture's
/// typical cell, or things that move all day would make the gate blind there.
const MOST_NOISE: f32 = 2.0;

/// How much the newest pair of pictures counts in what is known of the noise.
const LEARN: f32 = 0.1;

/// What is known of the noise of each cell: from pictures that followed one
/// another, whatever was between them.
#[derive(Clone, Debug)]
pub struct Noise {
    size: (usize, usize),
    /// Of a typical cell, levels.
    typical: f32,
    /// Variance of each cell, levels squared.
    variance: Vec<f32>,
}

/// The luma that differs between two pictures once light is reckoned out.
struct Residual {
    /// `now - gain * then`, levels, row by row.
    luma: Vec<f32>,
    /// Brightness of now by that of then, the median of all rows.
    light: f32,
}

fn median(of: &mut [f32]) -> Option<f32> {
    let middle = of.len() / 2;
    (!of.is_empty()).then(|| *of.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// Reckons the light out row by row, by the median of the ratios of its cells:
/// a thing that covers less than half of a row does not move it, and one that
/// covers more makes what is left of the row stand out instead.
fn residual(then: &Plane, now: &Plane, band: f32) -> Residual {
    let (columns, rows) = now.size();
    let mut gains = Vec::with_capacity(rows);
    let mut ratios = Vec::with_capacity(columns);
    let pairs = || (then.luma().chunks_exact(columns)).zip(now.luma().chunks_exact(columns));
    for (then, now) in pairs() {
        ratios.clear();
        let usable = |l: f32| (DARK..BRIGHT).contains(&l);
        let both = then
            .iter()
            .zip(now)
            .filter(|(t, n)| usable(**t) && usable(**n));
        ratios.extend(both.map(|(t, n)| n / t));
        // Too few cells are all of one thing.
        let known = ratios.len() * 4 >= columns;
        gains.push(median(&mut ratios).filter(|_| known));
    }
    let mut known: Vec<f32> = gains.iter().flatten().copied().collect();
    let light = median(&mut known).unwrap_or(1.0);
    let mut luma = Vec::with_capacity(columns * rows);
    for ((then, now), gain) in pairs().zip(gains) {
        let (least, most) = (light * (1.0 - band), light * (1.0 + band));
        let gain = gain.unwrap_or(light).clamp(least, most);
        luma.extend(then.iter().zip(now).map(|(&t, &n)| {
            let expected = t * gain;
            match (DARK..BRIGHT).contains(&t) && (DARK..BRIGHT).contains(&n) {
                true => n - expected,
                false => n - n.clamp(expected.min(t), expected.max(t)),
            }
        }));
    }
    Residual { luma, light }
}

impl Noise {
    /// From the first two pictures. They must have one size.
    pub fn new(then: &Plane, now: &Plane, band: f32) -> Self {
        let found = residual(then, now, band);
        let typical = deviation(&found.luma).clamp(LEAST_NOISE, HIGHEST_NOISE);
        Self {
            size: now.size(),
            typical,
            variance: vec![typical * typical; now.luma().len()],
        }
    }

    /// Learns from two pictures that followed one another. A pair between
    /// which half of the picture changed teaches nothing.
    pub fn learn(&mut self, then: &Plane, now: &Plane, sensitivity: &Sensitivity) {
        if then.size() != self.size || now.size() != self.size {
            return;
        }
        let found = residual(then, now, sensitivity.band);
        let fresh = deviation(&found.luma);
        let same_light = found.light < sensitivity.light && found.light > 1.0 / sensitivity.light;
        if !same_light || fresh > 3.0 * self.typical {
            // Noise may rise for good, as when a camera turns up its gain.
            self.typical = (self.typical * (1.0 + LEARN)).min(HIGHEST_NOISE);
            return;
        }
        // Down at once: the first pictures may have been anything.
        let gain = if fresh < self.typical { 0.5 } else { LEARN };
        self.typical += gain * (fresh - self.typical);
        self.typical = self.typical.clamp(LEAST_NOISE, HIGHEST_NOISE);
        let most = (MOST_NOISE * self.typical).powi(2);
        let least = (0.5 * self.typical).powi(2);
        for (variance, d) in self.variance.iter_mut().zip(&found.luma) {
            // A pair of pictures has twice the noise of one.
            let seen = (d * d / 2.0).min(4.0 * most);
            *variance = (*variance + LEARN * (seen - *variance)).clamp(least, most);
        }
    }

    /// Standard deviation of a typical cell's noise, levels of 255.
    pub fn typical(&self) -> f32 {
        self.typical
    }
}

/// Standard deviation of one picture's noise, of the differences of two.
fn deviation(differences: &[f32]) -> f32 {
    let mut sizes: Vec<f32> = differences.iter().map(|d| d.abs()).collect();
    median(&mut sizes).unwrap_or(0.0) * DEVIATION_PER_MAD / std::f32::consts::SQRT_2
}

/// The variance of the mean of each cell and its neighbours, of which there are
/// fewer at the edge.
fn variances_of_nine(values: &[f32], columns: usize) -> Vec<f32> {
    let rows = values.len() / columns;
    let mut out = Vec::with_capacity(values.len());
    let mut upright = vec![0.0; columns];
    for row in 0..rows {
        let (top, bottom) = (row.saturating_sub(1), (row + 2).min(rows));
        upright.fill(0.0);
        for line in values[top * columns..bottom * columns].chunks_exact(columns) {
            for (sum, v) in upright.iter_mut().zip(line) {
                *sum += v;
            }
        }
        for column in 0..columns {
            let (left, right) = (column.saturating_sub(1), (column + 2).min(columns));
            let count = ((bottom - top) * (right - left)) as f32;
            out.push(upright[left..right].iter().sum::<f32>() / (count * count));
        }
    }
    out
}

/// By how much the luma changes from each cell to the next at most, levels.
fn steepness(luma: &[f32], columns: usize) -> Vec<f32> {
    let mut out = vec![0.0f32; luma.len()];
    let mut pair = |a: usize, b: usize| {
        let step = (luma[a] - luma[b]).abs();
        out[a] = out[a].max(step);
        out[b] = out[b].max(step);
    };
    for at in 0..luma.len() {
        if (at + 1) % columns != 0 {
            pair(at, at + 1);
        }
        if at + columns < luma.len() {
            pair(at, at + columns);
        }
    }
    out
}

/// Cells whose medians are found at once, in wide registers.
const LANES: usize = 16;

/// The median of each cell and its eight neighbours, the edge repeated: rain,
/// snow and shaken edges are thinner than that, things are not.
fn medians(luma: &[f32], columns: usize) -> Vec<f32> {
    let rows = luma.len() / columns;
    // Each line with its ends repeated, and room for the last lanes.
    let wide = columns.next_multiple_of(LANES) + 2;
    let mut padded = Vec::with_capacity(wide * rows);
    for line in luma.chunks_exact(columns) {
        let (first, last) = (line[0], line[columns - 1]);
        padded.push(first);
        padded.extend_from_slice(line);
        padded.resize(padded.len() + wide - columns - 1, last);
    }
    let mut out = Vec::with_capacity(luma.len());
    for row in 0..rows {
        let lines = [row.saturating_sub(1), row, (row + 1).min(rows - 1)]
            .map(|row| &padded[row * wide..(row + 1) * wide]);
        for column in (0..columns).step_by(LANES) {
            let mut nine = [[0.0; LANES]; 9];
            for (k, lanes) in nine.iter_mut().enumerate() {
                let from = column + k % 3;
                lanes.copy_from_slice(&lines[k / 3][from..from + LANES]);
            }
            let found = median_of_nine(nine);
            out.extend_from_slice(&found[..LANES.min(columns - column)]);
        }
    }
    out
}

/// Paeth's network of 19 exchanges (Graphics Gems, 1990).
fn median_of_nine(mut p: [[f32; LANES]; 9]) -> [f32; LANES] {
    #[rustfmt::skip]
    const ORDER: [(usize, usize); 19] = [
        (1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3),
        (5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2),
    ];
    for (a, b) in ORDER {
        let (x, y) = (p[a], p[b]);
        // Comparing makes vector instructions of it; f32::min, which minds NaN, does not.
        p[a] = std::array::from_fn(|lane| if x[lane] < y[lane] { x[lane] } else { y[lane] });
        p[b] = std::array::from_fn(|lane| if x[lane] < y[lane] { y[lane] } else { x[lane] });
    }
    p[4]
}

/// How two pictures differ.
#[derive(Clone, Debug)]
pub struct Difference {
    size: (usize, usize),
    /// By how much the light changed, as a factor.
    light: f32,
    light_changed: bool,
    /// For each cell, the square of the factor by which the windows round it
    /// exceed the threshold; above 1 is a change.
    strength: Vec<f32>,
}

/// Sums over all rectangles that begin at the origin.
struct Integral {
    columns: usize,
    sums: Vec<f64>,
}

impl Integral {
    fn of(values: &[f32], columns: usize) -> Self {
        let wide = columns + 1;
        let mut sums = vec![0.0; wide * (values.len() / columns + 1)];
        for (row, line) in values.chunks_exact(columns).enumerate() {
            let mut run = 0.0;
            for (column, v) in line.iter().enumerate() {
                run += f64::from(*v);
                sums[(row + 1) * wide + column + 1] = sums[row * wide + column + 1] + run;
            }
        }
        Self {
            columns: wide,
            sums,
        }
    }

    fn sum(&self, cells: Cells) -> f64 {
        let at = |column: usize, row: usize| self.sums[row * self.columns + column];
        at(cells.right, cells.bottom) - at(cells.left, cells.bottom) - at(cells.right, cells.top)
            + at(cells.left, cells.top)
    }
}

impl Difference {
    /// Compares two pictures of one size; `None` if their sizes differ.
    pub fn between(
        then: &Plane,
        now: &Plane,
        noise: &Noise,
        sensitivity: &Sensitivity,
    ) -> Option<Self> {
        let size = now.size();
        if then.size() != size || noise.size != size {
            return None;
        }
        let Residual { mut luma, light } = residual(then, now, sensitivity.band);
        let light_changed = !(1.0 / sensitivity.light..=sensitivity.light).contains(&light);
        let (columns, rows) = size;
        for (d, steep) in luma.iter_mut().zip(steepness(then.luma(), columns)) {
            let allowed = steep * sensitivity.shake;
            *d -= d.clamp(-allowed, allowed);
        }
        let calm = medians(&luma, columns);
        // Of both pictures, the earlier one scaled.
        let both = 1.0 + light * light;
        let deviations = (sensitivity.deviations * MEDIAN_PER_MEAN).powi(2) * both;
        let least = sensitivity.contrast_small.powi(2);
        let mut strength: Vec<f32> = (calm.iter())
            .zip(variances_of_nine(&noise.variance, columns))
            .map(|(level, noise)| level * level / (noise * deviations).max(least))
            .collect();
        let least = sensitivity.contrast_large.powi(2);
        let luma = Integral::of(&calm, columns);
        let variance = Integral::of(&noise.variance, columns);
        for row in (1..rows).step_by(STEP) {
            for column in (1..columns).step_by(STEP) {
                let reach = LARGE_REACH;
                let cells = Cells {
                    left: column.saturating_sub(reach),
                    top: row.saturating_sub(reach),
                    right: (column + reach + 1).min(columns),
                    bottom: (row + reach + 1).min(rows),
                };
                let count = ((cells.right - cells.left) * (cells.bottom - cells.top)) as f32;
                let level = luma.sum(cells) as f32 / count;
                let noise = variance.sum(cells) as f32 / (count * count);
                let found = level * level / (noise * deviations).max(least);
                for row in row - 1..(row + STEP - 1).min(rows) {
                    for column in column - 1..(column + STEP - 1).min(columns) {
                        let at = row * columns + column;
                        strength[at] = strength[at].max(found);
                    }
                }
            }
        }
        Some(Self {
            size,
            light,
            light_changed,
            strength,
        })
    }

    /// By what factor the brightness of the whole picture changed.
    pub fn light(&self) -> f32 {
        self.light
    }

    /// Whether something changed in `part` of the picture, or the light did.
    pub fn changed(&self, part: BBox) -> bool {
        self.light_changed || self.strength(part) > 1.0
    }

    /// The greatest difference in `part` of the picture, in thresholds: above
    /// 1 is a change.
    pub fn strength(&self, part: BBox) -> f32 {
        let (columns, _) = self.size;
        let cells = super::plane::cells(self.size, part);
        (cells.top..cells.bottom)
            .flat_map(|row| &self.strength[row * columns + cells.left..row * columns + cells.right])
            .fold(0.0f32, |most, s| most.max(*s))
            .sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_medians_at_every_place() {
        for (columns, rows) in [(1, 1), (2, 3), (16, 2), (17, 5), (40, 9)] {
            let luma: Vec<f32> = (0..columns * rows)
                .map(|n| ((n * 7919 + n * n * 31) % 101) as f32)
                .collect();
            let found = medians(&luma, columns);
            for (at, found) in found.iter().enumerate() {
                let (row, column) = (at / columns, at % columns);
                let mut nine = Vec::new();
                for y in [row.saturating_sub(1), row, (row + 1).min(rows - 1)] {
                    for x in [
                        column.saturating_sub(1),
                        column,
                        (column + 1).min(columns - 1),
                    ] {
                        nine.push(luma[y * columns + x]);
                    }
                }
                nine.sort_by(f32::total_cmp);
                assert_eq!(*found, nine[4], "{columns}x{rows} at {at}");
            }
        }
    }

    #[test]
    fn variances_of_means_count_who_is_there() {
        let found = variances_of_nine(&[9.0; 12], 4);
        assert_eq!((found[0], found[1], found[5]), (9.0 / 4.0, 9.0 / 6.0, 1.0));
        assert_eq!(variances_of_nine(&[4.0], 1), [4.0]);
    }
}
