"""Features of shots by networks of clips whose weights were published elsewhere."""
# T frames of a clip, S edge of a square

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mastershot.core.embeddings import EmbeddingSpace, ImageArray
from mastershot.core.protocols import FeatureStore
from mastershot.core.time import Span
from mastershot.core.timeline import Json, MadeBy
from mastershot.encoders.clip_networks import ClipNetwork
from mastershot.media.sampling import clip_frames
from mastershot.media.video import Frame
from mastershot.pipeline.analysis.recognise import space_of_shots
from mastershot.pipeline.experts.vectors import VectorBatches

_CLIPS_AT_ONCE = 8
_CLIPS_A_CHUNK = 32


@dataclass(frozen=True)
class PublishedRecogniser:
    """A published network of clips that sees the middle of each shot.

    Attributes:
        trained: The network.
    """

    trained: ClipNetwork

    def space(self, made: MadeBy) -> EmbeddingSpace:
        """Return the space of its features of the shots that were found in this way."""
        return space_of_shots(self.trained.space, ["middle"], made)

    def made(self) -> Json:
        """Return what a table keeps of how it was made."""
        row = self.trained.checkpoint
        return {
            "network": row.network,
            "weights_hash": self.trained.weights_hash,
            "frames": row.frames,
            "rate_hz": row.rate_hz,
            "resize": list(row.resize),
            "size_px": row.size_px,
        }


def load_published_shots(path: Path) -> PublishedRecogniser:
    """Return the network of a published checkpoint, on a GPU if there is one.

    Raises:
        EncoderError: The file is damaged, or of no network of clips that is known.
    """
    return PublishedRecogniser(ClipNetwork(path, device=None))


def middle_clip(span: Span, count: int, duration_s: float) -> list[int]:
    """Return the ordinals of evenly spaced frames of a shot's middle, T = ``count`` of them.

    The middle is as long as the clips that a network was trained on, or the whole shot if that is
    shorter; where it has fewer frames, some are repeated.
    """
    share = duration_s / max(duration_s, span.duration_s)
    length = max(1, round(span.num_frames * share))
    first = span.first_frame + (span.num_frames - length) // 2
    return clip_frames(first, first + length, count)


class MiddleClips:
    """Turns the middle of each shot into a published network's features, in batches.

    They are kept under the shot's middle frame; what is stored already is not made again.
    """

    def __init__(
        self,
        space: EmbeddingSpace,
        network: ClipNetwork,
        store: FeatureStore,
        spans: Sequence[Span],
    ) -> None:
        """Take the shots of the film, whose frames are then added in order."""
        row = network.checkpoint
        self._network = network
        self._batches = VectorBatches(
            space, network.features, store, batch=_CLIPS_AT_ONCE, chunk=_CLIPS_A_CHUNK
        )
        self._clips = {
            span.first_frame: middle_clip(span, row.frames, row.duration_s) for span in spans
        }
        self._wanted = {frame for clip in self._clips.values() for frame in clip}
        self._held: dict[int, ImageArray] = {}

    def add(self, frame: Frame) -> None:
        """Take the next frame of the film."""
        if frame.index in self._wanted:
            self._held[frame.index] = self._network.square(frame.rgb())

    def end_shot(self, first: int, end: int) -> None:
        """Close the shot of these frames."""
        (middle,) = clip_frames(first, end, 1)
        if self._batches.lacks(middle):
            self._batches.add(middle, np.stack([self._held[at] for at in self._clips[first]]))
        self._held.clear()

    def finish(self) -> None:
        """Encode and keep all that is held."""
        self._batches.finish()
