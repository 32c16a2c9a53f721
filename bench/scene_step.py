"""A training step of the scene encoder against a plain MoCo step of the same network, in one run.

python bench/scene_step.py              # reduced width, on the CPU: claims at most 5 % more time
python bench/scene_step.py --paper      # 128 scenes of 9 × 128², ViT-B/16, on a GPU; also the share
                                        # of its peak (--peak-tflops); not run: there was no GPU

Our step is the whole of it: reading the batch, the figures for the log, Lightning's Trainer. The
plain step is written out below, and given the same batches, ready in memory. On the CPU, seconds
are those of the processor.
"""

import argparse
import copy
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.engine.trainer import fit
from mastershot.training.movies2scenes.batches import ContrastBatch, SceneBatches
from mastershot.training.movies2scenes.moco import MomentumContrast
from mastershot.training.movies2scenes.networks import SceneShape, projected, scene_network, seeded
from mastershot.training.movies2scenes.settings.encoders import ContrastiveSettings, NetworkSettings

WINDOW, FILMS, SHOTS = 9, 16, 40
CLOCK = time.process_time  # Of this process alone: other work on the machine does not count.


class Plain:
    """Momentum contrast in as few lines as it takes."""

    def __init__(self, encoder: nn.Module, training: ContrastiveSettings, device: str) -> None:
        self.encoder = encoder.to(device)
        self.slow = copy.deepcopy(self.encoder).requires_grad_(False)
        self.queue = torch.randn(training.queue, training.projection, device=device)
        self.ids = torch.full((training.queue,), -1, device=device)
        self.at, self.training, self.device = 0, training, device
        self.optimizer = torch.optim.AdamW(
            self.encoder.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
        )

    def step(self, batch: ContrastBatch) -> torch.Tensor:
        training = self.training
        queries, keys = (
            scenes.to(self.device).movedim(-1, -3).flatten(1, 2)
            for scenes in (batch.queries, batch.keys[:, 0])
        )
        with torch.no_grad():
            for slow, fast in zip(self.slow.parameters(), self.encoder.parameters(), strict=True):
                slow.lerp_(fast, 1 - training.momentum)
            k = self.slow(keys)
        q = self.encoder(queries)
        own = torch.cat([batch.query_ids, batch.key_ids[:, 0]]).to(self.device)
        negatives = (q @ self.queue.T).masked_fill(torch.isin(self.ids, own), -1e9)
        logits = torch.cat([(q * k).sum(1, keepdim=True), negatives], 1) / training.temperature
        loss = cross_entropy(logits, torch.zeros(len(q), dtype=torch.long, device=self.device))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        places = (self.at + torch.arange(len(k), device=self.device)) % training.queue
        self.queue[places], self.ids[places] = k, batch.key_ids[:, 0].to(self.device)
        self.at = (self.at + len(k)) % training.queue
        return loss.detach()


def ours(
    batches: SceneBatches, encoder: nn.Module, training: ContrastiveSettings, steps: int
) -> float:
    """Return the median seconds of a step."""
    module = MomentumContrast(encoder, training, steps=steps, warmup_steps=1, queue=training.queue)
    moments = []
    with tempfile.TemporaryDirectory() as folder:
        fit(
            module, DataLoader(batches, batch_size=None), folder=Path(folder), steps=steps,
            save_every=10 * steps, on_step=lambda step, figures: moments.append(CLOCK()),
        )  # fmt: skip
    # The last step is followed by a checkpoint, the first by the others' warm-up.
    return statistics.median(np.diff(moments)[1:-1])


def plain(step: Plain, batches: list[ContrastBatch], steps: int) -> float:
    seconds = []
    for number in range(steps):
        began_s = CLOCK()
        float(step.step(batches[number % len(batches)]))
        seconds.append(CLOCK() - began_s)
    return statistics.median(seconds[2:])


def flops_of(network: NetworkSettings, tokens: int) -> float:
    """Return multiplications and additions of one scene: forward, backward, and the key's."""
    linear = 2 * 12 * network.width**2 * network.depth * tokens
    attention = 4 * tokens**2 * network.width * network.depth
    return 4 * (linear + attention)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paper", action="store_true", help="the paper's size, on a GPU")
    parser.add_argument("--peak-tflops", type=float, default=989.0, help="of the GPU, dense bf16")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    device = "cuda" if options.paper else "cpu"
    if options.paper:
        globals()["CLOCK"] = time.perf_counter  # The work is the GPU's.
    side_px, scenes, queue, steps = (128, 128, 65_536, 30) if options.paper else (32, 16, 1024, 12)
    network = (
        NetworkSettings()
        if options.paper
        else NetworkSettings(width=96, depth=4, heads=4, patch_px=8)
    )
    training = ContrastiveSettings(batch_size=scenes, queue=queue)
    with tempfile.TemporaryDirectory() as folder:
        rng = np.random.default_rng(0)
        for film in range(FILMS):
            frames = rng.integers(0, 256, (SHOTS, 1, side_px, side_px, 3), np.uint8)
            write_movie(Path(folder), f"{film:03}", frames)
        arrays = ShotArrays(folder)
        rows = rng.integers(0, SHOTS - WINDOW, (2, 4096)) + SHOTS * rng.integers(
            0, FILMS, (2, 4096)
        )
        batches = SceneBatches(arrays, (rows[0], rows[1]), window=WINDOW, batch_size=scenes, seed=0)
        ready = [batches.batch(step) for step in range(4)]
        with seeded(0):
            backbone = scene_network(network, SceneShape(WINDOW, arrays.row_shape))
            encoder = projected(backbone, network.width, training.projection)
        peer = Plain(copy.deepcopy(encoder), training, device)
        ratios = []
        for _ in range(options.rounds):
            one = ours(batches, copy.deepcopy(encoder), training, steps)
            other = plain(peer, ready, steps)
            ratios.append(one / other)
            print(f"ours {one:.4f} s, plain {other:.4f} s, ratio {one / other:.3f}", flush=True)
    tokens = WINDOW * (side_px // network.patch_px) ** 2 + 1
    print(f"median ratio {statistics.median(ratios):.3f}; {1 / one:.2f} steps/s")
    if options.paper:
        share = scenes * flops_of(network, tokens) / one / (options.peak_tflops * 1e12)
        print(f"share of {options.peak_tflops:g} TFLOP/s: {100 * share:.1f} %")


if __name__ == "__main__":
    main()
