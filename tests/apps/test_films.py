import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.factories.commands import invoke, run
from tests.factories.films import drawn_film, encode_film, flat_images, remux
from tests.factories.models import make_recogniser, make_tiny_clip
from tests.factories.timelines import make_timeline
from tests.media.test_streams import film_of
from typer import Exit

from mastershot import apps
from mastershot.apps.command import Reporting
from mastershot.apps.films import _label_words, _timeline_lines, each_film
from mastershot.apps.show import StageProgress
from mastershot.core.labels import LabelScore
from mastershot.core.timeline import timeline_schema

DEMO = Path(apps.__file__).parent / "demo" / "demo.mp4"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    drawn_film(path)
    return path


def test_analyze_says_what_it_found_and_where(film: Path, tmp_path: Path) -> None:
    done = run("analyze", film, "--steps", "shots,scenes", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{film}: 6 shots, ")
    assert (tmp_path / "mastershot-out" / "film" / "report.html").exists()


def test_json_is_all_that_is_on_stdout(film: Path, tmp_path: Path) -> None:
    done = run("analyze", film, film.parent / "gone.mp4", "--steps", "shots", "--out", tmp_path,
               "--json")  # fmt: skip
    assert done.returncode == 1
    good, bad = json.loads(done.stdout)
    jsonschema.validate(json.loads(Path(good["timeline"]).read_text()), timeline_schema())
    assert good["num_shots"] == 6
    assert "does not exist" in bad["error"]


def test_one_bad_film_is_one_sentence_and_the_others_are_done(film: Path, tmp_path: Path) -> None:
    text, empty = tmp_path / "text.mp4", tmp_path / "empty.mp4"
    text.write_text("not a film")
    empty.touch()
    done = run("analyze", tmp_path / "gone.mp4", text, film, empty, tmp_path, "--steps", "shots",
               "--out", tmp_path / "out")  # fmt: skip
    assert done.returncode == 1
    problems = done.stderr.splitlines()
    assert len(problems) == 4
    assert all(problem.startswith("mastershot: ") for problem in problems)
    assert "6 shots" in done.stdout
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["film"]


def test_no_traceback_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert "Traceback" not in run("analyze", tmp_path / "gone.mp4").stderr
    assert "Traceback" in run("analyze", tmp_path / "gone.mp4", "--debug").stderr


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "name a film, or use --demo"),
        (("FILM", "--sampling", "often"), 2, "sampling 'often' means nothing"),
        (("FILM", "--detector", "magic"), 2, "detector 'magic' is unknown"),
        (("FILM", "--taxonomy", "movieclp"), 1, "did you mean 'movieclip'?"),
        (("FILM", "--encoder", "clop"), 1, "did you mean 'clip'?"),
        (("FILM", "--precision", "int8"), 1, "starter computes only in float32, not in 'int8'"),
        (("FILM", "--steps", "shots,magic"), 2, "step 'magic' is unknown"),
        (("FILM", "--shots", "gone.txt"), 1, "shot list gone.txt cannot be read"),
        (("FILM", "--nonsense"), 2, "No such option"),
    ],
)
def test_a_wrong_option_says_what_would_be_right(
    film: Path, tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done = run("analyze", *(film if word == "FILM" else word for word in arguments), cwd=tmp_path)
    assert done.returncode == code
    assert sentence in " ".join(done.stderr.split())
    assert not any(tmp_path.iterdir())


def test_a_film_whose_name_starts_with_a_dash(tmp_path: Path) -> None:
    encode_film(tmp_path / "-x.mp4", flat_images([(9, 99, 9)], each=5))
    done = run("analyze", "--steps", "shots", "--", "-x.mp4", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mastershot-out" / "-x" / "timeline.json").exists()


def test_labels_of_ones_own(film: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kitchen\nharbour\n")
    encoder = make_tiny_clip(tmp_path / "tiny")
    done = run("analyze", film, "--encoder", encoder, "--taxonomy", tmp_path / "mine.txt",
               "--out", tmp_path / "out")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    timeline = json.loads((tmp_path / "out" / "film" / "timeline.json").read_text())
    assert {label["name"] for label in timeline["shots"][0]["labels"]} == {"kitchen", "harbour"}
    assert timeline["made_by"]["steps"]["labels"]["taxonomy"] == "mine"


def test_without_weights_one_sentence_says_how_to_get_them(film: Path, tmp_path: Path) -> None:
    done = run("analyze", film, "--out", tmp_path, "--encoder", "somebody/clip")
    assert done.returncode == 0
    [note] = done.stderr.splitlines()
    assert note.startswith(
        "mastershot: No labels or headings: the weights of encoder somebody/clip"
    )
    assert (tmp_path / "film" / "timeline.json").exists()


def add(film: Path, library: Path) -> int:
    return run("library", "add", film, "--steps", "shots,scenes", "--library", library).returncode


def test_a_library_takes_a_film_once_and_shows_it(film: Path, tmp_path: Path) -> None:
    library = tmp_path / "films.mastershot"
    assert "no library at" in run("library", "ls", "--library", library).stderr
    assert add(film, library) == 0
    assert add(film, library) == 0
    [movie] = json.loads(run("library", "ls", "--library", library, "--json").stdout)
    assert movie["num_shots"] == 6
    shown = run("library", "show", movie["id"][:6], "--library", library)
    assert shown.stdout.startswith("scene 0000")
    whole = json.loads(run("library", "show", film, "--library", library, "--json").stdout)
    jsonschema.validate(whole, timeline_schema())


def test_a_library_is_verified_and_repaired_and_lets_a_film_go(film: Path, tmp_path: Path) -> None:
    library = tmp_path / "films.mastershot"
    assert add(film, library) == 0
    [movie] = json.loads(run("library", "ls", "--library", library, "--json").stdout)
    assert run("library", "verify", "--hashes", "--json", "--library", library).stdout == "[]\n"
    assert run("library", "repair", "--library", library).returncode == 0
    assert run("library", "rm", movie["id"], "--library", library).returncode == 0
    gone = run("library", "show", movie["id"], "--library", library)
    assert (gone.returncode, len(gone.stderr.splitlines())) == (1, 1)


def test_the_demo_drawn_has_its_cuts_found(tmp_path: Path) -> None:
    from mastershot.synthetic.plan import plan_demo_film

    done = run("analyze", "--demo", "drawn", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 1
    timeline = json.loads((tmp_path / "demo" / "timeline.json").read_text())
    found = {shot["first_frame"] for shot in timeline["shots"]}
    assert set(plan_demo_film().cuts) <= found
    assert 3 <= len(timeline["scenes"]) <= 9


def test_drawn_is_a_kind_of_demo_unless_a_film_has_that_name(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    demo = tmp_path / "demo.mp4"
    shutil.copy(film, demo)
    arguments = ("analyze", "--demo", "drawn", "--steps", "shots", "--out", tmp_path, "--json")

    def films_found() -> list[tuple[str, int]]:
        done = invoke(*arguments)
        assert done.exit_code == 0, done.output
        return [(one["film"], one["num_shots"]) for one in json.loads(done.stdout)]

    assert films_found() == [(str(demo), 6)]
    shutil.copy(film, tmp_path / "drawn")
    demo.unlink()
    assert films_found() == [("drawn", 6), (str(demo), 14)]


def test_the_demo_is_the_film_that_ships_and_says_whose_it_is(tmp_path: Path) -> None:
    done = run("analyze", "--demo", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    timeline = json.loads((tmp_path / "demo" / "timeline.json").read_text())
    assert timeline["movie"]["has_audio"]
    labels = {shot["first_frame"] / 24: shot["labels"][0]["name"] for shot in timeline["shots"]}
    cuts_s = {4.0, 6.5, 10.0, 12.0, 17.5, 20.5, 23.5, 27.0, 30.5, 34.0, 37.0, 40.0}
    assert cuts_s <= labels.keys()
    assert (labels[20.5], labels[23.5]) == ("mountain", "desert")
    report = (tmp_path / "demo" / "report.html").read_text()
    for owner in ("Blender Foundation, www.bigbuckbunny.org, CC BY 3.0", "Sintel", "CC0 1.0"):
        assert owner in timeline["movie"]["copyright"]
        assert owner in report


@pytest.mark.parametrize("kind", [("drawn",), ()])
def test_a_demo_never_takes_the_place_of_another_film(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(DEMO if kind else film, tmp_path / "demo.mp4")
    before = (tmp_path / "demo.mp4").read_bytes()
    done = invoke("analyze", "--demo", *kind, "--steps", "shots", "--out", tmp_path)
    assert done.exit_code == 1
    assert "demo.mp4 is another film than the demo asked for" in done.output
    assert (tmp_path / "demo.mp4").read_bytes() == before


def test_a_demo_that_cannot_be_written_is_reported(film: Path) -> None:
    done = invoke("analyze", "--demo", "--steps", "shots", "--out", film)
    assert done.exit_code == 1
    assert "Traceback" not in done.output


@pytest.fixture
def odd_films(film: Path, tmp_path: Path) -> Path:
    """A folder, of no UTF-8 name, of films whose names are hard on a terminal and on Unicode."""
    folder = tmp_path / "odd" / "d\udce9"
    folder.mkdir(parents=True)
    shutil.copy(film, folder / "caf\udce9.mp4")
    for number, name in enumerate(("a\x1b[31mb\n.mp4", "[red]x[\\red].mp4"), start=1):
        encode_film(folder / name, flat_images([(9, 99, 9), (200, 9, 50 * number)], each=20))
    return folder


def test_film_names_of_any_bytes_come_back_from_analyze(odd_films: Path, tmp_path: Path) -> None:
    films = sorted(odd_films.iterdir())
    out = tmp_path / "out\udce9"
    done = run("analyze", *films, "--steps", "shots", "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 3
    assert all(line.isprintable() for line in lines)
    assert r"caf\xe9.mp4: 6 shots" in done.stdout
    assert r"a\x1b[31mb\n.mp4: 2 shots" in done.stdout
    assert r"[red]x[\red].mp4: 2 shots" in done.stdout
    results = json.loads(run("analyze", *films, "--steps", "shots", "--out", out, "--json").stdout)
    assert [Path(result["film"]) for result in results] == films
    for result in results:
        timeline = json.loads(Path(result["timeline"]).read_text("utf-8"))
        assert timeline["movie"]["path"] in map(str, films)
    page = (out / "caf\udce9" / "report.html").read_text("utf-8")
    assert r"<title>caf\xe9.mp4" in page
    assert (out / "caf\udce9" / "shots.csv").read_text("utf-8").count("\n") == 7


def test_film_names_of_any_bytes_live_in_a_library(odd_films: Path, tmp_path: Path) -> None:
    at = ("--library", tmp_path / "films\udce9.mastershot")
    films = sorted(odd_films.iterdir())
    assert invoke("library", "add", *films, "--steps", "shots,scenes", *at).exit_code == 0
    listed = json.loads(invoke("library", "ls", "--json", *at).stdout)
    assert sorted(film["name"] for film in listed) == [film.name for film in films]
    assert all(Path(film["path"]).exists() and Path(film["file"]).exists() for film in listed)
    lines = invoke("library", "ls", *at).stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [
        "[red]x[\\red].mp4", r"a\x1b[31mb\n.mp4", r"caf\xe9.mp4",
    ]  # fmt: skip
    for name in ("caf\udce9.mp4", r"caf\xe9", "a\x1b", "[red]x[\\red]"):
        assert invoke("library", "show", name, *at).stdout.startswith("scene 0000")
    assert invoke("library", "verify", "--hashes", *at).stdout == "the library is whole\n"
    films[-1].rename(films[-1].with_name("gone\n.mp4"))
    missing = invoke("library", "verify", *at)
    assert (missing.exit_code, len(missing.stderr.splitlines())) == (1, 1)
    assert r"caf\xe9.mp4 cannot be read: No such file" in missing.stderr
    unknown = invoke("library", "show", "b\x1b\n", "--debug", *at)
    assert (unknown.exit_code, "\x1b" in unknown.stderr) == (1, False)
    assert r"holds no film 'b\x1b\n'" in unknown.stderr.splitlines()[-1]
    removed = invoke("library", "rm", "a", *at)
    assert removed.stdout.startswith(r"removed a\x1b[31mb\n.mp4 (")
    assert (
        json.loads(invoke("library", "rm", "caf", "--json", *at).stdout)["name"] == films[-1].name
    )
    assert json.loads(invoke("library", "repair", "--json", *at).stdout) == {"num_dropped": 0}


def test_what_is_missing_of_a_damaged_film_is_one_sentence(film: Path, tmp_path: Path) -> None:
    broken = remux(
        film, tmp_path / "broken.mkv", lambda n, data: bytes(len(data)) if 20 <= n < 50 else data
    )
    done = invoke("analyze", broken, "--steps", "shots", "--out", tmp_path / "out", "--json")
    assert done.exit_code == 0
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"mastershot: {broken}: it is damaged: ")
    (result,) = json.loads(done.stdout)
    assert result["notes"]
    timeline = json.loads(Path(result["timeline"]).read_text())
    jsonschema.validate(timeline, timeline_schema())
    assert timeline["damaged"][0]["frames_missing"] > 20


def test_a_stream_may_be_named_and_a_choice_is_reported(tmp_path: Path) -> None:
    path = film_of(tmp_path / "film.mkv", (64, 30, True), (48, 20, True))
    chosen = invoke("analyze", path, "--steps", "shots", "--out", tmp_path / "out")
    assert "it holds 2 video streams; read is 0 (mpeg4, 64 x 48, 1.2 s)" in chosen.stderr
    named = invoke("analyze", path, "--steps", "shots", "--out", tmp_path / "out", "--stream", 1)
    assert named.exit_code == 0
    timeline = json.loads((tmp_path / "out" / "film" / "timeline.json").read_text())
    assert timeline["movie"]["num_frames"] == 20
    missing = invoke("analyze", path, "--out", tmp_path / "out", "--stream", 9)
    assert missing.exit_code == 1
    assert "has no video stream 9; its video streams are: 0, 1" in missing.stderr


def test_any_failure_of_a_film_is_reported_and_the_others_are_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(path: Path, progress: StageProgress) -> dict[str, Any]:
        if path.name == "bad":
            raise ZeroDivisionError("by\x1b")
        scenes = None if path.name == "a" else 2
        return {"film": path.name, "id": "1f", "num_shots": 3, "num_scenes": scenes, "notes": ["n"]}

    with pytest.raises(Exit) as ended:
        each_film([Path("a"), Path("bad"), Path("c")], work, Reporting(quiet=True))
    shown = capsys.readouterr()
    assert ended.value.exit_code == 1
    assert shown.out == "a: 3 shots → 1f\nc: 3 shots, 2 scenes → 1f\n"
    note, problem, other = shown.err.splitlines()
    assert (note, other) == ("mastershot: a: n", "mastershot: c: n")
    assert problem == ("mastershot: an unforeseen ZeroDivisionError: by\\x1b; --debug shows where")
    with pytest.raises(Exit):
        each_film([Path("bad"), Path("c")], work, Reporting(as_json=True, quiet=True))
    bad, good = json.loads(capsys.readouterr().out)
    assert set(bad) == {"film", "error"}
    assert (good["film"], good["num_scenes"]) == ("c", 2)


def test_a_timeline_is_a_line_a_shot_under_a_line_a_scene() -> None:
    lines = list(_timeline_lines(make_timeline(shot_frames=(40, 30), scene_shots=(1, 1))))
    assert [line.split()[0] for line in lines] == ["scene", "0", "scene", "1"]
    assert [line.split()[4] for line in lines[1::2]] == ["0-40", "40-70"]
    assert all("kitchen 0." in line for line in lines)
    plain = make_timeline(shot_frames=(40, 30), scene_shots=None, labels=None)
    assert [line.split()[0] for line in _timeline_lines(plain)] == ["0", "1"]


def test_labels_that_are_unsure_are_said_to_be() -> None:
    sure, unsure = LabelScore("bar", 0.5, False), LabelScore("inn", 0.256, True)
    assert _label_words((sure, unsure)) == "bar 0.50"
    assert _label_words((unsure,)) == "unsure (inn 0.26)"
    assert _label_words(None) == _label_words(()) == ""


def test_a_recogniser_labels_films_and_one_that_is_none_is_a_sentence(
    film: Path, tmp_path: Path
) -> None:
    folder = make_recogniser(tmp_path / "run" / "recogniser", "resnet18", frames=1)
    analysis = ["analyze", film, "--steps", "shots,labels", "--out", tmp_path / "out", "--json"]
    done = invoke(*analysis, "--recogniser", tmp_path / "run")
    assert done.exit_code == 0
    (result,) = json.loads(done.stdout)
    made = json.loads(Path(result["timeline"]).read_text())["made_by"]["steps"]["labels"]
    assert made["recogniser"]["name"] == "tiny-resnet18"
    gone = invoke(*analysis, "--recogniser", tmp_path / "gone")
    share = invoke(*analysis, "--recogniser", tmp_path / "run", "--fuse", "2")
    (folder / "recogniser.safetensors").write_bytes(b"\x80\x04cut short")
    damaged = invoke(*analysis, "--recogniser", tmp_path / "run")
    assert [one.exit_code for one in (gone, share, damaged)] == [2, 2, 1]
    for one, sentence in (
        (gone, "gone holds no recogniser (recogniser.json)"),
        (share, "a recogniser's share of 2 means nothing"),
        (damaged, "recogniser.safetensors cannot be loaded"),
    ):
        (line,) = one.stderr.splitlines()
        assert sentence in line
