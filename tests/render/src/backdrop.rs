//! The empty place: floor, walls, ceiling, sky and track, traced ray by ray.

use crate::geom::{V3, View, v3};
use crate::place::{FloorKind, Place, Surface, WallKind};
use crate::rng::mix;
use crate::shape::{Rgb, blend, scale};

/// Value noise in 0..1 on a unit grid, smooth.
fn noise(x: f32, y: f32, seed: u64) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (u, v) = (x - fx, y - fy);
    let (u, v) = (u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v));
    let at = |i: f32, j: f32| cell(fx + i, fy + j, seed);
    let a = at(0.0, 0.0) + (at(1.0, 0.0) - at(0.0, 0.0)) * u;
    let b = at(0.0, 1.0) + (at(1.0, 1.0) - at(0.0, 1.0)) * u;
    a + (b - a) * v
}

/// A random number in 0..1 for a grid cell.
fn cell(i: f32, j: f32, seed: u64) -> f32 {
    let key = (i as i32 as u32 as u64) << 32 | (j as i32 as u32 as u64);
    (mix(key.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed) >> 40) as f32 / (1u64 << 24) as f32
}

/// How much of a joint of width `w` on a grid of `grain` the footprint around `x` sees, 0..1.
fn joint(x: f32, grain: f32, w: f32, footprint: f32) -> f32 {
    let d = (x / grain - (x / grain).round()).abs() * grain;
    let soft = footprint.max(0.002);
    let share = (w / (w + footprint)).min(1.0);
    ((w / 2.0 + soft / 2.0 - d) / soft).clamp(0.0, 1.0) * share
}

fn floor_ink(s: &Surface<FloorKind>, x: f32, z: f32, footprint: f32, seed: u64) -> Rgb {
    let stain = noise(x * 0.45, z * 0.45, seed) * 0.6 + noise(x * 1.7, z * 1.7, seed ^ 7) * 0.4;
    let fine = 0.05 * (noise(x * 14.0, z * 14.0, seed ^ 3) - 0.5) * (0.05 / (0.05 + footprint));
    let base = match s.kind {
        FloorKind::Tiles => {
            let (i, j) = ((x / s.grain + 0.5).floor(), (z / s.grain + 0.5).floor());
            let each = 0.97 + 0.06 * cell(i, j, seed ^ 1);
            let line = joint(x + s.grain / 2.0, s.grain, 0.012, footprint).max(joint(
                z + s.grain / 2.0,
                s.grain,
                0.012,
                footprint,
            ));
            blend(scale(s.ink, each), scale(s.second, 0.75), line)
        }
        FloorKind::Checker => {
            let odd = ((x / s.grain).floor() + (z / s.grain).floor()).rem_euclid(2.0);
            let mid = (footprint / s.grain).clamp(0.0, 1.0) * 0.5;
            blend(s.ink, s.second, odd * (1.0 - 2.0 * mid) + mid)
        }
        FloorKind::Concrete => {
            let line = joint(x, 4.0, 0.015, footprint).max(joint(z, 4.0, 0.015, footprint));
            blend(
                blend(s.ink, s.second, stain),
                scale(s.second, 0.7),
                line * 0.8,
            )
        }
        FloorKind::Asphalt => scale(blend(s.ink, s.second, stain), 1.0 + fine * 3.0),
        FloorKind::Carpet => {
            let p = noise(x * 3.0 / s.grain, z * 3.0 / s.grain, seed ^ 5);
            blend(s.ink, s.second, ((p - 0.55) * 6.0).clamp(0.0, 1.0) * 0.6)
        }
        FloorKind::Boards => {
            let j = (x / (s.grain * 0.3)).floor();
            let each = 0.86 + 0.24 * cell(j, (z / 2.0 + cell(j, 0.0, seed) * 5.0).floor(), seed);
            let veins = noise(x * 30.0, z * 1.5, seed ^ 9) * (0.03 / (0.03 + footprint));
            let line = joint(x, s.grain * 0.3, 0.006, footprint);
            scale(
                blend(blend(s.ink, s.second, veins), scale(s.second, 0.6), line),
                each,
            )
        }
        FloorKind::Paving => {
            let row = (z / s.grain).floor();
            let shifted = x + row * s.grain * 0.5;
            let each = 0.88 + 0.2 * cell((shifted / s.grain).floor(), row, seed);
            let line =
                joint(shifted, s.grain, 0.02, footprint).max(joint(z, s.grain, 0.02, footprint));
            blend(scale(s.ink, each), scale(s.second, 0.6), line)
        }
    };
    scale(base, 0.93 + 0.12 * stain + fine)
}

/// Colour of a wall at `u` along it and `v` above the floor; `true` when it is its own light.
fn wall_ink(
    s: &Surface<WallKind>,
    u: f32,
    v: f32,
    height: f32,
    footprint: f32,
    seed: u64,
    day: f32,
) -> (Rgb, bool) {
    let stain = noise(u * 0.6, v * 0.6, seed ^ 21);
    let lit = |c: Rgb| (scale(c, 0.94 + 0.1 * stain), false);
    let skirting = v < 0.12;
    match s.kind {
        WallKind::Plain => lit(if skirting {
            scale(s.second, 0.7)
        } else if v < 1.1 {
            blend(s.ink, s.second, 0.5)
        } else {
            s.ink
        }),
        WallKind::Brick => {
            let row = (v / 0.075).floor();
            let x = u + if row.rem_euclid(2.0) < 1.0 { 0.11 } else { 0.0 };
            let each = 0.8 + 0.35 * cell((x / 0.22).floor(), row, seed);
            let line = joint(x, 0.22, 0.012, footprint).max(joint(v, 0.075, 0.012, footprint));
            lit(blend(
                scale(s.ink, 1.0 + (each - 1.0) * (0.1 / (0.1 + footprint))),
                s.second,
                line,
            ))
        }
        WallKind::Panels => {
            let each = 0.95 + 0.07 * cell((u / s.grain).floor(), (v / 1.6).floor(), seed);
            let line = joint(u, s.grain, 0.02, footprint).max(joint(v, 1.6, 0.02, footprint));
            lit(if skirting {
                scale(s.second, 0.5)
            } else {
                blend(scale(s.ink, each), scale(s.second, 0.7), line)
            })
        }
        WallKind::Tiled => {
            let g = s.grain * 0.6;
            let line = joint(u, g, 0.01, footprint).max(joint(v, g, 0.01, footprint));
            let band = (1.0..1.25).contains(&v);
            lit(blend(
                if band { s.second } else { s.ink },
                scale(s.second, 0.8),
                line * 0.8,
            ))
        }
        WallKind::Windows => {
            let pane = (u / s.grain).rem_euclid(1.0);
            let frame = !(0.06..0.94).contains(&pane)
                || v < 0.8
                || v > height - 0.5
                || (v - 2.3).abs() < 0.04;
            if frame {
                lit(s.second)
            } else {
                let far = noise(u * 0.35, 3.0, seed ^ 33) * 1.6 + 1.2;
                let outside = if v < far {
                    scale(
                        [0.52, 0.56, 0.54],
                        0.7 + 0.3 * noise(u * 2.0, v * 2.0, seed),
                    )
                } else {
                    [0.84, 0.89, 0.95]
                };
                (scale(outside, day), true)
            }
        }
        WallKind::Corrugated => lit(scale(
            s.ink,
            0.92 + 0.1
                * (u * std::f32::consts::TAU / (s.grain * 0.3)).sin()
                * (0.08 / (0.08 + footprint)),
        )),
        WallKind::Shopfront => {
            let bay = (u / (s.grain * 2.5)).floor();
            let pane = (u / (s.grain * 2.5)).rem_euclid(1.0);
            let hue = [
                cell(bay, 1.0, seed),
                cell(bay, 2.0, seed),
                cell(bay, 3.0, seed),
            ];
            if !(0.04..0.96).contains(&pane) || v < 0.3 {
                lit(scale(s.second, 0.7))
            } else if v < 2.5 {
                let goods = noise(u * 3.0, v * 3.0, seed ^ 77);
                (
                    scale(
                        blend([0.95, 0.88, 0.74], hue, 0.25 + 0.5 * goods),
                        0.5 + 0.35 * day,
                    ),
                    true,
                )
            } else if v < 3.1 {
                (scale(hue.map(|h| 0.25 + 0.6 * h), 0.8), true)
            } else {
                lit(s.ink)
            }
        }
    }
}

struct Hit {
    ink: Rgb,
    light: f32,
    gloss: f32,
    at: V3,
    floor: bool,
}

fn trace(place: &Place, from: V3, ray: V3, pixel: f32) -> Hit {
    let seed = place.texture;
    let mut best = f32::MAX;
    let mut side = 0;
    let mut meet = |t: f32, which: i32| {
        if t > 1e-3 && t < best {
            best = t;
            side = which;
        }
    };
    if ray.y < 0.0 {
        let t = -from.y / ray.y;
        let x = from.x + ray.x * t;
        match place.track {
            // Beyond the edge the floor lies 1.1 m lower.
            Some(track) if x > track.edge => meet((-1.1 - from.y) / ray.y, 5),
            _ => meet(t, 1),
        }
    }
    let open = place.open_air.is_some();
    if ray.y > 0.0 && !open {
        meet((place.height - from.y) / ray.y, 2);
    }
    if let Some(track) = place.track
        && let Some([z0, z1]) = track.train
        && ray.x > 0.0
    {
        let t = (track.edge + 0.15 - from.x) / ray.x;
        let p = from + ray * t;
        if t > 0.0 && (z0..z1).contains(&p.z) && (-0.95..2.9).contains(&p.y) {
            meet(t, 6);
        }
        // Its blunt end.
        let t = (z0 - from.z) / ray.z;
        let p = from + ray * t;
        if t > 0.0
            && (track.edge + 0.15..track.edge + 2.95).contains(&p.x)
            && (-0.95..2.9).contains(&p.y)
        {
            meet(t, 8);
        }
    }
    let mut wall = |t: f32, which: i32| {
        if t > 0.0 && (!open || from.y + ray.y * t < place.height) {
            meet(t, which);
        }
    };
    if ray.z > 0.0 {
        wall((place.depth - from.z) / ray.z, 3);
    }
    if ray.x < 0.0 {
        wall((place.left - from.x) / ray.x, 4);
    }
    if ray.x > 0.0 {
        wall((place.right - from.x) / ray.x, 7);
    }
    let p = from + ray * best.min(400.0);
    let distance = best * ray.len();
    let footprint = pixel * distance;
    let hit = |ink: Rgb, light: f32| Hit {
        ink,
        light,
        gloss: 0.0,
        at: p,
        floor: false,
    };
    // Towards the ground a pixel covers more: divide by the cosine.
    let slant = (ray.y.abs() / ray.len()).max(0.05);
    let ground = place.light.at(p);
    let wall_light =
        (0.55 * place.light.ambient + 0.45 * ground) * (0.92 + 0.04 * p.y.clamp(0.0, 4.0));
    let day = (place.light.ambient * 1.15).min(1.1);
    let shown = |s: &Surface<WallKind>, u: f32| {
        let (ink, own) = wall_ink(s, u, p.y, place.height, footprint, seed, day);
        hit(ink, if own { 1.0 } else { wall_light })
    };
    match side {
        1 => {
            let mut ink = floor_ink(&place.floor, p.x, p.z, footprint / slant, seed);
            if let Some(track) = place.track {
                let d = track.edge - p.x;
                if d < 0.12 {
                    ink = [0.80, 0.80, 0.78];
                } else if (0.62..0.75).contains(&d) {
                    ink = [0.88, 0.76, 0.18];
                } else if (0.12..0.62).contains(&d) {
                    let stud =
                        joint(p.x, 0.1, 0.05, footprint).min(joint(p.z, 0.1, 0.05, footprint));
                    ink = blend(scale(ink, 0.92), [0.95, 0.85, 0.4], 0.2 + 0.3 * stud);
                }
            }
            Hit {
                ink,
                light: ground,
                gloss: place.floor.gloss,
                at: p,
                floor: true,
            }
        }
        2 => {
            let strip = joint(p.x, 3.0, 0.28, footprint)
                * if (p.z / 2.2).rem_euclid(1.0) < 0.72 {
                    1.0
                } else {
                    0.0
                };
            let panel =
                joint(p.x + 0.3, 0.6, 0.02, footprint).max(joint(p.z, 0.6, 0.02, footprint));
            let base = scale(scale(place.ceiling, 1.0 - 0.2 * panel), wall_light);
            let glow = if place.light.ambient > 0.35 {
                1.0
            } else {
                0.55
            };
            hit(blend(base, [1.0, 0.99, 0.95], strip * glow), 1.0)
        }
        3 => shown(&place.back, p.x),
        4 => shown(&place.sides, p.z),
        7 => shown(&place.sides, p.z + 3.7),
        5 => {
            let d = p.x - place.track.map_or(0.0, |t| t.edge);
            let sleeper = (p.z / 0.65).rem_euclid(1.0) < 0.38 && (0.45..2.95).contains(&d);
            let stones = noise(p.x * 18.0, p.z * 18.0, seed ^ 41);
            let ink = if (d - 1.0).abs() < 0.05 || (d - 2.43).abs() < 0.05 {
                [0.62, 0.60, 0.58]
            } else if sleeper {
                scale([0.44, 0.42, 0.40], 0.85 + 0.3 * stones)
            } else {
                scale([0.36, 0.33, 0.30], 0.6 + 0.8 * stones)
            };
            hit(ink, place.light.ambient * 0.9)
        }
        8 => {
            let track = place.track.unwrap_or(crate::place::Track {
                edge: 0.0,
                train: None,
                train_ink: [0.5; 3],
            });
            let across = p.x - track.edge - 1.55;
            let lamp = (across.abs() - 1.0).hypot(p.y - 0.45) < 0.13;
            if lamp {
                hit([1.0, 0.97, 0.85], 1.0)
            } else if (1.2..2.3).contains(&p.y) && across.abs() < 1.15 && across.abs() > 0.03 {
                hit([0.16, 0.20, 0.24], 1.0)
            } else {
                hit(
                    scale(track.train_ink, if p.y < 0.0 { 0.25 } else { 0.9 }),
                    wall_light,
                )
            }
        }
        6 => {
            let track = place.track.map_or([0.5; 3], |t| t.train_ink);
            let car = p.z.rem_euclid(20.0);
            let door = (car.rem_euclid(6.6) - 3.3).abs() < 0.7;
            let window = (1.15..2.05).contains(&p.y)
                && !(door && (car.rem_euclid(6.6) - 3.3).abs() < 0.05)
                && (car.rem_euclid(2.2) - 1.1).abs() < 0.92;
            if window {
                let glow = 0.35 + 0.3 * noise(p.z * 1.3, p.y * 2.0, seed);
                (hit)(
                    blend([0.22, 0.27, 0.32], [0.95, 0.92, 0.8], glow * 0.6),
                    0.9,
                )
            } else if door {
                hit(
                    scale(
                        [0.82, 0.82, 0.8],
                        if (car.rem_euclid(6.6) - 3.3).abs() < 0.03 {
                            0.4
                        } else {
                            1.0
                        },
                    ),
                    wall_light,
                )
            } else if p.y < 0.0 {
                hit([0.12, 0.12, 0.13], wall_light)
            } else if (0.75..0.95).contains(&p.y) {
                hit([0.92, 0.92, 0.9], wall_light)
            } else {
                hit(track, wall_light)
            }
        }
        _ => {
            let sky = place.open_air.unwrap_or(place.ceiling);
            let up = (ray.y / ray.len()).clamp(0.0, 1.0);
            let cloud = noise(
                ray.x * 3.0 / (up + 0.2),
                ray.z * 3.0 / (up + 0.2),
                seed ^ 55,
            );
            hit(
                blend(
                    blend(sky, [0.96, 0.96, 0.97], 0.5 * cloud),
                    scale(sky, 0.85),
                    up,
                ),
                1.0,
            )
        }
    }
}

/// Where the rays of a pixel pass.
const PAIR: [(f32, f32); 2] = [(0.25, 0.3), (0.75, 0.7)];
const FOUR: [(f32, f32); 4] = [(0.25, 0.3), (0.75, 0.2), (0.2, 0.8), (0.7, 0.7)];

/// The picture of the empty place, sRGB 0..1, row by row. Four rays a pixel when `fine`, else two.
pub fn render(place: &Place, view: &View, fine: bool) -> Vec<Rgb> {
    let rays: &[(f32, f32)] = if fine { &FOUR } else { &PAIR };
    let share_of_ray = 1.0 / rays.len() as f32;
    let (w, h) = (view.width as usize, view.height as usize);
    let pixel = 1.0 / view.focal;
    let mut out = Vec::with_capacity(w * h);
    for y in 0..h {
        for x in 0..w {
            let mut sum = [0.0f32; 3];
            for &(dx, dy) in rays {
                let ray = view.ray(x as f32 + dx, y as f32 + dy);
                let hit = trace(place, view.at, ray, pixel * 0.6);
                let mut ink = scale(hit.ink, hit.light);
                if hit.floor && hit.gloss > 0.0 {
                    // Fresnel after Schlick, with the gloss as the share at grazing angles.
                    let cosine = (-ray.y / ray.len()).clamp(0.0, 1.0);
                    let share = hit.gloss * (0.15 + 0.85 * (1.0 - cosine).powi(4));
                    let wobble =
                        0.02 * (noise(hit.at.x * 5.0, hit.at.z * 5.0, place.texture ^ 91) - 0.5);
                    let bounce = trace(
                        place,
                        hit.at,
                        v3(ray.x * (1.0 + wobble), -ray.y, ray.z),
                        pixel * 6.0,
                    );
                    ink = blend(ink, scale(bounce.ink, bounce.light), share);
                }
                for k in 0..3 {
                    sum[k] += ink[k] * share_of_ray;
                }
            }
            out.push(sum);
        }
    }
    out
}
