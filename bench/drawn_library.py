"""The drawn library that scene encoders are compared on: settings first, then keyframes and truth.

These settings were fixed before anything was trained on it. Films share themes (places, what people
do); palette, camera and cast are drawn without regard to them. Keyframes are drawn directly, and no
video is encoded.
"""

import json
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.datasets.world_library import LibraryFilm, WorldLibrary, film_truth, plan_library
from mastershot.datasets.world_plan import Picture
from mastershot.datasets.world_stage import GRAIN, build_stage, shoot
from mastershot.store.shot_arrays import write_movie


@dataclass(frozen=True)
class DrawnSettings:
    """How the libraries are drawn.

    Attributes:
        films: Films of the library that encoders learn from, without labels.
        probe_films: Films of the other library, which probes learn from and are tested on.
        scenes: Scenes a film.
        shots_per_scene: Shots a scene.
        side_px: Side of a keyframe.
        frames_per_shot: Keyframes drawn of each shot; one is used unless a variant says so.
        seed: Of the library that encoders learn from.
        probe_seed: Of the other.
    """

    films: int = 320
    probe_films: int = 160
    scenes: int = 5
    shots_per_scene: int = 16
    side_px: int = 48
    frames_per_shot: int = 3
    seed: int = 11
    probe_seed: int = 12


SETTINGS = DrawnSettings()


def plan(settings: DrawnSettings = SETTINGS) -> tuple[WorldLibrary, WorldLibrary]:
    """Return the library to learn from, and the one to probe on."""
    picture = Picture(settings.side_px, settings.side_px, Fraction(4))
    shape = {"num_scenes": settings.scenes, "shots_per_scene": settings.shots_per_scene}
    one = plan_library(settings.films, **shape, picture=picture, seed=settings.seed)
    other = plan_library(settings.probe_films, **shape, picture=picture, seed=settings.probe_seed)
    return one, other


def draw(library: WorldLibrary, folder: Path, frames_per_shot: int) -> None:
    """Draw the keyframes of films that are not there yet, and write what is known of all."""
    (folder / "keyframes").mkdir(parents=True, exist_ok=True)
    for film in library.films:
        if not (folder / "keyframes" / f"{film.id}.npy").exists():
            write_movie(folder / "keyframes", film.id, keyframes(film, frames_per_shot))
    truth = {film.id: film_truth(film) for film in library.films}
    (folder / "truth.json").write_text(json.dumps(truth), "utf-8")
    (folder / "settings.json").write_text(json.dumps(asdict(SETTINGS)), "utf-8")


def keyframes(film: LibraryFilm, count: int) -> ImageArray:
    """Return evenly spaced keyframes of each shot, with grain, uint8 (S, k, H, W, 3)."""
    picture = film.plan.picture
    stage_of = lru_cache(maxsize=4)(lambda setup: build_stage(setup, picture))
    rng = np.random.default_rng(film.plan.seed)
    rows = []
    for shot in film.plan.shots:
        stage = stage_of(shot.setup)
        for index in range(count):
            frame = (2 * index + 1) * shot.num_frames // (2 * count)
            clean = shoot(shot, frame, stage, picture)
            shape = (picture.height_px, picture.width_px, 1)
            grain = np.clip(rng.normal(GRAIN / 2, GRAIN / 4, shape), 0, GRAIN).astype(np.uint8)
            rows.append(clean + grain)
    side = (picture.height_px, picture.width_px, 3)
    return np.stack(rows).reshape(len(film.plan.shots), count, *side)
