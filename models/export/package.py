"""Writes what a model package has besides its graphs, and the graphs in variants."""

import hashlib
import json
import pathlib
import shutil
import sys
import time

import graphs
from matmul import PRECISIONS

GRAPHS = {
    "vision_encoder": ("vision_encoder", graphs.vision_encoder),
    "embed_tokens": ("embed_tokens", graphs.embed_tokens),
    "decoder": ("decoder_model_merged", graphs.decoder),
}


class Refused(Exception):
    """Why there will be no package."""


def read_json(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: {error}") from error


def say(text):
    print(text, file=sys.stderr, flush=True)


def checksum(path):
    """sha256 and size of `path`."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), pathlib.Path(path).stat().st_size


def file_entry(folder, name):
    """`name`'s line for model.toml: path, sha256 and size."""
    digest, size = checksum(pathlib.Path(folder) / name)
    return f'{{ file = "{name}", sha256 = "{digest}", bytes = {size} }}'


def graph_files(variant):
    """Role and file name of the three graphs of `variant`."""
    suffix = "" if variant == "f32" else f"_{variant}"
    return {role: f"{stem}{suffix}.onnx" for role, (stem, _) in GRAPHS.items()}


# Says whose folder it is as long as it has no manifest.
UNFINISHED = ".unfinished"


def claim(folder, refuse):
    """Makes `folder` anew; what is no package of ours is not thrown away but refused."""
    folder = pathlib.Path(folder)
    if folder.exists() and not (folder.is_dir() and (
        (folder / "model.toml").exists() or (folder / UNFINISHED).exists() or not any(folder.iterdir())
    )):
        raise refuse(f"{folder} is not empty and no model package; name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / UNFINISHED).touch()


def write_graphs(folder, config, weights, variants):
    """Writes the three graphs of each of `variants` to `folder`, one tensor of the model in
    memory at a time and one graph."""
    for variant in variants:
        for role, file in graph_files(variant).items():
            start = time.monotonic()
            stem, build = GRAPHS[role]
            graph = graphs.Graph(PRECISIONS[variant], per_token=role == "decoder")
            try:
                build(graph, config, weights)
                size = graph.save(pathlib.Path(folder) / file, stem)
            except graphs.TooLarge as error:
                raise Refused(f"{file}: {error}") from error
            say(f"  {file}: {size / 1e6:.1f} MB in {time.monotonic() - start:.1f} s")


def write_manifest(folder, *, made_by, id, version, licence, variants, default=None, title=None, source=None,
                   image=(), prompt=(), files=("config.json", "preprocessor_config.json", "tokenizer.json")):
    """`model.toml` of the graphs and files in `folder`. `image` and `prompt` are lines of TOML."""
    folder = pathlib.Path(folder)
    text = json.dumps
    lines = [f"# {made_by}", f"id = {text(id)}", f"version = {text(version)}", f"licence = {text(licence)}",
             'kind = "vlm"']
    lines += [f"{key} = {text(value)}" for key, value in (("title", title), ("source", source)) if value]
    lines += [f"default_variant = {text(default)}"] if default else []
    for variant in variants:
        lines += ["", f"[variants.{variant}]"]
        lines += [f"{role} = {file_entry(folder, file)}" for role, file in graph_files(variant).items()]
    lines += ["", "[files]"] if files else []
    for name in files:
        digest, size = checksum(folder / name)
        lines.append(f'"{name}" = {{ sha256 = "{digest}", bytes = {size} }}')
    for table, body in (("image", image), ("prompt", prompt)):
        lines += ["", f"[{table}]", *body] if body else []
    # Last, and whole: a package is finished when it has a manifest.
    part = folder / "model.toml.part"
    part.write_text("\n".join(lines) + "\n")
    part.replace(folder / "model.toml")
    (folder / UNFINISHED).unlink(missing_ok=True)


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, default=str) + "\n")


PROCESSOR_KEYS = ["do_convert_rgb", "do_image_splitting", "do_normalize", "do_pad", "do_rescale", "do_resize",
                  "image_mean", "image_std", "max_image_size", "resample", "rescale_factor", "size"]


def write_files(folder, config, tokenizer, images):
    """config.json, tokenizer.json and preprocessor_config.json of a model of `transformers`."""
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "config.json", config)
    described = json.loads(images.to_json_string())
    described["resample"] = int(described["resample"])
    write_json(folder / "preprocessor_config.json", {key: described[key] for key in PROCESSOR_KEYS})
