//! Where a thing should be when it is looked for again.

use scene::{BBox, Mono, Point};

/// How a thing is expected to move while it is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// It stays: overlap of boxes alone, as in the IoU tracker (Bochinski et
    /// al., AVSS 2017).
    Stay,
    /// It goes on at its smoothed velocity, which fades with time.
    Damped,
    /// A Kalman filter of constant velocity on the centre, as in SORT (Bewley
    /// et al., ICIP 2016), with noise in proportion to the height as in DeepSORT
    /// (Wojke et al., ICIP 2017) but reckoned in seconds.
    Kalman,
}

/// Time constant of the learned velocity, seconds.
const LEARN: f32 = 0.3;
/// Time constant with which velocity is forgotten while the thing is unseen,
/// seconds: nobody walks straight on for long.
const COAST: f32 = 3.0;

/// Standard deviation of a detected centre, in heights of the box (DeepSORT's
/// `std_weight_position`, 1/20).
const SEEN_SD: f32 = 0.05;
/// Of the velocity of a new thing, in heights a second (DeepSORT: 10/160 a
/// frame at 30 frames a second).
const NEW_SD: f32 = 1.9;
/// Spectral density of unforeseen acceleration, heights²/s³ (DeepSORT: the
/// velocity's standard deviation grows 1/160 a frame, so its variance by
/// 30 x (30/160)² a second).
const JERK: f32 = 1.05;

/// One coordinate with its velocity and their covariance.
#[derive(Clone, Copy, Debug)]
struct Axis {
    p: f32,
    v: f32,
    pp: f32,
    pv: f32,
    vv: f32,
}

impl Axis {
    fn new(p: f32, size: f32) -> Self {
        Self {
            p,
            v: 0.0,
            pp: (SEEN_SD * size).powi(2),
            pv: 0.0,
            vv: (NEW_SD * size).powi(2),
        }
    }

    fn forward(self, dt: f32, size: f32) -> Self {
        let q = JERK * size * size;
        Self {
            p: self.p + self.v * dt,
            v: self.v,
            pp: self.pp + dt * (2.0 * self.pv + dt * self.vv) + q * dt.powi(3) / 3.0,
            pv: self.pv + dt * self.vv + q * dt * dt / 2.0,
            vv: self.vv + q * dt,
        }
    }

    fn correct(self, seen: f32, size: f32) -> Self {
        let s = self.pp + (SEEN_SD * size).powi(2);
        let (kp, kv) = (self.pp / s, self.pv / s);
        let off = seen - self.p;
        Self {
            p: self.p + kp * off,
            v: self.v + kv * off,
            pp: (1.0 - kp) * self.pp,
            pv: (1.0 - kp) * self.pv,
            vv: self.vv - kv * self.pv,
        }
    }
}

/// What is known of a thing's movement.
#[derive(Clone, Debug)]
pub(crate) struct Mover {
    how: Motion,
    at: Mono,
    bbox: BBox,
    /// Of the centre, in widths and heights of the picture a second.
    velocity: (f32, f32),
    axes: [Axis; 2],
}

/// The unit of noise on each axis: the box's height, in widths and in heights
/// of the picture.
fn sizes(bbox: &BBox, aspect: f32) -> (f32, f32) {
    (bbox.h / aspect, bbox.h)
}

impl Mover {
    pub fn new(how: Motion, bbox: &BBox, at: Mono, aspect: f32) -> Self {
        let c = bbox.centre();
        let (sx, sy) = sizes(bbox, aspect);
        Self {
            how,
            at,
            bbox: *bbox,
            velocity: (0.0, 0.0),
            axes: [Axis::new(c.x, sx), Axis::new(c.y, sy)],
        }
    }

    /// Where it should be at `at`.
    pub fn predict(&self, at: Mono) -> BBox {
        let dt = at.since(self.at).as_secs_f32();
        let c = self.bbox.centre();
        let to = match self.how {
            Motion::Stay => c,
            Motion::Damped => {
                // The integral of exp(-t / COAST).
                let run = COAST * (1.0 - (-dt / COAST).exp());
                Point {
                    x: c.x + self.velocity.0 * run,
                    y: c.y + self.velocity.1 * run,
                }
            }
            Motion::Kalman => Point {
                x: self.axes[0].p + self.axes[0].v * dt,
                y: self.axes[1].p + self.axes[1].v * dt,
            },
        };
        BBox {
            x: to.x - self.bbox.w / 2.0,
            y: to.y - self.bbox.h / 2.0,
            ..self.bbox
        }
    }

    /// It was seen again.
    pub fn see(&mut self, bbox: &BBox, at: Mono, aspect: f32) {
        let dt = at.since(self.at).as_secs_f32();
        let (a, b) = (self.bbox.centre(), bbox.centre());
        if dt > 0.0 {
            let gain = 1.0 - (-dt / LEARN).exp();
            self.velocity.0 += gain * ((b.x - a.x) / dt - self.velocity.0);
            self.velocity.1 += gain * ((b.y - a.y) / dt - self.velocity.1);
        }
        let (sx, sy) = sizes(bbox, aspect);
        self.axes[0] = self.axes[0].forward(dt, sx).correct(b.x, sx);
        self.axes[1] = self.axes[1].forward(dt, sy).correct(b.y, sy);
        self.bbox = *bbox;
        self.at = at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32) -> BBox {
        BBox {
            x,
            y: 0.4,
            w: 0.1,
            h: 0.2,
        }
    }

    /// The predicted left edge, 0.5 s after ten sightings at 0.2 widths a second.
    fn after_walking(how: Motion) -> f32 {
        let mut m = Mover::new(how, &at(0.0), Mono::ZERO, 1.0);
        for i in 1..10u64 {
            m.see(&at(0.02 * i as f32), Mono::from_millis(100 * i), 1.0);
        }
        m.predict(Mono::from_millis(1_400)).x
    }

    #[test]
    fn each_motion_goes_its_way() {
        assert!((after_walking(Motion::Stay) - 0.18).abs() < 1e-4);
        let damped = after_walking(Motion::Damped);
        assert!((0.25..0.28).contains(&damped), "{damped}");
        let kalman = after_walking(Motion::Kalman);
        assert!((0.27..0.29).contains(&kalman), "{kalman}");
    }

    #[test]
    fn a_fading_velocity_ends() {
        let mut m = Mover::new(Motion::Damped, &at(0.0), Mono::ZERO, 1.0);
        for i in 1..20u64 {
            m.see(&at(0.02 * i as f32), Mono::from_millis(100 * i), 1.0);
        }
        let far = m.predict(Mono::from_millis(3_600_000)).x - 0.38;
        assert!(far < 0.61, "{far}: three seconds' walk at most");
    }

    #[test]
    fn the_covariance_stays_sound() {
        let mut a = Axis::new(0.5, 0.2);
        for i in 0..1000 {
            a = a.forward([0.0, 0.1, 5.0][i % 3], 0.2);
            a = a.correct(0.5, 0.2);
            assert!(a.pp > 0.0 && a.vv > 0.0 && a.pp * a.vv >= a.pv * a.pv - 1e-9);
        }
        assert!((a.p - 0.5).abs() < 1e-3 && a.v.abs() < 1e-3);
    }
}
