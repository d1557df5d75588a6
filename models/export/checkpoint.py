"""The weights of an Idefics3 / SmolVLM model of `transformers`, by the names of `graphs.py`."""

import torch

from graphs import VISION_ACTIVATIONS
from package import Refused


def described(model):
    """The part of the configuration that the graphs are made from, with every default filled in."""
    config = model.config
    text, vision = config.text_config, config.vision_config
    rotary = model.model.text_model.rotary_emb

    def need(good, what):
        if not good:
            raise Refused(what)

    need(text.model_type == "llama",
         f"text_config.model_type is '{text.model_type}'; only llama is known")
    need(getattr(text, "hidden_act", "silu") == "silu", f"text_config.hidden_act is '{text.hidden_act}', not silu")
    need(getattr(rotary, "rope_type", "default") in ("default", "linear", "llama3"),
         f"the rotary embedding is of type '{rotary.rope_type}', which changes with the length of the prompt; "
         "default, linear and llama3 are known")
    need(vision.hidden_act in VISION_ACTIVATIONS,
         f"vision_config.hidden_act is '{vision.hidden_act}'; known are {', '.join(VISION_ACTIVATIONS)}")
    side = vision.image_size // vision.patch_size
    need(side % config.scale_factor == 0,
         f"{side} patches a side (image_size {vision.image_size} / patch_size {vision.patch_size}) can't be "
         f"shuffled by scale_factor {config.scale_factor}")
    return {
        "scale_factor": config.scale_factor,
        "vision_config": {key: getattr(vision, key) for key in (
            "hidden_size", "num_attention_heads", "num_hidden_layers", "image_size", "patch_size",
            "layer_norm_eps", "hidden_act")},
        "text_config": {
            **{key: getattr(text, key) for key in (
                "hidden_size", "num_attention_heads", "num_key_value_heads", "num_hidden_layers",
                "intermediate_size", "rms_norm_eps", "max_position_embeddings", "vocab_size")},
            "head_dim": getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads,
        },
    }


VISION = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "out": "self_attn.out_proj",
          "fc1": "mlp.fc1", "fc2": "mlp.fc2", "norm1": "layer_norm1", "norm2": "layer_norm2"}
TEXT = {"q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj", "o": "self_attn.o_proj",
        "gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj",
        "norm1": "input_layernorm", "norm2": "post_attention_layernorm"}


class CheckpointWeights:
    """Weights by name, as f32 arrays; None for a bias that the model does not have."""

    def __init__(self, model):
        self.model = model
        self.tensors = dict(model.named_parameters())
        self.tensors.update(model.named_buffers())
        # A tied head is listed once.
        self.tensors["lm_head.weight"] = model.lm_head.weight

    def path(self, name):
        """The name of the tensor in the model."""
        fixed = {
            "vision.patch": "model.vision_model.embeddings.patch_embedding.weight",
            "connector.weight": "model.connector.modality_projection.proj.weight",
            "text.embedding": "model.text_model.embed_tokens.weight",
            "text.norm": "model.text_model.norm.weight",
            "head.weight": "lm_head.weight",
        }
        if name in fixed:
            return fixed[name]
        tower, layer, *rest = name.split(".")
        if layer == "norm":
            return f"model.vision_model.post_layernorm.{rest[0]}"
        part, what = rest[0], (rest[1] if len(rest) > 1 else "weight")
        if tower == "vision":
            return f"model.vision_model.encoder.layers.{layer}.{VISION[part]}.{what}"
        return f"model.text_model.layers.{layer}.{TEXT[part]}.{what}"

    def __call__(self, name):
        rotary = self.model.model.text_model.rotary_emb
        if name == "text.frequencies":
            return rotary.inv_freq.double().numpy()
        if name == "text.rotary_scaling":
            return float(rotary.attention_scaling)
        if name == "vision.table":
            return self._patch_table()
        path = self.path(name)
        if path not in self.tensors:
            if name.endswith(".bias"):
                return None
            raise Refused(f"the checkpoint has no tensor {path}")
        return self.tensors[path].detach().float().numpy()

    def _patch_table(self):
        """What the embeddings make of a black tile: the convolution's bias and every patch's place.
        The model finds the places itself, for not all sizes count them up."""
        embeddings = self.model.model.vision_model.embeddings
        size, side = embeddings.image_size, embeddings.image_size // embeddings.patch_size
        with torch.no_grad():
            black = torch.zeros(1, 3, size, size, dtype=embeddings.patch_embedding.weight.dtype)
            made = embeddings(pixel_values=black, patch_attention_mask=torch.ones(1, side, side, dtype=torch.bool))
        return made[0].float().numpy()
