#!/usr/bin/env python3
"""scripts/export-vlm and scripts/make-random-vlm on models of a few thousand weights.

Needs a Python with the packages of models/export/requirements.txt: WATCHWORD_PYTHON, else what
scripts/export-vlm has made in .cache/export-venv. Where there is none it says SKIPPED and passes:
PyTorch is several GB, and what the exporter wrote is tested without it by firmware/vision.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("WATCHWORD_PYTHON") or str(ROOT / ".cache/export-venv/bin/python")
ALL = ["f32", "fp16", "int8", "q4f16", "q4"]

# A checkpoint of random weights, saved by transformers itself; argv: folder.
MAKE_CHECKPOINT = """
import sys
from make_split import SHAPES, image_processor, make_model
from make_tiny import make_tokenizer
from transformers import Idefics3Processor
shape, tokenizer = SHAPES["mini-500m"], make_tokenizer(340)
images = image_processor(shape["tile"], shape["edge"], True)
template = ("<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}:"
            "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}{% else %}<image>{% endif %}"
            "{% endfor %}<end_of_utterance>\\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}")
Idefics3Processor(images, tokenizer, image_seq_len=16, chat_template=template).save_pretrained(sys.argv[1])
make_model(shape, tokenizer).save_pretrained(sys.argv[1])
"""
# Takes one tensor out of the checkpoint; argv: folder, name.
DROP_TENSOR = """
import sys
from safetensors.torch import load_file, save_file
path = sys.argv[1] + "/model.safetensors"
tensors = load_file(path)
del tensors[sys.argv[2]]
save_file(tensors, path, metadata={"format": "pt"})
"""


def python(code, *argv):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "models/export"), "HF_HUB_OFFLINE": "1"}
    subprocess.run([PYTHON, "-c", code, *map(str, argv)], check=True, env=environment, capture_output=True)


def script(name, *argv):
    return subprocess.run(
        [ROOT / "scripts" / name, *map(str, argv)], env={**os.environ, "WATCHWORD_PYTHON": PYTHON},
        capture_output=True, text=True,
    )


class Exporting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp())
        cls.checkpoint = cls.folder / "My Fine-Tune"
        python(MAKE_CHECKPOINT, cls.checkpoint)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def copy(self):
        self.copies = getattr(self, "copies", 0) + 1
        target = self.folder / f"{self.id()}-{self.copies}"
        shutil.copytree(self.checkpoint, target)
        return target

    def export(self, checkpoint, *more):
        out = self.folder / f"{self.id()}-out"
        return out, script("export-vlm", "--checkpoint", checkpoint, "--out", out, "--licence", "MIT", *more)

    def refused(self, checkpoint, *words, more=()):
        out, ran = self.export(checkpoint, *more)
        self.assertNotEqual(ran.returncode, 0, ran.stdout)
        for word in words:
            self.assertIn(word, ran.stderr)
        self.assertNotIn("Traceback", ran.stderr)
        self.assertFalse((out / "model.toml").exists(), "what was refused must not look finished")

    def test_a_checkpoint_becomes_a_package_in_every_variant(self):
        out, ran = self.export(self.checkpoint, "--variants", ",".join(ALL))
        self.assertEqual(ran.returncode, 0, ran.stderr)
        table = {line.split()[0]: line.split() for line in ran.stdout.splitlines() if line.split()[0] in ALL}
        self.assertEqual(sorted(table), sorted(ALL))
        self.assertLess(float(table["f32"][2]), 1e-5)
        self.assertLess(float(table["fp16"][2]), 0.02)
        self.assertEqual(table["f32"][3:], ["the", "same"])
        manifest = tomllib.loads((out / "model.toml").read_text())
        self.assertEqual((manifest["id"], manifest["licence"]), ("my-fine-tune", "MIT"))
        self.assertEqual(manifest["default_variant"], "int8")
        self.assertNotIn("prompt", manifest, "the chat template is the one that the engine knows")
        entries = [g for v in manifest["variants"].values() for g in v.values()]
        entries += [{"file": name, **known} for name, known in manifest["files"].items()]
        self.assertEqual(len(entries), 3 * len(ALL) + 3)
        for entry in entries:
            data = (out / entry["file"]).read_bytes()
            self.assertEqual(len(data), entry["bytes"])
            self.assertEqual(hashlib.sha256(data).hexdigest(), entry["sha256"])
        self.assertEqual(json.loads((out / "preprocessor_config.json").read_text())["size"], {"longest_edge": 128})
        left = {path.name for path in out.iterdir()} - {entry["file"] for entry in entries}
        self.assertEqual(left, {"model.toml"})

    def test_another_chat_template_goes_to_the_manifest(self):
        checkpoint = self.copy()
        template = checkpoint / "chat_template.jinja"
        template.write_text(template.read_text().replace("<|im_start|>", "<|im_start|>System: be brief.\n", 1))
        out, ran = self.export(checkpoint)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        manifest = tomllib.loads((out / "model.toml").read_text())
        self.assertEqual(manifest["prompt"]["template"], "<|im_start|>System: be brief.\nUser:{image}{question}<end_of_utterance>\nAssistant:")

    def test_what_can_not_be_exported_is_named(self):
        self.refused(self.folder / "nowhere", "nowhere", "is no folder")
        for name, words in (("config.json", ["config.json", "no checkpoint"]), ("model.safetensors", ["safetensors", "save_pretrained"]),
                            ("tokenizer.json", ["tokenizer.json"]), ("chat_template.jinja", ["chat template"])):
            checkpoint = self.copy()
            (checkpoint / name).unlink()
            self.refused(checkpoint, checkpoint.name, *words)
        checkpoint = self.copy()
        (checkpoint / "adapter_config.json").write_text("{}")
        self.refused(checkpoint, "LoRA", "merge_and_unload")

        def config(change):
            checkpoint = self.copy()
            said = json.loads((checkpoint / "config.json").read_text())
            change(said)
            (checkpoint / "config.json").write_text(json.dumps(said))
            return checkpoint

        self.refused(config(lambda c: c.update(model_type="llava")), "model_type is 'llava'", "idefics3")
        self.refused(config(lambda c: c["text_config"].update(num_hidden_layers=5)), "lacks the tensors", "layers.4")
        self.refused(config(lambda c: c["vision_config"].update(hidden_act="relu")), "hidden_act is 'relu'")
        checkpoint = self.copy()
        python(DROP_TENSOR, checkpoint, "model.connector.modality_projection.proj.weight")
        self.refused(checkpoint, "lacks the tensors", "model.connector.modality_projection.proj.weight")
        checkpoint = self.copy()
        template = checkpoint / "chat_template.jinja"
        template.write_text(template.read_text().replace("<image>", "<image><image>"))
        self.refused(checkpoint, "the picture 2 times")
        self.refused(self.checkpoint, "'My Model' is no name", more=["--id", "My Model"])
        self.refused(self.checkpoint, "no 'q3'", "q4f16", more=["--variants", "q3"])

    def test_a_folder_of_other_things_is_left_alone(self):
        out = self.folder / f"{self.id()}-out"
        out.mkdir()
        (out / "thesis.txt").write_text("years of work")
        for name, argv in (("export-vlm", ["--checkpoint", self.checkpoint, "--licence", "MIT"]),
                           ("make-random-vlm", ["--shape", "mini-256m"])):
            ran = script(name, *argv, "--out", out)
            self.assertNotEqual(ran.returncode, 0)
            self.assertIn("not empty", ran.stderr)
            self.assertEqual((out / "thesis.txt").read_text(), "years of work")

    def test_what_fits_in_no_file_is_refused(self):
        out = self.folder / f"{self.id()}-out"
        code = "import graphs, random_vlm; graphs.LARGEST = 100_000; random_vlm.main()"
        ran = subprocess.run(
            [PYTHON, "-c", code, "--shape", "mini-256m", "--out", out, "--variant", "f32"], capture_output=True,
            text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "models/export")},
        )
        self.assertNotEqual(ran.returncode, 0)
        self.assertIn("decoder_model_merged.onnx: has more than", ran.stderr)
        self.assertFalse((out / "model.toml").exists())

    def test_random_packages_are_the_same_for_the_same_seed(self):
        def made(seed, *more):
            out = self.folder / "random"
            ran = script("make-random-vlm", "--shape", "mini-256m", "--out", out, "--seed", seed, *more)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            return tomllib.loads((out / "model.toml").read_text()), json.loads((out / "tokenizer.json").read_text())

        first, tokenizer = made(1)
        self.assertEqual(list(first["variants"]), ["int8", "f32"])
        self.assertEqual(first["default_variant"], "int8")
        self.assertEqual(made(1)[0], first)
        self.assertNotEqual(made(2)[0]["variants"], first["variants"])
        added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
        self.assertEqual(added["<end_of_utterance>"], 511, "the last of the vocabulary")
        # A tokenizer of one's own is taken as it is, if it has what prompts need.
        _, taken = made(1, "--tokenizer", self.checkpoint)
        self.assertEqual(taken, json.loads((self.checkpoint / "tokenizer.json").read_text()))
        ran = script("make-random-vlm", "--shape", "mini-256m", "--out", self.folder / "r", "--tokenizer", self.folder)
        self.assertNotEqual(ran.returncode, 0)
        self.assertIn("tokenizer.json", ran.stderr)
        self.assertNotIn("Traceback", ran.stderr)


if __name__ == "__main__":
    if subprocess.run([PYTHON, "-c", "import torch, transformers, onnxruntime"], capture_output=True).returncode \
            if shutil.which(PYTHON) else True:
        print(f"SKIPPED: {PYTHON} has no PyTorch; scripts/export-vlm makes it, or set WATCHWORD_PYTHON", file=sys.stderr)
        sys.exit(0)
    unittest.main()
