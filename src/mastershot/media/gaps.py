"""Which spans of a film are missing, from what was lost and the frames on either side."""

from dataclasses import replace
from fractions import Fraction
from heapq import heappop, heappush

from mastershot.core.movie import DamagedSpan
from mastershot.media.decoding import Damage

# A lost packet may have a damaged timestamp; one that is much later than the last frame is left
# out. So many frames and twice as many as were lost are not.
_MAX_FRAMES_AFTER = 32
# Where transport packets are lost, the picture that is cut short counts as lost, which by the order
# of decoding may stand a few frames before or after the gap.
_MAX_FRAMES_BESIDE = 4


class Gaps:
    """Finds the missing spans while the film is decoded."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._spans: list[DamagedSpan] = []
        self._lost: list[int] = []
        self._damage: Damage | None = None
        self._num_read = 0
        self._last: int | None = None

    @property
    def spans(self) -> tuple[DamagedSpan, ...]:
        """The spans found so far, in order."""
        return tuple(self._spans)

    def add_frame(
        self,
        pts: int,
        damage: Damage,
        *,
        own_pts: int | None,
        step: Fraction,
        shift: int,
        is_corrupt: bool,
    ) -> None:
        """Take the next frame; a gap before it counts if something was lost there or beside it.

        Args:
            pts: When the frame is shown.
            damage: What was lost up to here.
            own_pts: The timestamp that the file gives it: decoders may yield frames late.
            step: How long a frame of the film is shown.
            shift: What is added to the file's timestamps here.
            is_corrupt: True if parts of the frame itself are missing.
        """
        self._read(damage, shift)
        if not (self._lost or self._spans or is_corrupt):  # as in most films, always
            self._last = pts
            return
        last, around = self._last, _MAX_FRAMES_BESIDE * step
        while self._lost and last is not None and self._lost[0] < last - around:
            heappop(self._lost)
        lost_near = bool(self._lost) and self._lost[0] <= pts + around
        if last is not None and 2 * (pts - last) > 3 * step and (lost_near or is_corrupt):
            self._add(last + round(step), pts, round((pts - last) / step) - 1)
        elif own_pts is not None and self._spans:
            span = self._spans[-1]
            if span.start_pts <= own_pts + shift < span.end_pts and span.frames_missing > 1:
                self._spans[-1] = replace(span, frames_missing=span.frames_missing - 1)
        self._last = pts

    def finish(self, end_pts: int, damage: Damage, *, step: Fraction, shift: int) -> None:
        """Take the end of the last frame; what was lost after it is a span, too."""
        self._read(damage, shift)
        reach = end_pts + (_MAX_FRAMES_AFTER + 2 * len(self._lost)) * step
        after = {time for time in self._lost if end_pts <= time <= reach}
        if after:
            self._add(end_pts, max(*after, end_pts) + round(step), len(after))

    def _read(self, damage: Damage, shift: int) -> None:
        if damage is not self._damage:  # Decoding began anew, with one thread.
            self._damage, self._num_read = damage, 0
            self._lost.clear()
        for time in damage.lost[self._num_read :]:
            heappush(self._lost, time + shift)
        self._num_read = len(damage.lost)

    def _add(self, start: int, end: int, frames_missing: int) -> None:
        self._spans.append(DamagedSpan(start, end, self._time_base, max(1, frames_missing)))
