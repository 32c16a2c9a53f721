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

    def read(self) -> bytes:
        """Return the bytes of its file.

        Raises:
            EncoderError: The file is missing, or not the one that was packaged.
        """
        again = f"install Mastershot again, or leave out step {self.step}"
        try:
            data = self.path.read_bytes()
        except OSError as error:
            reason = error.strerror or error
            raise EncoderError(f"{self.path} cannot be read: {reason}; {again}") from error
        if sha256(data).hexdigest() != self.sha256:
            raise EncoderError(
                f"{self.path} is damaged: its {len(data):,} bytes are not the {self.size_bytes:,} "
                f"of the package; {again}"
            )
        return data


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
PACKAGED_NETWORKS = (YAMNET,)
