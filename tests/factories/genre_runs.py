"""A small library of drawn trailers, a data set of them, and a model trained on it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.factories.films import encode_film, flat_images
from tests.factories.sounds import sounding_film, speech_like

from mastershot.core.embeddings import ImageArray
from mastershot.pipeline.experts.catalogue import ExpertSettings, load_experts
from mastershot.pipeline.genres.build import BuildSettings, build_genres, list_trailers
from mastershot.shots.settings import ShotSettings
from mastershot.training.genres.settings import (
    FineStageSettings,
    GenreNetworkSettings,
    GenreRecipe,
    GenreTrainingSettings,
)
from mastershot.training.genres.train import train_genres

EXPERTS = ("location", "image", "audio", "motion", "text")
SHOTS = ShotSettings("content", min_shot_s=0.2)
SPLITS = ("train", "train", "train", "val", "val", "test", "test")
NETWORK = GenreNetworkSettings(
    width=16, clusters=2, clips=2, sequences=2, joining="mean", sequence_width=16, bottleneck=32
)


@dataclass(frozen=True)
class GenreRun:
    """A trained run, with what it was trained on.

    Attributes:
        trailers: Folder of the trailers, ``t0.mkv`` to ``t6.mkv``: t1 and t4 are mute, t2 has
            subtitles, t5 is one shot, shorter than a sequence, t6 longer than what is seen.
        data: Folder that holds the data set.
        run: The run's folder.
    """

    trailers: Path
    data: Path
    run: Path


def draw_trailers(folder: Path) -> None:
    """Draw them."""
    for number in range(len(SPLITS)):
        num_shots = {5: 1, 6: 6}.get(number, 3)
        images = _moving(number, num_shots, each=12 + 3 * number)
        path = folder / f"t{number}.mkv"
        if number in (1, 4):
            encode_film(path, images)
        else:
            sound = speech_like(len(images) / 24, seed=number)
            sounding_film(path, images, sound, rate_hz=16_000)
    (folder / "t2.srt").write_text("1\n00:00:00,100 --> 00:00:00,300\nA ghost!\n")


def make_genre_run(
    folder: Path, *, experts: tuple[str, ...] = EXPERTS, fine_epochs: int = 2
) -> GenreRun:
    """Draw trailers, build their data set and train a tiny network for two epochs."""
    trailers, data = folder / "trailers", folder / "data"
    trailers.mkdir(parents=True)
    draw_trailers(trailers)
    genres = ("Comedy", "Horror", "Comedy|Horror")
    rows = [f"t{n}.mkv,{genres[n % 3]},Film {n},{split}" for n, split in enumerate(SPLITS)]
    (folder / "genres.csv").write_text("\n".join(["file,genres,title,split", *rows, ""]))
    listed = list_trailers(trailers, folder / "genres.csv")
    loaded = load_experts(ExpertSettings(experts))
    settings = BuildSettings("drawn", SHOTS)
    build_genres(trailers, listed, loaded, data / "dataset", settings)
    recipe = GenreRecipe(
        data=str(data), name="drawn", network=NETWORK, duplicates="keep",
        training=GenreTrainingSettings(epochs=2, batch_size=4, learning_rate=5e-3),
        fine=FineStageSettings(epochs=fine_epochs, batch_size=4, projection=8),
    )  # fmt: skip
    train_genres(recipe, folder / "run")
    return GenreRun(trailers, data, folder / "run")


def _moving(number: int, num_shots: int, each: int) -> list[ImageArray]:
    """Return shots of flat colours, over each of which a square moves."""
    rng = np.random.default_rng(number)
    # Far apart, so that every cut is found.
    dark = rng.integers(0, 60, (num_shots, 3))
    bright = rng.integers(180, 255, (num_shots, 3))
    chosen = np.where(np.arange(num_shots)[:, None] % 2 == number % 2, dark, bright)
    colours = [(int(r), int(g), int(b)) for r, g, b in chosen]
    images = flat_images(colours, each=each)
    for index, image in enumerate(images):
        left = (2 * index + 5 * number) % 48
        image[16:28, left : left + 12] = 128
    return images
