import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mastershot.store.tables import read_path, stored_path


@given(st.binary().map(os.fsdecode) | st.sampled_from(["file:x", "file:%E9", "file:caf%C3%A9"]))
def test_any_file_name_comes_back(path: str) -> None:
    assert read_path(stored_path(path)) == path
    assert read_path(stored_path(f"file:{path}")) == f"file:{path}"
    stored_path(path).encode()


def test_only_names_that_are_not_utf8_are_kept_otherwise() -> None:
    assert stored_path("été 100%.mp4") == "été 100%.mp4"
    assert stored_path("a/caf\udce9 1.mp4") == "file:a/caf%E9%201.mp4"
    assert read_path("file:caf.mp4") == "file:caf.mp4"
    with pytest.raises(UnicodeEncodeError):
        stored_path("\ud800")
