from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mastershot.core.errors import DatasetError
from mastershot.core.labels import LabelScore, Taxonomy
from mastershot.datasets.movieclip import shot_file_name, write_tags
from mastershot.datasets.tables import scored
from mastershot.datasets.tables.records import ScoredShot, columns_of, shots_of
from mastershot.datasets.tables.score_table import open_scores, write_scores
from mastershot.datasets.tables.scored import TAGS_FILE, ScoredDataset, TagFile, open_dataset

PLACES = Taxonomy("places", ("street", "forest"))
SHOTS = [
    ScoredShot("v", shot_file_name("v", n), n, n + 1, n, n + 1.0, (LabelScore("forest", n / 8),))
    for n in range(1, 6)
]


def shots_in(dataset: ScoredDataset) -> list[ScoredShot]:
    return [shot for batch in dataset.batches() for shot in shots_of(batch, dataset.taxonomy)]


@pytest.mark.parametrize("name", ["scores.parquet", "scores.lance"])
def test_a_folder_a_table_and_a_folder_of_tables_hold_the_same(tmp_path: Path, name: str) -> None:
    write_scores(tmp_path / name, [columns_of(SHOTS, PLACES)], PLACES, {})
    for path in (tmp_path, tmp_path / name):
        dataset = open_dataset(path, Taxonomy("other", ("zoo",)))
        assert dataset.taxonomy == PLACES
        assert shots_in(dataset) == SHOTS


def test_parts_of_any_name_are_one_data_set(tmp_path: Path) -> None:
    for part in range(2):
        piece = SHOTS[part * 3 : part * 3 + 3]
        write_scores(tmp_path / f"part{part}.parquet", [columns_of(piece, PLACES)], PLACES, {})
    assert shots_in(open_dataset(tmp_path, PLACES)) == SHOTS


def test_the_released_form_is_read_in_pieces_as_doubles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scored, "_PIECE_SHOTS", 2)
    write_tags(tmp_path / TAGS_FILE, SHOTS)
    for path in (tmp_path, tmp_path / TAGS_FILE):
        dataset = open_dataset(path, PLACES)
        assert isinstance(dataset, TagFile)
        assert [len(batch) for batch in dataset.batches()] == [2, 2, 1]
        assert {batch.scores.dtype for batch in dataset.batches()} == {np.dtype(np.float64)}
        assert shots_in(dataset) == SHOTS


def test_tags_of_another_taxonomy_are_an_error(tmp_path: Path) -> None:
    write_tags(tmp_path / "tags.json", SHOTS)
    dataset = open_dataset(tmp_path / "tags.json", Taxonomy("other", ("zoo",)))
    with pytest.raises(DatasetError, match="carries 'forest', which taxonomy 'other' does not"):
        list(dataset.batches())


def test_what_is_no_data_set_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"there is no data set at .*gone; .* label build CLIPS"):
        open_dataset(tmp_path / "gone", PLACES)
    for path in (tmp_path, tmp_path / "film.mp4"):
        (tmp_path / "film.mp4").touch()
        with pytest.raises(DatasetError, match="is no data set: it is neither a table of scores"):
            open_dataset(path, PLACES)


def test_scales_are_kept_where_shots_have_one(tmp_path: Path) -> None:
    plain = columns_of(SHOTS, PLACES)
    scales = ["CS", "", "LS", "MS", "CS"]
    for name in ("scores.parquet", "scores.lance"):
        scaled = replace(plain, scales=scales)
        write_scores(tmp_path / name, [scaled, plain], PLACES, {})
        found = [s for batch in open_scores(tmp_path / name).batches() for s in batch.scales or ()]
        assert found == scales + [""] * 5
    write_scores(tmp_path / "plain.parquet", [plain], PLACES, {})
    (batch,) = open_scores(tmp_path / "plain.parquet").batches()
    assert batch.scales is None


def test_the_best_labels_alone() -> None:
    shots = columns_of(SHOTS, PLACES)
    assert shots.best(1).labels.tolist() == [[1]] * 5
    assert shots.best(1).scores.shape == (5, 1)
    assert shots.best(99).labels.shape == shots.labels.shape
