//! Whether the numbers of a scenario are in range.

use std::ops::RangeInclusive;

use super::scenario::{RULES, Scenario, ScenarioError, ThermalNetwork};

/// Checks ranges, naming keys.
struct Check<'a> {
    name: &'a str,
}

impl Check<'_> {
    fn bad(&self, key: &str, value: impl ToString, remedy: impl Into<String>) -> ScenarioError {
        ScenarioError::Range {
            name: self.name.into(),
            key: key.into(),
            value: value.to_string(),
            remedy: remedy.into(),
        }
    }

    fn number(
        &self,
        key: &str,
        value: f64,
        range: RangeInclusive<f64>,
    ) -> Result<(), ScenarioError> {
        match range.contains(&value) {
            true => Ok(()),
            false => {
                let (low, high) = range.into_inner();
                Err(self.bad(key, value, format!("it may be {low} to {high}")))
            }
        }
    }

    fn numbers(&self, all: &[(&str, f64, RangeInclusive<f64>)]) -> Result<(), ScenarioError> {
        (all.iter()).try_for_each(|(key, value, range)| self.number(key, *value, range.clone()))
    }

    fn network(&self, key: &str, n: &ThermalNetwork) -> Result<(), ScenarioError> {
        self.numbers(&[
            (&format!("{key}.case_minutes"), n.case_minutes, 1.0..=120.0),
            (&format!("{key}.case_k_per_w"), n.case_k_per_w, 0.1..=20.0),
            (&format!("{key}.die_seconds"), n.die_seconds, 1.0..=300.0),
            (&format!("{key}.die_k_per_w"), n.die_k_per_w, 0.1..=30.0),
        ])
    }
}

impl Scenario {
    /// Whether everything is in range.
    pub fn check(&self, name: &str) -> Result<(), ScenarioError> {
        let check = Check { name };
        let always = 0.0..=24.0 * 366.0;
        let (poe, board, truth) = (&self.poe, &self.board, &self.truth);
        check.numbers(&[
            ("starts_at_hour", self.starts_at_hour, 0.0..=24.0),
            ("poe.watts", poe.watts, 1.0..=100.0),
            ("poe.until_told_watts", poe.until_told_watts, 1.0..=100.0),
            (
                "poe.told_after_seconds",
                poe.told_after_seconds,
                0.0..=3_600.0,
            ),
            ("poe.delay_seconds", poe.delay_seconds, 0.0..=10.0),
            ("board.idle_watts", board.idle_watts, 0.1..=90.0),
            ("board.watts_per_core", board.watts_per_core, 0.05..=20.0),
            ("board.tolerance", board.tolerance, 0.0..=0.5),
            ("board.infrared_watts", board.infrared_watts, 0.0..=30.0),
            ("board.heater_watts", board.heater_watts, 0.0..=30.0),
            ("board.encoder_watts", board.encoder_watts, 0.0..=10.0),
            (
                "board.critical_celsius",
                board.critical_celsius,
                40.0..=125.0,
            ),
            (
                "board.ambient_most_celsius",
                board.ambient_most_celsius.unwrap_or(40.0),
                -20.0..=80.0,
            ),
            ("truth.base_watts", truth.base_watts, 0.1..=90.0),
            ("truth.base_wander", truth.base_wander, 0.0..=0.3),
            ("truth.base_in_die", truth.base_in_die, 0.0..=1.0),
            ("truth.boot_watts", truth.boot_watts, 0.0..=20.0),
            ("truth.boot_seconds", truth.boot_seconds, 0.0..=600.0),
            ("truth.watts_factor", truth.watts_factor, 0.5..=2.0),
            ("truth.time_factor", truth.time_factor, 0.5..=2.0),
            ("air.mean_celsius", self.air.mean_celsius, -40.0..=60.0),
            ("air.swing_k", self.air.swing_k, 0.0..=40.0),
            ("air.days_k", self.air.days_k, 0.0..=20.0),
            ("drift.temperature", self.drift.temperature, 0.0..=0.5),
            ("drift.content", self.drift.content, 0.0..=0.5),
            ("drift.each", self.drift.each, 0.0..=0.3),
        ])?;
        check.network("board.thermal", &board.thermal)?;
        check.network("truth.thermal", &truth.thermal)?;
        for grant in &poe.grants {
            check.numbers(&[
                ("poe.grant.at_hours", grant.at_hours, always.clone()),
                ("poe.grant.watts", grant.watts, 1.0..=100.0),
            ])?;
        }
        if poe
            .grants
            .windows(2)
            .any(|w| w[0].at_hours >= w[1].at_hours)
        {
            let times: Vec<f64> = poe.grants.iter().map(|g| g.at_hours).collect();
            return Err(check.bad(
                "poe.grant.at_hours",
                format!("{times:?}"),
                "list grants in the order of time",
            ));
        }
        if let Some(lamp) = &self.infrared {
            check.numbers(&[
                ("infrared.watts", lamp.watts, 0.0..=30.0),
                ("infrared.dusk_hour", lamp.dusk_hour, 12.0..=24.0),
                ("infrared.dawn_hour", lamp.dawn_hour, 0.0..=12.0),
            ])?;
        }
        if let Some(heater) = &self.heater {
            check.numbers(&[
                ("heater.watts", heater.watts, 0.0..=30.0),
                ("heater.on_celsius", heater.on_celsius, -40.0..=40.0),
                (
                    "heater.off_celsius",
                    heater.off_celsius,
                    heater.on_celsius + 1.0..=60.0,
                ),
            ])?;
        }
        if let Some(encoder) = &self.encoder {
            check.numbers(&[
                ("encoder.low_watts", encoder.low_watts, 0.0..=10.0),
                (
                    "encoder.high_watts",
                    encoder.high_watts,
                    encoder.low_watts..=10.0,
                ),
                ("encoder.per_hour", encoder.per_hour, 0.0..=600.0),
                ("encoder.seconds", encoder.seconds, 0.5..=3_600.0),
            ])?;
        }
        for (key, sensor, biases) in [
            ("power_sensor", &self.power_sensor, -0.3..=0.3),
            ("temperature_sensor", &self.temperature_sensor, -10.0..=10.0),
        ] {
            if let Some(s) = sensor {
                check.numbers(&[
                    (
                        &format!("{key}.noise"),
                        s.noise,
                        0.0..=if key == "power_sensor" { 0.3 } else { 5.0 },
                    ),
                    (&format!("{key}.bias"), s.bias, biases),
                    (&format!("{key}.quantum"), s.quantum, 0.0..=5.0),
                    (
                        &format!("{key}.latency_seconds"),
                        s.latency_seconds,
                        0.0..=5.0,
                    ),
                ])?;
            }
        }
        for fault in &self.faults {
            check.numbers(&[
                ("fault.at_hours", fault.at_hours, always.clone()),
                ("fault.hours", fault.hours, 0.001..=24.0 * 366.0),
            ])?;
        }
        for step in &self.cost_steps {
            check.numbers(&[
                ("cost_step.at_hours", step.at_hours, always.clone()),
                ("cost_step.factor", step.factor, 0.5..=2.0),
            ])?;
        }
        self.check_work(&check)
    }

    fn check_work(&self, check: &Check<'_>) -> Result<(), ScenarioError> {
        if self.points.is_empty() || self.points.len() > 64 {
            let n = self.points.len();
            return Err(check.bad(
                "point",
                format!("{n} times"),
                "give 1 to 64 operating points",
            ));
        }
        for (i, p) in self.points.iter().enumerate() {
            if self.points[..i].iter().any(|q| q.point == p.point) {
                return Err(check.bad("point.point", &p.point, "give each point once"));
            }
            check.numbers(&[
                ("point.accuracy", p.accuracy, 0.0..=1.0),
                ("point.step_watts", p.step_watts, 0.05..=60.0),
                ("point.look_ms", p.look_ms, 5.0..=60_000.0),
                ("point.question_ms", p.question_ms, 0.0..=10_000.0),
            ])?;
        }
        let rules: usize = self.rules.iter().map(|r| r.count as usize).sum();
        if !(1..=RULES).contains(&rules) {
            return Err(check.bad(
                "rule.count",
                format!("{rules} in all"),
                format!("give 1 to {RULES} rules in all"),
            ));
        }
        for rule in &self.rules {
            check.numbers(&[
                ("rule.every_seconds", rule.every_seconds, 0.1..=86_400.0),
                ("rule.questions", f64::from(rule.questions), 0.0..=8.0),
                (
                    "rule.hold_every_seconds",
                    rule.hold_every_seconds.unwrap_or(1.0),
                    0.1..=3_600.0,
                ),
                ("rule.holds_per_day", rule.holds_per_day, 0.0..=96.0),
                ("rule.hold_minutes", rule.hold_minutes, 0.1..=600.0),
            ])?;
        }
        Ok(())
    }
}
