"""Text on a smooth ground: whether there is some, whether it stands, and whether it rolls."""
# N frames, H height

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from mastershot.core.embeddings import ImageArray
from mastershot.shots.marks.runs import runs_of
from mastershot.shots.marks.settings import MarkSettings

_LAG_S = 0.5
_LONGEST_LAG = 48  # frames
_WIDE = 5.5  # points: greatest mean width of strokes
_TALL = 0.12  # of the height: a line that is taller
_MIDDLE = 128  # of 255: on a lighter ground letters are dark
_LINE = 3  # points of letters that make a row one of a line
_IN_LINES = 0.7  # share of letters' points that lie in lines that are not tall
_BESIDE = 3  # lines that are not tall, beside what is taller, that are letters none the less
_STRIDE = 8  # Of so many frames one is looked at where there is no text.
_EMPTY = 0.2  # share of rows without letters
_ALIKE, _SURER = 0.8, 0.06  # correlation of rows that have moved, and over that in place
_STILL = 0.9  # correlation of text that stands, in rows and columns
_REACH = 4  # Text may roll by so much of the height in half a second: a fourth of it.


class TextMeter:
    """Measures text in the frames of one film, block by block."""

    def __init__(self, settings: MarkSettings, rate: float) -> None:
        self._settings = settings
        self._lag = min(max(1, round(_LAG_S * rate)), _LONGEST_LAG)
        self._recent: Any = None  # Profiles of the last frames, (lag, rows + columns).
        self._is_text = np.zeros(self._lag, bool)

    def measure(self, greys: Sequence[ImageArray], grounds: Any, found: Any) -> None:
        """Write text, mixed, still, shift and lines of the next frames into their measures.

        Every eighth frame is looked at, and all where one of these has letters.

        Args:
            greys: The frames, grey (H, W).
            grounds: Light of each frame's plain ground, (N,).
            found: Their measures, (N,).
        """
        height, width = greys[0].shape
        profiles = np.zeros((len(greys), height + width), np.float32)
        some = {*range(0, len(greys), _STRIDE), len(greys) - 1}
        if sum(self._add(index, greys, grounds, profiles, found) for index in sorted(some)):
            for index in sorted({*range(len(greys))} - some):
                self._add(index, greys, grounds, profiles, found)
        self._compare(profiles, height, found)

    def _add(
        self, index: int, greys: Sequence[ImageArray], grounds: Any, profiles: Any, found: Any
    ) -> bool:
        """Write the profile, text and lines of a frame, or mixed; return whether it has letters."""
        profile = self._profile(greys[index], float(grounds[index]))
        if profile is None:
            return False
        height = greys[index].shape[0]
        rows = profile[:height]
        lines = runs_of(rows >= _LINE)
        sizes = np.diff(lines, axis=1)[:, 0]
        low = lines[sizes <= max(2, _TALL * height)]
        within = sum(float(rows[first:end].sum()) for first, end in low.tolist())
        if sizes.sum() > (1 - _EMPTY) * height:
            return False
        if within < _IN_LINES * rows.sum():
            least = self._settings.least_text * greys[index].size
            found["mixed"][index] = len(low) >= _BESIDE and within >= least
            return bool(found["mixed"][index])
        profiles[index], found["text"][index], found["lines"][index] = profile, True, len(lines)
        return True

    def _profile(self, grey: ImageArray, ground: float) -> Any:
        """Return how many points of letters each row and column has; None if it is no text.

        Letters are what a morphological opening removes, or a closing, if they are dark.
        """
        if ground <= _MIDDLE:
            base = cv2.morphologyEx(grey, cv2.MORPH_OPEN, _LETTER)
            above = cv2.subtract(grey, base)
        else:
            base = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, _LETTER)
            above = cv2.subtract(base, grey)
        off = 255 * self._settings.text_contrast
        _, letters = cv2.threshold(above, off, 1, cv2.THRESH_BINARY)
        num_points = cv2.countNonZero(letters)
        share = num_points / grey.size
        if not self._settings.least_text <= share <= self._settings.most_text:
            return None
        begun = cv2.countNonZero(cv2.subtract(letters[:, 1:], letters[:, :-1]))
        if num_points > _WIDE * begun:
            return None
        rough = cv2.norm(base, cv2.blur(base, (5, 5)), cv2.NORM_L1) / grey.size
        if rough > self._settings.ground_roughness * 255:
            return None
        rows = cv2.reduce(letters, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
        columns = cv2.reduce(letters, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)
        return np.concatenate([np.ravel(rows), np.ravel(columns)])

    def _compare(self, profiles: Any, height: int, found: Any) -> None:
        """Compare text with that of half a second earlier."""
        if self._recent is None:
            self._recent = np.zeros((self._lag, profiles.shape[1]), np.float32)
        before = np.concatenate([self._recent, profiles])
        was_text = np.concatenate([self._is_text, found["text"]])
        self._recent, self._is_text = before[-self._lag :], was_text[-self._lag :]
        which = np.flatnonzero(found["text"] & was_text[: len(profiles)])
        if not len(which):
            return
        now, earlier = profiles[which], before[which]
        still = np.minimum(
            _likeness(now[:, :height], earlier[:, :height]),
            _likeness(now[:, height:], earlier[:, height:]),
        )
        found["still"][which] = still >= _STILL
        now, earlier = now[:, :height], earlier[:, :height]
        reach = height // _REACH
        shifts = [shift for shift in range(-reach, reach + 1) if shift]
        alike = np.stack([_likeness(*_shifted(now, earlier, shift)) for shift in shifts])
        best = alike.argmax(axis=0)
        at_best = alike[best, np.arange(len(which))]
        sure = (at_best >= _ALIKE) & (at_best >= _likeness(now, earlier) + _SURER)
        found["shift"][which] = np.where(sure, np.array(shifts)[best], 0)


_LETTER = np.ones((5, 5), np.uint8)  # Strokes are thinner.


def _shifted(now: Any, earlier: Any, shift: int) -> tuple[Any, Any]:
    """Return the rows of two frames that would show the same if text went up by so many."""
    if shift > 0:
        return now[:, :-shift], earlier[:, shift:]
    return now[:, -shift:], earlier[:, :shift]


def _likeness(one: Any, other: Any) -> Any:
    """Return the correlation of each pair of profiles, (N,)."""
    one = one - one.mean(axis=1, keepdims=True)
    other = other - other.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(axis=1) / np.maximum(lengths, 1e-6)
