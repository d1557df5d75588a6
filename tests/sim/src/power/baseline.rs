//! What the governor is compared with: fixed intervals, and on/off throttling.

use std::time::Duration;

use scene::Mono;
use scene::ports::Readings;

use super::policy::{Choice, Done, Kept, Policy, Task, Why};
use super::scenario::{Point, Scenario};

/// Kept free of the allotment, share.
const MARGIN: f64 = 0.05;
/// Heat counts from so far below critical, K.
const DERATE: f64 = 5.0;
/// How far costs may drift, share.
const DRIFT: f64 = 0.2;
/// How wrong the thermal constants may be, share.
const UNSURE: f64 = 0.3;
/// No two looks closer than this.
const GAP: Duration = Duration::from_millis(200);

/// Rules that come due together are looked at together.
#[derive(Clone, Debug)]
struct Due {
    every: Vec<Duration>,
    next: Vec<Mono>,
}

impl Due {
    fn new(tasks: &[Task]) -> Self {
        Self {
            every: tasks.iter().map(|t| t.every).collect(),
            next: vec![Mono::ZERO; tasks.len()],
        }
    }

    fn take(&mut self, now: Mono) -> Result<Vec<usize>, Mono> {
        let due: Vec<usize> = (0..self.next.len())
            .filter(|i| self.next[*i] <= now)
            .collect();
        if due.is_empty() {
            let soonest = self.next.iter().min().copied();
            return Err(soonest.unwrap_or(now + Duration::from_secs(60)));
        }
        for i in &due {
            self.next[*i] = now + self.every[*i].max(GAP);
        }
        Ok(due)
    }
}

/// Every rule at an interval that is safe whatever happens, without a sensor:
/// all loads on, the lowest grant, the hottest air, the dearest looks, thermal
/// constants as wrong as they may be, and no two rules ever due together, at
/// the cheapest point that fits.
#[derive(Clone, Debug)]
pub struct Fixed {
    due: Due,
    tasks: Vec<Task>,
    point: Option<usize>,
    points: Vec<Point>,
    stretch: f64,
    kept: f64,
}

impl Fixed {
    /// Reckons the intervals.
    pub fn new(scenario: &Scenario, tasks: &[Task]) -> Self {
        let board = &scenario.board;
        let granted = (scenario.poe.grants.iter())
            .map(|g| g.watts)
            .fold(scenario.poe.watts, f64::min);
        let switched = board.infrared_watts + board.heater_watts + board.encoder_watts;
        let rest = board.idle_watts * (1.0 + board.tolerance) + switched;
        let room = granted * (1.0 - MARGIN) - rest;
        // The hottest air that it can meet, with the network as told.
        let air = scenario.air.mean_celsius + scenario.air.swing_k + scenario.air.days_k;
        let n = board.thermal;
        let limit = board.critical_celsius - DERATE;
        let in_die = board.idle_watts * scenario.truth.base_in_die;
        let (case, die) = (
            n.case_k_per_w * (1.0 + UNSURE),
            n.die_k_per_w * (1.0 + UNSURE),
        );
        let calm = air + case * rest + die * in_die;
        let cool = (limit - calm) / (case + die);
        let mean = room.min(cool).max(0.0);
        let dear = 1.0 + DRIFT;
        let joules = |p: &Point, questions: f64| {
            p.step_watts * dear * (p.look_ms + p.question_ms * questions) / 1e3 * dear
        };
        let point = (0..scenario.points.len())
            .filter(|i| scenario.points[*i].step_watts * dear <= room && mean > 0.05)
            .min_by(|a, b| {
                let j = |i: usize| joules(&scenario.points[i], 1.0);
                j(*a).total_cmp(&j(*b))
            });
        // All intervals are stretched by as much, and a hold changes none.
        let every = |t: &Task| t.every;
        let stretch = point.map_or(f64::INFINITY, |i| {
            let p = &scenario.points[i];
            // Timers that began at different moments never meet, so each rule
            // pays for a look of its own.
            let each = |t: &Task| {
                let seconds = every(t).as_secs_f64().max(0.2);
                (p.look_ms + p.question_ms * t.questions as f64) / 1e3 * dear / seconds
            };
            let duty = tasks.iter().map(each).sum::<f64>();
            let watts = duty * p.step_watts * dear;
            (watts / mean).max(duty).max(1.0)
        });
        let mut due = Due::new(tasks);
        for (i, t) in tasks.iter().enumerate() {
            let seconds = every(t).as_secs_f64() * stretch.min(1e6);
            due.every[i] = Duration::from_secs_f64(seconds.min(1e6));
        }
        Self {
            due,
            tasks: tasks.to_vec(),
            point,
            points: scenario.points.clone(),
            stretch,
            kept: granted * MARGIN,
        }
    }
}

impl Policy for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn senses(&self) -> bool {
        false
    }

    fn observe(&mut self, _: Mono, _: &Readings) -> bool {
        false
    }

    fn decide(&mut self, now: Mono) -> Choice {
        let Some(point) = self.point else {
            return Choice::Hold {
                why: Why::Peak,
                until: now + Duration::from_secs(3_600),
            };
        };
        match self.due.take(now) {
            Ok(rules) => Choice::Look { rules, point },
            Err(until) => Choice::Hold {
                why: Why::Idle,
                until,
            },
        }
    }

    fn settle(&mut self, _: Mono, _: &Done) -> Option<(f64, bool)> {
        None
    }

    // Its intervals are fixed.
    fn set_every(&mut self, _: usize, _: Duration, _: Option<Duration>) {}

    fn restart(&mut self) {
        self.due.next.fill(Mono::ZERO);
    }

    fn step(&self, point: usize) -> f64 {
        self.points[point].step_watts
    }

    fn kept(&self) -> Kept {
        Kept {
            margin: self.kept,
            reserve: 0.0,
        }
    }

    fn hot(&self) -> bool {
        false
    }

    fn floor(&self, rule: usize) -> f64 {
        self.tasks[rule].every.as_secs_f64() * self.stretch
    }
}

/// Looks at will at the best point; stops while a reading is over the
/// allotment less a margin or the die is hot, and goes on a little below.
#[derive(Clone, Debug)]
pub struct OnOff {
    due: Due,
    point: usize,
    points: Vec<Point>,
    derate: f64,
    off: bool,
    hot: bool,
    kept: f64,
}

impl OnOff {
    /// At the most accurate of the points, the fastest of those.
    pub fn new(scenario: &Scenario, tasks: &[Task]) -> Self {
        let point = (0..scenario.points.len())
            .max_by(|a, b| {
                let (a, b) = (&scenario.points[*a], &scenario.points[*b]);
                let faster = b.look_ms.total_cmp(&a.look_ms);
                a.accuracy.total_cmp(&b.accuracy).then(faster)
            })
            .unwrap_or(0);
        Self {
            due: Due::new(tasks),
            point,
            points: scenario.points.clone(),
            derate: scenario.board.critical_celsius - DERATE,
            off: false,
            hot: false,
            kept: 0.0,
        }
    }
}

impl Policy for OnOff {
    fn name(&self) -> &'static str {
        "on_off"
    }

    fn observe(&mut self, _: Mono, readings: &Readings) -> bool {
        let allotment = readings.allotment.value.0;
        self.kept = allotment * MARGIN;
        if let Some(board) = &readings.board {
            let (watts, high) = (board.value.0, allotment - self.kept);
            self.off = watts > high || self.off && watts > high - self.kept;
        }
        if let Some(hottest) = &readings.hottest {
            let celsius = hottest.value.0;
            self.hot = celsius >= self.derate || self.hot && celsius > self.derate - DERATE;
        }
        self.off || self.hot
    }

    fn decide(&mut self, now: Mono) -> Choice {
        let hold = |why, until| Choice::Hold { why, until };
        let soon = now + Duration::from_millis(500);
        if self.off || self.hot {
            return hold(if self.hot { Why::Heat } else { Why::Peak }, soon);
        }
        match self.due.take(now) {
            Ok(rules) => Choice::Look {
                rules,
                point: self.point,
            },
            Err(until) => hold(Why::Idle, until),
        }
    }

    fn settle(&mut self, now: Mono, done: &Done) -> Option<(f64, bool)> {
        if done.given_up {
            for next in &mut self.due.next {
                *next = (*next).min(now);
            }
        }
        None
    }

    fn set_every(&mut self, rule: usize, every: Duration, _: Option<Duration>) {
        self.due.every[rule] = every;
        self.due.next[rule] = Mono::ZERO;
    }

    fn restart(&mut self) {
        self.due.next.fill(Mono::ZERO);
        (self.off, self.hot) = (false, false);
    }

    fn step(&self, point: usize) -> f64 {
        self.points[point].step_watts
    }

    fn kept(&self) -> Kept {
        Kept {
            margin: self.kept,
            reserve: 0.0,
        }
    }

    fn hot(&self) -> bool {
        self.hot
    }

    fn floor(&self, _: usize) -> f64 {
        f64::INFINITY
    }
}
