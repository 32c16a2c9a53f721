import re
from dataclasses import replace
from pathlib import Path

import pytest

from mastershot.core.errors import EncoderError
from mastershot.encoders.detectors import packaged
from mastershot.encoders.detectors.packaged import PACKAGED_NETWORKS, YUNET


@pytest.mark.parametrize("network", PACKAGED_NETWORKS, ids=lambda row: row.alias)
def test_the_file_of_a_row_is_the_one_that_it_describes(network: packaged.PackagedNetwork) -> None:
    assert len(network.read()) == network.size_bytes


@pytest.mark.parametrize("network", PACKAGED_NETWORKS, ids=lambda row: row.alias)
def test_the_notice_states_the_licence_of_each_whose_text_ships(
    network: packaged.PackagedNetwork,
) -> None:
    root = Path(__file__).parents[3]
    (part,) = (one for one in (root / "NOTICE").read_text().split("\n\n") if network.file in one)
    words = " ".join(part.split())
    if network.licence == "MIT":
        assert re.search(r"MIT licence, copyright \(c\) 20\d\d \w", words)
    else:
        assert f"{network.licence} (licences/{network.licence}.txt)" in words
        assert "TERMS AND CONDITIONS" in (root / f"licences/{network.licence}.txt").read_text()


def test_a_missing_file_is_one_sentence() -> None:
    with pytest.raises(EncoderError, match=r"gone\.onnx cannot be read.*leave out step people"):
        replace(YUNET, file="gone.onnx").read()


def test_a_damaged_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / YUNET.file).write_bytes(YUNET.read()[:-1])
    monkeypatch.setattr(packaged, "_FOLDER", tmp_path)
    with pytest.raises(EncoderError, match=r"is damaged: its 229,737 bytes are not the 229,738"):
        YUNET.read()
