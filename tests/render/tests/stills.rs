//! Stills: same seed, same pixels; labels that agree with the picture and with the facts.

use render::fixtures::Fixture;
use render::geom::{View, v3};
use render::look::Look;
use render::person::Pose;
use render::place::Place;
use render::rng::Rng;
use render::shape::Label;
use render::shot::{PersonAt, Shot, Stage};
use render::stills::{Subject, compose, develop, row};

#[test]
fn splitmix_gives_the_published_numbers() {
    // First outputs for seed 0 of the reference implementation (Vigna, splitmix64.c).
    let mut rng = Rng::new(0);
    assert_eq!(
        [rng.bits(), rng.bits()],
        [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]
    );
}

#[test]
fn a_seed_gives_the_same_jpeg_and_another_seed_a_different_one() {
    let one = |seed, index| develop(&compose(seed, index, 192, 144)).unwrap();
    let (jpeg, truth) = one(5, 3);
    assert_eq!((jpeg.clone(), truth), one(5, 3));
    assert_ne!(jpeg, one(6, 3).0);
    assert_ne!(jpeg, one(5, 4).0);
}

#[test]
fn labels_lie_in_the_picture_and_agree_with_the_facts() {
    let (mut people, mut bags, mut queued, mut alone, mut empty) = (0, 0, 0, 0, 0);
    for index in 0..80 {
        let still = compose(11, index, 192, 144);
        let (_, truth) = develop(&still).unwrap();
        let row = row(11, index, "x.jpg".to_owned(), &still, &truth);
        for b in &row.boxes {
            assert!(
                b.x >= 0.0 && b.y >= 0.0 && b.w > 0.0 && b.h > 0.0,
                "{b:?} in still {index}"
            );
            assert!(
                b.x + b.w <= 1.0 + 1e-5 && b.y + b.h <= 1.0 + 1e-5,
                "{b:?} in still {index}"
            );
        }
        let count = |names: &[&str]| {
            row.boxes
                .iter()
                .filter(|b| names.contains(&b.label.as_str()))
                .count() as u32
        };
        let f = &row.facts;
        assert_eq!(f.people, count(&["person"]), "still {index}");
        assert_eq!(
            f.bags,
            count(&["suitcase", "backpack", "handbag"]),
            "still {index}"
        );
        assert!(f.unattended_bags <= f.bags, "still {index}");
        assert_eq!(
            f.in_queue.is_some(),
            f.queue_place.is_some(),
            "still {index}"
        );
        assert!(f.in_queue.unwrap_or(0) <= f.people, "still {index}");
        people += f.people;
        bags += f.bags;
        queued += f.in_queue.unwrap_or(0);
        alone += f.unattended_bags;
        empty += u32::from(row.boxes.is_empty());
    }
    assert!(
        people > 100 && bags > 30 && queued > 30 && alone > 8 && empty > 0,
        "{people} people, {bags} bags, {queued} queue, {alone} alone, {empty} empty"
    );
}

#[test]
fn a_bag_on_the_floor_is_plainly_somebodys_or_plainly_nobodys() {
    for index in 0..120 {
        let still = compose(21, index, 64, 48);
        for bag in &still.shot.bags {
            let nearest = still
                .shot
                .people
                .iter()
                .map(|p| p.pose.at.ground_distance(bag.at))
                .fold(f32::MAX, f32::min);
            assert!(
                !(0.9..2.2).contains(&nearest),
                "still {index}: a bag {nearest} m from the next person"
            );
        }
    }
}

#[test]
fn station_like_stills_have_queues_of_all_lengths_and_say_who_queues() {
    let (mut lengths, mut alone) = ([0; 8], 0);
    for index in 0..80 {
        let still = render::station_like::compose(5, index, 240, 136);
        let truth = still.stage.label(&still.shot);
        let said = truth
            .found
            .iter()
            .filter(|f| f.boxed.in_queue == Some(true))
            .count();
        let queue = truth.facts.in_queue.expect("there is a place to queue at");
        assert_eq!(said, queue as usize, "still {index}");
        let left = truth
            .found
            .iter()
            .filter(|f| f.boxed.unattended == Some(true))
            .count();
        assert_eq!(left, truth.facts.unattended_bags as usize, "still {index}");
        lengths[queue as usize] += 1;
        alone += left;
    }
    assert!(
        lengths[..7].iter().all(|&n| n > 2),
        "queue lengths {lengths:?}"
    );
    assert!(alone > 15, "{alone} bags alone");
}

#[test]
fn rows_read_back_as_written_and_all_pictures_exist() {
    let dir = tempfile::tempdir().unwrap();
    render::stills::write(2, 12, dir.path(), (128, 96), Subject::Any).unwrap();
    let text = std::fs::read_to_string(dir.path().join("annotations.jsonl")).unwrap();
    let rows: Vec<render::stills::Row> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(rows.len(), 12);
    for r in &rows {
        let picture = image::open(dir.path().join(&r.image)).unwrap();
        assert_eq!((picture.width(), picture.height()), (128, 96));
        assert!(r.complete_labels.contains(&"person".to_owned()));
    }
    assert_eq!(rows.iter().filter(|r| r.split == "val").count(), 1);
    // A second run on other threads writes the same bytes.
    let again = tempfile::tempdir().unwrap();
    render::stills::write(2, 12, again.path(), (128, 96), Subject::Any).unwrap();
    for r in &rows {
        assert_eq!(
            std::fs::read(dir.path().join(&r.image)).unwrap(),
            std::fs::read(again.path().join(&r.image)).unwrap()
        );
    }
}

fn person(id: u32, z: f32) -> PersonAt {
    let look = Look {
        height: 1.75,
        build: 1.0,
        ..Look::random(&mut Rng::new(4))
    };
    PersonAt {
        id,
        look,
        pose: Pose::standing(v3(0.0, 0.0, z), 3.0),
        queueing: false,
        bag: None,
    }
}

fn plain_stage() -> Stage {
    let mut place = Place::hall();
    place.camera.at = v3(0.0, 1.5, 0.0);
    place.camera.pitch = 0.0;
    Stage::new(place, Vec::new(), None, 320, 240, false)
}

#[test]
fn a_person_is_as_high_as_the_camera_says() {
    let stage = plain_stage();
    let truth = stage.label(&Shot {
        people: vec![person(1, 6.0)],
        ..Shot::default()
    });
    let view: &View = &stage.view;
    let top = view.project(v3(0.0, 1.75, 6.0)).unwrap().1;
    let foot = view.project(v3(0.0, 0.0, 6.0)).unwrap().1;
    let b = &truth.found[0].boxed;
    assert!(
        (b.y * 240.0 - top).abs() < 4.0,
        "top {} against {top}",
        b.y * 240.0
    );
    assert!(
        ((b.y + b.h) * 240.0 - foot).abs() < 5.0,
        "foot {} against {foot}",
        (b.y + b.h) * 240.0
    );
    assert!((b.x + b.w / 2.0 - 0.5).abs() < 0.03);
}

#[test]
fn who_is_hidden_by_others_is_neither_boxed_nor_counted() {
    let stage = plain_stage();
    let shot = |people| Shot {
        people,
        ..Shot::default()
    };
    let both = stage.label(&shot(vec![person(1, 3.0), person(2, 9.0)]));
    assert_eq!((both.facts.people, both.found.len()), (1, 1));
    assert_eq!(both.found[0].id, Some(1));
    let alone = stage.label(&shot(vec![person(2, 9.0)]));
    assert_eq!(alone.facts.people, 1);
    // Beside each other, both count.
    let mut beside = person(2, 9.0);
    beside.pose.at.x = 2.0;
    assert_eq!(
        stage
            .label(&shot(vec![person(1, 3.0), beside]))
            .facts
            .people,
        2
    );
}

#[test]
fn furniture_hides_too_but_glass_does_not() {
    let behind = Shot {
        people: vec![person(1, 8.0)],
        ..Shot::default()
    };
    let with = |fixture: Fixture| {
        let mut stage = plain_stage();
        stage.fixtures.push(fixture);
        stage
            .label(&behind)
            .found
            .iter()
            .filter(|f| f.label == Label::Person)
            .count()
    };
    let pillar = Fixture::Pillar {
        at: v3(0.0, 0.0, 5.0),
        radius: 0.6,
        height: 4.0,
        ink: [0.5; 3],
    };
    assert_eq!(with(pillar), 0);
    let booth = Fixture::Booth {
        at: v3(0.0, 0.0, 8.2),
        yaw: std::f32::consts::PI,
        sign: "TICKETS".to_owned(),
        ink: [0.5; 3],
    };
    assert_eq!(with(booth), 1);
}
