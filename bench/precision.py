"""What int8 and bfloat16 change: vectors and best labels against those of float32.

Of a CLIP of ViT-B/32 shape with random weights, on five frames of each film: cosine with the
float32 vector, the same best of 179 random directions, the same nearest other frame. And of a
trained network, since random weights have none of the outliers that training brings: the packaged
sentence encoder, with the synopses of a TMDB 5000 table in the place of frames, in int8, and the
labels of MovieCLIP in float32, as words always are.

    python bench/precision.py --synopses movies.csv FILM ...
"""

import argparse
import csv
import sys
import tempfile
from pathlib import Path

import av
import numpy as np
import torch
from transformers import CLIPConfig

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.labels import load_taxonomy
from mastershot.encoders.image_text import TransformersEncoder
from mastershot.encoders.precision import PRECISIONS, computes_in_int8
from mastershot.encoders.text import SentenceEncoder
from mastershot.models.int8_linear import quantise

sys.path.append(str(Path(__file__).parents[1]))
from tests.factories.models import make_clip


def five_frames(film: Path) -> list[ImageArray]:
    with av.open(film) as container:
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="rgb24") for frame in frames[:: max(1, len(frames) // 5)][:5]]


def nearest(vectors: FloatArray, others: FloatArray) -> np.ndarray:
    cosines = vectors @ others.T
    if vectors is others:
        np.fill_diagonal(cosines, -2)
    return cosines.argmax(axis=1)


def compare(name: str, vectors: FloatArray, exact: FloatArray) -> None:
    cosines = (vectors * exact).sum(axis=1)
    print(f"{name}: cosine with float32 {cosines.mean():.5f}, lowest {cosines.min():.5f}")


def random_clip(films: list[Path]) -> None:
    frames = [frame for film in films for frame in five_frames(film)]
    print(f"random ViT-B/32, {len(frames)} frames of {len(films)} films")
    directions = np.random.default_rng(0).standard_normal((179, 512)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    exact = np.empty((0, 0), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        clip = make_clip(Path(folder) / "clip", CLIPConfig())
        for precision in PRECISIONS:
            if precision == "int8" and not computes_in_int8(torch.device("cpu")):
                print("int8: not on this processor")
                continue
            encoder = TransformersEncoder(clip, name="clip", device="cpu", precision=precision)
            vectors = encoder.encode_images(frames)
            exact = exact if exact.size else vectors
            compare(precision, vectors, exact)
            same_label = nearest(vectors, directions) == nearest(exact, directions)
            same_frame = nearest(vectors, vectors) == nearest(exact, exact)
            print(
                f"  the same best direction {same_label.mean():.3f}, "
                f"the same nearest frame {same_frame.mean():.3f}"
            )


def trained_sentences(table: Path) -> None:
    with table.open(newline="", encoding="utf-8") as file:
        synopses = [row["overview"] for row in csv.DictReader(file) if row["overview"]][:200]
    labels, encoder = list(load_taxonomy("movieclip").labels), SentenceEncoder()
    words, exact = encoder.encode_texts(labels), encoder.encode_texts(synopses)
    model, _ = encoder._network
    quantise(model)
    rounded = encoder.encode_texts(synopses)
    print(f"trained MiniLM, {len(synopses)} synopses in int8, {len(labels)} labels in float32")
    compare("int8", rounded, exact)
    same = nearest(rounded, words) == nearest(exact, words)
    print(f"  the same nearest label {same.mean():.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--synopses", type=Path)
    options = parser.parse_args()
    if options.films:
        random_clip(options.films)
    if options.synopses:
        trained_sentences(options.synopses)


if __name__ == "__main__":
    main()
