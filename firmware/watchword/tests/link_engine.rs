//! The link against a broker that misbehaves on purpose.

mod link_support;

use std::collections::BTreeSet;
use std::time::Duration;

use link_support::fake::Fake;
use link_support::{Camera, config_at, message};
use rumqttc::v5::mqttbytes::v5::{ConnAckProperties, Packet, PubAckReason};
use watchword::link::{LinkConfig, LinkEvent, Outgoing, PublishError, Qos};

fn limits(change: impl FnOnce(&mut ConnAckProperties)) -> Option<ConnAckProperties> {
    let mut limits = ConnAckProperties {
        session_expiry_interval: None,
        receive_max: None,
        max_qos: None,
        retain_available: None,
        max_packet_size: None,
        assigned_client_identifier: None,
        topic_alias_max: None,
        reason_string: None,
        user_properties: Vec::new(),
        wildcard_subscription_available: None,
        subscription_identifiers_available: None,
        shared_subscription_available: None,
        server_keep_alive: None,
        response_information: None,
        server_reference: None,
        authentication_method: None,
        authentication_data: None,
    };
    change(&mut limits);
    Some(limits)
}

/// The broker's verdict on each message is told by the message, so a token
/// that got another's verdict would show.
#[tokio::test]
async fn each_token_gets_its_own_verdict() {
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(config_at(&fake.url(), "cam"));
    let mut broker = fake.serve(None).await;
    camera.wait_up().await;

    let serving = tokio::spawn(async move {
        for _ in 0..150 {
            let publish = broker.read_publish().await;
            if publish.pkid != 0 {
                let bad = publish.payload.starts_with(b"bad");
                let verdict = if bad {
                    PubAckReason::QuotaExceeded
                } else {
                    PubAckReason::Success
                };
                broker.ack(publish.pkid, verdict).await;
            }
        }
        broker
    });
    for n in 0..150u64 {
        let word = if n % 7 == 0 { "bad" } else { "good" };
        let (qos, token) = match n % 3 {
            0 => (Qos::AtMostOnce, None),
            _ => (Qos::AtLeastOnce, Some(n)),
        };
        camera
            .publish(Outgoing {
                qos,
                token,
                ..message("t", word)
            })
            .await;
    }
    let wanted: BTreeSet<u64> = (0..150).filter(|n| n % 3 != 0).collect();
    let mut seen = BTreeSet::new();
    while seen != wanted {
        let (token, bad) = match camera.next().await {
            LinkEvent::Acked { token } => (token, false),
            LinkEvent::Refused { token, why, .. } => {
                assert!(why.contains("QuotaExceeded"), "{why}");
                (token.expect("all of QoS 1 have one"), true)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(bad, token % 7 == 0, "token {token}");
        assert!(seen.insert(token), "token {token} came twice");
    }
    serving.await.unwrap();
}

#[tokio::test]
async fn acknowledgements_out_of_order_find_their_tokens() {
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(config_at(&fake.url(), "cam"));
    let mut broker = fake.serve(None).await;
    camera.wait_up().await;
    for round in 0..10u64 {
        for n in 0..8 {
            camera
                .publish(message("t", &n.to_string()).with_token(round * 8 + n))
                .await;
        }
        let mut pkids = Vec::new();
        for _ in 0..8 {
            pkids.push(broker.read_publish().await.pkid);
        }
        for order in [5, 0, 7, 1, 6, 2, 4, 3] {
            broker
                .ack(pkids[order as usize], PubAckReason::Success)
                .await;
            assert_eq!(camera.wait_acked().await, round * 8 + order);
        }
    }
}

#[tokio::test]
async fn nothing_is_resent_but_by_the_caller() {
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(config_at(&fake.url(), "cam"));
    let mut broker = fake.serve(None).await;
    camera.wait_up().await;
    for n in 0..30u64 {
        camera
            .publish(message("t", &n.to_string()).with_token(n))
            .await;
    }
    // 16 are in flight, 14 wait. Three are acknowledged, then the broker dies.
    for n in 0..16u64 {
        let publish = broker.read_publish().await;
        assert_eq!(publish.payload, n.to_string());
        if n < 3 {
            broker.ack(publish.pkid, PubAckReason::Success).await;
        }
    }
    for n in 0..3 {
        assert_eq!(camera.wait_acked().await, n);
    }
    drop(broker);
    camera.wait_down().await;
    assert_eq!(
        camera.handle.publish(message("t", "x")),
        Err(PublishError::Down)
    );

    // The next connection begins with silence: session or not, the engine
    // resends nothing, and what waited is gone.
    let mut broker = fake.serve(None).await;
    camera.wait_up().await;
    broker.silent(Duration::from_millis(300)).await;
    for n in 3..30u64 {
        camera
            .publish(message("t", &n.to_string()).with_token(n))
            .await;
    }
    for n in 3..30u64 {
        let publish = broker.read_publish().await;
        assert_eq!(publish.payload, n.to_string());
        assert!(!publish.dup);
        broker.ack(publish.pkid, PubAckReason::Success).await;
        assert_eq!(camera.wait_acked().await, n);
    }
}

#[tokio::test]
async fn flow_is_bounded_by_both_sides() {
    for (receive_max, in_flight) in [(None, 16), (Some(5), 4), (Some(1), 1)] {
        let fake = Fake::start().await;
        let mut camera = Camera::spawn(config_at(&fake.url(), "cam"));
        let mut broker = fake.serve(limits(|l| l.receive_max = receive_max)).await;
        camera.wait_up().await;
        let mut refused = None;
        for n in 0..200 {
            if let Err(e) = camera.handle.publish(message("t", &n.to_string())) {
                refused = Some(e);
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(refused, Some(PublishError::Full { waiting: 64 }));
        let mut first = None;
        for _ in 0..in_flight {
            let publish = broker.read_publish().await;
            first.get_or_insert(publish.pkid);
        }
        broker.silent(Duration::from_millis(200)).await;
        broker.ack(first.unwrap(), PubAckReason::Success).await;
        broker.read_publish().await;
        broker.silent(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_message_too_large_for_the_broker_is_refused_and_the_link_lives() {
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(config_at(&fake.url(), "cam"));
    let mut broker = fake.serve(limits(|l| l.max_packet_size = Some(1000))).await;
    camera.wait_up().await;
    camera
        .publish(message("t", &"x".repeat(990)).with_token(1))
        .await;
    match camera.next().await {
        LinkEvent::Refused { token, why, .. } => {
            assert_eq!(token, Some(1));
            assert!(why.contains("1000 at most"), "{why}");
        }
        other => panic!("{other:?}"),
    }
    camera
        .publish(message("t", &"x".repeat(900)).with_token(2))
        .await;
    let publish = broker.read_publish().await;
    broker.ack(publish.pkid, PubAckReason::Success).await;
    assert_eq!(camera.wait_acked().await, 2);
}

#[tokio::test]
async fn a_broker_of_version_3_is_told_from_one_that_is_away() {
    // CONNACK as MQTT 3.1.1 writes it: "unacceptable protocol version".
    for answer in [Some([0x20u8, 2, 0, 1]), Some([0x20, 2, 0, 0]), None] {
        let fake = Fake::start().await;
        let mut camera = Camera::spawn(config_at(&fake.url(), "cam"));
        let mut broker = fake.accept().await;
        assert!(matches!(broker.read().await, Some(Packet::Connect(..))));
        if let Some(answer) = answer {
            broker.raw(&answer).await;
        }
        drop(broker);
        let why = camera.wait_down().await;
        assert!(why.contains("MQTT 3.1.1"), "{answer:?}: {why}");
    }
    let nobody = format!("mqtt://127.0.0.1:{}", link_support::free_port());
    let why = Camera::spawn(config_at(&nobody, "cam")).wait_down().await;
    assert!(why.contains("refused"), "{why}");
}

#[tokio::test]
async fn receipts_acknowledge_in_order_of_arrival() {
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(LinkConfig {
        subscriptions: vec!["orders/#".into()],
        ..config_at(&fake.url(), "cam")
    });
    let mut broker = fake.serve(None).await;
    broker.grant().await;
    camera.wait_up().await;
    for pkid in 1..=3 {
        broker.send(pkid, "orders/a", &pkid.to_string()).await;
    }
    let first = camera.wait_message().await;
    let second = camera.wait_message().await;
    let third = camera.wait_message().await;
    assert_eq!(first.payload, "1");
    drop(second);
    drop(third);
    broker.silent(Duration::from_millis(200)).await;
    drop(first);
    for pkid in 1..=3 {
        match broker.read().await {
            Some(Packet::PubAck(ack)) => assert_eq!(ack.pkid, pkid),
            other => panic!("{other:?}"),
        }
    }
}

/// A receipt of a connection that is gone must not acknowledge a message of
/// the next one that bears the same packet id.
#[tokio::test]
async fn a_late_receipt_does_no_harm() {
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(LinkConfig {
        subscriptions: vec!["orders".into()],
        ..config_at(&fake.url(), "cam")
    });
    let mut broker = fake.serve(None).await;
    broker.grant().await;
    broker.send(1, "orders", "old").await;
    let old = camera.wait_message().await;
    drop(broker);
    camera.wait_down().await;

    let mut broker = fake.serve(None).await;
    broker.grant().await;
    broker.send(1, "orders", "new").await;
    let new = camera.wait_message().await;
    assert_eq!(new.payload, "new");
    drop(old);
    broker.silent(Duration::from_millis(200)).await;
    drop(new);
    assert!(matches!(broker.read().await, Some(Packet::PubAck(ack)) if ack.pkid == 1));
}

#[tokio::test]
async fn a_stop_sends_what_waits_and_says_goodbye() {
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(config_at(&fake.url(), "cam"));
    let mut broker = fake.serve(None).await;
    camera.wait_up().await;
    for n in 0..20 {
        camera.publish(message("t", &n.to_string())).await;
    }
    let handle = camera.handle.clone();
    let stop = tokio::spawn(async move { handle.stop(Some(message("status", "stopped"))).await });
    for n in 0..20 {
        let publish = broker.read_publish().await;
        assert_eq!(publish.payload, n.to_string());
        broker.ack(publish.pkid, PubAckReason::Success).await;
    }
    let farewell = broker.read_publish().await;
    assert_eq!(farewell.payload, "stopped");
    broker.ack(farewell.pkid, PubAckReason::Success).await;
    assert!(matches!(broker.read().await, Some(Packet::Disconnect(_))));
    assert!(broker.read().await.is_none());
    assert!(stop.await.unwrap().farewell_acked);
    assert_eq!(
        camera.handle.publish(message("t", "x")),
        Err(PublishError::Stopped)
    );
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    // A broker that never acknowledges.
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(config_at(&fake.url(), "cam"));
    let _broker = fake.serve(None).await;
    camera.wait_up().await;
    let begun = std::time::Instant::now();
    let stopped = camera.handle.stop(Some(message("status", "stopped"))).await;
    assert!(!stopped.farewell_acked);
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );

    // And none at all.
    let nobody = format!("mqtt://127.0.0.1:{}", link_support::free_port());
    let mut camera = Camera::spawn(config_at(&nobody, "cam"));
    camera.wait_down().await;
    let begun = std::time::Instant::now();
    assert!(
        !camera
            .handle
            .stop(Some(message("s", "stopped")))
            .await
            .farewell_acked
    );
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_reader_that_has_stopped_reading_can_still_stop() {
    let fake = Fake::start().await;
    let mut camera = Camera::spawn(LinkConfig {
        subscriptions: vec!["orders".into()],
        ..config_at(&fake.url(), "cam")
    });
    let mut broker = fake.serve(None).await;
    broker.grant().await;
    camera.wait_up().await;
    // More than the channel of events holds, and nobody takes them.
    for _ in 0..300 {
        let mut publish = rumqttc::v5::mqttbytes::v5::Publish::new(
            "orders",
            rumqttc::v5::mqttbytes::QoS::AtMostOnce,
            "x",
            None,
        );
        publish.pkid = 0;
        broker.write(Packet::Publish(publish)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let handle = camera.handle.clone();
    let stop = tokio::spawn(async move { handle.stop(Some(message("status", "stopped"))).await });
    let farewell = broker.read_publish().await;
    broker.ack(farewell.pkid, PubAckReason::Success).await;
    assert!(stop.await.unwrap().farewell_acked);
}

#[tokio::test]
async fn bad_topics_are_refused_at_once() {
    let fake = Fake::start().await;
    let camera = Camera::spawn(config_at(&fake.url(), "cam"));
    for bad in ["", "a/+", "#", "a\0b", "$SYS/x"] {
        match camera.handle.publish(message(bad, "x")) {
            Err(PublishError::BadTopic { topic, .. }) => assert_eq!(topic, bad),
            other => panic!("{bad}: {other:?}"),
        }
    }
}
