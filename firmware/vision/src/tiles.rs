//! A picture as the tiles that a VLM's vision graph wants.
//!
//! The steps and their rounding are those of the reference image processor
//! (`Idefics3ImageProcessorPil` of transformers): resize so that the longest
//! edge is `size.longest_edge` with the aspect kept; then either squash the
//! whole picture to one square tile, or, with image splitting, stretch both
//! sides up to multiples of the tile, cut rows x columns of tiles, and squash
//! what was cut to one more tile. Every resize rounds to 8 bits, as Pillow's do.
//!
//! A tile of one picture is never padded, so every pixel of the reference's
//! `pixel_attention_mask` is 1.

use std::borrow::Cow;

use crate::package::ImageProcessor;
use crate::picture::{Picture, planes_of};
use crate::resample;

/// How a picture is cut: `rows` x `columns` tiles, row by row, and after them
/// the whole picture as one more. 0 x 0 is the whole picture alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grid {
    /// Tiles down.
    pub rows: u32,
    /// Tiles across.
    pub columns: u32,
}

impl Grid {
    /// The whole picture as one tile.
    pub const WHOLE: Self = Self {
        rows: 0,
        columns: 0,
    };

    /// All tiles, the whole picture included; at least 1.
    pub fn tiles(self) -> usize {
        self.rows as usize * self.columns as usize + 1
    }
}

/// The tiles of one picture, 8 bits a channel; each becomes a tensor when it is
/// asked for, so that only one is held as numbers of 32 bits.
#[derive(Debug)]
pub(crate) struct Tiles<'p> {
    grid: Grid,
    side: usize,
    /// `grid.rows` x `grid.columns` tiles, interleaved, as one picture; empty for `WHOLE`.
    cut: Cow<'p, [u8]>,
    whole: Cow<'p, [u8]>,
    /// Byte to number, a channel each.
    levels: [[f32; 256]; 3],
}

impl<'p> Tiles<'p> {
    pub fn of(picture: Picture<'p>, to: &ImageProcessor) -> Self {
        let side = to.tile as usize;
        let first = match to.longest_edge {
            Some(longest) => keep_aspect(picture.width, picture.height, longest),
            None => (picture.width, picture.height),
        };
        let picture = resized(picture, first, to);
        let square = (to.tile, to.tile);
        // As the reference rounds: scaled in f64, then f32 throughout.
        let level = |c: usize, v: usize| ((v as f64 * to.rescale) as f32 - to.mean[c]) / to.std[c];
        let levels = std::array::from_fn(|c| std::array::from_fn(|v| level(c, v)));
        let alone = |whole: Picture<'p>| Self {
            grid: Grid::WHOLE,
            side,
            cut: Cow::Borrowed(&[]),
            whole: whole.rgb,
            levels,
        };
        if !to.split {
            return alone(resized(picture, square, to));
        }
        let fit = whole_tiles(first.0, first.1, to.tile);
        let picture = resized(picture, fit, to);
        if fit == square {
            return alone(picture);
        }
        let whole = resample::resize(&picture.rgb, size(fit), (side, side), to.filter);
        Self {
            grid: Grid {
                rows: fit.1 / to.tile,
                columns: fit.0 / to.tile,
            },
            side,
            cut: picture.rgb,
            whole: Cow::Owned(whole),
            levels,
        }
    }

    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// The tiles in the reference's order, each f32, channels first,
    /// `3 * side * side` numbers.
    pub fn tensors(&self) -> impl Iterator<Item = Vec<f32>> {
        let columns = self.grid.columns as usize;
        let cut = (0..self.grid.tiles() - 1).map(move |index| {
            let (row, column) = (index / columns, index % columns);
            let bytes = self.side * 3;
            let lines = (0..self.side).map(|y| {
                let start = ((row * self.side + y) * columns + column) * bytes;
                &self.cut[start..start + bytes]
            });
            let tile: Vec<u8> = lines.flatten().copied().collect();
            planes_of(&tile, &self.levels)
        });
        cut.chain(std::iter::once_with(|| {
            planes_of(&self.whole, &self.levels)
        }))
    }
}

fn size((width, height): (u32, u32)) -> (usize, usize) {
    (width as usize, height as usize)
}

fn resized<'p>(picture: Picture<'p>, into: (u32, u32), to: &ImageProcessor) -> Picture<'p> {
    let from = (picture.width, picture.height);
    let rgb = match from == into {
        true => picture.rgb,
        false => Cow::Owned(resample::resize(
            &picture.rgb,
            size(from),
            size(into),
            to.filter,
        )),
    };
    Picture {
        width: into.0,
        height: into.1,
        rgb,
    }
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

/// Both edges as multiples of `tile`: the longer one rounded up; the other one
/// follows by the aspect, rounded down to a pixel and then up to a tile.
fn whole_tiles(width: u32, height: u32, tile: u32) -> (u32, u32) {
    let aspect = width as f64 / height as f64;
    let up = |v: u32| v.div_ceil(tile).max(1) * tile;
    match width >= height {
        true => {
            let width = up(width);
            (width, up((width as f64 / aspect) as u32))
        }
        false => {
            let height = up(height);
            (up((height as f64 * aspect) as u32), height)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Filter;

    #[test]
    fn edges_follow_the_reference() {
        // Worked by hand from the reference's formula.
        assert_eq!(keep_aspect(160, 90, 256), (256, 144));
        assert_eq!(keep_aspect(37, 53, 256), (178, 256));
        assert_eq!(keep_aspect(1, 1, 64), (64, 64));
        assert_eq!(keep_aspect(1000, 1, 64), (64, 1));
        assert_eq!(keep_aspect(9, 9, 151), (151, 152));
        assert_eq!(whole_tiles(256, 144, 64), (256, 192));
        assert_eq!(whole_tiles(178, 256, 64), (192, 256));
        assert_eq!(whole_tiles(150, 84, 64), (192, 128));
        assert_eq!(whole_tiles(64, 1, 64), (64, 64));
    }

    #[test]
    fn tiles_are_cut_row_by_row_and_the_whole_comes_last() {
        // 4 x 2 pixels of their own colours, tiles of 1.
        let rgb: Vec<u8> = (0..8).flat_map(|v| [v, 100 + v, 200 + v]).collect();
        let picture = Picture {
            width: 4,
            height: 2,
            rgb: Cow::Borrowed(&rgb),
        };
        let to = ImageProcessor {
            tile: 1,
            longest_edge: Some(4),
            do_image_splitting: true,
            split: true,
            filter: Filter::Bilinear,
            rescale: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
        };
        let tiles = Tiles::of(picture, &to);
        let grid = Grid {
            rows: 2,
            columns: 4,
        };
        assert_eq!(tiles.grid(), grid);
        assert!(matches!(tiles.cut, Cow::Borrowed(_)), "no copy was needed");
        let all: Vec<_> = tiles.tensors().collect();
        assert_eq!(all.len(), 9);
        for (v, tile) in all[..8].iter().enumerate() {
            let v = v as f32;
            assert_eq!(tile[..], [v, 100.0 + v, 200.0 + v]);
        }
        assert!((all[8][0] - 3.5).abs() <= 0.5);
    }
}
