"""Place and retrieval, from pixels to figures, on drawn films whose truth is known.

    python bench/drawn_tasks.py OUT

Draws 24 short films, adds them to a library as ``mastershot library add`` does, and evaluates the
starter's vectors of the scenes that were found in them. A found scene's true place is that of the
drawn scene which most of its frames are of. The drawn scenes themselves are evaluated, too, by the
shots found in them: what differs is due to how shots are grouped.

Palettes are drawn without regard to places; layouts of places recur in several films. All scenes of
a film are in one split, and intervals are by bootstrap over films. OUT gets the films, the library,
and `items.html`, the page of found scenes.

The last lines say what of drawn gunfire the sound network hears.
"""

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

import mastershot as ms
from drawn_trailers import SOUND_RATE_HZ, Clip, draw_sound
from mastershot.core.timeline import Timeline
from mastershot.evaluation.bootstrap import Figure
from mastershot.evaluation.downstream.figures import MAIN
from mastershot.evaluation.downstream.items import Items
from mastershot.evaluation.downstream.results import TaskResult
from mastershot.evaluation.downstream.retrieval import SIZES
from mastershot.evaluation.downstream.tasks import TASKS
from mastershot.exports.boundaries import BoundaryStrip
from mastershot.exports.pages.items import write_items_page
from mastershot.media.write import Sound, write_frames
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.evaluation.downstream.labels import TaskLabels
from mastershot.pipeline.evaluation.downstream.measure import MeasureSettings, measure_task
from mastershot.pipeline.evaluation.downstream.pictures import library_pictures
from mastershot.pipeline.evaluation.downstream.vectors import (
    ItemRows,
    ItemVectors,
    library_rows,
    mean_vectors,
)
from mastershot.synthetic.films import draw_frames
from mastershot.synthetic.library import (
    SyntheticLibrary,
    film_path,
    film_truth,
    plan_library,
    write_library,
)
from mastershot.synthetic.plan import Picture
from mastershot.training.probes.fit import fit_probes

STEPS = ("shots", "labels", "scenes")
TASK_NAMES = ("lvu/place", "place-tags", "retrieval")


@dataclass(frozen=True)
class DrawnTasks:
    """How the films are drawn and divided.

    Attributes:
        films: Of train, val and test.
        scenes: Scenes a film.
        shots: Shots a scene.
        picture: Size and rate.
        seed: Of the library.
    """

    films: tuple[int, int, int] = (13, 4, 7)
    scenes: int = 5
    shots: int = 4
    picture: Picture = field(default_factory=lambda: Picture(128, 96, Fraction(12)))
    seed: int = 21


@dataclass(frozen=True)
class Scenes:
    """Scenes with their true places, by item, and their vectors."""

    places: Mapping[str, str]
    vectors: ItemVectors


@dataclass(frozen=True)
class FoundScenes:
    """The scenes found in drawn films.

    Attributes:
        places: True place of each found scene, by its item ``<film>/s<index>``, in order.
        shares: Share of its frames that are of the drawn scene it is held to be.
        strips: Found and true scene boundaries of each film.
        num_drawn: Scenes that were drawn.
    """

    places: Mapping[str, str]
    shares: tuple[float, ...]
    strips: tuple[BoundaryStrip, ...]
    num_drawn: int


def draw(settings: DrawnTasks, folder: Path) -> SyntheticLibrary:
    """Return the planned films, drawn into a folder where they are not yet there."""
    shape = {"num_scenes": settings.scenes, "shots_per_scene": settings.shots}
    number = sum(settings.films)
    library = plan_library(number, **shape, picture=settings.picture, seed=settings.seed)
    write_library(library, folder)
    return library


def add(library: SyntheticLibrary, folder: Path) -> ms.Library:
    """Return a library that holds the drawn films, analysed from their pixels."""
    kept, loaded = ms.Library(folder / "films.mastershot"), prepare(Plan(steps=STEPS))
    for film in library.films:
        kept.add(film_path(folder, film), loaded=loaded)
    return kept


def found_scenes(library: SyntheticLibrary, kept: ms.Library) -> FoundScenes:
    """Return the true places of the scenes that were found."""
    by_name = {Path(movie.path).stem: movie for movie in kept.movies()}
    places: dict[str, str] = {}
    shares, strips, num_drawn = [], [], 0
    for film in library.films:
        truth, timeline = film_truth(film), kept.timeline(by_name[film.id].id)
        drawn = [truth["shot_starts"][scene["first_shot"]] for scene in truth["scenes"]]
        kinds = [scene["place"] for scene in truth["scenes"]]
        num_drawn += len(drawn)
        for index, scene in enumerate(timeline.scenes or ()):
            shots = timeline.shots[scene.first_shot : scene.end_shot]
            frames = np.arange(shots[0].span.first_frame, shots[-1].span.end_frame)
            counts = Counter((np.searchsorted(drawn, frames, side="right") - 1).tolist())
            (most, count), *_ = counts.most_common(1)
            places[f"{film.id}/s{index:04d}"] = kinds[most]
            shares.append(count / len(frames))
        strips.append(_strip(film.id, timeline, drawn[1:]))
    return FoundScenes(places, tuple(shares), tuple(strips), num_drawn)


def _strip(name: str, timeline: Timeline, drawn: list[int]) -> BoundaryStrip:
    rate = float(timeline.movie.frame_rate)
    starts = {timeline.shots[scene.first_shot].span.first_frame for scene in timeline.scenes or ()}
    cuts = [shot.span.first_frame for shot in timeline.shots[1:]]
    missed = [frame for frame in drawn if frame not in cuts]
    frames = sorted([*cuts, *missed])
    return BoundaryStrip(
        name,
        timeline.shots[-1].span.end_frame / rate,
        np.array(frames) / rate,
        np.array([float(frame in starts) for frame in frames]),
        np.array([frame in drawn for frame in frames]),
    )


def drawn_scenes(library: SyntheticLibrary, rows: ItemRows, kept: ms.Library) -> Scenes:
    """Return the drawn scenes, each with the mean vector of the found shots that lie in it."""
    by_name = {Path(movie.path).stem: movie for movie in kept.movies()}
    places, vectors = {}, {}
    for film in library.films:
        truth, timeline = film_truth(film), kept.timeline(by_name[film.id].id)
        starts = [truth["shot_starts"][scene["first_shot"]] for scene in truth["scenes"]]
        middles = [(s.span.first_frame + s.span.end_frame - 1) // 2 for s in timeline.shots]
        of_shot = np.searchsorted(starts, middles, side="right") - 1
        shots = rows.readers[film.id]()
        for index, scene in enumerate(truth["scenes"]):
            if (of_shot == index).any():
                item = f"{film.id}/drawn{index}"
                places[item] = scene["place"]
                vectors[item] = shots[of_shot == index].mean(axis=0)
    return Scenes(places, ItemVectors("starter, drawn scenes", vectors, rows.made_by))


def labels_of(places: Mapping[str, str], settings: DrawnTasks, *, tags: bool) -> TaskLabels:
    """Return scenes with their places: a class each, or one of several tags."""
    classes = tuple(sorted(set(places.values())))
    films = list(dict.fromkeys(item.partition("/")[0] for item in places))
    ends = np.cumsum((0, *settings.films))
    splits = {}
    for split, first, end in zip(("train", "val", "test"), ends, ends[1:], strict=False):
        inside = set(films[first:end])
        names = tuple(item for item in places if item.partition("/")[0] in inside)
        numbers = np.array([classes.index(places[name]) for name in names], np.int64)
        targets = numbers[:, None] == np.arange(len(classes)) if tags else numbers
        splits[split] = Items(names, tuple(name.partition("/")[0] for name in names), targets)
    return TaskLabels(classes, splits, dict.fromkeys(splits, 0), are_kept=True)


def evaluate(
    scenes: Scenes, settings: DrawnTasks, names: tuple[str, ...] = TASK_NAMES
) -> list[TaskResult]:
    """Return what vectors of scenes reach, on the films of test."""
    return [
        measure_task(
            TASKS[name],
            labels_of(scenes.places, settings, tags=name == "place-tags"),
            [scenes.vectors],
            fit_probes,
            MeasureSettings(split="test"),
        )
        for name in names
    ]


def hear_gunfire(folder: Path, settings: DrawnTasks, shots: int = 12) -> tuple[Timeline, float]:
    """Return a moderated timeline of a film under drawn gunfire, and when its last burst ends."""
    plan = plan_library(1, num_scenes=1, shots_per_scene=shots, picture=settings.picture)
    film, path = plan.films[0].plan, folder / "gunfire.mp4"
    samples = round(film.num_frames / film.picture.frame_rate * SOUND_RATE_HZ)
    burst = draw_sound(Clip("home", "gunfire", "drift", film.num_frames, 0, 5), samples)
    write_frames(
        path, draw_frames(film), film.picture.frame_rate, sound=Sound(SOUND_RATE_HZ, [burst])
    )
    last_s = float(np.flatnonzero(np.abs(burst) > 0.05)[-1]) / SOUND_RATE_HZ
    loaded = prepare(Plan(steps=("shots", "sound", "moderation")))
    return ms.Library(folder / "gunfire.mastershot").add(path, loaded=loaded), last_s


def found_lines(found: FoundScenes) -> list[str]:
    """Return how the scenes that were found lie to those that were drawn."""
    hits, extra, missed = (sum(strip.counts(0.5)[n] for strip in found.strips) for n in range(3))
    return [
        f"scenes: {found.num_drawn} drawn, {len(found.places)} found; of a found scene's frames "
        f"{np.mean(found.shares):.3f} are of its drawn scene",
        f"scene boundaries: {hits} found, {missed} missed, {extra} false",
    ]


def result_lines(results: list[TaskResult]) -> list[str]:
    """Return the figures of tasks beside what is reached without looking."""
    lines = []
    for result in results:
        (row,) = result.rows
        sizes = ", ".join(f"{result.sizes[name]} of {name}" for name in ("train", "val", "test"))
        lines.append(f"{result.task.name}: {row.name}, {sizes}")
        keys = [MAIN] if result.task.probe else [f"@{size}" for size in SIZES]
        for key in keys:
            figure, chance = row.measured.figures[key], result.constant
            lines.append(
                f"  {result.task.metric}{key} {_text(figure)}, without looking {_text(chance)}"
            )
    return lines


def _text(figure: Figure) -> str:
    return f"{figure.value:.3f} [{figure.interval.low:.3f}, {figure.interval.high:.3f}]"


def heard_lines(timeline: Timeline, last_s: float) -> list[str]:
    """Return what was heard of gunfire."""
    classes = sorted({event.name for event in timeline.audio or ()})
    lines = [f"drawn gunfire to {last_s:.1f} s: sounds heard: {'; '.join(classes) or 'none'}"]
    flags: tuple[Any, ...] = timeline.moderation or ()
    lines += [
        f"  flagged {one.name}, {one.source}, score {one.score:.2f}, "
        f"{one.start_s:.1f} to {one.end_s:.1f} s"
        for one in flags
    ]
    return lines if flags else [*lines, "  no interval is flagged"]


def main() -> None:
    out, settings = Path(sys.argv[1]), DrawnTasks()
    library = draw(settings, out)
    kept = add(library, out)
    found = found_scenes(library, kept)
    rows = library_rows(kept.path, "starter", None)
    results = evaluate(Scenes(found.places, mean_vectors(rows, found.places)), settings)
    write_items_page(
        "drawn films", results, out / "items.html",
        pictures=library_pictures(kept.path), strips=found.strips,
    )  # fmt: skip
    drawn = evaluate(drawn_scenes(library, rows, kept), settings)
    print("\n".join([*found_lines(found), *result_lines(results), *result_lines(drawn)]))
    print("\n".join(heard_lines(*hear_gunfire(out, settings))))


if __name__ == "__main__":
    main()
