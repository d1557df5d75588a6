//! When looks ran, so that a reading can be held against what ran when it was
//! true.

use std::collections::VecDeque;

use scene::Mono;

/// Looks that are remembered; the oldest goes first. At one each 200 ms this
/// is more than the longest lag that is reckoned with.
const KEPT: usize = 64;

#[derive(Clone, Copy, Debug)]
struct Run {
    start: Mono,
    end: Option<Mono>,
    watts: f64,
}

/// What looks added to the board's draw, over time, as it was believed then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity {
    runs: VecDeque<Run>,
}

impl Activity {
    /// A look starts that is believed to add `watts`.
    pub fn start(&mut self, at: Mono, watts: f64) {
        self.end(at, None);
        if self.runs.len() == KEPT {
            self.runs.pop_front();
        }
        self.runs.push_back(Run {
            start: at,
            end: None,
            watts,
        });
    }

    /// The look that runs is over; it began at `began`, if that is known
    /// better now.
    pub fn end(&mut self, at: Mono, began: Option<Mono>) {
        if let Some(run) = self.runs.back_mut().filter(|run| run.end.is_none()) {
            run.start = began.unwrap_or(run.start).max(run.start).min(at);
            run.end = Some(at);
        }
    }

    /// The look that runs never did.
    pub fn forget(&mut self) {
        if self.runs.back().is_some_and(|run| run.end.is_none()) {
            self.runs.pop_back();
        }
    }

    /// Average watts of looks from `from` to `to`; at `to` if that is no later
    /// than `from`.
    pub fn mean(&self, from: Mono, to: Mono) -> f64 {
        if to <= from {
            let at = |run: &&Run| run.start <= to && run.end.is_none_or(|end| end > to);
            return self.runs.iter().rev().find(at).map_or(0.0, |run| run.watts);
        }
        let mut joules = 0.0;
        for run in self.runs.iter().rev() {
            let end = run.end.unwrap_or(to).min(to);
            if end <= from {
                break;
            }
            joules += run.watts * end.since(run.start.max(from)).as_secs_f64();
        }
        joules / to.since(from).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_parts_of_looks() {
        let t = Mono::from_secs_f64;
        let mut a = Activity::default();
        a.start(t(1.0), 3.0);
        a.end(t(2.0), None);
        a.start(t(4.0), 2.0);
        assert_eq!(a.mean(t(0.0), t(4.0)), 0.75);
        assert_eq!(a.mean(t(1.5), t(2.5)), 1.5);
        assert_eq!(a.mean(t(4.0), t(6.0)), 2.0, "one that runs");
        assert_eq!((a.mean(t(1.5), t(1.5)), a.mean(t(3.0), t(3.0))), (3.0, 0.0));
        a.end(t(6.0), Some(t(5.0)));
        assert_eq!(a.mean(t(4.0), t(6.0)), 1.0, "it waited for its frame");
        a.start(t(7.0), 9.0);
        a.forget();
        assert_eq!(a.mean(t(7.0), t(9.0)), 0.0);
    }
}
