//! What happens whatever the policy does: air, light, the encoder, the scene.

use std::f64::consts::TAU;

use super::chance::Chance;
use super::scenario::Scenario;

/// How often what wanders slowly is drawn anew, s.
const SLOW: f64 = 60.0;
/// Its memory, s.
const MEMORY: f64 = 3_600.0;
/// What is seen jumps this often, s on average.
const JUMPS: f64 = 6.0 * 3_600.0;
const DAY: f64 = 86_400.0;

/// Stays within -1..1, wandering (an Ornstein-Uhlenbeck process).
#[derive(Clone, Debug)]
struct Wander {
    chance: Chance,
    next: f64,
    jump: f64,
    value: f64,
}

impl Wander {
    fn new(seed: u64, purpose: &str, jumps: bool) -> Self {
        let mut chance = Chance::new(seed, purpose);
        let value = chance.between(-0.7, 0.7);
        let jump = match jumps {
            true => chance.waits(JUMPS),
            false => f64::INFINITY,
        };
        Self {
            chance,
            next: SLOW,
            jump,
            value,
        }
    }

    fn at(&mut self, t: f64) -> f64 {
        while t >= self.next {
            let keep = (-SLOW / MEMORY).exp();
            let kick = 0.5 * (1.0 - keep * keep).sqrt();
            self.value = (self.value * keep + kick * self.chance.normal()).clamp(-1.0, 1.0);
            self.next += SLOW;
        }
        while t >= self.jump {
            self.value = self.chance.between(-1.0, 1.0);
            self.jump += self.chance.waits(JUMPS);
        }
        self.value
    }
}

/// Draws so much until then.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    watts: f64,
    until: f64,
}

/// The surroundings, asked forward in time.
#[derive(Clone, Debug)]
pub struct World {
    starts: f64,
    mean: f64,
    swing: f64,
    days: Vec<f64>,
    base: f64,
    base_wander: f64,
    lamp: Option<(f64, f64, f64)>,
    wander: Wander,
    content: Wander,
    encoder: Option<(super::scenario::Encoder, Chance)>,
    stretch: Stretch,
    steps: Vec<(f64, f64)>,
    content_share: f64,
}

impl World {
    /// Of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let seed = scenario.seed;
        let mut weather = Chance::new(seed, "weather");
        let days = (0..400)
            .map(|_| scenario.air.days_k * weather.between(-1.0, 1.0))
            .collect();
        let mut this = Self {
            starts: scenario.starts_at_hour * 3_600.0,
            mean: scenario.air.mean_celsius,
            swing: scenario.air.swing_k,
            days,
            base: scenario.truth.base_watts,
            base_wander: scenario.truth.base_wander,
            lamp: (scenario.infrared)
                .map(|l| (l.watts, l.dusk_hour * 3_600.0, l.dawn_hour * 3_600.0)),
            wander: Wander::new(seed, "base", false),
            content: Wander::new(seed, "content", true),
            encoder: scenario.encoder.map(|e| (e, Chance::new(seed, "encoder"))),
            stretch: Stretch {
                watts: 0.0,
                until: f64::INFINITY,
            },
            steps: (scenario.cost_steps.iter())
                .map(|s| (s.at_hours * 3_600.0, s.factor))
                .collect(),
            content_share: scenario.drift.content,
        };
        if let Some((e, chance)) = &mut this.encoder {
            this.stretch.until = chance.waits(3_600.0 / e.per_hour.max(1e-6));
        }
        this
    }

    /// Seconds since midnight of the first day.
    pub fn clock(&self, t: f64) -> f64 {
        self.starts + t
    }

    /// The air, °C, `t` seconds from the beginning.
    pub fn air(&self, t: f64) -> f64 {
        let clock = self.clock(t);
        // Days' means are joined by lines from noon to noon.
        let day = (clock / DAY + 0.5).max(0.0);
        let (n, part) = (day as usize, day.fract());
        let of = |n: usize| self.days[n % self.days.len()];
        let mean = self.mean + of(n) * (1.0 - part) + of(n + 1) * part;
        mean - self.swing * (TAU * (clock / DAY - 5.0 / 24.0)).cos()
    }

    /// Whether it is dark.
    pub fn dark(&self, t: f64) -> bool {
        let Some((_, dusk, dawn)) = self.lamp else {
            return false;
        };
        let hour = self.clock(t) % DAY;
        hour >= dusk || hour < dawn
    }

    /// The lamp's watts.
    pub fn infrared(&self, t: f64) -> f64 {
        match (self.lamp, self.dark(t)) {
            (Some((watts, ..)), true) => watts,
            _ => 0.0,
        }
    }

    /// The board with video and nothing else, W.
    pub fn base(&mut self, t: f64) -> f64 {
        self.base * (1.0 + self.base_wander * self.wander.at(t))
    }

    /// The encoder's step, W.
    pub fn encoder(&mut self, t: f64) -> f64 {
        while let Some((e, chance)) = &mut self.encoder
            && t >= self.stretch.until
        {
            let from = self.stretch.until;
            self.stretch = match self.stretch.watts > 0.0 {
                true => Stretch {
                    watts: 0.0,
                    until: from + chance.waits(3_600.0 / e.per_hour.max(1e-6)),
                },
                false => Stretch {
                    watts: chance.between(e.low_watts, e.high_watts).max(1e-3),
                    until: from + chance.waits(e.seconds),
                },
            };
        }
        self.stretch.watts
    }

    /// When the encoder's step changes next.
    pub fn encoder_until(&self) -> f64 {
        self.stretch.until
    }

    /// By how much what is seen makes looks longer, factor.
    pub fn content(&mut self, t: f64) -> f64 {
        1.0 + self.content_share * self.content.at(t)
    }

    /// By how much all looks draw more since a jump, factor.
    pub fn cost_step(&self, t: f64) -> f64 {
        (self.steps.iter())
            .filter(|(at, _)| t >= *at)
            .map(|(_, factor)| factor)
            .product()
    }
}

#[cfg(test)]
mod tests {
    use super::super::random;
    use super::*;

    #[test]
    fn days_swing_and_nights_are_dark() {
        let mut scenario = random::scenario(1);
        scenario.starts_at_hour = 0.0;
        scenario.air = super::super::scenario::Air {
            mean_celsius: 10.0,
            swing_k: 8.0,
            days_k: 0.0,
        };
        scenario.infrared = Some(super::super::scenario::Infrared {
            watts: 4.0,
            dusk_hour: 18.0,
            dawn_hour: 6.0,
        });
        let world = World::new(&scenario);
        assert!((world.air(5.0 * 3_600.0) - 2.0).abs() < 1e-6);
        assert!((world.air(17.0 * 3_600.0) - 18.0).abs() < 1e-6);
        assert_eq!(world.infrared(3.0 * 3_600.0), 4.0);
        assert_eq!(world.infrared(12.0 * 3_600.0), 0.0);
        assert_eq!(world.infrared((24.0 + 20.0) * 3_600.0), 4.0);
    }

    #[test]
    fn how_often_it_is_asked_changes_nothing() {
        let scenario = random::scenario(5);
        let (mut often, mut seldom) = (World::new(&scenario), World::new(&scenario));
        for n in 0..20_000 {
            let t = f64::from(n) * 0.5;
            often.base(t);
            often.content(t);
            often.encoder(t);
        }
        let t = 9_999.5;
        assert_eq!(often.base(t), seldom.base(t));
        assert_eq!(often.content(t), seldom.content(t));
        assert_eq!(often.encoder(t), seldom.encoder(t));
    }
}
