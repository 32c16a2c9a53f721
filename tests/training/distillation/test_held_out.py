from pathlib import Path

import pytest
import torch
from tests.factories.distillation import (
    squeezenet_weights,
    tiny_training,
    write_pictures,
    write_squeezenet,
)

from mastershot.core.errors import SettingError
from mastershot.encoders.images import prepare_frames
from mastershot.encoders.starter import student_preparation
from mastershot.models.fire_net import FireNet, SqueezeNetPlaces
from mastershot.training.distillation.frames import FramePool, gather_frames
from mastershot.training.distillation.held_out import (
    AgreementEvaluation,
    HeldOut,
    chances,
    held_out,
    hold_out,
    read_labelled,
)
from mastershot.training.distillation.module import Distillation
from mastershot.training.distillation.settings import FrameSource, HeldOutSettings, find_list
from mastershot.training.distillation.teachers import load_teacher


@pytest.fixture
def sources(tmp_path: Path) -> tuple[FrameSource, ...]:
    one = write_pictures(tmp_path / "one", count=8)
    other = write_pictures(tmp_path / "other", count=4, seed=1)
    return FrameSource(str(one), share=3.0), FrameSource(str(other), share=1.0)


@pytest.fixture
def pool(tmp_path: Path, sources: tuple[FrameSource, ...]) -> FramePool:
    return gather_frames(sources, tmp_path)


def held_rows(*rows: int, count: int = 12) -> HeldOut:
    mask = torch.zeros(count, dtype=torch.bool)
    mask[list(rows)] = True
    return HeldOut(mask, {})


def test_the_share_held_out_is_that_of_the_names_and_the_same_everywhere() -> None:
    names = [f"{number}.jpg" for number in range(20_000)]
    assert sum(held_out(name, 0.03) for name in names) == pytest.approx(600, abs=75)
    assert [name for name in names[:90] if held_out(name, 0.03)] == ["65.jpg", "70.jpg"]
    assert not any(held_out(name, 0.0) for name in names)


def test_listed_frames_are_held_out_with_their_labels(tmp_path: Path, pool: FramePool) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("name,label\n002.png,kitchen\n005.png,\n")
    held = hold_out(pool, HeldOutSettings(0.0, str(listed)))
    assert [pool.names[row] for row in held.rows] == ["002.png", "005.png", "002.png"]
    assert held.labels == {2: "kitchen", 10: "kitchen"}
    assert held.mask.nonzero().flatten().tolist() == held.rows.tolist()


def test_where_nothing_is_held_out_agreement_cannot_be_measured(pool: FramePool) -> None:
    with pytest.raises(SettingError, match=r"none of 12 frames is held out; raise held_out\.share"):
        hold_out(pool, HeldOutSettings(0.0))


def test_the_list_of_the_starter_ships() -> None:
    listed = read_labelled(find_list("distil/places15.csv"))
    assert len(listed) == 300
    assert len({label for label in listed.values() if label}) == 15


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "needs a first line with the columns name and label"),
        (b"name,place\na,b\n", "needs a first line with the columns name and label"),
        (b"name,label\n\xff\xfe,a\n", "cannot be read as CSV"),
    ],
)
def test_a_list_that_cannot_be_read_is_reported(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "list.csv").write_bytes(content)
    with pytest.raises(SettingError, match=sentence):
        read_labelled(tmp_path / "list.csv")


def test_sources_are_drawn_by_their_shares_and_held_out_frames_never(
    pool: FramePool, sources: tuple[FrameSource, ...]
) -> None:
    drawn = chances(pool, sources, held_rows(0, 1, 9))
    expected = [0.0, 0.0, *[3 / 6] * 6, 1 / 3, 0.0, *[1 / 3] * 2]
    assert drawn.tolist() == pytest.approx(expected)


def test_a_source_that_is_held_out_wholly_is_reported(
    pool: FramePool, sources: tuple[FrameSource, ...]
) -> None:
    with pytest.raises(SettingError, match=r"all frames of .*other are held out"):
        chances(pool, sources, held_rows(8, 9, 10, 11))


def test_agreement_is_that_of_a_plain_loop(
    tmp_path: Path, pool: FramePool, sources: tuple[FrameSource, ...]
) -> None:
    settings = write_squeezenet(tmp_path)
    teachers = [(load_teacher(settings, str(tmp_path)), settings)]
    torch.manual_seed(0)
    network = FireNet(7)
    module = Distillation(network, teachers, tiny_training())
    rows = (0, 2, 3, 5, 6, 7, 10)
    evaluation = AgreementEvaluation(pool, held_rows(*rows), teachers, sources)
    found = evaluation.agreement(network, module)
    hits = {"one": [], "other": []}
    network.eval()
    for row in rows:
        frame = torch.from_numpy(pool.squares[[row]]).permute(0, 3, 1, 2).float()

        def sized(side_px: int, frame: torch.Tensor = frame) -> torch.Tensor:
            return torch.nn.functional.interpolate(
                frame, (side_px, side_px), mode="bilinear", antialias=True
            )

        with torch.inference_mode():
            best = int(SqueezeNetPlaces(squeezenet_weights()).maps(sized(224)).logits.argmax())
            # As the encoder prepares it: whole bytes between the passes.
            small = student_preparation(32)
            order = network(prepare_frames(pool.squares[[row]], small))[0]
            order = order.argsort(descending=True).tolist()
        hits["one" if row < 8 else "other"].append(order.index(best))
    for agreement in found:
        places = hits[agreement["source"]]
        assert agreement["num_frames"] == len(places)
        assert agreement["top1"] == round(sum(place < 1 for place in places) / len(places), 4)
        assert agreement["top5"] == round(sum(place < 5 for place in places) / len(places), 4)
        assert agreement["teacher"] == "squeezenet.safetensors"
    assert [agreement["source"] for agreement in found] == ["one", "other"]


def test_the_network_keeps_its_mode_and_sources_without_a_frame_are_left_out(
    tmp_path: Path, pool: FramePool, sources: tuple[FrameSource, ...]
) -> None:
    settings = write_squeezenet(tmp_path)
    teachers = [(load_teacher(settings, str(tmp_path)), settings)]
    network = FireNet(7)
    module = Distillation(network, teachers, tiny_training())
    before = network.stem_norm.running_mean.clone()
    evaluation = AgreementEvaluation(pool, held_rows(1), teachers, sources)
    found = evaluation.agreement(network, module)
    assert [agreement["source"] for agreement in found] == ["one"]
    assert network.training
    assert torch.equal(network.stem_norm.running_mean, before)
