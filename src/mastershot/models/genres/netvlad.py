"""NetVLAD (Arandjelović et al. 2016): one vector of a set of vectors, by soft clusters."""
# B sets, N vectors of a set, D width, K clusters

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize


class NetVLAD(nn.Module):
    """Sums up a set by how its vectors differ from the centres of the clusters they belong to.

    Attributes:
        width: Width of what comes out, K × D.
    """

    def __init__(self, num_in: int, clusters: int = 16) -> None:
        super().__init__()
        self.width = clusters * num_in
        scale = num_in**-0.5
        self.assignment = nn.Linear(num_in, clusters)
        self.centres = nn.Parameter(scale * torch.randn(clusters, num_in))

    def forward(self, vectors_BND: Tensor, present_BN: Tensor) -> Tensor:
        """Return unit vectors (B, K D); zeros for a set of which nothing is present.

        Args:
            vectors_BND: The sets, filled up; what fills them is never read.
            present_BN: Which vectors are there, bool.
        """
        there = present_BN[..., None]
        vectors_BND = torch.where(there, vectors_BND, 0)
        shares_BNK = torch.where(there, self.assignment(vectors_BND).softmax(dim=2), 0)
        sums_BKD = shares_BNK.transpose(1, 2) @ vectors_BND
        residuals_BKD = sums_BKD - shares_BNK.sum(dim=1)[..., None] * self.centres
        return normalize(normalize(residuals_BKD, dim=2).flatten(1), dim=1)
