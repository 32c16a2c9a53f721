"""Speed of the image tower of a ViT-B/32 CLIP here: float32 against bfloat16, by batch size.

The weights are random, which does not change the work. Prints frames a second, and the ratio to
float32 at the same batch in the same run; then what preparing a frame costs.

    python bench/encoders.py [--dtypes float32 bfloat16] [--batches 1 8 32] [--repeats 3]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 4, 8, 16, 32])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    frames = np.random.default_rng(0).integers(0, 256, (32, 720, 1280, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), frames, options)


def measure(folder: Path, frames: np.ndarray, options: argparse.Namespace) -> None:
    import torch
    from tests.encoders.tiny_models import VOCABULARY, make_clip
    from transformers import CLIPConfig

    from mastershot.encoders.image_text import TransformersEncoder, fastest_dtype
    from mastershot.encoders.images import prepare_frames, read_preparation

    make_clip(folder, CLIPConfig(text_config=VOCABULARY))
    cpu = torch.device("cpu")
    print(f"threads {torch.get_num_threads()} · chosen here on the CPU: {fastest_dtype(cpu)}")
    preparation = read_preparation(folder)
    seconds = best_of(options.repeats, lambda: prepare_frames(frames, preparation))
    print(f"preparing a 720p frame: {seconds / len(frames) * 1000:.2f} ms")
    float32: dict[int, float] = {}
    for dtype in options.dtypes:
        encoder = TransformersEncoder(folder, name="random", device="cpu", dtype=dtype)
        for batch in options.batches:
            pixels = prepare_frames(frames[:batch], preparation).to(getattr(torch, dtype))
            seconds = best_of(options.repeats, lambda e=encoder, p=pixels: tower(e, p))
            rate = batch / seconds
            float32.setdefault(batch, rate)
            ratio = rate / float32[batch]
            print(f"{dtype:9} batch {batch:3}: {rate:6.1f} frames/s, {ratio:.2f} x float32")


def tower(encoder: object, pixels: object) -> None:
    """Run the image tower alone."""
    import torch

    with torch.inference_mode():
        encoder._model.get_image_features(pixel_values=pixels)  # type: ignore[attr-defined]


def best_of(repeats: int, work: Callable[[], object]) -> float:
    """Return the shortest of several times in seconds, after one run that is not counted."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
