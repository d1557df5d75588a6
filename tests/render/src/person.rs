//! People: how they stand or walk, and the shapes that make them.

use serde::{Deserialize, Serialize};

use crate::geom::{V3, View, facing, v3};
use crate::look::{Bottom, Hair, Look, Top};
use crate::shape::{Entity, Label, Shape, blend, scale};

/// What one arm does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// Hangs, or swings with the walk.
    Swing,
    /// Straight down: holds a bag.
    Carry,
    /// Back and down: pulls a suitcase.
    Pull,
    /// Bent before the chest: telephone, passport, folded arms.
    Front,
    /// Reaches down to the floor: puts a bag down or picks it up.
    Reach,
    /// Hand on the hip.
    Hip,
}

/// Where somebody is and what the body does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// On the floor, metres.
    pub at: V3,
    /// Where the body faces, radians (see [`facing`]).
    pub yaw: f32,
    /// Where the head faces, relative to the body.
    pub head_yaw: f32,
    /// Phase of the step, radians.
    pub phase: f32,
    /// 0 stands, 1 walks.
    pub stride: f32,
    pub left: Arm,
    pub right: Arm,
    /// 0 upright, 1 bent down to the floor.
    pub bend: f32,
    /// Sits on a seat 0.45 m high.
    pub seated: bool,
}

impl Pose {
    /// Standing still.
    pub fn standing(at: V3, yaw: f32) -> Self {
        Self {
            at,
            yaw,
            head_yaw: 0.0,
            phase: 0.6,
            stride: 0.0,
            left: Arm::Swing,
            right: Arm::Swing,
            bend: 0.0,
            seated: false,
        }
    }
}

/// Points others need.
#[derive(Debug, Clone, Copy)]
pub struct Joints {
    pub left_hand: V3,
    pub right_hand: V3,
    /// Middle of the back, where a backpack sits.
    pub back: V3,
    pub shoulder: V3,
}

struct Leg {
    hip: V3,
    knee: V3,
    ankle: V3,
    toe: V3,
}

fn leg(look: &Look, pose: &Pose, side: f32, fwd: V3, right: V3) -> Leg {
    let h = look.height;
    let up = v3(0.0, 1.0, 0.0);
    let (thigh, shin) = (0.245 * h, 0.246 * h);
    let hip = pose.at + up * (0.53 * h) + right * (side * 0.052 * h * look.build);
    let phase = pose.phase
        + if side > 0.0 {
            0.0
        } else {
            std::f32::consts::PI
        };
    let (a, b) = if pose.seated {
        (1.45, 0.05)
    } else {
        let a =
            0.46 * pose.stride * phase.sin() + 0.03 * side * (1.0 - pose.stride) + 0.5 * pose.bend;
        // The knee bends while the leg swings forward (Winter, Biomechanics of Human Movement: about 60° at mid swing).
        let knee =
            pose.stride * (0.10 + 0.85 * phase.cos().max(0.0).powf(1.4)) + 0.9 * pose.bend + 0.03;
        (a, a - knee)
    };
    let limb = |angle: f32| fwd * angle.sin() - up * angle.cos();
    let splay = right * (side * 0.02 * h);
    let knee = hip + limb(a) * thigh + splay * 0.5;
    let ankle = knee + limb(b) * shin + splay * 0.3;
    let lift = if pose.seated {
        0.0
    } else {
        (b * 0.9).clamp(-0.9, 0.35)
    };
    let toe = ankle
        + fwd * (0.105 * h * lift.cos())
        + up * (0.105 * h * lift.sin() - 0.008 * h)
        + right * (side * 0.012 * h);
    Leg {
        hip,
        knee,
        ankle,
        toe,
    }
}

/// Builds the shapes of a person, far parts first as `view` sees them.
pub fn build(look: &Look, pose: &Pose, view: &View, owner: u32) -> (Entity, Joints) {
    let h = look.height;
    let w = look.build;
    let (fwd, right) = facing(pose.yaw);
    let up = v3(0.0, 1.0, 0.0);
    let mut legs = [1.0f32, -1.0].map(|s| leg(look, pose, s, fwd, right));
    // The lower foot stands on the floor; a seated body is set on its seat.
    let drop = if pose.seated {
        0.53 * h - 0.50
    } else {
        legs.iter()
            .map(|l| l.ankle.y.min(l.toe.y + 0.012 * h))
            .fold(f32::MAX, f32::min)
            - 0.036 * h
    };
    let shift = up * -drop;
    for l in &mut legs {
        for p in [&mut l.hip, &mut l.knee, &mut l.ankle, &mut l.toe] {
            *p = *p + shift;
            p.y = p.y.max(0.02 * h);
        }
    }
    let hips = (legs[0].hip + legs[1].hip) * 0.5;
    let lean = 0.05 * pose.stride + 1.05 * pose.bend + if pose.seated { -0.06 } else { 0.0 };
    let spine = up * lean.cos() + fwd * lean.sin();
    let on = |height: f32, side: f32| hips + spine * ((height - 0.53) * h) + right * (side * h * w);
    let (hf, hr) = facing(pose.yaw + pose.head_yaw);

    let mut parts: Vec<(f32, Shape)> = Vec::with_capacity(32);
    let mut add = |bias: f32, shape: Shape| {
        let key = view.depth(shape.centre()) - bias;
        parts.push((key, shape));
    };

    let bare = matches!(look.bottom, Bottom::Shorts | Bottom::Skirt | Bottom::Dress);
    for l in &legs {
        let shin_ink = if bare {
            look.skin
        } else {
            scale(look.bottom_ink, 0.96)
        };
        add(
            0.0,
            Shape::bar(l.ankle, 0.022 * h, l.toe, 0.019 * h, look.shoe_ink),
        );
        add(
            0.0,
            Shape::bar(
                l.knee,
                0.033 * h * w,
                l.ankle,
                if bare { 0.022 } else { 0.028 } * h * w,
                shin_ink,
            ),
        );
        let thigh_ink = if look.bottom == Bottom::Skirt || look.bottom == Bottom::Dress {
            look.skin
        } else {
            look.bottom_ink
        };
        add(
            0.0,
            Shape::bar(l.hip, 0.05 * h * w, l.knee, 0.036 * h * w, thigh_ink),
        );
    }
    let pelvis_ink = if look.bottom == Bottom::Dress {
        look.top_ink
    } else {
        look.bottom_ink
    };
    if matches!(look.bottom, Bottom::Skirt | Bottom::Dress) {
        let mut cloth = vec![
            (on(0.56, 0.045), 0.05 * h * w),
            (on(0.56, -0.045), 0.05 * h * w),
        ];
        for l in &legs {
            cloth.push((l.hip.lerp(l.knee, 0.92), 0.055 * h * w));
        }
        add(0.03, Shape::balls(cloth, pelvis_ink));
    } else {
        add(
            0.01,
            Shape::balls(
                vec![
                    (on(0.53, 0.045), 0.052 * h * w),
                    (on(0.53, -0.045), 0.052 * h * w),
                    (on(0.6, 0.0), 0.05 * h * w),
                ],
                pelvis_ink,
            ),
        );
    }

    // Torso.
    let hem: f32 = match look.top {
        Top::Coat => 0.40,
        Top::Jacket => 0.515,
        _ => 0.545,
    };
    let mut torso = vec![
        (on(0.80, 0.088), 0.036 * h * w),
        (on(0.80, -0.088), 0.036 * h * w),
        (on(0.715, 0.066), 0.052 * h * w),
        (on(0.715, -0.066), 0.052 * h * w),
        (on(0.845, 0.0), 0.036 * h),
    ];
    let hem_in = if pose.seated { hem.max(0.53) } else { hem };
    if look.top == Top::Coat && !pose.seated {
        torso.push((on(0.55, 0.052), 0.055 * h * w));
        torso.push((on(0.55, -0.052), 0.055 * h * w));
        let mut skirt = vec![
            (on(0.56, 0.052), 0.056 * h * w),
            (on(0.56, -0.052), 0.056 * h * w),
        ];
        for l in &legs {
            skirt.push((l.hip.lerp(l.knee, 0.7), 0.058 * h * w));
        }
        add(0.05, Shape::balls(skirt, look.top_ink));
    } else {
        torso.push((on(hem_in + 0.035, 0.05), 0.05 * h * w));
        torso.push((on(hem_in + 0.035, -0.05), 0.05 * h * w));
    }
    add(0.06, Shape::balls(torso, look.top_ink).round(0.34));
    let eye_ground = view.at - hips;
    let toward = eye_ground.dot(fwd) / (eye_ground.x.hypot(eye_ground.z)).max(0.01);
    // Front details lie on the chest's surface.
    if toward > 0.15 && pose.bend < 0.5 {
        let chest = |x: f32, y: f32| on(y, x) + fwd * (0.062 * h * w);
        if matches!(look.top, Top::Jacket | Top::Coat) {
            let strip = vec![
                chest(-0.02, 0.83),
                chest(0.02, 0.83),
                chest(0.012, hem.max(0.5) + 0.03),
                chest(-0.012, hem.max(0.5) + 0.03),
            ];
            add(0.13, Shape::flat(strip, look.under_ink).detail());
        }
        if matches!(look.top, Top::Shirt) {
            add(
                0.13,
                Shape::flat(
                    vec![chest(-0.022, 0.845), chest(0.022, 0.845), chest(0.0, 0.78)],
                    look.skin,
                )
                .detail(),
            );
        }
    }
    if look.top == Top::Vest {
        let sign = if toward > 0.0 { 1.0 } else { -1.0 };
        let skin = |x: f32, y: f32| on(y, x) + fwd * (sign * 0.062 * h * w);
        for (y0, y1) in [(0.60, 0.625), (0.68, 0.705)] {
            add(
                0.12,
                Shape::flat(
                    vec![
                        skin(-0.11, y0),
                        skin(0.11, y0),
                        skin(0.11, y1),
                        skin(-0.11, y1),
                    ],
                    [0.86, 0.87, 0.85],
                )
                .detail(),
            );
        }
    } else if look.striped {
        let sign = if toward > 0.0 { 1.0 } else { -1.0 };
        let skin = |x: f32, y: f32| on(y, x) + fwd * (sign * 0.055 * h * w);
        for i in 0..5 {
            let y0 = 0.58 + 0.045 * i as f32;
            let band = vec![
                skin(-0.1, y0),
                skin(0.1, y0),
                skin(0.1, y0 + 0.018),
                skin(-0.1, y0 + 0.018),
            ];
            add(0.12, Shape::flat(band, look.under_ink).detail());
        }
    }

    // Arms.
    let mut hands = [V3::default(); 2];
    for (i, side) in [1.0f32, -1.0].into_iter().enumerate() {
        let arm = if side > 0.0 { pose.right } else { pose.left };
        let shoulder = on(0.80, side * 0.108);
        let phase = pose.phase
            + if side > 0.0 {
                std::f32::consts::PI
            } else {
                0.0
            };
        let swing = 0.42 * pose.stride * phase.sin();
        // Angle of upper arm and forearm forward from straight down, and how far outward.
        let (a, b, out) = match arm {
            Arm::Swing if pose.seated => (0.5, 1.3, 0.04),
            Arm::Swing => (swing, swing + 0.18 + 0.25 * pose.stride, 0.10),
            Arm::Carry => (0.05 + 0.3 * swing, 0.12 + 0.3 * swing, 0.12),
            Arm::Pull => (-0.38, -0.30, 0.16),
            Arm::Front => (0.32, 1.75, 0.02),
            Arm::Reach => (0.35, 0.30, 0.06),
            Arm::Hip => (-0.25, 0.35, 0.42),
        };
        let down = spine * -1.0;
        let limb = |angle: f32, out: f32| {
            (down * angle.cos() + (fwd * lean.cos() - up * lean.sin()) * angle.sin())
                * (1.0 - out * out).max(0.0).sqrt()
                + right * (side * out)
        };
        let elbow = shoulder + limb(a, out) * (0.175 * h);
        let inward = match arm {
            Arm::Front => -0.45,
            Arm::Hip => -0.5,
            _ => 0.0,
        };
        let wrist = elbow + limb(b, inward) * (0.15 * h);
        let hand = wrist + limb(b, inward) * (0.035 * h);
        hands[i] = hand;
        let sleeve = if matches!(look.top, Top::Tee) {
            look.skin
        } else if look.top == Top::Vest {
            look.under_ink
        } else {
            scale(look.top_ink, 0.95)
        };
        let upper = if look.top == Top::Vest {
            look.under_ink
        } else {
            look.top_ink
        };
        add(
            0.04,
            Shape::bar(elbow, 0.026 * h * w, wrist, 0.02 * h * w, sleeve),
        );
        add(
            0.04,
            Shape::bar(wrist, 0.019 * h, hand, 0.021 * h, look.skin),
        );
        let cut = if look.top == Top::Tee {
            shoulder.lerp(elbow, 0.65)
        } else {
            elbow
        };
        if look.top == Top::Tee {
            add(
                0.03,
                Shape::bar(shoulder, 0.028 * h * w, elbow, 0.025 * h * w, look.skin),
            );
        }
        add(
            0.05,
            Shape::bar(shoulder, 0.036 * h * w, cut, 0.029 * h * w, upper).round(0.32),
        );
    }

    // Neck and head.
    let crown = on(0.845, 0.0) + spine * (0.092 * h) + hf * (0.012 * h);
    let chin = crown - spine * (0.05 * h) + hf * (0.018 * h);
    add(
        0.05,
        Shape::bar(
            on(0.835, 0.0),
            0.034 * h,
            chin,
            0.03 * h,
            scale(look.skin, 0.82),
        ),
    );
    let bald = look.hair == Hair::Bald;
    let scarfed = matches!(look.hair, Hair::Scarf | Hair::Hood);
    let cover = if bald {
        look.skin
    } else if scarfed {
        look.top_ink
    } else {
        look.hair_ink
    };
    let head = vec![(crown, 0.056 * h), (chin, 0.04 * h)];
    add(0.10, Shape::balls(head, look.skin).round(0.26));
    let back = hf * -0.022;
    if !bald {
        let mut cap = vec![(crown + (back + spine * 0.016) * h, 0.056 * h)];
        match look.hair {
            Hair::Long => {
                cap.push((
                    on(0.815, 0.0) + (hf * -0.03) * h + hr * (0.02 * h),
                    0.036 * h,
                ));
                cap.push((
                    on(0.815, 0.0) + (hf * -0.03) * h - hr * (0.02 * h),
                    0.036 * h,
                ));
            }
            Hair::Bun => add(
                0.10,
                Shape::balls(
                    vec![(crown + (hf * -0.06 + spine * 0.045) * h, 0.026 * h)],
                    cover,
                ),
            ),
            Hair::Hood | Hair::Scarf => {
                cap[0].1 = 0.062 * h;
                cap.push((on(0.83, 0.0) + hf * (-0.02 * h), 0.058 * h));
            }
            _ => cap.push((crown + (hf * -0.03 - spine * 0.02) * h, 0.044 * h)),
        }
        // Behind the face when the head looks at the camera, in front of the skull when it looks away.
        let looking = (view.at - crown).dot(hf) / (view.at - crown).len();
        add(0.12 - 0.10 * looking, Shape::balls(cap, cover));
        if looking > -0.2 {
            // The face: what hair leaves free.
            let face = vec![
                (crown + (hf * 0.022 - spine * 0.012) * h, 0.043 * h),
                (chin + hf * (0.004 * h), 0.036 * h),
            ];
            add(0.16, Shape::balls(face, look.skin).round(0.3).detail());
        }
        // Fringe, cap brim, helmet.
        match look.hair {
            Hair::Cap => {
                add(
                    0.2,
                    Shape::balls(
                        vec![(crown + (spine * 0.026 - hf * 0.004) * h, 0.052 * h)],
                        look.under_ink,
                    ),
                );
                add(
                    0.21,
                    Shape::bar(
                        crown + (hf * 0.05 + spine * 0.012) * h,
                        0.016 * h,
                        crown + (hf * 0.085 + spine * 0.002) * h,
                        0.014 * h,
                        scale(look.under_ink, 0.8),
                    ),
                );
            }
            Hair::HardHat => {
                add(
                    0.2,
                    Shape::balls(
                        vec![(crown + spine * (0.022 * h), 0.064 * h)],
                        look.hair_ink,
                    ),
                );
                let rim = vec![
                    (crown + (hf * 0.06 + spine * 0.004) * h, 0.012 * h),
                    (crown + (hf * -0.05 + spine * 0.004) * h, 0.012 * h),
                    (crown + (hr * 0.055 + spine * 0.004) * h, 0.012 * h),
                    (crown + (hr * -0.055 + spine * 0.004) * h, 0.012 * h),
                ];
                add(0.18, Shape::balls(rim, scale(look.hair_ink, 0.85)));
            }
            _ => {}
        }
        eyes(look, crown, hf, hr, spine, view, looking, &mut add);
    } else {
        let looking = (view.at - crown).dot(hf) / (view.at - crown).len();
        eyes(look, crown, hf, hr, spine, view, looking, &mut add);
    }

    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let entity = Entity {
        owner: Some(owner),
        label: Some(Label::Person),
        at: pose.at,
        shapes: parts.into_iter().map(|(_, s)| s).collect(),
        contact: 0.30,
        casts: true,
    };
    let joints = Joints {
        right_hand: hands[0],
        left_hand: hands[1],
        back: on(0.70, 0.0) - fwd * (0.10 * h),
        shoulder: on(0.82, 0.1),
    };
    (entity, joints)
}

#[allow(clippy::too_many_arguments)] // the head's own axes, all needed
fn eyes(
    look: &Look,
    crown: V3,
    hf: V3,
    hr: V3,
    spine: V3,
    view: &View,
    looking: f32,
    add: &mut impl FnMut(f32, Shape),
) {
    let h = look.height;
    // Below this a face has no features even in a real picture.
    if looking < 0.35 || view.radius(crown, 0.056 * h) < 5.0 {
        return;
    }
    let ink = blend(look.skin, [0.1, 0.07, 0.06], 0.75);
    for side in [1.0, -1.0] {
        let eye = crown + (hf * 0.062 + hr * (side * 0.019) - spine * 0.012) * h;
        add(
            0.3,
            Shape::balls(vec![(eye, 0.0065 * h)], ink)
                .round(0.0)
                .detail(),
        );
        let brow = eye + spine * (0.014 * h);
        add(
            0.3,
            Shape::bar(
                brow - hr * (0.009 * h),
                0.0028 * h,
                brow + hr * (0.009 * h),
                0.0028 * h,
                look.hair_ink,
            )
            .round(0.0)
            .detail(),
        );
    }
    let mouth = crown + (hf * 0.06 - spine * 0.055) * h;
    add(
        0.3,
        Shape::bar(
            mouth - hr * (0.013 * h),
            0.0035 * h,
            mouth + hr * (0.013 * h),
            0.0035 * h,
            blend(look.skin, [0.5, 0.15, 0.15], 0.5),
        )
        .round(0.0)
        .detail(),
    );
}
