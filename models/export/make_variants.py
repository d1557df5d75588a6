"""Makes the tests of graph variants: one small model of random weights in every precision, and what
the reference says of the same weights.

A coarse variant is another model than the one it was made from, and how far it is from that says
nothing about whether it runs right. So the reference computes with the weights as the variant keeps
them, in f32; what is left is the rounding of activations. Deterministic for the versions in
requirements.txt.

  python make_variants.py --out ../../firmware/vision/tests/data/variants
"""

import argparse
import copy
import json
import pathlib
import shutil

import numpy as np
import torch
from transformers import Idefics3Processor

import checkpoint
import graphs
import package
import reference
from convert import picture
from make_split import image_processor, make_model
from make_tiny import make_tokenizer
from matmul import PRECISIONS, kept

# Inputs of products are no multiples of a 4-bit block of 32; heads are not hidden / heads wide.
SHAPE = dict(
    seed=21, tile=32, patch=8, scale=2, edge=64, tied=False,
    vision=dict(hidden_size=32, intermediate_size=40, num_hidden_layers=1, num_attention_heads=2),
    text=dict(hidden_size=36, intermediate_size=44, num_hidden_layers=2,
              num_attention_heads=6, num_key_value_heads=2, head_dim=8),
)
VARIANTS = ["fp16", "int8", "q4", "q4f16"]
BASE = "q4f16"
PICTURES = [(48, 32), (20, 31)]
QUESTIONS = ["How many people are in the queue?", "Is the door open?"]
# Tokens that follow the prompt, whatever the model would say.
FOLLOWING = 3


def as_kept(model, variant):
    """`model` with its weights as `variant` keeps them."""
    other = copy.deepcopy(model)
    weights = checkpoint.CheckpointWeights(other)
    layers = {"vision": range(model.config.vision_config.num_hidden_layers),
              "text": range(model.config.text_config.num_hidden_layers)}
    names = ["vision.patch", "connector.weight", "text.embedding", "text.norm", "head.weight",
             "vision.norm.weight", "vision.norm.bias"]
    for layer in layers["vision"]:
        names += [f"vision.{layer}.{part}.{what}" for part in checkpoint.VISION for what in ("weight", "bias")]
    for layer in layers["text"]:
        names += [f"text.{layer}.{part}" + (".weight" if part[:4] != "norm" else "") for part in checkpoint.TEXT]
    assert len({weights.path(name) for name in names}) == len(names)
    with torch.no_grad():
        for name in names:
            tensor = weights.tensors[weights.path(name)]
            tensor.copy_(torch.from_numpy(kept(name, tensor.numpy(), PRECISIONS[variant])))
    return other


def write_other_forms(out, config, weights):
    """Graphs of BASE as other exporters write them: f16 outside as well, and without position_ids."""
    for stem, build in package.GRAPHS.values():
        graph = graphs.Graph(PRECISIONS[BASE], half_outside=True)
        build(graph, config, weights)
        graph.save(out / f"{stem}_all16.onnx", stem)
    graph = graphs.Graph(PRECISIONS[BASE])
    graphs.decoder(graph, config, weights, position_ids=False)
    graph.save(out / "decoder_no_positions.onnx", "decoder")


def manifest_of_other_forms(out):
    """Variants that borrow what is the same of BASE."""
    lines = ["", "[variants.all16]"]
    lines += [f"{role} = {package.file_entry(out, f'{stem}_all16.onnx')}" for role, (stem, _) in package.GRAPHS.items()]
    lines += ["", "[variants.no-positions]"]
    files = {**package.graph_files(BASE), "decoder": "decoder_no_positions.onnx"}
    lines += [f"{role} = {package.file_entry(out, file)}" for role, file in files.items()]
    with open(out / "model.toml", "a") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)

    tokenizer = make_tokenizer(310)
    model = make_model(SHAPE, tokenizer)
    model.config.text_config.max_position_embeddings = 128
    images = image_processor(SHAPE["tile"], SHAPE["edge"], False)
    package.write_files(out, model.config.to_dict(), tokenizer, images)
    config, weights = checkpoint.described(model), checkpoint.CheckpointWeights(model)
    package.write_graphs(out, config, weights, VARIANTS)
    write_other_forms(out, config, weights)
    package.write_manifest(
        out, made_by="Random weights, for tests only. Made by models/export/make_variants.py.", id="variants",
        version="1", licence="Apache-2.0", variants=VARIANTS, files=(), prompt=["max_new_tokens = 8"],
    )
    manifest_of_other_forms(out)

    features = (SHAPE["tile"] // SHAPE["patch"] // SHAPE["scale"]) ** 2
    processor = Idefics3Processor(images, tokenizer, image_seq_len=features)
    golden = {}
    for variant in VARIANTS:
        same = as_kept(model, variant)
        golden[variant] = []
        for size, asked in zip(PICTURES, QUESTIONS):
            prompt = f"<|im_start|>User:<image>{asked}<end_of_utterance>\nAssistant:"
            inputs = processor(text=prompt, images=[picture(*size)], return_tensors="pt")
            ids, pixels = inputs["input_ids"], inputs["pixel_values"]
            following = ids[0, 2 : 2 + FOLLOWING]
            whole = torch.cat([ids, following[None]], 1)
            with torch.no_grad():
                logits = same(input_ids=whole, attention_mask=torch.ones_like(whole), pixel_values=pixels).logits[0]
                other = model(input_ids=whole, attention_mask=torch.ones_like(whole), pixel_values=pixels).logits[0]
            told = reference.compare(out, variant, same, ids.numpy(), pixels[0].numpy())
            away = reference.relative(other, logits)
            print(f"{variant}: {told['logits']:.1e} from the same weights, {away:.1e} from the model it was made of")
            # Golden values that the unrounded weights would also meet prove nothing of the rounding.
            assert told["logits"] * 2 < away or variant == "fp16", (told, away)
            golden[variant].append({
                "width": size[0], "height": size[1], "question": asked,
                "input_ids": ids[0].tolist(), "following": following.tolist(),
                # After the prompt, and after the tokens that follow.
                "logits": [[round(v, 3) for v in logits[at].tolist()] for at in (ids.shape[1] - 1, -1)],
            })
    (out / "golden.json").write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main()
