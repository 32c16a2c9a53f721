"""Experts that hear: embeddings of the trailer's sound, a second each, or a whole clip's."""
# N clips, P pieces of a clip, D width of an embedding

from collections.abc import Callable

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.movie import Shot
from mastershot.datasets.genres.table import Expert
from mastershot.encoders.detectors.sound import EMBEDDING_WIDTH, WINDOW_SAMPLES, SoundClassifier
from mastershot.encoders.experts.spectrograms import SpectrogramEncoder
from mastershot.encoders.experts.vggish import HOP_SAMPLES, VGGishEncoder
from mastershot.media.probe import FilmFile
from mastershot.media.sound import SOUND_RATE_HZ, SoundPiece
from mastershot.pipeline.experts.watching import Seen, Watcher

PIECES = 8
"""Windows of a clip that are kept at most; of more, so many evenly spaced ones."""
SILENCE_DB = -60.0
"""A window less loud than this, in decibels of full scale, is silence."""
_WINDOW_S = WINDOW_SAMPLES / SOUND_RATE_HZ
_LEAST_SAMPLES = 1_600  # a tenth of a second; spectra are of 25 ms
_CONTIGUOUS_S = 2 / SOUND_RATE_HZ  # as in `analysis.sound`


class AudioExpert:
    """What a clip sounds like: YAMNet's embeddings of windows of 0.975 s, one after the other."""

    def __init__(self, classifier: SoundClassifier) -> None:
        self._classifier = classifier
        made = classifier.made() | {
            "of": "embedding before the last layer",
            "window_samples": WINDOW_SAMPLES,
            "silence_db": SILENCE_DB,
        }
        self.described = Expert("audio", EMBEDDING_WIDTH, PIECES, made)

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what hears one trailer."""
        return _Windows(self._classifier.embeddings, EMBEDDING_WIDTH, WINDOW_SAMPLES)


class VGGishExpert:
    """What a clip sounds like: VGGish's embeddings of windows that begin every 0.96 s."""

    def __init__(self, encoder: VGGishEncoder) -> None:
        self._encoder = encoder
        made = encoder.made() | {
            "of": "the last layer, without AudioSet's principal components",
            "window_samples": WINDOW_SAMPLES,
            "hop_samples": HOP_SAMPLES,
            "silence_db": SILENCE_DB,
        }
        self.described = Expert("audio", encoder.width, PIECES, made)

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what hears one trailer."""
        return _Windows(self._encoder.embeddings, self._encoder.width, HOP_SAMPLES)


class _Windows(Watcher):
    """Takes the sound piece by piece; less than a window of it is in memory.

    Windows have `WINDOW_SAMPLES`, and begin `hop` samples after each other.
    """

    hears = True

    def __init__(self, embed: Callable[[FloatArray], FloatArray], width: int, hop: int) -> None:
        self._embed_windows, self._width, self._hop = embed, width, hop
        self._held = np.empty(0, np.float32)
        self._start_s, self._recording, self._num_taken = 0.0, 0, -1
        self._centres: list[tuple[float, int]] = []  # with the recording each is of
        self._rows: list[FloatArray] = []

    def hear(self, piece: SoundPiece) -> None:
        if self._num_taken >= 0:
            so_far_s = (self._num_taken + len(self._held)) / SOUND_RATE_HZ
            gap_s = piece.start_s - (self._start_s + so_far_s)
            if abs(gap_s) > _CONTIGUOUS_S or piece.recording != self._recording:
                self._end_stretch()
        if self._num_taken < 0:
            self._start_s, self._recording, self._num_taken = piece.start_s, piece.recording, 0
        self._held = np.concatenate([self._held, piece.samples])
        while len(self._held) >= WINDOW_SAMPLES:
            self._embed(self._held[:WINDOW_SAMPLES])

    def finish(self, seen: Seen) -> FloatArray:
        self._end_stretch()
        shifts = seen.sound_shifts_s or (0.0,)
        centres = [at + shifts[min(number, len(shifts) - 1)] for at, number in self._centres]
        rows = np.full((len(seen.clips), PIECES, self._width), np.nan, np.float32)
        for row, clip in zip(rows, seen.clips, strict=True):
            for place, window in enumerate(windows_of(clip, np.array(centres))):
                row[place] = self._rows[window]
        return rows

    def _embed(self, window: FloatArray) -> None:
        """Embed the next window of the stretch, which may be a last one, filled up with silence."""
        length = len(window)
        centre_s = self._start_s + (self._num_taken + length / 2) / SOUND_RATE_HZ
        row = np.full(self._width, np.nan, np.float32)
        if not is_silent(window):
            filled = np.pad(window, (0, WINDOW_SAMPLES - length))
            row = self._embed_windows(filled[None])[0]
        self._centres.append((centre_s, self._recording))
        self._rows.append(row)
        self._num_taken += self._hop
        self._held = self._held[self._hop :]

    def _end_stretch(self) -> None:
        """Embed what is left, if it is half a window at least or all there is of the stretch."""
        known = WINDOW_SAMPLES - self._hop if self._num_taken > 0 else 0  # of the last window
        left = len(self._held) - known
        if left > 0 and (2 * left >= self._hop or not self._num_taken):
            self._embed(self._held)
        self._held, self._num_taken = np.empty(0, np.float32), -1


class SpectrogramExpert:
    """What a clip sounds like: AST's vector of the clip's sound."""

    def __init__(self, encoder: SpectrogramEncoder) -> None:
        self._encoder = encoder
        made = {
            "network": encoder.name,
            "weights_hash": encoder.weights_hash,
            "of": "the clip's sound",
            "silence_db": SILENCE_DB,
        }
        self.described = Expert("audio", encoder.width, made_by=made)

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what hears one trailer."""
        return _ClipSounds(self._encoder)


class _ClipSounds(Watcher):
    """Keeps the trailer's sound, 4 MB a minute, until its clips are known."""

    hears = True

    def __init__(self, encoder: SpectrogramEncoder) -> None:
        self._encoder = encoder
        self._pieces: list[SoundPiece] = []

    def hear(self, piece: SoundPiece) -> None:
        self._pieces.append(piece)

    def finish(self, seen: Seen) -> FloatArray:
        shifts = seen.sound_shifts_s or (0.0,)
        starts = [
            round((one.start_s + shifts[min(one.recording, len(shifts) - 1)]) * SOUND_RATE_HZ)
            for one in self._pieces
        ]
        rows = np.full((len(seen.clips), self._encoder.width), np.nan, np.float32)
        for row, clip in zip(rows, seen.clips, strict=True):
            first, end = (round(at * SOUND_RATE_HZ) for at in (clip.span.start_s, clip.span.end_s))
            parts = [
                one.samples[max(0, first - start) : max(0, end - start)]
                for one, start in zip(self._pieces, starts, strict=True)
            ]
            sound = np.concatenate([np.empty(0, np.float32), *parts])
            if len(sound) >= _LEAST_SAMPLES and not is_silent(sound):
                row[:] = self._encoder.encode([sound])[0]
        return rows


def is_silent(sound: FloatArray) -> bool:
    """Return whether some sound is less loud than `SILENCE_DB`."""
    return float(np.square(sound.astype(np.float64)).mean()) < 10 ** (SILENCE_DB / 10)


def windows_of(clip: Shot, centres_s: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[int]:
    """Return the windows of sound that a clip has, by their centres, `PIECES` at most.

    They are those whose centre lies in it; of a clip too short for that, the one that covers its
    middle, if there is one.
    """
    start_s, end_s = clip.span.start_s, clip.span.end_s
    inside = np.flatnonzero((centres_s >= start_s) & (centres_s < end_s))
    if not len(inside) and len(centres_s):
        middle_s = (start_s + end_s) / 2
        nearest = int(np.abs(centres_s - middle_s).argmin())
        return [nearest] if abs(centres_s[nearest] - middle_s) <= _WINDOW_S / 2 else []
    if len(inside) > PIECES:
        inside = inside[(2 * np.arange(PIECES) + 1) * len(inside) // (2 * PIECES)]
    return [int(one) for one in inside]
