"""Whether bytes are a whole JPEG picture, as far as can be told without decoding its blocks
(ITU-T T.81, annex B)."""

from __future__ import annotations

from dataclasses import dataclass

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
# Start-of-frame markers: C0 to CF but DHT (C4), JPG (C8) and DAC (CC).
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_RESTARTS = set(range(0xD0, 0xD8))


class JpegError(Exception):
    """Why bytes are no whole JPEG picture."""


@dataclass(frozen=True)
class Picture:
    """What a picture's frame header says; pixels."""

    width: int
    height: int
    components: int


def read(data: bytes) -> Picture:
    """Walks through all segments to the end of the picture.

    Raises `JpegError` if it does not begin with SOI and end with EOI, if a segment is cut, or if there is
    no frame header or no scan.
    """
    if data[:2] != bytes([0xFF, _START]):
        raise JpegError(f"it begins with {data[:2].hex() or 'nothing'}, not ffd8")
    at, frame, scans = 2, None, 0
    while True:
        marker, at = _marker(data, at)
        if marker == _END:
            break
        length = int.from_bytes(data[at:at + 2], "big")
        body = data[at + 2:at + length]
        if length < 2 or len(body) != length - 2:
            raise JpegError(f"segment {marker:02x} at byte {at} is cut")
        at += length
        if marker in _FRAMES:
            if len(body) < 6:
                raise JpegError("the frame header is too short")
            frame = Picture(int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big"), body[5])
        elif marker == _SCAN:
            scans += 1
            at = _past_scan(data, at)
    if frame is None or not (frame.width and frame.height and frame.components):
        raise JpegError("no frame header says how large it is")
    if scans == 0:
        raise JpegError("it has no scan: a header without a picture")
    if data[at:].strip(b"\0"):
        raise JpegError(f"{len(data) - at} bytes follow its end")
    return frame


def _marker(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data) or data[at] != 0xFF:
        raise JpegError(f"it is cut or damaged at byte {at} of {len(data)}: no marker there")
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data):
        raise JpegError("it ends within a marker")
    return data[at], at + 1


def _past_scan(data: bytes, at: int) -> int:
    """The marker that ends the coded data which begins at `at`."""
    begin = at
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            raise JpegError("it ends within a scan: no EOI")
        if data[at + 1] == 0 or data[at + 1] in _RESTARTS:
            at += 2
        elif data[at + 1] == 0xFF:
            at += 1
        elif at == begin:
            raise JpegError("a scan is empty")
        else:
            return at
