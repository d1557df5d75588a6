//! Which zones a thing stands in.

use scene::{BBox, Id, Mono, Point, Polygon, Zone};

use crate::Config;

/// Distance from `p` to the polygon's outline, in picture heights.
fn to_edge(polygon: &Polygon, p: Point, aspect: f32) -> f32 {
    let corners = polygon.points();
    let p = (p.x * aspect, p.y);
    let mut best = f32::MAX;
    for (i, a) in corners.iter().enumerate() {
        let b = corners[(i + 1) % corners.len()];
        let (a, b) = ((a.x * aspect, a.y), (b.x * aspect, b.y));
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let long = dx * dx + dy * dy;
        let t = if long > 0.0 {
            (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / long).clamp(0.0, 1.0)
        } else {
            0.0
        };
        best = best.min((p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy));
    }
    best
}

/// Where a thing is towards one zone.
#[derive(Clone, Debug)]
struct Place {
    zone: Id,
    inside: bool,
    /// Since when its foot has been on the other side.
    other: Option<Mono>,
}

/// The zones a thing is in. Bounded by the number of drawn zones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(Vec<Place>);

/// In or out of a zone.
pub(crate) enum Move {
    In(Id),
    Out(Id),
}

impl Places {
    /// The thing was seen; tells what it entered and left. The first time a
    /// zone is met, being in it counts as entering.
    pub fn seen(&mut self, config: &Config, bbox: &BBox, zones: &[Zone], now: Mono) -> Vec<Move> {
        let mut moves = Vec::new();
        // A zone that is no longer drawn is forgotten, not left.
        self.0.retain(|p| zones.iter().any(|z| z.name == p.zone));
        let foot = bbox.foot();
        for zone in zones {
            let inside = zone.polygon.contains(foot);
            let i = match self.0.iter().position(|p| p.zone == zone.name) {
                Some(i) => i,
                None => {
                    self.0.push(Place {
                        zone: zone.name.clone(),
                        inside,
                        other: None,
                    });
                    if inside {
                        moves.push(Move::In(zone.name.clone()));
                    }
                    continue;
                }
            };
            let place = &mut self.0[i];
            if inside == place.inside {
                place.other = None;
                continue;
            }
            // Jitter at the edge does not flap: it takes a clear step over
            // it, or, to enter, a second look and, to leave, a while.
            let clear = to_edge(&zone.polygon, foot, config.aspect) > bbox.h * config.edge_share;
            let waited = match place.other {
                Some(since) if inside => now > since,
                Some(since) => now > since && now.since(since) >= config.edge,
                None => false,
            };
            if clear || waited {
                place.inside = inside;
                place.other = None;
                moves.push(match inside {
                    true => Move::In(zone.name.clone()),
                    false => Move::Out(zone.name.clone()),
                });
            } else {
                place.other.get_or_insert(now);
            }
        }
        moves
    }

    /// The names of the zones it is in, in the order they were met.
    pub fn inside(&self) -> Vec<Id> {
        let inside = self.0.iter().filter(|p| p.inside);
        inside.map(|p| p.zone.clone()).collect()
    }
}
