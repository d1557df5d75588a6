use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

use platform::{IoMode, Platform, PlatformError, Poe, service};
use scene::ports::Board;
use scene::{Celsius, Quantity, Source, Watts};

const GOOD: &str = r#"
[board]
name = "good"
title = "Good"
[video]
source = "test"
encoder = "x264"
[poe]
class = 4
[power]
idle_watts = 4.0
watts_per_core = 1.0
energy_counter = "rapl"
[thermal]
critical_celsius = 90.0
[compute]
cores = 4
threads = 2
[boot]
counter = "none"
"#;

/// A folder with a board called good, and a tree of sensors.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new(toml: &str) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.put("good/board.toml", toml);
        tree
    }

    fn put(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn open(&self) -> Result<Platform, PlatformError> {
        Platform::open(&self.0.path().join("good"), self.0.path())
    }
}

fn boards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../board")
}

#[test]
fn the_boards_that_ship_are_sound() {
    let mut seen = 0;
    for entry in fs::read_dir(boards()).unwrap() {
        let dir = entry.unwrap().path();
        // common/ is the overlay that all share, not a board.
        if !dir.is_dir() || dir.ends_with("common") {
            continue;
        }
        let board = Platform::open(&dir, Path::new("/")).unwrap();
        assert_eq!(dir.file_name().unwrap(), board.name());
        let spec = board.spec();
        let source = ("source", &spec.video.source);
        let encoders = spec.video.encoder.iter().map(|name| ("encoder", name));
        for (kind, name) in std::iter::once(source).chain(encoders) {
            let pipeline = boards().join(format!("../pipelines/{kind}-{name}.toml"));
            assert!(pipeline.is_file(), "{}", pipeline.display());
        }
        // At its allotment there is room for inference.
        let room = spec.poe.allotment().unwrap().0 * 0.9 - spec.power.idle_watts;
        assert!(
            spec.step().0 < room,
            "{}: {:?} of {room} W",
            board.name(),
            spec.step()
        );
        seen += 1;
    }
    assert!(seen >= 2, "generic and qemu-virt ship");
}

#[test]
fn a_board_file_is_closed_and_says_what_is_wrong_with_it() {
    let cases = [
        ("class = 4", "class = 9", "[poe] class = 9"),
        ("class = 4", "class = 4\ncolour = 1", "colour"),
        ("[thermal]", "[termal]", "termal"),
        ("threads = 2", "threads = 5", "[compute] threads = 5"),
        ("threads = 2", "", "threads"),
        (
            "idle_watts = 4.0",
            "idle_watts = nan",
            "[power] idle_watts = NaN",
        ),
        (
            "idle_watts = 4.0",
            "idle_watts = -1.0",
            "[power] idle_watts = -1",
        ),
        ("\"rapl\"", "\"magic\"", "magic"),
        ("\"x264\"", "\"../x\"", "[video] encoder = \"../x\""),
        (
            "\"x264\"",
            "[\"x264\", \"../y\"]",
            "[video] encoder = \"../y\"",
        ),
        ("\"x264\"", "[]", "[video] encoder = []"),
        ("\"x264\"", "264", "a name, or a list of names"),
        ("\"x264\"", "\"x264\"\nio_mode = \"fast\"", "dmabuf"),
        (
            "\"x264\"",
            "\"x264\"\nmost = { width = 640, height = 360, rate = 0 }",
            "[video] most.rate = 0",
        ),
        ("\"x264\"", "\"x264\"\nmost = { width = 640 }", "height"),
        (
            "name = \"good\"",
            "name = \"other\"",
            "[board] name = \"other\"",
        ),
        (
            "critical_celsius = 90.0",
            "critical_celsius = 5.0",
            "critical_celsius = 5",
        ),
        ("[board]", "[board", "board"),
    ];
    for (old, new, expected) in cases {
        let text = GOOD.replace(old, new);
        assert_ne!(text, GOOD);
        let error = Tree::new(&text).open().unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("good/board.toml"),
            "{new}: {error}"
        );
    }
    let error = Platform::open(Path::new("/nowhere"), Path::new("/")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/board.toml"), "{error}");
}

#[test]
fn classes_have_their_watts() {
    let watts = |class| Poe { class }.allotment().map(|w| w.0);
    let all: Vec<Option<f64>> = (0..=9).map(watts).collect();
    let expected = [12.95, 3.84, 6.49, 12.95, 25.5, 40.0, 51.0, 62.0, 71.3].map(Some);
    assert_eq!(all[..9], expected);
    assert_eq!(all[9], None);
}

#[test]
fn a_bare_board_is_modelled() {
    let mut board = Tree::new(GOOD).open().unwrap();
    let r = board.read();
    assert_eq!(r.allotment, Quantity::modelled(Watts(25.5)));
    assert_eq!(r.board, Some(Quantity::modelled(Watts(4.0))));
    assert_eq!((r.hottest, r.energy_joules), (None, None));
    // Some load, and the model sees it.
    let began = std::time::Instant::now();
    let mut x = 1u64;
    while began.elapsed().as_millis() < 300 {
        x = std::hint::black_box(x.wrapping_mul(31).wrapping_add(7));
    }
    let after = board.read();
    assert!(after.cpu_time > r.cpu_time);
    let watts = after.board.unwrap();
    assert_eq!(watts.source, Source::Modelled);
    assert!(watts.value.0 > 4.05 && watts.value.0 <= 8.0, "{watts:?}");
}

#[test]
fn the_hottest_sane_zone_counts() {
    let tree = Tree::new(GOOD);
    let zone =
        |n: u32, text: &[u8]| tree.put(&format!("sys/class/thermal/thermal_zone{n}/temp"), text);
    let mut board = tree.open().unwrap();
    zone(0, b"41500\n");
    zone(1, b"63250\n");
    zone(2, b"999999999\n");
    zone(3, b"-274000\n");
    zone(4, b"warm\n");
    zone(5, b"");
    zone(6, &[0xFF; 5_000]);
    zone(7, b"99999999999999999999999999\n");
    tree.put("sys/class/thermal/cooling_device0/temp", "99000");
    tree.put("sys/class/thermal/thermal_zone8/type", "no temp here");
    assert_eq!(board.read().hottest, Some(Celsius(63.25)));
    fs::remove_dir_all(tree.0.path().join("sys")).unwrap();
    assert_eq!(board.read().hottest, None, "a sensor that vanished");
}

#[test]
fn the_energy_counter_is_read_wraps_and_fails() {
    let tree = Tree::new(GOOD);
    let counter = |uj: &str| tree.put("sys/class/powercap/intel-rapl:0/energy_uj", uj);
    tree.put("sys/class/powercap/intel-rapl:0/name", "package-0\n");
    tree.put(
        "sys/class/powercap/intel-rapl:0/max_energy_range_uj",
        "10000000\n",
    );
    // Parts of the package and other domains are not added to it.
    for (dir, name) in [("intel-rapl:0:0", "core"), ("intel-rapl:1", "psys")] {
        tree.put(&format!("sys/class/powercap/{dir}/name"), name);
        tree.put(&format!("sys/class/powercap/{dir}/energy_uj"), "5");
    }
    counter("1000000\n");
    let mut board = tree.open().unwrap();
    let mut joules = || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        let r = board.read();
        (r.energy_joules.unwrap(), r.board.unwrap().source)
    };
    assert_eq!(joules().0, 0.0);
    counter("3000000\n");
    assert_eq!(joules(), (2.0, Source::Measured));
    counter("9000000\n");
    assert_eq!(joules().0, 8.0);
    counter("500000\n");
    assert_eq!(joules(), (9.5, Source::Measured), "wrapped at 10 J");
    for bad in ["", "much", "-5", "99999999999999999999999"] {
        counter(bad);
        assert_eq!(joules(), (9.5, Source::Modelled), "{bad}");
    }
    counter("600000\n");
    joules();
    counter("700000\n");
    let (total, source) = joules();
    assert!(
        (total - 9.6).abs() < 1e-9 && source == Source::Measured,
        "{total}"
    );
}

/// The environment is read by the process, so a child says the words.
#[test]
fn systemd_hears_it() {
    const CHILD: &str = "PLATFORM_TEST_SAYS";
    if std::env::var_os(CHILD).is_some() {
        assert_eq!(
            service::watchdog_interval(),
            Some(std::time::Duration::from_secs(5))
        );
        service::ready();
        service::status("watching\nREADY=0");
        service::ping();
        service::stopping();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(std::time::Duration::from_secs(10)))
        .unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "systemd_hears_it"])
        .env(CHILD, "1")
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "10000000")
        .env_remove("WATCHDOG_PID")
        .status()
        .unwrap();
    assert!(child.success());
    let heard = || {
        let mut buffer = [0; 200];
        let n = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..n]).trim_end().to_string()
    };
    assert_eq!(heard(), "READY=1");
    assert_eq!(heard(), "STATUS=watching READY=0");
    assert_eq!(heard(), "WATCHDOG=1");
    assert_eq!(heard(), "STOPPING=1");
}

#[test]
fn a_board_names_its_encoders_in_order() {
    let one = Tree::new(GOOD).open().unwrap();
    assert_eq!(one.spec().video.encoder, ["x264"]);
    assert_eq!(one.spec().video.io_mode, None);
    let more = "[\"mpph264\", \"x264\"]\nio_mode = \"dmabuf\"";
    let more = Tree::new(&GOOD.replace("\"x264\"", more)).open().unwrap();
    assert_eq!(more.spec().video.encoder, ["mpph264", "x264"]);
    assert_eq!(more.spec().video.io_mode, Some(IoMode::Dmabuf));
    assert_eq!(more.spec().video.most, None);
    let most = "\"x264\"\nmost = { width = 640, height = 360, rate = 5 }";
    let most = Tree::new(&GOOD.replace("\"x264\"", most)).open().unwrap();
    let mode = most.spec().video.most.unwrap();
    assert_eq!((mode.width, mode.height, mode.rate), (640, 360, 5));
}
