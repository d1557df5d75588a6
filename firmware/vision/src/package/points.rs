//! At what a package can be run: which operating points there are, and what
//! answers are worth at each.

use scene::{OperatingPoint, Quantity};

use super::{ImageProcessor, Package, PointSpec};

/// Points that are offered at most. A governor's choice gets no better with
/// more, and each is measured when a board is calibrated.
const MOST_POINTS: usize = 12;

/// The power of a picture's share of numbers with which accuracy above chance
/// fades, where nobody measured it: what scout's does, within 0.01, from 256 to
/// 128 pixels (`models/scout/README.md`).
const FADING: f64 = 0.15;

/// A size of tiles, and how many a picture has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Side of a tile, pixels.
    pub resolution: u32,
    /// The whole picture included, ≥ 1.
    pub tiles: u32,
}

impl Cut {
    pub fn of(point: &OperatingPoint) -> Self {
        Self {
            resolution: point.resolution,
            tiles: point.tiles,
        }
    }
}

impl ImageProcessor {
    /// How it cuts pictures as the package has it.
    pub(crate) fn own_cut(&self) -> Cut {
        let tiles = self.largest_grid().tiles();
        Cut {
            resolution: self.tile,
            tiles: u32::try_from(tiles).unwrap_or(u32::MAX),
        }
    }

    /// The processor that cuts as `cut` says. Fewer tiles come of a shorter
    /// longest edge: a square of `k` x `k` tiles and the whole picture, as the
    /// reference cuts a picture of that size. One tile is the whole picture,
    /// after the same first resize as ever.
    pub(crate) fn cut_as(&self, cut: Cut) -> Self {
        let across = cut.tiles.saturating_sub(1).isqrt();
        let split = self.split && across > 1;
        Self {
            tile: cut.resolution,
            longest_edge: match cut == self.own_cut() || !split {
                true => self.longest_edge,
                false => Some(across * cut.resolution),
            },
            split: split || (self.split && cut == self.own_cut()),
            ..self.clone()
        }
    }
}

impl Package {
    /// From the dearest to the cheapest: all tiles of the package's own size,
    /// then half as many across, and so on to one; then one tile of smaller
    /// sizes. `free` is whether the vision graph leaves a tile's size open. A
    /// package that lists sizes has those; one that does not, three quarters
    /// and half of its own, in steps that its patches allow.
    fn cuts(&self, variant: &str, free: bool) -> Vec<Cut> {
        let Some(processor) = &self.processor else {
            return Vec::new();
        };
        let own = processor.own_cut();
        let mut cuts = vec![own];
        let mut across = own.tiles.saturating_sub(1).isqrt();
        while across > 1 {
            across = across.div_ceil(2);
            let tiles = if across > 1 { across * across + 1 } else { 1 };
            cuts.push(Cut { tiles, ..own });
        }
        if !free {
            return cuts;
        }
        let mut sizes: Vec<u32> = match self.manifest.points.is_empty() {
            false => self.sizes_told_of(variant),
            true => {
                let step = self.config.as_ref().and_then(|c| c.tile_step);
                let steps = |side: u32| step.map_or(0, |step| side / step.max(1) * step.max(1));
                vec![steps(own.resolution / 4 * 3), steps(own.resolution / 2)]
            }
        };
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        sizes.dedup();
        let smaller = sizes.iter().filter(|s| (1..own.resolution).contains(*s));
        cuts.extend(smaller.map(|&resolution| Cut {
            resolution,
            tiles: 1,
        }));
        cuts
    }

    fn sizes_told_of(&self, variant: &str) -> Vec<u32> {
        let about = |p: &&PointSpec| p.variant.as_ref().is_none_or(|v| v == variant);
        let told = self.manifest.points.iter().filter(about);
        told.map(|p| p.resolution).collect()
    }

    /// The sizes that `model.toml` lists for the chosen variant.
    pub(crate) fn told_sizes(&self) -> Vec<u32> {
        self.sizes_told_of(&self.variant)
    }

    /// The variants whose graphs are all there, the chosen one first. A
    /// download often has some of those that its manifest names.
    fn variants_there(&self) -> Vec<&str> {
        let there = |name: &&String| {
            let graphs = self.manifest.variants[*name].graphs(self.manifest.kind);
            let is_there = |file: &str| self.folder.join(file).is_file();
            let mut files = graphs.iter().map(|(_, entry)| entry.map(|e| &e.file));
            files.all(|file| file.is_some_and(|file| is_there(file)))
        };
        let others = self.manifest.variants.keys().filter(there);
        let others = others.map(String::as_str).filter(|v| *v != self.variant);
        std::iter::once(self.variant.as_str())
            .chain(others)
            .collect()
    }

    /// The operating points of a package that was opened for `threads`
    /// threads, its own first; at most 12. Where there would be more, those of
    /// the chosen variant come before those of others, and of these the dearer.
    /// Fewer threads than `threads` are one: what the decoder has anyway, and
    /// what takes the fewest joules.
    pub(crate) fn points(&self, free: bool, threads: u32) -> Vec<OperatingPoint> {
        let variants = self.variants_there();
        let fewer = (threads > 1).then_some(1);
        let point = |variant: &str, cut: Cut, threads: u32| OperatingPoint {
            variant: variant.to_owned(),
            resolution: cut.resolution,
            tiles: cut.tiles,
            threads,
            cap_mhz: None,
        };
        let mut points = Vec::new();
        for (at, variant) in variants.into_iter().enumerate() {
            let cuts = self.cuts(variant, free);
            for threads in std::iter::once(threads).chain(fewer) {
                // Of other variants one number of threads says enough: the
                // other one costs as it does for the chosen variant.
                if at > 0 && Some(threads) == fewer {
                    continue;
                }
                points.extend(cuts.iter().map(|&cut| point(variant, cut, threads)));
            }
        }
        points.truncate(MOST_POINTS);
        points
    }

    /// Whether it cuts pictures so without being told.
    pub(crate) fn has_as_own(&self, cut: Cut) -> bool {
        (self.processor.as_ref()).is_none_or(|processor| processor.own_cut() == cut)
    }

    /// Who answers at a `point` that is not its own.
    pub(crate) fn name_at(&self, point: &OperatingPoint) -> String {
        format!("{}/{}/{point}", self.manifest.id, self.manifest.version)
    }

    /// The sizes of the chosen variant's graphs, bytes.
    pub(crate) fn graph_bytes(&self) -> u64 {
        let files = self.graphs().into_iter().map(|(_, entry)| entry.file);
        files
            .map(|file| self.folder.join(file).metadata().map_or(0, |m| m.len()))
            .sum()
    }

    /// The mean balanced accuracy of answers at `point`, 0..1: measured where
    /// the manifest tells it. Else it is modelled: 1 at the package's own
    /// setting, and below it towards chance with [`FADING`].
    pub(crate) fn accuracy(&self, point: &OperatingPoint) -> Quantity<f64> {
        let fits = |told: &&PointSpec| {
            told.resolution == point.resolution
                && told.variant.as_ref().is_none_or(|v| *v == point.variant)
                && told.tiles.is_none_or(|tiles| tiles == point.tiles)
        };
        // What is told more closely counts.
        let told = self.manifest.points.iter().filter(fits);
        let closest = told.max_by_key(|p| (p.variant.is_some(), p.tiles.is_some()));
        if let Some(told) = closest {
            return Quantity::measured(told.accuracy);
        }
        let own = self.processor.as_ref().map(ImageProcessor::own_cut);
        let numbers = |cut: Cut| f64::from(cut.resolution).powi(2) * f64::from(cut.tiles);
        let share = own.map_or(1.0, |own| numbers(Cut::of(point)) / numbers(own));
        Quantity::modelled(0.5 + 0.5 * share.clamp(0.0, 1.0).powf(FADING))
    }
}
