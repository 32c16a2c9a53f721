"""How well marks are found: black, silence, bars, letterbox, credits, slates and static pictures.

    python bench/marks.py make DATA FILMS [--films 72] [--seed 1] [--half tune|report] [--figures]
    python bench/marks.py score FILMS
    python bench/marks.py film FILM...

``make`` edits films of 320 × 180 at 24 or 23.976 frames a second out of photographs under a moving
camera and clips of real film (`transition_clips`), encodes them (CRF 20 to 32, grain or none) and
writes beside each the runs that are marks, exact to the frame. A third of the films have no mark
but the still photographs in them: night and white scenes, stripes and fences, subtitles, short
holds, fades. With ``--figures`` every film that has marks ends in rolling credits before which a
piece of a clip goes its way for 2 to 6 s. ``score`` analyses each and prints precision and recall
by kind at an intersection over union of half, how far ends of what is found lie off, and false
marks an hour. ``film`` lists the marks of any film but silence, and what a frame costs.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mastershot.core.lanes import MarkKind
from mastershot.core.time import FrameTimes
from mastershot.media.video import open_video
from mastershot.media.write import Encoding, Sound, write_frames
from mastershot.pipeline.analysis.decode_pass import decode_film
from mastershot.pipeline.analysis.plan import Plan, prepare
from mastershot.shots.marks.measures import FrameMeter
from mastershot.shots.marks.rules import find_marks
from mastershot.shots.marks.settings import MarkSettings
from transition_clips import Clip, clip_source

HEIGHT, WIDTH = 180, 320
RATES = (Fraction(24), Fraction(24000, 1001))
SOUND_HZ = 16_000
LEAST_STATIC_S = 2.0
TIMED_FRAMES = 1500
CREDITS = """
    directed by written produced music editor camera sound design first second unit assistant
    costume makeup stunts driver catering gaffer grip colourist anna bela carla dmitri elena
    farid greta hugo ines jonas kira luca mina noor olga paolo quentin rosa sven tara
"""
KINDS: tuple[MarkKind, ...] = get_args(MarkKind)


@dataclass
class Film:
    """A film while it is edited.

    Attributes:
        parts: Its frames so far, RGB (T, H, W, 3) each.
        marks: Kind, first frame and end of what is known to be a mark.
        quiet: First frame and end of what has no sound.
    """

    rng: np.random.Generator
    clip: Clip
    parts: list[np.ndarray] = field(default_factory=list)
    marks: list[tuple[str, int, int]] = field(default_factory=list)
    quiet: list[tuple[int, int]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return sum(map(len, self.parts))

    def add(self, frames: np.ndarray, kind: str | None = None, lead: int = 0) -> None:
        """Append frames; those from ``lead`` on are a mark of the kind."""
        if kind is not None:
            self.marks.append((kind, self.length + lead, self.length + len(frames)))
        self.parts.append(frames)

    def frames(self, least_s: float, most_s: float) -> int:
        return int(self.rng.uniform(least_s, most_s) * 24)

    def scene(self, least_s: float = 1.0, most_s: float = 3.5) -> np.ndarray:
        return self.clip(self.frames(least_s, most_s), self.rng)


def faded(frames: np.ndarray, shares: np.ndarray) -> np.ndarray:
    return np.rint(frames * shares[:, None, None, None]).astype(np.uint8)


def ramps(num_frames: int, *, into: int = 0, out: int = 0) -> np.ndarray:
    """Return shares of light that rise over the first frames and fall over the last, (T,)."""
    shares = np.ones(num_frames)
    shares[:into] = (np.arange(into) + 1) / (into + 1)
    shares[num_frames - out :] = (np.arange(out)[::-1] + 1) / (out + 1)
    return shares


def flat(num_frames: int, colour: Any) -> np.ndarray:
    return np.full((num_frames, HEIGHT, WIDTH, 3), colour, np.uint8)


def hold_black(film: Film, least_s: float, most_s: float) -> None:
    film.add(flat(film.frames(least_s, most_s), 0), "black")


def black(film: Film, least_s: float = 0.6, most_s: float = 2.5) -> None:
    """Black between scenes, cut to or faded to."""
    rng = film.rng
    fade = int(rng.choice([0, 8, 16, 30]))
    out, into = film.scene(1.5, 2.5), film.scene(1.5, 2.5)
    film.add(faded(out, ramps(len(out), out=fade)))
    hold = film.frames(least_s, most_s)
    if rng.random() < 0.5:
        film.quiet.append((film.length, film.length + hold))
    film.add(flat(hold, 0), "black")
    film.add(faded(into, ramps(len(into), into=fade)))


def bars(film: Film) -> None:
    rng = film.rng
    level = int(rng.choice([191, 255]))
    order = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1)]
    kind = rng.choice(["smpte", "ebu", "hd"])
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    if kind == "ebu":
        order.append((0, 0, 0))
    left, right = (WIDTH // 8, WIDTH * 7 // 8) if kind == "hd" else (0, WIDTH)
    if rng.random() < 0.2:
        left, right = WIDTH // 8, WIDTH * 7 // 8  # 4:3 in a wider picture
    edges = np.linspace(left, right, len(order) + 1).round().astype(int)
    for colour, first, end in zip(order, edges, edges[1:], strict=False):
        picture[:, first:end] = np.array(colour) * level
    if kind == "hd":
        picture[:, :left], picture[:, right:] = 102, 102
    if kind != "ebu":
        top = int(HEIGHT * (0.58 if kind == "hd" else 0.67))
        picture[top:] = 19
        picture[top : top + HEIGHT // 12] = picture[0, ::-1]
        picture[top + HEIGHT // 6 :, WIDTH // 4 : WIDTH // 2] = 235
    if kind == "ebu" and rng.random() < 0.5:
        picture[:, : edges[1]] = 255
    film.add(np.repeat(picture[None], film.frames(1, 4), axis=0), "bars")


def lines(rng: np.random.Generator, number: int, words: tuple[int, int] = (2, 5)) -> list[str]:
    made = [" ".join(rng.choice(CREDITS.split(), int(rng.integers(*words)))) for _ in range(number)]
    return [line.upper() if rng.random() < 0.3 else line.title() for line in made]


def page(
    rng: np.random.Generator, text: list[str], size: int, height: int = HEIGHT, *, ground: Any = 0
) -> np.ndarray:
    """Return lines of text in the middle of a plain ground, RGB (height, W, 3)."""
    image = Image.new("RGB", (WIDTH, height), tuple(np.broadcast_to(ground, 3).tolist()))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    step = int(size * rng.uniform(1.25, 1.7))
    top = (height - step * len(text)) // 2
    light = int(rng.integers(190, 256))
    fill = (light, light, int(light * rng.uniform(0.7, 1)))
    if np.mean(ground) > 128:
        fill = (20, 20, 20)
    for index, line in enumerate(text):
        at = (WIDTH // 2, top + step * index)
        draw.text(at, line, fill=fill, font=font, anchor="mt")
    return np.asarray(image)


def card_ground(rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.7:
        return np.full(3, int(rng.choice([0, 0, 0, 12])))
    return rng.integers(0, 90, 3)


def card(film: Film, num_lines: tuple[int, int], seconds: tuple[float, float]) -> np.ndarray:
    rng = film.rng
    text = lines(rng, int(rng.integers(*num_lines)))
    picture = page(rng, text, int(rng.integers(12, 20)), ground=card_ground(rng))
    return np.repeat(picture[None], film.frames(*seconds), axis=0)


def slate(film: Film) -> None:
    film.add(card(film, (4, 7), (1.5, 4)), "slate")
    hold_black(film, 1.1, 2.5)


def cards(film: Film) -> None:
    """Cards of credits, cut or faded in and out, with little black between them."""
    first, rng = film.length, film.rng
    number = int(rng.integers(1, 5))
    for index in range(number):
        frames = card(film, (1, 4), (1.6, 3))
        fade = int(rng.choice([0, 8]))
        film.add(faded(frames, ramps(len(frames), into=fade, out=fade)))
        if index < number - 1:
            film.add(flat(int(rng.integers(0, 9)), 0))
    film.marks.append(("credits", first, film.length))


def rolling(film: Film, *, figure: bool = False) -> None:
    rng = film.rng
    size, ground = int(rng.integers(9, 15)), card_ground(rng)
    text = lines(rng, int(rng.integers(14, 40)), (2, 6))
    text = [line if rng.random() < 0.85 else "" for line in text]
    height = int(len(text) * size * 1.8) + 2 * HEIGHT
    tall = page(rng, text, size, height, ground=ground)
    inked = np.flatnonzero((tall != tall[0, 0]).any(axis=(1, 2)))
    tall = tall[max(0, inked[0] - HEIGHT) : inked[-1] + HEIGHT]
    speed = rng.uniform(0.5, 2.2)
    tops = np.arange(0, len(tall) - HEIGHT, speed)[: 24 * 14]
    frames = []
    for top in tops:
        whole, share = int(top), float(top % 1)
        one, other = tall[whole : whole + HEIGHT], tall[whole + 1 : whole + 1 + HEIGHT]
        frames.append(np.rint(one * (1 - share) + other * share) if len(other) == HEIGHT else one)
    frames = np.array(frames, np.uint8)
    seen = np.flatnonzero((frames != frames[0, 0, 0]).any(axis=(1, 2, 3)))
    frames = frames[seen[0] : seen[-1] + 1]
    if figure:
        pass_before(frames, film)
    film.add(frames, "credits")


def pass_before(frames: np.ndarray, film: Film) -> None:
    """Draw a piece of a clip, round with a ragged edge, that crosses the picture for a while."""
    rng = film.rng
    num = min(film.frames(2, 6), len(frames) // 2)
    first = int(rng.integers(len(frames) // 8, len(frames) - num - len(frames) // 8))
    radius = int(HEIGHT * rng.uniform(0.12, 0.25))
    down, across = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    ragged = cv2.resize(rng.normal(0, 1, (7, 7)), down.shape[::-1], interpolation=cv2.INTER_CUBIC)
    inside = np.hypot(down, across) < radius * (0.8 + 0.15 * ragged)
    clip, centre = film.clip(num, rng), (HEIGHT // 2, WIDTH // 2)
    lefts = np.linspace(0, WIDTH - 2 * radius - 1, num)
    top = int(rng.integers(0, HEIGHT - 2 * radius - 1))
    for at, left in enumerate(lefts.astype(int)[:: 1 if rng.random() < 0.5 else -1]):
        place = np.s_[top : top + 2 * radius + 1, left : left + 2 * radius + 1]
        piece = clip[at, centre[0] - radius : centre[0] + radius + 1]
        piece = piece[:, centre[1] - radius : centre[1] + radius + 1]
        frames[first + at][place][inside] = piece[inside]


def letterbox(film: Film) -> None:
    """Bars above and below, or beside, for some shots."""
    rng, frames = film.rng, film.scene(1.5, 4).copy()
    bar = int(rng.integers(14, 34))
    if rng.random() < 0.6:
        frames[:, :bar] = frames[:, -bar:] = 0
    else:
        bar = int(rng.integers(30, 60))
        frames[:, :, :bar] = frames[:, :, -bar:] = 0
    film.add(frames, "letterbox")


def held(film: Film, least_s: float, most_s: float) -> None:
    frames = film.scene(2, 3)
    at, num = int(film.rng.integers(10, len(frames) - 10)), film.frames(least_s, most_s)
    film.add(
        np.concatenate([frames[:at], np.repeat(frames[at : at + 1], num, axis=0), frames[at:]])
    )


def night(film: Film) -> None:
    """A scene of which little is bright."""
    frames = film.scene(1.5, 3).astype(np.float32)
    film.add(np.rint(frames**1.5 / 255**0.5 * film.rng.uniform(0.12, 0.3)).astype(np.uint8))


def white(film: Film) -> None:
    frames = film.scene(1.5, 3).astype(np.float32)
    film.add(np.rint(225 + frames * 30 / 255).astype(np.uint8))


def stripes(film: Film) -> None:
    """A fence, or a striped shirt: bars of two colours that sway."""
    rng, num = film.rng, film.frames(1.5, 3)
    one, other = rng.integers(0, 256, (2, 3))
    width, across = int(rng.integers(8, 40)), np.arange(WIDTH)
    sway = np.cumsum(rng.normal(0, 1.5, num))
    frames = np.stack([
        np.where((((across + at) // width) % 2 == 0)[None, :, None], one, other)
        * np.ones((HEIGHT, 1, 1)) for at in sway
    ])  # fmt: skip
    frames[:, HEIGHT // 2 :] = film.clip(num, rng)[:, HEIGHT // 2 :]
    film.add(frames.astype(np.uint8))


def subtitles(film: Film) -> None:
    frames = film.scene(2, 4).copy()
    text = page(film.rng, lines(film.rng, 2), 13, 44)
    inside = text.max(axis=2) > 60
    frames[8:-8, -48:-4][:, inside] = text[inside]
    film.add(frames)


def intertitle(film: Film) -> None:
    """A card of text amid the film, as in silent films: static, if anything."""
    film.add(film.scene(1.5, 3))
    film.add(card(film, (1, 4), (1.2, 3.2)))
    film.add(film.scene(1.5, 3))


BODY: tuple[Callable[[Film], None], ...] = (
    lambda film: film.add(film.scene()), lambda film: held(film, 0.5, 1.6), night, white, stripes,
    subtitles, intertitle,
)  # fmt: skip
MARKED: tuple[Callable[[Film], None], ...] = (
    black, letterbox, lambda film: held(film, 2.3, 5), bars,
)  # fmt: skip


def edited(clip: Clip, rng: np.random.Generator, *, clean: bool, figures: bool = False) -> Film:
    film = Film(rng, clip)
    if not clean:
        head = rng.choice(["", "black", "bars", "slate", "cards"])
        if head == "black":
            hold_black(film, 0.5, 2)
        elif head == "bars":
            bars(film)
            if rng.random() < 0.5:
                hold_black(film, 0.6, 1.5)
            slate(film)
        elif head == "slate":
            slate(film)
        elif head == "cards":
            cards(film)
    film.add(film.scene(2, 4))
    parts = [BODY[int(rng.integers(len(BODY)))] for _ in range(6)]
    if not clean:
        parts += [MARKED[int(index)] for index in rng.permutation(len(MARKED))[:2]]
    for index in rng.permutation(len(parts)).tolist():
        parts[index](film)
        film.add(film.scene(1.5, 4))
    if not clean:
        tail = rng.choice(["", "black", "cards", "rolling", "rolling"])
        if figures:
            rolling(film, figure=True)
        elif tail == "black":
            hold_black(film, 0.5, 2)
        elif tail == "cards":
            cards(film)
        elif tail == "rolling":
            rolling(film)
            hold_black(film, 0.5, 1.5)
    return film


def standing(film: Film, frames: np.ndarray) -> list[tuple[str, int, int]]:
    """Return the runs in which no frame differs from the one before it, beside other marks."""
    same = np.array([False, *(np.array_equal(*pair) for pair in pairwise(frames))])
    for _, first, end in (one for one in film.marks if one[0] not in ("letterbox", "silence")):
        same[first : min(end + 1, len(same))] = False
    starts = np.flatnonzero(~same)
    ends = np.append(starts[1:], len(frames))
    return [("static", int(a), int(b)) for a, b in zip(starts, ends, strict=True)
            if b - a >= LEAST_STATIC_S * 24]  # fmt: skip


def sounded(
    film: Film, num_frames: int, rate: Fraction
) -> tuple[Sound, list[tuple[str, int, int]]]:
    rng, total = film.rng, int(num_frames / rate * SOUND_HZ)
    loud = rng.normal(0, 0.05, total).astype(np.float32)
    if rng.random() < 0.5:  # A pause within a scene.
        first = int(rng.integers(24, num_frames - 60))
        film.quiet.append((first, first + int(rng.integers(14, 36))))
    runs = []
    for first, end in sorted(film.quiet):
        loud[int(first / rate * SOUND_HZ) : int(end / rate * SOUND_HZ)] = 0
        if runs and first <= runs[-1][2]:
            runs[-1] = ("silence", runs[-1][1], max(end, runs[-1][2]))
        else:
            runs.append(("silence", first, end))
    kept = [run for run in runs if (run[2] - run[1]) / rate >= 0.5]
    return Sound(SOUND_HZ, iter(np.array_split(loud, 50))), kept


def spoiled(frames: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a film's frames with lifted black and grain, or neither."""
    lift, grain = int(rng.choice([0, 0, 12])), float(rng.choice([0, 0, 2, 4]))
    made = np.empty_like(frames)
    for index, frame in enumerate(frames):
        value = lift + frame.astype(np.float32) * (255 - lift) / 255
        if grain:
            value += rng.normal(0, grain, frame.shape[:2]).astype(np.float32)[..., None]
        made[index] = np.clip(np.rint(value), 0, 255)
    return made


def without_own_bars(clip: Clip) -> Clip:
    """Return what draws clips that have no black bars of their own, as old films do."""

    def draw(num_frames: int, rng: np.random.Generator) -> np.ndarray:
        while True:
            frames = clip(num_frames, rng)
            seen = frames[:: max(1, num_frames // 4)].max(axis=(0, 3))
            if min(edge.max() for edge in (seen[0], seen[-1], seen[:, 0], seen[:, -1])) > 40:
                return frames

    return draw


def make(
    data: Path, out: Path, num_films: int, seed: int, half: str, *, figures: bool = False
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    clip = without_own_bars(clip_source(data, taught=half == "tune", size=(HEIGHT, WIDTH)))
    for index in range(num_films):
        rng = np.random.default_rng([seed, index])
        clean = index % 3 == 2
        path = out / f"film{index:02}{'-clean' if clean else ''}.mp4"
        if path.with_suffix(".json").exists():  # Made by a run that was stopped.
            continue
        film = edited(clip, rng, clean=clean, figures=figures)
        frames, rate = np.concatenate(film.parts), RATES[index % 2]
        marks = film.marks + standing(film, frames)
        sound, silence = sounded(film, len(frames), rate)
        encoding = Encoding(quality=int(rng.choice([20, 26, 32])))
        write_frames(path, iter(spoiled(frames, rng)), rate, sound=sound, encoding=encoding)
        truth = {
            "marks": sorted(marks + silence, key=lambda one: one[1]),
            "num_frames": len(frames),
        }
        path.with_suffix(".json").write_text(json.dumps(truth))


def overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(0, shared) / (max(one[1], other[1]) - min(one[0], other[0]))


def matched(
    true: list[tuple[int, int]], found: list[tuple[int, int]]
) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return the pairs that overlap by half or more; no run is in two."""
    return [(a, b) for a in true for b in found if overlap(a, b) >= 0.5]


def score(folder: Path, show: bool) -> None:
    loaded = prepare(Plan(steps=("shots", "sound")))
    counts = {kind: [0, 0, 0] for kind in KINDS}  # true, found, matched
    errors: dict[str, list[int]] = {kind: [] for kind in KINDS}
    false, clean_s, num_frames = dict.fromkeys(KINDS, 0), 0.0, 0
    for path in sorted(folder.glob("*.mp4")):
        truth = json.loads(path.with_suffix(".json").read_text())
        decoded = decode_film(open_video(path), loaded)
        assert decoded.movie.num_frames == truth["num_frames"], path
        num_frames += truth["num_frames"]
        is_clean = path.stem.endswith("clean")
        clean_s += decoded.movie.duration_s if is_clean else 0
        for kind in KINDS:
            true = [(a, b) for name, a, b in truth["marks"] if name == kind]
            found = [(m.span.first_frame, m.span.end_frame)
                     for m in decoded.marks or () if m.kind == kind]  # fmt: skip
            pairs = matched(true, found)
            for place, number in enumerate((len(true), len(found), len(pairs))):
                counts[kind][place] += number
            errors[kind] += [abs(a[at] - b[at]) for a, b in pairs for at in (0, 1)]
            false[kind] += (len(found) - len(pairs)) if is_clean else 0
            if show and (len(pairs) < max(len(true), len(found)) or any(a != b for a, b in pairs)):
                print(f"{path.stem} {kind}: true {true}, found {found}")
    print(f"{len(list(folder.glob('*.mp4')))} films, {num_frames:,} frames; "
          f"{clean_s / 60:.1f} minutes without marks but static pictures and silence")  # fmt: skip
    print(f"{'kind':10}{'true':>6}{'found':>7}{'precision':>11}{'recall':>8}{'ends off':>10}"
          f"{'exact':>7}{'false/h':>9}")  # fmt: skip
    for kind, (true, found, both) in counts.items():
        off, false_hourly = np.array(errors[kind] or [0]), false[kind] / clean_s * 3600
        print(f"{kind:10}{true:6}{found:7}{both / max(found, 1):11.3f}{both / max(true, 1):8.3f}"
              f"{off.mean():10.2f}{(off == 0).mean():7.2f}{false_hourly:9.1f}")  # fmt: skip


def show_film(path: Path) -> None:
    """Print a film's marks but silence, and what measuring a frame takes: the best of five runs."""
    film, settings = open_video(path), MarkSettings()
    meter, images = FrameMeter(settings, float(film.file.mean_rate or 25)), []
    for frame in film.frames():
        image = frame.points_bgr()
        meter.add(image)
        if len(images) < TIMED_FRAMES:
            images.append(image)
    times = FrameTimes(film.pts, film.file.time_base)
    started = time.thread_time()
    marks = find_marks(meter.measures(), times, settings)
    rules_s = time.thread_time() - started
    each_s = min(measuring_s(images, settings) for _ in range(5)) / len(images)
    print(f"{path.name}: {times.num_frames:,} frames, {1e6 * each_s:.1f} µs of processor each, "
          f"rules {1e3 * rules_s:.1f} ms")  # fmt: skip
    for one in marks:
        print(f"  {one.kind:10}{one.span.first_frame:7}{one.span.end_frame:7}"
              f"{one.span.start_s:9.2f}{one.span.end_s:9.2f} s")  # fmt: skip


def measuring_s(images: list[np.ndarray], settings: MarkSettings) -> float:
    meter, started = FrameMeter(settings, 24), time.thread_time()
    for image in images:
        meter.add(image)
    meter.measures()
    return time.thread_time() - started


def main() -> None:
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("data", type=Path)
    making.add_argument("out", type=Path)
    making.add_argument("--films", type=int, default=72)
    making.add_argument("--seed", type=int, default=1)
    making.add_argument("--half", choices=("tune", "report"), default="tune")
    making.add_argument("--figures", action="store_true", help="figures before rolling credits")
    scoring = commands.add_parser("score")
    scoring.add_argument("folder", type=Path)
    scoring.add_argument("--show", action="store_true", help="list what is off")
    showing = commands.add_parser("film")
    showing.add_argument("films", type=Path, nargs="+")
    given = parser.parse_args()
    if given.command == "make":
        make(given.data, given.out, given.films, given.seed, given.half, figures=given.figures)
    elif given.command == "score":
        score(given.folder, given.show)
    else:
        for path in given.films:
            show_film(path)


if __name__ == "__main__":
    main()
