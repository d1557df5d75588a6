"""The parts of the image's check that need no image: `python3 -m unittest discover -s tests/image -t tests`."""

from __future__ import annotations

import os
import struct
import sys
import tempfile
import time
import tomllib
import unittest
import uuid
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

from image import jpeg, report, traffic  # noqa: E402
from imaging import gpt  # noqa: E402
from image.emulator import EmulatorError, _at_least, holds  # noqa: E402
from image.phases import CheckFailed, Phases  # noqa: E402
from image.power_cuts import Ledger, sentence  # noqa: E402
from image.provisioning import Provisioning, seen_from_guest  # noqa: E402

LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def table(partitions: list[tuple[str, int, int]], sectors: int = 8192) -> bytearray:
    """A disk's first sectors, by the specification and not by the code under test."""
    entries = bytearray(128 * 128)
    for index, (label, first, last) in enumerate(partitions):
        name = label.encode("utf-16-le").ljust(72, b"\0")
        struct.pack_into("<16s16sQQQ72s", entries, index * 128, LINUX.bytes_le, uuid.uuid4().bytes_le, first, last, 0, name)
    header = bytearray(struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0, 1, sectors - 1, 34, sectors - 34,
                                   uuid.uuid4().bytes_le, 2, 128, 128, zlib.crc32(entries)))
    struct.pack_into("<I", header, 16, zlib.crc32(header))
    return bytearray(512) + header.ljust(512, b"\0") + entries


class PartitionTable(unittest.TestCase):
    def test_reads_labels_and_places(self) -> None:
        read = gpt.parse(bytes(table([("esp", 2048, 4095), ("data", 4096, 8158)])))
        self.assertEqual([p.label for p in read.partitions], ["esp", "data"])
        self.assertEqual((read["esp"].start, read["esp"].size, read["esp"].end), (2048 * 512, 2048 * 512, 4096 * 512))
        self.assertEqual(read.usable_end, (8192 - 34 + 1) * 512)
        self.assertEqual(read["data"].type, LINUX)

    def test_a_label_that_is_not_there_is_named(self) -> None:
        with self.assertRaisesRegex(gpt.GptError, "no partition labelled 'data'; there are: esp"):
            gpt.parse(bytes(table([("esp", 2048, 4095)])))["data"]

    def test_damage_is_seen(self) -> None:
        for at, what in ((512 + 40, "header"), (1024 + 60, "entries")):
            damaged = table([("esp", 2048, 4095)])
            damaged[at] ^= 1
            with self.assertRaisesRegex(gpt.GptError, what):
                gpt.parse(bytes(damaged))
        for head in (b"", bytes(gpt.TABLE_BYTES), bytes(table([("esp", 4095, 2048)])), bytes(table([("esp", 1, 2)])[:2048])):
            with self.assertRaises(gpt.GptError):
                gpt.parse(head)


def picture(scan: bytes = b"\x12\xff\x00\x34") -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 540, 960, 3) + bytes(9)
    return b"\xff\xd8\xff\xe0\x00\x04ab" + frame + b"\xff\xda\x00\x04\x01\x00" + scan + b"\xff\xd9"


class Jpeg(unittest.TestCase):
    def test_says_how_large(self) -> None:
        self.assertEqual(jpeg.read(picture()), jpeg.Picture(960, 540, 3))
        self.assertEqual(jpeg.read(picture(b"\x01\xff\xd0\x02\xff\xff\xd1\x03")).width, 960)

    def test_refuses_what_is_cut_anywhere(self) -> None:
        whole = picture()
        for end in range(len(whole)):
            with self.assertRaises(jpeg.JpegError, msg=f"cut at {end}"):
                jpeg.read(whole[:end])

    def test_refuses_what_is_none(self) -> None:
        for data in (b"\x89PNG", b"\xff\xd8\xff\xd9", picture(b""), picture() + b"more"):
            with self.assertRaises(jpeg.JpegError):
                jpeg.read(data)


REPORT = """@section os-release
ID=debian
VARIANT_ID=qemu-virt

@end 0
@section sockets
udp   UNCONN 0 0 10.0.2.15%enp0s1:68 0.0.0.0:* users:(("systemd-network",pid=300,fd=20))
udp   UNCONN 0 0 [fe80::1]%enp0s1:546 [::]:* users:(("systemd-network",pid=300,fd=21))
tcp   LISTEN 0 128 127.0.0.1:8554 0.0.0.0:* users:(("watchword",pid=400,fd=12))
tcp   LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:*
tcp   LISTEN 0 128 *:22 *:* users:(("sshd",pid=1,fd=3))
tcp   LISTEN 0 128 0.0.0.0:111 0.0.0.0:* users:(("rpcbind",pid=9,fd=3))

@end 0
@section failed
● boot.mount loaded failed failed Boot

@end 0
@section accounts
shell root /bin/sh
password eve

@end 0
@section times
Startup finished in 2.1s (kernel) + 1min 3.250s (userspace) = 1min 5.350s
multi-user.target reached after 59s in userspace.

@end 0
@journal
[   12.3] cam kernel: EXT4-fs (vda6): recovery complete
[   13.0] cam kernel: EXT4-fs error (device vda6): ext4_lookup:1
"""


class ReportFromInside(unittest.TestCase):
    def test_sections(self) -> None:
        read = report.parse(REPORT)
        self.assertTrue(read.complete)
        self.assertIn("VARIANT_ID=qemu-virt", read.lines("os-release"))
        self.assertEqual(read.failed_units(), ["boot.mount"])
        self.assertEqual(read.passwords(), ["password eve"])
        self.assertEqual(read.boot_seconds(), 65.35)
        self.assertEqual(read.broken(), ["identity: not told"])
        self.assertEqual(report.parse(REPORT.replace("@end 0", "@end 1")).broken()[1], "failed: ● boot.mount loaded failed failed Boot")
        self.assertEqual(len(read.journal), 2)
        self.assertEqual(len(read.disk_errors()), 1)

    def test_sockets_that_nobody_documented(self) -> None:
        read = report.parse(REPORT)
        self.assertEqual([each.port for each in read.undocumented(ssh=True)], [111])
        self.assertEqual([each.port for each in read.undocumented(ssh=False)], [22, 111])
        self.assertEqual(read.undocumented(ssh=False)[1].process, "rpcbind")

    def test_a_cut_report_is_not_complete(self) -> None:
        cut = report.parse(REPORT[:REPORT.index("rpcbind")])
        self.assertFalse(cut.complete)
        self.assertEqual(list(cut.sections), ["os-release"])
        with self.assertRaises(ValueError):
            report.parse_socket("ss is not in the image")


class Files(unittest.TestCase):
    def test_a_provisioning_file_is_toml_whatever_is_in_it(self) -> None:
        made = Provisioning("gate-3", "mqtt://10.0.2.2:1883", "gate-3", 'p"a\\s\n\tsé', "Europe/Berlin",
                            {"kind": "rtsp", "url": "rtsp://10.0.2.2:8554/main", "latency_ms": 500}, "ssh-ed25519 AAAA me@here")
        read = tomllib.loads(made.text())
        self.assertEqual(read["mqtt"], {"url": "mqtt://10.0.2.2:1883", "username": "gate-3", "password": 'p"a\\s\n\tsé'})
        self.assertEqual(read["source"]["latency_ms"], 500)
        self.assertEqual((read["camera"], read["time_zone"]), ("gate-3", "Europe/Berlin"))
        self.assertNotIn("password", Provisioning("a", "mqtt://h:1").text())

    def test_a_broker_as_the_camera_sees_it(self) -> None:
        for here, there in (("mqtt://localhost:1883", "mqtt://10.0.2.2:1883"), ("mqtt://127.0.0.1", "mqtt://10.0.2.2"),
                            ("mqtts://a:b@localhost:8883", "mqtts://a:b@10.0.2.2:8883"),
                            ("mqtt://localhost.example:1", "mqtt://localhost.example:1")):
            self.assertEqual(seen_from_guest(here), there)
        with self.assertRaises(ValueError):
            seen_from_guest("localhost:1883")

    def test_secrets_are_found_across_blocks_and_holes(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "disk"
            with file.open("wb") as out:
                out.seek(8 << 20)
                out.write(b"x" * ((1 << 20) - 3) + b"secret" + b"y" * 100)
                out.truncate(32 << 20)
            self.assertTrue(holds(file, b"secret"))
            self.assertFalse(holds(file, b"secrets"))
            empty = Path(folder) / "empty"
            empty.touch()
            os.truncate(empty, 1 << 20)
            self.assertFalse(holds(empty, b"secret"))

    def test_sizes(self) -> None:
        self.assertEqual(_at_least("4G", 1000), str(4 << 30))
        self.assertEqual(_at_least("4096", 1000), "4096")
        for size, why in (("1M", "smaller than the image"), ("G", "whole number"), ("", "whole number")):
            with self.assertRaisesRegex(EmulatorError, why):
                _at_least(size, 2 << 20)


def frame(kind: int, protocol: int, to: bytes, port: int, flags: int = 0, sender: bytes = traffic.CAMERA_MAC) -> bytes:
    """One record of a capture."""
    body = struct.pack(">HHIIBBHHH", 40000, port, 1, 0, 5 << 4, flags, 0, 0, 0)
    if kind == 0x0800:
        packet = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, protocol, 0, bytes([10, 0, 2, 15]), to)
    else:
        packet = struct.pack(">IHBB16s16s", 6 << 28, 20, protocol, 64, bytes(16), to)
    whole = bytes(6) + sender + struct.pack(">H", kind) + packet + body
    return struct.pack("<IIII", 0, 0, len(whole), len(whole)) + whole


class Traffic(unittest.TestCase):
    HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 128, 1)

    def test_whom_the_camera_talked_to(self) -> None:
        host = bytes([10, 0, 2, 2])
        seen = traffic.peers(self.HEAD + frame(0x0800, 6, host, 1883, 0x02) + frame(0x0800, 6, host, 99, 0x12)
                             + frame(0x0800, 17, bytes([9, 9, 9, 9]), 123) + frame(0x86DD, 17, b"\xff\x02" + bytes(13) + b"\xfb", 5353)
                             + frame(0x0800, 17, host, 7, sender=bytes(6)) + frame(0x0800, 6, host, 80, 0x02)[:-10])
        broker = traffic.Peer("tcp", "10.0.2.2", 1883)
        self.assertEqual(seen, {broker, traffic.Peer("udp", "9.9.9.9", 123), traffic.Peer("udp", "ff02::fb", 5353)})
        self.assertEqual(traffic.strangers(seen, {broker}), {traffic.Peer("udp", "ff02::fb", 5353)})

    def test_what_is_no_capture(self) -> None:
        for text in (b"", b"x" * 100):
            with self.assertRaises(ValueError):
                traffic.peers(text)


class Orders(unittest.TestCase):
    def test_what_may_stand_after_a_cut(self) -> None:
        ledger = Ledger("old")
        ledger.order("new")
        self.assertEqual(ledger.allowed, ["old", "new"])
        self.assertFalse(ledger.hear("old"), "an echo that answers nothing")
        self.assertTrue(ledger.hear("new"))
        self.assertEqual(ledger.allowed, ["new"])
        ledger.order(None)
        self.assertEqual(ledger.allowed, ["new", None])
        self.assertTrue(ledger.hear(None))
        self.assertEqual(ledger.allowed, [None])

    def test_no_sentence_is_said_twice(self) -> None:
        self.assertEqual(len({sentence(number) for number in range(3000)}), 3000)


class Table(unittest.TestCase):
    def test_a_failure_is_told_and_counted(self) -> None:
        phases = Phases(quiet=True)
        phases.tell = lambda text: None  # type: ignore[method-assign]
        with phases.phase("first"):
            time.sleep(0.01)
        self.assertTrue(phases.ok)
        with self.assertRaises(CheckFailed), phases.phase("second"):
            raise CheckFailed("nothing came")
        self.assertFalse(phases.ok)
        self.assertIn("1 passed, 1 failed", phases.table())
        self.assertEqual(phases.as_json()[1]["detail"], "nothing came")


if __name__ == "__main__":
    unittest.main()
