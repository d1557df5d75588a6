//! Rules over time: what is seen second by second, and when alerts begin and
//! end. One file a timeline under `timelines/`; a new one needs no Rust.
//!
//! - `proves`: in a sentence, what it is there for.
//! - `rule`: a sentence, or a rule as the echo's `understood` has it (keys may
//!   be left out). `knows`: the detector's classes ("person", "bag", "car" if
//!   left out). `model`: whether it can answer questions (true). `zones`: drawn
//!   ones, name -> polygon. `time_zone` (UTC), `position`: [latitude, longitude]
//!   in degrees. `slowed`: seconds from look to look that the rule is told.
//! - `clock`: the wall time of second 0; without it there is none. `steps`:
//!   `[second, wall time]` to which the clock is set then; `null` loses it.
//! - `look`: a list of `{"from", "to", "every", ...}` with one of `count`, `yes`
//!   (a probability), `unknown`, `detections`, `tracks`, or none of them for a
//!   look that sees nothing; `answers` gives several questions' answers by a
//!   word in them. A look that comes `late` by so many seconds keeps its time.
//! - `events`: `{"at", "what", "zone", "track", "class"}`, told at the next look.
//! - `restart`: `[saved, back]` in seconds, or one number for both: the life is
//!   saved, and begun again on a monotonic clock that starts at zero. The looks
//!   between are lost.
//! - `tick`: seconds from tick to tick (0.5). `until`: the end, if later than
//!   the last look.
//! - `expect`: `[second, phase]` in order; seconds may be off by `within` (0.01).
//!   `says` is the first step's sentence, `said` is `[index, sentence]`. `why`
//!   and `state` are `[second, text]`, after the look then; `wants` is
//!   `[second, seconds]` to the next look.

mod support;

use std::path::PathBuf;

use jiff::tz::TimeZone;
use rules::{Armed, Life, Position, Rule, Seen, Site, arm, read};
use scene::{
    BBox, CountBelief, Detection, Id, Moment, Mono, Passage, Polygon, Question, Track, TrackEvent,
    TrackId, Unknown, Value, Zone,
};
use serde_json::Value as Json;
use support::{Phases, World};

fn seconds(v: &Json) -> f64 {
    v.as_f64()
        .unwrap_or_else(|| panic!("{v} is not a time in seconds"))
}

fn strings(v: &Json) -> Vec<String> {
    v.as_array().map_or(Vec::new(), |a| {
        a.iter()
            .filter_map(|s| s.as_str().map(str::to_owned))
            .collect()
    })
}

fn value(look: &Json) -> Option<Value> {
    if let Some(n) = look.get("count") {
        return Some(Value::Count(CountBelief::exactly(n.as_u64()? as usize)));
    }
    if let Some(p) = look.get("yes") {
        return Some(Value::YesNo(p.as_f64()? as f32));
    }
    look.get("unknown")
        .map(|_| Value::Unknown(Unknown::Timeout))
}

fn track(t: &Json, base: f64) -> Track {
    let time = |key: &str| {
        t.get(key)
            .filter(|v| !v.is_null())
            .map(|v| Mono::from_secs_f64(seconds(v) - base))
    };
    Track {
        id: TrackId(t["id"].as_u64().unwrap_or(1)),
        class: t["class"].as_str().unwrap_or("person").to_owned(),
        score: 0.9,
        bbox: BBox {
            x: 0.4,
            y: 0.4,
            w: 0.1,
            h: 0.1,
        },
        since: time("since").unwrap_or(Mono::ZERO),
        seen: Mono::ZERO,
        still_since: time("still"),
        alone_since: time("alone"),
        zones: strings(&t["zones"])
            .into_iter()
            .map(|z| Id::new(z).unwrap())
            .collect(),
        zones_since: Vec::new(),
        movement: scene::Movement::NONE,
    }
}

/// A rule from a sentence or from its fields.
fn rule(v: &Json) -> Result<Rule, String> {
    fn whole(v: &mut Json) {
        let Some(fields) = v.as_object_mut() else {
            return;
        };
        fields
            .entry("attributes")
            .or_insert_with(|| Json::Array(vec![]));
        for parts in ["all", "any"] {
            let parts = fields.get_mut(parts).and_then(Json::as_array_mut);
            parts.into_iter().flatten().for_each(whole);
        }
    }
    match v.as_str() {
        Some(text) => read(text).map_err(|e| e.to_string()),
        None => {
            let mut v = v.clone();
            whole(&mut v);
            serde_json::from_value(v).map_err(|e| e.to_string())
        }
    }
}

/// `[second, text]`.
fn marks(v: &Json) -> Vec<(f64, String)> {
    v.as_array().map_or(Vec::new(), |list| {
        let mark = |p: &Json| (seconds(&p[0]), p[1].as_str().unwrap().to_owned());
        list.iter().map(mark).collect()
    })
}

struct Run {
    armed: Armed,
    /// The wall time of second 0, from a second on; in order.
    clocks: Vec<(f64, Option<jiff::Timestamp>)>,
    phases: Phases,
    /// The second at which the running monotonic clock was zero.
    base: f64,
    life: Life,
    got: Vec<(f64, String, String)>,
}

impl Run {
    fn moment(&self, t: f64) -> Moment {
        let clock = self.clocks.iter().rev().find(|(from, _)| *from <= t);
        let wall = clock
            .and_then(|(_, zero)| *zero)
            .map(|zero| zero + jiff::SignedDuration::from_secs_f64(t));
        Moment {
            mono: Mono::from_secs_f64(t - self.base),
            wall,
        }
    }

    fn keep(&mut self, t: f64, steps: Vec<rules::Transition>) {
        for s in steps {
            if let Err(why) = self.phases.next(s.phase) {
                panic!("at {t} s: {why}");
            }
            // As the camera does: whatever is told was sent.
            self.life.sent(s.at.mono);
            assert!((0.0..=1.0).contains(&s.confidence), "{s:?}");
            assert!(!s.says.is_empty());
            let phase = serde_json::to_value(s.phase).unwrap();
            self.got
                .push((t, phase.as_str().unwrap().to_owned(), s.says));
        }
    }

    fn look(&mut self, t: f64, look: &Json, events: &[TrackEvent]) {
        let questions = self.armed.questions().to_vec();
        let mut values = Vec::new();
        for q in &questions {
            let by_word = look
                .get("answers")
                .and_then(|a| a.as_object())
                .and_then(|a| {
                    a.iter()
                        .find(|(word, _)| q.ask.contains(word.as_str()))
                        .and_then(|(_, l)| value(l))
                });
            if let Some(v) = by_word.or_else(|| value(look)) {
                values.push((q, v));
            }
        }
        let answers: Vec<(&Question, &Value)> = values.iter().map(|(q, v)| (*q, v)).collect();
        let detect = |d: &Json| {
            let place = |v: &Json| v.as_f64().unwrap_or(0.5) as f32;
            Detection {
                class: d["class"].as_str().unwrap_or("person").to_owned(),
                score: d["score"].as_f64().unwrap_or(0.9) as f32,
                bbox: BBox {
                    x: place(&d["x"]) - 0.05,
                    y: place(&d["y"]) - 0.2,
                    w: 0.1,
                    h: 0.2,
                },
            }
        };
        let detections: Option<Vec<Detection>> = look.get("detections").map(|d| {
            d.as_array()
                .map_or(Vec::new(), |list| list.iter().map(detect).collect())
        });
        let tracks: Option<Vec<Track>> = look.get("tracks").map(|list| {
            list.as_array().map_or(Vec::new(), |l| {
                l.iter().map(|k| track(k, self.base)).collect()
            })
        });
        let seen = Seen {
            answers: &answers,
            detections: detections.as_deref(),
            tracks: tracks.as_deref(),
            events,
        };
        let at = self.moment(t);
        let steps = self.life.observe(at, &seen);
        self.keep(t, steps);
    }
}

fn begin(case: &Json) -> Result<Run, String> {
    let default = vec!["person".to_owned(), "bag".to_owned(), "car".to_owned()];
    let world = World {
        classes: case.get("knows").map_or(default, strings),
        model: case["model"].as_bool().unwrap_or(true),
    };
    let zones: Vec<Zone> = case["zones"].as_object().map_or(Vec::new(), |z| {
        z.iter()
            .map(|(name, polygon)| Zone {
                name: Id::new(name.as_str()).unwrap(),
                polygon: serde_json::from_value::<Polygon>(polygon.clone()).unwrap(),
            })
            .collect()
    });
    let site = Site {
        zones: &zones,
        time_zone: case["time_zone"]
            .as_str()
            .map_or(TimeZone::UTC, |z| TimeZone::get(z).unwrap()),
        position: case.get("position").map(|p| Position {
            latitude_degrees: seconds(&p[0]),
            longitude_degrees: seconds(&p[1]),
        }),
    };
    let armed = arm(&rule(&case["rule"])?, &site, &world).map_err(|e| e.to_string())?;
    let mut clocks = vec![(
        f64::NEG_INFINITY,
        case["clock"].as_str().map(|c| c.parse().unwrap()),
    )];
    for step in case["steps"].as_array().into_iter().flatten() {
        let from = seconds(&step[0]);
        let wall = step[1].as_str().map(|c| c.parse().unwrap());
        let zero =
            wall.map(|wall: jiff::Timestamp| wall - jiff::SignedDuration::from_secs_f64(from));
        clocks.push((from, zero));
    }
    let mut life = armed.life();
    if let Some(every) = case.get("slowed") {
        life.slowed_to(std::time::Duration::from_secs_f64(seconds(every)));
    }
    Ok(Run {
        armed,
        clocks,
        phases: Phases::default(),
        base: 0.0,
        life,
        got: Vec::new(),
    })
}

/// All looks as (arrival, capture, what), in order of arrival.
fn looks(case: &Json) -> Vec<(f64, f64, &Json)> {
    let mut looks = Vec::new();
    for part in case["look"].as_array().unwrap() {
        let from = seconds(&part["from"]);
        let to = part.get("to").map_or(from, seconds);
        let every = part.get("every").map_or(1.0, seconds);
        let late = part.get("late").map_or(0.0, seconds);
        for n in 0.. {
            let at = from + every * f64::from(n);
            if at > to + 1e-9 {
                break;
            }
            looks.push((at + late, at, part));
        }
    }
    looks.sort_by(|a, b| a.0.total_cmp(&b.0));
    looks
}

/// The events that a look at `t` is the first to tell of.
fn told(t: f64, base: f64, events: &mut Vec<&Json>) -> Vec<TrackEvent> {
    let (now, later) = events.iter().partition(|e| seconds(&e["at"]) <= t + 1e-9);
    *events = later;
    let event = |e: &Json| {
        let zone = || Id::new(e["zone"].as_str().unwrap_or("x")).unwrap();
        let what = match e["what"].as_str().unwrap() {
            "enter" => Passage::Enter(zone()),
            "exit" => Passage::Exit(zone()),
            "appear" => Passage::Appear,
            _ => Passage::Disappear,
        };
        let at = seconds(&e["at"]);
        let mut of = track(e, base);
        of.id = TrackId(e["track"].as_u64().unwrap_or(at as u64));
        TrackEvent {
            track: of,
            what,
            at: Mono::from_secs_f64(at - base),
        }
    };
    let now: Vec<&Json> = now;
    now.into_iter().map(event).collect()
}

fn play(case: &Json) -> Result<(), String> {
    let mut run = begin(case)?;
    let looks = looks(case);
    let end = (looks.last().map_or(0.0, |l| l.0)).max(case.get("until").map_or(0.0, seconds));
    let mut events: Vec<&Json> = case["events"].as_array().into_iter().flatten().collect();
    let mut restarts: Vec<(f64, f64)> = (case["restart"].as_array().into_iter().flatten())
        .map(|r| match r.as_array() {
            Some(pair) => (seconds(&pair[0]), seconds(&pair[1])),
            None => (seconds(r), seconds(r)),
        })
        .collect();
    let (whys, states) = (marks(&case["why"]), marks(&case["state"]));
    let mut wrong = Vec::new();
    let every = case.get("tick").map_or(0.5, seconds);
    let mut saved: Option<(f64, String)> = None;
    let mut due = looks.into_iter().peekable();
    for n in 0.. {
        let tick = every * f64::from(n);
        if tick > end + 1e-9 {
            break;
        }
        if let Some((back, kept)) = &saved {
            if tick < *back - 1e-9 {
                continue;
            }
            while due.next_if(|l| l.0 < *back - 1e-9).is_some() {}
            run.base = *back;
            let now = run.moment(*back);
            run.life = (run.armed).resume(&serde_json::from_str(kept).unwrap(), now);
            saved = None;
        }
        while let Some((_, at, look)) = due.next_if(|l| l.0 <= tick + 1e-9) {
            let now = told(at, run.base, &mut events);
            run.look(at, look, &now);
        }
        let steps = run.life.tick(run.moment(tick));
        run.keep(tick, steps);
        for (t, want) in whys.iter().filter(|(t, _)| (t - tick).abs() < 1e-9) {
            let got = run.life.why(run.moment(*t));
            if got != *want {
                wrong.push(format!("at {t} s why is '{got}', not '{want}'"));
            }
        }
        for (t, want) in states.iter().filter(|(t, _)| (t - tick).abs() < 1e-9) {
            let got = serde_json::to_value(run.life.state(run.moment(*t))).unwrap();
            if got != *want {
                wrong.push(format!("at {t} s it is {got}, not '{want}'"));
            }
        }
        for pair in case["wants"].as_array().into_iter().flatten() {
            let got = run.life.wanted_interval().as_secs_f64();
            if (seconds(&pair[0]) - tick).abs() < 1e-9 && (got - seconds(&pair[1])).abs() > 0.01 {
                wrong.push(format!("at {tick} s it wants {got} s, not {}", pair[1]));
            }
        }
        if restarts.first().is_some_and(|(at, _)| *at <= tick + 1e-9) {
            let (_, back) = restarts.remove(0);
            let kept = serde_json::to_string(&run.life.snapshot(run.moment(tick))).unwrap();
            saved = Some((back, kept));
        }
    }
    let within = case.get("within").map_or(0.01, seconds);
    let want = marks(&case["expect"]);
    let same = want.len() == run.got.len()
        && want
            .iter()
            .zip(&run.got)
            .all(|(w, g)| (w.0 - g.0).abs() <= within && w.1 == g.1);
    if !same {
        wrong.push(format!("want {want:?}\n    got  {:?}", run.got));
    }
    let first = case["says"].as_str().map(|says| (0.0, says.to_owned()));
    for (index, says) in first.into_iter().chain(marks(&case["said"])) {
        let got = run.got.get(index as usize).map(|g| g.2.as_str());
        if got != Some(&says) {
            wrong.push(format!("step {index} says {got:?}, not '{says}'"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n    "))
    }
}

#[test]
fn timelines_go_as_written() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/timelines");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    assert!(files.len() >= 120, "{} timelines are not all", files.len());
    let mut failures = Vec::new();
    for file in &files {
        let case: Json = serde_json::from_str(&std::fs::read_to_string(file).unwrap())
            .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        assert!(
            case["proves"].is_string(),
            "{}: proves what?",
            file.display()
        );
        if let Err(why) = play(&case) {
            failures.push(format!(
                "{}: {why}",
                file.file_stem().unwrap().to_string_lossy()
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
}
