import pytest

from mastershot.core.embeddings import EmbeddingSpace

SPACE = EmbeddingSpace("clip", "abc", 2)


def test_a_space_is_its_weights_whatever_it_is_called() -> None:
    renamed = EmbeddingSpace("my-folder", "abc", 2)
    assert renamed == SPACE
    assert renamed.key == SPACE.key


@pytest.mark.parametrize(
    "other", [EmbeddingSpace("clip", "xyz", 2), EmbeddingSpace("clip", "abc", 3)]
)
def test_other_weights_and_another_width_are_another_space(other: EmbeddingSpace) -> None:
    assert other != SPACE
    assert other.key != SPACE.key
