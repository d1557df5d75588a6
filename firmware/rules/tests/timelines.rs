//! Rules over time: what is seen second by second, and when alerts begin and
//! end. One file a timeline under `timelines/`; a new one needs no Rust.
//!
//! `rule` is a sentence. `knows` are the detector's classes (with "person",
//! "bag", "car" by default), `model` is whether it can answer questions
//! (default true). `zones` are drawn ones: name -> polygon. `clock` is the wall
//! time of second 0; without it there is none. `look` is a list of
//! `{"from", "to", "every", ...}` with one of `count`, `yes` (a probability),
//! `unknown`, `persons` (detections' scores), `tracks`, or none of them for a
//! look that sees nothing; `answers` gives several questions' answers by a word
//! in them. `events` are `{"at", "what", "zone", "track", "class"}`. `restart`
//! lists seconds at which the life is saved, and begun again on a clock that
//! starts at zero. `expect` is `[second, phase]` in order; seconds may be off
//! by `within` (default 0.01). `why` is `[second, text]` after the look then.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use rules::{Armed, Life, Seen, Site, arm, read};
use scene::ports::{Ability, Knowledge};
use scene::{
    BBox, CountBelief, Detection, Id, Moment, Mono, Passage, Polygon, Question, Track, TrackEvent,
    TrackId, Unknown, Value, Zone,
};
use serde_json::Value as Json;

struct World {
    classes: Vec<String>,
    model: bool,
}

impl Knowledge for World {
    fn name(&self) -> String {
        "test/1".into()
    }
    fn ability(&self, _: &Question) -> Ability {
        if self.model {
            Ability::Tries
        } else {
            Ability::Cannot("there is no model; install one".into())
        }
    }
    fn classes_for(&self, noun: &str) -> Vec<String> {
        self.classes
            .iter()
            .filter(|c| *c == noun)
            .cloned()
            .collect()
    }
    fn classes(&self) -> Vec<String> {
        self.classes.clone()
    }
}

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

struct Run {
    armed: Armed,
    clock: Option<jiff::Timestamp>,
    /// The second at which the running monotonic clock was zero.
    base: f64,
    life: Life,
    got: Vec<(f64, String, String)>,
}

impl Run {
    fn moment(&self, t: f64) -> Moment {
        let wall = self
            .clock
            .map(|c| c + jiff::SignedDuration::from_secs_f64(t));
        Moment {
            mono: Mono::from_secs_f64(t - self.base),
            wall,
        }
    }

    fn keep(&mut self, t: f64, steps: Vec<rules::Transition>) {
        for s in steps {
            assert_eq!(s.at, self.moment(t));
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

fn play(case: &Json) -> Result<(), String> {
    let rule = read(case["rule"].as_str().unwrap()).map_err(|e| e.to_string())?;
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
    let time_zone = case["time_zone"]
        .as_str()
        .map_or(TimeZone::UTC, |z| TimeZone::get(z).unwrap());
    let site = Site {
        zones: &zones,
        time_zone,
        position: None,
    };
    let armed = arm(&rule, &site, &world).map_err(|e| e.to_string())?;
    let clock = case["clock"].as_str().map(|c| c.parse().unwrap());
    let life = armed.life();
    let mut run = Run {
        armed,
        clock,
        base: 0.0,
        life,
        got: Vec::new(),
    };

    // Everything that happens, in order of time: looks, events, ticks, restarts.
    let mut looks: Vec<(f64, Json)> = Vec::new();
    for part in case["look"].as_array().unwrap() {
        let (from, to) = (
            seconds(&part["from"]),
            part.get("to").map_or(seconds(&part["from"]), seconds),
        );
        let every = part.get("every").map_or(1.0, seconds);
        let mut n = 0;
        while from + every * f64::from(n) <= to + 1e-9 {
            looks.push((from + every * f64::from(n), part.clone()));
            n += 1;
        }
    }
    looks.sort_by(|a, b| a.0.total_cmp(&b.0));
    let end = looks
        .last()
        .map_or(0.0, |l| l.0)
        .max(case.get("until").map_or(0.0, seconds));
    let events: Vec<&Json> = case["events"]
        .as_array()
        .map_or(Vec::new(), |e| e.iter().collect());
    let restarts: Vec<f64> = case["restart"]
        .as_array()
        .map_or(Vec::new(), |r| r.iter().map(seconds).collect());
    let whys: Vec<(f64, String)> = case["why"].as_array().map_or(Vec::new(), |w| {
        w.iter()
            .map(|p| (seconds(&p[0]), p[1].as_str().unwrap().to_owned()))
            .collect()
    });
    let mut wrong = Vec::new();
    let (mut i, mut tick, mut told) = (0, 0.0, vec![false; events.len()]);
    let mut restarted = vec![false; restarts.len()];
    while tick <= end + 1e-9 {
        while i < looks.len() && looks[i].0 <= tick + 1e-9 {
            let (t, look) = looks[i].clone();
            let mut now = Vec::new();
            for (k, e) in events.iter().enumerate() {
                let at = seconds(&e["at"]);
                if at <= t + 1e-9 && !told[k] {
                    told[k] = true;
                    let zone = || Id::new(e["zone"].as_str().unwrap_or("x")).unwrap();
                    let what = match e["what"].as_str().unwrap() {
                        "enter" => Passage::Enter(zone()),
                        "exit" => Passage::Exit(zone()),
                        "appear" => Passage::Appear,
                        _ => Passage::Disappear,
                    };
                    let mut of = track(e, run.base);
                    of.id = TrackId(e["track"].as_u64().unwrap_or(k as u64));
                    now.push(TrackEvent {
                        track: of,
                        what,
                        at: Mono::from_secs_f64(at - run.base),
                    });
                }
            }
            run.look(t, &look, &now);
            i += 1;
        }
        for (t, want) in whys.iter().filter(|(t, _)| (t - tick).abs() < 1e-9) {
            let got = run.life.why(run.moment(*t));
            if got != *want {
                wrong.push(format!("at {t} s why is '{got}', not '{want}'"));
            }
        }
        let steps = run.life.tick(run.moment(tick));
        run.keep(tick, steps);
        for (k, at) in restarts.iter().enumerate() {
            if *at <= tick + 1e-9 && !restarted[k] {
                restarted[k] = true;
                let kept = serde_json::to_string(&run.life.snapshot(run.moment(tick))).unwrap();
                run.base = tick;
                let now = run.moment(tick);
                run.life = run.armed.resume(&serde_json::from_str(&kept).unwrap(), now);
            }
        }
        tick += 0.5;
    }
    let within = case.get("within").map_or(0.01, seconds);
    let want: Vec<(f64, String)> = case["expect"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (seconds(&e[0]), e[1].as_str().unwrap().to_owned()))
        .collect();
    let same = want.len() == run.got.len()
        && want
            .iter()
            .zip(&run.got)
            .all(|(w, g)| (w.0 - g.0).abs() <= within && w.1 == g.1);
    if !same {
        wrong.push(format!("want {want:?}\n    got  {:?}", run.got));
    }
    if let Some(says) = case["says"].as_str()
        && run.got.first().is_none_or(|g| g.2 != says)
    {
        wrong.push(format!("says {:?}, not '{says}'", run.got.first()));
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
        .collect();
    files.sort();
    assert!(files.len() >= 15);
    let mut failures = Vec::new();
    for file in &files {
        let case: Json = serde_json::from_str(&std::fs::read_to_string(file).unwrap())
            .unwrap_or_else(|e| panic!("{}: {e}", file.display()));
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
