"""A whole model package of random weights in the shape of a SmolVLM: for benches and tests of
speed, where the values of weights don't matter. It knows nothing, and its answers mean nothing.

About a minute and 1.3 GB for smolvlm-256m in int8 and f32; needs no PyTorch and no network.
"""

import argparse
import pathlib
import sys
import time

import package
import shapes
import vocabulary
from matmul import PRECISIONS


NEEDED = ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", "<|im_start|>", "<|im_end|>"]


def made_tokenizer(shape):
    """The text of a tokenizer.json for `shape`, and its special tokens."""
    ids = vocabulary.special_tokens(shape["vocabulary"], shapes.IDS)
    return vocabulary.make(ids, shape["vocabulary"]), ids


def tokenizer_of(folder, shape):
    """Likewise of the tokenizer.json in `folder`, which must fit `shape`."""
    file = folder / "tokenizer.json" if folder.is_dir() else folder
    try:
        text = file.read_text()
        added, size = vocabulary.ids_of(text)
    except Exception as error:  # The tokenizers library raises plain Exception.
        raise package.Refused(f"{file}: {error}; --tokenizer needs a folder with a tokenizer.json") from error
    for token in NEEDED:
        if token not in added:
            raise package.Refused(f"{file}: has no special token {token}; a SmolVLM's tokenizer is needed")
    if size > shape["vocabulary"]:
        raise package.Refused(f"{file}: has {size} tokens, but the shape has {shape['vocabulary']}; "
                              "choose a shape with the full vocabulary")
    return text, added


def main():
    parser = argparse.ArgumentParser(prog="make-random-vlm", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", required=True, choices=shapes.SHAPES)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the package; made anew")
    parser.add_argument("--variant", action="append", choices=PRECISIONS,
                        help="more than one may be given, the first is the default; int8 and f32 if none is")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tokenizer", type=pathlib.Path,
                        help="folder with a tokenizer.json to take instead of one made here")
    said = parser.parse_args()
    try:
        make(said)
    except package.Refused as error:
        sys.exit(f"make-random-vlm: {error}")


def make(said):
    """Writes the package that the command line `said` asks for."""
    shape, variants = shapes.SHAPES[said.shape], list(dict.fromkeys(said.variant or ["int8", "f32"]))
    out, start = said.out, time.monotonic()
    text, ids = tokenizer_of(said.tokenizer, shape) if said.tokenizer else made_tokenizer(shape)
    package.claim(out, package.Refused)
    package.say(f"make-random-vlm: {said.shape}, {' and '.join(variants)}, seed {said.seed}, to {out}")
    (out / "tokenizer.json").write_text(text)
    config = shapes.config(shape, ids)
    package.write_json(out / "config.json", config)
    package.write_json(out / "preprocessor_config.json", shapes.preprocessor(shape))
    package.write_graphs(out, config, shapes.RandomWeights(config, said.seed), variants)
    package.write_manifest(
        out, made_by="Random weights, for benches and tests. Made by scripts/make-random-vlm.",
        id=f"random-{said.shape}", version=str(said.seed), licence="Apache-2.0", variants=variants,
        default=variants[0], title=f"Random weights in the shape of {said.shape}; it knows nothing",
    )
    package.say(f"make-random-vlm: done in {time.monotonic() - start:.0f} s")
    print(out)


if __name__ == "__main__":
    main()
