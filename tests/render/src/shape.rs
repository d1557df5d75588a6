//! What things are made of: shapes in space, and the things themselves.

use serde::{Deserialize, Serialize};

use crate::geom::{V3, v3};

/// sRGB, each 0..1.
pub type Rgb = [f32; 3];

/// A colour made lighter (> 1) or darker (< 1).
pub fn scale(c: Rgb, k: f32) -> Rgb {
    c.map(|v| (v * k).clamp(0.0, 1.0))
}

/// Between two colours.
pub fn blend(a: Rgb, b: Rgb, k: f32) -> Rgb {
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * k)
}

/// The form of one shape.
#[derive(Debug, Clone)]
pub enum Form {
    /// The convex hull of balls: limbs, torsos, rounded boxes.
    Balls(Vec<(V3, f32)>),
    /// A convex flat polygon.
    Flat(Vec<V3>),
    /// Many flat polygons in one colour (lettering, stripes); never part of a silhouette.
    Many(Vec<Vec<V3>>),
}

/// One painted shape.
#[derive(Debug, Clone)]
pub struct Shape {
    pub form: Form,
    pub ink: Rgb,
    /// 0 invisible, 1 opaque.
    pub alpha: f32,
    /// How strongly it is shaded from its lit side to its dark side, 0..1.
    pub round: f32,
    /// Part of the silhouette: hides what is behind and counts for the box.
    pub solid: bool,
    /// Lamps do not darken or lighten it.
    pub glows: bool,
}

impl Shape {
    pub fn balls(balls: Vec<(V3, f32)>, ink: Rgb) -> Self {
        Self {
            form: Form::Balls(balls),
            ink,
            alpha: 1.0,
            round: 0.28,
            solid: true,
            glows: false,
        }
    }
    /// A straight limb or bar, thick `ra` at `a` and `rb` at `b` (radii, metres).
    pub fn bar(a: V3, ra: f32, b: V3, rb: f32, ink: Rgb) -> Self {
        Self::balls(vec![(a, ra), (b, rb)], ink)
    }
    pub fn flat(points: Vec<V3>, ink: Rgb) -> Self {
        Self {
            form: Form::Flat(points),
            round: 0.06,
            ..Self::balls(Vec::new(), ink)
        }
    }
    pub fn many(polygons: Vec<Vec<V3>>, ink: Rgb) -> Self {
        Self {
            form: Form::Many(polygons),
            round: 0.0,
            solid: false,
            ..Self::balls(Vec::new(), ink)
        }
    }
    pub fn alpha(mut self, alpha: f32) -> Self {
        self.alpha = alpha;
        self.solid = self.solid && alpha > 0.6;
        self
    }
    pub fn round(mut self, round: f32) -> Self {
        self.round = round;
        self
    }
    /// Paint on something else: no part of the silhouette.
    pub fn detail(mut self) -> Self {
        self.solid = false;
        self
    }
    pub fn glowing(mut self) -> Self {
        self.glows = true;
        self
    }
    /// The middle of the shape.
    pub fn centre(&self) -> V3 {
        let (mut sum, mut n) = (V3::default(), 0.0f32);
        let mut add = |p: V3| {
            sum = sum + p;
            n += 1.0;
        };
        match &self.form {
            Form::Balls(b) => b.iter().for_each(|(p, _)| add(*p)),
            Form::Flat(p) => p.iter().for_each(|p| add(*p)),
            Form::Many(ps) => ps.iter().flatten().for_each(|p| add(*p)),
        }
        sum * (1.0 / n.max(1.0))
    }
}

/// What a labelled thing is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    Person,
    Suitcase,
    Backpack,
    Handbag,
    Parcel,
    Bench,
}

impl Label {
    /// All of them: what a rendered row labels completely.
    pub const ALL: [Label; 6] = [
        Label::Person,
        Label::Suitcase,
        Label::Backpack,
        Label::Handbag,
        Label::Parcel,
        Label::Bench,
    ];
    pub fn name(self) -> &'static str {
        match self {
            Label::Person => "person",
            Label::Suitcase => "suitcase",
            Label::Backpack => "backpack",
            Label::Handbag => "handbag",
            Label::Parcel => "parcel",
            Label::Bench => "bench",
        }
    }
    pub fn is_bag(self) -> bool {
        matches!(self, Label::Suitcase | Label::Backpack | Label::Handbag)
    }
}

/// A thing to draw.
#[derive(Debug, Clone)]
pub struct Entity {
    /// Whose it is: a person's or a bag's number in its shot; `None` for furniture.
    pub owner: Option<u32>,
    pub label: Option<Label>,
    /// Where it stands: decides what is in front of what.
    pub at: V3,
    /// In drawing order.
    pub shapes: Vec<Shape>,
    /// Radius of the contact shadow on the floor, metres; 0 for none.
    pub contact: f32,
    /// Throws a shadow from the lamp.
    pub casts: bool,
}

impl Entity {
    pub fn fixture(at: V3) -> Self {
        Self {
            owner: None,
            label: None,
            at,
            shapes: Vec::new(),
            contact: 0.0,
            casts: true,
        }
    }
}

/// A box that stands on the floor somewhere, turned by a yaw, with its own axes.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Centre of the base.
    pub base: V3,
    pub right: V3,
    pub up: V3,
    pub front: V3,
}

impl Frame {
    pub fn new(base: V3, yaw: f32) -> Self {
        let (front, right) = crate::geom::facing(yaw);
        Self {
            base,
            right,
            up: v3(0.0, 1.0, 0.0),
            front,
        }
    }
    /// The point `x` to the right, `y` up and `z` to the front of the base, metres.
    pub fn p(&self, x: f32, y: f32, z: f32) -> V3 {
        self.base + self.right * x + self.up * y + self.front * z
    }
    /// A rectangle on a plane of constant `z`.
    pub fn front_rect(&self, x0: f32, x1: f32, y0: f32, y1: f32, z: f32) -> Vec<V3> {
        vec![
            self.p(x0, y0, z),
            self.p(x1, y0, z),
            self.p(x1, y1, z),
            self.p(x0, y1, z),
        ]
    }
    /// A box with corners rounded by `r`, from the low to the high corner: its silhouette and the faces that `eye` sees.
    pub fn boxed(&self, low: V3, high: V3, r: f32, ink: Rgb, eye: V3, out: &mut Vec<Shape>) {
        let at = |x: f32, y: f32, z: f32| self.p(x, y, z);
        let xs = [low.x + r, high.x - r];
        let ys = [low.y + r, high.y - r];
        let zs = [low.z + r, high.z - r];
        let mut balls = Vec::with_capacity(8);
        for x in xs {
            for y in ys {
                for z in zs {
                    balls.push((at(x, y, z), r));
                }
            }
        }
        out.push(Shape::balls(balls, scale(ink, 0.86)).round(0.1));
        let mid = at(
            (low.x + high.x) / 2.0,
            (low.y + high.y) / 2.0,
            (low.z + high.z) / 2.0,
        );
        let faces = [
            (self.up, high.y, 1.22, 1),
            (self.up * -1.0, low.y, 0.5, 1),
            (self.front, high.z, 1.0, 2),
            (self.front * -1.0, low.z, 0.94, 2),
            (self.right, high.x, 0.8, 0),
            (self.right * -1.0, low.x, 0.74, 0),
        ];
        for (normal, level, light, axis) in faces {
            let points = match axis {
                0 => [(0, 0), (0, 1), (1, 1), (1, 0)]
                    .map(|(i, k): (usize, usize)| at(level, ys[i], zs[k])),
                1 => [(0, 0), (0, 1), (1, 1), (1, 0)]
                    .map(|(i, k): (usize, usize)| at(xs[i], level, zs[k])),
                _ => [(0, 0), (0, 1), (1, 1), (1, 0)]
                    .map(|(i, k): (usize, usize)| at(xs[k], ys[i], level)),
            };
            if (points[0].lerp(points[2], 0.5) - eye).dot(normal) < 0.0 && (mid - eye).len() > 0.0 {
                out.push(Shape::flat(points.to_vec(), scale(ink, light)).detail());
            }
        }
    }
}
