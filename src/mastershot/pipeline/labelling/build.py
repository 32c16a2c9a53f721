"""From clips to a weakly labelled data set: every label's score on every shot (METHODS A4)."""
# S shots of a clip, L labels

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np

from mastershot import __version__
from mastershot.core.errors import DatasetError, EncoderError, LibraryError, TaxonomyError, sentence
from mastershot.core.files import make_folder, written_whole
from mastershot.core.text import utf8_text
from mastershot.core.timeline import Timeline
from mastershot.datasets.movieclip import shot_file_name, write_tags
from mastershot.datasets.tables.records import ScoredShots, best_columns, shots_of
from mastershot.datasets.tables.score_table import open_scores, write_scores
from mastershot.datasets.tables.scored import SCORE_TABLES, TAGS_FILE
from mastershot.media.films import VIDEO_SUFFIXES, find_films
from mastershot.pipeline.analysis.annotate import label_scores
from mastershot.pipeline.analysis.decode_pass import Progress, no_progress
from mastershot.pipeline.analysis.plan import LoadedPlan
from mastershot.pipeline.analysis.stored import needed_frames
from mastershot.pipeline.library import Library

CLIP_LIBRARY = "clips.mastershot"
"""The library within a data set's folder that its clips are kept in, unless another is named."""
FAILURES = "failures.csv"

Failed: TypeAlias = Callable[[Exception], None]
"""Called with the error of a clip that failed."""
T = TypeVar("T")


def no_report(error: Exception) -> None:
    """Do nothing; the failure is listed all the same."""


@dataclass(frozen=True)
class Failure:
    """A clip that is not in the data set, and why, in a sentence."""

    clip: str
    reason: str


@dataclass(frozen=True)
class Build:
    """What a run made.

    Attributes:
        table: The table of scores.
        tags: The same shots with their best five labels, in the released JSON form.
        num_clips: Clips in them.
        num_shots: Shots in them.
        failures: The clips that are not, also listed in `FAILURES` beside the table.
    """

    table: Path
    tags: Path
    num_clips: int
    num_shots: int
    failures: tuple[Failure, ...]


def find_clips(paths: Iterable[Path]) -> list[Path]:
    """Return the clips that paths name, by name: files, and the films in folders and below.

    Raises:
        DatasetError: A folder holds no film.
    """
    clips = []
    for path in paths:
        found = [path]
        if path.is_dir():
            found = find_films(path)
            if not found:
                raise DatasetError(
                    f"folder {path} holds no clip; clips are files that end in "
                    f"{', '.join(sorted(VIDEO_SUFFIXES))}"
                )
        clips += found
    return sorted(set(clips), key=lambda path: (path.stem, str(path)))


def build_from_clips(
    paths: Iterable[Path],
    loaded: LoadedPlan,
    library: Library,
    out: Path,
    *,
    table: str = SCORE_TABLES[0],
    progress: Progress = no_progress,
    failed: Failed = no_report,
) -> Build:
    """Return the data set of clips: each is analysed and kept in the library, then scored.

    A clip that the library holds under the same content and settings is not decoded again, so a
    run that was killed resumes where it stopped and writes the same files.

    Args:
        paths: Clips, or folders of clips. A clip's name is its file's stem.
        loaded: How shots are found and labelled.
        library: Keeps timelines and vectors.
        out: The data set's folder.
        table: File name of the table of scores, one of `SCORE_TABLES`.
        progress: Called with the stage, how many clips are done and of how many.
        failed: Called with the error of a clip that failed; the others are still done.

    Raises:
        DatasetError: There is no clip, or none could be labelled.
        EncoderError: The encoder is not available.
        OutputError: The folder cannot be written.
    """
    builder = _Builder(loaded, library, out, progress, failed)
    clips = [
        _Clip(path.stem, str(path), partial(library.add, path, loaded=loaded))
        for path in find_clips(paths)
    ]
    return builder.build(clips, table)


def build_from_library(
    loaded: LoadedPlan,
    library: Library,
    out: Path,
    *,
    table: str = SCORE_TABLES[0],
    progress: Progress = no_progress,
    failed: Failed = no_report,
) -> Build:
    """Return the data set of a library's films, from their vectors: nothing is decoded.

    The library stays as it is; shots and sampling are those its films were added with. Arguments
    are those of `build_from_clips`.

    Raises:
        DatasetError: The library holds no film, or none could be labelled.
        EncoderError: The encoder is not available.
        OutputError: The folder cannot be written.
    """
    builder = _Builder(loaded, library, out, progress, failed)
    films = sorted(library.movies(), key=lambda film: (Path(film.path).stem, film.id))
    if not films:
        raise DatasetError(f"library {library.path} holds no film to label; add some first")
    clips = [
        _Clip(Path(film.path).stem, film.path, partial(builder.timeline, film.id)) for film in films
    ]
    return builder.build(clips, table)


@dataclass(frozen=True, slots=True)
class _Clip:
    """A clip's name in the data set, its file, and a call that returns its timeline."""

    video: str
    source: str
    timeline: Callable[[], Timeline]


class _Builder:
    """Gathers clips, then writes their scores; in memory are their names and one clip's scores."""

    def __init__(
        self, loaded: LoadedPlan, library: Library, out: Path, progress: Progress, failed: Failed
    ) -> None:
        if loaded.taxonomy is None:
            raise EncoderError([*loaded.notes, "a data set needs labels; ask for them"][0])
        taxonomy, most = loaded.taxonomy, np.iinfo(np.int16).max
        if len(taxonomy) > most:
            raise TaxonomyError(
                f"taxonomy {taxonomy.name!r} has {len(taxonomy)} labels; a data set takes at most "
                f"{most}"
            )
        self._loaded, self._taxonomy = loaded, taxonomy
        self._library, self._out = library, out
        self._progress, self._failed = progress, failed
        self._sources: dict[str, str] = {}
        self._movie_ids: dict[str, str] = {}
        self._failures: list[Failure] = []
        self._settings: dict[str, dict[str, Any]] = {"shots": {}, "frames": {}}

    def build(self, clips: Sequence[_Clip], table: str) -> Build:
        """Return the data set of the clips, in a table of that name."""
        gathered = list(self._each("clips", clips, self._gather))
        make_folder(self._out)
        path, tags = self._out / table, self._out / TAGS_FILE
        taxonomy = self._taxonomy
        scored = self._each("scores", gathered, self._score)
        first = next(scored, None)
        if first is None:
            self._write_failures()
            raise DatasetError(
                f"none of {len(self._failures)} clips could be labelled; "
                f"{self._out / FAILURES} says why"
            )
        settings = {step: list(made.values()) for step, made in self._settings.items()}
        made_by = {"version": __version__, "labels": self._loaded.labels_made(), **settings}
        num_shots = write_scores(path, chain([first], scored), taxonomy, made_by)
        for other in {*SCORE_TABLES} - {table}:
            _remove(self._out / other)
        batches = open_scores(path).batches()
        write_tags(tags, (s for batch in batches for s in shots_of(batch.best(), taxonomy)))
        self._write_failures()
        num_clips = len(clips) - len(self._failures)
        return Build(path, tags, num_clips, num_shots, tuple(self._failures))

    def timeline(self, movie_id: str) -> Timeline:
        """Return a film's timeline from the library, if its vectors are there too."""
        timeline, store = self._library.timeline(movie_id), self._library.features(movie_id)
        words, recogniser = self._loaded.words, self._loaded.recogniser
        users = [user.encoder for user in (words, recogniser) if user is not None]
        spaces = {encoder.space for encoder in users if encoder is not None}
        clips = None if recogniser is None else recogniser.clip_space(timeline.made_by)
        for space, frames in needed_frames(timeline.shots, spaces, clips):
            if len(store.missing(space, frames)):
                kind = "recogniser" if space == clips else "encoder"
                raise LibraryError(
                    f"library {self._library.path} holds no vectors of {space.model} for "
                    f"{timeline.movie.path}; add the film again with that {kind}, or name the one "
                    "it was added with"
                )
        return timeline

    def _each(self, stage: str, clips: Sequence[_Clip], work: Callable[[_Clip], T]) -> Iterator[T]:
        """Yield what the work on each clip returns; a clip that fails is listed."""
        for number, clip in enumerate(clips):
            self._progress(stage, number, len(clips))
            try:
                result = work(clip)
            except Exception as error:  # noqa: BLE001  One clip must not stop the rest.
                failure = Failure(utf8_text(clip.source), utf8_text(sentence(error)))
                self._failures.append(failure)
                self._failed(error)
            else:
                yield result
        self._progress(stage, len(clips), len(clips))

    def _gather(self, clip: _Clip) -> _Clip:
        """Return the clip once it is analysed and how it was is noted."""
        if utf8_text(clip.video) != clip.video or len(clip.video.splitlines()) != 1:
            raise DatasetError(
                f"{clip.source!a} has a name that no data set can hold; rename the file"
            )
        if clip.video in self._sources:
            raise DatasetError(
                f"{clip.source} has the name of {self._sources[clip.video]}, and a data set knows "
                "clips by their names; rename one"
            )
        self._sources[clip.video] = clip.source
        timeline = clip.timeline()
        self._movie_ids[clip.video] = timeline.movie.id
        for step, made in self._settings.items():
            values = dict(timeline.made_by.steps.get(step, {}))
            values.pop("spaces", None)
            made[json.dumps(values, sort_keys=True)] = values
        return clip

    def _score(self, clip: _Clip) -> ScoredShots:
        """Return every label's score on every shot of a clip, best first, shape (S, L)."""
        movie_id = self._movie_ids[clip.video]
        timeline = self._library.timeline(movie_id)
        shots, store = timeline.shots, self._library.features(movie_id)
        scores = label_scores(shots, self._loaded, timeline.made_by, store)
        labels, best = best_columns(scores, len(self._taxonomy))
        spans = [shot.span for shot in shots]
        scales = [shot.likeliest_scale or "" for shot in shots]
        return ScoredShots(
            videos=[clip.video] * len(shots),
            files=[shot_file_name(clip.video, number) for number in range(1, len(shots) + 1)],
            frames=np.array([(span.first_frame, span.end_frame) for span in spans], np.int64),
            times_s=np.array([(span.start_s, span.end_s) for span in spans], np.float64),
            labels=labels,
            scores=best,
            scales=scales if any(scales) else None,
        )

    def _write_failures(self) -> None:
        path = self._out / FAILURES
        if not self._failures:
            _remove(path)
            return
        with written_whole(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["clip", "reason"])
            writer.writerows([failure.clip, failure.reason] for failure in self._failures)


def _remove(path: Path) -> None:
    """Remove what an earlier run left that this one did not make."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
