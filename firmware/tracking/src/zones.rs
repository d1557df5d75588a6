//! Which zones a thing stands in, and how it came and went.

use scene::{BBox, Heading, Id, Mono, Movement, Passage, Point, Polygon, Zone};
use std::time::Duration;

use crate::Config;
use crate::path::{Path, Ways};

/// A thing that was last seen longer ago may have come round the zone: it did
/// not jump over it.
const JUMP: Duration = Duration::from_secs(3);
/// A thing close to a zone's edge is on its other side after at least so many
/// looks.
const EDGE_LOOKS: u32 = 3;
/// A zone was crossed if the straight way through it is at least this share of
/// its narrowest width: less cuts a corner.
const THROUGH: f32 = 0.5;
/// A thing within this many of its own lengths (diagonals) of a zone may be
/// going towards it.
const NEAR_LENGTHS: f32 = 4.0;

/// A point in picture heights.
type Flat = (f32, f32);

fn flat(p: Point, aspect: f32) -> Flat {
    (p.x * aspect, p.y)
}

fn edges(polygon: &Polygon, aspect: f32) -> impl Iterator<Item = (Flat, Flat)> + '_ {
    let corners = polygon.points();
    (0..corners.len()).map(move |i| {
        let next = corners[(i + 1) % corners.len()];
        (flat(corners[i], aspect), flat(next, aspect))
    })
}

/// Distance from `p` to the polygon's outline, in picture heights.
fn to_edge(polygon: &Polygon, p: Point, aspect: f32) -> f32 {
    let p = flat(p, aspect);
    let apart = |(a, b): (Flat, Flat)| {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let long = dx * dx + dy * dy;
        let t = if long > 0.0 {
            (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / long).clamp(0.0, 1.0)
        } else {
            0.0
        };
        (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
    };
    edges(polygon, aspect).map(apart).fold(f32::MAX, f32::min)
}

/// Distance from `p` to the polygon, 0 inside, in picture heights.
fn away_from(polygon: &Polygon, p: Point, aspect: f32) -> f32 {
    match polygon.contains(p) {
        true => 0.0,
        false => to_edge(polygon, p, aspect),
    }
}

/// How much of the straight way from `a` to `b` lies inside, in picture heights.
fn inside_length(polygon: &Polygon, a: Point, b: Point, aspect: f32) -> f32 {
    let (p, q) = (flat(a, aspect), flat(b, aspect));
    let d = (q.0 - p.0, q.1 - p.1);
    // Where it meets the outline, as shares of the way.
    let mut cuts = vec![0.0, 1.0];
    for (s, e) in edges(polygon, aspect) {
        let g = (e.0 - s.0, e.1 - s.1);
        let det = d.0 * g.1 - d.1 * g.0;
        if det.abs() < 1e-9 {
            continue;
        }
        let o = (s.0 - p.0, s.1 - p.1);
        let t = (o.0 * g.1 - o.1 * g.0) / det;
        let u = (o.0 * d.1 - o.1 * d.0) / det;
        if (0.0..=1.0).contains(&t) && (0.0..=1.0).contains(&u) {
            cuts.push(t);
        }
    }
    cuts.sort_by(f32::total_cmp);
    let inside = cuts.windows(2).filter(|w| {
        let m = (w[0] + w[1]) / 2.0;
        let x = a.x + m * (b.x - a.x);
        polygon.contains(Point {
            x,
            y: a.y + m * (b.y - a.y),
        })
    });
    inside.map(|w| w[1] - w[0]).sum::<f32>() * d.0.hypot(d.1)
}

/// Whether the way from `a` to `b`, both outside, goes through the zone.
fn goes_through(polygon: &Polygon, a: Point, b: Point, aspect: f32) -> bool {
    inside_length(polygon, a, b, aspect) >= THROUGH * polygon.narrowest(aspect)
}

/// Where a thing is towards one zone.
#[derive(Clone, Debug)]
struct Place {
    zone: Zone,
    inside: bool,
    /// Since when it has been inside.
    since: Mono,
    /// Since when its foot has been on the other side, and for how many looks.
    other: Option<(Mono, u32)>,
    /// Where its foot last was clearly outside.
    outside: Option<Point>,
    /// The ways that were told for this zone while it is inside.
    told: Ways,
    /// It came nearer, and that was told.
    approached: bool,
    /// It went away, and that was told.
    retreated: bool,
    /// It seemed to come nearer, or to go away, at the last look.
    nearing: bool,
    parting: bool,
}

/// The zones a thing is in. Bounded by the number of drawn zones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    places: Vec<Place>,
    seen: Option<Mono>,
}

/// When a thing was first seen, and which zones it was in before.
pub(crate) type First<'a> = (Mono, &'a dyn Fn(&Id) -> bool);

/// A passage and, where it is not the movement of the last seconds, how.
pub(crate) type Move = (Passage, Option<Movement>);

fn between(a: Point, b: Point, aspect: f32) -> Movement {
    Movement {
        right: (b.x - a.x) * aspect,
        down: b.y - a.y,
        ..Movement::NONE
    }
}

impl Place {
    fn new(zone: &Zone, inside: bool, since: Mono) -> Self {
        Self {
            zone: zone.clone(),
            inside,
            since,
            other: None,
            outside: None,
            told: Ways::default(),
            approached: inside,
            retreated: false,
            nearing: false,
            parting: false,
        }
    }

    /// The thing was seen with its foot at `foot`; it was last seen a while ago
    /// if not `fresh`.
    fn step(&mut self, config: &Config, bbox: &BBox, now: Mono, fresh: bool, out: &mut Vec<Move>) {
        let polygon = &self.zone.polygon;
        let name = || self.zone.name.clone();
        let foot = bbox.foot();
        let inside = polygon.contains(foot);
        let margin = (bbox.h * config.edge_share).max(config.edge_least);
        let clear = to_edge(polygon, foot, config.aspect) > margin;
        let came_through = (self.outside)
            .filter(|from| !inside && goes_through(polygon, *from, foot, config.aspect));
        let crossed = |from| {
            let over = between(from, foot, config.aspect);
            (Passage::Cross(name()), Some(over))
        };
        if inside == self.inside {
            self.other = None;
            // Looks may be so far apart, or a zone so narrow, that no foot
            // was ever seen in it.
            if clear
                && !inside
                && fresh
                && let Some(from) = came_through
            {
                let over = Some(between(from, foot, config.aspect));
                out.push((Passage::Enter(name()), over));
                out.push((Passage::Exit(name()), over));
                out.push(crossed(from));
            }
        } else {
            // Jitter at the edge does not flap: it takes a clear step over
            // it, or a while and some looks.
            let wait = if inside {
                config.edge_in
            } else {
                config.edge_out
            };
            let (since, looks) = self.other.unwrap_or((now, 0));
            self.other = Some((since, looks + 1));
            let waited = looks + 1 >= EDGE_LOOKS && now.since(since) >= wait;
            if !clear && !waited {
                return;
            }
            if inside {
                if !self.approached && self.outside.is_some() {
                    out.push((Passage::Approach(name()), None));
                }
                out.push((Passage::Enter(name()), None));
                self.since = now;
                self.told = Ways::default();
                (self.approached, self.retreated) = (true, false);
            } else {
                out.push((Passage::Exit(name()), None));
                out.extend(came_through.map(crossed));
            }
            self.inside = inside;
            self.other = None;
        }
        if clear && !inside {
            self.outside = Some(foot);
        }
    }

    /// Whether it has come to go towards the zone, or away from it.
    fn nears(&mut self, config: &Config, bbox: &BBox, path: &Path) -> Option<Passage> {
        let Some((then, _)) = path.leg(config) else {
            (self.nearing, self.parting) = (false, false);
            return None;
        };
        let polygon = &self.zone.polygon;
        let away = |p| away_from(polygon, p, config.aspect);
        let (from, to) = (then.bbox.foot(), bbox.foot());
        let way = between(from, to, config.aspect).length();
        let (was, is) = (away(from), away(to));
        let near = NEAR_LENGTHS * (bbox.w * config.aspect).hypot(bbox.h);
        // Half of the way or more in that direction: within 60 degrees of it.
        let nearer = was - is >= 0.5 * way;
        let farther = is - was >= 0.5 * way;
        let (nearing, parting) = (nearer && self.nearing, farther && self.parting);
        (self.nearing, self.parting) = (nearer, farther);
        if nearing {
            self.retreated = false;
            if is <= near && !std::mem::replace(&mut self.approached, true) {
                return Some(Passage::Approach(self.zone.name.clone()));
            }
        }
        if parting {
            self.approached = false;
            if was <= near && !std::mem::replace(&mut self.retreated, true) {
                return Some(Passage::Retreat(self.zone.name.clone()));
            }
        }
        None
    }
}

impl Places {
    /// The thing was seen; tells what it did. A zone that it is in when it is
    /// first seen, at `first`, it has entered then unless it is one of
    /// `known`: it was there before, as far as one can tell. A zone that was
    /// drawn since has not been entered either.
    pub fn seen(
        &mut self,
        config: &Config,
        bbox: &BBox,
        zones: &[Zone],
        now: Mono,
        first: Option<First<'_>>,
        path: &Path,
    ) -> Vec<Move> {
        let mut out = Vec::new();
        let fresh = self.seen.replace(now).is_some_and(|s| now.since(s) <= JUMP);
        // A zone that is no longer drawn so is forgotten, not left.
        self.places.retain(|p| zones.contains(&p.zone));
        for zone in zones {
            let known = self.places.iter().position(|p| p.zone.name == zone.name);
            if let Some(i) = known {
                self.places[i].step(config, bbox, now, fresh, &mut out);
            } else {
                let inside = zone.polygon.contains(bbox.foot());
                let since = first.as_ref().map_or(now, |(since, _)| *since);
                self.places.push(Place::new(zone, inside, since));
                let new = first.as_ref().is_some_and(|(_, known)| !known(&zone.name));
                if inside && new {
                    out.push((Passage::Enter(zone.name.clone()), None));
                }
            }
        }
        for place in &mut self.places {
            if place.inside {
                if path.rested {
                    place.told = Ways::default();
                }
                let new = path.going.without(place.told);
                place.told = place.told.or(new);
                out.extend(
                    new.headings()
                        .map(|h| (go(h, Some(&place.zone.name)), None)),
                );
            } else {
                out.extend(place.nears(config, bbox, path).map(|what| (what, None)));
            }
        }
        out
    }

    /// The zones it is in, in the order they were met, and since when.
    pub fn inside(&self) -> impl Iterator<Item = (&Id, Mono)> {
        let inside = self.places.iter().filter(|p| p.inside);
        inside.map(|p| (&p.zone.name, p.since))
    }
}

/// It goes that way, in that zone.
pub(crate) fn go(heading: Heading, zone: Option<&Id>) -> Passage {
    Passage::Go {
        heading,
        zone: zone.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(points: &[[f32; 2]]) -> Polygon {
        Polygon::new(points.iter().map(|&p| p.into()).collect()).unwrap()
    }

    fn through(shape: &Polygon, a: [f32; 2], b: [f32; 2]) -> bool {
        goes_through(shape, a.into(), b.into(), 1.0)
    }

    #[test]
    fn strips_are_crossed_at_any_angle() {
        let strip = polygon(&[[0.1, 0.5], [0.9, 0.5], [0.9, 0.52], [0.1, 0.52]]);
        assert!(through(&strip, [0.5, 0.3], [0.5, 0.8]));
        assert!(through(&strip, [0.2, 0.3], [0.8, 0.8]));
        assert!(!through(&strip, [0.5, 0.3], [0.5, 0.49]), "not there yet");
        assert!(!through(&strip, [0.05, 0.3], [0.05, 0.8]), "past its end");
        assert!(!through(&strip, [0.2, 0.45], [0.8, 0.45]), "along it");
    }

    #[test]
    fn a_cut_corner_is_no_crossing() {
        let square = polygon(&[[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]]);
        assert!(through(&square, [0.3, 0.5], [0.7, 0.5]));
        assert!(!through(&square, [0.38, 0.44], [0.44, 0.38]));
        assert!(!through(&square, [0.3, 0.5], [0.3, 0.5]));
        // Out and in again through a notch counts what is inside only.
        let u = polygon(&[
            [0.2, 0.2],
            [0.4, 0.2],
            [0.4, 0.6],
            [0.6, 0.6],
            [0.6, 0.2],
            [0.8, 0.2],
            [0.8, 0.8],
            [0.2, 0.8],
        ]);
        let inside = inside_length(&u, [0.0, 0.4].into(), [1.0, 0.4].into(), 1.0);
        assert!((inside - 0.4).abs() < 1e-5, "{inside}");
    }

    #[test]
    fn distances() {
        let square = polygon(&[[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]]);
        assert_eq!(away_from(&square, [0.5, 0.5].into(), 2.0), 0.0);
        assert!((away_from(&square, [0.3, 0.5].into(), 2.0) - 0.2).abs() < 1e-5);
        assert!((to_edge(&square, [0.5, 0.45].into(), 2.0) - 0.05).abs() < 1e-5);
    }
}
