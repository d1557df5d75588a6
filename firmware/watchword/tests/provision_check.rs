//! `watchword provision check` as a person and a script use it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

mod provision_support;
use provision_support::{CA, KEY, Medium, full, repository};

fn run(file: &Path, json: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_watchword"));
    command.args(["provision", "check"]).arg(file);
    if json {
        command.arg("--json");
    }
    command
        .env("WATCHWORD_SHARE", repository())
        .output()
        .unwrap()
}

/// Exit status, all that is shown, and the JSON.
fn check(content: impl AsRef<[u8]>) -> (Option<i32>, String, Value) {
    let medium = Medium::default();
    medium.put(content);
    let file = medium.path("esp/provision.toml");
    let plain = run(&file, false);
    let json = run(&file, true);
    assert_eq!(plain.status.code(), json.status.code());
    let value: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["ok"].as_bool(), Some(plain.status.success()));
    let all = [&plain.stdout, &plain.stderr, &json.stdout, &json.stderr];
    let all = all.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    (plain.status.code(), all.concat(), value)
}

/// The keys that are wrong.
fn keys(value: &Value) -> Vec<&str> {
    let problems = value["problems"].as_array().unwrap();
    problems
        .iter()
        .map(|p| p["key"].as_str().unwrap())
        .collect()
}

#[test]
fn a_good_file_is_told_in_words_without_secrets() {
    let (status, shown, value) = check(full("new"));
    assert_eq!(status, Some(0), "{shown}");
    for word in [
        "be called gate-new",
        "Europe/London",
        "192.168.1.30/24",
        "mqtts://broker.lan:8883 as gate, with a password",
        "rtsp://cam-new.lan/live as viewer, with a password",
        "ssh-ed25519 (adam@desk-new)",
        "more than 10 people for 2 minutes",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(
        !shown.contains("hunter2") && !shown.contains("sesame"),
        "{shown}"
    );
    assert_eq!(value["files"], serde_json::json!(["ca.pem"]));
    assert_eq!(value["problems"], serde_json::json!([]));
}

#[test]
fn files_of_windows_and_empty_files_are_fine() {
    let text = full("new").replace('\n', "\r\n");
    let (status, shown, _) = check(format!("\u{feff}{text}"));
    assert_eq!(status, Some(0), "{shown}");
    let inline = format!("[mqtt]\nurl = \"mqtts://b.lan\"\nca = \"\"\"\n{CA}\"\"\"\n");
    for text in [inline.clone(), inline.replace('\n', "\r\n"), String::new()] {
        let (status, shown, _) = check(&text);
        assert_eq!(status, Some(0), "{text}: {shown}");
    }
}

#[test]
fn every_problem_is_named_at_once() {
    let text = r#"
camera = "Gate 3"
time_zone = "Europe/Londn"
snapshot = "huge"
position = { latitude_degrees = 151.5, longitude_degrees = 0 }
username = "x"
[mqtt]
url = "mqtt://u:hunter2@host/pa"
pasword = "hunter2"
password = 271828
camera = "x"
[source]
kind = "rtsp"
transport = "sctp"
latency_ms = -3
pass = "hunter2"
[video]
rtsp = "x"
bitrate_kbps = 20
encoders = ["nonesuch"]
[network]
address = "192.168.1.0/24"
dns = "x"
[ssh]
authorized_keys = ["-----BEGIN OPENSSH PRIVATE KEY----- hunter2"]
[rules]
"Bad Id" = "more than 10 people"
busy = "it is too busy"
[update]
url = "x"
"#;
    let (status, shown, value) = check(text);
    assert_eq!(status, Some(2));
    let mut got = keys(&value);
    got.sort();
    let mut wanted = [
        "camera",
        "time_zone",
        "snapshot",
        "position.latitude_degrees",
        "username",
        "mqtt.url",
        "mqtt.pasword",
        "mqtt.password",
        "mqtt.camera",
        "source.transport",
        "source.latency_ms",
        "source.pass",
        "source.url",
        "video.rtsp",
        "video.bitrate_kbps",
        "video.encoders",
        "network.address",
        "network.dns",
        "ssh.authorized_keys[0]",
        "rules.Bad Id",
        "rules.busy",
        "update",
    ];
    wanted.sort();
    assert_eq!(got, wanted);
    for word in [
        "write gate-3",
        "did you mean password?",
        "it belongs in [mqtt]",
        "write it above the first [section]",
        "whole network",
        "private key",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(
        !shown.contains("hunter2") && !shown.contains("271828"),
        "{shown}"
    );
}

/// One wrong thing each; what is told names the key and never the secret.
#[test]
fn what_is_wrong_is_told_without_secrets() {
    let mqtt = |lines: &str| format!("[mqtt]\nurl = \"mqtts://b.lan\"\n{lines}\n");
    let big = format!("# {}\n", "x".repeat(70_000));
    let second = KEY.replace("ssh-ed25519", "ssh-rsa");
    for (text, key, says) in [
        (big, "the file", "64 KiB"),
        ("\0\0\0\0".into(), "the file", "zero bytes"),
        ("camera = hunter2".into(), "line 1, column 10", "not TOML"),
        (
            "[mqtt]\npassword = \"hunter2".into(),
            "line 2, column 20",
            "not TOML",
        ),
        (
            "[mqtt]\npassword = hunter2\n".into(),
            "line 2, column 12",
            "not TOML",
        ),
        (
            "[mqtt]\npassword = 99999999999999999999999\n".into(),
            "line 2",
            "not TOML",
        ),
        (
            "[mqtt]\npassword = \"a\"\npassword = \"hunter2\"\n".into(),
            "line 3",
            "not TOML",
        ),
        (
            "mqtt = \"mqtt://u:hunter2@b\"".into(),
            "mqtt",
            "write a section",
        ),
        ("camera = 7".into(), "camera", "text in quotes"),
        (
            "time_zone = \"../../etc/shadow\"".into(),
            "time_zone",
            "IANA",
        ),
        (
            mqtt("username = \"<user>\"\npassword = \"x\""),
            "mqtt.username",
            "placeholder",
        ),
        (
            mqtt("username = \"u\"\npassword = \"CHANGE-ME\""),
            "mqtt.password",
            "placeholder",
        ),
        (
            mqtt("username = \"u\"\npassword = \"\""),
            "mqtt.password",
            "empty",
        ),
        (
            mqtt("username = \"u\"\npassword = \"hunter2\\nx\""),
            "mqtt.password",
            "line",
        ),
        (
            mqtt("password = \"hunter2\""),
            "mqtt.username",
            "needs a user name",
        ),
        (
            mqtt("password_file = \"/etc/hunter2\""),
            "mqtt.password_file",
            "password = ",
        ),
        (mqtt("ca_file = \"../ca.pem\""), "mqtt.ca_file", "beside"),
        (
            mqtt("ca_file = \"other.pem\""),
            "mqtt.ca_file",
            "can't be read",
        ),
        (
            mqtt("ca_file = \"provision.toml\""),
            "mqtt.ca_file",
            "beside",
        ),
        (mqtt("ca = \"hunter2\""), "mqtt.ca", "no certificate"),
        (
            mqtt("ca = \"-----BEGIN PRIVATE KEY-----hunter2\""),
            "mqtt.ca",
            "private key",
        ),
        (
            mqtt("ca = \"x\"\nca_file = \"ca.pem\""),
            "mqtt.ca_file",
            "one of the two",
        ),
        (
            "[mqtt]\nurl = \"mqtt://b.lan\"\nca_file = \"ca.pem\"".into(),
            "mqtt.ca_file",
            "mqtts://",
        ),
        (
            "[mqtt]\nurl = \"http://u:hunter2@b\"".into(),
            "mqtt.url",
            "mqtts://host:8883",
        ),
        (
            "[mqtt]\nurl = \"mqtt://u:hun/hunter2@b\"".into(),
            "mqtt.url",
            "mqtt",
        ),
        (
            "[mqtt]\nurl = \"u:hunter2@b\"".into(),
            "mqtt.url",
            "mqtts://host:8883",
        ),
        (
            "[mqtt]\nurl = \"mqtt://:hunter2@b\"".into(),
            "mqtt.url",
            "user name",
        ),
        (
            "[mqtt]\nusername = \"u\"".into(),
            "mqtt.url",
            "need a broker",
        ),
        (
            "[source]\npath = \"/a\"".into(),
            "source.kind",
            "where pictures come from",
        ),
        (
            "[source]\nkind = \"rtps\"".into(),
            "source.kind",
            "did you mean rtsp?",
        ),
        (
            "[source]\nkind = \"v4l2\"\npassword = \"hunter2\"".into(),
            "source.password",
            "rtsp",
        ),
        (
            "[source]\nkind = \"v4l2\"\ndevise = \"x\"".into(),
            "source.devise",
            "did you mean device?",
        ),
        (
            "[source]\nkind = \"v4l2\"\nwidth = 8".into(),
            "source.width",
            "16 to 7680",
        ),
        (
            "[source]\nkind = \"test\"\nwidth = 8".into(),
            "source.width",
            "no such key",
        ),
        (
            "[source]\nkind = \"file\"\npath = \"clip.mp4\"".into(),
            "source.path",
            "from / on",
        ),
        (
            "[source]\nkind = \"rtsp\"\nurl = \"http://u:hunter2@c/\"".into(),
            "source.url",
            "rtsp://",
        ),
        (
            "[network]\ngateway = \"10.0.0.1\"".into(),
            "network.gateway",
            "network.address",
        ),
        (
            "[network]\nntp = [\"a b\"]".into(),
            "network.ntp[0]",
            "host name",
        ),
        (
            "[network]\ndns = [\"1.1.1.1\", \"1.1\"]".into(),
            "network.dns[1]",
            "IP address",
        ),
        (
            "[ssh]\nauthorized_keys = \"x\"".into(),
            "ssh.authorized_keys",
            "list",
        ),
        (
            format!("[ssh]\nauthorized_keys = [\"{second}\"]"),
            "ssh.authorized_keys[0]",
            "belong together",
        ),
        ("[rules]\nx = 3".into(), "rules.x", "sentence"),
    ] {
        let (status, shown, value) = check(&text);
        assert_eq!(status, Some(2), "{text}: {shown}");
        let keys = keys(&value);
        assert!(keys.iter().any(|k| k.starts_with(key)), "{text}: {keys:?}");
        assert!(shown.contains(says), "{text}: {shown}");
        assert!(!shown.contains("hunter2"), "{text}: {shown}");
    }
}

#[test]
fn what_is_not_text_is_refused() {
    let utf16: Vec<u8> = "\u{feff}camera = \"x\""
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let junk: Vec<u8> = (0..4096u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for (bytes, says) in [
        (utf16, "UTF-8"),
        (junk, "plain text"),
        (vec![0xff; 100_000], "64 KiB"),
    ] {
        let (status, shown, value) = check(&bytes);
        assert_eq!(status, Some(2), "{shown}");
        assert_eq!(keys(&value), ["the file"]);
        assert!(shown.contains(says), "{shown}");
    }
}

#[test]
fn a_file_that_is_not_there_is_no_refusal() {
    let done = run(Path::new("/nowhere/provision.toml"), false);
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("/nowhere/provision.toml"));
}

#[test]
fn what_works_but_may_not_be_meant_is_noted() {
    for (text, says) in [
        ("camera = \"x\"", "nobody outside"),
        ("[mqtt]\nurl = \"mqtt://u:secret9@b.lan\"", "in clear"),
        (
            "[mqtt]\nurl = \"mqtt://b.lan\"\n[network]\naddress = \"10.0.0.2/8\"",
            "network.dns",
        ),
        ("[video]\nrtsp = \"0.0.0.0:8554\"", "no password"),
    ] {
        let (status, shown, value) = check(text);
        assert_eq!(status, Some(0), "{shown}");
        let notes = value["notes"].to_string();
        assert!(notes.contains(says), "{text}: {notes}");
        assert!(!shown.contains("secret9"), "{shown}");
    }
}

/// As it is, it is refused for its placeholders alone; with values in their
/// place it passes, and so it does with everything in it that is behind a '#'.
#[test]
fn the_example_is_right_once_it_is_filled_in() {
    let file = repository().join("board/common/usr/share/watchword/provision.example.toml");
    let text = fs::read_to_string(file).unwrap();
    let (status, shown, value) = check(&text);
    assert_eq!(status, Some(2), "{shown}");
    assert_eq!(
        keys(&value),
        ["camera", "mqtt.password", "mqtt.url", "mqtt.username"]
    );
    let filled = text
        .replace("<name, such as gate-3>", "gate-3")
        .replace("<mqtts://your-broker:8883>", "mqtts://192.168.1.2:8883")
        .replace("<user name at the broker>", "gate")
        .replace("<its password>", "hunter2");
    let (status, shown, _) = check(&filled);
    assert_eq!(status, Some(0), "{shown}");
    assert!(shown.contains("be called gate-3"), "{shown}");

    // Keys are behind "#" without a blank, remarks behind "# ".
    let (before_ca, rest) = filled.split_once("#ca = \"\"\"").unwrap();
    let (_, after_ca) = rest.split_once("#\"\"\"\n").unwrap();
    let all = format!("{before_ca}{after_ca}")
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(key) if !key.starts_with(' ') => format!("{key}\n"),
            _ => format!("{line}\n"),
        })
        .collect::<String>()
        .replace("<the other camera's password>", "sesame")
        .replace("ssh-ed25519 AAAA... you@your-computer", KEY);
    let (status, shown, _) = check(&all);
    assert_eq!(status, Some(0), "{all}\n{shown}");
    assert!(
        shown.contains("192.168.1.20/24") && shown.contains("queue"),
        "{shown}"
    );
}
