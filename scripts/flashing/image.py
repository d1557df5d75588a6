"""A disk image: its manifest, the map of its ranges, its partition table."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import uuid
import xml.etree.ElementTree as xml
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from imaging import gpt
from flashing.talk import CHUNK, Progress, Refused

ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")

ReadAt = Callable[[int, int], bytes]


@dataclass(frozen=True)
class Range:
    """Bytes [start, end) of the image; without a checksum it is a hole: zeros."""

    start: int
    end: int
    sha256: str | None

    def __str__(self) -> str:
        return f"bytes {self.start} to {self.end - 1}"


def read_bmap(path: Path) -> list[Range]:
    """Every range of the image in order, holes included (bmap 1.4 and 2.x)."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; copy it from where the image was built") from None
    try:
        root = xml.fromstring(raw)
        field = {child.tag: (child.text or "").strip() for child in root}
        kind = field["ChecksumType"]
        if kind != "sha256":
            raise Refused(f"{path}: its checksums are {kind}; only sha256 is read")
        own = field["BmapFileChecksum"].encode()
        # The file's own checksum is taken with the checksum's text zeroed.
        if hashlib.sha256(raw.replace(own, b"0" * len(own), 1)).hexdigest().encode() != own:
            raise Refused(f"{path} is damaged: its own checksum does not match; copy it again")
        size, block = int(field["ImageSize"]), int(field["BlockSize"])
        ranges: list[Range] = []
        at = 0
        for entry in root.iterfind("BlockMap/Range"):
            first, _, last = (entry.text or "").strip().partition("-")
            start, end = int(first) * block, min((int(last or first) + 1) * block, size)
            if start < at or start >= end:
                raise ValueError(f"range {entry.text} is out of order")
            if start > at:
                ranges.append(Range(at, start, None))
            ranges.append(Range(start, end, entry.attrib["chksum"].lower()))
            at = end
        if at < size:
            ranges.append(Range(at, size, None))
        return ranges
    except (xml.ParseError, KeyError, ValueError) as error:
        raise Refused(f"{path} is no bmap file: {error!r}; copy it again") from None


class Image:
    """The image's bytes, plain or through zstd, read from front to back."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.packed = path.suffix == ".zst"
        self.plain_name = path.name.removesuffix(".zst")
        if path.suffix in (".xz", ".gz", ".bz2", ".zip"):
            raise Refused(f"{path}: {path.suffix} is not read; unpack it first, or use .zst")
        if not path.is_file():
            raise Refused(f"{path}: no such image; build it with scripts/image")
        if self.packed and not shutil.which("zstd"):
            raise Refused(f"{path}: zstd is not here; `apt install zstd`, or unpack it first")

    def open(self) -> Reader:
        return Unpacked(self.path) if self.packed else Reader(self.path)


class Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[bytes] = path.open("rb")

    def read_at(self, start: int, count: int) -> bytes:
        data = os.pread(self.file.fileno(), count, start)
        if len(data) != count:
            raise EOFError(f"{self.path} ends at {start + len(data)}, before {start + count}")
        return data

    def close(self) -> None:
        self.file.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Unpacked(Reader):
    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = 0
        self.process = subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        assert self.process.stdout
        self.file = self.process.stdout

    def read_at(self, start: int, count: int) -> bytes:
        if start < self.at:
            raise ValueError(f"its parts lie out of order ({start} after {self.at})")
        while self.at < start:
            self._take(min(CHUNK, start - self.at))
        return self._take(count)

    def _take(self, count: int) -> bytes:
        data = self.file.read(count)
        self.at += len(data)
        if len(data) != count:
            raise EOFError(f"{self.path} unpacks to {self.at} bytes; more were expected")
        return data

    def close(self) -> None:
        self.file.close()
        self.process.kill()
        self.process.wait()


def manifest_of(image: Image, board: str) -> str:
    """The sha256 that the manifest beside the image states for it (unpacked).

    scripts/image writes {"board": …, "image": {"file": …, "sha256": …}, …} twice: under
    the image's own name, for folders with several, and as manifest.json.
    """
    path = image.path.with_name(f"{image.plain_name.removesuffix('.img')}.manifest.json")
    if not path.exists():
        path = image.path.with_name("manifest.json")
    try:
        manifest = json.loads(path.read_bytes())
        built_for, told = manifest["board"], manifest["image"]
        name, sha256 = told["file"], told["sha256"]
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}; keep the image in the folder that scripts/image "
                      "wrote, with its manifest") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{path} is no manifest ({error!r}); copy it again") from None
    if name != image.plain_name:
        raise Refused(f"{path} is that of {name}, not of {image.plain_name}; do not rename images, "
                      "and copy the manifest along with them")
    if built_for != board:
        raise Refused(f"{image.path} is for the board {built_for}, not {board}; "
                      f"give --board {built_for}, or the image of {board}")
    return str(sha256)


def check_ranges(read_at: ReadAt, ranges: list[Range], progress: Progress,
                 wrong: Callable[[Range], Exception]) -> str:
    """Reads all ranges, raises `wrong(range)` at the first that is not what the
    map says, and returns the sha256 of it all."""
    whole = hashlib.sha256()
    for piece in ranges:
        digest, empty = hashlib.sha256(), True
        for start, count in chunks(piece):
            data = read_at(start, count)
            whole.update(data)
            if piece.sha256:
                digest.update(data)
            else:
                empty = empty and data.count(0) == count
            progress.add(count)
        if digest.hexdigest() != piece.sha256 if piece.sha256 else not empty:
            raise wrong(piece)
    progress.end()
    return whole.hexdigest()


def length(ranges: list[Range]) -> int:
    return sum(piece.end - piece.start for piece in ranges)


def chunks(piece: Range) -> Iterator[tuple[int, int]]:
    for start in range(piece.start, piece.end, CHUNK):
        yield start, min(CHUNK, piece.end - start)


def check_image(image: Image, ranges: list[Range], sha256: str, progress: Progress) -> None:
    def wrong(piece: Range) -> Exception:
        return Refused(f"{image.path} is damaged: {piece} are not what its bmap says; copy it again")

    try:
        with image.open() as reader:
            found = check_ranges(reader.read_at, ranges, progress, wrong)
    except (OSError, EOFError) as error:
        raise Refused(f"{image.path} cannot be read: {error}; copy it again") from None
    if not image.packed and image.path.stat().st_size != ranges[-1].end:
        raise Refused(f"{image.path} has {image.path.stat().st_size} bytes, its bmap says "
                      f"{ranges[-1].end}; copy both again")
    if found != sha256:
        raise Refused(f"{image.path} has sha256 {found}, its manifest says {sha256}; copy it again")


def find_esp(read_at: ReadAt, size: int) -> tuple[int, int]:
    """(offset, length) in bytes of the EFI system partition, by the primary GPT.

    The label `esp` counts before the type, because a boot ROM may want its own
    partition type there.
    """
    partitions = gpt.read(read_at).partitions
    labelled = (each for each in partitions if each.label == "esp")
    typed = (each for each in partitions if each.type == ESP_TYPE)
    found = next(labelled, None) or next(typed, None)
    place = found and (found.start, found.size)
    if not place:
        raise ValueError("it has no EFI system partition")
    if sum(place) > size or place[1] <= 0:
        raise ValueError("its EFI system partition lies outside the image")
    return place
