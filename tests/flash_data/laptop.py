"""A laptop with an encrypted disk and much plugged in, as sysfs and /proc tell it."""

import os
import types

# A row a disk or partition: folder in sysfs, number, size in sectors, further attributes.
USB = "pci0000:00/0000:00:14.0/usb2/2-{0}/2-{0}:1.0/host{0}/target{0}:0:0/{0}:0:0:0/block"
NVME = "pci0000:00/0000:00:06.0/0000:02:00.0/nvme/nvme0/nvme0n1"
MMC = "pci0000:00/0000:00:1c.0/rtsx_pci_sdmmc.0/mmc_host/mmc0/mmc0:{}/block"
ATA = "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda"
BIG = 62_333_952
LAPTOP = [
    (NVME, "259:0", 1_000_215_216, {"device/model": "Fast SSD 512"}),
    (f"{NVME}/nvme0n1p1", "259:1", 1_048_576, {"partition": "1"}),
    (f"{NVME}/nvme0n1p2", "259:2", 2_097_152, {"partition": "2"}),
    (f"{NVME}/nvme0n1p3", "259:3", 900_000_000, {"partition": "3", "holders": ["dm-0"]}),
    ("virtual/block/dm-0", "252:0", 900_000_000, {"dm/name": "crypt", "slaves": ["nvme0n1p3"], "holders": ["dm-1", "dm-2"]}),
    ("virtual/block/dm-1", "252:1", 800_000_000, {"dm/name": "vg-root", "slaves": ["dm-0"]}),
    ("virtual/block/dm-2", "252:2", 16_000_000, {"dm/name": "vg-swap", "slaves": ["dm-0"]}),
    (ATA, "8:0", 3_907_029_168, {"device/vendor": "ATA", "device/model": "Spinner"}),
    (f"{ATA}/sda1", "8:1", 3_907_027_120, {"partition": "1", "holders": ["md0"]}),
    ("virtual/block/md0", "9:0", 3_907_000_000, {"md/level": "raid1", "slaves": ["sda1"]}),
    (USB.format(1) + "/sdb", "8:16", BIG, {"device/vendor": "Generic", "device/model": "STORAGE DEVICE", "removable": "1"}),
    (USB.format(1) + "/sdb/sdb1", "8:17", 1_000_000, {"partition": "1"}),
    (USB.format(2) + "/sdc", "8:32", BIG, {"device/vendor": "Generic", "device/model": "MassStorageClass"}),
    (USB.format(2) + "/sdc/sdc1", "8:33", 1_000_000, {"partition": "1"}),
    (USB.format(2) + "/sdc/sdc2", "8:34", 1_000_000, {"partition": "2"}),
    (USB.format(3) + "/sdd", "8:48", BIG, {"ro": "1"}),
    (USB.format(4) + "/sde", "8:64", 0, {}),
    (USB.format(5) + "/sdf", "8:80", 2048, {}),
    (USB.format(6) + "/sdg", "8:96", BIG, {"queue/logical_block_size": "4096"}),
    (USB.format(7) + "/sdh", "8:112", BIG, {}),
    (USB.format(7) + "/sdh/sdh1", "8:113", 1_000_000, {"partition": "1"}),
    (USB.format(8) + "/sdi", "8:128", BIG, {}),
    (USB.format(8) + "/sdi/sdi2", "8:130", 1_000_000, {"partition": "2"}),
    (MMC.format("aaaa") + "/mmcblk0", "179:0", BIG, {"device/name": "SN64G", "device/type": "SD"}),
    (MMC.format("0001") + "/mmcblk1", "179:96", BIG, {"device/name": "DG4016", "device/type": "MMC"}),
    (MMC.format("0001") + "/mmcblk1/mmcblk1boot0", "179:128", 8192, {"ro": "1"}),
]
MOUNTS = r"""22 28 0:21 / /sys rw,nosuid - sysfs sysfs rw
28 1 252:1 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw
31 28 0:26 / /run rw - tmpfs tmpfs rw,size=1600000k
90 28 259:2 / /boot rw,relatime shared:50 - ext4 /dev/nvme0n1p2 rw
93 90 259:1 / /boot/efi rw,relatime - vfat /dev/nvme0n1p1 rw
97 28 9:0 / /srv/films rw - ext4 /dev/md0 rw
120 31 8:17 / /run/media/ann/MY\040CARD rw,nosuid - vfat /dev/sdb1 rw
131 28 0:45 /@ /mnt/btrfs rw - btrfs /dev/sdh1 rw,subvol=/@
140 28 0:50 / /var/lib/x/merged rw - overlay overlay rw,lowerdir=/a
"""
SWAPS = "Filename\t\tType\t\tSize\tUsed\tPriority\n/dev/dm-2 partition 8000000 0 -2\n/dev/sdi2 partition 500000 0 -3\n"


def record(root, rows):
    """Lays the rows out under root/sys as sysfs does; what /dev says of them."""
    (root / "sys/class/block").mkdir(parents=True)
    (root / "sys/dev/block").mkdir(parents=True)
    numbers = {}
    for path, number, sectors, more in rows:
        folder = root / "sys/devices" / path
        defaults = {"dev": number, "size": str(sectors), "ro": "0"}
        if "partition" not in more:
            defaults["queue/logical_block_size"] = "512"
        (folder / "holders").mkdir(parents=True)
        (folder / "slaves").mkdir()
        for name, value in (defaults | more).items():
            if isinstance(value, list):
                for other in value:
                    (folder / name / other).touch()
            else:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(value + "\n")
        for link in (f"class/block/{folder.name}", f"dev/block/{number}"):
            (root / "sys" / link).symlink_to(f"../../devices/{path}")
        numbers[f"/dev/{folder.name}"] = os.makedev(*map(int, number.split(":")))

    def stat_of(path):
        if str(path) not in numbers:
            raise FileNotFoundError(2, "No such file or directory")
        return types.SimpleNamespace(st_mode=0o060660, st_rdev=numbers[str(path)])

    return stat_of
