"""Films edited from clips with known transitions, which shot detectors learn from.

Clips are frames in memory, so that any source will do: decoded films, or camera moves over
photographs (`photograph_clip`). Beside transitions there is what is easily taken for one: flashes,
shaking and whipping cameras, a thing that crosses the picture, lights that change.
"""
# T frames, H height, W width

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

import numpy as np

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.movie import Transition
from mastershot.synthetic.photographs import view

Motion: TypeAlias = Literal["still", "pan", "zoom", "hand_held", "shake", "whip"]
Wipe: TypeAlias = Literal["horizontal", "vertical", "diagonal", "iris", "clock", "blinds", "push"]
_DARK = (36, 160)  # frames of a colour that are a shot of their own
_MOTION_SHARES = (0.08, 0.3, 0.25, 0.17, 0.1, 0.1)


@dataclass(frozen=True)
class EditedFilm:
    """Frames with the truth of how they were cut.

    Attributes:
        frames: RGB, shape (T, H, W, 3).
        transitions: Every transition but the start, in order.
        flashes: The first frame and the one past the last of each flash.
    """

    frames: ImageArray
    transitions: tuple[Transition, ...]
    flashes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Editing:
    """How clips are joined, and what disturbs them; lengths in frames, least and most.

    Attributes:
        shot: Length of a shot, transitions included.
        kinds: Share of cuts, dissolves, fades and wipes.
        dissolve: Length of a dissolve.
        fade: Length of each half of a fade.
        hold: How long a fade stays black or white.
        dark: Share of fades, and of films' starts, that stay so for long: as a shot of its own.
        wipe: Length of a wipe.
        flash: Share of shots with a flash, or a few.
        disturbed: Share of shots with a thing that crosses, a change of light, a title or a
            picture that stands still.
    """

    shot: tuple[int, int] = (14, 110)
    kinds: tuple[float, float, float, float] = (0.55, 0.18, 0.15, 0.12)
    dissolve: tuple[int, int] = (5, 50)
    fade: tuple[int, int] = (4, 36)
    hold: tuple[int, int] = (0, 16)
    dark: float = 0.1
    wipe: tuple[int, int] = (6, 36)
    flash: float = 0.15
    disturbed: float = 0.3


def photograph_clip(
    photograph: ImageArray, num_frames: int, size: tuple[int, int], rng: np.random.Generator
) -> ImageArray:
    """Return a camera's move over a photograph, RGB uint8 (T, H, W, 3)."""
    height, width = size
    motion = rng.choice(get_args(Motion), p=_MOTION_SHARES)
    pixels = photograph.astype(np.float32)
    bounds = np.array([pixels.shape[1], pixels.shape[0]], float) - 1
    full = np.array([width, height]) * (bounds / (width, height)).min()
    shown = rng.uniform(0.55, 0.97)
    time = np.linspace(0, 1, num_frames)[:, None]
    if rng.random() < 0.5:
        time = time * time * (3 - 2 * time)  # A camera that starts and stops.
    extent = np.repeat(shown * full[None], num_frames, axis=0)
    start, end = rng.uniform(0, 1, (2, 2))
    if motion == "zoom":
        other = rng.uniform(0.4, 0.97)
        extent = (shown + (other - shown) * time) * full
    place = start + (end - start) * time * (motion in ("pan", "zoom"))
    if motion in ("hand_held", "shake"):
        spread = 0.012 if motion == "hand_held" else rng.uniform(0.03, 0.12)
        steps = rng.normal(0, spread, (num_frames, 2))
        steps = np.cumsum(steps, axis=0) if motion == "hand_held" else steps
        place = place + steps / (1.001 - shown) * 0.5
    blur = np.zeros(num_frames)
    if motion == "whip" and num_frames > 8:
        length = int(rng.integers(4, 14))
        first = int(rng.integers(0, max(1, num_frames - length)))
        swing = np.clip((np.arange(num_frames) - first) / length, 0, 1)
        swing = swing * swing * (3 - 2 * swing)
        place = start + (end - start) * swing[:, None]
        extent = np.repeat(min(shown, 0.7) * full[None], num_frames, axis=0)
        blur = np.abs(np.gradient(swing)) * float(np.abs(end - start)[0])
    corner = np.clip(place, 0, 1) * (bounds - extent)
    windows = np.concatenate([corner, extent], axis=1).astype(np.float32)
    frames = np.empty((num_frames, height, width, 3), np.uint8)
    for index, window in enumerate(windows):
        taps = [window]
        if blur[index] > 0.01:
            reach = blur[index] * (bounds - extent[index])
            shifts = np.linspace(-0.5, 0.5, 5)[:, None] * reach * (1, 0)
            taps = [window + np.append(shift, (0, 0)).astype(np.float32) for shift in shifts]
        seen = np.mean([view(pixels, _inside(tap, bounds), width, height) for tap in taps], axis=0)
        frames[index] = np.clip(np.rint(seen), 0, 255)
    return frames


def _inside(window: FloatArray, bounds: FloatArray) -> FloatArray:
    left, top, width, height = window
    left = min(max(left, 0.0), bounds[0] - width)
    top = min(max(top, 0.0), bounds[1] - height)
    return np.array([left, top, width, height], np.float32)


@dataclass(frozen=True)
class _Join:
    """How a shot goes over into the next.

    Attributes:
        transition: Its kind, at frame 0.
        overlap: How many frames both shots are seen in.
        out: How many frames the first shot takes to fade; ``hold`` and ``into`` likewise.
    """

    transition: Transition
    overlap: int = 0
    out: int = 0
    hold: int = 0
    into: int = 0


def edit(
    clip: Callable[[int, np.random.Generator], ImageArray],
    num_shots: int,
    rng: np.random.Generator,
    editing: Editing | None = None,
) -> EditedFilm:
    """Return a film of clips with transitions, the same for the same generator.

    Args:
        clip: Returns so many frames of a new clip, RGB uint8 (T, H, W, 3), all of one size.
        num_shots: How many shots the film has, at least one.
        rng: Draws everything.
        editing: How they are joined.
    """
    editing = editing or Editing()
    parts: list[ImageArray] = []
    transitions: list[Transition] = []
    flashes: list[tuple[int, int]] = []
    length, tail, before = 0, None, _Join(Transition("start", 0, 0))
    if rng.random() < editing.dark:  # The film comes out of black.
        out_of_black = Transition("fade", 0, 1, "black")
        before = _Join(out_of_black, hold=_length(_DARK, rng), into=_length(editing.fade, rng))
        tail = clip(1, rng)[:0]
    for index in range(num_shots):
        is_last = index == num_shots - 1
        after = _Join(Transition("start", 0, 0)) if is_last else _draw_join(editing, rng)
        lead, trail = max(before.overlap, before.into), max(after.overlap, after.out)
        frames = clip(lead + trail + int(rng.integers(*editing.shot)), rng)
        frames, found = _disturbed(frames, lead, len(frames) - trail, editing, rng)
        if tail is not None:
            changing = _changing(before, tail, frames[:lead], rng)
            transitions += _of_join(before, length, len(changing))
            parts.append(changing)
            length += len(changing)
        flashes += [(length + start - lead, length + end - lead) for start, end in found]
        parts.append(frames[lead : len(frames) - trail])
        length += len(parts[-1])
        tail, before = frames[len(frames) - trail :], after
    return EditedFilm(np.concatenate(parts), tuple(transitions), tuple(flashes))


def _of_join(join: _Join, start: int, num_frames: int) -> list[Transition]:
    """Return the transition that a join makes, or two where a colour is a shot between them."""
    made = join.transition
    if made.kind == "cut":
        return [replace(made, start_frame=start, end_frame=start)]
    if join.hold < _DARK[0]:
        return [replace(made, start_frame=start, end_frame=start + num_frames)]
    found = []
    if start or join.out:  # A film that starts in black does not go there.
        found.append(_half(made, start, join.out))
    return [*found, _half(made, start + join.out + join.hold, join.into)]


def _half(fade: Transition, start: int, num_frames: int) -> Transition:
    if not num_frames:
        return Transition("cut", start, start)
    return replace(fade, start_frame=start, end_frame=start + num_frames)


def _draw_join(editing: Editing, rng: np.random.Generator) -> _Join:
    kind = rng.choice(["cut", "dissolve", "fade", "wipe"], p=editing.kinds)
    if kind == "dissolve":
        return _Join(Transition("dissolve", 0, 1), overlap=_length(editing.dissolve, rng))
    if kind == "wipe":
        return _Join(Transition("wipe", 0, 1), overlap=_length(editing.wipe, rng))
    if kind == "cut":
        return _Join(Transition("cut", 0, 0))
    out, into = _length(editing.fade, rng), _length(editing.fade, rng)
    one_sided = rng.random()
    out, into = (0 if one_sided < 0.12 else out), (0 if one_sided > 0.88 else into)
    hold = int(rng.integers(*editing.hold)) + (1 if 0 in (out, into) else 0)
    if rng.random() < editing.dark:
        hold = _length(_DARK, rng)
    colour: Literal["black", "white"] = "black" if rng.random() < 0.7 else "white"
    return _Join(Transition("fade", 0, 1, colour), out=out, hold=hold, into=into)


def _length(limits: tuple[int, int], rng: np.random.Generator) -> int:
    """Return a length of which every doubling is equally likely."""
    return int(np.exp(rng.uniform(*np.log(limits))).round())


def _changing(
    join: _Join, tail: ImageArray, lead: ImageArray, rng: np.random.Generator
) -> ImageArray:
    """Return the frames of a transition from a shot's last frames to the next shot's first."""
    kind = join.transition.kind
    if kind == "cut":
        return tail[:0]
    if kind == "fade":
        colour = np.float32(0 if join.transition.through == "black" else 255)
        held = np.full((join.hold, *(tail if len(tail) else lead).shape[1:]), colour, np.float32)
        going = 1 - _shares(join.out, rng)[:, None, None, None]
        coming = _shares(join.into, rng)[:, None, None, None]
        away = colour + (tail - colour) * going
        back = colour + (lead - colour) * coming
        return _as_bytes(np.concatenate([away, held, back]))
    shares = _shares(len(tail), rng)
    if kind == "dissolve":
        share = shares[:, None, None, None]
        return _as_bytes(tail * (1 - share) + lead * share)
    return _wiped(tail, lead, shares, rng)


def _shares(num_frames: int, rng: np.random.Generator) -> FloatArray:
    """Return how much of the new picture each frame shows, rising within (0, 1)."""
    shares = (np.arange(num_frames, dtype=np.float32) + 1) / (num_frames + 1)
    if rng.random() < 0.3:
        shares = shares * shares * (3 - 2 * shares)
    return shares.astype(np.float32)


def _wiped(
    tail: ImageArray, lead: ImageArray, shares: FloatArray, rng: np.random.Generator
) -> ImageArray:
    num_frames, height, width, _ = tail.shape
    pattern = rng.choice(get_args(Wipe))
    if pattern == "push":
        offsets = np.rint(shares * width).astype(int)
        rows = [
            np.concatenate([one, other], axis=1)[:, offset : offset + width]
            for one, other, offset in zip(tail, lead, offsets, strict=True)
        ]
        return np.stack(rows)
    down, across = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None]
    when: FloatArray = {
        "horizontal": across,
        "vertical": down,
        "diagonal": (across + down) / 2,
        "iris": np.hypot(across - 0.5, down - 0.5) / np.hypot(0.5, 0.5),
        "clock": (np.arctan2(across - 0.5, down - 0.5) + np.pi) / (2 * np.pi),
        "blinds": (across * 6) % 1.0,
    }[pattern].astype(np.float32)
    if rng.random() < 0.5:
        when = 1 - when
    soft = float(rng.choice([0.01, 0.05, 0.15]))
    edge = shares[:, None, None] * (1 + 2 * soft) - soft
    share = np.clip((edge - when) / soft, 0, 1)[..., None]
    assert len(share) == num_frames, share.shape
    return _as_bytes(tail * (1 - share) + lead * share)


def _disturbed(
    frames: ImageArray, first: int, end: int, editing: Editing, rng: np.random.Generator
) -> tuple[ImageArray, list[tuple[int, int]]]:
    """Return a clip with what is no transition, between its transitions, and its flashes."""
    flashes: list[tuple[int, int]] = []
    if end - first < 12:
        return frames, flashes
    if rng.random() < editing.disturbed:
        change = (_crossed, _lit, _titled, _held)[int(rng.integers(4))]
        frames = change(frames, first, end, rng)
    if rng.random() < editing.flash:
        frames = frames.copy()
        at = int(rng.integers(first + 2, end - 8))
        for _ in range(int(rng.choice([1, 1, 1, 2, 4]))):
            until = at + int(rng.integers(1, 5))
            if until > end - 3:
                break
            light = rng.uniform(60, 230) * rng.choice([1, 1, 1, -0.7])
            place = rng.uniform(0.5, 1) if rng.random() < 0.6 else 1.0
            reach = max(1, int(frames.shape[2] * place))
            lit = frames[at:until, :, :reach].astype(np.float32) + light
            frames[at:until, :, :reach] = _as_bytes(lit)
            flashes.append((at, until))
            at = until + int(rng.integers(2, 8))
    return frames, flashes


def _crossed(frames: ImageArray, first: int, end: int, rng: np.random.Generator) -> ImageArray:
    """Let something large cross the picture."""
    frames = frames.copy()
    height, width = frames.shape[1:3]
    down, across = np.mgrid[0:height, 0:width]
    size = rng.uniform(0.15, 0.5, 2) * (width, height)
    colour = rng.uniform(0, 255, 3) + rng.normal(0, 12, (height, width, 3))
    length = min(end - first, int(rng.integers(6, 40)))
    start = first + int(rng.integers(0, end - first - length + 1))
    way = 1 if rng.random() < 0.5 else -1
    level = rng.uniform(0.2, 0.8) * height
    for index in range(length):
        at = (index + 0.5) / length * (width + 2 * size[0]) - size[0]
        at = at if way == 1 else width - at
        inside = ((across - at) / size[0]) ** 2 + ((down - level) / size[1]) ** 2 < 1
        frames[start + index][inside] = np.clip(colour[inside], 0, 255)
    return frames


def _lit(frames: ImageArray, first: int, end: int, rng: np.random.Generator) -> ImageArray:
    """Change the light, at once or slowly, as a switch or a cloud does."""
    at = int(rng.integers(first + 2, end - 2))
    slow = float(rng.choice([0.5, 4, 20]))
    gain = rng.choice([rng.uniform(0.55, 0.85), rng.uniform(1.2, 1.6)])
    late = (np.arange(len(frames), dtype=np.float32) - at) / slow
    rise = 1 / (1 + np.exp(-np.clip(late, -50, 50)))
    return _as_bytes(frames * (1 + (gain - 1) * rise)[:, None, None, None])


def _titled(frames: ImageArray, first: int, end: int, rng: np.random.Generator) -> ImageArray:
    """Let a line of text, or a caption, come and go."""
    frames = frames.copy()
    height, width = frames.shape[1:3]
    start = int(rng.integers(first + 1, end - 4))
    until = int(rng.integers(start + 3, end))
    top = int(rng.choice([0.1, 0.45, 0.82]) * height)
    left, right = np.sort(rng.uniform(0.05, 0.95, 2) * width).astype(int)
    letters = rng.random((max(1, height // 12), max(1, right - left))) < 0.55
    mask = np.zeros((height, width), bool)
    mask[top : top + letters.shape[0], left : left + letters.shape[1]] = letters
    frames[start:until, mask] = int(rng.choice([255, 235, 0]))
    return frames


def _held(frames: ImageArray, first: int, end: int, rng: np.random.Generator) -> ImageArray:
    """Hold each picture for some frames, as drawn animation does, or one for long."""
    frames = frames.copy()
    if rng.random() < 0.6:
        step = int(rng.integers(2, 5))
        frames[first:end] = frames[first:end][np.arange(end - first) // step * step]
        return frames
    start = int(rng.integers(first, end - 4))
    frames[start:end] = frames[start]
    return frames


def _as_bytes(values: FloatArray) -> ImageArray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
