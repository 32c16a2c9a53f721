"""Films cut into several files, as reels, by their frames."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from tests.factories.sounds import Sound, sounding_film

from mastershot.core.embeddings import ImageArray
from mastershot.media.write import Encoding, write_frames


def write_reels(
    folder: Path,
    images: Sequence[ImageArray],
    starts: Sequence[int],
    *,
    frame_rate: Fraction = Fraction(24),
    suffix: str = ".mp4",
    sound: Sound | None = None,
) -> list[Path]:
    """Write the frames from each start to the next as a file of its own; the first start is 0.

    A sound at 48 kHz is cut in the same places.
    """
    folder.mkdir(exist_ok=True)
    paths = []
    for number, (first, end) in enumerate(pairwise([*starts, len(images)]), start=1):
        path = folder / f"reel{number}{suffix}"
        if sound is None:
            write_frames(path, images[first:end], frame_rate, encoding=Encoding(quality=10))
        else:
            samples = [round(frame / frame_rate * 48_000) for frame in (first, end)]
            piece = sound[samples[0] : samples[1]]
            codec = "aac" if suffix == ".mp4" else "pcm_s16le"
            sounding_film(path, images[first:end], piece, frame_rate=frame_rate, codec=codec)
        paths.append(path)
    return paths
