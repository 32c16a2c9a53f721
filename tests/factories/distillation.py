"""Small teachers, pictures and recipes: everything a distillation needs, made in a moment."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from pyarrow import parquet
from safetensors.torch import save_file

from mastershot.training.distillation.settings import (
    DistillationSettings,
    DistilRecipe,
    FrameSource,
    HeldOutSettings,
    TeacherSettings,
)

SQUEEZE = {2: 16, 3: 16, 4: 32, 5: 32, 6: 48, 7: 48, 8: 64, 9: 64}


def write_pictures(folder: Path, *, count: int = 12, seed: int = 0) -> Path:
    """Write pictures of coloured blocks, wide and high by turns; return their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for index in range(count):
        blocks = random.integers(0, 256, (6, 8, 3), np.uint8)
        size = (80, 60) if index % 2 else (60, 80)
        Image.fromarray(blocks).resize(size, 0).save(folder / f"{index:03}.png")
    return folder


def squeezenet_weights(*, num_classes: int = 7, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return random weights of a SqueezeNet with so many classes, by their names in the file."""
    generator = torch.Generator().manual_seed(seed)
    shapes: dict[str, tuple[int, ...]] = {"conv1": (64, 3, 3, 3)}
    channels = 64
    for fire, squeeze in SQUEEZE.items():
        expand = 4 * squeeze
        shapes[f"fire{fire}.squeeze"] = (squeeze, channels, 1, 1)
        shapes[f"fire{fire}.expand1"] = (expand, squeeze, 1, 1)
        shapes[f"fire{fire}.expand3"] = (expand, squeeze, 3, 3)
        channels = 2 * expand
    shapes["classifier"] = (num_classes, channels, 1, 1)
    weights = {}
    for name, shape in shapes.items():
        scale = (2 / np.prod(shape[1:])) ** 0.5
        weights[f"{name}.weight"] = torch.randn(shape, generator=generator) * scale
        weights[f"{name}.bias"] = torch.randn(shape[0], generator=generator) * 0.1
    return weights


def write_squeezenet(folder: Path, *, num_classes: int = 7) -> TeacherSettings:
    """Write a random SqueezeNet and the names of its classes; return it as a teacher."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(squeezenet_weights(num_classes=num_classes), folder / "squeezenet.safetensors")
    (folder / "classes.txt").write_text("".join(f"place_{n}\n" for n in range(num_classes)))
    return TeacherSettings("squeezenet", "squeezenet.safetensors", "classes.txt")


def tiny_training(**changes: Any) -> DistillationSettings:
    """Return a training of a few steps on views of 32 pixels."""
    settings: dict[str, Any] = {
        "steps": 5,
        "batch_size": 2,
        "group_size": 4,
        "warmup_steps": 2,
        "teacher_px": 48,
        "student_px": 32,
    }
    return DistillationSettings(**(settings | changes))


def tiny_recipe(folder: Path, **changes: Any) -> DistilRecipe:
    """Write pictures and a teacher into a folder; return a recipe that learns from them."""
    write_pictures(folder / "pictures")
    settings: dict[str, Any] = {
        "frames": (FrameSource("pictures"),),
        "teachers": (write_squeezenet(folder),),
        "name": "tiny",
        "data": str(folder),
        "held_out": HeldOutSettings(0.3),
        "training": tiny_training(),
        "report_every": 2,
        "save_every": 2,
    }
    return DistilRecipe(**(settings | changes))


def write_labelled_table(
    path: Path, *, count: int = 12, labels: tuple[str, ...] = ("a", "b")
) -> Path:
    """Write a table of pictures, each of the colour of its label; return its path."""
    random = np.random.default_rng(0)
    rows: dict[str, list[Any]] = {"class": [], "jpeg": []}
    for index in range(count):
        place = index % len(labels)
        colour = np.full((16, 24, 3), 40, np.uint8)
        colour[..., place % 3] = 200
        noisy = colour + random.integers(0, 30, colour.shape, np.uint8)
        file = BytesIO()
        Image.fromarray(noisy).save(file, "png")
        rows["class"].append(labels[place])
        rows["jpeg"].append(file.getvalue())
    parquet.write_table(pa.table(rows), path)
    return path
