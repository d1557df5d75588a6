//! A broker that does what a test tells it, packet by packet.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, ConnAckProperties, ConnectReturnCode, Disconnect, DisconnectReasonCode, Packet,
    PingResp, PubAck, PubAckReason, Publish, SubAck, SubscribeReasonCode,
};
use rumqttc::v5::mqttbytes::{Error, QoS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::PATIENCE;

pub struct Fake {
    listener: TcpListener,
    pub port: u16,
}

pub struct Connection {
    stream: TcpStream,
    buffer: BytesMut,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        Self { listener, port }
    }

    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    pub async fn accept(&self) -> Connection {
        let (stream, _) = tokio::time::timeout(PATIENCE, self.listener.accept())
            .await
            .expect("a connection in time")
            .expect("accept works");
        Connection {
            stream,
            buffer: BytesMut::new(),
        }
    }

    /// Accepts, and grants connection and subscription.
    pub async fn serve(&self, limits: Option<ConnAckProperties>) -> Connection {
        let mut connection = self.accept().await;
        connection.welcome(limits).await;
        connection
    }
}

impl Connection {
    pub async fn welcome(&mut self, properties: Option<ConnAckProperties>) {
        match self.read().await {
            Some(Packet::Connect(..)) => {}
            other => panic!("no CONNECT but {other:?}"),
        }
        self.write(Packet::ConnAck(ConnAck {
            session_present: false,
            code: ConnectReturnCode::Success,
            properties,
        }))
        .await;
    }

    /// The next packet that is not a ping; `None` when the client has gone.
    pub async fn read(&mut self) -> Option<Packet> {
        loop {
            let packet = tokio::time::timeout(PATIENCE, self.read_any())
                .await
                .expect("a packet in time")?;
            match packet {
                Packet::PingReq(_) => self.write(Packet::PingResp(PingResp)).await,
                packet => return Some(packet),
            }
        }
    }

    async fn read_any(&mut self) -> Option<Packet> {
        loop {
            // The short form of a normal DISCONNECT (MQTT 5, 3.14.2.1), which
            // rumqttc writes but does not read.
            if self.buffer.starts_with(&[0xe0, 0]) {
                self.buffer.advance(2);
                let normal = DisconnectReasonCode::NormalDisconnection;
                return Some(Packet::Disconnect(Disconnect::new(normal)));
            }
            match Packet::read(&mut self.buffer, None) {
                Ok(packet) => return Some(packet),
                Err(Error::InsufficientBytes(_)) => {}
                Err(e) => panic!("the client sent what is not MQTT 5: {e}"),
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    pub async fn read_publish(&mut self) -> Publish {
        match self.read().await {
            Some(Packet::Publish(publish)) => publish,
            other => panic!("no PUBLISH but {other:?}"),
        }
    }

    /// Nothing comes for `quiet`.
    pub async fn silent(&mut self, quiet: Duration) {
        if let Ok(packet) = tokio::time::timeout(quiet, self.read_any()).await {
            panic!("unwanted: {packet:?}");
        }
    }

    pub async fn write(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet
            .write(&mut bytes, None)
            .expect("a packet that can be written");
        self.raw(&bytes).await;
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .await
            .expect("the client listens");
    }

    pub async fn ack(&mut self, pkid: u16, reason: PubAckReason) {
        self.write(Packet::PubAck(PubAck {
            pkid,
            reason,
            properties: None,
        }))
        .await;
    }

    pub async fn grant(&mut self) {
        match self.read().await {
            Some(Packet::Subscribe(subscribe)) => {
                let granted = SubscribeReasonCode::Success(QoS::AtLeastOnce);
                self.write(Packet::SubAck(SubAck {
                    pkid: subscribe.pkid,
                    return_codes: vec![granted; subscribe.filters.len()],
                    properties: None,
                }))
                .await;
            }
            other => panic!("no SUBSCRIBE but {other:?}"),
        }
    }

    pub async fn send(&mut self, pkid: u16, topic: &str, payload: &str) {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload.to_owned(), None);
        publish.pkid = pkid;
        self.write(Packet::Publish(publish)).await;
    }
}
