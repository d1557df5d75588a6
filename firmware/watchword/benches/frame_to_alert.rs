//! Where the time goes from a captured frame to a durable alert, stage by
//! stage, with criterion; then a table of each stage's share of one look of
//! the built-in model (the named baseline) measured in the same run.
//!
//!     cargo bench -p watchword --bench frame_to_alert

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::Criterion;
use scene::ports::{Clock, Model};
use scene::{Alert, AlertId, Evidence, Frame, Id, Joules, Phase, Quantity, Severity};
use sim::{SimClock, SimModel};
use spool::{Batch, Limits, Snapshot, Store};
use watchword::daemon::{open_model, rule_request, threads};
use watchword::evidence::picture;
use watchword::replay::offline_watch;
use watchword::share::Share;
use watchword::watch::{Event, Looked};

const WIDTH: u32 = 960;
const HEIGHT: u32 = 540;

fn frame() -> Frame {
    let rgb = (0..WIDTH * HEIGHT)
        .flat_map(|i| [(i % 251) as u8, (i / WIDTH % 241) as u8, (i % 97) as u8])
        .collect();
    Frame::still(rgb, WIDTH, HEIGHT).unwrap()
}

fn alert() -> Alert {
    Alert {
        v: 1,
        id: AlertId::new(1, 1),
        rule: Id::new("queue").unwrap(),
        phase: Phase::New,
        severity: Severity::Warning,
        since: None,
        says: "5 people in the queue at passport control for 10 s".into(),
        evidence: Evidence {
            answer: "5".into(),
            confidence: 0.9,
            frame_time: None,
            answer_age_seconds: None,
            model: "sim/1".into(),
            point: None,
            image_sha256: None,
        },
        joules: Quantity::modelled(Joules(0.4)),
        latency_ms: 40,
    }
}

/// Mean of `work` over at least 0.3 s.
fn mean(mut work: impl FnMut()) -> Duration {
    let began = Instant::now();
    let mut times = 0;
    while began.elapsed() < Duration::from_millis(300) {
        work();
        times += 1;
    }
    began.elapsed() / times
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let frame = frame();
    let share = Share::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    let mut scout = open_model(None, None, threads(1), &share).expect("the built-in model opens");
    let clock = SimClock::new(Some("2026-03-02T10:00:00Z".parse().unwrap()));
    let mut watch = offline_watch(&SimModel::new(&["person"]), &[], 0.1, clock.now());
    let rule = Id::new("queue").unwrap();
    watch.handle(
        rule_request(rule, "more than 3 people for 10 seconds"),
        clock.now(),
    );
    let questions = watch.looking().expect("a look is due").questions.clone();
    let mut sim = SimModel::new(&["person"]);
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("bench.redb"), Limits::default()).unwrap();
    let shown = picture(&frame, Snapshot::Alert).unwrap().unwrap();

    let asked = [watchword::watch::question(
        "How many people are there?",
        None,
        None,
    )];
    let mut look = || black_box(scout.look(&frame, &[], &asked, true, Duration::from_secs(60)));
    let mut decide = || {
        clock.advance(Duration::from_millis(100));
        watch.handle(Event::Tick, clock.now());
        if let Some(order) = watch.looking().cloned() {
            let sight = sim.look(&frame, &[], &questions, true, Duration::from_secs(1));
            let mut frame = frame.clone();
            frame.captured = clock.now();
            let looked = Looked {
                number: order.number,
                seen: Ok((frame, sight)),
            };
            black_box(watch.handle(Event::Looked(looked), clock.now()));
        }
    };
    let encode = || black_box(picture(&frame, Snapshot::Alert).unwrap());
    let keep = || {
        let batch = Batch::new().push_alert(&alert(), Some(&shown.jpeg));
        let seq = store.commit(batch).unwrap()[0];
        store.ack(seq).unwrap();
    };

    let mut group = criterion.benchmark_group("frame_to_alert");
    group.sample_size(20);
    group.bench_function("look (scout, one question, detections)", |b| {
        b.iter(&mut look)
    });
    group.bench_function("decide (tick, observe, publish changes)", |b| {
        b.iter(&mut decide)
    });
    group.bench_function("picture (JPEG 960x540 and hash)", |b| b.iter(encode));
    group.bench_function("keep (store and acknowledge, fsync)", |b| b.iter(keep));
    group.finish();

    let baseline = mean(|| drop(look()));
    let stages = [
        ("decide", mean(&mut decide)),
        ("picture", mean(|| drop(encode()))),
        ("keep", mean(keep)),
    ];
    println!(
        "\nbaseline: one look of scout, {:.2} ms",
        baseline.as_secs_f64() * 1e3
    );
    for (name, time) in stages {
        let ratio = time.as_secs_f64() / baseline.as_secs_f64();
        println!(
            "{name:8} {:9.3} ms  {ratio:7.4} of a look",
            time.as_secs_f64() * 1e3
        );
    }
    criterion.final_summary();
}
