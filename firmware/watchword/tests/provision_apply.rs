//! What a camera makes of a provisioning file at boot.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::process::Command;

use watchword::config::{Config, SourceConfig};
use watchword::share::Share;

mod provision_support;
use provision_support::{CA, KEY, Medium, SECRETS, full, holds, repository};

#[test]
fn a_full_file_is_moved_and_erased() {
    let medium = Medium::default();
    medium.put(full("new"));
    let (applied, told) = medium.apply();
    assert!(applied.provisioned && applied.usable, "{told}");

    let config = Config::load(&medium.path("data/watchword/config.toml")).unwrap();
    config.check(&Share::at(repository())).unwrap();
    assert_eq!(config.camera.as_str(), "gate-new");
    assert_eq!(config.board.name.as_str(), "qemu-virt");
    assert_eq!(config.data_dir, medium.path("data/watchword/."));
    assert_eq!(config.mqtt.username.as_deref(), Some("gate"));
    let secret = |path: &Path, content: &str| {
        assert_eq!(fs::read_to_string(path).unwrap(), content);
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    };
    secret(config.mqtt.password_file.as_ref().unwrap(), "hunter2-new\n");
    secret(config.mqtt.ca_file.as_ref().unwrap(), CA);
    let SourceConfig::Rtsp(camera) = &config.source else {
        panic!("{config:?}");
    };
    secret(camera.password_file.as_ref().unwrap(), "sesame-7-new\n");
    camera.open().unwrap();

    let data = medium.tree("data");
    for (path, mode) in [
        ("watchword", 0o700),
        ("watchword/config.toml", 0o600),
        ("watchword/secrets", 0o700),
        ("system/hostname", 0o644),
        ("system/network/10-wired.network", 0o644),
        ("ssh/authorized_keys", 0o600),
    ] {
        assert_eq!(data[path].0, mode, "{path}");
    }
    assert_eq!(data["system/hostname"].1, b"gate-new\n");
    assert_eq!(
        data["ssh/authorized_keys"].1,
        format!("{KEY}-new\n").into_bytes()
    );
    assert_eq!(
        data["system/localtime"].1,
        b"/usr/share/zoneinfo/Europe/London"
    );
    let unit = medium.read("run/systemd/network/10-wired.network");
    assert!(unit.contains("\nAddress=192.168.1.30/24\n"), "{unit}");

    let esp = medium.tree("esp");
    assert_eq!(esp.keys().collect::<Vec<_>>(), ["provisioned.txt"]);
    let done = medium.read("esp/provisioned.txt");
    for word in [
        "gate-new",
        "1970-01-01T00:00:00Z",
        "192.168.1.30/24",
        "mqtts://broker.lan:8883",
    ] {
        assert!(done.contains(word), "{word}: {done}");
    }
    for secret in SECRETS {
        assert!(!told.contains(secret) && !holds(&esp["provisioned.txt"].1, secret));
    }
}

#[test]
fn a_new_file_replaces_the_whole_configuration_but_not_the_store() {
    let medium = Medium::default();
    medium.put(full("old"));
    medium.apply();
    fs::write(
        medium.path("data/watchword/watchword.redb"),
        "rules and alerts",
    )
    .unwrap();
    fs::remove_file(medium.path("esp/provisioned.txt")).unwrap();
    medium.put("camera = \"gate-2\"\n");
    let (applied, told) = medium.apply();
    assert!(applied.provisioned, "{told}");
    let data = medium.tree("data");
    assert_eq!(data["watchword/watchword.redb"].1, b"rules and alerts");
    assert!(!data.contains_key("ssh/authorized_keys"));
    assert!(
        !data
            .keys()
            .any(|path| path.starts_with("watchword/secrets/")),
        "{:?}",
        data.keys()
    );
    assert_eq!(data["system/localtime"].1, b"/usr/share/zoneinfo/UTC");
    assert!(holds(
        &data["system/network/10-wired.network"].1,
        "DHCP=yes"
    ));
    assert!(holds(
        &fs::read(medium.path("run/systemd/network/10-wired.network")).unwrap(),
        "DHCP=yes"
    ));
    let config = Config::load(&medium.path("data/watchword/config.toml")).unwrap();
    assert_eq!(config.camera.as_str(), "gate-2");
    assert_eq!((config.mqtt.url, config.rules.len()), (None, 0));
    // The CA file is nobody's now, so it is left alone.
    assert!(medium.path("esp/ca.pem").exists());
}

#[test]
fn the_same_file_again_changes_nothing() {
    let medium = Medium::default();
    medium.put(full("new"));
    medium.apply();
    let first = medium.tree("data");
    medium.put(full("new"));
    let mut steps = vec![];
    medium.apply_with(|what, path| {
        steps.push((what, path.to_owned()));
        Ok(())
    });
    assert_eq!(medium.tree("data"), first);
    let data = medium.path("data/watchword");
    let touched = steps
        .iter()
        .filter(|(what, path)| path.starts_with(&data) && *what != "sync folder");
    assert_eq!(touched.count(), 0, "{steps:?}");
    assert!(!medium.path("esp/provision.toml").exists());
}

#[test]
fn a_wrong_file_changes_nothing_and_is_told_beside_it() {
    let medium = Medium::default();
    medium.put(full("old"));
    medium.apply();
    let before = medium.tree("data");
    let wrong = full("new")
        .replace("snapshot =", "snapshots =")
        .replace("kind = \"rtsp\"", "kind = \"rstp\"");
    medium.put(&wrong);
    let (applied, told) = medium.apply();
    assert!(!applied.provisioned && applied.usable);
    assert_eq!(medium.tree("data"), before);
    assert_eq!(medium.read("esp/provision.toml"), wrong);
    let error = medium.read("esp/provision-error.txt");
    for text in [&told, &error] {
        assert!(
            text.contains("did you mean snapshot?") && text.contains("did you mean rtsp?"),
            "{text}"
        );
        assert!(
            SECRETS.iter().all(|secret| !text.contains(secret)),
            "{text}"
        );
    }
    // At the next boot it is not written again: FAT wears.
    let esp = medium.path("esp");
    let mut writes = 0;
    medium.apply_with(|_, path| {
        writes += usize::from(path.starts_with(&esp));
        Ok(())
    });
    assert_eq!(writes, 0);
    // Put right, the error goes.
    medium.put(full("new"));
    assert!(medium.apply().0.provisioned);
    assert_eq!(
        medium.tree("esp").into_keys().collect::<Vec<_>>(),
        ["provisioned.txt"]
    );
}

#[test]
fn what_only_the_camera_can_see_is_refused_there() {
    let medium = Medium::default();
    medium.put("camera = \"gate\"\n[source]\nkind = \"file\"\npath = \"/nowhere/clip.mp4\"\n");
    let (applied, told) = medium.apply();
    assert!(!applied.provisioned && applied.usable, "{told}");
    assert!(
        medium
            .read("esp/provision-error.txt")
            .contains("/nowhere/clip.mp4: there is no such file")
    );
    assert!(!medium.path("data/watchword/config.toml.new").exists());
}

#[test]
fn a_file_that_sets_nothing_undoes_nothing() {
    let medium = Medium::default();
    medium.put(full("old"));
    medium.apply();
    let before = medium.tree("data");
    for text in ["", "# camera = \"x\"\r\n"] {
        medium.put(text);
        assert!(!medium.apply().0.provisioned);
        assert!(
            medium
                .read("esp/provision-error.txt")
                .contains("(sets nothing)")
        );
        assert_eq!(medium.tree("data"), before);
    }
}

#[test]
fn windows_endings_are_explained() {
    let medium = Medium::default();
    fs::write(medium.path("esp/provision.toml.txt"), full("new")).unwrap();
    medium.apply();
    assert!(
        medium
            .read("esp/provision-error.txt")
            .contains("rename it to provision.toml")
    );
}

#[test]
fn every_boot_sees_to_what_is_missing() {
    let medium = Medium::default();
    let (applied, told) = medium.apply();
    assert!(applied.usable && !applied.provisioned);
    let config = Config::load(&medium.path("data/watchword/config.toml")).unwrap();
    config.check(&Share::at(repository())).unwrap();
    let name = config.camera.as_str();
    // printf 0123456789abcdef | sha256sum
    assert_eq!(name, "camera-9f9f51", "{told}");
    assert_eq!(config.board.name.as_str(), "qemu-virt");
    assert_eq!(medium.read("data/system/hostname"), format!("{name}\n"));
    let unit = medium.read("run/systemd/network/10-wired.network");
    assert!(
        unit.contains("Type=ether") && unit.contains("DHCP=yes"),
        "{unit}"
    );
    assert!(!medium.path("data/ssh/authorized_keys").exists());
    assert!(medium.tree("esp").is_empty());
    // A second boot has nothing to do.
    let mut steps = 0;
    let (_, told) = medium.apply_with(|_, _| {
        steps += 1;
        Ok(())
    });
    assert_eq!((steps, told.as_str()), (0, ""));
}

#[test]
fn a_board_that_is_not_known_is_generic() {
    let medium = Medium::default();
    let mut job = medium.job();
    job.board = Some("../etc".into());
    job.esp = None;
    let mut told = provision_support::Told::default();
    watchword::provision::apply(&job, &mut Default::default(), &mut told);
    let config = Config::load(&medium.path("data/watchword/config.toml")).unwrap();
    assert_eq!(config.board.name.as_str(), "generic");
    assert!(told.0.contains("../etc"), "{}", told.0);
}

#[test]
fn without_a_data_partition_the_network_still_comes_up() {
    let medium = Medium::default();
    medium.put(full("new"));
    fs::remove_dir_all(medium.path("data")).unwrap();
    let (applied, told) = medium.apply();
    assert!(!applied.usable && !applied.provisioned);
    assert!(told.contains("data partition"), "{told}");
    assert!(
        medium
            .read("esp/provision-error.txt")
            .contains("data partition")
    );
    assert!(medium.path("esp/provision.toml").exists());
    assert!(
        medium
            .read("run/systemd/network/10-wired.network")
            .contains("DHCP=yes")
    );
}

#[test]
fn links_that_were_left_in_the_daemons_folder_are_not_followed() {
    let medium = Medium::default();
    fs::create_dir_all(medium.path("data/watchword")).unwrap();
    fs::create_dir_all(medium.path("elsewhere")).unwrap();
    fs::write(medium.path("elsewhere/file"), "precious").unwrap();
    symlink(
        medium.path("elsewhere"),
        medium.path("data/watchword/secrets"),
    )
    .unwrap();
    symlink(
        medium.path("elsewhere/file"),
        medium.path("data/watchword/config.toml.new"),
    )
    .unwrap();
    medium.put(full("new"));
    let (applied, told) = medium.apply();
    assert!(applied.provisioned, "{told}");
    let elsewhere = medium.tree("elsewhere");
    assert_eq!(elsewhere.keys().collect::<Vec<_>>(), ["file"]);
    assert_eq!(elsewhere["file"].1, b"precious");
}

#[test]
fn a_file_that_can_not_be_erased_is_told() {
    let medium = Medium::default();
    medium.put(full("new"));
    let esp = medium.path("esp");
    let (applied, told) =
        medium.apply_with(
            |what, path| match what != "sync folder" && path.starts_with(&esp) {
                true => Err(std::io::ErrorKind::ReadOnlyFilesystem.into()),
                false => Ok(()),
            },
        );
    assert!(applied.usable && !applied.provisioned);
    assert!(told.contains("secrets still lie there"), "{told}");
    assert!(
        medium
            .read("data/watchword/config.toml")
            .contains("gate-new"),
        "{told}"
    );
}

#[test]
fn a_read_only_medium_keeps_the_camera_going() {
    let medium = Medium::default();
    medium.put(full("old"));
    medium.apply();
    medium.put(full("new"));
    let before = medium.tree("data");
    let data = medium.path("data");
    let (applied, told) = medium.apply_with(|_, path| match path.starts_with(&data) {
        true => Err(std::io::ErrorKind::ReadOnlyFilesystem.into()),
        false => Ok(()),
    });
    assert!(applied.usable && !applied.provisioned, "{told}");
    assert_eq!(medium.tree("data"), before);
    assert!(
        medium.read("esp/provision-error.txt").contains("read-only"),
        "{told}"
    );
}

/// What is the daemon's belongs to its user; what is not stays with root.
#[test]
fn files_have_their_owners() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can give files away");
        return;
    }
    let medium = Medium::default();
    medium.put(full("new"));
    let mut job = medium.job();
    job.owner = Some(watchword::provision::Owner { uid: 973, gid: 972 });
    let mut told = provision_support::Told::default();
    watchword::provision::apply(&job, &mut Default::default(), &mut told);
    for (path, uid, gid) in [
        ("data/watchword", 973, 972),
        ("data/watchword/config.toml", 973, 972),
        ("data/watchword/secrets", 973, 972),
        ("data/watchword/secrets/a/mqtt-password", 973, 972),
        ("data/watchword/secrets/a/mqtt-ca.pem", 973, 972),
        ("data/ssh/authorized_keys", 0, 0),
        ("data/system/hostname", 0, 0),
        ("run/systemd/network/10-wired.network", 0, 0),
    ] {
        let found = medium.path(path).metadata().unwrap();
        assert_eq!((found.uid(), found.gid()), (uid, gid), "{path}");
    }
}

#[test]
fn the_command_says_what_it_did_and_exits_1_only_where_nothing_works() {
    let medium = Medium::default();
    let os_release = medium.path("os-release");
    fs::write(&os_release, "ID=watchword\nVARIANT_ID=qemu-virt\n").unwrap();
    let apply = || {
        let done = Command::new(env!("CARGO_BIN_EXE_watchword"))
            .args(["provision", "apply", "--esp"])
            .arg(medium.path("esp"))
            .arg("--data")
            .arg(medium.path("data"))
            .arg("--run")
            .arg(medium.path("run"))
            .arg("--os-release")
            .arg(&os_release)
            .env("WATCHWORD_SHARE", repository())
            .output()
            .unwrap();
        let shown = [done.stdout, done.stderr].concat();
        let shown = String::from_utf8(shown).unwrap();
        assert!(
            SECRETS.iter().all(|secret| !shown.contains(secret)),
            "{shown}"
        );
        (done.status.code(), shown)
    };
    medium.put(full("new").replace("bitrate_kbps", "bitrate"));
    let (status, shown) = apply();
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("did you mean bitrate_kbps?"), "{shown}");
    medium.put(full("new"));
    let (status, shown) = apply();
    assert_eq!(status, Some(0), "{shown}");
    assert!(
        shown.contains("this camera is gate-new") && shown.contains("erased"),
        "{shown}"
    );
    assert!(
        medium
            .read("data/watchword/config.toml")
            .contains("qemu-virt")
    );
    fs::remove_dir_all(medium.path("data")).unwrap();
    let (status, shown) = apply();
    assert_eq!(status, Some(1), "{shown}");
    assert!(shown.contains("can't watch until"), "{shown}");
}

/// An image holds its own board alone, not the one that defaults name.
#[test]
fn an_image_of_one_board_is_enough() {
    let medium = Medium::default();
    let share = medium.path("share");
    fs::create_dir_all(share.join("board")).unwrap();
    for part in ["pipelines", "board/qemu-virt"] {
        symlink(
            repository().canonicalize().unwrap().join(part),
            share.join(part),
        )
        .unwrap();
    }
    medium.put(full("new"));
    let mut job = medium.job();
    job.share = Share::at(&share);
    let mut told = provision_support::Told::default();
    let applied = watchword::provision::apply(&job, &mut Default::default(), &mut told);
    assert!(applied.provisioned, "{}", told.0);
}
