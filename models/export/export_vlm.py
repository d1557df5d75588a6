"""Turns an Idefics3 / SmolVLM checkpoint, as `transformers` saves it, into a model package, and
checks every variant against `transformers` before it says that it is done.

Nothing is downloaded: the checkpoint is a folder with config.json, *.safetensors, a tokenizer and
an image processor. Memory: the checkpoint in f32, and one graph.
"""

import argparse
import pathlib
import re
import sys
import time

import package
from matmul import PRECISIONS
from package import Refused

MODEL_TYPES = ("idefics3", "smolvlm")


def look(folder):
    """Refuses what is no checkpoint, before PyTorch is loaded for it."""
    if not folder.is_dir():
        raise Refused(f"{folder}: is no folder; --checkpoint needs one with config.json and *.safetensors")
    if (folder / "adapter_config.json").is_file():
        raise Refused(f"{folder}: is a LoRA adapter (adapter_config.json); merge it into its base model with "
                      "peft's merge_and_unload() and save the result")
    for pattern, remedy in (("config.json", "it is no checkpoint of transformers"),
                            ("*.safetensors", "save the model with model.save_pretrained(DIR)")):
        if not any(folder.glob(pattern)):
            raise Refused(f"{folder}: has no {pattern}; {remedy}")
    kind = package.read_json(folder / "config.json").get("model_type")
    if kind not in MODEL_TYPES:
        raise Refused(f"{folder}/config.json: model_type is '{kind}'; {' and '.join(MODEL_TYPES)} can be exported")


def export(said):
    variants = list(dict.fromkeys(said.variants.split(",")))
    for variant in [*variants, *([said.default] if said.default else [])]:
        if variant not in PRECISIONS:
            raise Refused(f"--variants: there is no '{variant}'; there are {', '.join(PRECISIONS)}")
    if said.default and said.default not in variants:
        raise Refused(f"--default: '{said.default}' is not among --variants ({', '.join(variants)})")
    said.id = said.id or re.sub(r"[^a-z0-9]+", "-", said.checkpoint.resolve().name.lower()).strip("-")[:40]
    if not re.fullmatch("[a-z0-9-]{1,40}", said.id):
        raise Refused(f"--id: '{said.id}' is no name; 1 to 40 of a-z, 0-9 and '-' are")
    look(said.checkpoint)
    package.claim(said.out, Refused)
    package.say(f"export-vlm: reading {said.checkpoint}")
    import convert

    convert.export(said, variants)


def main():
    parser = argparse.ArgumentParser(prog="export-vlm", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the package; made anew")
    parser.add_argument("--variants", default="int8", help=f"comma-separated: {', '.join(PRECISIONS)} (default int8)")
    parser.add_argument("--default", help="the variant that runs if none is asked for")
    parser.add_argument("--licence", required=True, help="SPDX expression of the checkpoint's licence")
    parser.add_argument("--id", help="name of the package: a-z, 0-9, '-' (default: the checkpoint's folder)")
    parser.add_argument("--version", default="1")
    parser.add_argument("--title")
    said = parser.parse_args()
    start = time.monotonic()
    try:
        export(said)
    except Refused as error:
        sys.exit(f"export-vlm: {error}")
    package.say(f"export-vlm: done in {time.monotonic() - start:.0f} s")
    print(said.out)


if __name__ == "__main__":
    main()
