//! Numbers to boxes.

use scene::{BBox, Detection};

use crate::package::DetectorSpec;

/// A box before calibration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Raw {
    pub class: usize,
    /// 0..1 as the graph gives it.
    pub score: f32,
    pub bbox: BBox,
}

/// The strides of YOLOX's three grids (arXiv 2107.08430), input pixels a cell.
const STRIDES: [u32; 3] = [8, 16, 32];

/// How many rows a YOLOX graph gives for an input of `width` x `height`.
pub(super) fn yolox_cells(width: u32, height: u32) -> usize {
    let cells = |stride| (width / stride) as usize * (height / stride) as usize;
    STRIDES.into_iter().map(cells).sum()
}

/// Decodes YOLOX rows `dx, dy, ln w, ln h, objectness, classes...`, cell by
/// cell, row by row, grid by grid. `whole` is the size of the frame in input
/// pixels; boxes come out as 0..1 of the frame. Each cell gives its best class.
pub(super) fn yolox_rows(
    numbers: &[f32],
    row: usize,
    (width, height): (u32, u32),
    whole: (f32, f32),
) -> Vec<Raw> {
    // Cheaper than calibrating thousands of cells of background; far below any
    // useful threshold.
    const BACKGROUND: f32 = 0.01;
    let cells = STRIDES.into_iter().flat_map(|stride| {
        let (across, down) = (width / stride, height / stride);
        (0..down).flat_map(move |y| (0..across).map(move |x| (x as f32, y as f32, stride as f32)))
    });
    let decode = |((x, y, stride), of): ((f32, f32, f32), &[f32])| {
        let (class, chance) =
            (of[5..].iter().copied().enumerate()).fold((0, f32::NEG_INFINITY), |best, (i, p)| {
                if p > best.1 { (i, p) } else { best }
            });
        let score = of[4] * chance;
        // Also false for NaN.
        let seen = score >= BACKGROUND;
        let (w, h) = (of[2].exp() * stride, of[3].exp() * stride);
        let bbox = BBox {
            x: ((of[0] + x) * stride - w / 2.0) / whole.0,
            y: ((of[1] + y) * stride - h / 2.0) / whole.1,
            w: w / whole.0,
            h: h / whole.1,
        };
        seen.then_some(Raw { class, score, bbox })
    };
    cells
        .zip(numbers.chunks_exact(row))
        .filter_map(decode)
        .collect()
}

/// Rows `x, y, w, h, score, class` in 0..1 of the graph's input, of which the
/// frame covers the top left `1 / grow`.
pub(super) fn centre_rows(rows: &[[f32; 6]], grow: (f32, f32)) -> Vec<Raw> {
    let decode = |&[x, y, w, h, score, class]: &[f32; 6]| {
        let valid = score > 0.0 && class >= 0.0 && class.is_finite();
        valid.then_some(Raw {
            class: class.round() as usize,
            score,
            bbox: BBox {
                x: x * grow.0,
                y: y * grow.1,
                w: w * grow.0,
                h: h * grow.1,
            },
        })
    };
    rows.iter().filter_map(decode).collect()
}

/// Calibrates scores, drops what is below its class's threshold, and cuts
/// boxes at the frame's edge. What is not a number or not a class is dropped.
pub(crate) fn calibrated(spec: &DetectorSpec, raw: Vec<Raw>) -> Vec<Detection> {
    let classes: Vec<_> = spec.classes.iter().map(|c| spec.calibration(c)).collect();
    let keep = |raw: Raw| {
        let (name, c) = (spec.classes.get(raw.class)?, classes.get(raw.class)?);
        let p = raw.score.clamp(1e-6, 1.0 - 1e-6);
        let logit = (p / (1.0 - p)).ln() / c.temperature + c.bias;
        let score = 1.0 / (1.0 + (-logit).exp());
        let bbox = raw.bbox.clamped();
        let good = score >= c.threshold && bbox.area() > 0.0;
        good.then(|| Detection {
            class: name.clone(),
            score,
            bbox,
        })
    };
    raw.into_iter().filter_map(keep).collect()
}

/// Greedy non-maximum suppression within each class: best first, dropping what
/// overlaps a better one by more than `iou`.
pub(super) fn suppress(mut found: Vec<Detection>, iou: f32, at_most: usize) -> Vec<Detection> {
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for next in found {
        if kept.len() == at_most {
            break;
        }
        let hidden = |k: &Detection| k.class == next.class && k.bbox.iou(&next.bbox) > iou;
        if !kept.iter().any(hidden) {
            kept.push(next);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(extra: &str) -> DetectorSpec {
        let text = format!("decode = \"yolox\"\nclasses = [\"person\", \"car\"]\n{extra}");
        toml::from_str(&text).unwrap()
    }

    fn near(a: BBox, b: [f32; 4]) -> bool {
        let a = [a.x, a.y, a.w, a.h];
        a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
    }

    #[test]
    fn yolox_cells_become_boxes() {
        assert_eq!(yolox_cells(416, 416), 3549);
        let (side, row) = (64, 7);
        let cells = yolox_cells(side, side);
        assert_eq!(cells, 64 + 16 + 4);
        let mut numbers = vec![0.0f32; cells * row];
        // Stride 16, column 2, row 1: centre (2.5, 1.25) x 16 = (40, 20), 32 x 16.
        let at = (64 + 4 + 2) * row;
        numbers[at..at + row].copy_from_slice(&[0.5, 0.25, 2f32.ln(), 0.0, 0.9, 0.1, 0.8]);
        let raw = yolox_rows(&numbers, row, (side, side), (64.0, 32.0));
        assert_eq!(raw.len(), 1);
        assert_eq!(raw[0].class, 1);
        assert!((raw[0].score - 0.72).abs() < 1e-6);
        assert!(
            near(raw[0].bbox, [24.0 / 64.0, 12.0 / 32.0, 0.5, 0.5]),
            "{raw:?}"
        );
    }

    #[test]
    fn numbers_that_are_none_see_nothing() {
        let raw = yolox_rows(&[f32::NAN; 84 * 7], 7, (64, 64), (64.0, 64.0));
        assert!(raw.is_empty());
        let rows = [
            [f32::NAN; 6],
            [0.1, 0.1, f32::NAN, 0.2, 0.9, 0.0],
            [0.1, 0.1, 0.2, 0.2, 0.9, 7.0],
        ];
        assert!(calibrated(&spec(""), centre_rows(&rows, (1.0, 1.0))).is_empty());
    }

    #[test]
    fn centre_rows_undo_the_letterbox() {
        let raw = centre_rows(&[[0.1, 0.1, 0.2, 0.2, 0.9, 1.0], [0.0; 6]], (1.0, 2.0));
        assert_eq!(raw.len(), 1);
        assert!(near(raw[0].bbox, [0.1, 0.2, 0.2, 0.4]));
    }

    #[test]
    fn calibration_moves_scores_and_thresholds_cut() {
        let bbox = BBox {
            x: 0.9,
            y: 0.0,
            w: 0.3,
            h: 0.5,
        };
        let raw = |class, score| Raw { class, score, bbox };
        let plain = calibrated(&spec(""), vec![raw(0, 0.5), raw(1, 0.2)]);
        assert_eq!(plain.len(), 1);
        assert!((plain[0].score - 0.5).abs() < 1e-6);
        assert!(near(plain[0].bbox, [0.9, 0.0, 0.1, 0.5]), "cut at the edge");
        let own = spec("[per_class.car]\nbias = 2.0\nthreshold = 0.6");
        let moved = calibrated(&own, vec![raw(1, 0.2)]);
        // logit(0.2) + 2 = 0.6137
        assert!((moved[0].score - 0.64878).abs() < 1e-4, "{moved:?}");
    }

    #[test]
    fn overlap_is_suppressed_within_a_class() {
        let d = |class: &str, score, x| Detection {
            class: class.into(),
            score,
            bbox: BBox {
                x,
                y: 0.0,
                w: 0.2,
                h: 0.2,
            },
        };
        let found = vec![
            d("car", 0.5, 0.01),
            d("car", 0.9, 0.0),
            d("bus", 0.4, 0.0),
            d("car", 0.3, 0.5),
        ];
        let kept = suppress(found, 0.45, 10);
        let scores: Vec<_> = kept.iter().map(|k| k.score).collect();
        assert_eq!(scores, [0.9, 0.4, 0.3]);
    }
}
