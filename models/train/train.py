"""Trains scout: dense maps and language jointly, then the language head on the frozen encoder.

Resumable: the checkpoint in ``--out`` holds weights, their moving average, the optimiser and the
progress. The length is given in epochs (reproducible) or in minutes (then the learning rate follows
the time trained, whatever else the machine does).
"""

import argparse
import copy
import csv
import math
import os
import signal
import threading
import time
from pathlib import Path
from queue import Queue

import torch

from batch import Batcher
from data import INPUT_SIZE, cached_images, load_rows, sampling_weights
from losses import BOX_WEIGHT, LANGUAGE_WEIGHT, answer_loss, box_loss, heat_loss, placed_loss
from net import Scout, raw_tokens
from text import Words

EPOCH_IMAGES = 6400
SMALL_SIZE = 192
SMALL_SHARE = 0.75
"""Share of the joint training at the smaller size: cheaper, and crops make its objects look larger, so that
a larger test size fits (Touvron et al. 2019, arXiv 1906.06423)."""
EMA_DECAY = 0.997
MAX_RATE = 2e-3
POLISH_RATE = 1.5e-3
POLISH_RENDERED_SHARE = 0.5
"""Queues and unattended bags are in rendered stills only, and the decoder is slow to learn them."""
POLISH_QUESTIONS = 12
"""Questions an image in the language-only part: the encoder is the dear part, so more are asked of each look."""
WEIGHT_DECAY = 0.03
COLUMNS = ["minutes", "step", "images", "phase", "size", "rate", "heat", "box", "language",
           "presence_right", "count_right", "images_per_s"]


def parse():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder of the training pack")
    parser.add_argument("--rendered", help="folder of rendered stills with annotations.jsonl")
    parser.add_argument("--out", required=True, help="folder for checkpoint and learning curve")
    parser.add_argument("--cache", required=True, help="folder for image arrays")
    parser.add_argument("--epochs", type=float, default=14.0, help=f"of {EPOCH_IMAGES} images")
    parser.add_argument("--minutes", type=float, help="train for this long instead")
    parser.add_argument("--start", help="checkpoint of an earlier run to start from, with a schedule of its own")
    parser.add_argument("--rate", type=float, default=MAX_RATE, help="highest learning rate of the joint part")
    parser.add_argument("--polish-share", type=float, default=0.22, help="language-only part at the end")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--limit", type=int, help="use only this many images (smoke run)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def one_cycle(p):
    """Learning-rate factor at progress ``p`` (0..1): warm-up for 8 %, then a cosine to nearly zero."""
    warm = 0.08
    if p < warm:
        return 0.05 + 0.95 * p / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (p - warm) / (1 - warm)))


def to_device(tree, device):
    """Moves tensors in nested dicts and tuples."""
    if torch.is_tensor(tree):
        return tree.to(device, non_blocking=True)
    if isinstance(tree, dict):
        return {k: to_device(v, device) for k, v in tree.items()}
    if isinstance(tree, (tuple, list)):
        return type(tree)(to_device(v, device) for v in tree)
    return tree


class Prefetch:
    """Builds batches one ahead in a thread (a queue of two: the trainer waits when it is empty)."""

    def __init__(self, batcher, start, size_of, batch):
        self.queue = Queue(2)
        self.stop = False
        self.thread = threading.Thread(target=self._run, args=(batcher, start, size_of, batch), daemon=True)
        self.thread.start()

    def _run(self, batcher, n, size_of, batch):
        while not self.stop:
            self.queue.put(batcher.draw(n, size_of(), batch))
            n += 1

    def close(self):
        """Stops the thread after the batch it is building."""
        self.stop = True
        while self.thread.is_alive():
            try:
                self.queue.get(timeout=0.2)
            except Exception:
                pass


@torch.no_grad()
def update_average(average, model, step):
    """Moves the average towards the model; buffers are copied likewise."""
    decay = min(EMA_DECAY, (1 + step) / (10 + step))
    for a, m in zip(average.parameters(), model.parameters()):
        a.lerp_(m, 1 - decay)
    for a, m in zip(average.buffers(), model.buffers()):
        if a.is_floating_point():
            a.lerp_(m, 1 - decay)
        else:
            a.copy_(m)


class Run:
    """One training run and its saved state."""

    def __init__(self, args):
        self.args = args
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(args.seed)
        self.words = Words()
        self.model = Scout(len(self.words)).to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.model).eval()
        decay = [p for p in self.model.parameters() if p.ndim > 1]
        plain = [p for p in self.model.parameters() if p.ndim <= 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": decay, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}],
            lr=MAX_RATE)
        self.step, self.images, self.seconds, self.asked_to_stop = 0, 0, 0.0, False
        self.before, self.first_step = 0.0, 0
        signal.signal(signal.SIGTERM, self._stop)
        self.out = Path(args.out)
        self.out.mkdir(parents=True, exist_ok=True)
        self.checkpoint = self.out / "checkpoint.pt"
        self.total_steps = max(2, int(args.epochs * EPOCH_IMAGES / args.batch))
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step, self.images, self.seconds = state["step"], state["images"], state["seconds"]
            self.before, self.first_step = state.get("before", 0.0), state.get("first_step", 0)
            print(f"resumed at step {self.step}, {self.seconds / 60:.1f} min", flush=True)

        elif args.start:
            state = torch.load(args.start, map_location=self.device, weights_only=True)
            self.model.load_state_dict(state["average"])
            self.average.load_state_dict(state["average"])
            self.step, self.images = state["step"], state["images"]
            self.before, self.first_step = state.get("before", 0.0) + state["seconds"], state["step"]
            print(f"started from {args.start}, trained for {self.before / 60:.1f} min", flush=True)

    def _stop(self, *_):
        self.asked_to_stop = True

    def progress(self):
        """Share of the training done, 0..1."""
        if self.args.minutes:
            return self.seconds / (60 * self.args.minutes)
        return (self.step - self.first_step) / self.total_steps

    def size(self):
        """Side of the input now, pixels."""
        share = SMALL_SHARE * (1 - self.args.polish_share)
        return SMALL_SIZE if self.progress() < share else INPUT_SIZE

    def save(self):
        """Writes the checkpoint whole or not at all."""
        part = self.checkpoint.with_suffix(".part")
        torch.save({"model": self.model.state_dict(), "average": self.average.state_dict(),
                    "optimiser": self.optimiser.state_dict(), "step": self.step, "images": self.images,
                    "seconds": self.seconds, "before": self.before,
                    "first_step": self.first_step}, part)
        os.replace(part, self.checkpoint)

    def log(self, values):
        """Adds a line to the learning curve."""
        path = self.out / "curve.csv"
        new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow({k: (f"{v:.5g}" if isinstance(v, float) else v) for k, v in values.items()})

    def joint_step(self, batch):
        """One step of both heads; returns the losses."""
        pixels, targets, packed = to_device(batch, self.device)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16):
            maps = self.model.encoder(pixels)
            features = self.model.connector(*raw_tokens(maps))
            logits = self.model.answer_logits(features, packed)
        heat = heat_loss(maps["heat"], targets["heat"], targets["weight"])
        heat = heat + placed_loss(maps["heat"], targets["placed"])
        box = box_loss(maps["sides"], targets["boxes"])
        language, shares = answer_loss(logits, packed, self.words)
        (heat + BOX_WEIGHT * box + LANGUAGE_WEIGHT * language).backward()
        return heat.item(), box.item(), language.item(), shares

    def polish_step(self, batch):
        """One step of connector and decoder on the frozen, averaged encoder, as it is exported."""
        pixels, _, packed = to_device(batch, self.device)
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16):
            with torch.no_grad():
                raw = raw_tokens(self.average.encoder(pixels))
            logits = self.model.answer_logits(self.model.connector(*raw), packed)
        language, shares = answer_loss(logits, packed, self.words)
        language.backward()
        return 0.0, 0.0, language.item(), shares

    def train(self, batcher):
        """Runs to the end, saving every two minutes."""
        prefetch = Prefetch(batcher, self.step, self.size, self.args.batch)
        began = last_save = last_log = time.monotonic()
        since, sums, polishing = 0, [0.0] * 5, False
        base = self.seconds
        while self.progress() < 1.0 and not self.asked_to_stop:
            p = self.progress()
            joint = 1.0 - self.args.polish_share
            if p >= joint and not polishing:
                polishing = True
                batcher.questions = POLISH_QUESTIONS
                batcher.reweigh(sampling_weights(batcher.rows, POLISH_RENDERED_SHARE))
                self.model.load_state_dict(self.average.state_dict())
            rate = (self.args.rate * one_cycle(p / joint) if not polishing
                    else POLISH_RATE * one_cycle((p - joint) / (1 - joint)))
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            batch = prefetch.queue.get()
            self.model.train()
            self.optimiser.zero_grad(set_to_none=True)
            heat, box, language, shares = (self.polish_step if polishing else self.joint_step)(batch)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimiser.step()
            self.step += 1
            self.images += len(batch[0])
            if polishing:
                update_average(self.average.connector, self.model.connector, self.step)
                update_average(self.average.decoder, self.model.decoder, self.step)
            else:
                update_average(self.average, self.model, self.step)
            now = time.monotonic()
            self.seconds = base + now - began
            since += 1
            for i, v in enumerate([heat, box, language, shares.get("presence", 0), shares.get("count", 0)]):
                sums[i] += v
            if now - last_log > 20 or self.progress() >= 1.0:
                speed = since * self.args.batch / (now - last_log)
                mean = [s / since for s in sums]
                done = min(self.progress(), 1.0)
                left = (self.seconds / max(done, 1e-6)) * (1 - done) / 60
                print(f"{self.seconds / 60:6.1f} min  step {self.step}  {done:4.0%}  "
                      f"heat {mean[0]:.3f}  box {mean[1]:.3f}  language {mean[2]:.3f}  "
                      f"presence {mean[3]:.2f}  count {mean[4]:.2f}  {speed:.0f} images/s  "
                      f"ETA {left:.1f} min", flush=True)
                self.log(dict(zip(COLUMNS, [
                    (self.before + self.seconds) / 60, self.step, self.images,
                    "polish" if polishing else "joint", batch[0].shape[-1], rate, *mean, speed])))
                since, sums, last_log = 0, [0.0] * 5, now
            if now - last_save > 120:
                self.save()
                last_save = now
        self.save()
        prefetch.close()


def main():
    """Entry point."""
    args = parse()
    rows = [r for r in load_rows(args.data, args.rendered) if r.split == "train"]
    if args.limit:
        rows = rows[:: max(1, len(rows) // args.limit)]
    images = cached_images(rows, 320, args.cache, "train")
    run = Run(args)
    print(f"{len(rows)} training images, {len(run.words)} words, "
          f"{sum(p.numel() for p in run.model.parameters()) / 1e6:.2f} M parameters, "
          f"{run.device}", flush=True)
    run.train(Batcher(rows, images, sampling_weights(rows), run.words, args.seed))
    if run.asked_to_stop:
        raise SystemExit("stopped; run again to go on from the checkpoint")


if __name__ == "__main__":
    main()
