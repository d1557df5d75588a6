"""The programs that a run needs, and the disks that it makes with them."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from imaging import tools
from imaging import gpt

# The provisioning file's name on the EFI system partition, and what the camera writes there.
PROVISION = "provision.toml"
PROVISION_SAYS = ("provisioned.txt", "provision-error.txt")


class EmulatorError(Exception):
    """What could not be done, with the remedy."""


def run(command: list[str | Path], environment: dict[str, str] | None = None, ok: tuple[int, ...] = (0,)) -> str:
    """Runs a program and returns what it says; raises `EmulatorError` with its words if it fails."""
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, check=False, text=True, errors="replace")
    if done.returncode not in ok:
        raise EmulatorError(f"{Path(command[0]).name} failed ({done.returncode}): {done.stdout.strip()[-2000:]}")
    return done.stdout


@dataclass(frozen=True)
class Emulator:
    """QEMU and its firmware, and what reads and writes file systems without mounting them."""

    cache: Path
    qemu: tools.Tools

    @classmethod
    def provide(cls, cache: Path) -> Emulator:
        """Unpacks QEMU into the cache unless it is there."""
        cache.mkdir(parents=True, exist_ok=True)
        return cls(cache, tools.provide(cache, tools.EMULATOR, "emulator"))

    @property
    def environment(self) -> dict[str, str]:
        return self.qemu.environment()

    @property
    def data(self) -> Path:
        """QEMU's own files."""
        return self.qemu.path("usr/share/qemu")

    @property
    def firmware(self) -> Path:
        """UEFI, the code."""
        folder = self.qemu.path("usr/share/AAVMF")
        for name in ("AAVMF_CODE.no-secboot.fd", "AAVMF_CODE.fd"):
            if (folder / name).is_file():
                return (folder / name).resolve()
        raise EmulatorError(f"{folder} has no firmware")

    @property
    def firmware_variables(self) -> Path:
        """UEFI, its variables as they are in the factory."""
        return self.qemu.path("usr/share/AAVMF/AAVMF_VARS.fd")

    def image(self, *arguments: str | Path) -> str:
        """`qemu-img`."""
        return run([self.qemu.bin / "qemu-img", *arguments], self.environment)

    def tool(self, name: str, *arguments: str | Path, ok: tuple[int, ...] = (0,)) -> str:
        """A program for file systems: the machine's own, or Debian's out of the cache."""
        own = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}
        if own is None:
            unpacked = tools.provide(self.cache, tools.BUILD, "build")
            own = str(unpacked.bin / name)
            environment = {**unpacked.environment(), "MTOOLS_SKIP_CHECK": "1"}
        return run([own, *arguments], environment, ok)


@dataclass(frozen=True)
class Disks:
    """What a virtual camera has: its medium and its firmware's variables."""

    emulator: Emulator
    medium: Path
    variables: Path

    @classmethod
    def make(cls, emulator: Emulator, image: Path, folder: Path, size: str, provision: str | None) -> Disks:
        """A medium of `size` with the image on it, which is not written to, provisioned if told so."""
        # A copy, so that an image that is built anew meanwhile does no harm. Only what is not zero is
        # written, and where the file system can, nothing at all.
        base = folder / "base.img"
        run(["cp", "--reflink=auto", "--sparse=always", image, base])
        base.chmod(0o600)
        if provision is not None:
            with base.open("rb") as opened:
                esp = gpt.parse(opened.read(gpt.TABLE_BYTES))["esp"]
            file = folder / PROVISION
            file.touch(mode=0o600)
            file.write_text(provision)
            emulator.tool("mcopy", "-o", "-i", f"{base}@@{esp.start}", file, f"::{PROVISION}")
            file.unlink()
        medium, variables = folder / "disk.qcow2", folder / "firmware.qcow2"
        # By its bare name, so that the folder can be kept elsewhere.
        emulator.image("create", "-q", "-f", "qcow2", "-F", "raw", "-b", base.name, medium, _at_least(size, base.stat().st_size))
        # QCOW2 as well, so that a snapshot of the running machine has both.
        emulator.image("convert", "-f", "raw", "-O", "qcow2", emulator.firmware_variables, variables)
        return cls(emulator, medium, variables)

    def copy(self, folder: Path) -> Disks:
        """The same disks again, with their snapshots, on the same image."""
        folder.mkdir(parents=True, exist_ok=True)
        copies = [folder / file.name for file in (self.medium, self.variables)]
        for file, copy in zip((self.medium, self.variables), copies, strict=True):
            run(["cp", "--reflink=auto", "--sparse=always", file, copy])
        base = self.medium.parent / "base.img"
        self.emulator.image("rebase", "-q", "-u", "-f", "qcow2", "-F", "raw", "-b", base, copies[0])
        return Disks(self.emulator, *copies)

    def table(self, folder: Path) -> gpt.Table:
        """The partition table as it is now. The machine must be off."""
        head = folder / "table.bin"
        self._extract(0, gpt.TABLE_BYTES, head)
        try:
            return gpt.parse(head.read_bytes())
        finally:
            head.unlink()

    def partition(self, label: str, folder: Path) -> Path:
        """A partition's bytes as a file in `folder`, sparse. The machine must be off."""
        partition = self.table(folder)[label]
        file = folder / f"{label}.bin"
        self._extract(partition.start, partition.size, file)
        return file

    def _extract(self, start: int, size: int, file: Path) -> None:
        source = (f"driver=raw,offset={start},size={size},file.driver=qcow2,"
                  f"file.file.driver=file,file.file.filename={self.medium}")
        self.emulator.image("convert", "-U", "--image-opts", source, "-O", "raw", file)


def _at_least(size: str, least: int) -> str:
    """`size` (bytes, or with K, M, G, T), or the image's own if that is larger."""
    units = {"K": 10, "M": 20, "G": 30, "T": 40}
    number, unit = (size[:-1], size[-1].upper()) if size[-1:].upper() in units else (size, "")
    try:
        wanted = int(number) << units.get(unit, 0)
    except ValueError:
        raise EmulatorError(f"--disk-size {size}: write a whole number with K, M, G or T, such as 4G") from None
    if wanted < least:
        raise EmulatorError(f"--disk-size {size} is smaller than the image ({least} bytes)")
    return str(wanted)


def holds(file: Path, secret: bytes) -> bool:
    """Whether a file has these bytes anywhere. Holes are not read."""
    with file.open("rb", buffering=0) as opened:
        end, at, tail = file.stat().st_size, 0, b""
        while at < end:
            try:
                data_at = os.lseek(opened.fileno(), at, os.SEEK_DATA)
            except OSError:
                return False
            if data_at != at:
                tail = b""
            data = os.pread(opened.fileno(), 1 << 20, data_at)
            if not data:
                return False
            if secret in tail + data:
                return True
            tail = data[-len(secret) + 1:] if len(secret) > 1 else b""
            at = data_at + len(data)
    return False
