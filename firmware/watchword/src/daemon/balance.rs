//! What the governor begins with: the board's constants, and what each of the
//! model's operating points is told to cost before it has run here.

use std::path::Path;
use std::time::Duration;

use governor::{Config, Thermal, Told};
use platform::BoardSpec;
use scene::{OperatingPoint, Watts};

use crate::calibrate;

/// What a look takes at the model's first point until one has been made: a
/// small model on two cores of a camera.
const LOOK: Duration = Duration::from_millis(330);
const QUESTION: Duration = Duration::from_millis(5);

/// The part of a look that does not depend on how many numbers the picture
/// has: resizing it, and what comes after the vision graph
/// (docs/decisions/0025-operating-points.md).
const FIXED: f64 = 0.4;

/// How much of an additional core a look makes use of (graphs are not all
/// parallel): two cores are 1.3 times as fast with scout and 1.9 times with
/// the vision graph of SmolVLM.
const SPEED_UP: f64 = 0.5;

/// A slower clock needs less voltage too, so power falls faster than speed:
/// P ~ f^2, between f at constant voltage and f^3 of CMOS theory.
const POWER_OF_CLOCK: i32 = 2;

/// A point of the model and how right it is there, 0..1.
pub type Worth = (OperatingPoint, f64);

/// A cap on the frequency that the board offers, and the most that it runs at
/// without one, MHz.
#[derive(Clone, Debug, Default)]
pub struct Caps {
    /// Those worth a try.
    pub mhz: Vec<u32>,
    /// Without a cap.
    pub most_mhz: u32,
}

/// What `watchword calibrate` measured of the `offered` points of `model` on
/// `board`, by the table at `path`. Nothing, said in the log, if there is no
/// table or it is of something else.
pub fn calibrated(path: &Path, board: &str, model: &str, offered: &[OperatingPoint]) -> Vec<Told> {
    if !path.exists() {
        tracing::info!(
            "what looks cost is told by the board's constants until they are made; \
             `watchword calibrate` measures it"
        );
        return Vec::new();
    }
    let table = match calibrate::read(path) {
        Ok(table) => table,
        Err(error) => {
            tracing::warn!("what looks cost is told by the board's constants: {error}");
            return Vec::new();
        }
    };
    if table.board.as_str() != board || packages(&table.model) != packages(model) {
        tracing::warn!(
            "{} is of {} on {} and this is {model} on {board}; what looks cost is told by the board's \
             constants until `watchword calibrate` has run here",
            path.display(),
            table.model,
            table.board,
        );
        return Vec::new();
    }
    let told = table.told(offered);
    tracing::info!(
        points = told.len(),
        "what looks cost was measured on this board"
    );
    told
}

/// `id/version` of each package of a model's name, without what it runs at.
fn packages(name: &str) -> Vec<String> {
    let package = |name: &str| name.split('/').take(2).collect::<Vec<_>>().join("/");
    name.split(" + ").map(package).collect()
}

/// The governor's configuration for a board and the points of a model.
/// `calibrated` is what was measured of points on this board; the others, and
/// all if there is nothing, are told by constants.
pub fn config(
    spec: &BoardSpec,
    caps: &Caps,
    points: &[Worth],
    calibrated: &[Told],
    deadline: Duration,
) -> Config {
    let told = |point: Told| {
        let measured = calibrated.iter().find(|c| c.point == point.point);
        measured.cloned().unwrap_or(point)
    };
    let mut points: Vec<Told> = modelled(spec, points).into_iter().map(told).collect();
    let capped = capped(&points, caps);
    // Capped points are taken at all only where they were measured, or where
    // there is no table: a table that lacks them says that they are no use.
    let capped = capped.into_iter().filter_map(|point| {
        let measured = calibrated.iter().find(|c| c.point == point.point);
        match calibrated {
            [] => Some(point),
            _ => measured.cloned(),
        }
    });
    points.extend(capped);
    let thermal = &spec.thermal;
    Config {
        points,
        idle: Watts(spec.power.idle_watts),
        switched: Watts(spec.power.switched.values().sum()),
        tolerance: spec.power.tolerance,
        deadline,
        thermal: Thermal {
            derate: thermal.derate(),
            critical: thermal.critical(),
            case_kelvin_per_watt: thermal.kelvin_per_watt,
            case: thermal.case(),
            die_kelvin_per_watt: thermal.die_kelvin_per_watt,
            die: thermal.die(),
            ambient_most: Some(scene::Celsius(thermal.ambient_most_celsius)),
        },
        ..Config::default()
    }
}

/// What each point is told to cost: the first as a small model does, the
/// others by how many numbers of the picture they see, on how many cores.
fn modelled(spec: &BoardSpec, points: &[Worth]) -> Vec<Told> {
    let numbers = |p: &OperatingPoint| f64::from(p.resolution).powi(2) * f64::from(p.tiles);
    let speed = |p: &OperatingPoint| 1.0 + SPEED_UP * (f64::from(p.threads.max(1)) - 1.0);
    let Some((first, _)) = points.first() else {
        return vec![Told {
            step: spec.step(),
            ..Told::default()
        }];
    };
    let told = |(point, accuracy): &Worth| {
        let slower = speed(first) / speed(point);
        let seen = FIXED + (1.0 - FIXED) * numbers(point) / numbers(first);
        let cores = point.threads.min(spec.compute.cores);
        Told {
            point: point.clone(),
            accuracy: *accuracy,
            step: Watts(f64::from(cores) * spec.power.watts_per_core),
            look: LOOK.mul_f64(seen * slower),
            question: QUESTION.mul_f64(slower),
        }
    };
    points.iter().map(told).collect()
}

/// The points on the fewest cores once more at each cap: they are for when
/// hardly any watts are left.
fn capped(points: &[Told], caps: &Caps) -> Vec<Told> {
    let fewest = points.iter().map(|told| told.point.threads).min();
    let few = points
        .iter()
        .filter(|told| Some(told.point.threads) == fewest);
    let each = few.flat_map(|told| caps.mhz.iter().map(move |mhz| (told, *mhz)));
    each.filter(|(_, mhz)| (1..caps.most_mhz).contains(mhz))
        .map(|(told, mhz)| {
            let clock = f64::from(mhz) / f64::from(caps.most_mhz);
            Told {
                point: OperatingPoint {
                    cap_mhz: Some(mhz),
                    ..told.point.clone()
                },
                step: Watts(told.step.0 * clock.powi(POWER_OF_CLOCK)),
                look: told.look.div_f64(clock),
                question: told.question.div_f64(clock),
                ..told.clone()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> BoardSpec {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../board/generic");
        BoardSpec::load(folder.as_ref()).unwrap()
    }

    fn points() -> Vec<Worth> {
        let point = |text: &str, accuracy| (text.parse().unwrap(), accuracy);
        vec![
            point("f32/256px/1t/2c", 0.9),
            point("f32/128px/1t/2c", 0.8),
            point("f32/256px/1t/1c", 0.9),
        ]
    }

    #[test]
    fn what_sees_less_or_runs_on_fewer_cores_is_told_so() {
        let deadline = Duration::from_secs(10);
        let config = config(&spec(), &Caps::default(), &points(), &[], deadline);
        let [full, small, single] = &config.points[..] else {
            panic!("{:?}", config.points)
        };
        assert_eq!(full.look, LOOK);
        assert!(small.look < full.look && small.step == full.step);
        assert!(single.look > full.look);
        assert!((single.step.0 * 2.0 - full.step.0).abs() < 1e-9);
        assert!(single.step.0 * single.look.as_secs_f64() < full.step.0 * full.look.as_secs_f64());
        assert_eq!(config.idle, Watts(4.0));
    }

    #[test]
    fn what_was_measured_counts() {
        let measured = Told {
            point: points()[1].0.clone(),
            accuracy: 0.77,
            step: Watts(1.9),
            look: Duration::from_millis(41),
            question: Duration::from_millis(7),
        };
        let table = std::slice::from_ref(&measured);
        let caps = Caps {
            mhz: vec![600, 1_200],
            most_mhz: 1_800,
        };
        let deadline = Duration::from_secs(10);
        let found = config(&spec(), &caps, &points(), table, deadline).points;
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(found[1], measured);
        let found = config(&spec(), &caps, &points(), &[], deadline).points;
        assert_eq!(found.len(), 5, "caps are tried where nothing was measured");
        assert!(found[3].step < found[4].step && found[3].look > found[4].look);
    }

    #[test]
    fn a_table_of_another_model_or_board_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(calibrate::FILE_NAME);
        let offered: Vec<_> = points().into_iter().map(|(point, _)| point).collect();
        let told = |board: &str, model: &str| calibrated(&path, board, model, &offered).len();
        assert_eq!(told("generic", "scout/0.2.1"), 0, "there is none");
        std::fs::write(&path, "version = 99").unwrap();
        assert_eq!(told("generic", "scout/0.2.1"), 0, "it can't be read");
        let table = calibrate::Calibration {
            version: calibrate::VERSION,
            board: scene::Id::new("generic").unwrap(),
            model: "scout/0.2.1/f32/128px/1t/1c".into(),
            package: "0".repeat(64),
            machine: "a test".into(),
            when: jiff::Timestamp::UNIX_EPOCH,
            source: scene::Source::Modelled,
            rounds: 1,
            finished: true,
            points: modelled(&spec(), &points()),
            measured: Vec::new(),
            skipped: Vec::new(),
        };
        table.write(&path).unwrap();
        assert_eq!(told("generic", "scout/0.2.1"), 3);
        assert_eq!(told("generic", "scout/0.3.0"), 0);
        assert_eq!(told("generic", "scout/0.2.1 + yolox-nano/0.1.1"), 0);
        assert_eq!(told("rpi5-poe", "scout/0.2.1"), 0);
    }

    #[test]
    fn a_model_without_points_runs_at_one() {
        let config = config(&spec(), &Caps::default(), &[], &[], Duration::from_secs(10));
        assert_eq!(config.points.len(), 1);
        assert_eq!(config.points[0].step, spec().step());
    }
}
