"""Teach the temporal network of shot detection, and write the weights that ship.

    python bench/transition_network.py measure DATA OUT [--films 220] [--seed 1]
    python bench/transition_network.py teach OUT [--steps 4000] [--weights FILE]

``measure`` draws films with known transitions (`synthetic.transitions`) from photographs and real
clips of the half that is taught on, grades and spoils them, and writes the measures of their frames
with the truth to OUT/SEED.npz; run it with several seeds. ``teach`` trains on all of them, in one
process of one thread, and writes the network as arrays that NumPy reads.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mastershot.shots.scores import MEASURES, measure
from mastershot.synthetic.transitions import EditedFilm, Editing, edit
from transition_clips import clip_source

SIZE = (72, 128)  # Height and width of a frame: about the points that detection takes of one.
SHOTS = 12
CHANNELS, DILATIONS = 64, (1, 2, 4, 8, 16, 32, 1)
LENGTH, BATCH, MARGIN = 288, 20, 64  # Frames of an example, examples a step, frames unjudged.
KINDS = ("dissolve", "fade", "wipe")
WEIGHTS = Path("src/mastershot/shots/transition_network.npz")


def spoiled(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a film's frames with a grade, grain, greyish black and black bars, or some of it."""
    values = frames.astype(np.float32)
    noise = rng.choice([0, 1.5, 4, 9])
    gamma = np.exp(rng.normal(0, 0.25))
    if (saturation := rng.choice([1, 1, 1, 0.3, 0])) < 1:
        grey = values.mean(3, keepdims=True)
        values = grey + (values - grey) * saturation
    curve = (np.arange(256) / 255) ** gamma * 255
    values = curve[np.clip(values, 0, 255).astype(np.uint8)].astype(np.float32)
    black = rng.choice([0, 0, 0, 12])
    values = black + values * (255 - black) / 255
    if noise:
        values += rng.normal(0, noise, values.shape).astype(np.float32)
    values = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        bar = int(rng.integers(4, 14))
        values[:, :bar] = 0
        values[:, -bar:] = 0
    return values


def plain(num_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return a clip of one colour."""
    return np.broadcast_to(rng.integers(0, 256, 3).astype(np.uint8), (num_frames, *SIZE, 3))


def truth_of(film: EditedFilm) -> np.ndarray:
    """Return of each frame: starts a shot after a cut; which of `KINDS`, from 1; lit by a flash."""
    truth = np.zeros((len(film.frames), 3), np.uint8)
    for one in film.transitions:
        if one.kind == "cut":
            truth[one.start_frame, 0] = 1
        else:
            truth[one.start_frame : one.end_frame, 1] = 1 + KINDS.index(one.kind)
    for start, end in film.flashes:
        truth[start:end, 2] = 1
    return truth


def measure_films(data: Path, out: Path, num_films: int, seed: int) -> None:
    clip, rows, truths, lengths = clip_source(data, taught=True, size=SIZE), [], [], []
    started = time.monotonic()
    for index in range(num_films):
        rng = np.random.default_rng([seed, index])
        shot = (8, 40) if rng.random() < 0.2 else (14, 110)
        film = edit(
            clip, SHOTS, rng, Editing(shot=shot, dissolve=(4, 72), flash=0.2, disturbed=0.35)
        )
        frames = spoiled(film.frames, rng)
        truth = truth_of(film)
        if rng.random() < 0.03:  # A film of nothing.
            frames, truth = spoiled(np.full_like(film.frames, rng.integers(256)), rng), truth * 0
        rows.append(measure(list(frames[..., ::-1])))
        truths.append(truth)
        lengths.append(len(film.frames))
        if index % 20 == 0:
            print(f"film {index} of {num_films}, {time.monotonic() - started:.0f} s", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    np.savez(out / f"{seed}.npz", X=np.concatenate(rows), Y=np.concatenate(truths), T=lengths)


class Network(nn.Module):
    """What `mastershot.shots.network` computes, with dropout while it is taught."""

    def __init__(self) -> None:
        super().__init__()
        self.inp = nn.Conv1d(len(MEASURES), CHANNELS, 1)
        self.blocks = nn.ModuleList(
            nn.ModuleList([
                nn.Conv1d(CHANNELS, CHANNELS, 3, padding=d, dilation=d),
                nn.Conv1d(CHANNELS, CHANNELS, 1),
            ])
            for d in DILATIONS
        )  # fmt: skip
        self.out = nn.Conv1d(CHANNELS, 6, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.inp(x))
        for wide, narrow in self.blocks:
            x = x + functional.dropout(narrow(functional.relu(wide(x))), 0.1, self.training)
        return self.out(x)


def loss_of(logits: Tensor, truth: Tensor) -> Tensor:
    cut = truth[..., 0].float()
    weights = 1 + 7 * cut
    single = functional.binary_cross_entropy_with_logits(logits[:, 0], cut, weights)
    kinds = functional.cross_entropy(logits[:, 1:5], truth[..., 1])
    flash = functional.binary_cross_entropy_with_logits(logits[:, 5], truth[..., 2].float())
    return single + kinds + 0.5 * flash


def teach(out: Path, steps: int, weights: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    parts = [np.load(path) for path in sorted(out.glob("*.npz"))]
    measures = np.log(np.concatenate([part["X"] for part in parts]) + 0.003)
    mean, std = measures.mean(0), measures.std(0) + 1e-6
    inputs = torch.from_numpy(((measures - mean) / std).astype(np.float32))
    truth = torch.from_numpy(np.concatenate([part["Y"] for part in parts]).astype(np.int64))
    network, rng = Network(), np.random.default_rng(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 4e-3, total_steps=steps, pct_start=0.1
    )
    average = {name: value.clone() for name, value in network.state_dict().items()}
    started = time.monotonic()
    for step in range(steps):
        starts = rng.integers(0, len(inputs) - LENGTH, BATCH)
        x = torch.stack([inputs[at : at + LENGTH] for at in starts]).transpose(1, 2)
        y = torch.stack([truth[at : at + LENGTH] for at in starts])[:, MARGIN:-MARGIN]
        loss = loss_of(network(x + 0.05 * torch.randn_like(x))[:, :, MARGIN:-MARGIN], y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        decay = min(0.998, (step + 1) / (step + 10))
        for name, value in network.state_dict().items():
            average[name].lerp_(value, 1 - decay)
        if step % 200 == 0:
            print(
                f"step {step}, loss {loss.item():.4f}, {time.monotonic() - started:.0f} s",
                flush=True,
            )
    export(average, mean, std, weights)


def export(state: dict[str, Tensor], mean: np.ndarray, std: np.ndarray, path: Path) -> None:
    arrays = {"measures": np.array(MEASURES), "dilations": np.array(DILATIONS)}
    for name, value in state.items():
        array = value.numpy()
        if name.endswith("weight"):  # Taps, inputs, outputs.
            array = array.transpose(2, 1, 0).astype(np.float16)
            array = array[0] if len(array) == 1 else array
        arrays[name] = array
    np.savez_compressed(path, **arrays, mean=mean, std=std)
    print(
        f"{path}: {path.stat().st_size:,} bytes, {sum(v.numel() for v in state.values()):,} weights"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("data", type=Path)
    measuring.add_argument("out", type=Path)
    measuring.add_argument("--films", type=int, default=220)
    measuring.add_argument("--seed", type=int, default=1)
    teaching = commands.add_parser("teach")
    teaching.add_argument("out", type=Path)
    teaching.add_argument("--steps", type=int, default=4000)
    teaching.add_argument("--weights", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    if options.command == "measure":
        measure_films(options.data, options.out, options.films, options.seed)
    else:
        teach(options.out, options.steps, options.weights)


if __name__ == "__main__":
    main()
