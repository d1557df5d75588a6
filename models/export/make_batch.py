"""Makes golden values of batches, for the package that make_tiny.py made: what the reference gives
for several continuations of one prompt about one picture, in a batch and each alone.

  python make_batch.py --package ../../firmware/vision/tests/data/tiny-vlm
"""

import argparse
import json
import pathlib

import torch
from PIL import Image
from transformers import Idefics3Processor
from transformers.cache_utils import DynamicCache

import reference
from make_split import image_processor
from make_tiny import PATCH, SCALE, TILE, make_model, make_tokenizer

# One token each, as answers begin; and three of the same number of tokens, as rules may ask.
WORDS = [" Yes", " No", " 3"]
SUFFIXES = ["Is the door open?", "Is there a car?", "How many boxes?"]
PICTURE = "wide"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=pathlib.Path, required=True)
    golden = parser.parse_args().package / "golden"
    tokenizer = make_tokenizer()
    model = make_model(tokenizer)
    images = image_processor(TILE, 4 * TILE, False)
    processor = Idefics3Processor(images, tokenizer, image_seq_len=(TILE // PATCH // SCALE) ** 2)
    image = Image.open(golden / f"{PICTURE}.png").convert("RGB")
    prompt = f"<|im_start|>User:<image>{SUFFIXES[0]}<end_of_utterance>\nAssistant:"
    inputs = processor(text=prompt, images=[image], return_tensors="pt")
    ids, pixels = inputs["input_ids"], inputs["pixel_values"]
    words = [tokenizer.encode(word, add_special_tokens=False)[0] for word in WORDS]
    # What all questions share, up to the last special token before the question.
    image_end = (ids[0] == tokenizer.convert_tokens_to_ids("<fake_token_around_image>")).nonzero()[-1].item() + 1
    prefix = ids[:, :image_end]
    tails = [tokenizer.encode(f"{asked}<end_of_utterance>\nAssistant:", add_special_tokens=False) for asked in SUFFIXES]
    length = min(map(len, tails))
    tails = [tail[:length] for tail in tails]
    assert len({tuple(tail) for tail in tails}) == len(tails)

    def logits_of(rows):
        """The last logits of prompts of equal length, together and each alone."""
        rows = torch.tensor(rows)
        with torch.no_grad():
            together = model(
                input_ids=rows, attention_mask=torch.ones_like(rows), pixel_values=pixels.repeat(len(rows), 1, 1, 1, 1)
            ).logits[:, -1]
            alone = torch.cat([
                model(input_ids=row[None], attention_mask=torch.ones_like(row[None]), pixel_values=pixels).logits[:, -1]
                for row in rows
            ])
            apart = reference.relative(together, alone)
            assert apart < 1e-5, f"the reference's own batch differs by {apart}"
            # The rows must be told apart, or a mix-up would pass.
            assert reference.relative(alone[0], alone[1]) > 0.05 and reference.relative(alone[1], alone[2]) > 0.05
        return together

    def cached(start, rows):
        """Likewise through one cache of the shared `start`, repeated for the batch."""
        with torch.no_grad():
            read = model(input_ids=start, attention_mask=torch.ones_like(start), pixel_values=pixels, use_cache=True)
            cache = DynamicCache()
            for layer, kept in enumerate(read.past_key_values.layers):
                cache.update(kept.keys.repeat(len(rows), 1, 1, 1), kept.values.repeat(len(rows), 1, 1, 1), layer)
            rows = torch.tensor(rows)
            mask = torch.ones(len(rows), start.shape[1] + rows.shape[1], dtype=torch.long)
            return model(input_ids=rows, attention_mask=mask, past_key_values=cache).logits[:, -1]

    whole = ids[0].tolist()
    steps = logits_of([[*whole, word] for word in words])
    suffixes = logits_of([[*prefix[0].tolist(), *tail] for tail in tails])
    assert reference.relative(cached(ids, [[word] for word in words]), steps) < 1e-5
    assert reference.relative(cached(prefix, tails), suffixes) < 1e-5
    brief = lambda rows: [[float(f"{v:.6g}") for v in row] for row in rows.tolist()]  # noqa: E731
    (golden / "batch.json").write_text(json.dumps({
        "picture": PICTURE, "question": SUFFIXES[0], "tokens": words, "logits_after_tokens": brief(steps),
        "suffixes": tails, "logits_after_suffixes": brief(suffixes),
    }) + "\n")


if __name__ == "__main__":
    main()
