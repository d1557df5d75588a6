"""Whom the camera talked to, out of what went over its wire (a capture in the format of libpcap)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import ip_address

# The first address that QEMU gives to a network card.
CAMERA_MAC = bytes.fromhex("525400123456")
# Enough of a packet for all headers.
KEPT_BYTES = 128

_FILE = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_MAGIC = 0xA1B2C3D4
_IPV4, _IPV6, _TCP, _UDP = 0x0800, 0x86DD, 6, 17
_SYN, _ACK = 0x02, 0x10

# What a camera may say to others than its broker and its source (docs/guides/qemu.md).
SERVICES = {("udp", 67): "DHCP", ("udp", 547): "DHCP", ("udp", 53): "DNS", ("tcp", 53): "DNS", ("udp", 123): "NTP"}


@dataclass(frozen=True)
class Peer:
    """Somebody the camera began to talk to."""

    protocol: str
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.protocol} {self.address} port {self.port}"


def peers(capture: bytes, camera: bytes = CAMERA_MAC) -> set[Peer]:
    """All that the camera opened a TCP connection to, or sent UDP to. Answers of its servers are not counted:
    nobody can ask them but through this machine.

    Raises `ValueError` if it is no capture. A last packet that is cut is left out.
    """
    if len(capture) < _FILE.size or _FILE.unpack_from(capture)[0] != _MAGIC:
        raise ValueError("this is no capture of packets")
    found = set()
    at = _FILE.size
    while at + _RECORD.size <= len(capture):
        _, _, kept, _ = _RECORD.unpack_from(capture, at)
        at += _RECORD.size
        peer = _peer(capture[at:at + kept], camera)
        if peer:
            found.add(peer)
        at += kept
    return found


def _peer(frame: bytes, camera: bytes) -> Peer | None:
    if len(frame) < 14 or frame[6:12] != camera:
        return None
    kind = int.from_bytes(frame[12:14], "big")
    packet = frame[14:]
    if kind == _IPV4 and len(packet) >= 20:
        protocol, address, body = packet[9], packet[16:20], packet[(packet[0] & 15) * 4:]
        if int.from_bytes(packet[6:8], "big") & 0x1FFF:
            # A later piece of a packet has no ports; its first one was seen.
            return None
    elif kind == _IPV6 and len(packet) >= 40:
        protocol, address, body = packet[6], packet[24:40], packet[40:]
    else:
        return None
    if protocol == _TCP and len(body) >= 14 and body[13] & (_SYN | _ACK) == _SYN:
        return Peer("tcp", str(ip_address(address)), int.from_bytes(body[2:4], "big"))
    if protocol == _UDP and len(body) >= 8:
        return Peer("udp", str(ip_address(address)), int.from_bytes(body[2:4], "big"))
    return None


def strangers(found: set[Peer], known: set[Peer]) -> set[Peer]:
    """Who is neither known nor one of the `SERVICES`."""
    return {peer for peer in found - known if (peer.protocol, peer.port) not in SERVICES}
