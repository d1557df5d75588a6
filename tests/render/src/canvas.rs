//! Paints things over a backdrop and keeps account of who is seen where.

use tiny_skia::{
    FillRule, GradientStop, LinearGradient, Paint, Path, PathBuilder, Pixmap, Point,
    RadialGradient, Shader, SpreadMode, Transform,
};

use crate::geom::{V3, View, hull, v3};
use crate::place::Place;
use crate::shape::{Entity, Form, Rgb, Shape, scale};

/// What one thing shows, pixels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Visible box: left, top, right, bottom (excluded).
    pub bounds: Option<(i32, i32, i32, i32)>,
    /// Pixels of the whole silhouette, also beyond the picture's border (as far as the margin).
    pub whole: u32,
    /// Pixels that nothing hides inside the picture.
    pub visible: u32,
}

impl Seen {
    /// Share of the silhouette that others or the border hide, 0..1.
    pub fn hidden(&self) -> f32 {
        if self.whole == 0 {
            1.0
        } else {
            1.0 - self.visible as f32 / self.whole as f32
        }
    }
}

/// Points of a circle for hulls.
const RING: usize = 14;

fn outline(view: &View, shape: &Shape) -> Vec<(f32, f32)> {
    match &shape.form {
        Form::Balls(balls) => {
            let mut points = Vec::with_capacity(balls.len() * RING);
            for &(p, r) in balls {
                let Some((x, y)) = view.project(p) else {
                    continue;
                };
                let r = view.radius(p, r);
                for i in 0..RING {
                    let (s, c) = (i as f32 * std::f32::consts::TAU / RING as f32).sin_cos();
                    points.push((x + r * c, y + r * s));
                }
            }
            hull(&mut points)
        }
        Form::Flat(points) => view.polygon(points),
        Form::Many(_) => Vec::new(),
    }
}

fn to_path(polygons: &[Vec<(f32, f32)>]) -> Option<Path> {
    let mut b = PathBuilder::new();
    for points in polygons {
        if points.len() < 3 || points.iter().any(|p| !(p.0.abs() < 2e4 && p.1.abs() < 2e4)) {
            continue;
        }
        b.move_to(points[0].0, points[0].1);
        for p in &points[1..] {
            b.line_to(p.0, p.1);
        }
        b.close();
    }
    b.finish()
}

fn colour(c: Rgb, alpha: f32) -> tiny_skia::Color {
    let [r, g, b] = c.map(|v| v.clamp(0.0, 1.0));
    tiny_skia::Color::from_rgba(r, g, b, alpha.clamp(0.0, 1.0)).unwrap_or(tiny_skia::Color::BLACK)
}

fn paint_shape(pix: &mut Pixmap, view: &View, shape: &Shape, light: f32) {
    let polygons = match &shape.form {
        Form::Many(many) => many.iter().map(|p| view.polygon(p)).collect(),
        _ => vec![outline(view, shape)],
    };
    let Some(path) = to_path(&polygons) else {
        return;
    };
    let b = path.bounds();
    if b.right() < 0.0 || b.bottom() < 0.0 || b.left() > view.width || b.top() > view.height {
        return;
    }
    let ink = if shape.glows {
        shape.ink
    } else {
        scale(shape.ink, light)
    };
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    // Below a few pixels nobody sees a gradient.
    if shape.round > 0.0 && b.width().max(b.height()) > 5.0 {
        let (bright, dark) = (
            scale(ink, 1.0 + shape.round * 0.55),
            scale(ink, 1.0 - shape.round),
        );
        // The lit side is the upper left; wide shapes are shaded along their short side.
        let (from, to) = (
            Point::from_xy(b.left(), b.top()),
            Point::from_xy(b.right(), b.top() + b.height().min(b.width()) * 0.5),
        );
        paint.shader = LinearGradient::new(
            from,
            to,
            vec![
                GradientStop::new(0.0, colour(bright, shape.alpha)),
                GradientStop::new(0.45, colour(ink, shape.alpha)),
                GradientStop::new(1.0, colour(dark, shape.alpha)),
            ],
            SpreadMode::Pad,
            Transform::identity(),
        )
        .unwrap_or(Shader::SolidColor(colour(ink, shape.alpha)));
    } else {
        paint.shader = Shader::SolidColor(colour(ink, shape.alpha));
    }
    pix.fill_path(
        &path,
        &paint,
        FillRule::Winding,
        Transform::identity(),
        None,
    );
}

/// The shadow that the lamps throw, and the dark patch where a thing touches the floor.
fn paint_shadow(pix: &mut Pixmap, view: &View, place: &Place, entity: &Entity) {
    if entity.casts && place.light.shadow_depth > 0.0 {
        let [sx, sz] = place.light.shadow;
        // Two lengths give a soft end.
        for (k, share) in [(1.0, 0.55), (0.72, 0.45)] {
            let mut polygons = Vec::new();
            for shape in entity.shapes.iter().filter(|s| s.solid) {
                let ground = |p: V3| {
                    v3(
                        p.x + sx * k * p.y.max(0.0),
                        0.0,
                        p.z + sz * k * p.y.max(0.0),
                    )
                };
                let mut points: Vec<(f32, f32)> = Vec::new();
                match &shape.form {
                    Form::Balls(balls) => {
                        for &(p, r) in balls {
                            let g = ground(p);
                            for i in 0..8 {
                                let (s, c) = (i as f32 * std::f32::consts::TAU / 8.0).sin_cos();
                                points.extend(view.project(g + v3(r * c, 0.0, r * s)));
                            }
                        }
                    }
                    Form::Flat(flat) => {
                        points.extend(flat.iter().filter_map(|&p| view.project(ground(p))))
                    }
                    Form::Many(_) => {}
                }
                let mut h = hull(&mut points);
                // All the same way round, so that overlaps do not cancel under the winding rule.
                if area(&h) < 0.0 {
                    h.reverse();
                }
                polygons.push(h);
            }
            if let Some(path) = to_path(&polygons) {
                let paint = Paint {
                    anti_alias: true,
                    shader: Shader::SolidColor(colour(
                        [0.03, 0.03, 0.05],
                        place.light.shadow_depth * share,
                    )),
                    ..Paint::default()
                };
                pix.fill_path(
                    &path,
                    &paint,
                    FillRule::Winding,
                    Transform::identity(),
                    None,
                );
            }
        }
    }
    if entity.contact > 0.0
        && let Some((x, y)) = view.project(v3(entity.at.x, 0.0, entity.at.z))
    {
        let rx = view.radius(entity.at, entity.contact);
        let slope = (view.at.y / (entity.at - view.at).len()).clamp(0.15, 1.0);
        let ry = rx * slope;
        let shader = RadialGradient::new(
            Point::from_xy(0.0, 0.0),
            0.0,
            Point::from_xy(0.0, 0.0),
            1.0,
            vec![
                GradientStop::new(0.0, colour([0.0; 3], 0.42)),
                GradientStop::new(0.55, colour([0.0; 3], 0.22)),
                GradientStop::new(1.0, colour([0.0; 3], 0.0)),
            ],
            SpreadMode::Pad,
            Transform::from_row(rx, 0.0, 0.0, ry, x, y),
        );
        if let (Some(shader), Some(rect)) = (
            shader,
            tiny_skia::Rect::from_ltrb(x - rx, y - ry, x + rx, y + ry),
        ) {
            let paint = Paint {
                shader,
                anti_alias: true,
                ..Paint::default()
            };
            pix.fill_rect(rect, &paint, Transform::identity(), None);
        }
    }
}

fn area(p: &[(f32, f32)]) -> f32 {
    (0..p.len())
        .map(|i| {
            let (a, b) = (p[i], p[(i + 1) % p.len()]);
            a.0 * b.1 - b.0 * a.1
        })
        .sum()
}

/// Who is on top at every pixel, with a margin around the picture so that cut-off things keep their full size.
struct Owners {
    width: i32,
    height: i32,
    margin: (i32, i32),
    top: Vec<u16>,
    last: Vec<u16>,
}

impl Owners {
    fn new(view: &View) -> Self {
        let margin = ((view.width * 0.35) as i32, (view.height * 0.5) as i32);
        let (width, height) = (
            view.width as i32 + 2 * margin.0,
            view.height as i32 + 2 * margin.1,
        );
        let n = (width * height) as usize;
        Self {
            width,
            height,
            margin,
            top: vec![0; n],
            last: vec![0; n],
        }
    }

    /// Fills a convex polygon for `id`; returns how many pixels are new to it.
    fn fill(&mut self, points: &[(f32, f32)], id: u16) -> u32 {
        let (mut y0, mut y1) = (f32::MAX, f32::MIN);
        for p in points {
            y0 = y0.min(p.1);
            y1 = y1.max(p.1);
        }
        let (mx, my) = self.margin;
        let first = ((y0 - 0.5).ceil() as i32).max(-my);
        let last = ((y1 - 0.5).floor() as i32).min(self.height - my - 1);
        let mut fresh = 0;
        for row in first..=last {
            let yc = row as f32 + 0.5;
            let (mut left, mut right) = (f32::MAX, f32::MIN);
            for (i, a) in points.iter().enumerate() {
                let b = points[(i + 1) % points.len()];
                if (a.1 <= yc) != (b.1 <= yc) {
                    let x = a.0 + (yc - a.1) * (b.0 - a.0) / (b.1 - a.1);
                    left = left.min(x);
                    right = right.max(x);
                }
            }
            if left > right {
                continue;
            }
            let from = ((left - 0.5).ceil() as i32 + mx).max(0);
            let to = ((right - 0.5).floor() as i32 + mx).min(self.width - 1);
            let line = ((row + my) * self.width) as usize;
            for x in from..=to {
                let i = line + x as usize;
                self.top[i] = id;
                if self.last[i] != id {
                    self.last[i] = id;
                    fresh += 1;
                }
            }
        }
        fresh
    }
}

/// Far things first.
fn order(view: &View, entities: &[Entity]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entities.len()).collect();
    order.sort_by(|&a, &b| {
        view.depth(flat(entities[b].at))
            .total_cmp(&view.depth(flat(entities[a].at)))
    });
    order
}

/// Paints the entities over the backdrop, far ones first.
pub fn paint(backdrop: &Pixmap, view: &View, place: &Place, entities: &[Entity]) -> Pixmap {
    let mut pix = backdrop.clone();
    let order = order(view, entities);
    for &i in &order {
        paint_shadow(&mut pix, view, place, &entities[i]);
    }
    for &i in &order {
        let light = place.light.at(entities[i].at).clamp(0.02, 1.5);
        for shape in &entities[i].shapes {
            paint_shape(&mut pix, view, shape, light);
        }
    }
    pix
}

/// What of each entity is seen, in the order given.
pub fn account(view: &View, entities: &[Entity]) -> Vec<Seen> {
    let mut owners = Owners::new(view);
    let mut seen = vec![Seen::default(); entities.len()];
    for &i in &order(view, entities) {
        for shape in entities[i].shapes.iter().filter(|s| s.solid) {
            let points = outline(view, shape);
            if points.len() >= 3 {
                seen[i].whole += owners.fill(&points, i as u16 + 1);
            }
        }
    }
    let (mx, my) = owners.margin;
    for y in 0..view.height as i32 {
        let line = ((y + my) * owners.width + mx) as usize;
        for x in 0..view.width as i32 {
            let id = owners.top[line + x as usize];
            if id > 0 {
                let s = &mut seen[usize::from(id) - 1];
                s.visible += 1;
                s.bounds = Some(match s.bounds {
                    None => (x, y, x + 1, y + 1),
                    Some((l, t, r, b)) => (l.min(x), t.min(y), r.max(x + 1), b.max(y + 1)),
                });
            }
        }
    }
    seen
}

/// Depth is taken on the floor: what hangs in a hand is as near as the person.
fn flat(p: V3) -> V3 {
    v3(p.x, 0.0, p.z)
}
