use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Id;

/// A point of the picture: 0..1 of its width and height, origin top left.
/// Written as `[x, y]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
pub struct Point {
    /// Right, 0..1 of the width.
    pub x: f32,
    /// Down, 0..1 of the height.
    pub y: f32,
}

impl From<[f32; 2]> for Point {
    fn from([x, y]: [f32; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f32; 2] {
    fn from(p: Point) -> Self {
        [p.x, p.y]
    }
}

/// An upright box in 0..1 of the picture's width and height; `x`, `y` is the
/// top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BBox {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl BBox {
    /// The whole picture.
    pub const WHOLE: BBox = BBox {
        x: 0.0,
        y: 0.0,
        w: 1.0,
        h: 1.0,
    };

    /// The middle of the box.
    pub fn centre(&self) -> Point {
        Point {
            x: self.x + self.w / 2.0,
            y: self.y + self.h / 2.0,
        }
    }

    /// The middle of the lower edge: where a standing thing touches the floor.
    pub fn foot(&self) -> Point {
        Point {
            x: self.x + self.w / 2.0,
            y: self.y + self.h,
        }
    }

    /// Width times height, as a share of the picture.
    pub fn area(&self) -> f32 {
        self.w.max(0.0) * self.h.max(0.0)
    }

    /// Intersection over union, 0..1.
    pub fn iou(&self, other: &BBox) -> f32 {
        let w = (self.x + self.w).min(other.x + other.w) - self.x.max(other.x);
        let h = (self.y + self.h).min(other.y + other.h) - self.y.max(other.y);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let both = w * h;
        both / (self.area() + other.area() - both)
    }

    /// The part of the box that lies inside the picture.
    pub fn clamped(&self) -> BBox {
        let (x0, y0) = (self.x.clamp(0.0, 1.0), self.y.clamp(0.0, 1.0));
        let (x1, y1) = (
            (self.x + self.w).clamp(0.0, 1.0),
            (self.y + self.h).clamp(0.0, 1.0),
        );
        BBox {
            x: x0,
            y: y0,
            w: x1 - x0,
            h: y1 - y0,
        }
    }

    /// The box grown by `share` of its size on every side, inside the picture.
    pub fn grown(&self, share: f32) -> BBox {
        BBox {
            x: self.x - self.w * share,
            y: self.y - self.h * share,
            w: self.w * (1.0 + 2.0 * share),
            h: self.h * (1.0 + 2.0 * share),
        }
        .clamped()
    }
}

/// A closed outline of 3 to 64 points inside the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Point>", into = "Vec<Point>")]
pub struct Polygon(Vec<Point>);

/// Why points do not make a [`Polygon`].
#[derive(Debug, Clone, PartialEq, Error)]
pub enum GeometryError {
    /// Too few or too many points.
    #[error("a polygon has 3 to {max} points, this one has {given}", max = Polygon::MAX_POINTS)]
    PointCount {
        /// How many were given.
        given: usize,
    },
    /// A coordinate outside 0..1.
    #[error("point {index} [{x}, {y}] lies outside the picture; coordinates run from 0 to 1")]
    OutsidePicture {
        /// Which point, from 0.
        index: usize,
        /// Its x.
        x: f32,
        /// Its y.
        y: f32,
    },
    /// All points on a line.
    #[error("the polygon covers nothing (its points lie on one line)")]
    Empty,
}

impl Polygon {
    /// The most points a polygon may have.
    pub const MAX_POINTS: usize = 64;

    /// Checks and wraps `points`.
    pub fn new(points: Vec<Point>) -> Result<Self, GeometryError> {
        if points.len() < 3 || points.len() > Self::MAX_POINTS {
            return Err(GeometryError::PointCount {
                given: points.len(),
            });
        }
        let inside = |v: f32| (0.0..=1.0).contains(&v);
        if let Some((index, p)) = points
            .iter()
            .enumerate()
            .find(|(_, p)| !inside(p.x) || !inside(p.y))
        {
            return Err(GeometryError::OutsidePicture {
                index,
                x: p.x,
                y: p.y,
            });
        }
        let polygon = Self(points);
        let bounds = polygon.bounds();
        if bounds.w < 1e-4 || bounds.h < 1e-4 || polygon.area() < 1e-6 {
            return Err(GeometryError::Empty);
        }
        Ok(polygon)
    }

    /// The corner points, in order.
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    fn edges(&self) -> impl Iterator<Item = (Point, Point)> + '_ {
        let n = self.0.len();
        (0..n).map(move |i| (self.0[i], self.0[(i + 1) % n]))
    }

    /// Area as a share of the picture (shoelace formula).
    pub fn area(&self) -> f32 {
        let twice: f32 = self.edges().map(|(a, b)| a.x * b.y - b.x * a.y).sum();
        twice.abs() / 2.0
    }

    /// The least extent across any of its edges, in heights of the picture that
    /// is `aspect` times as wide as high. For a strip it is the strip's width.
    pub fn narrowest(&self, aspect: f32) -> f32 {
        let across = |(a, b): (Point, Point)| {
            let (dx, dy) = ((b.x - a.x) * aspect, b.y - a.y);
            let off = |c: &Point| (dx * (c.y - a.y) - dy * (c.x - a.x) * aspect) / dx.hypot(dy);
            let all = self.0.iter().map(off);
            // Points on the edge itself are at 0.
            let (low, high) = all.fold((0.0f32, 0.0f32), |(l, h), o| (l.min(o), h.max(o)));
            high - low
        };
        // A point that is given twice makes an edge without a direction.
        let edges = self.edges().filter(|(a, b)| a != b);
        edges.map(across).fold(f32::MAX, f32::min)
    }

    /// Whether `p` is inside, by the even-odd rule.
    pub fn contains(&self, p: Point) -> bool {
        self.edges()
            .filter(|(a, b)| {
                (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x
            })
            .count()
            % 2
            == 1
    }

    /// The smallest upright box round it.
    pub fn bounds(&self) -> BBox {
        let fold = |pick: fn(&Point) -> f32| {
            self.0
                .iter()
                .map(pick)
                .fold((f32::MAX, f32::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)))
        };
        let (x0, x1) = fold(|p| p.x);
        let (y0, y1) = fold(|p| p.y);
        BBox {
            x: x0,
            y: y0,
            w: x1 - x0,
            h: y1 - y0,
        }
    }
}

impl TryFrom<Vec<Point>> for Polygon {
    type Error = GeometryError;
    fn try_from(points: Vec<Point>) -> Result<Self, GeometryError> {
        Self::new(points)
    }
}

impl From<Polygon> for Vec<Point> {
    fn from(p: Polygon) -> Self {
        p.0
    }
}

/// A named part of the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// Its name in topics; a rule's words for a place are matched to it by
    /// [`Id::slug`].
    pub name: Id,
    /// Its outline.
    pub polygon: Polygon,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(points: &[[f32; 2]]) -> Result<Polygon, GeometryError> {
        Polygon::new(points.iter().map(|&p| p.into()).collect())
    }

    #[test]
    fn polygons_contain_what_is_inside() {
        // An L: the notch at the top right is outside.
        let l = polygon(&[
            [0.0, 0.0],
            [0.5, 0.0],
            [0.5, 0.5],
            [1.0, 0.5],
            [1.0, 1.0],
            [0.0, 1.0],
        ])
        .unwrap();
        assert!(l.contains([0.25, 0.25].into()));
        assert!(l.contains([0.75, 0.75].into()));
        assert!(!l.contains([0.75, 0.25].into()));
        assert!((l.area() - 0.75).abs() < 1e-6);
        assert_eq!(l.bounds(), BBox::WHOLE);
    }

    #[test]
    fn the_narrowest_extent_of_a_strip_is_its_width() {
        let strip = polygon(&[[0.1, 0.5], [0.9, 0.5], [0.9, 0.5], [0.9, 0.52], [0.1, 0.52]]);
        assert!((strip.unwrap().narrowest(2.0) - 0.02).abs() < 1e-5);
        let upright = polygon(&[[0.5, 0.1], [0.52, 0.1], [0.52, 0.9], [0.5, 0.9]]);
        assert!((upright.unwrap().narrowest(2.0) - 0.04).abs() < 1e-5);
        let slanted = polygon(&[[0.1, 0.1], [0.9, 0.9], [0.9, 0.92], [0.1, 0.12]]);
        assert!((slanted.unwrap().narrowest(1.0) - 0.02 / 2f32.sqrt()).abs() < 1e-4);
    }

    #[test]
    fn bad_polygons_say_why() {
        assert!(matches!(
            polygon(&[[0.0, 0.0], [1.0, 1.0]]),
            Err(GeometryError::PointCount { given: 2 })
        ));
        assert!(matches!(
            polygon(&[[0.0, 0.0], [1.0, 0.0], [1.5, 1.0]]),
            Err(GeometryError::OutsidePicture { index: 2, .. })
        ));
        assert!(matches!(
            polygon(&[[0.0, 0.0], [f32::NAN, 0.0], [0.5, 1.0]]),
            Err(GeometryError::OutsidePicture { index: 1, .. })
        ));
        assert_eq!(
            polygon(&[[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]),
            Err(GeometryError::Empty)
        );
    }

    #[test]
    fn overlap() {
        let a = BBox {
            x: 0.0,
            y: 0.0,
            w: 0.2,
            h: 0.2,
        };
        assert_eq!(a.iou(&a), 1.0);
        let b = BBox { x: 0.1, ..a };
        assert!((a.iou(&b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.iou(&BBox { x: 0.5, ..a }), 0.0);
    }
}
