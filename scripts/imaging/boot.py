"""What the firmware starts: GRUB on the ESP, and a unified kernel image on each slot's boot
partition."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from . import kernel
from .tools import Tools

MIB = 1024 * 1024

# Nothing but what grub.cfg uses.
_GRUB_MODULES = ["part_gpt", "fat", "normal", "configfile", "chain", "loadenv", "regexp", "echo", "test", "sleep", "reboot", "serial", "terminal"]


def unified_kernel(staged: Path, release: str, initrd: Path, command_line: str, os_release: Path, tools: Tools, target: Path) -> None:
    """Kernel, initrd and command line as one file that UEFI starts."""
    stub = staged / "others/usr/lib/systemd/boot/efi/linuxaa64.efi.stub"
    if not stub.is_file():
        stub = staged / "whole/usr/lib/systemd/boot/efi/linuxaa64.efi.stub"
    tools.run(
        "ukify", "build", f"--linux={kernel.image(staged / 'others', release)}", f"--initrd={initrd}", f"--cmdline={command_line}",
        f"--os-release=@{os_release}", f"--uname={release}", f"--stub={stub}", "--efi-arch=aa64", f"--output={target}",
    )


def boot_partition(uki: Path, serial: int, size: int, epoch: int, tools: Tools, target: Path) -> None:
    """A FAT file system with the unified kernel image."""
    _fat(target, size, "BOOT", serial, tools)
    _lay(target, {"EFI/Linux/watchword.efi": uki}, epoch, tools)


def esp(repository: Path, staged: Path, size: int, epoch: int, tools: Tools, work: Path, target: Path) -> None:
    """The ESP: GRUB, its configuration, and an environment block in which all slots are good."""
    work.mkdir(parents=True, exist_ok=True)
    grub = work / "BOOTAA64.EFI"
    modules = staged / "others/usr/lib/grub/arm64-efi"
    tools.run("grub-mkimage", "-O", "arm64-efi", "-d", str(modules), "-p", "(,gpt1)/EFI/watchword", "-o", str(grub), *_GRUB_MODULES)
    environment = work / "grubenv"
    text = "# GRUB Environment Block\norder=a b\na_state=good\na_tries=0\nb_state=good\nb_tries=0\nbooted=a\n"
    environment.write_text(text.ljust(1024, "#"))
    readme = work / "README.TXT"
    readme.write_text(
        "Watchword\r\n\r\nTo provision this camera put a file named provision.toml here and start it.\r\n"
        "If something is wrong with that file, provision-error.txt will say what.\r\n"
    )
    _fat(target, size, "ESP", 0x57570001, tools)
    _lay(
        target,
        {
            "EFI/BOOT/BOOTAA64.EFI": grub,
            "EFI/watchword/grub.cfg": repository / "board/common/esp/grub.cfg",
            "EFI/watchword/grubenv": environment,
            "README.TXT": readme,
        },
        epoch,
        tools,
    )


def data(size: int, epoch: int, tools: Tools, target: Path) -> None:
    """An empty data partition; the camera grows it to the medium."""
    target.unlink(missing_ok=True)
    with target.open("wb") as opened:
        opened.truncate(size)
    # Room for inodes of a medium a thousand times as large comes with growing.
    tools.run(
        "mke2fs", "-q", "-t", "ext4", "-L", "data", "-U", "57617463-6877-4f72-8464-617461000001", "-E",
        "hash_seed=57617463-6877-4f72-8464-617461000002,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0", "-m", "1", "-J", "size=8", str(target),
        environment={"SOURCE_DATE_EPOCH": str(epoch)},
    )


def _fat(target: Path, size: int, label: str, serial: int, tools: Tools) -> None:
    target.unlink(missing_ok=True)
    with target.open("wb") as opened:
        opened.truncate(size)
    tools.run("mkfs.vfat", "--invariant", "-F", "32", "-s", "1", "-n", label, "-i", f"{serial:08x}", str(target))


def _lay(image: Path, files: dict[str, Path], epoch: int, tools: Tools) -> None:
    environment = {"MTOOLS_SKIP_CHECK": "1", "SOURCE_DATE_EPOCH": str(epoch)}
    made: set[str] = set()
    for name, source in files.items():
        folder = ""
        for part in name.split("/")[:-1]:
            folder = f"{folder}/{part}"
            if folder not in made:
                made.add(folder)
                tools.run("mmd", "-i", str(image), f"::{folder}", environment=environment)
        dated = image.with_suffix(".file")
        shutil.copyfile(source, dated)
        os.utime(dated, (epoch, epoch))
        tools.run("mcopy", "-m", "-i", str(image), str(dated), f"::/{name}", environment=environment)
        dated.unlink()
