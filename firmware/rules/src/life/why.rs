//! Why a rule is where it is, for people.

use scene::Moment;

use super::stage::Stage;
use super::{Life, RAISE, UPDATE_EVERY, inner};
use crate::says::needs;

impl Life {
    /// The last evaluation in a phrase: "count 9, needs more than 10", "held 80
    /// of 120 s", "cooling 40 s", "unknown: model timeout".
    pub fn why(&self, now: Moment) -> String {
        let t = inner(now.mono);
        match self.opened(now) {
            None => {
                return "waiting: the schedule needs a clock, and the camera has none yet".into();
            }
            Some(false) => return "waiting: outside its schedule".into(),
            Some(true) => {}
        }
        if let Some((_, why)) = &self.unknown {
            return format!("unknown: {why}");
        }
        if let Some((when, why)) = &self.missed
            && t.since(*when) < UPDATE_EVERY
        {
            return format!("unknown: {why}");
        }
        let cooling = self.cooling(t).map(|left| {
            let left = left.as_secs_f64().ceil();
            format!("cooling {left} s")
        });
        match (&self.stage, cooling) {
            (Stage::Fired(open), _) => {
                format!(
                    "alert open for {} s: {}",
                    t.since(open.since).as_secs(),
                    self.verdict()
                )
            }
            (Stage::Idle, Some(cooling)) => cooling,
            (Stage::Holding { .. }, Some(cooling)) if self.kept_back(t).is_some() => cooling,
            (Stage::Holding { since, paused }, _) => {
                let hold = self.plan.rule.hold();
                if hold.as_millis() == 0 {
                    return format!("waits for a second look: {}", self.verdict());
                }
                let held = t.since(*since + *paused).min(hold.as_duration());
                format!("held {} of {} s", held.as_secs(), hold.as_secs_f64())
            }
            (Stage::Idle, None) if self.last_look.is_none() => "not looked at yet".into(),
            (Stage::Idle, None) => self.verdict(),
        }
    }

    fn verdict(&self) -> String {
        let Some(belief) = &self.belief else {
            return "nothing happened yet".into();
        };
        let counted = self
            .plan
            .leaves
            .iter()
            .find(|l| l.rule.comparator.is_some());
        match (belief.count, counted) {
            (Some(n), Some(leaf)) => format!("count {n}, needs {}", needs(&leaf.rule)),
            _ => format!("belief {:.2}, needs {RAISE:.2}", self.smoothed),
        }
    }
}
