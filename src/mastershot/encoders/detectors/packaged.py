"""Networks that come with the package for one purpose each: their table, and their files.

Encoders, which map frames to a space, have their own table in `catalogue`.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from mastershot.core.errors import EncoderError

_FOLDER = Path(__file__).parent / "networks"


@dataclass(frozen=True, kw_only=True)
class PackagedNetwork:
    """One row of the table.

    Attributes:
        alias: Its short name.
        file: Its file in the package.
        kind: What it does, and the size of what it sees.
        step: The step of an analysis that uses it.
        size_bytes: Of the file.
        sha256: Digest of the file.
        licence: Licence its makers give it.
        source: Where it was published.
    """

    alias: str
    file: str
    kind: str
    step: str
    size_bytes: int
    sha256: str
    licence: str
    source: str

    @property
    def path(self) -> Path:
        """Where its file is, if it is there."""
        return _FOLDER / self.file

    @property
    def weights_hash(self) -> str:
        """What timelines and spaces keep of the digest."""
        return f"sha256:{self.sha256[:32]}"

    @property
    def way_forward(self) -> str:
        """What a user can do whose file of it is not the packaged one."""
        return f"install Mastershot again, or leave out step {self.step}"

    def read(self) -> bytes:
        """Return the bytes of its file.

        Raises:
            EncoderError: The file is missing, or not the one that was packaged.
        """
        try:
            data = self.path.read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise EncoderError(
                f"{self.path} cannot be read: {reason}; {self.way_forward}"
            ) from error
        if sha256(data).hexdigest() != self.sha256:
            raise EncoderError(
                f"{self.path} is damaged: its {len(data):,} bytes are not the {self.size_bytes:,} "
                f"of the package; {self.way_forward}"
            )
        return data


YUNET = PackagedNetwork(
    alias="yunet",
    file="face_detection_yunet.onnx",
    kind="YuNet, faces, 640 pixels",
    step="people",
    size_bytes=229_738,
    sha256="ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0",
    licence="MIT",
    source="opencv_zoo; Wu, Peng and Yu 2023, doi:10.1007/s11633-023-1423-y",
)
NANODET = PackagedNetwork(
    alias="nanodet",
    file="nanodet_m_person.onnx",
    kind="NanoDet-m, persons, 416 pixels",
    step="people",
    size_bytes=3_704_326,
    sha256="4e435bd756c2c147a549aaf07fae56dea97fb0f2d7fffff031cd67d001d6f26e",
    licence="Apache-2.0",
    source="RangiLyu/nanodet",
)
NSFW_MOBILENET = PackagedNetwork(
    alias="nsfw",
    file="nsfw_mobilenet_v2.safetensors",
    kind="MobileNet v2, sexual content, 224 pixels",
    step="moderation",
    size_bytes=5_146_666,
    sha256="434c2678f5643518fdc7daaad8d6e19aaac89874614603f7994e9fa8fcb3f8d9",
    licence="MIT",
    source="nsfwjs 4.4.0, Infinite Red, Inc.",
)
YAMNET = PackagedNetwork(
    alias="yamnet",
    file="yamnet.tflite",
    kind="YAMNet, sounds, 0.975 s at 16 kHz",
    step="sound",
    size_bytes=4_078_224,
    sha256="469be6a3421cbc52cf97e9f2f966cba984198e8e7af9854d68b3e3ebb1e04194",
    licence="Apache-2.0",
    source="TensorFlow models, research/audioset/yamnet",
)
PACKAGED_NETWORKS = (YUNET, NANODET, YAMNET, NSFW_MOBILENET)
