//! A place: room, light, camera and the picture's own faults.

use serde::{Deserialize, Serialize};

use crate::geom::{Camera, V3, v3};
use crate::shape::Rgb;

/// Pattern of a floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FloorKind {
    Tiles,
    Checker,
    Concrete,
    Asphalt,
    Carpet,
    Boards,
    Paving,
}

/// Pattern of a wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WallKind {
    Plain,
    Brick,
    Panels,
    Tiled,
    Windows,
    Corrugated,
    Shopfront,
}

/// A surface with two colours.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Surface<K> {
    pub kind: K,
    pub ink: Rgb,
    pub second: Rgb,
    /// Size of the pattern, metres.
    pub grain: f32,
    /// Mirror share, 0..1.
    pub gloss: f32,
}

/// A lamp above a spot of the floor.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lamp {
    pub at: V3,
    /// Added brightness under it.
    pub power: f32,
    /// Reach on the floor, metres.
    pub reach: f32,
}

/// Light.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Light {
    /// Brightness without lamps; 1 shows colours as they are.
    pub ambient: f32,
    pub lamps: Vec<Lamp>,
    /// Metres that a shadow moves along x and z for each metre of height.
    pub shadow: [f32; 2],
    /// Darkness of the thrown shadow, 0..1.
    pub shadow_depth: f32,
}

impl Light {
    /// Brightness at a point of the floor.
    pub fn at(&self, p: V3) -> f32 {
        self.lamps.iter().fold(self.ambient, |sum, lamp| {
            let d = lamp.at.ground_distance(p) / lamp.reach;
            sum + lamp.power * (-d * d).exp()
        })
    }
}

/// What the camera does to the picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sensor {
    pub gain: f32,
    pub gamma: f32,
    /// 0 grey, 1 as it is.
    pub saturation: f32,
    /// Factor of red, green, blue.
    pub cast: [f32; 3],
    /// Standard deviation of the noise, 0..255 levels.
    pub noise: f32,
    /// Share of a 3 x 3 blur, 0..1; above 1 it is repeated.
    pub blur: f32,
    /// Darkening in the corners, 0..1.
    pub vignette: f32,
}

impl Default for Sensor {
    fn default() -> Self {
        Self {
            gain: 1.0,
            gamma: 1.0,
            saturation: 0.92,
            cast: [1.0; 3],
            noise: 3.0,
            blur: 0.5,
            vignette: 0.18,
        }
    }
}

/// A railway platform: everything right of `edge` is the track bed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// x of the platform's edge, metres.
    pub edge: f32,
    /// A standing train from z to z, metres.
    pub train: Option<[f32; 2]>,
    pub train_ink: Rgb,
}

/// A room seen by a fixed camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// x from `left` to `right`, z from 0 to `depth`, y from 0 to `height`, metres.
    pub left: f32,
    pub right: f32,
    pub depth: f32,
    pub height: f32,
    pub floor: Surface<FloorKind>,
    pub back: Surface<WallKind>,
    pub sides: Surface<WallKind>,
    pub ceiling: Rgb,
    /// Open to the sky above the walls.
    pub open_air: Option<Rgb>,
    pub track: Option<Track>,
    pub light: Light,
    pub camera: Camera,
    pub sensor: Sensor,
    /// Seed of the textures.
    pub texture: u64,
}

impl Place {
    /// A lit hall to start from.
    pub fn hall() -> Self {
        Self {
            left: -8.0,
            right: 8.0,
            depth: 16.0,
            height: 5.0,
            floor: Surface {
                kind: FloorKind::Tiles,
                ink: [0.66, 0.64, 0.60],
                second: [0.58, 0.56, 0.53],
                grain: 0.6,
                gloss: 0.12,
            },
            back: Surface {
                kind: WallKind::Panels,
                ink: [0.76, 0.75, 0.72],
                second: [0.66, 0.66, 0.65],
                grain: 1.5,
                gloss: 0.0,
            },
            sides: Surface {
                kind: WallKind::Tiled,
                ink: [0.72, 0.72, 0.70],
                second: [0.60, 0.60, 0.58],
                grain: 0.5,
                gloss: 0.0,
            },
            ceiling: [0.80, 0.80, 0.79],
            open_air: None,
            track: None,
            light: Light {
                ambient: 0.72,
                lamps: Vec::new(),
                shadow: [0.25, 0.2],
                shadow_depth: 0.22,
            },
            camera: Camera {
                at: v3(0.0, 3.4, -2.0),
                yaw: 0.0,
                pitch: 0.32,
                hfov: 1.15,
            },
            sensor: Sensor::default(),
            texture: 1,
        }
    }
}
