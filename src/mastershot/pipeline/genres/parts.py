"""What experts made of each trailer, kept in a file each, so that no trailer is decoded twice."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError
from mastershot.core.files import make_folder
from mastershot.encoders.experts.kept import read_arrays, read_facts, write_arrays
from mastershot.media.probe import FilmFile
from mastershot.pipeline.experts.decode import Watched
from mastershot.pipeline.experts.reading import subtitles_beside
from mastershot.pipeline.experts.watching import ClipExpert

PARTS = "parts"


@dataclass(frozen=True)
class Part:
    """What is kept of a trailer.

    Attributes:
        content_hash: Of its file.
        duration_s: How long it is.
        num_clips: N, its clips.
        has_audio: Whether it has a sound track.
        settings: Fingerprint of how its clips were found.
        experts: Fingerprint of how each expert's vectors were made.
    """

    content_hash: str
    duration_s: float
    num_clips: int
    has_audio: bool
    settings: str
    experts: Mapping[str, str]

    def lacking(self, other: Mapping[str, str], settings: str, content_hash: str) -> list[str]:
        """Return which experts of these fingerprints it lacks; all, if its clips are others."""
        if (self.settings, self.content_hash) != (settings, content_hash):
            return [*other]
        return [name for name, made in other.items() if self.experts.get(name) != made]


class PartStore:
    """The parts of a data set."""

    def __init__(self, folder: Path) -> None:
        """Take the data set's folder; that of its parts is made.

        Raises:
            OutputError: It cannot be made.
        """
        self.folder = folder / PARTS
        make_folder(self.folder)

    def path(self, trailer: str) -> Path:
        """Return where the part of a trailer is: its id names it, or a digest of that."""
        is_name = re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,99}", trailer, re.ASCII)
        # Where capitals do not count, two ids may be one name.
        digest = hashlib.blake2b(trailer.encode(), digest_size=12).hexdigest()
        plain = trailer if is_name and trailer == trailer.lower() else f"-{digest}"
        return self.folder / f"{plain}.safetensors"

    def get(self, trailer: str) -> Part | None:
        """Return what is kept of a trailer; None if nothing that can be read."""
        try:
            facts = read_facts(self.path(trailer))
            return Part(**{name: kind(facts[name]) for name, kind in _FIELDS.items()})
        except (DatasetError, KeyError, TypeError, ValueError):
            return None  # It is made anew.

    def vectors(self, trailer: str) -> dict[str, FloatArray]:
        """Return the vectors of each expert, float32.

        Raises:
            DatasetError: They cannot be read.
        """
        arrays, _ = read_arrays(self.path(trailer))
        return {name: rows.astype(np.float32) for name, rows in arrays.items()}

    def put(self, trailer: str, file: FilmFile, watched: Watched, made: Mapping[str, str],
            settings: str) -> Part:  # fmt: skip
        """Keep what experts made of a trailer, with what is kept of it by others.

        Raises:
            OutputError: It cannot be written.
        """
        before, vectors, experts = self.get(trailer), {}, dict(made)
        num_clips = len(watched.clips)
        if before is not None and not before.lacking(before.experts, settings, file.content_hash):
            kept = self.vectors(trailer)
            vectors = {name: rows for name, rows in kept.items() if len(rows) == num_clips}
            experts = {k: v for k, v in before.experts.items() if k in vectors} | experts
        vectors |= watched.vectors
        part = Part(file.content_hash, watched.movie.duration_s, num_clips,
                    watched.movie.has_audio, settings, experts)  # fmt: skip
        halves = {name: rows.astype(np.float16) for name, rows in vectors.items()}
        write_arrays(self.path(trailer), halves, {"trailer": trailer, **asdict(part)})
        return part


_FIELDS: Mapping[str, Any] = {
    "content_hash": str, "duration_s": float, "num_clips": int, "has_audio": bool,
    "settings": str, "experts": dict,
}  # fmt: skip


def fingerprint(made: object) -> str:
    """Return a digest of how something was made."""
    text = json.dumps(made, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def fingerprints(experts: Sequence[ClipExpert], path: Path, synopsis: str) -> dict[str, str]:
    """Return the fingerprint of what each expert makes of a trailer; text's is of its words, too.

    Raises:
        MediaError: Its file cannot be read.
    """
    made = {}
    for one in experts:
        facts: dict[str, Any] = asdict(one.described)
        if one.described.name == "text":
            beside = subtitles_beside(path)
            words = b"" if beside is None else beside.read_bytes()
            facts["words"] = [synopsis, hashlib.blake2b(words, digest_size=12).hexdigest()]
        made[one.described.name] = fingerprint(facts)
    return made
