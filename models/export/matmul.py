"""How the weights of matrix products are kept, and the nodes that multiply by them."""

import dataclasses

import numpy as np
from onnx import TensorProto

MICROSOFT = "com.microsoft"


@dataclasses.dataclass(frozen=True)
class Precision:
    """One variant of a package."""

    name: str
    # Bits of a weight: 32, 16, 8 or 4.
    bits: int
    # Whether activations, keys and values are f16.
    half: bool
    what: str


PRECISIONS = {
    p.name: p
    for p in (
        Precision("f32", 32, False, "32-bit weights and arithmetic"),
        Precision("fp16", 16, True, "16-bit weights, keys and values"),
        Precision("int8", 8, False, "8-bit weights, a scale an output; activations are quantised as they come"),
        Precision("q4", 4, False, "4-bit weights in blocks of 32"),
        Precision("q4f16", 4, True, "4-bit weights in blocks of 32; 16-bit keys and values"),
    )
}
BLOCK = 32


def quantise_rows(weight):
    """`weight` [outputs, inputs] as int8 in -127..127, and a scale an output."""
    largest = np.abs(weight).max(axis=1, keepdims=True)
    scale = np.where(largest == 0, 1, largest / 127).astype(np.float32)
    return np.rint(weight / scale).clip(-127, 127).astype(np.int8), scale[:, 0]


def quantise_blocks(weight, bits=4, block=BLOCK):
    """`weight` [outputs, inputs] for MatMulNBits: [outputs, blocks, block * bits / 8] and scales
    [outputs, blocks]; symmetric, the zero point is the middle."""
    outputs, inputs = weight.shape
    blocks = -(-inputs // block)
    padded = np.zeros((outputs, blocks * block), np.float32)
    padded[:, :inputs] = weight
    padded = padded.reshape(outputs, blocks, block)
    # The largest number takes the one end that has a step more.
    peak = np.take_along_axis(padded, np.abs(padded).argmax(2, keepdims=True), 2)
    middle = 1 << (bits - 1)
    scale = -peak / middle
    steps = np.divide(padded, scale, out=np.zeros_like(padded), where=scale != 0)
    levels = (np.rint(steps).clip(-middle, middle - 1) + middle).astype(np.uint8)
    if bits == 4:
        levels = levels[:, :, 0::2] | levels[:, :, 1::2] << 4
    return levels, scale[:, :, 0]


def kept(name, weight, precision):
    """`weight` as `precision` keeps it, in f32: what the reference must compute with for its numbers
    to be those of the same model. `name` is that of `graphs.py`."""
    weight = np.asarray(weight, np.float32)
    product = weight.ndim == 2 and name not in ("vision.table", "text.embedding")
    if name == "text.embedding" and precision.bits in (4, 16):
        return weight.astype(np.float16).astype(np.float32)
    if precision.bits == 8 and (product or name == "text.embedding"):
        levels, scale = quantise_rows(weight)
        return levels * scale[:, None]
    if precision.bits == 4 and product:
        levels, scale = quantise_blocks(weight)
        whole = np.stack([levels & 15, levels >> 4], -1).reshape(*levels.shape[:2], BLOCK).astype(np.float32) - 8
        scale = scale.astype(np.float16).astype(np.float32) if precision.half else scale
        return (whole * scale[:, :, None]).reshape(len(weight), -1)[:, : weight.shape[1]]
    return weight.astype(np.float16).astype(np.float32) if precision.half else weight


class MatMuls:
    """`per_token`: with 8 bits, every token has its own scale, so that what a token gives does not
    depend on which others are in the batch. Else all tokens of a run share one, which is faster."""

    def __init__(self, graph, precision, per_token):
        self.graph, self.bits, self.per_token = graph, precision.bits, per_token
        # Zero points, one a token, are the same for all products of as many tokens: `rows` names which.
        self.rows, self.zeros = "all", {}

    def _levels(self, x):
        """`x` in 8 bits, the scale and zero point that all of it has, and what else each token is
        to be multiplied by."""
        graph = self.graph
        if not self.per_token:
            return *graph.op("DynamicQuantizeLinear", x, outputs=(0, 1, 2)), None
        largest = graph.op("ReduceMax", graph.op("Abs", x), graph.ints(-1), keepdims=0)
        scale = graph.op("Mul", graph.op("Max", largest, graph.scalar(1e-20)), graph.scalar(1 / 127))
        if self.rows not in self.zeros:
            self.zeros[self.rows] = graph.op("Expand", graph.scalar(128, np.uint8), graph.op("Shape", scale))
        levels = graph.op("QuantizeLinear", x, scale, self.zeros[self.rows], axis=0)
        return levels, graph.scalar(1.0), graph.scalar(128, np.uint8), graph.op("Unsqueeze", scale, graph.ints(1))

    def linear(self, x, name, weight, bias):
        """x [..., inputs] times `weight` [outputs, inputs], as PyTorch keeps it, plus `bias`. With
        a scale a token, x is [tokens, inputs]."""
        graph = self.graph
        weight = np.asarray(weight)
        bias = None if bias is None else graph.floats(f"{name}.bias", bias)
        if self.bits == 8:
            levels, scale = quantise_rows(weight)
            of_x, scale_of_x, zero_of_x, each = self._levels(x)
            zero = graph.weight(f"{name}.zero", np.zeros(len(scale), np.int8))
            inputs = [of_x, graph.weight(f"{name}.levels", levels.T), scale_of_x,
                      graph.weight(f"{name}.scale", scale), zero_of_x, zero]
            if not each:
                return graph.op("MatMulIntegerToFloat", *inputs, *([bias] if bias else []), domain=MICROSOFT)
            made = graph.op("Mul", graph.op("MatMulIntegerToFloat", *inputs, domain=MICROSOFT), each)
            return graph.op("Add", made, bias) if bias else made
        if self.bits == 4:
            levels, scale = quantise_blocks(weight.astype(np.float32))
            made = graph.op(
                "MatMulNBits", x, graph.weight(f"{name}.levels", levels),
                graph.floats(f"{name}.scale", scale.reshape(-1)), domain=MICROSOFT,
                K=weight.shape[1], N=weight.shape[0], bits=4, block_size=BLOCK, accuracy_level=4,
            )
        else:
            made = graph.op("MatMul", x, graph.floats(f"{name}.weight", weight.T))
        return graph.op("Add", made, bias) if bias else made

    def table(self, ids, name, weight):
        """The rows `ids` of `weight`, in the type that the outside speaks."""
        graph = self.graph
        weight = np.asarray(weight)
        if self.bits == 8:
            # A scale a row: tokens that are rare have small rows.
            levels, scale = quantise_rows(weight)
            rows = graph.op("Gather", graph.weight(f"{name}.levels", levels), ids)
            rows = graph.op("Cast", rows, to=TensorProto.FLOAT)
            return graph.op("Mul", rows, graph.op("Gather", graph.weight(f"{name}.scale", scale[:, None]), ids))
        if self.bits in (4, 16):
            rows = graph.op("Gather", graph.weight(f"{name}.weight", weight.astype(np.float16)), ids)
            return rows if graph.outside == TensorProto.FLOAT16 else graph.op("Cast", rows, to=TensorProto.FLOAT)
        return graph.op("Gather", graph.weight(f"{name}.weight", weight.astype(np.float32)), ids)
