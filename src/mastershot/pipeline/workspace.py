"""Where a film's results go: built aside, put in place whole, resumed after a kill."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mastershot.core.errors import OutputError, TimelineError
from mastershot.core.timeline import Timeline
from mastershot.exports.report import write_report
from mastershot.exports.tables import write_shots_csv
from mastershot.media.probe import FilmFile
from mastershot.store.features import FolderFeatures

_RESULTS = ("thumbs", "features", "shots.csv", "report.html")


class Workspace:
    """The folder of one film's results, and a folder aside where they are built.

    The results are put in place by renaming, ``timeline.json`` last: where it is, the rest is
    whole and belongs to it. A run that was killed leaves only the folder aside, and the next run
    goes on from what it holds.

    Attributes:
        folder: Where the results will be.
        features: The vectors of the film's frames, kept beside the results.
    """

    def __init__(self, out: Path, file: FilmFile) -> None:
        self.folder = _folder_for(out, file)
        self._aside = out / f".{file.id}.partial"
        in_place = self.folder / "features"
        self.features = FolderFeatures(in_place if in_place.is_dir() else self._aside / "features")

    @property
    def timeline_path(self) -> Path:
        """Where the timeline is, once the results are in place."""
        return self.folder / "timeline.json"

    def previous(self) -> Timeline | None:
        """Return the timeline of an earlier run, or None if there is none that can be read."""
        try:
            return Timeline.load(self.timeline_path)
        except TimelineError:
            return None

    def fresh_thumbs(self) -> Path:
        """Return an empty folder for the shots' pictures."""
        thumbs = self._aside / "thumbs"
        shutil.rmtree(thumbs, ignore_errors=True)
        thumbs.mkdir(parents=True)
        return thumbs

    def publish(self, timeline: Timeline, notes: tuple[str, ...]) -> None:
        """Put the results in place: table, report, pictures, and the timeline last."""
        self._aside.mkdir(parents=True, exist_ok=True)
        thumbs = self._aside / "thumbs"
        shown = thumbs if thumbs.is_dir() else self.folder / "thumbs"
        write_shots_csv(timeline, self._aside / "shots.csv")
        write_report(timeline, self._aside / "report.html", thumbs=shown, notes=notes)
        (self._aside / "timeline.json").write_text(timeline.to_json(), "utf-8")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.timeline_path.unlink(missing_ok=True)
        for name in _RESULTS:
            if (self._aside / name).exists():
                _replace(self._aside / name, self.folder / name)
        (self._aside / "timeline.json").replace(self.timeline_path)
        self.discard()

    def discard(self) -> None:
        """Remove the folder aside, and the one it was made in where that is empty."""
        shutil.rmtree(self._aside, ignore_errors=True)
        out = self._aside.parent
        if out.is_dir() and not any(out.iterdir()):
            out.rmdir()


@contextmanager
def open_workspace(out: Path, file: FilmFile) -> Iterator[Workspace]:
    """Yield the film's workspace, for one run at a time.

    Left by an error, nothing half-made stays behind; left by a stop (Ctrl-C), what was made stays
    aside for the next run.

    Raises:
        OutputError: The folder cannot be written, or another run is at work on the same film.
    """
    aside = out / f".{file.id}.partial"
    try:
        aside.mkdir(parents=True, exist_ok=True)
        lock = (aside / "lock").open("w")
    except OSError as error:
        raise OutputError(
            f"results for {file.path.name} cannot be written to {out}: {error.strerror}"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise OutputError(f"another run is at work on {file.path.name} in {out}") from error
        workspace = Workspace(out, file)
        try:
            yield workspace
        except OSError as error:
            workspace.discard()
            raise OutputError(
                f"results for {file.path.name} cannot be written to {out}: "
                f"{error.strerror or error}"
            ) from error
        except Exception:
            workspace.discard()
            raise


def _folder_for(out: Path, file: FilmFile) -> Path:
    """Return the film's folder: named by its stem, and by its id where another film has that."""
    plain, distinct = out / file.path.stem, out / f"{file.path.stem}-{file.id[:8]}"
    for folder in (plain, distinct):
        if _content_hash_in(folder) == file.content_hash:
            return folder
    return distinct if plain.exists() and any(plain.iterdir()) else plain


def _content_hash_in(folder: Path) -> str | None:
    try:
        value = json.loads((folder / "timeline.json").read_text("utf-8"))
        return str(value["movie"]["content_hash"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _replace(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    source.replace(target)
