//! Which operating points are worth having.

use super::file::Measured;

/// Of each point the one that makes it needless: no worse and no dearer, and
/// better in one of both. Of several, the best; among equals the cheapest.
/// `None` for those on the front.
pub fn dominated_by(points: &[Measured]) -> Vec<Option<usize>> {
    let beats = |a: &Measured, b: &Measured| {
        let (better, cheaper) = (a.accuracy > b.accuracy, a.joules < b.joules);
        a.accuracy >= b.accuracy && a.joules <= b.joules && (better || cheaper)
    };
    let by = |point: &Measured| {
        let others = points.iter().enumerate();
        let beating = others.filter(|(_, other)| beats(other, point));
        beating
            .max_by(|(_, a), (_, b)| {
                let first = a.accuracy.total_cmp(&b.accuracy);
                first.then(b.joules.0.total_cmp(&a.joules.0))
            })
            .map(|(at, _)| at)
    };
    points.iter().map(by).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use scene::{Joules, Quantity};

    fn point(text: &str, accuracy: f64, joules: f64) -> Measured {
        let mut point = Measured::new(text.parse().unwrap(), Quantity::measured(accuracy));
        point.joules = Joules(joules);
        point
    }

    #[test]
    fn the_front_is_what_nothing_beats() {
        let all = [
            point("a/4px/1t/1c", 0.9, 1.0),
            point("a/3px/1t/1c", 0.8, 0.5),
            point("a/3px/1t/2c", 0.8, 0.7),
            point("a/2px/1t/1c", 0.7, 0.6),
            point("a/1px/1t/1c", 0.6, 0.1),
            point("b/1px/1t/1c", 0.6, 0.1),
        ];
        let by = dominated_by(&all);
        assert_eq!(by, [None, None, Some(1), Some(1), None, None]);
    }
}
