"""The expert that reads: sentences of subtitles that fall in a clip, else of the synopsis."""
# N clips, D width of a sentence vector

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.core.errors import MediaError
from mastershot.datasets.genres.table import Expert
from mastershot.encoders.text import (
    SENTENCE_MODEL,
    SENTENCE_WIDTH,
    SentenceEncoder,
    installed_weights_hash,
)
from mastershot.exports.formats.players.clock import player_clock
from mastershot.exports.formats.players.subtitles import cues_of, plain_text
from mastershot.exports.formats.texts import read_text
from mastershot.media.packets.subtitles import read_subtitle_track
from mastershot.media.probe import FilmFile
from mastershot.pipeline.experts.watching import Seen, Watcher

SUBTITLE_SUFFIXES = (".srt", ".vtt")


class TextExpert:
    """What is said in a clip, else what the trailer is about, as a sentence vector."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        made = {
            "network": SENTENCE_MODEL,
            "weights_hash": installed_weights_hash(),
            "of": "subtitles in the clip, else the synopsis",
        }
        self.described = Expert("text", SENTENCE_WIDTH, made_by=made)

    def watch(self, file: FilmFile, max_lag_frames: int) -> Watcher:
        """Return what reads one trailer."""
        return _Texts(self._encoder)


class _Texts(Watcher):
    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder

    def finish(self, seen: Seen) -> FloatArray:
        texts = texts_of_clips(seen)
        known = [text for text in dict.fromkeys(texts) if text]
        vectors = dict(zip(known, self._encoder.encode_texts(known), strict=True)) if known else {}
        nothing = np.full(SENTENCE_WIDTH, np.nan, np.float32)
        return np.stack([vectors.get(text, nothing) for text in texts])


def texts_of_clips(seen: Seen) -> list[str]:
    """Return what is said in each clip, else the synopsis; empty where there is neither.

    Raises:
        EditsError: The file of subtitles beside the trailer is none, or of another film.
    """
    said: list[list[str]] = [[] for _ in seen.clips]
    for first, end, text in _cues(seen):
        for place, clip in enumerate(seen.clips):
            if first < clip.span.end_frame and clip.span.first_frame < end:
                said[place].append(text)
    return [" ".join(one) or seen.synopsis for one in said]


def subtitles_beside(path: Path) -> Path | None:
    """Return the file of subtitles beside a trailer, if there is one."""
    beside = (path.with_suffix(suffix) for suffix in SUBTITLE_SUFFIXES)
    return next((one for one in beside if one.is_file()), None)


def _cues(seen: Seen) -> Sequence[tuple[int, int, str]]:
    """Return the film's subtitles: first frame, the one after the last, and text."""
    times = seen.times
    if seen.path is None:
        return []
    beside = subtitles_beside(seen.path)
    if beside is not None:
        clock = player_clock(seen.movie, times, seen.path)
        found = []
        for cue in cues_of(beside, read_text(beside)[0]):
            cue.require_within(beside, clock)
            span = clock.span(cue.start_ms, cue.end_ms)
            found.append((span.first_frame, span.end_frame, cue.text))
        return [one for one in found if one[2]]
    try:
        track = read_subtitle_track(seen.path)
    except MediaError:
        return []  # The film was decoded: what it lacks is subtitles of text.
    end = int(times.pts[-1]) * times.time_base
    return [
        (times.frame_at(start), max(times.frame_at(start) + 1, times.frame_at(stop)), text)
        for start, stop, raw in track.cues
        if start < end and (text := plain_text(raw))
    ]
