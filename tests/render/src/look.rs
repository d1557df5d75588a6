//! How people look: body, hair and clothes.

use serde::{Deserialize, Serialize};

use crate::rng::Rng;
use crate::shape::Rgb;

/// What is on the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hair {
    Bald,
    Short,
    Long,
    Bun,
    Cap,
    Hood,
    Scarf,
    HardHat,
}

/// What is worn above the hips.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Top {
    Tee,
    Shirt,
    Jacket,
    Coat,
    Vest,
}

/// What is worn below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bottom {
    Trousers,
    Shorts,
    Skirt,
    Dress,
}

/// Appearance. Lengths in metres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Look {
    pub height: f32,
    /// Width against an average body.
    pub build: f32,
    pub skin: Rgb,
    pub hair_ink: Rgb,
    pub hair: Hair,
    pub top: Top,
    pub top_ink: Rgb,
    pub under_ink: Rgb,
    pub bottom: Bottom,
    pub bottom_ink: Rgb,
    pub shoe_ink: Rgb,
    pub striped: bool,
}

const SKIN: [Rgb; 6] = [
    [0.95, 0.80, 0.70],
    [0.88, 0.70, 0.58],
    [0.78, 0.58, 0.44],
    [0.62, 0.44, 0.32],
    [0.46, 0.31, 0.22],
    [0.33, 0.22, 0.17],
];
const HAIR: [Rgb; 7] = [
    [0.08, 0.07, 0.07],
    [0.14, 0.10, 0.08],
    [0.28, 0.18, 0.11],
    [0.45, 0.31, 0.17],
    [0.75, 0.62, 0.38],
    [0.62, 0.61, 0.60],
    [0.85, 0.84, 0.82],
];
const CLOTH: [Rgb; 16] = [
    [0.10, 0.11, 0.14],
    [0.16, 0.18, 0.26],
    [0.12, 0.20, 0.38],
    [0.24, 0.38, 0.58],
    [0.50, 0.64, 0.78],
    [0.86, 0.86, 0.84],
    [0.70, 0.68, 0.64],
    [0.42, 0.42, 0.43],
    [0.26, 0.27, 0.28],
    [0.62, 0.13, 0.14],
    [0.80, 0.40, 0.22],
    [0.85, 0.72, 0.30],
    [0.24, 0.40, 0.26],
    [0.40, 0.43, 0.28],
    [0.50, 0.36, 0.24],
    [0.55, 0.28, 0.44],
];
const LEGS: [Rgb; 7] = [
    [0.12, 0.13, 0.16],
    [0.18, 0.22, 0.34],
    [0.26, 0.33, 0.46],
    [0.33, 0.33, 0.34],
    [0.55, 0.48, 0.38],
    [0.22, 0.20, 0.18],
    [0.40, 0.38, 0.34],
];

impl Look {
    /// Somebody at random: a passer-by.
    pub fn random(rng: &mut Rng) -> Self {
        let woman = rng.chance(0.5);
        let hair = *rng.pick(if woman {
            &[
                Hair::Long,
                Hair::Long,
                Hair::Bun,
                Hair::Short,
                Hair::Scarf,
                Hair::Cap,
                Hair::Hood,
            ]
        } else {
            &[
                Hair::Short,
                Hair::Short,
                Hair::Short,
                Hair::Bald,
                Hair::Cap,
                Hair::Hood,
                Hair::Short,
            ]
        });
        let bottom = *rng.pick(if woman {
            &[
                Bottom::Trousers,
                Bottom::Trousers,
                Bottom::Trousers,
                Bottom::Skirt,
                Bottom::Dress,
            ]
        } else {
            &[
                Bottom::Trousers,
                Bottom::Trousers,
                Bottom::Trousers,
                Bottom::Trousers,
                Bottom::Shorts,
            ]
        });
        let cloth = *rng.pick(&CLOTH);
        let under = *rng.pick(&CLOTH);
        let (skin, hair_ink, legs) = (*rng.pick(&SKIN), *rng.pick(&HAIR), *rng.pick(&LEGS));
        Self {
            height: if woman { 1.65 } else { 1.77 } + 0.07 * rng.normal().clamp(-2.0, 2.0),
            build: (1.0 + 0.1 * rng.normal()).clamp(0.84, 1.28),
            skin: rng.tint(skin, 0.05),
            hair_ink: rng.tint(hair_ink, 0.15),
            hair,
            top: *rng.pick(&[
                Top::Tee,
                Top::Shirt,
                Top::Shirt,
                Top::Jacket,
                Top::Jacket,
                Top::Coat,
            ]),
            top_ink: rng.tint(cloth, 0.1),
            under_ink: rng.tint(under, 0.1),
            bottom,
            bottom_ink: rng.tint(legs, 0.12),
            shoe_ink: *rng.pick(&[
                [0.08, 0.08, 0.09],
                [0.85, 0.85, 0.86],
                [0.32, 0.2, 0.13],
                [0.3, 0.3, 0.33],
            ]),
            striped: rng.chance(0.12),
        }
    }

    /// Somebody in uniform behind a counter.
    pub fn officer(rng: &mut Rng) -> Self {
        Self {
            top: Top::Shirt,
            top_ink: rng.tint([0.55, 0.66, 0.82], 0.1),
            bottom: Bottom::Trousers,
            bottom_ink: [0.1, 0.11, 0.18],
            hair: *rng.pick(&[Hair::Short, Hair::Bun, Hair::Cap]),
            striped: false,
            ..Self::random(rng)
        }
    }

    /// Somebody at work in a warehouse or on a site.
    pub fn worker(rng: &mut Rng) -> Self {
        let hi_vis = *rng.pick(&[[0.92, 0.80, 0.12], [0.95, 0.45, 0.10], [0.80, 0.92, 0.15]]);
        let helmet = *rng.pick(&[
            [0.95, 0.85, 0.15],
            [0.93, 0.93, 0.93],
            [0.2, 0.35, 0.8],
            [0.9, 0.4, 0.1],
        ]);
        let hat = rng.chance(0.7);
        let vest = rng.chance(0.75);
        let base = Self::random(rng);
        Self {
            top: if vest { Top::Vest } else { Top::Jacket },
            top_ink: if vest { hi_vis } else { base.top_ink },
            bottom: Bottom::Trousers,
            hair: if hat { Hair::HardHat } else { base.hair },
            hair_ink: if hat { helmet } else { base.hair_ink },
            striped: false,
            ..base
        }
    }
}
