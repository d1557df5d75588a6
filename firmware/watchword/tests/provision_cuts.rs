//! The power goes, or the medium is full, at each step of provisioning. What is
//! cut is the order of steps as the program takes them; that a file system
//! keeps that order is what its syncs are for, and not tested here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use watchword::config::{Config, SourceConfig};
use watchword::share::Share;

mod provision_support;
use provision_support::{Medium, SECRETS, full, holds, repository};

type Tree = BTreeMap<String, (u32, Vec<u8>)>;

/// A camera that is to become "gate-new"; `old` if it is "gate-old" already.
fn before(old: bool) -> Medium {
    let medium = Medium::default();
    if old {
        medium.put(full("old"));
        assert!(medium.apply().0.provisioned);
    }
    medium.put(full("new"));
    medium
}

/// No secret can be read by others than its owner, at this very moment.
fn nothing_is_open(medium: &Medium) {
    for part in ["data", "run"] {
        for (path, (mode, content)) in medium.tree(part) {
            let secret = SECRETS.iter().any(|secret| holds(&content, secret));
            assert!(!secret || mode & 0o077 == 0, "{path} has mode {mode:o}");
        }
    }
}

/// The configuration on the medium is the old or the new one, whole, with the
/// secrets that belong to it. Which one it is.
fn whole(medium: &Medium) -> Option<&'static str> {
    let path = medium.path("data/watchword/config.toml");
    if !path.exists() {
        return None;
    }
    let config = Config::load(&path).unwrap();
    config.check(&Share::at(repository())).unwrap();
    let which = match config.camera.as_str() {
        "gate-old" => "old",
        "gate-new" => "new",
        other => {
            assert!(other.starts_with("camera-"), "{other}");
            return Some("default");
        }
    };
    let mqtt = fs::read_to_string(config.mqtt.password_file.unwrap()).unwrap();
    assert_eq!(mqtt, format!("hunter2-{which}\n"));
    let SourceConfig::Rtsp(camera) = config.source else {
        panic!("{:?}", config.source);
    };
    let source = fs::read_to_string(camera.password_file.unwrap()).unwrap();
    assert_eq!(source, format!("sesame-7-{which}\n"));
    assert_eq!(camera.url, format!("rtsp://cam-{which}.lan/live"));
    Some(which)
}

/// Every file in force is one of before or one of after, never half of one.
fn files_are_whole(now: &Tree, before: &Tree, after: &Tree) {
    for path in [
        "system/hostname",
        "system/localtime",
        "system/network/10-wired.network",
        "ssh/authorized_keys",
        "watchword/config.toml",
    ] {
        let of = |tree: &Tree| tree.get(path).map(|(_, content)| content.clone());
        let is = of(now);
        assert!(
            is == of(before) || is == of(after) || before.is_empty(),
            "{path}: {is:?}"
        );
    }
}

/// How many steps it takes from `before` to the end, and what is there then.
fn uninterrupted(old: bool) -> (usize, Tree, Tree) {
    let medium = before(old);
    let mut steps = 0;
    let (applied, told) = medium.apply_with(|_, _| {
        steps += 1;
        nothing_is_open(&medium);
        Ok(())
    });
    assert!(applied.provisioned, "{told}");
    (steps, medium.tree("data"), medium.tree("esp"))
}

/// Applies until just before step `at`; from then on nothing is written.
fn cut(medium: &Medium, at: usize) -> String {
    let mut steps = 0;
    let (_, told) = medium.apply_with(|_, _| {
        steps += 1;
        if steps == at + 1 {
            nothing_is_open(medium);
        }
        match steps > at {
            true => Err(io::Error::other("the power is gone")),
            false => Ok(()),
        }
    });
    told
}

fn secrets_are_erased(medium: &Medium) {
    for (path, (_, content)) in medium.tree("esp") {
        for secret in SECRETS {
            assert!(!holds(&content, secret), "{path} holds {secret}");
        }
    }
}

#[test]
fn the_power_may_go_at_any_step() {
    for old in [true, false] {
        let (steps, data, esp) = uninterrupted(old);
        assert!(steps > 40, "{steps}");
        let started = before(old).tree("data");
        for at in 0..=steps {
            let medium = before(old);
            let told = cut(&medium, at);
            let which = whole(&medium);
            assert!(
                which != Some("default") && (which.is_some() || !old),
                "{at}: {which:?}"
            );
            files_are_whole(&medium.tree("data"), &started, &data);
            assert!(
                SECRETS.iter().all(|secret| !told.contains(secret)),
                "{told}"
            );
            let (applied, told) = medium.apply();
            assert!(applied.usable, "{at}: {told}");
            assert_eq!(whole(&medium), Some("new"), "{at}: {told}");
            assert_eq!(medium.tree("data"), data, "{at}: {told}");
            assert_eq!(medium.tree("esp"), esp, "{at}: {told}");
            secrets_are_erased(&medium);
        }
    }
}

#[test]
fn the_power_may_go_twice() {
    let (steps, data, esp) = uninterrupted(true);
    for first in (0..=steps).step_by(7) {
        for second in (0..=steps).step_by(11) {
            let medium = before(true);
            cut(&medium, first);
            cut(&medium, second);
            assert!(
                matches!(whole(&medium), Some("old" | "new")),
                "{first} {second}"
            );
            medium.apply();
            assert_eq!(medium.tree("data"), data, "{first} {second}");
            assert_eq!(medium.tree("esp"), esp, "{first} {second}");
        }
    }
}

#[test]
fn a_full_medium_leaves_the_camera_as_it_was() {
    let (steps, data, esp) = uninterrupted(true);
    for at in 0..steps {
        let medium = before(true);
        let folder = medium.path("data");
        let mut count = 0;
        let mut hit = false;
        let (applied, told) = medium.apply_with(|what, path| {
            count += 1;
            // What needs room; a rename or a removal does not.
            hit |= count > at
                && path.starts_with(&folder)
                && matches!(what, "create" | "write" | "make folder" | "symlink");
            match hit && path.starts_with(&folder) && what != "remove" && what != "remove folder" {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => Ok(()),
            }
        });
        assert!(applied.usable, "{at}: {told}");
        let which = whole(&medium);
        if hit && which == Some("old") {
            let error = medium.read("esp/provision-error.txt");
            assert!(error.contains("no storage space"), "{at}: {error}");
            assert!(medium.path("esp/provision.toml").exists());
            // What was begun takes no room.
            let left: Vec<_> = medium.tree("data").into_keys().collect();
            assert!(
                !left.iter().any(|path| path.ends_with(".new")),
                "{at}: {left:?}"
            );
        }
        let (applied, told) = medium.apply();
        assert!(applied.usable, "{told}");
        assert_eq!(medium.tree("data"), data, "{at}: {told}");
        assert_eq!(medium.tree("esp"), esp, "{at}: {told}");
    }
}

/// The power goes while zeros are written; then somebody puts a new file there.
#[test]
fn a_new_file_is_not_taken_for_the_rest_of_an_erased_one() {
    let medium = before(false);
    let mut zeros = 0;
    medium.apply_with(|what, _| {
        zeros += usize::from(what == "zero");
        match zeros > 1 {
            true => Err(io::Error::other("the power is gone")),
            false => Ok(()),
        }
    });
    let left = fs::read(medium.path("esp/provision.toml")).unwrap();
    assert!(left[..512] == [0; 512] && left[512..].iter().any(|byte| *byte != 0));
    medium.put(full("old"));
    let (applied, told) = medium.apply();
    assert!(applied.provisioned, "{told}");
    assert_eq!(whole(&medium), Some("old"));
    assert!(medium.tree("esp").contains_key("provisioned.txt"));
    assert!(!medium.path("data/system/provision-erasing").exists());
}

/// Zeros lie where the text lay: the file is written over, not written anew.
#[test]
fn a_file_is_erased_where_it_lies() {
    let medium = before(false);
    let path = medium.path("esp/provision.toml");
    let (inode, length) = (
        path.metadata().unwrap().ino(),
        path.metadata().unwrap().len(),
    );
    let mut seen = false;
    medium.apply_with(|what, at: &Path| {
        if what == "empty" && at == path {
            let found = path.metadata().unwrap();
            assert_eq!((found.ino(), found.len()), (inode, length));
            assert!(fs::read(&path).unwrap().iter().all(|byte| *byte == 0));
            seen = true;
        }
        Ok(())
    });
    assert!(seen);
}
