"""Networks that come with the package: each row is true of its file."""

import pytest

from mastershot.encoders.packaged import PACKAGED_NETWORKS, PackagedNetwork


@pytest.mark.parametrize("row", PACKAGED_NETWORKS, ids=lambda row: row.alias)
def test_a_row_is_true_of_its_file(row: PackagedNetwork) -> None:
    assert len(row.read()) == row.size_bytes
