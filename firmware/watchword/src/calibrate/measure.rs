//! Runs every operating point and notes what its looks take.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use scene::ports::{Board, Model, Throttle};
use scene::{Frame, Id, OperatingPoint, Question, QuestionKind, Source, Watts};
use vision::Eyes;
use vision::bench::{PointCost, Sample};

use super::file::{self, Calibration, Measured, Round, Skipped, VERSION};
use super::machine::work_so_far;
use super::watts::Sensor;

/// What is to be found out, and for whom.
#[derive(Clone, Debug)]
pub struct Job {
    /// The board that is reckoned with.
    pub board: Id,
    /// What one busy core of it adds, where no sensor tells.
    pub watts_per_core: Watts,
    /// See [`super::fingerprint`].
    pub package: String,
    /// See [`super::machine`].
    pub machine: String,
    /// Now.
    pub when: Timestamp,
    /// Where it is written, and read if it is there.
    pub out: PathBuf,
    /// Begin anew, whatever is there.
    pub again: bool,
    /// Rounds over all points, ≥ 1.
    pub rounds: u32,
    /// No new round is begun after this; the first always is.
    pub within: Option<Duration>,
    /// How long is looked and paused where a sensor tells watts.
    pub windows: Windows,
}

/// Times of one round of one point, where a sensor tells watts.
#[derive(Clone, Copy, Debug)]
pub struct Windows {
    /// Without looks, before and after.
    pub pause: Duration,
    /// Looks one after the other.
    pub looks: Duration,
    /// What a sensor says so long after a change is not of before it: its own
    /// averaging, and the age that it does not tell.
    pub settle: Duration,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            pause: Duration::from_secs(3),
            looks: Duration::from_secs(6),
            settle: Duration::from_millis(1_500),
        }
    }
}

/// What it is found out with.
pub struct Rig<'r> {
    /// The packages.
    pub eyes: &'r mut Eyes,
    /// The sensors.
    pub board: Box<dyn Board>,
    /// The processor's frequency.
    pub throttle: Box<dyn Throttle>,
    /// Caps on it that are worth a try, MHz.
    pub caps: Vec<u32>,
    /// What is looked at, in turn; at least one.
    pub frames: Vec<Frame>,
    /// Asked all the time whether to stop.
    pub stop: &'r dyn Fn() -> bool,
}

/// How far it is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Rounds of points that are done, those of an earlier run too.
    pub done: usize,
    /// Rounds of points in all.
    pub all: usize,
    /// What is measured next.
    pub point: OperatingPoint,
    /// Its number, from 1, and how many there are.
    pub number: (usize, usize),
    /// From 1, and how many there are.
    pub round: (u32, u32),
    /// About how long the rest takes; `None` before anything was measured.
    pub left: Option<Duration>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was found out so far, as it was written.
    pub calibration: Calibration,
    /// What a person should know: disturbances, points left out.
    pub notes: Vec<String>,
    /// Whether it was stopped before it was done.
    pub stopped: bool,
}

/// How often something was amiss, for the notes.
#[derive(Default)]
struct Amiss {
    rounds: usize,
    wandered: usize,
    most_watts: f64,
    busy: usize,
    most_cores: f64,
    silent: usize,
}

/// A baseline that moves by more than this share of the step, …
const WANDER_SHARE: f64 = 0.1;
/// … and by more than this, is no baseline. Watts.
const WANDER_WATTS: f64 = 0.2;
/// Others at work, cores.
const BUSY_CORES: f64 = 0.15;
/// Steps below this are noise. Watts.
const LEAST_STEP: f64 = 0.02;

/// Runs all points that `rig` offers, round after round, so that what drifts
/// falls on all alike. Each round of a point is written at once; what is there
/// already is not measured again.
pub fn run(job: &Job, rig: Rig<'_>, tell: &mut dyn FnMut(&Progress)) -> Result<Outcome> {
    let mut notes = Vec::new();
    let mut calibration = begin(job, rig.eyes)?;
    file::can_write(&job.out)?;
    let sensor = Sensor::watch(rig.board)?;
    let mut bench = Bench {
        eyes: rig.eyes,
        throttle: rig.throttle,
        frames: rig.frames,
        stop: rig.stop,
        windows: job.windows,
        watts_per_core: job.watts_per_core,
        sensor,
        measured: false,
        amiss: Amiss::default(),
    };
    bench.listen();
    let plain = bench.eyes.points();
    if plain.is_empty() {
        bail!(
            "{} has no operating points: nothing can be measured",
            calibration.model
        );
    }
    let caps = match bench.measured {
        true => rig.caps,
        false if rig.caps.is_empty() => Vec::new(),
        false => {
            notes.push(format!(
                "caps on the frequency ({} MHz) are left out: what they save shows in watts, and no \
                 sensor tells those here",
                rig.caps.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
            ));
            Vec::new()
        }
    };
    let capped = |point: &OperatingPoint| {
        let with = |cap_mhz| OperatingPoint {
            cap_mhz,
            ..point.clone()
        };
        let caps = caps.iter().map(|cap| Some(*cap));
        std::iter::once(None)
            .chain(caps)
            .map(with)
            .collect::<Vec<_>>()
    };
    let points: Vec<OperatingPoint> = plain.iter().flat_map(capped).collect();
    let begun = Instant::now();
    let (mut ran, mut stopped) = (0u32, false);
    'rounds: for round in 0..job.rounds {
        let late = job.within.is_some_and(|within| begun.elapsed() > within);
        if ran > 0 && late {
            let done = calibration
                .measured
                .iter()
                .map(|m| m.rounds.len())
                .min()
                .unwrap_or(0);
            notes.push(format!(
                "the time was up after {done} of {} rounds; run it again to go on",
                job.rounds
            ));
            stopped = true;
            break;
        }
        for (at, point) in points.iter().enumerate() {
            let has = |m: &Measured| m.point == *point && m.rounds.iter().any(|r| r.round == round);
            let left_out = |s: &Skipped| s.point == *point;
            if calibration.measured.iter().any(has) || calibration.skipped.iter().any(left_out) {
                continue;
            }
            let all = points.len() * job.rounds as usize;
            let done = round as usize * points.len() + at;
            tell(&Progress {
                done,
                all,
                point: point.clone(),
                number: (at + 1, points.len()),
                round: (round + 1, job.rounds),
                left: (ran > 0).then(|| begun.elapsed() / ran * (all - done) as u32),
            });
            match bench.round(point, round) {
                _ if (rig.stop)() => {
                    stopped = true;
                    break 'rounds;
                }
                Ok(one) => calibration.take(point, one, bench.eyes.accuracy(point)),
                Err(why) => calibration.skipped.push(Skipped {
                    point: point.clone(),
                    why,
                }),
            }
            ran += 1;
            calibration.write(&job.out)?;
        }
    }
    calibration.finished = !stopped;
    calibration.write(&job.out)?;
    if let Err(why) = bench.throttle.cap(None) {
        notes.push(format!(
            "the cap on the frequency could not be lifted: {why}"
        ));
    }
    notes.extend(bench.amiss.told());
    Ok(Outcome {
        calibration,
        notes,
        stopped,
    })
}

/// A fresh calibration, or what is there of this one.
fn begin(job: &Job, eyes: &Eyes) -> Result<Calibration> {
    let fresh = Calibration {
        version: VERSION,
        board: job.board.clone(),
        model: eyes.knowledge().name(),
        package: job.package.clone(),
        machine: job.machine.clone(),
        when: job.when,
        source: Source::Modelled,
        rounds: job.rounds,
        finished: false,
        points: Vec::new(),
        measured: Vec::new(),
        skipped: Vec::new(),
    };
    if job.again || !job.out.exists() {
        return Ok(fresh);
    }
    let there = file::load(&job.out)?;
    let others = [
        ("board", there.board.as_str(), job.board.as_str()),
        ("package's checksum", &there.package, &job.package),
        ("machine", &there.machine, &job.machine),
    ];
    for (what, has, now) in others {
        if has != now {
            bail!(
                "{} can't be gone on with: its {what} is {has}, and here it is {now}; --again begins \
                 anew, --out writes elsewhere",
                job.out.display()
            );
        }
    }
    Ok(Calibration {
        rounds: job.rounds.max(there.rounds),
        // What failed is tried once more, unless all is done.
        skipped: match there.finished {
            true => there.skipped,
            false => Vec::new(),
        },
        ..there
    })
}

impl Calibration {
    fn take(&mut self, point: &OperatingPoint, round: Round, accuracy: scene::Quantity<f64>) {
        let at = self.measured.iter().position(|m| m.point == *point);
        let at = at.unwrap_or_else(|| {
            self.measured.push(Measured::new(point.clone(), accuracy));
            self.measured.len() - 1
        });
        self.measured[at].add(round);
        self.points = self.measured.iter().map(Measured::told).collect();
        let measured = |m: &Measured| m.source == Source::Measured;
        self.source = match self.measured.iter().all(measured) {
            true => Source::Measured,
            false => Source::Modelled,
        };
    }
}

struct Bench<'r> {
    eyes: &'r mut Eyes,
    throttle: Box<dyn Throttle>,
    frames: Vec<Frame>,
    stop: &'r dyn Fn() -> bool,
    windows: Windows,
    watts_per_core: Watts,
    sensor: Sensor,
    /// Whether a sensor tells watts.
    measured: bool,
    amiss: Amiss,
}

/// Sums over looks.
#[derive(Default)]
struct Sums {
    looks: u32,
    cpu: f64,
    wall: f64,
    question: f64,
    bytes: u64,
}

impl Bench<'_> {
    /// Finds out whether there is a sensor.
    fn listen(&mut self) {
        let from = Instant::now();
        self.wait(self.windows.pause);
        self.measured = self.sensor.mean(from, Instant::now()).is_some();
    }

    fn wait(&self, long: Duration) {
        let until = Instant::now() + long;
        while Instant::now() < until && !(self.stop)() {
            let rest = until.saturating_duration_since(Instant::now());
            std::thread::sleep(rest.min(Duration::from_millis(50)));
        }
    }

    /// Mean watts without looks.
    fn pause(&self) -> Option<f64> {
        let from = Instant::now() + self.windows.settle;
        self.wait(self.windows.pause);
        self.sensor.mean(from, Instant::now())
    }

    fn round(&mut self, point: &OperatingPoint, round: u32) -> Result<Round, String> {
        let start = Instant::now();
        self.eyes.run_at(point)?;
        self.throttle.cap(point.cap_mhz)?;
        let switch_ms = start.elapsed().as_secs_f64() * 1e3;
        let others = Others::since_now();
        let before = self.measured.then(|| self.pause()).flatten();
        let (from, mut sums) = (Instant::now(), Sums::default());
        loop {
            for frame in &self.frames {
                let took = look(self.eyes, frame, point)?;
                sums.add(&took);
                if (self.stop)() {
                    break;
                }
            }
            let enough = !self.measured || from.elapsed() >= self.windows.looks;
            if enough || (self.stop)() {
                break;
            }
        }
        let looks = self.sensor.mean(from + self.windows.settle, Instant::now());
        let after = self.measured.then(|| self.pause()).flatten();
        self.amiss.rounds += 1;
        self.amiss.others(others.cores());
        let told = match (before, looks, after) {
            (Some(before), Some(looks), Some(after)) => {
                let step = looks - f64::midpoint(before, after);
                self.amiss.baseline((after - before).abs(), step);
                Some(step).filter(|step| *step >= LEAST_STEP)
            }
            _ => None,
        };
        self.amiss.silent += usize::from(self.measured && told.is_none());
        let n = f64::from(sums.looks.max(1));
        // Reckoned from CPU time: cores that are busy, and what each adds.
        let modelled = self.watts_per_core.0 * sums.cpu / sums.wall.max(1e-3);
        Ok(Round {
            round,
            looks: sums.looks,
            look_ms: sums.wall / n,
            question_ms: sums.question / n,
            cpu_ms: sums.cpu / n,
            watts: told.unwrap_or(modelled).max(LEAST_STEP),
            source: match told {
                Some(_) => Source::Measured,
                None => Source::Modelled,
            },
            megabytes: sums.bytes as f64 / n / 1e6,
            switch_ms,
        })
    }
}

impl Sums {
    fn add(&mut self, took: &PointCost) {
        self.looks += 1;
        self.cpu += took.look.cpu_ms;
        self.wall += took.look.wall_ms;
        self.question += took.question.map_or(0.0, |q| q.wall_ms);
        self.bytes += took.look.bytes;
    }
}

/// One look with one question and one with several.
fn look(eyes: &mut Eyes, frame: &Frame, point: &OperatingPoint) -> Result<PointCost, String> {
    let questions = questions();
    let sample = Sample {
        frame,
        zones: &[],
        questions: &questions,
        // Rules that count or follow want them.
        detect: true,
    };
    let of = [OperatingPoint {
        cap_mhz: None,
        ..point.clone()
    }];
    let mut all = vision::bench::points(eyes, &sample, &of, 1, &mut |_| true);
    match (all.points.pop(), all.refused.pop()) {
        (Some(took), _) => Ok(took),
        (None, Some((_, why))) => Err(why),
        (None, None) => Err("nothing came of a look".into()),
    }
}

/// Yes or no and counts by turns, in words that every model knows.
fn questions() -> Vec<Question> {
    let ask = |ask: &str, kind| Question {
        ask: ask.into(),
        kind,
        crop: None,
        about: None,
    };
    vec![
        ask("Is there a person?", QuestionKind::YesNo),
        ask("How many car are there?", QuestionKind::Count),
        ask("Is there a truck?", QuestionKind::YesNo),
        ask("How many person are there?", QuestionKind::Count),
    ]
}

/// What other programs do meanwhile.
struct Others {
    start: Instant,
    own: Duration,
    all: Option<f64>,
}

fn own_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanos)
}

impl Others {
    fn since_now() -> Self {
        Self {
            start: Instant::now(),
            own: own_cpu(),
            all: work_so_far(),
        }
    }

    /// Cores that they kept busy on average; 0 where the kernel does not tell
    /// or the time was too short for its clock.
    fn cores(&self) -> f64 {
        let seconds = self.start.elapsed().as_secs_f64();
        let own = (own_cpu() - self.own).as_secs_f64();
        let all = work_so_far().zip(self.all).map(|(now, then)| now - then);
        match all {
            Some(all) if seconds >= 0.2 => ((all - own) / seconds).max(0.0),
            _ => 0.0,
        }
    }
}

impl Amiss {
    fn others(&mut self, cores: f64) {
        self.busy += usize::from(cores > BUSY_CORES);
        self.most_cores = self.most_cores.max(cores);
    }

    fn baseline(&mut self, moved: f64, step: f64) {
        self.wandered += usize::from(moved > WANDER_WATTS.max(WANDER_SHARE * step));
        self.most_watts = self.most_watts.max(moved);
    }

    fn told(&self) -> Vec<String> {
        let Amiss {
            rounds,
            wandered,
            most_watts,
            busy,
            most_cores,
            silent,
        } = *self;
        let mut notes = Vec::new();
        if busy > 0 {
            notes.push(format!(
                "the machine was busy: other programs kept up to {most_cores:.1} cores at work, in {busy} \
                 of {rounds} measurements; stop them (the camera's daemon too) and measure with --again"
            ));
        }
        if wandered > 0 {
            notes.push(format!(
                "the baseline wandered by up to {most_watts:.2} W, in {wandered} of {rounds} \
                 measurements: something else switches on and off; measure with --again when it is quiet"
            ));
        }
        if silent > 0 {
            notes.push(format!(
                "the power sensor said too little in {silent} of {rounds} measurements; their watts are \
                 modelled"
            ));
        }
        notes
    }
}

/// Of the caps that a board's file names those that this processor takes, and
/// a note about the others.
pub fn caps_of(named: &[u32], range_mhz: Option<(u32, u32)>) -> (Vec<u32>, Option<String>) {
    let (takes, others): (Vec<u32>, Vec<u32>) = named
        .iter()
        .partition(|&&cap| range_mhz.is_some_and(|(least, most)| (least..most).contains(&cap)));
    let note = (!others.is_empty()).then(|| {
        let others: Vec<_> = others.iter().map(u32::to_string).collect();
        let why = match range_mhz {
            Some((least, most)) => format!("this processor runs at {least} to {most} MHz"),
            None => "this processor has no cpufreq".into(),
        };
        format!("caps at {} MHz are left out: {why}", others.join(", "))
    });
    (takes, note)
}

/// Pictures that are as hard to look at as a camera's: edges, gradients and
/// noise, each in other places.
pub fn usual_frames() -> Vec<Frame> {
    let (width, height) = (960usize, 540usize);
    let frame = |seed: usize| {
        let at = |i: usize| {
            let (x, y, c) = (i / 3 % width, i / 3 / width, i % 3);
            let ramp = (x * (120 + 20 * seed) / width + y * 30 / height + c * 10) as u8;
            let (wide, high) = (29 + 11 * seed, 41 - 7 * seed);
            let edge = match (x / wide + y / high) % 3 {
                0 => 35,
                _ => 0,
            };
            let noise = ((i + seed).wrapping_mul(7_919) >> 3) % (5 + 4 * seed);
            ramp.saturating_add(edge).saturating_add(noise as u8)
        };
        Frame::still(
            (0..width * height * 3).map(at).collect(),
            width as u32,
            height as u32,
        )
    };
    (0..4).filter_map(|seed| frame(seed).ok()).collect()
}
