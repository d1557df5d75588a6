//! Training stills of halls with a queue and a platform, from a camera high on the wall: the commonest view of a
//! station. Nothing in them is fixed; the demo's own scene (`station`) is one such place that is not among them.

use std::f32::consts::{FRAC_PI_2, PI};

use crate::bags::{BagKind, BagLook};
use crate::fixtures::Fixture;
use crate::geom::{Camera, V3, View, v3};
use crate::look::Look;
use crate::person::{Arm, Pose};
use crate::place::{FloorKind, Lamp, Light, Place, Sensor, Surface, Track, WallKind};
use crate::random_place::{self, PlaceKind};
use crate::rng::Rng;
use crate::shape::Frame;
use crate::shot::{ATTENDED_WITHIN, PersonAt, Shot, Stage};
use crate::stills::{Crowd, Still};

/// Longest queue, people.
const LONGEST: usize = 7;

fn surface<K: Copy>(
    rng: &mut Rng,
    kind: K,
    ink: [f32; 3],
    grain: [f32; 2],
    gloss: f32,
) -> Surface<K> {
    let ink = rng.tint(ink, 0.12);
    let darker = rng.range(0.75, 0.95);
    Surface {
        kind,
        ink,
        second: ink.map(|v| v * darker),
        grain: rng.range(grain[0], grain[1]),
        gloss,
    }
}

fn place(rng: &mut Rng) -> Place {
    let (left, right) = (-rng.range(6.0, 8.5), rng.range(6.8, 8.6));
    let (depth, height) = (rng.range(13.5, 21.0), rng.range(4.4, 6.2));
    let floors = [
        FloorKind::Tiles,
        FloorKind::Tiles,
        FloorKind::Tiles,
        FloorKind::Concrete,
        FloorKind::Checker,
        FloorKind::Paving,
    ];
    let backs = [
        WallKind::Windows,
        WallKind::Windows,
        WallKind::Windows,
        WallKind::Panels,
        WallKind::Tiled,
        WallKind::Plain,
    ];
    let walls = [
        WallKind::Tiled,
        WallKind::Tiled,
        WallKind::Panels,
        WallKind::Plain,
        WallKind::Brick,
    ];
    let (floor, back, side) = (*rng.pick(&floors), *rng.pick(&backs), *rng.pick(&walls));
    let tone = *rng.pick(&[
        [0.66, 0.64, 0.61],
        [0.58, 0.57, 0.55],
        [0.72, 0.70, 0.66],
        [0.50, 0.51, 0.53],
        [0.66, 0.60, 0.52],
    ]);
    let gloss = rng.range(0.0, 0.2);
    let lamps = (0..rng.below(6))
        .map(|_| Lamp {
            at: v3(rng.range(left, right), height, rng.range(0.0, depth)),
            power: rng.range(0.06, 0.2),
            reach: rng.range(2.0, 5.0),
        })
        .collect();
    let warm = rng.range(-0.06, 0.06);
    Place {
        left,
        right,
        depth,
        height,
        floor: surface(rng, floor, tone, [0.5, 1.2], gloss),
        back: surface(rng, back, [0.77, 0.77, 0.75], [1.0, 2.2], 0.0),
        sides: surface(rng, side, [0.76, 0.75, 0.72], [0.5, 1.2], 0.0),
        ceiling: rng.tint([0.77, 0.77, 0.77], 0.08),
        open_air: None,
        track: rng.chance(0.8).then(|| {
            let start = rng.range(4.0, 12.0);
            Track {
                edge: rng.range(3.5, 4.9),
                train: rng.chance(0.75).then_some([start, 60.0]),
                train_ink: *rng.pick(&[
                    [0.12, 0.25, 0.5],
                    [0.20, 0.30, 0.42],
                    [0.65, 0.12, 0.14],
                    [0.72, 0.73, 0.74],
                    [0.15, 0.4, 0.25],
                    [0.85, 0.55, 0.1],
                ]),
            }
        }),
        light: Light {
            ambient: rng.range(0.66, 1.0),
            lamps,
            shadow: [rng.range(-0.35, 0.35), rng.range(-0.35, 0.35)],
            shadow_depth: rng.range(0.08, 0.32),
        },
        camera: Camera {
            at: v3(
                rng.range(-1.2, 1.2),
                rng.range(2.7, 4.1),
                rng.range(-2.4, -0.6),
            ),
            yaw: rng.range(-0.16, 0.16),
            pitch: rng.range(0.22, 0.40),
            hfov: rng.range(0.98, 1.32),
        },
        sensor: Sensor {
            gain: rng.range(0.88, 1.12),
            gamma: rng.range(0.88, 1.15),
            saturation: rng.range(0.65, 1.1),
            cast: [1.0 + warm, 1.0, 1.0 - warm],
            noise: rng.range(0.8, 5.0),
            blur: rng.range(0.1, 1.1),
            vignette: rng.range(0.0, 0.3),
        },
        texture: rng.bits(),
    }
}

/// Doors with boards over them, pillars, benches, bins and plants, behind and beside the queue.
fn furniture(rng: &mut Rng, place: &Place, keep: &[(V3, f32)], fixtures: &mut Vec<Fixture>) {
    let right = place.track.map_or(place.right, |t| t.edge) - 0.9;
    for _ in 0..rng.below(4) {
        let x = rng.range(place.left + 1.0, right);
        let z = place.depth - 0.05;
        fixtures.push(Fixture::Doorway {
            at: v3(x, 0.0, z),
            yaw: PI,
            wide: rng.range(1.2, 2.2),
            high: rng.range(2.1, 2.6),
        });
        if rng.chance(0.7) {
            let (text, paper) = *rng.pick(&[
                ("PLATFORM 1", [0.08, 0.15, 0.38]),
                ("PLATFORM 4", [0.08, 0.15, 0.38]),
                ("EXIT", [0.05, 0.42, 0.22]),
                ("TRAINS", [0.12, 0.12, 0.13]),
                ("GATE 7", [0.75, 0.60, 0.12]),
            ]);
            fixtures.push(Fixture::Board {
                at: v3(x, 2.9, z - 0.05),
                yaw: PI,
                wide: rng.range(1.3, 2.3),
                high: 0.5,
                text: text.to_owned(),
                ink: [0.95; 3],
                paper,
            });
        }
    }
    for _ in 0..rng.below(6) {
        let at = v3(
            rng.range(place.left + 0.8, right),
            0.0,
            rng.range(9.5, place.depth - 1.0),
        );
        let free = keep.iter().all(|(q, r)| q.ground_distance(at) > r + 0.5);
        if !free {
            continue;
        }
        let tone = rng.range(0.3, 0.7);
        fixtures.push(match rng.below(5) {
            0 => Fixture::Pillar {
                at,
                radius: rng.range(0.2, 0.36),
                height: place.height,
                ink: rng.tint([0.70, 0.71, 0.72], 0.12),
            },
            1 => Fixture::Bench {
                at,
                yaw: rng.range(FRAC_PI_2, PI + FRAC_PI_2),
                ink: rng.tint([0.48, 0.38, 0.28], 0.15),
            },
            2 => Fixture::Plant {
                at,
                seed: rng.bits(),
            },
            _ => Fixture::Bin { at, ink: [tone; 3] },
        });
    }
}

/// Where somebody may be put, away from the queue: evenly over the picture.
fn place_bags(crowd: &mut Crowd<'_>, stage: &Stage) {
    let alone = match crowd.rng.below(20) {
        0..=8 => 0,
        9..=17 => 1,
        _ => 2,
    };
    for _ in 0..alone {
        let Some(at) = crowd.spot(stage, 0.3, 11.5) else {
            continue;
        };
        let far = |p: &PersonAt| p.pose.at.ground_distance(at) > ATTENDED_WITHIN + 0.3;
        if !crowd.shot.people.iter().all(far) {
            continue;
        }
        let mut look = if crowd.rng.chance(0.5) {
            BagLook::random(crowd.rng, BagKind::Suitcase)
        } else {
            BagLook::luggage(crowd.rng)
        };
        look.scale *= crowd.rng.range(0.95, 1.12);
        crowd.bag(look, at);
        crowd.taken.push((at, ATTENDED_WITHIN + 0.3));
    }
}

/// Walkers and people who stand about; some set a bag down beside them.
fn passers_by(crowd: &mut Crowd<'_>, stage: &Stage) {
    let number = match crowd.rng.below(10) {
        0..=3 => 0,
        4..=6 => 1,
        7 | 8 => 2,
        _ => 3 + crowd.rng.below(3),
    };
    for _ in 0..number {
        let Some(at) = crowd.spot(stage, 0.35, 17.0) else {
            return;
        };
        let yaw = crowd.rng.range(0.0, 2.0 * PI);
        let look = Look::random(crowd.rng);
        let mut pose = Pose::standing(at, yaw);
        if crowd.rng.chance(0.7) {
            pose.stride = crowd.rng.range(0.6, 1.1);
            pose.phase = crowd.rng.range(0.0, 2.0 * PI);
        } else {
            crowd.idle_arms(&mut pose);
        }
        let bag = crowd.maybe_bag(&mut pose, 0.45);
        let carries = bag.is_some();
        crowd.person(look, pose, false, bag);
        if !carries && crowd.rng.chance(0.3) {
            let side = *crowd.rng.pick(&[-0.5, 0.5]);
            let beside = Frame::new(at, yaw).p(side, 0.0, crowd.rng.range(-0.2, 0.3));
            if random_place::walkable(&stage.place, beside) {
                let bag = BagLook::luggage(crowd.rng);
                crowd.bag(bag, beside);
            }
        }
    }
}

/// Makes the still with this number of this seed. Queue lengths 0 to 7 are equally likely before hidden people are taken off.
pub fn compose(seed: u64, index: usize, width: u32, height: u32) -> Still {
    let mut rng = Rng::named(
        seed.wrapping_add(index as u64 * 0x1_0000_0001),
        "station-like still",
    );
    let place = place(&mut rng);
    let view = View::new(&place.camera, width, height);
    let quality = 55 + rng.below(41) as u8;
    let at = v3(rng.range(-4.6, -2.4), 0.0, rng.range(5.6, 8.8));
    let yaw = FRAC_PI_2 + rng.range(0.25, 1.1);
    let (mut fixture, mut name) = random_place::queue_fixture(&mut rng, at, yaw);
    while !matches!(fixture, Fixture::Booth { .. }) && rng.chance(0.7) {
        (fixture, name) = random_place::queue_fixture(&mut rng, at, yaw);
    }
    let (head, _) = fixture.queue_head().expect("queue fixtures have a head");
    let gap = rng.range(0.62, 0.92);
    let curve = rng.range(-0.06, 0.06);
    let mut dir = FRAC_PI_2 + rng.range(-0.25, 0.45);
    let (mut slots, mut p) = (Vec::new(), head);
    for _ in 0..LONGEST {
        slots.push((p, dir + PI));
        p = p + v3(dir.sin(), 0.0, dir.cos()) * gap;
        dir += curve;
    }
    let mut taken: Vec<(V3, f32)> = fixture.footprint().into_iter().collect();
    taken.extend(slots.iter().map(|(p, _)| (*p, 0.9)));
    let staff = fixture.staff_place();
    let mut fixtures = vec![fixture];
    if rng.chance(0.75) {
        let ink = *rng.pick(&[
            [0.10, 0.16, 0.42],
            [0.55, 0.08, 0.1],
            [0.1, 0.1, 0.11],
            [0.8, 0.65, 0.1],
        ]);
        let sides: &[f32] = if rng.chance(0.2) {
            &[-0.7, 0.7]
        } else {
            &[0.7]
        };
        for side in sides {
            let mut last: Option<V3> = None;
            for i in (0..3 + rng.below(5))
                .step_by(2)
                .filter(|i| *i < slots.len())
            {
                let (slot, yaw) = slots[i];
                let post = Frame::new(slot, yaw).p(*side, 0.0, -0.35);
                if !random_place::walkable(&place, post) {
                    break;
                }
                fixtures.push(Fixture::Post { at: post });
                if let Some(from) = last {
                    fixtures.push(Fixture::Belt {
                        from,
                        to: post,
                        ink,
                    });
                }
                last = Some(post);
            }
        }
    }
    furniture(&mut rng, &place, &taken, &mut fixtures);
    let length = rng.below(LONGEST + 1);
    let mut stage = Stage::new(
        place,
        Vec::new(),
        Some(name.to_owned()),
        width,
        height,
        false,
    );
    let mut crowd = Crowd {
        rng: &mut rng,
        view,
        taken,
        shot: Shot::default(),
        next: 0,
    };
    crowd
        .taken
        .extend(fixtures.iter().filter_map(Fixture::footprint));
    if let Some((at, yaw)) = staff.filter(|_| crowd.rng.chance(0.8)) {
        let look = Look::officer(crowd.rng);
        let mut pose = Pose::standing(at, yaw + crowd.rng.range(-0.3, 0.3));
        pose.left = Arm::Front;
        pose.right = Arm::Front;
        crowd.person(look, pose, false, None);
    }
    for &(slot, yaw) in slots.iter().take(length) {
        let at = slot + v3(crowd.rng.range(-0.1, 0.1), 0.0, crowd.rng.range(-0.1, 0.1));
        if !random_place::walkable(&stage.place, at) || !crowd.in_picture(at + v3(0.0, 1.0, 0.0)) {
            break;
        }
        let look = Look::random(crowd.rng);
        let mut pose = Pose::standing(at, yaw + crowd.rng.normal() * 0.25);
        crowd.idle_arms(&mut pose);
        if crowd.rng.chance(0.1) {
            // Just coming up.
            pose.stride = crowd.rng.range(0.4, 0.9);
            pose.phase = crowd.rng.range(0.0, 2.0 * PI);
        }
        let bag = crowd.maybe_bag(&mut pose, 0.4);
        crowd.person(look, pose, true, bag);
    }
    place_bags(&mut crowd, &stage);
    passers_by(&mut crowd, &stage);
    let mut shot = crowd.shot;
    shot.frame = index as u64;
    stage.fixtures = fixtures;
    Still {
        stage,
        shot,
        kind: PlaceKind::Platform,
        quality,
        squeeze: 1.0,
    }
}
