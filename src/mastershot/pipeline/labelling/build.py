"""From clips to a weakly labelled data set: every label's score on every shot (METHODS A4)."""
# S shots of a clip, L labels

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mastershot import __version__
from mastershot.core.errors import (
    DatasetError,
    EncoderError,
    LibraryError,
    TaxonomyError,
    sentence,
)
from mastershot.core.files import make_folder, written_whole
from mastershot.core.text import utf8_text
from mastershot.core.timeline import Timeline
from mastershot.datasets.movieclip import shot_file_name, write_tags
from mastershot.datasets.tables.records import ScoredShots, best_columns, shots_of
from mastershot.datasets.tables.score_table import open_scores, write_scores
from mastershot.datasets.tables.scored import SCORE_TABLES, TAGS_FILE
from mastershot.pipeline.analysis.annotate import has_vectors, score_shots
from mastershot.pipeline.analysis.decode_pass import Progress, no_progress
from mastershot.pipeline.analysis.plan import Kit, Labeller
from mastershot.pipeline.library import Library

CLIP_LIBRARY = "clips.mastershot"
"""The library within a data set's folder that its clips are kept in, unless another is named."""
FAILURES = "failures.csv"
CLIP_SUFFIXES = (
    ".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".mxf", ".ogv", ".ts", ".vob", ".webm", ".wmv",
)  # fmt: skip


@dataclass(frozen=True)
class Failure:
    """A clip that is not in the data set, and why, in a sentence."""

    clip: str
    reason: str


Failed: TypeAlias = Callable[[Exception], None]
"""Called with what went wrong with a clip."""


def no_report(error: Exception) -> None:
    """Say nothing; the failure is listed all the same."""


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


@dataclass(frozen=True, slots=True)
class _Clip:
    video: str
    source: str
    movie_id: str


def find_clips(paths: Iterable[Path]) -> list[Path]:
    """Return the clips that paths name, by name: files, and the films in folders and below.

    Raises:
        DatasetError: A folder holds no film.
    """
    clips = []
    for path in paths:
        found = [path]
        if path.is_dir():
            inside = (file for file in path.rglob("*") if file.suffix.lower() in CLIP_SUFFIXES)
            found = [file for file in inside if not (file.is_dir() or file.name.startswith("."))]
            if not found:
                raise DatasetError(
                    f"folder {path} holds no clip; clips are files that end in "
                    f"{', '.join(CLIP_SUFFIXES)}"
                )
        clips += found
    return sorted(set(clips), key=lambda path: (path.stem, str(path)))


def build_from_clips(
    paths: Iterable[Path],
    kit: Kit,
    library: Library,
    out: Path,
    *,
    table: str = SCORE_TABLES[0],
    progress: Progress = no_progress,
    failed: Failed = no_report,
) -> Build:
    """Return the data set of clips: each is analysed and kept in the library, then scored.

    A clip that the library holds under the same content and settings is not decoded again, so a
    run that was killed goes on where it was and comes to the same files.

    Args:
        paths: Clips, or folders of clips. A clip is known by its file's stem.
        kit: How shots are found and labelled.
        library: Keeps what was computed.
        out: The data set's folder.
        table: File name of the table of scores, one of `SCORE_TABLES`.
        progress: Called with the stage, how many clips are done and of how many.
        failed: Called with what went wrong with a clip; it does not stop the others.

    Raises:
        DatasetError: There is no clip, or none could be labelled.
        EncoderError: The encoder cannot be had.
        OutputError: The folder cannot be written.
    """
    _labeller(kit)
    clips = find_clips(paths)
    sources = ((path.stem, path, str(path)) for path in clips)
    builder = _Builder(kit, library, out, progress, failed)
    builder.gather(sources, len(clips), lambda path: library.add(path, kit=kit))
    return builder.write(table)


def build_from_library(
    kit: Kit,
    library: Library,
    out: Path,
    *,
    table: str = SCORE_TABLES[0],
    progress: Progress = no_progress,
    failed: Failed = no_report,
) -> Build:
    """Return the data set of a library's films, from their vectors: nothing is decoded.

    The library stays as it is; shots and sampling are those its films were added with.

    Raises:
        DatasetError: The library holds no film, or none could be labelled.
        EncoderError: The encoder cannot be had.
        OutputError: The folder cannot be written.
    """
    labeller = _labeller(kit)
    films = sorted(library.movies(), key=lambda film: (Path(film.path).stem, film.id))
    if not films:
        raise DatasetError(f"library {library.path} holds no film to label; add some first")

    def timeline_of(movie_id: str) -> Timeline:
        timeline = library.timeline(movie_id)
        space = labeller.encoder.space
        if not has_vectors(timeline.shots, [space], library.features(movie_id)):
            raise LibraryError(
                f"library {library.path} holds no vectors of {space.model} for "
                f"{timeline.movie.path}; add the film again with that encoder, or name the one "
                "it was added with"
            )
        return timeline

    builder = _Builder(kit, library, out, progress, failed)
    sources = ((Path(film.path).stem, film.id, film.path) for film in films)
    builder.gather(sources, len(films), timeline_of)
    return builder.write(table)


class _Builder:
    """Gathers clips, then writes their scores; in memory are their names and one clip's scores."""

    def __init__(
        self, kit: Kit, library: Library, out: Path, progress: Progress, failed: Failed
    ) -> None:
        self._kit, self._library, self._out = kit, library, out
        self._progress, self._failed = progress, failed
        self._clips: list[_Clip] = []
        self._num_scored = 0
        self._failures: list[Failure] = []
        self._settings: dict[str, dict[str, Any]] = {"shots": {}, "frames": {}}

    def gather(
        self,
        sources: Iterable[tuple[str, Any, str]],
        num_sources: int,
        timeline_of: Callable[[Any], Timeline],
    ) -> None:
        """Take note of each clip whose timeline can be had: its name, how to ask, what to say."""
        seen: dict[str, str] = {}
        for number, (video, key, source) in enumerate(sources):
            self._progress("clips", number, num_sources)
            try:
                _require_name(video, source, seen)
                timeline = timeline_of(key)
            except Exception as error:  # noqa: BLE001  One clip must not stop the rest.
                self._fail(source, error)
                continue
            self._clips.append(_Clip(video, source, timeline.movie.id))
            steps = timeline.made_by.steps
            for step, made in self._settings.items():
                values = {k: v for k, v in steps.get(step, {}).items() if k != "spaces"}
                made[json.dumps(values, sort_keys=True)] = values
        self._progress("clips", num_sources, num_sources)

    def write(self, table: str) -> Build:
        """Write scores, tags and failures."""
        make_folder(self._out)
        path, tags = self._out / table, self._out / TAGS_FILE
        scored = self._scored()
        first = next(scored, None)
        if first is None:
            self._write_failures()
            raise DatasetError(
                f"none of {len(self._failures)} clips could be labelled; "
                f"{self._out / FAILURES} says why"
            )
        taxonomy = _labeller(self._kit).taxonomy
        num_shots = write_scores(path, chain([first], scored), taxonomy, self._made_by())
        for other in SCORE_TABLES:
            if other != table:
                _forget(self._out / other)
        batches = open_scores(path).batches()
        write_tags(tags, (s for batch in batches for s in shots_of(batch.best(), taxonomy)))
        self._write_failures()
        return Build(path, tags, self._num_scored, num_shots, tuple(self._failures))

    def _scored(self) -> Iterator[ScoredShots]:
        for number, clip in enumerate(self._clips):
            self._progress("scores", number, len(self._clips))
            try:
                columns = _columns(clip, self._library, _labeller(self._kit))
            except Exception as error:  # noqa: BLE001  One clip must not stop the rest.
                self._fail(clip.source, error)
                continue
            self._num_scored += 1
            yield columns
        self._progress("scores", len(self._clips), len(self._clips))

    def _made_by(self) -> dict[str, Any]:
        labels = self._kit.steps_made()["labels"]
        return {
            "version": __version__,
            "labels": {key: value for key, value in labels.items() if key != "keep"},
            **{step: list(made.values()) for step, made in self._settings.items()},
        }

    def _fail(self, source: str, error: Exception) -> None:
        self._failures.append(Failure(utf8_text(source), utf8_text(sentence(error))))
        self._failed(error)

    def _write_failures(self) -> None:
        path = self._out / FAILURES
        if not self._failures:
            _forget(path)
            return
        with written_whole(path) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["clip", "reason"])
            writer.writerows([failure.clip, failure.reason] for failure in self._failures)


def _columns(clip: _Clip, library: Library, labeller: Labeller) -> ScoredShots:
    """Return every label's score on every shot of a clip, best first, shape (S, L)."""
    shots = library.timeline(clip.movie_id).shots
    scores = score_shots(shots, labeller, library.features(clip.movie_id))
    labels, best = best_columns(scores, len(labeller.taxonomy))
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


def _labeller(kit: Kit) -> Labeller:
    if kit.labeller is None:
        raise EncoderError(kit.notes[0] if kit.notes else "a data set needs labels; ask for them")
    if len(kit.labeller.taxonomy) > np.iinfo(np.int16).max:
        raise TaxonomyError(
            f"taxonomy {kit.labeller.taxonomy.name!r} has {len(kit.labeller.taxonomy)} labels; a "
            f"data set takes at most {np.iinfo(np.int16).max}"
        )
    return kit.labeller


def _require_name(video: str, source: str, seen: dict[str, str]) -> None:
    """Refuse a clip that a data set, which knows clips by their names, could not tell."""
    if utf8_text(video) != video or len(video.splitlines()) != 1:
        raise DatasetError(f"{source!a} has a name that no data set can hold; rename the file")
    if video in seen:
        raise DatasetError(
            f"{source} has the name of {seen[video]}, and a data set knows clips by their names; "
            "rename one"
        )
    seen[video] = source


def _forget(path: Path) -> None:
    """Remove what an earlier run left that this one did not make."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
