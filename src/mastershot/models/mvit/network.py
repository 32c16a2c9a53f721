"""MViTv2: attention over pooled tokens of frames, coarser and wider by stages (Li et al. 2022).

arXiv:2112.01526. Of every head queries, keys and values are pooled by a depth-wise convolution;
the offsets of rows, columns and frames between a query and a key each add a learned term to the
attention (section 4.1, decomposed relative positions), and pooled queries are added to what is
attended (residual pooling). The defaults are MViTv2-S of Kinetics-400, 16 blocks; of its published
checkpoint only names and shapes were checked. Stochastic depth, 0.2 there, is left out: a step here
depends on nothing random but its seed.
"""
# B batch, F frames, H × W size of a frame, T × R × C grid of tokens, N = T·R·C + 1 tokens with the
# class token first, D width, A heads, E width of a head, Q queries, K keys

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, interpolate, pad, scaled_dot_product_attention

from mastershot.core.errors import SettingError
from mastershot.models.transformer import initialise, learned, require_positive_sizes

Grid = tuple[int, int, int]  # frames, rows, columns
PATCH_STRIDE: Grid = (2, 4, 4)
_NUM_STAGES = 4
_KEY_STRIDE = 8  # of keys and values in the first stage; each later one has half
_NORM_EPS = 1e-6
_PIXEL_MEAN, _PIXEL_STD = 0.45 * 255, 0.225 * 255  # of Kinetics-400, as published


@dataclass(frozen=True)
class MViTSettings:
    """The shape of an MViTv2; the defaults are MViTv2-S of Kinetics-400.

    Attributes:
        width: D of the first stage and E of every head; each later stage is twice as wide.
        depths: Blocks of each of the four stages.
        num_frames: Frames that the tables of relative positions are made for; others interpolate.
        image_px: Edge of a frame that they are made for, likewise; a multiple of 32.
    """

    width: int = 96
    depths: tuple[int, ...] = (1, 2, 11, 2)
    num_frames: int = 16
    image_px: int = 224

    def __post_init__(self) -> None:
        require_positive_sizes(self)
        if len(self.depths) != _NUM_STAGES or min(self.depths) < 1:
            raise SettingError(f"depths are {self.depths}; four stages have a block or more each")
        if self.image_px % 32:
            raise SettingError(f"image_px is {self.image_px}; an MViT halves a multiple of 32")

    @property
    def num_outputs(self) -> int:
        """Width of the representation, that of the last stage."""
        return self.width << (_NUM_STAGES - 1)


class Pooling(nn.Module):
    """Tokens of a head on a coarser grid; the class token stays, and all are normalised."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(
            width, width, 3, (1, stride, stride), padding=1, groups=width, bias=False
        )
        self.norm = nn.LayerNorm(width, _NORM_EPS)

    def forward(self, tokens_BANE: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        """Return the tokens (B, A, N', E) and their grid."""
        batch, heads, _, width = tokens_BANE.shape
        cells = tokens_BANE[:, :, 1:].flatten(0, 1).mT.reshape(-1, width, *grid)
        pooled: Tensor = self.convolution(cells)
        rest = pooled.flatten(2).mT.reshape(batch, heads, -1, width)
        tokens = self.norm(torch.cat([tokens_BANE[:, :, :1], rest], 2))
        _, _, frames, rows, columns = pooled.shape
        return tokens, (frames, rows, columns)


class PoolingAttention(nn.Module):
    """Attention of pooled queries to pooled keys, with decomposed relative positions."""

    def __init__(
        self, inputs: int, outputs: int, heads: int, strides: tuple[int, int], grid: Grid
    ) -> None:
        """Take widths, heads, the strides of queries and of keys, and the grid of the tables."""
        super().__init__()
        head, (of_queries, of_keys) = outputs // heads, strides
        self._heads = heads
        self.queries_keys_values = nn.Linear(inputs, 3 * outputs)
        self.attended = nn.Linear(outputs, outputs)
        self.pool_q = Pooling(head, of_queries)
        self.pool_k, self.pool_v = Pooling(head, of_keys), Pooling(head, of_keys)
        across = 2 * (grid[1] // min(of_queries, of_keys)) - 1
        self.offsets_h, self.offsets_w = learned(across, head), learned(across, head)
        self.offsets_t = learned(2 * grid[0] - 1, head)

    def forward(self, tokens_BND: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        """Return the attended tokens (B, Q, D') and their grid."""
        projected = self.queries_keys_values(tokens_BND).unflatten(-1, (3, self._heads, -1))
        queries, keys, values = projected.permute(2, 0, 3, 1, 4)
        queries, coarser = self.pool_q(queries, grid)
        keys, of_keys = self.pool_k(keys, grid)
        values, _ = self.pool_v(values, grid)
        bias = self._bias(queries[:, :, 1:], coarser, of_keys)
        mixed = scaled_dot_product_attention(queries, keys, values, bias)
        # Residual pooling, of all tokens but the class token.
        mixed = mixed + pad(queries[:, :, 1:], (0, 0, 1, 0))
        return self.attended(mixed.transpose(1, 2).flatten(2)), coarser

    def _bias(self, queries_BAQE: Tensor, grid: Grid, of_keys: Grid) -> Tensor:
        """Return what positions add to attention, (B, A, Q + 1, K + 1); 0 for the class token."""
        batch, heads, _, width = queries_BAQE.shape
        cells = queries_BAQE.reshape(batch, heads, *grid, width)
        tables = (self.offsets_t, self.offsets_h, self.offsets_w)
        t, h, w = (
            offset_vectors(table, num_queries, num_keys)
            for table, num_queries, num_keys in zip(tables, grid, of_keys, strict=True)
        )
        bias = (
            torch.einsum("batrce,tke->batrck", cells, t)[..., :, None, None]
            + torch.einsum("batrce,rke->batrck", cells, h)[..., None, :, None]
            + torch.einsum("batrce,cke->batrck", cells, w)[..., None, None, :]
        )
        return pad(bias.flatten(5).flatten(2, 4), (1, 0, 1, 0))


class MViTBlock(nn.Module):
    """Pooling attention, then an MLP, each added to what came in, pooled and widened likewise."""

    def __init__(
        self, inputs: int, outputs: int, heads: int, strides: tuple[int, int], grid: Grid
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(inputs, _NORM_EPS)
        self.attention = PoolingAttention(inputs, outputs, heads, strides, grid)
        self.mlp_norm = nn.LayerNorm(outputs, _NORM_EPS)
        self.widen, self.narrow = nn.Linear(outputs, 4 * outputs), nn.Linear(4 * outputs, outputs)
        if inputs != outputs:
            self.wider = nn.Linear(inputs, outputs)
        stride = strides[0]
        self._shortcut = (
            nn.MaxPool3d((1, stride + 1, stride + 1), (1, stride, stride), (0, 1, 1))
            if stride > 1
            else None
        )

    def forward(self, tokens_BND: Tensor, grid: Grid) -> tuple[Tensor, Grid]:
        """Return the tokens (B, N', D') and their grid."""
        normed = self.attention_norm(tokens_BND)
        changes, coarser = self.attention(normed, grid)
        kept = self.wider(normed) if hasattr(self, "wider") else tokens_BND
        if self._shortcut is not None:
            cells = self._shortcut(kept[:, 1:].mT.reshape(len(kept), -1, *grid))
            kept = torch.cat([kept[:, :1], cells.flatten(2).mT], 1)
        tokens = kept + changes
        return tokens + self.narrow(gelu(self.widen(self.mlp_norm(tokens)))), coarser


class MViT(nn.Module):
    """Frames of a scene to its class token; any number of frames, of any size."""

    def __init__(self, settings: MViTSettings = MViTSettings()) -> None:  # frozen
        super().__init__()
        self.settings = settings
        width = settings.width
        self.patches = nn.Conv3d(3, width, (3, 7, 7), PATCH_STRIDE, (1, 3, 3))
        self.class_token = learned(width)
        across = settings.image_px // PATCH_STRIDE[1]
        grid = (max(1, settings.num_frames // PATCH_STRIDE[0]), across, across)
        blocks, inputs = [], width
        for stage, depth in enumerate(settings.depths):
            for place in range(depth):
                # A stage begins with queries of half as many rows and columns.
                halves = 2 if stage and not place else 1
                strides = halves, _KEY_STRIDE >> stage
                blocks.append(MViTBlock(inputs, width << stage, 1 << stage, strides, grid))
                grid = (grid[0], grid[1] // halves, grid[2] // halves)
                inputs = width << stage
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(settings.num_outputs, _NORM_EPS)
        initialise(self)

    def forward(self, scenes_BF3HW: Tensor) -> Tensor:
        """Return one vector a scene, RGB values 0…255, before any head, shape (B, 8·width).

        Raises:
            SettingError: A scene has no frame, or frames smaller than 32 pixels.
        """
        shape = tuple(scenes_BF3HW.shape)
        if len(shape) != 5 or shape[1] == 0 or shape[2] != 3 or min(shape[3:]) < 32:
            raise SettingError(
                f"scenes of shape {shape} cannot be encoded; (batch, frames, 3, height, width) "
                "with a frame or more of 32 pixels or more is needed"
            )
        pixels = (scenes_BF3HW.transpose(1, 2) - _PIXEL_MEAN) / _PIXEL_STD
        cells = self.patches(pixels)
        grid: Grid = tuple(cells.shape[2:])
        class_tokens = self.class_token.expand(len(cells), 1, -1)
        tokens = torch.cat([class_tokens, cells.flatten(2).mT], 1)
        for block in self.blocks:
            tokens, grid = block(tokens, grid)
        return self.norm(tokens[:, 0])  # type: ignore[no-any-return]


def offset_vectors(table_OE: Tensor, num_queries: int, num_keys: int) -> Tensor:
    """Return a table's vector of the offset of each query from each key, (Q, K, E).

    Queries and keys lie on one line, evenly spread; the table is interpolated to the finer of them.
    """
    finer = max(num_queries, num_keys)
    if len(table_OE) != 2 * finer - 1:
        table_OE = interpolate(table_OE.mT[None], size=2 * finer - 1, mode="linear")[0].mT
    queries = torch.arange(num_queries, device=table_OE.device)[:, None]
    keys = torch.arange(num_keys, device=table_OE.device) + 1 - num_keys
    of_queries, of_keys = max(num_keys / num_queries, 1.0), max(num_queries / num_keys, 1.0)
    return table_OE[(queries * of_queries - keys * of_keys).long()]
