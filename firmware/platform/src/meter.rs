//! Watts from load and constants, and watts from joules.

use std::time::Duration;

use scene::Mono;

use crate::spec::BoardSpec;

/// Readings closer than this say more about the clock than about watts.
const CLOSE: Duration = Duration::from_millis(10);

/// The board's draw as its model has it, on average from reading to reading.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    idle: f64,
    per_core: f64,
    cores: f64,
    last: Option<(Mono, Duration)>,
    watts: f64,
}

impl Model {
    pub fn new(spec: &BoardSpec) -> Self {
        Self {
            idle: spec.power.idle_watts,
            per_core: spec.power.watts_per_core,
            cores: f64::from(spec.compute.cores),
            last: None,
            watts: spec.power.idle_watts,
        }
    }

    /// Watts on average since the last reading. `cpu` is this process's CPU
    /// time so far.
    ///
    /// Idle watts + busy cores x watts per core, the linear model of Fan,
    /// Weber, Barroso, "Power provisioning for a warehouse-sized computer",
    /// ISCA 2007. It is as good as the board's two constants.
    pub fn watts(&mut self, now: Mono, cpu: Duration) -> f64 {
        let Some((then, cpu_then)) = self.last else {
            self.last = Some((now, cpu));
            return self.watts;
        };
        let dt = now.since(then);
        if dt >= CLOSE {
            let busy = cpu.saturating_sub(cpu_then).as_secs_f64() / dt.as_secs_f64();
            self.watts = self.idle + busy.min(self.cores) * self.per_core;
            self.last = Some((now, cpu));
        }
        self.watts
    }
}

/// What a sensor says at one reading.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Said {
    /// This many watts, true so long ago.
    Watts(f64, Duration),
    /// Nothing yet, and no fault: averages need two readings.
    NotYet,
    /// It can't be read.
    Nothing,
}

impl From<Option<f64>> for Said {
    fn from(watts: Option<f64>) -> Self {
        watts.map_or(Said::Nothing, |watts| Said::Watts(watts, Duration::ZERO))
    }
}

/// Joules counted from reading to reading, as average watts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Average {
    last: Option<Mono>,
    /// Since then; `None` after a reading that failed.
    joules: Option<f64>,
    watts: Option<f64>,
}

impl Average {
    /// Average watts since the last reading; `joules` counted since then, or
    /// `None` if the counter could not be read.
    pub fn read(&mut self, now: Mono, joules: Option<f64>) -> Said {
        let Some(then) = self.last else {
            self.last = Some(now);
            self.joules = Some(0.0);
            return Said::NotYet;
        };
        self.joules = self.joules.zip(joules).map(|(sum, more)| sum + more);
        let dt = now.since(then);
        if dt < CLOSE {
            return match self.watts {
                Some(watts) => Said::Watts(watts, Duration::ZERO),
                None => Said::NotYet,
            };
        }
        self.watts = self.joules.map(|joules| joules / dt.as_secs_f64());
        self.last = Some(now);
        self.joules = Some(0.0);
        self.watts.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Mono {
        Mono::from_secs_f64(seconds)
    }

    #[test]
    fn load_becomes_watts() {
        let mut model = Model {
            idle: 4.0,
            per_core: 1.5,
            cores: 4.0,
            last: None,
            watts: 4.0,
        };
        let mut watts = |t: f64, cpu: f64| model.watts(at(t), Duration::from_secs_f64(cpu));
        assert_eq!(watts(10.0, 5.0), 4.0);
        assert_eq!(watts(12.0, 7.0), 5.5, "one core");
        assert_eq!(watts(12.001, 9.0), 5.5, "too close to tell");
        // Sixteen busy cores on a board described with four.
        assert_eq!(watts(14.0, 39.0), 10.0);
        assert_eq!(watts(15.0, 2.0), 4.0, "CPU time never goes back");
    }

    #[test]
    fn joules_become_watts_and_a_gap_is_named() {
        let mut average = Average::default();
        let watts = |w| Said::Watts(w, Duration::ZERO);
        assert_eq!(average.read(at(0.0), Some(7.0)), Said::NotYet);
        assert_eq!(average.read(at(0.001), Some(1.0)), Said::NotYet);
        assert_eq!(average.read(at(2.0), Some(17.0)), watts(9.0));
        assert_eq!(average.read(at(2.005), Some(0.5)), watts(9.0), "too close");
        assert_eq!(average.read(at(3.0), Some(0.5)), watts(1.0));
        assert_eq!(average.read(at(4.0), None), Said::Nothing);
        assert_eq!(average.read(at(5.0), Some(6.0)), watts(6.0));
        assert_eq!(average.read(at(5.002), None), watts(6.0));
        assert_eq!(
            average.read(at(6.0), Some(1.0)),
            Said::Nothing,
            "a part is missing"
        );
    }
}
