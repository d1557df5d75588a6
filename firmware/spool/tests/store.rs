use std::fs;
use std::path::Path;

use scene::{Polygon, Zone};
use spool::{Batch, Limits, Note, RuleRecord, Snapshot, Store, StoreError};

mod common;
use common::{alert, id};

fn open(path: &Path) -> Store {
    Store::open(path, Limits::default()).unwrap()
}

fn zone(name: &str) -> Zone {
    let points = [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5]];
    Zone {
        name: id(name),
        polygon: Polygon::new(points.map(Into::into).to_vec()).unwrap(),
    }
}

#[test]
fn everything_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/spool.redb");
    let mut rule = RuleRecord::new("Alert when more than 10 people wait.");
    rule.snapshot = Some(Snapshot::Blurred);
    rule.priority = 9;
    let (tag, boots) = {
        let store = open(&path);
        store.put_rule(&id("queue"), &rule).unwrap();
        store.put_rule(&id("gone"), &RuleRecord::new("x")).unwrap();
        store.put_zone(&zone("gate")).unwrap();
        store.put_life(&id("queue"), b"holding").unwrap();
        store.put_life(&id("gone"), b"idle").unwrap();
        store.remove_rule(&id("gone")).unwrap();
        assert_eq!(store.push_alert(&alert(1), Some(b"jpeg")).unwrap(), 0);
        assert_eq!(store.push_alert(&alert(2), None).unwrap(), 1);
        (store.opened().boot_tag, store.opened().boot_count)
    };
    let store = open(&path);
    assert_eq!(store.rules().unwrap(), [(id("queue"), rule)]);
    assert_eq!(store.zones().unwrap(), [zone("gate")]);
    assert_eq!(
        store.lives().unwrap(),
        [(id("queue"), b"holding".to_vec())],
        "a life goes with its rule"
    );
    let pending = store.pending(0, 10).unwrap();
    assert_eq!(pending.len(), 2);
    assert_eq!(pending[0].alert, alert(1));
    assert_eq!(pending[0].jpeg.as_deref(), Some(b"jpeg".as_slice()));
    assert_eq!(store.pending(1, 10).unwrap()[0].alert, alert(2));
    assert!(store.pending(0, 0).unwrap().is_empty());
    assert!(store.ack(0).unwrap() && !store.ack(0).unwrap());
    assert_eq!(
        store.push_alert(&alert(3), None).unwrap(),
        2,
        "a place is never used twice"
    );
    store.remove_zone(&id("gate")).unwrap();
    assert!(store.zones().unwrap().is_empty());
    assert_eq!(store.opened().boot_count, boots + 1);
    assert_ne!(store.opened().boot_tag, tag);
    assert_eq!(store.opened().set_aside, None);
}

#[test]
fn fields_of_a_newer_version_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("s"));
    let newer = r#"{"text":"x","enabled":false,"colour":{"deep":[1,2]},"priority":2}"#;
    let rule: RuleRecord = serde_json::from_str(newer).unwrap();
    store.put_rule(&id("a"), &rule).unwrap();
    let back = &store.rules().unwrap()[0].1;
    assert_eq!(back, &rule);
    assert_eq!(back.other["colour"]["deep"][1], 2);
    // A known name among the unknown fields would be written twice.
    let mut twice = RuleRecord::new("mine");
    twice.other.insert("text".into(), "theirs".into());
    store.put_rule(&id("b"), &twice).unwrap();
    assert_eq!(store.rules().unwrap()[1].1, RuleRecord::new("mine"));
}

#[test]
fn numbers_that_json_cannot_say_do_not_lose_an_alert() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("s"));
    let mut odd = alert(1);
    odd.evidence.confidence = f32::NAN;
    odd.joules.value.0 = f64::INFINITY;
    store.push_alert(&odd, None).unwrap();
    let back = &store.pending(0, 9).unwrap()[0].alert;
    assert_eq!(back.evidence.confidence, 0.0);
    assert_eq!(back.joules.value.0, 0.0);
}

#[test]
fn pictures_go_first_then_the_oldest_alerts() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let limits = Limits {
        alerts: 5,
        bytes: 10_000,
        ..Limits::default()
    };
    let store = Store::open(&path, limits).unwrap();
    for n in 0..4 {
        store
            .push_alert(&alert(n), Some(&[n as u8; 4_000]))
            .unwrap();
    }
    let counts = store.counts();
    assert_eq!((counts.alerts, counts.pictures), (4, 2));
    assert_eq!((counts.dropped_alerts, counts.dropped_pictures), (0, 2));
    assert!(counts.bytes <= 10_000, "{counts:?}");
    for n in 4..8 {
        store.push_alert(&alert(n), None).unwrap();
    }
    let held: Vec<u64> = (store.pending(0, 99).unwrap().iter())
        .map(|p| p.seq)
        .collect();
    assert_eq!(held, [3, 4, 5, 6, 7], "the oldest alerts went");
    let counts = store.counts();
    assert_eq!((counts.dropped_alerts, counts.dropped_pictures), (3, 3));
    // A picture too big for the store costs every picture, but no alert text.
    store.push_alert(&alert(8), Some(&[0; 20_000])).unwrap();
    let last = store.pending(8, 1).unwrap().remove(0);
    assert_eq!((last.alert, last.jpeg), (alert(8), None));
    drop(store);
    let reopened = Store::open(&path, limits).unwrap();
    assert_eq!(reopened.counts().dropped_alerts, 4, "drops are remembered");
    // Text alone can be too much; the newest stays.
    let tiny = Limits { bytes: 1, ..limits };
    drop(reopened);
    let store = Store::open(&path, tiny).unwrap();
    store.push_alert(&alert(9), Some(b"x")).unwrap();
    let left = store.pending(0, 99).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!((&left[0].alert, &left[0].jpeg), (&alert(9), &None));
}

#[test]
fn the_file_stays_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let limits = Limits {
        bytes: 1 << 20,
        ..Limits::default()
    };
    let store = Store::open(&path, limits).unwrap();
    for n in 0..300 {
        store
            .push_alert(&alert(n), Some(&vec![n as u8; 30_000]))
            .unwrap();
    }
    let size = fs::metadata(&path).unwrap().len();
    assert!(
        size < 8 << 20,
        "9 MB went through, the file has {size} bytes"
    );
    assert_eq!(store.counts().alerts, 300);
}

#[test]
fn a_batch_is_made_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits {
        rules: 1,
        record_bytes: 100,
        ..Limits::default()
    };
    let store = Store::open(&dir.path().join("s"), limits).unwrap();
    store.put_rule(&id("a"), &RuleRecord::new("one")).unwrap();
    let batch = Batch::new()
        .push_alert(&alert(1), None)
        .put_rule(&id("b"), &RuleRecord::new("two"));
    let error = store.commit(batch).unwrap_err();
    assert!(
        matches!(error, StoreError::Full { limit: 1, .. }),
        "{error}"
    );
    let long = RuleRecord::new("x".repeat(100));
    let error = store.put_rule(&id("a"), &long).unwrap_err().to_string();
    assert!(
        error.contains("'a'") && error.contains("100 are the most"),
        "{error}"
    );
    assert_eq!(store.counts().alerts, 0);
    assert_eq!(store.rules().unwrap().len(), 1);
    // Replacing at the limit is no growth; lives of strangers stop nothing.
    store.put_rule(&id("a"), &RuleRecord::new("new")).unwrap();
    store.put_life(&id("a"), b"1").unwrap();
    store.flush().unwrap();
    store.put_life(&id("stranger"), b"2").unwrap();
    store.push_alert(&alert(1), None).unwrap();
    assert_eq!(store.lives().unwrap(), [(id("a"), b"1".to_vec())]);
}

#[test]
fn lives_wait_for_a_commit_a_flush_or_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open(&path);
    store.put_life(&id("a"), b"1").unwrap();
    store.put_life(&id("b"), b"1").unwrap();
    assert_eq!(store.lives().unwrap().len(), 2, "read back before written");
    let batch = Batch::new()
        .put_life(&id("a"), b"2")
        .push_alert(&alert(0), None);
    store.commit(batch).unwrap();
    store.put_life(&id("b"), b"3").unwrap();
    drop(store);
    let lives = open(&path).lives().unwrap();
    assert_eq!(lives, [(id("a"), b"2".to_vec()), (id("b"), b"3".to_vec())]);
}

#[test]
fn one_process_at_a_time_and_no_file_moved_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let first = open(&path);
    let error = Store::open(&path, Limits::default()).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }), "{error}");
    first.push_alert(&alert(1), None).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_place_that_cannot_be_written_says_which_and_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "x").unwrap();
    // /proc refuses new entries even to root.
    for bad in [
        dir.path().join("file/s"),
        "/proc/none/s".into(),
        dir.path().into(),
    ] {
        let error = Store::open(&bad, Limits::default()).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, StoreError::Unusable { .. }), "{text}");
        assert!(
            text.contains(bad.to_str().unwrap()) && text.contains("path"),
            "{text}"
        );
    }
}

/// A closed store with three rules and three alerts, as bytes.
fn sound_file(path: &Path) -> Vec<u8> {
    let store = open(path);
    for n in 0..3 {
        let name = id(&format!("rule-{n}"));
        store.put_rule(&name, &RuleRecord::new("a rule")).unwrap();
        store.push_alert(&alert(n), Some(&[9; 3_000])).unwrap();
    }
    drop(store);
    fs::read(path).unwrap()
}

/// What became of a damaged file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// Nothing that was written is missing.
    Whole,
    /// It went back to an earlier commit.
    Rolled,
    /// It was moved aside.
    Fresh,
}

/// Opens what `bytes` make; it must work, hold nothing that was not written,
/// and take new alerts.
fn survives(bytes: &[u8], what: &str) -> Fate {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    fs::write(&path, bytes).unwrap();
    let store = open(&path);
    let fate = match store.opened().set_aside {
        Some(aside) => {
            assert_eq!(aside.moved_to, dir.path().join("s.broken-1"), "{what}");
            assert!(!aside.why.is_empty(), "{what}");
            let kept = fs::read(&aside.moved_to).unwrap();
            assert!(kept.len() >= bytes.len().min(1) && store.rules().unwrap().is_empty());
            Fate::Fresh
        }
        None => {
            let rules = store.rules().unwrap();
            assert!(rules.iter().all(|(_, r)| r.text == "a rule"), "{what}");
            let pending = store.pending(0, 99).unwrap();
            let whole = (pending.len(), rules.len()) == (3, 3);
            for p in pending {
                assert_eq!(p.alert, alert(p.seq), "{what}: an alert changed silently");
                assert_eq!(p.jpeg, Some(vec![9; 3_000]), "{what}");
            }
            if whole { Fate::Whole } else { Fate::Rolled }
        }
    };
    // Whatever it found, it takes new alerts and gives them back.
    let seq = store.push_alert(&alert(77), Some(b"new")).unwrap();
    drop(store);
    let last = open(&path).pending(seq, 9).unwrap();
    assert_eq!(last.last().unwrap().alert, alert(77), "{what}");
    fate
}

#[test]
fn truncated_files_are_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = sound_file(&dir.path().join("s"));
    assert_eq!(survives(&bytes, "whole"), Fate::Whole);
    let cuts = [0, 1, 63, 64, 512, 4_095, 4_096, 20_000];
    let cuts = cuts.into_iter().chain((1..6).map(|i| bytes.len() * i / 6));
    for cut in cuts.chain([bytes.len() - 1]) {
        let fate = survives(&bytes[..cut], &format!("cut at {cut}"));
        assert_eq!(fate, Fate::Fresh, "cut at {cut}");
    }
    assert_eq!(survives(b"not a database", "foreign bytes"), Fate::Fresh);
}

#[test]
fn flipped_bytes_are_found_or_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = sound_file(&dir.path().join("s"));
    let mut fates = Vec::new();
    // The header closely, the rest in strides over all pages.
    let rest = (320..bytes.len()).step_by(bytes.len() / 100);
    for at in (0..320).step_by(4).chain(rest) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0xFF;
        fates.push(survives(&flipped, &format!("byte {at} flipped")));
    }
    let count = |fate| fates.iter().filter(|f| **f == fate).count();
    let (whole, rolled, fresh) = (count(Fate::Whole), count(Fate::Rolled), count(Fate::Fresh));
    println!("flipped bytes: {whole} harmless, {rolled} cost a commit, {fresh} cost the file");
    assert!(fresh > 0, "no flip was noticed: the check does not check");
}

#[test]
fn broken_files_get_numbers_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    for n in 1..=3 {
        fs::write(&path, format!("broken {n}")).unwrap();
        drop(open(&path));
        let kept = fs::read_to_string(dir.path().join(format!("s.broken-{n}"))).unwrap();
        assert_eq!(kept, format!("broken {n}"));
    }
}

#[test]
fn notes_are_kept_and_replaced_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open(&path);
    assert_eq!(store.note(Note::Costs).unwrap(), None);
    let batch = Batch::new()
        .put_note(Note::Costs, b"3 J")
        .put_note(Note::Limit, b"8 W");
    store.commit(batch).unwrap();
    let batch = Batch::new().put_note(Note::Costs, b"2 J");
    store
        .commit(batch.remove_note(Note::Limit).remove_note(Note::Limit))
        .unwrap();
    drop(store);
    let store = open(&path);
    assert_eq!(store.note(Note::Costs).unwrap().unwrap(), b"2 J");
    assert_eq!(store.note(Note::Limit).unwrap(), None);
    let long = vec![b'x'; Limits::default().record_bytes + 1];
    let refused = store.commit(Batch::new().put_note(Note::Costs, &long));
    assert!(matches!(refused, Err(StoreError::TooLong { .. })));
    assert_eq!(store.note(Note::Costs).unwrap().unwrap(), b"2 J");
}
