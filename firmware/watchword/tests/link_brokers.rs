//! The link against real brokers: the one built in, and Mosquitto.

mod link_support;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use link_support::{
    Broker, Camera, Mosquitto, client, config, config_at, embedded, message, skip, subscriber, tool,
};
use watchword::broker::{self, BrokerConfig, BrokerError};
use watchword::link::{LinkConfig, LinkEvent, Outgoing, Secret, Will};

/// Each of these runs against both brokers.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod built_in {
            $(#[tokio::test] async fn $name() { super::$name(&super::embedded()).await })*
        }
        mod mosquitto {
            $(#[tokio::test] async fn $name() {
                if let Some(broker) = super::Mosquitto::start(stringify!($name)) {
                    super::$name(&broker).await;
                }
            })*
        }
    };
}

on_both!(
    retained_messages_wait_for_subscribers,
    the_will_tells_of_a_sudden_death,
    a_stop_leaves_stopped_and_no_will,
    orders_given_while_away_arrive,
    an_order_not_stored_comes_again,
    every_token_is_acknowledged_in_order,
    the_3_1_1_tools_can_talk_to_the_camera,
    requests_of_version_5_get_their_answer,
    properties_pass,
    oversize_orders_are_reported,
    odd_clients_do_not_stop_the_broker,
    a_client_that_reads_nothing_holds_nobody_up,
);

async fn retained_messages_wait_for_subscribers(broker: &impl Broker) {
    let (mut camera, _) = Camera::up(config(broker, "cam")).await;
    let echo = Outgoing::retained_json("watchword/cam/rules/a", "{}").with_token(7);
    camera.publish(echo).await;
    assert_eq!(camera.wait_acked().await, 7);

    let (mut late, _) = Camera::up(subscriber(broker, "late", &["watchword/cam/rules/+"])).await;
    let got = late.wait_message().await;
    assert_eq!(
        (got.topic.as_str(), &got.payload[..]),
        ("watchword/cam/rules/a", &b"{}"[..])
    );
    assert!(got.retain);

    camera
        .publish(Outgoing::clear("watchword/cam/rules/a").with_token(8))
        .await;
    assert_eq!(camera.wait_acked().await, 8);
    let gone = late.wait_message().await;
    assert!(gone.payload.is_empty());
    let (mut later, _) = Camera::up(subscriber(broker, "later", &["watchword/cam/rules/+"])).await;
    later
        .nothing(Duration::from_millis(400), |e| {
            matches!(e, LinkEvent::Message(_))
        })
        .await;
}

fn with_will(broker: &impl Broker, client_id: &str) -> LinkConfig {
    LinkConfig {
        will: Some(Will {
            topic: "watchword/cam/status".into(),
            payload: "offline".into(),
        }),
        ..config(broker, client_id)
    }
}

async fn the_will_tells_of_a_sudden_death(broker: &impl Broker) {
    let (mut watcher, _) = Camera::up(subscriber(broker, "w", &["watchword/cam/status"])).await;
    let (camera, _) = Camera::up(with_will(broker, "cam")).await;
    camera
        .publish(Outgoing::retained_text("watchword/cam/status", "online"))
        .await;
    assert_eq!(watcher.wait_message().await.payload, "online");
    // Closes the socket without a DISCONNECT, as a power cut would.
    drop(camera);
    assert_eq!(watcher.wait_message().await.payload, "offline");
    let (mut late, _) = Camera::up(subscriber(broker, "late", &["watchword/+/status"])).await;
    let kept = late.wait_message().await;
    assert!(kept.retain && kept.payload == "offline", "{kept:?}");
}

async fn a_stop_leaves_stopped_and_no_will(broker: &impl Broker) {
    let (mut watcher, _) = Camera::up(subscriber(broker, "w", &["watchword/cam/status"])).await;
    let (camera, _) = Camera::up(with_will(broker, "cam")).await;
    let farewell = Outgoing::retained_text("watchword/cam/status", "stopped");
    assert!(camera.handle.stop(Some(farewell)).await.farewell_acked);
    assert_eq!(watcher.wait_message().await.payload, "stopped");
    watcher
        .nothing(Duration::from_millis(500), |e| {
            matches!(e, LinkEvent::Message(_))
        })
        .await;
}

async fn orders_given_while_away_arrive(broker: &impl Broker) {
    let orders = || subscriber(broker, "cam", &["watchword/cam/rules/+/set"]);
    let (camera, present) = Camera::up(orders()).await;
    assert!(!present);
    drop(camera);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let port = broker.v4().to_string();
    for (rule, text) in [("a", "count the people"), ("b", "a fallen person")] {
        let topic = format!("watchword/cam/rules/{rule}/set");
        client(
            "mosquitto_pub",
            &["-p", &port, "-q", "1", "-t", &topic, "-m", text],
        )
        .await;
    }
    let (mut camera, present) = {
        let mut camera = Camera::spawn(orders());
        let mut present = None;
        let mut got = Vec::new();
        while present.is_none() || got.len() < 2 {
            match camera.next().await {
                LinkEvent::Up { session_present } => present = Some(session_present),
                LinkEvent::Message(m) => got.push(String::from_utf8(m.payload.to_vec()).unwrap()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(got, ["count the people", "a fallen person"]);
        (camera, present)
    };
    assert_eq!(present, Some(true));
    camera
        .nothing(Duration::from_millis(300), |e| {
            matches!(e, LinkEvent::Message(_))
        })
        .await;
}

async fn an_order_not_stored_comes_again(broker: &impl Broker) {
    let orders = || subscriber(broker, "cam", &["watchword/cam/rules/+/set"]);
    let (mut camera, _) = Camera::up(orders()).await;
    let (operator, _) = Camera::up(config(broker, "op")).await;
    operator
        .publish(message("watchword/cam/rules/a/set", "count the people"))
        .await;
    let unstored = camera.wait_message().await;
    // The daemon dies here, its receipt with it.
    drop(camera);
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(unstored);
    let mut camera = Camera::spawn(orders());
    let again = camera.wait_message().await;
    assert_eq!(again.payload, "count the people");
    drop(again);
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(camera);
    let mut camera = Camera::spawn(orders());
    camera
        .nothing(Duration::from_millis(500), |e| {
            matches!(e, LinkEvent::Message(_))
        })
        .await;
}

async fn every_token_is_acknowledged_in_order(broker: &impl Broker) {
    let (mut reader, _) = Camera::up(subscriber(broker, "reader", &["n"])).await;
    let (mut camera, _) = Camera::up(config(broker, "cam")).await;
    const MANY: u64 = 1000;
    let handle = camera.handle.clone();
    let publishing = tokio::spawn(async move {
        for n in 0..MANY {
            let next = message("n", &n.to_string()).with_token(n);
            while handle.publish(next.clone()).is_err() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    let reading = tokio::spawn(async move {
        for n in 0..MANY {
            assert_eq!(reader.wait_message().await.payload, n.to_string());
        }
    });
    for n in 0..MANY {
        assert_eq!(camera.wait_acked().await, n);
    }
    publishing.await.unwrap();
    reading.await.unwrap();
}

async fn the_3_1_1_tools_can_talk_to_the_camera(broker: &impl Broker) {
    let port = broker.v4().to_string();
    let big: Vec<u8> = (0..500_000u32).map(|n| (n % 251) as u8).collect();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("image.jpg");
    std::fs::write(&file, &big).unwrap();
    let path = file.to_str().unwrap();

    // A picture from the camera to mosquitto_sub.
    let (mut camera, _) = Camera::up(LinkConfig {
        max_payload_bytes: 1_000_000,
        ..subscriber(broker, "cam", &["watchword/cam/rules/+/set"])
    })
    .await;
    let image = Outgoing {
        retain: true,
        payload: big.clone().into(),
        ..message("watchword/cam/alerts/a/image", "")
    };
    camera.publish(image.with_token(1)).await;
    assert_eq!(camera.wait_acked().await, 1);
    let topic = "watchword/cam/alerts/+/image";
    let got = client(
        "mosquitto_sub",
        &["-p", &port, "-t", topic, "-C", "1", "-N"],
    )
    .await;
    assert!(got == big, "{} bytes came", got.len());

    // As much from mosquitto_pub to the camera, and a retained order.
    let topic = "watchword/cam/rules/a/set";
    client(
        "mosquitto_pub",
        &["-p", &port, "-q", "1", "-t", topic, "-f", path],
    )
    .await;
    assert!(camera.wait_message().await.payload == big);
    client(
        "mosquitto_pub",
        &["-p", &port, "-q", "1", "-r", "-t", topic, "-m", "text"],
    )
    .await;
    assert_eq!(camera.wait_message().await.payload, "text");
    client(
        "mosquitto_pub",
        &["-p", &port, "-q", "1", "-r", "-t", topic, "-n"],
    )
    .await;
    assert!(camera.wait_message().await.payload.is_empty());
}

async fn requests_of_version_5_get_their_answer(broker: &impl Broker) {
    let (mut camera, _) = Camera::up(subscriber(broker, "cam", &["watchword/cam/ask"])).await;
    let port = broker.v5().to_string();
    let asking = tokio::spawn(async move {
        let args = [
            "-V",
            "5",
            "-p",
            &port,
            "-q",
            "1",
            "-t",
            "watchword/cam/ask",
            "-e",
            "replies/7",
            "-D",
            "publish",
            "correlation-data",
            "nr-7",
            "-m",
            "Is the door open?",
            "-F",
            "%D %p",
        ];
        client("mosquitto_rr", &args).await
    });
    let request = camera.wait_message().await;
    assert_eq!(request.payload, "Is the door open?");
    assert_eq!(request.response_topic.as_deref(), Some("replies/7"));
    assert_eq!(request.correlation.as_deref(), Some(&b"nr-7"[..]));
    camera
        .publish(Outgoing {
            correlation_data: request.correlation.clone(),
            ..Outgoing::json(
                request.response_topic.clone().unwrap(),
                r#"{"answer":"no"}"#,
            )
        })
        .await;
    let got = String::from_utf8(asking.await.unwrap()).unwrap();
    assert_eq!(got.trim(), r#"nr-7 {"answer":"no"}"#);
}

async fn properties_pass(broker: &impl Broker) {
    let (mut reader, _) = Camera::up(subscriber(broker, "reader", &["image"])).await;
    let (camera, _) = Camera::up(config(broker, "cam")).await;
    let alert = ("alert".to_owned(), "0badcafe-0001".to_owned());
    camera
        .publish(Outgoing {
            user_properties: vec![alert.clone()],
            ..message("image", "jpeg")
        })
        .await;
    assert_eq!(reader.wait_message().await.user_properties, [alert]);
}

async fn oversize_orders_are_reported(broker: &impl Broker) {
    let (mut camera, _) = Camera::up(subscriber(broker, "cam", &["o"])).await;
    let (operator, _) = Camera::up(config(broker, "op")).await;
    let big = "x".repeat(LinkConfig::MAX_PAYLOAD_BYTES + 1);
    operator.publish(message("o", &big)).await;
    operator.publish(message("o", "small")).await;
    match camera.next().await {
        LinkEvent::Oversize {
            topic,
            payload_bytes,
            limit_bytes,
            ..
        } => {
            assert_eq!(
                (topic.as_str(), payload_bytes, limit_bytes),
                ("o", 65_537, 65_536)
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(camera.wait_message().await.payload, "small");
}

/// Clients with names, filters and sizes that a broker may refuse, and ones
/// that are cut off half-way, must not hurt others.
async fn odd_clients_do_not_stop_the_broker(broker: &impl Broker) {
    use std::io::Write;
    let (mut camera, _) = Camera::up(subscriber(broker, "cam", &["o"])).await;
    for port in [broker.v4(), broker.v5()] {
        for bytes in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            &[0x10, 0xff, 0xff, 0xff, 0xff],
            &[0x10],
        ] {
            let mut socket = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let _ = socket.write_all(bytes);
        }
    }
    let port = broker.v4().to_string();
    for _ in 0..3 {
        for args in [
            vec!["mosquitto_pub", "-i", "a+b", "-t", "t", "-m", "x"],
            vec![
                "mosquitto_pub",
                "-i",
                "same",
                "-t",
                "nobody/listens",
                "-m",
                "x",
            ],
            vec!["mosquitto_sub", "-t", "$SYS/#", "-W", "1"],
            vec![
                "mosquitto_sub",
                "-i",
                "same",
                "-c",
                "-q",
                "1",
                "-t",
                "#",
                "-W",
                "1",
            ],
        ] {
            // Whether these succeed is the broker's business.
            let _ = tokio::process::Command::new(args[0])
                .args(["-p", &port])
                .args(&args[1..])
                .stderr(std::process::Stdio::null())
                .stdout(std::process::Stdio::null())
                .status()
                .await;
        }
    }
    client(
        "mosquitto_pub",
        &["-p", &port, "-q", "1", "-t", "o", "-m", "well"],
    )
    .await;
    assert_eq!(camera.wait_message().await.payload, "well");
    let (_other, _) = Camera::up(config(broker, "other")).await;
}

async fn a_client_that_reads_nothing_holds_nobody_up(broker: &impl Broker) {
    // A raw 3.1.1 subscriber to everything that never reads its socket.
    use std::io::Write;
    let mut stuck = std::net::TcpStream::connect(("127.0.0.1", broker.v4())).unwrap();
    stuck
        .write_all(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05stuck")
        .unwrap();
    stuck.write_all(b"\x82\x06\x00\x01\x00\x01#\x00").unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;

    let (mut reader, _) = Camera::up(subscriber(broker, "reader", &["alerts"])).await;
    let (mut camera, _) = Camera::up(config(broker, "cam")).await;
    let picture = vec![7u8; 300_000];
    for n in 0..40 {
        let image = Outgoing {
            payload: picture.clone().into(),
            ..message("image", "")
        };
        camera.publish(image).await;
        camera
            .publish(message("alerts", &n.to_string()).with_token(n))
            .await;
        assert_eq!(camera.wait_acked().await, n);
        assert_eq!(reader.wait_message().await.payload, n.to_string());
    }
    drop(stuck);
}

#[tokio::test]
async fn a_broker_that_dies_and_returns_gets_the_rest() {
    let Some(mut broker) = Mosquitto::start("a broker that dies and returns") else {
        return;
    };
    let (mut camera, _) = Camera::up(config(&broker, "cam")).await;
    for n in 0..10u64 {
        camera
            .publish(message("n", &n.to_string()).with_token(n))
            .await;
    }
    for n in 0..10 {
        assert_eq!(camera.wait_acked().await, n);
    }
    broker.freeze();
    for n in 10..30u64 {
        camera
            .publish(message("n", &n.to_string()).with_token(n))
            .await;
    }
    broker.kill();
    let mut unacked: Vec<u64> = (10..30).collect();
    loop {
        match camera.next().await {
            LinkEvent::Acked { token } => unacked.retain(|t| *t != token),
            LinkEvent::Down { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(unacked, (10..30).collect::<Vec<_>>());
    broker.restart();
    // The camera may win the race to the new broker; nothing is published
    // before both are there.
    let (mut reader, _) = Camera::up(subscriber(&broker, "reader", &["n"])).await;
    camera.wait_up().await;
    for n in unacked {
        camera
            .publish(message("n", &n.to_string()).with_token(n))
            .await;
    }
    for n in 10..30 {
        assert_eq!(camera.wait_acked().await, n);
        assert_eq!(reader.wait_message().await.payload, n.to_string());
    }
    reader
        .nothing(Duration::from_millis(300), |e| {
            matches!(e, LinkEvent::Message(_))
        })
        .await;
}

#[tokio::test]
async fn logins_are_checked() {
    let Some(passwd) = tool("mosquitto_passwd") else {
        return skip("logins", "mosquitto_passwd");
    };
    let broker = Mosquitto::start_with("logins", |dir| {
        let file = dir.join("passwords");
        let made = Command::new(passwd)
            .args(["-b", "-c"])
            .arg(&file)
            .args(["cam", "right"])
            .status()
            .unwrap();
        assert!(made.success());
        // Mosquitto gives up root's rights when it has them.
        open_to_all(dir, &file);
        format!("allow_anonymous false\npassword_file {}\n", file.display())
    });
    let Some(broker) = broker else { return };
    let with = |password: &str| LinkConfig {
        username: Some("cam".into()),
        password: Some(Secret::new(password)),
        ..config(&broker, "cam")
    };
    let why = Camera::spawn(with("wrong")).wait_down().await;
    assert!(why.contains("refused the login"), "{why}");
    assert!(!why.contains("wrong"), "{why}");
    Camera::up(with("right")).await;
}

fn open_to_all(dir: &Path, file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    for (path, mode) in [(dir, 0o755), (file, 0o644)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

/// Certificates of a throw-away authority for 127.0.0.1.
fn certificates(openssl: &Path, dir: &Path) {
    let run = |args: &[&str]| {
        let output = Command::new(openssl)
            .args(args)
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl {args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
    ];
    let with = |rest: &[&str]| {
        let args: Vec<&str> = ["req"].iter().chain(&key).chain(rest).copied().collect();
        run(&args);
    };
    with(&[
        "-x509",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=test CA",
        "-days",
        "2",
    ]);
    std::fs::write(dir.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    for name in ["server", "client"] {
        let (key, csr, pem) = (
            format!("{name}.key"),
            format!("{name}.csr"),
            format!("{name}.pem"),
        );
        with(&[
            "-keyout",
            &key,
            "-out",
            &csr,
            "-subj",
            &format!("/CN={name}"),
        ]);
        run(&[
            "x509",
            "-req",
            "-in",
            &csr,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "san",
            "-out",
            &pem,
        ]);
        open_to_all(dir, &dir.join(&key));
        open_to_all(dir, &dir.join(&pem));
    }
    open_to_all(dir, &dir.join("ca.pem"));
}

#[tokio::test]
async fn tls_with_own_authority_and_client_certificate() {
    let Some(openssl) = tool("openssl") else {
        return skip("TLS", "openssl");
    };
    let files = tempfile::tempdir().unwrap();
    let dir = files.path();
    certificates(&openssl, dir);
    let broker = Mosquitto::start_with("TLS", |_| {
        format!(
            "allow_anonymous true\ncafile {0}/ca.pem\ncertfile {0}/server.pem\n\
             keyfile {0}/server.key\nrequire_certificate true\n",
            dir.display()
        )
    });
    let Some(broker) = broker else { return };
    let secure = || LinkConfig {
        ca: Some(dir.join("ca.pem")),
        client_cert: Some(dir.join("client.pem")),
        client_key: Some(dir.join("client.key")),
        ..config_at(&format!("mqtts://127.0.0.1:{}", broker.v5()), "cam")
    };
    let (mut camera, _) = Camera::up(secure()).await;
    camera.publish(message("t", "secret").with_token(1)).await;
    assert_eq!(camera.wait_acked().await, 1);

    // Another authority than the one that vouches for the broker.
    let strangers = tempfile::tempdir().unwrap();
    certificates(&openssl, strangers.path());
    let why = Camera::spawn(LinkConfig {
        ca: Some(strangers.path().join("ca.pem")),
        ..secure()
    })
    .wait_down()
    .await;
    assert!(why.contains("secure connection failed"), "{why}");

    // Errors before any connection.
    let error = |config: LinkConfig| config.check().unwrap_err().to_string();
    let e = error(LinkConfig {
        client_key: None,
        ..secure()
    });
    assert!(e.contains("only the certificate is configured"), "{e}");
    let e = error(LinkConfig {
        client_key: Some(strangers.path().join("client.key")),
        ..secure()
    });
    assert!(e.contains("client.pem") && e.contains("client.key"), "{e}");
    let e = error(LinkConfig {
        ca: Some("/nowhere/ca.pem".into()),
        ..secure()
    });
    assert!(e.contains("/nowhere/ca.pem"), "{e}");
}

#[test]
fn the_built_in_broker_stays_on_this_machine() {
    let mut given = BrokerConfig {
        v4: SocketAddr::from(([0, 0, 0, 0], 0)),
        ..BrokerConfig::default()
    };
    assert!(matches!(
        broker::start(given.clone()),
        Err(BrokerError::NotLoopback { .. })
    ));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    given.v4 = taken.local_addr().unwrap();
    let error = broker::start(given.clone()).unwrap_err();
    assert!(matches!(error, BrokerError::Listen { .. }));
    let text = error.to_string();
    assert!(
        text.contains(&given.v4.to_string()) && text.contains("stop what uses the port"),
        "{text}"
    );
}

/// Ports of their own for each of many brokers in one process.
#[test]
fn any_free_ports() {
    let (a, b) = (embedded(), embedded());
    let mut ports = [a.v4().port(), a.v5().port(), b.v4().port(), b.v5().port()];
    ports.sort();
    assert!(ports.windows(2).all(|w| w[0] != w[1]), "{ports:?}");
    assert!(a.url().starts_with("mqtt://127.0.0.1:"));
}

#[tokio::test]
async fn either_port_takes_either_version_and_a_stop_closes_both() {
    let broker = embedded();
    for port in [broker.v4().port(), broker.v5().port()].map(|p| p.to_string()) {
        for version in ["311", "5"] {
            let args = ["-V", version, "-p", &port, "-q", "1", "-t", "t", "-m", "x"];
            client("mosquitto_pub", &args).await;
        }
    }
    let (mut camera, _) = Camera::up(config(&broker, "cam")).await;
    let ports = [broker.v4().port(), broker.v5().port()];
    tokio::task::spawn_blocking(move || broker.stop())
        .await
        .unwrap();
    camera.wait_down().await;
    for port in ports {
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}

#[tokio::test]
async fn a_dropped_broker_goes_on() {
    let broker = embedded();
    let mut camera_config = config(&broker, "cam");
    camera_config.max_in_flight = 4;
    drop(broker);
    let (mut camera, _) = Camera::up(camera_config).await;
    camera.publish(message("t", "x").with_token(1)).await;
    assert_eq!(camera.wait_acked().await, 1);
}

/// More clients than there are places wait, and are served when one leaves.
#[tokio::test]
async fn a_full_broker_lets_the_next_wait() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let broker = broker::start(BrokerConfig {
        v4: any,
        v5: any,
        max_connections: 2,
        ..BrokerConfig::default()
    })
    .unwrap();
    let (mut camera, _) = Camera::up(config(&broker, "cam")).await;
    for round in 0..20 {
        let (guest, _) = Camera::up(config(&broker, &format!("guest{round}"))).await;
        drop(guest);
    }
    let (guest, _) = Camera::up(config(&broker, "guest")).await;
    let mut next = Camera::spawn(config(&broker, "next"));
    next.nothing(Duration::from_millis(300), |e| {
        matches!(e, LinkEvent::Up { .. })
    })
    .await;
    drop(guest);
    next.wait_up().await;
    camera.publish(message("t", "x").with_token(1)).await;
    assert_eq!(camera.wait_acked().await, 1);
}
