"""Which spans of a film are missing, told by what was lost and by the frames on either side."""

from fractions import Fraction
from heapq import heappop, heappush

from mastershot.core.movie import DamagedSpan
from mastershot.media.decoding import Damage

# A lost packet may have a damaged timestamp; one that is much later than the last frame is left
# out. So many frames and twice as many as were lost are not.
_MAX_FRAMES_AFTER = 32


class Gaps:
    """Finds the missing spans while the film's frames run past."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._spans: list[DamagedSpan] = []
        self._lost: list[int] = []
        self._num_read = 0
        self._last: int | None = None

    @property
    def spans(self) -> tuple[DamagedSpan, ...]:
        """The spans found so far, in order."""
        return tuple(self._spans)

    def see(self, pts: int, damage: Damage, *, step: int, shift: int, is_corrupt: bool) -> None:
        """Take the next frame; a gap before it counts if something that belongs there was lost.

        Args:
            pts: The frame's timestamp.
            damage: What was lost up to here.
            step: How long a frame of the film is shown.
            shift: What is added to the file's timestamps here.
            is_corrupt: True if parts of the frame itself are missing.
        """
        self._read(damage, shift)
        inside = 0
        while self._lost and self._lost[0] < pts:
            inside += self._last is not None and heappop(self._lost) > self._last
        if self._last is not None and 2 * (pts - self._last) > 3 * step and (inside or is_corrupt):
            self._add(self._last + step, pts, round((pts - self._last) / step) - 1)
        self._last = pts

    def end(self, end_pts: int, damage: Damage, *, step: int, shift: int) -> None:
        """Take the end of the last frame; what was lost after it is a span as well."""
        self._read(damage, shift)
        reach = end_pts + (_MAX_FRAMES_AFTER + 2 * len(self._lost)) * step
        after = {time for time in self._lost if end_pts - step < time <= reach}
        if after:
            self._add(end_pts, max(max(after), end_pts) + step, len(after))

    def _read(self, damage: Damage, shift: int) -> None:
        if self._num_read > len(damage.lost):  # Decoding began anew with one thread.
            self._num_read = 0
        for time in damage.lost[self._num_read :]:
            heappush(self._lost, time + shift)
        self._num_read = len(damage.lost)

    def _add(self, start: int, end: int, frames_missing: int) -> None:
        self._spans.append(DamagedSpan(start, end, self._time_base, max(1, frames_missing)))
