"""A film's folder of results: built aside, put in place whole, resumed after a kill."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from mastershot.core.errors import OutputError, TimelineError
from mastershot.core.movie import Movie
from mastershot.core.time import FrameTimes
from mastershot.core.timeline import Timeline
from mastershot.exports.moderation import write_moderation_csv
from mastershot.exports.pages.report import write_report
from mastershot.exports.tables import write_shots_csv
from mastershot.labelling.moderation.intervals import EVIDENCE_FOLDER
from mastershot.media.probe import FilmFile
from mastershot.store.features import FolderFeatures
from mastershot.store.frames import FRAMES_FILE, FrameTable, frame_times_of, write_frames

_MODERATION = (EVIDENCE_FOLDER, "moderation.csv")
_RESULTS = ("thumbs", "features", FRAMES_FILE, "shots.csv", "report.html", *_MODERATION)
_TIMELINE, _OLD_TIMELINE = "timeline.json", ".timeline.old.json"
_LOCK = "lock"


class Workspace:
    """The folder of one film's results, and a folder aside where they are built.

    New results are put in place by renaming the whole folder. Where there are results of the film
    already, the old timeline is renamed and the parts are replaced one by one, ``timeline.json``
    last: if it exists, the rest is whole and belongs to it. A killed run leaves the folder aside,
    and the next one resumes from it.

    Attributes:
        folder: Where the results will be.
        features: The vectors of the film's frames, kept beside the results.
    """

    def __init__(self, out: Path, file: FilmFile, aside: Path) -> None:
        self.folder = _folder_for(out, file)
        self._out, self._file, self._aside = out, file, aside
        in_place = self.folder / "features"
        self.features = FolderFeatures(in_place if in_place.is_dir() else self._aside / "features")

    def previous(self) -> Timeline | None:
        """Return the timeline of an earlier run, or None if there is none that can be read."""
        try:
            return Timeline.load(self.folder / _TIMELINE)
        except TimelineError:
            return None

    def fresh_thumbs(self) -> Path:
        """Return an empty folder for the shots' pictures."""
        thumbs = self._aside / "thumbs"
        shutil.rmtree(thumbs, ignore_errors=True)
        thumbs.mkdir(parents=True)
        return thumbs

    @property
    def evidence(self) -> Path:
        """Where pictures of what moderation rests on are built."""
        return self._aside / EVIDENCE_FOLDER

    def keep_frames(self, frames: FrameTable) -> None:
        """Keep what is known of every frame, to be put in place with the results."""
        write_frames(frames, self._aside / FRAMES_FILE)

    def frame_times(self, timeline: Timeline) -> FrameTimes:
        """Return when each frame of the film is shown."""
        has_new = (self._aside / FRAMES_FILE).is_file()
        return frame_times_of(timeline, self._aside if has_new else self.folder)

    def publish(self, timeline: Timeline, notes: tuple[str, ...]) -> None:
        """Put the results in place: table, report, pictures, and the timeline last."""
        self._aside.mkdir(parents=True, exist_ok=True)
        thumbs = self._aside / "thumbs"
        shown = thumbs if thumbs.is_dir() else self.folder / "thumbs"
        write_shots_csv(timeline, self._aside / "shots.csv")
        if timeline.moderation is not None:
            write_moderation_csv(timeline, self._aside / "moderation.csv")
        write_report(
            timeline,
            self._aside / "report.html",
            thumbs=shown,
            notes=notes,
            evidence=self.evidence,
        )
        (self._aside / _TIMELINE).write_text(timeline.to_json(), "utf-8")
        with _locked(self._out):
            # Another film of this stem may have taken the folder meanwhile.
            self.folder = _folder_for(self._out, self._file)
            if not self.folder.exists() or not any(self.folder.iterdir()):
                (self._aside / _LOCK).unlink(missing_ok=True)
                self._aside.rename(self.folder)
                return
        with suppress(FileNotFoundError):
            (self.folder / _TIMELINE).replace(self.folder / _OLD_TIMELINE)
        for name in (*_RESULTS, _TIMELINE):
            if (self._aside / name).exists():
                _replace(self._aside / name, self.folder / name)
            elif name in _MODERATION:
                _remove(self.folder / name)  # It is of an earlier policy, or of none now.
        (self.folder / _OLD_TIMELINE).unlink(missing_ok=True)
        self.discard()

    def discard(self) -> None:
        """Remove the folder aside."""
        shutil.rmtree(self._aside, ignore_errors=True)


@contextmanager
def open_workspace(out: Path, file: FilmFile) -> Iterator[Workspace]:
    """Yield the film's workspace, for one run at a time.

    After an error nothing half-made stays; after a stop (Ctrl-C), what was made stays aside for the
    next run.

    Raises:
        OutputError: The folder cannot be written, or another run is at work on the same film.
    """
    aside = _aside_of(out, file.id)
    is_new = not out.exists()
    try:
        lock = _open_lock(aside)
    except OSError as error:
        raise _not_written(file.path.name, out, error) from error
    with lock:
        _hold(lock, file.path.name, out)
        try:
            yield Workspace(out, file, aside)
        except Exception as error:
            shutil.rmtree(aside, ignore_errors=True)
            if is_new and not any(out.iterdir()):
                out.rmdir()
            if isinstance(error, OSError):
                raise _not_written(file.path.name, out, error) from error
            raise


@contextmanager
def changing_results(folder: Path, movie: Movie) -> Iterator[None]:
    """Keep runs of an analysis from a film's folder of results while these are changed.

    Raises:
        OutputError: Another run is at work on the same film, or the lock cannot be written.
    """
    name, out = Path(movie.path).name, folder.resolve().parent
    aside = _aside_of(out, movie.id)
    try:
        lock = _open_lock(aside)
    except OSError as error:
        raise _not_written(name, out, error) from error
    with lock:
        _hold(lock, name, out)
        try:
            yield
        finally:
            if [path.name for path in aside.iterdir()] == [_LOCK]:  # No run is to be resumed.
                shutil.rmtree(aside, ignore_errors=True)


def _aside_of(out: Path, movie_id: str) -> Path:
    return out / f".{movie_id}.partial"


def _open_lock(aside: Path) -> TextIO:
    aside.mkdir(parents=True, exist_ok=True)
    return (aside / _LOCK).open("w")


def _hold(lock: TextIO, name: str, out: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"another run is analysing {name} in {out}, or changing it") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other runs from putting results into the folder meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _not_written(name: str, out: Path, error: OSError) -> OutputError:
    return OutputError(f"results for {name} cannot be written to {out}: {error.strerror or error}")


def _folder_for(out: Path, file: FilmFile) -> Path:
    """Return the film's folder: named by its stem, and by its id where another film has that."""
    plain, distinct = out / file.path.stem, out / f"{file.path.stem}-{file.id[:8]}"
    for folder in (plain, distinct):
        if _content_hash_in(folder) == file.content_hash:
            return folder
    free = not plain.exists() or (plain.is_dir() and not any(plain.iterdir()))
    return plain if free else distinct


def _content_hash_in(folder: Path) -> str | None:
    for name in (_TIMELINE, _OLD_TIMELINE):
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            value = json.loads((folder / name).read_text("utf-8"))
            return str(value["movie"]["content_hash"])
    return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _replace(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    source.replace(target)
