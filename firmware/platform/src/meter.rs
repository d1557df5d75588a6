//! Board watts from an energy counter, or from load and constants.

use std::time::Duration;

use scene::{Mono, Quantity, Watts};

use crate::spec::BoardSpec;

/// No processor of a camera or its development host draws more; a counter that
/// says so is wrong.
const ABSURD_WATTS: f64 = 2_000.0;

/// Readings closer than this say more about the clock than about watts.
const CLOSE: Duration = Duration::from_millis(10);

/// Average draw from reading to reading.
#[derive(Clone, Debug)]
pub(crate) struct Meter {
    idle: f64,
    per_core: f64,
    cores: f64,
    last: Option<(Mono, Duration)>,
    watts: Quantity<Watts>,
    /// Joules counted since the last reading that was far enough away.
    pending: Option<f64>,
    total: f64,
}

impl Meter {
    pub fn new(spec: &BoardSpec) -> Self {
        Self {
            idle: spec.power.idle_watts,
            per_core: spec.power.watts_per_core,
            cores: f64::from(spec.compute.cores),
            last: None,
            watts: Quantity::modelled(Watts(spec.power.idle_watts)),
            pending: Some(0.0),
            total: 0.0,
        }
    }

    /// The board's average draw since the last reading. `cpu` is this
    /// process's CPU time so far; `joules` what a counter counted since the
    /// last reading, if there is one and it could be read.
    ///
    /// Modelled: idle watts + busy cores x watts per core, the linear model of
    /// Fan, Weber, Barroso, "Power provisioning for a warehouse-sized
    /// computer", ISCA 2007. It is as good as the board's two constants.
    pub fn read(&mut self, now: Mono, cpu: Duration, joules: Option<f64>) -> Quantity<Watts> {
        self.total += joules.unwrap_or(0.0);
        self.pending = self.pending.zip(joules).map(|(sum, j)| sum + j);
        let Some((then, cpu_then)) = self.last else {
            self.last = Some((now, cpu));
            self.pending = joules.map(|_| 0.0);
            return self.watts;
        };
        let dt = now.since(then);
        if dt < CLOSE {
            return self.watts;
        }
        let seconds = dt.as_secs_f64();
        let measured =
            (self.pending.map(|j| j / seconds)).filter(|w| (0.0..=ABSURD_WATTS).contains(w));
        self.watts = match measured {
            Some(watts) => Quantity::measured(Watts(watts)),
            None => {
                let busy = cpu.saturating_sub(cpu_then).as_secs_f64() / seconds;
                Quantity::modelled(Watts(self.idle + busy.min(self.cores) * self.per_core))
            }
        };
        self.last = Some((now, cpu));
        self.pending = Some(0.0);
        self.watts
    }

    /// All joules counted.
    pub fn total(&self) -> f64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::*;
    use scene::Source;

    fn meter() -> Meter {
        Meter::new(&BoardSpec {
            board: BoardName {
                name: "x".into(),
                title: "X".into(),
            },
            video: Video {
                source: "test".into(),
                encoder: vec!["x264".into()],
                io_mode: None,
                most: None,
            },
            poe: Poe { class: 3 },
            power: Power {
                idle_watts: 4.0,
                watts_per_core: 1.5,
                energy_counter: EnergyCounter::None,
            },
            thermal: Thermal {
                critical_celsius: 90.0,
            },
            compute: Compute {
                cores: 4,
                threads: 4,
            },
            boot: Boot {
                counter: Counter::None,
            },
        })
    }

    fn at(seconds: f64) -> (Mono, fn(f64) -> Duration) {
        (Mono::from_secs_f64(seconds), Duration::from_secs_f64)
    }

    #[test]
    fn load_becomes_watts() {
        let mut m = meter();
        let mut read = |t: f64, cpu: f64| m.read(at(t).0, at(t).1(cpu), None);
        assert_eq!(read(10.0, 5.0), Quantity::modelled(Watts(4.0)));
        assert_eq!(read(12.0, 7.0), Quantity::modelled(Watts(5.5)), "one core");
        assert_eq!(read(12.001, 9.0).value, Watts(5.5), "too close to tell");
        // Sixteen busy cores on a board described with four.
        assert_eq!(read(14.0, 39.0).value, Watts(10.0));
        assert_eq!(
            read(15.0, 2.0).value,
            Watts(4.0),
            "CPU time never goes back"
        );
    }

    #[test]
    fn a_counter_measures_and_its_gaps_are_modelled() {
        let mut m = meter();
        let cpu = Duration::ZERO;
        let mut read = |t: f64, j: Option<f64>| m.read(at(t).0, cpu, j);
        read(0.0, Some(7.0));
        assert_eq!(read(2.0, Some(18.0)), Quantity::measured(Watts(9.0)));
        read(2.005, Some(0.5));
        assert_eq!(read(3.0, Some(0.5)), Quantity::measured(Watts(1.0)));
        assert_eq!(read(4.0, None), Quantity::modelled(Watts(4.0)));
        assert_eq!(read(5.0, Some(6.0)), Quantity::measured(Watts(6.0)));
        assert_eq!(read(6.0, Some(9e9)).source, Source::Modelled, "absurd");
        assert_eq!(read(7.0, Some(f64::NAN)).source, Source::Modelled);
    }
}
