#!/usr/bin/env python3
"""scripts/flash: what it writes, what it refuses, and what it notices.

Images are made here (own GPT, own map, mkfs.vfat), targets are files and, where
this machine gives them, loop devices; other machines' disks are trees of sysfs
and /proc in a temporary folder.
"""

import contextlib
import hashlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))
os.environ["PATH"] += ":/usr/sbin:/sbin"  # mkfs.vfat, losetup
loader = importlib.machinery.SourceFileLoader("flash", str(ROOT / "scripts" / "flash"))
flash = importlib.util.module_from_spec(importlib.util.spec_from_loader("flash", loader))
loader.exec_module(flash)
from flash_data.disk import BASIC, BLOCK, ESP_AT, MIB, ROOT_AT, ROOT_SIZE, SIZE, bmap, lay_out, make_disk  # noqa: E402
from flash_data.laptop import LAPTOP, MOUNTS, SWAPS, record  # noqa: E402
from flashing import disks, image  # noqa: E402

PROVISION = b'camera = "gate-3"\n[mqtt]\nurl = "mqtts://hub:8883"\npassword = "correct horse"\n'


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            cls.data = make_disk(pathlib.Path(folder))

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.image = lay_out(self.path / "out", self.data)
        self.card = self.path / "card.img"
        self.provision = self.path / "gate-3.toml"
        self.provision.write_bytes(PROVISION)

    def flash(self, *more, device=None, board="qemu-virt", image=None, machine=None, ask=None,
              after_write=lambda _: None):
        """(exit code, what it said)"""
        said = io.StringIO()
        argv = ["--board", board, "--image", image or self.image, "--device", device or self.card, *more]
        with contextlib.redirect_stderr(said):
            code = flash.main([str(word) for word in argv], machine, ask, after_write)
        return code, said.getvalue()

    def to_file(self, *more, **options):
        return self.flash("--to-file", "--yes", *more, **options)

    def checker(self, code, says="", tells=""):
        """Stands where `watchword provision check` would; notes what it was asked."""
        program = self.path / "watchword"
        program.write_text(f"#!/bin/sh\necho \"$@\" > '{self.path}/asked'\necho '{says}' >&2\n"
                           f"echo '{tells}'\nexit {code}\n")
        program.chmod(0o755)
        return program

    def mtype(self, target, name="provision.toml"):
        return subprocess.run(["mtype", "-i", f"{target}@@{ESP_AT}", f"::{name}"], check=True,
                              capture_output=True).stdout

    def assertRefused(self, outcome, *words):
        code, said = outcome
        self.assertEqual(code, 2, said)
        self.assertIn("refused", said)
        for word in words:
            self.assertIn(str(word), said)


class AFileAsTheTarget(Story):
    def test_it_becomes_the_image_byte_for_byte_and_takes_little_room(self):
        code, said = self.to_file()
        self.assertEqual(code, 0, said)
        self.assertEqual(self.card.read_bytes(), self.data)
        self.assertLess(self.card.stat().st_blocks * 512, SIZE / 2, "holes stay holes")
        for word in ("checked", "written", "verified", "MB/s", "no --provision", "DHCP"):
            self.assertIn(word, said)

    def test_an_older_longer_file_leaves_nothing_behind(self):
        self.card.write_bytes(b"old" * SIZE)
        self.assertEqual(self.to_file()[0], 0)
        self.assertEqual(self.card.read_bytes(), self.data)

    @unittest.skipUnless(shutil.which("zstd"), "SKIPPED: zstd is not here")
    def test_a_packed_image_gives_the_same_card(self):
        packed = self.image.with_suffix(".img.zst")
        subprocess.run(["zstd", "-q", "--rm", self.image, "-o", packed], check=True)
        code, said = self.to_file("--provision", self.provision, "--unchecked", image=packed)
        self.assertEqual(code, 0, said)
        self.assertEqual(self.card.read_bytes()[ROOT_AT:], self.data[ROOT_AT:])
        self.assertEqual(self.mtype(self.card), PROVISION)
        packed.write_bytes(packed.read_bytes()[:-5000])
        self.assertRefused(self.to_file(image=packed), packed, "unpacks to")

    def test_what_cannot_be_unpacked_is_named(self):
        other = self.image.with_suffix(".img.xz")
        other.write_bytes(b"")
        self.assertRefused(self.to_file(image=other), other, "unpack it first")
        packed = self.image.with_suffix(".img.zst")
        packed.write_bytes(b"")
        with unittest.mock.patch("shutil.which", return_value=None):
            self.assertRefused(self.to_file(image=packed), "apt install zstd")

    def test_a_medium_that_changes_a_byte_is_found_out_and_the_range_named(self):
        at = ROOT_AT + 12_345

        def spoil(target):
            old = os.pread(target.fd, 1, at)[0]
            os.pwrite(target.fd, bytes([old ^ 4]), at)

        code, said = self.to_file(after_write=spoil)
        self.assertEqual(code, 1, said)
        self.assertIn("card is bad", said)
        self.assertIn(f"bytes {ROOT_AT} to {ROOT_AT + ROOT_SIZE // 2 - 1}", said)
        self.assertNotIn("done", said)
        self.assertIn("not verified", self.to_file("--no-verify", after_write=spoil)[1])

    def test_a_hole_that_is_not_empty_on_the_medium_is_found_out(self):
        at = ROOT_AT + ROOT_SIZE - 1
        code, said = self.to_file(after_write=lambda target: os.pwrite(target.fd, b"x", at))
        self.assertEqual(code, 1, said)
        self.assertIn("card is bad", said)
        code, said = self.to_file("--keep-holes", after_write=lambda target: os.pwrite(target.fd, b"x", at))
        self.assertEqual(code, 0, said)

    def test_a_medium_that_ends_early_or_errs_is_a_failure(self):
        code, said = self.to_file(after_write=lambda target: os.ftruncate(target.fd, SIZE // 2))
        self.assertEqual(code, 1, said)
        self.assertIn("half an image", said)

        def unplug(_):
            raise OSError(5, "Input/output error")

        code, said = self.to_file(after_write=unplug)
        self.assertEqual(code, 1, said)
        self.assertIn("Input/output error", said)

    def test_an_image_that_changes_while_it_is_written_is_found_out(self):
        path = self.image

        class Switched(image.Image):
            opened = 0

            def open(self):
                Switched.opened += 1
                if Switched.opened == 2:  # looked at once, then written
                    with path.open("r+b") as file:
                        file.seek(ROOT_AT)
                        file.write(b"another image")
                return super().open()

        with unittest.mock.patch.object(flash, "Image", Switched):
            code, said = self.to_file()
        self.assertEqual(code, 1, said)
        self.assertIn("changed while it was written", said)


class TheImage(Story):
    def untouched(self, outcome, *words):
        self.assertRefused(outcome, *words)
        self.assertFalse(self.card.exists(), "nothing is touched")

    def test_another_boards_image_is_refused(self):
        self.untouched(self.to_file(board="rock-5b"), "qemu-virt", "rock-5b", "--board qemu-virt")

    def test_an_image_without_its_manifest_or_map_is_refused(self):
        (self.path / "out/manifest.json").unlink()
        self.untouched(self.to_file(), "manifest.json", "keep the image")
        self.image = lay_out(self.path / "again", self.data)
        (self.path / "again/watchword-qemu-virt.img.bmap").unlink()
        self.untouched(self.to_file(), ".bmap", "copy it")
        self.untouched(self.to_file(image=self.path / "none.img"), "none.img", "scripts/image")

    def test_a_renamed_image_is_not_guessed(self):
        other = self.image.rename(self.image.with_name("camera.img"))
        self.untouched(self.to_file(image=other), "not of camera.img", "do not rename")

    def test_a_manifest_of_anything_but_this_is_no_manifest(self):
        for text in ("[]", "{", '{"board":"qemu-virt"}', '{"board":"qemu-virt","image":[]}'):
            (self.path / "out/manifest.json").write_text(text)
            self.untouched(self.to_file(), "manifest")

    def test_in_a_folder_of_several_boards_each_image_has_its_own_manifest(self):
        other = lay_out(self.path / "rock", self.data, "rock-5b")
        for file in other.parent.iterdir():  # manifest.json is now that of the other board
            shutil.copy(file, self.path / "out")
        self.untouched(self.to_file(), "is that of watchword-rock-5b.img")
        lay_out(self.path / "virt", self.data)
        shutil.copy(self.path / "virt/manifest.json", self.path / "out/watchword-qemu-virt.manifest.json")
        self.assertEqual(self.to_file()[0], 0)

    def test_a_damaged_image_is_refused_before_the_card_is_touched(self):
        spoilt = bytearray(self.data)
        spoilt[ROOT_AT + 7] ^= 1
        self.image.write_bytes(spoilt)
        self.untouched(self.to_file(), f"bytes {ROOT_AT} to", "copy it again")
        self.image.write_bytes(self.data[:-BLOCK])
        self.untouched(self.to_file(), "cannot be read")
        self.image.write_bytes(self.data + bytes(512))
        self.untouched(self.to_file(), "its bmap says")

    def test_an_image_and_a_map_that_agree_must_still_be_the_manifests(self):
        spoilt = bytearray(self.data)
        spoilt[ROOT_AT + 7] ^= 1
        self.image.write_bytes(spoilt)
        self.image.with_suffix(".img.bmap").write_text(bmap(bytes(spoilt)))
        self.untouched(self.to_file(), "sha256", hashlib.sha256(self.data).hexdigest())

    def test_a_damaged_map_is_refused(self):
        path = self.image.with_suffix(".img.bmap")
        good = path.read_text()
        for spoilt, word in ((good.replace("> 0 <", "> 2 <", 1), "own checksum"), ("<bmap>", "no bmap"),
                             ("<bmap/>", "no bmap"), (good.replace("sha256", "sha1"), "only sha256")):
            path.write_text(spoilt)
            self.untouched(self.to_file(), path, word)

    def test_a_map_that_leaves_something_out_is_refused(self):
        holed = bytearray(self.data)
        holed[ROOT_AT:ROOT_AT + BLOCK] = bytes(BLOCK)
        self.image.with_suffix(".img.bmap").write_text(bmap(bytes(holed)))
        self.untouched(self.to_file(), "not what its bmap says")

    def test_bmaptools_own_map_is_read(self):
        # `bmaptool create` 3.6 of 40 KiB with blocks 0, 1, 5 and 9 written.
        ranges = image.read_bmap(pathlib.Path(__file__).parent / "flash_data" / "bmaptool.bmap")
        self.assertEqual([(r.start // BLOCK, r.end // BLOCK, bool(r.sha256)) for r in ranges],
                         [(0, 2, True), (2, 5, False), (5, 6, True), (6, 9, False), (9, 10, True)])
        self.assertEqual(ranges[2].sha256, hashlib.sha256(b"c" * BLOCK).hexdigest())


class Provisioning(Story):
    def test_the_file_lies_on_the_esp_and_the_rest_is_untouched(self):
        checker = self.checker(0, tells="it will be called gate-3")
        code, said = self.to_file("--provision", self.provision, "--watchword", checker)
        self.assertEqual(code, 0, said)
        self.assertEqual(self.mtype(self.card), PROVISION)
        self.assertEqual(self.mtype(self.card, "loader.efi"), b"boots" * 1000)
        self.assertEqual((self.path / "asked").read_text(), f"provision check {self.provision}\n")
        card = self.card.read_bytes()
        self.assertEqual(card[:ESP_AT] + card[ROOT_AT:], self.data[:ESP_AT] + self.data[ROOT_AT:])
        self.assertEqual(self.card.stat().st_mode & 0o077, 0, "it holds a password now")
        self.assertIn("it will be called gate-3", said)
        self.assertNotIn("correct horse", said)

    def test_the_esp_is_found_by_label_before_type_and_by_type_without_label(self):
        for kind, label, other in ((BASIC, "esp", image.ESP_TYPE), (image.ESP_TYPE, "EFI System", BASIC)):
            data = make_disk(self.path, kind, label, other)
            self.image = lay_out(self.path / label, data)
            code, said = self.to_file("--provision", self.provision, "--unchecked")
            self.assertEqual(code, 0, said)
            self.assertEqual(self.mtype(self.card), PROVISION)

    def test_an_esp_that_is_no_file_system_is_a_failure_that_says_what_is_left_to_do(self):
        data = self.data[:ESP_AT] + b"\xff" * 512 + self.data[ESP_AT + 512:]
        self.image = lay_out(self.path / "no-fat", data)
        code, said = self.to_file("--provision", self.provision, "--unchecked")
        self.assertEqual(code, 1, said)
        self.assertIn("copy it onto the ESP yourself", said)
        self.assertEqual(self.card.read_bytes(), data)

    def test_an_image_without_an_esp_takes_no_provisioning(self):
        data = make_disk(self.path, BASIC, "linux")
        broken = bytearray(self.data)
        broken[1024] ^= 1
        for number, (disk, word) in enumerate([(data, "no EFI system partition"), (bytes(broken), "damaged"),
                                               (bytes(SIZE - BLOCK) + b"x" * BLOCK, "no GUID partition")]):
            self.image = lay_out(self.path / str(number), disk)
            self.assertRefused(self.to_file("--provision", self.provision, "--unchecked"), word)
            self.assertFalse(self.card.exists())

    def test_a_file_that_does_not_pass_is_refused_with_the_checkers_words(self):
        checker = self.checker(2, "line 3: broker is no URL")
        self.assertRefused(self.to_file("--provision", self.provision, "--watchword", checker),
                           self.provision, "line 3: broker is no URL")
        self.assertFalse(self.card.exists())

    def test_without_a_checker_it_says_how_to_build_one(self):
        with unittest.mock.patch.dict(os.environ, {"CARGO_TARGET_DIR": str(self.path), "PATH": "/usr/bin"}), \
                unittest.mock.patch.object(flash, "ROOT", self.path):
            self.assertRefused(self.to_file("--provision", self.provision),
                               "cargo build --release -p watchword", "--unchecked")
        self.assertRefused(self.to_file("--provision", self.provision, "--watchword", self.path / "no"), "no such")

    def test_the_checker_is_the_one_that_was_built(self):
        built = self.path / "release"
        built.mkdir()
        program = self.checker(2, "from the build folder").rename(built / "watchword")
        with unittest.mock.patch.dict(os.environ, {"CARGO_TARGET_DIR": str(self.path)}):
            self.assertRefused(self.to_file("--provision", self.provision), program, "from the build folder")

    def test_the_authority_that_it_names_comes_along(self):
        self.provision.write_bytes(b'mqtt.url = "mqtts://hub"\nmqtt.ca_file = "Site CA 2.pem"\n')
        refusal = self.to_file("--provision", self.provision, "--unchecked")
        self.assertRefused(refusal, self.path / "Site CA 2.pem", "put it there")
        (self.path / "Site CA 2.pem").write_bytes(b"-----BEGIN")
        code, said = self.to_file("--provision", self.provision, "--unchecked")
        self.assertEqual(code, 0, said)
        self.assertEqual(self.mtype(self.card, "Site CA 2.pem"), b"-----BEGIN")
        self.assertEqual(self.mtype(self.card), self.provision.read_bytes())
        for name in ("../ca.pem", "/etc/passwd", "-n", "", "ca*"):
            self.provision.write_text(f'[mqtt]\nca_file = "{name}"\n')
            self.assertRefused(self.to_file("--provision", self.provision, "--unchecked"), "no plain file name")

    def test_a_file_that_is_no_toml_is_refused_without_quoting_it(self):
        for text in (b'[mqtt]\npassword = "hunter2', b'password = hunter2', b"\xff\xfe"):
            self.provision.write_bytes(text)
            outcome = self.to_file("--provision", self.provision, "--unchecked")
            self.assertRefused(outcome, "no TOML")
            self.assertNotIn("hunter2", outcome[1])

    def test_a_missing_or_huge_file_is_refused(self):
        self.assertRefused(self.to_file("--provision", self.path / "no.toml", "--unchecked"), "no.toml")
        self.provision.write_bytes(bytes(MIB))
        self.assertRefused(self.to_file("--provision", self.provision, "--unchecked"), "is it the right file")

    def test_without_mtools_it_says_what_installs_them(self):
        with unittest.mock.patch("shutil.which", return_value=None):
            self.assertRefused(self.to_file("--provision", self.provision), "scripts/setup-host flash")


class Asking(Story):
    def test_without_a_terminal_and_without_yes_nothing_happens(self):
        self.assertRefused(self.flash("--to-file"), "--yes")
        done = subprocess.run([ROOT / "scripts/flash", "--board", "qemu-virt", "--image", self.image, "--device",
                               self.card, "--to-file"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertRefused((done.returncode, done.stderr), "--yes")
        self.assertFalse(self.card.exists())

    def test_the_name_has_to_be_typed(self):
        self.card.write_bytes(b"precious")
        asked = []

        def answer(text):
            return lambda question: asked.append(question) or text

        self.assertRefused(self.flash("--to-file", ask=answer("yes")), "not typed")
        self.assertRefused(self.flash("--to-file", ask=answer("")), "not typed")
        self.assertEqual(self.card.read_bytes(), b"precious")
        self.assertEqual(self.flash("--to-file", ask=answer("card.img"))[0], 0)
        self.assertEqual(self.card.read_bytes(), self.data)
        self.assertEqual(asked, ["Type card.img to go on: "] * 3)

    def test_a_plain_file_wants_to_be_called_one_and_a_folder_is_none(self):
        self.card.write_bytes(b"precious")
        self.assertRefused(self.flash("--yes"), "not a block device", "--to-file")
        self.assertRefused(self.flash("--yes", device="/dev/null"), "not a block device")
        self.assertRefused(self.flash("--yes", device=self.path / "none"), "lsblk")
        self.assertRefused(self.to_file(device=self.path), "no plain file")
        self.assertRefused(self.to_file(device=self.image), "the image itself")
        self.assertEqual(self.image.read_bytes(), self.data)
        self.assertEqual(self.card.read_bytes(), b"precious")


class OtherMachinesDisks(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.laptop = pathlib.Path(folder.name)
        cls.stat_of = staticmethod(record(cls.laptop, LAPTOP))

    def setUp(self):
        super().setUp()
        self.mounted(MOUNTS, SWAPS)

    def mounted(self, mounts, swaps=""):
        (self.path / "proc/self").mkdir(parents=True, exist_ok=True)
        (self.path / "proc/self/mountinfo").write_text(mounts)
        (self.path / "proc/swaps").write_text(swaps)
        self.machine = disks.Machine(self.laptop / "sys", self.path / "proc", self.stat_of)

    def refuses(self, name, *words):
        """Also with --yes; and open() is never reached."""
        with unittest.mock.patch.object(flash, "open_device") as opened:
            outcome = self.flash("--yes", device=f"/dev/{name}", machine=self.machine)
        self.assertRefused(outcome, f"/dev/{name}", *words)
        opened.assert_not_called()

    def test_a_partition(self):
        self.refuses("sdc1", "is a partition of sdc", "--device /dev/sdc")
        self.refuses("nvme0n1p1", "is a partition of nvme0n1")

    def test_the_disk_that_runs_this_machine(self):
        self.refuses("nvme0n1", "runs this machine", "/, /boot, /boot/efi")

    def test_the_system_is_seen_through_encryption_and_volumes_alone(self):
        self.mounted("28 1 252:1 / / rw - ext4 /dev/mapper/vg-root rw\n")
        self.refuses("nvme0n1", "runs this machine (it holds /)")

    def test_a_root_on_btrfs_is_known_by_its_source(self):
        for source in ("/dev/mapper/vg-root", "/dev/dm-1"):
            self.mounted(f"28 1 0:33 /@ / rw - btrfs {source} rw\n")
            self.refuses("nvme0n1", "runs this machine")

    def test_a_mounted_card(self):
        self.refuses("sdb", "sdb1 is mounted on /run/media/ann/MY CARD", "umount")
        self.refuses("sdh", "sdh1 is mounted on /mnt/btrfs")
        self.refuses("sda", "md0 is mounted on /srv/films")

    def test_a_disk_mounted_whole(self):
        self.mounted("9 1 8:32 / /mnt rw - ext4 /dev/sdc rw\n")
        self.refuses("sdc", "sdc is mounted on /mnt")

    def test_swap(self):
        self.refuses("sdi", "sdi2 is in use as swap", "swapoff /dev/sdi2")

    def test_members_of_arrays_and_volumes_that_are_not_mounted(self):
        self.mounted("")
        self.refuses("sda", "sda1 belongs to md0")
        self.refuses("nvme0n1", "nvme0n1p3 belongs to crypt", "dmsetup remove crypt")

    def test_volumes_and_arrays_themselves(self):
        self.refuses("dm-2", "on nvme0n1, not a disk")
        self.refuses("md0", "on sda, not a disk")

    def test_hardware_partitions_of_an_emmc(self):
        self.refuses("mmcblk1boot0", "hardware partition", "give /dev/mmcblk1")

    def test_read_only_empty_small_and_of_large_sectors(self):
        self.refuses("sdd", "read-only", "lock")
        self.refuses("sde", "no medium")
        self.refuses("sdf", "has 1048576 bytes (1.0 MB)", f"needs {SIZE}")
        self.refuses("sdg", "sectors of 4096 bytes")
        self.refuses("sdz", "lsblk")

    def test_what_is_free_is_taken_and_described(self):
        for name, model, size, transport in (
                ("sdc", "Generic MassStorageClass", "31.9 GB", "USB"), ("mmcblk0", "SN64G", "31.9 GB", "SD"),
                ("mmcblk1", "DG4016", "31.9 GB", "eMMC")):
            ask = unittest.mock.Mock(return_value="n")
            with unittest.mock.patch.object(flash, "open_device") as opened:
                outcome = self.flash(device=f"/dev/{name}", machine=self.machine, ask=ask)
                opened.assert_not_called()
            self.assertRefused(outcome, model, size, transport, "everything on it will be lost")
            ask.assert_called_once_with(f"Type {name} to go on: ")
        self.assertIn("2 partitions", self.flash(device="/dev/sdc", machine=self.machine, ask=lambda _: "")[1])
        self.assertEqual(self.machine.transport("nvme0n1"), "NVMe")
        self.assertEqual(self.machine.transport("sda"), "SATA")

    def test_a_card_mounted_while_the_prompt_stood_is_refused(self):
        def answer(_):
            self.mounted("9 1 8:33 / /media/x rw - vfat /dev/sdc1 rw\n")
            return "sdc"

        with unittest.mock.patch.object(flash, "open_device") as opened:
            outcome = self.flash(device="/dev/sdc", machine=self.machine, ask=answer)
        self.assertRefused(outcome, "sdc1 is mounted on /media/x")
        opened.assert_not_called()


class ALoopDevice(Story):
    """A true block device, where this machine gives one."""

    MEDIUM = 12 * MIB

    def setUp(self):
        super().setUp()
        self.medium = self.path / "medium"
        self.medium.write_bytes(b"\xa5" * self.MEDIUM)
        self.device = self.attach()

    def attach(self, *options):
        done = None
        if os.geteuid() == 0 and shutil.which("losetup"):
            done = subprocess.run(["losetup", "--find", "--show", *options, self.medium], capture_output=True, text=True)
        if not done or done.returncode or not os.path.exists(done.stdout.strip()):
            print("SKIPPED: no loop devices here (root and losetup are needed):",
                  done.stderr.strip() if done else f"uid {os.geteuid()}", file=sys.stderr)
            self.skipTest("no loop devices here")
        device = done.stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "--detach", device], check=True)
        return device

    def test_it_is_written_proven_and_provisioned(self):
        code, said = self.flash("--yes", "--provision", self.provision, "--unchecked", device=self.device)
        self.assertEqual(code, 0, said)
        self.assertIn("verified", said)
        self.assertEqual(self.mtype(self.medium), PROVISION)
        card = self.medium.read_bytes()
        self.assertEqual(card[:ESP_AT] + card[ROOT_AT:SIZE], self.data[:ESP_AT] + self.data[ROOT_AT:],
                         "holes are zeros, whatever was there")
        self.assertEqual(card[SIZE:-MIB], b"\xa5" * (self.MEDIUM - SIZE - MIB), "past the image: left alone")
        self.assertEqual(card[-MIB:], bytes(MIB), "an old backup table would lie there")

    def test_holes_may_keep_what_the_medium_holds(self):
        code, said = self.flash("--yes", "--keep-holes", device=self.device)
        self.assertEqual(code, 0, said)
        hole = slice(ROOT_AT + ROOT_SIZE // 2, ROOT_AT + ROOT_SIZE)
        self.assertEqual(self.medium.read_bytes()[hole], b"\xa5" * (ROOT_SIZE // 2))

    def test_verifying_reads_the_medium_and_not_what_memory_remembers(self):
        def spoil(_):  # under the device, past its cache
            with self.medium.open("r+b") as file:
                file.seek(ROOT_AT + 100)
                file.write(b"worn")

        code, said = self.flash("--yes", device=self.device, after_write=spoil)
        self.assertEqual(code, 1, said)
        self.assertIn(f"bytes {ROOT_AT} to", said)
        self.assertIn("card is bad", said)

    def test_nobody_else_can_take_the_disk_meanwhile(self):
        def other(target):
            with self.assertRaises(OSError):
                os.close(os.open(target.path, os.O_RDWR | os.O_EXCL))

        self.assertEqual(self.flash("--yes", device=self.device, after_write=other)[0], 0)
        held = os.open(self.device, os.O_RDWR | os.O_EXCL)
        self.addCleanup(os.close, held)
        self.assertRefused(self.flash("--yes", device=self.device), self.device, "in use")

    def test_a_mounted_disk_is_refused(self):
        subprocess.run(["mkfs.ext4", "-q", self.device], check=True, capture_output=True)
        place = self.path / "mnt"
        place.mkdir()
        mounted = subprocess.run(["mount", "-t", "ext4", self.device, place], capture_output=True, text=True)
        if mounted.returncode:
            print("SKIPPED: ext4 cannot be mounted here:", mounted.stderr.strip(), file=sys.stderr)
            self.skipTest("no ext4 here")
        self.addCleanup(subprocess.run, ["umount", place], check=True)
        self.assertRefused(self.flash("--yes", device=self.device), f"mounted on {place}")

    def test_its_partitions_and_its_read_only_twin_are_refused(self):
        self.assertEqual(self.flash("--yes", device=self.device)[0], 0)
        twin = self.attach("--read-only")
        self.assertRefused(self.flash("--yes", device=twin), twin, "read-only")
        parted = self.attach("--partscan")
        if os.path.exists(f"{parted}p1"):
            self.assertRefused(self.flash("--yes", device=f"{parted}p1"), "is a partition of")
        else:
            print("SKIPPED: no partitions of loop devices here", file=sys.stderr)

    def test_a_medium_too_small_is_refused(self):
        os.truncate(self.medium, SIZE - BLOCK)
        small = self.attach()
        before = self.medium.read_bytes()
        self.assertRefused(self.flash("--yes", device=small), f"needs {SIZE}")
        self.assertEqual(self.medium.read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
