//! What a model behind the gate says, and when it is asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use scene::ports::{Knowledge, Model};
use scene::{
    BBox, Concept, CountBelief, Detection, Frame, Id, Joules, Moment, Mono, OperatingPoint, Point,
    Polygon, Question, QuestionKind, Sight, Unknown, Value, Zone,
};
use sim::{Scripted, SimModel};
use vision::gate::{Config, Gated};

const WIDTH: u32 = 96;
const HEIGHT: u32 = 54;
const LONG: Duration = Duration::from_secs(60);

/// What a camera sees: a pattern with noise, and things on it.
struct Camera {
    seq: u64,
    /// Left, top, side, level added; pixels.
    things: Vec<(u32, u32, u32, i32)>,
    light: f32,
    size: (u32, u32),
}

impl Camera {
    fn new() -> Self {
        Self {
            seq: 0,
            things: Vec::new(),
            light: 1.0,
            size: (WIDTH, HEIGHT),
        }
    }

    fn frame(&mut self, seconds: f64) -> Frame {
        self.seq += 1;
        let (width, height) = self.size;
        let mut random = self.seq.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rgb = Vec::with_capacity((width * height * 3) as usize);
        for y in 0..height {
            for x in 0..width {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                // A pixel is a cell here: the noise of an average of many.
                let noise = (random % 3) as i32 - 1;
                let wall = 60 + (x * 80 / width) as i32 + ((x / 5 + y / 5) % 2) as i32 * 20;
                let thing = (self.things.iter())
                    .filter(|(l, t, side, _)| {
                        (*l..l + side).contains(&x) && (*t..t + side).contains(&y)
                    })
                    .map(|thing| thing.3)
                    .sum::<i32>();
                let level = ((wall + thing) as f32 * self.light) as i32 + noise;
                rgb.extend([level.clamp(0, 255) as u8; 3]);
            }
        }
        let at = Moment::unclocked(Mono::from_secs_f64(seconds));
        Frame::rgb(
            Arc::new(rgb),
            width,
            height,
            width as usize * 3,
            self.seq,
            at,
        )
        .unwrap()
    }
}

/// The questions of each look, and whether it was to detect.
type Asked = Arc<Mutex<Vec<(Vec<String>, bool)>>>;

/// A model that says what it is told to, and tells what it was asked.
struct Rig {
    gated: Gated,
    script: Arc<Mutex<Scripted>>,
    looks: Arc<Mutex<u64>>,
    asked: Asked,
    camera: Camera,
    zones: Vec<Zone>,
    t: f64,
}

struct Listening {
    inner: SimModel,
    asked: Asked,
}

impl Model for Listening {
    fn knowledge(&self) -> Arc<dyn Knowledge> {
        self.inner.knowledge()
    }

    fn look(
        &mut self,
        frame: &Frame,
        zones: &[Zone],
        questions: &[Question],
        detect: bool,
        deadline: Duration,
    ) -> Sight {
        let asked = questions.iter().map(|q| q.ask.clone()).collect();
        self.asked.lock().unwrap().push((asked, detect));
        self.inner.look(frame, zones, questions, detect, deadline)
    }
}

impl Rig {
    fn new(config: Config) -> Self {
        let inner = SimModel::new(&["person"]);
        let (script, looks) = (inner.script(), inner.looks());
        let asked = Arc::default();
        let listening = Listening {
            inner,
            asked: Arc::clone(&asked),
        };
        script.lock().unwrap().answers = vec![
            ("gate open?".into(), Value::YesNo(0.9)),
            ("dog?".into(), Value::YesNo(0.2)),
        ];
        Self {
            gated: Gated::new(Box::new(listening), config),
            script,
            looks,
            asked,
            camera: Camera::new(),
            zones: Vec::new(),
            t: 100.0,
        }
    }

    fn look(&mut self, questions: &[Question], detect: bool) -> Sight {
        self.t += 1.0;
        let frame = self.camera.frame(self.t);
        self.gated
            .look(&frame, &self.zones, questions, detect, LONG)
    }

    fn say(&self, ask: &str, value: Value) {
        let mut script = self.script.lock().unwrap();
        script.answers.retain(|(of, _)| of != ask);
        script.answers.push((ask.into(), value));
    }

    fn looks(&self) -> u64 {
        *self.looks.lock().unwrap()
    }

    fn last_asked(&self) -> (Vec<String>, bool) {
        self.asked.lock().unwrap().last().cloned().unwrap()
    }
}

fn ask(text: &str) -> Question {
    Question {
        ask: text.into(),
        kind: QuestionKind::YesNo,
        crop: None,
        about: None,
    }
}

fn within(text: &str, zone: &str) -> Question {
    Question {
        crop: Some(Id::new(zone).unwrap()),
        ..ask(text)
    }
}

fn zone(name: &str, [x0, y0, x1, y1]: [f32; 4]) -> Zone {
    let corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
    Zone {
        name: Id::new(name).unwrap(),
        polygon: Polygon::new(corners.map(Point::from).to_vec()).unwrap(),
    }
}

fn ages(sight: &Sight) -> Vec<Option<u64>> {
    sight
        .answers
        .iter()
        .map(|a| a.age.map(|age| age.as_secs()))
        .collect()
}

#[test]
fn a_still_picture_is_asked_about_thrice_and_then_once_in_max_age() {
    let mut rig = Rig::new(Config::default());
    let questions = [ask("gate open?"), ask("dog?")];
    let mut fresh = Vec::new();
    for look in 0..100 {
        let sight = rig.look(&questions, false);
        assert_eq!(sight.answers[0].value, Value::YesNo(0.9));
        assert_eq!(sight.answers[1].value, Value::YesNo(0.2));
        assert_eq!(sight.answers[0].model, "sim/1");
        if sight.reused() {
            assert_eq!(sight.joules.value, Joules(0.0));
            assert_eq!((sight.latency, sight.fresh_answers()), (Duration::ZERO, 0));
            assert!(sight.answers[0].age.unwrap() <= Config::default().max_age);
        } else {
            fresh.push(look);
            assert_eq!(ages(&sight), [None, None]);
            assert!(sight.joules.value.0 > 0.0);
        }
    }
    assert_eq!(fresh, [0, 1, 2, 33, 64, 95]);
    assert_eq!(rig.looks(), 6);
}

#[test]
fn a_thing_that_comes_or_goes_is_asked_about_at_once() {
    let mut rig = Rig::new(Config::default());
    let questions = [ask("gate open?")];
    let still = |rig: &mut Rig| (0..8).map(|_| rig.look(&questions, false)).last().unwrap();
    assert!(still(&mut rig).reused());
    // 4 x 4 cells, 0.3 % of the picture, a tenth brighter.
    rig.camera.things.push((60, 27, 4, 12));
    rig.say("gate open?", Value::YesNo(0.1));
    let sight = rig.look(&questions, false);
    assert_eq!(
        (ages(&sight), &sight.answers[0].value),
        (vec![None], &Value::YesNo(0.1))
    );
    assert!(still(&mut rig).reused());
    rig.camera.things.clear();
    assert_eq!(ages(&rig.look(&questions, false)), [None]);
    assert!(still(&mut rig).reused());
    rig.camera.light = 0.6;
    assert_eq!(
        ages(&rig.look(&questions, false)),
        [None],
        "the light was switched off"
    );
    // Everything slightly darker, as by automatic exposure, is nothing.
    assert!(still(&mut rig).reused());
    rig.camera.light = 0.57;
    assert!(rig.look(&questions, false).reused());
}

#[test]
fn slow_change_adds_up() {
    let mut rig = Rig::new(Config {
        max_age: Duration::from_secs(3600),
        ..Config::default()
    });
    let questions = [ask("gate open?")];
    for _ in 0..8 {
        rig.look(&questions, false);
    }
    // Half a level a look: no two pictures that follow one another differ.
    let opened = (1..60).find(|step| {
        rig.camera.things = vec![(30, 18, 12, step / 2)];
        !rig.look(&questions, false).reused()
    });
    assert!(opened.is_some_and(|step| step < 20), "{opened:?}");
}

#[test]
fn a_zone_is_watched_alone_and_the_rest_is_asked_in_one_look() {
    let mut rig = Rig::new(Config::default());
    rig.zones = vec![
        zone("left", [0.05, 0.2, 0.3, 0.8]),
        zone("right", [0.7, 0.2, 0.95, 0.8]),
    ];
    let questions = [
        within("gate open?", "left"),
        within("gate open?", "right"),
        ask("dog?"),
    ];
    for _ in 0..6 {
        rig.look(&questions, false);
    }
    rig.camera.things = vec![(12, 24, 5, 40)];
    let sight = rig.look(&questions, false);
    assert_eq!(
        rig.last_asked().0,
        ["gate open?", "dog?"],
        "not of the right"
    );
    assert!(sight.answers[1].age.is_some() && sight.fresh_answers() == 2);
    assert!(!sight.reused());

    // A zone drawn elsewhere under its name, other words, another noun and a
    // zone that is gone: other questions.
    for _ in 0..6 {
        rig.look(&questions, false);
    }
    assert!(rig.look(&questions, false).reused());
    rig.zones[1] = zone("right", [0.6, 0.2, 0.95, 0.8]);
    rig.look(&questions, false);
    assert_eq!(rig.last_asked().0, ["gate open?"]);
    let about = Some(Concept {
        noun: "dog".into(),
        qualifiers: Vec::new(),
    });
    let dog = Question {
        about,
        ..ask("dog?")
    };
    rig.look(std::slice::from_ref(&dog), false);
    assert_eq!(rig.last_asked().0, ["dog?"]);
    rig.zones.clear();
    rig.look(&questions, false);
    assert_eq!(rig.last_asked().0, ["gate open?", "gate open?"]);
}

#[test]
fn unknown_is_never_given_again() {
    let mut rig = Rig::new(Config::default());
    let questions = [ask("gate open?"), ask("dog?")];
    for _ in 0..6 {
        rig.look(&questions, false);
    }
    rig.t += 60.0;
    rig.say("dog?", Value::Unknown(Unknown::Unsure));
    for _ in 0..10 {
        let sight = rig.look(&questions, false);
        assert_eq!(sight.answers[1].age, None);
        assert_eq!(sight.answers[1].value, Value::Unknown(Unknown::Unsure));
    }
    assert_eq!(rig.last_asked().0, ["dog?"]);
    rig.say("dog?", Value::YesNo(0.2));
    let ages: Vec<_> = (0..5)
        .map(|_| rig.look(&questions, false).answers[1].age)
        .collect();
    assert_eq!(
        ages.iter().filter(|age| age.is_none()).count(),
        3,
        "three again: {ages:?}"
    );
}

#[test]
fn one_bad_answer_is_never_given_again() {
    for bad_at in 0..12 {
        let mut rig = Rig::new(Config {
            max_age: Duration::from_secs(4),
            ..Config::default()
        });
        let questions = [ask("gate open?")];
        let mut told_bad = 0;
        let mut fresh = 0;
        for _ in 0..60 {
            let bad = if fresh == bad_at { 0.02 } else { 0.9 };
            rig.say("gate open?", Value::YesNo(bad));
            let before = rig.looks();
            let sight = rig.look(&questions, false);
            fresh += rig.looks() - before;
            told_bad += u32::from(sight.answers[0].value == Value::YesNo(0.02));
        }
        assert!(
            told_bad <= 1,
            "told {told_bad} times, bad at fresh look {bad_at}"
        );
    }
}

#[test]
fn an_answer_that_wavers_is_asked_each_time_and_its_middle_is_given_again() {
    let mut rig = Rig::new(Config::default());
    let questions = [ask("gate open?")];
    for look in 0..21 {
        rig.say("gate open?", Value::YesNo([0.45, 0.55][look % 2]));
        assert!(!rig.look(&questions, false).reused());
    }
    for p in [0.62, 0.80, 0.64] {
        rig.say("gate open?", Value::YesNo(p));
        rig.look(&questions, false);
    }
    let sight = rig.look(&questions, false);
    assert_eq!(
        (sight.reused(), &sight.answers[0].value),
        (true, &Value::YesNo(0.64))
    );
}

fn person(x: f32) -> Detection {
    Detection {
        class: "person".into(),
        score: 0.9,
        bbox: BBox {
            x,
            y: 0.3,
            w: 0.1,
            h: 0.4,
        },
    }
}

#[test]
fn detections_are_given_again_and_come_fresh_with_what_the_detector_answers() {
    let mut rig = Rig::new(Config::default());
    rig.script.lock().unwrap().detections = Some(vec![person(0.5)]);
    let count = Question {
        ask: "how many?".into(),
        kind: QuestionKind::Count,
        crop: Some(Id::new("left").unwrap()),
        about: Some(Concept {
            noun: "person".into(),
            qualifiers: Vec::new(),
        }),
    };
    rig.zones = vec![zone("left", [0.05, 0.2, 0.3, 0.8])];
    let questions = [count, ask("dog?")];
    for _ in 0..3 {
        assert_eq!(rig.look(&questions, true).detections_age, None);
    }
    let sight = rig.look(&questions, true);
    assert!(sight.reused() && sight.detections == Some(vec![person(0.5)]));
    assert_eq!(sight.detections_age, Some(Duration::from_secs(1)));
    assert_eq!(
        sight.answers[0].value,
        Value::Count(CountBelief::from_independent([0.9]))
    );

    // Beside the zone: the detector runs, so its count is fresh too.
    rig.camera.things = vec![(72, 24, 9, 40)];
    rig.script.lock().unwrap().detections = Some(vec![person(0.75)]);
    let sight = rig.look(&questions, true);
    assert_eq!(
        rig.last_asked(),
        (vec!["how many?".into(), "dog?".into()], true)
    );
    assert_eq!(
        (sight.detections_age, ages(&sight)),
        (None, vec![None, None])
    );
    assert_eq!(sight.detections, Some(vec![person(0.75)]));

    // Nobody asks for detections: none come.
    for _ in 0..6 {
        rig.look(&questions, true);
    }
    assert_eq!(rig.look(&questions, false).detections, None);
    // A box that only one look has keeps the run from forming.
    rig.t += 60.0;
    for flicker in [0.1, 0.6, 0.1, 0.6] {
        rig.script.lock().unwrap().detections = Some(vec![person(0.75), person(flicker)]);
        assert_eq!(rig.look(&[], true).detections_age, None);
    }
}

#[test]
fn a_detector_that_fails_is_asked_again() {
    let mut rig = Rig::new(Config::default());
    for _ in 0..6 {
        let sight = rig.look(&[], true);
        assert_eq!((sight.detections, sight.detections_age), (None, None));
    }
    assert_eq!(rig.looks(), 6);
}

#[test]
fn another_format_or_a_clock_that_begins_anew_forgets_everything() {
    let mut rig = Rig::new(Config::default());
    let questions = [ask("gate open?")];
    let fresh = |rig: &mut Rig, looks: usize| {
        (0..looks)
            .filter(|_| !rig.look(&questions, false).reused())
            .count()
    };
    assert_eq!(fresh(&mut rig, 8), 3);
    rig.camera.size = (60, 60);
    assert_eq!(fresh(&mut rig, 8), 3);
    rig.t = 0.0;
    assert_eq!(fresh(&mut rig, 8), 3);
    // The same frame twice is one look, not two that agree.
    let mut rig = Rig::new(Config::default());
    let frame = rig.camera.frame(1.0);
    for _ in 0..10 {
        let sight = rig.gated.look(&frame, &[], &questions, false, LONG);
        assert!(!sight.reused());
    }
}

#[test]
fn memory_is_bounded_and_the_longest_unasked_goes() {
    let mut rig = Rig::new(Config::default());
    let questions: Vec<Question> = (0..200).map(|n| ask(&format!("thing {n}?"))).collect();
    for question in &questions {
        rig.say(&question.ask, Value::YesNo(0.9));
    }
    // All at once are too many: all are asked, none is forgotten to be.
    for _ in 0..5 {
        let sight = rig.look(&questions, false);
        assert_eq!((sight.answers.len(), sight.fresh_answers()), (200, 200));
    }
    // One after the other, the last 64 are known.
    for chunk in questions.chunks(50) {
        for _ in 0..3 {
            rig.look(chunk, false);
        }
    }
    assert_eq!(rig.look(&questions[150..], false).fresh_answers(), 0);
    assert_eq!(rig.look(&questions[..50], false).fresh_answers(), 50);
}

#[test]
fn a_question_asked_twice_in_one_look_gets_two_answers() {
    let mut rig = Rig::new(Config::default());
    let questions = [ask("dog?"), ask("gate open?"), ask("dog?")];
    for _ in 0..6 {
        let sight = rig.look(&questions, false);
        let said: Vec<_> = sight.answers.iter().map(|a| a.value.clone()).collect();
        assert_eq!(said, [0.2, 0.9, 0.2].map(Value::YesNo));
    }
    assert!(rig.look(&questions, false).reused());
}

/// A model whose answers name the point that it runs at.
struct Movable {
    inner: SimModel,
    points: [OperatingPoint; 2],
    now: usize,
}

impl Model for Movable {
    fn knowledge(&self) -> Arc<dyn Knowledge> {
        self.inner.knowledge()
    }

    fn points(&self) -> Vec<OperatingPoint> {
        vec![
            self.points[self.now].clone(),
            self.points[1 - self.now].clone(),
        ]
    }

    fn run_at(&mut self, point: &OperatingPoint) -> Result<(), String> {
        let at = self.points.iter().position(|p| p == point);
        self.now = at.ok_or_else(|| format!("no {point}"))?;
        Ok(())
    }

    fn look(
        &mut self,
        frame: &Frame,
        zones: &[Zone],
        questions: &[Question],
        detect: bool,
        deadline: Duration,
    ) -> Sight {
        let mut sight = self.inner.look(frame, zones, questions, detect, deadline);
        for answer in &mut sight.answers {
            answer.model = self.points[self.now].to_string();
        }
        sight
    }
}

#[test]
fn what_another_operating_point_said_is_given_again_under_its_name() {
    let points = ["f32/256px/1t/1c", "f32/128px/1t/1c"].map(|p| p.parse().unwrap());
    let inner = SimModel::new(&["person"]);
    let open = ("gate open?".into(), Value::YesNo(0.9));
    inner.script().lock().unwrap().answers = vec![open];
    let movable = Movable {
        inner,
        points: points.clone(),
        now: 0,
    };
    let mut gated = Gated::new(Box::new(movable), Config::default());
    let mut camera = Camera::new();
    let mut look = |gated: &mut Gated, t: f64| {
        let asked = [ask("gate open?")];
        let sight = gated.look(&camera.frame(t), &[], &asked, false, LONG);
        (sight.answers[0].model.clone(), sight.answers[0].age)
    };
    assert_eq!(gated.points(), points);
    for t in 0..3 {
        let name = points[0].to_string();
        assert_eq!(look(&mut gated, f64::from(t)), (name, None));
    }
    gated.run_at(&points[1]).unwrap();
    assert_eq!(gated.points()[0], points[1]);
    let (name, age) = look(&mut gated, 3.0);
    assert_eq!((name, age.is_some()), (points[0].to_string(), true));
    // Too old: asked anew, where it runs now.
    let (name, age) = look(&mut gated, 40.0);
    assert_eq!((name, age), (points[1].to_string(), None));
    let why = gated.run_at(&"f32/1px/1t/1c".parse().unwrap()).unwrap_err();
    assert_eq!(why, "no f32/1px/1t/1c");
}
