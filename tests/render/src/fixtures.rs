//! Furniture: what stands in a place and does not move.

use serde::{Deserialize, Serialize};

use crate::counters::{booth, desk, machine};
use crate::font::lettering;
use crate::geom::{V3, View, v3};
use crate::rng::Rng;
use crate::shape::{Entity, Frame, Label, Rgb, Shape, scale};

/// A piece of furniture. Positions on the floor in metres; `yaw` is where its front looks, radians.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fixture {
    /// A control booth with a glass front and a sign.
    Booth {
        at: V3,
        yaw: f32,
        sign: String,
        ink: Rgb,
    },
    /// A counter with a sign above it.
    Desk {
        at: V3,
        yaw: f32,
        sign: String,
        ink: Rgb,
    },
    /// A ticket machine.
    Machine {
        at: V3,
        yaw: f32,
        sign: String,
        ink: Rgb,
    },
    Bench {
        at: V3,
        yaw: f32,
        ink: Rgb,
    },
    /// A barrier post; belts run between posts.
    Post {
        at: V3,
    },
    Belt {
        from: V3,
        to: V3,
        ink: Rgb,
    },
    Pillar {
        at: V3,
        radius: f32,
        height: f32,
        ink: Rgb,
    },
    Plant {
        at: V3,
        seed: u64,
    },
    Trolley {
        at: V3,
        yaw: f32,
    },
    Bin {
        at: V3,
        ink: Rgb,
    },
    /// Shelving with goods on it (not labelled: no single parcels can be told).
    Shelf {
        at: V3,
        yaw: f32,
        seed: u64,
    },
    /// An open door in a wall: a dark passage in a frame.
    Doorway {
        at: V3,
        yaw: f32,
        wide: f32,
        high: f32,
    },
    /// A sign or poster hung in the air or on a wall.
    Board {
        at: V3,
        yaw: f32,
        wide: f32,
        high: f32,
        text: String,
        ink: Rgb,
        paper: Rgb,
    },
}

impl Fixture {
    /// The floor it takes: centre and radius, metres. `None` when people may stand under or at it.
    pub fn footprint(&self) -> Option<(V3, f32)> {
        match self {
            Fixture::Booth { at, .. } | Fixture::Desk { at, .. } => Some((*at, 1.4)),
            Fixture::Bench { at, .. } => Some((*at, 0.95)),
            Fixture::Shelf { at, .. } => Some((*at, 1.2)),
            Fixture::Machine { at, .. }
            | Fixture::Trolley { at, .. }
            | Fixture::Plant { at, .. } => Some((*at, 0.6)),
            Fixture::Pillar { at, radius, .. } => Some((*at, radius + 0.25)),
            Fixture::Bin { at, .. } => Some((*at, 0.45)),
            Fixture::Post { at } => Some((*at, 0.3)),
            Fixture::Belt { .. } | Fixture::Board { .. } | Fixture::Doorway { .. } => None,
        }
    }

    /// Where the first person of a queue stands and which way the queue grows, if one can form here.
    pub fn queue_head(&self) -> Option<(V3, f32)> {
        match self {
            Fixture::Booth { at, yaw, .. } | Fixture::Desk { at, yaw, .. } => {
                Some((Frame::new(*at, *yaw).p(0.0, 0.0, 1.15), *yaw))
            }
            Fixture::Machine { at, yaw, .. } => {
                Some((Frame::new(*at, *yaw).p(0.0, 0.0, 0.75), *yaw))
            }
            _ => None,
        }
    }

    /// Where staff stands, and facing where.
    pub fn staff_place(&self) -> Option<(V3, f32)> {
        match self {
            Fixture::Booth { at, yaw, .. } => {
                Some((Frame::new(*at, *yaw).p(0.1, 0.0, -0.15), *yaw))
            }
            Fixture::Desk { at, yaw, .. } => Some((Frame::new(*at, *yaw).p(0.2, 0.0, -0.6), *yaw)),
            _ => None,
        }
    }

    /// The shapes, in parts that people may stand between.
    pub fn build(&self, view: &View, out: &mut Vec<Entity>) {
        match self {
            Fixture::Booth { at, yaw, sign, ink } => booth(*at, *yaw, sign, *ink, view, out),
            Fixture::Desk { at, yaw, sign, ink } => desk(*at, *yaw, sign, *ink, view, out),
            Fixture::Machine { at, yaw, sign, ink } => machine(*at, *yaw, sign, *ink, view, out),
            Fixture::Bench { at, yaw, ink } => bench(*at, *yaw, *ink, view, out),
            Fixture::Post { at } => {
                let steel = [0.42, 0.43, 0.45];
                let mut e = Entity {
                    contact: 0.2,
                    ..Entity::fixture(*at)
                };
                e.shapes.push(Shape::bar(
                    *at + v3(-0.1, 0.02, 0.0),
                    0.06,
                    *at + v3(0.1, 0.02, 0.0),
                    0.06,
                    scale(steel, 0.6),
                ));
                e.shapes.push(
                    Shape::bar(
                        *at + v3(0.0, 0.03, 0.0),
                        0.03,
                        *at + v3(0.0, 0.95, 0.0),
                        0.032,
                        steel,
                    )
                    .round(0.5),
                );
                out.push(e);
            }
            Fixture::Belt { from, to, ink } => {
                let mut e = Entity::fixture(from.lerp(*to, 0.5));
                let belt = |y: f32| {
                    vec![
                        *from + v3(0.0, y, 0.0),
                        *to + v3(0.0, y, 0.0),
                        *to + v3(0.0, y + 0.055, 0.0),
                        *from + v3(0.0, y + 0.055, 0.0),
                    ]
                };
                e.shapes.push(Shape::flat(belt(0.85), *ink));
                out.push(e);
            }
            Fixture::Pillar {
                at,
                radius,
                height,
                ink,
            } => {
                let mut e = Entity {
                    contact: radius * 1.3,
                    ..Entity::fixture(*at)
                };
                e.shapes
                    .push(cylinder(*at, 0.0, *height, *radius, *radius, *ink));
                e.shapes.push(cylinder(
                    *at,
                    0.0,
                    0.15,
                    radius * 1.06,
                    radius * 1.06,
                    scale(*ink, 0.6),
                ));
                out.push(e);
            }
            Fixture::Plant { at, seed } => plant(*at, *seed, out),
            Fixture::Trolley { at, yaw } => trolley(*at, *yaw, view, out),
            Fixture::Bin { at, ink } => {
                let mut e = Entity {
                    contact: 0.3,
                    ..Entity::fixture(*at)
                };
                e.shapes.push(cylinder(*at, 0.0, 0.85, 0.2, 0.24, *ink));
                e.shapes
                    .push(cylinder(*at, 0.85, 0.86, 0.2, 0.2, scale(*ink, 0.4)).detail());
                out.push(e);
            }
            Fixture::Shelf { at, yaw, seed } => shelf(*at, *yaw, *seed, view, out),
            Fixture::Doorway {
                at,
                yaw,
                wide,
                high,
            } => {
                let f = Frame::new(*at, *yaw);
                let w = wide / 2.0;
                // Behind everything that may stand in it.
                let mut e = Entity {
                    casts: false,
                    ..Entity::fixture(f.p(0.0, 0.0, -0.3))
                };
                e.shapes.push(Shape::flat(
                    f.front_rect(-w - 0.12, w + 0.12, 0.0, high + 0.12, 0.0),
                    [0.36, 0.35, 0.34],
                ));
                e.shapes.push(Shape::flat(
                    f.front_rect(-w, w, 0.0, *high, 0.01),
                    [0.10, 0.10, 0.11],
                ));
                e.shapes.push(
                    Shape::flat(
                        f.front_rect(-w * 0.6, w * 0.55, 0.3, high * 0.86, 0.015),
                        [0.15, 0.15, 0.16],
                    )
                    .detail(),
                );
                out.push(e);
            }
            Fixture::Board {
                at,
                yaw,
                wide,
                high,
                text,
                ink,
                paper,
            } => {
                let f = Frame::new(*at, *yaw);
                let back = (view.at - *at).dot(f.front) < 0.0;
                let mut e = Entity {
                    casts: false,
                    ..Entity::fixture(v3(at.x, 0.0, at.z))
                };
                let (w, h) = (wide / 2.0, high / 2.0);
                e.shapes
                    .push(Shape::flat(f.front_rect(-w, w, -h, h, 0.0), *paper).glowing());
                let z = if back { -0.01 } else { 0.01 };
                let tall = (high * 0.5).min(0.5);
                e.shapes.push(
                    Shape::many(
                        lettering(&f, text, 0.0, 0.0, z, tall, wide * 0.92, back),
                        *ink,
                    )
                    .glowing(),
                );
                out.push(e);
            }
        }
    }
}

/// An upright cylinder or cone between two heights.
fn cylinder(at: V3, low: f32, high: f32, radius_low: f32, radius_high: f32, ink: Rgb) -> Shape {
    const EDGE: f32 = 0.01;
    let ring = |y: f32, r: f32| {
        (0..12).map(move |i| {
            let (s, c) = (i as f32 * std::f32::consts::TAU / 12.0).sin_cos();
            (at + v3(c * (r - EDGE), y, s * (r - EDGE)), EDGE)
        })
    };
    Shape::balls(
        ring(low, radius_low)
            .chain(ring(high, radius_high))
            .collect(),
        ink,
    )
    .round(0.45)
}

fn bench(at: V3, yaw: f32, ink: Rgb, view: &View, out: &mut Vec<Entity>) {
    let f = Frame::new(at, yaw);
    let mut e = Entity {
        label: Some(Label::Bench),
        contact: 0.9,
        ..Entity::fixture(f.p(0.0, 0.0, -0.15))
    };
    let steel = [0.25, 0.25, 0.27];
    let s = &mut e.shapes;
    let rest = |s: &mut Vec<Shape>| {
        for y in [0.58, 0.72] {
            f.boxed(
                v3(-0.85, y, -0.28),
                v3(0.85, y + 0.1, -0.24),
                0.01,
                ink,
                view.at,
                s,
            );
        }
    };
    for x in [-0.72, 0.72] {
        s.push(Shape::bar(
            f.p(x, 0.02, -0.24),
            0.025,
            f.p(x, 0.82, -0.28),
            0.02,
            steel,
        ));
        s.push(Shape::bar(
            f.p(x, 0.02, 0.2),
            0.025,
            f.p(x, 0.42, 0.18),
            0.02,
            steel,
        ));
    }
    let from_front = (view.at - at).dot(f.front) > 0.0;
    if from_front {
        rest(s);
    }
    for z in [-0.2, -0.04, 0.12] {
        f.boxed(
            v3(-0.85, 0.42, z),
            v3(0.85, 0.46, z + 0.13),
            0.01,
            ink,
            view.at,
            s,
        );
    }
    if !from_front {
        rest(s);
    }
    out.push(e);
}

fn plant(at: V3, seed: u64, out: &mut Vec<Entity>) {
    let mut rng = Rng::new(seed);
    let mut e = Entity {
        contact: 0.35,
        ..Entity::fixture(at)
    };
    let pot = *rng.pick(&[[0.55, 0.32, 0.22], [0.8, 0.8, 0.78], [0.2, 0.2, 0.22]]);
    e.shapes.push(cylinder(at, 0.0, 0.42, 0.2, 0.27, pot));
    let tall = rng.range(0.7, 1.3);
    for _ in 0..26 {
        let turn = rng.range(0.0, std::f32::consts::TAU);
        let (out_by, y) = (rng.range(0.1, 0.5), rng.range(0.55, 0.55 + tall));
        let tip = at + v3(turn.cos() * out_by, y, turn.sin() * out_by);
        let root = at + v3(0.0, 0.4 + 0.3 * (y - 0.5), 0.0);
        let green = rng.tint([0.18, 0.38, 0.16], 0.3);
        e.shapes.push(Shape::balls(
            vec![(root, 0.012), (root.lerp(tip, 0.7), 0.06), (tip, 0.012)],
            green,
        ));
    }
    out.push(e);
}

fn trolley(at: V3, yaw: f32, view: &View, out: &mut Vec<Entity>) {
    let f = Frame::new(at, yaw);
    let steel = [0.58, 0.6, 0.62];
    let mut e = Entity {
        contact: 0.5,
        ..Entity::fixture(at)
    };
    for x in [-0.25, 0.25] {
        for z in [-0.4, 0.4] {
            e.shapes
                .push(Shape::balls(vec![(f.p(x, 0.06, z), 0.06)], [0.1, 0.1, 0.1]));
        }
        e.shapes.push(Shape::bar(
            f.p(x, 0.14, -0.45),
            0.018,
            f.p(x, 0.14, 0.45),
            0.018,
            steel,
        ));
        e.shapes.push(Shape::bar(
            f.p(x, 0.14, -0.42),
            0.018,
            f.p(x, 1.02, -0.55),
            0.018,
            steel,
        ));
    }
    f.boxed(
        v3(-0.26, 0.15, -0.42),
        v3(0.26, 0.19, 0.45),
        0.01,
        scale(steel, 0.8),
        view.at,
        &mut e.shapes,
    );
    for y in [0.4, 0.62, 0.84] {
        e.shapes.push(Shape::bar(
            f.p(-0.25, y, -0.48),
            0.01,
            f.p(0.25, y, -0.48),
            0.01,
            steel,
        ));
    }
    e.shapes.push(Shape::bar(
        f.p(-0.27, 1.02, -0.55),
        0.025,
        f.p(0.27, 1.02, -0.55),
        0.025,
        [0.7, 0.2, 0.15],
    ));
    out.push(e);
}

fn shelf(at: V3, yaw: f32, seed: u64, view: &View, out: &mut Vec<Entity>) {
    let f = Frame::new(at, yaw);
    let mut rng = Rng::new(seed);
    let mut e = Entity {
        contact: 1.1,
        ..Entity::fixture(at)
    };
    let upright = *rng.pick(&[[0.12, 0.25, 0.5], [0.4, 0.4, 0.42], [0.2, 0.35, 0.25]]);
    let s = &mut e.shapes;
    s.push(Shape::flat(
        f.front_rect(-1.1, 1.1, 0.05, 2.3, -0.38),
        [0.16, 0.16, 0.17],
    ));
    for level in 0..3 {
        let y = 0.12 + 0.75 * level as f32;
        f.boxed(
            v3(-1.1, y - 0.06, -0.38),
            v3(1.1, y, 0.4),
            0.01,
            [0.75, 0.42, 0.14],
            view.at,
            s,
        );
        let mut x = -1.0;
        while x < 0.85 {
            let w = rng.range(0.25, 0.5);
            if rng.chance(0.8) && x + w < 1.05 {
                let h = rng.range(0.25, 0.6);
                let ink = *rng.pick(&[
                    [0.62, 0.48, 0.33],
                    [0.55, 0.42, 0.3],
                    [0.75, 0.72, 0.66],
                    [0.25, 0.35, 0.5],
                    [0.5, 0.5, 0.5],
                ]);
                let ink = rng.tint(ink, 0.1);
                f.boxed(
                    v3(x, y, -0.3),
                    v3(x + w - 0.03, y + h, 0.33),
                    0.01,
                    ink,
                    view.at,
                    s,
                );
            }
            x += w;
        }
    }
    for x in [-1.1, 1.1] {
        for z in [-0.38, 0.4] {
            s.push(Shape::bar(
                f.p(x, 0.0, z),
                0.035,
                f.p(x, 2.45, z),
                0.035,
                upright,
            ));
        }
    }
    out.push(e);
}
