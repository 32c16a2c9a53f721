from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.factories.films import encode_film

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.errors import MediaError, OutputError
from mastershot.core.time import FrameTimes
from mastershot.media.packets.pieces import Piece, cut_pieces, suffix_of_pieces
from mastershot.media.video import open_video
from mastershot.media.write import Encoding, Sound, write_frames


def numbered_images(count: int) -> list[ImageArray]:
    """Return frames whose grey says which they are."""
    return [np.full((48, 64, 3), 5 + 4 * number, np.uint8) for number in range(count)]


def numbers_in(path: Path) -> list[int]:
    return [round((float(frame.rgb().mean()) - 5) / 4) for frame in open_video(path).frames()]


def times_of(path: Path) -> FrameTimes:
    film = open_video(path)
    for _ in film.frames():
        pass
    return FrameTimes(film.pts, film.file.time_base)


def cut(film: Path, runs: Sequence[tuple[int, int]]) -> tuple[list[Path], list[bool]]:
    times = times_of(film)
    folder = film.parent
    pieces = [
        Piece(times.span(first, end), folder / f"{first}-{end}{suffix_of_pieces(film)}")
        for first, end in runs
    ]
    made = cut_pieces(film, pieces, times.pts)
    assert [one.piece for one in made] == pieces
    return [one.piece.path for one in made], [one.is_copy for one in made]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_pieces_hold_just_their_frames_copied_where_that_is_exact(
    tmp_path: Path, suffix: str
) -> None:
    film = tmp_path / f"film{suffix}"
    # Keyframes at 0, 10, 20 …; B-frames between; the film starts at 0.125125 s.
    encode_film(
        film, numbered_images(50), pts=[3003 + 1001 * n for n in range(50)],
        time_base=Fraction(1, 24000),
        options={"bf": "2", "g": "10", "keyint_min": "10", "sc_threshold": "0", "qp": "4"},
    )  # fmt: skip
    runs = [(0, 10), (10, 30), (13, 27), (20, 24), (30, 50), (49, 50), (5, 6)]
    paths, copies = cut(film, runs)
    assert [numbers_in(path) for path in paths] == [list(range(*run)) for run in runs]
    assert copies[:3] == [True, True, False]
    assert copies[4:] == [True, False, False]


def test_times_of_a_variable_rate_stay_within_a_piece(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    pts = np.cumsum([0, *([300, 900, 450] * 9)]).tolist()
    encode_film(film, numbered_images(28), pts=pts, time_base=Fraction(1, 9000),
                options={"bf": "0", "g": "100"})  # fmt: skip
    times = times_of(film)
    (path,), (is_copy,) = cut(film, [(7, 19)])
    found = times_of(path)
    assert not is_copy
    want = (times.pts[7:20] - times.pts[7]) * float(times.time_base)
    assert found.pts * float(found.time_base) == pytest.approx(want, abs=1e-6)


def test_sound_stays_with_its_picture(tmp_path: Path) -> None:
    film, rate_hz = tmp_path / "film.mp4", 48_000

    def chunks() -> list[FloatArray]:  # A click in the middle of each second.
        sound = np.zeros(2 * rate_hz, np.float32)
        sound[rate_hz // 2 :: rate_hz] = 1
        return list(sound.reshape(-1, 1000))

    write_frames(
        film, numbered_images(48), Fraction(24), sound=Sound(rate_hz, chunks()),
        encoding=Encoding(keyframe_interval=24),
    )  # fmt: skip
    (copied, encoded), copies = cut(film, [(24, 48), (30, 48)])
    assert copies == [True, False]
    for path, expected_s in ((copied, 0.5), (encoded, 0.25)):
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            frames = [(f.pts * f.time_base, f.to_ndarray()[0]) for f in container.decode(stream)]
        start_s, loudest = max(frames, key=lambda one: np.abs(one[1]).max())
        click_s = float(start_s) + int(np.abs(loudest).argmax()) / rate_hz
        assert click_s == pytest.approx(expected_s, abs=0.005)


def test_another_film_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    film, other = tmp_path / "film.mp4", tmp_path / "other.mp4"
    encode_film(film, numbered_images(12))
    encode_film(other, numbered_images(12), pts=[3 * n for n in range(12)])
    times = times_of(film)
    with pytest.raises(MediaError, match="is not the film that the timeline is of"):
        cut_pieces(other, [Piece(times.span(3, 7), tmp_path / "a.mp4")], times.pts)
    with pytest.raises(OutputError, match="cannot be written: No such file"):
        cut_pieces(film, [Piece(times.span(0, 12), tmp_path / "no" / "a.mp4")], times.pts)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "other.mp4"]
