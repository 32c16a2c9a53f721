import json
from pathlib import Path
from typing import Any

from mastershot.core.similarity import table_of
from mastershot.datasets.tables.similarity_table import write_similarity
from mastershot.recipes.stage_notes import stage_notes


def log(folder: Path, *entries: Any) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def watched(path: Path, **made_by: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    write_similarity(path, table_of(["a", "b"], [("a", "b", 1.0)], made_by))


def test_a_run_that_left_nothing_out_has_no_notes(tmp_path: Path) -> None:
    assert stage_notes(tmp_path / "gone") == ()
    log(tmp_path, {"too_short": [], "in_metadata_only": 0}, {"loss": 1.0})
    watched(tmp_path / "similarity.parquet", events={"num_events": 9, "num_repeated": 0})
    assert stage_notes(tmp_path) == ()


def test_what_the_stages_of_a_run_left_out_is_counted_and_the_first_named(tmp_path: Path) -> None:
    log(tmp_path / "similarity", {"in_metadata_only": 1234, "without_neighbours": ["x", "y"]})
    log(tmp_path / "movie_encoder", {"held_out_accuracy": 0.875}, {"held_out_pairs": 600})
    log(tmp_path / "scenes", {"damaged": ["z"] * 2000}, {"step": 1})
    assert stage_notes(tmp_path) == (
        "films without a similar one: 2, the first: x",
        "films with damaged features: 2,000, the first: z",
        "films of the metadata that the library lacks: 1,234",
        "whether two films are similar is predicted correctly for 87.5% of 1,200 held-out pairs, "
        "half of them similar",
    )


def test_views_that_were_left_out_are_told_by_reason(tmp_path: Path) -> None:
    events = {"num_events": 5000, "num_incomplete": 1, "num_unknown": 1200, "num_out_of_order": 7}
    expected = (
        "of 5,000 views, left out: 1 lack a viewer or a film, "
        "1,200 are of films that are not in the library",
        "views put in order: 7",
    )
    watched(tmp_path / "similarity.parquet", parts={"cowatch": {"events": events}, "genre": {}})
    assert stage_notes(tmp_path) == expected
    watched(tmp_path / "run" / "similarity.parquet")
    (tmp_path / "run" / "similarity").mkdir()
    watched(tmp_path / "run" / "similarity" / "similarity.parquet", events=events)
    assert stage_notes(tmp_path / "run") == ()
    (tmp_path / "run" / "similarity.parquet").unlink()
    assert stage_notes(tmp_path / "run") == expected


def test_a_damaged_table_has_no_notes_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "similarity.parquet").write_bytes(b"PAR1 no more")
    log(tmp_path, {"too_short": ["a"]})
    assert stage_notes(tmp_path) == ("films with fewer shots than a scene: 1, the first: a",)
