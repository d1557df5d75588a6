"""Writes a trained scout as a model package: three ONNX graphs and the Hugging Face files.

Large weights are stored as float16 with a cast to float32 in front of their use (ONNX Runtime folds the
casts when it loads the graph), so files are half the size and the arithmetic is float32.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from data import FIRST_RESIZE, INPUT_SIZE, SIZES
from labels import INDEX, OBJECTS
from net import (GRID, HEAD_DIM, HEADS, HIDDEN, KV_HEADS, LAYERS, MLP, NORM_EPS, ROPE_BASE, TOP_K, Scout, decode,
                 raw_tokens)
from text import Words, tokenizer_json
from trust import concepts

HALF_FROM = 512
"""Weights with at least this many numbers are stored as float16."""
OPSET = 17
GRAPHS = {"vision_encoder": "vision_encoder.onnx", "embed_tokens": "embed_tokens.onnx",
          "decoder": "decoder_model_merged.onnx"}


class VisionGraph(nn.Module):
    """pixel_values [B, N, 3, H, W] and pixel_attention_mask [B, N, H, W] to features and detections.

    Height and width may be any multiples of 32; a tile gives 64 features whatever its size.
    """

    def __init__(self, scout, classes=OBJECTS):
        super().__init__()
        self.encoder, self.connector = scout.encoder, scout.connector
        self.channels = [INDEX[c] for c in classes]

    def forward(self, pixel_values, pixel_attention_mask):
        height, width = pixel_values.shape[3:]
        pixels = pixel_values.reshape(-1, 3, height, width)
        mask = pixel_attention_mask.reshape(-1, 1, height, width)
        maps = self.encoder(pixels * mask.to(pixels.dtype))
        return self.connector(*raw_tokens(maps)), decode(maps, self.channels)


class DecoderGraph(nn.Module):
    """The decoder with a key/value cache, as the public SmolVLM export has it."""

    def __init__(self, scout):
        super().__init__()
        self.decoder = scout.decoder

    def forward(self, inputs_embeds, attention_mask, position_ids, *past):
        pairs = [(past[2 * i], past[2 * i + 1]) for i in range(LAYERS)]
        total = attention_mask.shape[1]
        index = torch.arange(total, device=inputs_embeds.device)
        own = index[total - inputs_embeds.shape[1]:]
        see = (index[None, :] <= own[:, None])[None, None] & (attention_mask[:, None, None, :] > 0)
        bias = torch.where(see, 0.0, -1e4)
        logits, present = self.decoder(inputs_embeds, position_ids, bias, pairs)
        return (logits, *[t for pair in present for t in pair])


def fold(module):
    """Folds batch norms into the convolutions before them."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Sequential):
            layers = list(child)
            for i in range(len(layers) - 1):
                if isinstance(layers[i], nn.Conv2d) and isinstance(layers[i + 1], nn.BatchNorm2d):
                    child[i] = fuse_conv_bn_eval(layers[i], layers[i + 1])
                    child[i + 1] = nn.Identity()
        fold(child)


def load(checkpoint):
    """The averaged model of a checkpoint, folded, its large weights rounded to float16."""
    words = Words()
    scout = Scout(len(words))
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    scout.load_state_dict(state["average"])
    scout.eval()
    fold(scout)
    with torch.no_grad():
        for parameter in scout.parameters():
            if parameter.numel() >= HALF_FROM:
                parameter.copy_(parameter.half().float())
    return scout, words, state


def store_half(model):
    """Replaces large float32 initialisers by float16 ones and a cast."""
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < HALF_FROM:
            continue
        name = tensor.name
        half = numpy_helper.from_array(values.astype(np.float16), name + "_half")
        graph.initializer.remove(tensor)
        graph.initializer.append(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT, name=name + "_cast"))
    for node in reversed(casts):
        graph.node.insert(0, node)


def write_graph(module, inputs, path, names_in, names_out, axes, sizes=None):
    """Exports one module, stores its weights as float16 and checks the graph.

    ``sizes`` are dimensions of outputs that the exporter takes for free and that are not: {name: {axis: size}}.
    """
    torch.onnx.export(module, inputs, str(path), input_names=names_in, output_names=names_out,
                      dynamic_axes=axes, opset_version=OPSET, dynamo=False, do_constant_folding=True)
    model = onnx.load(str(path))
    store_half(model)
    for tensor in model.graph.output:
        for axis, size in (sizes or {}).get(tensor.name, {}).items():
            tensor.type.tensor_type.shape.dim[axis].dim_value = size
    for prop in ("producer_name", "producer_version", "doc_string"):
        model.ClearField(prop)
    for node in model.graph.node:
        node.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def export_graphs(scout, words, out, classes):
    """Writes the three graphs into folder ``out``."""
    pixels = torch.rand(1, 1, 3, INPUT_SIZE, INPUT_SIZE) * 2 - 1
    mask = torch.ones(1, 1, INPUT_SIZE, INPUT_SIZE, dtype=torch.bool)
    write_graph(VisionGraph(scout, classes), (pixels, mask), out / GRAPHS["vision_encoder"],
                ["pixel_values", "pixel_attention_mask"], ["image_features", "detections"],
                {"pixel_values": {0: "batch", 1: "num_images", 3: "height", 4: "width"},
                 "pixel_attention_mask": {0: "batch", 1: "num_images", 2: "height", 3: "width"},
                 "image_features": {0: "tiles"}, "detections": {0: "tiles"}},
                {"image_features": {1: GRID * GRID}, "detections": {1: TOP_K}})
    write_graph(scout.decoder.embed, (torch.zeros(2, 5, dtype=torch.long),), out / GRAPHS["embed_tokens"],
                ["input_ids"], ["inputs_embeds"],
                {"input_ids": {0: "batch", 1: "sequence"}, "inputs_embeds": {0: "batch", 1: "sequence"}})
    past = [torch.zeros(2, KV_HEADS, 3, HEAD_DIM) for _ in range(2 * LAYERS)]
    names = [f"past_key_values.{i}.{part}" for i in range(LAYERS) for part in ("key", "value")]
    outs = [f"present.{i}.{part}" for i in range(LAYERS) for part in ("key", "value")]
    axes = {"inputs_embeds": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "total"},
            "position_ids": {0: "batch", 1: "sequence"}, "logits": {0: "batch", 1: "sequence"}}
    axes |= {n: {0: "batch", 2: "past"} for n in names} | {n: {0: "batch", 2: "total"} for n in outs}
    write_graph(DecoderGraph(scout),
                (torch.zeros(2, 5, HIDDEN), torch.ones(2, 8, dtype=torch.long),
                 torch.arange(3, 8)[None].repeat(2, 1), *past),
                out / GRAPHS["decoder"], ["inputs_embeds", "attention_mask", "position_ids", *names],
                ["logits", *outs], axes)


def write_configs(words, out):
    """Writes config.json, preprocessor_config.json and tokenizer.json."""
    image = words.id["<image>"]
    config = {
        "architectures": ["Idefics3ForConditionalGeneration"], "model_type": "idefics3",
        "image_token_id": image, "scale_factor": 1, "eos_token_id": words.id["<end_of_utterance>"],
        "pad_token_id": words.id["<pad>"], "bos_token_id": words.id["<|im_start|>"],
        "tie_word_embeddings": True, "vocab_size": len(words),
        "text_config": {
            "model_type": "llama", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": HEAD_DIM,
            "intermediate_size": MLP, "vocab_size": len(words), "rms_norm_eps": NORM_EPS,
            "rope_theta": ROPE_BASE, "hidden_act": "silu"},
        "vision_config": {"image_size": INPUT_SIZE, "patch_size": 32, "num_channels": 3},
    }
    preprocessor = {
        "image_processor_type": "Idefics3ImageProcessor", "processor_class": "Idefics3Processor",
        "do_convert_rgb": True, "do_image_splitting": False, "do_normalize": True, "do_pad": True,
        "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5], "max_image_size": {"longest_edge": INPUT_SIZE},
        "resample": 1, "rescale_factor": 1 / 255, "size": {"longest_edge": FIRST_RESIZE},
    }
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (out / "preprocessor_config.json").write_text(json.dumps(preprocessor, indent=2) + "\n")
    tokenizer = tokenizer_json(words)
    tokenizer.save(str(out / "tokenizer.json"), pretty=True)
    for text in ("Is there a person not wearing a hard hat near the crane?", "How many cars are there?"):
        ids = tokenizer.encode(words.prompt_text(text), add_special_tokens=False).ids
        if ids != words.prefix() + words.suffix(text):
            raise SystemExit("tokenizer.json disagrees with the tokenizer of the training")


@torch.no_grad()
def check_parity(scout, words, out, classes, limit=1e-3):
    """Runs the exported graphs end to end and compares them with torch.

    Returns the worst errors, relative to the largest value where that is above 1.
    """
    from runtime import Package

    package = Package(out)
    torch.manual_seed(0)
    errors = {}
    for side in (*SIZES, INPUT_SIZE):
        pixels = torch.rand(2, 1, 3, side, side) * 2 - 1
        mask = torch.ones(2, 1, side, side, dtype=torch.bool)
        features, detections = VisionGraph(scout, classes)(pixels, mask)
        got_features, got_detections = package.encode(pixels.numpy())
        scale = max(1.0, float(features.abs().max()))
        errors[f"image_features at {side}"] = float(np.abs(got_features - features.numpy()).max()) / scale
        errors[f"detection scores at {side}"] = float(
            np.abs(got_detections[..., 4] - detections.numpy()[..., 4]).max())
    worst, step = 0.0, 0.0
    for text in ("Is there a car at the loading dock?", "How many person are there?"):
        ids = torch.tensor([words.prefix() + words.suffix(text)])
        embeds = scout.decoder.embed(ids)
        start = words.prefix().index(words.id["<image>"])
        embeds = torch.cat([embeds[:, :start], features[:1], embeds[:, start + 64:]], 1)
        length = ids.shape[1]
        empty = [torch.zeros(1, KV_HEADS, 0, HEAD_DIM) for _ in range(2 * LAYERS)]
        whole = DecoderGraph(scout)(embeds, torch.ones(1, length, dtype=torch.long),
                                    torch.arange(length)[None], *empty)[0][0, -1].numpy()
        worst = max(worst, float(np.abs(package.logits(got_features[:1], text)[-1] - whole).max()))
        cached = package.ask_logits(package.prefill(got_features[0]), text)
        step = max(step, float(np.abs(cached - whole).max()))
    errors["logits in one pass"], errors["logits with cached prefix"] = worst, step
    for name, error in errors.items():
        print(f"parity {name}: {error:.1e}")
        if error > limit:
            raise SystemExit(f"{name} differ by {error:.1e} between ONNX Runtime and torch, more than {limit}")
    return errors


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--out", required=True, help="folder of the package")
    parser.add_argument("--evaluation", help="detect only the classes that this evaluation trusts")
    args = parser.parse_args()
    classes = OBJECTS
    if args.evaluation:
        classes = concepts(json.loads(Path(args.evaluation).read_text()))[1]
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    scout, words, _ = load(args.checkpoint)
    with torch.no_grad():
        export_graphs(scout, words, out, classes)
    write_configs(words, out)
    check_parity(scout, words, out, classes)
    size = sum((out / f).stat().st_size for f in GRAPHS.values())
    print(f"exported to {out}: {size / 1e6:.2f} MB of graphs")


if __name__ == "__main__":
    main()
