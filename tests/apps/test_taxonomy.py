"""``mastershot taxonomy`` as a user meets it."""

import json
import re
from pathlib import Path

import pytest
from tests.factories.toy_space import at_angles
from typer.testing import CliRunner, Result

from mastershot.apps.taxonomy import taxonomy_app
from mastershot.curation.decisions import read_decisions
from mastershot.pipeline.taxonomy import build as building

SPACE = at_angles(
    {"lake": 0, "office": 90, "pond": -40, "creek": 180, "stream": 190, "reef": 270, "brook": 185}
)


@pytest.fixture(autouse=True)
def toy_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    class ToyEncoder:
        encode_texts = staticmethod(SPACE)

    monkeypatch.setattr(building, "SentenceEncoder", ToyEncoder)
    monkeypatch.setattr("mastershot.encoders.text.SentenceEncoder", ToyEncoder)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    script = "EXT. LAKE - DAY\n\nINT. OFFICE - DAY\n\nEXT. CREEK\n\nEXT. STREAM\n\nEXT. CREEK\n"
    Path("one.txt").write_text(script)
    Path("aux.txt").write_text("lake\noffice\npond\nreef\n")
    return tmp_path


def run(*arguments: object, answers: str | None = None) -> Result:
    runner = CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"})
    return runner.invoke(taxonomy_app, [*map(str, arguments)], input=answers)


def build(*more: object, answers: str | None = None) -> Result:
    return run("build", "one.txt", "--aux", "aux.txt", "--out", "out", *more, answers=answers)


def labels() -> list[str]:
    return json.loads(run("show", "out", "--json").stdout)["labels"]  # type: ignore[no-any-return]


def test_build_writes_a_folder_and_says_each_step(place: Path) -> None:
    result = build()
    assert result.exit_code == 0
    assert "L_com                   2" in result.stdout
    assert "→ out/taxonomy.txt" in result.stdout
    assert [label["label"] for label in labels()] == ["creek", "lake", "office", "reef", "stream"]


def test_review_asks_what_is_new_and_keeps_each_answer_at_once(place: Path) -> None:
    decisions = Path("decisions.csv")
    result = build("--decisions", decisions, "--review", "--by", "ada", answers="m\nnonsense\nk\n")
    assert result.exit_code == 0
    assert "merge into creek? cosine 0.985" in result.stderr
    assert "'nonsense' is no answer" in result.stderr
    kept = [(made.text, made.by) for made in read_decisions(decisions)]
    assert kept == [("merge 'stream' into 'creek'", "ada"), ("keep 'creek'", "ada")]
    again = build("--decisions", decisions, "--review", "--by", "bo", answers="s\n")
    assert "1 to decide" in again.stderr
    assert "stream" not in again.stderr
    assert len(read_decisions(decisions)) == 2
    assert [label["label"] for label in labels()] == ["creek", "lake", "office", "reef"]


def test_an_answer_that_no_label_fits_is_asked_again(place: Path) -> None:
    answers = "m moat\nm creek\nm stream\nd\nq\n"
    result = build("--decisions", "d.csv", "--review", "--by", "ada", answers=answers)
    assert "there is no label 'moat' to merge into" in result.stderr
    assert "go in a circle" in result.stderr
    assert [made.text for made in read_decisions("d.csv")] == [
        "merge 'stream' into 'creek'", "drop 'creek'",
    ]  # fmt: skip


def test_an_interrupt_loses_no_answer(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["m"])

    def typed() -> str:
        try:
            return next(answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("builtins.input", typed)
    result = build("--decisions", "d.csv", "--review", "--by", "ada")
    assert result.exit_code == 130
    assert [made.text for made in read_decisions("d.csv")] == ["merge 'stream' into 'creek'"]


def test_review_without_a_file_for_the_answers_is_a_usage_error(place: Path) -> None:
    result = build("--review")
    assert result.exit_code == 2
    assert "--review needs --decisions FILE" in result.stderr


def test_stale_decisions_and_unread_scripts_are_reported_and_the_rest_is_built(place: Path) -> None:
    Path("d.csv").write_text("decision,label,into\ndrop,moat,\ndrop,reef,\n")
    Path("prose.txt").write_text("Once.\n")
    result = run(
        "build", "one.txt", "prose.txt", "--aux", "aux.txt", "--decisions", "d.csv", "--out", "out"
    )
    assert result.exit_code == 1
    assert "script prose.txt has no scene heading" in result.stderr
    assert "d.csv: the decision to drop 'moat' has no effect" in result.stderr
    assert [label["label"] for label in labels()] == ["creek", "lake", "office", "stream"]


def test_a_script_that_stands_in_two_sources_is_counted_once_with_one_note(
    place: Path,
) -> None:
    Path("table.tsv").write_text("script\theading\none\tEXT. LAKE\ntwo\tEXT. CREEK\n")
    Path("aux.txt").rename("aux.list")
    result = run("build", ".", "one.txt", "--aux", "aux.list", "--out", "out", "--json")
    assert result.exit_code == 0
    assert result.stderr == (
        "mastershot: 1 script stands in two sources; the first was taken, as for 'one'\n"
    )
    creek = next(one for one in json.loads(result.stdout)["labels"] if one["label"] == "creek")
    assert creek["num_scripts"] == 2


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("aux.txt", "", "taxonomy 'aux' holds no label"),
        ("one.txt", "Once.", "script one.txt has no scene heading"),
        ("d.csv", "decision,label,into\nperhaps,x,\n", "row 1: decision 'perhaps' is not one of"),
    ],
)
def test_bad_input_is_one_sentence(place: Path, file: str, content: str, message: str) -> None:
    Path(file).write_text(content)
    result = build("--decisions", "d.csv")
    assert result.exit_code == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_json_holds_all_that_is_known(place: Path) -> None:
    shown = json.loads(build("--json").stdout)
    assert shown["made_by"]["steps"]["L_final"] == 5
    assert shown["problems"] == []
    assert shown["labels"][1]["merged"] == ["pond"]


def test_decide_adds_rows_and_draws_add_labels(place: Path) -> None:
    done = run("decide", "merge", "stream", "creek", "--decisions", "d.csv", "--by", "ada")
    assert (done.exit_code, done.stdout) == (0, "merge 'stream' into 'creek'\n")
    Path("draw.csv").write_text("shot,missing\nf/1,Brook\n")
    assert run("decide", "--drawn", "draw.csv", "--decisions", "d.csv").exit_code == 0
    assert build("--decisions", "d.csv").exit_code == 0
    origins = {label["label"]: label["origin"] for label in labels()}
    assert origins["brook"] == "person"
    assert "stream" not in origins


def test_a_draw_that_is_added_again_changes_nothing_and_a_later_drop_stands(place: Path) -> None:
    Path("draw.csv").write_text("shot,missing\nf/1,brook; moat\n")
    add = ("decide", "--drawn", "draw.csv", "--decisions", "d.csv", "--by", "ada  l.")
    assert run(*add).stdout == "add 'brook'\nadd 'moat'\n"
    run("decide", "drop", "brook", "--decisions", "d.csv", "--by", "bo")
    before = Path("d.csv").read_bytes()
    again = run(*add)
    assert (again.exit_code, Path("d.csv").read_bytes()) == (0, before)
    assert again.stdout == "all labels that draw.csv lists as missing were added before\n"
    other = run(*add[:-1], "cy")
    assert other.stdout == "add 'brook'\nadd 'moat'\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("add", "a", "b", "c"), 2, "a decision is a word, a label and perhaps another label"),
        ((), 2, "there is nothing to decide"),
        (("perhaps", "lake"), 1, "decision 'perhaps' is not one of"),
    ],
)
def test_what_decides_nothing_is_an_error(
    place: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    result = run("decide", *words, "--decisions", "d.csv", "--by", "ada")
    assert result.exit_code == code
    assert message in result.stderr
    assert not Path("d.csv").exists()


def test_show_lists_groups_sources_and_definitions(place: Path) -> None:
    Path("words.csv").write_text("label,definition\nlake,still water\n")
    build("--glossary", "words.csv")
    shown = run("show", "out").stdout
    assert "lake                     common        1 scripts  = pond  still water" in shown
    assert shown.startswith("[")
    assert run("show", "out/taxonomy.txt").stdout == "creek\nlake\noffice\nreef\nstream\n"
    listed = json.loads(run("show", "aux.txt", "--json").stdout)
    assert listed["labels"] == ["lake", "office", "pond", "reef"]
    missing = run("show", "nowhere")
    assert missing.exit_code == 1
    assert "'nowhere' is neither a file nor one of" in missing.stderr


def test_diff_says_what_became_of_each_label(place: Path) -> None:
    Path("old.txt").write_text("lake\noffice\npond\nbrook\nreef\n")
    Path("d.csv").write_text("decision,label,into\ndrop,reef,\n")
    build("--decisions", "d.csv")
    shown = run("diff", "old.txt", "out").stdout.splitlines()
    assert shown == [
        "added    stream",
        "dropped  reef",
        "merged   pond → lake (decided)",
        "renamed  brook → creek (perhaps, cosine 0.996)",
    ]
    assert run("diff", "out", "out").stdout == "the same labels in the same order\n"
    as_json = json.loads(run("diff", "old.txt", "out", "--json").stdout)
    assert (as_json["dropped"], as_json["relabelling"]) == (["reef"], None)


def test_diff_and_draw_read_a_library(place: Path) -> None:
    from tests.factories.timelines import make_timeline

    from mastershot.store.library import Library

    Library("films.mastershot", create=True).put_timeline(make_timeline(labels=("pond",)))
    build()
    shown = run("diff", "aux.txt", "out", "--library", "films.mastershot")
    assert "of 3 shots 3 are labelled; 2 keep a label that is gone" in shown.stdout
    assert "was not scored: it has no labels" in shown.stderr
    drawn = run("draw", "--library", "films.mastershot", "--out", "draw.csv", "--num-shots", 2)
    assert drawn.stdout == "2 shots → draw.csv\n"
    assert run("draw", "--library", "nowhere", "--out", "x.csv").exit_code == 1


def test_every_command_of_the_docs_page_and_its_options_are_there() -> None:
    page = (Path(__file__).parents[2] / "docs" / "taxonomy.md").read_text("utf-8")
    lines = re.findall(r"^mastershot taxonomy (\w+) (.*)$", page, re.MULTILINE)
    assert {name for name, _ in lines} == {"build", "show", "diff", "draw", "decide"}
    for name, rest in lines:
        known = run(name, "--help").stdout
        assert [word for word in rest.split() if word.startswith("--") and word not in known] == []


def test_a_machine_that_knows_no_name_asks_for_one(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nobody)
    result = run("decide", "drop", "reef", "--decisions", "d.csv")
    assert result.exit_code == 2
    assert "does not know your login name; give your name with --by NAME" in result.stderr


def test_signs_that_would_steer_the_terminal_are_not_shown(place: Path) -> None:
    Path("one.txt").write_text("EXT. CREEK \x1b[31m - DAY\n" + "She waits there for long.\n" * 40)
    result = build("--decisions", "d.csv", "--review", "--by", "ada", answers="s\n" * 9)
    assert r"EXT. CREEK \x1b[31m - DAY" in result.stderr
    assert "\x1b" not in result.stderr
