"""Which libraries a program links to: just enough of ELF (System V ABI, chapters 4 and 5)."""

from __future__ import annotations

import struct
from pathlib import Path

AARCH64 = 183
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NEEDED, _DT_STRTAB = 1, 5


def needed(file: Path) -> list[str] | None:
    """The names in DT_NEEDED of a 64-bit little-endian ELF file for ARM64; `None` if it is no such
    file."""
    with file.open("rb") as opened:
        if opened.read(6) != b"\x7fELF\x02\x01":
            return None
        opened.seek(0)
        data = opened.read()
    if struct.unpack_from("<H", data, 18)[0] != AARCH64:
        return None
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, start + i * size) for i in range(count)]
    loads = [(virtual, offset, length) for kind, _, offset, virtual, _, length, _, _ in segments if kind == _PT_LOAD]
    dynamic = next(((offset, length) for kind, _, offset, _, _, length, _, _ in segments if kind == _PT_DYNAMIC), None)
    if dynamic is None:
        return []
    names, strings = [], 0
    for at in range(dynamic[0], dynamic[0] + dynamic[1], 16):
        tag, value = struct.unpack_from("<qQ", data, at)
        if tag == _DT_NEEDED:
            names.append(value)
        elif tag == _DT_STRTAB:
            strings = value
        elif tag == 0:
            break
    base = next(offset + strings - virtual for virtual, offset, length in loads if virtual <= strings < virtual + length)
    return [data[base + name : data.index(b"\0", base + name)].decode() for name in names]
