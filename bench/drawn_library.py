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
import torch
from torch.nn.functional import interpolate

from mastershot.core.embeddings import ImageArray
from mastershot.media.sampling import uniform_frames
from mastershot.store.shot_arrays import write_movie
from mastershot.synthetic.library import LibraryFilm, SyntheticLibrary, film_truth, plan_library
from mastershot.synthetic.plan import Picture
from mastershot.synthetic.stage import GRAIN, build_stage, shoot


@dataclass(frozen=True)
class DrawnSettings:
    """How the libraries are drawn.

    Attributes:
        films: Films of the library that encoders learn from, without labels.
        probe_films: Films of the other library, which probes learn from and are tested on.
        scenes: Scenes a film.
        shots_per_scene: Shots a scene.
        side_px: Side of a keyframe.
        keyframes: Evenly spaced keyframes a shot; one is the middle frame.
        seed: Of the library that encoders learn from.
        probe_seed: Of the other.
    """

    films: int = 1200
    probe_films: int = 240
    scenes: int = 3
    shots_per_scene: int = 16
    side_px: int = 48
    keyframes: int = 1
    seed: int = 11
    probe_seed: int = 12


SETTINGS = DrawnSettings()
FOLDER = Path(__file__).parent / "films" / "drawn_scenes"
SEEN_PX = 96  # Keyframes are enlarged to this for the network whose maps are the features.


def plan(settings: DrawnSettings = SETTINGS) -> tuple[SyntheticLibrary, SyntheticLibrary]:
    """Return the library to learn from, and the one to probe on."""
    picture = Picture(settings.side_px, settings.side_px, Fraction(4))
    shape = {"num_scenes": settings.scenes, "shots_per_scene": settings.shots_per_scene}
    one = plan_library(settings.films, **shape, picture=picture, seed=settings.seed)
    other = plan_library(settings.probe_films, **shape, picture=picture, seed=settings.probe_seed)
    return one, other


def draw(library: SyntheticLibrary, folder: Path, settings: DrawnSettings = SETTINGS) -> None:
    """Draw the keyframes of films that are not there yet, and write what is known of all."""
    (folder / "keyframes").mkdir(parents=True, exist_ok=True)
    for film in library.films:
        if not (folder / "keyframes" / f"{film.id}.npy").exists():
            write_movie(folder / "keyframes", film.id, keyframes(film, settings.keyframes))
    truth = {film.id: film_truth(film) for film in library.films}
    (folder / "truth.json").write_text(json.dumps(truth), "utf-8")
    (folder / "settings.json").write_text(json.dumps(asdict(settings)), "utf-8")


def keyframes(film: LibraryFilm, count: int = 1) -> ImageArray:
    """Return evenly spaced frames of each shot, with grain, uint8 (S, count, H, W, 3)."""
    picture = film.plan.picture
    stage_of = lru_cache(maxsize=4)(lambda setup: build_stage(setup, picture))
    rng = np.random.default_rng(film.plan.seed)
    rows = []
    for shot in film.plan.shots:
        stage = stage_of(shot.setup)
        ordinals = uniform_frames(0, shot.num_frames, count)
        clean = np.stack([shoot(shot, ordinal, stage, picture) for ordinal in ordinals])
        shape = (count, picture.height_px, picture.width_px, 1)
        grain = np.clip(rng.normal(GRAIN / 2, GRAIN / 4, shape), 0, GRAIN).astype(np.uint8)
        rows.append(clean + grain)
    return np.stack(rows)


def write_features(folder: Path) -> None:
    """Write each shot's feature: the starter's pooled maps of its middle keyframe, (S, 896)."""
    from mastershot.encoders.starter import STARTER_FOLDER, load_student, read_student

    network, _ = load_student(STARTER_FOLDER, read_student(STARTER_FOLDER))
    (folder / "features").mkdir(exist_ok=True)
    for path in sorted((folder / "keyframes").glob("*.npy")):
        if (folder / "features" / path.name).exists():
            continue
        shots = np.load(path)
        frames = torch.from_numpy(shots[:, shots.shape[1] // 2]).permute(0, 3, 1, 2).float()
        with torch.inference_mode():
            large = interpolate(frames, (SEEN_PX, SEEN_PX), mode="bilinear")
            maps = network.maps(large.contiguous(memory_format=torch.channels_last))
            pooled = torch.cat([maps.last.mean((2, 3)), maps.middle.mean((2, 3))], 1)
        write_movie(folder / "features", path.stem, pooled.numpy())


def main() -> None:
    for library, name in zip(plan(), ("learn", "probe"), strict=True):
        draw(library, FOLDER / name)
        write_features(FOLDER / name)
        print(name, len(library.films), "films")


if __name__ == "__main__":
    main()
