"""The partition table of a disk image (GUID partition table, UEFI 2.10, chapter 5)."""

from __future__ import annotations

import struct
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass

SECTOR = 512
# Where the table is: protective MBR, header, and the usual 128 entries of 128 bytes.
TABLE_BYTES = 34 * SECTOR

_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")


class GptError(ValueError):
    """What is wrong with a partition table."""


@dataclass(frozen=True)
class Partition:
    """One partition; `start` and `size` are bytes from the disk's first one."""

    label: str
    start: int
    size: int
    type: uuid.UUID
    id: uuid.UUID

    @property
    def end(self) -> int:
        """The first byte behind it."""
        return self.start + self.size


@dataclass(frozen=True)
class Table:
    """All partitions, in the table's order."""

    disk_id: uuid.UUID
    # The first byte behind what partitions may use.
    usable_end: int
    partitions: tuple[Partition, ...]

    def __getitem__(self, label: str) -> Partition:
        for partition in self.partitions:
            if partition.label == label:
                return partition
        there = ", ".join(partition.label for partition in self.partitions) or "none"
        raise GptError(f"there is no partition labelled '{label}'; there are: {there}")


def parse(head: bytes) -> Table:
    """Reads the table in a disk's first `TABLE_BYTES` bytes.

    Raises `GptError` if there is none, or if a checksum does not hold.
    """
    return read(lambda offset, length: head[offset:offset + length])


def read(read_at: Callable[[int, int], bytes]) -> Table:
    """Reads the table of a disk that `read_at` gives bytes of, by offset and length.

    Raises `GptError` if there is none, or if a checksum does not hold.
    """
    sector = read_at(SECTOR, SECTOR)
    if len(sector) < SECTOR:
        raise GptError(f"{SECTOR + len(sector)} bytes are too few for a partition table")
    (signature, _, header_size, header_crc, _, _, _, _, last_usable, disk_id, entries_lba, count, entry_size,
     entries_crc) = _HEADER.unpack_from(sector)
    if signature != b"EFI PART":
        raise GptError("there is no GUID partition table in its second sector")
    if not _HEADER.size <= header_size <= SECTOR:
        raise GptError(f"the table's header says that it has {header_size} bytes")
    header = bytearray(sector[:header_size])
    header[16:20] = bytes(4)
    if zlib.crc32(header) != header_crc:
        raise GptError("the table is damaged: the checksum of its header does not hold")
    if not (_ENTRY.size <= entry_size <= 4096 and 1 <= count <= 1024):
        raise GptError(f"the table has {count} entries of {entry_size} bytes")
    entries = read_at(entries_lba * SECTOR, count * entry_size)
    if len(entries) < count * entry_size:
        raise GptError(f"the table has {count} entries of {entry_size} bytes, of which {len(entries)} bytes could be read")
    if zlib.crc32(entries) != entries_crc:
        raise GptError("the table is damaged: the checksum of its entries does not hold")
    partitions = []
    for index in range(count):
        kind, own, first, last, _, name = _ENTRY.unpack_from(entries, index * entry_size)
        if kind == bytes(16):
            continue
        if last < first:
            raise GptError(f"entry {index + 1} ends at sector {last}, before its start at {first}")
        label = name.decode("utf-16-le", errors="replace").split("\0")[0]
        partitions.append(Partition(label, first * SECTOR, (last - first + 1) * SECTOR,
                                    uuid.UUID(bytes_le=kind), uuid.UUID(bytes_le=own)))
    return Table(uuid.UUID(bytes_le=disk_id), (last_usable + 1) * SECTOR, tuple(partitions))
