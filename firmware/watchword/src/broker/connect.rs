/// The two versions that clients may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// MQTT 3.1.1, protocol level 4.
    V4,
    /// MQTT 5, protocol level 5.
    V5,
}

/// What the first bytes of a connection are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum First {
    /// More bytes are needed to tell.
    Incomplete,
    /// A CONNECT that the router may see; it ends at `length`.
    Good { version: Version, length: usize },
    /// A client to turn away with this CONNACK.
    Refuse(&'static [u8], &'static str),
    /// No MQTT client; to be cut off without an answer.
    Garbage(&'static str),
}

/// The largest CONNECT, bytes: room for a will of 60 kB.
pub(super) const LARGEST: usize = 64 * 1024;

// CONNACKs: 3.1.1 in section 3.2.2.3, 5 in 3.2.2.2.
const V4_BAD_VERSION: &[u8] = &[0x20, 2, 0, 0x01];
const V4_BAD_CLIENT_ID: &[u8] = &[0x20, 2, 0, 0x02];
const V5_BAD_CLIENT_ID: &[u8] = &[0x20, 3, 0, 0x85, 0];
const V5_BAD_VERSION: &[u8] = &[0x20, 3, 0, 0x84, 0];

/// Reads as much of a CONNECT (MQTT 3.1.1 and 5, section 3.1) as is needed to
/// tell where it goes.
pub(super) fn first(bytes: &[u8]) -> First {
    let Some((&kind, rest)) = bytes.split_first() else {
        return First::Incomplete;
    };
    if kind != 0x10 {
        return First::Garbage("it does not begin with a CONNECT");
    }
    let (remaining, header) = match remaining_length(rest) {
        Some(Ok((length, size))) => (length, 1 + size),
        Some(Err(())) => return First::Garbage("its length is malformed"),
        None => return First::Incomplete,
    };
    let length = header + remaining;
    if length > LARGEST {
        return First::Garbage("its CONNECT is larger than 64 KiB");
    }
    let Some(packet) = bytes.get(header..length) else {
        return First::Incomplete;
    };
    packet_of(packet, length).unwrap_or(First::Garbage("its CONNECT is cut short"))
}

/// `None` where a field runs over the end.
fn packet_of(mut rest: &[u8], length: usize) -> Option<First> {
    let name = field(&mut rest)?;
    let [level, flags, _, _] = *take(&mut rest, 4)? else {
        return None;
    };
    if name == b"MQIsdp" {
        return Some(First::Refuse(V4_BAD_VERSION, "it speaks MQTT 3.1"));
    }
    if name != b"MQTT" {
        return Some(First::Garbage("it is not MQTT"));
    }
    let version = match level {
        4 => Version::V4,
        5 => {
            let (properties, size) = remaining_length(rest)?.ok()?;
            take(&mut rest, size + properties)?;
            Version::V5
        }
        ..4 => return Some(First::Refuse(V4_BAD_VERSION, "its version is not known")),
        _ => return Some(First::Refuse(V5_BAD_VERSION, "its version is not known")),
    };
    let client_id = field(&mut rest)?;
    // The router does not answer clients with these names, and a second
    // attempt under one makes its listener panic for good.
    let odd =
        std::str::from_utf8(client_id).is_err() || client_id.iter().any(|b| b"+$#/\0".contains(b));
    let nameless_session = client_id.is_empty() && flags & 0b10 == 0;
    Some(if odd || nameless_session {
        let refusal = match version {
            Version::V4 => V4_BAD_CLIENT_ID,
            Version::V5 => V5_BAD_CLIENT_ID,
        };
        First::Refuse(refusal, "its client id is empty or holds one of + $ # /")
    } else {
        First::Good { version, length }
    })
}

pub(super) fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(bytes)?;
    *rest = left;
    Some(taken)
}

/// A field with its length in two bytes before it.
pub(super) fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let [high, low] = *take(rest, 2)? else {
        return None;
    };
    take(rest, usize::from(u16::from_be_bytes([high, low])))
}

/// A variable byte integer (1.5.5): its value and how many bytes it takes.
pub(super) fn remaining_length(bytes: &[u8]) -> Option<Result<(usize, usize), ()>> {
    let mut value = 0;
    for i in 0..4 {
        let byte = *bytes.get(i)?;
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some(Ok((value, i + 1)));
        }
    }
    Some(Err(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connect(level: u8, flags: u8, client_id: &str) -> Vec<u8> {
        let mut body = b"\x00\x04MQTT".to_vec();
        body.extend([level, flags, 0, 60]);
        if level == 5 {
            // Session expiry, 5 bytes.
            body.extend([5, 0x11, 0, 0, 0, 9]);
        }
        body.extend((client_id.len() as u16).to_be_bytes());
        body.extend(client_id.bytes());
        let mut packet = vec![0x10, body.len() as u8];
        packet.extend(body);
        packet
    }

    #[test]
    fn clients_go_to_the_listener_of_their_version() {
        for (level, version) in [(4, Version::V4), (5, Version::V5)] {
            let packet = connect(level, 2, "cam");
            let length = packet.len();
            assert_eq!(first(&packet), First::Good { version, length });
            // What follows the CONNECT does not matter; a part of it is not enough.
            let more = [&packet[..], b"\xc0\x00"].concat();
            assert_eq!(first(&more), First::Good { version, length });
            for end in 0..length {
                assert_eq!(first(&packet[..end]), First::Incomplete, "{end} bytes");
            }
        }
    }

    #[test]
    fn clients_that_hurt_the_router_are_turned_away() {
        for bad in ["a+b", "a/b", "#", "$x"] {
            assert!(matches!(
                first(&connect(4, 2, bad)),
                First::Refuse(V4_BAD_CLIENT_ID, _)
            ));
            assert!(matches!(
                first(&connect(5, 2, bad)),
                First::Refuse(V5_BAD_CLIENT_ID, _)
            ));
        }
        assert!(matches!(first(&connect(4, 0, "")), First::Refuse(..)));
        assert!(matches!(first(&connect(4, 2, "")), First::Good { .. }));
        assert!(matches!(
            first(&connect(3, 2, "x")),
            First::Refuse(V4_BAD_VERSION, _)
        ));
        assert!(matches!(
            first(&connect(6, 2, "x")),
            First::Refuse(V5_BAD_VERSION, _)
        ));
    }

    #[test]
    fn garbage_is_known_early() {
        for bad in [
            &b"GET / HTTP/1.1"[..],
            &[0x10, 0xff, 0xff, 0xff, 0xff],
            &[0x10, 0xff, 0xff, 0xff, 0x7f],
            &[0x10, 2, 0, 200],
            &[0x10, 0],
        ] {
            assert!(matches!(first(bad), First::Garbage(_)), "{bad:?}");
        }
    }
}
