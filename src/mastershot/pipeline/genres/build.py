"""From trailers to a data set of genres: each decoded once, its experts' vectors kept."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mastershot import __version__
from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import DatasetError, MediaError, OutputError, sentence
from mastershot.core.files import reporting_errors, written_whole
from mastershot.core.text import utf8_text
from mastershot.datasets.genres.duplicates import (
    LOOKS,
    NEAR_SECONDS,
    Twins,
    mean_vector,
    near_duplicates,
    require_apart,
    same_files,
)
from mastershot.datasets.genres.listing import (
    ListedTrailer,
    folders_of_genres,
    read_listing,
    write_words,
)
from mastershot.datasets.genres.table import GenreDataset, Trailer, write_genre_dataset
from mastershot.media.films import VIDEO_SUFFIXES, films_by_name, find_films
from mastershot.media.probe import FilmFile, probe
from mastershot.pipeline.analysis.decode_pass import Progress, no_progress
from mastershot.pipeline.experts.decode import clip_settings, watch_trailer
from mastershot.pipeline.experts.watching import ClipExpert
from mastershot.pipeline.genres.card import write_card_text
from mastershot.pipeline.genres.films import DEFAULT_SHARES, groups_of, stratified_splits
from mastershot.pipeline.genres.parts import (
    Part,
    PartStore,
    fingerprint,
    fingerprints,
)
from mastershot.pipeline.genres.words import words_about
from mastershot.shots.settings import ShotSettings

FAILURES, WORDS = "failures.csv", "words.csv"

Failed: TypeAlias = Callable[[Exception], None]


def no_report(error: Exception) -> None:
    """Do nothing; the failure is listed all the same."""


@dataclass(frozen=True)
class BuildSettings:
    """How a data set is made.

    Attributes:
        name: What it is called.
        shots: How clips, which are shots, are found.
        shares: Share of the trailers of each split, where the list states none.
        seed: Another seed makes other splits.
        licence: What the user says of the trailers' licence; may be empty.
    """

    name: str
    shots: ShotSettings = field(default_factory=ShotSettings)
    shares: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_SHARES))
    seed: int = 0
    licence: str = ""


@dataclass(frozen=True)
class Failure:
    """A trailer that is not in the data set, and why, in a sentence."""

    trailer: str
    reason: str


@dataclass(frozen=True)
class Built:
    """What a run made.

    Attributes:
        dataset: The data set.
        failures: The trailers that are not in it, also listed in `FAILURES`.
        twins: Sentences about trailers that seem to be one.
        num_decoded: Trailers that were decoded by this run.
        decoded_s: How long they are.
        seconds: How long each expert took for them, by name.
    """

    dataset: GenreDataset
    failures: tuple[Failure, ...]
    twins: tuple[str, ...]
    num_decoded: int
    decoded_s: float
    seconds: Mapping[str, float]

    @property
    def real_time(self) -> dict[str, float]:
        """Seconds that each expert takes for a second of a trailer; empty if none was decoded."""
        return {name: value / self.decoded_s for name, value in self.seconds.items()}


def list_trailers(folder: Path, listing: Path | None) -> tuple[ListedTrailer, ...]:
    """Return the trailers that a CSV lists, or, without one, those in a folder of each genre.

    Raises:
        DatasetError: The list or the folder is not what it should be.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder of trailers")
    if listing is not None:
        return read_listing(listing)
    films = find_films(folder)
    if not films:
        raise DatasetError(
            f"folder {folder} holds no trailer; trailers are files that end in "
            f"{', '.join(sorted(VIDEO_SUFFIXES))}"
        )
    return folders_of_genres(folder, films)


def build_genres(
    folder: Path,
    trailers: Sequence[ListedTrailer],
    experts: Sequence[ClipExpert],
    out: Path,
    settings: BuildSettings,
    *,
    progress: Progress = no_progress,
    failed: Failed = no_report,
) -> Built:
    """Return the data set of trailers: each is decoded once, and what experts made of it is kept.

    A trailer whose vectors are kept, of the same file, made in the same way, is not decoded again:
    a run that was killed resumes with the next trailer, and writes the same data set.

    Args:
        folder: Where files that the list names are.
        trailers: What is known of the trailers.
        experts: What sees them.
        out: The data set's folder.
        settings: How it is made.
        progress: Called with the stage, how many trailers are done and of how many.
        failed: Called with the error of a trailer that failed; the others are still done.

    Raises:
        DatasetError: No trailer can be read, or two splits share a film.
        OutputError: The folder cannot be written.
    """
    builder = _Builder(folder, experts, out, settings, progress, failed)
    return builder.build(trailers)


@dataclass(frozen=True)
class _Found:
    """A trailer whose file was read, and what is kept of it."""

    listed: ListedTrailer
    file: FilmFile
    part: Part | None = None


class _Builder:
    def __init__(self, folder: Path, experts: Sequence[ClipExpert], out: Path,
                 settings: BuildSettings, progress: Progress, failed: Failed) -> None:  # fmt: skip
        self._folder, self._experts, self._out = folder, experts, out
        self._settings, self._progress, self._failed = settings, progress, failed
        self._parts = PartStore(out)
        self._made = clip_settings(settings.shots)
        self._failures: list[Failure] = []
        self._decoded: list[float] = []
        self._seconds: dict[str, float] = {}

    def build(self, listed: Sequence[ListedTrailer]) -> Built:
        by_id = {}
        if any(not one.file for one in listed):
            by_id = films_by_name(self._folder)
        found = list(self._each("files", [_Job(one, by_id) for one in listed], self._open))
        self._require_some(found)
        # Before anything is decoded.
        self._refuse_shared(found, same_files([one.file.content_hash for one in found]))
        seen = list(self._each("trailers", found, self._watch))
        self._require_some(seen)
        twins = self._twins(seen)
        self._refuse_shared(seen, twins)
        dataset = self._write(seen, twins)
        sentences = tuple(
            f"{seen[pair.one].listed.id} and {seen[pair.other].listed.id} {pair.how}"
            for pair in twins
        )
        self._write_failures()
        return Built(dataset, tuple(self._failures), sentences, len(self._decoded),
                     sum(self._decoded), self._seconds)  # fmt: skip

    def _open(self, job: "_Job") -> _Found:
        """Return a trailer with its file's facts, with the digest of its bytes."""
        one = job.listed
        path = self._folder / one.file if one.file else job.by_id.get(one.id)
        if path is None:
            raise MediaError(f"{self._folder} holds no film of the name {one.id}")
        return _Found(one, probe(path))

    def _watch(self, found: _Found) -> _Found:
        """Return a trailer once all of its vectors are kept."""
        one, file = found.listed, found.file
        settings = fingerprint(self._made)
        made = fingerprints(self._experts, file.path, one.synopsis)
        part = self._parts.get(one.id)
        lacking = [*made] if part is None else part.lacking(made, settings, file.content_hash)
        if part is None or lacking:
            experts = [each for each in self._experts if each.described.name in lacking]
            watched = watch_trailer(file, experts, self._settings.shots, synopsis=one.synopsis)
            for name, seconds in watched.seconds.items():
                self._seconds[name] = self._seconds.get(name, 0.0) + seconds
            self._decoded.append(watched.movie.duration_s)
            fresh = {name: made[name] for name in lacking}
            part = self._parts.put(one.id, file, watched, fresh, settings)
        return replace(found, part=part)

    def _twins(self, seen: Sequence[_Found]) -> list[Twins]:
        hashes = [one.file.content_hash for one in seen]
        names = [one.described.name for one in self._experts]
        names = [LOOKS] if LOOKS in names else names
        rows = []  # of one trailer at a time: all vectors of all need not fit in memory
        for one in seen:
            vectors = self._vectors(one.listed.id)
            rows.append([mean_vector(vectors[name]) for name in names])
        means = {
            name: np.stack(some) for name, some in zip(names, zip(*rows, strict=True), strict=True)
        }
        lengths = [0.0 if one.part is None else one.part.duration_s for one in seen]
        near = near_duplicates(means, lengths, share=NEAR_SECONDS)
        unequal = [pair for pair in near if hashes[pair.one] != hashes[pair.other]]
        return [*same_files(hashes), *unequal]

    def _vectors(self, trailer: str) -> Mapping[str, FloatArray]:
        return self._parts.vectors(trailer)

    def _refuse_shared(self, found: Sequence[_Found], twins: Sequence[Twins]) -> None:
        ids, splits = [one.listed.id for one in found], [one.listed.split for one in found]
        require_apart(ids, splits, twins)

    def _write(self, seen: Sequence[_Found], twins: Sequence[Twins]) -> GenreDataset:
        listed, settings = [one.listed for one in seen], self._settings
        splits, stated = [one.split for one in listed], any(one.split for one in listed)
        if not stated:
            keys = [one.file.content_hash for one in seen]
            splits = stratified_splits(
                [one.genres for one in listed], groups_of(len(seen), twins), keys,
                shares=settings.shares, seed=settings.seed,
            )  # fmt: skip
        trailers = [
            Trailer(one.listed.id, one.listed.title, one.listed.year, split, one.listed.genres,
                    0 if one.part is None else one.part.num_clips, one.file.content_hash)
            for one, split in zip(seen, splits, strict=True)
        ]  # fmt: skip
        experts = [one.described for one in self._experts]
        made: dict[str, Any] = {"version": __version__, "clips": self._made}
        made["splits"] = (
            "as the list states" if stated else {"shares": dict(settings.shares),
                                                 "seed": settings.seed}
        )  # fmt: skip
        made["licence"] = settings.licence or "not stated"
        genres = sorted({name for one in listed for name in one.genres})
        dataset = write_genre_dataset(
            self._out, trailers, lambda one: self._vectors(one.id), name=settings.name,
            genres=genres, experts=experts, made_by=made,
        )  # fmt: skip
        write_words(self._out / WORDS, self._words(listed))
        hours = sum(one.part.duration_s for one in seen if one.part is not None) / 3600
        write_card_text(dataset, hours=hours, num_failed=len(self._failures))
        return dataset

    def _words(self, listed: Iterable[ListedTrailer]) -> dict[str, str]:
        location = [one.described for one in self._experts if one.described.name == "location"]
        places = location[0].made_by.get("classes", ()) if location else ()
        return {
            one.id: words_about(
                one, self._vectors(one.id)["location"] if location else None, places
            )
            for one in listed
        }

    def _each(self, stage: str, items: Sequence[Any], work: Callable[[Any], _Found]
              ) -> Iterator[_Found]:  # fmt: skip
        """Yield what the work on each trailer returns; a trailer that fails is listed."""
        for number, item in enumerate(items):
            self._progress(stage, number, len(items))
            try:
                result = work(item)
            except Exception as error:  # noqa: BLE001  One trailer must not stop the rest.
                self._failures.append(Failure(item.listed.id, utf8_text(sentence(error))))
                self._failed(error)
            else:
                yield result
        self._progress(stage, len(items), len(items))

    def _require_some(self, found: Sequence[_Found]) -> None:
        if not found:
            self._write_failures()
            raise DatasetError(
                f"none of {len(self._failures)} trailers could be read; {self._out / FAILURES} "
                "says why"
            )

    def _write_failures(self) -> None:
        path = self._out / FAILURES
        if not self._failures:
            with reporting_errors(OutputError, f"{path} cannot be removed"):
                path.unlink(missing_ok=True)
            return
        with written_whole(path, newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("trailer", "reason"))
            table.writerows((one.trailer, one.reason) for one in self._failures)


@dataclass(frozen=True)
class _Job:
    listed: ListedTrailer
    by_id: Mapping[str, Path]
