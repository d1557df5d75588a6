//! Who or what changes a picture: found by trying places until the size is right.

use std::f32::consts::PI;

use super::{Kind, Rect};
use crate::bags::{BagAt, BagKind, BagLook};
use crate::geom::v3;
use crate::look::{Hair, Look};
use crate::person::Pose;
use crate::random_place::walkable;
use crate::rng::Rng;
use crate::shot::{Found, PersonAt, Shot, Stage};

const ID: u32 = 7;

/// Something that is in the picture with the change and not without it.
pub(super) struct Subject {
    /// All that it touches.
    pub rect: Rect,
    thing: Thing,
}

enum Thing {
    Person { look: Look, from: Pose, to: Pose },
    Bag(BagAt),
}

/// The boxes' common outline.
pub(super) fn union<'a>(found: impl Iterator<Item = &'a Found>) -> Option<Rect> {
    found
        .map(|f| {
            let b = &f.boxed;
            [b.x, b.y, b.x + b.w, b.y + b.h]
        })
        .reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].min(b[1]),
                a[2].max(b[2]),
                a[3].max(b[3]),
            ]
        })
}

fn shot_of(thing: &Thing, k: f32, mut shot: Shot) -> Shot {
    match thing {
        Thing::Person { look, from, to } => shot.people.push(PersonAt {
            id: ID,
            look: *look,
            pose: Pose {
                at: from.at.lerp(to.at, k),
                phase: from.phase + k * (to.phase - from.phase),
                ..*from
            },
            queueing: false,
            bag: None,
        }),
        Thing::Bag(bag) => shot.bags.push(*bag),
    }
    shot
}

/// Share of the picture that the box takes.
fn sizes(kind: Kind) -> [f32; 2] {
    match kind {
        Kind::Passing => [0.015, 0.12],
        Kind::Bag | Kind::Gone => [0.002, 0.004],
        Kind::TinyThing => [0.0007, 0.0014],
        Kind::Speck => [0.0002, 0.0004],
        Kind::Night | Kind::LowContrast | Kind::Faint => [0.007, 0.025],
        _ => [0.007, 0.014],
    }
}

impl Subject {
    /// Tries places on the floor until something of the kind's size is in view.
    pub fn find(kind: Kind, stage: &Stage, rng: &mut Rng) -> Option<Self> {
        let place = &stage.place;
        let [least, most] = sizes(kind);
        for _ in 0..40 {
            let at = v3(
                rng.range(place.left, place.right),
                0.0,
                rng.range(place.camera.at.z + 1.2, place.depth - 0.5),
            );
            if !walkable(place, at) {
                continue;
            }
            let yaw = PI + rng.range(-2.0, 2.0);
            let thing = match kind {
                Kind::Bag | Kind::Gone | Kind::TinyThing | Kind::Speck => {
                    let kinds = match kind {
                        Kind::TinyThing | Kind::Speck => {
                            [BagKind::Handbag, BagKind::Parcel, BagKind::Backpack]
                        }
                        _ => [BagKind::Suitcase, BagKind::Duffel, BagKind::Backpack],
                    };
                    let bag = *rng.pick(&kinds);
                    Thing::Bag(BagAt {
                        id: ID,
                        look: BagLook::random(rng, bag),
                        at,
                        yaw,
                        hand: None,
                        worn: false,
                        handle_out: false,
                    })
                }
                _ => {
                    let mut look = Look::random(rng);
                    if matches!(kind, Kind::LowContrast | Kind::Faint) {
                        dress(&mut look, stage, rng);
                    }
                    let from = Pose::standing(at, yaw);
                    let mut to = from;
                    match kind {
                        Kind::Passing => {
                            to.at.x = place.left + place.right - at.x;
                            to.phase = from.phase + 40.0;
                        }
                        Kind::SlowWalk => to.at.x += 0.5 * rng.pick(&[-1.0, 1.0]),
                        _ => {}
                    }
                    let walks = Pose {
                        stride: f32::from(kind == Kind::Passing) * 0.9,
                        ..from
                    };
                    if kind == Kind::Passing && (to.at.x - at.x).abs() < 3.0 {
                        continue;
                    }
                    Thing::Person {
                        look,
                        from: walks,
                        to,
                    }
                }
            };
            let seen_at = |k: f32| {
                let truth = stage.label(&shot_of(&thing, k, Shot::default()));
                union(truth.found.iter().filter(|f| f.id == Some(ID)))
            };
            // All the way.
            let ways: [Option<Rect>; 9] = std::array::from_fn(|n| seen_at(n as f32 / 8.0));
            let area = |r: &Rect| (r[2] - r[0]) * (r[3] - r[1]);
            // Somebody who passes may come from beyond the edge.
            let Some(judged) = (match kind {
                Kind::Passing => ways[4],
                _ => ways[0],
            }) else {
                continue;
            };
            let whole = judged[0] > 0.01 && judged[2] < 0.99 && judged[3] < 0.99;
            if !whole || !(least..most).contains(&area(&judged)) {
                continue;
            }
            let rect = ways.into_iter().flatten().reduce(|a, b| {
                [
                    a[0].min(b[0]),
                    a[1].min(b[1]),
                    a[2].max(b[2]),
                    a[3].max(b[3]),
                ]
            })?;
            return Some(Self { rect, thing });
        }
        None
    }

    /// The shot with it, and how much of it is to be seen, 0..1, when `progress` of the change is done.
    pub fn shown(&self, kind: Kind, progress: f32, shot: Shot) -> (Shot, f32) {
        let there = match kind {
            Kind::Gone => 1.0 - progress,
            Kind::FadeIn => progress,
            Kind::SlowWalk => 1.0,
            Kind::Passing => f32::from(progress > 0.0 && progress < 1.0),
            _ => f32::from(progress > 0.0),
        };
        (shot_of(&self.thing, progress, shot), there)
    }
}

/// All in one dark ink, hooded.
fn dress(look: &mut Look, stage: &Stage, rng: &mut Rng) {
    let floor = stage.place.floor.ink;
    let grey = (0.3 * floor[0] + 0.6 * floor[1] + 0.1 * floor[2]) * rng.range(0.55, 0.9);
    let ink = [grey, grey, grey * 1.05];
    look.hair = Hair::Hood;
    look.hair_ink = ink;
    look.skin = ink;
    look.top_ink = ink;
    look.under_ink = ink;
    look.bottom_ink = ink;
    look.shoe_ink = ink;
    look.striped = false;
}
