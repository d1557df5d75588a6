"""Which disk of this machine may be written, by what the kernel tells of it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from flashing.talk import SECTOR, Refused, human

SYSTEM_MOUNTS = ("/", "/boot", "/boot/efi", "/boot/firmware", "/efi", "/usr", "/var", "/home")


class Machine:
    """What the kernel tells of block devices. The roots are arguments so that
    tests can show it the trees of other machines."""

    def __init__(self, sys_root: Path = Path("/sys"), proc_root: Path = Path("/proc"),
                 stat_of: Callable[[Path], os.stat_result] = os.stat) -> None:
        self.sys, self.proc, self.stat_of = sys_root, proc_root, stat_of

    def folder(self, name: str) -> Path:
        return (self.sys / "class" / "block" / name).resolve()

    def attribute(self, name: str, file: str) -> str:
        try:
            return (self.folder(name) / file).read_text(errors="replace").strip()
        except OSError:
            return ""

    def members(self, name: str, folder: str) -> list[str]:
        try:
            return sorted(entry.name for entry in (self.folder(name) / folder).iterdir())
        except OSError:
            return []

    def by_number(self, number: str) -> str | None:
        link = self.sys / "dev" / "block" / number
        return link.resolve().name if link.exists() else None

    def by_source(self, source: str) -> str | None:
        """The kernel's name of /dev/sdb1, /dev/mapper/x, /dev/disk/by-…/y."""
        if not source.startswith("/dev/"):
            return None
        if source.startswith("/dev/mapper/"):
            for entry in (self.sys / "class" / "block").glob("dm-*"):
                if self.attribute(entry.name, "dm/name") == source.removeprefix("/dev/mapper/"):
                    return entry.name
        name = os.path.basename(os.path.realpath(source))
        return name if self.folder(name).is_dir() else None

    def partitions(self, disk: str) -> list[str]:
        return sorted(entry.name for entry in self.folder(disk).iterdir()
                      if (entry / "partition").is_file())

    def disks_under(self, name: str) -> set[str]:
        """The whole disks that a partition, volume or array lies on."""
        if (self.folder(name) / "partition").is_file():
            return self.disks_under(self.folder(name).parent.name)
        below = self.members(name, "slaves")
        return set().union(*map(self.disks_under, below)) if below else {name}

    def mounts_on(self, disk: str) -> list[tuple[str, str]]:
        """(mount point, device) of all that is mounted from this disk, through
        whatever layers."""
        found = []
        for line in (self.proc / "self" / "mountinfo").read_text().splitlines():
            fields = line.split(" ")
            source = unescape(fields[fields.index("-") + 2])
            # Btrfs has a number of its own; then the source tells.
            name = self.by_number(fields[2]) or self.by_source(source)
            if name and disk in self.disks_under(name):
                found.append((unescape(fields[4]), name))
        return found

    def swaps_on(self, disk: str) -> list[str]:
        try:
            lines = (self.proc / "swaps").read_text().splitlines()[1:]
        except OSError:
            return []
        names = [self.by_source(unescape(line.split()[0])) for line in lines if line.strip()]
        return [name for name in names if name and disk in self.disks_under(name)]

    def transport(self, disk: str) -> str:
        path = str(self.folder(disk))
        for part, says in (("/usb", "USB"), ("/mmc", "MMC"), ("/nvme", "NVMe"), ("/ata", "SATA"),
                           ("/virtio", "virtio"), ("/loop", "loop")):
            if part in path:
                kind = self.attribute(disk, "device/type") if says == "MMC" else ""
                return {"MMC": "eMMC", "SD": "SD"}.get(kind, says)
        return "unknown transport"

    def model(self, disk: str) -> str:
        names = [self.attribute(disk, f"device/{file}") for file in ("vendor", "model", "name")]
        # virtio's vendor is a number.
        words = [name for name in names if name and not name.startswith("0x")]
        return " ".join(words) or self.attribute(disk, "loop/backing_file") or "no model name"


def unescape(field: str) -> str:
    """Blanks and the like are octal in /proc's tables."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def check_device(machine: Machine, device: Path, image_size: int) -> str:
    """The kernel's name of the disk, or why it must not be written."""
    try:
        status = machine.stat_of(device)
    except OSError as error:
        raise Refused(f"{device}: {error.strerror}; `lsblk -dpo NAME,SIZE,TRAN,MODEL` lists the "
                      "disks") from None
    if not stat.S_ISBLK(status.st_mode):
        raise Refused(f"{device} is not a block device; give a whole disk such as /dev/sdX, or "
                      "--to-file to write a plain file")
    number = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"
    name = machine.by_number(number)
    if not name:
        raise Refused(f"{device} ({number}) is unknown to {machine.sys}; plug it in again")
    folder = machine.folder(name)
    if (folder / "partition").is_file():
        disk = folder.parent.name
        raise Refused(f"{device} is a partition of {disk}; the image has its own partitions: give "
                      f"the whole disk, --device /dev/{disk}")
    if (folder / "dm").is_dir() or (folder / "md").is_dir():
        below = ", ".join(sorted(machine.disks_under(name)))
        raise Refused(f"{device} is a volume or array on {below}, not a disk; a board cannot start "
                      "from it: give a whole disk")
    if re.fullmatch(r"mmcblk\d+(boot\d+|rpmb|gp\d+)", name):
        raise Refused(f"{device} is a hardware partition of the eMMC; give /dev/"
                      f"{re.sub(r'(boot[0-9]+|rpmb|gp[0-9]+)$', '', name)}")
    check_unused(machine, device, name)
    size = int(machine.attribute(name, "size") or 0) * SECTOR  # always 512-byte units
    if size == 0:
        raise Refused(f"{device} has no medium in it; insert the card")
    if size < image_size:
        raise Refused(f"{device} has {size} bytes ({human(size)}), the image needs {image_size} "
                      f"({human(image_size)}); take a larger one")
    if machine.attribute(name, "ro") == "1":
        raise Refused(f"{device} is read-only; slide the card's lock open, or `blockdev --setrw "
                      f"{device}`")
    sectors = machine.attribute(name, "queue/logical_block_size")
    if sectors not in ("", str(SECTOR)):
        raise Refused(f"{device} has sectors of {sectors} bytes, the image's partition table counts "
                      "in 512; format the drive to 512-byte sectors (nvme format) or take another")
    return name


def check_unused(machine: Machine, device: Path, disk: str) -> None:
    mounts = machine.mounts_on(disk)
    points = [point for point, _ in mounts]
    system = [point for point in points if point in SYSTEM_MOUNTS]
    if system:
        raise Refused(f"{device} runs this machine (it holds {', '.join(system)}); "
                      "give the card's own device")
    if swaps := machine.swaps_on(disk):
        raise Refused(f"{device}: {', '.join(swaps)} is in use as swap; `swapoff /dev/{swaps[0]}`, "
                      "if it really is the one that you mean")
    if mounts:
        raise Refused(f"{device}: {mounts[0][1]} is mounted on {points[0]}; `umount "
                      f"{' '.join(points)}`, if it really is the one that you mean")
    for part in [disk, *machine.partitions(disk)]:
        if holders := machine.members(part, "holders"):
            holder = machine.attribute(holders[0], "dm/name") or holders[0]
            raise Refused(f"{device}: {part} belongs to {holder} (LVM, encryption or RAID); stop "
                          f"that first (`dmsetup remove {holder}`, `mdadm --stop`), if it really "
                          "is the one that you mean")
