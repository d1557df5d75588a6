//! The small luma plane that change is looked for on.

use scene::{BBox, Frame};

/// Cells of a plane, about: 160 x 90 of a 16:9 picture.
const CELLS: f64 = 14_400.0;

/// Rec. 601 weights of red, green and blue, which is what a camera's own Y
/// plane is made with.
const WEIGHTS: [f32; 3] = [0.299, 0.587, 0.114];

/// A picture's luma, averaged over square cells of which it has about 14,400
/// whatever its size: at 960x540 a cell is 6 x 6 pixels, and its mean has a
/// sixth of a pixel's noise.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    columns: usize,
    rows: usize,
    /// Levels of 255, row by row.
    luma: Vec<f32>,
}

/// A rectangle of cells; the ends are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cells {
    /// First column.
    pub left: usize,
    /// First row.
    pub top: usize,
    /// After the last column.
    pub right: usize,
    /// After the last row.
    pub bottom: usize,
}

impl Plane {
    /// Averages `frame`.
    pub fn of(frame: &Frame) -> Self {
        let (width, height) = (frame.width as usize, frame.height as usize);
        let side = ((width * height) as f64 / CELLS).sqrt().round().max(1.0) as usize;
        let (columns, rows) = ((width / side).max(1), (height / side).max(1));
        let mut luma = Vec::with_capacity(columns * rows);
        // Rows of pixels are added up first, which compilers turn into wide
        // instructions; 257 rows of 255 fit.
        let mut sums = vec![0u16; width * 3];
        for row in 0..rows {
            let (top, bottom) = (row * height / rows, (row + 1) * height / rows);
            // More rows than that would say nothing new.
            let bottom = bottom.min(top + 256);
            sums.fill(0);
            for y in top..bottom {
                for (sum, &v) in sums.iter_mut().zip(frame.row(y as u32)) {
                    *sum += u16::from(v);
                }
            }
            for column in 0..columns {
                let (left, right) = (column * width / columns, (column + 1) * width / columns);
                let mut rgb = [0u32; 3];
                for pixel in sums[left * 3..right * 3].chunks_exact(3) {
                    rgb[0] += u32::from(pixel[0]);
                    rgb[1] += u32::from(pixel[1]);
                    rgb[2] += u32::from(pixel[2]);
                }
                let pixels = ((right - left) * (bottom - top)) as f32;
                let sum: f32 = rgb.iter().zip(WEIGHTS).map(|(&v, w)| v as f32 * w).sum();
                luma.push(sum / pixels);
            }
        }
        Self {
            columns,
            rows,
            luma,
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// Luma of all cells, levels of 255, row by row.
    pub fn luma(&self) -> &[f32] {
        &self.luma
    }
}

/// The cells of a plane of `size` that `part` of the picture touches; at least
/// one.
pub(super) fn cells((columns, rows): (usize, usize), part: BBox) -> Cells {
    let part = part.clamped();
    let span = |low: f32, size: f32, of: usize| {
        let first = ((low * of as f32).floor() as usize).min(of - 1);
        let last = (((low + size) * of as f32).ceil() as usize).clamp(first + 1, of);
        (first, last)
    };
    let (left, right) = span(part.x, part.w, columns);
    let (top, bottom) = span(part.y, part.h, rows);
    Cells {
        left,
        top,
        right,
        bottom,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32, of: impl Fn(u32, u32) -> u8) -> Frame {
        let rgb = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| [of(x, y); 3])
            .collect();
        Frame::still(rgb, width, height).unwrap()
    }

    #[test]
    fn every_size_has_about_as_many_cells() {
        for (size, cells) in [
            ((960, 540), (160, 90)),
            ((640, 360), (160, 90)),
            ((1920, 1080), (160, 90)),
            ((540, 960), (90, 160)),
            ((641, 363), (160, 90)),
            ((50, 40), (50, 40)),
            ((1, 1), (1, 1)),
            ((4096, 1), (4096, 1)),
        ] {
            let plane = Plane::of(&grey(size.0, size.1, |_, _| 77));
            assert_eq!(plane.size(), cells, "{size:?}");
            assert!(plane.luma().iter().all(|l| (l - 77.0).abs() < 1e-3));
        }
    }

    #[test]
    fn cells_are_means_and_no_pixel_is_left_out() {
        let plane = Plane::of(&grey(640, 360, |x, y| ((x * 3 + y * 5) % 256) as u8));
        let mean = plane.luma().iter().sum::<f32>() / 14_400.0;
        let sum: u64 = (0..360)
            .flat_map(|y| (0..640).map(move |x| u64::from(((x * 3 + y * 5) % 256) as u8)))
            .sum();
        assert!((mean - sum as f32 / (640.0 * 360.0)).abs() < 0.01);
        let green = Frame::still([0, 255, 0].repeat(16 * 9), 16, 9).unwrap();
        assert!((Plane::of(&green).luma()[0] - 149.685).abs() < 0.01);
    }

    #[test]
    fn parts_become_cells() {
        let plane = Plane::of(&grey(640, 360, |_, _| 0));
        let part = BBox {
            x: 0.5,
            y: 0.5,
            w: 0.251,
            h: 0.0,
        };
        let at = cells(plane.size(), part);
        assert_eq!((at.left, at.right, at.top, at.bottom), (80, 121, 45, 46));
        let beyond = BBox {
            x: 0.999,
            y: -2.0,
            w: 9.0,
            h: 9.0,
        };
        let at = cells(plane.size(), beyond);
        assert_eq!((at.left, at.right, at.top, at.bottom), (159, 160, 0, 90));
    }
}
