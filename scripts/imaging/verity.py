"""The root as one file: squashfs, followed by the tree of hashes that dm-verity checks it with."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from .debian import BuildError
from .tools import Tools

BLOCK = 4096


@dataclass(frozen=True)
class Verity:
    """What it takes to open the root. Blocks of 4096 bytes."""

    root_hash: str
    salt: str
    data_blocks: int
    # The first block of the tree of hashes, after its superblock.
    hash_start: int


def pack(root: Path, epoch: int, tools: Tools, target: Path) -> Verity:
    """Packs `root` into `target` and appends its hashes. The same root gives the same bytes."""
    target.unlink(missing_ok=True)
    tools.run(
        "mksquashfs", str(root), str(target), "-quiet", "-no-progress", "-comp", "zstd", "-Xcompression-level", "15", "-b", "131072",
        "-all-root", "-no-xattrs", "-mkfs-time", str(epoch), "-no-exports", "-noappend",
    )
    size = target.stat().st_size
    size += -size % BLOCK
    with target.open("r+b") as opened:
        opened.truncate(size)
    # A salt that is secret would gain nothing, and one that is random would make each build another.
    salt = hashlib.sha256(b"watchword").hexdigest()
    printed = tools.run(
        "veritysetup", "format", f"--hash-offset={size}", f"--salt={salt}", "--uuid=00000000-0000-4000-8000-000000000000",
        f"--data-blocks={size // BLOCK}", str(target), str(target),
    )
    found = re.search(r"Root hash:\s+([0-9a-f]{64})", printed)
    if found is None:
        raise BuildError(f"veritysetup told no root hash:\n{printed}")
    return Verity(found[1], salt, size // BLOCK, size // BLOCK + 1)
