"""Draw the films that the benchmarks run on, once, into bench/films/ (not kept in git)."""

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av

from mastershot.core.embeddings import ImageArray
from mastershot.media.write import Encoding, Sound, write_frames
from mastershot.synthetic.films import SOUND_RATE_HZ, draw_frames, draw_sound
from mastershot.synthetic.plan import Editing, FilmPlan, Picture, plan_film

FOLDER = Path(__file__).parent / "films"
EDITING = Editing(shot_s=(1.5, 5.5), fades=0.15, dissolves=0.25)
QUALITY = {720: 21, 1080: 22}
"""x264 rate factors that give a streamed film's bit rate at these heights."""


def film_of(minutes: float, width_px: int, height_px: int) -> Path:
    """Return a drawn film of that length and size, at 24 fps, drawn now if it is not there."""
    path = FOLDER / f"drawn_{minutes:g}min_{width_px}x{height_px}.mp4"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        picture = Picture(width_px, height_px)
        plan = plan_of(minutes, picture)
        encoding = Encoding(preset="veryfast", quality=QUALITY.get(height_px, 23), b_frames=3)
        frames = _reported(draw_frames(plan), plan.num_frames, path.name)
        sound = Sound(SOUND_RATE_HZ, draw_sound(plan))
        write_frames(path, frames, picture.frame_rate, sound=sound, encoding=encoding)
    return path


def film_720p() -> Path:
    """Return a film of 5.5 minutes at 1280×720."""
    return film_of(5.5, 1280, 720)


def film_1080p() -> Path:
    """Return a film of 5.5 minutes at 1920×1080."""
    return film_of(5.5, 1920, 1080)


def repeated(footage: Path, minutes: float, width_px: int, height_px: int) -> Path:
    """Return real footage at that size, repeated until it is that long, made if it is not there.

    It is encoded once, with the settings of the drawn films, and its packets are then repeated.
    """
    path = FOLDER / f"{footage.stem}_{minutes:g}min_{width_px}x{height_px}.mp4"
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        once = path.with_name(f"once_{path.name}")
        encoding = Encoding(preset="veryfast", quality=QUALITY.get(height_px, 23), b_frames=3)
        with av.open(footage) as container:
            scaled = (
                frame.to_ndarray(format="rgb24", width=width_px, height=height_px)
                for frame in container.decode(video=0)
            )
            num_frames = write_frames(once, scaled, Fraction(24), encoding=encoding)
        _repeat(once, path, times=math.ceil(minutes * 60 * 24 / num_frames))
        once.unlink()
    return path


def _repeat(once: Path, path: Path, *, times: int) -> None:
    with av.open(path, "w") as out, av.open(once) as container:
        stream = container.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for turn in range(times):
            container.seek(0)
            for packet in container.demux(stream):
                if packet.dts is not None and packet.pts is not None and stream.duration:
                    packet.dts += turn * stream.duration
                    packet.pts += turn * stream.duration
                    packet.stream = copy
                    out.mux(packet)


def plan_of(minutes: float, picture: Picture) -> FilmPlan:
    """Return a plan of exactly that many minutes, in scenes of eight shots; it is the truth."""
    wanted = round(minutes * 60 * picture.frame_rate)
    shortest_scene_s = 8 * EDITING.shot_s[0]
    num_scenes = int(minutes * 60 / shortest_scene_s) + 1
    plan = plan_film(num_scenes, 8, picture=picture, editing=EDITING, seed=1)
    whole = sum(end <= wanted - 24 for end in plan.starts[1:])
    last = replace(plan.shots[whole], num_frames=wanted - plan.starts[whole])
    return replace(plan, shots=(*plan.shots[:whole], last))


def _reported(frames: Iterator[ImageArray], total: int, name: str) -> Iterator[ImageArray]:
    start = time.perf_counter()
    for count, frame in enumerate(frames, 1):
        if count % 240 == 0 or count == total:
            rate = count / (time.perf_counter() - start)
            print(f"\r{name}: frame {count} of {total}, {rate:.0f} frames/s", end="", flush=True)
        yield frame
    print()


if __name__ == "__main__":
    for path in (film_720p(), film_1080p(), film_of(2, 320, 180), film_of(40, 320, 180)):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
