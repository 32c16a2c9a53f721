"""What a run's network reads: clips, or vectors, of the shots of all its splits."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.models.recognisers.build import recogniser_row
from mastershot.training.engine.settings import OnProgress, find_encoder
from mastershot.training.tagging.batches import ShotInputs
from mastershot.training.tagging.clips import ClipSize, FilmClips, name_of
from mastershot.training.tagging.scoring import Split
from mastershot.training.tagging.settings import TaggingRecipe
from mastershot.training.tagging.shots import TaggedShot, TaggingData, read_tagging_data
from mastershot.training.tagging.vectors import ShotVectors, encode_shots, read_vectors

_VECTORS = "vectors"


@dataclass(frozen=True, eq=False)
class TaggingInputs:
    """What reads each split of a run.

    Attributes:
        data: The shots and labels.
        splits: Each split and what reads it.
        size: Of clips; of no meaning where vectors are read.
        width: Width of the vectors; 0 where clips are read.
        space: The vectors' space, where it is known.
        encoder: Name or folder of their encoder, where it is known.
    """

    data: TaggingData
    splits: Mapping[str, Split]
    size: ClipSize
    width: int = 0
    space: EmbeddingSpace | None = None
    encoder: str = ""

    @property
    def digest(self) -> str:
        """What tells the labels and shots of this run from others."""
        key = hashlib.blake2b(repr(self.data.classes.labels).encode(), digest_size=16)
        for name, shots in self.data.splits.items():
            for shot in shots:
                key.update(f"{name} {name_of(shot)} {shot.classes}\n".encode())
        return key.hexdigest()


def open_inputs(recipe: TaggingRecipe, out: Path, on_progress: OnProgress) -> TaggingInputs:
    """Return what reads the shots of a recipe; films are read here for what is to be kept.

    Raises:
        SettingError: There is no such network or split, or no way from a shot to its film.
        DatasetError: Split files, data set or vectors cannot be read.
        EncoderError: The encoder of the vectors is missing or cannot be loaded.
    """
    row = recogniser_row(recipe.network.name)
    size = ClipSize(recipe.network.frames or row.frames, recipe.network.size_px or row.size_px)
    reads_vectors = row.reads == "vectors"
    needs_films = not (reads_vectors and recipe.vectors.table)
    data = read_tagging_data(recipe, needs_films=needs_films)
    shots = [shot for part in data.splits.values() for shot in part]
    if reads_vectors:
        vectors, encoder = _vectors(recipe, shots, out, on_progress)
        width, space = vectors.table.width, vectors.space
        return TaggingInputs(data, _splits(data, vectors), size, width, space, encoder)
    cache = recipe.path(recipe.clips.cache) if recipe.clips.cache else None
    clips = FilmClips(shots, size, cache)
    if cache is not None:
        clips.decode_missing(on_progress)
    return TaggingInputs(data, _splits(data, clips), size)


def _vectors(
    recipe: TaggingRecipe, shots: list[TaggedShot], out: Path, on_progress: OnProgress
) -> tuple[ShotVectors, str]:
    settings = recipe.vectors
    if settings.table:
        return read_vectors(recipe.path(settings.table), shots, settings.max_steps), ""
    name = find_encoder(settings.encoder, recipe.data)
    # The precision is part of the space; in float32 it is the same on every machine.
    encoder = load_frame_encoder(name, precision="float32")
    folder = recipe.path(settings.cache) if settings.cache else out / _VECTORS
    return encode_shots(shots, encoder, settings, folder, on_progress), name


def _splits(data: TaggingData, source: ShotInputs) -> dict[str, Split]:
    splits, first = {}, 0
    for name, shots in data.splits.items():
        splits[name] = Split(shots, source, first)
        first += len(shots)
    return splits
