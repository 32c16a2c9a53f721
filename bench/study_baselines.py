"""What a recogniser of the study should beat: class frequency, and linear models of one frame.

Both learn from the same labels of the same shots as the recognisers, and are scored on the same
test shots. A linear model reads the middle frame of a shot: its pixels, or the starter's vector.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from mastershot.datasets.movieclip import read_split_folder
from mastershot.datasets.tables.records import LabelledShot
from mastershot.datasets.tables.tag_scores import TagScores, write_tag_scores
from mastershot.encoders.catalogue import load_encoder
from mastershot.evaluation.precision import average_precisions
from mastershot.media.clips import Clip, ClipReader

FRAME_PX, CELLS = 128, 16
"""Edge of the middle frame as the starter gets it, and as the pixels are averaged to."""
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
BASELINES = ("frequency", "linear, pixels", "linear, starter vectors")


@dataclass(frozen=True)
class MiddleFrames:
    """What linear models read of each shot of a corpus.

    Attributes:
        row_of: The row of each shot, by video and file.
        pixels: Averaged to CELLS × CELLS, in 0 to 1, (N, CELLS * CELLS * 3).
        vectors: Of the starter, (N, D).
    """

    row_of: dict[tuple[str, str], int]
    pixels: np.ndarray
    vectors: np.ndarray

    def points(self, baseline: str, names: Iterable[tuple[str, str]]) -> torch.Tensor:
        """Return the points of shots that a linear model reads, (N, D)."""
        rows = [self.row_of[name] for name in names]
        return torch.from_numpy((self.pixels if "pixels" in baseline else self.vectors)[rows])


def middle_frames(corpus: Path) -> MiddleFrames:
    """Return the middle frames of a corpus's shots, decoded unless they were before."""
    with (corpus / "shots.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    row_of = {(row["video"], row["file"]): place for place, row in enumerate(rows)}
    kept = corpus / "middle_frames.npz"
    if not kept.exists():
        encoder, reader, pixels, vectors = load_encoder("starter"), ClipReader(), [], []
        for first in range(0, len(rows), 64):
            frames = [_middle_frame(reader, corpus, row) for row in rows[first : first + 64]]
            cells = np.stack(frames).reshape(len(frames), CELLS, FRAME_PX // CELLS, CELLS, -1, 3)
            pixels.append(cells.mean((2, 4), dtype=np.float32).reshape(len(frames), -1) / 255)
            vectors.append(encoder.encode_images(frames))
        reader.close()
        np.savez(kept, pixels=np.concatenate(pixels), vectors=np.concatenate(vectors))
    with np.load(kept) as arrays:
        return MiddleFrames(row_of, arrays["pixels"], arrays["vectors"])


def _middle_frame(reader: ClipReader, corpus: Path, row: dict[str, str]) -> np.ndarray:
    clip = Clip(corpus / row["path"], float(row["start_s"]), float(row["end_s"]))
    return reader.read(clip, num_frames=1, size_px=FRAME_PX)[0]


def score_baselines(corpus: Path, labels: str, out: Path) -> None:
    """Write each baseline's scores of the test shots, learnt from ``weak`` or ``true`` labels."""
    classes, splits = read_split_folder(corpus / "splits" / labels)
    frames = middle_frames(corpus)
    targets = {name: _targets(shots, len(classes)) for name, shots in splits.items()}
    names = {name: [(s.video, s.file) for s in shots] for name, shots in splits.items()}
    for baseline in BASELINES:
        made: dict[str, object] = {"baseline": baseline, "labels": labels}
        if baseline == "frequency":
            scores = targets["train"].mean(0).expand(len(names["test"]), -1)
        else:
            points = {name: frames.points(baseline, own) for name, own in names.items()}
            scores, made["penalty"] = _linear_scores(points, targets)
        videos, files = zip(*names["test"], strict=True)
        tagged = TagScores(
            scores.numpy().astype(np.float32), targets["test"].numpy() > 0,
            videos, files, videos, classes.labels, made,
        )  # fmt: skip
        folder = out / f"{baseline.replace(', ', '-').replace(' ', '-')}-{labels}-0" / "scores"
        folder.mkdir(parents=True, exist_ok=True)
        write_tag_scores(folder / "test.npz", tagged)


def _linear_scores(
    points: dict[str, torch.Tensor], targets: dict[str, torch.Tensor]
) -> tuple[torch.Tensor, float]:
    """Return test scores of the penalty that is best on validation labels by mAP, and it."""
    mean, deviation = points["train"].mean(0), points["train"].std(0) + 1e-5
    scaled = {name: (values - mean) / deviation for name, values in points.items()}
    best = (-1.0, torch.empty(0), 0.0)
    for penalty in PENALTIES:
        weight, bias = _fit(scaled["train"], targets["train"], penalty)
        scores = {name: torch.sigmoid(values @ weight + bias) for name, values in scaled.items()}
        areas = average_precisions(scores["val"].numpy(), targets["val"].numpy() > 0)
        best = max(best, (float(np.nanmean(areas)), scores["test"], penalty), key=lambda b: b[0])
    return best[1], best[2]


def _fit(
    points: torch.Tensor, targets: torch.Tensor, penalty: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weights and biases of least binary cross-entropy with a penalty, by L-BFGS."""
    weight = torch.zeros(points.shape[1], targets.shape[1], requires_grad=True)
    bias = torch.zeros(targets.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = binary_cross_entropy_with_logits(points @ weight + bias, targets)
        value = value + penalty / 2 * weight.square().sum() / targets.shape[1]
        value.backward()
        return value

    optimizer.step(loss)
    return weight.detach(), bias.detach()


def _targets(shots: Iterable[LabelledShot], num_classes: int) -> torch.Tensor:
    """Return which classes shots have, (N, C)."""
    shots = list(shots)
    targets = torch.zeros(len(shots), num_classes)
    for row, shot in enumerate(shots):
        targets[row, list(shot.classes)] = 1
    return targets
