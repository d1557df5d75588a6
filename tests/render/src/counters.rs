//! Places to queue at: booths, counters, machines.

use crate::font::lettering;
use crate::geom::{V3, View, v3};
use crate::shape::{Entity, Frame, Rgb, Shape, scale};

fn sign_board(f: &Frame, sign: &str, y: f32, z: f32, wide: f32, view: &View, out: &mut Vec<Shape>) {
    let navy = [0.07, 0.14, 0.36];
    let back = (view.at - f.p(0.0, y, z)).dot(f.front) < 0.0;
    out.push(
        Shape::flat(
            f.front_rect(-wide / 2.0, wide / 2.0, y - 0.2, y + 0.2, z),
            navy,
        )
        .glowing(),
    );
    let dz = if back { z - 0.01 } else { z + 0.01 };
    out.push(
        Shape::many(
            lettering(f, sign, 0.0, y, dz, 0.22, wide * 0.94, back),
            [0.95, 0.95, 0.92],
        )
        .glowing(),
    );
}

/// A control booth with its sign.
pub fn booth(at: V3, yaw: f32, sign: &str, ink: Rgb, view: &View, out: &mut Vec<Entity>) {
    let f = Frame::new(at, yaw);
    let eye = view.at;
    let frame_ink = [0.30, 0.31, 0.33];
    // Back part: rear wall and posts, behind the officer.
    let mut back = Entity {
        contact: 1.3,
        ..Entity::fixture(f.p(0.0, 0.0, -0.75))
    };
    f.boxed(
        v3(-1.05, 0.0, -0.8),
        v3(1.05, 1.05, -0.72),
        0.01,
        scale(ink, 0.8),
        eye,
        &mut back.shapes,
    );
    for x in [-1.02, 1.02] {
        back.shapes.push(Shape::bar(
            f.p(x, 0.0, -0.76),
            0.03,
            f.p(x, 2.2, -0.76),
            0.03,
            frame_ink,
        ));
    }
    back.shapes.push(
        Shape::flat(
            f.front_rect(-1.0, 1.0, 1.05, 2.2, -0.76),
            [0.62, 0.72, 0.76],
        )
        .alpha(0.30),
    );
    out.push(back);
    // Sides.
    for x in [-1.02f32, 1.02] {
        let mut side = Entity {
            casts: false,
            ..Entity::fixture(f.p(x, 0.0, -0.1))
        };
        f.boxed(
            v3(x - 0.03, 0.0, -0.75),
            v3(x + 0.03, 1.05, 0.42),
            0.01,
            ink,
            eye,
            &mut side.shapes,
        );
        side.shapes.push(
            Shape::flat(
                vec![
                    f.p(x, 1.05, -0.75),
                    f.p(x, 1.05, 0.45),
                    f.p(x, 2.2, 0.45),
                    f.p(x, 2.2, -0.75),
                ],
                [0.62, 0.74, 0.78],
            )
            .alpha(0.25),
        );
        out.push(side);
    }
    // Front: counter, glass, roof, sign.
    let mut front = Entity::fixture(f.p(0.0, 0.0, 0.45));
    let s = &mut front.shapes;
    f.boxed(
        v3(-1.05, 0.0, 0.38),
        v3(1.05, 1.05, 0.5),
        0.015,
        ink,
        eye,
        s,
    );
    if (eye - f.p(0.0, 0.5, 0.5)).dot(f.front) > 0.0 {
        for (x0, x1) in [(-0.98, -0.36), (-0.31, 0.31), (0.36, 0.98)] {
            s.push(Shape::flat(f.front_rect(x0, x1, 0.12, 0.92, 0.505), scale(ink, 1.1)).detail());
        }
    }
    f.boxed(
        v3(-1.08, 1.05, 0.28),
        v3(1.08, 1.1, 0.68),
        0.01,
        [0.72, 0.70, 0.66],
        eye,
        s,
    );
    s.push(Shape::flat(f.front_rect(-1.0, 1.0, 1.22, 2.2, 0.46), [0.66, 0.80, 0.86]).alpha(0.22));
    s.push(
        Shape::flat(
            vec![
                f.p(-0.85, 1.25, 0.465),
                f.p(-0.55, 1.25, 0.465),
                f.p(-0.2, 2.18, 0.465),
                f.p(-0.5, 2.18, 0.465),
            ],
            [0.95, 0.98, 1.0],
        )
        .alpha(0.16),
    );
    for x in [-1.02, 0.0, 1.02] {
        s.push(Shape::bar(
            f.p(x, 1.1, 0.46),
            0.022,
            f.p(x, 2.2, 0.46),
            0.022,
            frame_ink,
        ));
    }
    f.boxed(
        v3(-1.12, 2.2, -0.82),
        v3(1.12, 2.32, 0.55),
        0.02,
        [0.46, 0.47, 0.49],
        eye,
        s,
    );
    sign_board(&f, sign, 2.52, 0.5, 2.2, view, s);
    out.push(front);
}

/// A counter with its sign.
pub fn desk(at: V3, yaw: f32, sign: &str, ink: Rgb, view: &View, out: &mut Vec<Entity>) {
    let f = Frame::new(at, yaw);
    let eye = view.at;
    let mut e = Entity {
        contact: 1.4,
        ..Entity::fixture(f.p(0.0, 0.0, 0.1))
    };
    f.boxed(
        v3(-1.2, 0.0, -0.3),
        v3(1.2, 1.0, 0.4),
        0.02,
        ink,
        eye,
        &mut e.shapes,
    );
    f.boxed(
        v3(-1.25, 1.0, -0.35),
        v3(1.25, 1.05, 0.45),
        0.01,
        [0.78, 0.75, 0.70],
        eye,
        &mut e.shapes,
    );
    if (eye - f.p(0.0, 0.5, 0.4)).dot(f.front) > 0.0 {
        e.shapes.push(
            Shape::flat(f.front_rect(-1.15, 1.15, 0.08, 0.3, 0.405), scale(ink, 0.7)).detail(),
        );
    }
    // A screen on the counter.
    f.boxed(
        v3(-0.75, 1.08, -0.12),
        v3(-0.25, 1.42, -0.06),
        0.015,
        [0.12, 0.12, 0.13],
        eye,
        &mut e.shapes,
    );
    for x in [-1.15, 1.15] {
        e.shapes.push(Shape::bar(
            f.p(x, 1.05, -0.2),
            0.02,
            f.p(x, 2.35, -0.2),
            0.02,
            [0.4, 0.4, 0.42],
        ));
    }
    sign_board(&f, sign, 2.35, -0.15, 2.4, view, &mut e.shapes);
    out.push(e);
}

/// A ticket machine with its sign.
pub fn machine(at: V3, yaw: f32, sign: &str, ink: Rgb, view: &View, out: &mut Vec<Entity>) {
    let f = Frame::new(at, yaw);
    let mut e = Entity {
        contact: 0.55,
        ..Entity::fixture(at)
    };
    f.boxed(
        v3(-0.4, 0.0, -0.3),
        v3(0.4, 1.85, 0.3),
        0.03,
        ink,
        view.at,
        &mut e.shapes,
    );
    if (view.at - f.p(0.0, 1.0, 0.3)).dot(f.front) > 0.0 {
        e.shapes.push(
            Shape::flat(
                f.front_rect(-0.27, 0.2, 1.05, 1.5, 0.305),
                [0.45, 0.68, 0.85],
            )
            .detail()
            .glowing(),
        );
        e.shapes.push(
            Shape::flat(
                f.front_rect(-0.27, 0.27, 0.55, 0.72, 0.305),
                [0.08, 0.08, 0.09],
            )
            .detail(),
        );
        e.shapes.push(
            Shape::flat(f.front_rect(0.23, 0.32, 1.1, 1.3, 0.305), [0.9, 0.85, 0.3]).detail(),
        );
    }
    sign_board(&f, sign, 2.05, 0.25, 0.85, view, &mut e.shapes);
    out.push(e);
}
