//! Points in metres, the camera, and flat hulls.
//!
//! World: x to the right, y up, z away from the camera's side of the room; the floor is y = 0.

use std::ops::{Add, Mul, Sub};

use serde::{Deserialize, Serialize};

/// A point or direction, metres.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct V3 {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

/// Shorthand for a point.
pub const fn v3(x: f32, y: f32, z: f32) -> V3 {
    V3 { x, y, z }
}

impl Add for V3 {
    type Output = V3;
    fn add(self, o: V3) -> V3 {
        v3(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}
impl Sub for V3 {
    type Output = V3;
    fn sub(self, o: V3) -> V3 {
        v3(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}
impl Mul<f32> for V3 {
    type Output = V3;
    fn mul(self, k: f32) -> V3 {
        v3(self.x * k, self.y * k, self.z * k)
    }
}

impl V3 {
    pub fn dot(self, o: V3) -> f32 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }
    pub fn len(self) -> f32 {
        self.dot(self).sqrt()
    }
    /// Distance on the floor, metres.
    pub fn ground_distance(self, o: V3) -> f32 {
        (self.x - o.x).hypot(self.z - o.z)
    }
    pub fn lerp(self, o: V3, k: f32) -> V3 {
        self + (o - self) * k
    }
}

/// Forward and right of somebody who faces `yaw` (radians; 0 looks away along +z, π/2 along +x).
pub fn facing(yaw: f32) -> (V3, V3) {
    let (s, c) = yaw.sin_cos();
    (v3(s, 0.0, c), v3(c, 0.0, -s))
}

/// A pinhole camera.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Position, metres.
    pub at: V3,
    /// Turn to the right from +z, radians.
    pub yaw: f32,
    /// Downward tilt, radians.
    pub pitch: f32,
    /// Horizontal field of view, radians.
    pub hfov: f32,
}

/// A camera with the size of its picture: projects points.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub at: V3,
    pub forward: V3,
    pub right: V3,
    pub up: V3,
    /// Focal length in pixels.
    pub focal: f32,
    pub width: f32,
    pub height: f32,
}

/// Nothing nearer than this is drawn, metres.
pub const NEAR: f32 = 0.25;

impl View {
    pub fn new(camera: &Camera, width: u32, height: u32) -> Self {
        let (sy, cy) = camera.yaw.sin_cos();
        let (sp, cp) = camera.pitch.sin_cos();
        Self {
            at: camera.at,
            forward: v3(sy * cp, -sp, cy * cp),
            right: v3(cy, 0.0, -sy),
            up: v3(sy * sp, cp, cy * sp),
            focal: width as f32 / 2.0 / (camera.hfov / 2.0).tan(),
            width: width as f32,
            height: height as f32,
        }
    }

    /// Distance along the optical axis, metres.
    pub fn depth(&self, p: V3) -> f32 {
        (p - self.at).dot(self.forward)
    }

    /// Pixel of a point, if it lies before the camera.
    pub fn project(&self, p: V3) -> Option<(f32, f32)> {
        let d = p - self.at;
        let z = d.dot(self.forward);
        (z >= NEAR).then(|| {
            (
                self.width / 2.0 + self.focal * d.dot(self.right) / z,
                self.height / 2.0 - self.focal * d.dot(self.up) / z,
            )
        })
    }

    /// Direction of the ray through a pixel (not normalised).
    pub fn ray(&self, x: f32, y: f32) -> V3 {
        self.forward
            + self.right * ((x - self.width / 2.0) / self.focal)
            + self.up * ((self.height / 2.0 - y) / self.focal)
    }

    /// Radius in pixels of a ball of `radius` metres at `p`.
    pub fn radius(&self, p: V3, radius: f32) -> f32 {
        self.focal * radius / self.depth(p).max(NEAR)
    }

    /// The polygon's pixels, cut at the near plane. Empty when it is behind the camera.
    pub fn polygon(&self, points: &[V3]) -> Vec<(f32, f32)> {
        let mut kept: Vec<V3> = Vec::with_capacity(points.len() + 2);
        for (i, &a) in points.iter().enumerate() {
            let b = points[(i + 1) % points.len()];
            let (da, db) = (self.depth(a) - NEAR, self.depth(b) - NEAR);
            if da >= 0.0 {
                kept.push(a);
            }
            if (da >= 0.0) != (db >= 0.0) {
                kept.push(a.lerp(b, da / (da - db)));
            }
        }
        // A cut point may lie a rounding error in front of the near plane.
        kept.iter()
            .filter_map(|&p| {
                self.project(p)
                    .or_else(|| self.project(p + self.forward * (NEAR * 0.01)))
            })
            .collect()
    }
}

/// The convex hull of flat points, in order (monotone chain).
pub fn hull(points: &mut [(f32, f32)]) -> Vec<(f32, f32)> {
    if points.len() < 3 {
        return points.to_vec();
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let turn = |o: (f32, f32), a: (f32, f32), b: (f32, f32)| {
        (a.0 - o.0) * (b.1 - o.1) - (a.1 - o.1) * (b.0 - o.0)
    };
    let mut out: Vec<(f32, f32)> = Vec::with_capacity(points.len() + 1);
    for pass in 0..2 {
        let start = out.len();
        let mut add = |p: (f32, f32)| {
            while out.len() >= start + 2 && turn(out[out.len() - 2], out[out.len() - 1], p) <= 0.0 {
                out.pop();
            }
            out.push(p);
        };
        if pass == 0 {
            points.iter().for_each(|&p| add(p));
        } else {
            points.iter().rev().for_each(|&p| add(p));
        }
        out.pop();
    }
    out
}
