import pytest

from mastershot.core.embeddings import EmbeddingSpace, require_same_space
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
