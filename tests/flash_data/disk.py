"""Makes a small camera disk with a partition table, a FAT and a map of its own."""

import hashlib
import json
import random
import struct
import subprocess
import uuid
import zlib

MIB = 1 << 20
BLOCK = 4096
SIZE = 8 * MIB
ESP_AT, ESP_SIZE = 1 * MIB, 3 * MIB
ROOT_AT, ROOT_SIZE = 4 * MIB, 2 * MIB
ESP = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
BASIC = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")


def gpt(size, parts):
    """(first 17 KiB, last 16.5 KiB) of a disk: protective MBR and both tables."""
    sectors = size // 512
    entries = b"".join(
        struct.pack("<16s16sQQQ72s", kind.bytes_le, uuid.uuid5(BASIC, label).bytes_le, at // 512,
                    (at + length) // 512 - 1, 0, label.encode("utf-16-le"))
        for label, kind, at, length in parts).ljust(128 * 128, b"\0")

    def header(own, other, table):
        fields = [b"EFI PART", 0x10000, 92, 0, 0, own, other, 34, sectors - 34,
                  BASIC.bytes_le, table, 128, 128, zlib.crc32(entries)]
        pack = "<8sIIIIQQQQ16sQIII"
        fields[3] = zlib.crc32(struct.pack(pack, *fields))
        return struct.pack(pack, *fields).ljust(512, b"\0")

    mbr = bytearray(512)
    mbr[446:462] = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, sectors - 1)
    mbr[510:] = b"\x55\xaa"
    return (bytes(mbr) + header(1, sectors - 1, 2) + entries,
            entries + header(sectors - 1, 1, sectors - 33))


def bmap(data):
    """A map of the blocks that are not all zeros, as bmaptool 2.0 writes it."""
    ranges, at = [], 0
    blocks = [data[i:i + BLOCK].count(0) != BLOCK for i in range(0, len(data), BLOCK)]
    while at < len(blocks):
        end = at
        while end < len(blocks) and blocks[end]:
            end += 1
        if end > at:
            digest = hashlib.sha256(data[at * BLOCK:end * BLOCK]).hexdigest()
            ranges.append(f'<Range chksum="{digest}"> {at}{f"-{end - 1}" if end > at + 1 else ""} </Range>')
        at = max(end, at + 1)
    text = (f'<?xml version="1.0" ?>\n<bmap version="2.0">\n<ImageSize> {len(data)} </ImageSize>\n'
            f"<BlockSize> {BLOCK} </BlockSize>\n<BlocksCount> {len(blocks)} </BlocksCount>\n"
            f"<MappedBlocksCount> {sum(blocks)} </MappedBlocksCount>\n"
            f"<ChecksumType> sha256 </ChecksumType>\n<BmapFileChecksum> {'0' * 64} </BmapFileChecksum>\n"
            f"<BlockMap>\n{chr(10).join(ranges)}\n</BlockMap>\n</bmap>\n")
    return text.replace("0" * 64, hashlib.sha256(text.encode()).hexdigest())


def make_disk(folder, esp_kind=ESP, esp_label="esp", root_kind=BASIC):
    """The bytes of a small camera disk: a FAT with one file, a root, holes."""
    fat = folder / "fat"
    fat.write_bytes(bytes(ESP_SIZE))
    subprocess.run(["mkfs.vfat", "-n", "ESP", "-i", "c0ffee00", fat], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mcopy", "-i", fat, "-", "::loader.efi"], input=b"boots" * 1000, check=True)
    data = bytearray(SIZE)
    first, last = gpt(SIZE, [(esp_label, esp_kind, ESP_AT, ESP_SIZE),
                             ("rootfs-a", root_kind, ROOT_AT, ROOT_SIZE),
                             ("data", BASIC, ROOT_AT + ROOT_SIZE, MIB)])
    data[:len(first)], data[-len(last):] = first, last
    data[ESP_AT:ESP_AT + ESP_SIZE] = fat.read_bytes()
    data[ROOT_AT:ROOT_AT + ROOT_SIZE // 2] = random.Random(5).randbytes(ROOT_SIZE // 2)
    return bytes(data)


def lay_out(folder, data, board="qemu-virt"):
    """The folder that scripts/image leaves: image, map, manifest."""
    folder.mkdir()
    path = folder / f"watchword-{board}.img"
    path.write_bytes(data)
    (folder / f"{path.name}.bmap").write_text(bmap(data))
    (folder / "manifest.json").write_text(json.dumps({"v": 1, "board": board, "image": {
        "file": path.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}}))
    return path
