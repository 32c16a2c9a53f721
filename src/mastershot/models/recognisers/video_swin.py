"""Video Swin Transformer: attention within 3-D windows, shifted in turn (Liu et al. 2022).

arXiv:2106.13230, section 3: patches of 2 × 4 × 4 pixels, four stages, and between them four
neighbours of a frame become one token. Window, padding and bias are as the published code has them.
"""
# B batch, T frames, H × W size of a frame, D width, C classes, F × R × K grid of tokens (frames,
# rows, columns), V windows of a grid, X = B·V, N tokens of a window, A heads of an attention

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, gelu, pad

from mastershot.models.checkpointing import CheckpointedBlock
from mastershot.models.loading import renamed_weights
from mastershot.models.recognisers.build import Shape
from mastershot.models.transformer import SelfAttention, initialise, learned

Size = tuple[int, ...]  # frames, rows, columns
_PATCH = (2, 4, 4)
_HEAD_DROPOUT = 0.5  # of the published code's I3DHead

_PARTS = (
    (r"^patch_embed\.proj\.", "patches."),
    (r"^patch_embed\.norm\.", "patches_norm."),
    (r"\.norm1\.", ".attention_norm."),
    (r"\.attn\.qkv\.", ".attention.queries_keys_values."),
    (r"\.attn\.proj\.", ".attention.attended."),
    (r"\.attn\.relative_position_bias_table$", ".position_bias"),
    (r"\.norm2\.", ".mlp_norm."),
    (r"\.mlp\.(0|fc1)\.", ".widen."),
    (r"\.mlp\.(3|fc2)\.", ".narrow."),
)
_TORCHVISION = (
    *((rf"^features\.{2 * stage}\.", f"stages.{stage}.blocks.") for stage in range(4)),
    *((rf"^features\.{2 * stage + 1}\.", f"stages.{stage}.merge.") for stage in range(3)),
    *_PARTS,
)
_MMACTION = (
    (r"^backbone\.", ""),
    (r"^layers\.(\d+)\.downsample\.", r"stages.\1.merge."),
    (r"^layers\.", "stages."),
    (r"^norm3\.", "norm."),  # mmaction2 1.x; the paper's own code calls it norm.
    (r"^cls_head\.fc_cls\.", "head."),
    *_PARTS,
)
_FORMATS = {
    "features.0.0.norm1.weight": _TORCHVISION,
    "backbone.layers.0.blocks.0.norm1.weight": _MMACTION,
}


@dataclass(frozen=True)
class VideoSwinSettings:
    """The shape of a Video Swin Transformer; the defaults are those of Video Swin-B.

    Attributes:
        width: D of the first stage; each later stage has twice the width of the one before.
        heads: Of the first stage; they double with the width.
        depths: Blocks of each stage.
        window: Edges of a window, in tokens.
        drop_path: Probability of leaving out a change of the last block in training; it grows
            from 0 in the first (section 4.1).
    """

    width: int = 128
    heads: int = 4
    depths: tuple[int, ...] = (2, 2, 18, 2)
    window: Size = (8, 7, 7)
    drop_path: float = 0.3


@dataclass(frozen=True)
class Windows:
    """Windows over a grid of tokens.

    Attributes:
        grid: Edges of the grid.
        size: Edges of a window, at most the grid's.
        shift: How far the windows are moved along each edge.
    """

    grid: Size
    size: Size
    shift: Size

    @classmethod
    def over(cls, grid: Size, window: Size, *, shifted: bool) -> "Windows":
        """Return windows of a size, or of the grid's where that is smaller; there is no shift."""
        edges = list(zip(grid, window, strict=True))
        shift = tuple(w // 2 if shifted and g > w else 0 for g, w in edges)
        return cls(grid, tuple(min(g, w) for g, w in edges), shift)

    @property
    def padded(self) -> Size:
        """Edges of the grid, in whole windows."""
        return tuple(-(-g // w) * w for g, w in zip(self.grid, self.size, strict=True))

    def split(self, grid_BFRKD: Tensor) -> Tensor:
        """Return the tokens of each window, shape (X, N, D); the padding is zeros."""
        x = pad_end(grid_BFRKD, self.padded)
        if any(self.shift):
            x = x.roll([-shift for shift in self.shift], (1, 2, 3))
        return self._partition(x)

    def join(self, windows_XND: Tensor) -> Tensor:
        """Return the grid (B, F, R, K, D) that was split, without its padding."""
        x = windows_XND.reshape(-1, *self._counts, *self.size, windows_XND.shape[-1])
        x = x.permute(0, 1, 4, 2, 5, 3, 6, 7).flatten(5, 6).flatten(3, 4).flatten(1, 2)
        if any(self.shift):
            x = x.roll(self.shift, (1, 2, 3))
        frames, rows, columns = self.grid
        return x[:, :frames, :rows, :columns]

    def mask(self, like: Tensor) -> Tensor | None:
        """Return what is added to attention in shifted windows, shape (V, 1, N, N).

        Tokens that only the shift made neighbours must not attend to one another: it is minus
        infinity for them, 0 for others (section 3.2).
        """
        if not any(self.shift):
            return None
        regions = torch.zeros((), device=like.device, dtype=torch.long)
        for length, edge, shift in zip(self.padded, self.size, self.shift, strict=True):
            at = torch.arange(length, device=like.device)
            regions = regions[..., None] * 3 + (at >= length - edge).long() + (at >= length - shift)
        regions_VN = self._partition(regions[None, ..., None])[..., 0]
        apart_V1NN = regions_VN[:, None, :, None] != regions_VN[:, None, None, :]
        return like.new_zeros(apart_V1NN.shape).masked_fill_(apart_V1NN, -math.inf)

    @property
    def _counts(self) -> Size:
        return tuple(p // w for p, w in zip(self.padded, self.size, strict=True))

    def _partition(self, padded_BFRKD: Tensor) -> Tensor:
        (f, r, k), (frames, rows, columns) = self._counts, self.size
        x = padded_BFRKD.reshape(-1, f, frames, r, rows, k, columns, padded_BFRKD.shape[-1])
        return x.permute(0, 1, 3, 5, 2, 4, 6, 7).flatten(4, 6).flatten(0, 3)


class SwinBlock(CheckpointedBlock):
    """Attention within windows, then an MLP, each of normalised tokens and added to what came in.

    Attributes:
        shifted: Whether its windows are the shifted ones.
    """

    def __init__(
        self, width: int, heads: int, *, window: Size, shifted: bool, drop_path: float
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.position_bias = learned(math.prod(2 * edge - 1 for edge in window), heads)
        self.mlp_norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.shifted = shifted
        self._drop_path = drop_path

    def forward(
        self, grid_BFRKD: Tensor, windows: Windows, rows_NN: Tensor, mask_V1NN: Tensor | None
    ) -> Tensor:
        """Return the tokens, shape (B, F, R, K, D).

        Args:
            grid_BFRKD: The tokens.
            windows: How they are grouped.
            rows_NN: Row of the bias table, of each pair of tokens in a window.
            mask_V1NN: Added to the bias; None where windows are not shifted.
        """
        bias = self.position_bias[rows_NN].permute(2, 0, 1)[None]
        if mask_V1NN is not None:
            bias = (bias + mask_V1NN).expand(len(grid_BFRKD), -1, -1, -1, -1).flatten(0, 1)
        x_XND = windows.split(self.attention_norm(grid_BFRKD))
        grid_BFRKD = grid_BFRKD + self._dropped(windows.join(self.attention(x_XND, bias)))
        return grid_BFRKD + self._dropped(self.narrow(gelu(self.widen(self.mlp_norm(grid_BFRKD)))))

    def _dropped(self, change: Tensor) -> Tensor:
        """Return a change, in training 0 for some clips of the batch (stochastic depth)."""
        if not (self.training and self._drop_path):
            return change
        return change * dropout(change.new_ones(len(change), 1, 1, 1, 1), self._drop_path)


class PatchMerging(nn.Module):
    """Four neighbouring tokens of a frame to one of twice the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * width)
        self.reduction = nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, grid_BFRKD: Tensor) -> Tensor:
        """Return tokens (B, F, ⌈R/2⌉, ⌈K/2⌉, 2D); odd edges are padded with zeros."""
        frames, rows, columns = grid_BFRKD.shape[1:4]
        x = pad_end(grid_BFRKD, (frames, rows + rows % 2, columns + columns % 2))
        # Upper left, lower left, upper right, lower right.
        parts = [x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduction(self.norm(torch.cat(parts, -1)))  # type: ignore[no-any-return]


class SwinStage(nn.Module):
    """Blocks over one grid, with windows and shifted windows."""

    def __init__(self, blocks: list[SwinBlock], window: Size, merge: nn.Module) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.merge = merge
        self._window = window

    def forward(self, grid_BFRKD: Tensor) -> Tensor:
        """Return the tokens after all blocks, merged unless it is the last stage."""
        grid = tuple(grid_BFRKD.shape[1:4])
        both = [Windows.over(grid, self._window, shifted=shifted) for shifted in (False, True)]
        masks = [windows.mask(grid_BFRKD) for windows in both]
        rows_NN = bias_rows(self._window, math.prod(both[0].size), grid_BFRKD.device)
        for block in self.blocks:
            which = bool(block.shifted)
            grid_BFRKD = block(grid_BFRKD, both[which], rows_NN, masks[which])
        return self.merge(grid_BFRKD)  # type: ignore[no-any-return]


class VideoSwin(nn.Module):
    """Normalised clips to one logit a class."""

    def __init__(self, num_classes: int, settings: VideoSwinSettings) -> None:
        super().__init__()
        width, window, depth = settings.width, settings.window, sum(settings.depths)
        self.patches = nn.Conv3d(3, width, _PATCH, _PATCH)
        self.patches_norm = nn.LayerNorm(width)
        rates = torch.linspace(0, settings.drop_path, depth, device="cpu").tolist()
        stages, first = [], 0
        for index, num_blocks in enumerate(settings.depths):
            heads = settings.heads * 2**index
            blocks = [
                # Every other one, counted through, so that stages of one block alternate too.
                SwinBlock(width, heads, window=window, shifted=i % 2 == 1, drop_path=rates[i])
                for i in range(first, first + num_blocks)
            ]
            first += num_blocks
            is_last = index == len(settings.depths) - 1
            stages.append(
                SwinStage(blocks, window, nn.Identity() if is_last else PatchMerging(width))
            )
            width = width if is_last else 2 * width
        self.stages = nn.Sequential(*stages)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(_HEAD_DROPOUT)
        self.head = nn.Linear(width, num_classes)
        self.feature_width = width
        initialise(self)

    def forward(self, clips_B3THW: Tensor) -> Tensor:
        """Return logits (B, C)."""
        return self.head(self.dropout(self.features(clips_B3THW)))  # type: ignore[no-any-return]

    def features(self, clips_B3THW: Tensor) -> Tensor:
        """Return the mean over the last stage's tokens, shape (B, 8·D)."""
        size = clips_B3THW.shape[2:]
        whole = tuple(-(-length // edge) * edge for length, edge in zip(size, _PATCH, strict=True))
        clips_B3THW = pad_end(clips_B3THW.movedim(1, -1), whole).movedim(-1, 1)
        grid_BFRKD = self.patches_norm(self.patches(clips_B3THW).movedim(1, -1))
        return self.norm(self.stages(grid_BFRKD)).mean((1, 2, 3))  # type: ignore[no-any-return]


def pad_end(grid_BFRKD: Tensor, size: Size) -> Tensor:
    """Return a grid with zeros after its tokens, up to a size."""
    frames, rows, columns = (
        to - edge for to, edge in zip(size, grid_BFRKD.shape[1:4], strict=True)
    )
    if not (frames or rows or columns):
        return grid_BFRKD
    return pad(grid_BFRKD, (0, 0, 0, columns, 0, rows, 0, frames))


def bias_rows(window: Size, num_tokens: int, device: torch.device) -> Tensor:
    """Return the row of the bias table for each pair of a window's tokens, shape (N, N).

    A window smaller than the full one uses the rows of the full one's first tokens, frame by frame
    and row by row, so does the published code. These are its own offsets where only its frames
    are fewer, as in short clips; in frames so small that rows and columns are fewer, they are not.
    """
    at = torch.arange(num_tokens, device=device)
    places = (at // (window[1] * window[2]), at // window[2] % window[1], at % window[2])
    rows_NN = torch.zeros((), device=device, dtype=torch.long)
    for place_N, edge in zip(places, window, strict=True):
        rows_NN = rows_NN * (2 * edge - 1) + place_N[:, None] - place_N[None, :] + edge - 1
    return rows_NN


def build(num_classes: int, shape: Shape) -> VideoSwin:
    """Return Video Swin-B; a share of its width has the same share of its heads.

    A share of its depth has that share of its stochastic depth, which the paper lowers for smaller
    networks (section 4.1).
    """
    heads = shape.channels(4)
    settings = VideoSwinSettings(
        width=shape.channels(128, 8 * heads),  # Fused attention takes heads of 8, 16, 24… numbers.
        heads=heads,
        depths=tuple(shape.blocks(published) for published in (2, 2, 18, 2)),
        drop_path=0.3 * min(1.0, shape.depth),
    )
    return VideoSwin(num_classes, settings)


def published_weights(
    checkpoint: Mapping[str, Tensor], network: nn.Module, source: str
) -> dict[str, Tensor]:
    """Return weights that torchvision or mmaction2 published, as a `VideoSwin` names them.

    Raises:
        EncoderError: They are no Video Swin Transformer's.
    """
    # Both store how pairs of tokens find their row of the bias table, which is computed.
    stored = {k: v for k, v in checkpoint.items() if not k.endswith("_position_index")}
    return renamed_weights(stored, _FORMATS, network, source)
