//! Scenarios made up from a seed: sane boards with insane surroundings.

use scene::OperatingPoint;

use super::chance::Chance;
use super::scenario::{
    Air, CostStep, Drift, Encoder, Fault, Grant, Heater, How, Infrared, Poe, Point, RULES, Rules,
    Scenario, Sensor, ThermalNetwork, Told, Truth, Which,
};

/// A scenario that anybody with the same `seed` gets. The board without
/// inference fits what it is granted at all times, and stays cool.
pub fn scenario(seed: u64) -> Scenario {
    let mut c = Chance::new(seed, "scenario");
    let (watts, low, high) = *pick(
        &mut c,
        &[
            (12.95, 3.5, 6.5),
            (12.95, 3.5, 6.5),
            (25.5, 5.0, 9.0),
            (25.5, 5.0, 9.0),
            (51.0, 6.0, 12.0),
        ],
    );
    let base = c.between(low, high);
    let mean = c.between(-10.0, 38.0);
    let swing = c.between(3.0, 12.0f64.min(52.0 - mean).min(mean + 18.0));
    let air = Air {
        mean_celsius: mean,
        swing_k: swing,
        days_k: c.between(0.0, 3.0),
    };
    let boot_watts = c.between(0.0, 1.5);
    let encoder = c.often(0.7).then(|| Encoder {
        low_watts: 0.3,
        high_watts: c.between(0.4, 1.5),
        per_hour: c.between(2.0, 40.0),
        seconds: c.between(5.0, 300.0),
    });
    let steps = encoder.map_or(0.0, |e| e.high_watts);
    let mut drops = watts > 13.0 && c.often(0.4);
    // What may still switch on, under the lowest grant.
    let left = |drops: bool| {
        let least = if drops { 12.95 } else { watts };
        least * 0.95 - base * 1.1 - steps - boot_watts
    };
    drops &= left(drops) > 1.0;
    let mut room = left(drops);
    let lamp = c.between(2.0, 6.0);
    let infrared = (c.often(0.6) && room > 2.0).then(|| Infrared {
        watts: lamp.min(room),
        dusk_hour: c.between(16.0, 21.0),
        dawn_hour: c.between(5.0, 8.0),
    });
    room -= infrared.map_or(0.0, |l| l.watts);
    let heats = c.between(1.0, 8.0);
    let heater = (mean - swing < 8.0 && room > 1.0).then(|| Heater {
        watts: heats.min(room),
        on_celsius: 5.0,
        off_celsius: 12.0,
    });
    let truth = truth(&mut c, base, boot_watts, &air);
    let told = told(&mut c, &truth, &air, infrared, heater, steps);
    let points = points(&mut c, told.watts_per_core);
    let grants = match drops {
        true => {
            let at_hours = c.between(2.0, 60.0);
            let long = c.between(0.5, 30.0);
            vec![
                Grant {
                    at_hours,
                    watts: 12.95,
                },
                Grant {
                    at_hours: at_hours + long,
                    watts,
                },
            ]
        }
        false => Vec::new(),
    };
    Scenario {
        title: format!("made up from seed {seed}"),
        seed,
        starts_at_hour: c.between(0.0, 24.0),
        poe: Poe {
            watts,
            until_told_watts: 12.95,
            told_after_seconds: c.between(1.0, 60.0),
            delay_seconds: c.between(0.0, 1.0),
            grants,
        },
        board: told,
        truth,
        air,
        infrared,
        heater,
        encoder,
        power_sensor: c.often(0.85).then(|| power_sensor(&mut c)),
        temperature_sensor: c.often(0.9).then(|| Sensor {
            noise: c.between(0.0, 0.5),
            bias: c.between(-2.0, 2.0),
            quantum: *pick(&mut c, &[0.001, 0.5, 1.0]),
            latency_seconds: c.between(0.0, 2.0),
            averages: false,
        }),
        faults: faults(&mut c),
        drift: Drift {
            temperature: c.between(0.0, 0.2),
            content: c.between(0.0, 0.2),
            each: c.between(0.0, 0.05),
        },
        cost_steps: match c.often(0.2) {
            true => vec![CostStep {
                at_hours: c.between(3.0, 100.0),
                factor: if c.often(0.5) { 1.1 } else { 0.9 },
            }],
            false => Vec::new(),
        },
        points,
        rules: rules(&mut c),
    }
}

fn pick<'t, T>(c: &mut Chance, of: &'t [T]) -> &'t T {
    &of[c.below(of.len())]
}

fn truth(c: &mut Chance, base: f64, boot_watts: f64, air: &Air) -> Truth {
    let base_in_die = c.between(0.2, 0.5);
    let die_k_per_w = c.between(2.0, 6.0);
    // A case that keeps the die below 75 °C without inference.
    let hottest = air.mean_celsius + air.swing_k + air.days_k;
    let most = (75.0 - hottest - die_k_per_w * base * base_in_die) / (base * 1.1);
    Truth {
        base_watts: base,
        base_wander: c.between(0.0, 0.05),
        base_in_die,
        boot_watts,
        boot_seconds: c.between(10.0, 45.0),
        watts_factor: c.between(0.9, 1.1),
        time_factor: c.between(0.85, 1.2),
        thermal: ThermalNetwork {
            case_minutes: c.between(5.0, 40.0),
            case_k_per_w: c.between(1.5, 4.0).min(most.max(0.3)),
            die_seconds: c.between(5.0, 60.0),
            die_k_per_w,
        },
    }
}

fn told(
    c: &mut Chance,
    truth: &Truth,
    air: &Air,
    infrared: Option<Infrared>,
    heater: Option<Heater>,
    steps: f64,
) -> Told {
    let mut off = |value: f64, low: f64, high: f64| value * c.between(low, high);
    let n = truth.thermal;
    let thermal = ThermalNetwork {
        case_minutes: off(n.case_minutes, 0.7, 1.3),
        case_k_per_w: off(n.case_k_per_w, 0.7, 1.3),
        die_seconds: off(n.die_seconds, 0.7, 1.3),
        die_k_per_w: off(n.die_k_per_w, 0.7, 1.3),
    };
    Told {
        idle_watts: off(truth.base_watts, 0.95, 1.08),
        watts_per_core: c.between(1.0, 2.0),
        tolerance: 0.10,
        infrared_watts: infrared.map_or(0.0, |l| l.watts),
        heater_watts: heater.map_or(0.0, |h| h.watts),
        encoder_watts: steps,
        thermal,
        critical_celsius: 95.0,
        ambient_most_celsius: Some((air.mean_celsius + air.swing_k + air.days_k).ceil()),
    }
}

fn power_sensor(c: &mut Chance) -> Sensor {
    Sensor {
        noise: match c.below(3) {
            0 => c.between(0.0, 0.01),
            1 => c.between(0.01, 0.05),
            _ => c.between(0.05, 0.10),
        },
        bias: match c.often(0.5) {
            true => c.between(-0.1, 0.1),
            false => 0.0,
        },
        quantum: *pick(c, &[0.001, 0.025, 0.1]),
        latency_seconds: match c.often(0.5) {
            true => c.between(0.0, 2.0),
            false => 0.0,
        },
        averages: c.often(0.6),
    }
}

/// Capped, a processor draws about this share, for so many times as long.
const CAPPED: (f64, f64) = (0.55, 1.5);

fn points(c: &mut Chance, per_core: f64) -> Vec<Point> {
    let ms = c.between(600.0, 5_000.0);
    let each = c.between(0.02, 0.15);
    let caps = c.often(0.5);
    let threads: &[u32] = match c.below(3) {
        0 => &[2],
        1 => &[2, 1],
        _ => &[4, 2, 1],
    };
    let resolutions: &[u32] = match c.below(3) {
        0 => &[512],
        1 => &[512, 256],
        _ => &[512, 384, 256],
    };
    let mut all = Vec::new();
    for &resolution in resolutions {
        let pixels = f64::from(resolution * resolution) / (512.0 * 512.0);
        for &threads in threads {
            for cap in [None, Some(1_200)] {
                if cap.is_some() && !caps {
                    continue;
                }
                let (watts, time) = if cap.is_some() { CAPPED } else { (1.0, 1.0) };
                // Amdahl's law with a tenth that does not run in parallel.
                let n = f64::from(threads);
                let slower = time * (0.1 + 0.9 / n);
                all.push(Point {
                    point: OperatingPoint {
                        variant: "q4".into(),
                        resolution,
                        tiles: 1,
                        threads,
                        cap_mhz: cap,
                    },
                    accuracy: 0.7 + 0.2 * pixels,
                    step_watts: n * per_core * watts,
                    look_ms: ms * pixels * slower,
                    question_ms: ms * each * slower,
                });
            }
        }
    }
    all
}

fn rules(c: &mut Chance) -> Vec<Rules> {
    let mut left = match c.below(4) {
        0 => 1,
        1 => 1 + c.below(4),
        2 => 1 + c.below(12),
        _ => 1 + c.below(RULES),
    } as u32;
    let mut all = Vec::new();
    while left > 0 {
        let count = 1 + c.below(left as usize) as u32;
        let holds = c.often(0.4);
        all.push(Rules {
            count,
            every_seconds: *pick(c, &[0.5, 1.0, 2.0, 5.0, 5.0, 10.0, 30.0, 60.0]),
            priority: 1 + c.below(5) as u8,
            questions: c.below(3) as u32,
            hold_every_seconds: holds.then(|| c.between(2.0, 40.0)),
            holds_per_day: c.between(1.0, 24.0),
            hold_minutes: c.between(1.0, 30.0),
        });
        left -= count;
    }
    all
}

fn faults(c: &mut Chance) -> Vec<Fault> {
    if c.often(0.6) {
        return Vec::new();
    }
    (0..=c.below(3))
        .map(|_| Fault {
            sensor: *pick(c, &[Which::Power, Which::Power, Which::Temperature]),
            how: *pick(c, &[How::Stuck, How::Missing, How::Absurd]),
            at_hours: c.between(1.0, 150.0),
            hours: c.between(0.05, 12.0),
            daily: c.often(0.3),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_valid_and_repeat() {
        for seed in 0..500 {
            let made = scenario(seed);
            made.check(&format!("seed {seed}")).unwrap();
            assert_eq!(made, scenario(seed));
            let text = toml::to_string(&made).unwrap();
            assert_eq!(Scenario::parse("again", &text).unwrap(), made);
        }
    }

    #[test]
    fn the_board_fits_what_it_is_granted() {
        for seed in 0..500 {
            let s = scenario(seed);
            let least = (s.poe.grants.iter().map(|g| g.watts)).fold(s.poe.watts, f64::min);
            let rest = s.truth.base_watts * (1.0 + s.truth.base_wander)
                + s.infrared.map_or(0.0, |l| l.watts)
                + s.heater.map_or(0.0, |h| h.watts)
                + s.encoder.map_or(0.0, |e| e.high_watts)
                + s.truth.boot_watts;
            assert!(rest <= least, "seed {seed}: {rest:.2} W of {least} W");
        }
    }
}
