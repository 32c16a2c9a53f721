"""What is installed, which encoders are available, and how fast this machine is."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mastershot import __version__
from mastershot.core.errors import MastershotError
from mastershot.encoders.catalogue import DEFAULT_ENCODER, available_encoders, load_encoder
from mastershot.media.video import open_video
from mastershot.pipeline.analysis.decode_pass import decode_film
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.synthetic.films import write_film
from mastershot.synthetic.plan import Picture, plan_film

_PACKAGES = (
    "torch", "transformers", "safetensors", "av", "scenedetect-headless",
    "opencv-python-headless", "lancedb", "pyarrow", "numpy",
)  # fmt: skip
_ENCODE_FRAMES = 32


@dataclass(frozen=True)
class EncoderFinding:
    """Whether one known encoder can be used here.

    Attributes:
        name: What a user types.
        kind: What it is.
        available: True if its weights are on this machine.
    """

    name: str
    kind: str
    available: bool


@dataclass(frozen=True)
class Findings:
    """What is installed on a machine, and its speed in frames a second.

    Attributes:
        version: Mastershot's version.
        python: Python's version.
        system: Operating system and processor.
        num_cores: Processor cores this process may use.
        gpu: Name of the GPU torch can use; None if there is none.
        packages: Version of each package the main path needs.
        encoders: The known encoders.
        decode_fps: Bare decoding of a drawn 720p film.
        shots_fps: Decoding and shot detection, same film.
        encode_fps: The default encoder; None if its weights are not on this machine.
        problems: Sentences on what does not work.
    """

    version: str
    python: str
    system: str
    num_cores: int
    gpu: str | None
    packages: dict[str, str | None]
    encoders: tuple[EncoderFinding, ...]
    decode_fps: float
    shots_fps: float
    encode_fps: float | None
    problems: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield the findings as lines for people."""
        yield f"mastershot {self.version} · Python {self.python} · {self.system}"
        yield f"{self.num_cores} cores · GPU: {self.gpu or 'none that torch can use'}"
        for name, installed in self.packages.items():
            yield f"  {name:24} {installed}"
        yield "Encoders"
        for encoder in self.encoders:
            here = "on this machine" if encoder.available else "not here"
            yield f"  {encoder.name:24} {encoder.kind} — {here}"
        yield "Speed here (a drawn 1280×720 film, H.264)"
        yield f"  decoding                 {self.decode_fps:,.0f} frames/s"
        yield f"  decoding + shots         {self.shots_fps:,.0f} frames/s"
        rate = "no weights here" if self.encode_fps is None else f"{self.encode_fps:,.0f} frames/s"
        yield f"  encoding, {DEFAULT_ENCODER:14} {rate}"
        yield from (f"PROBLEM: {problem}" for problem in self.problems)


def examine() -> Findings:
    """Return what is installed and how fast this machine is; takes some seconds.

    Raises:
        MastershotError: A package the main path needs is not installed.
    """
    packages = {name: _version(name) for name in _PACKAGES}
    missing = [name for name, found in packages.items() if found is None]
    if missing:
        raise MastershotError(
            f"{', '.join(missing)} is not installed; install mastershot again with its constraints"
        )
    with TemporaryDirectory(prefix="mastershot-") as folder:
        film = Path(folder) / "film.mp4"
        picture = Picture(width_px=1280, height_px=720)
        write_film(plan_film(num_scenes=2, shots_per_scene=2, picture=picture, seed=0), film)
        loaded = prepare(Plan(steps=("shots",)))
        decode_fps = _per_second(lambda: sum(1 for _ in open_video(film).frames()))
        shots_fps = _per_second(lambda: decode_film(open_video(film), loaded).movie.num_frames)
    encode_fps, problems = None, []
    try:
        encode_fps = _encode_fps()
    except MastershotError as error:
        problems.append(str(error))
    return Findings(
        version=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        num_cores=len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
        gpu=_gpu(),
        packages=packages,
        encoders=tuple(
            EncoderFinding(found.encoder.alias, found.encoder.kind, found.folder is not None)
            for found in available_encoders()
        ),
        decode_fps=decode_fps,
        shots_fps=shots_fps,
        encode_fps=encode_fps,
        problems=tuple(problems),
    )


def _per_second(work: Callable[[], int]) -> float:
    """Return the frames a second of work that returns its number of frames."""
    started_s = time.perf_counter()
    return work() / (time.perf_counter() - started_s)


def _encode_fps() -> float | None:
    """Return the default encoder's speed after a warm-up, or None if its weights are not here."""
    here = {found.encoder.alias for found in available_encoders() if found.folder is not None}
    if DEFAULT_ENCODER not in here:
        return None
    encoder = load_encoder(DEFAULT_ENCODER)
    frames = np.random.default_rng(0).integers(0, 256, (_ENCODE_FRAMES, 360, 640, 3), np.uint8)
    encoder.encode_images(frames[:8])
    return _per_second(lambda: len(encoder.encode_images(frames)))


def _gpu() -> str | None:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
