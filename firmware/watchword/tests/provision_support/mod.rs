//! A medium with an ESP and a data partition, as folders.
#![allow(dead_code, reason = "each test binary uses some of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use watchword::provision::{Applied, Apply, Disk, FILE, Tell, apply};
use watchword::share::Share;

/// Secrets of the files below; none may be seen anywhere.
pub const SECRETS: [&str; 4] = ["hunter2-old", "hunter2-new", "sesame-7-old", "sesame-7-new"];

/// A self-signed authority, made for these tests; nobody has its key.
pub const CA: &str = include_str!("ca.pem");

pub const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUo1CDSyBUhNpMAjgBUVrbPYyYRoBTFBMoPUTmlQMtr adam@desk";

/// A file that sets everything; `which` is part of all that it sets.
pub fn full(which: &str) -> String {
    let last = if which == "old" { 20 } else { 30 };
    format!(
        r#"
camera = "gate-{which}"
time_zone = "Europe/London"
position = {{ latitude_degrees = 51.5, longitude_degrees = -0.12 }}
snapshot = "blurred"

[mqtt]
url = "mqtts://broker.lan:8883"
username = "gate"
password = "hunter2-{which}"
ca_file = "ca.pem"

[source]
kind = "rtsp"
url = "rtsp://cam-{which}.lan/live"
username = "viewer"
password = "sesame-7-{which}"

[video]
bitrate_kbps = 1500

[network]
address = "192.168.1.{last}/24"
gateway = "192.168.1.1"
dns = ["192.168.1.1"]
ntp = ["pool.ntp.org"]

[ssh]
authorized_keys = ["{KEY}-{which}"]

[rules]
queue-{which} = "more than 10 people for 2 minutes"
"#
    )
}

/// What was told.
#[derive(Default)]
pub struct Told(pub String);

impl Tell for Told {
    fn info(&mut self, text: &str) {
        self.0.push_str(&format!("{text}\n"));
    }
    fn warn(&mut self, text: &str) {
        self.0.push_str(&format!("! {text}\n"));
    }
}

pub struct Medium {
    pub dir: tempfile::TempDir,
}

pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Default for Medium {
    fn default() -> Self {
        // In memory where there is such a place: some tests sync thousands of times.
        let memory = Path::new("/dev/shm");
        let dir = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()),
            false => tempfile::tempdir(),
        };
        let dir = dir.unwrap();
        for folder in ["esp", "data/identity", "run"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(
            dir.path().join("data/identity/machine-id"),
            "0123456789abcdef\n",
        )
        .unwrap();
        Self { dir }
    }
}

impl Medium {
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Puts a provisioning file, and its CA beside it, on the ESP.
    pub fn put(&self, text: impl AsRef<[u8]>) {
        fs::write(self.path("esp").join(FILE), text).unwrap();
        fs::write(self.path("esp/ca.pem"), CA).unwrap();
    }

    pub fn job(&self) -> Apply {
        Apply {
            esp: Some(self.path("esp")),
            data: self.path("data"),
            run: self.path("run"),
            board: Some("qemu-virt".into()),
            share: Share::at(repository()),
            owner: None,
            set_hostname: false,
            now: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    pub fn apply(&self) -> (Applied, String) {
        let mut told = Told::default();
        let applied = apply(&self.job(), &mut Disk::default(), &mut told);
        (applied, told.0)
    }

    /// Applies, asking `gate` before each step.
    pub fn apply_with(
        &self,
        gate: impl FnMut(&'static str, &Path) -> io::Result<()>,
    ) -> (Applied, String) {
        let mut told = Told::default();
        let applied = apply(&self.job(), &mut Disk::with_gate(gate), &mut told);
        (applied, told.0)
    }

    pub fn read(&self, path: &str) -> String {
        let path = self.path(path);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Everything below a folder: path, then mode and content or target.
    pub fn tree(&self, below: &str) -> BTreeMap<String, (u32, Vec<u8>)> {
        let mut tree = BTreeMap::new();
        let root = self.path(below);
        walk(&root, &root, &mut tree);
        tree
    }
}

fn walk(root: &Path, path: &Path, tree: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        let found = path.symlink_metadata().unwrap();
        let content = if found.is_symlink() {
            fs::read_link(&path)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes()
        } else if found.is_dir() {
            walk(root, &path, tree);
            vec![]
        } else {
            fs::read(&path).unwrap()
        };
        let name = path.strip_prefix(root).unwrap().display().to_string();
        tree.insert(name, (found.mode() & 0o7777, content));
    }
}

pub fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}
