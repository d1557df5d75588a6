//! What one look says about a rule's condition.

use scene::{CountBelief, Detection, Id, Moment, Mono, Polygon, Track, Unknown, Value};

use super::{CLEAR, Life, RAISE, Seen, TRACK_SETTLE, inner};
use crate::arm::{Combine, Leaf, Means};
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

const NOT_TRACKED: &str = "nothing is tracked";

pub(super) fn is_class(classes: &[String], class: &str) -> bool {
    classes.is_empty() || classes.iter().any(|c| c == class)
}

fn inside(areas: &[(Id, Polygon)], d: &Detection) -> bool {
    areas.is_empty() || areas.iter().any(|(_, p)| p.contains(d.bbox.foot()))
}

pub(super) fn in_zones(areas: &[(Id, Polygon)], track: &Track) -> bool {
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
                Means::Passage { .. } if leaf.is_event() => continue,
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
                Means::Still { classes } => {
                    Some(self.tracked(t, leaf, classes, seen, |t| t.still_since))
                }
                Means::Unattended { classes } => Some(self.tracked(t, leaf, classes, seen, |t| {
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
        if looks.is_empty() {
            self.unknown = (seen.tracks.is_none() && seen.events.is_empty())
                .then(|| (t, NOT_TRACKED.to_owned()));
            return None;
        }
        news.then(|| combined(plan.combine, &looks))
    }

    /// The events of the leaf's window, counted. What more events, unseen ones,
    /// could not change is known at once; the rest only once a whole window was
    /// watched.
    fn rate(&mut self, i: usize, leaf: &Leaf, t: Mono, seen: &Seen<'_>) -> Look {
        if seen.tracks.is_none() && seen.events.is_empty() {
            return Err(NOT_TRACKED.into());
        }
        let window = leaf.rule.window_seconds.unwrap_or_default();
        let past = &mut self.passages[i];
        while (past.front()).is_some_and(|when| t.since(*when) >= window.as_duration()) {
            past.pop_front();
        }
        let count = past.len() as u64;
        let (comparator, threshold) = bounds(&leaf.rule);
        let holds = compares(comparator, threshold, count);
        let growing = matches!(comparator, Comparator::Gt | Comparator::Ge);
        let (Threshold::One(high) | Threshold::Range([_, high])) = threshold;
        let settled = match comparator {
            Comparator::Gt | Comparator::Ge => holds,
            Comparator::Lt | Comparator::Le => !holds,
            Comparator::Eq | Comparator::Ne | Comparator::Between => count > high,
        };
        let whole = (self.following).is_some_and(|f| t.since(f.since) >= window.as_duration());
        // While no alert is open, "not yet more than 3" does no harm, and the
        // count is worth telling.
        if !(settled || whole || growing && !self.active()) {
            return Err(Unknown::NotYet(format!("watched for less than {window}")).to_string());
        }
        Ok(Belief {
            p: if holds { 1.0 } else { 0.0 },
            count: Some(count),
            since: None,
            exact: true,
        })
    }

    /// Whether a track qualifies. After a restart tracks begin anew, so that
    /// none does is not known at once for an alert that is open.
    fn tracked(
        &self,
        t: Mono,
        leaf: &Leaf,
        classes: &[String],
        seen: &Seen<'_>,
        since: impl Fn(&Track) -> Option<Mono>,
    ) -> Look {
        let tracks = seen.tracks.ok_or(NOT_TRACKED)?;
        if let Some((since, track)) = oldest(leaf, classes, tracks, since) {
            return Ok(Belief {
                since: Some(inner(since)),
                ..estimate(track.score.max(RAISE))
            });
        }
        let settled = (self.tracks_from).is_some_and(|from| t.since(from) >= TRACK_SETTLE);
        if self.active() && !settled {
            let why = format!("followed for less than {} s", TRACK_SETTLE.as_secs());
            return Err(Unknown::NotYet(why).to_string());
        }
        Ok(estimate(0.0))
    }
}
