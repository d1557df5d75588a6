//! Whether answers say the same, and which of several stands for them.

use scene::{Detection, Value};

/// Probabilities that differ by this much or more do not say the same.
const SAME: f32 = 0.3;

/// Boxes of one class that overlap by this much (IoU) are one thing.
const SAME_BOX: f32 = 0.5;

/// A box that one list has and the other lacks, or sees with so much more
/// probability, makes them differ: from here a box begins a track.
const SAME_SCORE: f32 = 0.5;

/// What can be compared: answers, or lists of detections.
pub(super) trait Comparable {
    /// How far apart two are; 0 if they are equal, at least the distance by
    /// any other way round.
    fn distance(&self, other: &Self) -> f32;

    /// Whether they say the same.
    fn agrees(&self, other: &Self) -> bool;
}

impl Comparable for Value {
    fn distance(&self, other: &Self) -> f32 {
        match (self, other) {
            (Value::YesNo(a), Value::YesNo(b)) => (a - b).abs(),
            (Value::Count(a), Value::Count(b)) => {
                let (a, b) = (a.masses(), b.masses());
                let at = |of: &[f32], n: usize| of.get(n).copied().unwrap_or(0.0);
                // Total variation, 0..1.
                (0..a.len().max(b.len()))
                    .map(|n| (at(a, n) - at(b, n)).abs())
                    .sum::<f32>()
                    / 2.0
            }
            (Value::Text(a), Value::Text(b)) => f32::from(a != b),
            _ => f32::MAX,
        }
    }

    fn agrees(&self, other: &Self) -> bool {
        let known = !matches!(self, Value::Unknown(_));
        known && self.word() == other.word() && self.distance(other) < SAME
    }
}

/// By how much each thing's score differs between two lists; what only one
/// has differs by its whole score.
fn differences(a: &[Detection], b: &[Detection]) -> Vec<f32> {
    let mut left: Vec<&Detection> = b.iter().collect();
    let mut out = Vec::with_capacity(a.len().max(b.len()));
    for one in a {
        let twin = (left.iter().enumerate())
            .filter(|(_, d)| d.class == one.class)
            .map(|(at, d)| (at, d.bbox.iou(&one.bbox)))
            .filter(|(_, iou)| *iou >= SAME_BOX)
            .max_by(|(_, x), (_, y)| x.total_cmp(y));
        out.push(match twin {
            Some((at, _)) => (left.swap_remove(at).score - one.score).abs(),
            None => one.score,
        });
    }
    out.extend(left.iter().map(|d| d.score));
    out
}

impl Comparable for Vec<Detection> {
    fn distance(&self, other: &Self) -> f32 {
        differences(self, other).iter().sum()
    }

    fn agrees(&self, other: &Self) -> bool {
        differences(self, other).iter().all(|d| *d < SAME_SCORE)
    }
}

/// The one of `all` that lies nearest to the others; the newest of equals.
/// Of three, one that is far from the other two is never it. `None` of none.
pub(super) fn middle<'a, T: Comparable>(
    all: impl DoubleEndedIterator<Item = &'a T> + Clone,
) -> Option<&'a T> {
    let far = |one: &T| all.clone().map(|other| one.distance(other)).sum::<f32>();
    let mut best: Option<(&T, f32)> = None;
    for one in all.clone().rev() {
        let distance = far(one);
        if best.is_none_or(|(_, least)| distance < least) {
            best = Some((one, distance));
        }
    }
    best.map(|(one, _)| one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scene::{BBox, CountBelief, Unknown};

    fn seen(class: &str, score: f32, x: f32) -> Detection {
        let bbox = BBox {
            x,
            y: 0.2,
            w: 0.2,
            h: 0.4,
        };
        Detection {
            class: class.into(),
            score,
            bbox,
        }
    }

    #[test]
    fn answers_agree_in_word_and_about_in_belief() {
        let yes = Value::YesNo;
        assert!(yes(0.9).agrees(&yes(0.8)));
        assert!(!yes(0.9).agrees(&yes(0.55)), "too far apart");
        assert!(!yes(0.55).agrees(&yes(0.45)), "another word");
        let count = |n| Value::Count(CountBelief::exactly(n));
        assert!(count(3).agrees(&count(3)) && !count(3).agrees(&count(4)));
        assert!(!count(1).agrees(&yes(1.0)));
        let unknown = Value::Unknown(Unknown::Unsure);
        assert!(
            !unknown.agrees(&unknown),
            "nobody can be of one mind about nothing"
        );
        assert!(Value::Text("a".into()).agrees(&Value::Text("a".into())));
    }

    #[test]
    fn a_bad_one_of_three_never_stands_for_all() {
        let all = [0.55, 0.56, 0.8].map(Value::YesNo);
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let three = order.map(|at| all[at].clone());
            assert_ne!(middle(three.iter()), Some(&all[2]));
        }
        let lists = [
            vec![seen("dog", 0.4, 0.1)],
            vec![],
            vec![seen("dog", 0.1, 0.1)],
        ];
        assert_eq!(middle(lists.iter()), Some(&lists[2]));
        assert_eq!(middle::<Value>([].iter()), None);
    }

    #[test]
    fn lists_agree_if_every_thing_is_in_both() {
        let one = vec![seen("person", 0.9, 0.1), seen("dog", 0.2, 0.6)];
        let moved = vec![seen("person", 0.8, 0.15)];
        assert!(
            one.agrees(&moved) && moved.agrees(&one),
            "a weak box may go"
        );
        assert!(!one.agrees(&vec![seen("person", 0.9, 0.4)]), "elsewhere");
        assert!(!one.agrees(&vec![seen("dog", 0.9, 0.1)]), "something else");
        let two = vec![seen("person", 0.9, 0.1), seen("person", 0.9, 0.1)];
        assert!(!one.agrees(&two), "one more at the same place");
        assert!(Vec::<Detection>::new().agrees(&vec![]));
    }
}
