"""Frames that are never trained on, and how well the student agrees with its teachers on them."""
# F frames, K frames held out, N concepts, S side of a square in pixels

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import SettingError
from mastershot.core.labels import load_taxonomy
from mastershot.encoders.images import prepare_frames
from mastershot.encoders.starter import student_preparation
from mastershot.media.stills import read_still
from mastershot.training.distillation.calibration import LabelledFrames
from mastershot.training.distillation.frames import FramePool, stills_named
from mastershot.training.distillation.module import Distillation
from mastershot.training.distillation.settings import (
    DistillationSettings,
    FrameSource,
    HeldOutSettings,
    find_list,
)
from mastershot.training.distillation.teachers import Teachers

if TYPE_CHECKING:
    from mastershot.models.students import StudentNetwork

_AT_ONCE = 64
# Teachers see frames at the size they were trained for; views, drawn smaller, save time.
_TEACHER_PX = 224


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Which frames of a pool are held out.

    Attributes:
        mask: True for each frame held out, (F,).
        labels: The label of each frame held out in the labelled list, empty where it has none.
    """

    mask: Tensor
    labels: tuple[str, ...]

    @property
    def rows(self) -> Tensor:
        """Rows of the frames held out in the pool, ascending, (K,)."""
        return self.mask.nonzero().flatten()


@dataclass(frozen=True)
class Agreement:
    """How often a student agrees with a teacher on the held-out frames of one source.

    Attributes:
        teacher: The teacher's weights.
        source: The source's folder or file.
        num_frames: Number of frames.
        top1: Share where the student's best concept is the teacher's.
        top5: Share where the teacher's best is among the student's best five.
    """

    teacher: str
    source: str
    num_frames: int
    top1: float
    top5: float


def hold_out(pool: FramePool, settings: HeldOutSettings) -> HeldOut:
    """Return the frames of a pool that are held out.

    Film frames are held out one by one, so that neighbours of a held-out frame may be trained on:
    agreement is measured on frames unseen, not on films unseen.

    Raises:
        SettingError: The labelled list cannot be read, or no frame is held out.
    """
    listed = read_labelled(find_list(settings.labelled)) if settings.labelled else {}
    mask = torch.tensor([name in listed or held_out(name, settings.share) for name in pool.names])
    if not mask.any():
        raise SettingError(
            f"none of {len(pool)} frames is held out; raise held_out.share, now {settings.share:g}"
        )
    rows = mask.nonzero().flatten().tolist()
    return HeldOut(mask, tuple(listed.get(pool.names[row], "") for row in rows))


def held_out(name: str, share: float) -> bool:
    """Return True for a seeded share of names; the same names on any machine."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest) < share * 2**64


def read_labelled(path: Path, key: str = "name", value: str = "label") -> dict[str, str]:
    """Return one column of a CSV by another: by default the label of each file name.

    Raises:
        SettingError: The file cannot be read, or lacks a column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames is None or not {key, value} <= set(rows.fieldnames):
                raise SettingError(f"{path} needs a first line with the columns {key} and {value}")
            return {row[key]: (row[value] or "").strip() for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SettingError(f"{path} cannot be read as CSV ({error})") from error


def labelled_pictures(
    held: HeldOut, pool: FramePool, sources: Sequence[FrameSource]
) -> tuple[list[ImageArray], list[str]]:
    """Return the held-out frames that have a label, as they are in their files, and the labels."""
    labelled = [row for row, label in zip(held.rows.tolist(), held.labels, strict=True) if label]
    files = stills_named(sources, {pool.names[row] for row in labelled})
    pictures = [
        read_still(files[name]) if (name := pool.names[row]) in files else pool.squares[row]
        for row in labelled
    ]
    return pictures, [label for label in held.labels if label]


def labelled_frames(
    settings: HeldOutSettings, logits: Tensor, labels: Sequence[str]
) -> LabelledFrames | None:
    """Return what a student of concepts is calibrated on, or None if there is nothing.

    Logits are the student's, one row a labelled picture, (K, N).

    Raises:
        SettingError: The list of right labels cannot be read, or names what is not in the taxonomy.
    """
    if not labels or not settings.right:
        return None
    taxonomy, path = load_taxonomy("movieclip"), find_list(settings.right)
    rows = read_labelled(path, "label", "right")
    right = {label: names.split(";") for label, names in rows.items()}
    unknown = [name for names in right.values() for name in names if name not in taxonomy.labels]
    if unknown:
        raise SettingError(f"{path} names {unknown[0]!r}, which is not in {taxonomy.name}")
    return LabelledFrames(logits, labels, right, taxonomy)


def chances(pool: FramePool, sources: Sequence[FrameSource], held: HeldOut) -> Tensor:
    """Return the weight that each frame is drawn by, (F,), 0 if it is held out.

    Raises:
        SettingError: Every frame of a source is held out.
    """
    of_source = torch.from_numpy(pool.sources)
    weights = torch.zeros(len(pool))
    for index, source in enumerate(sources):
        drawn = (of_source == index) & ~held.mask
        if not drawn.any():
            raise SettingError(
                f"all frames of {source.path} are held out; none is left to train on"
            )
        weights[drawn] = source.share / drawn.sum()
    return weights


class AgreementEvaluation:
    """The held-out frames with the best concept of each teacher, computed once."""

    def __init__(
        self,
        pool: FramePool,
        held: HeldOut,
        teachers: Teachers,
        sources: Sequence[FrameSource],
        settings: DistillationSettings,
    ) -> None:
        """Run each teacher on the frames, uncropped."""
        self._squares = [pool.squares[row] for row in held.rows.tolist()]
        self._of_source = torch.from_numpy(pool.sources)[held.rows]
        self._teacher_names = [
            Path(teacher_settings.weights).name for _, teacher_settings in teachers
        ]
        self._source_names = [Path(source.path).name for source in sources]
        self._side_px = settings.student_px
        size = (_TEACHER_PX, _TEACHER_PX)
        best = []
        with torch.inference_mode():
            for rows in torch.split(held.rows, _AT_ONCE):
                images = interpolate(pool.images(rows), size, mode="bilinear", antialias=True)
                best.append(
                    [teacher.targets(images).logits.argmax(1).cpu() for teacher, _ in teachers]
                )
        self._best = [torch.cat(column) for column in zip(*best, strict=True)]

    def agreement(self, network: "StudentNetwork", module: Distillation) -> list[Agreement]:
        """Return the agreement with each teacher on each source that has frames held out.

        The module maps the network's outputs to the concepts of each teacher.
        """
        was_training = network.training
        network.eval()
        logits = uncropped_logits(self._squares, network, module, side_px=self._side_px)
        network.train(was_training)
        return [
            _agreement(answers[frames], best[frames], teacher=teacher, source=source)
            for teacher, answers, best in zip(self._teacher_names, logits, self._best, strict=True)
            for index, source in enumerate(self._source_names)
            if (frames := self._of_source == index).any()
        ]


@torch.inference_mode()
def uncropped_logits(
    pictures: Sequence[ImageArray], network: "StudentNetwork", module: Distillation, *, side_px: int
) -> list[Tensor]:
    """Return the logits (K, N) of each teacher's concepts, of pictures as the encoder takes them.

    Pictures are RGB, uint8 (H, W, 3); the network, in eval mode, sees squares of ``side_px``.
    """
    preparation, device = student_preparation(side_px), next(network.parameters()).device
    parts = []
    for first in range(0, len(pictures), _AT_ONCE):
        images = prepare_frames(pictures[first : first + _AT_ONCE], preparation)
        parts.append([part.cpu() for part in module.logits(network(images.to(device)))])
    return [torch.cat(column) for column in zip(*parts, strict=True)]


def _agreement(logits: Tensor, best: Tensor, *, teacher: str, source: str) -> Agreement:
    """Return the agreement of logits (K, N) with the teacher's best concepts (K,)."""
    five = logits.topk(min(5, logits.shape[1]), dim=1).indices
    hits = (five == best[:, None]).float()
    top1, top5 = hits[:, 0].mean().item(), hits.amax(1).mean().item()
    return Agreement(teacher, source, len(best), round(top1, 4), round(top5, 4))
