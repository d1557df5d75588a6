//! The closed loop: board, sensors and a policy, driven as the daemon drives
//! them.

use std::time::Duration;

use scene::Mono;

use super::chance::Chance;
use super::ledger::Ledger;
use super::plant::{Plant, REBOOT};
use super::policy::{Choice, Done, Policy, Task};
use super::pse::PEAK;
use super::scenario::Scenario;
use super::sensor::Sensors;
use super::watch::Watch;

/// The board is read this often on average, s.
pub const TICK: f64 = 0.5;
/// Where nobody reads it, time is cut into pieces no longer than this, s.
const PIECE: f64 = 60.0;
/// What was learned is written this often, s.
const PERSIST: f64 = 600.0;
/// A look that is given up ends within this, s.
const GIVES_UP: (f64, f64) = (0.02, 0.15);
/// A policy is not asked again sooner, s.
const SOONEST: f64 = 0.01;
/// Drift with temperature goes from its least at the first to its most at the
/// second, °C.
const DRIFTS: (f64, f64) = (20.0, 90.0);
const DAY: f64 = 86_400.0;

/// The rules of a scenario, one by one.
pub fn tasks(scenario: &Scenario) -> Vec<Task> {
    let mut all = Vec::new();
    for rule in &scenario.rules {
        for _ in 0..rule.count {
            all.push(Task {
                every: Duration::from_secs_f64(rule.every_seconds),
                priority: rule.priority,
                questions: rule.questions as usize,
                need: rule.hold_every_seconds.map(Duration::from_secs_f64),
            });
        }
    }
    all
}

/// When each rule holds.
#[derive(Clone, Debug)]
struct Holds {
    chance: Chance,
    wait: f64,
    long: f64,
    holding: bool,
    next: f64,
}

impl Holds {
    fn all(scenario: &Scenario) -> Vec<Holds> {
        let mut all = Vec::new();
        for rule in &scenario.rules {
            for _ in 0..rule.count {
                let never = rule.hold_every_seconds.is_none() || rule.holds_per_day <= 0.0;
                let wait = if never {
                    f64::INFINITY
                } else {
                    DAY / rule.holds_per_day
                };
                let mut chance = Chance::new(scenario.seed, &format!("hold {}", all.len()));
                let next = if never { wait } else { chance.waits(wait) };
                all.push(Holds {
                    chance,
                    wait,
                    long: rule.hold_minutes * 60.0,
                    holding: false,
                    next,
                });
            }
        }
        all
    }

    /// Whether that changed.
    fn at(&mut self, t: f64) -> bool {
        let before = self.holding;
        while t >= self.next {
            self.holding = !self.holding;
            self.next += match self.holding {
                true => self.long,
                false => self.chance.waits(self.wait),
            };
        }
        before != self.holding
    }
}

/// A look under way.
struct Look {
    rules: Vec<usize>,
    point: usize,
    questions: usize,
    start: f64,
    end: f64,
    watts: f64,
    given_up: bool,
}

struct Loop<'a> {
    scenario: &'a Scenario,
    tasks: Vec<Task>,
    policy: &'a mut dyn Policy,
    plant: Plant,
    sensors: Sensors,
    watch: Watch,
    holds: Vec<Holds>,
    each: Chance,
    uneven: Chance,
    look: Option<Look>,
    tick: f64,
    ask: f64,
    persist: f64,
    ledger: Ledger,
}

/// Runs `policy` for `seconds` of the scenario. With `series`, what happened is
/// kept for plots.
pub fn run(scenario: &Scenario, policy: &mut dyn Policy, seconds: f64, series: bool) -> Ledger {
    let tasks = tasks(scenario);
    let ledger = Ledger::new(scenario, &tasks, seconds, series);
    let mut this = Loop {
        plant: Plant::new(scenario),
        sensors: Sensors::new(scenario),
        watch: Watch::new(scenario),
        holds: Holds::all(scenario),
        each: Chance::new(scenario.seed, "each look"),
        uneven: Chance::new(scenario.seed, "when the board is read"),
        look: None,
        tick: TICK,
        ask: TICK,
        persist: PERSIST,
        scenario,
        tasks,
        policy,
        ledger,
    };
    this.go(seconds);
    this.ledger.close(&this.plant, &*this.policy);
    this.ledger
}

impl Loop<'_> {
    fn go(&mut self, end: f64) {
        while self.plant.now() < end {
            let event = match &self.look {
                Some(look) => look.end,
                None => self.ask,
            };
            let next = self.tick.min(event).min(end);
            if self.plant.advance(next) {
                self.cut(end);
                continue;
            }
            let t = self.plant.now();
            if self.look.as_ref().is_some_and(|look| t >= look.end) {
                self.settle(t);
            }
            if t >= self.tick {
                // Uneven, as the daemon reads: in step with looks, a sensor
                // would see all of them or none.
                self.tick = match self.policy.senses() {
                    true => t + TICK * self.uneven.between(0.7, 1.3),
                    false => ((t / PIECE).floor() + 1.0) * PIECE,
                };
                self.observe(t);
            }
            if self.look.is_none() && t >= self.ask {
                self.decide(t);
            }
        }
    }

    fn observe(&mut self, t: f64) {
        let now = Mono::from_secs_f64(t);
        for (i, holds) in self.holds.iter_mut().enumerate() {
            if holds.at(t) {
                let task = &self.tasks[i];
                let need = task.need.filter(|_| holds.holding);
                let every = need.map_or(task.every, |need| need.min(task.every));
                self.policy.set_every(i, every, need);
                self.ledger.wants(i, every.as_secs_f64(), t);
                self.ask = t;
            }
        }
        if t >= self.persist {
            self.persist += PERSIST;
            self.policy.persist();
        }
        if !self.policy.senses() {
            return;
        }
        let running = self.look.as_ref().map_or(0.0, |look| {
            let threads = self.scenario.points[look.point].point.threads;
            (t - look.start) * f64::from(threads)
        });
        let readings = self.sensors.read(&self.plant, running);
        self.watch.read(t, &readings);
        if self.policy.observe(now, &readings)
            && let Some(look) = &mut self.look
            && !look.given_up
        {
            look.given_up = true;
            look.end = look.end.min(t + self.each.between(GIVES_UP.0, GIVES_UP.1));
        }
        let current = self.current();
        let true_step = self.true_step(current);
        let cheapest = (0..self.scenario.points.len())
            .map(|i| self.true_step(i))
            .fold(f64::INFINITY, f64::min);
        self.ledger.tick(
            t,
            &mut self.plant,
            &readings,
            &*self.policy,
            [true_step, cheapest],
        );
    }

    fn current(&self) -> usize {
        match &self.look {
            Some(look) => look.point,
            None => self.ledger.point(),
        }
    }

    /// What a look at `point` draws if it starts now, W.
    fn true_step(&self, point: usize) -> f64 {
        let truth = &self.scenario.truth;
        let (low, high) = DRIFTS;
        let warm = ((self.plant.die() - low) / (high - low)).clamp(0.0, 1.0) * 2.0 - 1.0;
        let drift = 1.0 + self.scenario.drift.temperature * warm;
        let jumped = self.plant.world.cost_step(self.plant.now());
        self.scenario.points[point].step_watts * truth.watts_factor * drift * jumped
    }

    fn decide(&mut self, t: f64) {
        let now = Mono::from_secs_f64(t);
        let choice = self.policy.decide(now);
        self.ledger.chose(t, &choice);
        let (rules, point) = match choice {
            Choice::Hold { until, .. } => {
                self.ask = until.as_secs_f64().max(t + SOONEST);
                return;
            }
            Choice::Look { rules, point } => (rules, point),
        };
        let step = self.policy.step(point);
        if let Some(found) = self.watch.start(now, step) {
            self.ledger.unsafe_start(found);
        }
        let questions: usize = rules.iter().map(|i| self.tasks[*i].questions).sum();
        let told = &self.scenario.points[point];
        let ms = told.look_ms + told.question_ms * questions as f64;
        let noise = 1.0 + self.scenario.drift.each * self.each.normal();
        let content = self.plant.world.content(t);
        let seconds = ms / 1e3 * self.scenario.truth.time_factor * content * noise.clamp(0.5, 1.5);
        let watts = self.true_step(point);
        let board = &self.scenario.board;
        let loads = self.plant.loads();
        let switched = board.infrared_watts + board.heater_watts + board.encoder_watts;
        let worst = loads.base + loads.boot + switched + watts;
        if worst > self.plant.pse.enforced(t) * PEAK {
            self.ledger.unreserved_start();
        }
        self.plant.set_look(watts);
        self.look = Some(Look {
            rules,
            point,
            questions,
            start: t,
            end: t + seconds.max(1e-3),
            watts,
            given_up: false,
        });
    }

    fn settle(&mut self, t: f64) {
        let Some(look) = self.look.take() else { return };
        self.plant.set_look(0.0);
        self.watch.end(t);
        let latency = t - look.start;
        let point = &self.scenario.points[look.point];
        self.sensors
            .worked(latency * f64::from(point.point.threads));
        let per_core = self.scenario.board.watts_per_core * f64::from(point.point.threads);
        let done = Done {
            latency: Duration::from_secs_f64(latency),
            questions: look.questions,
            modelled: latency * per_core,
            given_up: look.given_up,
        };
        let told = self.policy.settle(Mono::from_secs_f64(t), &done);
        if look.given_up {
            self.ledger.gave_up();
        } else {
            let sound = self.sensors.power_told(t);
            let truth = look.watts * latency;
            (self.ledger).looked(look.start, t, &look.rules, look.point, truth, told, sound);
        }
        self.ask = t;
    }

    /// The power was cut: nothing runs until the board is up again.
    fn cut(&mut self, end: f64) {
        self.look = None;
        loop {
            let t = self.plant.now();
            self.ledger.cut(t);
            self.watch.restart(t);
            let up = (t + REBOOT).min(end);
            if !self.plant.advance(up) {
                break;
            }
        }
        self.policy.restart();
        let t = self.plant.now();
        self.tick = t;
        self.ask = t + TICK;
        let wants = |i: usize| (i, self.tasks[i].need.filter(|_| self.holds[i].holding));
        for (i, need) in (0..self.tasks.len()).map(wants).collect::<Vec<_>>() {
            let every = self.tasks[i].every;
            let every = need.map_or(every, |need| need.min(every));
            self.policy.set_every(i, every, need);
        }
    }
}
