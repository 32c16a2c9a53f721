"""Encoders by name: the table, a folder, the hub's cache, the hub, and no hub at all."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch
from tests.factories.models import make_tiny_clip
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

from mastershot.core.errors import EncoderError, EncoderUnavailableError
from mastershot.encoders import catalogue
from mastershot.encoders.catalogue import (
    DEFAULT_ENCODER,
    ENCODERS,
    available_encoders,
    fetch_encoder,
    load_encoder,
)
from mastershot.encoders.starter import STARTER_FOLDER

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("models") / "clip")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and a hub at a port where nothing listens."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "hub"


def put_in_cache(cache: Path, name: str, revision: str, folder: Path) -> Path:
    snapshot = cache / f"models--{name.replace('/', '--')}" / "snapshots" / revision
    return Path(shutil.copytree(folder, snapshot))


def test_the_default_is_in_the_table_and_no_alias_is_used_twice() -> None:
    aliases = [row.alias for row in ENCODERS]
    assert DEFAULT_ENCODER in aliases
    assert len(set(aliases)) == len(aliases)


def test_sizes_in_the_table_are_four_bytes_a_parameter() -> None:
    with torch.device("meta"):
        networks = {
            "clip": CLIPModel(CLIPConfig()),
            "clip-b16": CLIPModel(CLIPConfig(vision_config={"patch_size": 16})),
            "siglip": SiglipModel(SiglipConfig()),
        }
    sizes = {row.alias: row.size_bytes for row in ENCODERS}
    assert sizes["starter"] == (STARTER_FOLDER / "student.safetensors").stat().st_size
    for alias, network in networks.items():
        assert sizes[alias] == 4 * sum(weights.numel() for weights in network.parameters())


def test_a_folder_is_loaded_under_its_own_name(clip_folder: Path) -> None:
    for folder in (clip_folder, str(clip_folder), f"{clip_folder}/."):
        assert load_encoder(folder).space.model == "clip"


def test_a_mistyped_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(EncoderError, match=r"starter, clip, clip-b16, .* did you mean 'siglip'\?"):
        load_encoder("sigclip")


@pytest.mark.parametrize("name", ["nothing like it", "./no/such/folder"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(EncoderError, match="is neither a folder, nor a name on the hub such as"):
        load_encoder(name)


def test_a_name_the_hub_cannot_have_is_refused() -> None:
    with pytest.raises(EncoderError, match="no checkpoint 'a/b--c' that can be read"):
        load_encoder("a/b--c")


def test_without_a_hub_one_sentence_says_how_to_get_the_weights() -> None:
    sentence = (
        r"weights of encoder openai/clip-vit-base-patch32 are not on this machine and the hub gave "
        r"none .* `hf download openai/clip-vit-base-patch32 --revision c237dc49\w+ .*"
        r"--local-dir FOLDER` fetches them, for `--encoder FOLDER`"
    )
    with pytest.raises(EncoderUnavailableError, match=sentence) as caught:
        load_encoder("clip")
    assert "\n" not in str(caught.value)
    with pytest.raises(EncoderUnavailableError, match="hf download some/model --include"):
        load_encoder("some/model")


def test_a_hub_is_not_asked_for_an_encoder_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mastershot.encoders.catalogue._ask_hub", None)
    with pytest.raises(EncoderUnavailableError, match="are not on this machine; with a network"):
        load_encoder("clip", download=False)


def test_a_hub_that_never_answers_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert catalogue.HUB_ANSWERS_WITHIN_S < 10
    monkeypatch.setattr(catalogue, "HUB_ANSWERS_WITHIN_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
        start = time.monotonic()
        with pytest.raises(EncoderUnavailableError, match=r"no answer within 0.2 s"):
            load_encoder("clip")
        assert time.monotonic() - start < 30  # not for ever, on however busy a machine


def test_only_whole_checkpoints_in_the_cache_are_available(cache: Path, clip_folder: Path) -> None:
    rows = {row.alias: row for row in ENCODERS}
    found = {found.encoder.alias: found.folder for found in available_encoders()}
    assert found == dict.fromkeys(rows) | {"starter": STARTER_FOLDER}
    clip, clip_b16 = rows["clip"], rows["clip-b16"]
    assert clip.revision
    assert clip_b16.revision
    whole = put_in_cache(cache, clip.name, clip.revision, clip_folder)
    part = put_in_cache(cache, clip_b16.name, clip_b16.revision, clip_folder)
    (part / "model.safetensors").unlink()
    found = {found.encoder.alias: found.folder for found in available_encoders()}
    assert found["clip"] == whole
    assert found["clip-b16"] is None


def test_weights_in_the_cache_are_loaded_without_a_hub(cache: Path, clip_folder: Path) -> None:
    row = next(row for row in ENCODERS if row.alias == "clip")
    assert row.revision
    put_in_cache(cache, row.name, row.revision, clip_folder)
    by_alias, by_name = load_encoder(row.alias), load_encoder(row.name)
    assert by_alias.space == by_name.space
    assert by_alias.space.model == "openai/clip-vit-base-patch32"


def test_a_checkpoint_is_downloaded_once_quietly_and_without_its_pickle(
    cache: Path, hub: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    encoder = load_encoder("maker/model")
    assert encoder.space.model == "maker/model"
    np.testing.assert_allclose(np.linalg.norm(encoder.encode_texts(["street"])), 1, atol=1e-5)
    assert capfd.readouterr() == ("", "")
    assert any(path.endswith("/model.safetensors") for path in hub)
    assert not any("pytorch_model.bin" in path for path in hub)
    hub.clear()
    assert load_encoder("maker/model").space == encoder.space
    assert hub == []


def test_a_checkpoint_the_hub_does_not_have_is_refused(hub: list[str]) -> None:
    with pytest.raises(
        EncoderError, match=r"no checkpoint 'maker/other' .* check the name"
    ) as caught:
        load_encoder("maker/other")
    assert not isinstance(caught.value, EncoderUnavailableError)


def test_fetching_brings_a_checkpoint_once_and_finds_the_packaged_one(hub: list[str]) -> None:
    folder = fetch_encoder("maker/model")
    assert (folder / "model.safetensors").is_file()
    hub.clear()
    assert fetch_encoder("maker/model") == folder
    assert fetch_encoder("starter") == STARTER_FOLDER
    assert hub == []
    with pytest.raises(EncoderError, match="did you mean 'starter'"):
        fetch_encoder("startr")
    with pytest.raises(EncoderUnavailableError, match="google/vit-base-patch16-224-in21k are not"):
        fetch_encoder("vit-b16", download=False)


def test_a_student_computes_in_float32_alone() -> None:
    with pytest.raises(EncoderError, match="mastershot/starter computes only in float32, not in"):
        load_encoder("starter", precision="bfloat16")


def test_importing_the_catalogue_imports_no_heavy_library() -> None:
    code = (
        "import sys, mastershot.encoders.catalogue, mastershot.labelling.weak_labels; "
        "print([m for m in ('torch', 'transformers', 'huggingface_hub') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def hub(clip_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A hub of one checkpoint, maker/model; the paths that were asked of it."""
    shutil.copytree(clip_folder, tmp_path / "served")
    (tmp_path / "served" / "pytorch_model.bin").write_bytes(b"not to be fetched")
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Hub, tmp_path / "served", asked))
    Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", endpoint)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        endpoint + "/{repo_id}/resolve/{revision}/{filename}",
    )
    yield asked
    server.shutdown()
    server.server_close()


class _Hub(BaseHTTPRequestHandler):
    """Answers the four questions that a download asks."""

    def __init__(self, folder: Path, asked: list[str], *rest: object) -> None:
        self.folder, self.asked = folder, asked
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None:
        """Write nothing to the terminal."""

    def _answer(self, *, with_body: bool) -> None:
        self.asked.append(path := self.path.partition("?")[0])
        files = sorted(self.folder.iterdir())
        if path.startswith("/api/models/maker/model/tree/"):
            tree = [
                {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": f.name}
                for f in files
            ]
            body = json.dumps(tree).encode()
        elif path.startswith("/api/models/maker/model"):
            body = json.dumps({"id": "maker/model", "sha": COMMIT, "siblings": []}).encode()
        elif path.startswith(f"/maker/model/resolve/{COMMIT}/"):
            body = (self.folder / path.rpartition("/")[2]).read_bytes()
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{path.rpartition("/")[2]}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)
