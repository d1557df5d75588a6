//! Places at random: rooms, light, cameras and furniture for training pictures.

use std::f32::consts::PI;

use crate::fixtures::Fixture;
use crate::geom::{Camera, V3, v3};
use crate::place::{FloorKind, Lamp, Light, Place, Sensor, Surface, Track, WallKind};
use crate::rng::Rng;
use crate::shape::{Rgb, scale};

/// Kinds of places that the generator knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceKind {
    Concourse,
    Platform,
    Corridor,
    Street,
    Warehouse,
    Lobby,
}

impl PlaceKind {
    pub const ALL: [PlaceKind; 6] = [
        PlaceKind::Concourse,
        PlaceKind::Platform,
        PlaceKind::Corridor,
        PlaceKind::Street,
        PlaceKind::Warehouse,
        PlaceKind::Lobby,
    ];
    pub fn name(self) -> &'static str {
        match self {
            PlaceKind::Concourse => "concourse",
            PlaceKind::Platform => "platform",
            PlaceKind::Corridor => "corridor",
            PlaceKind::Street => "street",
            PlaceKind::Warehouse => "warehouse",
            PlaceKind::Lobby => "lobby",
        }
    }
}

const NEUTRAL: [Rgb; 8] = [
    [0.72, 0.71, 0.68],
    [0.60, 0.58, 0.54],
    [0.82, 0.80, 0.76],
    [0.50, 0.51, 0.52],
    [0.66, 0.60, 0.52],
    [0.40, 0.40, 0.41],
    [0.58, 0.62, 0.64],
    [0.74, 0.66, 0.56],
];
const WALLS: [Rgb; 9] = [
    [0.84, 0.82, 0.77],
    [0.76, 0.78, 0.78],
    [0.66, 0.70, 0.72],
    [0.80, 0.72, 0.60],
    [0.58, 0.36, 0.29],
    [0.50, 0.52, 0.54],
    [0.45, 0.55, 0.58],
    [0.70, 0.62, 0.66],
    [0.36, 0.42, 0.46],
];

/// A room of the kind, seen from a random camera.
pub fn place(rng: &mut Rng, kind: PlaceKind) -> Place {
    let (w, d, h) = match kind {
        PlaceKind::Concourse => (
            rng.range(12.0, 24.0),
            rng.range(12.0, 26.0),
            rng.range(4.0, 8.0),
        ),
        PlaceKind::Platform => (
            rng.range(10.0, 16.0),
            rng.range(20.0, 45.0),
            rng.range(3.5, 6.0),
        ),
        PlaceKind::Corridor => (
            rng.range(2.8, 5.0),
            rng.range(12.0, 26.0),
            rng.range(2.6, 3.4),
        ),
        PlaceKind::Street => (
            rng.range(14.0, 30.0),
            rng.range(10.0, 24.0),
            rng.range(3.5, 9.0),
        ),
        PlaceKind::Warehouse => (
            rng.range(12.0, 22.0),
            rng.range(14.0, 30.0),
            rng.range(5.0, 8.0),
        ),
        PlaceKind::Lobby => (
            rng.range(7.0, 13.0),
            rng.range(8.0, 15.0),
            rng.range(2.8, 4.5),
        ),
    };
    let floor_kinds: &[FloorKind] = match kind {
        PlaceKind::Street => &[FloorKind::Asphalt, FloorKind::Paving, FloorKind::Paving],
        PlaceKind::Warehouse => &[FloorKind::Concrete],
        PlaceKind::Platform => &[
            FloorKind::Concrete,
            FloorKind::Tiles,
            FloorKind::Asphalt,
            FloorKind::Paving,
        ],
        PlaceKind::Corridor | PlaceKind::Lobby => &[
            FloorKind::Carpet,
            FloorKind::Boards,
            FloorKind::Tiles,
            FloorKind::Checker,
            FloorKind::Concrete,
        ],
        PlaceKind::Concourse => &[
            FloorKind::Tiles,
            FloorKind::Tiles,
            FloorKind::Checker,
            FloorKind::Concrete,
        ],
    };
    let ink = *rng.pick(&NEUTRAL);
    let ink = rng.tint(ink, 0.10);
    let floor = Surface {
        kind: *rng.pick(floor_kinds),
        ink,
        second: scale(ink, rng.range(0.7, 0.95)),
        grain: rng.range(0.3, 1.2),
        gloss: if matches!(kind, PlaceKind::Street | PlaceKind::Warehouse) {
            rng.range(0.0, 0.06)
        } else {
            rng.range(0.0, 0.35)
        },
    };
    let wall = |rng: &mut Rng| {
        let kinds: &[WallKind] = match kind {
            PlaceKind::Street => &[
                WallKind::Brick,
                WallKind::Shopfront,
                WallKind::Plain,
                WallKind::Shopfront,
            ],
            PlaceKind::Warehouse => &[WallKind::Corrugated, WallKind::Plain, WallKind::Brick],
            PlaceKind::Platform => &[WallKind::Tiled, WallKind::Brick, WallKind::Panels],
            PlaceKind::Corridor => &[WallKind::Plain, WallKind::Panels, WallKind::Tiled],
            _ => &[
                WallKind::Panels,
                WallKind::Windows,
                WallKind::Tiled,
                WallKind::Plain,
                WallKind::Shopfront,
            ],
        };
        let base = *rng.pick(&WALLS);
        let ink = rng.tint(base, 0.08);
        Surface {
            kind: *rng.pick(kinds),
            ink,
            second: scale(ink, rng.range(0.5, 0.9)),
            grain: rng.range(0.6, 2.2),
            gloss: 0.0,
        }
    };
    let back = wall(rng);
    let sides = wall(rng);
    let night = rng.chance(0.16);
    let ambient = if night {
        rng.range(0.22, 0.42)
    } else {
        rng.range(0.6, 1.0)
    };
    let lamps = (0..rng.below(if night { 4 } else { 7 }) + usize::from(night))
        .map(|_| Lamp {
            at: v3(rng.range(-w / 2.0, w / 2.0), h, rng.range(0.0, d)),
            power: rng.range(0.08, 0.35) * if night { 1.6 } else { 1.0 },
            reach: rng.range(1.5, 5.0),
        })
        .collect();
    let open = kind == PlaceKind::Street || (kind == PlaceKind::Platform && rng.chance(0.5));
    let camera_height = match kind {
        PlaceKind::Corridor => rng.range(2.0, h - 0.25),
        PlaceKind::Lobby => rng.range(1.6, h - 0.3),
        _ => rng.range(1.7, (h - 0.3).min(5.2)),
    };
    // The optical axis meets the floor (or chest height) a few metres off.
    let aim = rng.range(4.0, 9.5);
    let pitch = ((camera_height - rng.range(0.5, 1.4)) / aim).atan();
    let camera = Camera {
        at: v3(
            rng.range(-w * 0.3, w * 0.3),
            camera_height,
            rng.range(-1.0, 0.6),
        ),
        yaw: rng.range(-0.45, 0.45)
            * if kind == PlaceKind::Corridor {
                0.4
            } else {
                1.0
            },
        pitch,
        hfov: rng.range(0.85, 1.5),
    };
    let edge = w / 2.0 - rng.range(3.4, 4.2);
    let track = (kind == PlaceKind::Platform).then(|| {
        let z0 = rng.range(-5.0, 8.0);
        Track {
            edge,
            train: rng.chance(0.45).then(|| [z0, z0 + rng.range(20.0, 60.0)]),
            train_ink: *rng.pick(&[
                [0.12, 0.25, 0.5],
                [0.65, 0.12, 0.14],
                [0.72, 0.73, 0.74],
                [0.15, 0.4, 0.25],
                [0.85, 0.55, 0.1],
            ]),
        }
    });
    let grey = if night {
        rng.chance(0.45)
    } else {
        rng.chance(0.08)
    };
    let warm = rng.range(-0.12, 0.12);
    let sensor = Sensor {
        gain: rng.range(0.85, 1.2) * if night { 1.35 } else { 1.0 },
        gamma: rng.range(0.8, 1.3),
        saturation: if grey { 0.0 } else { rng.range(0.55, 1.15) },
        cast: [1.0 + warm, 1.0 + rng.range(-0.04, 0.04), 1.0 - warm],
        noise: if night {
            rng.range(4.0, 14.0)
        } else {
            rng.range(0.5, 6.0)
        },
        blur: rng.range(0.0, 1.6),
        vignette: rng.range(0.0, 0.4),
    };
    let sun = open && !night;
    let turn = rng.range(0.0, 2.0 * PI);
    let long = if sun {
        rng.range(0.4, 1.3)
    } else {
        rng.range(0.1, 0.5)
    };
    Place {
        left: -w / 2.0,
        right: w / 2.0,
        depth: d,
        height: h,
        floor,
        back,
        sides,
        ceiling: rng.tint([0.78, 0.78, 0.77], 0.1),
        open_air: open.then(|| {
            if night {
                [0.05, 0.06, 0.10]
            } else {
                rng.tint([0.62, 0.74, 0.90], 0.12)
            }
        }),
        track,
        light: Light {
            ambient,
            lamps,
            shadow: [turn.cos() * long, turn.sin() * long],
            shadow_depth: if sun {
                rng.range(0.2, 0.5)
            } else {
                rng.range(0.05, 0.28)
            },
        },
        camera,
        sensor,
        texture: rng.bits(),
    }
}

/// The floor that people and things may stand on.
pub fn walkable(place: &Place, p: V3) -> bool {
    let right = place.track.map_or(place.right, |t| t.edge - 0.3);
    p.x > place.left + 0.5
        && p.x < right - 0.3
        && p.z > place.camera.at.z + 1.2
        && p.z < place.depth - 0.5
}

/// A place to queue at, roughly before the camera. Returns the fixture and its name in rules.
pub fn queue_fixture(rng: &mut Rng, at: V3, yaw: f32) -> (Fixture, &'static str) {
    let ink = rng.tint([0.42, 0.44, 0.48], 0.3);
    let wood = rng.tint([0.55, 0.42, 0.30], 0.2);
    let names: [(&str, &str, u8); 10] = [
        ("passport control", "PASSPORT CONTROL", 0),
        ("passport control", "PASSPORTS", 0),
        ("ticket counter", "TICKETS", 1),
        ("information desk", "INFORMATION", 1),
        ("check-in desk", "CHECK-IN", 1),
        ("reception", "RECEPTION", 1),
        ("checkout", "PAY HERE", 1),
        ("ticket machine", "TICKETS", 2),
        ("security booth", "SECURITY", 0),
        ("ticket counter", "TICKETS 2", 0),
    ];
    let (name, sign, form) = *rng.pick(&names);
    let sign = sign.to_owned();
    let ink = if rng.chance(0.4) { wood } else { ink };
    let fixture = match form {
        0 => Fixture::Booth { at, yaw, sign, ink },
        1 => Fixture::Desk { at, yaw, sign, ink },
        _ => Fixture::Machine { at, yaw, sign, ink },
    };
    (fixture, name)
}

/// Clutter: something that belongs into the kind of place.
pub fn clutter(rng: &mut Rng, kind: PlaceKind, place: &Place, at: V3) -> Fixture {
    let yaw = PI + rng.range(-1.2, 1.2);
    let paint = *rng.pick(&WALLS);
    let ink = rng.tint(paint, 0.15);
    let roll = rng.below(12);
    match (kind, roll) {
        (PlaceKind::Warehouse, 0..=6) => Fixture::Shelf {
            at,
            yaw,
            seed: rng.bits(),
        },
        (PlaceKind::Corridor, 0..=8) => {
            if rng.chance(0.5) {
                Fixture::Plant {
                    at,
                    seed: rng.bits(),
                }
            } else {
                Fixture::Bin {
                    at,
                    ink: scale(ink, 0.6),
                }
            }
        }
        (_, 0..=3) => {
            let wood = *rng.pick(&[
                [0.52, 0.36, 0.22],
                [0.35, 0.36, 0.38],
                [0.20, 0.34, 0.28],
                [0.6, 0.6, 0.62],
            ]);
            Fixture::Bench {
                at,
                yaw,
                ink: rng.tint(wood, 0.12),
            }
        }
        (_, 4 | 5) => Fixture::Pillar {
            at,
            radius: rng.range(0.18, 0.4),
            height: if place.open_air.is_some() {
                rng.range(2.5, 5.0)
            } else {
                place.height
            },
            ink,
        },
        (_, 6) => Fixture::Plant {
            at,
            seed: rng.bits(),
        },
        (_, 7) => Fixture::Bin {
            at,
            ink: scale(ink, 0.6),
        },
        (_, 8) => Fixture::Trolley { at, yaw },
        (_, 9) => Fixture::Post { at },
        _ => {
            let (text, paper, text_ink) = rng
                .pick(&[
                    ("PLATFORM 2", [0.08, 0.15, 0.38], [0.95; 3]),
                    ("EXIT", [0.05, 0.42, 0.22], [0.95; 3]),
                    ("GATE 7", [0.93, 0.78, 0.15], [0.1; 3]),
                    ("WAY OUT", [0.12, 0.12, 0.13], [0.95, 0.8, 0.2]),
                    ("SALE", [0.75, 0.12, 0.15], [0.95; 3]),
                ])
                .to_owned();
            Fixture::Board {
                at: v3(at.x, rng.range(2.5, 3.2).min(place.height - 0.4), at.z),
                yaw: PI,
                wide: rng.range(1.2, 2.4),
                high: 0.5,
                text: text.to_owned(),
                ink: text_ink,
                paper,
            }
        }
    }
}
