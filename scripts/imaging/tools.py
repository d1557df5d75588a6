"""Programs of Debian's for this machine's architecture, in the versions that the image is made
with, whatever distribution the machine runs.

They are unpacked beside the cache, not installed, and started through their own dynamic loader
with their own libraries.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import subprocess
from pathlib import Path

from .debian import Archive, BuildError, unpack

# What the builder and the emulator start.
BUILD = ["squashfs-tools", "mtools", "dosfstools", "cryptsetup-bin", "kmod", "systemd", "systemd-ukify",
         "e2fsprogs", "fdisk", "grub-common", "bmap-tools", "zstd", "binutils", "util-linux"]
EMULATOR = ["qemu-system-arm", "qemu-efi-aarch64", "qemu-utils"]

TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
LOADERS = {"amd64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}


def host_architecture() -> str:
    """Debian's name of this machine's architecture."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


class Tools:
    """A folder of programs that run here."""

    def __init__(self, root: Path, architecture: str) -> None:
        self.root = root
        self.architecture = architecture
        self.bin = root / "watchword-bin"

    def path(self, *inside: str) -> Path:
        """A data file of one of the packages."""
        return self.root.joinpath(*inside)

    def environment(self) -> dict[str, str]:
        """The environment in which programs of the packages find each other."""
        return {
            **os.environ,
            "PATH": f"{self.bin}:{os.environ.get('PATH', '/usr/bin:/bin')}",
            "PYTHONPATH": str(self.path("usr/lib/python3/dist-packages")),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def run(self, *command: str, given: str | None = None, environment: dict[str, str] | None = None) -> str:
        """Runs a program with `given` on its standard input and returns what it printed.

        `environment` is added to that of the tools. Raises `BuildError` with all that the program
        said if it fails.
        """
        done = subprocess.run(
            command, input=given, env={**self.environment(), **(environment or {})}, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise BuildError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout


def provide(cache: Path, names: list[str], label: str) -> Tools:
    """Unpacks `names` and what they need, unless that has been done."""
    architecture = host_architecture()
    archive = Archive(cache, architecture)
    packages = archive.resolve(names)
    # What the wrappers look like is part of what is cached.
    code = Path(__file__).read_text()
    key = hashlib.sha256("\n".join([code, *(package.line() for package in packages)]).encode()).hexdigest()[:16]
    root = (cache / "tools" / f"{label}-{key}").resolve()
    if not (root / "complete").is_file():
        print(f"  unpacking {len(packages)} packages of tools", flush=True)
        for old in root.parent.glob(f"{label}-*"):
            shutil.rmtree(old)
        unpack(archive.download(packages), root, without=["usr/share/AAVMF/*snakeoil*", "usr/share/AAVMF/*CODE.secboot*", "usr/share/AAVMF/*.ms.fd", "usr/share/icons/*", "usr/share/qemu/*.fd*"])
        _wrap(root, architecture)
        (root / "complete").touch()
    return Tools(root, architecture)


def _wrap(root: Path, architecture: str) -> None:
    """Writes a script for each program that starts it through its own loader."""
    triplet = TRIPLETS[architecture]
    folders = [root / "usr/lib" / triplet, root / "usr/lib" / triplet / "systemd", root / "usr/lib/systemd"]
    # Some packages keep private libraries in a folder of their own.
    for library in sorted((root / "usr/lib" / triplet).glob("*/*.so*")):
        if library.parent not in folders and library.parent.name in ("pulseaudio", "blas", "lapack"):
            folders.append(library.parent)
    libraries = ":".join(str(folder) for folder in folders)
    loader = root / "usr/lib" / triplet / LOADERS[architecture]
    target = root / "watchword-bin"
    target.mkdir(exist_ok=True)
    for folder in ("usr/sbin", "usr/bin"):
        for program in sorted((root / folder).iterdir()):
            real = program.resolve() if not program.is_symlink() else _inside(root, program)
            if real is None or not real.is_file():
                continue
            with real.open("rb") as opened:
                magic = opened.read(64)
            wrapper = target / program.name
            if magic.startswith(b"\x7fELF"):
                text = f'#!/bin/sh\nexec {loader} --argv0 {program.name} --library-path {libraries} {real} "$@"\n'
            elif magic.startswith(b"#!") and b"python3" in magic:
                text = f'#!/bin/sh\nexec python3 {real} "$@"\n'
            else:
                continue
            # The machine's own shell, editors and coreutils are good enough.
            if program.name in ("sh", "bash", "dash", "python3", "tar", "env", "perl"):
                continue
            wrapper.write_text(text)
            wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _inside(root: Path, link: Path) -> Path | None:
    """Where a link leads if `root` is `/`; `None` if nowhere."""
    for _ in range(8):
        if not link.is_symlink():
            return link
        to = os.readlink(link)
        link = root / to.lstrip("/") if to.startswith("/") else Path(os.path.normpath(link.parent / to))
    return None
