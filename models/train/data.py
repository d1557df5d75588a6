"""The training pack and rendered stills as cached arrays and trusted labels.

Images are cached as uint8 squares (``.cache/scout/*.npy``), squashed as the camera squashes a frame.
Labels become, per image: boxes with their channels, the channels whose absence is known (and how well),
and the channels whose boxes are complete enough to count.
"""

import hashlib
import json
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image

from labels import BAGS, INDEX, PLACED, SET_ABSENT

CACHE_SIZE = 320
"""Side of the cached training squares, pixels: room for crops of a 256-pixel input."""
INPUT_SIZE = 256
SIZES = (224, 192, 160, 128)
"""Smaller sides at which the graph is checked and measured; any multiple of 32 works."""
FIRST_RESIZE = 512
"""Long side of the first resize of the camera (``size.longest_edge``), pixels."""
HOLDOUT_SHARE = 0.08
"""Share of the training groups kept out of training, to calibrate on."""
MIN_HEIGHT = 0.04
MAX_BOXES = 10
RENDERED = "rendered"


@dataclass
class Row:
    """One image. ``boxes`` [n, 4] are x, y, w, h in 0..1; ``channels`` lists a set a box."""

    path: str
    set_name: str
    split: str
    boxes: np.ndarray
    channels: list
    complete: set
    absent: set
    weak_absent: set
    sums: dict


def _attribute_channels(box):
    """Attribute channels that a box's ``attr`` switches on."""
    attr, found = box.get("attr") or {}, set()
    for name in ("hard_hat", "safety_vest"):
        if name in attr:
            found.add(name if attr[name] else f"no_{name}")
    if "lying" in str(attr.get("posture", "")):
        found.add("lying")
    return found


def _row(record, set_name, base):
    boxes, channels = [], []
    for box in record["boxes"]:
        if box["label"] in INDEX and INDEX[box["label"]] < INDEX["hard_hat"]:
            boxes.append([box["x"], box["y"], box["w"], box["h"]])
            told = {name for name in PLACED if box.get(name)}
            channels.append({box["label"]} | _attribute_channels(box) | told)
    present = set().union(*channels) if channels else set()
    complete = {c for c in record["complete_labels"] if c in INDEX}
    absent = {c for c in complete if c not in present}
    absent |= {c for c in record.get("auto_absent", []) if c in INDEX and c not in present}
    weak = {c for c, sets in SET_ABSENT.items() if set_name in sets} - present - absent
    people = [b for b in record["boxes"] if b["label"] == "person"]
    if people and "person" in complete:
        for name in ("hard_hat", "safety_vest"):
            if all(name in (b.get("attr") or {}) for b in people):
                complete |= {name, f"no_{name}"}
        if all("posture" in (b.get("attr") or {}) for b in people):
            complete.add("lying")
    sums = {}
    facts = record.get("facts")
    if facts is not None:
        # No place to queue at in view means nobody queues.
        sums = {"in_queue": facts["in_queue"] or 0, "unattended": facts["unattended_bags"]}
    absent |= {c for c in complete if c not in present}
    image = Path(base) / record["image"]
    group = f"{set_name}/{record.get('group', record['image'])}"
    split = record["split"]
    if split == "train":
        slot = int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) / 2**32
        split = "holdout" if slot < HOLDOUT_SHARE else "train"
    return Row(str(image), set_name, split, np.array(boxes, np.float32).reshape(-1, 4), channels,
               complete, absent, weak, sums)


def load_rows(data, rendered=None):
    """All rows of the pack in folder ``data``, then those of the rendered stills under a folder, if any."""
    rows = []
    for file in sorted(Path(data).glob("*/annotations.jsonl")):
        for line in file.read_text().splitlines():
            record = json.loads(line)
            base = data if (Path(data) / record["image"]).exists() else file.parent
            rows.append(_row(record, file.parent.name, base))
    for file in sorted(Path(rendered).glob("**/annotations.jsonl")) if rendered else []:
        for line in file.read_text().splitlines():
            rows.append(_row(json.loads(line), RENDERED, file.parent))
    if not rows:
        raise SystemExit(f"no annotations.jsonl under {data}: pass the folder of the pack with --data")
    return rows


def squash(path, size):
    """The image squashed to a square the way the camera does it: two Lanczos resizes.

    At ``CACHE_SIZE``, which only the training crops from, it is one.
    """
    with Image.open(path) as file:
        image = file.convert("RGB")
    if size != CACHE_SIZE:
        scale = FIRST_RESIZE / max(image.size)
        first = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        image = image.resize(first, Image.LANCZOS)
    return np.asarray(image.resize((size, size), Image.LANCZOS))


def _squash_job(job):
    return squash(*job)


class Chain:
    """Arrays read as one, one after another."""

    def __init__(self, parts):
        self.places = [(part, i) for part in parts for i in range(len(part))]

    def __len__(self):
        return len(self.places)

    def __getitem__(self, i):
        part, at = self.places[i]
        return part[at]


def cached_images(rows, size, folder, name):
    """The rows' images as uint8 arrays [size, size, 3]: memory-mapped files, built on first use.

    The real images and the stills have a file each, so that new stills leave the rest as it is.
    """
    parts, run = [], []
    for row in rows:
        if run and (row.set_name == RENDERED) != (run[-1].set_name == RENDERED):
            parts.append(run)
            run = []
        run.append(row)
    return Chain([_cached(part, size, Path(folder), name) for part in (*parts, run)])


def _cached(rows, size, folder, name):
    folder.mkdir(parents=True, exist_ok=True)
    key = hashlib.sha256("\n".join(r.path for r in rows).encode()).hexdigest()[:12]
    path = folder / f"{name}-{size}-{key}.npy"
    if not path.exists():
        part = path.with_suffix(".part.npy")
        shape = (len(rows), size, size, 3)
        array = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
        with Pool(2) as pool:
            jobs = ((r.path, size) for r in rows)
            for i, image in enumerate(pool.imap(_squash_job, jobs, chunksize=32)):
                array[i] = image
        array.flush()
        part.rename(path)
    return np.load(path, mmap_mode="r")


def sampling_weights(rows, rendered_share=0.45):
    """Probability of each row: sets count with the square root of their size, stills take a share."""
    sizes = {}
    for row in rows:
        sizes[row.set_name] = sizes.get(row.set_name, 0) + 1
    weight = np.array([sizes[r.set_name] ** -0.5 for r in rows])
    # A scene with several classes, or a rare one, is worth more looks.
    rare = {"bus", "truck", "bicycle", "dog", "parcel"} | set(BAGS)
    for i, row in enumerate(rows):
        if any(rare & c for c in row.channels):
            weight[i] *= 1.7
    is_rendered = np.array([r.set_name == RENDERED for r in rows])
    if is_rendered.any() and not is_rendered.all():
        weight[is_rendered] *= rendered_share / weight[is_rendered].sum()
        weight[~is_rendered] *= (1 - rendered_share) / weight[~is_rendered].sum()
    return weight / weight.sum()
