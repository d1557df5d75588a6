"""The disk: a GPT with both slots, as one sparse file that is written to a medium as it is."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from .debian import BuildError
from .tools import Tools

MIB = 1024 * 1024

# UEFI and Discoverable Partitions Specification.
TYPES = {
    "esp": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "boot": "BC13C2FF-59E6-4262-A352-B275FD6F7172",
    "root": "B921B045-1DF0-41C3-AF44-4C6F280D3FAE",
    "data": "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
}


@dataclass(frozen=True)
class Partition:
    """A partition; sizes in bytes, whole MiB."""

    name: str
    kind: str
    size: int
    content: Path


def assemble(partitions: list[Partition], tools: Tools, target: Path) -> None:
    """Writes `target`, which appears whole or not at all."""
    for partition in partitions:
        have = partition.content.stat().st_size
        if have > partition.size:
            raise BuildError(
                f"{partition.name} holds {partition.size / MIB:.0f} MiB and needs {have / MIB:.1f}: make it larger in scripts/imaging/image.py "
                "(cameras that have the old layout can't be updated to it)"
            )
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    start = MIB
    lines = ["label: gpt", f"label-id: {_uuid('disk')}", "unit: sectors", "first-lba: 34"]
    places = []
    for partition in partitions:
        lines.append(
            f'start={start // 512}, size={partition.size // 512}, type={TYPES[partition.kind]}, uuid={_uuid(partition.name)}, name="{partition.name}"'
        )
        places.append((start, partition))
        start += partition.size
    with part.open("wb") as opened:
        # The second copy of the table is behind the last partition.
        opened.truncate(start + MIB)
    tools.run("sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", str(part), given="\n".join(lines) + "\n")
    with part.open("r+b") as opened:
        for at, partition in places:
            _copy_sparsely(partition.content, opened.fileno(), at)
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(target)


def _copy_sparsely(source: Path, target: int, at: int) -> None:
    """Copies what was written to `source`, zeros too: a file system counts on those that it wrote,
    and a block map leaves out what was never written."""
    with source.open("rb") as opened:
        offset, end = 0, source.stat().st_size
        while offset < end:
            try:
                offset = os.lseek(opened.fileno(), offset, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    return
                raise
            stop = os.lseek(opened.fileno(), offset, os.SEEK_HOLE)
            while offset < stop:
                block = os.pread(opened.fileno(), min(MIB, stop - offset), offset)
                os.pwrite(target, block, at + offset)
                offset += len(block)


def _uuid(name: str) -> str:
    """The same name has the same UUID in every image: partitions are found by name, and a camera
    has one medium."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"watchword {name}".encode()).digest()[:16], version=4))


def block_map(image: Path, tools: Tools, target: Path) -> None:
    """A .bmap beside the image: which blocks are written when it is flashed, and their hashes."""
    tools.run("bmaptool", "create", "-o", str(target), str(image))
