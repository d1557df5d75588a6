"""Makes the tests of image splitting: small packages of several shapes, and what the reference says.

To OUT go one package a shape (random weights, the tokenizer of make_tiny.py) with its golden
values, `pixels.json` (what the image processor makes of pictures of many forms) and, with --real,
`real_tokenizer.json` (whole prompts in the ids of SmolVLM's own tokenizer). Pictures are computed
from whole numbers, here and in the tests alike, so none is stored. Deterministic for the versions
in requirements.txt.

  python make_split.py --out ../../firmware/vision/tests/data/split [--real SMOLVLM_FOLDER] [--shape NAME]
"""

import argparse
import hashlib
import itertools
import json
import pathlib
import shutil

import numpy as np
import torch
from PIL import Image
from transformers import AutoTokenizer, Idefics3Config, Idefics3ForConditionalGeneration, Idefics3Processor
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

import idefics3
import package
from make_tiny import make_tokenizer

NEW_TOKENS = 12
QUESTIONS = ["How many people are in the queue?", "Où est le 12e camion — à gauche?"]
PICTURES = [(96, 96), (160, 90), (37, 53), (200, 3), (1, 1)]

# Proportions of the public models in small: query to key/value heads, text to vision width, pixel
# shuffle, longest edge to tile. `edge` 90 is no multiple of its tile, so a second resize follows.
SHAPES = {
    # 9 query to 3 key/value heads, pixel shuffle 4, 4 x 4 tiles.
    "mini-256m": dict(
        seed=11, tile=64, patch=8, scale=4, edge=256, tied=False,
        vision=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2),
        text=dict(hidden_size=36, intermediate_size=64, num_hidden_layers=3,
                  num_attention_heads=9, num_key_value_heads=3, head_dim=4),
    ),
    # 15 to 5 heads, a deeper decoder, heads that are not hidden / heads wide; 16 features a tile.
    "mini-500m": dict(
        seed=12, tile=32, patch=4, scale=2, edge=128, tied=False,
        vision=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2),
        text=dict(hidden_size=30, intermediate_size=80, num_hidden_layers=4,
                  num_attention_heads=15, num_key_value_heads=5, head_dim=4),
    ),
    # Every head has its own keys, pixel shuffle 3, embeddings tied.
    "mini-2b": dict(
        seed=13, tile=48, patch=8, scale=3, edge=90, tied=True,
        vision=dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3),
        text=dict(hidden_size=32, intermediate_size=72, num_hidden_layers=2,
                  num_attention_heads=4, num_key_value_heads=4, head_dim=12),
    ),
}

# (tile, longest edge), and the pictures they are tried on.
PROCESSORS = {
    (64, 256): PICTURES + [(301, 75), (3, 200), (90, 160), (639, 361)],
    (64, 128): PICTURES + [(301, 75)],
    (64, 64): PICTURES,
    (32, 151): PICTURES + [(151, 151)],
    (48, 90): PICTURES + [(75, 301)],
    (512, 2048): [(640, 360), (360, 640), (1000, 37)],
    (364, 1456): [(97, 1080)],
}
SAMPLES = 24


# What the engine trims: Unicode's White_Space. Python's strip() takes four control characters more.
SPACE = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and not "\x1c" <= c <= "\x1f")


def picture(width, height):
    """A ramp, a grid of edges and noise, in whole numbers."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    red = x * 255 // max(width - 1, 1)
    green = (x // 7 + y // 5) % 2 * 200 + (x + y) % 50
    blue = (x * x * 3 + y * y * 5 + x * y * 7) % 256
    return Image.fromarray(np.stack([red, green, blue], -1).astype(np.uint8), "RGB")


def image_processor(tile, edge, split):
    return Idefics3ImageProcessorPil(
        do_image_splitting=split,
        do_resize=True,
        size={"longest_edge": edge},
        max_image_size={"longest_edge": tile},
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
        resample=1,
    )


def runs(ids):
    """Ids as [id, how often in a row]."""
    return [[key, len(list(group))] for key, group in itertools.groupby(ids)]


def pixel_cases():
    cases = []
    for (tile, edge), sizes in PROCESSORS.items():
        for size, split in itertools.product(sizes, (True, False)):
            made = image_processor(tile, edge, split)(
                [picture(*size)], return_tensors="np", return_row_col_info=True
            )
            pixels = made["pixel_values"][0].astype("<f4")
            # What the engine takes for granted of a single picture.
            assert made["pixel_attention_mask"].all() and pixels.shape[2:] == (tile, tile)
            # Every pixel, as the level (0..255) it stands for; and some of the numbers themselves.
            levels = np.round((pixels.astype(np.float64) * 0.5 + 0.5) * 255)
            assert np.abs((levels / 255 - 0.5) / 0.5 - pixels).max() < 5e-7
            flat = pixels.reshape(-1)
            places = np.random.default_rng(len(cases)).choice(flat.size, SAMPLES).tolist()
            cases.append({
                "tile": tile,
                "longest_edge": edge,
                "split": split,
                "width": size[0],
                "height": size[1],
                "rows": int(made["rows"][0][0]),
                "columns": int(made["cols"][0][0]),
                "tiles": pixels.shape[0],
                "levels_sha256": hashlib.sha256(levels.astype(np.uint8).tobytes()).hexdigest(),
                "samples": [[place, float(f"{flat[place]:.7g}")] for place in places],
            })
    return cases


def make_model(shape, tokenizer):
    torch.manual_seed(shape["seed"])
    config = Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=shape["scale"],
        tie_word_embeddings=shape["tied"],
        vision_config=dict(image_size=shape["tile"], patch_size=shape["patch"], **shape["vision"]),
        text_config=dict(
            model_type="llama",
            vocab_size=len(tokenizer),
            max_position_embeddings=1024,
            rope_theta=100000.0,
            rms_norm_eps=1e-5,
            bos_token_id=1,
            eos_token_id=tokenizer.convert_tokens_to_ids("<end_of_utterance>"),
            pad_token_id=2,
            tie_word_embeddings=shape["tied"],
            **shape["text"],
        ),
        pad_token_id=2,
    )
    config._attn_implementation = "eager"
    model = Idefics3ForConditionalGeneration(config).eval().float()
    # The usual initialisation gives almost flat logits, on which any bug would pass.
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.copy_(torch.randn_like(weight) * (0.9 if "embed" in name else 0.25))
        if not shape["tied"]:
            model.lm_head.weight.mul_(3.0)
    return model


def write_package(out, name, shape, model, tokenizer, images):
    package.write_files(out, model.config.to_dict(), tokenizer, images)
    idefics3.export_graphs(model, out)
    package.write_manifest(
        out, made_by="Random weights, for tests only. Made by models/export/make_split.py.", id=name,
        version="1", licence="Apache-2.0", variants=["f32"], files=(),
        image=['splitting = "configured"'], prompt=[f"max_new_tokens = {NEW_TOKENS}"],
    )


def relative(a, b):
    return ((a - b).abs().max() / b.abs().max()).item()


def check_sensitive(model, inputs):
    """Golden values that a tile in the wrong place would also meet prove nothing."""
    with torch.no_grad():
        right = model(**inputs).logits[0, -1]
        swapped = inputs["pixel_values"].clone()
        swapped[0, [0, 1]] = swapped[0, [1, 0]]
        wrong = model(**{**inputs, "pixel_values": swapped}).logits[0, -1]
    assert relative(wrong, right) > 0.01, f"two tiles swapped: only {relative(wrong, right)}"


def make_shape(out, name, shape):
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    tokenizer = make_tokenizer(340)
    model = make_model(shape, tokenizer)
    features = (shape["tile"] // shape["patch"]) ** 2 // shape["scale"] ** 2
    split_images = image_processor(shape["tile"], shape["edge"], True)
    write_package(out, name, shape, model, tokenizer, split_images)
    stops = tokenizer.convert_tokens_to_ids(["<end_of_utterance>", "<|im_end|>"])
    cases = []
    for split in (True, False):
        images = image_processor(shape["tile"], shape["edge"], split)
        processor = Idefics3Processor(images, tokenizer, image_seq_len=features)
        for size, asked in itertools.product(PICTURES if split else PICTURES[:3], QUESTIONS):
            image = picture(*size)
            prompt = f"<|im_start|>User:<image>{asked}<end_of_utterance>\nAssistant:"
            inputs = processor(text=prompt, images=[image], return_tensors="pt")
            inputs = {k: v for k, v in inputs.items() if k in
                      ("input_ids", "attention_mask", "pixel_values", "pixel_attention_mask")}
            grid = images([image], return_row_col_info=True)
            if split and size == PICTURES[1]:
                check_sensitive(model, inputs)
            with torch.no_grad():
                logits = model(**inputs).logits[0, -1]
                made = model.generate(
                    **inputs, do_sample=False, max_new_tokens=NEW_TOKENS, min_new_tokens=1, eos_token_id=stops,
                )[0, inputs["input_ids"].shape[1]:].tolist()
            cases.append({
                "width": size[0],
                "height": size[1],
                "split": split,
                "rows": int(grid["rows"][0][0]),
                "columns": int(grid["cols"][0][0]),
                "question": asked,
                "input_ids": runs(inputs["input_ids"][0].tolist()),
                "logits": [round(v, 4) for v in logits.tolist()],
                "greedy": made,
                "greedy_text": tokenizer.decode(made, skip_special_tokens=True).strip(SPACE),
            })
    texts = {case["greedy_text"] for case in cases}
    assert len(texts) > len(cases) // 4, f"{name} says the same of everything: {texts}"
    (out / "golden.json").write_text(json.dumps(cases) + "\n")


def real_prompts(folder):
    """Whole prompts by the real tokenizer and chat template, a picture split or not."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    template = json.loads((folder / "chat_template.json").read_text())["chat_template"]
    described = json.loads((folder / "preprocessor_config.json").read_text())
    tile, edge = described["max_image_size"]["longest_edge"], described["size"]["longest_edge"]
    features = json.loads((folder / "processor_config.json").read_text())["image_seq_len"]
    cases = []
    for split in (True, False):
        images = image_processor(tile, edge, split)
        processor = Idefics3Processor(images, tokenizer, image_seq_len=features, chat_template=template)
        for size, asked in itertools.product([(640, 360), (360, 640), (512, 512), (640, 90)], QUESTIONS):
            talk = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": asked}]}]
            prompt = processor.apply_chat_template(talk, add_generation_prompt=True)
            grid = images([picture(*size)], return_row_col_info=True)
            ids = processor(text=prompt, images=[picture(*size)])["input_ids"][0]
            cases.append({
                "split": split,
                "rows": int(grid["rows"][0][0]),
                "columns": int(grid["cols"][0][0]),
                "question": asked,
                "input_ids": runs(ids),
            })
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--real", type=pathlib.Path, help="a folder with SmolVLM's tokenizer and configs")
    parser.add_argument("--shape", choices=SHAPES, help="make this package and nothing else")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.shape:
        return make_shape(args.out / args.shape, args.shape, SHAPES[args.shape])
    (args.out / "pixels.json").write_text(json.dumps(pixel_cases()) + "\n")
    if args.real:
        (args.out / "real_tokenizer.json").write_text(json.dumps(real_prompts(args.real)) + "\n")
    for name, shape in SHAPES.items():
        make_shape(args.out / name, name, shape)


if __name__ == "__main__":
    main()
