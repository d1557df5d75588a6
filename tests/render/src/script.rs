//! A script: who goes where and when. Data, readable and writable as JSON.

use std::f32::consts::{FRAC_PI_2, TAU};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::bags::{BagAt, BagKind, BagLook};
use crate::fixtures::Fixture;
use crate::geom::{V3, v3};
use crate::look::Look;
use crate::person::{Arm, Pose};
use crate::place::Place;
use crate::rng::Rng;
use crate::shot::{self, PersonAt, Shot};

/// A scripted clip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    pub name: String,
    /// Seconds.
    pub duration_s: f32,
    pub place: Place,
    pub fixtures: Vec<Fixture>,
    /// Where people queue, in the words of a rule.
    pub queue_place: Option<String>,
    pub actors: Vec<Actor>,
    /// Depth of the light's flicker, 0..1 of the brightness.
    #[serde(default)]
    pub flicker: f32,
}

/// Somebody in a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    /// Unique in the script; not 0.
    pub id: u32,
    pub look: Look,
    /// Where he or she is when, in order of time. Absent before the first point and after the last.
    pub way: Vec<Waypoint>,
    /// From when to when he or she stands in the queue, seconds.
    #[serde(default)]
    pub queue: Option<[f32; 2]>,
    #[serde(default)]
    pub bag: Option<ActorBag>,
    #[serde(default)]
    pub seated: bool,
    /// Both forearms up: works behind a counter, or holds something.
    #[serde(default)]
    pub busy: bool,
}

/// A place on the floor at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Waypoint {
    /// Seconds.
    pub t: f32,
    /// Metres.
    pub x: f32,
    pub z: f32,
    /// Faces this way while standing from here on, radians; else the way it came.
    #[serde(default)]
    pub yaw: Option<f32>,
}

/// The bag that an actor brings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ActorBag {
    /// Unique among actors and bags.
    pub id: u32,
    pub look: BagLook,
    /// Seconds; put down then and there.
    #[serde(default)]
    pub left_at: Option<f32>,
    /// Seconds; taken up again by whoever is `taken_by`.
    #[serde(default)]
    pub taken_at: Option<f32>,
    /// Somebody else takes it; the owner does when absent.
    #[serde(default)]
    pub taken_by: Option<u32>,
}

/// Time to bend down or up again, seconds.
const BEND_S: f32 = 0.9;
/// Length of a full step (two feet) of a person 1.75 m tall, metres.
const STRIDE_M: f32 = 1.38;

impl Actor {
    /// Position, speed and direction at `t`, if present.
    fn place(&self, t: f32) -> Option<(V3, f32, f32, f32)> {
        let (first, last) = (self.way.first()?, self.way.last()?);
        if t < first.t || t > last.t {
            return None;
        }
        let mut walked = 0.0;
        let mut yaw = first.yaw.unwrap_or(0.0);
        for pair in self.way.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            let (pa, pb) = (v3(a.x, 0.0, a.z), v3(b.x, 0.0, b.z));
            let length = pa.ground_distance(pb);
            let moves = length > 0.05;
            if moves {
                yaw = (b.x - a.x).atan2(b.z - a.z);
            } else if let Some(y) = a.yaw {
                yaw = y;
            }
            if t <= b.t {
                let k = ((t - a.t) / (b.t - a.t).max(1e-3)).clamp(0.0, 1.0);
                let speed = if moves {
                    length / (b.t - a.t).max(1e-3)
                } else {
                    0.0
                };
                return Some((pa.lerp(pb, k), speed, yaw, walked + length * k));
            }
            walked += length;
            if let Some(y) = b.yaw {
                yaw = y;
            }
        }
        Some((v3(last.x, 0.0, last.z), 0.0, yaw, walked))
    }

    /// Where and how the actor is at `t`, if present.
    pub fn pose(&self, t: f32) -> Option<Pose> {
        let (at, _, _, walked) = self.place(t)?;
        // Turns and starts take half a second.
        let (mut s, mut c, mut speed) = (0.0, 0.0, 0.0);
        for i in -2..=2 {
            let (_, v, yaw, _) = self.place(t + 0.12 * i as f32).or_else(|| self.place(t))?;
            s += yaw.sin();
            c += yaw.cos();
            speed += v / 5.0;
        }
        let stride = (speed / 1.25).clamp(0.0, 1.1);
        let phase = walked * TAU / (STRIDE_M * self.look.height / 1.75);
        let own = self.id as f32 * 2.39;
        let idle = 1.0 - stride.min(1.0);
        let mut pose = Pose {
            phase,
            stride,
            seated: self.seated,
            ..Pose::standing(at, s.atan2(c) + 0.12 * idle * (t * 0.23 + own).sin())
        };
        pose.head_yaw = 0.45 * idle * (t * 0.31 + own * 1.7).sin();
        if idle > 0.8 && (self.busy || (t * 0.11 + own).sin() > 0.35) {
            pose.left = Arm::Front;
        }
        if self.busy {
            pose.right = Arm::Front;
        }
        Some(pose)
    }
}

/// How far somebody is bent who puts down or takes up something at `at`.
fn bend(t: f32, at: Option<f32>) -> f32 {
    at.map_or(0.0, |at| {
        let k = 1.0 - ((t - at).abs() / BEND_S).min(1.0);
        k * k * (3.0 - 2.0 * k)
    })
}

impl Script {
    /// Finds what would draw nonsense: times out of order, ids used twice.
    pub fn check(&self) -> Result<()> {
        if !(self.duration_s > 0.0 && self.duration_s <= 3600.0) {
            bail!(
                "script '{}': duration_s is {}; it must be above 0 and at most 3600",
                self.name,
                self.duration_s
            );
        }
        let (camera, place) = (&self.place.camera, &self.place);
        if !(0.2..=2.6).contains(&camera.hfov) {
            bail!(
                "script '{}': camera hfov is {} rad; it must lie in 0.2..2.6",
                self.name,
                camera.hfov
            );
        }
        if camera.at.y <= 0.1
            || place.right <= place.left
            || place.depth <= 0.0
            || place.height <= 0.0
        {
            bail!(
                "script '{}': the camera must stand above the floor, and the place must have a size",
                self.name
            );
        }
        let mut ids: Vec<u32> = Vec::new();
        for a in &self.actors {
            ids.push(a.id);
            ids.extend(a.bag.map(|b| b.id));
            if a.way.is_empty() {
                bail!("script '{}': actor {} has no waypoints", self.name, a.id);
            }
            if let Some(p) = a.way.windows(2).find(|p| p[1].t < p[0].t) {
                bail!(
                    "script '{}': actor {} goes back in time at {} s (after {} s)",
                    self.name,
                    a.id,
                    p[1].t,
                    p[0].t
                );
            }
            if a.way
                .iter()
                .any(|w| ![w.t, w.x, w.z].iter().all(|v| v.is_finite()))
            {
                bail!(
                    "script '{}': actor {} has a waypoint that is no number",
                    self.name,
                    a.id
                );
            }
            if let Some(by) = a.bag.and_then(|b| b.taken_by)
                && !self.actors.iter().any(|o| o.id == by)
            {
                bail!(
                    "script '{}': bag of actor {} is taken by {by}, who is not in the script",
                    self.name,
                    a.id
                );
            }
        }
        ids.sort_unstable();
        if let Some(p) = ids.windows(2).find(|p| p[0] == p[1]) {
            bail!(
                "script '{}': id {} is used twice; actors and bags share one range of ids",
                self.name,
                p[0]
            );
        }
        Ok(())
    }

    /// How many stand in the queue at `t`, as scripted.
    pub fn queue_at(&self, t: f32) -> u32 {
        self.actors
            .iter()
            .filter(|a| a.queue.is_some_and(|[from, to]| (from..to).contains(&t)))
            .count() as u32
    }

    fn person(&self, a: &Actor, t: f32) -> Option<PersonAt> {
        let mut pose = a.pose(t)?;
        let mut bag = None;
        let own = a.bag.map(|b| (b, true));
        let foreign = self.actors.iter().filter_map(|o| {
            o.bag
                .filter(|b| b.taken_by == Some(a.id))
                .map(|b| (b, false))
        });
        for (b, mine) in own.into_iter().chain(foreign) {
            let takes = if mine { b.taken_by.is_none() } else { true };
            let down = if mine { bend(t, b.left_at) } else { 0.0 };
            let up = if takes { bend(t, b.taken_at) } else { 0.0 };
            let low = b.look.kind != BagKind::Suitcase;
            let k = down.max(up) * if low { 1.0 } else { 0.35 };
            pose.bend = pose.bend.max(k);
            let before = mine && b.left_at.is_none_or(|l| t < l);
            let after = takes && b.taken_at.is_some_and(|l| t >= l);
            if k > 0.3 && low {
                pose.right = Arm::Reach;
            }
            if before || after {
                bag = Some((b.id, b.look));
                match b.look.kind {
                    BagKind::Suitcase => {
                        pose.right = if pose.stride > 0.3 {
                            Arm::Pull
                        } else {
                            Arm::Carry
                        }
                    }
                    BagKind::Parcel => {
                        pose.left = Arm::Front;
                        pose.right = Arm::Front;
                    }
                    BagKind::Backpack => {}
                    _ if k <= 0.3 => pose.right = Arm::Carry,
                    _ => {}
                }
            }
        }
        let queueing = a.queue.is_some_and(|[from, to]| (from..to).contains(&t));
        Some(PersonAt {
            id: a.id,
            look: a.look,
            pose,
            queueing,
            bag,
        })
    }

    /// The bag of `a` when it stands alone at `t`: where it was put down.
    fn standing_bag(&self, a: &Actor, t: f32) -> Option<BagAt> {
        let b = a.bag?;
        let left = b.left_at?;
        if t < left || b.taken_at.is_some_and(|taken| t >= taken) {
            return None;
        }
        // Where it is in the hand just before it is let go.
        let p = self.person(a, left - 1e-3)?;
        let (at, yaw) = shot::put_down(&p, b.look);
        Some(BagAt {
            id: b.id,
            look: b.look,
            at,
            yaw,
            hand: None,
            worn: false,
            handle_out: true,
        })
    }

    /// The shot at `t`; `frame` chooses the noise.
    pub fn at(&self, t: f32, frame: u64) -> Shot {
        let mut shot = Shot {
            frame,
            flicker: 1.0,
            ..Shot::default()
        };
        if self.flicker > 0.0 {
            let mut rng = Rng::new(frame.wrapping_mul(77) ^ self.place.texture);
            shot.flicker =
                1.0 + self.flicker * (rng.range(-1.0, 1.0) + 0.6 * (t * 1.7).sin()) / 1.6;
        }
        for a in &self.actors {
            shot.people.extend(self.person(a, t));
            shot.bags.extend(self.standing_bag(a, t));
        }
        shot
    }
}

/// Builds a queue: who joins and leaves when, one slot at a time.
pub struct Line {
    /// Where the first stands, metres.
    pub head: V3,
    /// Which way the queue grows, radians.
    pub out: f32,
    /// Between two people, metres.
    pub gap: f32,
    /// From where they come and to where they go; the way from the queue outwards.
    pub entry: Vec<V3>,
    pub exit: Vec<V3>,
}

/// One member of a [`Line`]: seconds of joining and of leaving from the front.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    pub joins: f32,
    pub leaves: f32,
}

const WALK_M_PER_S: f32 = 1.25;

/// Appends the points of a walk that ends at the last of `path` at `arrive`.
pub fn walk_to(way: &mut Vec<Waypoint>, path: &[V3], arrive: f32) {
    let mut t = arrive
        - path
            .windows(2)
            .map(|p| p[0].ground_distance(p[1]))
            .sum::<f32>()
            / WALK_M_PER_S;
    for (i, p) in path.iter().enumerate() {
        if i > 0 {
            t += p.ground_distance(path[i - 1]) / WALK_M_PER_S;
        }
        way.push(Waypoint {
            t,
            x: p.x,
            z: p.z,
            yaw: None,
        });
    }
}

/// Appends the points of a walk that starts at the first of `path` at `leave`; returns the time of arrival.
pub fn walk_from(way: &mut Vec<Waypoint>, path: &[V3], leave: f32) -> f32 {
    let mut t = leave;
    for (i, p) in path.iter().enumerate() {
        if i > 0 {
            t += p.ground_distance(path[i - 1]) / WALK_M_PER_S;
        }
        way.push(Waypoint {
            t,
            x: p.x,
            z: p.z,
            yaw: None,
        });
    }
    t
}

impl Line {
    /// Where number `i` of the queue stands (0 is served).
    pub fn slot(&self, i: usize) -> V3 {
        self.head + v3(self.out.sin(), 0.0, self.out.cos()) * (self.gap * i as f32)
    }

    /// The ways of all members, who must be given in the order of joining and leave in that order.
    pub fn ways(&self, members: &[Member]) -> Vec<Vec<Waypoint>> {
        let face = self.out + 2.0 * FRAC_PI_2;
        let mut all = Vec::with_capacity(members.len());
        for (i, m) in members.iter().enumerate() {
            let mut slot = members[..i].iter().filter(|o| o.leaves > m.joins).count();
            let mut way = Vec::new();
            let first = self.slot(slot);
            if m.joins > 0.0 {
                let mut path: Vec<V3> = self.entry.iter().rev().copied().collect();
                path.push(first);
                walk_to(&mut way, &path, m.joins);
                if let Some(last) = way.last_mut() {
                    last.yaw = Some(face);
                }
            } else {
                way.push(Waypoint {
                    t: m.joins.min(-1.0),
                    x: first.x,
                    z: first.z,
                    yaw: Some(face),
                });
            }
            // Everybody moves up a little after the one before.
            for gone in members[..i].iter().filter(|o| o.leaves > m.joins) {
                let start = gone.leaves + 0.5 + 0.4 * slot as f32;
                let (from, to) = (self.slot(slot), self.slot(slot - 1));
                way.push(Waypoint {
                    t: start,
                    x: from.x,
                    z: from.z,
                    yaw: Some(face),
                });
                way.push(Waypoint {
                    t: start + 1.0,
                    x: to.x,
                    z: to.z,
                    yaw: Some(face),
                });
                slot -= 1;
            }
            let here = self.slot(slot);
            way.push(Waypoint {
                t: m.leaves,
                x: here.x,
                z: here.z,
                yaw: Some(face),
            });
            let mut path = vec![here];
            path.extend(&self.exit);
            walk_from(&mut way, &path, m.leaves);
            all.push(way);
        }
        all
    }
}
