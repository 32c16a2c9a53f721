"""`analyze_films`: a file of several films in, a folder of results for each out."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import Embeddings
from mastershot.core.protocols import FeatureStore
from mastershot.core.timeline import Timeline
from mastershot.media.probe import FilmFile
from mastershot.media.reels.facts import probe_film
from mastershot.pipeline.analysis import reuse
from mastershot.pipeline.analysis.decode_pass import Progress, no_progress
from mastershot.pipeline.analysis.plan import LoadedPlan
from mastershot.pipeline.analysis.stored import needed_frames
from mastershot.pipeline.analysis.workspace import open_workspace
from mastershot.pipeline.analyze import analyze_movie
from mastershot.pipeline.moderation.scores import copy_scores
from mastershot.pipeline.parts import FilmPart, SplitRule, divide
from mastershot.store.features import FolderFeatures
from mastershot.store.frames import FRAMES_FILE, FrameTable, frame_times_of, read_frames


def analyze_films(
    path: str | Path | FilmFile,
    loaded: LoadedPlan,
    out: Path,
    *,
    rule: SplitRule | None = None,
    progress: Progress = no_progress,
) -> tuple[tuple[Timeline, Path], ...]:
    """Return the timeline of a file and its folder, then those of each film in it.

    The file is decoded at most once. The films' folders lie beside that of the file, named by its
    stem and their number: ``tape-01``, ``tape-02``. A file that is one film has none.

    Raises:
        MastershotError: What `analyze_movie` and `divide` raise.
    """
    file = path if isinstance(path, FilmFile) else probe_film(path, stream=loaded.plan.stream)
    whole, folder = analyze_movie(file, loaded, out, progress=progress)
    times = frame_times_of(whole, folder)
    parts = divide(whole, times, rule)
    table = FrameTable(times.pts)
    if (folder / FRAMES_FILE).is_file():
        table = FrameTable(times.pts, read_frames(folder / FRAMES_FILE).scores)
    films = []
    for done, part in enumerate(parts):
        films.append(_write(part, file, loaded, folder, table))
        progress("films", done + 1, len(parts))
    return ((whole, folder), *films)


def _write(
    part: FilmPart, file: FilmFile, loaded: LoadedPlan, whole: Path, frames: FrameTable
) -> tuple[Timeline, Path]:
    """Write a part's folder beside that of the whole file, unless it is there already."""
    movie = part.timeline.movie
    assert movie.part is not None
    name = f"{file.path.stem}-{movie.part.number:02}{file.path.suffix}"
    named = replace(file, path=file.path.with_name(name), content_hash=movie.content_hash)
    with open_workspace(whole.parent, named) as workspace:
        previous = workspace.previous()
        if reuse.read_differently(previous, part.timeline.made_by):
            workspace.features.clear()
        workspace.keep_frames(_of_part(part, frames))
        times = workspace.frame_times(part.timeline)
        timeline = part.timeline
        if previous is not None and previous.lanes:
            own = reuse.with_lanes(timeline, previous, times).lanes
            lanes = {lane.name: lane for lane in (*timeline.lanes, *own)}
            timeline = replace(timeline, lanes=tuple(lanes.values()))
        if timeline == previous:
            workspace.discard()
            return timeline, workspace.folder
        thumbs = workspace.fresh_thumbs()
        for shot, source in zip(timeline.shots, part.sources, strict=True):
            picture = whole / "thumbs" / f"{source:05}.jpg"
            if shot.thumb is not None and picture.is_file():
                shutil.copyfile(picture, thumbs / Path(shot.thumb).name)
        _copy_vectors(part, loaded, FolderFeatures(whole / "features"), workspace.features)
        workspace.publish(timeline, loaded.notes)
        return timeline, workspace.folder


def _of_part(part: FilmPart, table: FrameTable) -> FrameTable:
    """Return what is kept of the part's frames."""
    run = slice(part.first_frame, part.end_frame)
    scores = {name: rows[run] for name, rows in table.scores.items()}
    return FrameTable(table.pts[part.first_frame : part.end_frame + 1], scores)


def _copy_vectors(
    part: FilmPart, loaded: LoadedPlan, source: FeatureStore, target: FeatureStore
) -> None:
    """Copy the vectors that the part's shots need, so that new labels need no decoding."""
    if loaded.moderation is not None:
        copy_scores(loaded.moderation, part.timeline.movie, part.first_frame, (source, target))
    for space, frames in needed_frames(part.timeline.shots, loaded.encoders, loaded.clip_space):
        wanted = target.missing(space, frames) + part.first_frame
        wanted = np.setdiff1d(wanted, source.missing(space, wanted))
        if len(wanted):
            vectors = source.get(space, wanted).vectors
            target.put(Embeddings(space, wanted - part.first_frame, vectors))
