//! The built-in scripts.

use std::f32::consts::{FRAC_PI_2, PI};

use anyhow::{Result, bail};

use crate::bags::{BagKind, BagLook};
use crate::fixtures::Fixture;
use crate::geom::{Camera, V3, v3};
use crate::person::Look;
use crate::place::{FloorKind, Lamp, Light, Place, Sensor, Surface, Track, WallKind};
use crate::rng::Rng;
use crate::script::{Actor, ActorBag, Line, Member, Script, Waypoint, walk_from, walk_to};

/// Names of the built-in scenes.
pub const NAMES: [&str; 4] = ["station", "doorway", "empty", "parcel"];

/// The built-in script of this name. The seed changes looks, colours and textures, never times or places.
pub fn by_name(name: &str, seed: u64) -> Result<Script> {
    match name {
        "station" => Ok(station(seed)),
        "doorway" => Ok(doorway(seed)),
        "empty" => Ok(empty(seed)),
        "parcel" => Ok(parcel(seed)),
        _ => bail!(
            "there is no scene '{name}'; built in are {}, or give the path of a script (.json)",
            NAMES.join(", ")
        ),
    }
}

fn actor(id: u32, look: Look, way: Vec<Waypoint>) -> Actor {
    Actor {
        id,
        look,
        way,
        queue: None,
        bag: None,
        seated: false,
        busy: false,
    }
}

fn stands(x: f32, z: f32, yaw: f32, until: f32) -> Vec<Waypoint> {
    vec![
        Waypoint {
            t: -1.0,
            x,
            z,
            yaw: Some(yaw),
        },
        Waypoint {
            t: until,
            x,
            z,
            yaw: Some(yaw),
        },
    ]
}

/// A station: passport control with a queue that grows to five and shrinks, then a suitcase left on the platform.
fn station(seed: u64) -> Script {
    let mut rng = Rng::named(seed, "station");
    let duration_s = 150.0;
    let place = Place {
        left: -7.0,
        right: 7.6,
        depth: 17.0,
        height: 5.2,
        floor: Surface {
            kind: FloorKind::Tiles,
            ink: [0.66, 0.64, 0.61],
            second: [0.56, 0.55, 0.52],
            grain: 0.8,
            gloss: 0.16,
        },
        back: Surface {
            kind: WallKind::Windows,
            ink: [0.78, 0.78, 0.76],
            second: [0.42, 0.44, 0.46],
            grain: 1.8,
            gloss: 0.0,
        },
        sides: Surface {
            kind: WallKind::Tiled,
            ink: [0.80, 0.79, 0.75],
            second: [0.45, 0.55, 0.62],
            grain: 0.7,
            gloss: 0.0,
        },
        ceiling: [0.76, 0.77, 0.77],
        open_air: None,
        track: Some(Track {
            edge: 4.0,
            train: Some([8.5, 60.0]),
            train_ink: [0.14, 0.28, 0.50],
        }),
        light: Light {
            ambient: 0.90,
            lamps: vec![
                Lamp {
                    at: v3(-2.0, 5.0, 7.0),
                    power: 0.16,
                    reach: 4.0,
                },
                Lamp {
                    at: v3(1.5, 5.0, 4.0),
                    power: 0.12,
                    reach: 3.0,
                },
                Lamp {
                    at: v3(1.0, 5.0, 13.0),
                    power: 0.14,
                    reach: 4.0,
                },
            ],
            shadow: [0.22, -0.12],
            shadow_depth: 0.22,
        },
        camera: Camera {
            at: v3(0.0, 3.35, -1.6),
            yaw: 0.0,
            pitch: 0.30,
            hfov: 1.16,
        },
        sensor: Sensor {
            noise: 2.6,
            blur: 0.45,
            ..Sensor::default()
        },
        texture: rng.next(),
    };
    let booth = v3(-3.5, 0.0, 7.2);
    let booth_yaw = FRAC_PI_2 + 0.75;
    let fixture = Fixture::Booth {
        at: booth,
        yaw: booth_yaw,
        sign: "PASSPORT CONTROL".to_owned(),
        ink: [0.40, 0.44, 0.52],
    };
    let (head, _) = fixture.queue_head().expect("a booth has a queue");
    let (officer_at, officer_yaw) = fixture.staff_place().expect("a booth has staff");
    let line = Line {
        head,
        out: FRAC_PI_2 + 0.16,
        gap: 0.82,
        entry: vec![v3(1.9, 0.0, 8.6), v3(1.6, 0.0, 16.6)],
        exit: vec![v3(-2.3, 0.0, 9.6), v3(-3.6, 0.0, 16.6)],
    };
    let mut fixtures = vec![fixture];
    // Barrier posts on the far side of the queue.
    let belt_ink = [0.10, 0.16, 0.42];
    let mut last: Option<V3> = None;
    for i in 0..4 {
        let at = line.slot(0)
            + (line.slot(1) - line.slot(0)) * (0.6 + 1.5 * i as f32)
            + v3(0.1, 0.0, 0.75);
        fixtures.push(Fixture::Post { at });
        if let Some(from) = last {
            fixtures.push(Fixture::Belt {
                from,
                to: at,
                ink: belt_ink,
            });
        }
        last = Some(at);
    }
    fixtures.extend([
        Fixture::Doorway {
            at: v3(1.6, 0.0, 16.95),
            yaw: PI,
            wide: 1.8,
            high: 2.4,
        },
        Fixture::Doorway {
            at: v3(-3.6, 0.0, 16.95),
            yaw: PI,
            wide: 1.8,
            high: 2.4,
        },
        Fixture::Board {
            at: v3(1.6, 2.9, 16.9),
            yaw: PI,
            wide: 2.2,
            high: 0.5,
            text: "PLATFORM 2".to_owned(),
            ink: [0.95; 3],
            paper: [0.08, 0.15, 0.38],
        },
        Fixture::Board {
            at: v3(-3.6, 2.9, 16.9),
            yaw: PI,
            wide: 1.6,
            high: 0.5,
            text: "WAY OUT".to_owned(),
            ink: [0.95; 3],
            paper: [0.05, 0.42, 0.22],
        },
        Fixture::Pillar {
            at: v3(-0.9, 0.0, 13.2),
            radius: 0.28,
            height: 5.2,
            ink: [0.70, 0.71, 0.72],
        },
        Fixture::Bench {
            at: v3(-5.6, 0.0, 11.8),
            yaw: FRAC_PI_2 + 0.3,
            ink: [0.50, 0.36, 0.24],
        },
        Fixture::Bin {
            at: v3(-0.4, 0.0, 13.9),
            ink: [0.34, 0.36, 0.38],
        },
        Fixture::Plant {
            at: v3(-5.9, 0.0, 14.6),
            seed: rng.next(),
        },
    ]);

    let members = [
        Member {
            joins: -30.0,
            leaves: 45.0,
        },
        Member {
            joins: -12.0,
            leaves: 48.5,
        },
        Member {
            joins: 12.5,
            leaves: 52.0,
        },
        Member {
            joins: 15.0,
            leaves: 57.0,
        },
        Member {
            joins: 17.5,
            leaves: 104.0,
        },
        Member {
            joins: 93.0,
            leaves: 122.0,
        },
        Member {
            joins: 128.0,
            leaves: 400.0,
        },
    ];
    let mut actors = Vec::new();
    let mut officer = actor(
        1,
        Look::officer(&mut rng),
        stands(officer_at.x, officer_at.z, officer_yaw, 1e4),
    );
    officer.busy = true;
    actors.push(officer);
    for (i, (m, way)) in members.iter().zip(line.ways(&members)).enumerate() {
        let id = 10 + i as u32;
        let mut a = actor(id, Look::random(&mut rng), way);
        a.queue = Some([m.joins, m.leaves]);
        // Three of them have luggage that they never let go.
        let kind = [
            None,
            Some(BagKind::Backpack),
            None,
            Some(BagKind::Handbag),
            None,
            Some(BagKind::Backpack),
            None,
        ][i];
        a.bag = kind.map(|kind| ActorBag {
            id: 50 + id,
            look: BagLook::random(&mut rng, kind),
            left_at: None,
            taken_at: None,
            taken_by: None,
        });
        actors.push(a);
    }

    // The traveller with the suitcase.
    let spot = v3(1.95, 0.0, 3.9);
    let mut way = Vec::new();
    walk_to(
        &mut way,
        &[v3(1.6, 0.0, 16.6), v3(2.5, 0.0, 9.5), spot],
        54.0,
    );
    way.push(Waypoint {
        t: 57.0,
        x: spot.x,
        z: spot.z,
        yaw: None,
    });
    let out = [spot, v3(-0.6, 0.0, 2.3), v3(-3.8, 0.0, 1.2)];
    walk_from(&mut way, &out, 57.0);
    let gone = way.last().map_or(62.0, |w| w.t);
    // Out of view between leaving and coming back.
    way.push(Waypoint {
        t: gone + 0.1,
        x: -9.0,
        z: -6.0,
        yaw: None,
    });
    way.push(Waypoint {
        t: 132.0,
        x: -9.0,
        z: -6.0,
        yaw: None,
    });
    let back: Vec<V3> = out.iter().rev().copied().collect();
    walk_to(&mut way, &back, 139.0);
    way.push(Waypoint {
        t: 141.5,
        x: spot.x,
        z: spot.z,
        yaw: Some(PI),
    });
    walk_from(
        &mut way,
        &[spot, v3(2.5, 0.0, 9.5), v3(1.6, 0.0, 16.6)],
        141.5,
    );
    let mut owner = actor(30, Look::random(&mut rng), way);
    let mut look = BagLook::random(&mut rng, BagKind::Suitcase);
    look.scale = 1.12;
    look.ink = [0.60, 0.10, 0.13];
    owner.bag = Some(ActorBag {
        id: 31,
        look,
        left_at: Some(55.5),
        taken_at: Some(140.0),
        taken_by: None,
    });
    actors.push(owner);

    // Passers-by, far from the suitcase.
    for (i, (path, leave)) in [
        (
            vec![v3(-3.6, 0.0, 16.6), v3(0.4, 0.0, 11.6), v3(1.6, 0.0, 16.6)],
            66.0,
        ),
        (
            vec![v3(1.6, 0.0, 16.6), v3(0.2, 0.0, 10.8), v3(-3.6, 0.0, 16.6)],
            75.0,
        ),
        (
            vec![v3(-3.6, 0.0, 16.6), v3(0.8, 0.0, 12.2), v3(1.6, 0.0, 16.6)],
            113.0,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut way = Vec::new();
        walk_from(&mut way, &path, leave);
        let id = 40 + i as u32;
        let mut a = actor(id, Look::random(&mut rng), way);
        if i == 1 {
            a.bag = Some(ActorBag {
                id: 90,
                look: BagLook::random(&mut rng, BagKind::Backpack),
                left_at: None,
                taken_at: None,
                taken_by: None,
            });
        }
        actors.push(a);
    }
    Script {
        name: "station".to_owned(),
        duration_s,
        place,
        fixtures,
        queue_place: Some("passport control".to_owned()),
        actors,
        flicker: 0.006,
    }
}

fn lobby(rng: &mut Rng) -> Place {
    Place {
        left: -5.0,
        right: 5.0,
        depth: 9.0,
        height: 3.2,
        floor: Surface {
            kind: FloorKind::Boards,
            ink: [0.58, 0.46, 0.34],
            second: [0.48, 0.37, 0.27],
            grain: 0.6,
            gloss: 0.1,
        },
        back: Surface {
            kind: WallKind::Plain,
            ink: [0.80, 0.78, 0.72],
            second: [0.62, 0.62, 0.60],
            grain: 1.0,
            gloss: 0.0,
        },
        sides: Surface {
            kind: WallKind::Plain,
            ink: [0.78, 0.77, 0.73],
            second: [0.62, 0.62, 0.60],
            grain: 1.0,
            gloss: 0.0,
        },
        camera: Camera {
            at: v3(0.6, 2.7, -1.0),
            yaw: -0.05,
            pitch: 0.26,
            hfov: 1.2,
        },
        texture: rng.next(),
        ..Place::hall()
    }
}

/// People enter and leave through a door: in at 4 s, in at 13 s, out at about 24 s.
fn doorway(seed: u64) -> Script {
    let mut rng = Rng::named(seed, "doorway");
    let place = lobby(&mut rng);
    let door = v3(0.5, 0.0, 8.7);
    let fixtures = vec![
        Fixture::Doorway {
            at: v3(0.5, 0.0, 8.95),
            yaw: PI,
            wide: 1.4,
            high: 2.2,
        },
        Fixture::Board {
            at: v3(0.5, 2.55, 8.9),
            yaw: PI,
            wide: 0.9,
            high: 0.3,
            text: "EXIT".to_owned(),
            ink: [0.95; 3],
            paper: [0.05, 0.42, 0.22],
        },
        Fixture::Plant {
            at: v3(-3.0, 0.0, 7.8),
            seed: rng.next(),
        },
        Fixture::Bench {
            at: v3(3.6, 0.0, 6.5),
            yaw: -FRAC_PI_2 - 0.4,
            ink: [0.35, 0.36, 0.38],
        },
    ];
    let mut actors = Vec::new();
    let mut way = Vec::new();
    walk_from(
        &mut way,
        &[door, v3(0.2, 0.0, 4.5), v3(-4.4, 0.0, 1.5)],
        4.0,
    );
    actors.push(actor(1, Look::random(&mut rng), way));
    let mut way = Vec::new();
    let t = walk_from(&mut way, &[door, v3(1.4, 0.0, 4.2)], 13.0);
    let at = Waypoint {
        t: t + 3.0,
        x: 1.4,
        z: 4.2,
        yaw: Some(PI),
    };
    way.push(at);
    walk_from(&mut way, &[v3(1.4, 0.0, 4.2), door], 20.5);
    let mut second = actor(2, Look::random(&mut rng), way);
    second.bag = Some(ActorBag {
        id: 3,
        look: BagLook::random(&mut rng, BagKind::Backpack),
        left_at: None,
        taken_at: None,
        taken_by: None,
    });
    actors.push(second);
    Script {
        name: "doorway".to_owned(),
        duration_s: 30.0,
        place,
        fixtures,
        queue_place: None,
        actors,
        flicker: 0.01,
    }
}

/// Nothing happens but noise and flickering light.
fn empty(seed: u64) -> Script {
    let mut rng = Rng::named(seed, "empty");
    let mut place = lobby(&mut rng);
    place.sensor.noise = 6.0;
    place.camera.at = v3(-1.2, 2.6, -0.8);
    place.camera.yaw = 0.18;
    let fixtures = vec![
        Fixture::Bench {
            at: v3(-2.6, 0.0, 6.8),
            yaw: PI - 0.3,
            ink: [0.5, 0.36, 0.24],
        },
        Fixture::Plant {
            at: v3(2.6, 0.0, 7.6),
            seed: rng.next(),
        },
        Fixture::Bin {
            at: v3(1.0, 0.0, 8.2),
            ink: [0.3, 0.33, 0.36],
        },
        Fixture::Doorway {
            at: v3(-0.5, 0.0, 8.95),
            yaw: PI,
            wide: 1.4,
            high: 2.2,
        },
    ];
    Script {
        name: "empty".to_owned(),
        duration_s: 30.0,
        place,
        fixtures,
        queue_place: None,
        actors: Vec::new(),
        flicker: 0.05,
    }
}

/// A courier leaves a parcel before a house at 9 s; somebody comes out and takes it at 32 s.
fn parcel(seed: u64) -> Script {
    let mut rng = Rng::named(seed, "parcel");
    let place = Place {
        left: -9.0,
        right: 9.0,
        depth: 8.0,
        height: 4.5,
        floor: Surface {
            kind: FloorKind::Paving,
            ink: [0.60, 0.58, 0.55],
            second: [0.50, 0.48, 0.46],
            grain: 0.5,
            gloss: 0.0,
        },
        back: Surface {
            kind: WallKind::Brick,
            ink: [0.56, 0.34, 0.27],
            second: [0.66, 0.62, 0.57],
            grain: 1.0,
            gloss: 0.0,
        },
        sides: Surface {
            kind: WallKind::Brick,
            ink: [0.50, 0.33, 0.28],
            second: [0.62, 0.58, 0.55],
            grain: 1.0,
            gloss: 0.0,
        },
        open_air: Some([0.66, 0.76, 0.90]),
        light: Light {
            ambient: 0.92,
            lamps: Vec::new(),
            shadow: [0.5, 0.25],
            shadow_depth: 0.32,
        },
        camera: Camera {
            at: v3(-1.2, 2.6, 1.0),
            yaw: 0.12,
            pitch: 0.24,
            hfov: 1.25,
        },
        texture: rng.next(),
        ..Place::hall()
    };
    let door = v3(0.0, 0.0, 7.7);
    let step = v3(0.9, 0.0, 6.2);
    let fixtures = vec![
        Fixture::Doorway {
            at: v3(0.0, 0.0, 7.95),
            yaw: PI,
            wide: 1.1,
            high: 2.1,
        },
        Fixture::Plant {
            at: v3(-1.4, 0.0, 7.4),
            seed: rng.next(),
        },
        Fixture::Bin {
            at: v3(3.2, 0.0, 7.3),
            ink: [0.16, 0.30, 0.22],
        },
    ];
    let mut way = Vec::new();
    walk_to(&mut way, &[v3(8.2, 0.0, 4.6), v3(2.4, 0.0, 5.6), step], 8.0);
    way.push(Waypoint {
        t: 10.5,
        x: step.x,
        z: step.z,
        yaw: None,
    });
    walk_from(
        &mut way,
        &[step, v3(2.4, 0.0, 5.2), v3(8.2, 0.0, 4.6)],
        10.5,
    );
    let mut courier = actor(
        1,
        Look {
            top_ink: [0.45, 0.30, 0.16],
            ..Look::random(&mut rng)
        },
        way,
    );
    let mut look = BagLook::random(&mut rng, BagKind::Parcel);
    look.scale = 1.1;
    courier.bag = Some(ActorBag {
        id: 3,
        look,
        left_at: Some(9.0),
        taken_at: Some(32.0),
        taken_by: Some(2),
    });
    let mut way = Vec::new();
    let near = v3(0.45, 0.0, 6.75);
    walk_to(&mut way, &[door, near], 31.0);
    way.push(Waypoint {
        t: 33.0,
        x: near.x,
        z: near.z,
        yaw: None,
    });
    walk_from(&mut way, &[near, door], 33.0);
    let resident = actor(2, Look::random(&mut rng), way);
    Script {
        name: "parcel".to_owned(),
        duration_s: 40.0,
        place,
        fixtures,
        queue_place: None,
        actors: vec![courier, resident],
        flicker: 0.008,
    }
}
