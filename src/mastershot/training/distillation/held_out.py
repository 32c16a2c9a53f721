"""Frames that are never trained on, and how well the student agrees with its teachers on them."""
# F frames, K frames held out, N concepts, S side of a square in pixels

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mastershot.core.embeddings import ImageArray
from mastershot.core.errors import SettingError
from mastershot.core.labels import Taxonomy
from mastershot.encoders.images import prepare_frames
from mastershot.encoders.starter import student_preparation
from mastershot.media.pictures import STILL_SUFFIXES, read_still
from mastershot.training.distillation.frames import FramePool, source_files
from mastershot.training.distillation.labels import LabelTeacher, label_words
from mastershot.training.distillation.module import Distillation
from mastershot.training.distillation.settings import FrameSource, HeldOutSettings, find_list
from mastershot.training.distillation.teachers import Teacher, Teachers

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
        labels: Label by row of the pool, of those that have one, in the labelled list or a table.
    """

    mask: Tensor
    labels: Mapping[int, str]

    @property
    def rows(self) -> Tensor:
        """Rows of the frames held out in the pool, ascending, (K,)."""
        return self.mask.nonzero().flatten()


def hold_out(pool: FramePool, settings: HeldOutSettings) -> HeldOut:
    """Return the frames of a pool that are held out.

    Film frames are held out one by one: neighbours of a frame held out may be trained on.

    Raises:
        SettingError: The labelled list cannot be read, or no frame is held out.
    """
    listed = read_labelled(find_list(settings.labelled)) if settings.labelled else {}
    mask = torch.tensor([name in listed or held_out(name, settings.share) for name in pool.names])
    if not mask.any():
        raise SettingError(
            f"none of {len(pool)} frames is held out; raise held_out.share, now {settings.share:g}"
        )
    labels = {row: listed[name] for row, name in enumerate(pool.names) if listed.get(name)}
    of_tables = {row: label_words(label) for row, label in enumerate(pool.labels) if label}
    return HeldOut(mask, labels | {row: of_tables[row] for row in of_tables if mask[row]})


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
) -> list[ImageArray]:
    """Return the held-out frames that have a label, as they are in their files."""
    files = (file for source in sources for file in source_files(source))
    stills = {file.name: file for file in files if file.suffix.lower() in STILL_SUFFIXES}
    return [
        read_still(stills[name]) if (name := pool.names[row]) in stills else pool.squares[row]
        for row in held.labels
    ]


def read_right_labels(path: Path, taxonomy: Taxonomy) -> dict[str, list[str]]:
    """Return the labels of a taxonomy that are right for each label of a list.

    Raises:
        SettingError: The list cannot be read, or names what is not in the taxonomy.
    """
    rows = read_labelled(path, "label", "right")
    right = {label: names.split(";") for label, names in rows.items()}
    unknown = [name for names in right.values() for name in names if name not in taxonomy.labels]
    if unknown:
        raise SettingError(f"{path} names {unknown[0]!r}, which is not in {taxonomy.name}")
    return right


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
    """The held-out frames, with the best concept of each teacher."""

    def __init__(
        self, pool: FramePool, held: HeldOut, teachers: Teachers, sources: Sequence[FrameSource]
    ) -> None:
        """Run each teacher on the frames, uncropped."""
        self._squares = [pool.squares[row] for row in held.rows.tolist()]
        self._of_source = torch.from_numpy(pool.sources)[held.rows]
        self._teacher_names = [
            Path(of_teacher.weights).name or of_teacher.kind for _, of_teacher in teachers
        ]
        self._source_names = [Path(source.path).name for source in sources]
        size = (_TEACHER_PX, _TEACHER_PX)
        best = []
        with torch.inference_mode():
            for rows in torch.split(held.rows, _AT_ONCE):
                images = interpolate(pool.images(rows), size, mode="bilinear", antialias=True)
                best.append([_best(teacher, images, rows) for teacher, _ in teachers])
        self._best = [torch.cat(column) for column in zip(*best, strict=True)]

    def agreement(self, network: "StudentNetwork", module: Distillation) -> list[dict[str, Any]]:
        """Return the agreement with each teacher on each source that has frames held out.

        That is names of teacher and source, number of frames, and shares of them: ``top1`` where
        the student's best concept is the teacher's (of labels: the frame's, where it has one),
        ``top5`` where it is among the student's best five. The module maps the network's outputs
        to the concepts of each teacher.
        """
        was_training = network.training
        network.eval()
        logits = uncropped_logits(self._squares, network, module)
        network.train(was_training)
        return [
            {"teacher": teacher, "source": source, **_top_shares(answers[frames], best[frames])}
            for teacher, answers, best in zip(self._teacher_names, logits, self._best, strict=True)
            for index, source in enumerate(self._source_names)
            if (frames := self._of_source == index).any()
        ]


def _best(teacher: Teacher, images: Tensor, rows: Tensor) -> Tensor:
    """Return a teacher's best concept of each image, or the label that its frame has, (K,)."""
    best = teacher.targets(images).logits.argmax(1).cpu()
    if isinstance(teacher, LabelTeacher):
        given = teacher.given[rows]
        best = torch.where(given < 0, best, given)
    return best


@torch.inference_mode()
def uncropped_logits(
    pictures: Sequence[ImageArray], network: "StudentNetwork", module: Distillation
) -> list[Tensor]:
    """Return the logits (K, N) of each teacher's concepts, of pictures as the encoder takes them.

    Pictures are RGB, uint8 (H, W, 3); the network is in eval mode.
    """
    preparation = student_preparation(module.settings.student_px, module.settings.detail_px)
    device = next(network.parameters()).device
    parts = []
    for first in range(0, len(pictures), _AT_ONCE):
        images = prepare_frames(pictures[first : first + _AT_ONCE], preparation)
        parts.append([part.cpu() for part in module.logits(network(images.to(device)))])
    return [torch.cat(column) for column in zip(*parts, strict=True)]


def _top_shares(logits: Tensor, best: Tensor) -> dict[str, float]:
    """Return how often logits (K, N) agree with the teacher's best concepts (K,)."""
    five = logits.topk(min(5, logits.shape[1]), dim=1).indices
    hits = (five == best[:, None]).float()
    top1, top5 = hits[:, 0].mean().item(), hits.amax(1).mean().item()
    return {"num_frames": len(best), "top1": round(top1, 4), "top5": round(top5, 4)}
