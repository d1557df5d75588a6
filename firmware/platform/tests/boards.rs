mod common;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use common::{GOOD, Says, Tree, boards, read};
use platform::pins::{Levels, Lines};
use platform::{IoMode, Outside, Platform, Poe, Sensor, service};
use scene::ports::{Board, Reading};
use scene::{Celsius, Source, Watts};

#[test]
fn the_boards_that_ship_are_sound() {
    let mut seen = 0;
    for entry in fs::read_dir(boards()).unwrap() {
        let dir = entry.unwrap().path();
        // common/ is the overlay that all share, not a board.
        if !dir.is_dir() || dir.ends_with("common") {
            continue;
        }
        let nowhere = Tree::empty();
        let mut board = Platform::open(&dir, nowhere.root()).unwrap();
        assert!(board.read().board.is_some());
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
    assert!(seen >= 6, "{seen}");
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
        ("class = 4", "class = 1", "[power] idle_watts = 4"),
        ("[thermal]", "sensor = \"magic\"\n[thermal]", "magic"),
        (
            "[thermal]",
            "energy_counter = \"none\"\n[thermal]",
            "energy_counter",
        ),
        (
            "[thermal]",
            "at = \"1-0040\"\n[thermal]",
            "[power] at = \"1-0040\"",
        ),
        (
            "[thermal]",
            "sensor = \"ina226\"\nat = \"../x\"\n[thermal]",
            "[power] at = \"../x\"",
        ),
        (
            "[thermal]",
            "sensor = \"ina226\"\nchannels = [\"1\"]\n[thermal]",
            "[power] channels = [\"1\"]",
        ),
        (
            "[thermal]",
            "sensor = \"ina3221\"\n[thermal]",
            "[power] channels = []",
        ),
        (
            "[thermal]",
            "efficiency = 0.4\n[thermal]",
            "[power] efficiency = 0.4",
        ),
        (
            "[thermal]",
            "tolerance = 0.31\n[thermal]",
            "[power] tolerance = 0.31",
        ),
        (
            "[thermal]",
            "switched = { heater = 22 }\n[thermal]",
            "[power] switched = { heater = 22 }",
        ),
        (
            "[thermal]",
            "switched = { heater = -1.0 }\n[thermal]",
            "[power] switched = { heater = -1 }",
        ),
        (
            "[thermal]",
            "switched = { \"Heater 1\" = 1.0 }\n[thermal]",
            "[power] switched = \"Heater 1\"",
        ),
        (
            "[compute]",
            "derate_celsius = 90.0\n[compute]",
            "[thermal] derate_celsius = 90",
        ),
        (
            "[compute]",
            "ambient_most_celsius = 80.0\n[compute]",
            "[thermal] ambient_most_celsius = 80",
        ),
        (
            "[compute]",
            "die_seconds = 0.0\n[compute]",
            "[thermal] die_seconds = 0",
        ),
        ("[boot]", "caps_mhz = [9]\n[boot]", "[compute] caps_mhz = 9"),
        (
            "[boot]",
            "caps_mhz = [1200, 800]\n[boot]",
            "[compute] caps_mhz = [1200, 800]",
        ),
        (
            "class = 4",
            "class = 4\npins = { controller = \"tps2373\", tph = \"A\", tpl = \"B\" }",
            "[poe.pins] bt = nothing",
        ),
        (
            "class = 4",
            "class = 4\npins = { controller = \"tps23731\", t2p = \"A\", bt = \"B\" }",
            "[poe.pins] bt = \"B\"",
        ),
        (
            "class = 4",
            "class = 4\npins = { controller = \"tps2372\", tph = \"A\", tpl = \"A\" }",
            "[poe.pins] tpl = \"A\"",
        ),
        (
            "class = 4",
            "class = 4\npins = { controller = \"tps1\" }",
            "tps1",
        ),
    ];
    for (old, new, expected) in cases {
        let text = GOOD.replace(old, new);
        assert_ne!(text, GOOD);
        let error = Tree::empty().board(&text).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("good/board.toml"),
            "{new}: {error}"
        );
    }
    let error = Platform::open(Path::new("/nowhere"), Path::new("/")).unwrap_err();
    assert!(error.to_string().contains("/nowhere/board.toml"), "{error}");
    let error = Platform::open(&boards().join("toaster"), Path::new("/")).unwrap_err();
    let known = "generic, imx8mp-evk, qemu-virt, rock-5b, rpi-cm4-poe, rpi5-poe";
    assert!(error.to_string().contains(known), "{error}");
}

#[test]
fn a_short_file_has_sensible_defaults() {
    let board = Tree::empty().board(GOOD).unwrap();
    let spec = board.spec();
    assert_eq!(spec.power.sensor, Sensor::None);
    assert_eq!((spec.power.efficiency, spec.power.tolerance), (1.0, 0.05));
    assert!(spec.power.switched.is_empty() && spec.compute.caps_mhz.is_empty());
    assert!(spec.poe.lldp && spec.poe.pins.is_none());
    let t = &spec.thermal;
    assert_eq!((t.critical(), t.derate()), (Celsius(90.0), Celsius(80.0)));
    assert_eq!((t.case().as_secs(), t.die().as_secs()), (900, 20));
    assert_eq!((t.kelvin_per_watt, t.die_kelvin_per_watt), (2.0, 2.0));
    assert_eq!(t.ambient_most_celsius, 55.0);
}

const SWITCH: &str = r#"{"lldp": [{"interface": [{"name": "eth0", "via": "LLDP", "port": [{"power": [{
    "supported": true, "enabled": true, "paircontrol": false, "device-type": [{"value": "PSE"}],
    "class": [{"value": "class 4"}], "power-type": [{"value": "2"}],
    "requested": [{"value": "25500"}], "allocated": [{"value": "25500"}]}]}]}]}]}"#;

#[test]
fn the_switch_renegotiates_and_falls_silent() {
    let lldp = Says::default();
    let outside = Outside {
        lldp: lldp.boxed(),
        ..Outside::default()
    };
    let mut board = Tree::empty().board_with(GOOD, outside).unwrap();
    let mut allotment = |t: f64| {
        let r = read(&mut board, t, 0.0);
        let by = r.allotment.by.into_owned();
        (r.allotment.value.0, by, r.problems)
    };
    assert_eq!(allotment(0.0), (12.95, "nobody yet".into(), vec![]));
    // A machine without lldpd has no problem.
    lldp.say(1.0, Err("lldpcli can't be started"));
    assert_eq!(allotment(1.0), (12.95, "nobody yet".into(), vec![]));
    lldp.say(10.0, Ok(SWITCH));
    assert_eq!(allotment(10.5), (25.5, "lldp".into(), vec![]));
    let lower = SWITCH.replace("\"25500\"}]}]", "\"13400\"}]}]");
    lldp.say(20.0, Ok(&lower));
    assert_eq!(allotment(20.5), (13.4, "lldp".into(), vec![]));
    lldp.say(30.0, Ok(SWITCH));
    assert_eq!(allotment(30.5).0, 25.5);
    // lldpcli fails from now on.
    lldp.say(40.0, Err("lldpcli did not answer within 5 s"));
    let (watts, _, problems) = allotment(300.0);
    assert_eq!(watts, 25.5);
    assert_eq!(
        problems,
        [
            "lldp granted 25.50 W 270 s ago and is silent now",
            "lldpcli did not answer within 5 s"
        ]
    );
    lldp.say(310.0, Ok("garbage"));
    let (watts, _, problems) = allotment(331.0);
    assert_eq!(watts, 12.95);
    assert!(problems[1].contains("no JSON"), "{problems:?}");
    lldp.say(340.0, Ok(SWITCH));
    assert_eq!(allotment(340.0), (25.5, "lldp".into(), vec![]));
}

struct Wired(Result<Levels, String>);

impl Lines for Wired {
    fn levels(&mut self) -> Result<Levels, String> {
        self.0.clone()
    }
}

#[test]
fn the_pins_of_a_pd_controller_count() {
    let pins =
        "class = 4\npins = { controller = \"tps2373\", tph = \"A\", tpl = \"B\", bt = \"C\" }";
    let toml = GOOD.replace("class = 4", pins);
    let with = |levels| {
        let outside = Outside {
            pins: Some(Box::new(Wired(levels))),
            ..Outside::default()
        };
        let mut board = Tree::empty().board_with(&toml, outside).unwrap();
        read(&mut board, 0.0, 0.0)
    };
    let levels = |tph, tpl, bt| Levels {
        tph: Some(tph),
        tpl: Some(tpl),
        bt: Some(bt),
        t2p: None,
    };
    let r = with(Ok(levels(true, false, true)));
    assert_eq!((r.allotment.value.0, &*r.allotment.by), (25.5, "pd pins"));
    assert_eq!(with(Ok(levels(true, true, true))).allotment.value.0, 12.95);
    let r = with(Ok(levels(false, false, false)));
    assert_eq!((r.allotment.value.0, &*r.allotment.by), (25.5, "class 4"));
    // An adapter of unknown watts, levels that mean nothing, lines that fail.
    assert_eq!(with(Ok(levels(false, true, true))).allotment.value.0, 12.95);
    for (levels, expected) in [
        (Ok(levels(false, false, true)), "contradict"),
        (Err("no GPIO line is called \"A\"".to_string()), "\"A\""),
    ] {
        let r = with(levels);
        assert_eq!(r.allotment.value.0, 12.95);
        assert!(r.problems[0].contains(expected), "{:?}", r.problems);
    }
}

#[test]
fn classes_have_their_watts() {
    let watts = |class| {
        let poe = Poe {
            class,
            lldp: true,
            pins: None,
        };
        poe.allotment().map(|w| w.0)
    };
    let all: Vec<Option<f64>> = (0..=9).map(watts).collect();
    let expected = [12.95, 3.84, 6.49, 12.95, 25.5, 40.0, 51.0, 62.0, 71.3].map(Some);
    assert_eq!(all[..9], expected);
    assert_eq!(all[9], None);
}

#[test]
fn a_bare_board_is_modelled() {
    let mut board = Tree::empty().board(GOOD).unwrap();
    let r = board.read();
    assert_eq!(r.allotment, Reading::modelled(Watts(12.95), "nobody yet"));
    assert_eq!(r.board, Some(Reading::modelled(Watts(4.0), "CPU time")));
    assert_eq!((r.hottest.clone(), r.frequency_mhz), (None, None));
    assert_eq!(r.problems, Vec::<String>::new());
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
    let one = Tree::empty().board(GOOD).unwrap();
    assert_eq!(one.spec().video.encoder, ["x264"]);
    assert_eq!(one.spec().video.io_mode, None);
    let more = "[\"mpph264\", \"x264\"]\nio_mode = \"dmabuf\"";
    let more = Tree::empty()
        .board(&GOOD.replace("\"x264\"", more))
        .unwrap();
    assert_eq!(more.spec().video.encoder, ["mpph264", "x264"]);
    assert_eq!(more.spec().video.io_mode, Some(IoMode::Dmabuf));
    assert_eq!(more.spec().video.most, None);
    let most = "\"x264\"\nmost = { width = 640, height = 360, rate = 5 }";
    let most = Tree::empty()
        .board(&GOOD.replace("\"x264\"", most))
        .unwrap();
    let mode = most.spec().video.most.unwrap();
    assert_eq!((mode.width, mode.height, mode.rate), (640, 360, 5));
}
