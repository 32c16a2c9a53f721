"""Genres of a film by a trained model: what its experts say of shots, kept, then read."""
# N shots that are seen, P pieces, D width of an expert

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mastershot.core.embeddings import (
    DETECTOR,
    Embeddings,
    EmbeddingSpace,
    FloatArray,
    IntArray,
)
from mastershot.core.errors import DatasetError, EncoderError, SettingError
from mastershot.core.labels import GenreScore
from mastershot.core.movie import Shot
from mastershot.core.protocols import FeatureStore, ImageTextEncoder
from mastershot.core.timeline import Json, MadeBy, Timeline
from mastershot.datasets.files import read_table
from mastershot.datasets.genres.embeddings import EMBEDDINGS, read_embeddings
from mastershot.datasets.genres.table import Expert
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.checkpoint import file_digest
from mastershot.encoders.frame_network import CHECKPOINT_SUFFIXES
from mastershot.encoders.genre_model import RUN_FOLDER, TrainedGenres, find_genre_model
from mastershot.exports.tables import as_text
from mastershot.genres.clustering import UNASSIGNED, unit_rows
from mastershot.genres.relatives import (
    KnownTrailers,
    find_relatives,
    gates_of,
    nearest_subgenre,
)
from mastershot.pipeline.analysis.stored import middle_frames
from mastershot.pipeline.experts.catalogue import EXPERTS, ExpertSettings, load_experts
from mastershot.pipeline.experts.decode import FRAMES_A_CLIP, clip_settings
from mastershot.pipeline.experts.watching import ClipExpert, EncoderExpert
from mastershot.shots.settings import ShotSettings

SUBGENRES = Path("subgenres") / "subgenres.csv"
"""Where in a run's folder `genres subgenres` says which trailer is in which sub-genre."""
_STARTER = "starter"


@dataclass(frozen=True, eq=False)
class GenreFinder:
    """A trained model of genres, the experts that it sees films by, and what it was trained on.

    Attributes:
        trained: The model.
        experts: Its experts, in its order.
        known: The trailers it was trained on, with their embeddings; None where its run has none.
        known_hash: Digest of the files that say so.
    """

    trained: TrainedGenres
    experts: tuple[ClipExpert, ...]
    known: KnownTrailers | None = None
    known_hash: str = ""

    def made(self) -> Json:
        """Return what a timeline keeps of how genres were found."""
        card = self.trained.card
        made: Json = {
            "model": card.name,
            "weights_hash": self.trained.weights_hash,
            "experts": {name: _stated(card.made_by[name]) for name in card.experts},
            "thresholds": dict(zip(card.classes, card.thresholds, strict=True)),
            "clips": card.clips,
            "sequences": card.sequences,
            "frames_a_clip": FRAMES_A_CLIP,
        }
        return made | ({"relatives": self.known_hash} if self.known_hash else {})

    def spaces(self, made: MadeBy) -> dict[str, EmbeddingSpace]:
        """Return the space of each expert's vectors of shots, by its name.

        They are those of whole shots: of shots that were read or found otherwise they are others.
        """
        found = {}
        for name, expert in zip(self.trained.card.experts, self.experts, strict=True):
            rests_on = [asdict(expert.described), FRAMES_A_CLIP]
            rests_on += [made.steps.get("reading"), made.steps.get("shots")]
            text = json.dumps(rests_on, sort_keys=True)
            digest = hashlib.sha256(text.encode()).hexdigest()[:32]
            *pieces, width = self.trained.shape(name)
            numbers = (width + 1) * (pieces[0] if pieces else 1)
            found[name] = EmbeddingSpace(f"{DETECTOR}genres/{name}", f"sha256:{digest}", numbers)
        return found

    def needed(
        self, shots: Sequence[Shot], made: MadeBy
    ) -> Iterator[tuple[EmbeddingSpace, IntArray]]:
        """Yield each space, and the frames under which it has vectors: of shots that are seen."""
        seen = self.trained.clips_seen(len(shots)).tolist()
        frames = middle_frames([shots[place] for place in seen])
        for space in self.spaces(made).values():
            yield space, frames

    def keep(
        self,
        vectors: Mapping[str, FloatArray],
        shots: Sequence[Shot],
        made: MadeBy,
        store: FeatureStore,
    ) -> None:
        """Keep what experts made of all shots of a film, as much of it as the model sees."""
        seen = self.trained.clips_seen(len(shots))
        frames = middle_frames([shots[place] for place in seen.tolist()])
        for name, space in self.spaces(made).items():
            rows = _flagged(vectors[name][seen]).reshape(len(seen), -1)
            store.put(Embeddings(space, frames, rows))

    def with_genres(self, timeline: Timeline, store: FeatureStore) -> Json:
        """Return a film's genres and what belongs to them, by the names of a timeline's fields."""
        vectors = {}
        needed = self.needed(timeline.shots, timeline.made_by)
        for name, (space, frames) in zip(self.trained.card.experts, needed, strict=True):
            rows = store.get(space, frames).vectors
            vectors[name] = _unflagged(rows, self.trained.shape(name))
        found, card = self.trained.outputs(vectors), self.trained.card
        genres = [
            GenreScore(name, float(score), limit, bool(score >= np.float32(limit)))
            for name, score, limit in zip(card.classes, found.scores, card.thresholds, strict=True)
        ]
        fields: Json = {
            "genres": tuple(sorted(genres, key=lambda one: -one.score)),
            "drivers": gates_of(found.opened, tuple(card.experts), self.known),
        }
        if self.known is None:
            return fields
        file = timeline.movie.content_hash
        return fields | {
            "subgenre": nearest_subgenre(found.embedding, self.known),
            "relatives": find_relatives(found.embedding, self.known, file=file),
        }


def require_genre_model(model: object, steps: Sequence[str]) -> None:
    """Refuse the step without a model, and a model without the step.

    Raises:
        SettingError: It is one of both.
    """
    if model is None and "genres" in steps:
        raise SettingError(
            "step genres needs a model, and none ships: `mastershot genres build TRAILERS --genres "
            "CSV --out FOLDER/dataset` and `mastershot run genres/gated data=FOLDER --out RUN` "
            "train one on your own trailers; then name it with --genres RUN"
        )
    if model is not None and "genres" not in steps:
        raise SettingError(
            f"a model of genres is named, {model}, but the steps are only {', '.join(steps)}; add "
            "genres"
        )


def load_genre_finder(path: str | Path, encoder: ImageTextEncoder | None = None) -> GenreFinder:
    """Return the model of a folder, or of the run that trained it, ready for films.

    Args:
        path: The folder.
        encoder: An encoder of frames that is loaded already.

    Raises:
        SettingError: The folder holds no model of genres.
        EncoderError: The model cannot be loaded, or sees by what a film cannot give here.
        DatasetError: What lies beside it is damaged.
    """
    folder = find_genre_model(path)
    trained = TrainedGenres(folder)
    experts = _experts_of(trained, encoder)
    run = folder.parent
    if folder.name != RUN_FOLDER or not (run / EMBEDDINGS).is_file():
        return GenreFinder(trained, experts)
    known = read_known_trailers(run, trained)
    digests = [file_digest(one) for one in (run / EMBEDDINGS, run / SUBGENRES) if one.is_file()]
    digest = hashlib.blake2b(b"".join(digests), digest_size=16).hexdigest()
    return GenreFinder(trained, experts, known, f"blake2b:{digest}")


def genre_notes(
    finder: GenreFinder, shots: ShotSettings, *, listed: Path | None
) -> tuple[str, ...]:
    """Return what the user should know where shots are found otherwise than in training."""
    taught = finder.trained.card.shots
    now: Json = {"detector": f"the list {listed.name}"} if listed else clip_settings(shots)
    names = ("detector", "pixels", "threshold", "min_shot_s")
    differing = [name for name in names if name in taught and taught[name] != now.get(name)]
    if not differing:
        return ()
    first = differing[0]
    return (
        f"The model of genres learned from shots of {first} {taught[first]}, and those of these "
        f"films are of {first} {now[first]}: its scores may be off",
    )


def read_known_trailers(run: Path, trained: TrainedGenres) -> KnownTrailers:
    """Return the trailers of a run, with their sub-genres where they were found.

    Raises:
        DatasetError: A file is damaged, or of another model.
    """
    made, card = read_embeddings(run), trained.card
    experts = made.experts or tuple(card.experts)
    if made.fine.shape[1] != card.bottleneck or made.opened.shape[1] != len(experts):
        raise DatasetError(
            f"{made.path} is not of the model beside it: embeddings are {made.fine.shape[1]} wide "
            f"and gates of {made.opened.shape[1]} experts; the model has {card.bottleneck} and "
            f"{len(card.experts)}"
        )
    if not (np.isfinite(made.fine).all() and np.isfinite(made.opened).all()):
        raise DatasetError(f"{made.path} holds embeddings or gates that are not finite numbers")
    nothing = ("",) * len(made.trailers)
    labels: IntArray | None = None
    names: tuple[str, ...] = ()
    if (run / SUBGENRES).is_file():
        labels, names = _subgenres_of(run / SUBGENRES, made.trailers)
    return KnownTrailers(
        made.trailers, made.titles or nothing, made.files or nothing, unit_rows(made.fine),
        made.opened, experts, labels, names,
    )  # fmt: skip


def _subgenres_of(path: Path, ids: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
    place_of = {as_text(name): place for place, name in enumerate(ids)}
    labels, names = np.full(len(ids), UNASSIGNED, np.int64), dict[int, str]()
    for row in read_table(path, ("id", "subgenre", "name"), what="sub-genres of trailers"):
        if row["id"] not in place_of:
            raise row.error(f"trailer {row['id']!r} has no embedding beside it; find them anew")
        if row["subgenre"]:
            number = row.whole("subgenre")
            labels[place_of[row["id"]]] = number - 1
            text = row["name"]
            names[number] = text[1:] if text[:1] == "'" and as_text(text[1:]) == text else text
    if sorted(names) != [*range(1, len(names) + 1)]:
        raise DatasetError(f"{path} does not number its sub-genres from 1 on; find them anew")
    return labels, tuple(names[number] for number in sorted(names))


def _experts_of(trained: TrainedGenres, encoder: ImageTextEncoder | None) -> tuple[ClipExpert, ...]:
    """Return the experts of a model, of which each is the one that it was trained with.

    Raises:
        EncoderError: One is not.
    """
    card, what = trained.card, f"model of genres {trained.folder}"
    if unknown := [name for name in card.experts if name not in EXPERTS]:
        raise EncoderError(
            f"{what} cannot see films: its expert {unknown[0]} was computed elsewhere, and a film "
            f"has only {', '.join(EXPERTS)}"
        )
    image = card.made_by.get("image", {}).get("network", _STARTER)
    names = tuple(name for name in card.experts if name != "image" or image == _STARTER)
    own = load_experts(ExpertSettings(names)) if names else ()
    loaded = {one.described.name: one for one in own}
    if "image" in card.experts and image != _STARTER:
        loaded["image"] = EncoderExpert(_encoder_called(str(image), encoder, what), "image")
    for name, one in loaded.items():
        *pieces, width = trained.shape(name)
        wanted = Expert(name, width, pieces[0] if pieces else 0, card.made_by.get(name, {}))
        if difference := _difference(wanted, one.described):
            raise EncoderError(
                f"{what} cannot see films: its expert {name} has {difference} here; train it on a "
                "data set of `mastershot genres build`, by the experts that are the default"
            )
    return tuple(loaded[name] for name in card.experts)


def _encoder_called(name: str, given: ImageTextEncoder | None, what: str) -> ImageTextEncoder:
    if given is not None and given.space.model == name:
        return given
    try:
        return load_encoder(name, download=False)
    except EncoderError as error:
        if Path(name).suffix in CHECKPOINT_SUFFIXES:
            raise EncoderError(
                f"{what} cannot see films: its expert image is a network read from the file "
                f"{name}, and a film has only encoders of frames and words; train it on a data set "
                "of `mastershot genres build` without --encoder, or with --encoder and the name of "
                "such an encoder"
            ) from error
        raise EncoderError(
            f"{what} cannot see films: its expert image is encoder {name}, which cannot be loaded "
            f"by that name ({error}); if it was a folder, name it with --encoder FOLDER"
        ) from error


def _difference(wanted: Expert, given: Expert) -> str:
    """Return in which way an expert is not the one that a model was trained with, in some words."""
    if wanted.width != given.width:
        return f"vectors of width {wanted.width}, and one of width {given.width}"
    if wanted.pieces != given.pieces:
        return f"{wanted.pieces} pieces a clip, and {given.pieces}"
    before, now = (json.loads(json.dumps(dict(one.made_by))) for one in (wanted, given))
    for key in sorted({*before, *now}, key=lambda key: (key not in ("network", "method"), key)):
        if before.get(key) != now.get(key):
            return f"{key} {_short(before.get(key))}, and {_short(now.get(key))}"
    return ""


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _stated(made_by: Mapping[str, Any]) -> Json:
    """Return how an expert was made, without long lists of its classes."""
    return {key: value for key, value in made_by.items() if not isinstance(value, list)}


def _flagged(rows: FloatArray) -> FloatArray:
    """Return rows (…, D) as a store takes them, (…, D + 1): 1 at their end, or all 0 for NaN.

    They are what a data set keeps of them, in half precision.
    """
    halves = rows.astype(np.float16).astype(np.float32)
    there = np.isfinite(halves).all(axis=-1, keepdims=True)
    made = np.concatenate([np.where(there, halves, 0), there], axis=-1)
    return np.asarray(made, np.float32)


def _unflagged(rows: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return what `_flagged` was given: (N, D), or (N, P, D) in pieces."""
    flagged = rows.reshape(len(rows), *shape[:-1], shape[-1] + 1)
    made = np.where(flagged[..., -1:] > 0, flagged[..., :-1], np.nan)
    return np.asarray(made, np.float32)
