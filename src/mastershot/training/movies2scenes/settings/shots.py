"""What learning from a library's shots is told of them. Light to import: no tensor is here."""

from dataclasses import dataclass
from pathlib import Path

from mastershot.training.engine.settings import require, require_one_of

CONTENTS = ("features", "keyframes")
POOLINGS = ("mean", "middle")
NAMINGS = ("file", "id")


@dataclass(frozen=True)
class ShotSource:
    """Where shots come from.

    Attributes:
        path: A folder of ``<movie>.npy``, one row a shot; an ``.npz`` with one array a movie; a
            library (``NAME.mastershot``); or, for keyframes, a film or a folder of films.
        content: ``features`` (a vector a shot) or ``keyframes`` (pictures of a shot).
        encoder: Of a library with vectors of several encoders, the one to take.
        pooling: A library's shot feature: the ``mean`` of its sampled frames, or the ``middle``
            one, as Movies2Scenes has it.
        frames_per_shot: Keyframes a shot, k, evenly spaced; 1 is the middle one.
        image_px: Side of a keyframe.
        names: What a library's films are called in the run: the stem of their ``file``, or ``id``.
            Metadata may call them by any of their names.
    """

    path: str
    content: str = "features"
    encoder: str = ""
    pooling: str = "mean"
    frames_per_shot: int = 1
    image_px: int = 128
    names: str = "file"

    def __post_init__(self) -> None:
        require(bool(self.path), "the source of shots has no path; name a library or a folder")
        require_one_of("content", self.content, CONTENTS)
        require_one_of("pooling", self.pooling, POOLINGS)
        require_one_of("names", self.names, NAMINGS)
        require(1 <= self.frames_per_shot <= 50, "frames_per_shot is from 1 to 50")
        require(16 <= self.image_px <= 1024, f"image_px is {self.image_px}, not from 16 to 1024")


def missing_shots(data: str, source: ShotSource) -> list[str]:
    """Return a sentence if the source of shots is not there."""
    path = Path(data).expanduser() / Path(source.path).expanduser()
    if path.exists():
        return []
    return [f"shots {path} do not exist; name a library, a folder of .npy, an .npz or films"]
