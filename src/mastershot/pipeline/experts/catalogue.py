"""The experts by name: what each needs is loaded once, and used for every trailer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from mastershot.core.errors import EncoderError, SettingError
from mastershot.encoders.catalogue import load_frame_encoder
from mastershot.encoders.detectors.sound import SoundClassifier
from mastershot.encoders.experts.spectrograms import SpectrogramEncoder
from mastershot.encoders.experts.students import PlaceFeatures
from mastershot.encoders.experts.vggish import VGGishEncoder
from mastershot.encoders.frame_network import FrameNetworkEncoder
from mastershot.encoders.text import SentenceEncoder
from mastershot.pipeline.experts.clips import NetworkExpert, load_motion_network
from mastershot.pipeline.experts.hearing import AudioExpert, SpectrogramExpert, VGGishExpert
from mastershot.pipeline.experts.reading import TextExpert
from mastershot.pipeline.experts.watching import (
    ClipExpert,
    EncoderExpert,
    ImageExpert,
    LocationExpert,
    MotionExpert,
    SharedPlaces,
)

_NUM_PLACES = 365
_REPLACES = {"location": "location", "encoder": "image", "audio": "audio", "motion": "motion"}
"""Settings that name a network, and the expert that it is."""


@dataclass(frozen=True)
class ExpertSettings:
    """Which experts see the trailers.

    Attributes:
        names: Which of `EXPERTS`.
        encoder: Name, folder or file of the encoder of frames that is the image expert, such as a
            file of SENet-154; None takes the starter's last maps.
        motion: Folder of a trained recogniser of clips, or file of a published checkpoint of
            Inception I3D, whose features are the motion expert; None takes optical flow.
        audio: Folder of a checkpoint of AST, or file of VGGish's weights; None takes YAMNet.
        location: File of a ResNet-18 or ResNet-50 of Places365, or folder of a trained recogniser
            of frames, whose features are the location expert; None takes the starter's
            probabilities of places.
    """

    names: tuple[str, ...] = ("location", "image", "audio", "motion", "text")
    encoder: str | None = None
    motion: Path | None = None
    audio: Path | None = None
    location: Path | None = None

    def __post_init__(self) -> None:
        for name in self.names or ("",):
            if name not in EXPERTS:
                close = get_close_matches(name, EXPERTS, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(EXPERTS)}"
                raise SettingError(f"expert {name!r} is unknown; {hint}")
        if len(set(self.names)) < len(self.names):
            raise SettingError(f"experts {', '.join(self.names)} name one twice")
        for option, name in _REPLACES.items():
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
    path = loading.settings.location
    if path is None:
        return LocationExpert(loading.places)
    return EncoderExpert(load_place_network(path), "location")


def load_place_network(path: Path) -> FrameNetworkEncoder:
    """Return a network of places: a file of Places365's ResNet, or a trained recogniser's folder.

    Raises:
        EncoderError: It is neither, is damaged, or tells other classes apart than Places365's.
    """
    network = FrameNetworkEncoder(path)
    if path.is_file() and network.num_classes != _NUM_PLACES:
        raise EncoderError(
            f"{path} holds a network of {network.num_classes:,} classes; the expert location takes "
            f"a ResNet-18 or ResNet-50 of the {_NUM_PLACES} places of Places365"
        )
    return network


def _image(loading: _Loading) -> ClipExpert:
    name = loading.settings.encoder
    if name is None:
        return ImageExpert(loading.places)
    return EncoderExpert(load_frame_encoder(name), "image")


def _audio(loading: _Loading) -> ClipExpert:
    path = loading.settings.audio
    if path is None:
        return AudioExpert(SoundClassifier())
    if path.is_file():
        return VGGishExpert(VGGishEncoder(path))
    return SpectrogramExpert(SpectrogramEncoder(path))


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
    for option in ("location", "motion", "audio"):
        path = getattr(settings, option)
        if path is not None and not path.exists():
            raise EncoderError(f"{path}, which is to be the expert {option}, does not exist")
    loading = _Loading(settings)
    return [EXPERTS[name](loading) for name in settings.names]
