"""Makes the test package `tiny-vlm`: a SmolVLM of random weights, and what the reference says of it.

Everything is made here: the tokenizer is trained on the text below, the weights are random, the
pictures are computed. The package goes to OUT, the golden values (pixel tensors, token ids,
logits, greedy tokens, log probabilities of answers) to OUT/golden. Deterministic for the versions
in requirements.txt.

  python make_tiny.py --out ../../firmware/vision/tests/data/tiny-vlm

Then make_batch.py, whose golden values are kept with these.
"""

import argparse
import json
import pathlib
import shutil

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3Processor,
    PreTrainedTokenizerFast,
)
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil

import idefics3
import package

TEXT = """
How many people are in the queue at the gate? Answer with a number. There are 3 people in the queue.
Is the door open? Yes, the door is open. No, the door is shut. Is there a car in the yard? Yes. No.
How many boxes are on the pallet? There are 12 boxes. A person walks past the fence at night.
Describe the picture. A red truck stands at the loading bay and two workers unload it. Is it raining? No.
How many cars are parked? 10 11 12 13 14 15 16 17 18 19 20. yes no Yes No. one two three four five six.
"""
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<global-img>"]
SPECIAL += [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
SPECIAL += ["<fake_token_around_image>", "<image>", "<end_of_utterance>"]
QUESTIONS = [
    "How many people are in the queue?",
    "Is the door open? Answer yes or no.",
    "Describe the picture.",
    "Où est le 12e camion — à gauche?",
]
PICTURES = {"wide": (160, 90), "tall": (37, 53), "square": (64, 64), "dot": (1, 1)}
TILE, PATCH, SCALE = 64, 8, 4
NEW_TOKENS = 16
MAX_COUNT = 20


def make_tokenizer(vocabulary=440):
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(word, special=True, normalized=False) for word in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT.splitlines(), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|im_start|>",
        eos_token="<end_of_utterance>",
        pad_token="<|im_end|>",
        unk_token="<|endoftext|>",
    )


def make_model(tokenizer):
    torch.manual_seed(7)
    config = Idefics3Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        scale_factor=SCALE,
        tie_word_embeddings=False,
        vision_config=dict(
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            image_size=TILE,
            patch_size=PATCH,
        ),
        text_config=dict(
            model_type="llama",
            hidden_size=48,
            intermediate_size=80,
            num_hidden_layers=3,
            num_attention_heads=6,
            num_key_value_heads=2,
            head_dim=8,
            vocab_size=len(tokenizer),
            max_position_embeddings=512,
            rope_theta=100000.0,
            rms_norm_eps=1e-5,
            bos_token_id=1,
            eos_token_id=tokenizer.convert_tokens_to_ids("<end_of_utterance>"),
            pad_token_id=2,
            tie_word_embeddings=False,
        ),
        pad_token_id=2,
    )
    config._attn_implementation = "eager"
    model = Idefics3ForConditionalGeneration(config).eval().float()
    # The usual initialisation gives almost flat logits, on which any bug would pass.
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.copy_(torch.randn_like(weight) * (0.9 if "embed" in name else 0.22))
        model.lm_head.weight.mul_(3.0)
    return model


def picture(width, height):
    """Smooth gradients, a grid of edges and speckle: all that a resampler can get wrong."""
    rng = np.random.default_rng(width * 1000 + height)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 127 + 120 * np.sin(x / 9.0) * np.cos(y / 13.0)
    green = 255.0 * x / max(width - 1, 1)
    blue = np.where((x // 7 + y // 5) % 2 == 0, 230.0, 25.0)
    pixels = np.stack([red, green, blue], -1) + rng.normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(np.round(pixels), 0, 255).astype(np.uint8), "RGB")


def answer_path_log_probability(model, inputs, path):
    """ln P(path | prompt), by one forward pass over prompt and path, without a cache."""
    ids = torch.cat([inputs["input_ids"], torch.tensor([path])], dim=1)
    whole = {**inputs, "input_ids": ids, "attention_mask": torch.ones_like(ids)}
    logits = model(**whole, use_cache=False).logits[0].double().log_softmax(-1)
    start = inputs["input_ids"].shape[1] - 1
    return sum(logits[start + i, token].item() for i, token in enumerate(path))


def count_weights(model, tokenizer, inputs):
    """P(the answer is n) for n = 0..MAX_COUNT; the last entry is "or more".

    A number's probability is that of its tokens times that of no further digit.
    """
    known = {}

    def path_probability(text):
        path = tuple(tokenizer.encode(text, add_special_tokens=False))
        if path not in known:
            known[path] = np.exp(answer_path_log_probability(model, inputs, list(path)))
        return known[path]

    weights = np.zeros(MAX_COUNT + 1)
    for spelling in (" {}", "{}"):
        for n in range(MAX_COUNT + 1):
            longer = [int(f"{n}{d}") for d in range(10)] if n else []
            more = {m: path_probability(spelling.format(m)) for m in longer}
            weights[n] += path_probability(spelling.format(n)) - sum(more.values())
            weights[MAX_COUNT] += sum(p for m, p in more.items() if m > MAX_COUNT)
    return (weights / weights.sum()).tolist()


# x, y, w, h, score, class: a person low on the left, a car on the right, an empty row.
DETECTIONS = [[0.1, 0.4, 0.2, 0.5, 0.9, 0], [0.6, 0.1, 0.3, 0.2, 0.6, 1], [0, 0, 0, 0, 0, 0]]


def add_detections(source, target):
    """The vision graph with the optional output `detections` of a built-in model (here a constant)."""
    proto = onnx.load(source)
    rows = numpy_helper.from_array(np.array([DETECTIONS], dtype=np.float32), "detections_rows")
    proto.graph.initializer.append(rows)
    proto.graph.node.append(helper.make_node("Identity", ["detections_rows"], ["detections"]))
    proto.graph.output.append(
        helper.make_tensor_value_info("detections", TensorProto.FLOAT, [1, len(DETECTIONS), 6])
    )
    onnx.checker.check_model(proto)
    target.parent.mkdir(exist_ok=True)
    onnx.save(proto, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    out = parser.parse_args().out
    shutil.rmtree(out, ignore_errors=True)
    golden = out / "golden"
    golden.mkdir(parents=True)

    tokenizer = make_tokenizer()
    model = make_model(tokenizer)
    images = Idefics3ImageProcessorPil(
        do_image_splitting=False,
        do_resize=True,
        size={"longest_edge": 4 * TILE},
        max_image_size={"longest_edge": TILE},
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
        resample=1,
    )
    image_tokens = (TILE // PATCH) ** 2 // SCALE**2
    processor = Idefics3Processor(images, tokenizer, image_seq_len=image_tokens)

    package.write_files(out, model.config.to_dict(), tokenizer, images)
    idefics3.export_graphs(model, out)
    add_detections(out / "vision_encoder.onnx", out / "centre" / "vision_encoder.onnx")
    package.write_manifest(
        out, made_by="Random weights, for tests only. Made by models/export/make_tiny.py.", id="tiny-vlm",
        version="1", licence="Apache-2.0", variants=["f32"], files=(),
        prompt=[f"max_count = {MAX_COUNT}", f"max_new_tokens = {NEW_TOKENS}"],
    )

    cases = []
    for name, size in PICTURES.items():
        image = picture(*size)
        image.save(golden / f"{name}.png")
        for asked in QUESTIONS:
            prompt = f"<|im_start|>User:<image>{asked}<end_of_utterance>\nAssistant:"
            inputs = processor(text=prompt, images=[image], return_tensors="pt")
            inputs = {k: v for k, v in inputs.items() if k in
                      ("input_ids", "attention_mask", "pixel_values", "pixel_attention_mask")}
            pixels = inputs["pixel_values"].numpy().astype("<f4")
            pixels.tofile(golden / f"{name}.pixels.f32")
            with torch.no_grad():
                logits = model(**inputs).logits[0, -1]
                made = model.generate(
                    **inputs, do_sample=False, max_new_tokens=NEW_TOKENS, min_new_tokens=1,
                    eos_token_id=tokenizer.convert_tokens_to_ids(["<end_of_utterance>", "<|im_end|>"]),
                )[0, inputs["input_ids"].shape[1]:].tolist()
                words = {}
                for word in (" Yes", "Yes", " yes", "yes", " No", "No", " no", "no"):
                    path = tokenizer.encode(word, add_special_tokens=False)
                    words[word] = answer_path_log_probability(model, inputs, path)
                counts = count_weights(model, tokenizer, inputs) if asked is QUESTIONS[0] else None
            cases.append({
                "picture": name,
                "question": asked,
                "input_ids": inputs["input_ids"][0].tolist(),
                "logits": [float(f"{v:.7g}") for v in logits.tolist()],
                "greedy": made,
                "greedy_text": tokenizer.decode(made, skip_special_tokens=True).strip(),
                "log_probability": words,
                "count": counts,
            })
    (golden / "cases.json").write_text(json.dumps({"tile": TILE, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
