//! Things that happen in an instant: passages of tracks, counted in windows or
//! told at once, and the visits that they begin.

use std::time::Duration;

use scene::{Heading, Id, Moment, Mono, Passage, Phase, TrackEvent, TrackId, Value};

use super::belief::{in_zones, is_class};
use super::stage::Stage;
use super::{
    Following, GATE_WAIT, Life, MAX_PASSAGES, MAX_PENDING, MAX_VISITORS, RAISE, Seen, Transition,
    VISIT_GAP, inner, moment,
};
use crate::arm::{Deed, Leaf, Means};
use crate::says;

/// A visit that was told.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    leaf: usize,
    track: TrackId,
    /// For how much watched time it has been out.
    out: Duration,
}

/// An event to be told, of a leaf, with its probability.
pub(super) type Raised = (usize, TrackEvent, f32);

fn does(leaf: &Leaf, deed: Deed, way: Option<Heading>, event: &TrackEvent) -> bool {
    let zone = |id: &Id| leaf.areas.iter().any(|(area, _)| area == id);
    // Told once for the whole picture and once for each zone.
    let scope = |of: &Option<Id>| match of {
        None => leaf.areas.is_empty(),
        Some(id) => zone(id),
    };
    let done = match (&event.what, deed) {
        (Passage::Enter(id), Deed::Enter)
        | (Passage::Exit(id), Deed::Exit)
        | (Passage::Cross(id), Deed::Cross)
        | (Passage::Approach(id), Deed::Approach)
        | (Passage::Retreat(id), Deed::Retreat) => zone(id),
        (Passage::Appear, Deed::Appear) | (Passage::Disappear, Deed::Disappear) => {
            in_zones(&leaf.areas, &event.track)
        }
        (Passage::Go { heading, zone }, Deed::Go(wanted)) => *heading == wanted && scope(zone),
        (Passage::Turn { to, zone }, Deed::Turn(wanted)) => *to == wanted && scope(zone),
        _ => false,
    };
    done && way.is_none_or(|way| event.track.movement.goes(way))
}

impl Life {
    /// Keeps account of how long tracks have been told, and of who is out.
    pub(super) fn follow(&mut self, t: Mono, seen: &Seen<'_>) {
        if seen.tracks.is_none() && seen.events.is_empty() {
            return;
        }
        let limit = self.gap_limit();
        let last = self.following.filter(|f| t.since(f.last) <= limit);
        // Time in which nobody looked ends no visit.
        let passed =
            (self.following).map_or(Duration::ZERO, |f| t.since(f.last).min(self.vouched()));
        self.tracks_from = Some(match self.tracks_from {
            Some(from) if last.is_some() => from,
            _ => t,
        });
        self.following = Some(Following {
            since: last.map_or(t, |f| f.since),
            last: t,
        });
        let plan = &self.plan;
        self.visitors.retain_mut(|visitor| {
            let leaf = &plan.leaves[visitor.leaf];
            let here = seen.tracks.is_some_and(|tracks| {
                tracks
                    .iter()
                    .any(|track| track.id == visitor.track && in_zones(&leaf.areas, track))
            });
            visitor.out = if here {
                Duration::ZERO
            } else {
                visitor.out + passed
            };
            visitor.out < VISIT_GAP
        });
    }

    /// Takes in events: counts the ones for windows, and gives the ones to tell.
    pub(super) fn take_in(&mut self, t: Mono, seen: &Seen<'_>) -> Vec<Raised> {
        let plan = self.plan.clone();
        for (i, leaf) in plan.leaves.iter().enumerate() {
            let Means::Passage {
                classes, deed, way, ..
            } = &leaf.means
            else {
                continue;
            };
            let mine = (seen.events.iter())
                .filter(|e| is_class(classes, &e.track.class) && does(leaf, *deed, *way, e));
            for event in mine {
                self.pending.push_back((i, event.clone()));
            }
        }
        let mut raised = Vec::new();
        for (i, event) in std::mem::take(&mut self.pending) {
            let leaf = &plan.leaves[i];
            let Means::Passage { gate, .. } = &leaf.means else {
                continue;
            };
            let p = match gate {
                None => event.track.score,
                Some(question) => {
                    let answer = seen.answers.iter().find(|(q, _)| *q == question);
                    let p = answer.and_then(|(_, v)| match v {
                        Value::YesNo(p) => Some(*p),
                        _ => None,
                    });
                    match p {
                        Some(p) if p < 0.5 => continue,
                        Some(p) => p,
                        None if t.since(inner(event.at)) <= GATE_WAIT => {
                            self.wait(t, i, event);
                            continue;
                        }
                        None => {
                            let why = "no answer came in time to tell what passed";
                            self.missed = Some((t, why.into()));
                            continue;
                        }
                    }
                }
            };
            if leaf.is_event() {
                raised.push((i, event, p));
            } else {
                self.count(i, inner(event.at).min(t));
            }
        }
        raised
    }

    /// Keeps an event until its answer comes; the oldest goes if too many wait.
    fn wait(&mut self, t: Mono, i: usize, event: TrackEvent) {
        if self.pending.len() == MAX_PENDING {
            self.pending.pop_front();
            self.dropped += 1;
            self.missed = Some((t, "too many things passed at once".into()));
        }
        self.pending.push_back((i, event));
    }

    /// Adds an event to its leaf's window, in order of time.
    fn count(&mut self, i: usize, when: Mono) {
        let past = &mut self.passages[i];
        if past.len() == MAX_PASSAGES {
            past.pop_front();
        }
        let place = past.partition_point(|earlier| *earlier <= when);
        past.insert(place, when);
    }

    /// An event is told: an alert that begins and ends at once, or an update of
    /// the one that is open.
    pub(super) fn happen(
        &mut self,
        at: Moment,
        i: usize,
        event: &TrackEvent,
        p: f32,
        out: &mut Vec<Transition>,
    ) {
        let t = inner(at.mono);
        let plan = self.plan.clone();
        let leaf = &plan.leaves[i];
        let mut confidence = if p.is_nan() { 0.0 } else { p.clamp(0.0, 1.0) };
        if plan.needs_event() {
            let known = (self.last_known).is_some_and(|k| t.since(k) <= self.gap_limit());
            if !known || self.smoothed < RAISE {
                return;
            }
            confidence = confidence.min(self.smoothed.clamp(0.0, 1.0));
        }
        let visitor = |v: &Visitor| (v.leaf, v.track) == (i, event.track.id);
        if plan.rule.dedup.is_some() && self.visitors.iter().any(visitor) {
            return;
        }
        let mut phases = vec![Phase::New, Phase::End];
        let mut since = moment(inner(event.at).min(t), at);
        if let Stage::Fired(open) = &mut self.stage {
            if t.since(open.told) < plan.update_every() {
                self.suppressed += 1;
                return;
            }
            // The condition is as stale as it was: the event does not show it.
            open.told = t;
            phases = vec![Phase::Update];
            since = moment(open.since, at);
        } else if self.cooling(t).is_some() {
            self.suppressed += 1;
            return;
        }
        self.tell(t);
        if plan.rule.dedup.is_some() {
            if self.visitors.len() == MAX_VISITORS {
                self.visitors.pop_front();
            }
            self.visitors.push_back(Visitor {
                leaf: i,
                track: event.track.id,
                out: Duration::ZERO,
            });
        }
        for phase in phases {
            out.push(Transition {
                phase,
                since,
                at,
                answer: "yes".into(),
                confidence,
                says: says::happened(&leaf.rule, None, None),
            });
        }
    }
}
