//! Boards read from recorded trees in the kernel's formats.

mod common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use common::{GOOD, Says, Tree, read, with_power};
use platform::Outside;
use scene::{Celsius, Source};

/// Measured watts and who measured them.
fn watts(readings: &scene::ports::Readings) -> (f64, Source, &str) {
    let board = readings.board.as_ref().unwrap();
    let rounded = (board.value.0 * 1e6).round() / 1e6;
    (rounded, board.source, &board.by)
}

#[test]
fn a_cm4_with_the_poe_hat() {
    let tree = Tree::recorded("cm4");
    let mut board = tree.shipped("rpi-cm4-poe");
    let r = read(&mut board, 0.0, 0.0);
    // 0.862 A at 5 V behind a converter that passes 85 %.
    assert_eq!(watts(&r), (5.070588, Source::Measured, "rpi-poe"));
    assert_eq!(r.allotment.value.0, 25.5);
    assert_eq!(
        (r.allotment.source, &*r.allotment.by),
        (Source::Measured, "rpi-poe")
    );
    let hottest = r.hottest.unwrap();
    assert_eq!(
        (hottest.value, &*hottest.by),
        (Celsius(47.712), "cpu-thermal")
    );
    assert_eq!(r.frequency_mhz, Some(1_500));
    assert_eq!(r.problems, Vec::<String>::new());
    // The switch is of 802.3af after all.
    let hat = "sys/class/power_supply/rpi-poe";
    tree.put(&format!("{hat}/current_max"), "2500000\n");
    assert_eq!(read(&mut board, 0.5, 0.0).allotment.value.0, 12.95);
    tree.put("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
    let problems = read(&mut board, 1.0, 0.0).problems;
    assert!(
        problems[0].contains("supply voltage is too low"),
        "{problems:?}"
    );
    tree.put("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n");
    // Fed by USB-C: the HAT measures nothing, and its grant is kept for a while.
    tree.put(&format!("{hat}/online"), "0\n");
    let r = read(&mut board, 1.5, 0.0);
    assert_eq!(watts(&r).1, Source::Modelled);
    let unfed = read(&mut tree.shipped("rpi-cm4-poe"), 0.0, 0.0).allotment;
    assert_eq!(
        unfed.source,
        Source::Modelled,
        "a HAT that feeds nothing grants nothing"
    );
    assert!(
        r.problems[0].starts_with("rpi-poe: the power sensor"),
        "{:?}",
        r.problems
    );
    assert_eq!(r.allotment.value.0, 12.95);
}

#[test]
fn an_imx8mp_with_an_ina3221() {
    let tree = Tree::recorded("imx8mp");
    let mut board = tree.shipped("imx8mp-evk");
    let r = read(&mut board, 0.0, 0.0);
    let expected = (5.016 * 0.640 + 3.304 * 0.276) / 0.88;
    let (w, source, by) = watts(&r);
    assert!(
        (w - expected).abs() < 1e-5 && source == Source::Measured,
        "{w}"
    );
    assert_eq!(by, "ina3221");
    let hottest = r.hottest.unwrap();
    assert_eq!(
        (hottest.value, &*hottest.by),
        (Celsius(55.0), "soc-thermal")
    );
    assert_eq!(
        (r.allotment.value.0, r.allotment.source),
        (12.95, Source::Modelled)
    );
    assert_eq!(r.problems, Vec::<String>::new());
    let names: Vec<String> = board.frequencies().into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["policy0", "32700000.interconnect"]);
    // By number, and one that is not there.
    let by_number = with_power("sensor = \"ina3221\"\nchannels = [\"3\"]");
    let r = read(&mut tree.board(&by_number).unwrap(), 0.0, 0.0);
    assert_eq!(watts(&r).0, 0.87312);
    let wrong = with_power("sensor = \"ina3221\"\nchannels = [\"VDD_IN\"]");
    let r = read(&mut tree.board(&wrong).unwrap(), 0.0, 0.0);
    assert_eq!(watts(&r).1, Source::Modelled);
    let problem = &r.problems[0];
    assert!(
        problem.contains("no \"VDD_IN\" but VDD_5V, VDD_3V3, VDD_ARM"),
        "{problem}"
    );
}

#[test]
fn a_rock_5b_with_an_iio_ina226() {
    let tree = Tree::recorded("rock-5b");
    let mut board = tree.shipped("rock-5b");
    let r = read(&mut board, 0.0, 0.0);
    // 204 x 25 mW behind a converter that passes 88 %.
    assert_eq!(watts(&r), (5.795455, Source::Measured, "ina2xx"));
    let hottest = r.hottest.unwrap();
    assert_eq!(
        (hottest.value, &*hottest.by),
        (Celsius(47.153), "bigcore0-thermal")
    );
    assert_eq!(r.frequency_mhz, Some(2_256), "the fastest cluster");
    assert_eq!(board.zones().len(), 7);
    let npu = board
        .frequencies()
        .into_iter()
        .find(|f| f.name.ends_with(".npu"));
    let npu = npu.unwrap();
    assert_eq!(
        (npu.now_mhz, npu.least_mhz, npu.most_mhz),
        (1_000.0, Some(300.0), Some(1_000.0))
    );
    assert_eq!(r.problems, Vec::<String>::new());
}

#[test]
fn a_pi_5_by_its_power_management() {
    let tree = Tree::recorded("rpi5");
    let says = Says::default();
    let outside = || Outside {
        pmic: says.boxed(),
        ..Outside::default()
    };
    let toml = with_power("sensor = \"pmic\"\nefficiency = 0.8");
    let mut board = tree.board_with(&toml, outside()).unwrap();
    let r = read(&mut board, 10.0, 0.0);
    assert_eq!(watts(&r).1, Source::Modelled, "it has not answered yet");
    assert_eq!(r.problems, Vec::<String>::new());
    let text = tree.get("pmic.txt");
    says.say(10.2, Ok(&text));
    let r = read(&mut board, 10.5, 0.0);
    let (w, source, by) = watts(&r);
    // 2.8046 W of rails, added by hand.
    let by_hand = 0.0936928 * 3.710008
        + 0.0683151 * 3.310002
        + 0.1795637 * 1.8009
        + 0.02049516 * 1.105497
        + 0.1883577 * 1.105497
        + 0.3425768 * 0.8021952
        + 1.50264 * 0.8500908
        + 0.00030525 * 3.315012
        + 0.00042735 * 3.31135
        + 0.00482295 * 0.8005168
        + 0.025641 * 5.1408;
    assert!((w - by_hand / 0.8).abs() < 1e-5, "{w}");
    assert_eq!((source, by), (Source::Measured, "pmic"));
    assert_eq!(r.board.unwrap().age.as_millis(), 300);
    // It stops answering: its last word is believed for ten seconds.
    assert_eq!(watts(&read(&mut board, 20.0, 0.0)).1, Source::Measured);
    let r = read(&mut board, 20.5, 0.0);
    assert_eq!(watts(&r).1, Source::Modelled);
    assert!(r.problems[0].starts_with("pmic: "), "{:?}", r.problems);
    for bad in [
        Ok("garbage"),
        Ok(""),
        Err("vcgencmd did not answer within 2 s"),
    ] {
        says.say(21.0, bad);
        let r = read(&mut board, 21.0, 0.0);
        assert_eq!(watts(&r).1, Source::Modelled);
        if let Err(why) = bad {
            assert!(r.problems[0].contains(why), "{:?}", r.problems);
        }
    }
    says.say(30.0, Ok(&text));
    assert_eq!(watts(&read(&mut board, 30.0, 0.0)).1, Source::Measured);
}

#[test]
fn a_tree_where_all_is_broken_is_survived() {
    let tree = Tree::recorded("broken");
    let secret = tree.root().join("sys/class/thermal/thermal_zone8/temp");
    fs::set_permissions(secret, fs::Permissions::from_mode(0o000)).unwrap();
    // Root reads it none the less.
    let is_root = fs::read(tree.root().join("sys/class/thermal/thermal_zone8/temp")).is_ok();
    for sensor in [
        "none", "auto", "ina226", "ina228", "ina238", "ina2xx", "rpi-poe", "pmic", "rapl",
    ] {
        let toml = with_power(&format!("sensor = \"{sensor}\""));
        let mut board = tree.board(&toml).unwrap();
        for step in 0..5 {
            let t = f64::from(step) * 20.0;
            let r = read(&mut board, t, 0.0);
            assert_eq!(watts(&r), (4.0, Source::Modelled, "CPU time"), "{sensor}");
            assert_eq!(r.allotment.value.0, 12.95);
            assert_eq!(r.hottest.is_some(), is_root);
            assert_eq!(r.frequency_mhz, None);
            let about_power = r
                .problems
                .iter()
                .any(|p| p.contains("power") || p.contains("watts"));
            assert_eq!(about_power, sensor != "none", "{sensor}: {:?}", r.problems);
            for zone in ["negative", "absurd"] {
                assert!(
                    r.problems.iter().any(|p| p.starts_with(zone)),
                    "{:?}",
                    r.problems
                );
            }
        }
        assert!(board.frequencies().is_empty());
    }
    let toml = with_power("sensor = \"ina3221\"\nchannels = [\"VDD_IN\"]");
    let r = read(&mut tree.board(&toml).unwrap(), 0.0, 0.0);
    assert!(
        r.problems.iter().any(|p| p.contains("which can't be")),
        "{:?}",
        r.problems
    );
}

/// An `ina228`, `ina238` or `ina226` as hwmon shows it.
fn hwmon(tree: &Tree, n: u32, name: &str, microwatts: &str) {
    let dir = format!("sys/class/hwmon/hwmon{n}");
    tree.put(&format!("{dir}/name"), format!("{name}\n"));
    tree.put(&format!("{dir}/in0_input"), "12\n");
    tree.put(&format!("{dir}/in1_input"), "12000\n");
    tree.put(&format!("{dir}/curr1_input"), "400\n");
    tree.put(&format!("{dir}/power1_input"), microwatts);
}

#[test]
fn hwmon_is_found_by_name_wherever_it_is() {
    for name in ["ina226", "ina228", "ina238"] {
        let tree = Tree::empty();
        tree.put("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
        hwmon(&tree, 7, name, "5125000\n");
        let toml = with_power(&format!("sensor = \"{name}\""));
        let mut board = tree.board(&toml).unwrap();
        assert_eq!(
            watts(&read(&mut board, 0.0, 0.0)),
            (5.125, Source::Measured, name)
        );
        // The driver is loaded anew and has another number.
        tree.remove("sys/class/hwmon/hwmon7");
        assert_eq!(watts(&read(&mut board, 1.0, 0.0)).1, Source::Modelled);
        hwmon(&tree, 12, name, "6000000\n");
        assert_eq!(watts(&read(&mut board, 23.0, 0.0)).0, 6.0);
        // Without a power register: volts x amperes.
        tree.remove("sys/class/hwmon/hwmon12/power1_input");
        assert_eq!(watts(&read(&mut board, 23.5, 0.0)).0, 4.8);
    }
}

#[test]
fn auto_takes_the_only_one() {
    let tree = Tree::empty();
    let toml = with_power("sensor = \"auto\"");
    let mut board = tree.board(&toml).unwrap();
    let problems = read(&mut board, 0.0, 0.0).problems;
    assert!(problems[0].contains("there is none"), "{problems:?}");
    // It comes late.
    hwmon(&tree, 1, "ina238", "5000000\n");
    assert_eq!(
        watts(&read(&mut board, 10.0, 0.0)),
        (5.0, Source::Measured, "ina238")
    );
    hwmon(&tree, 2, "ina226", "7000000\n");
    let r = read(&mut tree.board(&toml).unwrap(), 0.0, 0.0);
    assert_eq!(watts(&r).1, Source::Modelled);
    assert!(
        r.problems[0].contains("ina226, ina238 are all there"),
        "{:?}",
        r.problems
    );
}

#[test]
fn of_two_of_a_kind_one_must_be_named() {
    let tree = Tree::empty();
    for (n, address, microwatts) in [(1, "1-0040", "5000000\n"), (2, "1-0041", "1000000\n")] {
        hwmon(&tree, n, "ina226", microwatts);
        let device = tree.root().join(format!("sys/devices/i2c-1/{address}"));
        fs::create_dir_all(&device).unwrap();
        symlink(
            device,
            tree.root().join(format!("sys/class/hwmon/hwmon{n}/device")),
        )
        .unwrap();
    }
    let both = with_power("sensor = \"ina226\"");
    let r = read(&mut tree.board(&both).unwrap(), 0.0, 0.0);
    let problem = &r.problems[0];
    assert!(
        problem.contains("[power] at") && problem.contains("ina226 at 1-0040 and ina226 at 1-0041"),
        "{problem}"
    );
    let one = with_power("sensor = \"ina226\"\nat = \"1-0041\"");
    assert_eq!(
        watts(&read(&mut tree.board(&one).unwrap(), 0.0, 0.0)).0,
        1.0
    );
}

#[test]
fn an_energy_counter_gives_averages() {
    let tree = Tree::empty();
    hwmon(&tree, 0, "ina228", "9000000\n");
    let energy = |uj: &str| tree.put("sys/class/hwmon/hwmon0/energy1_input", uj);
    energy("5000000\n");
    let mut board = tree.board(&with_power("sensor = \"ina228\"")).unwrap();
    assert_eq!(
        watts(&read(&mut board, 0.0, 0.0)).0,
        9.0,
        "power, as long as there is no average"
    );
    energy("7000000\n");
    assert_eq!(watts(&read(&mut board, 0.5, 0.0)).0, 4.0);
    // The chip was reset: power again, for one reading.
    energy("100\n");
    assert_eq!(watts(&read(&mut board, 1.0, 0.0)).0, 9.0);
    energy("3000100\n");
    assert_eq!(watts(&read(&mut board, 1.5, 0.0)).0, 6.0);
}

#[test]
fn rapl_is_read_wraps_and_fails() {
    let tree = Tree::empty();
    let dir = "sys/class/powercap";
    let counter = |uj: &str| tree.put(&format!("{dir}/intel-rapl:0/energy_uj"), uj);
    tree.put(&format!("{dir}/intel-rapl:0/name"), "package-0\n");
    tree.put(
        &format!("{dir}/intel-rapl:0/max_energy_range_uj"),
        "10000000\n",
    );
    // Parts of the package and other domains are not added to it.
    for (sub, name) in [("intel-rapl:0:0", "core"), ("intel-rapl:1", "psys")] {
        tree.put(&format!("{dir}/{sub}/name"), name);
        tree.put(&format!("{dir}/{sub}/energy_uj"), "5");
    }
    counter("1000000\n");
    let mut board = tree.board(&with_power("sensor = \"rapl\"")).unwrap();
    let mut t = 0.0;
    let mut next = || {
        t += 0.5;
        let r = read(&mut board, t, 0.0);
        let board = r.board.unwrap();
        (board.value.0, board.source, r.problems.len())
    };
    assert_eq!(next(), (4.0, Source::Modelled, 0));
    counter("3000000\n");
    assert_eq!(next(), (4.0, Source::Measured, 0));
    counter("9000000\n");
    assert_eq!(next(), (12.0, Source::Measured, 0));
    counter("500000\n");
    assert_eq!(next(), (3.0, Source::Measured, 0), "wrapped at 10 J");
    for bad in ["", "much", "-5", "99999999999999999999999"] {
        counter(bad);
        assert_eq!(next(), (4.0, Source::Modelled, 1), "{bad}");
    }
    counter("600000\n");
    assert_eq!(next().1, Source::Modelled, "nothing to count from");
    counter("1600000\n");
    assert_eq!(next(), (2.0, Source::Measured, 0));
}

#[test]
fn a_stuck_power_sensor_gives_way_to_the_model() {
    let tree = Tree::empty();
    hwmon(&tree, 0, "ina226", "4100000\n");
    let mut board = tree.board(&with_power("sensor = \"ina226\"")).unwrap();
    let mut busy = 0.0;
    let mut faulty_since = None;
    for step in 0..240 {
        let t = f64::from(step) * 0.5;
        // From a minute on two cores are busy, and the sensor says the same.
        busy += if t >= 60.0 { 1.0 } else { 0.0 };
        let r = read(&mut board, t, busy);
        let (w, source, _) = watts(&r);
        if source == Source::Modelled {
            faulty_since.get_or_insert(t);
            assert!(r.problems[0].contains("stuck"), "{:?}", r.problems);
            assert!((w - 6.0).abs() < 1e-6, "{w}");
        } else {
            assert_eq!(faulty_since, None);
        }
    }
    let since = faulty_since.unwrap();
    assert!((70.0..75.0).contains(&since), "{since}");
    tree.put("sys/class/hwmon/hwmon0/power1_input", "6125000\n");
    assert_eq!(
        watts(&read(&mut board, 120.0, busy + 1.0)).0,
        6.125,
        "it moves"
    );
}

#[test]
fn the_hottest_sane_zone_counts_and_a_lost_one_is_missed() {
    let tree = Tree::recorded("imx8mp");
    let mut board = tree.board(GOOD).unwrap();
    assert_eq!(
        read(&mut board, 0.0, 0.0).hottest.unwrap().value,
        Celsius(55.0)
    );
    tree.put("sys/class/thermal/thermal_zone1/temp", "-273000\n");
    let r = read(&mut board, 0.5, 0.0);
    assert_eq!(r.hottest.unwrap().value, Celsius(53.0));
    assert!(
        r.problems[0].starts_with("soc-thermal (thermal_zone1): "),
        "{:?}",
        r.problems
    );
    tree.remove("sys/class/thermal");
    let r = read(&mut board, 1.0, 0.0);
    assert_eq!((r.hottest, r.problems.len()), (None, 2));
    let r = read(&mut board, 30.0, 0.0);
    assert_eq!((r.hottest, r.problems.len()), (None, 2), "and still missed");
    tree.put("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
    tree.put("sys/class/thermal/thermal_zone0/temp", "61000\n");
    assert_eq!(
        read(&mut board, 30.5, 0.0).hottest.unwrap().value,
        Celsius(61.0)
    );
}
