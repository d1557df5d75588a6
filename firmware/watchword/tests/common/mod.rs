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
use spool::{Limits, Note, RuleRecord, Snapshot, Store};
use watchword::watch::inbox::ReplyTo;
use watchword::watch::{Effect, Event, Info, Looked, Request, Setup, Unseen, Watch};

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
    /// How long looks take; at once unless set. While one runs the board draws
    /// `look_draws` more.
    pub look_takes: Duration,
    pub look_draws: f64,
    /// The operating points of the last 100 looks.
    pub points: Vec<String>,
    /// Points that the model can't run at.
    pub no_point: Vec<String>,
    /// What the store holds beside rules.
    pub notes: Store,
    dir: tempfile::TempDir,
    config: governor::Config,
    under_way: Option<(Mono, Looked)>,
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
        Self::with(boot, governor::Config::default())
    }

    pub fn with(boot: u32, config: governor::Config) -> Self {
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
            metered: true,
            boot,
            info: Info::default(),
        };
        let governor = Governor::new(config.clone());
        let dir = tempfile::tempdir().unwrap();
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
            look_takes: Duration::ZERO,
            look_draws: 0.0,
            points: Vec::new(),
            no_point: Vec::new(),
            notes: Store::open(&dir.path().join("notes"), Limits::default()).unwrap(),
            dir,
            config,
            under_way: None,
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
                        let number = order.number;
                        let point = order.point.to_string();
                        if self.no_point.contains(&point) {
                            let seen = Err(Unseen::NoPoint("it is missing".into()));
                            events.push(Event::Looked(Looked { number, seen }));
                            continue;
                        }
                        if self.points.len() >= 100 {
                            self.points.remove(0);
                        }
                        self.points.push(point);
                        let frame = self.source.next(Duration::from_millis(200));
                        let seen = frame.map(|frame| {
                            let mut sight = self.model.look(
                                &frame,
                                &order.zones,
                                &order.questions,
                                order.detect,
                                order.deadline,
                            );
                            if !self.look_takes.is_zero() {
                                sight.latency = self.look_takes;
                            }
                            (frame, sight)
                        });
                        let seen = seen.ok_or(Unseen::NoFrame);
                        let looked = Looked { number, seen };
                        if self.look_takes.is_zero() {
                            events.push(Event::Looked(looked));
                        } else {
                            let until = self.clock.now().mono + self.look_takes;
                            self.under_way = Some((until, looked));
                        }
                    }
                    Effect::GiveUp { reason, number } => {
                        self.given_up.push(reason);
                        events.extend(self.cancelled(number));
                    }
                    Effect::Store(batch) => {
                        self.stored += 1;
                        self.notes.commit(batch).unwrap();
                    }
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

    /// The look under way ends without answers.
    fn cancelled(&mut self, number: u64) -> Option<Event> {
        let (until, mut looked) = self.under_way.take()?;
        assert_eq!(looked.number, number);
        if let Ok((_, sight)) = &mut looked.seen {
            sight.latency -= until.since(self.clock.now().mono);
            for answer in &mut sight.answers {
                answer.value = scene::Value::Unknown(scene::Unknown::Cancelled);
            }
            sight.detections = None;
        }
        Some(Event::Looked(looked))
    }

    /// Lets time pass, waking the machine when it wants to be woken.
    pub fn run(&mut self, seconds: f64) {
        let until = self.clock.now().mono + Duration::from_secs_f64(seconds);
        while self.clock.now().mono < until {
            let now = self.clock.now();
            let over = self.under_way.as_ref().map_or(until, |(over, _)| *over);
            let wake = self
                .watch
                .next_wake(now)
                .min(self.read_at)
                .min(over)
                .min(until);
            let step = wake.since(now.mono).max(Duration::from_millis(10));
            self.clock.advance(step);
            let over = |(over, _): &mut (Mono, Looked)| *over <= self.clock.now().mono;
            if let Some((_, looked)) = self.under_way.take_if(over) {
                self.event(Event::Looked(looked));
            }
            if self.clock.now().mono >= self.read_at {
                self.read_at = self.clock.now().mono + READ_EVERY;
                let mut readings = self.board.read();
                if let Some(board) = readings.board.as_mut().filter(|_| self.under_way.is_some()) {
                    board.value.0 += self.look_draws;
                }
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

    pub fn limit(&mut self, payload: &str) {
        self.event(Event::Operator(Request::Limit {
            payload: Ok(payload.into()),
        }));
    }

    pub fn power(&self) -> Json {
        serde_json::from_str(self.state("power").expect("power is told")).unwrap()
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
        let config = self.config.clone();
        let mut other = Self::with(0xbeef, config);
        let notes = [Note::Costs, Note::Limit].map(|note| self.notes.note(note).unwrap());
        other.watch.recall(notes[0].as_deref(), notes[1].as_deref());
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
