"""The library of the public interface: the store, with analysis and search."""

import shutil
from dataclasses import replace
from itertools import chain
from pathlib import Path

from mastershot.core.movie import Movie
from mastershot.core.timeline import Timeline
from mastershot.media.probe import FilmFile
from mastershot.media.reels.facts import Paths, probe_film
from mastershot.pipeline.analysis import reuse
from mastershot.pipeline.analysis.decode_pass import Progress, no_progress
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
from mastershot.pipeline.analysis.stored import needed_frames
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.search.words import search_words
from mastershot.store.features import FolderFeatures
from mastershot.store.frames import frame_times_of
from mastershot.store.library import Library as FilmStore
from mastershot.store.verify import Problem, find_problems


class Library(FilmStore):
    """A library that analyses the films that are added to it."""

    search = search_words

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        """Open a library; with ``create``, make it where there is none."""
        super().__init__(path, create=create)

    def add(
        self,
        path: Paths | FilmFile,
        *,
        loaded: LoadedPlan | None = None,
        out: Path | None = None,
        progress: Progress = no_progress,
    ) -> Timeline:
        """Return the timeline of a film, analysed and kept; adding a film again changes nothing.

        If its file was moved, the new path is kept. Killed at any point, the same call resumes from
        what is kept. If only labels or scenes would change, they are made anew from the kept
        vectors, and nothing is decoded.

        Args:
            path: The film, or its reels in their order, or what `probe_film` returned for it.
            loaded: What to do, from `prepare`; None does everything with the defaults.
            out: Where the film's folder of results goes too; None writes none.
            progress: Called with the stage, how much is done and of how much.

        Raises:
            MediaError: The film cannot be read.
            LibraryError: The library cannot be written.
        """
        loaded = loaded or prepare(Plan())
        file = path if isinstance(path, FilmFile) else probe_film(path, stream=loaded.plan.stream)
        building = self.path / f"building-{file.id}"
        if out is None:
            kept = self._without_decoding(file, loaded)
            if kept is not None:
                shutil.rmtree(building, ignore_errors=True)
                return kept
        timeline, folder = analyze_movie(file, loaded, out or building, progress=progress)
        try:
            return self.keep(timeline, folder, loaded)
        finally:
            if out is None:
                shutil.rmtree(building, ignore_errors=True)

    def keep(self, timeline: Timeline, folder: Path, loaded: LoadedPlan) -> Timeline:
        """Return a timeline that was analysed to a folder, kept with its pictures and vectors.

        Raises:
            LibraryError: The library cannot be written.
        """
        movie = timeline.movie
        known, target = self.find(movie.id), self.features(movie.id)
        timeline = reuse.with_kept(timeline, known, loaded)
        if known is not None and known.lanes and not timeline.lanes:
            timeline = reuse.with_lanes(timeline, known, frame_times_of(timeline, folder))
        if reuse.read_differently(known, timeline.made_by):
            timeline = reuse.with_reading_note(timeline, known)
            target.clear()
        made = FolderFeatures(folder / "features")
        needed = needed_frames(timeline.shots, loaded.encoders, loaded.clip_space)
        if loaded.genres is not None and timeline.genres is not None:
            of_experts = loaded.genres.needed(timeline.shots, timeline.made_by)
            needed = chain(needed, of_experts)
        for space, frames in needed:
            missing = target.missing(space, frames)
            if len(missing):
                target.put(made.get(space, missing))
        for space in () if loaded.moderation is None else loaded.moderation.score_spaces:
            target.put(made.get(space))
        self.put_timeline(timeline, folder)
        return timeline

    def verify(self, *, hashes: bool = False) -> list[Problem]:
        """Return all that is wrong; with ``hashes``, every film's file is read whole."""
        return list(find_problems(self, hashes=hashes))

    def _without_decoding(self, file: FilmFile, loaded: LoadedPlan) -> Timeline | None:
        """Return the film's timeline, kept or made from what is kept; None if neither can be had.

        A film that was moved gets its new path.
        """
        known, store = self.find(file.id), self.features(file.id)
        timeline = reuse.timeline_without_decoding(known, loaded.made_by(), loaded, store)
        if timeline is None or known is None:
            return None
        if known.lanes and timeline is not known:
            timeline = reuse.with_lanes(timeline, known, frame_times_of(timeline))
        if not all(Path(path).exists() for path in self.movie(file.id).files(timeline.movie)):
            timeline = replace(timeline, movie=_moved(timeline.movie, file))
        if timeline is not known:
            thumbs = {shot.id: self.thumb(shot.id) for shot in timeline.shots}
            found = {shot: jpeg for shot, jpeg in thumbs.items() if jpeg is not None}
            self.put_timeline(timeline, found)
        return timeline


def _moved(movie: Movie, file: FilmFile) -> Movie:
    """Return a film with the paths that its file, or its reels, have now."""
    reels = tuple(
        replace(reel, path=str(found.path))
        for reel, found in zip(movie.reels, file.reels, strict=True)
    )
    return replace(movie, path=str(file.path), reels=reels)
