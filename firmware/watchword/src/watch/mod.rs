//! The watch loop's core: one plain state machine that owns everything that
//! changes while the camera runs. Events in, effects out; it reads no clock,
//! no file and no socket, so that a test or a replay drives it as it likes.

mod asks;
mod book;
mod event;
pub mod inbox;
mod power;
mod report;
mod source;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use governor::{Cause, Decision, Governor};
use scene::ports::{Knowledge, Readings, SourceState};
use scene::{
    Alert, AlertId, Detection, Evidence, Frame, Id, Moment, Mono, OperatingPoint, Phase, Question,
    Sight, Unknown, Value, Zone,
};
use spool::Snapshot;
use tracking::Tracker;

use crate::link::topics::Topics;
use asks::Ask;
pub use asks::{AskAnswer, ModelName, kind_of, question};
use book::{Entry, OpenAlert};
pub use event::{Drops, Effect, Event, Looked, Order, Raise, Request, Unseen};
use power::Balance;
pub use report::Info;

/// The most rules a camera watches.
pub const MAX_RULES: usize = 32;

/// The most zones that may be drawn.
pub const MAX_ZONES: usize = 32;

/// Alerts show the frame that decided when they begin and when they change.
const PICTURED: [Phase; 2] = [Phase::New, Phase::Update];

/// How long to wait after a look that found no frame.
const FRAMELESS_PAUSE: Duration = Duration::from_secs(1);

/// How often `info` is published again, so that its share of unknown answers
/// is no older than this.
const INFO_EVERY: Duration = Duration::from_secs(60);

/// What the machine is told once.
pub struct Setup {
    /// The camera's id.
    pub camera: Id,
    /// Time zone of schedules.
    pub time_zone: jiff::tz::TimeZone,
    /// Where the camera is, for sunrise and sunset.
    pub position: Option<rules::Position>,
    /// What the model can do.
    pub knowledge: Arc<dyn Knowledge>,
    /// What pictures alerts carry unless their rule says otherwise.
    pub snapshot: Snapshot,
    /// Given to every look.
    pub deadline: Duration,
    /// Looks are never wanted less often than this; `None` leaves it to each
    /// rule. A replay sets it to the spacing of its frames.
    pub every: Option<Duration>,
    /// Whether watts are those of a board. A replay has none: it tells no
    /// costs.
    pub metered: bool,
    /// Random tag of this boot, for alert ids.
    pub boot: u32,
    /// What `info` says beside what the machine knows itself.
    pub info: Info,
}

/// The machine.
pub struct Watch {
    setup: Setup,
    topics: Topics,
    rules: BTreeMap<Id, Entry>,
    zones: Vec<Zone>,
    governor: Governor,
    balance: Balance,
    tracker: Tracker,
    source: SourceState,
    /// Wall time of its last change of kind, if that is known.
    source_since: Option<jiff::Timestamp>,
    connected: bool,
    looking: Option<Looking>,
    orders: u64,
    asks: VecDeque<Ask>,
    alerts: u64,
    answers: u64,
    unknowns: u64,
    /// Of the answers, those that were given again since nothing had changed.
    reused: u64,
    hold: Option<Hold>,
    /// No look is ordered before this, since the last one found no frame.
    frameless_until: Mono,
    /// The last look found no frame.
    frameless: bool,
    info_at: Option<Mono>,
}

/// The look under way.
struct Looking {
    order: Order,
    rules: Vec<Id>,
    asks: Vec<Ask>,
    /// Why it was given up.
    given_up: Option<String>,
}

/// Why there is no look now.
struct Hold {
    cause: Cause,
    reason: String,
    until: Mono,
}

/// What a verdict rests on: who answered, and how much older than the frame
/// the answer is if it was given again.
#[derive(Clone)]
struct Basis {
    model: String,
    age: Option<Duration>,
    /// How it was run, if the answer is of this very look.
    point: Option<OperatingPoint>,
}

impl From<String> for Basis {
    fn from(model: String) -> Self {
        Self {
            model,
            age: None,
            point: None,
        }
    }
}

impl Watch {
    /// A machine with no rules. `readings` are the board's first, read at
    /// `now`.
    pub fn new(setup: Setup, mut governor: Governor, readings: &Readings, now: Mono) -> Self {
        governor.observe(now, readings);
        let tracker = Tracker::new(tracking::Config::default());
        Self {
            topics: Topics::new(&setup.camera),
            setup,
            rules: BTreeMap::new(),
            zones: Vec::new(),
            balance: Balance::new(readings, now),
            governor,
            tracker,
            source: SourceState::Live,
            source_since: None,
            connected: false,
            looking: None,
            orders: 0,
            asks: VecDeque::new(),
            alerts: 0,
            answers: 0,
            unknowns: 0,
            reused: 0,
            hold: None,
            frameless_until: Mono::ZERO,
            frameless: false,
            info_at: None,
        }
    }

    /// Takes in one event and says what is to be done, in order.
    pub fn handle(&mut self, event: Event, now: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Tick => {}
            Event::Readings(readings) => self.read(readings, now, &mut effects),
            Event::Dropped(drops) => self.dropped(drops),
            Event::Trial => self.trial(),
            Event::Source(state) => self.source_is(state, now, &mut effects),
            Event::LinkUp => {
                self.connected = true;
                self.publish_everything(now, &mut effects);
            }
            Event::LinkDown => self.connected = false,
            Event::Operator(request) => self.requested(request, now, &mut effects),
            Event::Looked(looked) => self.looked(looked, now, &mut effects),
        }
        self.tick_lives(now, &mut effects);
        self.order_look(now, &mut effects);
        self.publish_changes(now, &mut effects);
        self.publish_power(now, &mut effects);
        self.keep_costs(now, &mut effects);
        effects
    }

    /// When to hand in a [`Event::Tick`] at the latest.
    pub fn next_wake(&self, now: Moment) -> Mono {
        let lives = self.rules.values().filter_map(|entry| entry.next_wake(now));
        let hold = self
            .hold
            .iter()
            .map(|hold| hold.until.max(self.frameless_until));
        let latest = now.mono + Duration::from_secs(1);
        lives.chain(hold).fold(latest, Mono::min).max(now.mono)
    }

    /// The order under way, if any.
    pub fn looking(&self) -> Option<&Order> {
        self.looking.as_ref().map(|looking| &looking.order)
    }

    fn requested(&mut self, request: Request, now: Moment, effects: &mut Vec<Effect>) {
        match request {
            Request::Rule { id, payload } => self.rule_request(id, &payload, now, effects),
            Request::Zone { name, payload } => self.zone_request(name, &payload, now, effects),
            Request::Limit { payload } => self.limit_request(payload, effects),
            Request::Check { payload, reply } => self.check_request(&payload, reply, effects),
            Request::Ask { payload, reply } => self.ask_request(&payload, reply, effects),
        }
    }

    fn order_look(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let frameless = now.mono < self.frameless_until;
        if self.looking.is_some() || frameless || self.source == SourceState::Ended {
            return;
        }
        let asks: Vec<Ask> = self.asks.drain(..).collect();
        let decision = match asks.is_empty() {
            true => self.governor.decide(now.mono),
            false => self.governor.decide_asked(now.mono),
        };
        let (rules, point) = match decision {
            Decision::Look { rules, point, .. } => (rules, point),
            Decision::Hold {
                cause,
                reason,
                until,
            } => {
                for ask in asks {
                    let why = format!("the camera can't look now: {reason}");
                    self.answer_ask(ask, Err(why), effects);
                }
                self.hold = Some(Hold {
                    cause,
                    reason,
                    until,
                });
                return;
            }
        };
        self.hold = None;
        let mut questions: Vec<Question> = Vec::new();
        let of_rules = rules.iter().filter_map(|id| self.rules.get(id)?.armed());
        let wanted = of_rules
            .flat_map(|armed| armed.questions())
            .chain(asks.iter().map(|ask| &ask.question));
        for question in wanted {
            if !questions.contains(question) {
                questions.push(question.clone());
            }
        }
        let watching = |id| self.rules.get(id).and_then(Entry::armed);
        let detect = (rules.iter().filter_map(watching))
            .any(|armed| armed.needs_detections() || armed.needs_tracks());
        self.orders += 1;
        let order = Order {
            number: self.orders,
            questions,
            zones: self.zones.clone(),
            detect,
            deadline: self.setup.deadline,
            point,
        };
        effects.push(Effect::Look(order.clone()));
        self.looking = Some(Looking {
            order,
            rules,
            asks,
            given_up: None,
        });
    }

    fn looked(&mut self, looked: Looked, now: Moment, effects: &mut Vec<Effect>) {
        let Some(looking) = self.looking.take_if(|l| l.order.number == looked.number) else {
            tracing::warn!(
                number = looked.number,
                "a look came back that nobody waits for"
            );
            return;
        };
        let (frame, mut sight) = match looked.seen {
            Ok(seen) => seen,
            Err(unseen) => {
                self.governor.cancel(now.mono);
                let why = match unseen {
                    Unseen::NoFrame => {
                        self.frameless_until = now.mono + FRAMELESS_PAUSE;
                        self.frameless = true;
                        Unknown::NoFrame
                    }
                    Unseen::GivenUp => Unknown::Cancelled,
                    Unseen::NoPoint(why) => {
                        self.point_lost(&looking.order.point, why.clone());
                        Unknown::Failed(why)
                    }
                };
                for ask in looking.asks {
                    self.answer_ask(ask, Err(why.to_string()), effects);
                }
                return;
            }
        };
        self.frameless = false;
        match sight.reused() {
            true => self.governor.reused(now.mono),
            false => {
                let (latency, fresh) = (sight.latency, sight.fresh_answers());
                let took = (self.governor).settle(now.mono, sight.joules, latency, fresh);
                power::took(&mut sight, took);
            }
        }
        let trial = looking.asks.iter().all(Ask::is_trial) && looking.rules.is_empty();
        for answer in sight.answers.iter().filter(|_| !trial) {
            self.answers += 1;
            self.reused += u64::from(answer.age.is_some());
            self.unknowns += u64::from(matches!(answer.value, Value::Unknown(_)));
        }
        for ask in looking.asks {
            let at = (looking.order.questions.iter()).position(|q| *q == ask.question);
            let answer = at.and_then(|at| sight.answers.get(at)).cloned();
            let answer = answer.map(|answer| (answer, looking.order.point.clone()));
            let answer = answer.ok_or_else(|| Unknown::NoFrame.to_string());
            self.answer_ask(ask, answer, effects);
        }
        self.observe(&looking.order, &looking.rules, &frame, &sight, now, effects);
    }

    /// Shows every rule of the order what was seen.
    fn observe(
        &mut self,
        order: &Order,
        ids: &[Id],
        frame: &Frame,
        sight: &Sight,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let at = Moment {
            mono: frame.captured.mono,
            wall: frame.captured.wall.or(now.wall_at(frame.captured.mono)),
        };
        // Distances between tracks are those of this very picture; a source
        // may come back with another format.
        self.tracker
            .set_aspect(frame.width as f32 / frame.height as f32);
        let update = sight
            .detections
            .as_deref()
            .map(|detections: &[Detection]| self.tracker.update(at.mono, detections, &self.zones));
        let answers: Vec<(&Question, &Value)> = (order.questions.iter())
            .zip(sight.answers.iter().map(|answer| &answer.value))
            .collect();
        let seen = rules::Seen {
            answers: &answers,
            detections: sight.detections.as_deref(),
            tracks: update.as_ref().map(|update| update.tracks.as_slice()),
            events: update.as_ref().map_or(&[], |update| &update.events),
        };
        // Passages are told once, so every rule that waits for them hears of
        // them now, whether it was due or not.
        let passed = !seen.events.is_empty();
        let basis = |entry: &Entry| {
            let asked = entry.armed().map_or(&[][..], |armed| armed.questions());
            let index = asked
                .first()
                .and_then(|q| order.questions.iter().position(|other| other == q));
            let (model, age) = match index.and_then(|index| sight.answers.get(index)) {
                Some(answer) => (answer.model.clone(), answer.age),
                None => (self.setup.knowledge.name(), sight.detections_age),
            };
            Basis {
                model,
                age,
                // A detector's answer is not the model's, but runs beside it.
                point: age.is_none().then(|| order.point.clone()),
            }
        };
        let mut raised = Vec::new();
        for (id, entry) in &mut self.rules {
            let due = ids.contains(id);
            let (basis, stated) = (basis(entry), entry.stated_interval());
            if due {
                entry.looked = now.mono;
            }
            let Some(watching) = entry.watching_mut() else {
                continue;
            };
            if !(due || passed && watching.armed.needs_tracks()) {
                continue;
            }
            if let Some(interval) = self.governor.interval_now(id) {
                watching.life.slowed_to(interval);
            }
            for transition in watching.life.observe(at, &seen) {
                raised.push((id.clone(), transition, basis.clone()));
            }
            let wish = watching.wish(self.setup.every, stated);
            self.governor.set_wanted(id, wish.wanted, wish.need);
        }
        let cost = Some((sight, now.mono.since(frame.captured.mono)));
        for (id, transition, basis) in raised {
            self.raise(&id, transition, Some(frame), basis, cost, now, effects);
        }
    }

    fn tick_lives(&mut self, now: Moment, effects: &mut Vec<Effect>) {
        let mut raised = Vec::new();
        for (id, entry) in &mut self.rules {
            if let Some(watching) = entry.watching_mut() {
                let transitions = watching.life.tick(now);
                raised.extend(transitions.into_iter().map(|t| (id.clone(), t)));
            }
        }
        for (id, transition) in raised {
            let basis = self.setup.knowledge.name().into();
            self.raise(&id, transition, None, basis, None, now, effects);
        }
    }

    /// Builds the alert of a transition and keeps its id through the phases.
    #[allow(clippy::too_many_arguments)]
    fn raise(
        &mut self,
        id: &Id,
        transition: rules::Transition,
        frame: Option<&Frame>,
        basis: Basis,
        cost: Option<(&Sight, Duration)>,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) {
        let boot = self.setup.boot;
        let Some(entry) = self.rules.get_mut(id) else {
            return;
        };
        let snapshot = entry.snapshot().unwrap_or(self.setup.snapshot);
        let Some(watching) = entry.watching_mut() else {
            return;
        };
        let open = match (&watching.open, transition.phase) {
            (_, Phase::New) | (None, _) => {
                self.alerts += 1;
                OpenAlert {
                    id: AlertId::new(boot, self.alerts),
                    since: transition.since.wall.or(now.wall_at(transition.since.mono)),
                }
            }
            (Some(open), _) => open.clone(),
        };
        watching.open = (transition.phase != Phase::End).then(|| open.clone());
        watching.life.sent(transition.at.mono);
        let shown = frame.filter(|_| PICTURED.contains(&transition.phase));
        let nothing = scene::Quantity::modelled(scene::Joules(0.0));
        let alert = Alert {
            v: Alert::VERSION,
            id: open.id,
            rule: id.clone(),
            phase: transition.phase,
            severity: watching.armed.severity(),
            since: open.since,
            says: transition.says,
            evidence: Evidence {
                answer: transition.answer,
                confidence: transition.confidence,
                frame_time: frame.and_then(|f| f.captured.wall.or(now.wall_at(f.captured.mono))),
                answer_age_seconds: basis.age.map(|age| age.as_secs_f64()),
                model: basis.model,
                point: basis.point,
                image_sha256: None,
            },
            joules: cost.map_or(nothing, |(sight, _)| sight.joules),
            latency_ms: cost.map_or(0, |(_, latency)| latency.as_millis() as u64),
        };
        effects.push(Effect::Raise(Box::new(Raise {
            alert,
            frame: shown.cloned(),
            snapshot,
            life: watching.save(now),
        })));
    }

    /// The lives of all rules, for the store, at a clean stop.
    pub fn lives(&self, now: Moment) -> Vec<(Id, Vec<u8>)> {
        let watching = |(id, entry): (&Id, &Entry)| Some((id.clone(), entry.watching()?.save(now)));
        self.rules.iter().filter_map(watching).collect()
    }
}
