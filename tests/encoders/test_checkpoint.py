import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from mastershot.core.errors import EncoderError
from mastershot.encoders.checkpoint import read_weights

WEIGHTS = {"layer.weight": torch.arange(6.0).view(2, 3)}


def test_weights_are_read_from_safetensors_and_from_what_torch_saves(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "a.safetensors")
    torch.save(WEIGHTS, tmp_path / "a.pth")
    for name in ("a.safetensors", "a.pth"):
        (found,) = read_weights(tmp_path / name).items()
        assert found[0] == "layer.weight"
        assert torch.equal(found[1], WEIGHTS["layer.weight"])


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("ran"),)


def test_a_pickle_that_would_run_code_is_refused_unrun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"weight": Evil()}))
    torch.save({"weight": Evil()}, tmp_path / "a.pth")
    for name in ("a.pkl", "a.pth"):
        with pytest.raises(EncoderError, match=rf"{name} cannot be loaded: it holds more than"):
            read_weights(tmp_path / name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"half", b"\x80\x04K\x01."])
def test_damaged_and_missing_weights_are_one_sentence(content: bytes, tmp_path: Path) -> None:
    for name in ("a.safetensors", "a.pth", "b.pth"):
        if name[0] == "a":
            (tmp_path / name).write_bytes(content)
        with pytest.raises(EncoderError, match=f"{name} cannot be loaded") as error:
            read_weights(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("key", ["state_dict", "model_state", "model", "model_state_dict"])
def test_weights_in_the_checkpoint_of_a_training_run_are_found(key: str, tmp_path: Path) -> None:
    torch.save({"epoch": 3, key: WEIGHTS, "optimizer": {"lr": 0.1}}, tmp_path / "a.pth")
    assert list(read_weights(tmp_path / "a.pth")) == ["layer.weight"]


def test_what_is_not_tensors_by_name_is_refused(tmp_path: Path) -> None:
    for value in ({"epoch": 3, **WEIGHTS}, {"model": {"epoch": 3}}, [WEIGHTS["layer.weight"]]):
        torch.save(value, tmp_path / "a.pth")
        with pytest.raises(EncoderError, match="it holds more than tensors by name"):
            read_weights(tmp_path / "a.pth")
