//! Which detection is which track.

use scene::{BBox, Detection, Mono};

use crate::Config;
use crate::assign::assign;
use crate::follow::Followed;

/// Detections looked at in one update; the best by score.
const MOST_DETECTIONS: usize = 256;

/// Overlap (IoU) from which boxes of akin but different classes are one thing
/// seen twice.
const TWICE: f32 = 0.6;

/// Squared standard deviations beyond which a pair is refused: three of them.
const GATE: f32 = 9.0;
/// Standard deviation of a detected place, in lengths (diagonals) of the box.
const JITTER: f32 = 0.15;
/// The widest standard deviation of a place, in lengths.
const WIDEST: f32 = 0.8;
/// What it costs to have stopped, in squared standard deviations.
const STOPS: f32 = 2.0;
/// Standard deviation of a box's height, as a natural logarithm.
const HEIGHT: f32 = 0.2;
/// Makes any overlap worth less than a pair within the gate.
const LAST_RESORT: f32 = 0.01;

/// A box with a coordinate farther out than this, in widths or heights of the
/// picture, is nonsense.
const FAR_OUT: f32 = 4.0;
/// … and so is one that is smaller than this.
const TINY: f32 = 1e-4;

/// Whether a box has numbers that make sense and lies in the picture, at least
/// in part.
fn plausible(b: &BBox) -> bool {
    let near = |v: f32| v.abs() <= FAR_OUT; // false for NaN
    let sized = |v: f32| (TINY..=FAR_OUT).contains(&v);
    near(b.x)
        && near(b.y)
        && sized(b.w)
        && sized(b.h)
        && b.x < 1.0
        && b.y < 1.0
        && b.x + b.w > 0.0
        && b.y + b.h > 0.0
}

/// Length of the box's diagonal and distance of centres, both in picture
/// heights.
fn distance(a: &BBox, b: &BBox, aspect: f32) -> (f32, f32) {
    let (p, q) = (a.centre(), b.centre());
    let apart = ((p.x - q.x) * aspect).hypot(p.y - q.y);
    let long = |b: &BBox| (b.w * aspect).hypot(b.h);
    (apart, (long(a) + long(b)) / 2.0)
}

/// The detections worth looking at, best first: with numbers that make sense,
/// not too weak, and a thing that was detected as two akin classes once.
pub(crate) fn sensible<'a>(config: &Config, detections: &'a [Detection]) -> Vec<&'a Detection> {
    let mut good: Vec<&Detection> = (detections.iter())
        .filter(|d| plausible(&d.bbox) && d.score.is_finite() && d.score >= config.weak)
        .collect();
    // By all that can differ, so that the detector's order does not matter.
    good.sort_by(|a, b| {
        let (p, q) = (&a.bbox, &b.bbox);
        (b.score.total_cmp(&a.score))
            .then_with(|| p.x.total_cmp(&q.x))
            .then_with(|| p.y.total_cmp(&q.y))
            .then_with(|| p.w.total_cmp(&q.w))
            .then_with(|| p.h.total_cmp(&q.h))
            .then_with(|| a.class.cmp(&b.class))
    });
    good.truncate(MOST_DETECTIONS);
    let mut kept: Vec<&Detection> = Vec::with_capacity(good.len());
    for d in good {
        let twice = kept.iter().any(|k| {
            k.class != d.class && config.akin(&k.class, &d.class) && k.bbox.iou(&d.bbox) > TWICE
        });
        if !twice {
            kept.push(d);
        }
    }
    kept
}

/// How far detection `seen` is from where `track` should be, in squared standard
/// deviations (the Mahalanobis distance of SORT's successors, with a spread
/// that grows with the time unseen).
fn far(config: &Config, track: &Followed, seen: &BBox, at: Mono) -> f32 {
    let unseen = at.since(track.seen).as_secs_f32();
    let (moved, long) = distance(&track.predicted, seen, config.aspect);
    let (stayed, _) = distance(&track.bbox, seen, config.aspect);
    let spread = long * (JITTER + config.reach * unseen).min(WIDEST);
    // Where it should be by its speed, or where it was: a thing that stopped
    // is found as well as one that walked on. Slightly less for the second,
    // so that things that cross keep their ways.
    let place = (moved / spread)
        .powi(2)
        .min((stayed / spread).powi(2) + STOPS);
    // People at other depths have other heights; widths change with each step.
    let size = |a: f32, b: f32, spread: f32| ((a / b).ln() / spread).powi(2);
    place + size(track.bbox.h, seen.h, HEIGHT) + size(track.bbox.w, seen.w, 2.0 * HEIGHT)
}

/// Pairs of track and detection, by index.
pub(crate) fn associate(
    config: &Config,
    all: &[Followed],
    detections: &[&Detection],
    at: Mono,
) -> Vec<(usize, usize)> {
    let akin = |t: usize, d: usize| config.akin(&all[t].class, &detections[d].class);
    let overlap = |t: usize, d: usize| {
        let seen = &detections[d].bbox;
        let iou = all[t].predicted.iou(seen).max(all[t].bbox.iou(seen));
        Some(iou).filter(|iou| akin(t, d) && *iou >= config.overlap)
    };
    let merit = |t: usize, d: usize| {
        if config.reach == 0.0 {
            return overlap(t, d);
        }
        if !akin(t, d) {
            return None;
        }
        let far = far(config, &all[t], &detections[d].bbox, at);
        if far < GATE {
            return Some(1.0 - far / GATE);
        }
        // A box that is strange but lies over the old one: if nobody else has
        // a claim to it.
        overlap(t, d).map(|iou| iou * LAST_RESORT)
    };

    let tracks: Vec<usize> = (0..all.len()).collect();
    let (sure, weak): (Vec<usize>, Vec<usize>) =
        (0..detections.len()).partition(|&d| detections[d].score >= config.sure);
    let pair = |tracks: &[usize], seen: &[usize], merit: &dyn Fn(usize, usize) -> Option<f32>| {
        let pairs = assign(config.assignment, tracks.len(), seen.len(), |t, d| {
            merit(tracks[t], seen[d])
        });
        let pairs = pairs.into_iter().map(|(t, d)| (tracks[t], seen[d]));
        pairs.collect::<Vec<_>>()
    };

    let mut out = pair(&tracks, &sure, &merit);
    let rest: Vec<usize> = (tracks.into_iter())
        .filter(|&t| all[t].believed && out.iter().all(|(o, _)| *o != t))
        .collect();
    out.extend(pair(&rest, &weak, &overlap));
    out
}
