//! Bags and parcels.

use serde::{Deserialize, Serialize};

use crate::geom::{V3, View, v3};
use crate::rng::Rng;
use crate::shape::{Entity, Frame, Label, Rgb, Shape, scale};

/// Kinds of luggage and goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BagKind {
    Suitcase,
    Backpack,
    /// A soft holdall. Labelled `handbag`, as hand-carried bags are in COCO.
    Duffel,
    Handbag,
    Parcel,
}

impl BagKind {
    pub fn label(self) -> Label {
        match self {
            BagKind::Suitcase => Label::Suitcase,
            BagKind::Backpack => Label::Backpack,
            BagKind::Duffel | BagKind::Handbag => Label::Handbag,
            BagKind::Parcel => Label::Parcel,
        }
    }
    /// Width, height, depth in metres at scale 1.
    pub fn size(self) -> V3 {
        match self {
            BagKind::Suitcase => v3(0.44, 0.64, 0.27),
            BagKind::Backpack => v3(0.33, 0.48, 0.22),
            BagKind::Duffel => v3(0.60, 0.30, 0.30),
            BagKind::Handbag => v3(0.36, 0.27, 0.14),
            BagKind::Parcel => v3(0.45, 0.32, 0.36),
        }
    }
}

/// Appearance of a bag.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BagLook {
    pub kind: BagKind,
    /// Against [`BagKind::size`].
    pub scale: f32,
    pub ink: Rgb,
    pub trim: Rgb,
    /// Hard shell with ribs (suitcases).
    pub ribbed: bool,
}

const SHELL: [Rgb; 10] = [
    [0.10, 0.10, 0.12],
    [0.16, 0.19, 0.28],
    [0.62, 0.10, 0.13],
    [0.10, 0.32, 0.42],
    [0.48, 0.50, 0.53],
    [0.74, 0.60, 0.20],
    [0.32, 0.15, 0.34],
    [0.14, 0.36, 0.24],
    [0.82, 0.42, 0.16],
    [0.30, 0.22, 0.16],
];

impl BagLook {
    pub fn random(rng: &mut Rng, kind: BagKind) -> Self {
        let base = if kind == BagKind::Parcel {
            [0.66, 0.50, 0.34]
        } else {
            *rng.pick(&SHELL)
        };
        let ink = rng.tint(base, 0.12);
        Self {
            kind,
            scale: match kind {
                BagKind::Parcel => rng.range(0.65, 1.6),
                BagKind::Suitcase => rng.range(0.85, 1.2),
                _ => rng.range(0.88, 1.15),
            },
            ink,
            trim: if rng.chance(0.7) {
                scale(ink, 0.45)
            } else {
                *rng.pick(&SHELL)
            },
            ribbed: rng.chance(0.6),
        }
    }
    /// Any bag that people travel with.
    pub fn luggage(rng: &mut Rng) -> Self {
        let kind = *rng.pick(&[
            BagKind::Suitcase,
            BagKind::Suitcase,
            BagKind::Backpack,
            BagKind::Duffel,
            BagKind::Handbag,
        ]);
        Self::random(rng, kind)
    }
}

/// A bag in a picture.
#[derive(Debug, Clone, Copy)]
pub struct BagAt {
    pub id: u32,
    pub look: BagLook,
    /// Centre of its base, metres.
    pub at: V3,
    pub yaw: f32,
    /// The hand that holds it.
    pub hand: Option<V3>,
    /// Worn on a back.
    pub worn: bool,
    /// The telescopic handle is out, or the straps stand up.
    pub handle_out: bool,
}

/// Builds a bag's shapes.
pub fn build(bag: &BagAt, view: &View) -> Entity {
    let look = &bag.look;
    let size = look.kind.size() * look.scale;
    let f = Frame::new(bag.at, bag.yaw);
    let (hw, hd) = (size.x / 2.0, size.z / 2.0);
    let eye = view.at;
    let mut s: Vec<Shape> = Vec::with_capacity(24);
    let dark = [0.08, 0.08, 0.09];
    let sees_front = (eye - f.p(0.0, size.y / 2.0, hd)).dot(f.front) > 0.0;
    let face = if sees_front { 1.0 } else { -1.0 };
    match look.kind {
        BagKind::Suitcase => {
            let lift = 0.05;
            for x in [-hw + 0.05, hw - 0.05] {
                for z in [-hd + 0.05, hd - 0.05] {
                    s.push(Shape::bar(
                        f.p(x, 0.025, z),
                        0.025,
                        f.p(x, lift, z),
                        0.018,
                        dark,
                    ));
                }
            }
            // The handle stands at the back; it is behind or before the shell as seen.
            let handle = |s: &mut Vec<Shape>| {
                let top = match (bag.hand, bag.handle_out) {
                    (Some(hand), _) => Some(hand),
                    (None, true) => Some(f.p(0.0, size.y + 0.40, -hd + 0.03)),
                    _ => None,
                };
                if let Some(top) = top {
                    let grey = [0.35, 0.35, 0.37];
                    let bar = f.right * 0.085;
                    for k in [-1.0, 1.0] {
                        s.push(Shape::bar(
                            f.p(k * 0.085, size.y - 0.02, -hd + 0.03),
                            0.011,
                            top + bar * k,
                            0.011,
                            grey,
                        ));
                    }
                    s.push(Shape::bar(top - bar, 0.019, top + bar, 0.019, dark));
                }
            };
            if sees_front {
                handle(&mut s);
            }
            f.boxed(
                v3(-hw, lift, -hd),
                v3(hw, size.y, hd),
                0.05,
                look.ink,
                eye,
                &mut s,
            );
            let z = face * hd;
            if look.ribbed {
                for i in 0..5 {
                    let x = -hw * 0.62 + hw * 0.31 * i as f32;
                    s.push(
                        Shape::flat(
                            f.front_rect(x - 0.006, x + 0.006, lift + 0.08, size.y - 0.07, z),
                            scale(look.ink, 0.68),
                        )
                        .detail(),
                    );
                }
            } else {
                s.push(
                    Shape::flat(
                        f.front_rect(-hw * 0.7, hw * 0.7, lift + 0.06, size.y * 0.5, z),
                        scale(look.ink, 0.84),
                    )
                    .detail(),
                );
                s.push(
                    Shape::flat(
                        f.front_rect(-hw * 0.7, hw * 0.7, size.y * 0.5, size.y * 0.52, z),
                        look.trim,
                    )
                    .detail(),
                );
                s.push(
                    Shape::flat(
                        f.front_rect(-hw * 0.7, hw * 0.7, size.y * 0.58, size.y * 0.86, z),
                        scale(look.ink, 0.9),
                    )
                    .detail(),
                );
            }
            s.push(Shape::bar(
                f.p(-0.07, size.y + 0.018, 0.0),
                0.012,
                f.p(0.07, size.y + 0.018, 0.0),
                0.012,
                dark,
            ));
            if !sees_front {
                handle(&mut s);
            }
        }
        BagKind::Backpack => {
            let body = |y: f32, k: f32, r: f32| {
                [(-hw + r) * k, (hw - r) * k].map(|x| [-hd + r, hd - r].map(|z| (f.p(x, y, z), r)))
            };
            let mut balls: Vec<(V3, f32)> = Vec::new();
            for (y, k, r) in [
                (0.07, 1.0, 0.07),
                (size.y * 0.6, 1.0, 0.08),
                (size.y - 0.08, 0.7, 0.08),
            ] {
                balls.extend(body(y, k, r).into_iter().flatten());
            }
            s.push(Shape::balls(balls, look.ink));
            let z = face * (hd + 0.005);
            if sees_front {
                let pocket = vec![
                    (f.p(-hw * 0.55, 0.09, hd - 0.02), 0.045),
                    (f.p(hw * 0.55, 0.09, hd - 0.02), 0.045),
                    (f.p(-hw * 0.5, size.y * 0.42, hd - 0.03), 0.045),
                    (f.p(hw * 0.5, size.y * 0.42, hd - 0.03), 0.045),
                ];
                s.push(Shape::balls(pocket, scale(look.ink, 0.85)));
                s.push(
                    Shape::flat(
                        f.front_rect(-hw * 0.55, hw * 0.55, size.y * 0.45, size.y * 0.47, z),
                        look.trim,
                    )
                    .detail(),
                );
                s.push(
                    Shape::flat(
                        f.front_rect(-hw * 0.62, hw * 0.62, size.y * 0.68, size.y * 0.70, z),
                        look.trim,
                    )
                    .detail(),
                );
            } else {
                for x in [-0.08, 0.08] {
                    s.push(Shape::bar(
                        f.p(x, size.y - 0.06, -hd - 0.01),
                        0.02,
                        f.p(x * 1.2, 0.08, -hd - 0.01),
                        0.016,
                        look.trim,
                    ));
                }
            }
            s.push(Shape::bar(
                f.p(-0.04, size.y + 0.03, -hd * 0.3),
                0.012,
                f.p(0.04, size.y + 0.03, -hd * 0.3),
                0.012,
                look.trim,
            ));
        }
        BagKind::Duffel => {
            let r = size.y / 2.0;
            s.push(
                Shape::balls(
                    vec![
                        (f.p(-hw + r * 0.6, r * 0.95, 0.0), r * 0.95),
                        (f.p(hw - r * 0.6, r * 0.95, 0.0), r * 0.95),
                        (f.p(-hw + 0.06, 0.06, 0.0), 0.06),
                        (f.p(hw - 0.06, 0.06, 0.0), 0.06),
                    ],
                    look.ink,
                )
                .round(0.35),
            );
            for x in [-hw * 0.42, hw * 0.42] {
                let z = face * r * 0.9;
                s.push(
                    Shape::flat(
                        vec![
                            f.p(x - 0.02, 0.04, z),
                            f.p(x + 0.02, 0.04, z),
                            f.p(x + 0.02, r * 1.6, z * 0.7),
                            f.p(x - 0.02, r * 1.6, z * 0.7),
                        ],
                        look.trim,
                    )
                    .detail(),
                );
            }
            s.push(
                Shape::bar(
                    f.p(-hw * 0.7, r * 1.9, 0.0),
                    0.008,
                    f.p(hw * 0.7, r * 1.9, 0.0),
                    0.008,
                    scale(look.trim, 0.8),
                )
                .detail(),
            );
            let top = bag.hand.unwrap_or(f.p(0.0, size.y + 0.05, face * 0.04));
            for x in [-hw * 0.42, hw * 0.42] {
                s.push(Shape::bar(
                    f.p(x, r * 1.6, face * r * 0.6),
                    0.014,
                    top,
                    0.014,
                    look.trim,
                ));
            }
        }
        BagKind::Handbag => {
            f.boxed(
                v3(-hw, 0.0, -hd),
                v3(hw, size.y, hd),
                0.035,
                look.ink,
                eye,
                &mut s,
            );
            let z = face * hd;
            s.push(
                Shape::flat(
                    f.front_rect(-hw * 0.8, hw * 0.8, size.y * 0.6, size.y * 0.94, z),
                    scale(look.ink, 0.82),
                )
                .detail(),
            );
            s.push(
                Shape::flat(
                    f.front_rect(-0.02, 0.02, size.y * 0.54, size.y * 0.64, z),
                    [0.75, 0.65, 0.35],
                )
                .detail(),
            );
            let top = bag.hand.unwrap_or(f.p(0.0, size.y + 0.14, 0.0));
            for k in [-1.0, 1.0] {
                let mid = top + f.right * (0.06 * k);
                s.push(Shape::bar(
                    f.p(k * hw * 0.6, size.y - 0.02, 0.0),
                    0.011,
                    mid,
                    0.011,
                    look.trim,
                ));
                s.push(Shape::bar(mid, 0.011, top, 0.011, look.trim));
            }
        }
        BagKind::Parcel => {
            f.boxed(
                v3(-hw, 0.0, -hd),
                v3(hw, size.y, hd),
                0.008,
                look.ink,
                eye,
                &mut s,
            );
            let tape = [0.80, 0.70, 0.50];
            if eye.y > bag.at.y + size.y {
                s.push(
                    Shape::flat(
                        vec![
                            f.p(-hw, size.y, -0.025),
                            f.p(hw, size.y, -0.025),
                            f.p(hw, size.y, 0.025),
                            f.p(-hw, size.y, 0.025),
                        ],
                        tape,
                    )
                    .detail(),
                );
                s.push(
                    Shape::flat(
                        vec![
                            f.p(hw * 0.2, size.y, 0.06),
                            f.p(hw * 0.8, size.y, 0.06),
                            f.p(hw * 0.8, size.y, hd * 0.85),
                            f.p(hw * 0.2, size.y, hd * 0.85),
                        ],
                        [0.92, 0.92, 0.9],
                    )
                    .detail(),
                );
            }
            let z = face * hd;
            s.push(
                Shape::flat(
                    f.front_rect(-hw * 0.8, -hw * 0.1, size.y * 0.35, size.y * 0.8, z),
                    [0.90, 0.90, 0.88],
                )
                .detail(),
            );
            s.push(
                Shape::flat(
                    f.front_rect(-hw * 0.75, -hw * 0.2, size.y * 0.42, size.y * 0.52, z),
                    [0.15, 0.15, 0.15],
                )
                .detail(),
            );
        }
    }
    Entity {
        owner: Some(bag.id),
        label: Some(look.kind.label()),
        at: bag.at,
        shapes: s,
        contact: if bag.at.y < 0.1 {
            hw.max(hd) * 1.15
        } else {
            0.0
        },
        casts: true,
    }
}
