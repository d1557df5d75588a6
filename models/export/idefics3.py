"""An Idefics3 / SmolVLM checkpoint as the three ONNX graphs of a model package, traced.

The graphs have the form of the public SmolVLM export, with a mask of pixels and the logits of all
positions, so tests that use them show that what is downloaded loads, too. Packages are written by
`graphs.py`, whose graphs are faster; the two know nothing of each other.

  vision_encoder        pixel_values f32 [B,N,3,S,S], pixel_attention_mask bool [B,N,S,S]
                        -> image_features f32 [tiles,tokens,hidden]
  embed_tokens          input_ids i64 [B,S] -> inputs_embeds f32 [B,S,hidden]
  decoder_model_merged  inputs_embeds, attention_mask i64 [B,T], position_ids i64 [B,S],
                        past_key_values.L.{key,value} f32 [B,heads,P,dim]
                        -> logits f32 [B,S,vocabulary], present.L.{key,value}
"""

import contextlib
import pathlib
from unittest import mock

import onnx
import torch
from torch.export import Dim
from transformers.cache_utils import DynamicCache


class VisionEncoder(torch.nn.Module):
    """Vision tower and connector; the number of tiles is B x N."""

    def __init__(self, model):
        super().__init__()
        self.vision = model.model.vision_model
        self.connector = model.model.connector
        self.patch = model.config.vision_config.patch_size

    def forward(self, pixel_values, pixel_attention_mask):
        # The reference drops tiles that are all zero (padding of a batch); a camera never sends one.
        pixels = pixel_values.flatten(0, 1)
        mask = pixel_attention_mask.flatten(0, 1)
        mask = mask.unfold(1, self.patch, self.patch).unfold(2, self.patch, self.patch)
        mask = mask.to(torch.int32).sum(dim=(-1, -2)) > 0
        seen = self.vision(pixel_values=pixels, patch_attention_mask=mask).last_hidden_state
        return self.connector(seen)


class EmbedTokens(torch.nn.Module):
    """The table of token embeddings."""

    def __init__(self, model):
        super().__init__()
        self.table = model.get_input_embeddings()

    def forward(self, input_ids):
        return self.table(input_ids)


class Decoder(torch.nn.Module):
    """The language model with its key/value cache as plain tensors."""

    def __init__(self, model):
        super().__init__()
        self.text = model.model.text_model
        self.head = model.lm_head
        self.layers = model.config.text_config.num_hidden_layers

    def forward(self, inputs_embeds, attention_mask, position_ids, past):
        cache = DynamicCache()
        for layer in range(self.layers):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        out = self.text(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=cache,
            use_cache=True,
        )
        present = []
        for layer in out.past_key_values.layers:
            present += [layer.keys, layer.values]
        return (self.head(out.last_hidden_state), *present)


def _bucketize(values, boundaries, right=False):
    """`torch.bucketize` by counting the boundaries that lie below."""
    values = values.unsqueeze(-1)
    return (boundaries <= values if right else boundaries < values).sum(-1)


def _safe_positions(vision):
    """Keeps the exporter's binary search out of graphs where it fails.

    It always takes the same number of steps, and reads past the end of the boundaries (patches a
    side - 1 of them) unless the patches are a power of two: ONNX Runtime then refuses to run the
    graph. 512 / 16 is fine, 384 / 14 and 364 / 14 are not.
    """
    side = vision.image_size // vision.patch_size
    if side & (side - 1) == 0:
        return contextlib.nullcontext()
    return mock.patch.object(torch, "bucketize", _bucketize)


def _export(module, args, path, inputs, outputs, shapes, names):
    program = torch.onnx.export(
        module.eval(),
        args,
        dynamo=True,
        input_names=inputs,
        output_names=outputs,
        dynamic_shapes=shapes,
        opset_version=18,
        verbose=False,
    )
    proto = program.model_proto
    # The exporter invents names for free dimensions; say what they are, and drop what only a
    # debugger of the exporter reads (it is most of a small file).
    for value in list(proto.graph.input) + list(proto.graph.output):
        for dim, name in zip(value.type.tensor_type.shape.dim, names[value.name.split(".")[0]]):
            if dim.dim_param or name is not None and not dim.dim_value:
                dim.dim_param = name or dim.dim_param
    for node in proto.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    del proto.graph.value_info[:]
    del proto.graph.metadata_props[:]
    del proto.metadata_props[:]
    for value in list(proto.graph.input) + list(proto.graph.output) + list(proto.graph.initializer):
        del value.metadata_props[:]
    for function in proto.functions:
        for node in function.node:
            node.doc_string = ""
            del node.metadata_props[:]
    onnx.checker.check_model(proto)
    onnx.save(proto, path)


def export_graphs(model, folder, suffix=""):
    """Writes the three graphs of `model` (an `Idefics3ForConditionalGeneration`, f32) to `folder`."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text, vision = model.config.text_config, model.config.vision_config
    model = model.eval().float()
    auto = Dim.AUTO
    # Traced with two of everything: a size of one would be frozen into the graph.
    with torch.no_grad():
        side = vision.image_size
        pixels = torch.rand(1, 2, 3, side, side)
        mask = torch.ones(1, 2, side, side, dtype=torch.bool)
        with _safe_positions(vision):
            _export(
                VisionEncoder(model),
                (pixels, mask),
                folder / f"vision_encoder{suffix}.onnx",
                ["pixel_values", "pixel_attention_mask"],
                ["image_features"],
                ({1: auto}, {1: auto}),
                {
                    "pixel_values": ["batch", "num_images", None, None, None],
                    "pixel_attention_mask": ["batch", "num_images", None, None],
                    "image_features": ["tiles", None, None],
                },
            )
        ids = torch.zeros(2, 3, dtype=torch.long)
        _export(
            EmbedTokens(model),
            (ids,),
            folder / f"embed_tokens{suffix}.onnx",
            ["input_ids"],
            ["inputs_embeds"],
            ({0: auto, 1: auto},),
            {"input_ids": ["batch", "sequence"], "inputs_embeds": ["batch", "sequence", None]},
        )
        batch, fresh, kept = 2, 3, 4
        head_dim = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
        past = [
            torch.rand(batch, text.num_key_value_heads, kept, head_dim)
            for _ in range(2 * text.num_hidden_layers)
        ]
        pairs = [(layer, what) for layer in range(text.num_hidden_layers) for what in ("key", "value")]
        _export(
            Decoder(model),
            (
                torch.rand(batch, fresh, text.hidden_size),
                torch.ones(batch, kept + fresh, dtype=torch.long),
                torch.arange(kept, kept + fresh).expand(batch, fresh).contiguous(),
                past,
            ),
            folder / f"decoder_model_merged{suffix}.onnx",
            ["inputs_embeds", "attention_mask", "position_ids"]
            + [f"past_key_values.{layer}.{what}" for layer, what in pairs],
            ["logits"] + [f"present.{layer}.{what}" for layer, what in pairs],
            (
                {0: auto, 1: auto},
                {0: auto, 1: auto},
                {0: auto, 1: auto},
                [{0: auto, 2: auto} for _ in past],
            ),
            {
                "inputs_embeds": ["batch", "sequence", None],
                "attention_mask": ["batch", "total_sequence"],
                "position_ids": ["batch", "sequence"],
                "past_key_values": ["batch", None, "past_sequence", None],
                "logits": ["batch", "sequence", None],
                "present": ["batch", None, "total_sequence", None],
            },
        )
