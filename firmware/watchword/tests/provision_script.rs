//! The script that runs `watchword provision apply` at boot, with programs in
//! place of mount and the like that note what is asked of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

mod provision_support;
use provision_support::repository;

struct Boot {
    dir: tempfile::TempDir,
}

impl Boot {
    /// A folder stands for the ESP; a mount is a link to it.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let boot = Self { dir };
        for folder in ["bin", "esp", "data/system", "run"] {
            fs::create_dir_all(boot.path(folder)).unwrap();
        }
        boot.program("mountpoint", "[ -h \"$2\" ]");
        boot.program(
            "mount",
            "case $4 in ro,*) ;; *) [ ! -e \"$T/read-only\" ] || exit 32;; esac\n\
             [ ! -e \"$T/broken\" ] && rmdir \"$6\" && ln -s \"$5\" \"$6\"",
        );
        boot.program("umount", "rm \"$1\" && mkdir \"$1\"");
        boot.program("udevadm", "true");
        boot.program(
            "watchword",
            "exit $(cat \"$T/status\" 2>/dev/null || echo 0)",
        );
        boot
    }

    fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn program(&self, name: &str, does: &str) {
        let path = self.path("bin").join(name);
        let text = format!("#!/bin/sh\necho \"{name} $*\" >>\"$T/log\"\n{does}\n");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Exit status, what was asked of the programs, what was said.
    fn run(&self) -> (Option<i32>, Vec<String>, String) {
        let _ = fs::remove_file(self.path("log"));
        let script = repository().join("board/common/usr/lib/watchword/provision");
        let done = Command::new("sh")
            .arg(script)
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.path("bin").display()),
            )
            .env("T", self.dir.path())
            .env("WATCHWORD", self.path("bin/watchword"))
            .env("WATCHWORD_ESP", self.path("esp"))
            .env("WATCHWORD_ESP_MOUNT", self.path("run/esp"))
            .env("WATCHWORD_DATA", self.path("data"))
            .output()
            .unwrap();
        let here = format!("{}/", self.dir.path().display());
        let log = fs::read_to_string(self.path("log"))
            .unwrap()
            .replace(&here, "");
        let said = String::from_utf8(done.stderr).unwrap();
        assert!(!self.path("run/esp").exists(), "it stays mounted: {log}");
        (
            done.status.code(),
            log.lines().map(str::to_owned).collect(),
            said,
        )
    }
}

/// What is asked, without the questions whether something is mounted.
fn asked(log: &[String]) -> Vec<&str> {
    let asked = log.iter().map(String::as_str);
    asked
        .filter(|line| !line.starts_with("mountpoint"))
        .collect()
}

const RO: &str = "mount -t vfat -o ro,nosuid,nodev,noexec,sync,umask=0077 esp run/esp";
const RW: &str = "mount -t vfat -o rw,nosuid,nodev,noexec,sync,umask=0077 esp run/esp";
const WITHOUT: &str = "watchword provision apply --data data --run /run --set-hostname";
const WITH: &str = "watchword provision apply --esp run/esp --data data --run /run --set-hostname";

#[test]
fn without_a_file_the_esp_is_only_looked_at() {
    let boot = Boot::new();
    let (status, log, said) = boot.run();
    assert_eq!((status, said.as_str()), (Some(0), ""));
    assert_eq!(asked(&log), [RO, "umount run/esp", WITHOUT]);
}

#[test]
fn with_a_file_it_is_written() {
    for file in [
        "esp/provision.toml",
        "esp/provision.toml.txt",
        "data/system/provision-erasing",
    ] {
        let boot = Boot::new();
        fs::write(boot.path(file), "").unwrap();
        let (status, log, said) = boot.run();
        assert_eq!((status, said.as_str()), (Some(0), ""));
        assert_eq!(
            asked(&log),
            [RO, "umount run/esp", RW, WITH, "umount run/esp"],
            "{file}"
        );
    }
}

#[test]
fn what_fails_does_not_keep_the_camera_from_its_boot() {
    let boot = Boot::new();
    fs::write(boot.path("esp/provision.toml"), "").unwrap();
    fs::write(boot.path("read-only"), "").unwrap();
    let (status, log, said) = boot.run();
    assert_eq!(status, Some(0));
    assert!(said.contains("for writing"), "{said}");
    assert_eq!(
        asked(&log),
        [RO, "umount run/esp", RW, RO, WITH, "umount run/esp"]
    );

    fs::write(boot.path("broken"), "").unwrap();
    let (status, log, said) = boot.run();
    assert_eq!(status, Some(0));
    assert!(said.contains("can't mount"), "{said}");
    assert_eq!(asked(&log), [RO, WITHOUT]);

    fs::remove_dir_all(boot.path("esp")).unwrap();
    let (status, log, said) = boot.run();
    assert_eq!(status, Some(0));
    assert!(said.contains("no partition called esp"), "{said}");
    assert!(
        log[0].starts_with("udevadm settle") && asked(&log)[1..] == [WITHOUT],
        "{log:?}"
    );
}

#[test]
fn the_programs_status_is_the_scripts() {
    let boot = Boot::new();
    fs::write(boot.path("esp/provision.toml"), "").unwrap();
    fs::write(boot.path("status"), "1").unwrap();
    assert_eq!(boot.run().0, Some(1));
}
