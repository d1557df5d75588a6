//! MQTT 3.1.1 clients beside a camera that speaks MQTT 5, at the broker that
//! is built in and, for comparison, at Mosquitto.

mod link_support;

use std::time::Duration;

use link_support::{Broker, Camera, PATIENCE, client, config, embedded, message, subscriber};
use rumqttc::mqttbytes::v4::{LastWill, Packet, Publish, SubscribeReasonCode};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing as Sent, QoS};
use tokio::time::timeout;
use watchword::link::{LinkConfig, Outgoing};

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod built_in {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(&super::embedded()).await })*
        }
        mod mosquitto {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                if let Some(broker) = super::link_support::Mosquitto::start(stringify!($name)) {
                    super::$name(&broker).await;
                }
            })*
        }
    };
}

on_both!(
    properties_do_no_harm_to_3_1_1,
    mosquitto_sub_gets_retained_pictures_with_properties,
    what_3_1_1_says_reaches_version_5,
    the_will_of_a_3_1_1_client_reaches_both,
    a_3_1_1_session_gets_what_it_missed,
    a_3_1_1_client_subscribes_and_unsubscribes,
    many_packets_at_once_keep_their_order,
);

/// A client of MQTT 3.1.1.
struct Old {
    client: AsyncClient,
    events: EventLoop,
    session_present: bool,
}

impl Old {
    async fn up(broker: &impl Broker, id: &str, clean: bool, will: Option<LastWill>) -> Self {
        let mut options = MqttOptions::new(id, "127.0.0.1", broker.v4());
        options
            .set_clean_session(clean)
            .set_max_packet_size(4_000_000, 4_000_000);
        if let Some(will) = will {
            options.set_last_will(will);
        }
        let (client, events) = AsyncClient::new(options, 100);
        let mut old = Self {
            client,
            events,
            session_present: false,
        };
        old.session_present = old
            .until(|p| match p {
                Packet::ConnAck(ack) => Some(ack.session_present),
                _ => None,
            })
            .await;
        old
    }

    async fn until<T>(&mut self, mut pick: impl FnMut(Packet) -> Option<T>) -> T {
        timeout(PATIENCE, async {
            loop {
                let event = self.events.poll().await.expect("the connection holds");
                if let Event::Incoming(packet) = event
                    && let Some(found) = pick(packet)
                {
                    return found;
                }
            }
        })
        .await
        .expect("a packet in time")
    }

    async fn subscribe(&mut self, filter: &str, qos: QoS) {
        self.client.subscribe(filter, qos).await.unwrap();
        let codes = self
            .until(|p| match p {
                Packet::SubAck(ack) => Some(ack.return_codes),
                _ => None,
            })
            .await;
        assert_eq!(codes, [SubscribeReasonCode::Success(qos)]);
    }

    async fn message(&mut self) -> Publish {
        self.until(|p| match p {
            Packet::Publish(publish) => Some(publish),
            _ => None,
        })
        .await
    }

    /// Until the broker has it.
    async fn publish(&mut self, topic: &str, qos: QoS, payload: Vec<u8>) {
        self.client
            .publish(topic, qos, false, payload)
            .await
            .unwrap();
        if qos == QoS::AtMostOnce {
            while !matches!(
                timeout(PATIENCE, self.events.poll()).await,
                Ok(Ok(Event::Outgoing(Sent::Publish(_))))
            ) {}
            return;
        }
        self.until(|p| match p {
            Packet::PubAck(_) if qos == QoS::AtLeastOnce => Some(()),
            Packet::PubComp(_) if qos == QoS::ExactlyOnce => Some(()),
            _ => None,
        })
        .await
    }

    /// Long enough for the acknowledgements to be sent.
    async fn settle(&mut self) {
        let _ = timeout(Duration::from_millis(300), async {
            while self.events.poll().await.is_ok() {}
        })
        .await;
    }
}

fn picture() -> Vec<u8> {
    (0..500_000u32).map(|n| (n % 251) as u8).collect()
}

/// A message with every property that the camera can set.
fn rich(topic: &str, payload: Vec<u8>) -> Outgoing {
    Outgoing {
        payload: payload.into(),
        content_type: Some("image/jpeg".into()),
        user_properties: vec![("alert".into(), "v".repeat(200))],
        correlation_data: Some(b"nr-7"[..].into()),
        ..message(topic, "")
    }
}

async fn camera(broker: &impl Broker, filters: &[&str]) -> Camera {
    let config = LinkConfig {
        max_payload_bytes: 1_000_000,
        ..subscriber(broker, "cam", filters)
    };
    Camera::up(config).await.0
}

/// Both versions still get through, also for clients that were there before.
async fn lives(broker: &impl Broker, camera: &mut Camera) {
    camera.publish(message("lives", "yes").with_token(99)).await;
    assert_eq!(camera.wait_acked().await, 99);
    let port = broker.v4().to_string();
    for version in ["311", "5"] {
        let args = ["-V", version, "-p", &port, "-q", "1", "-t", "l", "-m", "x"];
        client("mosquitto_pub", &args).await;
    }
}

async fn properties_do_no_harm_to_3_1_1(broker: &impl Broker) {
    let mut camera = camera(broker, &[]).await;
    let kept = Outgoing {
        retain: true,
        ..rich("kept", picture())
    };
    camera.publish(kept.with_token(1)).await;
    assert_eq!(camera.wait_acked().await, 1);
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let id = format!("old{}", qos as u8);
        let mut old = Old::up(broker, &id, true, None).await;
        old.subscribe("kept", qos).await;
        let got = old.message().await;
        assert!(got.retain && got.payload == picture(), "{:?}", got.qos);
        old.subscribe("live", qos).await;
        for payload in [Vec::new(), b"small".to_vec(), picture()] {
            camera.publish(rich("live", payload.clone())).await;
            let got = old.message().await;
            assert!(got.payload == payload && !got.retain, "{:?}", got.qos);
            // The camera publishes with QoS 1; the built-in broker delivers
            // with that of the subscription where Mosquitto takes the lesser.
            assert!(got.topic == "live" && got.qos <= qos, "{:?}", got.qos);
        }
        old.settle().await;
        lives(broker, &mut camera).await;
    }
}

async fn mosquitto_sub_gets_retained_pictures_with_properties(broker: &impl Broker) {
    let mut camera = camera(broker, &[]).await;
    let image = Outgoing {
        retain: true,
        ..rich("watchword/cam/alerts/a/image", picture())
    };
    camera.publish(image.with_token(1)).await;
    assert_eq!(camera.wait_acked().await, 1);
    for port in [broker.v4(), broker.v5()].map(|p| p.to_string()) {
        for qos in ["0", "1", "2"] {
            let topic = "watchword/+/alerts/#";
            let args = ["-p", &port, "-q", qos, "-t", topic, "-C", "1", "-N"];
            let got = client("mosquitto_sub", &args).await;
            assert!(got == picture(), "{} bytes came", got.len());
        }
    }
    lives(broker, &mut camera).await;
}

async fn what_3_1_1_says_reaches_version_5(broker: &impl Broker) {
    let mut camera = camera(broker, &["orders"]).await;
    let mut old = Old::up(broker, "old", true, None).await;
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        for payload in [b"x".to_vec(), picture()] {
            old.publish("orders", qos, payload.clone()).await;
            // What is written but not flushed goes on with the next poll.
            old.settle().await;
            assert!(camera.wait_message().await.payload == payload, "{qos:?}");
        }
    }
}

async fn the_will_of_a_3_1_1_client_reaches_both(broker: &impl Broker) {
    let mut camera = camera(broker, &["gone"]).await;
    let mut watcher = Old::up(broker, "watcher", true, None).await;
    watcher.subscribe("gone", QoS::AtLeastOnce).await;
    let will = LastWill::new("gone", "old has gone", QoS::AtLeastOnce, true);
    let old = Old::up(broker, "old", true, Some(will)).await;
    drop(old);
    assert_eq!(watcher.message().await.payload, "old has gone");
    assert_eq!(camera.wait_message().await.payload, "old has gone");
    let mut late = Old::up(broker, "late", true, None).await;
    late.subscribe("gone", QoS::AtLeastOnce).await;
    assert!(late.message().await.retain);
}

async fn a_3_1_1_session_gets_what_it_missed(broker: &impl Broker) {
    let mut camera = camera(broker, &[]).await;
    let mut old = Old::up(broker, "old", false, None).await;
    assert!(!old.session_present);
    old.subscribe("alerts", QoS::AtLeastOnce).await;
    old.client.disconnect().await.unwrap();
    old.settle().await;
    drop(old);
    let missed = [b"one".to_vec(), picture(), b"three".to_vec()];
    for (n, payload) in (1..).zip(&missed) {
        let alert = rich("alerts", payload.clone()).with_token(n);
        camera.publish(alert).await;
        assert_eq!(camera.wait_acked().await, n);
    }
    let mut old = Old::up(broker, "old", false, None).await;
    assert!(old.session_present);
    for payload in &missed {
        assert!(old.message().await.payload == *payload);
    }
    old.settle().await;
    lives(broker, &mut camera).await;
}

async fn a_3_1_1_client_subscribes_and_unsubscribes(broker: &impl Broker) {
    let camera = camera(broker, &[]).await;
    let mut old = Old::up(broker, "old", true, None).await;
    old.subscribe("a", QoS::AtMostOnce).await;
    old.subscribe("b", QoS::ExactlyOnce).await;
    old.client.unsubscribe("a").await.unwrap();
    old.until(|p| matches!(p, Packet::UnsubAck(_)).then_some(()))
        .await;
    camera.publish(rich("a", b"unwanted".to_vec())).await;
    camera.publish(rich("b", b"wanted".to_vec())).await;
    assert_eq!(old.message().await.payload, "wanted");
}

async fn many_packets_at_once_keep_their_order(broker: &impl Broker) {
    let (mut camera, _) = Camera::up(config(broker, "cam")).await;
    let mut old = Old::up(broker, "old", true, None).await;
    old.subscribe("n", QoS::AtLeastOnce).await;
    let publish = async {
        for n in 0..500u32 {
            // Sizes on both sides of each length of the header.
            let payload = [&n.to_be_bytes()[..], &vec![0; n as usize * 40]].concat();
            camera.publish(rich("n", payload)).await;
        }
    };
    let read = async {
        for n in 0..500u32 {
            let got = old.message().await.payload;
            assert_eq!(got[..4], n.to_be_bytes());
            assert_eq!(got.len(), 4 + n as usize * 40);
        }
    };
    tokio::join!(publish, read);
    lives(broker, &mut camera).await;
}

/// Packets that only a server sends, and malformed ones, of both versions. Mosquitto
/// lets some of them pass.
#[tokio::test(flavor = "multi_thread")]
async fn packets_that_are_no_clients_end_one_connection_only() {
    use std::io::{Read, Write};
    let broker = &embedded();
    let mut camera = camera(broker, &["orders"]).await;
    let mut old = Old::up(broker, "old", true, None).await;
    old.subscribe("alerts", QoS::AtLeastOnce).await;
    for (level, properties) in [(4u8, &b""[..]), (5, b"\x00")] {
        for bad in [
            &b"\x20\x03\x00\x00\x00"[..],
            b"\xb0\x04\x00\x01\x00\x00",
            b"\xf0\x02\x00\x00",
            b"\x00\x00",
            b"\x36\x05\x00\x01t\x00\x01",
            b"\x82\x05\x00\x01\x00\x00\x09",
            b"\x30\xff\xff\xff\xff\x7f",
        ] {
            // Twice under one name, since the second is what killed the router.
            for _ in 0..2 {
                let body = [
                    &b"\x00\x04MQTT"[..],
                    &[level, 2, 0, 60],
                    properties,
                    b"\x00\x03odd",
                ]
                .concat();
                let mut socket =
                    std::net::TcpStream::connect(("127.0.0.1", Broker::v4(broker))).unwrap();
                socket.set_read_timeout(Some(PATIENCE)).unwrap();
                let connect = [&[0x10, body.len() as u8][..], &body].concat();
                tokio::task::block_in_place(|| {
                    socket.write_all(&connect).unwrap();
                    let mut first = [0; 1];
                    socket.read_exact(&mut first).unwrap();
                    assert_eq!(first[0], 0x20, "a CONNACK");
                    socket.write_all(bad).unwrap();
                    // Closed by the broker, in order or not.
                    let mut rest = Vec::new();
                    match socket.read_to_end(&mut rest) {
                        Ok(_) => {}
                        Err(e) => assert_eq!(
                            e.kind(),
                            std::io::ErrorKind::ConnectionReset,
                            "{level} {bad:?}"
                        ),
                    }
                });
            }
        }
    }
    camera.publish(rich("alerts", b"well".to_vec())).await;
    assert_eq!(old.message().await.payload, "well");
    lives(broker, &mut camera).await;
}
