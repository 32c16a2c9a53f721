"""How often a shot's best label from a few sampled frames is that of all its frames.

Every frame of every film is encoded once; a shot's CLIPSceneScore is then computed from all of its
frames, and from N evenly spaced ones, as `--sampling uniform:N` takes them.

    python bench/label_agreement.py FILM [FILM ...] [--encoder starter] [--samples 1 3 5 9]
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import MastershotError
from mastershot.core.labels import load_taxonomy
from mastershot.core.protocols import ImageTextEncoder
from mastershot.encoders.catalogue import load_encoder
from mastershot.labelling.weak_labels import clip_scene_scores, encode_labels
from mastershot.media.sampling import uniform_frames
from mastershot.media.video import open_video
from mastershot.pipeline.analyze import detect_shots

FRAMES_AT_ONCE = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="+", type=Path)
    parser.add_argument("--encoder", default="starter")
    parser.add_argument("--samples", nargs="+", type=int, default=[1, 3, 5, 9])
    options = parser.parse_args()
    encoder = load_encoder(options.encoder)
    words = encode_labels(encoder, load_taxonomy("movieclip"))

    def best(vectors: FloatArray) -> tuple[int, bool]:
        scores = clip_scene_scores(vectors, words, encoder.logit_scale)
        return int(scores.argmax()), bool(scores.max() >= np.float32(0.4))

    shots = [shot for film in options.films for shot in vectors_of_shots(film, encoder)]
    num_frames = sum(map(len, shots))
    whole = [best(vectors) for vectors in shots]
    sure = [index for index, (_, is_sure) in enumerate(whole) if is_sure]
    print(f"{len(options.films)} films, {len(shots)} shots, {num_frames} frames; {len(sure)} sure")
    for count in options.samples:
        sampled = [best(vectors[uniform_frames(0, len(vectors), count)]) for vectors in shots]
        same = [one[0] == other[0] for one, other in zip(sampled, whole, strict=True)]
        print(
            f"uniform:{count}: same best label in {np.mean(same):.3f} of shots, "
            f"{np.mean([same[index] for index in sure]) if sure else 0:.3f} of the sure ones"
        )


def vectors_of_shots(film: Path, encoder: ImageTextEncoder) -> Iterator[FloatArray]:
    """Yield the vectors of all frames of each shot; nothing of a film that cannot be read."""
    try:
        shots = detect_shots(film)
    except MastershotError as error:
        print(f"passed over: {error}")
        return
    parts, batch = [], []
    for frame in open_video(film).frames():
        batch.append(frame.rgb(longest_side_px=320))
        if len(batch) == FRAMES_AT_ONCE:
            parts.append(encoder.encode_images(batch))
            batch = []
    vectors = np.concatenate([*parts, encoder.encode_images(batch)])
    for shot in shots:
        yield vectors[shot.span.first_frame : shot.span.end_frame]


if __name__ == "__main__":
    main()
