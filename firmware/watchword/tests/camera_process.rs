//! The daemon as a process, beside a real Mosquitto, used by clients that know
//! only the contract (mosquitto_pub, mosquitto_sub): sets, reads back and
//! deletes a rule, asks, gets an alert with its picture, and survives kill -9.
//!
//! Needs mosquitto, mosquitto_pub and mosquitto_sub (scripts/setup-host test).

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// A child that does not outlive its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn mosquitto(dir: &Path, port: u16) -> Option<Process> {
    let config = dir.join("mosquitto.conf");
    let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n");
    std::fs::write(&config, text).unwrap();
    let found = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let Some(program) = found else {
        eprintln!("SKIPPED: mosquitto is not installed (scripts/setup-host test installs it)");
        return None;
    };
    let child = Command::new(program)
        .arg("-c")
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "mosquitto did not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(Process(child))
}

fn camera(config: &Path) -> Process {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let child = Command::new(env!("CARGO_BIN_EXE_watchword"))
        .args(["run", "--config"])
        .arg(config)
        .env("WATCHWORD_SHARE", root)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    Process(child)
}

struct Client {
    port: u16,
}

impl Client {
    fn publish(&self, topic: &str, payload: &str) {
        // -s reads the payload from standard input, -n sends none.
        let source = if payload.is_empty() { "-n" } else { "-s" };
        let mut child = Command::new("mosquitto_pub")
            .args(["-p", &self.port.to_string(), "-q", "1", "-t", topic, source])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(payload.as_bytes())
            .unwrap();
        assert!(child.wait().unwrap().success());
    }

    fn subscribe(&self, topic: &str, count: usize, within_s: u32) -> Child {
        Command::new("mosquitto_sub")
            .args(["-p", &self.port.to_string(), "-q", "1", "-t", topic, "-N"])
            .args(["-C", &count.to_string(), "-W", &within_s.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn wait(&self, topic: &str, within_s: u32) -> Output {
        let child = self.subscribe(topic, 1, within_s);
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "nothing on {topic} within {within_s} s"
        );
        output
    }

    fn json(&self, topic: &str, within_s: u32) -> Json {
        serde_json::from_slice(&self.wait(topic, within_s).stdout).unwrap()
    }

    /// Reads a retained text until it is `wanted`.
    fn until(&self, topic: &str, within_s: u64, wanted: impl Fn(&str) -> bool) {
        let until = Instant::now() + Duration::from_secs(within_s);
        loop {
            let child = self.subscribe(topic, 1, 2).wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&child.stdout).into_owned();
            if wanted(&text) {
                return;
            }
            assert!(Instant::now() < until, "{topic} stayed {text:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// The camera "hall" below `dir`, at the broker on `port`: its configuration,
/// and somebody who talks to it.
fn hall(dir: &Path, port: u16, source: &str) -> (PathBuf, Client) {
    let config = dir.join("watchword.toml");
    let text = format!(
        "camera = \"hall\"\ndata_dir = \"data\"\n[source]\n{source}\n\
         [video]\nrtsp = \"127.0.0.1:{}\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:{port}\"\n",
        free_port()
    );
    std::fs::write(&config, text).unwrap();
    (config, Client { port })
}

#[test]
fn a_client_that_knows_only_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(_broker) = mosquitto(dir.path(), port) else {
        return;
    };
    let (config, client) = hall(dir.path(), port, "kind = \"test\"");
    let mut daemon = camera(&config);
    client.until("watchword/hall/status", 60, |text| text == "online");
    let info = client.json("watchword/hall/info", 10);
    assert_eq!(info["camera"], "hall");

    // Nobody is in a test picture, so this fires after its hold.
    let alerts = client.subscribe("watchword/hall/alerts", 1, 60);
    std::thread::sleep(Duration::from_millis(300));
    client.publish(
        "watchword/hall/rules/empty/set",
        "warn me if there are fewer than 50 people for 2 seconds",
    );
    let echo = client.json("watchword/hall/rules/empty", 10);
    assert_eq!(echo["state"], "armed", "{echo}");
    assert_eq!(echo["understood"]["threshold"], 50);
    let alert: Json = serde_json::from_slice(&alerts.wait_with_output().unwrap().stdout)
        .expect("an alert within 60 s");
    assert_eq!(
        (&alert["rule"], &alert["phase"]),
        (&Json::from("empty"), &Json::from("new"))
    );
    assert_eq!(alert["severity"], "warning");
    let jpeg = client.wait("watchword/hall/alerts/empty/image", 10).stdout;
    let hash: String = Sha256::digest(&jpeg)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(alert["evidence"]["image_sha256"], hash);
    let picture = image::load_from_memory(&jpeg).unwrap().into_rgb8();
    assert_eq!(picture.dimensions(), (960, 540));
    // The test picture starts with a white bar at the left, then a yellow one.
    let shows = |x: u32| picture.get_pixel(x, 100).0;
    assert!(shows(40).iter().all(|c| *c > 150), "{:?}", shows(40));
    assert!(
        shows(200)[0] > 150 && shows(200)[2] < 90,
        "{:?}",
        shows(200)
    );
    client.until("watchword/hall/rules/empty/active", 10, |text| text == "ON");

    let answer = client.subscribe("me/answers", 1, 30);
    std::thread::sleep(Duration::from_millis(300));
    let ask =
        r#"{"question":"How many people are there?","reply_to":"me/answers","request_id":"7"}"#;
    client.publish("watchword/hall/ask", ask);
    let answer: Json = serde_json::from_slice(&answer.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(answer["request_id"], "7");
    assert!(answer["joules"]["source"].is_string(), "{answer}");

    // Wrong things are answered and harm nothing.
    client.publish("watchword/hall/rules/empty/set", "{\"text\": 5}");
    client.until("watchword/hall/rules/empty", 10, |text| {
        text.contains("rejected")
    });
    client.publish("watchword/hall/rules/empty/set", &"x".repeat(100_000));
    client.publish("watchword/hall/zones/door/set", "[]");
    client.until("watchword/hall/zones/door", 10, |text| {
        text.contains("error")
    });
    client.until("watchword/hall/rules/empty/active", 10, |text| text == "ON");

    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    client.until("watchword/hall/status", 60, |text| text == "offline");
    let _again = camera(&config);
    client.until("watchword/hall/status", 60, |text| text == "online");
    let echo = client.json("watchword/hall/rules/empty", 10);
    assert_eq!(
        echo["understood"]["threshold"], 50,
        "the rule survived kill -9"
    );

    client.publish("watchword/hall/rules/empty/set", "");
    client.until("watchword/hall/rules/empty", 10, str::is_empty);
    client.until("watchword/hall/alerts/empty/image", 10, str::is_empty);
}

#[test]
fn trouble_with_a_network_camera_is_told_without_its_password() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(_broker) = mosquitto(dir.path(), port) else {
        return;
    };
    let source = format!(
        "kind = \"rtsp\"\nurl = \"rtsp://adam:hunter2@127.0.0.1:{}/live?token=hunter2\"",
        free_port()
    );
    let (config, client) = hall(dir.path(), port, &source);
    let _daemon = camera(&config);
    client.until("watchword/hall/source", 60, |text| {
        assert!(
            !text.contains("hunter2") && !text.contains("adam"),
            "{text}"
        );
        text.contains("refused the connection")
    });
    let told = client.json("watchword/hall/source", 10);
    assert_eq!(told["state"], "retrying");
    assert!(told["retry_in_ms"].as_u64().is_some());
    assert!(told["since"].as_str().is_some());
}

#[test]
fn sigterm_says_goodbye() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(_broker) = mosquitto(dir.path(), port) else {
        return;
    };
    let source = "kind = \"v4l2\"\ndevice = \"/dev/video-none\"";
    let (config, client) = hall(dir.path(), port, source);
    let mut daemon = camera(&config);
    // A missing sensor does not keep the camera from talking.
    client.until("watchword/hall/status", 60, |text| text == "online");
    // There is no rule, so nobody looks; that there is no picture is told all the same.
    client.until("watchword/hall/source", 10, |text| {
        text.contains("\"retrying\"") && text.contains("the camera /dev/video-none is not there")
    });
    stop(&mut daemon);
    client.until("watchword/hall/status", 5, |text| text == "stopped");
}

/// Asks a daemon to stop, and waits until it has.
fn stop(daemon: &mut Process) {
    let pid = daemon.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let until = Instant::now() + Duration::from_secs(15);
    let status = loop {
        if let Some(status) = daemon.0.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < until, "the daemon did not stop");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert!(status.success(), "{status}");
}

#[test]
fn a_limit_and_what_looks_cost_outlive_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(_broker) = mosquitto(dir.path(), port) else {
        return;
    };
    let (config, client) = hall(dir.path(), port, "kind = \"test\"");
    let mut daemon = camera(&config);
    client.until("watchword/hall/status", 60, |text| text == "online");
    let power = "watchword/hall/power";
    let limit = |text: &str| serde_json::from_str::<Json>(text).ok()?["limit"].as_f64();
    client.publish("watchword/hall/power/limit/set", "{\"watts\": 11.5}");
    client.until(power, 10, |text| limit(text) == Some(11.5));
    client.publish("watchword/hall/power/limit/set", "minus two");
    client.until(power, 10, |text| text.contains("\"error\":\"the payload"));
    client.publish("watchword/hall/power/limit/set", &"9".repeat(100_000));
    client.until(power, 10, |text| text.contains("100000 bytes"));
    // The trial look has been made by now or is soon.
    client.until("watchword/hall/power", 30, |text| {
        let told: Json = serde_json::from_str(text).unwrap_or_default();
        let joules = told["joules_per_inference"]["value"].as_f64();
        joules.is_some_and(|joules| (joules - 0.402).abs() > 0.001)
    });
    stop(&mut daemon);
    let kept = {
        let limits = spool::Limits::default();
        let store = spool::Store::open(&dir.path().join("data/watchword.redb"), limits).unwrap();
        store.note(spool::Note::Costs).unwrap()
    };
    let kept: Json = serde_json::from_slice(&kept.expect("costs are kept")).unwrap();
    assert!(kept["points"][0]["looks"].as_u64() >= Some(1), "{kept}");

    let _again = camera(&config);
    client.until("watchword/hall/status", 60, |text| text == "online");
    client.until(power, 10, |text| {
        limit(text) == Some(11.5) && text.contains("\"error\":null")
    });
}
