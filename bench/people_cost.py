"""What looking for faces and persons in a frame costs, on one thread, at several sizes of input.

Processor time, not time by the clock, so that a busy machine changes little. The frames are noise,
or those of a film; a frame in which nobody is found costs the distant pass too.

    OMP_NUM_THREADS=1 python bench/people_cost.py [FILM]
"""

import argparse
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.encoders.detectors.bars import without_bars
from mastershot.encoders.detectors.people import FRAME_PX, MIN_PERSON_SCORE, PeopleDetector
from mastershot.media.video import open_video

FRAMES = 9
SHAPES = {"4:3": (480, 640), "16:9": (360, 640), "2.35:1": (272, 640)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path, nargs="?")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.film:
        frames = islice(open_video(options.film).frames(), FRAMES)
        print_costs("film", [frame.rgb(longest_side_px=FRAME_PX) for frame in frames])
        return
    random = np.random.default_rng(0)
    for name, shape in SHAPES.items():
        print_costs(name, list(random.integers(0, 256, (FRAMES, *shape, 3), np.uint8)))


def print_costs(name: str, images: list[ImageArray]) -> None:
    detector = PeopleDetector()
    print(f"{name}: bars {median_ms(without_bars, images):.2f} ms")
    for size_px in (640, 512, 416, 320, 256):
        share = size_px / max(images[0].shape)
        small = [cv2.resize(one, None, fx=share, fy=share) for one in images]
        print(f"  YuNet    {size_px} px: {median_ms(detector.faces, small):5.1f} ms")
    for size_px in (416, 320, 256):

        def persons(image: ImageArray, size_px: int = size_px) -> object:
            return detector.persons(image, MIN_PERSON_SCORE, longest_px=size_px)

        print(f"  NanoDet  {size_px} px: {median_ms(persons, images):5.1f} ms")
    print(f"  distant pass    : {median_ms(detector.distant_persons, images):5.1f} ms")
    print(f"  all of a frame  : {median_ms(detector.look_at, images):5.1f} ms")


def median_ms(work: Callable[[ImageArray], object], images: list[ImageArray]) -> float:
    work(images[0])  # loads the network for this size
    taken = []
    for image in images:
        start = time.process_time()
        work(image)
        taken.append(time.process_time() - start)
    return float(np.median(taken)) * 1000


if __name__ == "__main__":
    main()
