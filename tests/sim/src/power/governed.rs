//! The governor as a policy, wired as the daemon wires it.

use std::time::Duration;

use governor::{Cause, Config, Decision, Governor, Learned, Thermal, Told, Wish};
use scene::ports::Readings;
use scene::{Celsius, Id, Joules, Mono, OperatingPoint, Quantity, Source, Watts};

use super::policy::{Choice, Done, Kept, Policy, Task, Why};
use super::scenario::Scenario;

/// Heat binds where the share that is published is less by this than what the
/// balance leaves, W.
const CLEARLY: f64 = 0.15;
/// What it tells of itself is asked for this often: as often as anybody shows
/// it.
const TOLD_EVERY: Duration = Duration::from_secs(2);
/// Time constant of the average that the share is taken of, s.
const AVERAGE: f64 = 30.0;

/// The governor.
#[derive(Clone, Debug)]
pub struct Governed {
    config: Config,
    governor: Governor,
    points: Vec<OperatingPoint>,
    ids: Vec<Id>,
    wishes: Vec<Wish>,
    kept: Learned,
    baseline: Option<(f64, Mono)>,
    told: Kept,
    hot: bool,
    refused: Option<Cause>,
}

/// Share of the whole board's watts that pass through the die at work: a board's
/// file tells of these, a scenario of the die's own.
const IN_DIE: f64 = 0.6;

/// What a board's file would tell of the scenario's board.
pub fn config(scenario: &Scenario) -> Config {
    let board = &scenario.board;
    let n = board.thermal;
    let seconds = Duration::from_secs_f64;
    Config {
        points: (scenario.points.iter())
            .map(|p| Told {
                point: p.point.clone(),
                accuracy: p.accuracy,
                step: Watts(p.step_watts),
                look: seconds(p.look_ms / 1e3),
                question: seconds(p.question_ms / 1e3),
            })
            .collect(),
        idle: Watts(board.idle_watts),
        switched: Watts(board.infrared_watts + board.heater_watts + board.encoder_watts),
        tolerance: board.tolerance,
        thermal: Thermal {
            derate: Celsius(board.critical_celsius - 10.0),
            critical: Celsius(board.critical_celsius),
            case_kelvin_per_watt: n.case_k_per_w,
            case: seconds(n.case_minutes * 60.0),
            die_kelvin_per_watt: n.die_k_per_w * IN_DIE,
            die: seconds(n.die_seconds),
            ambient_most: board.ambient_most_celsius.map(Celsius),
        },
        ..Config::default()
    }
}

impl Governed {
    /// Of a board as its file tells it.
    pub fn new(scenario: &Scenario, tasks: &[Task]) -> Self {
        let config = config(scenario);
        let id = |n: usize| format!("rule-{n}").parse::<Id>();
        let ids: Vec<Id> = (0..tasks.len()).map_while(|n| id(n).ok()).collect();
        assert_eq!(ids.len(), tasks.len(), "rule-<number> is an id");
        let wishes = tasks
            .iter()
            .map(|t| Wish {
                wanted: t.every,
                priority: t.priority,
                questions: t.questions,
                need: None,
            })
            .collect();
        let mut this = Self {
            governor: Governor::new(config.clone()),
            config,
            points: scenario.points.iter().map(|p| p.point.clone()).collect(),
            ids,
            wishes,
            kept: Learned::default(),
            baseline: None,
            told: Kept::default(),
            hot: false,
            refused: None,
        };
        this.register();
        this
    }

    fn register(&mut self) {
        for (id, wish) in self.ids.iter().zip(&self.wishes) {
            self.governor.register(id.clone(), *wish);
        }
    }

    fn index(&self, point: &OperatingPoint) -> usize {
        self.points.iter().position(|p| p == point).unwrap_or(0)
    }
}

impl Policy for Governed {
    fn name(&self) -> &'static str {
        "governor"
    }

    fn observe(&mut self, now: Mono, readings: &Readings) -> bool {
        let given_up = self.governor.observe(now, readings).is_some();
        let due = |(_, then): (f64, Mono)| now.since(then) >= TOLD_EVERY;
        if !self.baseline.is_none_or(due) {
            return given_up;
        }
        let state = self.governor.state();
        self.told = Kept {
            margin: state.margin.0,
            reserve: state.reserve.0,
        };
        let baseline = state.baseline.value.0;
        let average = self.baseline.map_or(baseline, |(old, then)| {
            let dt = now.since(then).as_secs_f64();
            old + (1.0 - (-dt / AVERAGE).exp()) * (baseline - old)
        });
        self.baseline = Some((average, now));
        let left = state.allotment.value.0 - state.margin.0 - average.max(baseline);
        self.hot = state.share.0 + CLEARLY < left || self.refused == Some(Cause::Heat);
        given_up
    }

    fn decide(&mut self, now: Mono) -> Choice {
        match self.governor.decide(now) {
            Decision::Look { rules, point, .. } => {
                self.refused = None;
                let number = |id: &Id| self.ids.iter().position(|i| i == id);
                Choice::Look {
                    rules: rules.iter().filter_map(number).collect(),
                    point: self.index(&point),
                }
            }
            Decision::Hold { cause, until, .. } => {
                self.refused = Some(cause);
                let why = match cause {
                    Cause::Peak => Why::Peak,
                    Cause::Energy => Why::Energy,
                    Cause::Heat => Why::Heat,
                    Cause::Busy | Cause::NothingDue | Cause::NoRules | Cause::Sounding => Why::Idle,
                };
                Choice::Hold { why, until }
            }
        }
    }

    fn settle(&mut self, now: Mono, done: &Done) -> Option<(f64, bool)> {
        let modelled = Quantity::modelled(Joules(done.modelled));
        let took = (self.governor).settle(now, modelled, done.latency, done.questions);
        Some((took.value.0, took.source == Source::Measured))
    }

    fn set_every(&mut self, rule: usize, every: Duration, need: Option<Duration>) {
        self.wishes[rule].wanted = every;
        self.wishes[rule].need = need;
        self.governor.set_wanted(&self.ids[rule], every, need);
    }

    fn persist(&mut self) {
        self.kept = self.governor.keep();
    }

    fn restart(&mut self) {
        self.governor = Governor::new(self.config.clone());
        self.register();
        self.governor.recall(&self.kept);
        (self.baseline, self.hot, self.refused) = (None, false, None);
    }

    /// Of the point that it runs at, whichever is asked for.
    fn step(&self, _: usize) -> f64 {
        self.governor.state().watts_per_inference.value.0
    }

    fn kept(&self) -> Kept {
        self.told
    }

    fn hot(&self) -> bool {
        self.hot
    }

    fn floor(&self, rule: usize) -> f64 {
        self.config
            .floor
            .max(self.wishes[rule].wanted)
            .as_secs_f64()
    }
}
