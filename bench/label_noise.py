"""How to learn from labels of which up to a third is wrong: chosen on a shard held out.

Before a student is trained, a network of one hidden layer on its teachers' features stands in for
it: it is trained on shards 00 to 04 with each kind of target, and names the photographs of shard
05. Shards 06 and 07 are not read.

    python bench/label_noise.py DATA FEATURES.npz

DATA holds frames/photographs and models/; the features, 224 pixels into both teachers, are kept in
the second file.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, log_softmax, one_hot

from mastershot.datasets.tables.pictures import read_labelled_pictures
from mastershot.media.pictures import read_still
from mastershot.recipes.load import load_recipe
from mastershot.training.distillation.labels import Probe
from mastershot.training.distillation.teachers import load_teacher

SHARDS, HELD_OUT, FOLDS = range(6), 5, 5
TEACHER_PX, AT_ONCE = 224, 50
HIDDEN, EPOCHS, BATCH, SEEDS = 512, 15, 128, (0, 1)


def extract(data: Path, out: Path) -> None:
    recipe = load_recipe("distil/starter", [f"data={data}"]).settings
    places, things = (load_teacher(teacher, recipe.data) for teacher in recipe.teachers[:2])
    labels, shards, pooled, logits = [], [], [], []
    for shard in SHARDS:
        path = data / "frames" / "photographs" / f"photographs-{shard:02}.parquet"
        rows = list(read_labelled_pictures(path))
        labels += [label for label, _ in rows]
        shards += [shard] * len(rows)
        for first in range(0, len(rows), AT_ONCE):
            part = [read_still(path, content) for _, content in rows[first : first + AT_ONCE]]
            images = torch.from_numpy(np.stack(part)).permute(0, 3, 1, 2).float()
            size = (TEACHER_PX, TEACHER_PX)
            sized = interpolate(images, size, mode="bilinear", antialias=True)
            with torch.inference_mode():
                last = places.targets(sized).last
                assert last is not None
                pooled.append(last.mean((2, 3)).numpy())
                logits.append(things.targets(images).logits.numpy())
    np.savez(
        out,
        labels=np.array(labels),
        shard=np.array(shards),
        pool=np.concatenate(pooled),
        things=np.concatenate(logits).astype(np.float16),
    )


def out_of_fold(features: Tensor, labels: Tensor, num_labels: int) -> Tensor:
    """Return the probability of each label by a probe fitted without its frame, (F,)."""
    believed, folds = torch.zeros(len(labels)), torch.arange(len(labels)) % FOLDS
    for fold in range(FOLDS):
        own = folds == fold
        of_fold = Probe.fit(features[~own], labels[~own], num_labels).logits(features[own])
        believed[own] = of_fold.softmax(1).gather(1, labels[own].unsqueeze(1)).squeeze(1)
    return believed


def accuracy(
    inputs: Tensor, targets: Tensor, held: Tensor, truth: Tensor, seed: int, mixup: float
) -> float:
    """Train on these targets; return the share of held-out photographs named as their folder."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Dropout(0.5), nn.Linear(inputs.shape[1], HIDDEN), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(HIDDEN, targets.shape[1]),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.05)
    steps = EPOCHS * (len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for epoch in range(EPOCHS):
        for rows in torch.randperm(len(inputs)).split(BATCH):
            if len(rows) < BATCH:
                continue
            x, q = inputs[rows], targets[rows]
            if mixup:
                share = np.random.default_rng(seed * 999 + epoch).beta(mixup, mixup)
                others = torch.randperm(BATCH)
                x, q = share * x + (1 - share) * x[others], share * q + (1 - share) * q[others]
            loss = -(q * log_softmax(network(x), 1)).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    network.eval()
    with torch.inference_mode():
        return float((network(held).argmax(1) == truth).float().mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("features", type=Path)
    options = parser.parse_args()
    if not options.features.exists():
        extract(options.data, options.features)
    kept = np.load(options.features)
    names = sorted(set(kept["labels"]))
    labels = torch.tensor([names.index(label) for label in kept["labels"]])
    learn = torch.from_numpy(kept["shard"] < HELD_OUT)
    held = torch.from_numpy(kept["shard"] == HELD_OUT)
    pooled = torch.from_numpy(kept["pool"])
    both = torch.cat([pooled, torch.from_numpy(kept["things"].astype(np.float32))], 1)
    both = (both - both[learn].mean(0)) / (both[learn].std(0) + 1e-6)
    opinion = Probe.fit(pooled[learn], labels[learn], len(names)).logits(pooled[learn]).softmax(1)
    believed = out_of_fold(pooled[learn], labels[learn], len(names)).unsqueeze(1)
    given = one_hot(labels[learn], len(names)).float()
    targets = {
        "the given label": (given, 0.0),
        "the given label, mixup 0.4": (given, 0.4),
        "label smoothing 0.1": (0.9 * given + 0.1 / len(names), 0.0),
        "0.9 the label, 0.1 the probe's opinion": (0.9 * given + 0.1 * opinion, 0.0),
        "half the label, half the opinion": (0.5 * given + 0.5 * opinion, 0.0),
        "the label as far as believed out of fold": (
            believed * given + (1 - believed) * opinion, 0.0,
        ),
        "the opinion alone": (opinion, 0.0),
    }  # fmt: skip
    for title, (target, mixup) in targets.items():
        found = [
            accuracy(both[learn], target, both[held], labels[held], seed, mixup) for seed in SEEDS
        ]
        each = ", ".join(f"{one:.1%}" for one in found)
        print(f"{title:42} {np.mean(found):.1%} ({each})", flush=True)


if __name__ == "__main__":
    main()
