import numpy as np
import pytest

from mastershot.core.embeddings import Embeddings, EmbeddingSpace, require_same_space
from mastershot.core.errors import EmbeddingSpaceError

SPACE = EmbeddingSpace("clip", "abc", 2)


def test_a_space_is_its_weights_whatever_it_is_called() -> None:
    renamed = EmbeddingSpace("my-folder", "abc", 2)
    assert renamed == SPACE
    assert renamed.key == SPACE.key
    require_same_space(SPACE, renamed)


@pytest.mark.parametrize(
    "other", [EmbeddingSpace("clip", "xyz", 2), EmbeddingSpace("clip", "abc", 3)]
)
def test_two_spaces_are_never_compared(other: EmbeddingSpace) -> None:
    assert other.key != SPACE.key
    with pytest.raises(EmbeddingSpaceError, match="encode both with one encoder"):
        require_same_space(SPACE, other)


def test_rows_are_found_by_frame() -> None:
    embeddings = Embeddings(SPACE, np.array([2, 5, 9]), np.eye(3, 2, dtype=np.float32))
    assert len(embeddings) == 3
    np.testing.assert_array_equal(embeddings.within(first_frame=2, end_frame=9), np.eye(3, 2)[:2])
    assert len(embeddings.within(first_frame=6, end_frame=9)) == 0
