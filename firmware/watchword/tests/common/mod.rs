//! A whole camera in simulated time: the watch loop's machine with a scripted
//! model, driven second by second.

#![allow(dead_code)] // Each test binary uses its part.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use governor::Governor;
use scene::ports::{Board, Clock, FrameSource, Model};
use scene::{Alert, BBox, Detection, Id, Mono};
use serde_json::Value as Json;
use sim::{Scripted, SimBoard, SimClock, SimModel, SimSource};
use spool::{RuleRecord, Snapshot};
use watchword::watch::inbox::ReplyTo;
use watchword::watch::{Effect, Event, Info, Looked, Request, Setup, Watch};

/// As the daemon reads its board.
const READ_EVERY: Duration = Duration::from_millis(500);

pub struct Camera {
    pub watch: Watch,
    pub clock: SimClock,
    pub source: SimSource,
    pub script: Arc<Mutex<Scripted>>,
    model: SimModel,
    /// Read every half second while time passes.
    pub board: SimBoard,
    read_at: Mono,
    /// What the broker would retain.
    pub states: BTreeMap<String, String>,
    pub replies: Vec<(String, Json)>,
    pub alerts: Vec<Alert>,
    pub pictured: Vec<bool>,
    /// How many batches were stored.
    pub stored: usize,
    /// Why looks were to be given up.
    pub given_up: Vec<String>,
}

pub fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

pub fn people(n: usize) -> Vec<Detection> {
    (0..n)
        .map(|i| Detection {
            class: "person".into(),
            score: 0.95,
            bbox: BBox {
                x: 0.08 * i as f32,
                y: 0.4,
                w: 0.05,
                h: 0.3,
            },
        })
        .collect()
}

impl Camera {
    pub fn new() -> Self {
        Self::with_boot(0xabcd)
    }

    pub fn with_boot(boot: u32) -> Self {
        let clock = SimClock::new(Some("2026-03-02T10:00:00Z".parse().unwrap()));
        let model = SimModel::new(&["person", "suitcase"]);
        let script = model.script();
        script.lock().unwrap().detections = Some(Vec::new());
        let setup = Setup {
            camera: id("gate"),
            time_zone: jiff::tz::TimeZone::UTC,
            position: None,
            knowledge: model.knowledge(),
            snapshot: Snapshot::Alert,
            deadline: Duration::from_secs(5),
            every: None,
            boot,
            info: Info::default(),
        };
        let governor = Governor::new(governor::Config::default());
        let mut board = SimBoard::default();
        let readings = board.read();
        Self {
            watch: Watch::new(setup, governor, &readings, Mono::ZERO),
            source: SimSource::new(clock.clone(), 32, 32),
            clock,
            script,
            model,
            board,
            read_at: Mono::ZERO,
            states: BTreeMap::new(),
            replies: Vec::new(),
            alerts: Vec::new(),
            pictured: Vec::new(),
            stored: 0,
            given_up: Vec::new(),
        }
    }

    pub fn looks(&self) -> u64 {
        *self.model.looks().lock().unwrap()
    }

    pub fn see(&self, detections: Vec<Detection>) {
        self.script.lock().unwrap().detections = Some(detections);
    }

    /// Hands in one event, and carries out what it leads to, looks included.
    pub fn event(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.watch.handle(event, self.clock.now()) {
                match effect {
                    Effect::Look(order) => {
                        let frame = self.source.next(Duration::from_millis(200));
                        let seen = frame.map(|frame| {
                            let sight = self.model.look(
                                &frame,
                                &order.zones,
                                &order.questions,
                                order.detect,
                                order.deadline,
                            );
                            (frame, sight)
                        });
                        let number = order.number;
                        events.push(Event::Looked(Looked { number, seen }));
                    }
                    Effect::GiveUp { reason } => self.given_up.push(reason),
                    Effect::Store(_) => self.stored += 1,
                    Effect::Raise(raise) => {
                        self.pictured.push(raise.frame.is_some());
                        self.alerts.push(raise.alert);
                    }
                    Effect::State { topic, payload } => {
                        let text = String::from_utf8(payload).unwrap();
                        if text.is_empty() {
                            self.states.remove(&topic);
                        } else {
                            self.states.insert(topic, text);
                        }
                    }
                    Effect::Reply { topic, payload, .. } => {
                        self.replies
                            .push((topic, serde_json::from_slice(&payload).unwrap()));
                    }
                }
            }
        }
    }

    /// Lets time pass, waking the machine when it wants to be woken.
    pub fn run(&mut self, seconds: f64) {
        let until = self.clock.now().mono + Duration::from_secs_f64(seconds);
        while self.clock.now().mono < until {
            let now = self.clock.now();
            let wake = self.watch.next_wake(now).min(self.read_at).min(until);
            let step = wake.since(now.mono).max(Duration::from_millis(10));
            self.clock.advance(step);
            if self.clock.now().mono >= self.read_at {
                self.read_at = self.clock.now().mono + READ_EVERY;
                let readings = self.board.read();
                self.event(Event::Readings(readings));
            } else {
                self.event(Event::Tick);
            }
        }
    }

    pub fn set(&mut self, rule: &str, payload: &str) {
        self.event(Event::Operator(Request::Rule {
            id: id(rule),
            payload: payload.into(),
        }));
    }

    pub fn draw(&mut self, zone: &str, payload: &str) {
        self.event(Event::Operator(Request::Zone {
            name: id(zone),
            payload: payload.into(),
        }));
    }

    pub fn ask(&mut self, payload: &str) {
        self.event(Event::Operator(Request::Ask {
            payload: payload.into(),
            reply: ReplyTo::default(),
        }));
    }

    pub fn check(&mut self, payload: &str) -> Json {
        self.event(Event::Operator(Request::Check {
            payload: payload.into(),
            reply: ReplyTo::default(),
        }));
        self.replies.pop().unwrap().1
    }

    pub fn echo(&self, rule: &str) -> Json {
        serde_json::from_str(&self.states[&format!("watchword/gate/rules/{rule}")]).unwrap()
    }

    pub fn state(&self, topic: &str) -> Option<&str> {
        self.states
            .get(&format!("watchword/gate/{topic}"))
            .map(String::as_str)
    }

    /// Alert phases so far, as words.
    pub fn phases(&self) -> Vec<String> {
        (self.alerts.iter())
            .map(|alert| format!("{:?}", alert.phase).to_lowercase())
            .filter(|phase| phase != "update")
            .collect()
    }

    /// A power cut: another camera that has only what was stored.
    pub fn restarted(self, rules: &[(&str, &str)]) -> Self {
        let now = self.clock.now();
        let lives = self.watch.lives(now);
        let mut other = Self::with_boot(0xbeef);
        other.clock = self.clock;
        other.source = SimSource::new(other.clock.clone(), 32, 32);
        let records = rules
            .iter()
            .map(|(rule, text)| (id(rule), RuleRecord::new(*text)));
        other
            .watch
            .restore(Vec::new(), records.collect(), lives, now);
        other
    }
}
