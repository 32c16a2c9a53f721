"""Which places scripts name, and how often."""

from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError, ScriptError, SettingError
from mastershot.curation.candidates import count_labels, cut_candidates, read_scripts
from mastershot.curation.sluglines import Heading, parse_heading


def headings(*texts: str) -> list[Heading]:
    return [heading for text in texts if (heading := parse_heading(text))]


def test_labels_are_counted_over_scripts_and_over_headings_with_the_first_example() -> None:
    counted = count_labels(
        {
            "one": headings("INT. KITCHEN - DAY", "INT. KITCHEN - NIGHT", "EXT. RIVER - DAY"),
            "two": headings("INT. JOHN'S KITCHEN", "EXT. STREET - DAY", "EXT. STREET - NIGHT"),
        }
    )
    found = [(c.label, c.num_scripts, c.num_sluglines, c.example) for c in counted]
    assert found == [
        ("kitchen", 2, 3, "INT. KITCHEN - DAY"),
        ("street", 1, 2, "EXT. STREET - DAY"),
        ("river", 1, 1, "EXT. RIVER - DAY"),
    ]


def test_equal_counts_are_ranked_by_the_alphabet_so_that_a_cut_is_the_same_everywhere() -> None:
    counted = count_labels({"one": headings("INT. TUNNEL", "INT. ATTIC", "INT. LOBBY")})
    assert [candidate.label for candidate in counted] == ["attic", "lobby", "tunnel"]


def test_the_cut_takes_the_first_of_those_that_enough_scripts_name() -> None:
    scripts = {name: headings("INT. KITCHEN") for name in "abc"}
    scripts["a"] = headings("INT. KITCHEN", "INT. LOBBY", "INT. ATTIC")
    counted = count_labels(scripts)
    assert [c.label for c in cut_candidates(counted, top=2)] == ["kitchen", "attic"]
    assert [c.label for c in cut_candidates(counted, top=None, min_scripts=2)] == ["kitchen"]
    with pytest.raises(SettingError, match="named by 0 scripts means nothing"):
        cut_candidates(counted, min_scripts=0)
    with pytest.raises(SettingError, match="first 0 labels"):
        cut_candidates(counted, top=0)


def test_scripts_folders_and_tables_are_read_together(tmp_path: Path) -> None:
    (tmp_path / "all" / "deep").mkdir(parents=True)
    (tmp_path / "all" / "one.txt").write_text("INT. KITCHEN - DAY\nShe waits.\n")
    (tmp_path / "all" / "deep" / "two.fountain").write_text("EXT. RIVER - DAY\n\nHe waits.\n")
    (tmp_path / "all" / "notes.md").write_text("INT. NOWHERE - DAY\n")
    (tmp_path / "list.tsv").write_text("script\theading\nthree\tINT. LOBBY\nthree\tno heading\n")
    scripts = read_scripts([tmp_path / "all", tmp_path / "list.tsv"])
    assert {name: len(found) for name, found in scripts.headings.items()} == {
        "one": 1, "two": 1, "three": 1,
    }  # fmt: skip
    assert scripts.problems == ()


def test_a_script_that_cannot_be_read_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("INT. KITCHEN - DAY\n")
    (tmp_path / "latin.txt").write_bytes("INT. CAFÉ - DAY\nÉté.\n".encode("latin-1"))
    (tmp_path / "wide.txt").write_text("EXT. RIVER - DAY\n", "utf-16")
    (tmp_path / "prose.txt").write_text("Once upon a time.\n")
    (tmp_path / "film.txt").write_bytes(bytes(range(256)) * 40)
    bomb = '<!DOCTYPE a [<!ENTITY b "boom">]><FinalDraft>&b;</FinalDraft>'
    (tmp_path / "bomb.fdx").write_text(bomb)
    scripts = read_scripts([tmp_path])
    assert sorted(scripts.headings) == ["good", "latin", "wide"]
    problems = "\n".join(scripts.problems)
    assert len(scripts.problems) == 3
    for words in ("has no scene heading", "is a binary file", "declares XML entities"):
        assert words in problems


def test_a_folder_takes_its_tables_of_headings_too(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("INT. KITCHEN - DAY\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "some.tsv").write_text("script\theading\ntwo\tINT. LOBBY\n")
    (tmp_path / "more.CSV").write_text('script,heading\nthree,"EXT. PIER, DOCK"\n')
    (tmp_path / "other.csv").write_text("a,b\n")
    scripts = read_scripts([tmp_path])
    assert sorted(scripts.headings) == ["one", "three", "two"]
    (problem,) = scripts.problems
    assert "other.csv has no column 'script'" in problem


def test_of_two_scripts_of_one_name_the_first_counts(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "draft.txt").write_text("INT. LOBBY - DAY\n")
    table = tmp_path / "a.tsv"
    table.write_text("script\theading\ndraft\tINT. KITCHEN\n")
    for sources in ([table, tmp_path / "b"], [tmp_path], [table, tmp_path, tmp_path / "b"]):
        scripts = read_scripts(sources)
        (places,) = [heading.places for heading in scripts.headings["draft"]]
        assert places == ["kitchen"]
        assert (scripts.repeated, scripts.problems) == (("draft",), ())


def test_no_script_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="holds no script; one ends in"):
        read_scripts([tmp_path])
    with pytest.raises(ScriptError, match="does not exist"):
        read_scripts([tmp_path / "gone.txt"])
    with pytest.raises(ScriptError, match="there is no script; name one or a folder"):
        read_scripts([])


def test_a_table_without_its_columns_or_without_a_heading_is_an_error(tmp_path: Path) -> None:
    table = tmp_path / "list.tsv"
    table.write_text("film\tline\na\tINT. LOBBY\n")
    with pytest.raises(DatasetError, match="has no column 'script'"):
        read_scripts([table])
    table.write_text("script\theading\na\tonce upon a time\n")
    with pytest.raises(ScriptError, match="has no scene heading"):
        read_scripts([table])


def test_every_real_heading_is_counted(real_data: Path) -> None:
    scripts = read_scripts([real_data / "scripts" / "headings.tsv"])
    assert len(scripts.headings) == 400
    assert sum(map(len, scripts.headings.values())) == 59_159 - 4  # lines of prose
    counted = count_labels(scripts.headings)
    assert (counted[0].label, counted[0].num_scripts) == ("street", 291)
    both = read_scripts([real_data / "scripts"])
    assert (len(both.headings), len(both.repeated), both.problems) == (400, 20, ())
    whole = count_labels(read_scripts([real_data / "scripts" / "full"]).headings)
    assert {"kitchen", "office", "hallway"} <= {candidate.label for candidate in whole[:20]}
