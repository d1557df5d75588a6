//! Runs at another operating point.
//!
//! Another size or number of tiles takes effect at the next look; what is
//! loaded stays. Another number of threads loads the vision graph anew, another
//! variant all of its graphs: the new one before the old one is dropped, where
//! there is memory for both.

use std::time::Duration;

use scene::ports::Knowledge;
use scene::{OperatingPoint, Quantity};

use super::{Eyes, Language};
use crate::Options;
use crate::brake::Halt;
use crate::cost::Meter;
use crate::detect::Detector;
use crate::package::{Package, Problem};
use crate::runtime::Runtime;

/// A size that is tried for the first time gets this long for one grey tile; the
/// slowest model on the slowest board takes a quarter of it.
const TRIAL: Duration = Duration::from_secs(60);

/// Memory that a graph takes while it is loaded, in sizes of its file: weights
/// of 16 bits become 32, and the file is held beside them.
const FILES_HELD: u64 = 3;

/// What can be run at, what is, and what it takes to change that.
#[derive(Debug)]
pub(super) struct Points {
    runtime: Runtime,
    options: Options,
    /// The VLM as it was opened; `None` without one.
    language: Option<Package>,
    detector: Option<Package>,
    offered: Vec<OperatingPoint>,
    /// `None` if nothing is loaded, and then nothing is offered.
    now: Option<OperatingPoint>,
    /// Whether so many bytes of memory are free.
    room: fn(u64) -> bool,
}

impl Points {
    /// `detector` comes with the longer side of its pictures, pixels.
    pub fn new(
        runtime: &Runtime,
        options: &Options,
        language: Option<&Language>,
        detector: Option<(&Package, u32)>,
    ) -> Self {
        let threads = u32::try_from(options.threads.max(1)).unwrap_or(u32::MAX);
        let offered = match (language, detector) {
            (Some(language), _) => {
                let free = language.engine.takes_any_size();
                language.package().points(free, threads)
            }
            (None, Some((package, side))) => {
                let point = |threads| OperatingPoint {
                    variant: package.variant.clone(),
                    resolution: side,
                    tiles: 1,
                    threads,
                    cap_mhz: None,
                };
                let fewer = (threads > 1).then_some(1);
                std::iter::once(threads).chain(fewer).map(point).collect()
            }
            (None, None) => Vec::new(),
        };
        Self {
            runtime: runtime.clone(),
            options: options.clone(),
            language: language.map(|language| language.package().clone()),
            detector: detector.map(|(package, _)| package.clone()),
            now: offered.first().cloned(),
            offered,
            room,
        }
    }

    /// All, the one that is run at first.
    pub fn all(&self) -> Vec<OperatingPoint> {
        let others = self
            .offered
            .iter()
            .filter(|p| Some(*p) != self.now.as_ref());
        self.now.iter().chain(others).cloned().collect()
    }

    /// A size that a variant turned out not to take is offered no more.
    fn forget(&mut self, point: &OperatingPoint) {
        self.offered
            .retain(|p| p.variant != point.variant || p.resolution != point.resolution);
    }

    fn detector_again(&self, threads: usize) -> Result<Option<Detector>, String> {
        let package = self.detector.as_ref();
        let loaded = package.map(|package| Detector::load(&self.runtime, package, threads));
        loaded.transpose().map_err(|problems| listed(&problems))
    }

    fn has(&self) -> String {
        let all: Vec<_> = self.offered.iter().map(ToString::to_string).collect();
        all.join(", ")
    }
}

/// Whether `bytes` of memory are free, as far as the kernel tells: what it can
/// give to a program without swapping.
fn room(bytes: u64) -> bool {
    let Ok(text) = std::fs::read_to_string("/proc/meminfo") else {
        return true;
    };
    let line = text.lines().find_map(|l| l.strip_prefix("MemAvailable:"));
    let kilobytes = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.is_none_or(|kilobytes| kilobytes.saturating_mul(1024) > bytes)
}

fn listed(problems: &[Problem]) -> String {
    let lines: Vec<_> = problems.iter().map(Problem::to_string).collect();
    lines.join("; ")
}

impl Eyes {
    /// The share of questions that are answered rightly at `point`, as a mean
    /// balanced accuracy, 0..1; 0.5 is chance. Measured if the package's
    /// `model.toml` tells it. Modelled otherwise: 1 at the package's own size,
    /// which tells points of one package apart and says nothing of how good it
    /// is, and less below it.
    pub fn accuracy(&self, point: &OperatingPoint) -> Quantity<f64> {
        match &self.points.language {
            Some(package) => package.accuracy(point),
            None => Quantity::modelled(1.0),
        }
    }

    /// Runs at `point`; a frequency cap in it is the board's affair. An error
    /// says what is in the way, and leaves all as it was, but for one case that
    /// it names: where memory held only one of the two, and the old one does
    /// not load any more either, nothing answers until another point is set.
    pub(super) fn change_to(&mut self, point: &OperatingPoint) -> Result<(), String> {
        let wanted = OperatingPoint {
            cap_mhz: None,
            ..point.clone()
        };
        let Some(now) = self.points.now.clone() else {
            return Err(format!("nothing is loaded that could run at {wanted}"));
        };
        let whole = self.language.is_some() || self.points.language.is_none();
        if whole && wanted == now {
            return Ok(());
        }
        if !self.points.offered.contains(&wanted) {
            let name = self.mind.name();
            let has = self.points.has();
            return Err(format!(
                "{name} has no operating point {wanted}; it has {has}"
            ));
        }
        let threads = threads_of(&wanted);
        let detector = match wanted.threads == now.threads {
            true => None,
            false => self.points.detector_again(threads)?,
        };
        if self.points.language.is_some() {
            self.change_language(&now, &wanted)?;
        }
        if detector.is_some() {
            self.detector = detector;
        }
        self.meter = Meter::new(self.points.options.watts_per_core, threads);
        self.points.now = Some(wanted);
        Ok(())
    }

    fn change_language(
        &mut self,
        now: &OperatingPoint,
        wanted: &OperatingPoint,
    ) -> Result<(), String> {
        let threads = threads_of(wanted);
        let stop = self.brake.look(TRIAL);
        if now.variant == wanted.variant
            && let Some(language) = &mut self.language
        {
            let again = now.threads != wanted.threads;
            if !again || (self.points.room)(FILES_HELD * language.package().graph_bytes()) {
                let graph = match again {
                    true => Some(language.vision_again(&self.points.runtime, threads)),
                    false => None,
                };
                let graph = graph.transpose().map_err(|problem| problem.to_string())?;
                if let Err(halt) = language.cut_as(wanted, &stop) {
                    return Err(self.refused(wanted, halt));
                }
                if let (Some(graph), Some(language)) = (graph, &mut self.language) {
                    language.engine.exchange_vision(graph);
                }
                return Ok(());
            }
        }
        drop(stop);
        let package = self.package_of(wanted)?;
        let held = FILES_HELD * package.graph_bytes();
        if (self.points.room)(held) || self.language.is_none() {
            let loaded = self.load(package, wanted)?;
            self.take_in(loaded);
            return Ok(());
        }
        tracing::info!(%wanted, "memory does not hold two variants; the old one is dropped first");
        self.language = None;
        let why = match self.load(package, wanted) {
            Ok(loaded) => {
                self.take_in(loaded);
                return Ok(());
            }
            Err(why) => why,
        };
        let before = self.package_of(now).and_then(|old| self.load(old, now));
        match before {
            Ok(loaded) => {
                self.take_in(loaded);
                Err(why)
            }
            Err(worse) => Err(format!(
                "{why}; and {now}, which was dropped to make room, does not load any more ({worse}): \
                 nothing answers until a point can be set"
            )),
        }
    }

    fn package_of(&self, point: &OperatingPoint) -> Result<Package, String> {
        let folder = self.points.language.as_ref().map(Package::folder);
        let folder = folder.unwrap_or_else(|| std::path::Path::new(""));
        Package::read(folder, Some(&point.variant)).map_err(|problems| listed(&problems))
    }

    fn load(&mut self, package: Package, at: &OperatingPoint) -> Result<Language, String> {
        let known = self.mind.prompter();
        let runtime = &self.points.runtime;
        let mut loaded = Language::load(runtime, package, threads_of(at), known)
            .map_err(|problems| listed(&problems))?;
        let stop = self.brake.look(TRIAL);
        match loaded.cut_as(at, &stop) {
            Ok(()) => Ok(loaded),
            Err(halt) => Err(self.refused(at, halt)),
        }
    }

    fn take_in(&mut self, loaded: Language) {
        self.mind.rename_language(loaded.package().name());
        self.language = Some(loaded);
    }

    fn refused(&mut self, point: &OperatingPoint, halt: Halt) -> String {
        if matches!(halt, Halt::Failed(_)) {
            self.points.forget(point);
        }
        Problem::from(halt).to_string()
    }
}

fn threads_of(point: &OperatingPoint) -> usize {
    usize::try_from(point.threads).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use scene::ports::Model;
    use scene::{Frame, Question, QuestionKind, Value};

    use super::*;

    fn eyes(folder: &Path) -> Eyes {
        let runtime = crate::runtime::load(None).unwrap();
        let options = Options {
            vlm: Some(folder.into()),
            ..Options::default()
        };
        let mut eyes = Eyes::open(&runtime, &options).unwrap();
        eyes.points.room = |_| false;
        eyes
    }

    fn copy() -> tempfile::TempDir {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/variants");
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            std::fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
        }
        dir
    }

    fn answer(eyes: &mut Eyes) -> Value {
        let frame = Frame::still(vec![90; 32 * 32 * 3], 32, 32).unwrap();
        let question = Question {
            ask: "Is there a person?".into(),
            kind: QuestionKind::YesNo,
            crop: None,
            about: None,
        };
        let mut sight = eyes.look(&frame, &[], &[question], false, TRIAL);
        sight.answers.remove(0).value
    }

    #[test]
    fn without_room_for_two_the_old_one_goes_first_and_comes_back() {
        let dir = copy();
        let mut eyes = eyes(dir.path());
        let point = |variant: &str| {
            format!("{variant}/32px/1t/1c")
                .parse::<OperatingPoint>()
                .unwrap()
        };
        let before = answer(&mut eyes);
        assert!(matches!(before, Value::YesNo(_)), "{before:?}");
        eyes.run_at(&point("int8")).unwrap();
        eyes.run_at(&point("all16")).unwrap();
        assert_eq!(answer(&mut eyes), before);

        let damage = |file: &str| {
            let path = dir.path().join(file);
            let good = std::fs::read(&path).unwrap();
            std::fs::write(&path, b"no graph").unwrap();
            (path, good)
        };
        let (int8, int8_was) = damage("decoder_model_merged_int8.onnx");
        let why = eyes.run_at(&point("int8")).unwrap_err();
        assert!(why.contains("decoder_model_merged_int8.onnx"), "{why}");
        assert_eq!(answer(&mut eyes), before, "it came back");

        // Neither loads: that is told, nothing panics, and it is made good as
        // soon as one does.
        let (old, old_was) = damage("decoder_model_merged_all16.onnx");
        let why = eyes.run_at(&point("int8")).unwrap_err();
        assert!(why.contains("nothing answers until"), "{why}");
        assert!(matches!(answer(&mut eyes), Value::Unknown(_)));
        std::fs::write(old, old_was).unwrap();
        eyes.run_at(&point("all16")).unwrap();
        assert_eq!(answer(&mut eyes), before);
        std::fs::write(int8, int8_was).unwrap();
        eyes.run_at(&point("int8")).unwrap();
    }

    #[test]
    fn the_kernel_tells_how_much_room_there_is() {
        assert!(room(1));
        assert!(!room(u64::MAX));
    }
}
