"""Networks that can be experts of genres and do not ship: their table.

Their weights are read of a local file, by the names that they were published with.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LocalNetwork:
    """One row of the table.

    Attributes:
        alias: Its short name.
        kind: Network, what it was trained on, and the width of its vectors.
        option: The option of `genres build` that takes its file.
        size_bytes: Of its weights in single precision, by our count.
        licence: Licence its makers give it.
        source: Where it was published, with the name of its file.
    """

    alias: str
    kind: str
    option: str
    size_bytes: int
    licence: str
    source: str


LOCAL_NETWORKS = (
    LocalNetwork(
        alias="senet154",
        kind="SENet-154, ImageNet, 2,048 wide",
        option="--encoder",
        size_bytes=461_346_144,
        licence="the port's code is BSD-3-Clause; of the weights none is stated",
        source="Cadene/pretrained-models.pytorch, senet154-c7b49a05.pth; Hu et al. 2018",
    ),
    LocalNetwork(
        alias="vggish",
        kind="VGGish, 0.96 s at 16 kHz, 128 wide",
        option="--audio",
        size_bytes=288_564_736,
        licence="Apache-2.0",
        source="harritaylor/torchvggish, vggish-10086976.pth; Hershey et al. 2017",
    ),
    LocalNetwork(
        alias="places18",
        kind="ResNet-18, Places365, 512 wide",
        option="--location",
        size_bytes=45_493_428,
        licence="CC BY",
        source="CSAILVision/places365, resnet18_places365.pth.tar; Zhou et al. 2017",
    ),
    LocalNetwork(
        alias="places50",
        kind="ResNet-50, Places365, 2,048 wide",
        option="--location",
        size_bytes=97_236_148,
        licence="CC BY",
        source="CSAILVision/places365, resnet50_places365.pth.tar; Zhou et al. 2017",
    ),
)
