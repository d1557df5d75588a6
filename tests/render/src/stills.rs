//! Random labelled pictures for training.

use std::f32::consts::PI;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use serde::{Deserialize, Serialize};
use tiny_skia::Pixmap;

use crate::bags::{BagAt, BagKind, BagLook};
use crate::fixtures::Fixture;
use crate::geom::{V3, View, v3};
use crate::look::Look;
use crate::person::{Arm, Pose};
use crate::random_place::{self, PlaceKind};
use crate::rng::Rng;
use crate::shape::{Frame, Label};
use crate::shot::{ATTENDED_WITHIN, Boxed, Facts, PersonAt, Shot, Stage, Truth};
use crate::station_like;

/// One line of `annotations.jsonl`: the training pack's row format, and the facts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub image: String,
    pub width: u32,
    pub height: u32,
    pub boxes: Vec<Boxed>,
    pub complete_labels: Vec<String>,
    pub split: String,
    pub source: String,
    pub licence: String,
    pub group: String,
    pub facts: Facts,
}

/// A still before it is written.
pub struct Still {
    pub stage: Stage,
    pub shot: Shot,
    pub kind: PlaceKind,
    /// JPEG quality, 1..100.
    pub quality: u8,
    /// The picture is made this much smaller and then enlarged again, as cheap cameras do; 1 leaves it.
    pub squeeze: f32,
}

/// People and things that are placed so far.
pub(crate) struct Crowd<'a> {
    pub(crate) rng: &'a mut Rng,
    pub(crate) view: View,
    pub(crate) taken: Vec<(V3, f32)>,
    pub(crate) shot: Shot,
    pub(crate) next: u32,
}

impl Crowd<'_> {
    fn id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn free(&self, p: V3, radius: f32) -> bool {
        self.taken
            .iter()
            .all(|(q, r)| q.ground_distance(p) > r + radius)
    }

    pub(crate) fn in_picture(&self, p: V3) -> bool {
        let side = self.view.width * 0.02;
        self.view.project(p).is_some_and(|(x, y)| {
            x > -side && x < self.view.width + side && y > 0.0 && y < self.view.height * 1.25
        })
    }

    /// A free spot of floor in the picture, evenly over the picture and not over the floor: else all would be far.
    pub(crate) fn spot(&mut self, stage: &Stage, radius: f32, far: f32) -> Option<V3> {
        for _ in 0..40 {
            let x = self.rng.range(0.0, self.view.width);
            let y = self
                .rng
                .range(self.view.height * 0.2, self.view.height * 1.12);
            let ray = self.view.ray(x, y);
            if ray.y >= -0.01 {
                continue;
            }
            let p = self.view.at + ray * (self.view.at.y / -ray.y);
            let distance = p.ground_distance(self.view.at);
            if distance > 1.8
                && distance < far
                && random_place::walkable(&stage.place, p)
                && self.free(p, radius)
            {
                return Some(v3(p.x, 0.0, p.z));
            }
        }
        None
    }

    pub(crate) fn person(&mut self, look: Look, pose: Pose, queueing: bool, bag: Option<BagLook>) {
        let id = self.id();
        let bag = bag.map(|look| (self.id(), look));
        self.taken.push((pose.at, 0.28));
        self.shot.people.push(PersonAt {
            id,
            look,
            pose,
            queueing,
            bag,
        });
    }

    pub(crate) fn idle_arms(&mut self, pose: &mut Pose) {
        pose.left = *self
            .rng
            .pick(&[Arm::Swing, Arm::Swing, Arm::Front, Arm::Hip, Arm::Carry]);
        pose.right = *self
            .rng
            .pick(&[Arm::Swing, Arm::Swing, Arm::Front, Arm::Hip]);
        pose.head_yaw = self.rng.range(-0.5, 0.5);
    }

    /// A bag for somebody with probability `p`; sets the arm that holds it.
    pub(crate) fn maybe_bag(&mut self, pose: &mut Pose, p: f32) -> Option<BagLook> {
        if !self.rng.chance(p) {
            return None;
        }
        let look = BagLook::luggage(self.rng);
        match look.kind {
            BagKind::Suitcase => {
                pose.right = if pose.stride > 0.3 {
                    Arm::Pull
                } else {
                    Arm::Carry
                }
            }
            BagKind::Backpack => {}
            _ => pose.right = Arm::Carry,
        }
        Some(look)
    }

    pub(crate) fn bag(&mut self, look: BagLook, at: V3) {
        let id = self.id();
        let yaw = self.rng.range(0.0, 2.0 * PI);
        let handle_out = self.rng.chance(0.5);
        self.taken.push((at, 0.3));
        self.shot.bags.push(BagAt {
            id,
            look,
            at,
            yaw,
            hand: None,
            worn: false,
            handle_out,
        });
    }
}

/// Makes the still with this number of this seed.
pub fn compose(seed: u64, index: usize, width: u32, height: u32) -> Still {
    let mut rng = Rng::named(seed.wrapping_add(index as u64 * 0x1_0000_0001), "still");
    let kind = *rng.pick(&PlaceKind::ALL);
    let place = random_place::place(&mut rng, kind);
    let view = View::new(&place.camera, width, height);
    let quality = 30 + rng.below(65) as u8;
    let squeeze = if rng.chance(0.2) {
        rng.range(0.45, 0.85)
    } else {
        1.0
    };

    // A place to queue at, seldom in a corridor.
    let wants_queue = rng.chance(match kind {
        PlaceKind::Corridor => 0.12,
        PlaceKind::Warehouse => 0.25,
        PlaceKind::Street | PlaceKind::Platform => 0.45,
        _ => 0.65,
    });
    let mut fixtures: Vec<Fixture> = Vec::new();
    let mut queue_place = None;
    if wants_queue {
        for _ in 0..30 {
            let side = rng.range(-1.0, 1.0);
            let distance = rng.range(5.5, 12.0);
            let p = view.at
                + v3(view.forward.x, 0.0, view.forward.z) * distance
                + view.right * (side * distance * 0.42);
            let at = v3(p.x, 0.0, p.z);
            // It looks more or less towards the camera, so that its queue is in view.
            // Half of them look well to the side, so that the people of the queue do not hide each other.
            let turn = if rng.chance(0.5) {
                rng.range(0.6, 1.35)
            } else {
                rng.range(-0.2, 0.6)
            };
            let yaw = place.camera.yaw + PI - side.signum() * turn + rng.range(-0.2, 0.2);
            let (fixture, name) = random_place::queue_fixture(&mut rng, at, yaw);
            let shows = [v3(0.0, 1.1, 0.0), v3(0.0, 2.0, 0.0)].iter().all(|&up| {
                view.project(at + up).is_some_and(|(x, y)| {
                    x > 0.03 * view.width
                        && x < 0.97 * view.width
                        && y > -0.15 * view.height
                        && y < 0.9 * view.height
                })
            });
            if shows
                && random_place::walkable(&place, at)
                && at.x - 1.2 > place.left
                && at.z + 1.0 < place.depth
            {
                fixtures.push(fixture);
                queue_place = Some(name.to_owned());
                break;
            }
        }
    }
    let mut crowd = Crowd {
        rng: &mut rng,
        view,
        taken: Vec::new(),
        shot: Shot::default(),
        next: 0,
    };
    crowd
        .taken
        .extend(fixtures.iter().filter_map(Fixture::footprint));
    let mut slots: Vec<(V3, f32)> = Vec::new();
    let stage_place = place;
    let mut stage = Stage::new(stage_place, Vec::new(), queue_place, width, height, false);

    let how_many = match crowd.rng.below(20) {
        0 | 1 => 0,
        2..=5 => 1,
        6..=8 => 2,
        9..=11 => 3,
        12 | 13 => 4,
        14 | 15 => 5 + crowd.rng.below(2),
        _ => 6 + crowd.rng.below(7),
    };
    let mut walkers = how_many;
    if let Some(fixture) = fixtures.first().cloned() {
        let (head, out) = fixture.queue_head().expect("queue fixtures have a head");
        let gap = crowd.rng.range(0.6, 0.95);
        let curve = crowd.rng.range(-0.10, 0.10);
        let mut dir = out + crowd.rng.range(-0.5, 0.5);
        let mut p = head;
        for _ in 0..14 {
            slots.push((p, dir + PI));
            p = p + v3(dir.sin(), 0.0, dir.cos()) * gap;
            dir += curve;
        }
        let length = match crowd.rng.below(14) {
            0..=2 => 0,
            3 | 4 => 1,
            5 | 6 => 2,
            7 => 3,
            8 => 4,
            9 | 10 => 5,
            n => n - 5 + crowd.rng.below(2),
        };
        walkers = walkers.saturating_sub(length).min(5);
        // Barriers along the line.
        if crowd.rng.chance(0.55) {
            let ink = *crowd.rng.pick(&[
                [0.08, 0.12, 0.35],
                [0.55, 0.08, 0.1],
                [0.1, 0.1, 0.11],
                [0.8, 0.65, 0.1],
            ]);
            for side in [1.0, -1.0] {
                if side < 0.0 && crowd.rng.chance(0.4) {
                    continue;
                }
                let mut last: Option<V3> = None;
                for i in (1..slots.len().min(10)).step_by(2) {
                    let (at, yaw) = slots[i];
                    let post = Frame::new(at, yaw).p(side * 0.62, 0.0, 0.0);
                    if !random_place::walkable(&stage.place, post) {
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
        if let Some((at, yaw)) = fixture.staff_place().filter(|_| crowd.rng.chance(0.6)) {
            let look = Look::officer(crowd.rng);
            let mut pose = Pose::standing(at, yaw + crowd.rng.range(-0.3, 0.3));
            pose.left = Arm::Front;
            pose.right = Arm::Front;
            crowd.person(look, pose, false, None);
        }
        for &(slot, yaw) in slots.iter().take(length) {
            let at = slot + v3(crowd.rng.range(-0.1, 0.1), 0.0, crowd.rng.range(-0.1, 0.1));
            if !random_place::walkable(&stage.place, at)
                || !crowd.in_picture(at + v3(0.0, 1.0, 0.0))
            {
                break;
            }
            let look = Look::random(crowd.rng);
            let mut pose = Pose::standing(at, yaw + crowd.rng.normal() * 0.25);
            crowd.idle_arms(&mut pose);
            let bag = crowd.maybe_bag(&mut pose, 0.45);
            crowd.person(look, pose, true, bag);
        }
        // Nobody else stands where the queue would go on.
        crowd.taken.extend(slots.iter().map(|(p, _)| (*p, 0.9)));
    }

    // Furniture, away from the queue.
    let pieces = crowd.rng.below(5);
    for _ in 0..pieces {
        if let Some(at) = crowd.spot(&stage, 0.9, 18.0) {
            let piece = random_place::clutter(crowd.rng, kind, &stage.place, at);
            let near = at.ground_distance(crowd.view.at);
            if matches!(piece, Fixture::Board { .. }) && near < 7.0 {
                continue;
            }
            if near > 3.5 || matches!(piece, Fixture::Bench { .. } | Fixture::Plant { .. }) {
                crowd.taken.extend(piece.footprint());
                fixtures.push(piece);
            }
        }
    }

    // Bags that nobody holds: alone, or beside their owner.
    let alone = if crowd.rng.chance(0.4) {
        1 + crowd.rng.below(3)
    } else {
        0
    };
    for _ in 0..alone {
        if let Some(at) = crowd.spot(&stage, 0.3, 11.0) {
            // Not so near to the queue that somebody there could be taken for the owner.
            let far = |p: &PersonAt| p.pose.at.ground_distance(at) > ATTENDED_WITHIN + 0.3;
            if !crowd.shot.people.iter().all(far) {
                continue;
            }
            let mut look = BagLook::luggage(crowd.rng);
            if crowd.rng.chance(0.2) || (kind == PlaceKind::Warehouse && crowd.rng.chance(0.5)) {
                look = BagLook::random(crowd.rng, BagKind::Parcel);
            }
            crowd.bag(look, at);
            // Far enough that nobody could be taken for the owner.
            crowd.taken.push((at, ATTENDED_WITHIN + 0.3));
        }
    }

    // Seated people.
    for (at, yaw) in fixtures
        .iter()
        .filter_map(|f| {
            if let Fixture::Bench { at, yaw, .. } = f {
                Some((*at, *yaw))
            } else {
                None
            }
        })
        .collect::<Vec<_>>()
    {
        if walkers > 0
            && crowd.rng.chance(0.3)
            && !crowd
                .shot
                .bags
                .iter()
                .any(|b| b.at.ground_distance(at) < ATTENDED_WITHIN + 0.6)
        {
            let f = Frame::new(at, yaw);
            let look = Look::random(crowd.rng);
            let mut pose = Pose::standing(f.p(crowd.rng.range(-0.5, 0.5), 0.0, 0.0), yaw);
            pose.seated = true;
            pose.left = *crowd.rng.pick(&[Arm::Swing, Arm::Front]);
            crowd.person(look, pose, false, None);
            walkers -= 1;
        }
    }

    // Everybody else.
    let mut left = walkers;
    while left > 0 {
        left -= 1;
        let Some(at) = crowd.spot(&stage, 0.3, 16.0) else {
            break;
        };
        let look = if kind == PlaceKind::Warehouse || crowd.rng.chance(0.06) {
            Look::worker(crowd.rng)
        } else {
            Look::random(crowd.rng)
        };
        let yaw = crowd.rng.range(0.0, 2.0 * PI);
        let mut pose = Pose::standing(at, yaw);
        if crowd.rng.chance(0.6) {
            pose.stride = crowd.rng.range(0.6, 1.1);
            pose.phase = crowd.rng.range(0.0, 2.0 * PI);
            pose.head_yaw = crowd.rng.range(-0.25, 0.25);
        } else {
            crowd.idle_arms(&mut pose);
        }
        if crowd.rng.chance(0.03) {
            pose.bend = crowd.rng.range(0.5, 1.0);
            pose.left = Arm::Reach;
            pose.right = Arm::Reach;
            pose.stride = 0.0;
        }
        let chance = if kind == PlaceKind::Warehouse {
            0.1
        } else {
            0.45
        };
        let bag = crowd.maybe_bag(&mut pose, chance);
        let carries = bag.is_some();
        crowd.person(look, pose, false, bag);
        if !carries && crowd.rng.chance(0.12) {
            // A bag set down beside its owner.
            let beside = Frame::new(at, yaw).p(
                *crowd.rng.pick(&[-0.5, 0.5]),
                0.0,
                crowd.rng.range(-0.2, 0.3),
            );
            if random_place::walkable(&stage.place, beside) {
                let bag = BagLook::luggage(crowd.rng);
                crowd.bag(bag, beside);
            }
        } else if !carries && pose.stride == 0.0 && crowd.rng.chance(0.06) {
            // Carries a parcel before the chest.
            if let Some(p) = crowd.shot.people.last_mut() {
                let id = p.id + 1000;
                p.pose.left = Arm::Front;
                p.pose.right = Arm::Front;
                p.bag = Some((id, BagLook::random(crowd.rng, BagKind::Parcel)));
            }
        }
        // A companion close by: groups are not queues.
        if left > 0 && crowd.rng.chance(0.25) {
            let beside = Frame::new(at, yaw).p(0.65, 0.0, crowd.rng.range(-0.15, 0.15));
            if random_place::walkable(&stage.place, beside) && crowd.free(beside, 0.2) {
                let look = Look::random(crowd.rng);
                let mut other = Pose {
                    at: beside,
                    phase: crowd.rng.range(0.0, 6.0),
                    ..pose
                };
                other.bend = 0.0;
                other.left = Arm::Swing;
                other.right = Arm::Swing;
                if other.stride == 0.0 {
                    other.yaw = yaw + crowd.rng.range(-1.8, 0.2);
                }
                let bag = crowd.maybe_bag(&mut other, 0.3);
                crowd.person(look, other, false, bag);
                left -= 1;
            }
        }
    }
    let mut shot = crowd.shot;
    shot.frame = index as u64;
    stage.fixtures = fixtures;
    Still {
        stage,
        shot,
        kind,
        quality,
        squeeze,
    }
}

/// A pixmap without its alpha.
pub fn to_rgb(pix: &Pixmap) -> image::RgbImage {
    let data = pix
        .data()
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect();
    image::RgbImage::from_raw(pix.width(), pix.height(), data).expect("the sizes agree")
}

/// Renders one still: JPEG bytes and its truth.
pub fn develop(still: &Still) -> Result<(Vec<u8>, Truth)> {
    let (pix, truth) = still.stage.render(&still.shot, true);
    let mut rgb = to_rgb(&pix);
    if still.squeeze < 0.99 {
        let (w, h) = rgb.dimensions();
        let small = |v: u32| ((v as f32 * still.squeeze) as u32).max(16);
        rgb = image::imageops::resize(&rgb, small(w), small(h), FilterType::Triangle);
        rgb = image::imageops::resize(&rgb, w, h, FilterType::Triangle);
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, still.quality)
        .encode_image(&rgb)
        .context("encode a JPEG")?;
    Ok((jpeg, truth.expect("asked for")))
}

/// The annotation row of a still.
pub fn row(seed: u64, index: usize, name: String, still: &Still, truth: &Truth) -> Row {
    // The goods on shelves are boxes without labels.
    let shelves = still
        .stage
        .fixtures
        .iter()
        .any(|f| matches!(f, Fixture::Shelf { .. }));
    Row {
        image: name,
        width: still.stage.view.width as u32,
        height: still.stage.view.height as u32,
        boxes: truth.found.iter().map(|f| f.boxed.clone()).collect(),
        complete_labels: Label::ALL
            .iter()
            .filter(|&&l| !(shelves && l == Label::Parcel))
            .map(|l| l.name().to_owned())
            .collect(),
        split: if index % 10 == 9 { "val" } else { "train" }.to_owned(),
        source: format!(
            "rendered by the project (render stills, seed {seed}, {})",
            still.kind.name()
        ),
        licence: "Apache-2.0".to_owned(),
        group: format!("render-{seed}-{index}"),
        facts: truth.facts.clone(),
    }
}

/// What the stills show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Subject {
    /// Places of all kinds.
    Any,
    /// Halls with a queue and a platform, as a camera high on the wall sees them.
    StationLike,
}

/// Writes `count` stills and their `annotations.jsonl` to `dir`, on all cores. The result depends on the seed, the
/// subject and the size alone.
pub fn write(
    seed: u64,
    count: usize,
    dir: &Path,
    (width, height): (u32, u32),
    subject: Subject,
) -> Result<()> {
    std::fs::create_dir_all(dir)
        .with_context(|| format!("create {}: is it a folder you may write to?", dir.display()))?;
    let workers = std::thread::available_parallelism()
        .map_or(1, |n| n.get())
        .min(count.max(1));
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Row)>> {
        let mut rows = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(rows);
            }
            let still = match subject {
                Subject::Any => compose(seed, index, width, height),
                Subject::StationLike => station_like::compose(seed, index, width, height),
            };
            let (jpeg, truth) = develop(&still)?;
            let prefix = match subject {
                Subject::Any => "s",
                Subject::StationLike => "t",
            };
            let name = format!("{prefix}{seed}_{index:06}.jpg");
            let path = dir.join(&name);
            std::fs::write(&path, jpeg).with_context(|| format!("write {}", path.display()))?;
            rows.push((index, row(seed, index, name, &still, &truth)));
        }
    };
    let mut rows = std::thread::scope(|scope| -> Result<Vec<(usize, Row)>> {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::with_capacity(count);
        for handle in handles {
            all.extend(
                handle
                    .join()
                    .map_err(|_| anyhow::anyhow!("a rendering thread panicked"))??,
            );
        }
        Ok(all)
    })?;
    rows.sort_by_key(|(index, _)| *index);
    let path = dir.join("annotations.jsonl");
    let file =
        std::fs::File::create(&path).with_context(|| format!("create {}", path.display()))?;
    let mut out = std::io::BufWriter::new(file);
    for (_, row) in rows {
        serde_json::to_writer(&mut out, &row)
            .with_context(|| format!("write {}", path.display()))?;
        out.write_all(b"\n")?;
    }
    out.flush()
        .with_context(|| format!("write {}", path.display()))
}
