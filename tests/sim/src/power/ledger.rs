//! What is measured while a policy runs.

use scene::ports::Readings;

use super::plant::{Loads, Plant};
use super::policy::{Choice, Policy, Task, Why};
use super::scenario::Scenario;
use super::watch::Unsafe;

/// Length of the bins in which energy is counted, s.
const BIN: f64 = 10.0;
/// Joules are compared over windows of this, s.
const WINDOW: f64 = 600.0;
/// Looks in a window at least.
const ENOUGH: u32 = 10;
/// Not steady for so long after the grant, the light, a sensor, costs or power
/// changed, s.
const UNSTEADY: f64 = 600.0;
/// A look this much later than wanted, share and s, was waited for.
const LATE: (f64, f64) = (1.25, 0.5);
/// Length of the samples of a series, s.
pub const SAMPLE: f64 = 60.0;
/// Unsafe starts that are kept with their numbers.
const KEPT: usize = 20;
const DAY: f64 = 86_400.0;

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    used: f32,
    usable: f32,
    wanted: f32,
    waits: bool,
    hot: bool,
    off: bool,
}

/// A rule's part.
#[derive(Clone, Debug)]
struct Watched {
    wanted: f64,
    last: f64,
    /// Seconds in which a look was possible, at the last look.
    possible: f64,
    checks: u64,
    blind: f64,
    blind_possible: f64,
    blind_at: f64,
    floor: f64,
}

/// A window of joules as told and as they were.
#[derive(Clone, Copy, Debug, Default)]
struct Joules {
    told: f64,
    truth: f64,
    looks: u32,
}

impl Joules {
    fn error(&self) -> Option<f64> {
        (self.looks >= ENOUGH && self.truth > 0.0).then(|| (self.told / self.truth - 1.0).abs())
    }
}

/// A minute, for plots.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// Average draw, W.
    pub loads: Loads,
    /// The allotment as read, W.
    pub allotment: f64,
    /// The hottest the die was, °C.
    pub die: f64,
    /// The air, °C.
    pub air: f64,
    /// The point of the last look.
    pub point: usize,
    /// Looks that began.
    pub looks: u32,
    /// The longest time without a look of any rule at its end, s.
    pub blind: f64,
    ticks: f64,
}

/// All that was measured.
#[derive(Clone, Debug)]
pub struct Ledger {
    seconds: f64,
    bins: Vec<Bin>,
    rules: Vec<Watched>,
    /// Seconds in which a look was possible.
    possible: f64,
    last_tick: f64,
    demand: f64,
    point: usize,
    ran: Option<usize>,
    changes: Vec<f64>,
    events: Vec<f64>,
    cuts: Vec<f64>,
    given_up: u64,
    looks: u64,
    refused: bool,
    windows: Vec<Joules>,
    after_steps: Vec<(f64, Joules)>,
    dark: bool,
    ill: usize,
    granted: f64,
    unsafe_count: u64,
    unreserved: u64,
    unsafe_starts: Vec<Unsafe>,
    critical_seconds: f64,
    over_seconds: f64,
    hottest: f64,
    look_joules: f64,
    cheapest: (f64, f64),
    /// Seconds of a look at each point, and of each question.
    seconds_of: Vec<(f64, f64)>,
    questions: Vec<f64>,
    /// Whether a look was possible at the last tick.
    could: bool,
    /// Looks and checks at each point, and how accurate it is.
    ran_at: Vec<(u64, u64, f64)>,
    /// Minutes, if they were asked for.
    pub series: Vec<Sample>,
    wants_series: bool,
}

impl Ledger {
    /// Of a scenario of so many seconds.
    pub fn new(scenario: &Scenario, tasks: &[Task], seconds: f64, series: bool) -> Self {
        let n = |every: f64| (seconds / every).ceil() as usize + 1;
        let step = |s: &super::scenario::CostStep| (s.at_hours * 3_600.0, Joules::default());
        let cheapest = scenario.points.iter().map(|p| {
            let look = p.step_watts * p.look_ms / 1e3;
            (look, p.step_watts * p.question_ms / 1e3)
        });
        let least = cheapest.min_by(|a, b| a.0.total_cmp(&b.0));
        let mut events: Vec<f64> = vec![0.0];
        events.extend(scenario.cost_steps.iter().map(|s| s.at_hours * 3_600.0));
        Self {
            seconds,
            bins: vec![Bin::default(); n(BIN)],
            rules: tasks
                .iter()
                .map(|t| Watched {
                    wanted: t.every.as_secs_f64(),
                    last: 0.0,
                    possible: 0.0,
                    checks: 0,
                    blind: 0.0,
                    blind_possible: 0.0,
                    blind_at: 0.0,
                    floor: f64::INFINITY,
                })
                .collect(),
            possible: 0.0,
            last_tick: 0.0,
            demand: 0.0,
            point: 0,
            ran: None,
            changes: Vec::new(),
            events,
            cuts: Vec::new(),
            given_up: 0,
            looks: 0,
            refused: false,
            windows: vec![Joules::default(); n(WINDOW)],
            after_steps: scenario.cost_steps.iter().map(step).collect(),
            dark: false,
            ill: 0,
            granted: 0.0,
            unsafe_count: 0,
            unreserved: 0,
            unsafe_starts: Vec::new(),
            critical_seconds: 0.0,
            over_seconds: 0.0,
            hottest: 0.0,
            look_joules: 0.0,
            cheapest: least.unwrap_or_default(),
            seconds_of: (scenario.points.iter())
                .map(|p| (p.look_ms / 1e3, p.question_ms / 1e3))
                .collect(),
            questions: tasks.iter().map(|t| t.questions as f64).collect(),
            could: true,
            ran_at: scenario.points.iter().map(|p| (0, 0, p.accuracy)).collect(),
            series: Vec::new(),
            wants_series: series,
        }
    }

    /// The point of the last look.
    pub fn point(&self) -> usize {
        self.point
    }

    fn bin(&mut self, t: f64) -> &mut Bin {
        let i = ((t / BIN) as usize).min(self.bins.len() - 1);
        &mut self.bins[i]
    }

    /// A rule wants another interval from `t` on.
    pub fn wants(&mut self, rule: usize, every: f64, t: f64) {
        let rule = &mut self.rules[rule];
        // What came before is not held against the new interval.
        rule.wanted = every;
        rule.last = rule.last.max(t - every);
    }

    /// A policy said what it wants.
    pub fn chose(&mut self, _t: f64, choice: &Choice) {
        self.refused = matches!(choice, Choice::Hold { why: Why::Peak, .. });
    }

    /// Something was read; `steps` are true watts of a look at the current
    /// point and at the one that draws the least.
    pub fn tick(
        &mut self,
        t: f64,
        plant: &mut Plant,
        readings: &Readings,
        policy: &dyn Policy,
        steps: [f64; 2],
    ) {
        let dt = t - self.last_tick;
        self.last_tick = t;
        let loads = plant.loads();
        let allotment = readings.allotment.value.0;
        let dark = plant.world.dark(t);
        let ill = readings.problems.len();
        if (dark, ill) != (self.dark, self.ill) || allotment != self.granted {
            self.events.push(t);
            (self.dark, self.ill, self.granted) = (dark, ill, allotment);
        }
        let kept = policy.kept();
        let share = allotment - kept.margin - loads.rest();
        let [here, least] = steps;
        // Where the peak guard refuses, only what would have fitted was lost.
        let usable = match self.refused {
            true if least > share - kept.reserve => 0.0,
            true => least.min(share),
            false => here.min(share).max(0.0),
        };
        let hot = policy.hot();
        let wanted = self.wanted(dt, usable >= least.min(here) / 2.0) * here;
        let bin = self.bin(t - dt / 2.0);
        bin.usable += (usable * dt) as f32;
        bin.wanted += wanted as f32;
        bin.used += (loads.look * dt) as f32;
        bin.hot |= hot;
        // One look for all rules within the shortest floor.
        let (fixed, each) = self.cheapest;
        let mut floors = 0.0f64;
        let mut shortest = f64::INFINITY;
        for (i, rule) in self.rules.iter_mut().enumerate() {
            rule.floor = policy.floor(i);
            self.demand += dt / rule.wanted.max(0.2);
            shortest = shortest.min(rule.floor);
            floors += each / rule.floor;
        }
        if usable > 1.5 * (fixed / shortest + floors) && !hot {
            self.possible += dt;
        }
        if self.wants_series {
            self.sample(t, dt, plant, &loads, allotment);
        }
    }

    /// Seconds of looks that rules wanted at the current point in `dt`
    /// seconds, if those that are due together share one; and one look for all
    /// that waited while none was possible.
    fn wanted(&mut self, dt: f64, possible: bool) -> f64 {
        let (look, question) = self.seconds_of[self.point];
        let (mut most, mut asked, mut all) = (0.0f64, 0.0, 0.0);
        for (rule, questions) in self.rules.iter().zip(&self.questions) {
            let per_second = 1.0 / rule.wanted.max(0.2);
            most = most.max(per_second);
            asked += questions * per_second;
            all += questions;
        }
        let before = std::mem::replace(&mut self.could, possible);
        let waited = possible && !before;
        let backlog = if waited { look + question * all } else { 0.0 };
        let rate = (look * most + question * asked) * dt;
        if possible { rate + backlog } else { 0.0 }
    }

    fn sample(&mut self, t: f64, dt: f64, plant: &Plant, loads: &Loads, allotment: f64) {
        let i = ((t - dt / 2.0) / SAMPLE).max(0.0) as usize;
        let point = self.point;
        if self.series.len() <= i {
            self.series.resize(
                i + 1,
                Sample {
                    die: f64::MIN,
                    ..Sample::default()
                },
            );
        }
        let last = |r: &Watched| r.last;
        let oldest = self.rules.iter().map(last).fold(f64::INFINITY, f64::min);
        let s = &mut self.series[i];
        let mean = |old: &mut f64, new: f64| *old += (new - *old) * dt / (s.ticks + dt);
        mean(&mut s.loads.base, loads.base);
        mean(&mut s.loads.infrared, loads.infrared);
        mean(&mut s.loads.heater, loads.heater);
        mean(&mut s.loads.encoder, loads.encoder);
        mean(&mut s.loads.boot, loads.boot);
        mean(&mut s.loads.look, loads.look);
        mean(&mut s.allotment, allotment);
        s.ticks += dt;
        s.die = s.die.max(plant.die());
        s.air = plant.world.air(t);
        s.point = point;
        s.blind = s.blind.max(t - oldest);
    }

    /// A start that could have been known to be unsafe.
    pub fn unsafe_start(&mut self, found: Unsafe) {
        self.unsafe_count += 1;
        if self.unsafe_starts.len() < KEPT {
            self.unsafe_starts.push(found);
        }
    }

    /// A start that the supply would cut if all declared loads came on.
    pub fn unreserved_start(&mut self) {
        self.unreserved += 1;
    }

    /// A look was given up.
    pub fn gave_up(&mut self) {
        self.given_up += 1;
    }

    /// A look for `rules` at `point` took `truth` joules and was told to take
    /// `told`; the power sensor was `sound`.
    #[expect(clippy::too_many_arguments, reason = "a record of one event")]
    pub fn looked(
        &mut self,
        start: f64,
        end: f64,
        rules: &[usize],
        point: usize,
        truth: f64,
        told: Option<(f64, bool)>,
        sound: bool,
    ) {
        self.looks += 1;
        if self.ran.is_some_and(|ran| ran != point) {
            self.changes.push(start);
        }
        (self.ran, self.point) = (Some(point), point);
        let ran_at = &mut self.ran_at[point];
        ran_at.0 += 1;
        ran_at.1 += rules.len() as u64;
        if let Some(s) = self.series.last_mut() {
            s.looks += 1;
        }
        if let Some((joules, true)) = told
            && sound
        {
            let add = |w: &mut Joules| {
                w.told += joules;
                w.truth += truth;
                w.looks += 1;
            };
            let i = (end / WINDOW) as usize;
            if let Some(w) = self.windows.get_mut(i) {
                add(w);
            }
            for (at, w) in &mut self.after_steps {
                if (*at + 300.0..*at + 600.0).contains(&end) {
                    add(w);
                }
            }
        }
        for &i in rules {
            self.watched(i, start);
        }
    }

    fn watched(&mut self, i: usize, start: f64) {
        let possible = self.possible;
        let rule = &mut self.rules[i];
        let gap = start - rule.last;
        let (from, late) = (rule.last, gap > rule.wanted * LATE.0 + LATE.1);
        rule.checks += 1;
        rule.blind = rule.blind.max(gap);
        let blind = possible - rule.possible;
        if blind > rule.blind_possible {
            (rule.blind_possible, rule.blind_at) = (blind, start);
        }
        (rule.last, rule.possible) = (start, possible);
        if late {
            self.waited(from, start);
        }
    }

    fn waited(&mut self, from: f64, to: f64) {
        let last = self.bins.len() - 1;
        let (a, b) = ((from / BIN) as usize, (to / BIN) as usize);
        for bin in &mut self.bins[a.min(last)..=b.min(last)] {
            bin.waits = true;
        }
    }

    /// The power was cut.
    pub fn cut(&mut self, t: f64) {
        self.cuts.push(t);
        self.events.push(t + super::plant::REBOOT);
        for k in 0..(super::plant::REBOOT / BIN) as usize + 2 {
            self.bin(t + k as f64 * BIN).off = true;
        }
        self.last_tick = t + super::plant::REBOOT;
    }

    /// The end.
    pub fn close(&mut self, plant: &Plant, policy: &dyn Policy) {
        for i in 0..self.rules.len() {
            let (possible, end) = (self.possible, self.seconds);
            let rule = &mut self.rules[i];
            let gap = end - rule.last;
            rule.blind = rule.blind.max(gap);
            rule.floor = policy.floor(i);
            let blind = possible - rule.possible;
            if blind > rule.blind_possible {
                (rule.blind_possible, rule.blind_at) = (blind, end);
            }
            if gap > rule.wanted * LATE.0 + LATE.1 {
                let from = rule.last;
                self.waited(from, end);
            }
        }
        self.critical_seconds = plant.critical_seconds;
        self.over_seconds = plant.over_seconds;
        self.hottest = plant.hottest;
        self.look_joules = plant.look_joules;
    }

    /// Length, s.
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// When the power was cut, s.
    pub fn cuts(&self) -> &[f64] {
        &self.cuts
    }

    /// Seconds at critical temperature.
    pub fn critical_seconds(&self) -> f64 {
        self.critical_seconds
    }

    /// Seconds in which the board drew more than the supply granted.
    pub fn over_seconds(&self) -> f64 {
        self.over_seconds
    }

    /// The hottest the die was, °C.
    pub fn hottest(&self) -> f64 {
        self.hottest
    }

    /// Average watts of inference.
    pub fn inference_watts(&self) -> f64 {
        self.look_joules / self.seconds
    }

    /// How many starts could have been known to be unsafe, and the first ones.
    pub fn unsafe_starts(&self) -> (u64, &[Unsafe]) {
        (self.unsafe_count, &self.unsafe_starts)
    }

    /// Starts that the supply would have cut had all declared loads come on
    /// before the look could be given up.
    pub fn unreserved_starts(&self) -> u64 {
        self.unreserved
    }

    /// Looks that were finished, and that were given up.
    pub fn looks(&self) -> (u64, u64) {
        (self.looks, self.given_up)
    }

    /// How right answers were on average, 0..1; `None` without a check.
    pub fn accuracy(&self) -> Option<f64> {
        let checks: u64 = self.ran_at.iter().map(|r| r.1).sum();
        let right = self.ran_at.iter().map(|r| r.1 as f64 * r.2).sum::<f64>();
        (checks > 0).then(|| right / checks as f64)
    }

    /// Share of the looks that was made at each point.
    pub fn ran_at(&self) -> impl Iterator<Item = f64> + '_ {
        let all = self.looks.max(1) as f64;
        self.ran_at.iter().map(move |r| r.0 as f64 / all)
    }

    /// Checks of rules in an hour.
    pub fn checks_per_hour(&self) -> f64 {
        let checks: u64 = self.rules.iter().map(|r| r.checks).sum();
        checks as f64 / self.seconds * 3_600.0
    }

    /// Checks in an hour that rules wanted.
    pub fn wanted_per_hour(&self) -> f64 {
        self.demand / self.seconds * 3_600.0
    }

    /// Joules that looks took while a rule waited, of those that they could
    /// have taken; and how many hours that was. `None` if nothing waited.
    ///
    /// A rule *waited* from one look to the next if that came more than a
    /// quarter of its interval and half a second late. What *could* have been
    /// taken is the least of what the allotment leaves beside the board's true
    /// draw and the margins that the policy publishes, what a look at its
    /// present point truly draws, and what rules wanted. Left out is time in
    /// which heat held looks back, in which the power was off, and in which no
    /// look would have fitted.
    pub fn budget_used(&self) -> Option<(f64, f64)> {
        let counts = |b: &&Bin| b.waits && !b.hot && !b.off && b.wanted > 0.0;
        let (mut used, mut usable, mut hours) = (0.0, 0.0, 0.0);
        for bin in self.bins.iter().filter(counts) {
            used += f64::from(bin.used);
            usable += f64::from(bin.usable.min(bin.wanted));
            hours += BIN / 3_600.0;
        }
        (usable > 1.0).then_some((used / usable, hours))
    }

    /// Changes of the operating point in an hour, on average while nothing
    /// else changed, and in the worst hour of those.
    pub fn changes_per_hour(&self) -> (f64, u32) {
        let steady =
            |t: f64| !(self.events.iter()).any(|event| (*event..*event + UNSTEADY).contains(&t));
        let mut ends = f64::NEG_INFINITY;
        let mut unsteady = 0.0;
        for event in &self.events {
            let from = event.max(ends);
            ends = ends.max(event + UNSTEADY);
            unsteady += (ends.min(self.seconds) - from).max(0.0);
        }
        let mut hours = vec![0u32; (self.seconds / 3_600.0) as usize + 1];
        let mut all = 0;
        for t in self.changes.iter().filter(|t| steady(**t)) {
            all += 1;
            hours[(*t / 3_600.0) as usize] += 1;
        }
        let left = ((self.seconds - unsteady) / 3_600.0).max(0.1);
        (
            f64::from(all) / left,
            hours.into_iter().max().unwrap_or_default(),
        )
    }

    /// Of each rule: the longest without a look, that part of it in which one
    /// was possible and when that ended, its floor (all s), and its checks.
    pub fn blind(&self) -> impl Iterator<Item = (f64, f64, f64, f64, u64)> + '_ {
        (self.rules.iter()).map(|r| (r.blind, r.blind_possible, r.blind_at, r.floor, r.checks))
    }

    /// Relative errors of joules as told, of windows of ten minutes after the
    /// first: the middle one, and that which 19 of 20 don't pass. Windows in
    /// which costs were made to jump don't count.
    pub fn joule_errors(&self) -> Option<(f64, f64)> {
        let jumped =
            |i: usize| (self.after_steps.iter()).any(|(at, _)| (*at / WINDOW) as usize == i);
        let mut errors: Vec<f64> = (self.windows.iter().enumerate().skip(1))
            .filter(|(i, _)| !jumped(*i))
            .filter_map(|(_, w)| w.error())
            .collect();
        errors.sort_by(f64::total_cmp);
        let at = |share: f64| errors[((errors.len() - 1) as f64 * share) as usize];
        (!errors.is_empty()).then(|| (at(0.5), at(0.95)))
    }

    /// Relative errors from 5 to 10 minutes after each jump of costs.
    pub fn recovered(&self) -> Vec<f64> {
        (self.after_steps.iter())
            .filter_map(|(_, w)| w.error())
            .collect()
    }

    /// Days, for people.
    pub fn days(&self) -> f64 {
        self.seconds / DAY
    }
}
