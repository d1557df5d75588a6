//! A shot: who and what is in a place at one moment; and its picture with labels.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tiny_skia::Pixmap;

use crate::backdrop;
use crate::bags::{self, BagAt, BagKind};
use crate::canvas::{self, Seen};
use crate::fixtures::Fixture;
use crate::geom::{V3, View, v3};
use crate::look::{Hair, Look, Top};
use crate::person::{self, Pose};
use crate::place::Place;
use crate::sensor::Developer;
use crate::shape::{Entity, Label};

/// Things hidden more than this are neither labelled nor counted.
pub const HIDDEN_LIMIT: f32 = 0.70;
/// Nor are things narrower or lower than this, pixels.
pub const SMALLEST: i32 = 4;
/// A bag is attended while a visible person is within this, metres.
pub const ATTENDED_WITHIN: f32 = 2.0;

/// A person in a shot.
#[derive(Debug, Clone, Copy)]
pub struct PersonAt {
    pub id: u32,
    pub look: Look,
    pub pose: Pose,
    /// Stands in the queue.
    pub queueing: bool,
    /// Pulls or carries this bag in the right hand, or wears it.
    pub bag: Option<(u32, bags::BagLook)>,
}

/// Everybody and everything that moves.
#[derive(Debug, Clone, Default)]
pub struct Shot {
    pub people: Vec<PersonAt>,
    pub bags: Vec<BagAt>,
    /// Frame number: chooses the noise.
    pub frame: u64,
    /// Brightness factor of flickering light.
    pub flicker: f32,
}

/// A labelled box, 0..1 of the picture, origin top left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Boxed {
    pub label: String,
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
    /// Hard hat and vest of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attr: Option<Attr>,
    /// Of people, where a place to queue at is in view: whether they queue there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_queue: Option<bool>,
    /// Of bags other than parcels: whether nobody has it and nobody visible is near.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unattended: Option<bool>,
}

/// Attributes of a person box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attr {
    pub hard_hat: bool,
    pub safety_vest: bool,
}

/// What is true of a picture as a whole. Counts are of labelled (visible) things only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// People in the queue; `null` when no place to queue at is in view.
    pub in_queue: Option<u32>,
    pub unattended_bags: u32,
    pub queue_place: Option<String>,
    pub people: u32,
    pub bags: u32,
}

/// One labelled thing and the number of its person or bag in the shot.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub label: Label,
    pub id: Option<u32>,
    pub boxed: Boxed,
    pub hidden: f32,
}

/// Labels of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    pub found: Vec<Found>,
    pub facts: Facts,
}

/// Draws shots of one place with fixed furniture.
pub struct Stage {
    pub place: Place,
    pub fixtures: Vec<Fixture>,
    pub view: View,
    /// Name of the place where people queue, when there is one.
    pub queue_place: Option<String>,
    empty: Arc<Pixmap>,
    developer: Developer,
}

impl Stage {
    /// Traces the empty place once; `fine` with twice the rays.
    pub fn new(
        place: Place,
        fixtures: Vec<Fixture>,
        queue_place: Option<String>,
        width: u32,
        height: u32,
        fine: bool,
    ) -> Self {
        let view = View::new(&place.camera, width, height);
        let mut empty = Pixmap::new(width, height).expect("a picture has a size");
        for (pixel, ink) in empty
            .data_mut()
            .chunks_exact_mut(4)
            .zip(backdrop::render(&place, &view, fine))
        {
            for k in 0..3 {
                pixel[k] = (ink[k].clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
            }
            pixel[3] = 255;
        }
        let developer = Developer::new(&place.sensor, width, height, place.texture);
        Self {
            place,
            fixtures,
            view,
            queue_place,
            empty: Arc::new(empty),
            developer,
        }
    }

    fn entities(&self, shot: &Shot) -> Vec<Entity> {
        let mut out = Vec::new();
        for f in &self.fixtures {
            f.build(&self.view, &mut out);
        }
        for p in &shot.people {
            let (body, joints) = person::build(&p.look, &p.pose, &self.view, p.id);
            out.push(body);
            if let Some((id, look)) = p.bag {
                out.push(bags::build(&held(p, id, look, &joints), &self.view));
            }
        }
        for b in &shot.bags {
            out.push(bags::build(b, &self.view));
        }
        out
    }

    /// Renders a shot; with `label`, also its truth.
    pub fn render(&self, shot: &Shot, label: bool) -> (Pixmap, Option<Truth>) {
        let entities = self.entities(shot);
        let mut pix = canvas::paint(&self.empty, &self.view, &self.place, &entities);
        self.developer.develop(
            &mut pix,
            shot.frame,
            if shot.flicker > 0.0 {
                shot.flicker
            } else {
                1.0
            },
        );
        let truth =
            label.then(|| self.truth(shot, &entities, &canvas::account(&self.view, &entities)));
        (pix, truth)
    }

    /// The truth of a shot; its pixels are not kept.
    pub fn label(&self, shot: &Shot) -> Truth {
        let entities = self.entities(shot);
        let seen = canvas::account(&self.view, &entities);
        self.truth(shot, &entities, &seen)
    }

    fn truth(&self, shot: &Shot, entities: &[Entity], seen: &[Seen]) -> Truth {
        let (w, h) = (self.view.width, self.view.height);
        let mut found = Vec::new();
        for (e, s) in entities.iter().zip(seen) {
            let (Some(label), Some((l, t, r, b))) = (e.label, s.bounds) else {
                continue;
            };
            if s.hidden() > HIDDEN_LIMIT || r - l < SMALLEST || b - t < SMALLEST {
                continue;
            }
            let attr = match (label, e.owner) {
                (Label::Person, Some(id)) => {
                    shot.people.iter().find(|p| p.id == id).map(|p| Attr {
                        hard_hat: p.look.hair == Hair::HardHat,
                        safety_vest: p.look.top == Top::Vest,
                    })
                }
                _ => None,
            };
            let boxed = Boxed {
                label: label.name().to_owned(),
                x: l as f32 / w,
                y: t as f32 / h,
                w: (r - l) as f32 / w,
                h: (b - t) as f32 / h,
                attr,
                in_queue: None,
                unattended: None,
            };
            found.push(Found {
                label,
                id: e.owner,
                boxed,
                hidden: s.hidden(),
            });
        }
        let visible = |id: u32, person: bool| {
            found
                .iter()
                .any(|f| f.id == Some(id) && (f.label == Label::Person) == person)
        };
        let alone: Vec<u32> = shot
            .bags
            .iter()
            .filter(|b| visible(b.id, false) && b.look.kind != BagKind::Parcel)
            .filter(|b| b.hand.is_none() && !b.worn)
            .filter(|b| {
                !shot.people.iter().any(|p| {
                    visible(p.id, true) && p.pose.at.ground_distance(b.at) <= ATTENDED_WITHIN
                })
            })
            .map(|b| b.id)
            .collect();
        let in_queue: Vec<u32> = shot
            .people
            .iter()
            .filter(|p| p.queueing && visible(p.id, true))
            .map(|p| p.id)
            .collect();
        let queues = self.queue_place.is_some();
        for f in &mut found {
            let among = |ids: &[u32]| f.id.is_some_and(|id| ids.contains(&id));
            if f.label == Label::Person {
                f.boxed.in_queue = queues.then(|| among(&in_queue));
            } else if f.label.is_bag() {
                f.boxed.unattended = Some(among(&alone));
            }
        }
        let facts = Facts {
            in_queue: queues.then_some(in_queue.len() as u32),
            unattended_bags: alone.len() as u32,
            queue_place: self.queue_place.clone(),
            people: found.iter().filter(|f| f.label == Label::Person).count() as u32,
            bags: found.iter().filter(|f| f.label.is_bag()).count() as u32,
        };
        Truth { found, facts }
    }
}

/// Where a bag comes to stand when this person lets it go now, and how it is turned.
pub fn put_down(p: &PersonAt, look: bags::BagLook) -> (V3, f32) {
    // Joints do not depend on the view; any will do.
    let view = View::new(&Place::hall().camera, 64, 64);
    let (_, joints) = person::build(&p.look, &p.pose, &view, p.id);
    let bag = held(p, 0, look, &joints);
    (v3(bag.at.x, 0.0, bag.at.z), bag.yaw)
}

/// Where a bag is while its owner has it.
fn held(p: &PersonAt, id: u32, look: bags::BagLook, joints: &person::Joints) -> BagAt {
    let (fwd, _) = crate::geom::facing(p.pose.yaw);
    let size = look.kind.size() * look.scale;
    let hand = joints.right_hand;
    let (at, yaw, hand_at, worn) = match look.kind {
        BagKind::Suitcase => {
            // Rolls behind the hand.
            let base = v3(hand.x, 0.0, hand.z) - fwd * (0.12 + 0.2 * p.pose.stride);
            (base, p.pose.yaw, Some(hand), false)
        }
        BagKind::Backpack => (
            joints.back - v3(0.0, size.y * 0.62, 0.0) - fwd * 0.03,
            p.pose.yaw + std::f32::consts::PI,
            None,
            true,
        ),
        // Before the chest; goes down to the floor with the body.
        BagKind::Parcel => {
            let reach = fwd * (0.38 + 0.22 * p.pose.bend);
            (
                v3(p.pose.at.x, 0.95 * (1.0 - p.pose.bend), p.pose.at.z) + reach,
                p.pose.yaw,
                None,
                true,
            )
        }
        BagKind::Duffel | BagKind::Handbag => {
            let y = (hand.y - size.y - 0.10).max(0.0);
            (
                v3(hand.x, y, hand.z),
                p.pose.yaw + std::f32::consts::FRAC_PI_2,
                Some(hand),
                false,
            )
        }
    };
    BagAt {
        id,
        look,
        at,
        yaw,
        hand: hand_at,
        worn,
        handle_out: true,
    }
}
