#!/usr/bin/env python3
"""The image builder's parts, and the camera's scripts, without building an image and without a
network. What an image as a whole must do is checked by booting one: scripts/qemu --check."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "scripts"))
sys.dont_write_bytecode = True

from imaging import debian, elf, image, initrd, kernel, rootfs  # noqa: E402
from imaging.debian import BuildError  # noqa: E402

COMMON = REPOSITORY / "board/common"
BOOT_SLOT = COMMON / "usr/lib/watchword/boot-slot"


class Folder(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)


class Mirrors(Folder):
    """Where packages come from is the machine's business."""

    def setUp(self) -> None:
        super().setUp()
        for name in ("WATCHWORD_DEBIAN_MIRROR", "WATCHWORD_DEBIAN_SECURITY_MIRROR"):
            old = os.environ.pop(name, None)
            if old is not None:
                self.addCleanup(os.environ.__setitem__, name, old)

    def mirror(self, sources: dict[str, str], debootstrap: str | None = None) -> debian.Mirror:
        (self.folder / "sources.list.d").mkdir(exist_ok=True)
        for name, text in sources.items():
            (self.folder / name).write_text(text)
        program = self.folder / "debootstrap"
        if debootstrap is not None:
            program.write_text(debootstrap)
        return debian.machine_mirror(self.folder, program)

    def test_one_line_sources(self) -> None:
        found = self.mirror({"sources.list": "# deb http://old.example/debian sid main\ndeb [arch=amd64] http://a.example/debian bookworm main\n"})
        self.assertEqual(found, debian.Mirror("http://a.example/debian", "http://a.example/debian-security"))

    def test_deb822_sources_with_security(self) -> None:
        found = self.mirror(
            {
                "sources.list.d/debian.sources": "Types: deb\nURIs: http://b.example/pub/debian/\nSuites: trixie\n\n"
                "Types: deb\nURIs: http://c.example/debian-security\nSuites: trixie-security\n"
            }
        )
        self.assertEqual(found, debian.Mirror("http://b.example/pub/debian", "http://c.example/debian-security"))

    def test_other_archives_are_not_debian(self) -> None:
        with self.assertRaisesRegex(BuildError, "WATCHWORD_DEBIAN_MIRROR"):
            self.mirror({"sources.list.d/x.list": "deb https://packages.example/node nodistro main\n"})

    def test_ubuntu_asks_debootstrap(self) -> None:
        found = self.mirror({"sources.list": "deb http://u.example/ubuntu noble main\n"}, '#!/bin/sh\nDEF_MIRROR="http://d.example/debian"\n')
        self.assertEqual(found.main, "http://d.example/debian")

    def test_the_environment_counts_more(self) -> None:
        os.environ["WATCHWORD_DEBIAN_MIRROR"] = "http://e.example/debian"
        self.addCleanup(os.environ.pop, "WATCHWORD_DEBIAN_MIRROR")
        self.assertEqual(self.mirror({"sources.list": "deb http://a.example/debian bookworm main\n"}).main, "http://e.example/debian")


class Recipes(Folder):
    def test_every_board_with_an_image_has_its_plugins(self) -> None:
        self.assertIn("qemu-virt", image.boards())
        for board in image.boards():
            recipe = rootfs.Recipe.load(REPOSITORY, board)
            described = tomllib.loads((REPOSITORY / "board" / board / "board.toml").read_text())
            found = rootfs.elements(REPOSITORY, recipe, described)
            for element in ("v4l2src", "decodebin", "appsink", "rtph264pay", "tee"):
                self.assertIn(element, found, board)

    def test_an_element_without_a_plugin_is_named(self) -> None:
        recipe = rootfs.Recipe.load(REPOSITORY, "qemu-virt")
        del recipe.plugins["videoscale"]
        with self.assertRaisesRegex(BuildError, "live.toml names the element videoscale"):
            rootfs.elements(REPOSITORY, recipe, {"video": {"source": "test", "encoder": "x264"}})

    def test_a_pipeline_that_is_not_there_is_named(self) -> None:
        recipe = rootfs.Recipe.load(REPOSITORY, "qemu-virt")
        with self.assertRaisesRegex(BuildError, "encoder-nvenc.toml"):
            rootfs.elements(REPOSITORY, recipe, {"video": {"source": "test", "encoder": "nvenc"}})

    def test_a_board_that_is_not_there(self) -> None:
        options = image.arguments(["--board", "toaster", "--out", str(self.folder)])
        with self.assertRaisesRegex(BuildError, "toaster.*qemu-virt"):
            image.build(options)

    def test_a_board_whose_boot_chain_no_image_has(self) -> None:
        options = image.arguments(["--board", "rpi5-poe", "--out", str(self.folder)])
        with self.assertRaisesRegex(BuildError, "rpi5-poe.*tryboot.*board/rpi5-poe/README.md.*qemu-virt"):
            image.build(options)

    def test_skipped_packages_are_not_taken_otherwise(self) -> None:
        recipe = rootfs.Recipe.load(REPOSITORY, "qemu-virt")
        self.assertFalse(set(recipe.skip) & {*recipe.whole, *recipe.parts, *recipe.sources, *kernel.PACKAGES})


class Archives(Folder):
    def tree(self) -> Path:
        tree = self.folder / "tree"
        (tree / "bin").mkdir(parents=True)
        (tree / "init").write_bytes(b"#!/bin/sh\n")
        (tree / "init").chmod(0o755)
        (tree / "bin/tool").write_bytes(b"x" * 1001)
        (tree / "sbin").symlink_to("bin")
        return tree

    def test_a_cpio_that_others_can_read(self) -> None:
        if shutil.which("cpio") is None:
            self.skipTest("SKIPPED: cpio is not installed")
        packed = initrd.cpio(self.tree())
        out = self.folder / "out"
        out.mkdir()
        subprocess.run(["cpio", "-idm", "--quiet"], input=packed, cwd=out, check=True)
        self.assertEqual((out / "bin/tool").read_bytes(), b"x" * 1001)
        self.assertEqual(os.readlink(out / "sbin"), "bin")
        self.assertTrue(os.access(out / "init", os.X_OK))

    def test_the_same_tree_the_same_bytes(self) -> None:
        tree = self.tree()
        first = initrd.cpio(tree)
        os.utime(tree / "init", (1, 1))
        self.assertEqual(first, initrd.cpio(tree))
        self.assertEqual(len(first) % 512, 0)

    def test_the_digest_of_a_root_tells_modes_names_and_contents(self) -> None:
        tree = self.tree()
        seen = {rootfs.digest(tree)}
        for change in (
            lambda: (tree / "init").chmod(0o644),
            lambda: (tree / "init").write_bytes(b"#!/bin/ash\n"),
            lambda: (tree / "init").rename(tree / "init2"),
            lambda: ((tree / "sbin").unlink(), (tree / "sbin").symlink_to("usr")),
        ):
            change()
            digest = rootfs.digest(tree)
            self.assertNotIn(digest, seen)
            seen.add(digest)

    def test_a_file_that_is_no_program_links_to_nothing(self) -> None:
        file = self.folder / "x"
        for data in (b"", b"#!/bin/sh\n", b"\x7fELF\x01\x01" + b"\0" * 58, Path(sys.executable).resolve().read_bytes()[:64]):
            file.write_bytes(data)
            self.assertIsNone(elf.needed(file))


class Overlay(unittest.TestCase):
    """What all images share."""

    def units(self) -> dict[str, str]:
        folder = COMMON / "usr/lib/systemd/system"
        return {file.name: file.read_text() for file in folder.iterdir() if file.is_file()}

    def test_what_units_start_is_there(self) -> None:
        for name, text in self.units().items():
            for program in re.findall(r"^Exec\w+=[-+!]*(/usr/lib/watchword/\S+)", text, re.M):
                file = COMMON / program.lstrip("/")
                self.assertTrue(file.is_file(), f"{name} starts {program}")
                self.assertTrue(file.read_text().startswith("#!/bin/sh"), program)

    def test_presets_name_units_that_exist(self) -> None:
        units = self.units()
        preset = (COMMON / "usr/lib/systemd/system-preset/10-watchword.preset").read_text()
        enabled = re.findall(r"^enable (\S+)", preset, re.M)
        for name in enabled:
            if name.startswith("watchword"):
                self.assertIn(name, units)
                self.assertIn("[Install]", units[name], name)
        for name, text in units.items():
            if "[Install]" in text:
                self.assertIn(name, enabled, f"{name} is never enabled")

    def test_the_daemon_is_confined(self) -> None:
        text = self.units()["watchword.service"]
        for line in ("User=watchword", "CapabilityBoundingSet=", "NoNewPrivileges=yes", "ProtectSystem=strict", "DevicePolicy=closed",
                     "WatchdogSec=2min", "Restart=always", "StartLimitIntervalSec=0"):
            self.assertIn(f"\n{line}\n", text)

    def test_no_password_and_no_key_is_in_the_overlay(self) -> None:
        for file in COMMON.rglob("*"):
            if file.is_file():
                text = file.read_text(errors="replace")
                self.assertNotIn("PRIVATE KEY", text, file)
                self.assertIsNone(re.search(r"^\w+:\$[0-9a-z]+\$", text, re.M), file)


class BootSlot(Folder):
    """The boot counter, as the camera and RAUC use it. A file takes the ESP's place."""

    def setUp(self) -> None:
        super().setUp()
        self.block = self.folder / "grubenv"
        self.here = self.folder / "slot"
        self.here.write_text("a\n")
        self.state(order="a b", a_state="good", a_tries="1", b_state="good", b_tries="0", booted="a")

    def state(self, **values: str) -> None:
        text = "# GRUB Environment Block\n" + "".join(f"{name}={value}\n" for name, value in values.items())
        self.block.write_text(text.ljust(1024, "#"))

    def read(self) -> dict[str, str]:
        text = self.block.read_text()
        self.assertEqual(len(text), 1024)
        self.assertTrue(text.startswith("# GRUB Environment Block\n"))
        return dict(line.split("=", 1) for line in text.rstrip("#").splitlines()[1:])

    def run_it(self, *arguments: str, fails: bool = False) -> str:
        done = subprocess.run(
            ["sh", str(BOOT_SLOT), *arguments],
            env={**os.environ, "WATCHWORD_GRUBENV": str(self.block), "WATCHWORD_SLOT_FILE": str(self.here), "WATCHWORD_RUN": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode != 0, fails, done.stderr)
        return (done.stderr if fails else done.stdout).strip()

    def test_a_boot_that_works_sets_the_counter_back(self) -> None:
        self.run_it("mark-good")
        self.assertEqual(self.read(), {"order": "a b", "a_state": "good", "a_tries": "0", "b_state": "good", "b_tries": "0", "booted": "a"})

    def test_nothing_is_written_if_nothing_changes(self) -> None:
        self.run_it("mark-good")
        os.utime(self.block, (1, 1))
        self.run_it("mark-good")
        self.assertEqual(self.block.stat().st_mtime, 1)

    def test_the_block_is_rewritten_in_place(self) -> None:
        before = self.block.stat().st_ino
        self.run_it("set-primary", "b")
        self.assertEqual(self.block.stat().st_ino, before)
        self.assertEqual(self.read()["order"], "b a")
        self.assertEqual(self.run_it("get-primary"), "b")

    def test_three_tries_and_it_is_the_other_ones_turn(self) -> None:
        self.state(order="b a", a_state="good", a_tries="0", b_state="good", b_tries="3")
        self.assertEqual(self.run_it("get-primary"), "a")

    def test_a_bad_slot_is_not_chosen(self) -> None:
        self.run_it("set-state", "a", "bad")
        self.assertEqual(self.run_it("get-state", "a"), "bad")
        self.assertEqual(self.run_it("get-primary"), "b")
        self.run_it("set-state", "a", "good")
        self.assertEqual(self.run_it("get-primary"), "a")

    def test_a_block_that_is_lost_means_good(self) -> None:
        self.block.write_text("\xff" * 512)
        self.assertEqual(self.run_it("get-primary"), "a")
        self.assertEqual(self.run_it("get-state", "b"), "good")

    def test_current_is_what_the_initrd_left(self) -> None:
        self.here.write_text("b\n")
        self.assertEqual(self.run_it("get-current"), "b")
        self.here.unlink()
        self.assertIn("no word", self.run_it("get-current", fails=True))

    def test_what_it_does_not_know_it_refuses(self) -> None:
        before = self.block.read_bytes()
        for arguments in (["set-primary", "c"], ["set-state", "a", "fine"], ["set-state", "", "good"], ["explode"], []):
            self.run_it(*arguments, fails=True)
        self.assertEqual(self.block.read_bytes(), before)

    def test_grub_says_the_same(self) -> None:
        """GRUB's own tool reads what the camera writes."""
        editor = shutil.which("grub-editenv")
        if editor is None:
            self.skipTest("SKIPPED: grub-editenv is not installed")
        self.run_it("set-primary", "b")
        listed = subprocess.run([editor, str(self.block), "list"], capture_output=True, text=True, check=True).stdout
        self.assertIn("order=b a", listed)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-q", *sys.argv[1:]])
