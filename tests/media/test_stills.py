from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mastershot.core.errors import MediaError
from mastershot.media.pictures import read_still


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_a_picture_is_read_to_the_pixel(tmp_path: Path, suffix: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (31, 47, 3), np.uint8)
    path = tmp_path / f"picture{suffix}"
    Image.fromarray(pixels).save(path)
    assert np.array_equal(read_still(path), pixels)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_colours_of_a_photograph_are_those_libjpeg_reads(tmp_path: Path, subsampling: str) -> None:
    coarse = np.random.default_rng(0).integers(40, 216, (12, 16, 3), np.uint8)
    path = tmp_path / "picture.jpg"
    photograph = Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)
    photograph.save(path, quality=95, subsampling=subsampling)
    difference = read_still(path).astype(int) - np.asarray(Image.open(path)).astype(int)
    assert abs(difference).max() <= 6
    assert abs(difference).mean() < 0.5
    assert abs(difference.mean()) < 0.1


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_pictures_of_any_mode_become_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (20, 10), (255, 255, 255)).convert(mode).save(path)
    picture = read_still(path)
    assert picture.shape == (10, 20, 3)
    assert picture.min() >= 250


@pytest.mark.parametrize("content", [b"", b"no picture at all", b"\xff\xd8\xff\xe0 cut"])
def test_what_is_no_picture_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"picture\.jpg is not a picture that can be read"):
        read_still(path)


def test_a_picture_that_is_not_there_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"gone\.png is not a picture that can be read"):
        read_still(tmp_path / "gone.png")
