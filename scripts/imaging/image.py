"""`scripts/image`: a disk image for a board, from sources and packages to a file to be flashed."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from . import boot, daemon, disk, initrd, keys, kernel, rootfs, tools, verity
from .debian import BuildError, sha256
from .disk import MIB, Partition

REPOSITORY = Path(__file__).resolve().parents[2]

# Sizes are for the life of a camera: an update can't move a partition.
ESP, BOOT, ROOT, DATA = 64 * MIB, 96 * MIB, 320 * MIB, 64 * MIB
# What the root may weigh, packed.
ROOT_LIMIT = 200 * MIB

COMMAND_LINE = "ro panic=10 loglevel=5 audit=0 fsck.mode=auto fsck.repair=yes systemd.show_status=no rd.systemd.show_status=no"


class Progress:
    """Says what is done, and how long the last thing took."""

    def __init__(self) -> None:
        self.begun = self.last = time.monotonic()
        self.name: str | None = None
        self.seconds: dict[str, float] = {}

    def step(self, name: str) -> None:
        self._end()
        self.name = name
        print(f"image: {name}", flush=True)

    def _end(self) -> None:
        now = time.monotonic()
        if self.name is not None:
            self.seconds[self.name] = round(now - self.last, 1)
        self.last = now

    def done(self) -> float:
        self._end()
        self.name = None
        return time.monotonic() - self.begun


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/image", description="Builds a disk image for a board.")
    parser.add_argument("--board", required=True, help="a folder of board/ (qemu-virt, …)")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="where watchword-BOARD.img is written")
    parser.add_argument("--keyring", type=Path, metavar="PEM", help="certificate that updates are signed with (default: a development key, made once)")
    parser.add_argument("--refresh", action="store_true", help="ask for newer packages even if the lists are less than a day old")
    parser.add_argument("--anew", action="store_true", help="build even if nothing changed since the image in DIR was built")
    parser.add_argument("--same", action="store_true", help="build once more and compare with the image in DIR, byte by byte: exit 1 if it differs")
    return parser.parse_args(given)


def main(given: list[str]) -> int:
    options = arguments(given)
    try:
        build(options)
    except BuildError as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("image: stopped; what was fetched and unpacked is kept", file=sys.stderr)
        return 130
    return 0


# What the image's own boot chain can count failed starts with: GRUB, from UEFI.
COUNTERS = {"uefi"}


def counters() -> dict[str, str]:
    """Every board, and what counts its failed starts."""
    files = sorted((REPOSITORY / "board").glob("*/board.toml"))
    return {file.parent.name: tomllib.loads(file.read_text())["boot"]["counter"] for file in files}


def boards() -> list[str]:
    """Boards that an image can be made for."""
    return [name for name, counter in counters().items() if counter in COUNTERS]


def refuse_without_image(board: str) -> None:
    """Ends with a reason if no image can be made for `board`."""
    known, able = counters(), ", ".join(boards())
    if board not in known:
        raise BuildError(f"there is no board {board!r}; boards: {', '.join(known)} (with an image: {able})")
    if board not in boards():
        why = "no boot chain is described for it" if known[board] == "none" else f"it starts by way of {known[board]}, which no image has yet"
        raise BuildError(f"no image can be made for the board {board!r}: {why} (board/{board}/README.md); boards with one: {able}")


def build(options: argparse.Namespace) -> None:
    if options.same:
        compare(options)
        return
    board = options.board
    refuse_without_image(board)
    cache = Path(os.environ.get("WATCHWORD_CACHE") or REPOSITORY / ".cache").resolve()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    progress = Progress()

    progress.step("tools")
    build_tools = tools.provide(cache, tools.BUILD, "build")
    progress.step("packages")
    recipe = rootfs.Recipe.load(REPOSITORY, board)
    packages = rootfs.resolve(cache, recipe, options.refresh)
    certificate = options.keyring or keys.development(cache)
    if not certificate.is_file():
        raise BuildError(f"--keyring {certificate}: there is no such file")
    progress.step("daemon for ARM64")
    program = daemon.build(REPOSITORY, cache)
    onnxruntime = _onnxruntime()

    inputs = rootfs.Inputs(REPOSITORY, board, _version(), program, onnxruntime, certificate, _epoch())
    key = _key(inputs, packages)
    image = out / f"watchword-{board}.img"
    manifest = out / f"watchword-{board}.manifest.json"
    if not options.anew and _is_current(manifest, image, key):
        print(f"image: nothing changed since {image} was built ({progress.done():.0f} s to find out)")
        return

    progress.step("root file system")
    work = cache / "work" / board
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    staged = rootfs.stage(cache, packages, recipe)
    root = work / "root"
    weights = rootfs.build(inputs, recipe, staged, build_tools, root)
    progress.step("packing it, and its hashes")
    packed = work / "rootfs.verity"
    tree = verity.pack(root, inputs.epoch, build_tools, packed)
    size = tree.data_blocks * verity.BLOCK
    if size > ROOT_LIMIT:
        raise BuildError(f"the packed root is {size / MIB:.0f} MiB and may be {ROOT_LIMIT / MIB:.0f}: {weights}")
    progress.step("kernel, initrd, boot loader")
    release = kernel.Modules(staged / "others", build_tools).release
    initrd.build(REPOSITORY, staged, recipe.modules, tree, build_tools, work / "initrd", work / "initrd.zst")
    uki = work / "watchword.efi"
    command_line = " ".join(filter(None, [COMMAND_LINE, recipe.command_line]))
    boot.unified_kernel(staged, release, work / "initrd.zst", command_line, root / "usr/lib/os-release", build_tools, uki)
    boot.boot_partition(uki, 0x57570002, BOOT, inputs.epoch, build_tools, work / "boot.vfat")
    boot.esp(REPOSITORY, staged, ESP, inputs.epoch, build_tools, work / "esp", work / "esp.vfat")
    boot.data(DATA, inputs.epoch, build_tools, work / "data.ext4")
    progress.step("disk")
    partitions = [
        Partition("esp", "esp", ESP, work / "esp.vfat"),
        Partition("boot-a", "boot", BOOT, work / "boot.vfat"),
        Partition("boot-b", "boot", BOOT, work / "boot.vfat"),
        Partition("rootfs-a", "root", ROOT, packed),
        Partition("rootfs-b", "root", ROOT, packed),
        Partition("data", "data", DATA, work / "data.ext4"),
    ]
    manifest.unlink(missing_ok=True)
    disk.assemble(partitions, build_tools, image)
    disk.block_map(image, build_tools, Path(f"{image}.bmap"))
    told = {
        "v": 1,
        "board": board,
        "version": inputs.version,
        "inputs": key,
        "image": {"file": image.name, "bytes": image.stat().st_size, "sha256": sha256(image)},
        "bmap": {"file": f"{image.name}.bmap", "sha256": sha256(Path(f"{image}.bmap"))},
        "root": {"packed_bytes": size, "unpacked_bytes": weights, "sha256": sha256(packed), "root_hash": tree.root_hash, "tree": rootfs.digest(root)},
        "kernel": {"release": release, "uki_bytes": uki.stat().st_size, "initrd_bytes": (work / "initrd.zst").stat().st_size},
        "partitions": [{"name": partition.name, "bytes": partition.size} for partition in partitions],
        "packages": [package.line() for package in packages],
    }
    _write(manifest, told)
    # A folder has one image as a rule, and this is the name that is looked for first.
    _write(out / "manifest.json", told)
    shutil.copyfile(packed, out / f"watchword-{board}.rootfs.img")
    shutil.copyfile(work / "boot.vfat", out / f"watchword-{board}.boot.vfat")
    shutil.rmtree(work)
    total = progress.done()
    _summary(image, told, progress.seconds, total)


def compare(options: argparse.Namespace) -> None:
    """Builds in a folder of its own, and raises `BuildError` if the same inputs gave other bytes."""
    name = f"watchword-{options.board}.manifest.json"
    try:
        there = json.loads((options.out / name).read_text())
    except (OSError, ValueError) as error:
        raise BuildError(f"--same compares with the image in {options.out}, and there is none: {error}") from error
    with tempfile.TemporaryDirectory(dir=options.out) as folder:
        again = argparse.Namespace(**{**vars(options), "out": Path(folder), "same": False, "anew": True})
        build(again)
        here = json.loads((Path(folder) / name).read_text())
    if here["inputs"] != there["inputs"]:
        raise BuildError("the inputs have changed since that image was built: nothing to compare")
    for what, one, other in (
        ("files of the root", there["root"]["tree"], here["root"]["tree"]),
        ("root, packed", there["root"]["sha256"], here["root"]["sha256"]),
        ("disk image", there["image"]["sha256"], here["image"]["sha256"]),
    ):
        if one != other:
            raise BuildError(f"{what}: the same inputs gave {one[:16]}… and now {other[:16]}…")
    print("image: the same inputs gave the same bytes: root and disk image")


def _write(file: Path, told: dict) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(told, indent=1) + "\n")
    part.replace(file)


def _summary(image: Path, told: dict, seconds: dict[str, float], total: float) -> None:
    print(f"image: {image}")
    on_disk = image.stat().st_blocks * 512
    print(f"  disk          {told['image']['bytes'] / MIB:8.1f} MiB, {on_disk / MIB:.0f} of them written")
    print(f"  root, packed  {told['root']['packed_bytes'] / MIB:8.1f} MiB (of {ROOT_LIMIT / MIB:.0f} allowed), root hash {told['root']['root_hash'][:16]}…")
    for name, size in told["root"]["unpacked_bytes"].items():
        print(f"    {name:<26}{size / MIB:8.1f} MiB unpacked")
    print(f"  kernel image  {told['kernel']['uki_bytes'] / MIB:8.1f} MiB, {told['kernel']['initrd_bytes'] / MIB:.1f} of them initrd, Linux {told['kernel']['release']}")
    for name, took in seconds.items():
        print(f"  {took:6.1f} s  {name}")
    print(f"  {total:6.1f} s  in all")


def _version() -> str:
    manifest = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())
    return manifest["workspace"]["package"]["version"]


def _epoch() -> int:
    """The date of every file in the image, seconds: SOURCE_DATE_EPOCH, else that of the last commit
    that changed something in it. A camera without a clock begins there."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    inside = ["Cargo.lock", "board", "firmware", "models/scout", "pipelines"]
    asked = subprocess.run(["git", "log", "-1", "--format=%ct", "--", *inside], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    return int(asked.stdout.strip() or 1_577_836_800)


def _onnxruntime() -> Path:
    done = subprocess.run([REPOSITORY / "scripts/fetch-onnxruntime", "--arch", "aarch64"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise BuildError("ONNX Runtime for ARM64 could not be fetched (above)")
    return Path(done.stdout.strip())


def _key(inputs: rootfs.Inputs, packages: list) -> str:
    """One hash of all that goes into an image."""
    total = hashlib.sha256()
    for package in packages:
        total.update(package.line().encode())
    for folder in ("board/common", f"board/{inputs.board}", "scripts/imaging", "pipelines", "models/scout"):
        for file in sorted((REPOSITORY / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(f"{file.relative_to(REPOSITORY)} {file.stat().st_mode:o} {sha256(file)}\n".encode())
    for file in (inputs.daemon, inputs.onnxruntime, inputs.certificate):
        total.update(sha256(file).encode())
    total.update(f"{inputs.version}".encode())
    return total.hexdigest()


def _is_current(manifest: Path, image: Path, key: str) -> bool:
    try:
        told = json.loads(manifest.read_text())
    except (OSError, ValueError):
        return False
    return told.get("inputs") == key and image.is_file() and image.stat().st_size == told["image"]["bytes"] and sha256(image) == told["image"]["sha256"]
