"""Listening to a film while it is decoded: windows to the network, levels to shots."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.lanes import ShotSound, SoundEvent
from mastershot.core.movie import Shot
from mastershot.core.timeline import Json
from mastershot.encoders.detectors.sound import HOP_SAMPLES, WINDOW_SAMPLES, SoundClassifier
from mastershot.labelling.perception.sound import (
    BLOCK_S,
    EventMerger,
    SoundRule,
    Stretch,
    cropped,
    film_events,
    loudest_s,
    silent_spans,
    sounds_of_shots,
)
from mastershot.media.sound import SOUND_RATE_HZ, SoundPiece

_BLOCK = round(BLOCK_S * SOUND_RATE_HZ)
_CONTIGUOUS_S = 2 / SOUND_RATE_HZ  # Where the rate changes, a piece starts between two samples.
_MOST_WAITING = 64
_HALF_WINDOW_S = WINDOW_SAMPLES / 2 / SOUND_RATE_HZ


@dataclass(frozen=True)
class Hearing:
    """The network of sounds and the rule by which they count as heard.

    Attributes:
        classifier: Scores windows.
        rule: When a sound counts.
        kept: Classes whose scores are kept of every window, which changes nothing of the rest.
    """

    classifier: SoundClassifier
    rule: SoundRule = field(default_factory=SoundRule)
    kept: tuple[str, ...] = ()

    def made(self) -> Json:
        """Return what a timeline keeps of how sounds were found."""
        windows = {"window_samples": WINDOW_SAMPLES, "hop_samples": HOP_SAMPLES}
        classes = {"speech": list(self.rule.speech), "music": list(self.rule.music)}
        return self.classifier.made() | windows | asdict(self.rule) | classes


class SoundListener:
    """Takes a film's sound piece by piece; about a second of it is in memory.

    What is kept grows with the film, by a number each 10 ms and one a half second. With a worker,
    windows are classified there; at most `_MOST_WAITING` wait for it.
    """

    def __init__(self, hearing: Hearing, worker: Executor | None = None) -> None:
        self._classifier, self._rule = hearing.classifier, hearing.rule
        classes = hearing.classifier.classes
        self._speech = [classes.index(name) for name in hearing.rule.speech]
        self._music = [classes.index(name) for name in hearing.rule.music]
        self._kept = [classes.index(name) for name in hearing.kept]
        self._stretches: list[Stretch] = []
        self._recordings: list[int] = []
        self._merger = EventMerger(classes, hearing.rule.threshold)
        self._samples = np.empty(0, np.float32)  # from the start of the next window
        self._unmeasured = np.empty(0, np.float32)  # from the start of the next block
        self._is_open = False
        self._worker = worker
        self._waiting: deque[tuple[float, Callable[[], FloatArray]]] = deque()

    def hear(self, piece: SoundPiece) -> None:
        """Take the next piece of sound."""
        if self._is_open:
            one = self._stretches[-1]
            gap_s = piece.start_s - (one.start_s + one.duration_s)
            if abs(gap_s) > _CONTIGUOUS_S or piece.recording != self._recordings[-1]:
                self._end_stretch()
        if not self._is_open:
            self._stretches.append(Stretch(piece.start_s))
            self._recordings.append(piece.recording)
            self._num_samples, self._is_open = 0, True
        self._num_samples += len(piece.samples)
        self._stretches[-1].duration_s = self._num_samples / SOUND_RATE_HZ
        self._measure(piece.samples)
        self._samples = np.concatenate([self._samples, piece.samples])
        while len(self._samples) >= WINDOW_SAMPLES:
            self._classify(self._samples[:WINDOW_SAMPLES])
            self._samples = self._samples[HOP_SAMPLES:]

    def finish(
        self, shifts_s: Sequence[float], bounds_s: Sequence[tuple[float, float]] = ()
    ) -> None:
        """Take the end of the film, and what to add to the times of each of its recordings.

        With bounds, what of a recording lies outside its own is left out.
        """
        self._end_stretch()
        for one, recording in zip(self._stretches, self._recordings, strict=True):
            one.start_s += shifts_s[min(recording, len(shifts_s) - 1)]
        if bounds_s:
            within = (
                cropped(one, *bounds_s[recording])
                for one, recording in zip(self._stretches, self._recordings, strict=True)
            )
            self._stretches = [one for one in within if one is not None]

    def events(self) -> tuple[SoundEvent, ...]:
        """Return the film's events, once it has finished."""
        return film_events(self._stretches)

    def sounds_of(self, shots: Sequence[Shot]) -> list[ShotSound] | None:
        """Return what is heard in each shot; None if no sound could be read."""
        return sounds_of_shots(shots, self._stretches, self._rule) if self._stretches else None

    def windows(self) -> FloatArray:
        """Return the kept scores of windows by time, shape (1 + W, 1 + K), to be stored as vectors.

        A row begins with the centre of its window in seconds on the film's own clock. The first row
        is none: it begins with how many seconds were listened to.
        """
        rows = [
            np.concatenate([[stretch.start_s + centre_s], scores])
            for stretch in self._stretches
            for centre_s, scores in zip(stretch.centres_s, stretch.kept, strict=True)
        ]
        found = np.array(rows, np.float32).reshape(-1, 1 + len(self._kept))
        listened = np.zeros((1, found.shape[1]), np.float32)
        listened[0, 0] = sum(stretch.duration_s for stretch in self._stretches)
        return np.concatenate([listened, found[np.argsort(found[:, 0], kind="stable")]])

    def silences(self, start_s: float, end_s: float, least_s: float) -> list[tuple[float, float]]:
        """Return from when to when nothing is heard for at least so long, between two times."""
        return silent_spans(self._stretches, self._rule, (start_s, end_s), least_s)

    def _measure(self, samples: FloatArray) -> None:
        sound = np.concatenate([self._unmeasured, samples])
        whole = len(sound) // _BLOCK
        blocks = sound[: whole * _BLOCK].reshape(whole, _BLOCK).astype(np.float64)
        self._stretches[-1].powers.extend(np.square(blocks).mean(axis=1).tolist())
        self._unmeasured = sound[whole * _BLOCK :]

    def _classify(self, window: FloatArray) -> None:
        one = self._stretches[-1]
        centre_s = len(one.centres_s) * HOP_SAMPLES / SOUND_RATE_HZ + _HALF_WINDOW_S
        centre_s = min(centre_s, one.duration_s)  # The last window may reach beyond the sound.
        one.centres_s.append(centre_s)
        if self._worker is None:
            self._note(centre_s, self._classifier.scores(window[None]))
            return
        # A copy: the samples go on to be shifted.
        asked = self._worker.submit(self._classifier.scores, window[None].copy())
        self._waiting.append((centre_s, asked.result))
        if len(self._waiting) > _MOST_WAITING:
            self._note_first()

    def _note_first(self) -> None:
        """Wait for the window that was given to the worker first."""
        centre_s, scores = self._waiting.popleft()
        self._note(centre_s, scores())

    def _note(self, centre_s: float, scores: FloatArray) -> None:
        """Take the scores of the next window, (1, classes)."""
        one, least = self._stretches[-1], np.float32(self._rule.threshold)
        one.speech.append(bool((scores[0, self._speech] >= least).any()))
        one.music.append(bool((scores[0, self._music] >= least).any()))
        if self._kept:
            one.kept.append(scores[0, self._kept])
        self._keep(self._merger.add(centre_s, scores[0]))

    def _keep(self, ended: Sequence[tuple[str, float, float, float]]) -> None:
        one = self._stretches[-1]
        for name, score, first_s, last_s in ended:
            peak_s = loudest_s(one.powers, first_s - _HALF_WINDOW_S, last_s + _HALF_WINDOW_S)
            one.events.append(SoundEvent(name, score, first_s, last_s, peak_s))

    def _end_stretch(self) -> None:
        """Classify what is left of the sound, filled up with silence, and end all events."""
        if not self._is_open:
            return
        one = self._stretches[-1]
        if len(self._unmeasured):
            rest = self._unmeasured.astype(np.float64)
            one.powers.append(float(np.square(rest).mean()))
        if not one.centres_s or len(self._samples) > WINDOW_SAMPLES - HOP_SAMPLES:
            missing = WINDOW_SAMPLES - len(self._samples)
            self._classify(np.pad(self._samples, (0, missing)))
        while self._waiting:
            self._note_first()
        self._keep(self._merger.finish())
        self._samples = self._unmeasured = np.empty(0, np.float32)
        self._is_open = False
