//! A board that is not there: what its file says it draws and how heat leaves
//! it, with the camera's own governor on it, in time that is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use governor::{Config, Decision, Governor, OverBudget, State, Told, Wish};
use platform::{BoardSpec, Sensor};
use scene::ports::{Reading, Readings};
use scene::{Celsius, Id, Joules, Mono, OperatingPoint, Quantity, Question, Watts};

use super::input::Allotment;

/// How often the daemon reads the sensors; each reading comes a little early
/// or late, since looks and readings are not in step.
const READ_EVERY: f64 = 0.5;
const READ_JITTER: f64 = 0.1;

/// How soon a look that is given up ends.
const GIVEN_UP: f64 = 0.1;

/// Time for the case to settle and for the governor to find that out, before
/// any rule is asked for and again before anything is counted: in time
/// constants of the case, and at the least.
const SETTLED: f64 = 4.0;
const SETTLED_LEAST: f64 = 7_200.0;

/// What is counted.
const COUNTED: f64 = 3_600.0;

/// A rule that is looked at later than wanted by less than this share of its
/// interval is not blind: looks wait a little to be shared.
const LATE: f64 = 0.25;

/// What is round the camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Air {
    /// Of the air.
    pub celsius: Celsius,
    /// Whether all that can switch on by itself is on.
    pub night: bool,
}

/// A rule as the governor knows it.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Its id.
    pub id: Id,
    /// What it wants while nothing happens.
    pub wish: Wish,
    /// What it asks; questions that rules share are asked once.
    pub questions: Vec<Question>,
}

/// Looks of one rule within what was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Looks {
    /// How many.
    pub looks: u64,
    /// The longest time without.
    pub longest: Duration,
    /// Time for which it had not been looked at though it wanted to be.
    pub blind: Duration,
    /// Its share of what its looks took.
    pub joules: f64,
}

/// What came of it, on average over what was counted.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What was counted, seconds.
    pub seconds: f64,
    /// By rule.
    pub rules: BTreeMap<Id, Looks>,
    /// Looks by operating point.
    pub points: BTreeMap<OperatingPoint, u64>,
    /// All looks together.
    pub joules: Joules,
    /// The hottest that the die was.
    pub hottest: Celsius,
    /// The most that board and look drew together.
    pub most: Watts,
    /// Looks that were given up.
    pub given_up: u64,
    /// The balance at the end.
    pub state: State,
    /// Why rules are slowed, by rule.
    pub slowed: BTreeMap<Id, String>,
}

/// A look under way.
struct Flight {
    start: f64,
    end: f64,
    step: f64,
    rules: Vec<Id>,
    questions: usize,
    point: Told,
    given_up: bool,
}

/// The camera: its board, its governor, its rules.
pub struct Camera {
    governor: Governor,
    told: Vec<Told>,
    rules: Vec<Watched>,
    allotment: Allotment,
    sensor: Option<&'static str>,
    /// The board without looks, as it is now and as its file knows it.
    draws: f64,
    idle: f64,
    thermal: platform::Thermal,
    air: f64,
    case: f64,
    rise: f64,
    now: f64,
    read_at: f64,
    seed: u64,
    /// Joules of looks since the last reading, and when that was.
    since_reading: (f64, f64),
    flight: Option<Flight>,
    wait: f64,
    looked: BTreeMap<Id, f64>,
    counts: Option<Counts>,
}

/// What is counted while it is counted.
struct Counts {
    from: f64,
    rules: BTreeMap<Id, Looks>,
    points: BTreeMap<OperatingPoint, u64>,
    joules: f64,
    hottest: f64,
    most: f64,
    given_up: u64,
}

impl Camera {
    /// A camera that has been on for a while, without rules. `config` is what
    /// the daemon gives its governor on this board.
    pub fn new(spec: &BoardSpec, config: Config, allotment: &Allotment, air: &Air) -> Self {
        let idle = spec.power.idle_watts;
        let switched: f64 = spec.power.switched.values().sum();
        let draws = idle + if air.night { switched } else { 0.0 };
        let mut camera = Self {
            told: config.points.clone(),
            governor: Governor::new(config),
            rules: Vec::new(),
            allotment: allotment.clone(),
            sensor: (spec.power.sensor != Sensor::None).then(|| spec.power.sensor.name()),
            draws,
            idle,
            case: air.celsius.0 + spec.thermal.kelvin_per_watt * draws,
            rise: spec.thermal.die_kelvin_per_watt * draws,
            thermal: spec.thermal,
            air: air.celsius.0,
            now: 0.0,
            read_at: 0.0,
            seed: 1,
            since_reading: (0.0, 0.0),
            flight: None,
            wait: 0.0,
            looked: BTreeMap::new(),
            counts: None,
        };
        camera.settle();
        camera
    }

    /// Whether another rule can be afforded, as the camera judges it when the
    /// rule is set.
    pub fn fits(&self, rule: &Watched) -> Result<governor::Cost, OverBudget> {
        self.governor.fits(&rule.id, &rule.wish)
    }

    /// What a rule costs if it is looked at so often and has looks to itself.
    pub fn cost_of(&self, rule: &Watched) -> governor::Cost {
        self.governor.cost_of(rule.wish.wanted, rule.wish.questions)
    }

    /// Watches for a rule from now on.
    pub fn watch(&mut self, rule: Watched) {
        self.governor.register(rule.id.clone(), rule.wish);
        self.rules.push(rule);
        self.wait = self.now;
    }

    /// Lets it settle, then counts an hour.
    pub fn run(mut self) -> Ran {
        self.settle();
        self.counts = Some(Counts {
            from: self.now,
            rules: self
                .rules
                .iter()
                .map(|r| (r.id.clone(), Looks::default()))
                .collect(),
            points: BTreeMap::new(),
            joules: 0.0,
            hottest: self.die(),
            most: 0.0,
            given_up: 0,
        });
        self.go(COUNTED);
        self.count_gaps_to_the_end();
        let counts = self.counts.take().expect("it was set above");
        let slowed = self.rules.iter().filter_map(|rule| {
            let why = self.governor.slowed(&rule.id)?;
            Some((rule.id.clone(), why))
        });
        Ran {
            seconds: self.now - counts.from,
            slowed: slowed.collect(),
            rules: counts.rules,
            points: counts.points,
            joules: Joules(counts.joules),
            hottest: Celsius(counts.hottest),
            most: Watts(counts.most),
            given_up: counts.given_up,
            state: self.governor.state(),
        }
    }

    fn die(&self) -> f64 {
        self.case + self.rise
    }

    fn step(&self) -> f64 {
        self.flight.as_ref().map_or(0.0, |flight| flight.step)
    }

    fn settle(&mut self) {
        self.go((SETTLED * self.thermal.case_seconds).max(SETTLED_LEAST));
    }

    /// Lets so many seconds pass.
    fn go(&mut self, seconds: f64) {
        let until = self.now + seconds;
        loop {
            let next = match &self.flight {
                Some(flight) => flight.end,
                None => self.wait,
            };
            let next = next.min(self.read_at);
            if next >= until {
                self.pass(until);
                return;
            }
            self.pass(next);
            if self.flight.as_ref().is_some_and(|f| f.end <= self.now) {
                self.land();
            } else if self.read_at <= self.now {
                self.read();
            } else if self.flight.is_none() {
                self.decide();
            }
        }
    }

    /// Time passes up to `t` while nothing changes: two masses warm or cool.
    fn pass(&mut self, t: f64) {
        let dt = (t - self.now).max(0.0);
        let watts = self.draws + self.step();
        let c = &self.thermal;
        let case = self.air + c.kelvin_per_watt * watts;
        self.case += (1.0 - (-dt / c.case_seconds).exp()) * (case - self.case);
        let rise = c.die_kelvin_per_watt * watts;
        self.rise += (1.0 - (-dt / c.die_seconds).exp()) * (rise - self.rise);
        self.since_reading.0 += self.step() * dt;
        self.now = self.now.max(t);
        let (joules, die) = (self.step() * dt, self.die());
        if let Some(counts) = &mut self.counts {
            counts.joules += joules;
            counts.hottest = counts.hottest.max(die);
            counts.most = counts.most.max(watts);
        }
    }

    fn read(&mut self) {
        let now = Mono::from_secs_f64(self.now);
        let board = match self.sensor {
            Some(sensor) => Reading::measured(Watts(self.draws + self.step()), sensor),
            // As the daemon reckons it, which does not see what switches on.
            None => {
                let (joules, since) = self.since_reading;
                let average = joules / (self.now - since).max(READ_EVERY / 2.0);
                Reading::modelled(Watts(self.idle + average), "CPU time")
            }
        };
        self.since_reading = (0.0, self.now);
        let readings = Readings {
            allotment: Reading::measured(self.allotment.watts, self.allotment.by.clone()),
            board: Some(board),
            hottest: Some(Reading::measured(Celsius(self.die()), "die")),
            frequency_mhz: None,
            cpu_time: Duration::ZERO,
            problems: Vec::new(),
        };
        let give_up = self.governor.observe(now, &readings).is_some();
        if let Some(flight) = self.flight.as_mut().filter(|f| give_up && !f.given_up) {
            flight.given_up = true;
            flight.end = flight.end.min(self.now + GIVEN_UP);
            if let Some(counts) = &mut self.counts {
                counts.given_up += 1;
            }
        }
        // Knuth's generator (MMIX): the same plan comes of the same input.
        self.seed = (self.seed)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let chance = (self.seed >> 40) as f64 / f64::from(1u32 << 24);
        self.read_at = self.now + READ_EVERY + READ_JITTER * (2.0 * chance - 1.0);
    }

    fn decide(&mut self) {
        match self.governor.decide(Mono::from_secs_f64(self.now)) {
            Decision::Hold { until, .. } => {
                // A hold that does not wait would stop time.
                self.wait = until.as_secs_f64().max(self.now + 1e-3);
            }
            Decision::Look { rules, point, .. } => {
                let told = self.told.iter().find(|told| told.point == point);
                let point = told.cloned().unwrap_or_default();
                let mut questions: Vec<&Question> = Vec::new();
                for rule in self.rules.iter().filter(|rule| rules.contains(&rule.id)) {
                    for question in &rule.questions {
                        if !questions.contains(&question) {
                            questions.push(question);
                        }
                    }
                }
                let questions = questions.len();
                let takes =
                    point.look.as_secs_f64() + point.question.as_secs_f64() * questions as f64;
                self.flight = Some(Flight {
                    start: self.now,
                    end: self.now + takes,
                    step: point.step.0,
                    rules,
                    questions,
                    point,
                    given_up: false,
                });
            }
        }
    }

    /// The look under way ends.
    fn land(&mut self) {
        let Some(flight) = self.flight.take() else {
            return;
        };
        let seconds = (flight.end - flight.start).max(1e-6);
        let joules = flight.step * seconds;
        self.governor.settle(
            Mono::from_secs_f64(self.now),
            Quantity::modelled(Joules(joules)),
            Duration::from_secs_f64(seconds),
            flight.questions,
        );
        self.wait = self.now;
        if flight.given_up {
            return;
        }
        let weights: Vec<f64> = (flight.rules.iter())
            .map(|id| {
                let asks = self.rules.iter().find(|r| r.id == *id);
                let asks = asks.map_or(0, |r| r.questions.len()) as f64;
                flight.point.look.as_secs_f64() / flight.rules.len() as f64
                    + flight.point.question.as_secs_f64() * asks
            })
            .collect();
        let all: f64 = weights.iter().sum::<f64>().max(1e-9);
        for (id, weight) in flight.rules.iter().zip(weights) {
            let before = self.looked.insert(id.clone(), self.now);
            if let Some(counts) = &mut self.counts {
                let wanted = wanted(&self.rules, id);
                let looks = counts.rules.entry(id.clone()).or_default();
                looks.looks += 1;
                looks.joules += joules * weight / all;
                looks.gap(before.unwrap_or(counts.from), counts.from, self.now, wanted);
            }
        }
        if let Some(counts) = &mut self.counts {
            *counts.points.entry(flight.point.point).or_default() += 1;
        }
    }

    /// A rule that is not looked at any more is blind too.
    fn count_gaps_to_the_end(&mut self) {
        let Some(counts) = &mut self.counts else {
            return;
        };
        for rule in &self.rules {
            let looks = counts.rules.entry(rule.id.clone()).or_default();
            let before = self.looked.get(&rule.id).copied().unwrap_or(0.0);
            looks.gap(before, counts.from, self.now, rule.wish.wanted);
        }
    }
}

fn wanted(rules: &[Watched], id: &Id) -> Duration {
    let rule = rules.iter().find(|rule| rule.id == *id);
    rule.map_or(Duration::ZERO, |rule| rule.wish.wanted)
}

impl Looks {
    /// It was not looked at from `before` to `now`; what is counted began at
    /// `from`.
    fn gap(&mut self, before: f64, from: f64, now: f64, wanted: Duration) {
        let (gap, wanted) = ((now - before).max(0.0), wanted.as_secs_f64());
        self.longest = self.longest.max(Duration::from_secs_f64(gap));
        if gap > wanted * (1.0 + LATE) {
            let blind = (now - (before + wanted).max(from)).max(0.0);
            self.blind += Duration::from_secs_f64(blind);
        }
    }
}
