"""The three graphs of an Idefics3 / SmolVLM model, written node by node.

Nothing is traced, so no PyTorch is needed, a 256M model takes seconds, and the graphs have the
operators that ONNX Runtime is fast with on a CPU (fused norms, rotary embeddings and GELU; keys
and values are never copied per query head). Names and shapes are those of the public export:

  vision_encoder        pixel_values f32 [B,N,3,S,S] -> image_features f32 [B*N,tokens,hidden]
  embed_tokens          input_ids i64 [B,S] -> inputs_embeds f32 [B,S,hidden]
  decoder_model_merged  inputs_embeds, attention_mask i64 [B,T], position_ids i64 [B,S],
                        past_key_values.L.{key,value} [B,heads,P,dim]
                        -> logits f32 [B,1,vocabulary], present.L.{key,value}

except that `pixel_attention_mask` is left out (a camera pads no picture) and that logits are those
of the last position only: no caller here reads the others, and they cost a third of a prefill.
What a checkpoint computes is checked against `transformers` by `reference.py`, not taken on trust.
"""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper

from matmul import MatMuls

MICROSOFT = "com.microsoft"
OPSET = 18
# Protobuf can't hold more in one file; the rest is for the nodes.
LARGEST = 2**31 - 2**22

VISION_ACTIVATIONS = {
    "gelu_pytorch_tanh": (MICROSOFT, "FastGelu"),
    "gelu_new": (MICROSOFT, "FastGelu"),
    "gelu": (MICROSOFT, "Gelu"),
    "quick_gelu": (MICROSOFT, "QuickGelu"),
}


class TooLarge(Exception):
    """A graph that does not fit in one file."""


class Graph:
    """A graph under construction. `precision` says how weights of matrix products are kept;
    `half_outside` makes an f16 graph take and give f16 like its inside, as some converters do."""

    def __init__(self, precision, per_token=True, half_outside=False):
        self.outside = TensorProto.FLOAT16 if half_outside else TensorProto.FLOAT
        self.half = precision.half
        self.nodes, self.inputs, self.outputs = [], [], []
        # What ONNX Runtime 1.21 reads. Weights go in at once: a copy of them would be gigabytes.
        self.model = onnx.ModelProto(ir_version=10, producer_name="watchword")
        self.model.opset_import.extend([helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)])
        self.constants, self.renamed, self.bytes = {}, {}, 0
        self.matmuls = MatMuls(self, precision, per_token)

    @property
    def float(self):
        """Element type of activations."""
        return TensorProto.FLOAT16 if self.half else TensorProto.FLOAT

    def input(self, name, element, shape):
        self.inputs.append(helper.make_tensor_value_info(name, element, shape))
        return name

    def output(self, source, name, element, shape):
        """Makes `source` the output `name`. It is renamed: an Identity would copy every cache."""
        self.outputs.append(helper.make_tensor_value_info(name, element, shape))
        self.renamed[source] = name

    def op(self, kind, *inputs, domain="", outputs=(0,), **attributes):
        """Appends a node; gives the names of its `outputs`, or the one name."""
        made = {i: f"{kind}_{len(self.nodes)}" + (f"_{i}" if i else "") for i in outputs}
        names = [made.get(i, "") for i in range(max(outputs) + 1)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return made[0] if len(outputs) == 1 else [made[i] for i in outputs]

    def weight(self, name, array):
        """An initializer of exactly this array."""
        array = np.ascontiguousarray(array)
        self.bytes += array.nbytes
        if self.bytes > LARGEST:
            raise TooLarge(
                f"has more than {LARGEST / 1e9:.2f} GB, which one file can't hold; "
                "choose a smaller variant (int8, q4 or q4f16)"
            )
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor = self.model.graph.initializer.add(name=name, dims=array.shape, data_type=kind)
        tensor.raw_data = array.tobytes()
        return name

    def floats(self, name, array):
        """An initializer in the type of the activations."""
        return self.weight(name, np.asarray(array, np.float16 if self.half else np.float32))

    def ints(self, *values):
        """A constant i64 vector."""
        key = ("i", values)
        if key not in self.constants:
            self.constants[key] = self.weight("ints_" + "_".join(map(str, values)), np.array(values, np.int64))
        return self.constants[key]

    def scalar(self, value, dtype=None):
        dtype = dtype or (np.float16 if self.half else np.float32)
        key = ("s", value, np.dtype(dtype).name)
        if key not in self.constants:
            self.constants[key] = self.weight(f"scalar_{len(self.constants)}", np.array(value, dtype))
        return self.constants[key]

    def reshape(self, x, *shape):
        return self.op("Reshape", x, self.ints(*shape))

    def shape(self, *parts):
        """A shape out of vectors, made once however often it is asked for."""
        if parts not in self.constants:
            self.constants[parts] = self.op("Concat", *parts, axis=0)
        return self.constants[parts]

    def to_activations(self, x):
        """From the type that the outside speaks."""
        return x if self.outside == self.float else self.op("Cast", x, to=self.float)

    def from_activations(self, x):
        return x if self.outside == self.float else self.op("Cast", x, to=self.outside)

    def save(self, path, name):
        """Writes the graph; gives its size in bytes."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [self.renamed.get(name, name) for name in names]
        graph = self.model.graph
        graph.name = name
        graph.node.extend(self.nodes)
        graph.input.extend(self.inputs)
        graph.output.extend(self.outputs)
        with open(path, "wb") as file:
            file.write(self.model.SerializeToString())
        return path.stat().st_size


def stacked(parts):
    """Weights and biases (or None) of several products of the same input, as one product."""
    weight = np.concatenate([np.asarray(weight) for weight, _ in parts])
    if all(bias is None for _, bias in parts):
        return weight, None
    biases = [np.zeros(len(weight), np.float32) if bias is None else bias for weight, bias in parts]
    return weight, np.concatenate(biases)


def vision_encoder(graph, config, weights):
    """Patches, transformer, pixel shuffle and projection.

    `weights("vision.table")` is what is added to the patches: the convolution's bias plus the
    position embedding of each patch of a whole tile.
    """
    vision, text = config["vision_config"], config["text_config"]
    width, heads = vision["hidden_size"], vision["num_attention_heads"]
    side = vision["image_size"] // vision["patch_size"]
    epsilon = vision["layer_norm_eps"]
    domain, activation = VISION_ACTIVATIONS[vision["hidden_act"]]

    size = vision["image_size"]
    pixels = graph.input("pixel_values", graph.outside, ["batch", "num_images", 3, size, size])
    pixels = graph.to_activations(graph.reshape(pixels, -1, 3, size, size))
    patch = graph.floats("patch_embedding", weights("vision.patch"))
    stride = [vision["patch_size"]] * 2
    x = graph.op("Conv", pixels, patch, strides=stride, kernel_shape=stride)
    x = graph.op("Transpose", graph.reshape(x, 0, width, side * side), perm=[0, 2, 1])
    residual = graph.op("Add", x, graph.floats("position_embedding", weights("vision.table")))

    def norm(name):
        return [graph.floats(f"{name}.{part}", weights(f"{name}.{part}")) for part in ("weight", "bias")]

    def linear(x, name):
        return graph.matmuls.linear(x, name, weights(f"{name}.weight"), weights(f"{name}.bias"))

    def linears(x, names):
        """Several products of the same `x` as one."""
        parts = [(weights(f"{name}.weight"), weights(f"{name}.bias")) for name in names]
        made = graph.matmuls.linear(x, f"{names[0]}+", *stacked(parts))
        return graph.op("Split", made, graph.ints(*[len(part[0]) for part in parts]), outputs=range(len(parts)), axis=-1)

    def add_and_norm(x, residual, name):
        """(norm(x + residual), x + residual). ONNX Runtime's fused form of it is slower."""
        added = graph.op("Add", x, residual)
        return graph.op("LayerNormalization", added, *norm(name), epsilon=epsilon), added

    x = graph.op("LayerNormalization", residual, *norm("vision.0.norm1"), epsilon=epsilon)
    for layer in range(vision["num_hidden_layers"]):
        at = f"vision.{layer}"
        q, k, v = linears(x, [f"{at}.{what}" for what in "qkv"])
        x = graph.op("MultiHeadAttention", q, k, v, domain=MICROSOFT, num_heads=heads)
        x = linear(x, f"{at}.out")
        x, residual = add_and_norm(x, residual, f"{at}.norm2")
        x = graph.op(activation, linear(x, f"{at}.fc1"), domain=domain)
        x = linear(x, f"{at}.fc2")
        last = layer + 1 == vision["num_hidden_layers"]
        x, residual = add_and_norm(x, residual, "vision.norm" if last else f"vision.{layer + 1}.norm1")

    # Pixel shuffle: `factor` x `factor` neighbours become one token.
    factor = config["scale_factor"]
    small = side // factor
    x = graph.reshape(x, -1, small, factor, small, factor * width)
    x = graph.op("Transpose", x, perm=[0, 1, 3, 2, 4])
    x = graph.reshape(x, -1, small * small, factor * factor * width)
    x = graph.matmuls.linear(x, "connector", weights("connector.weight"), None)
    graph.output(
        graph.from_activations(x), "image_features", graph.outside, ["tiles", small * small, text["hidden_size"]]
    )


def embed_tokens(graph, config, weights):
    """The table of token embeddings."""
    text = config["text_config"]
    ids = graph.input("input_ids", TensorProto.INT64, ["batch", "sequence"])
    x = graph.matmuls.table(ids, "embedding", weights("text.embedding"))
    graph.output(x, "inputs_embeds", graph.outside, ["batch", "sequence", text["hidden_size"]])


def rotary_tables(frequencies, scaling, positions):
    """Cosines and sines of `positions` x (head size / 2)."""
    angles = np.outer(np.arange(positions, dtype=np.float64), np.asarray(frequencies, np.float64))
    return np.cos(angles) * scaling, np.sin(angles) * scaling


def default_frequencies(theta, head_dim):
    """Rotary frequencies without scaling (Su et al., RoFormer, 2021)."""
    return theta ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)


def decoder(graph, config, weights, position_ids=True):
    """The language model. `weights("text.frequencies")` and `("text.rotary_scaling")` set the
    rotary embedding; biases of projections may be None."""
    text = config["text_config"]
    hidden, heads, groups = text["hidden_size"], text["num_attention_heads"], text["num_key_value_heads"]
    dim, layers = text["head_dim"], text["num_hidden_layers"]
    epsilon = text["rms_norm_eps"]

    embeds = graph.input("inputs_embeds", graph.outside, ["batch", "sequence", hidden])
    mask = graph.input("attention_mask", TensorProto.INT64, ["batch", "total_sequence"])
    # Where the fresh tokens stand: the last ones of the whole.
    batch, fresh = graph.op("Shape", embeds, start=0, end=1), graph.op("Shape", embeds, start=1, end=2)
    end = graph.op("Squeeze", graph.op("Shape", mask, start=1, end=2))
    zero, one = graph.scalar(0, np.int64), graph.scalar(1, np.int64)
    rows = graph.op("Range", graph.op("Sub", end, graph.op("Squeeze", fresh)), end, one)
    if position_ids:
        positions = graph.input("position_ids", TensorProto.INT64, ["batch", "sequence"])
    else:
        positions = graph.op("Expand", rows, graph.op("Concat", batch, fresh, axis=0))
    # A token sees itself and what is before it, as far as the mask allows: 0, else the lowest number.
    columns = graph.op("Range", zero, end, one)
    causal = graph.op("LessOrEqual", columns, graph.op("Unsqueeze", rows, graph.ints(1)))
    allowed = graph.op("Cast", graph.op("Unsqueeze", mask, graph.ints(1)), to=TensorProto.BOOL)
    allowed = graph.op("And", causal, allowed)
    never = np.finfo(np.float16 if graph.half else np.float32).min
    one_head = graph.op("Where", allowed, graph.scalar(0.0), graph.scalar(never))

    longest = text["max_position_embeddings"]
    tables = rotary_tables(weights("text.frequencies"), weights("text.rotary_scaling"), longest)
    tables = [graph.floats(name, table) for name, table in zip(("cosines", "sines"), tables)]
    past = {}
    for layer in range(layers):
        for what in ("key", "value"):
            shape = ["batch", groups, "past_sequence", dim]
            past[layer, what] = graph.input(f"past_key_values.{layer}.{what}", graph.float, shape)

    def last_of(x, axis):
        return graph.op("Slice", x, graph.ints(-1), graph.ints(2**62), graph.ints(axis))

    def grouped(bias):
        """The query heads that share a key head stand below each other, so that one product does
        them all and no key is copied; the bias of one head repeats as often."""
        return graph.op("Concat", *[graph.op("Unsqueeze", bias, graph.ints(1))] * (heads // groups), axis=2)

    def linear(x, *names):
        parts = [(weights(f"{name}.weight"), weights(f"{name}.bias")) for name in names]
        return graph.matmuls.linear(x, names[0] + "+" * (len(names) > 1), *stacked(parts))

    def split(x, axis, *sizes):
        return graph.op("Split", x, graph.ints(*sizes), axis=axis, outputs=range(len(sizes)))

    def norm(x, name):
        return graph.op("SimplifiedLayerNormalization", x, graph.floats(name, weights(name)), axis=-1, epsilon=epsilon)

    def by_heads(x, count, length):
        """[tokens, count x dim] as [batch, count, length, dim]"""
        shape = graph.shape(batch, length, graph.ints(count), graph.ints(dim))
        return graph.op("Transpose", graph.op("Reshape", x, shape), perm=[0, 2, 1, 3])

    def rotated(x, positions):
        return graph.op("RotaryEmbedding", x, positions, *tables, domain=MICROSOFT)

    bias, present = grouped(one_head), []
    # One row a token; only attention knows which tokens are of one prompt.
    residual = graph.to_activations(graph.reshape(embeds, -1, hidden))
    x = norm(residual, "text.0.norm1")
    for layer in range(layers):
        at = f"text.{layer}"
        if layer + 1 < layers:
            qk, v = split(linear(x, f"{at}.q", f"{at}.k", f"{at}.v"), -1, (heads + groups) * dim, groups * dim)
            q, k = split(rotated(by_heads(qk, heads + groups, fresh), positions), 1, heads, groups)
        else:
            k, v = split(linear(x, f"{at}.k", f"{at}.v"), -1, groups * dim, groups * dim)
            k = rotated(by_heads(k, groups, fresh), positions)
            # Nobody asks what the tokens before the last would say; their keys and values are all.
            shape = graph.shape(batch, fresh, graph.ints(hidden))
            x, residual = (graph.reshape(last_of(graph.op("Reshape", y, shape), 1), -1, hidden) for y in (x, residual))
            graph.matmuls.rows = "last"
            fresh, bias = graph.ints(1), grouped(last_of(one_head, 1))
            q = rotated(by_heads(linear(x, f"{at}.q"), heads, fresh), last_of(positions, 1))
        v = by_heads(v, groups, graph.ints(-1))
        k, v = (graph.op("Concat", past[layer, what], new, axis=2) for what, new in (("key", k), ("value", v)))
        present += [(f"present.{layer}.key", k), (f"present.{layer}.value", v)]
        # Right before the product, so that ONNX Runtime makes it part of the product.
        q = graph.op("Mul", graph.reshape(q, 0, groups, -1, dim), graph.scalar(1 / math.sqrt(dim)))
        scores = graph.op("MatMul", q, graph.op("Transpose", k, perm=[0, 1, 3, 2]))
        x = graph.op("MatMul", graph.op("Softmax", graph.op("Add", scores, bias), axis=-1), v)
        x = graph.op("Reshape", x, graph.shape(batch, graph.ints(heads), fresh, graph.ints(dim)))
        x = graph.reshape(graph.op("Transpose", x, perm=[0, 2, 1, 3]), -1, heads * dim)
        residual = graph.op("Add", residual, linear(x, f"{at}.o"))
        x = norm(residual, f"{at}.norm2")
        wide = text["intermediate_size"]
        gate, up = split(linear(x, f"{at}.gate", f"{at}.up"), -1, wide, wide)
        gate = graph.op("Mul", gate, graph.op("Sigmoid", gate))
        residual = graph.op("Add", residual, linear(graph.op("Mul", gate, up), f"{at}.down"))
        x = norm(residual, "text.norm" if layer + 1 == layers else f"text.{layer + 1}.norm1")
    logits = graph.matmuls.linear(x, "head", weights("head.weight"), None)
    logits = graph.op("Reshape", logits, graph.shape(batch, graph.ints(1), graph.ints(text["vocab_size"])))
    graph.output(graph.from_activations(logits), "logits", graph.outside, ["batch", 1, text["vocab_size"]])
    for name, value in present:
        graph.output(value, name, graph.float, ["batch", groups, "total_sequence", dim])
