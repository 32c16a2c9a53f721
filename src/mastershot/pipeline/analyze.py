"""`analyze_movie`: a film in, its timeline out. The main path, on one screen."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from mastershot.core.movie import Shot
from mastershot.core.timeline import Timeline
from mastershot.media.probe import FilmFile
from mastershot.media.reels.facts import Paths, probe_film
from mastershot.media.reels.film import film_of
from mastershot.pipeline.analysis import reuse
from mastershot.pipeline.analysis.annotate import annotate
from mastershot.pipeline.analysis.decode_pass import Progress, decode_film, no_progress
from mastershot.pipeline.analysis.plan import LoadedPlan, Plan, prepare
from mastershot.pipeline.analysis.workspace import open_workspace
from mastershot.pipeline.moderation.pictures import write_evidence
from mastershot.shots.settings import DEFAULT_DETECTOR, DetectorName, ShotSettings


def analyze_movie(
    path: Paths | FilmFile, loaded: LoadedPlan, out: Path, *, progress: Progress = no_progress
) -> tuple[Timeline, Path]:
    """Return the film's timeline and its folder of results, which lies in ``out``.

    Several paths are the reels of one film, in order.

    A film analysed before with the same settings is left as it is; one of which only labels or
    scenes would change is not decoded again.

    Raises:
        MediaError: The film cannot be read.
        OutputError: The results cannot be written.
        ShotListError: The plan's list of shots does not fit the film.
    """
    file = path if isinstance(path, FilmFile) else probe_film(path, stream=loaded.plan.stream)
    with open_workspace(out, file) as workspace:
        previous, made, store = workspace.previous(), loaded.made_by(), workspace.features
        times = None
        if previous is not None and loaded.moderation is not None:
            times = workspace.frame_times(previous)
        timeline = reuse.timeline_without_decoding(previous, made, loaded, store, times)
        if timeline is not None and timeline is previous:
            workspace.discard()
            return timeline, workspace.folder
        if timeline is None:
            thumbs = workspace.fresh_thumbs()
            if reuse.read_differently(previous, made):
                store.clear()
            needed = reuse.plan_of_decoding(previous, made, loaded, store)
            film = film_of(file)
            decoded = decode_film(film, needed, store=store, thumbs=thumbs, progress=progress)
            found = annotate(decoded, made, loaded, store)
            found = reuse.with_kept(found, previous, loaded)
            timeline = reuse.with_reading_note(found, previous)
            if decoded.frames is not None:
                workspace.keep_frames(decoded.frames)
        if previous is not None and previous.lanes:
            timeline = reuse.with_lanes(timeline, previous, workspace.frame_times(timeline))
        progress("report", 0, 1)
        if timeline.moderation is not None:
            write_evidence(timeline, workspace.evidence)
        workspace.publish(timeline, loaded.notes)
        progress("report", 1, 1)
        return timeline, workspace.folder


def analyze(path: Paths, plan: Plan | None = None, out: str | Path | None = None) -> Timeline:
    """Return a film's timeline: shots, scenes and, where an encoder is available, labels.

    Args:
        path: The film, or the reels of one film in their order.
        plan: What to do; None does everything with the defaults.
        out: Where a folder of results is written as by the ``analyze`` command; None writes
            nothing, and the shots then have no picture.

    Raises:
        MastershotError: The film cannot be read, the plan cannot be done, or ``out`` written.
    """
    loaded = prepare(plan or Plan())
    if out is not None:
        return analyze_movie(path, loaded, Path(out))[0]
    with TemporaryDirectory(prefix="mastershot-") as folder:
        timeline, _ = analyze_movie(path, loaded, Path(folder))
    return replace(timeline, shots=tuple(replace(shot, thumb=None) for shot in timeline.shots))


def detect_shots(
    path: Paths,
    *,
    detector: DetectorName = DEFAULT_DETECTOR,
    exact: bool = False,
    threshold: float | None = None,
    min_shot_s: float | None = None,
) -> list[Shot]:
    """Return the shots of a film, or of its reels, which tile it: the smallest useful call.

    The settings are those of `ShotSettings`.

    Raises:
        MediaError: The film cannot be read.
        SettingError: A setting means nothing.
    """
    settings = ShotSettings(detector, exact, threshold, min_shot_s)
    loaded = replace(prepare(Plan(steps=("shots",), shots=settings)), mark_settings=None)
    return list(decode_film(film_of(probe_film(path)), loaded).shots)
