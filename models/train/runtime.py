"""Runs a model package in ONNX Runtime, as the camera does: encode once, share the prefix, ask."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer


class Package:
    """The three graphs of a package folder. Pixels are float32 in -1..1."""

    def __init__(self, folder, threads=1):
        folder = Path(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        start = lambda name: onnxruntime.InferenceSession(
            str(folder / name), options, providers=["CPUExecutionProvider"])
        self.vision = start("vision_encoder.onnx")
        self.embed = start("embed_tokens.onnx")
        self.decoder = start("decoder_model_merged.onnx")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.config = json.loads((folder / "config.json").read_text())
        text = self.config["text_config"]
        self.layers = text["num_hidden_layers"]
        self.empty = np.zeros((1, text["num_key_value_heads"], 0, text["head_dim"]), np.float32)
        self.image_token = self.config["image_token_id"]

    def encode(self, pixels):
        """Image features and detections of pixels [B, N, 3, S, S]."""
        mask = np.ones((*pixels.shape[:2], *pixels.shape[3:]), bool)
        return self.vision.run(None, {"pixel_values": pixels.astype(np.float32),
                                      "pixel_attention_mask": mask})

    def _ids(self, text):
        return np.array([self.tokenizer.encode(text, add_special_tokens=False).ids], np.int64)

    def _decode(self, embeds, past, start):
        length = embeds.shape[1]
        feeds = {"inputs_embeds": embeds,
                 "attention_mask": np.ones((1, start + length), np.int64),
                 "position_ids": np.arange(start, start + length, dtype=np.int64)[None]}
        for i in range(self.layers):
            feeds[f"past_key_values.{i}.key"], feeds[f"past_key_values.{i}.value"] = past[2 * i], past[2 * i + 1]
        logits, *present = self.decoder.run(None, feeds)
        return logits[0], present

    def _embed(self, ids, features):
        embeds = self.embed.run(None, {"input_ids": ids})[0]
        embeds[0, ids[0] == self.image_token] = features
        return embeds

    def logits(self, features, question):
        """Logits [S, V] of the whole prompt in one pass."""
        features = features.reshape(-1, features.shape[-1])
        text = self.head(len(features)) + self.tail(question)
        return self._decode(self._embed(self._ids(text), features), [self.empty] * (2 * self.layers), 0)[0]

    @staticmethod
    def head(tokens):
        """The prompt up to the question."""
        return ("<|im_start|>User:<fake_token_around_image><global-img>" + "<image>" * tokens
                + "<fake_token_around_image>")

    @staticmethod
    def tail(question):
        """The prompt from the question on."""
        return f"{question}<end_of_utterance>\nAssistant:"

    def prefill(self, features):
        """The key/value cache of the image prefix, to be shared by all questions on the frame."""
        ids = self._ids(self.head(len(features)))
        past = self._decode(self._embed(ids, features), [self.empty] * (2 * self.layers), 0)[1]
        return past, ids.shape[1]

    def ask_logits(self, prefix, question):
        """Logits [V] of the answer token."""
        past, length = prefix
        embeds = self.embed.run(None, {"input_ids": self._ids(self.tail(question))})[0]
        return self._decode(embeds, past, length)[0][-1]
