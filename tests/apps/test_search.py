import json
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.factories.models import make_tiny_clip
from tests.factories.timelines import make_embeddings, make_space, make_thumbs, make_timeline
from typer.testing import CliRunner, Result

import mastershot as ms
from mastershot.apps.search import search
from mastershot.encoders.catalogue import ENCODERS
from mastershot.pipeline.search import words as searching

app = typer.Typer()
app.command()(search)


def run(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"}).invoke(app, [*map(str, arguments)])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def library(clip: Path, tmp_path: Path) -> Path:
    """A library of one film that a tiny CLIP has encoded and one that nothing has."""
    library = ms.Library(tmp_path / "films.mastershot")
    for name in ("films/one\n\x1b[31m.mp4", "films/two.mp4"):
        timeline = make_timeline(name)
        library.put_timeline(timeline, make_thumbs(timeline))
    embeddings = make_embeddings(ms.load_encoder(clip).space, range(0, 120, 10))
    library.features(make_timeline("films/one\n\x1b[31m.mp4").movie.id).put(embeddings)
    return library.path


def test_a_line_a_hit_and_what_was_searched_on_stderr(library: Path, clip: Path) -> None:
    done = run("a forest", "--library", library, "--encoder", clip, "--limit", 2)
    assert done.exit_code == 0, done.output
    searched, not_searched = done.stderr.splitlines()
    assert searched == "mastershot: searched with tiny"
    assert "not searched: 1 of 2 films" in not_searched
    first, second = done.stdout.splitlines()
    hits = ms.Library(library).search("a forest", encoder=clip, limit=2)
    for rank, line, hit in zip((1, 2), (first, second), hits, strict=True):
        assert line.split()[:2] == [str(rank), f"{hit.score:.3f}"]
        assert f"one\\n\\x1b[31m.mp4  {hit.id}" in line
        assert line.endswith(", ".join(hit.kept))


def test_json_is_the_hits_and_all_that_is_on_stdout(library: Path, clip: Path) -> None:
    done = run("forest", "--library", library, "--encoder", clip, "--json")
    hits = json.loads(done.stdout)
    expected = ms.Library(library).search("forest", encoder=clip)
    assert [hit["id"] for hit in hits] == [hit.id for hit in expected]
    assert set(hits[0]) == {
        "id", "run_id", "movie_id", "path", "first_frame", "end_frame", "start_s", "end_s",
        "score", "frame", "kept",
    }  # fmt: skip


def test_a_contact_sheet_is_written(library: Path, clip: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = run("<forest>", "--library", library, "--encoder", clip, "--out", page)
    assert done.stdout.splitlines()[-1] == f"→ {page}"
    assert "&lt;forest&gt;" in page.read_text()
    assert "<forest>" not in page.read_text()


def test_the_starter_is_named_with_the_way_to_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starter = next(row for row in ENCODERS if row.packaged)
    space = make_space(8, starter.name)

    class Starter:
        def __init__(self) -> None:
            self.space, self.word_spaces = space, (space,)

        def encode_texts(self, texts: list[str]) -> Any:
            return make_embeddings(space, range(len(texts))).vectors

    monkeypatch.setattr(searching, "load_encoder", lambda *_, **__: Starter())
    library = ms.Library(tmp_path / "films.mastershot")
    library.put_timeline(make_timeline(labels=None))
    library.features(make_timeline().movie.id).put(make_embeddings(space, range(120)))
    done = run("forest", "--library", library.path)
    assert done.exit_code == 0, done.output
    [line] = done.stderr.splitlines()
    assert line.startswith("mastershot: searched with mastershot/starter, which recognises ")
    assert "places and things but not sentences" in line
    assert f"`mastershot library add FILM --library {library.path} --encoder clip`" in line
    assert len(done.stdout.splitlines()) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("forest",), 1, "made with encoder 'tiny', which cannot be loaded by that name"),
        (("  ",), 2, "there are no words to search for"),
        (("forest", "--limit", "0"), 2, "the limit is 0; it is 1 or more"),
        (("forest", "--encoder", "clop"), 1, "did you mean 'clip'?"),
        (("forest", "--limit", "many"), 2, "Invalid value"),
        ((), 2, "Missing argument"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    library: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = run(*arguments, "--library", library)
    assert done.exit_code == code
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_library_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = run("forest", "--library", tmp_path / "none")
    assert done.exit_code == 1
    assert "no library at" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_traceback_is_shown_when_asked_for(tmp_path: Path) -> None:
    assert "Traceback" in run("forest", "--library", tmp_path / "none", "--debug").stderr
