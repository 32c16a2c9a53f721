"""Released data sets come into our format, or into a list that `genres build` reads."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.factories.commands import invoke

from mastershot.core.errors import SettingError
from mastershot.datasets.genres.listing import read_listing
from mastershot.datasets.genres.table import read_genre_dataset
from mastershot.pipeline.genres.convert import convert_genres


@pytest.fixture
def released(tmp_path: Path) -> Path:
    folder = tmp_path / "released"
    for expert in ("image", "audio"):
        (folder / "experts" / expert).mkdir(parents=True)
    (folder / "genres.csv").write_text(
        "id,genres,title,split,synopsis\na,War|Drama,A,train,Guns.\nb,Drama,B,test,\nc,War,C,val,\n"
    )
    np.save(folder / "experts" / "image" / "a.npy", np.full((2, 3), 70_000.0))
    torch.save(torch.ones(4, 3), folder / "experts" / "image" / "b.pt")
    torch.save(torch.ones(2, 5, 4), folder / "experts" / "audio" / "a.pt")
    return folder


def test_vectors_of_experts_become_a_data_set(released: Path, tmp_path: Path) -> None:
    done = invoke("genres", "convert", "mmx", released, "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["without_vectors"] == 1
    data = read_genre_dataset(tmp_path / "out")
    assert [(one.id, one.num_clips, one.split) for one in data.trailers] == [
        ("a", 2, "train"), ("b", 4, "test"), ("c", 0, "val"),
    ]  # fmt: skip
    assert data.vectors("image", 0).tolist() == [[70_000.0] * 3] * 2  # more than half floats hold
    assert data.vectors("audio", 0).shape == (2, 5, 4)
    assert np.isnan(data.vectors("audio", 1)).all()
    assert "| War | 2 | 1 | 1 | 0 |" in (tmp_path / "out" / "README.md").read_text()


def test_another_width_is_one_sentence(released: Path, tmp_path: Path) -> None:
    torch.save(torch.ones(4, 9), released / "experts" / "image" / "b.pt")
    done = invoke("genres", "convert", "mmx", released, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "b.pt holds vectors of width 9" in done.stderr


def test_a_list_without_vectors_is_one_for_build(tmp_path: Path) -> None:
    (tmp_path / "t12k.csv").write_text("mid,action,comedy,split0\ntt1,1,0,train\ntt2,1,1,test\n")
    done = invoke("genres", "convert", "trailers12k", tmp_path / "t12k.csv", "--out",
                  tmp_path / "out")  # fmt: skip
    assert done.exit_code == 0
    assert "2 trailers, and no vectors" in done.stdout
    found = read_listing(tmp_path / "out" / "genres.csv")
    assert [(one.id, one.genres, one.split) for one in found] == [
        ("tt1", ("action",), "train"), ("tt2", ("action", "comedy"), "test"),
    ]  # fmt: skip


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="did you mean 'moviescope'"):
        convert_genres("movie-scope", tmp_path, tmp_path / "out")
