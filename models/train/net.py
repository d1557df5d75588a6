"""The scout network: a convolutional encoder with a centre heat-map, and a small causal decoder.

The encoder gives dense maps at stride 8 (one channel per class or attribute, CenterNet: Zhou et al.
2019, arXiv 1904.07850) and boxes as distances to the four sides (FCOS: Tian et al. 2019, arXiv
1904.01355). The image tokens are an 8 x 8 grid; each carries pooled features, the peaks of the dense
maps in its cell, and a summary of the peaks of the whole frame, so that the decoder can count.
"""

import torch
import torch.nn.functional as F
from torch import nn

from labels import BAGS, CHANNELS, INDEX, OBJECTS

GRID = 8
STRIDE = 8
HIDDEN = 128
LAYERS = 2
HEADS = 4
KV_HEADS = 2
HEAD_DIM = HIDDEN // HEADS
MLP = 256
ROPE_BASE = 10000.0
NORM_EPS = 1e-5
TOP_K = 100


def conv(cin, cout, kernel=3, stride=1):
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(cout), nn.ReLU(inplace=True))


class Block(nn.Module):
    """A residual block that squeezes to half the channels between two 3x3 convolutions."""

    def __init__(self, channels):
        super().__init__()
        self.squeeze = conv(channels, channels // 2)
        self.expand = nn.Sequential(
            nn.Conv2d(channels // 2, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))
        nn.init.zeros_(self.expand[1].weight)

    def forward(self, x):
        return F.relu(x + self.expand(self.squeeze(x)))


class Encoder(nn.Module):
    """Dense maps and features of images [B, 3, S, S] (S a multiple of 32, pixels in -1..1)."""

    def __init__(self, pyramid=96, deep=256):
        super().__init__()
        self.stem = conv(3, 24, 3, 2)
        self.s4 = nn.Sequential(conv(24, 48, 3, 2), Block(48))
        self.s8 = nn.Sequential(conv(48, 96, 3, 2), Block(96), Block(96))
        self.s16 = nn.Sequential(conv(96, 160, 3, 2), Block(160), Block(160))
        self.s32 = nn.Sequential(conv(160, deep, 3, 2), Block(deep), Block(deep))
        self.context = nn.Linear(deep, deep)
        self.lateral32 = nn.Conv2d(deep, pyramid, 1)
        self.lateral16 = nn.Conv2d(160, pyramid, 1)
        self.lateral8 = nn.Conv2d(96, pyramid, 1)
        self.smooth16 = conv(pyramid, pyramid)
        self.smooth8 = conv(pyramid, pyramid)
        self.heat_tower = conv(pyramid, pyramid)
        self.heat = nn.Conv2d(pyramid, len(CHANNELS), 1)
        self.box_tower = conv(pyramid, 64)
        self.box = nn.Conv2d(64, 4, 1)
        nn.init.constant_(self.heat.bias, -3.5)
        nn.init.normal_(self.heat.weight, std=0.01)
        nn.init.normal_(self.box.weight, std=0.01)
        nn.init.constant_(self.box.bias, 0.5)

    def forward(self, x):
        c8 = self.s8(self.s4(self.stem(x)))
        c16 = self.s16(c8)
        c32 = self.s32(c16)
        c32 = c32 + self.context(c32.mean((2, 3)))[:, :, None, None]
        p32 = self.lateral32(c32)
        p16 = self.smooth16(self.lateral16(c16) + F.interpolate(p32, scale_factor=2.0))
        p8 = self.smooth8(self.lateral8(c8) + F.interpolate(p16, scale_factor=2.0))
        # Distances to the sides in frame widths: 8 * exp(b) pixels of a 256-pixel frame, clamped.
        heat = self.heat(self.heat_tower(p8)).float()
        sides = self.box(self.box_tower(p8)).float().clamp(-4.0, 4.0).exp() / 32.0
        return {"c32": c32.float(), "heat": heat, "sides": sides}


def peaks(heat):
    """Probabilities kept only where they are the highest of their 3x3 neighbourhood."""
    prob = heat.sigmoid()
    return prob * (F.max_pool2d(prob, 3, 1, 1) == prob).float()


def peaks_of_all(heat):
    """Peaks of every channel; "in queue" is read at people's peaks and "unattended" at bags' peaks."""
    top = peaks(heat)
    prob = heat.sigmoid()
    queue, alone = INDEX["in_queue"], INDEX["unattended"]
    first, last = INDEX[BAGS[0]], INDEX[BAGS[-1]] + 1
    person = top[:, INDEX["person"]:INDEX["person"] + 1]
    bag = top[:, first:last].amax(1, keepdim=True)
    return torch.cat([top[:, :queue], person * prob[:, queue:queue + 1],
                      bag * prob[:, alone:alone + 1]], 1)


def to_grid(x):
    """``F.adaptive_avg_pool2d(x, GRID)`` as two matrix products, which export with free height and width.

    Of a map that has the size of the grid it is the map itself, bit for bit.
    """
    def rows(length):
        cell, at = torch.arange(GRID, device=x.device)[:, None], torch.arange(length, device=x.device)[None]
        first = torch.div(cell * length, GRID, rounding_mode="trunc")
        end = torch.div((cell + 1) * length + GRID - 1, GRID, rounding_mode="trunc")
        inside = ((at >= first) & (at < end)).to(x.dtype)
        return inside / inside.sum(1, keepdim=True)

    return rows(x.shape[2]) @ x @ rows(x.shape[3]).transpose(0, 1)


def blocks(x):
    """A dense map cut into the cells of the grid: [B, C, GRID, k, GRID, k], every number of the map twice in
    both directions, so that all sides of images that are multiples of 32 pixels come out even."""
    x = F.interpolate(x, scale_factor=2.0)
    batch, channels, height, width = x.shape
    return x.reshape(batch, channels, GRID, height // GRID, GRID, width // GRID)


def raw_tokens(maps):
    """What the connector sees: per-cell vectors [B, 64, C] and a frame vector [B, G].

    The dense maps are detached: the language loss shapes the encoder through the features only.
    """
    heat = maps["heat"].detach()
    top = peaks_of_all(heat)
    soft = ((top - 0.08) / 0.15).clamp(0.0, 1.0)
    firm = ((top - 0.25) / 0.2).clamp(0.0, 1.0)
    c32 = to_grid(maps["c32"])
    local = torch.cat([blocks(soft).sum((3, 5)) / 4.0, blocks(top).amax((3, 5)) * 2.0], 1)
    cells = torch.cat([c32, local], 1).flatten(2).transpose(1, 2)
    best = heat.flatten(2).amax(2)
    soft, firm = soft.sum((2, 3)), firm.sum((2, 3))
    frame = torch.cat([best / 3.0, soft / 4.0, firm / 4.0, (soft + 1.0).log(), (firm + 1.0).log()], 1)
    return cells, frame


class Connector(nn.Module):
    """Turns raw tokens into image features [B, 64, HIDDEN]."""

    def __init__(self, deep=256):
        super().__init__()
        channels = len(CHANNELS)
        self.cells = nn.Linear(deep + 2 * channels, HIDDEN)
        self.frame = nn.Sequential(nn.Linear(5 * channels, 256), nn.ReLU(), nn.Linear(256, HIDDEN))
        self.frame_direct = nn.Linear(5 * channels, HIDDEN)
        self.position = nn.Parameter(torch.randn(GRID * GRID, HIDDEN) * 0.02)

    def forward(self, cells, frame):
        summary = self.frame(frame) + self.frame_direct(frame)
        return self.cells(cells) + summary[:, None] + self.position


class Norm(nn.Module):
    """Root-mean-square normalisation, written out so that it exports to plain operators."""

    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + NORM_EPS) * self.weight


def rotary(positions):
    """Cosines and sines [B, 1, S, HEAD_DIM] of the rotary position embedding."""
    steps = torch.arange(0, HEAD_DIM, 2, device=positions.device, dtype=torch.float32) / HEAD_DIM
    angles = positions[:, None, :, None].float() * (1.0 / ROPE_BASE ** steps)
    angles = torch.cat([angles, angles], -1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    """Applies the rotary embedding to [B, heads, S, HEAD_DIM]."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def shared(x, group):
    """Repeats each key/value head for the query heads of its group."""
    batch, heads, length, size = x.shape
    x = x[:, :, None].expand(batch, heads, group, length, size)
    return x.reshape(batch, heads * group, length, size)


class Layer(nn.Module):
    """One Llama-style decoder layer with grouped key/value heads."""

    def __init__(self):
        super().__init__()
        self.attention_norm = Norm(HIDDEN)
        self.query = nn.Linear(HIDDEN, HEADS * HEAD_DIM, bias=False)
        self.key = nn.Linear(HIDDEN, KV_HEADS * HEAD_DIM, bias=False)
        self.value = nn.Linear(HIDDEN, KV_HEADS * HEAD_DIM, bias=False)
        self.output = nn.Linear(HEADS * HEAD_DIM, HIDDEN, bias=False)
        self.mlp_norm = Norm(HIDDEN)
        self.gate = nn.Linear(HIDDEN, MLP, bias=False)
        self.up = nn.Linear(HIDDEN, MLP, bias=False)
        self.down = nn.Linear(MLP, HIDDEN, bias=False)

    def forward(self, x, cos, sin, bias, past):
        """``bias`` [B, 1, S, T] is added to the attention scores; ``past`` is a (key, value) pair."""
        batch, length, _ = x.shape
        h = self.attention_norm(x)
        q = rotate(self.query(h).view(batch, length, HEADS, HEAD_DIM).transpose(1, 2), cos, sin)
        k = rotate(self.key(h).view(batch, length, KV_HEADS, HEAD_DIM).transpose(1, 2), cos, sin)
        v = self.value(h).view(batch, length, KV_HEADS, HEAD_DIM).transpose(1, 2)
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        present = (k, v)
        group = HEADS // KV_HEADS
        k, v = shared(k, group), shared(v, group)
        weights = (q @ k.transpose(2, 3) * HEAD_DIM ** -0.5 + bias).softmax(-1)
        h = (weights @ v).transpose(1, 2).reshape(batch, length, HEADS * HEAD_DIM)
        x = x + self.output(h)
        h = self.mlp_norm(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h)), present


class Decoder(nn.Module):
    """The causal language decoder; its output weights are those of the embedding."""

    def __init__(self, vocabulary):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, HIDDEN)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = Norm(HIDDEN)

    def forward(self, embeds, positions, bias, past=None):
        """Logits [B, S, V] and the key/value pairs of each layer."""
        cos, sin = rotary(positions)
        present = []
        x = embeds
        for i, layer in enumerate(self.layers):
            x, pair = layer(x, cos, sin, bias, past[i] if past else None)
            present.append(pair)
        return F.linear(self.norm(x) * 0.25, self.embed.weight * 4.0), present


class Scout(nn.Module):
    """Encoder, connector and decoder together."""

    def __init__(self, vocabulary):
        super().__init__()
        self.encoder = Encoder()
        self.connector = Connector()
        self.decoder = Decoder(vocabulary)

    def answer_logits(self, features, packed):
        """Logits [B, L, V] of packed questions (see ``batch.pack_questions``)."""
        embeds = self.decoder.embed(packed["ids"])
        start = packed["image_start"]
        embeds = torch.cat([embeds[:, :start], features.to(embeds.dtype),
                            embeds[:, start + features.shape[1]:]], 1)
        return self.decoder(embeds, packed["positions"], packed["bias"])[0]


def decode(maps, channels=range(len(OBJECTS)), top_k=TOP_K):
    """Detections [B, top_k, 6]: x, y, w, h (0..1, top-left), raw score 0..1, index in ``channels``.

    A detection is a cell that is the highest of its 3x3 neighbourhood in the map of its class.
    """
    sides = maps["sides"]
    prob = peaks(maps["heat"][:, list(channels)])
    columns = prob.shape[3]
    cells = prob.shape[2] * columns
    score, index = prob.flatten(1).topk(top_k, dim=1)
    label = torch.div(index, cells, rounding_mode="floor")
    cell = index - label * cells
    cy = torch.div(cell, columns, rounding_mode="floor")
    cx = cell - cy * columns
    at = sides.flatten(2).gather(2, cell[:, None].expand(-1, 4, -1))
    x, y = (cx.float() + 0.5) / columns, (cy.float() + 0.5) / prob.shape[2]
    left, top = (x - at[:, 0]).clamp(0, 1), (y - at[:, 1]).clamp(0, 1)
    right, bottom = (x + at[:, 2]).clamp(0, 1), (y + at[:, 3]).clamp(0, 1)
    return torch.stack([left, top, right - left, bottom - top, score, label.float()], 2)
