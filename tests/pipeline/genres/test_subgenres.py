"""From a run's embeddings to files; what contradicts itself is refused in a sentence."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from tests.factories.trailers import planted_vectors, write_run

from mastershot.core.errors import DatasetError, GenresError
from mastershot.genres.clustering import ClusterSettings
from mastershot.pipeline.genres.subgenres import SubGenreReport, SubGenreRequest, report_subgenres


def report(folder: Path, **arrays: object) -> SubGenreReport:
    return report_subgenres(SubGenreRequest(*write_run(folder, **arrays), layouts=("tsne",)))


def test_three_files_say_the_same(tmp_path: Path) -> None:
    done = report(tmp_path)
    folder = tmp_path / "run" / "subgenres"
    facts = json.loads((folder / "subgenres.json").read_text())
    assert facts == json.loads(json.dumps(done.facts))
    assert facts["num_subgenres"] == 3
    assert {one["name"] for one in facts["subgenres"]} == {"zombie", "wedding", "trench"}
    assert facts["stability"]["value"] > 0.9
    assert facts["fine"]["precision"]["value"] == 1
    assert facts["num_queries"] == 30  # those of the test split
    assert facts["precision_gain"]["low"] > 0
    with (folder / "subgenres.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [f"t{place}" for place in range(90)]
    assert {rows[place]["name"] for place in range(0, 90, 3)} == {"zombie"}
    assert sorted(int(row["rank"]) for row in rows if row["name"] == "zombie") == [*range(1, 31)]
    assert done.page == folder / "subgenres.html"
    assert "Sub-genres of planted" in done.page.read_text()
    assert done.notes == ()


def test_within_a_genre_only_its_trailers_count(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path)
    done = report_subgenres(SubGenreRequest(run, dataset, within="War", layouts=("tsne",)))
    assert done.facts["num_trailers"] == 30
    assert done.page == run / "subgenres-war" / "subgenres.html"
    assert "War" not in done.facts["subgenres"][0]["genre_shares"]


def test_trailers_of_no_sub_genre_are_unassigned(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path, fine=planted_vectors(noise=1.0))
    settings = ClusterSettings("hdbscan", min_size=60)
    done = report_subgenres(SubGenreRequest(run, dataset, settings, layouts=("tsne",)))
    assert done.facts["num_unassigned"] == 90
    assert "90 trailers are unassigned" in done.lines
    assert ",unassigned," in (run / "subgenres" / "subgenres.csv").read_text()


def test_triplets_are_measured_and_those_of_others_left_out(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path)
    triplets = tmp_path / "triplets.csv"
    triplets.write_text("anchor,closer,farther\nt0,t3,t1\nt1,t4,t2\nt0,t3,gone\n")
    request = SubGenreRequest(run, dataset, layouts=("tsne",), triplets=triplets)
    done = report_subgenres(request)
    assert done.facts["fine"]["triplets"]["value"] == 1
    assert done.notes == ("1 triplets name a trailer without an embedding here",)
    triplets.write_text("anchor,closer,farther\nt0,t0,t1\n")
    with pytest.raises(DatasetError, match="line 2: a triplet is of three different trailers"):
        report_subgenres(request)
    triplets.write_text("anchor,closer,farther\nt0,gone,t1\n")
    with pytest.raises(
        GenresError, match=r"no triplet of .* is of three trailers that have an emb"
    ):
        report_subgenres(request)


def test_without_words_it_says_so(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path)
    (dataset / "words.csv").unlink()
    done = report_subgenres(SubGenreRequest(run, dataset, layouts=("tsne",)))
    assert any("no words of these trailers" in note for note in done.notes)
    assert all(one["name"].startswith("like ") for one in done.facts["subgenres"])


def test_words_have_weights_that_are_numbers(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path)
    (dataset / "words.csv").write_text("id,text,weight\nt0,zombie|time travel,0.5\nt1,bride,much\n")
    with pytest.raises(DatasetError, match="line 3: weight is 'much', which should be a number"):
        report_subgenres(SubGenreRequest(run, dataset))
    (dataset / "words.csv").write_text("id,text\nx,zombie\n")
    with pytest.raises(DatasetError, match="line 2: trailer 'x' is not in the data set"):
        report_subgenres(SubGenreRequest(run, dataset))


NAN = np.full((90, 8), np.nan, np.float32)
IDS = np.array([f"t{place}" for place in range(90)])


@pytest.mark.parametrize(
    ("arrays", "error", "sentence"),
    [
        ({"fine": NAN}, GenresError, "fine embeddings of 90 of 90 trailers are not finite"),
        ({"coarse": np.ones((90, 8))}, GenresError, "coarse embeddings of 90 .* are all equal"),
        ({"fine": np.ones((89, 8))}, DatasetError, r"fine is float64 of shape \(89, 8\); for 90"),
        ({"fine": np.ones(90)}, DatasetError, r"should be numbers of shape \(90, …\)"),
        ({"trailers": np.arange(90)}, DatasetError, "trailers should be a row of texts, not int64"),
        ({"trailers": np.r_[IDS[:-1], ["x"]]}, DatasetError, "1 of 90 .* 'x', are not in the data"),
        ({"trailers": np.r_[IDS[:-1], ["t0"]]}, DatasetError, "has trailer 't0' twice"),
        ({"opened": np.ones((90, 2))}, DatasetError, "gates of 2 experts, but 3 are named"),
        ({"experts": np.array(["a"])}, DatasetError, "gates of 3 experts, but 1 are named: a"),
    ],
)
def test_embeddings_that_cannot_be_used_are_refused(
    tmp_path: Path, arrays: dict[str, object], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        report(tmp_path, **arrays)


def test_files_that_are_missing_or_damaged_are_refused(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path)
    request = SubGenreRequest(run, dataset)
    np.savez(run / "embeddings.npz", coarse=np.ones((90, 8)))
    with pytest.raises(DatasetError, match="have no array 'fine'; they should have coarse, fine, "):
        report_subgenres(request)
    (run / "embeddings.npz").write_bytes(b"PK nothing")
    with pytest.raises(DatasetError, match=r"embeddings\.npz cannot be read"):
        report_subgenres(request)
    (run / "embeddings.npz").unlink()
    with pytest.raises(DatasetError, match=r"embeddings\.npz cannot be read"):
        report_subgenres(request)


def test_fewer_trailers_than_sub_genres_are_refused(tmp_path: Path) -> None:
    run, dataset = write_run(tmp_path)
    settings = ClusterSettings(least_k=91, most_k=91)
    with pytest.raises(GenresError, match="91 sub-genres were asked for of 90 distinct trailers"):
        report_subgenres(SubGenreRequest(run, dataset, settings))
