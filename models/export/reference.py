"""A package's graphs in ONNX Runtime, and what `transformers` computes, side by side."""

import numpy as np
import onnxruntime
import torch

import package
from matmul import PRECISIONS


def relative(got, want):
    """The largest difference, as a share of the largest number that is right; infinite if a number
    is not finite."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    if got.shape != want.shape or not np.isfinite(got).all():
        return float("inf")
    return float(np.abs(got - want).max() / np.abs(want).max())


class Graphs:
    """The three graphs of one variant."""

    def __init__(self, folder, variant):
        self.type = np.float16 if PRECISIONS[variant].half else np.float32
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.sessions = {
            role: onnxruntime.InferenceSession(folder / file, options, providers=["CPUExecutionProvider"])
            for role, file in package.graph_files(variant).items()
        }
        self.decoder = self.sessions["decoder"]
        self.past = [i for i in self.decoder.get_inputs() if i.name.startswith("past_key_values.")]

    def see(self, pixels):
        """Image features [tiles, tokens, hidden] of pixels [tiles, 3, S, S], tile by tile."""
        run = self.sessions["vision_encoder"].run
        return np.concatenate([run(None, {"pixel_values": tile[None, None]})[0] for tile in pixels])

    def embed(self, ids, features=None, image_token=None):
        """Embeddings of ids [B, S], with the features where the image tokens are."""
        rows = self.sessions["embed_tokens"].run(None, {"input_ids": ids})[0]
        if features is not None:
            for row, line in zip(rows, ids):
                row[line == image_token] = features.reshape(-1, rows.shape[-1])
        return rows

    def empty(self, batch):
        return [np.zeros((batch, i.shape[1], 0, i.shape[3]), self.type) for i in self.past]

    def read(self, rows, past):
        """Logits after `rows`, and the longer cache."""
        batch, fresh, kept = len(rows), rows.shape[1], past[0].shape[2]
        fed = {"inputs_embeds": rows, "attention_mask": np.ones((batch, kept + fresh), np.int64)}
        if any(i.name == "position_ids" for i in self.decoder.get_inputs()):
            fed["position_ids"] = np.tile(np.arange(kept, kept + fresh), (batch, 1))
        fed.update({i.name: value for i, value in zip(self.past, past)})
        logits, *present = self.decoder.run(None, fed)
        return logits[:, -1], present


def compare(folder, variant, model, ids, pixels):
    """How far the graphs of `variant` in `folder` are from `model` (f32, on the CPU) for the prompt
    `ids` [1, S] about `pixels` [tiles, 3, S, S]: a dict of relative differences, and whether the
    most probable next token is the same. The prompt is read whole, and in two parts through the cache."""
    with torch.no_grad():
        inputs = dict(input_ids=torch.from_numpy(ids), attention_mask=torch.ones(ids.shape, dtype=torch.long),
                      pixel_values=torch.from_numpy(pixels)[None])
        want = model(**inputs).logits[:, -1].float().numpy()
        features = model.get_image_features(inputs["pixel_values"]).pooler_output
        features = torch.cat(list(features)).float().numpy()
    graphs = Graphs(folder, variant)
    seen = graphs.see(pixels)
    rows = graphs.embed(ids, seen, model.config.image_token_id)
    whole, _ = graphs.read(rows, graphs.empty(1))
    cut = rows.shape[1] - 3
    _, past = graphs.read(rows[:, :cut], graphs.empty(1))
    parts, _ = graphs.read(rows[:, cut:], past)
    return {
        "features": relative(seen.reshape(features.shape), features),
        "logits": max(relative(whole, want), relative(parts, want)),
        "same": bool(whole.argmax() == want.argmax()),
    }
