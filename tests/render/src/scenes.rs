//! The built-in scripts.

use std::f32::consts::{FRAC_PI_2, PI};

use anyhow::{Result, bail};

use crate::bags::{BagKind, BagLook};
use crate::fixtures::Fixture;
use crate::geom::{Camera, v3};
use crate::look::{Look, Top};
use crate::place::{FloorKind, Light, Place, Surface, WallKind};
use crate::rng::Rng;
use crate::script::{Actor, ActorBag, Script, Waypoint, walk_from, walk_to};
use crate::station::station;

/// Names of the built-in scenes.
pub const NAMES: [&str; 5] = ["station", "doorway", "vest", "empty", "parcel"];

/// The built-in script of this name. The seed changes looks, colours and textures, never times or places.
pub fn by_name(name: &str, seed: u64) -> Result<Script> {
    match name {
        "station" => Ok(station(seed)),
        "doorway" => Ok(doorway(seed)),
        "vest" => Ok(vest(seed)),
        "empty" => Ok(empty(seed)),
        "parcel" => Ok(parcel(seed)),
        _ => bail!(
            "there is no scene '{name}'; built in are {}, or give the path of a script (.json)",
            NAMES.join(", ")
        ),
    }
}

pub(crate) fn actor(id: u32, look: Look, way: Vec<Waypoint>) -> Actor {
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

pub(crate) fn stands(x: f32, z: f32, yaw: f32, until: f32) -> Vec<Waypoint> {
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
        texture: rng.bits(),
        ..Place::hall()
    }
}

/// The same lobby. Somebody in a safety vest stands there until 22 s; somebody
/// without one comes in at 25 s and stays.
fn vest(seed: u64) -> Script {
    let mut script = doorway(seed);
    let door = v3(0.5, 0.0, 8.7);
    let mut dressed = script.actors[0].clone();
    dressed.look.top = Top::Vest;
    dressed.look.top_ink = [0.85, 0.95, 0.1];
    let stand = |t, x, z| Waypoint {
        t,
        x,
        z,
        yaw: Some(PI),
    };
    dressed.way = vec![stand(-1.0, 0.3, 6.0), stand(4.0, 0.3, 6.0)];
    let t = walk_from(
        &mut dressed.way,
        &[v3(0.3, 0.0, 6.0), v3(-1.5, 0.0, 4.4)],
        6.0,
    );
    dressed.way.push(stand(t + 4.0, -1.5, 4.4));
    walk_from(&mut dressed.way, &[v3(-1.5, 0.0, 4.4), door], 18.5);
    let mut plain = script.actors[0].clone();
    plain.id = 2;
    plain.look.top = Top::Jacket;
    plain.look.top_ink = [0.15, 0.18, 0.25];
    plain.way.clear();
    let t = walk_from(&mut plain.way, &[door, v3(0.3, 0.0, 5.0)], 25.0);
    plain.way.push(stand(t + 30.0, 0.3, 5.0));
    script.name = "vest".to_owned();
    script.duration_s = 48.0;
    script.actors = vec![dressed, plain];
    script
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
            seed: rng.bits(),
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
            seed: rng.bits(),
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
        texture: rng.bits(),
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
            seed: rng.bits(),
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
