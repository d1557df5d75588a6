"""The initrd: a program that finds and checks the root, the drivers that reach it, and busybox."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from . import elf
from .daemon import TRIPLET
from .debian import BuildError
from .kernel import Choice, Modules
from .tools import Tools
from .verity import Verity


def build(repository: Path, staged: Path, choice: Choice, verity: Verity, tools: Tools, work: Path, target: Path) -> None:
    """Writes the initrd that opens the root of `verity` to `target`."""
    others = staged / "others"
    shutil.rmtree(work, ignore_errors=True)
    for folder in ("bin", "etc", f"usr/lib/{TRIPLET}"):
        (work / folder).mkdir(parents=True)
    (work / "lib").symlink_to("usr/lib")
    # Where the kernel calls modprobe.
    (work / "sbin").symlink_to("bin")
    shutil.copyfile(repository / "board/common/initrd/init", work / "init")
    shutil.copyfile(others / "usr/bin/busybox", work / "bin/busybox")
    shutil.copyfile(others / "usr/sbin/dmsetup", work / "bin/dmsetup")
    for program in ("init", "bin/busybox", "bin/dmsetup"):
        (work / program).chmod(0o755)
    _libraries(work / "bin/dmsetup", staged, work)

    modules = Modules(others, tools)
    chosen = modules.named(choice.initrd)
    modules.lay(chosen, work)
    tools.run("depmod", "-b", str(work), modules.release)
    for name in ("dep.bin", "alias.bin", "symbols", "symbols.bin", "softdep", "devname", "builtin.bin", "builtin.alias.bin", "builtin.modinfo", "weakdep", "order"):
        (work / "usr/lib/modules" / modules.release / f"modules.{name}").unlink(missing_ok=True)
    # Those that no device asks for.
    asked = ["dm-verity", "squashfs", "ext4", "vfat", "nls_cp437", "nls_ascii", "crc32c_generic", "libcrc32c"]
    (work / "etc/modules").write_text("\n".join(name for name in asked if name.replace("-", "_") in modules.by_name) + "\n")
    (work / "etc/verity").write_text(
        f"root_hash={verity.root_hash}\nsalt={verity.salt}\ndata_blocks={verity.data_blocks}\nhash_start={verity.hash_start}\n"
    )
    plain = target.with_suffix(".cpio")
    plain.write_bytes(cpio(work))
    tools.run("zstd", "-q", "-f", "-19", "-o", str(target), str(plain))
    plain.unlink()


def _libraries(program: Path, staged: Path, work: Path) -> None:
    """The libraries of a program, and its loader."""
    waiting, have = [program], set()
    while waiting:
        for name in elf.needed(waiting.pop()) or []:
            if name in have:
                continue
            have.add(name)
            found = next((at / "usr/lib" / TRIPLET / name for at in (staged / "others", staged / "whole") if (at / "usr/lib" / TRIPLET / name).exists()), None)
            if found is None:
                raise BuildError(f"dmsetup links to {name}, which none of the packages has")
            shutil.copyfile(found.resolve(), work / "usr/lib" / TRIPLET / name)
            (work / "usr/lib" / TRIPLET / name).chmod(0o755)
            waiting.append(found.resolve())
    loader = work / "usr/lib/ld-linux-aarch64.so.1"
    loader.symlink_to(f"{TRIPLET}/ld-linux-aarch64.so.1")
    real = staged / "others/usr/lib" / TRIPLET / "ld-linux-aarch64.so.1"
    shutil.copyfile(real.resolve(), work / "usr/lib" / TRIPLET / "ld-linux-aarch64.so.1")
    (work / "usr/lib" / TRIPLET / "ld-linux-aarch64.so.1").chmod(0o755)


def cpio(folder: Path) -> bytes:
    """`folder` as a "newc" archive (Linux, Documentation/driver-api/early-userspace/buffer-format):
    in order of name, owned by root, without dates."""
    out = bytearray()

    def add(name: str, mode: int, data: bytes, number: int) -> None:
        encoded = name.encode() + b"\0"
        fields = [number, mode, 0, 0, 2 if stat.S_ISDIR(mode) else 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0]
        out.extend(b"070701" + b"".join(b"%08X" % field for field in fields) + encoded)
        out.extend(b"\0" * (-len(out) % 4))
        out.extend(data)
        out.extend(b"\0" * (-len(out) % 4))

    number = 0
    for file in sorted(folder.rglob("*")):
        number += 1
        mode = file.lstat().st_mode
        if file.is_symlink():
            data = os.readlink(file).encode()
        else:
            data = file.read_bytes() if file.is_file() else b""
        add(str(file.relative_to(folder)), mode, data, number)
    add("TRAILER!!!", 0, b"", 0)
    out.extend(b"\0" * (-len(out) % 512))
    return bytes(out)
