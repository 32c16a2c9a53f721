"""The experts by name: what each needs is loaded once, and used for every trailer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from mastershot.core.errors import SettingError
from mastershot.encoders.catalogue import load_encoder
from mastershot.encoders.detectors.sound import SoundClassifier
from mastershot.encoders.experts.spectrograms import SpectrogramEncoder
from mastershot.encoders.experts.students import PlaceFeatures
from mastershot.encoders.text import SentenceEncoder
from mastershot.pipeline.experts.clips import NetworkExpert, load_motion_network
from mastershot.pipeline.experts.hearing import AudioExpert, SpectrogramExpert
from mastershot.pipeline.experts.reading import TextExpert
from mastershot.pipeline.experts.watching import (
    ClipExpert,
    EncoderExpert,
    ImageExpert,
    LocationExpert,
    MotionExpert,
    SharedPlaces,
)


@dataclass(frozen=True)
class ExpertSettings:
    """Which experts see the trailers.

    Attributes:
        names: Which of `EXPERTS`.
        encoder: Name or folder of the encoder of frames that is the image expert; None takes the
            starter's last maps.
        motion: Folder of a trained recogniser of clips, or file of a published checkpoint of
            Inception I3D, whose features are the motion expert; None takes optical flow.
        audio: Folder of a checkpoint of AST; None takes YAMNet.
    """

    names: tuple[str, ...] = ("location", "image", "audio", "motion", "text")
    encoder: str | None = None
    motion: Path | None = None
    audio: Path | None = None

    def __post_init__(self) -> None:
        for name in self.names or ("",):
            if name not in EXPERTS:
                close = get_close_matches(name, EXPERTS, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(EXPERTS)}"
                raise SettingError(f"expert {name!r} is unknown; {hint}")
        if len(set(self.names)) < len(self.names):
            raise SettingError(f"experts {', '.join(self.names)} name one twice")
        for option, name in (("encoder", "image"), ("motion", "motion"), ("audio", "audio")):
            if getattr(self, option) is not None and name not in self.names:
                raise SettingError(
                    f"{getattr(self, option)} is to be the expert {name}, but the experts are only "
                    f"{', '.join(self.names)}; add {name}"
                )


@dataclass(frozen=True)
class _Loading:
    settings: ExpertSettings

    @cached_property
    def places(self) -> SharedPlaces:
        return SharedPlaces(PlaceFeatures())


def _location(loading: _Loading) -> ClipExpert:
    return LocationExpert(loading.places)


def _image(loading: _Loading) -> ClipExpert:
    name = loading.settings.encoder
    return ImageExpert(loading.places) if name is None else EncoderExpert(load_encoder(name))


def _audio(loading: _Loading) -> ClipExpert:
    folder = loading.settings.audio
    if folder is None:
        return AudioExpert(SoundClassifier())
    return SpectrogramExpert(SpectrogramEncoder(folder))


def _motion(loading: _Loading) -> ClipExpert:
    path = loading.settings.motion
    return MotionExpert() if path is None else NetworkExpert(load_motion_network(path))


def _text(loading: _Loading) -> ClipExpert:
    return TextExpert(SentenceEncoder())


EXPERTS: dict[str, Callable[[_Loading], ClipExpert]] = {
    "location": _location,
    "image": _image,
    "audio": _audio,
    "motion": _motion,
    "text": _text,
}


def load_experts(settings: ExpertSettings) -> Sequence[ClipExpert]:
    """Return the experts, ready to see trailers, in the order of their names.

    Raises:
        EncoderError: What one of them needs is missing or damaged.
    """
    loading = _Loading(settings)
    return [EXPERTS[name](loading) for name in settings.names]
