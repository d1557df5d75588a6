//! The board: what it draws, how hot it gets, and whether it is powered.
//!
//! Between events (a tick, a look that begins or ends, a step of the encoder,
//! the supply's patience) watts are constant, so each stretch is exact and as
//! long as it can be: no fixed small step is needed.

use std::collections::VecDeque;

use super::pse::Pse;
use super::scenario::{Heater, Scenario};
use super::thermal::{Network, Thermal};
use super::world::World;

/// Share of the lamp's watts that stays in the case as heat.
const LAMP_HEAT: f64 = 0.6;
/// No stretch is longer, s: air and thermostat move.
const LONGEST: f64 = 1.0;
/// How long the power is off after a cut, s.
const OFF: f64 = 5.0;
/// How long after a cut the daemon runs again, s.
pub const REBOOT: f64 = 60.0;
/// How far back sensors may look, s.
const HISTORY: f64 = 8.0;

/// What was true until then.
#[derive(Clone, Copy, Debug)]
pub struct Past {
    /// The end, s.
    pub until: f64,
    /// Energy drawn since the beginning, J.
    pub joules: f64,
    /// The draw, W.
    pub watts: f64,
    /// The die, °C.
    pub die: f64,
}

/// What draws, W.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loads {
    /// The board with video.
    pub base: f64,
    /// The lamp.
    pub infrared: f64,
    /// The heater.
    pub heater: f64,
    /// The encoder's step.
    pub encoder: f64,
    /// While it boots.
    pub boot: f64,
    /// Inference.
    pub look: f64,
}

impl Loads {
    /// Without inference.
    pub fn rest(&self) -> f64 {
        self.base + self.infrared + self.heater + self.encoder + self.boot
    }

    /// All.
    pub fn total(&self) -> f64 {
        self.rest() + self.look
    }
}

/// The board.
#[derive(Clone, Debug)]
pub struct Plant {
    /// Its surroundings.
    pub world: World,
    /// Its port.
    pub pse: Pse,
    thermal: Thermal,
    heater: Option<Heater>,
    heating: bool,
    base_in_die: f64,
    boot: (f64, f64),
    critical: f64,
    t: f64,
    /// When power came (back) last.
    powered: f64,
    look: f64,
    joules: f64,
    past: VecDeque<Past>,
    /// Seconds at critical temperature so far.
    pub critical_seconds: f64,
    /// Seconds of more than the supply granted so far.
    pub over_seconds: f64,
    /// The hottest the die was, °C.
    pub hottest: f64,
    /// Joules of inference so far.
    pub look_joules: f64,
}

impl Plant {
    /// As it is when the scenario begins: powered, in balance with the air.
    pub fn new(scenario: &Scenario) -> Self {
        let mut world = World::new(scenario);
        let n = scenario.truth.thermal;
        let network = Network {
            case_seconds: n.case_minutes * 60.0,
            case_k_per_w: n.case_k_per_w,
            die_seconds: n.die_seconds,
            die_k_per_w: n.die_k_per_w,
        };
        let base = world.base(0.0);
        let in_die = base * scenario.truth.base_in_die;
        let rest = base - in_die + LAMP_HEAT * world.infrared(0.0);
        let thermal = Thermal::settled(network, world.air(0.0), in_die, rest);
        Self {
            pse: Pse::new(scenario.poe.clone()),
            hottest: thermal.die(),
            thermal,
            heater: scenario.heater,
            heating: false,
            base_in_die: scenario.truth.base_in_die,
            boot: (scenario.truth.boot_watts, scenario.truth.boot_seconds),
            critical: scenario.board.critical_celsius,
            t: 0.0,
            powered: 0.0,
            look: 0.0,
            joules: 0.0,
            past: VecDeque::new(),
            critical_seconds: 0.0,
            over_seconds: 0.0,
            look_joules: 0.0,
            world,
        }
    }

    /// Seconds since the beginning.
    pub fn now(&self) -> f64 {
        self.t
    }

    /// The die, °C.
    pub fn die(&self) -> f64 {
        self.thermal.die()
    }

    /// When power came (back) last, s.
    pub fn powered(&self) -> f64 {
        self.powered
    }

    /// Inference draws `watts` from now on.
    pub fn set_look(&mut self, watts: f64) {
        self.look = watts;
    }

    /// What was true lately, newest last.
    pub fn past(&self) -> &VecDeque<Past> {
        &self.past
    }

    /// What draws now.
    pub fn loads(&mut self) -> Loads {
        if self.t < self.powered {
            return Loads::default();
        }
        if let Some(heater) = self.heater {
            let case = self.thermal.case();
            self.heating = case < heater.on_celsius || self.heating && case < heater.off_celsius;
        }
        let (boot, seconds) = self.boot;
        Loads {
            base: self.world.base(self.t),
            infrared: self.world.infrared(self.t),
            heater: match (self.heating, self.heater) {
                (true, Some(heater)) => heater.watts,
                _ => 0.0,
            },
            encoder: self.world.encoder(self.t),
            boot: if self.t - self.powered < seconds {
                boot
            } else {
                0.0
            },
            look: self.look,
        }
    }

    /// Lets time pass until `to`. True if the supply cut the power, which ends
    /// it early: the board is off then, and so is inference.
    pub fn advance(&mut self, to: f64) -> bool {
        while self.t < to {
            let loads = self.loads();
            let watts = loads.total();
            let mut dt = (to - self.t).min(LONGEST);
            // Never so short that time stands still.
            let mut until = |event: f64| {
                let left = event - self.t;
                if left > 1e-9 {
                    dt = dt.min(left.max(1e-6));
                }
            };
            until(self.world.encoder_until());
            until(self.powered);
            until(self.powered + self.boot.1);
            let bears = self.pse.bears(self.t, watts);
            let cuts = bears <= dt;
            if cuts {
                dt = bears;
            }
            self.pass(dt, &loads, watts);
            if cuts {
                self.pse.reset();
                self.look = 0.0;
                self.powered = self.t + OFF;
                return true;
            }
        }
        false
    }

    fn pass(&mut self, dt: f64, loads: &Loads, watts: f64) {
        let in_die = loads.base * self.base_in_die + loads.look;
        let rest = watts - in_die - loads.infrared * (1.0 - LAMP_HEAT);
        if watts > self.pse.enforced(self.t) {
            self.over_seconds += dt;
        }
        self.pse.pass(self.t, dt, watts);
        self.thermal.step(dt, self.world.air(self.t), in_die, rest);
        self.t += dt;
        self.joules += watts * dt;
        self.look_joules += loads.look * dt;
        let die = self.thermal.die();
        self.hottest = self.hottest.max(die);
        if die >= self.critical {
            self.critical_seconds += dt;
        }
        self.past.push_back(Past {
            until: self.t,
            joules: self.joules,
            watts,
            die,
        });
        while self
            .past
            .front()
            .is_some_and(|p| p.until < self.t - HISTORY)
        {
            self.past.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::random;
    use super::*;

    fn quiet() -> Scenario {
        let mut s = random::scenario(2);
        s.poe.watts = 12.95;
        s.poe.grants.clear();
        s.truth.base_watts = 6.0;
        s.truth.base_wander = 0.0;
        s.truth.boot_watts = 0.0;
        (s.infrared, s.heater, s.encoder) = (None, None, None);
        s
    }

    #[test]
    fn energy_adds_up() {
        let mut plant = Plant::new(&quiet());
        assert!(!plant.advance(10.0));
        plant.set_look(3.0);
        assert!(!plant.advance(14.0));
        plant.set_look(0.0);
        plant.advance(20.0);
        let last = plant.past().back().unwrap();
        assert!((last.joules - (6.0 * 20.0 + 3.0 * 4.0)).abs() < 1e-6);
        assert!((plant.look_joules - 12.0).abs() < 1e-6);
    }

    #[test]
    fn too_much_is_cut_and_comes_back() {
        let mut plant = Plant::new(&quiet());
        plant.set_look(7.5);
        assert!(plant.advance(100.0), "13.5 W of 12.95 W");
        assert!((plant.now() - 5.0).abs() < 1e-6, "{}", plant.now());
        assert_eq!(plant.loads().total(), 0.0);
        assert!(!plant.advance(100.0));
        assert_eq!(plant.loads().total(), 6.0);
        plant.set_look(9.0);
        assert!(plant.advance(200.0));
        assert!((plant.now() - 100.06).abs() < 1e-6, "{}", plant.now());
    }
}
