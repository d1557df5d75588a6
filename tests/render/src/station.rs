//! The demo: a station with passport control and a suitcase left on the platform.

use std::f32::consts::{FRAC_PI_2, PI};

use crate::bags::{BagKind, BagLook};
use crate::fixtures::Fixture;
use crate::geom::{Camera, V3, v3};
use crate::look::Look;
use crate::place::{FloorKind, Lamp, Light, Place, Sensor, Surface, Track, WallKind};
use crate::rng::Rng;
use crate::scenes::{actor, stands};
use crate::script::{ActorBag, Line, Member, Script, Waypoint, walk_from, walk_to};

/// A station: passport control with a queue that grows to five and shrinks, then a suitcase left on the platform.
pub(crate) fn station(seed: u64) -> Script {
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
        texture: rng.bits(),
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
            seed: rng.bits(),
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
