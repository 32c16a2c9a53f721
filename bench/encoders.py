"""Speed of the encoders here: a ViT-B/32 CLIP by precision and batch size, and the starter.

CLIP's weights are random, which does not change the work. Prints frames a second of CLIP's image
tower, and the ratio to float32 at the same batch in the same run; what preparing a frame costs; and
the starter at batch 32 against CLIP at its best, both from 360p frames to vectors.

    python bench/encoders.py [--precisions float32 bfloat16 int8] [--batches 1 8] [--repeats 3]
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
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 4, 8, 16, 32])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    frames = np.random.default_rng(0).integers(0, 256, (32, 720, 1280, 3), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), frames, options)


def measure(folder: Path, frames: np.ndarray, options: argparse.Namespace) -> None:
    import torch
    from tests.factories.models import VOCABULARY, make_clip
    from transformers import CLIPConfig

    from mastershot.encoders.image_text import TransformersEncoder
    from mastershot.encoders.images import prepare_frames, read_preparation
    from mastershot.encoders.precision import pixel_dtype
    from mastershot.models.devices import fastest_float

    make_clip(folder, CLIPConfig(text_config=VOCABULARY))
    cpu = torch.device("cpu")
    print(f"threads {torch.get_num_threads()} · chosen here on the CPU: {fastest_float(cpu)}")
    preparation = read_preparation(folder)
    seconds = best_of(options.repeats, lambda: prepare_frames(frames, preparation))
    print(f"preparing a 720p frame: {seconds / len(frames) * 1000:.2f} ms")
    float32: dict[int, float] = {}
    for precision in options.precisions:
        encoder = TransformersEncoder(folder, name="random", device="cpu", precision=precision)
        for batch in options.batches:
            pixels = prepare_frames(frames[:batch], preparation).to(pixel_dtype(encoder.precision))
            seconds = best_of(options.repeats, lambda e=encoder, p=pixels: tower(e, p))
            rate = batch / seconds
            float32.setdefault(batch, rate)
            ratio = rate / float32[batch]
            print(f"{precision:9} batch {batch:3}: {rate:6.1f} frames/s, {ratio:.2f} x float32")
    against_starter(folder, frames[:, ::2, ::2].copy(), options.repeats)


def against_starter(folder: Path, frames: np.ndarray, repeats: int) -> None:
    from mastershot.encoders.catalogue import load_encoder

    starter, clip = load_encoder("starter", device="cpu"), load_encoder(folder, device="cpu")
    encoders = {"starter": starter, "CLIP as it is chosen here": clip}
    if clip.space != (plain := load_encoder(folder, device="cpu", precision="float32")).space:
        encoders["CLIP in float32"] = plain
    starter_s = best_of(repeats, lambda: starter.encode_images(frames))
    for name, encoder in encoders.items():
        seconds = best_of(repeats, lambda e=encoder: e.encode_images(frames))
        print(
            f"{name}, 360p frames to vectors: {len(frames) / seconds:.1f} frames/s; "
            f"starter {seconds / starter_s:.1f} x as fast"
        )


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
