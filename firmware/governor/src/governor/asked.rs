//! What operators ask for beside rules, and operating points that turn out not
//! to be.

use scene::{Mono, OperatingPoint, Watts};

use super::{Cause, Decision, Governor};

impl Governor {
    /// Like [`Governor::decide`], for when somebody waits for an answer: a look
    /// starts also if no rule is due and whatever is saved up, as long as heat
    /// and the peak guard allow it. It is paid for like any other.
    pub fn decide_asked(&mut self, now: Mono) -> Decision {
        match self.decide(now) {
            Decision::Hold {
                cause:
                    Cause::NothingDue | Cause::NoRules | Cause::Energy | Cause::Busy | Cause::Sounding,
                ..
            } if self.flight.is_none() => self.permit(self.now, Vec::new()),
            decision => decision,
        }
    }

    /// An operator wants looks to take no more than `cap` on average, or lifts
    /// that; what the configuration says holds anyway.
    pub fn set_cap(&mut self, cap: Option<Watts>) {
        let told = self.config.cap;
        let lower = |a: Watts, b: Watts| if a.0 <= b.0 { a } else { b };
        let cap = match (told, cap) {
            (Some(a), Some(b)) => Some(lower(a, b)),
            (a, b) => a.or(b),
        };
        self.power.set_cap(cap);
        self.chooser.hurry();
        self.weighed = None;
    }

    /// The model can't run at `point` after all: it is not chosen again. The
    /// last one that is left stays.
    pub fn exclude(&mut self, point: &OperatingPoint) {
        self.costs.exclude(point);
        self.chooser.hurry();
        self.weighed = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scene::ports::{Reading, Readings};
    use scene::{Joules, Quantity, Watts};

    use super::*;
    use crate::{Config, Told};

    fn readings(granted: f64) -> Readings {
        Readings {
            allotment: Reading::modelled(Watts(granted), "class"),
            board: Some(Reading::modelled(Watts(5.0), "CPU time")),
            hottest: None,
            frequency_mhz: None,
            cpu_time: Duration::ZERO,
            problems: Vec::new(),
        }
    }

    #[test]
    fn a_question_needs_no_rule_but_watts() {
        let t = Mono::from_secs_f64;
        let mut g = Governor::new(Config::default());
        g.observe(t(0.0), &readings(12.95));
        assert!(matches!(g.decide(t(0.0)), Decision::Hold { .. }));
        assert!(matches!(g.decide_asked(t(0.0)), Decision::Look { .. }));
        assert!(matches!(g.decide_asked(t(0.1)), Decision::Hold { .. }));
        let joules = Quantity::modelled(Joules(1.0));
        let took = g.settle(t(0.4), joules, Duration::from_millis(400), 1);
        assert_eq!(took, joules);
        g.observe(t(0.5), &readings(6.0));
        let held = g.decide_asked(t(0.5));
        assert!(
            matches!(
                held,
                Decision::Hold {
                    cause: Cause::Peak,
                    ..
                }
            ),
            "{held:?}"
        );
    }

    #[test]
    fn what_cannot_be_run_at_is_not_chosen_again() {
        let t = Mono::from_secs_f64;
        let told = |threads: u32| Told {
            point: OperatingPoint {
                threads,
                ..Told::default().point
            },
            accuracy: 0.5 + f64::from(threads) / 10.0,
            ..Told::default()
        };
        let mut g = Governor::new(Config {
            points: (1..4).map(told).collect(),
            ..Config::default()
        });
        g.observe(t(0.0), &readings(12.95));
        for (second, threads) in [(0.0, 3), (1.0, 2), (2.0, 1), (3.0, 1)] {
            let Decision::Look { point, .. } = g.decide_asked(t(second)) else {
                panic!("it must look")
            };
            assert_eq!(point.threads, threads);
            g.cancel(t(second + 0.5));
            g.exclude(&point);
        }
    }
}
