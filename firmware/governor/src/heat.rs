//! How hot the board gets: a model of two masses, kept true by the sensor, that
//! says how many watts on average the air leaves room for.

use scene::Mono;

use crate::config::Thermal;

/// How fast the modelled case follows the sensor, 1/s.
const FOLLOW: f64 = 1.0 / 120.0;
/// How fast air can warm unseen: more than any day does, K/s.
const UNSEEN: f64 = 4.0 / 3_600.0;
/// Seconds after which the air is known.
const SETTLED: f64 = 1_800.0;
/// Looks that would bring the die closer to critical than this do not start:
/// thermal sensors are off by some kelvin.
const NEAR: f64 = 4.0;
/// A temperature that is only reckoned may be this much higher, K.
const RECKONED: f64 = 3.0;
/// Time constant that takes the noise off the sensor, seconds.
const SMOOTH: f64 = 4.0;

/// The model.
#[derive(Clone, Debug)]
pub(crate) struct Heat {
    config: Thermal,
    last: Option<Mono>,
    /// The case, the air, and the die over the case.
    case: f64,
    air: f64,
    rise: f64,
    /// The die by its sensor, without noise; `None` while it is not told.
    die: Option<f64>,
    known: bool,
    /// Seconds for which the sensor has told.
    watched: f64,
    hot: bool,
}

impl Heat {
    pub fn new(config: Thermal) -> Self {
        let air = config.ambient_most.map_or(25.0, |c| c.0);
        Self {
            config,
            last: None,
            case: air,
            air,
            rise: 0.0,
            die: None,
            known: false,
            watched: 0.0,
            hot: false,
        }
    }

    /// The board has drawn `watts` since it was told last, and its die is at
    /// `celsius` now.
    pub fn take(&mut self, now: Mono, watts: f64, celsius: Option<f64>) {
        let dt = self.last.map_or(0.0, |last| now.since(last).as_secs_f64());
        self.last = Some(now);
        let c = &self.config;
        let (r_case, r_die) = (c.case_kelvin_per_watt, c.die_kelvin_per_watt);
        let (t_case, t_die) = (c.case.as_secs_f64().max(1.0), c.die.as_secs_f64().max(0.1));
        self.rise += (1.0 - (-dt / t_die).exp()) * (r_die * watts - self.rise);
        if let (false, Some(celsius)) = (self.known, celsius) {
            // Taken for air that is as warm as the case: the camera may have
            // started just now. It cools down to what it is.
            self.known = true;
            self.case = celsius - r_die * watts;
            self.rise = r_die * watts;
            self.air = self.case;
        }
        if !self.known {
            // From the hottest air that it may be in.
            self.case = self.air + r_case * watts;
            return;
        }
        let settle = 1.0 - (-dt / t_case).exp();
        self.case += settle * (self.air + r_case * watts - self.case);
        match celsius {
            Some(celsius) => {
                let gain = 1.0 - (-dt / SMOOTH).exp();
                let die = self.die.map_or(celsius, |die| die + gain * (celsius - die));
                self.die = Some(die);
                let error = celsius - (self.case + self.rise);
                let dt = dt.min(60.0);
                self.watched += dt;
                self.case += FOLLOW * dt * error;
                // Critically damped against FOLLOW.
                self.air += FOLLOW * FOLLOW / 4.0 * t_case * dt * error;
                self.air = self.air.clamp(-60.0, 90.0);
            }
            None => {
                self.die = None;
                let most = self.config.ambient_most.map_or(55.0, |c| c.0);
                self.air = (self.air + UNSEEN * dt).min(most.max(self.air));
            }
        }
    }

    /// The die now, as told or as modelled; `None` if nothing is known.
    pub fn die(&self) -> Option<f64> {
        let modelled = || Some(self.case + self.rise + RECKONED).filter(|_| self.bounds());
        self.die.or_else(modelled)
    }

    /// Whether a sensor tells.
    pub fn told(&self) -> bool {
        self.die.is_some()
    }

    /// Whether the air is known, and not only feared to be as warm as the case
    /// was at the start.
    pub fn settled(&self) -> bool {
        self.watched >= SETTLED
    }

    fn bounds(&self) -> bool {
        self.known || self.config.ambient_most.is_some()
    }

    /// Watts of the whole board with which the die settles at the derating
    /// temperature; `None` if nothing is known about heat.
    pub fn budget(&self) -> Option<f64> {
        let all = self.config.case_kelvin_per_watt + self.config.die_kelvin_per_watt;
        let watts = (self.config.derate.0 - self.air) / all.max(0.01);
        Some(watts.max(0.0)).filter(|_| self.bounds())
    }

    /// How hot the die is after a look of `seconds` that adds `step` watts.
    pub fn after(&self, step: f64, seconds: f64) -> Option<f64> {
        let share = 1.0 - (-seconds / self.config.die.as_secs_f64().max(0.1)).exp();
        Some(self.die()? + self.config.die_kelvin_per_watt * step * share)
    }

    /// Why no look that adds `step` watts for `seconds` may start.
    pub fn refuses(&mut self, step: f64, seconds: f64) -> Option<String> {
        let (die, after) = (self.die()?, self.after(step, seconds)?);
        let limit = self.config.critical.0 - NEAR;
        let again = self.config.derate.0;
        self.hot = match self.hot {
            true => die > again,
            false => after >= limit,
        };
        let how = if self.told() { "" } else { " by reckoning" };
        self.hot.then(|| {
            format!(
                "the die is at {die:.0} °C{how}, a look would bring it to {after:.0} °C and {:.0} °C is \
                 critical; looks start again below {again:.0} °C",
                self.config.critical.0
            )
        })
    }

    /// Whether a look under way must be given up.
    pub fn breaks(&self) -> Option<String> {
        let die = self.die()?;
        let near = die >= self.config.critical.0 - NEAR / 2.0;
        near.then(|| format!("the die is at {die:.0} °C, close to critical"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Lets a board of its own constants run at `watts` and gives the model.
    fn run(
        air: f64,
        watts: f64,
        hours: f64,
        constants: Thermal,
        told: impl Fn(f64) -> bool,
    ) -> (Heat, f64) {
        let mut heat = Heat::new(Thermal::default());
        let (mut case, mut die) = (air, 0.0);
        let mut t = 0.0;
        while t < hours * 3_600.0 {
            case += (air + constants.case_kelvin_per_watt * watts - case) * 0.5
                / constants.case.as_secs_f64();
            die +=
                (constants.die_kelvin_per_watt * watts - die) * 0.5 / constants.die.as_secs_f64();
            let celsius = told(t).then_some(case + die);
            heat.take(Mono::from_secs_f64(t), watts, celsius);
            t += 0.5;
        }
        (heat, case + die)
    }

    #[test]
    fn the_air_is_found() {
        let truth = Thermal::default();
        let (heat, _) = run(31.0, 8.0, 2.0, truth, |_| true);
        assert!((heat.air - 31.0).abs() < 1.5, "{}", heat.air);
        assert!((heat.budget().unwrap() - (85.0 - 31.0) / 6.5).abs() < 0.3);
        // A board that is not as described: right where it runs.
        let other = Thermal {
            case_kelvin_per_watt: 5.2,
            case: Duration::from_secs(500),
            ..truth
        };
        let (heat, die) = run(31.0, 8.0, 3.0, other, |_| true);
        assert!((heat.die().unwrap() - die).abs() < 0.5);
        assert!((heat.air + 6.5 * 8.0 - die).abs() < 2.0, "{}", heat.air);
    }

    #[test]
    fn a_fresh_start_is_taken_for_warm_air() {
        let (heat, _) = run(20.0, 8.0, 0.001, Thermal::default(), |_| true);
        assert!(heat.budget().unwrap() < (85.0 - 19.0) / 6.5 + 3.5);
    }

    #[test]
    fn without_its_sensor_it_expects_the_worst_slowly() {
        let (seen, _) = run(30.0, 6.0, 2.0, Thermal::default(), |_| true);
        let (lost, _) = run(30.0, 6.0, 4.0, Thermal::default(), |t| t < 7_200.0);
        let fell = seen.budget().unwrap() - lost.budget().unwrap();
        assert!((0.5..3.0).contains(&fell), "{fell}");
        assert!(!lost.told() && lost.die().is_some());
        let (never, _) = run(30.0, 6.0, 1.0, Thermal::default(), |_| false);
        assert_eq!((never.die(), never.budget()), (None, None));
    }

    #[test]
    fn it_refuses_before_critical_and_waits_for_cool() {
        let mut heat = Heat::new(Thermal::default());
        let mut at = |t: f64, c: f64| {
            heat.take(Mono::from_secs_f64(t), 8.0, Some(c));
            heat.refuses(3.0, 2.0).is_some()
        };
        assert!(!at(0.0, 80.0));
        assert!(at(100.0, 94.0), "before it is critical");
        assert!(at(200.0, 87.0), "still");
        assert!(!at(300.0, 84.0));
    }
}
