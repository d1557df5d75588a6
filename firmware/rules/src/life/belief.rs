//! What one look says about a rule's condition.

use scene::{
    CountBelief, Detection, Id, Moment, Mono, Passage, Polygon, Track, TrackEvent, Unknown, Value,
};

use super::{
    CLEAR, GATE_WAIT, Life, MAX_PASSAGES, MAX_PENDING, MAX_VISITORS, RAISE, Seen, Transition, inner,
};
use crate::arm::{Combine, Deed, Leaf, Means};
use crate::rule::compares;
use crate::{Comparator, Predicate, Rule, Threshold};

/// How strongly a look speaks for the condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Belief {
    /// Probability that the condition holds, 0..1.
    pub p: f32,
    /// The most probable count.
    pub count: Option<u64>,
    /// Since when it holds, where a track knows better than the looks.
    pub since: Option<Mono>,
    /// Counted, not estimated: needs no smoothing.
    pub exact: bool,
}

/// What a look says: a belief, or why it says nothing.
pub(crate) type Look = Result<Belief, String>;

fn estimate(p: f32) -> Belief {
    Belief {
        p: if p.is_nan() { 0.0 } else { p.clamp(0.0, 1.0) },
        count: None,
        since: None,
        exact: false,
    }
}

/// The threshold of a leaf; at least one where none is stated.
pub(crate) fn bounds(rule: &Rule) -> (Comparator, Threshold) {
    (
        rule.comparator.unwrap_or(Comparator::Ge),
        rule.threshold.unwrap_or(Threshold::One(1)),
    )
}

fn of_count(rule: &Rule, counts: &CountBelief) -> Belief {
    let holds = |n: usize| match rule.predicate {
        Some(Predicate::Absence) => n == 0,
        Some(Predicate::Count) => {
            let (c, t) = bounds(rule);
            compares(c, t, n as u64)
        }
        _ => n > 0,
    };
    Belief {
        count: Some(counts.most_likely() as u64),
        ..estimate(counts.probability(holds))
    }
}

fn of_value(rule: &Rule, value: &Value) -> Look {
    match value {
        Value::Count(counts) => Ok(of_count(rule, counts)),
        Value::YesNo(p) if rule.predicate == Some(Predicate::Absence) => Ok(estimate(1.0 - p)),
        Value::YesNo(_) if rule.predicate == Some(Predicate::Count) => {
            Err("the model said yes or no to a question for a number".into())
        }
        Value::YesNo(p) => Ok(estimate(*p)),
        Value::Text(_) => Err("the model told a story where a verdict was asked".into()),
        Value::Unknown(why) => Err(why.to_string()),
    }
}

fn is_class(classes: &[String], class: &str) -> bool {
    classes.is_empty() || classes.iter().any(|c| c == class)
}

fn inside(areas: &[(Id, Polygon)], d: &Detection) -> bool {
    areas.is_empty() || areas.iter().any(|(_, p)| p.contains(d.bbox.foot()))
}

fn in_zones(areas: &[(Id, Polygon)], track: &Track) -> bool {
    areas.is_empty() || areas.iter().any(|(id, _)| track.zones.contains(id))
}

/// A track of the leaf's kind since when it qualifies, the earliest one.
fn oldest<'a>(
    leaf: &Leaf,
    classes: &[String],
    tracks: &'a [Track],
    since: impl Fn(&Track) -> Option<Mono>,
) -> Option<(Mono, &'a Track)> {
    tracks
        .iter()
        .filter(|t| is_class(classes, &t.class) && in_zones(&leaf.areas, t))
        .filter_map(|t| Some((since(t)?, t)))
        .min_by_key(|(since, _)| *since)
}

fn does(leaf: &Leaf, deed: Deed, event: &TrackEvent) -> bool {
    let zone = |id: &Id| leaf.areas.iter().any(|(area, _)| area == id);
    match (&event.what, deed) {
        (Passage::Enter(id), Deed::Enter) | (Passage::Exit(id), Deed::Exit) => zone(id),
        (Passage::Appear, Deed::Appear) | (Passage::Disappear, Deed::Disappear) => {
            in_zones(&leaf.areas, &event.track)
        }
        _ => false,
    }
}

/// All leaves' looks as one. Nothing is assumed of how leaves depend on each
/// other: "all" is as sure as the least sure one, "any" as the surest one. An
/// unknown leaf matters unless the others decide without it.
fn combined(combine: Combine, looks: &[Look]) -> Look {
    if let [only] = looks {
        return only.clone();
    }
    let known = looks.iter().filter_map(|l| l.as_ref().ok());
    let pick = match combine {
        Combine::All => known.min_by(|a, b| a.p.total_cmp(&b.p)),
        Combine::Any => known.max_by(|a, b| a.p.total_cmp(&b.p)),
    };
    let unknown = looks.iter().find_map(|l| l.as_ref().err());
    match (pick, unknown) {
        (Some(b), Some(why)) => {
            let decided = match combine {
                Combine::All => b.p <= CLEAR,
                Combine::Any => b.p >= RAISE,
            };
            if decided {
                Ok(Belief {
                    since: None,
                    ..b.clone()
                })
            } else {
                Err(why.clone())
            }
        }
        (Some(b), None) => Ok(Belief {
            since: None,
            ..b.clone()
        }),
        (None, Some(why)) => Err(why.clone()),
        (None, None) => Err("nothing was looked at".into()),
    }
}

impl Life {
    /// Judges the condition; `None` if this look did not concern it.
    pub(super) fn judge(&mut self, at: Moment, seen: &Seen<'_>) -> Option<Look> {
        let t = inner(at.mono);
        let mut looks = Vec::new();
        let mut news = false;
        let plan = self.plan.clone();
        for (i, leaf) in plan.leaves.iter().enumerate() {
            let look = match &leaf.means {
                Means::Passage { .. } if leaf.rule.threshold.is_none() => continue,
                Means::Passage { .. } => Some(self.rate(i, leaf, t, seen)),
                Means::Ask(question) => {
                    let found = seen.answers.iter().find(|(q, _)| *q == question);
                    found.map(|(_, value)| of_value(&leaf.rule, value))
                }
                Means::Detect { classes } => Some(match seen.detections {
                    Some(all) => {
                        let mine = (all.iter())
                            .filter(|d| is_class(classes, &d.class) && inside(&leaf.areas, d));
                        let counts = CountBelief::from_independent(mine.map(|d| d.score));
                        Ok(of_count(&leaf.rule, &counts))
                    }
                    None => Err("the detector did not run".into()),
                }),
                Means::Still { classes } => Some(tracked(leaf, classes, seen, |t| t.still_since)),
                Means::Unattended { classes } => Some(tracked(leaf, classes, seen, |t| {
                    Some(t.still_since?.max(t.alone_since?))
                })),
            };
            news |= look.is_some();
            looks.push(match look {
                Some(Ok(b)) => {
                    self.cache[i] = Some((t, b.clone()));
                    Ok(b)
                }
                Some(Err(why)) => Err(why),
                None => match &self.cache[i] {
                    Some((when, b)) if t.since(*when) <= self.gap_limit() => Ok(b.clone()),
                    _ => Err(Unknown::NotYet("not looked at yet".into()).to_string()),
                },
            });
        }
        (news && !looks.is_empty()).then(|| combined(plan.combine, &looks))
    }

    /// The events of the leaf's window, counted.
    fn rate(&mut self, i: usize, leaf: &Leaf, t: Mono, seen: &Seen<'_>) -> Look {
        if seen.tracks.is_none() && seen.events.is_empty() {
            return Err("nothing is tracked".into());
        }
        let window = leaf.rule.window_seconds.unwrap_or_default().as_duration();
        let past = &mut self.passages[i];
        while past.front().is_some_and(|when| t.since(*when) >= window) {
            past.pop_front();
        }
        let count = past.len() as u64;
        let (comparator, threshold) = bounds(&leaf.rule);
        let holds = compares(comparator, threshold, count);
        // "Fewer than 5 within an hour" is known only after an hour.
        let growing = matches!(comparator, Comparator::Gt | Comparator::Ge);
        if !growing && self.started.is_none_or(|s| t.since(s) < window) {
            return Err(Unknown::NotYet(format!(
                "watched for less than {}",
                leaf.rule.window_seconds.unwrap_or_default()
            ))
            .to_string());
        }
        Ok(Belief {
            p: if holds { 1.0 } else { 0.0 },
            count: Some(count),
            since: None,
            exact: true,
        })
    }

    /// Takes in events: counts them for windows, or raises and ends an alert
    /// at once.
    pub(super) fn pulses(&mut self, at: Moment, seen: &Seen<'_>, out: &mut Vec<Transition>) {
        let t = inner(at.mono);
        let plan = self.plan.clone();
        for (i, leaf) in plan.leaves.iter().enumerate() {
            let Means::Passage { classes, deed, .. } = &leaf.means else {
                continue;
            };
            let mine = (seen.events.iter())
                .filter(|e| is_class(classes, &e.track.class) && does(leaf, *deed, e));
            for event in mine {
                if self.pending.len() == MAX_PENDING {
                    self.pending.pop_front();
                }
                self.pending.push_back((i, event.clone()));
            }
        }
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
                            self.pending.push_back((i, event));
                            continue;
                        }
                        None => {
                            self.unknown =
                                Some((t, "no answer came in time to tell what passed".into()));
                            continue;
                        }
                    }
                }
            };
            self.passed(i, at, &event, p, out);
        }
    }

    fn passed(
        &mut self,
        i: usize,
        at: Moment,
        event: &TrackEvent,
        p: f32,
        out: &mut Vec<Transition>,
    ) {
        let plan = self.plan.clone();
        let leaf = &plan.leaves[i];
        if leaf.rule.threshold.is_some() {
            if self.passages[i].len() == MAX_PASSAGES {
                self.passages[i].pop_front();
            }
            self.passages[i].push_back(inner(event.at));
            return;
        }
        if plan.combine == Combine::All {
            let others = (self.cache.iter().zip(&plan.leaves).enumerate())
                .filter(|(j, _)| *j != i)
                .all(|(_, (cached, _))| {
                    cached.as_ref().is_some_and(|(when, b)| {
                        b.p >= 0.5 && inner(at.mono).since(*when) <= self.gap_limit()
                    })
                });
            if plan.leaves.len() > 1 && !others {
                return;
            }
        }
        if plan.rule.dedup.is_some() {
            let visitor = (i, event.track.id);
            if self.visitors.contains(&visitor) {
                return;
            }
            if self.visitors.len() == MAX_VISITORS {
                self.visitors.pop_front();
            }
            self.visitors.push_back(visitor);
        }
        self.pulse(at, inner(event.at), leaf, p, out);
    }
}

fn tracked(
    leaf: &Leaf,
    classes: &[String],
    seen: &Seen<'_>,
    since: impl Fn(&Track) -> Option<Mono>,
) -> Look {
    let tracks = seen.tracks.ok_or("nothing is tracked")?;
    Ok(match oldest(leaf, classes, tracks, since) {
        Some((since, track)) => Belief {
            since: Some(inner(since)),
            ..estimate(track.score.max(RAISE))
        },
        None => estimate(0.0),
    })
}
