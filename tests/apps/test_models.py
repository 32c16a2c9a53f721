import json
from pathlib import Path

import pytest
from tests.encoders.test_catalogue import put_in_cache
from tests.factories.models import make_tiny_clip
from typer.testing import CliRunner, Result

from mastershot.apps.cli import app
from mastershot.encoders.catalogue import ENCODERS
from mastershot.encoders.detectors.packaged import PACKAGED_NETWORKS
from mastershot.encoders.experts.published import LOCAL_NETWORKS


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "100", "NO_COLOR": "1"}).invoke(app, ["models", *arguments])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that holds one encoder, and a hub at a port where nothing listens."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    clip = next(row for row in ENCODERS if row.alias == "clip")
    assert clip.revision
    tiny = make_tiny_clip(tmp_path / "tiny")
    return put_in_cache(tmp_path / "hub", clip.name, clip.revision, tiny)


def test_the_list_has_a_line_an_encoder_and_says_which_are_here() -> None:
    done = run("ls")
    assert done.exit_code == 0, done.output
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    networks = {row.alias: row for row in PACKAGED_NETWORKS}
    local = {row.alias: row for row in LOCAL_NETWORKS}
    assert [*lines] == [*(row.alias for row in ENCODERS), *networks, *local]
    for alias, network in local.items():
        texts = (network.kind, network.licence, network.source, network.option, "a local file")
        assert all(text in lines[alias] for text in (*texts, "not shipped"))
    for alias, network in networks.items():
        texts = (network.kind, network.licence, network.source, f"step {network.step}")
        assert all(text in lines[alias] for text in texts)
    for row in ENCODERS:
        assert row.kind in lines[row.alias]
        assert row.licence in lines[row.alias]
        assert ("frames/s" in lines[row.alias]) == (row.speed_fps is not None)
    assert "605 MB" in lines["clip"]
    assert "on this machine" in lines["clip"]
    assert "not here" in lines["siglip"]
    assert "in the package" in lines["starter"]


def test_json_holds_every_column(cache: Path) -> None:
    found = {row["alias"]: row for row in json.loads(run("ls", "--json").stdout)}
    assert found["clip"]["available"]
    assert found["clip"]["folder"] == str(cache)
    assert found["starter"]["packaged"]
    siglip = found["siglip"]
    assert (siglip["available"], siglip["folder"]) == (False, None)
    assert siglip["licence"] == "Apache-2.0"
    assert siglip["size_bytes"] == 812_623_880
    assert "speed_fps" in siglip
    assert found["yunet"]["source"].startswith("opencv_zoo")
    assert found["yunet"]["name"] == "yunet"
    assert found["senet154"]["size_bytes"] == 461_346_144
    assert (found["vggish"]["packaged"], found["vggish"]["licence"]) == (False, "Apache-2.0")


@pytest.mark.parametrize("name", ["starter", "mastershot/starter"])
def test_the_starter_need_not_be_fetched(name: str) -> None:
    done = run("get", name)
    assert done.exit_code == 0
    assert done.stdout == f"{name} comes with this package; there is nothing to fetch\n"


def test_what_is_here_is_not_fetched_again(cache: Path) -> None:
    done = run("get", "clip")
    assert done.exit_code == 0, done.output
    assert done.stdout.split() == f"clip is on this machine: {cache}".split()


def test_a_folder_need_not_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (str(tmp_path / "tiny"), "tiny", "tiny/", "./tiny"):
        monkeypatch.chdir(tmp_path)
        done = run("get", name)
        assert done.exit_code == 0, done.output
        sentence = f"{name} is a folder of this machine; there is nothing to fetch"
        assert " ".join(done.stdout.split()) == sentence


def test_nothing_is_the_name_of_no_encoder() -> None:
    done = run("get", "")
    assert done.exit_code == 1
    assert "encoder '' is neither a folder, nor a name on the hub" in done.stderr


def test_without_a_hub_one_sentence_says_what_can_be_done() -> None:
    done = run("get", "siglip")
    assert done.exit_code == 1
    [sentence] = done.stderr.splitlines()
    assert "the weights of encoder google/siglip-base-patch16-224 are not on this" in sentence
    assert "--local-dir FOLDER" in sentence


def test_a_mistyped_name_is_answered_with_the_nearest() -> None:
    done = run("get", "sigclip")
    assert done.exit_code == 1
    assert "did you mean 'siglip'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in run("get", "sigclip", "--debug").stderr
