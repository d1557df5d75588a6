"""Shapes of SmolVLM models, and weights of any shape out of a random generator."""

import zlib

import numpy as np

import graphs

# The real tokenizer's ids, on which the shapes of the public models rest.
IDS = {"<|endoftext|>": 0, "<|im_start|>": 1, "<|im_end|>": 2, "<global-img>": 49152,
       "<fake_token_around_image>": 49189, "<image>": 49190, "<end_of_utterance>": 49279}
VOCABULARY = 49280

SIGLIP_BASE = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                   image_size=512, patch_size=16)
# `edge` is the longest edge of a picture that is split into tiles, pixels.
SHAPES = {
    "smolvlm-256m": dict(
        scale=4, edge=2048, vocabulary=VOCABULARY, positions=8192, vision=SIGLIP_BASE,
        text=dict(hidden_size=576, intermediate_size=1536, num_hidden_layers=30,
                  num_attention_heads=9, num_key_value_heads=3, head_dim=64),
    ),
    "smolvlm-500m": dict(
        scale=4, edge=2048, vocabulary=VOCABULARY, positions=8192, vision=SIGLIP_BASE,
        text=dict(hidden_size=960, intermediate_size=2560, num_hidden_layers=32,
                  num_attention_heads=15, num_key_value_heads=5, head_dim=64),
    ),
    # The same proportions in small, for tests that take seconds.
    "mini-256m": dict(
        scale=4, edge=256, vocabulary=512, positions=1024,
        vision=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
                    image_size=64, patch_size=8),
        text=dict(hidden_size=36, intermediate_size=64, num_hidden_layers=3,
                  num_attention_heads=9, num_key_value_heads=3, head_dim=4),
    ),
    "mini-500m": dict(
        scale=2, edge=128, vocabulary=512, positions=1024,
        vision=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
                    image_size=32, patch_size=4),
        text=dict(hidden_size=30, intermediate_size=80, num_hidden_layers=4,
                  num_attention_heads=15, num_key_value_heads=5, head_dim=4),
    ),
}


def config(shape, ids):
    """`config.json` of `shape`, with the token ids of its tokenizer."""
    return {
        "architectures": ["Idefics3ForConditionalGeneration"],
        "model_type": "idefics3",
        "image_token_id": ids["<image>"],
        "scale_factor": shape["scale"],
        "tie_word_embeddings": False,
        "vocab_size": shape["vocabulary"],
        "vision_config": {
            "model_type": "idefics3_vision", "hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6,
            "num_channels": 3, **shape["vision"],
        },
        "text_config": {
            "model_type": "llama", "hidden_act": "silu", "rms_norm_eps": 1e-5, "rope_theta": 100000.0,
            "max_position_embeddings": shape["positions"], "vocab_size": shape["vocabulary"],
            "bos_token_id": ids["<|im_start|>"], "eos_token_id": ids["<end_of_utterance>"],
            "pad_token_id": ids["<|im_end|>"], "tie_word_embeddings": False, "attention_bias": False,
            "mlp_bias": False, **shape["text"],
        },
    }


def preprocessor(shape):
    """`preprocessor_config.json` of `shape`."""
    return {
        "do_convert_rgb": True, "do_image_splitting": True, "do_normalize": True, "do_pad": True,
        "do_rescale": True, "do_resize": True, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
        "image_processor_type": "Idefics3ImageProcessor",
        "max_image_size": {"longest_edge": shape["vision"]["image_size"]},
        "processor_class": "Idefics3Processor", "resample": 1, "rescale_factor": 1 / 255,
        "size": {"longest_edge": shape["edge"]},
    }


class RandomWeights:
    """Weights by name, made when asked for: the same for the same name and seed, so that variants
    written one after the other are of one model, and no two are in memory at once."""

    def __init__(self, config, seed):
        self.config, self.seed = config, seed

    def _normal(self, name, *shape):
        generator = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        return generator.standard_normal(shape, np.float32)

    def __call__(self, name):
        vision, text = self.config["vision_config"], self.config["text_config"]
        seen, hidden, dim = vision["hidden_size"], text["hidden_size"], text["head_dim"]
        part = name.split(".", 2)[-1]
        if name == "text.frequencies":
            return graphs.default_frequencies(text["rope_theta"], dim)
        if name == "text.rotary_scaling":
            return 1.0
        if name in ("text.embedding", "head.weight"):
            return self._normal(name, text["vocab_size"], hidden) * np.float32(1 if "text" in name else hidden**-0.5)
        if name == "vision.patch":
            return self._normal(name, seen, 3, *[vision["patch_size"]] * 2) * np.float32(0.02)
        if name == "vision.table":
            return self._normal(name, (vision["image_size"] // vision["patch_size"]) ** 2, seen) * np.float32(0.5)
        if name == "connector.weight":
            inputs = seen * self.config["scale_factor"] ** 2
            return self._normal(name, hidden, inputs) * np.float32(inputs**-0.5)
        if "norm" in name:
            width = seen if name.startswith("vision") else hidden
            return np.full(width, 0 if name.endswith("bias") else 1, np.float32)
        if name.startswith("vision"):
            sizes = {"fc1": (vision["intermediate_size"], seen), "fc2": (seen, vision["intermediate_size"])}
            outputs, inputs = sizes.get(part.split(".")[0], (seen, seen))
        else:
            kv, q = text["num_key_value_heads"] * dim, text["num_attention_heads"] * dim
            wide = text["intermediate_size"]
            outputs, inputs = {"q": (q, hidden), "k": (kv, hidden), "v": (kv, hidden), "o": (hidden, q),
                               "gate": (wide, hidden), "up": (wide, hidden), "down": (hidden, wide)}[part.split(".")[0]]
            if name.endswith("bias"):
                return None
        if name.endswith("bias"):
            return self._normal(name, outputs) * np.float32(0.02)
        return self._normal(name, outputs, inputs) * np.float32(inputs**-0.5)
