from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.factories.models import make_tiny_clip
from tests.factories.movies2scenes import LOG, PIXEL_NET, TRAINING, write_films

from mastershot.core.errors import EncoderError, SettingError
from mastershot.encoders.catalogue import load_encoder
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.movies2scenes import shot_encoder
from mastershot.training.movies2scenes.checkpoints import (
    SHOT_STEM,
    load_scene_encoder,
    load_shot_encoder,
    write_encoder,
)
from mastershot.training.movies2scenes.networks import SceneShape, ShotEncoder, vit_settings
from mastershot.training.movies2scenes.scene_encoder import train_scene_encoder
from mastershot.training.movies2scenes.settings.encoders import (
    SceneContrastRecipe,
    ShotContrastRecipe,
    ShotSource,
)
from mastershot.training.movies2scenes.settings.stages import ShotFeaturesRecipe
from mastershot.training.movies2scenes.shot_encoder import train_shot_encoder, write_features


def keyframes(folder: Path, *, side_px: int = 16) -> dict[str, np.ndarray]:
    """Write three keyframes of each shot of two films; return them by film."""
    rng = np.random.default_rng(0)
    films = {
        name: rng.integers(0, 256, (shots, 3, side_px, side_px, 3), np.uint8)
        for name, shots in (("a", 5), ("b", 1))
    }
    (folder / "keyframes").mkdir()
    for name, frames in films.items():
        write_movie(folder / "keyframes", name, frames)
    return films


def features(data: Path, encoder: str, *, side_px: int = 16) -> ShotFeaturesRecipe:
    shots = ShotSource("keyframes", "keyframes", frames_per_shot=3, image_px=side_px)
    return ShotFeaturesRecipe(shots, encoder, data=str(data))


def untrained(folder: Path) -> None:
    shape = SceneShape(1, (3, 16, 16, 3))
    network = ShotEncoder(vit_settings(PIXEL_NET, 16), 5)
    write_encoder(folder, SHOT_STEM, PIXEL_NET, shape, network, metadata={"output": 5})


def test_a_shot_encoder_is_trained_once_on_the_share_of_shots_that_are_queries(
    tmp_path: Path,
) -> None:
    write_films(tmp_path)
    shots = ShotSource("keyframes", "keyframes", image_px=16)
    recipe = ShotContrastRecipe(
        shots, PIXEL_NET, output=5, query_share=0.5, log=LOG, data=str(tmp_path),
        training=replace(TRAINING, epochs=1),
    )  # fmt: skip
    made = train_shot_encoder(recipe, tmp_path / "run")
    encoder = load_shot_encoder(made)
    assert encoder.metadata["steps"] == 5  # forty queries, eight a step
    assert (encoder.metadata["movies"], encoder.metadata["unread"], encoder.width) == (4, [], 5)
    written = made.stat().st_mtime_ns
    assert train_shot_encoder(recipe, tmp_path / "run").stat().st_mtime_ns == written
    with pytest.raises(SettingError, match="begun with another recipe"):
        train_shot_encoder(replace(recipe, reach=3), tmp_path / "run")


def test_a_shots_feature_is_the_mean_over_its_keyframes(tmp_path: Path) -> None:
    films = keyframes(tmp_path)
    untrained(tmp_path / "encoder")
    made = write_features(features(tmp_path, "encoder"), tmp_path / "run")
    arrays, encoder = ShotArrays(made), load_shot_encoder(tmp_path / "encoder")
    assert (arrays.movies, arrays.row_shape, arrays.dtype) == (("a", "b"), (5,), np.float32)
    for place, frames in enumerate(films.values()):
        expected = [[encoder.encode(one[None, None, None])[0] for one in shot] for shot in frames]
        np.testing.assert_allclose(arrays.movie(place), np.mean(expected, axis=1), atol=1e-5)


def test_an_encoder_of_images_and_texts_gives_features_too(tmp_path: Path) -> None:
    films = keyframes(tmp_path, side_px=32)
    make_tiny_clip(tmp_path / "clip-here")
    made = write_features(features(tmp_path, "clip-here", side_px=32), tmp_path / "run")
    encoder = load_encoder(str(tmp_path / "clip-here"))
    expected = [encoder.encode_images(list(shot)).mean(0) for shot in films["a"]]
    np.testing.assert_allclose(ShotArrays(made).movie(0), expected, atol=1e-5)


def test_features_that_were_written_before_are_kept_and_only_the_rest_are_made(
    tmp_path: Path,
) -> None:
    keyframes(tmp_path)
    untrained(tmp_path / "encoder")
    recipe = features(tmp_path, "encoder")
    made = write_features(recipe, tmp_path / "run")
    write_movie(made, "a", np.full((5, 5), 7, np.float32))
    (made / "b.npy").unlink()
    reported: list[tuple[object, ...]] = []
    write_features(recipe, tmp_path / "run", lambda *progress: reported.append(progress))
    assert ShotArrays(made).movie(0).min() == 7
    assert len(ShotArrays(made).movie(1)) == 1
    assert [progress for progress in reported if progress[0] == "features"] == [
        ("features", 0, 1, {})
    ]
    (tmp_path / "encoder" / "shot_encoder.json").unlink()  # which is not read if none is missing
    assert write_features(recipe, tmp_path / "run") == made


def test_an_encoder_that_is_none_is_said(tmp_path: Path) -> None:
    keyframes(tmp_path)
    with pytest.raises(EncoderError, match="encoder 'clap' is neither a folder"):
        write_features(features(tmp_path, "clap"), tmp_path / "run")
    untrained(tmp_path / "encoder")
    (tmp_path / "encoder" / "shot_encoder.safetensors").write_bytes(b"cut short")
    with pytest.raises(EncoderError, match=r"shot_encoder\.safetensors cannot be loaded"):
        write_features(features(tmp_path, "encoder"), tmp_path / "other")


def scene_run(data: Path) -> Path:
    """Train two steps on scenes of three shots."""
    (data / "learn").mkdir()
    write_films(data / "learn")
    asked = SceneContrastRecipe(
        ShotSource("keyframes", "keyframes", image_px=16), "pairs.parquet", PIXEL_NET,
        replace(TRAINING, max_steps=2), log=LOG, data=str(data / "learn"),
    )  # fmt: skip
    return train_scene_encoder(asked, data / "run" / "scenes")


def test_an_encoder_of_scenes_gives_a_row_a_scene_and_the_last_shots_one_too(
    tmp_path: Path,
) -> None:
    encoder = load_scene_encoder(scene_run(tmp_path))
    (tmp_path / "keyframes").mkdir()
    rng = np.random.default_rng(1)
    films = {
        name: rng.integers(0, 256, (shots, 1, 16, 16, 3), np.uint8)
        for name, shots in (("even", 6), ("odd", 7), ("short", 2))
    }
    for name, frames in films.items():
        write_movie(tmp_path / "keyframes", name, frames)
    made = write_features(features(tmp_path, "run"), tmp_path / "made")
    for name, starts in (("even", (0, 3)), ("odd", (0, 3, 4)), ("short", (0,))):
        expected = [encoder.encode(films[name][None, at : at + 3])[0] for at in starts]
        np.testing.assert_allclose(np.load(made / f"{name}.npy"), expected, atol=1e-5)


def test_fresh_weights_are_an_encoder_always_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyframes(tmp_path)
    monkeypatch.setattr(shot_encoder, "NetworkSettings", lambda: PIXEL_NET)
    made = [
        ShotArrays(write_features(features(tmp_path, "random"), tmp_path / run)).movie(0)
        for run in ("one", "two")
    ]
    assert made[0].shape == (1, 8)
    assert np.array_equal(*made)


def test_a_network_of_frames_in_a_file_is_an_encoder(tmp_path: Path) -> None:
    keyframes(tmp_path, side_px=32)
    (tmp_path / "places.pth").write_bytes(b"no checkpoint")
    with pytest.raises(EncoderError, match=r"places\.pth"):
        write_features(features(tmp_path, "places.pth", side_px=32), tmp_path / "run")
