"""Labelling a film against the released method, with the same network.

The released method scores every frame, one at a time: OpenCV reads it, PIL and the checkpoint's
processor prepare it, the image tower runs on it alone, and the probabilities are averaged over
each shot. Here it gets the shots for free. Ours is the whole analysis: decoding, shots, pictures,
labels, scenes, report. The network has the shape of CLIP ViT-B/32 and random weights; loading it
and encoding the labels is left out on both sides. The released method runs in float32, ours in
each precision that is asked for, or in the one it takes by itself.

    python bench/label_speed.py [FILM ...] [--precisions float32 bfloat16 int8]
"""

import argparse
import sys
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from films import film_of
from mastershot.core.labels import load_taxonomy
from mastershot.media.sampling import parse_sampling
from mastershot.models.devices import fastest_float
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.pipeline.analyze import analyze_movie, detect_shots

sys.path.append(str(Path(__file__).parents[1]))
from tests.factories.models import make_clip


def released_method_s(film: Path, folder: Path) -> float:
    """Return the seconds the released method takes to score every frame of the film."""
    model = CLIPModel.from_pretrained(folder).eval()
    processor = CLIPImageProcessorPil.from_pretrained(folder)
    ends = [shot.span.end_frame for shot in detect_shots(film)]
    words = torch.nn.functional.normalize(torch.randn(len(load_taxonomy("movieclip")), 512))
    started_s = time.perf_counter()
    reader = cv2.VideoCapture(str(film))
    shot: list[Any] = []
    scores = []
    for index in range(ends[-1]):
        _, image = reader.read()
        picture = Image.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        pixels = processor(images=picture, return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            vector = model.get_image_features(pixel_values=pixels).pooler_output
            vector = vector / vector.norm(dim=-1, keepdim=True)
            shot.append((100 * vector @ words.T).softmax(dim=-1).numpy())
        if index + 1 in ends:
            scores.append(np.mean(shot, axis=0))
            shot.clear()
    return time.perf_counter() - started_s


def ours_s(film: Path, folder: Path, sampling: str, precision: str) -> tuple[float, int]:
    """Return the seconds our whole analysis takes, and the number of frames encoded."""
    loaded = prepare(
        Plan(encoder=str(folder), precision=precision, sampling=parse_sampling(sampling))
    )
    assert loaded.labeller is not None
    _ = loaded.labeller.encoder.space, loaded.labeller.label_vectors
    loaded.labeller.encoder.encode_images(np.zeros((8, 224, 224, 3), np.uint8))
    with tempfile.TemporaryDirectory() as out:
        started_s = time.perf_counter()
        timeline, _ = analyze_movie(film, loaded, Path(out))
        seconds = time.perf_counter() - started_s
    sampled = sum(len(shot.sampled_frames) for shot in timeline.shots)
    return seconds, sampled or timeline.movie.num_frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--precisions", nargs="+", default=[fastest_float(torch.device("cpu"))])
    options = parser.parse_args()
    films = options.films or [film_of(0.5, 1280, 720)]
    with tempfile.TemporaryDirectory() as name:
        folder = make_clip(Path(name) / "vit-b32", CLIPConfig())
        for film in films:
            theirs_s = released_method_s(film, folder)
            print(f"{film.name}\n  released method, float32      {theirs_s:7.1f} s", flush=True)
            for precision, text in product(options.precisions, ("uniform:3", "rate:4", "every")):
                seconds, encoded = ours_s(film, folder, text, precision)
                print(
                    f"  ours, {precision:8}, {text:12} {seconds:7.1f} s  "
                    f"{encoded:6} frames encoded  {theirs_s / seconds:5.1f} x",
                    flush=True,
                )


if __name__ == "__main__":
    main()
