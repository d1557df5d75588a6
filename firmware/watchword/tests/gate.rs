//! A camera that looks through the gate: what its rules, its alerts and its
//! reports make of answers that are given again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use governor::Governor;
use scene::ports::{Board, Clock, Knowledge, Model};
use scene::{
    Alert, Answer, BBox, Detection, Frame, Id, Joules, Mono, Phase, Quantity, Question, Sight,
    Value, Zone,
};
use serde_json::Value as Json;
use sim::{SimBoard, SimClock, SimModel};
use spool::Snapshot;
use vision::gate::{Config, Gated};
use watchword::watch::inbox::ReplyTo;
use watchword::watch::{Effect, Event, Info, Looked, Request, Setup, Watch};

/// What the model says at a look: how many looks came before, whether somebody
/// is there.
type Says = Box<dyn Fn(u64, bool) -> bool + Send>;

/// A model that sees a person in the picture if `says` so: by detection and by
/// any question.
struct Seer {
    says: Says,
    looks: u64,
}

/// Somebody is there if this pixel is bright.
const SPOT: (u32, u32) = (50, 30);

impl Model for Seer {
    fn knowledge(&self) -> Arc<dyn Knowledge> {
        SimModel::new(&["person"]).knowledge()
    }

    fn look(
        &mut self,
        frame: &Frame,
        _zones: &[Zone],
        questions: &[Question],
        detect: bool,
        _deadline: Duration,
    ) -> Sight {
        let truth = frame.row(SPOT.1)[SPOT.0 as usize * 3] > 180;
        let there = (self.says)(self.looks, truth);
        self.looks += 1;
        let person = Detection {
            class: "person".into(),
            score: 0.95,
            bbox: BBox {
                x: 0.45,
                y: 0.4,
                w: 0.15,
                h: 0.4,
            },
        };
        let answer = || Answer {
            value: Value::YesNo(if there { 0.97 } else { 0.03 }),
            model: "seer/1".into(),
            latency: Duration::from_millis(200),
            joules: Quantity::modelled(Joules(0.4)),
            age: None,
        };
        Sight {
            answers: questions.iter().map(|_| answer()).collect(),
            detections: detect.then(|| vec![person; usize::from(there)]),
            detections_age: None,
            joules: Quantity::modelled(Joules(0.4)),
            latency: Duration::from_millis(200),
        }
    }
}

struct Camera {
    watch: Watch,
    clock: SimClock,
    model: Box<dyn Model>,
    seq: u64,
    there: bool,
    /// The model was asked at these times.
    asked: Vec<Mono>,
    looks: u64,
    alerts: Vec<(Mono, Alert, bool)>,
    states: BTreeMap<String, String>,
    replies: Vec<Json>,
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

impl Camera {
    fn new(gate: Option<Config>, says: impl Fn(u64, bool) -> bool + Send + 'static) -> Self {
        let clock = SimClock::new(Some("2026-03-02T10:00:00Z".parse().unwrap()));
        let seer: Box<dyn Model> = Box::new(Seer {
            says: Box::new(says),
            looks: 0,
        });
        let model = match gate {
            Some(config) => Box::new(Gated::new(seer, config)),
            None => seer,
        };
        let setup = Setup {
            camera: id("gate"),
            time_zone: jiff::tz::TimeZone::UTC,
            position: None,
            knowledge: model.knowledge(),
            snapshot: Snapshot::Alert,
            deadline: Duration::from_secs(5),
            every: None,
            metered: true,
            boot: 1,
            info: Info::default(),
        };
        let governor = Governor::new(governor::Config::default());
        let mut watch = Watch::new(
            setup,
            governor,
            &SimBoard::default().read(),
            clock.now().mono,
        );
        watch.handle(Event::LinkUp, clock.now());
        Self {
            watch,
            clock,
            model,
            seq: 0,
            there: false,
            asked: Vec::new(),
            looks: 0,
            alerts: Vec::new(),
            states: BTreeMap::new(),
            replies: Vec::new(),
        }
    }

    /// A wall, the noise of a sensor, and somebody bright if there is one.
    fn frame(&mut self) -> Frame {
        const SIZE: (u32, u32) = (96, 54);
        self.seq += 1;
        let mut random = self.seq.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut rgb = Vec::new();
        for y in 0..SIZE.1 {
            for x in 0..SIZE.0 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let body = self.there && x.abs_diff(SPOT.0) < 5 && y.abs_diff(SPOT.1) < 10;
                let level = if body { 220 } else { 70 + x / 2 } + (random % 3) as u32;
                rgb.extend([level as u8; 3]);
            }
        }
        let stride = SIZE.0 as usize * 3;
        let pixels = Arc::new(rgb);
        Frame::rgb(pixels, SIZE.0, SIZE.1, stride, self.seq, self.clock.now()).unwrap()
    }

    fn event(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.watch.handle(event, self.clock.now()) {
                match effect {
                    Effect::Look(order) => {
                        let frame = self.frame();
                        let sight = self.model.look(
                            &frame,
                            &order.zones,
                            &order.questions,
                            order.detect,
                            order.deadline,
                        );
                        self.looks += 1;
                        if !sight.reused() {
                            self.asked.push(frame.captured.mono);
                        }
                        let number = order.number;
                        let seen = Ok((frame, sight));
                        events.push(Event::Looked(Looked { number, seen }));
                    }
                    Effect::Raise(raise) => {
                        let at = self.clock.now().mono;
                        self.alerts.push((at, raise.alert, raise.frame.is_some()));
                    }
                    Effect::State { topic, payload } => {
                        self.states
                            .insert(topic, String::from_utf8(payload).unwrap());
                    }
                    Effect::Reply { payload, .. } => {
                        self.replies.push(serde_json::from_slice(&payload).unwrap());
                    }
                    Effect::Store(_) | Effect::GiveUp { .. } => {}
                }
            }
        }
    }

    fn run(&mut self, seconds: f64) {
        let until = self.clock.now().mono + Duration::from_secs_f64(seconds);
        while self.clock.now().mono < until {
            let now = self.clock.now();
            let wake = self.watch.next_wake(now).min(until);
            let step = wake.since(now.mono).max(Duration::from_millis(10));
            self.clock.advance(step);
            self.event(Event::Tick);
        }
    }

    fn set(&mut self, rule: &str) {
        self.event(Event::Operator(Request::Rule {
            id: id("rule"),
            payload: rule.into(),
        }));
        let echo = &self.states["watchword/gate/rules/rule"];
        assert!(echo.contains("\"state\":\"armed\""), "{echo}");
    }

    fn told(&self) -> Vec<(Phase, f64)> {
        let told = self
            .alerts
            .iter()
            .filter(|(_, alert, _)| alert.phase != Phase::Update);
        told.map(|(at, alert, _)| (alert.phase, at.as_secs_f64()))
            .collect()
    }
}

/// By detection, by a question to the language model, and by tracks.
const RULES: [&str; 3] = [
    "alert me when a person is in the hall",
    "alert me if the gate is open",
    "alert me if a person stands still for 3 seconds",
];

#[test]
fn one_bad_answer_on_a_still_scene_fires_no_rule_and_clears_none() {
    for rule in RULES {
        for somebody in [false, true] {
            for bad in 0..10 {
                let config = Config {
                    // More fresh looks in the same time.
                    max_age: Duration::from_secs(5),
                    ..Config::default()
                };
                let says = move |look, truth| truth != (look == bad + 4);
                let mut camera = Camera::new(Some(config), says);
                camera.there = somebody;
                camera.set(rule);
                camera.run(120.0);
                let told = camera.told();
                let wanted = usize::from(somebody);
                assert_eq!(told.len(), wanted, "{rule}, bad look {bad}: {told:?}");
                assert!(camera.asked.len() >= 14, "{rule}: {}", camera.asked.len());
            }
        }
    }
}

#[test]
fn rules_fire_and_clear_behind_the_gate_when_they_do_without() {
    for rule in RULES {
        let story = |gate: Option<Config>| {
            let mut camera = Camera::new(gate, |_, truth| truth);
            camera.set(rule);
            camera.run(200.0);
            for there in [true, false] {
                camera.there = there;
                camera.run(100.0);
            }
            camera
        };
        let (with, without) = (story(Some(Config::default())), story(None));
        let (told, wanted) = (with.told(), without.told());
        assert_eq!(wanted.len(), 2, "{rule}: {wanted:?}");
        assert_eq!(told.len(), 2, "{rule}: {told:?}");
        for ((phase, at), (wanted, then)) in told.iter().zip(&wanted) {
            assert_eq!(phase, wanted);
            assert!((at - then).abs() <= 1.5, "{rule}: {at} instead of {then}");
        }
        let (asked, looks) = (with.asked.len() as f64, with.looks as f64);
        assert!(asked < 0.3 * looks, "{rule}: asked {asked} of {looks}");
        assert_eq!(without.asked.len() as u64, without.looks);
    }
}

#[test]
fn an_alert_that_rests_on_an_answer_given_again_says_so() {
    let mut camera = Camera::new(Some(Config::default()), |_, truth| truth);
    camera.set("alert me when a person is in the hall for 20 seconds");
    camera.run(60.0);
    camera.there = true;
    camera.run(40.0);
    let (_, alert, pictured) = &camera.alerts[0];
    assert_eq!((alert.phase, *pictured), (Phase::New, true));
    let age = alert.evidence.answer_age_seconds.expect("given again");
    assert!((1.0..=20.0).contains(&age), "{age}");
    assert_eq!(
        (alert.evidence.model.as_str(), alert.joules.value),
        ("sim/1", Joules(0.0))
    );
    camera.there = false;
    camera.run(20.0);
    let (_, end, _) = camera.alerts.last().unwrap();
    assert_eq!(
        (end.phase, end.evidence.answer_age_seconds),
        (Phase::End, None)
    );
}

#[test]
fn info_tells_the_share_and_an_ask_its_age() {
    let mut camera = Camera::new(Some(Config::default()), |_, truth| truth);
    camera.set("alert me if the gate is open");
    camera.run(600.0);
    let info: Json = serde_json::from_str(&camera.states["watchword/gate/info"]).unwrap();
    let share = info["reused_share"].as_f64().unwrap();
    assert!((0.5..0.95).contains(&share), "{info}");
    assert_eq!(info["unknown_share"], 0.0);

    let ask = |camera: &mut Camera| {
        camera.event(Event::Operator(Request::Ask {
            payload: "Is there a dog?".into(),
            reply: ReplyTo::default(),
        }));
        camera.run(2.0);
        camera.replies.pop().unwrap()
    };
    let first = ask(&mut camera);
    assert_eq!(first.get("answer_age_seconds"), None, "{first}");
    assert!(first["joules"]["value"].as_f64().unwrap() > 0.0);
    ask(&mut camera);
    ask(&mut camera);
    let fourth = ask(&mut camera);
    assert!(
        fourth["answer_age_seconds"].as_f64().unwrap() > 0.0,
        "{fourth}"
    );
    assert_eq!(fourth["answer"], first["answer"]);
}
