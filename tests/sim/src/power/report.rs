//! What a run comes to, for people and for scripts.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::ledger::Ledger;
use super::scenario::Scenario;

/// A rule may be blind longer than its floor by so much: share, and s.
const FLOOR: (f64, f64) = (1.1, 5.0);
/// A rule that is blind for so many times its floor starves.
const STARVED: f64 = 10.0;
/// Shares of checks that count as all that were wanted, and as no fewer.
const ALL: f64 = 0.95;
const NO_FEWER: f64 = 0.98;

/// What a policy did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// Starts that could have been known to be unsafe.
    pub unsafe_starts: u64,
    /// Starts that would have been cut at once had all declared loads come on.
    pub unreserved_starts: u64,
    /// How often the supply cut the power.
    pub pse_cuts: usize,
    /// Seconds at critical temperature that inference is to blame for.
    pub critical_seconds: f64,
    /// Seconds of more than was granted that inference is to blame for.
    pub over_seconds: f64,
    /// Joules of looks while one was waited for, of those that could have been
    /// used; `None` if nothing waited.
    pub budget_used: Option<f64>,
    /// Checks of rules in an hour.
    pub checks_per_hour: f64,
    /// Changes of the operating point in an hour while nothing else changed.
    pub operating_point_changes_per_hour: f64,
    /// The longest without a look, by rule, s.
    pub max_blind_seconds: BTreeMap<String, f64>,
    /// How right answers were on average, 0..1, by the points' accuracies.
    pub accuracy: Option<f64>,
    /// Share of the looks at each point that ran.
    pub points: BTreeMap<String, f64>,
    /// Average watts of inference.
    pub inference_watts: f64,
    /// The hottest the die was, °C.
    pub hottest_celsius: f64,
    /// Looks that were given up.
    pub given_up: u64,
}

/// What is compared with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Baselines {
    /// Intervals that are safe in the worst case.
    pub fixed: Measures,
    /// Off above a threshold, on again below.
    pub on_off: Measures,
}

/// The governor's joules against the truth, as shares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JouleError {
    /// The middle one of windows of ten minutes.
    pub median: f64,
    /// 19 of 20 are no worse.
    pub p95: f64,
    /// From 5 to 10 minutes after each jump of costs.
    pub after_steps: Vec<f64>,
}

/// A scenario's outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Its name.
    pub scenario: String,
    /// What happens in it.
    pub title: String,
    /// Of all that is random.
    pub seed: u64,
    /// How long.
    pub days: f64,
    /// The governor's.
    #[serde(flatten)]
    pub governor: Measures,
    /// Cuts of the same board without inference.
    pub pse_cuts_without_inference: usize,
    /// The other policies'.
    pub baselines: Baselines,
    /// Checks in an hour that rules wanted.
    pub wanted_checks_per_hour: f64,
    /// Hours in which a rule waited and neither heat nor the allotment
    /// forbade looks.
    pub waiting_hours: f64,
    /// Most changes of the point within one hour of those without events.
    pub most_changes_in_an_hour: u32,
    /// The longest without a look while one was possible, by rule, s.
    pub max_blind_seconds_while_possible: BTreeMap<String, f64>,
    /// The longest that a rule is meant to go without a look, s.
    pub floor_seconds: BTreeMap<String, f64>,
    /// Rules that were hardly looked at.
    pub starved: Vec<String>,
    /// `None` if nothing was measured.
    pub joule_error: Option<JouleError>,
    /// Seconds of this machine's time for a simulated day of the governor.
    pub seconds_per_day: f64,
    /// What the marks forbid, a sentence each.
    pub violations: Vec<String>,
}

fn name(i: usize) -> String {
    format!("rule-{i}")
}

/// Measures of a run, given the run without inference.
pub(super) fn measures(scenario: &Scenario, ledger: &Ledger, none: &Ledger) -> Measures {
    Measures {
        unsafe_starts: ledger.unsafe_starts().0,
        unreserved_starts: ledger.unreserved_starts(),
        pse_cuts: ledger.cuts().len(),
        critical_seconds: round(
            (ledger.critical_seconds() - none.critical_seconds()).max(0.0),
            1,
        ),
        over_seconds: round((ledger.over_seconds() - none.over_seconds()).max(0.0), 1),
        budget_used: ledger.budget_used().map(|(share, _)| round(share, 4)),
        checks_per_hour: round(ledger.checks_per_hour(), 2),
        operating_point_changes_per_hour: round(ledger.changes_per_hour().0, 3),
        max_blind_seconds: by_rule(ledger, |b| b.0),
        accuracy: ledger.accuracy().map(|a| round(a, 3)),
        points: (scenario.points.iter().zip(ledger.ran_at()))
            .filter(|(_, share)| *share > 0.0)
            .map(|(p, share)| (p.point.to_string(), round(share, 4)))
            .collect(),
        inference_watts: round(ledger.inference_watts(), 3),
        hottest_celsius: round(ledger.hottest(), 1),
        given_up: ledger.looks().1,
    }
}

fn by_rule(
    ledger: &Ledger,
    of: impl Fn((f64, f64, f64, f64, u64)) -> f64,
) -> BTreeMap<String, f64> {
    let each = ledger.blind().enumerate();
    each.map(|(i, b)| (name(i), round(of(b), 1))).collect()
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// The runs of one scenario.
pub(super) struct Runs<'r> {
    pub governor: &'r Ledger,
    pub none: &'r Ledger,
    pub fixed: &'r Ledger,
    pub on_off: &'r Ledger,
}

impl Report {
    pub(super) fn new(
        scenario_name: &str,
        scenario: &Scenario,
        runs: &Runs,
        seconds_per_day: f64,
    ) -> Self {
        let ledger = runs.governor;
        let starved = (ledger.blind().enumerate())
            .filter(|(_, (_, possible, _, floor, _))| *possible > STARVED * floor)
            .map(|(i, _)| name(i))
            .collect();
        let finite = |b: (f64, f64, f64, f64, u64)| if b.3.is_finite() { b.3 } else { 0.0 };
        let mut report = Self {
            scenario: scenario_name.into(),
            title: scenario.title.clone(),
            seed: scenario.seed,
            days: ledger.days(),
            governor: measures(scenario, ledger, runs.none),
            pse_cuts_without_inference: runs.none.cuts().len(),
            baselines: Baselines {
                fixed: measures(scenario, runs.fixed, runs.none),
                on_off: measures(scenario, runs.on_off, runs.none),
            },
            wanted_checks_per_hour: round(ledger.wanted_per_hour(), 2),
            waiting_hours: round(ledger.budget_used().map_or(0.0, |(_, hours)| hours), 2),
            most_changes_in_an_hour: ledger.changes_per_hour().1,
            max_blind_seconds_while_possible: by_rule(ledger, |b| b.1),
            floor_seconds: by_rule(ledger, finite),
            starved,
            joule_error: ledger.joule_errors().map(|(median, p95)| JouleError {
                median: round(median, 4),
                p95: round(p95, 4),
                after_steps: (ledger.recovered().into_iter())
                    .map(|e| round(e, 4))
                    .collect(),
            }),
            seconds_per_day,
            violations: Vec::new(),
        };
        report.violations = report.find(scenario, ledger);
        report
    }

    /// What the marks forbid.
    fn find(&self, scenario: &Scenario, ledger: &Ledger) -> Vec<String> {
        let mut found = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                found.push(what);
            }
        };
        let own = &self.governor;
        let (unsafe_starts, first) = ledger.unsafe_starts();
        let example = first.first().map_or(String::new(), |u| {
            let hot = u
                .hottest
                .map_or(String::new(), |c| format!(", die {c:.1} °C"));
            format!(
                "; first at {:.1} s: {:.2} W + {:.2} W of {:.2} W{hot}",
                u.at, u.board, u.step, u.allotment
            )
        });
        must(
            unsafe_starts == 0,
            format!("{unsafe_starts} unsafe starts{example}"),
        );
        must(
            own.pse_cuts == 0 || self.pse_cuts_without_inference > 0,
            format!(
                "{} cuts of the power, none without inference; first at {:.1} s",
                own.pse_cuts,
                ledger.cuts().first().copied().unwrap_or_default()
            ),
        );
        must(
            own.critical_seconds <= 0.0,
            format!("{} s at critical temperature", own.critical_seconds),
        );
        if let Some(used) = own.budget_used
            && self.waiting_hours >= 1.0
        {
            must(
                used >= 0.9,
                format!(
                    "{:.1} % of the budget used in {:.1} h of waiting",
                    used * 100.0,
                    self.waiting_hours
                ),
            );
        }
        let changes = own.operating_point_changes_per_hour;
        must(
            changes <= 12.0 && self.most_changes_in_an_hour <= 12,
            format!(
                "{changes} changes of the point an hour, {} in the worst",
                self.most_changes_in_an_hour
            ),
        );
        must(
            self.starved.is_empty(),
            format!("starved: {}", self.starved.join(", ")),
        );
        let worst = (ledger.blind().enumerate())
            .filter(|(_, (_, possible, _, floor, _))| *possible > floor * FLOOR.0 + FLOOR.1)
            .max_by(|(_, a), (_, b)| (a.1 / a.3).total_cmp(&(b.1 / b.3)));
        if let Some((i, (_, possible, at, floor, _))) = worst {
            must(
                false,
                format!(
                    "{} blind for {possible:.0} s until {at:.0} s while looks were possible; its \
                     floor is {floor:.0} s",
                    name(i)
                ),
            );
        }
        self.joules(scenario, &mut must);
        let (fixed, on_off) = (&self.baselines.fixed, &self.baselines.on_off);
        let wanted = self.wanted_checks_per_hour;
        must(
            own.checks_per_hour >= (2.0 * fixed.checks_per_hour).min(ALL * wanted),
            format!(
                "{:.1} checks an hour; a fixed interval gets {:.1}, {wanted:.1} are wanted",
                own.checks_per_hour, fixed.checks_per_hour
            ),
        );
        // Who draws more than is granted lives on the supply's patience, and who
        // keeps no room for the lamp is lucky while it is day.
        let clean = on_off.pse_cuts <= self.pse_cuts_without_inference
            && on_off.critical_seconds <= own.critical_seconds
            && on_off.over_seconds <= own.over_seconds
            && on_off.unreserved_starts <= own.unreserved_starts
            && on_off.unsafe_starts == 0;
        must(
            !clean || own.checks_per_hour >= (NO_FEWER * on_off.checks_per_hour).min(ALL * wanted),
            format!(
                "{:.1} checks an hour; on/off throttling gets {:.1} and breaks nothing",
                own.checks_per_hour, on_off.checks_per_hour
            ),
        );
        found
    }

    /// Joules must be right as far as the sensor is.
    fn joules(&self, scenario: &Scenario, must: &mut impl FnMut(bool, String)) {
        let (Some(error), Some(sensor)) = (&self.joule_error, scenario.power_sensor) else {
            return;
        };
        // A sensor that reads all watts too high or too low is believed.
        let most = sensor.bias.abs()
            + match sensor.noise {
                n if n <= 0.01 => 0.05,
                n if n <= 0.05 => 0.10,
                _ => return,
            };
        must(
            error.p95 <= most,
            format!(
                "joules are {:.1} % off (19 of 20 windows), {:.0} % are allowed",
                error.p95 * 100.0,
                most * 100.0
            ),
        );
        let worst = error.after_steps.iter().copied().fold(0.0, f64::max);
        must(
            worst <= most,
            format!(
                "joules are {:.1} % off 5 to 10 min after costs jumped",
                worst * 100.0
            ),
        );
    }
}

impl fmt::Display for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = match self.budget_used {
            Some(share) => format!("{:.1} %", share * 100.0),
            None => "nothing waited".into(),
        };
        write!(
            f,
            "{:>9.1} checks/h  {} right  {:>6.2} W  {:>4} cuts  {:>6.0} s over  {:>6.0} s critical  {:>4} unsafe  {:>6} unreserved  {:>5.1} °C  {used}",
            self.checks_per_hour,
            self.accuracy.map_or("   -".into(), |a| format!("{a:.2}")),
            self.inference_watts,
            self.pse_cuts,
            self.over_seconds,
            self.critical_seconds,
            self.unsafe_starts,
            self.unreserved_starts,
            self.hottest_celsius,
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.scenario, self.title)?;
        writeln!(
            f,
            "{} days; {:.1} checks/h wanted; without inference {} cuts",
            self.days, self.wanted_checks_per_hour, self.pse_cuts_without_inference
        )?;
        writeln!(f, "  governor {}", self.governor)?;
        writeln!(f, "  fixed    {}", self.baselines.fixed)?;
        writeln!(f, "  on/off   {}", self.baselines.on_off)?;
        writeln!(
            f,
            "  operating point: {:.2} changes/h when nothing else changes, {} in the worst hour",
            self.governor.operating_point_changes_per_hour, self.most_changes_in_an_hour
        )?;
        for (point, share) in &self.governor.points {
            writeln!(f, "    {:>5.1} % of looks at {point}", share * 100.0)?;
        }
        let most = |map: &BTreeMap<String, f64>| map.values().copied().fold(0.0, f64::max);
        writeln!(
            f,
            "  blind: {:.0} s at most, {:.0} s while looks were possible",
            most(&self.governor.max_blind_seconds),
            most(&self.max_blind_seconds_while_possible)
        )?;
        match &self.joule_error {
            Some(e) => {
                write!(
                    f,
                    "  joules: {:.1} % off in the middle, {:.1} % in 19 of 20 windows",
                    e.median * 100.0,
                    e.p95 * 100.0
                )?;
                for after in &e.after_steps {
                    write!(f, ", {:.1} % after a jump of costs", after * 100.0)?;
                }
                writeln!(f)?;
            }
            None => writeln!(f, "  joules: modelled")?,
        }
        writeln!(f, "  a day took {:.2} s", self.seconds_per_day)?;
        match self.violations.is_empty() {
            true => write!(f, "  all marks are met"),
            false => write!(f, "  NOT MET: {}", self.violations.join("\n  NOT MET: ")),
        }
    }
}
