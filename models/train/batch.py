"""Batches: augmented crops, dense targets, and packed questions."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from labels import CHANNELS, INDEX, MAX_COUNT, OBJECTS, PLACED
from data import MAX_BOXES, MIN_HEIGHT, RENDERED
from questions import View, ask, make_rng

KEEP_VISIBLE = 0.4
"""A box stays if at least this share of it is inside the crop."""
DROP_VISIBLE = 0.1
"""Less than this share left: the object counts as gone. In between, its class is unknown."""
MOSAIC_SHARE = 0.15
WEAK = 0.4
"""Weight of the dense loss where absence rests on the nature of a set."""


def crop_theta(rng, zoom_out=1.25, whole=0.25):
    """A random crop: (scale x, scale y, centre x, centre y, flip) in units of the frame.

    ``whole``: how often the frame stays whole.
    """
    if rng.random() < whole:
        side = 1.0
    else:
        side = math.exp(rng.uniform(math.log(0.5), math.log(zoom_out)))
    aspect = math.exp(rng.uniform(-0.25, 0.25))
    sx, sy = side * math.sqrt(aspect), side / math.sqrt(aspect)
    cx = 0.5 + rng.uniform(-0.5, 0.5) * abs(1 - sx)
    cy = 0.5 + rng.uniform(-0.5, 0.5) * abs(1 - sy)
    return sx, sy, cx, cy, rng.random() < 0.5


IDENTITY = (1.0, 1.0, 0.5, 0.5, False)


def theta_matrix(theta):
    """The 2x3 matrix for ``affine_grid`` of a crop."""
    sx, sy, cx, cy, flip = theta
    return [[-sx if flip else sx, 0.0, 2 * cx - 1], [0.0, sy, 2 * cy - 1]]


def move_boxes(row, theta, place):
    """Boxes of a row after a crop, put into ``place`` (x, y, side) of the canvas.

    Returns (boxes, channels, unsure, moved): ``unsure`` holds channels of half-visible boxes, ``gone``
    is true where any box left the frame.
    """
    sx, sy, cx, cy, flip = theta
    px, py, side = place
    boxes, channels, unsure = [], [], set()
    gone = False
    for box, names in zip(row.boxes, row.channels):
        x0, y0 = (box[0] - cx) / sx + 0.5, (box[1] - cy) / sy + 0.5
        x1, y1 = x0 + box[2] / sx, y0 + box[3] / sy
        if flip:
            x0, x1 = 1 - x1, 1 - x0
        a, b = min(max(x0, 0), 1), min(max(y0, 0), 1)
        c, d = min(max(x1, 0), 1), min(max(y1, 0), 1)
        share = (c - a) * (d - b) / max((x1 - x0) * (y1 - y0), 1e-9)
        if share < KEEP_VISIBLE:
            gone = True
            if share > DROP_VISIBLE:
                unsure |= names
            continue
        boxes.append([px + a * side, py + b * side, (c - a) * side, (d - b) * side])
        channels.append(names)
    return boxes, channels, unsure, gone


def view_of(parts, boxes, channels, unsure, gone):
    """What can be asked of a frame made of one row, or of four in a mosaic."""
    present = set()
    for box, names in zip(boxes, channels):
        if box[3] >= 0.02:
            present |= names
    tiny = set()
    for box, names in zip(boxes, channels):
        if box[3] < MIN_HEIGHT:
            tiny |= names
    known = set.intersection(*[r.absent | r.complete | r.weak_absent for r in parts])
    complete = set.intersection(*[r.complete | r.absent for r in parts])
    absent = known - present - unsure - tiny
    counts = {}
    limit = MAX_COUNT if parts[0].set_name == RENDERED else MAX_BOXES
    for name in complete:
        if name in unsure or name in tiny or name in ("fire", "smoke"):
            continue
        number = sum(name in c for c in channels)
        if number <= limit:
            counts[name] = number
    queue = None
    if all(p.sums for p in parts):
        if "in_queue" not in unsure:
            queue = sum("in_queue" in c for c in channels)
        # A bag whose owner was cropped away is not left alone.
        if not gone and not any("unattended" in c for c in channels):
            absent.add("unattended")
    return View(present, absent, counts, queue)


def negative_weights(rows):
    """How often to ask about a concept where it is absent: its positives over its absences."""
    yes, no = {}, {}
    for row in rows:
        for c in set().union(*row.channels) if row.channels else set():
            yes[c] = yes.get(c, 0) + 1
        for c in row.absent | row.weak_absent:
            no[c] = no.get(c, 0) + 1
    weights = {c: (yes.get(c, 0) + 20) / (no.get(c, 0) + 20) for c in OBJECTS}
    weights["bag"] = 3 * weights["backpack"]
    weights["vehicle"] = weights["car"]
    return weights


class Batcher:
    """Draws augmented training batches; the n-th batch depends on the seed and n alone."""

    def __init__(self, rows, images, weights, words, seed=0, questions=6):
        self.rows, self.images, self.words = rows, images, words
        self.reweigh(weights)
        self.seed, self.questions = seed, questions
        self.negative = negative_weights(rows)

    def reweigh(self, weights):
        """Sets the probability of each row (their sum is 1)."""
        self.cumulative = np.cumsum(weights)

    def draw(self, n, size, batch):
        """Batch number ``n`` at ``size`` pixels: images, dense targets, packed questions."""
        rng = make_rng(self.seed, n)
        numbers = np.random.default_rng([self.seed, n])
        pick = lambda: min(int(np.searchsorted(self.cumulative, rng.random())), len(self.rows) - 1)
        singles, quarters, frames = [], [], []
        for slot in range(batch):
            if rng.random() < MOSAIC_SHARE:
                parts = []
                for q in range(4):
                    i, theta = pick(), crop_theta(rng, 1.0)
                    quarters.append((slot, q, i, theta))
                    parts.append((self.rows[i], theta, (0.5 * (q % 2), 0.5 * (q // 2), 0.5)))
            else:
                i = pick()
                theta = crop_theta(rng, whole=0.6 if self.rows[i].sums else 0.25)
                singles.append((slot, i, theta))
                parts = [(self.rows[i], theta, (0.0, 0.0, 1.0))]
            frames.append(parts)
        pixels = torch.zeros(batch, 3, size, size)
        if singles:
            pixels[[s for s, _, _ in singles]] = self._sample(
                [i for _, i, _ in singles], [t for _, _, t in singles], size, 1)
        if quarters:
            tiles = self._sample([q[2] for q in quarters], [q[3] for q in quarters], size // 2, 2)
            half = size // 2
            for tile, (slot, q, _, _) in zip(tiles, quarters):
                y, x = half * (q // 2), half * (q % 2)
                pixels[slot, :, y:y + half, x:x + half] = tile
        pixels = photometric(pixels, numbers)
        moved, views = [], []
        for parts in frames:
            boxes, channels, unsure, gone = [], [], set(), False
            for row, theta, place in parts:
                b, c, u, g = move_boxes(row, theta, place)
                boxes += b
                channels += c
                unsure |= u
                gone |= g
            moved.append((boxes, channels, unsure, gone))
            views.append(view_of([p[0] for p in parts], boxes, channels, unsure, gone))
        asked = [ask(v, rng, self.questions, self.negative) for v in views]
        targets = dense_targets([[p[0] for p in parts] for parts in frames], moved, size // 8)
        return pixels, targets, pack_questions(asked, self.words)

    def _sample(self, indices, thetas, size, shrink):
        order = torch.from_numpy(np.stack([self.images[i] for i in indices]))
        source = order.permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
        if shrink > 1:
            source = F.avg_pool2d(source, shrink)
        theta = torch.tensor([theta_matrix(t) for t in thetas], dtype=torch.float32)
        grid = F.affine_grid(theta, [len(indices), 3, size, size], align_corners=False)
        return F.grid_sample(source, grid, align_corners=False)


def photometric(pixels, numbers):
    """Random light, colour, blur, noise and occlusion of pixels in -1..1."""
    n = pixels.shape[0]
    draw = lambda low, high: torch.from_numpy(
        numbers.uniform(low, high, (n, 1, 1, 1)).astype(np.float32))
    some = lambda p: torch.from_numpy((numbers.random((n, 1, 1, 1)) < p).astype(np.float32))
    x = (pixels + 1) / 2
    grey = x.mean(1, keepdim=True)
    keep = torch.where(some(0.15) > 0, torch.zeros(n, 1, 1, 1), draw(0.5, 1.5))
    x = grey + (x - grey) * keep
    tint = torch.from_numpy(numbers.uniform(0.88, 1.12, (n, 3, 1, 1)).astype(np.float32))
    night = some(0.1)
    gain = draw(0.65, 1.35) * (1 - night) + draw(0.2, 0.5) * night
    x = (x * tint - 0.5) * draw(0.7, 1.3) + 0.5
    x = (x * gain).clamp(0, 1)
    blur = some(0.12)
    if blur.any():
        idx = blur.flatten().nonzero().flatten()
        x[idx] = F.avg_pool2d(x[idx], 3, 1, 1)
    noise = some(0.2)
    idx = noise.flatten().nonzero().flatten()
    if len(idx):
        seeded = torch.Generator().manual_seed(int(numbers.integers(2**31)))
        x[idx] += torch.randn(x[idx].shape, generator=seeded) * 0.04
    x = x.clamp(0, 1) * 2 - 1
    size = x.shape[-1]
    for i in range(n):
        if numbers.random() < 0.15:
            w, h = (numbers.uniform(0.05, 0.25, 2) * size).astype(int)
            cx, cy = (numbers.random(2) * size).astype(int)
            x[i, :, cy:cy + h, cx:cx + w] = float(numbers.uniform(-1, 1))
    return x


def dense_targets(parts, moved, side):
    """Heat-map targets and weights [B, C, side, side], and boxes to regress.

    The Gaussian has TTFNet's width (Liu et al. 2020, arXiv 1909.00700): sigma = 0.54 * size / 6.
    Where absence is not known for a channel, only the cells at its boxes are trained.
    """
    batch = len(parts)
    heat = torch.zeros(batch, len(CHANNELS), side, side)
    weight = torch.zeros(batch, len(CHANNELS), 1, 1)
    owner, centre, sigma, box_list = [], [], [], []
    for b, rows in enumerate(parts):
        for name, c in INDEX.items():
            if all(name in r.complete or name in r.absent for r in rows):
                weight[b, c] = 1.0
            elif all(name in r.complete or name in r.absent or name in r.weak_absent for r in rows):
                weight[b, c] = WEAK
        boxes, channels, unsure, gone = moved[b]
        for name in unsure:
            weight[b, INDEX[name]] = 0.0
        for box, names in zip(boxes, channels):
            for name in names - set(PLACED):
                owner.append(b * len(CHANNELS) + INDEX[name])
                centre.append([(box[0] + box[2] / 2) * side, (box[1] + box[3] / 2) * side])
                sigma.append([max(box[2] * side * 0.09, 0.4), max(box[3] * side * 0.09, 0.4)])
            if box[2] * box[3] > 0:
                box_list.append([b, *box])
    weight = weight.expand(-1, -1, side, side).clone()
    if owner:
        owner = torch.tensor(owner)
        centre = torch.tensor(centre).clamp(0, side - 1e-3).floor()
        sigma = torch.tensor(sigma)
        at = torch.arange(side, dtype=torch.float32)
        gx = torch.exp(-(at[None] - centre[:, :1]) ** 2 / (2 * sigma[:, :1] ** 2))
        gy = torch.exp(-(at[None] - centre[:, 1:]) ** 2 / (2 * sigma[:, 1:] ** 2))
        blob = gy[:, :, None] * gx[:, None, :]
        flat = heat.view(-1, side, side)
        flat.scatter_reduce_(0, owner[:, None, None].expand_as(blob), blob, "amax")
        weight[heat == 1.0] = 1.0
    placed = []
    for b, rows in enumerate(parts):
        if all(r.sums for r in rows):
            boxes, channels, _, gone = moved[b]
            placed += placed_targets(b, boxes, channels, gone, weight[b], heat[b], side)
    return {"heat": heat, "weight": weight, "boxes": box_targets(box_list, batch, side), "placed": placed}


def placed_targets(b, boxes, channels, gone, weight, heat, side):
    """(image, channel, rows, columns, truths) of channels that are read at the centres of objects.

    The channel is trained to be zero away from the objects that may have the attribute. In a crop that lost
    somebody, a bag without an owner proves nothing.
    """
    found = []
    for name, owners in PLACED.items():
        c = INDEX[name]
        mine = [(x, float(name in n)) for x, n in zip(boxes, channels) if any(o in n for o in owners)]
        near = torch.stack([heat[INDEX[o]] for o in owners]).amax(0)
        weight[c] = (near < 0.1).float()
        if name == "unattended" and gone:
            mine = [m for m in mine if m[1]]
        if mine:
            at = lambda v: torch.tensor([min(int(x * side), side - 1) for x in v])
            found.append((b, c, at([x[1] + x[3] / 2 for x, _ in mine]), at([x[0] + x[2] / 2 for x, _ in mine]),
                          torch.tensor([t for _, t in mine])))
    return found


def box_targets(box_list, batch, side):
    """Cells to regress from: the 3x3 cells round each centre that lie inside the box.

    Returns long [n, 3] (image, row, column) and float [n, 4] (x0, y0, x1, y1 in 0..1); where boxes
    compete for a cell the smaller one has it.
    """
    taken = {}
    for b, x, y, w, h in sorted(box_list, key=lambda r: -r[3] * r[4]):
        cx, cy = int(min((x + w / 2) * side, side - 1)), int(min((y + h / 2) * side, side - 1))
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                u, v = cx + dx, cy + dy
                inside = x < (u + 0.5) / side < x + w and y < (v + 0.5) / side < y + h
                if 0 <= u < side and 0 <= v < side and (inside or (dx == 0 and dy == 0)):
                    taken[(int(b), v, u)] = (x, y, x + w, y + h)
    cells = torch.tensor(list(taken) or [], dtype=torch.long).reshape(-1, 3)
    return cells, torch.tensor(list(taken.values()) or [], dtype=torch.float32).reshape(-1, 4)


def pack_questions(asked, words):
    """Packs all questions of an image behind one shared prefix.

    Each question sees the prefix and itself only. Returns ids and positions [B, L], an additive
    attention bias [B, 1, L, L], and the answers: (image, position) pairs, target ids, soft neighbours.
    """
    prefix = words.prefix()
    start = prefix.index(words.id["<image>"])
    sequences, segments, positions, places, targets, kinds = [], [], [], [], [], []
    stop = words.id["<end_of_utterance>"]
    for b, triples in enumerate(asked):
        ids, seg, pos = list(prefix), [0] * len(prefix), list(range(len(prefix)))
        for k, (question, answer, kind) in enumerate(triples, 1):
            suffix = words.suffix(question)
            reply = words.id[answer]
            places += [(b, len(ids) + len(suffix) - 1), (b, len(ids) + len(suffix))]
            targets += [reply, stop]
            kinds += [kind, "stop"]
            ids += suffix + [reply]
            seg += [k] * (len(suffix) + 1)
            pos += range(len(prefix), len(prefix) + len(suffix) + 1)
        sequences.append(ids)
        segments.append(seg)
        positions.append(pos)
    length = max(len(s) for s in sequences)
    pad = lambda rows, value: torch.tensor([r + [value] * (length - len(r)) for r in rows])
    seg = pad(segments, -1)
    causal = torch.ones(length, length).tril().bool()
    see = causal & ((seg[:, None, :] == 0) | (seg[:, :, None] == seg[:, None, :]))
    bias = torch.zeros(see.shape).masked_fill_(~see, -1e4)[:, None]
    return {"ids": pad(sequences, words.id["<pad>"]), "positions": pad(positions, 0), "bias": bias,
            "image_start": start, "places": torch.tensor(places).reshape(-1, 2),
            "targets": torch.tensor(targets), "kinds": kinds,
            "answers": [t[1] for ts in asked for t in ts],
            "questions": [t[0] for ts in asked for t in ts]}


