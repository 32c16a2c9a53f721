"""A published network of clips sees the middle of each shot; its features can be evaluated."""

import json
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.factories import published_networks as published
from tests.factories.commands import invoke
from tests.factories.films import encode_film, flat_images

from mastershot.core.time import Span
from mastershot.datasets.tables.feature_table import read_features
from mastershot.encoders.clip_networks import ClipNetwork
from mastershot.media.probe import probe
from mastershot.media.video import Film
from mastershot.models.recognisers import build
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.features.export import FeatureExport, export_features
from mastershot.pipeline.features.published import middle_clip
from mastershot.pipeline.features.settings import FeaturesRecipe
from mastershot.pipeline.library import Library
from mastershot.pipeline.search.similar import find_similar
from mastershot.pipeline.search.vectors import SceneSource
from mastershot.shots.settings import ShotSettings
from mastershot.training.engine.settings import no_progress

COLOURS = [(220, 40, 40), (10, 40, 10), (240, 240, 200)]
SHOTS_ALONE = Plan(steps=("shots",), shots=ShotSettings("adaptive"))
RATE = 24


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks are built an eighth as wide."""
    thin = partial(build.build_recogniser, width=1 / published.SCALE)
    monkeypatch.setattr(build, "build_recogniser", thin)


def write_r3d(path: Path, seed: int = 0) -> Path:
    weights = published.Weights(seed)
    published.r3d_18(weights, torch.zeros(1, 3, 16, 32, 32), 4)
    torch.save(dict(weights), path)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A checkpoint of a 3-D ResNet-18, and a library of a film whose shots last 1.25 and 4 s."""
    write_r3d(tmp_path / "r3d_18.pth")
    images = flat_images(COLOURS[:1], each=30)
    images += flat_images([(0, 60 + at // 2, 60) for at in range(96)], each=1)
    film = encode_film(tmp_path / "one.mp4", images)
    Library(tmp_path / "films.mastershot").add(film, loaded=prepare(SHOTS_ALONE))
    return tmp_path


def export(data: Path) -> FeatureExport:
    recipe = FeaturesRecipe(data=str(data), recogniser="r3d_18.pth")
    return export_features(recipe, data / "out", no_progress)


def span(frames: int, *, first: int = 0, seconds: float | None = None) -> Span:
    ticks = round(1000 * (frames / RATE if seconds is None else seconds))
    return Span(first, first + frames, 0, ticks, Fraction(1, 1000))


def test_a_clip_is_the_middle_of_a_long_shot_and_all_of_a_short_one() -> None:
    assert middle_clip(span(96, first=100), 4, 1.0) == [139, 145, 151, 157]
    assert middle_clip(span(24, first=100), 4, 1.0) == [103, 109, 115, 121]
    assert middle_clip(span(12), 4, 1.0) == [1, 4, 7, 10]
    assert middle_clip(span(2), 4, 1.0) == [0, 0, 1, 1]


def test_a_clip_lasts_as_long_at_any_rate_of_frames() -> None:
    assert middle_clip(span(96, seconds=2.0), 4, 1.0) == [30, 42, 54, 66]
    assert middle_clip(span(96, seconds=0.0), 2, 1.0) == [24, 72]
    assert middle_clip(span(3, seconds=300.0), 2, 1.0) == [1, 1]


def test_each_shot_has_the_features_of_its_middle(data: Path) -> None:
    made = export(data)
    assert (made.num_films, made.num_shots, made.failures) == (1, 2, {})
    network = ClipNetwork(data / "r3d_18.pth")
    frames = [network.square(frame.rgb()) for frame in Film(probe(data / "one.mp4")).frames()]
    # 16 frames at 15 a second are 1.067 s: 26 of 24 a second.
    chosen = [
        [first + (2 * at + 1) * 26 // 32 for at in range(16)]
        for first in ((30 - 26) // 2, 30 + (96 - 26) // 2)
    ]
    expected = network.features([np.stack([frames[at] for at in clip]) for clip in chosen])
    table = read_features(made.table)
    assert table.items == ("one",)
    np.testing.assert_array_equal(table.rows(0), expected)
    assert np.abs(expected[0] - expected[1]).max() > 0.01
    about = json.loads((made.table / "features.json").read_text("utf-8"))["made_by"]
    assert (about["network"], about["frames"], about["rate_hz"]) == ("r3d_18", 16, 15)
    assert (about["resize"], about["size_px"]) == ([128, 171], 112)


def test_they_are_kept_and_films_are_compared_by_them(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes, real = [], Film.frames

    def counted(self: Film, *arguments: Any) -> Iterator[Any]:
        passes.append(self.file.path.stem)
        return real(self, *arguments)

    monkeypatch.setattr(Film, "frames", counted)
    film = encode_film(data / "two.mp4", flat_images(COLOURS, each=30))
    library = Library(data / "films.mastershot")
    library.add(film, loaded=prepare(SHOTS_ALONE))
    passes.clear()
    first = export(data)
    assert sorted(passes) == ["one", "two"]
    passes.clear()
    assert export(data) == first
    assert passes == []
    assert library.verify() == []
    (space,) = library.spaces()
    source = SceneSource(library, vectors="recogniser:r3d_18")
    assert find_similar(source, "one", window=1).space == space
    write_r3d(data / "r3d_18.pth", seed=1)
    export(data)
    assert sorted(passes) == ["one", "two"]
    assert len(library.spaces()) == 2


@pytest.fixture
def clips(data: Path) -> Path:
    """A library of clips of two colours, and LVU's labels of them, which the colours tell."""
    library, loaded = Library(data / "clips.mastershot"), prepare(SHOTS_ALONE)
    folder = data / "lvu" / "scene"
    folder.mkdir(parents=True)
    for shade, (split, size) in enumerate({"train": 6, "val": 4, "test": 4}.items()):
        lines = ["class_id class_name youtube_id imdb_id"]
        for number in range(size):
            name, kind = f"{split}{number}", number % 2
            colour = (200 * kind, 30 + 10 * shade + number, 200 - 200 * kind)
            film = encode_film(data / f"{name}.mp4", flat_images([colour], each=12))
            library.add(film, loaded=loaded)
            lines.append(f"{kind} {('office', 'school')[kind]} {name} tt{name}")
        (folder / f"{split}.csv").write_text("\n".join(lines) + "\n")
    return data


def test_the_vectors_are_measured_on_a_task(clips: Path) -> None:
    done = invoke(
        "run", "movieclip/features", f"data={clips}", "library=clips.mastershot",
        "recogniser=r3d_18.pth", "--out", clips / "run",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    done = invoke(
        "evaluate", "--task", "lvu/scene", "--features", clips / "run" / "features",
        "--data", clips, "--seeds", 1, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (result,) = json.loads(done.stdout)["results"]
    (row,) = result["measured"]
    assert row["figures"]["all"]["value"] == 1


@pytest.mark.parametrize(
    ("file", "sentence"),
    [("films.mastershot", "holds no recogniser"), ("one.mp4", "cannot be loaded")],
)
def test_what_is_no_checkpoint_is_one_sentence(data: Path, file: str, sentence: str) -> None:
    done = invoke(
        "run", "movieclip/features", f"data={data}", f"recogniser={file}", "--out", data / "run"
    )
    assert done.exit_code in (1, 2), done.output
    assert done.stderr.splitlines()[-1].startswith(f"mastershot: {data / file} {sentence}")
