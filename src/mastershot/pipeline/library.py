"""The library a user meets: the store, and films going in."""

import shutil
from pathlib import Path

from mastershot.core.timeline import Timeline
from mastershot.media.probe import probe
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.plan import Kit, Plan, prepare
from mastershot.pipeline.watch import Progress, no_progress
from mastershot.store import library as store


class Library(store.Library):
    """A library that analyses the films that are added to it."""

    def add(
        self, path: str | Path, *, kit: Kit | None = None, progress: Progress = no_progress
    ) -> Timeline:
        """Return the timeline of a film, analysed and kept; a film that is there changes nothing.

        Killed at any point, the same call goes on from what is kept.

        Args:
            path: The film.
            kit: What to do, from `prepare`; None does everything with the defaults.
            progress: Called with the stage, how much is done and of how much.

        Raises:
            MediaError: The film cannot be read.
            LibraryError: The library cannot be written.
        """
        kit = kit or prepare(Plan())
        file = probe(path)
        known = self.find(file.id)
        if known is not None and known.made_by.steps == kit.steps_made():
            return known
        store = self.features(file.id)
        building = self.path / "building"
        timeline, folder = analyze_movie(path, kit, building, store=store, progress=progress)
        self.put_timeline(timeline, folder)
        shutil.rmtree(folder)
        return timeline
