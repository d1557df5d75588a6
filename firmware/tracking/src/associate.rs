//! Which detection is which track.

use scene::{BBox, Detection};

use crate::Config;
use crate::follow::Followed;

/// Detections looked at in one update; the best by score.
const MOST_DETECTIONS: usize = 256;

/// Overlap (IoU) from which boxes of akin but different classes are one thing
/// seen twice.
const TWICE: f32 = 0.6;

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
        .filter(|d| {
            let b = &d.bbox;
            let finite = [b.x, b.y, b.w, b.h, d.score].iter().all(|v| v.is_finite());
            finite && b.w > 0.0 && b.h > 0.0 && d.score >= config.weak
        })
        .collect();
    // Stable, so that equals stay in the detector's order.
    good.sort_by(|a, b| b.score.total_cmp(&a.score));
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

/// Matches `tracks` (indices into `all`) with `seen` (indices into
/// `detections`), best pair first, each once. `merit` gives a pair's worth or
/// refuses it. Greedy in place of the Hungarian method: the same result unless
/// three boxes overlap each other, and it can't be upset by a far pair.
fn greedy(
    tracks: &[usize],
    seen: &[usize],
    merit: impl Fn(usize, usize) -> Option<f32>,
) -> Vec<(usize, usize)> {
    let mut pairs: Vec<(f32, usize, usize)> = Vec::new();
    for &t in tracks {
        pairs.extend(seen.iter().filter_map(|&d| Some((merit(t, d)?, t, d))));
    }
    // Ties go to the older track and the better detection.
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut out: Vec<(usize, usize)> = Vec::new();
    for (_, t, d) in pairs {
        if out.iter().all(|(ot, od)| *ot != t && *od != d) {
            out.push((t, d));
        }
    }
    out
}

/// Pairs of track and detection, by index. `dt` seconds passed since the last
/// look.
pub(crate) fn associate(
    config: &Config,
    all: &[Followed],
    detections: &[&Detection],
    dt: f32,
) -> Vec<(usize, usize)> {
    let akin = |t: usize, d: usize| config.akin(&all[t].class, &detections[d].class);
    let overlap = |t: usize, d: usize| {
        if !akin(t, d) {
            return None;
        }
        // Where it should be by its speed, or where it was: a thing that
        // stopped is found as well as one that walked on. Slightly less for
        // the second, so that things that cross keep their ways.
        let moved = all[t].predicted.iou(&detections[d].bbox);
        let stayed = all[t].bbox.iou(&detections[d].bbox) * 0.8;
        Some(moved.max(stayed)).filter(|iou| *iou >= config.overlap)
    };
    let by_distance = |t: usize, d: usize| {
        if !akin(t, d) {
            return None;
        }
        let (a, b) = (&all[t].predicted, &detections[d].bbox);
        let (apart, long) = distance(a, b, config.aspect);
        let ratio = (a.area() / b.area()).sqrt();
        // Half a length of jitter and one length a second of unforeseen
        // movement (a person walks 0.9 heights a second), two at most.
        let reach = long * (0.5 + dt).min(2.0);
        (apart <= reach && (0.5..=2.0).contains(&ratio)).then(|| 1.0 - apart / reach)
    };

    let mut tracks: Vec<usize> = (0..all.len()).collect();
    let (mut sure, weak): (Vec<usize>, Vec<usize>) =
        (0..detections.len()).partition(|&d| detections[d].score >= config.sure);

    let mut out = greedy(&tracks, &sure, overlap);
    let rest = |tracks: &mut Vec<usize>, seen: &mut Vec<usize>, out: &[(usize, usize)]| {
        tracks.retain(|t| out.iter().all(|(o, _)| o != t));
        seen.retain(|d| out.iter().all(|(_, o)| o != d));
    };
    rest(&mut tracks, &mut sure, &out);
    let believed: Vec<usize> = (tracks.iter().copied())
        .filter(|&t| all[t].believed)
        .collect();
    out.extend(greedy(&believed, &weak, overlap));
    rest(&mut tracks, &mut sure, &out);
    out.extend(greedy(&tracks, &sure, by_distance));
    out
}
