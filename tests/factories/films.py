"""Small films for tests, with cuts known by construction."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.synthetic.films import write_film
from mastershot.synthetic.plan import Editing, FilmPlan, Picture, plan_film


def drawn_film(
    path: Path, *, num_scenes: int = 3, shots_per_scene: int = 2, picture: Picture | None = None
) -> FilmPlan:
    """Write a tiny drawn film; the plan returned is the truth."""
    plan, film = _plan_and_film(path.suffix, num_scenes, shots_per_scene, picture or Picture())
    path.write_bytes(film)
    return plan


@cache
def _plan_and_film(
    suffix: str, num_scenes: int, shots_per_scene: int, picture: Picture
) -> tuple[FilmPlan, bytes]:
    plan = plan_film(num_scenes, shots_per_scene, picture=picture, editing=Editing(), seed=3)
    with TemporaryDirectory() as folder:
        write_film(plan, Path(folder) / f"film{suffix}")
        return plan, (Path(folder) / f"film{suffix}").read_bytes()


def flat_images(colours: Sequence[tuple[int, int, int]], *, each: int, width_px: int = 64,
                height_px: int = 48) -> list[ImageArray]:  # fmt: skip
    """Return frames of flat colour, ``each`` of every colour: a cut wherever the colour changes."""
    return [
        np.full((height_px, width_px, 3), colour, np.uint8)
        for colour in colours
        for _ in range(each)
    ]


def remux(
    source: Path,
    target: Path,
    change: Callable[[int, bytes], bytes | None],
    *,
    container: str | None = None,
) -> Path:
    """Copy a film's packets into another file; ``change`` gives the bytes of each, or drops it."""
    with av.open(str(source)) as film, av.open(str(target), "w", format=container) as copy:
        stream = copy.add_stream_from_template(film.streams.video[0])
        for number, packet in enumerate(film.demux(video=0)):
            data = change(number, bytes(packet)) if packet.size else None
            if data is None:
                continue
            changed = av.Packet(data)
            changed.pts, changed.dts, changed.duration = packet.pts, packet.dts, packet.duration
            changed.time_base, changed.is_keyframe = packet.time_base, packet.is_keyframe
            changed.stream = stream
            copy.mux(changed)
    return target


def encode_film(
    path: Path,
    images: Sequence[ImageArray],
    *,
    pts: Sequence[int] | None = None,
    time_base: Fraction = Fraction(1, 24),
    pixel_format: str = "yuv420p",
    pixel_aspect: Fraction = Fraction(1),
    options: dict[str, str] | None = None,
) -> Path:
    """Write frames with these timestamps as H.264; the oddities are the parameters."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"bf": "0", **(options or {})})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = time_base
        stream.codec_context.sample_aspect_ratio = pixel_aspect
        for index, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = index if pts is None else pts[index]
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def first_video_stream(path: Path) -> int:
    """Return the index of the stream that OpenCV and ffprobe's ``v:0`` read."""
    with av.open(str(path)) as container:
        return container.streams.video[0].index
