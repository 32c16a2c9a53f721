import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from tests.encoders.tiny_models import make_tiny_clip
from tests.films import drawn_film, encode_film, flat_images

from mastershot.core.timeline import timeline_schema


def run(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mastershot", *map(str, arguments)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "NO_COLOR": "1", "COLUMNS": "100"}
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    drawn_film(path)
    return path


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("analyze", "library", "doctor"))
    assert run("--version").stdout.startswith("mastershot 0.1.0")


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
        (("FILM", "--precision", "int8"), 1, "starter computes in float32 alone, not in 'int8'"),
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
    assert note.startswith("mastershot: No labels: the weights of encoder somebody/clip")
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


def test_the_demo_is_drawn_and_its_cuts_are_found(tmp_path: Path) -> None:
    from mastershot.datasets.world import plan_demo_film

    done = run("analyze", "--demo", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    timeline = json.loads((tmp_path / "demo" / "timeline.json").read_text())
    found = {shot["first_frame"] for shot in timeline["shots"]}
    assert set(plan_demo_film().cuts) <= found
    assert 3 <= len(timeline["scenes"]) <= 9


def test_the_doctor_says_what_is_here() -> None:
    done = run("doctor", "--json")
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)
    assert findings["decode_fps"] > findings["shots_fps"] * 0.5 > 0
    assert findings["packages"]["av"]
    assert {encoder["name"] for encoder in findings["encoders"]} >= {"clip", "siglip"}
