//! MQTT 3.1.1 (OASIS, 2014) to 5 (OASIS, 2019) and back, packet by packet.
//!
//! Between the two, only the properties and the reason codes differ in the
//! layout of the packets that a client of 3.1.1 takes part in. The router
//! must not do this: what it writes to its 3.1.1 clients may have no
//! properties, or its connection panics.

use super::connect::{field, remaining_length, take};

/// The packet types (2.2.1 in both versions).
pub(super) mod kind {
    pub const CONNECT: u8 = 1;
    pub const CONNACK: u8 = 2;
    pub const PUBLISH: u8 = 3;
    pub const PUBACK: u8 = 4;
    pub const PUBREC: u8 = 5;
    pub const PUBREL: u8 = 6;
    pub const PUBCOMP: u8 = 7;
    pub const SUBSCRIBE: u8 = 8;
    pub const SUBACK: u8 = 9;
    pub const UNSUBSCRIBE: u8 = 10;
    pub const UNSUBACK: u8 = 11;
    pub const PINGREQ: u8 = 12;
    pub const PINGRESP: u8 = 13;
    pub const DISCONNECT: u8 = 14;
}

/// Whether a client may send packets that begin with `first` after its
/// CONNECT; at some of the others the router's connection panics.
pub(super) fn clients_may_send(first: u8) -> bool {
    use kind::*;
    matches!(
        first >> 4,
        PUBLISH
            | PUBACK
            | PUBREC
            | PUBREL
            | PUBCOMP
            | SUBSCRIBE
            | UNSUBSCRIBE
            | PINGREQ
            | DISCONNECT
    )
}

/// A packet without the length in its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    /// Its type and flags.
    pub first: u8,
    /// What follows the length.
    pub body: Vec<u8>,
}

impl Packet {
    pub fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// The first byte and the length (2.2.3, 2.1.4).
    pub fn header(first: u8, mut length: usize) -> Vec<u8> {
        let mut header = vec![first];
        loop {
            let more = if length > 0x7f { 0x80 } else { 0 };
            header.push(length as u8 & 0x7f | more);
            length >>= 7;
            if length == 0 {
                return header;
            }
        }
    }
}

/// A client's packet for the router. `None` if it is malformed.
pub(super) fn to_v5(mut packet: Packet) -> Option<Packet> {
    use kind::*;
    match packet.kind() {
        CONNECT => packet.body = connect_to_v5(&packet.body)?,
        PUBLISH => {
            let at = payload_start(&packet)?;
            packet.body.insert(at, 0);
        }
        SUBSCRIBE | UNSUBSCRIBE => {
            if packet.body.len() < 2 || !filters_are_good(&packet) {
                return None;
            }
            packet.body.insert(2, 0);
        }
        // Two bytes, which version 5 reads as success.
        PUBACK | PUBREC | PUBREL | PUBCOMP if packet.body.len() == 2 => {}
        PINGREQ | DISCONNECT if packet.body.is_empty() => {}
        _ => return None,
    }
    Some(packet)
}

/// The router's packet for a client; `Ok(None)` for those that 3.1.1 does not
/// have, `Err` if it is malformed.
pub(super) fn to_v4(mut packet: Packet) -> Result<Option<Packet>, ()> {
    use kind::*;
    match packet.kind() {
        CONNACK => {
            let [present, code, ..] = *packet.body else {
                return Err(());
            };
            packet.body = vec![present, connect_code(code)];
        }
        PUBLISH => {
            let at = payload_start(&packet).ok_or(())?;
            remove_properties(&mut packet.body, at)?;
        }
        PUBACK | PUBREC | PUBREL | PUBCOMP if packet.body.len() >= 2 => packet.body.truncate(2),
        SUBACK => {
            remove_properties(&mut packet.body, 2)?;
            for code in &mut packet.body[2..] {
                if *code > 2 {
                    *code = 0x80;
                }
            }
        }
        UNSUBACK if packet.body.len() >= 2 => packet.body.truncate(2),
        PINGRESP => {}
        // A 3.1.1 server only closes.
        DISCONNECT => return Ok(None),
        _ => return Err(()),
    }
    Ok(Some(packet))
}

fn connect_to_v5(body: &[u8]) -> Option<Vec<u8>> {
    const WILL: u8 = 0b100;
    const CLEAN: u8 = 0b10;
    let mut rest = body;
    let name = field(&mut rest)?;
    let [_, flags, keep_high, keep_low] = *take(&mut rest, 4)? else {
        return None;
    };
    let id_and_more = rest;
    let id = field(&mut rest)?;
    let mut v5 = Vec::with_capacity(body.len() + 7);
    v5.extend((name.len() as u16).to_be_bytes());
    v5.extend(name);
    v5.extend([5, flags, keep_high, keep_low]);
    if flags & CLEAN == 0 {
        // Session expiry (3.1.2.11.2): a 3.1.1 session has no end.
        v5.extend([5, 0x11, 0xff, 0xff, 0xff, 0xff]);
    } else {
        v5.push(0);
    }
    v5.extend(&id_and_more[..2 + id.len()]);
    if flags & WILL != 0 {
        v5.push(0);
    }
    v5.extend(rest);
    Some(v5)
}

/// The index after topic and packet id.
fn payload_start(publish: &Packet) -> Option<usize> {
    let mut rest = &publish.body[..];
    field(&mut rest)?;
    match publish.first >> 1 & 0b11 {
        0 => {}
        1 | 2 => drop(take(&mut rest, 2)?),
        _ => return None,
    }
    Some(publish.body.len() - rest.len())
}

/// Whether the options of a subscription have no bits that mean something in
/// version 5 only.
fn filters_are_good(packet: &Packet) -> bool {
    let mut rest = &packet.body[2..];
    while !rest.is_empty() {
        if field(&mut rest).is_none() {
            return false;
        }
        if packet.kind() == kind::SUBSCRIBE && !matches!(take(&mut rest, 1), Some([0..=2])) {
            return false;
        }
    }
    packet.body.len() > 2
}

fn remove_properties(body: &mut Vec<u8>, at: usize) -> Result<(), ()> {
    let (length, size) = body.get(at..).and_then(remaining_length).ok_or(())??;
    let end = at + size + length;
    if end > body.len() {
        return Err(());
    }
    body.drain(at..end);
    Ok(())
}

/// The nearest that 3.1.1 has (3.2.2.3 there, 3.2.2.2 in version 5).
fn connect_code(reason: u8) -> u8 {
    match reason {
        0 => 0,
        0x84 => 1,
        0x85 => 2,
        0x86 => 4,
        0x87 => 5,
        _ => 3,
    }
}

/// The most bytes that `to_v5` adds to a packet.
pub(super) const ADDED: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, body: &[u8]) -> Packet {
        let body = body.to_vec();
        Packet { first, body }
    }

    #[test]
    fn a_connect_gets_properties_for_itself_and_its_will() {
        // Clean session, will of QoS 1, user and password.
        let v4 = b"\x00\x04MQTT\x04\xce\x00\x3c\x00\x01i\x00\x01w\x00\x01p\x00\x01u\x00\x01s";
        let v5 =
            b"\x00\x04MQTT\x05\xce\x00\x3c\x00\x00\x01i\x00\x00\x01w\x00\x01p\x00\x01u\x00\x01s";
        assert_eq!(to_v5(packet(0x10, v4)), Some(packet(0x10, v5)));
        let v4 = b"\x00\x04MQTT\x04\x00\x00\x3c\x00\x01i";
        let v5 = b"\x00\x04MQTT\x05\x00\x00\x3c\x05\x11\xff\xff\xff\xff\x00\x01i";
        assert_eq!(to_v5(packet(0x10, v4)), Some(packet(0x10, v5)));
    }

    #[test]
    fn publishes_lose_properties_and_nothing_else() {
        for (first, id) in [(0x31, &b""[..]), (0x32, b"\x00\x09"), (0x3d, b"\xff\xff")] {
            // 130 bytes of properties have a length of two bytes.
            let user = [&b"\x26\x00\x01k\x00\x7c"[..], &[b'v'; 124]].concat();
            for properties in [b"\x00".to_vec(), [&b"\x82\x01"[..], &user].concat()] {
                for payload in [&b""[..], b"\x00", b"picture"] {
                    let v4 = packet(first, &[b"\x00\x03a/b", id, payload].concat());
                    let v5 = [b"\x00\x03a/b", id, &properties, payload].concat();
                    assert_eq!(to_v4(packet(first, &v5)), Ok(Some(v4.clone())));
                    let again = to_v5(v4.clone()).unwrap();
                    assert_eq!(to_v4(again), Ok(Some(v4)));
                }
            }
        }
    }

    #[test]
    fn acknowledgements_are_cut_to_what_3_1_1_knows() {
        for first in [0x40, 0x50, 0x62, 0x70, 0xb0] {
            for tail in [&b""[..], b"\x10", b"\x00\x00", b"\x92\x03\x1f\x00\x00"] {
                let v5 = packet(first, &[b"\x01\x02", tail].concat());
                assert_eq!(to_v4(v5), Ok(Some(packet(first, b"\x01\x02"))));
            }
        }
        let suback = packet(0x90, b"\x00\x01\x03\x1f\x00\x00\x00\x01\x02\x80\x8f");
        let granted = packet(0x90, b"\x00\x01\x00\x01\x02\x80\x80");
        assert_eq!(to_v4(suback), Ok(Some(granted)));
        for (reason, code) in [(0, 0), (0x85, 2), (0x87, 5), (0x97, 3)] {
            let connack = packet(0x20, &[1, reason, 3, 0x22, 0, 9]);
            assert_eq!(to_v4(connack), Ok(Some(packet(0x20, &[1, code]))));
        }
        assert_eq!(to_v4(packet(0xe0, b"\x8e")), Ok(None));
    }

    #[test]
    fn what_is_malformed_goes_no_further() {
        for (first, body) in [
            (0x36, &b"\x00\x01t\x00\x01"[..]),
            (0x32, b"\x00\x01t\x00"),
            (0x30, b"\x00\x09t"),
            (0x82, b"\x00"),
            (0x82, b"\x00\x01"),
            (0x82, b"\x00\x01\x00\x01t"),
            // "No local" of version 5, and QoS 3.
            (0x82, b"\x00\x01\x00\x01t\x04"),
            (0x82, b"\x00\x01\x00\x01t\x03"),
            (0xa2, b"\x00\x01\x00\x05t"),
            (0x40, b"\x00\x01\x00"),
            (0xe0, b"\x00"),
            (0x20, b"\x00\x00"),
            (0xb0, b"\x00\x01"),
            (0xf0, b"\x00"),
        ] {
            assert_eq!(to_v5(packet(first, body)), None, "{first:#x} {body:?}");
        }
        for (first, body) in [
            (0x30, &b"\x00\x01t"[..]),
            (0x30, b"\x00\x01t\x05"),
            (0x20, b"\x00"),
            (0x90, b"\x00\x01"),
        ] {
            assert_eq!(to_v4(packet(first, body)), Err(()), "{first:#x} {body:?}");
        }
    }

    #[test]
    fn lengths_are_written_as_they_are_read() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_152, 268_435_455] {
            let header = Packet::header(0x30, length);
            let size = header.len() - 1;
            assert_eq!(remaining_length(&header[1..]), Some(Ok((length, size))));
        }
    }
}
