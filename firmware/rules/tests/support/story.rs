//! Anything that can happen to a rule, and what its life makes of it.

#![allow(dead_code)] // Each test uses its part.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rules::{Armed, FLOOR_INTERVAL, Life, Rule, Seen, Site, Transition, arm};
use scene::{
    BBox, CountBelief, Detection, Id, Moment, Mono, Movement, Passage, Phase, Polygon, Question,
    Track, TrackEvent, TrackId, Unknown, Value, Zone,
};
use serde_json::json;

use super::support::{Phases, World};

/// `PROPTEST_CASES` asks for more.
pub fn cases(usual: u32) -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

pub const ZERO: &str = "2026-01-05T21:58:00Z";

pub fn armed(rule: serde_json::Value) -> Armed {
    let rule: Rule = serde_json::from_value(rule).unwrap();
    let world = World {
        classes: vec!["person".into(), "bag".into()],
        model: true,
    };
    let square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];
    let zones = [Zone {
        name: Id::new("yard").unwrap(),
        polygon: serde_json::from_value::<Polygon>(json!(square)).unwrap(),
    }];
    arm(&rule, &Site::new(&zones), &world).unwrap()
}

/// Conditions, by answers and by detections; their ends and beginnings do not
/// depend on tracks.
pub fn conditions() -> Vec<Armed> {
    let night = json!({"days": null, "start": "22:00", "end": "22:02"});
    [
        json!({"subject": "forklift", "predicate": "count", "comparator": "gt", "threshold": 3, "for_seconds": 10}),
        json!({"subject": "door", "predicate": "state", "state": "open", "cooldown_seconds": 30}),
        json!({"subject": "person", "predicate": "absence", "for_seconds": 7, "cooldown_seconds": 0}),
        json!({"subject": "person", "predicate": "presence", "dedup": "per_episode"}),
        json!({"subject": "person", "predicate": "presence", "schedule": night, "for_seconds": 3}),
        json!({"any": [{"subject": "smoke", "predicate": "presence", "attributes": []},
                       {"subject": "person", "predicate": "presence", "attributes": []}]}),
        json!({"subject": "person", "predicate": "event", "action": "enter", "zone": "yard",
               "comparator": "gt", "threshold": 2, "window_seconds": 20}),
        json!({"subject": "person", "predicate": "event", "action": "enter", "zone": "yard",
               "comparator": "lt", "threshold": 2, "window_seconds": 20}),
    ]
    .map(whole)
    .map(armed)
    .into()
}

/// Rules in which tracks do something.
pub fn passages() -> Vec<Armed> {
    let enter = json!({"subject": "person", "predicate": "event", "action": "enter", "zone": "yard", "attributes": []});
    let gate = json!({"subject": "gate", "predicate": "state", "state": "open", "attributes": []});
    let with = |extra: serde_json::Value| {
        let mut rule = enter.clone();
        let fields = extra.as_object().unwrap().clone();
        rule.as_object_mut().unwrap().extend(fields);
        rule
    };
    [
        with(json!({"cooldown_seconds": 5})),
        with(json!({"dedup": "per_episode", "cooldown_seconds": 1})),
        with(json!({"attributes": ["red"], "cooldown_seconds": 1})),
        json!({"any": [enter, gate], "cooldown_seconds": 5}),
        json!({"all": [enter, gate], "cooldown_seconds": 5}),
        json!({"subject": "unattended bag", "predicate": "presence", "for_seconds": 5}),
    ]
    .map(whole)
    .map(armed)
    .into()
}

pub fn whole(mut rule: serde_json::Value) -> serde_json::Value {
    let fields = rule.as_object_mut().unwrap();
    fields.entry("attributes").or_insert(json!([]));
    rule
}

/// What happens next, `dt` milliseconds after the last thing.
#[derive(Clone, Debug)]
pub enum Happens {
    /// A look; `p` is how strongly it speaks for the condition, `None` unknown.
    Look {
        p: Option<f32>,
        enters: u8,
    },
    /// The last look again.
    Again,
    /// A frame from before the last one.
    Late {
        by: u64,
        p: f32,
    },
    Tick,
    /// The wall clock steps by so many seconds; `None` loses it.
    Step(Option<i64>),
}

pub fn happens() -> impl Strategy<Value = (u64, Happens)> {
    let p = prop_oneof![Just(0.0f32), Just(1.0), Just(0.97), 0.0f32..1.0];
    let what = prop_oneof![
        8 => (p, 0u8..3).prop_map(|(p, enters)| Happens::Look { p: Some(p), enters }),
        2 => Just(Happens::Look { p: None, enters: 0 }),
        1 => Just(Happens::Again),
        1 => (1u64..20_000, 0.0f32..1.0).prop_map(|(by, p)| Happens::Late { by, p }),
        2 => Just(Happens::Tick),
    ];
    let dt = prop_oneof![8 => 1u64..3_000, 2 => 3_000u64..20_000, 1 => 20_000u64..90_000];
    (dt, what)
}

pub fn steps() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        Just(None),
        (-200i64..200).prop_map(Some),
        prop_oneof![Just(31_536_000i64), Just(-31_536_000)].prop_map(Some),
    ]
}

/// Runs a life and keeps what it says, with times in milliseconds of the test.
pub struct Run<'a> {
    pub armed: &'a Armed,
    pub life: Life,
    /// Milliseconds at which the running monotonic clock was zero.
    pub base: u64,
    pub zero: Option<Timestamp>,
    pub now: u64,
    pub last: Option<(u64, Option<f32>, u8)>,
    pub phases: Phases,
    pub got: Vec<(u64, Phase, u64)>,
    pub tracks: u64,
    /// How many persons there are.
    pub visitors: u64,
}

impl<'a> Run<'a> {
    pub fn new(armed: &'a Armed) -> Self {
        Self {
            armed,
            life: armed.life(),
            base: 0,
            zero: Some(ZERO.parse().unwrap()),
            now: 0,
            last: None,
            phases: Phases::default(),
            got: Vec::new(),
            tracks: 0,
            visitors: 7,
        }
    }

    pub fn moment(&self, at: u64) -> Moment {
        let past = SignedDuration::from_millis(at as i64);
        Moment {
            mono: Mono::from_millis(at.saturating_sub(self.base)),
            wall: self.zero.map(|zero| zero + past),
        }
    }

    pub fn keep(&mut self, told: Vec<Transition>) {
        for step in told {
            self.phases.next(step.phase).unwrap();
            assert!((0.0..=1.0).contains(&step.confidence), "{step:?}");
            assert!(!step.says.is_empty());
            assert!(step.since.mono <= step.at.mono, "{step:?}");
            self.life.sent(step.at.mono);
            let at = step.at.mono.as_nanos() / 1_000_000 + self.base;
            // Reckoned back from the wall, since it may be before this boot.
            let ago = match (step.at.wall, step.since.wall) {
                (Some(at), Some(since)) => at.duration_since(since).as_millis() as u64,
                _ => 0,
            };
            self.got.push((at, step.phase, ago));
        }
        let now = self.moment(self.now);
        assert!(!self.life.why(now).is_empty());
        assert!(self.life.wanted_interval() >= FLOOR_INTERVAL);
        assert!(self.life.next_wake(now).is_none_or(|wake| wake > now.mono));
        if self.life.active() {
            use rules::State::{Fired, Stale, Waiting};
            assert!(matches!(self.life.state(now), Fired | Stale | Waiting));
        }
    }

    pub fn look(&mut self, at: u64, p: Option<f32>, enters: u8) {
        let questions: Vec<Question> = self.armed.questions().to_vec();
        let answer = |q: &Question| match (p, &q.kind) {
            (None, _) => Value::Unknown(Unknown::Timeout),
            (Some(p), scene::QuestionKind::Count) => {
                let weights = vec![0.0, 1.0 - p, 0.0, 0.0, 0.0, p];
                CountBelief::from_weights(weights)
                    .map_or(Value::Unknown(Unknown::Unsure), Value::Count)
            }
            (Some(p), _) => Value::YesNo(p),
        };
        let values: Vec<Value> = questions.iter().map(answer).collect();
        let answers: Vec<(&Question, &Value)> = questions.iter().zip(&values).collect();
        let moment = self.moment(at);
        let bbox = BBox {
            x: 0.4,
            y: 0.4,
            w: 0.1,
            h: 0.1,
        };
        let detections: Option<Vec<Detection>> = p.map(|score| {
            let class = "person".to_owned();
            vec![Detection { class, score, bbox }]
        });
        let yard = Id::new("yard").unwrap();
        let track = |id: u64, class: &str, still: Option<Mono>| Track {
            id: TrackId(id),
            class: class.into(),
            score: p.unwrap_or(0.9).max(0.5),
            bbox,
            since: moment.mono,
            seen: moment.mono,
            still_since: still,
            alone_since: still,
            zones: vec![yard.clone()],
            zones_since: vec![moment.mono],
            movement: Movement::NONE,
        };
        let still = p.is_some_and(|p| p > 0.5).then_some(moment.mono);
        let tracks = p.map(|_| vec![track(1, "bag", still)]);
        let events: Vec<TrackEvent> = (0..enters)
            .map(|_| {
                self.tracks += 1;
                TrackEvent {
                    track: track(self.tracks % self.visitors + 2, "person", None),
                    what: Passage::Enter(yard.clone()),
                    at: moment.mono,
                }
            })
            .collect();
        let seen = Seen {
            answers: &answers,
            detections: detections.as_deref(),
            tracks: tracks.as_deref(),
            events: &events,
        };
        let told = self.life.observe(moment, &seen);
        self.keep(told);
    }

    pub fn happen(&mut self, dt: u64, what: &Happens) {
        self.now += dt;
        match what {
            Happens::Look { p, enters } => {
                self.last = Some((self.now, *p, *enters));
                self.look(self.now, *p, *enters);
            }
            Happens::Again => {
                // A frame of another boot does not come.
                if let Some((at, p, enters)) = self.last.filter(|l| l.0 >= self.base) {
                    self.look(at, p, enters);
                }
            }
            Happens::Late { by, p } => {
                // Of this boot, as frames are.
                if let Some((last, ..)) = self.last {
                    let at = last.saturating_sub(*by).max(self.base);
                    if at <= last {
                        self.look(at, Some(*p), 1);
                    }
                }
            }
            Happens::Tick => {
                let told = self.life.tick(self.moment(self.now));
                self.keep(told);
            }
            Happens::Step(by) => {
                self.zero = by.map(|by| {
                    let zero: Timestamp = self.zero.unwrap_or(ZERO.parse().unwrap());
                    zero + SignedDuration::from_secs(by)
                });
            }
        }
    }

    /// Off for `off` milliseconds, and begun again from what was kept.
    pub fn restart(&mut self, off: u64) {
        let kept = serde_json::to_string(&self.life.snapshot(self.moment(self.now))).unwrap();
        self.now += off;
        self.base = self.now;
        let now = self.moment(self.now);
        self.life = self
            .armed
            .resume(&serde_json::from_str(&kept).unwrap(), now);
    }
}

pub fn cooldown(armed: &Armed) -> u64 {
    armed.rule().cooldown().as_millis()
}
