"""Networks over an encoder's vectors: the encoder they were trained on, sampled as in training."""

from mastershot.core.embeddings import EmbeddingSpace
from mastershot.core.errors import EncoderError
from mastershot.core.protocols import Encoder
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.media.sampling import Sampling


def encoder_trained_on(what: str, space: EmbeddingSpace, given: Encoder | None) -> Encoder:
    """Return the encoder whose vectors a network was trained on: the given one, or by name.

    Args:
        what: The network, for messages.
        space: The space that its description names.
        given: An encoder that is loaded already.

    Raises:
        EncoderError: It cannot be loaded, or its weights are no longer those of the training.
    """
    if given is not None and given.space == space:
        return given
    try:
        # The precision is part of the space: networks are trained on float32.
        found = load_frame_encoder(space.model, precision="float32")
    except EncoderError as error:
        raise EncoderError(f"{what} needs an encoder that cannot be loaded: {error}") from error
    if found.space != space:
        raise EncoderError(
            f"{what} was trained on {space.width}-wide vectors of {space.model} with other weights "
            f"than it has now ({found.space.width} wide); train it again"
        )
    return found


def sampling_notes(what: str, rate_hz: float, sampling: Sampling) -> tuple[str, ...]:
    """Return what the user should know where frames are sampled otherwise than in training."""
    if sampling == Sampling("rate", rate_hz):
        return ()
    return (
        f"The {what} was trained on {rate_hz:g} frames a second and gets {sampling}; "
        f"--sampling rate:{rate_hz:g} samples as in training",
    )
