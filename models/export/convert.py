"""From a checkpoint to a package: the work of `export_vlm.py`, which has looked at what can be
wrong without PyTorch."""

import functools
import json
import re
import shutil

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForImageTextToText, AutoTokenizer, Idefics3Processor
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.utils import logging

import checkpoint
import package
import reference
from package import Refused, read_json

# What the engine takes for granted if model.toml says nothing else; firmware/vision/src/package.
TEMPLATE = "<|im_start|>User:{image}{question}<end_of_utterance>\nAssistant:"
STOPS = ["<end_of_utterance>", "<|im_end|>"]
ASKED = "How many people are at the gate?"
# The largest difference of logits that is taken for rounding, as a share of the largest logit.
# Coarser variants depend on the weights; their differences are told, not judged.
F32_LIMIT = 1e-3


def load(folder):
    """Model (f32), tokenizer, image processor and chat template of the checkpoint in `folder`."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        model, report = AutoModelForImageTextToText.from_pretrained(
            folder, config=config, dtype=torch.float32, local_files_only=True, output_loading_info=True,
            attn_implementation="eager",
        )
    except Exception as error:
        raise Refused(f"{folder}: transformers can't load it: {error}") from error
    for key, what in (("missing_keys", "lacks the tensors"), ("mismatched_keys", "has tensors of another shape")):
        if report[key]:
            names = sorted(map(str, report[key]))
            more = f" and {len(names) - 4} more" if len(names) > 4 else ""
            raise Refused(f"{folder}: {what} {', '.join(names[:4])}{more}; the weights are not of this config.json")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        images = Idefics3ImageProcessorPil.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        raise Refused(f"{folder}: {error}; copy tokenizer.json, tokenizer_config.json and preprocessor_config.json "
                      "of the base model into it") from error
    return model.eval(), tokenizer, images, chat_template(folder, tokenizer)


def chat_template(folder, tokenizer):
    """The chat template, from wherever this version of transformers has put it."""
    if (folder / "chat_template.jinja").is_file():
        return (folder / "chat_template.jinja").read_text()
    for name in ("chat_template.json", "processor_config.json"):
        if (folder / name).is_file():
            said = read_json(folder / name).get("chat_template")
            if said:
                return said
    return tokenizer.chat_template


def template_of(processor, asked=ASKED):
    """`prompt.template` of model.toml, by rendering the chat template once."""
    talk = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": asked}]}]
    text = processor.apply_chat_template(talk, add_generation_prompt=True, tokenize=False)
    for mark, what in (("<image>", "the picture"), (asked, "the question")):
        if text.count(mark) != 1:
            raise Refused(f"the chat template writes {what} {text.count(mark)} times, but once is needed: {text!r}")
    template = text.replace("<image>", "{image}").replace(asked, "{question}")
    if template.index("{image}") > template.index("{question}"):
        raise Refused(f"the chat template puts the picture after the question: {text!r}; "
                      "what all questions share must come first")
    if re.search(r"\{(?!image\}|question\})", template):
        raise Refused(f"the chat template writes a '{{', which model.toml can't say: {text!r}")
    return template


def expanded(template, grid, features):
    """What the engine makes of `template` for a picture of `grid` (rows, columns; 0 if not split)."""
    tokens = "<image>" * features
    image = ""
    for row in range(1, grid[0] + 1):
        for column in range(1, grid[1] + 1):
            image += f"<fake_token_around_image><row_{row}_col_{column}>{tokens}"
        image += "\n"
    image += "\n" if grid[0] else ""
    image += f"<fake_token_around_image><global-img>{tokens}<fake_token_around_image>"
    return template.replace("{image}", image).replace("{question}", ASKED)


def picture(width, height):
    """A ramp, a grid of edges and noise, in whole numbers."""
    y, x = np.mgrid[0:height, 0:width].astype(np.int64)
    red = x * 255 // max(width - 1, 1)
    green = (x // 7 + y // 5) % 2 * 200 + (x + y) % 50
    blue = (x * x * 3 + y * y * 5 + x * y * 7) % 256
    return Image.fromarray(np.stack([red, green, blue], -1).astype(np.uint8), "RGB")


def check_prompt(processor, images, file, template, features):
    """The ids of a whole prompt, which the engine's way of writing it must also give with the
    tokenizer in `file`; whole and, if the processor splits pictures, split."""
    tokenizer = Tokenizer.from_file(str(file))
    talk = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": ASKED}]}]
    text = processor.apply_chat_template(talk, add_generation_prompt=True, tokenize=False)
    for split in (True, False) if images.do_image_splitting else (False,):
        scene = picture(640, 360)
        want = processor(text=text, images=[scene], images_kwargs={"do_image_splitting": split})["input_ids"][0]
        made = images([scene], return_row_col_info=True, do_image_splitting=split)
        grid = (int(made["rows"][0][0]), int(made["cols"][0][0]))
        got = tokenizer.encode(expanded(template, grid, features)).ids
        if got != list(want):
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            decode = functools.partial(tokenizer.decode, skip_special_tokens=False)
            raise Refused(
                f"a prompt of {grid[0]} x {grid[1]} tiles differs from the processor's at token {at}: "
                f"{decode(got[at:at + 4])!r} here, {decode(list(want)[at:at + 4])!r} there; "
                "this checkpoint writes pictures in another way"
            )
    # Unsplit, as the engine asks by default.
    return np.array([want], np.int64)


def prompt_lines(template, tokenizer):
    """The lines of [prompt] that differ from the defaults."""
    added = {token.content for token in tokenizer.added_tokens_decoder.values()}
    stops = [token for token in dict.fromkeys([*STOPS, tokenizer.eos_token]) if token in added]
    lines = []
    if template != TEMPLATE:
        lines.append(f"template = {json.dumps(template)}")
    if stops != STOPS:
        lines.append(f"stop = {json.dumps(stops)}")
    return lines


def export(said, variants):
    """Writes the package that the command line `said` asks for."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model, tokenizer, images, template = load(said.checkpoint)
    if not template:
        raise Refused(f"{said.checkpoint}: has no chat template; copy chat_template.json of the base model into it")
    config = checkpoint.described(model)
    vision = config["vision_config"]
    features = (vision["image_size"] // vision["patch_size"] // config["scale_factor"]) ** 2
    tile = dict(images.max_image_size)["longest_edge"]
    if tile != vision["image_size"]:
        raise Refused(f"the image processor makes tiles of {tile} pixels (max_image_size), but the model sees "
                      f"{vision['image_size']} (vision_config.image_size)")
    processor = Idefics3Processor(images, tokenizer, image_seq_len=features, chat_template=template)
    package.write_files(said.out, read_json(said.checkpoint / "config.json"), tokenizer, images)
    if (said.checkpoint / "tokenizer.json").is_file():
        # As it is: the library may write it otherwise.
        shutil.copyfile(said.checkpoint / "tokenizer.json", said.out / "tokenizer.json")
    template = template_of(processor)
    ids = check_prompt(processor, images, said.out / "tokenizer.json", template, features)
    package.write_graphs(said.out, config, checkpoint.CheckpointWeights(model), variants)

    package.say("export-vlm: comparing with transformers")
    pixels = images([picture(640, 360)], do_image_splitting=False, return_tensors="np")["pixel_values"][0]
    print("variant  image features  logits   most probable token")
    for variant in variants:
        found = reference.compare(said.out, variant, model, ids, pixels.astype(np.float32))
        print(f"{variant:8} {found['features']:14.1e}  {found['logits']:7.1e}  {'the same' if found['same'] else 'another'}")
        if not np.isfinite(found["logits"]) or variant == "f32" and found["logits"] > F32_LIMIT:
            raise Refused(f"the {variant} graphs give logits that differ by {found['logits']:.1e} of the largest from "
                          f"what transformers gives; at most {F32_LIMIT:.0e} is rounding. The package is not finished")
    default = said.default or ("int8" if "int8" in variants else variants[0])
    package.write_manifest(
        said.out, made_by="Written by scripts/export-vlm.", id=said.id, version=said.version, licence=said.licence,
        variants=variants, default=default, title=said.title,
        prompt=prompt_lines(template, tokenizer),
    )
