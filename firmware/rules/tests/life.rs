//! What holds for every life, whatever is seen: proved on any sequence of looks
//! (sure, unsure, unknown, told twice, late, with gaps, with restarts), and
//! against a naive model on perfect answers.

mod support;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rules::{Armed, FLOOR_INTERVAL, Life, Rule, Seen, Site, Transition, arm};
use scene::{
    BBox, CountBelief, Detection, Id, Moment, Mono, Movement, Passage, Phase, Polygon, Question,
    Track, TrackEvent, TrackId, Unknown, Value, Zone,
};
use serde_json::json;
use support::{Phases, World};

/// `PROPTEST_CASES` asks for more.
fn cases(usual: u32) -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(usual)
}

const ZERO: &str = "2026-01-05T21:58:00Z";

fn armed(rule: serde_json::Value) -> Armed {
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
fn conditions() -> Vec<Armed> {
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
fn passages() -> Vec<Armed> {
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

fn whole(mut rule: serde_json::Value) -> serde_json::Value {
    let fields = rule.as_object_mut().unwrap();
    fields.entry("attributes").or_insert(json!([]));
    rule
}

/// What happens next, `dt` milliseconds after the last thing.
#[derive(Clone, Debug)]
enum Happens {
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

fn happens() -> impl Strategy<Value = (u64, Happens)> {
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

fn steps() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        Just(None),
        (-200i64..200).prop_map(Some),
        prop_oneof![Just(31_536_000i64), Just(-31_536_000)].prop_map(Some),
    ]
}

/// Runs a life and keeps what it says, with times in milliseconds of the test.
struct Run<'a> {
    armed: &'a Armed,
    life: Life,
    /// Milliseconds at which the running monotonic clock was zero.
    base: u64,
    zero: Option<Timestamp>,
    now: u64,
    last: Option<(u64, Option<f32>, u8)>,
    phases: Phases,
    got: Vec<(u64, Phase, u64)>,
    tracks: u64,
}

impl<'a> Run<'a> {
    fn new(armed: &'a Armed) -> Self {
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
        }
    }

    fn moment(&self, at: u64) -> Moment {
        let past = SignedDuration::from_millis(at as i64);
        Moment {
            mono: Mono::from_millis(at.saturating_sub(self.base)),
            wall: self.zero.map(|zero| zero + past),
        }
    }

    fn keep(&mut self, told: Vec<Transition>) {
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

    fn look(&mut self, at: u64, p: Option<f32>, enters: u8) {
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
                    track: track(self.tracks % 7 + 2, "person", None),
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

    fn happen(&mut self, dt: u64, what: &Happens) {
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
    fn restart(&mut self, off: u64) {
        let kept = serde_json::to_string(&self.life.snapshot(self.moment(self.now))).unwrap();
        self.now += off;
        self.base = self.now;
        let now = self.moment(self.now);
        self.life = self
            .armed
            .resume(&serde_json::from_str(&kept).unwrap(), now);
    }
}

fn cooldown(armed: &Armed) -> u64 {
    armed.rule().cooldown().as_millis()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(100), failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens: `new (update | stale)* end`, the cool-down between two
    /// `new`, and nothing panics or says nonsense.
    #[test]
    fn phases_and_cool_downs_hold(
        seq in prop::collection::vec((happens(), prop::option::weighted(0.05, 0u64..120_000), prop::option::weighted(0.05, steps())), 1..120),
    ) {
        for armed in conditions().iter().chain(&passages()) {
            let mut run = Run::new(armed);
            for ((dt, what), off, step) in &seq {
                run.happen(*dt, what);
                if let Some(step) = step {
                    run.happen(0, &Happens::Step(*step));
                }
                if let Some(off) = off {
                    run.restart(*off);
                }
            }
            let news: Vec<u64> = run.got.iter().filter(|g| g.1 == Phase::New).map(|g| g.0).collect();
            for pair in news.windows(2) {
                prop_assert!(pair[1] - pair[0] >= cooldown(armed), "{pair:?} {}", armed.says());
            }
        }
    }

    /// A clock that steps or is lost touches no rule without a schedule.
    #[test]
    fn clock_steps_change_no_duration(
        seq in prop::collection::vec((happens(), prop::option::weighted(0.2, steps())), 1..100),
    ) {
        for armed in conditions().iter().chain(&passages()).filter(|a| !a.needs_clock()) {
            let (mut plain, mut stepped) = (Run::new(armed), Run::new(armed));
            for ((dt, what), step) in &seq {
                plain.happen(*dt, what);
                stepped.happen(*dt, what);
                if let Some(step) = step {
                    stepped.happen(0, &Happens::Step(*step));
                }
            }
            let times = |run: &Run| run.got.iter().map(|g| (g.0, g.1)).collect::<Vec<_>>();
            prop_assert_eq!(times(&plain), times(&stepped), "{}", armed.says());
        }
    }

    /// From some moment on all is unknown: no alert begins, none ends.
    #[test]
    fn unknown_alone_neither_raises_nor_ends(
        seq in prop::collection::vec(happens(), 1..60),
        blind in prop::collection::vec((1u64..40_000, any::<bool>()), 1..60),
    ) {
        for armed in conditions().iter().chain(&passages()).filter(|a| !a.needs_clock()) {
            let mut run = Run::new(armed);
            for (dt, what) in &seq {
                run.happen(*dt, what);
            }
            let known = run.got.len();
            for (dt, look) in &blind {
                let what = if *look { Happens::Look { p: None, enters: 0 } } else { Happens::Tick };
                run.happen(*dt, &what);
            }
            let stale = run.got[known..].iter().all(|g| g.1 == Phase::Stale);
            prop_assert!(stale, "{:?} {}", &run.got[known..], armed.says());
            prop_assert!(run.got.len() <= known + 1);
        }
    }

    /// A restart that takes no time changes nothing, wherever it comes.
    #[test]
    fn restarts_in_no_time_change_nothing(
        seq in prop::collection::vec((happens(), any::<bool>()), 1..100),
    ) {
        for armed in &conditions() {
            let (mut plain, mut restarted) = (Run::new(armed), Run::new(armed));
            for ((dt, what), restart) in &seq {
                if matches!(what, Happens::Late { .. }) {
                    continue; // A frame of another boot does not come.
                }
                plain.happen(*dt, what);
                restarted.happen(*dt, what);
                if *restart {
                    restarted.restart(0);
                }
            }
            prop_assert_eq!(&plain.got, &restarted.got, "{}", armed.says());
        }
    }

    /// A short restart between two looks changes nothing but that the time off
    /// does not count as held.
    #[test]
    fn short_restarts_only_pause_holds(
        seq in prop::collection::vec((1_000u64..25_000, prop_oneof![Just(0.0f32), Just(1.0)], any::<bool>()), 1..80),
    ) {
        for armed in conditions().iter().filter(|a| !a.needs_clock()) {
            let (mut plain, mut restarted) = (Run::new(armed), Run::new(armed));
            for (dt, p, restart) in &seq {
                let look = Happens::Look { p: Some(*p), enters: 1 };
                plain.happen(*dt, &look);
                if *restart {
                    restarted.restart(*dt);
                    restarted.happen(0, &look);
                } else {
                    restarted.happen(*dt, &look);
                }
            }
            // Neither does it count as being out, for a visit.
            if armed.rule().hold().as_millis() == 0 && armed.rule().dedup.is_none() {
                prop_assert_eq!(&plain.got, &restarted.got, "{}", armed.says());
            }
        }
    }

    /// No alert before its hold is full: the time for which somebody vouches,
    /// from the look at which the condition began to hold.
    #[test]
    fn no_alert_before_its_hold_is_full(
        seq in prop::collection::vec((1u64..20_000, prop_oneof![3 => Just(Some(1.0f32)), 1 => Just(Some(0.0)), 1 => Just(None)]), 1..150),
        hold in 1u64..120,
    ) {
        let rule = json!({"subject": "forklift", "predicate": "count", "comparator": "gt", "threshold": 3,
            "for_seconds": hold, "cooldown_seconds": 0});
        let armed = armed(whole(rule));
        let vouched = armed.wanted_interval().as_millis() as u64 * 3;
        let limit = armed.life().gap_limit().as_millis() as u64;
        let mut run = Run::new(&armed);
        let mut looks: Vec<(u64, Option<f32>)> = Vec::new();
        for (dt, p) in &seq {
            let told = run.got.len();
            run.happen(*dt, &Happens::Look { p: *p, enters: 0 });
            looks.push((run.now, *p));
            let Some((at, _, ago)) = run.got[told..].iter().find(|g| g.1 == Phase::New) else {
                continue;
            };
            let since = at - ago;
            let held: Vec<_> = looks.iter().filter(|(t, _)| *t >= since).collect();
            prop_assert_eq!(held[0], &(since, Some(1.0)));
            let counted: u64 = held.windows(2)
                .map(|w| if w[0].1.is_some() { (w[1].0 - w[0].0).min(vouched) } else { 0 })
                .sum();
            prop_assert!(counted >= hold * 1000, "held {counted} ms of {hold} s");
            let known: Vec<u64> = held.iter().filter(|l| l.1.is_some()).map(|l| l.0).collect();
            prop_assert!(known.windows(2).all(|w| w[1] - w[0] <= limit));
        }
    }

    /// Times from anywhere, forwards and backwards, do not panic.
    #[test]
    fn any_times_are_survived(
        times in prop::collection::vec((any::<u64>(), prop::option::of(any::<i64>()), 0u8..4), 1..60),
    ) {
        for armed in conditions().iter().chain(&passages()) {
            let mut life = armed.life();
            for (mono, wall, what) in &times {
                let now = Moment {
                    mono: Mono::from_nanos(*mono),
                    wall: wall.and_then(|s| Timestamp::from_second(s % 300_000_000_000).ok()),
                };
                let person = Detection { class: "person".into(), score: f32::NAN, bbox: BBox { x: 0.0, y: 0.0, w: 0.1, h: 0.1 } };
                match what {
                    0 => { life.tick(now); }
                    1 => { life = armed.resume(&life.snapshot(now), now); }
                    2 => { life.sent(now.mono); }
                    _ => {
                        let detections = [person];
                        life.observe(now, &Seen { detections: Some(&detections), tracks: Some(&[]), ..Seen::default() });
                    }
                }
                life.why(now);
                life.state(now);
                life.next_wake(now);
                life.wanted_interval();
            }
        }
    }
}

/// What hold, cool-down and reminders are on perfect answers, said as plainly
/// as can be: each look judged from the whole story so far.
fn naive(looks: &[(u64, bool)], hold: u64, cooldown: u64) -> Vec<(u64, Phase)> {
    let mut told: Vec<(u64, Phase)> = Vec::new();
    for i in 1..looks.len() {
        let (now, yes) = looks[i];
        let open = told.last().is_some_and(|t| t.1 != Phase::End);
        let sent = told.iter().rev().find(|t| t.1 != Phase::End).map(|t| t.0);
        let run = (0..=i)
            .rev()
            .take_while(|j| looks[*j].1 == yes)
            .last()
            .unwrap_or(i);
        let confirmed = run < i;
        if !open && yes && confirmed && now - looks[run].0 >= hold {
            if sent.is_none_or(|sent| now - sent >= cooldown) {
                told.push((now, Phase::New));
            }
        } else if open && !yes && confirmed {
            told.push((now, Phase::End));
        } else if open
            && yes
            && cooldown > 0
            && sent.is_some_and(|s| now - s >= cooldown.max(10_000))
        {
            told.push((now, Phase::Update));
        }
    }
    told
}

/// Events in a window, counted from scratch at each look.
fn naive_rate(looks: &[u64], events: &[u64], window: u64, more_than: usize) -> Vec<(u64, Phase)> {
    let mut told: Vec<(u64, Phase)> = Vec::new();
    for now in looks {
        let open = told.last().is_some_and(|t| t.1 == Phase::New);
        let count = events
            .iter()
            .filter(|e| **e <= *now && now - **e < window)
            .count();
        let watched = now - looks[0] >= window;
        if !open && count > more_than {
            told.push((*now, Phase::New));
        } else if open && count <= more_than && watched {
            told.push((*now, Phase::End));
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(300), failure_persistence: None, ..ProptestConfig::default() })]

    /// Life agrees with the naive model, step for step.
    #[test]
    fn life_is_the_naive_model_on_perfect_answers(
        runs in prop::collection::vec(prop::collection::vec(1_000u64..4_000, 8..25), 1..14),
        hold in 0u64..60,
        cooldown in prop_oneof![Just(0u64), 1u64..120],
    ) {
        let rule = json!({"subject": "forklift", "predicate": "count", "comparator": "gt", "threshold": 3,
            "for_seconds": hold, "cooldown_seconds": cooldown});
        let armed = armed(whole(rule));
        let mut run = Run::new(&armed);
        let mut looks = Vec::new();
        for (n, run_of) in runs.iter().enumerate() {
            for dt in run_of {
                let yes = n % 2 == 1;
                run.happen(*dt, &Happens::Look { p: Some(if yes { 1.0 } else { 0.0 }), enters: 0 });
                looks.push((run.now, yes));
            }
        }
        let got: Vec<(u64, Phase)> = run.got.iter().map(|g| (g.0, g.1)).collect();
        prop_assert_eq!(got, naive(&looks, hold * 1000, cooldown * 1000));
    }

    /// And on events in a window.
    #[test]
    fn rates_are_the_naive_model(
        seq in prop::collection::vec((100u64..2_500, 0u8..3), 1..150),
        window in 5u64..60,
        more_than in 0usize..8,
    ) {
        let rule = json!({"subject": "person", "predicate": "event", "action": "enter", "zone": "yard",
            "comparator": "gt", "threshold": more_than, "window_seconds": window, "cooldown_seconds": 0});
        let armed = armed(whole(rule));
        let mut run = Run::new(&armed);
        let (mut looks, mut events) = (Vec::new(), Vec::new());
        for (dt, enters) in &seq {
            run.happen(*dt, &Happens::Look { p: Some(0.0), enters: *enters });
            looks.push(run.now);
            events.extend((0..*enters).map(|_| run.now));
        }
        let got: Vec<(u64, Phase)> = run.got.iter().filter(|g| g.1 != Phase::Update).map(|g| (g.0, g.1)).collect();
        prop_assert_eq!(got, naive_rate(&looks, &events, window * 1000, more_than));
    }
}

/// A day of a crowd that runs in and out: what is remembered stays bounded.
#[test]
fn memory_is_bounded() {
    let rule = json!({"subject": "person", "predicate": "event", "action": "enter", "zone": "yard",
        "comparator": "gt", "threshold": 1_000_000, "window_seconds": 86_400});
    let armed = armed(whole(rule));
    let mut run = Run::new(&armed);
    for _ in 0..200 {
        run.happen(
            1_000,
            &Happens::Look {
                p: Some(0.0),
                enters: 250,
            },
        );
    }
    let kept = serde_json::to_value(run.life.snapshot(run.moment(run.now))).unwrap();
    assert_eq!(kept["passages_ago"][0].as_array().unwrap().len(), 10_000);
    assert_eq!(run.life.value(), Some(10_000));
}
