import pytest
import torch
from safetensors.torch import save_file
from tests.factories.distillation import (
    squeezenet_weights,
    write_labelled_table,
    write_pictures,
)

from mastershot.core.errors import SettingError
from mastershot.training.distillation.frames import FramePool, gather_frames
from mastershot.training.distillation.labels import LabelTeacher, Probe, label_words
from mastershot.training.distillation.settings import FrameSource
from mastershot.training.distillation.teachers import SqueezeNetTeacher


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> SqueezeNetTeacher:
    path = tmp_path_factory.mktemp("teacher") / "squeezenet.safetensors"
    save_file(squeezenet_weights(), path)
    return SqueezeNetTeacher(path, tuple("abcdefg"))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> FramePool:
    """Eight frames labelled red_room or sea-coast, then three without a label."""
    folder = tmp_path_factory.mktemp("pool")
    write_labelled_table(folder / "t.parquet", count=8, labels=("sea-coast", "red_room"))
    write_pictures(folder / "pictures", count=3)
    return gather_frames(
        (FrameSource(str(folder / "t.parquet")), FrameSource(str(folder / "pictures"))), folder
    )


def teacher_of(pool: FramePool, source: SqueezeNetTeacher, trust: float = 0.9) -> LabelTeacher:
    return LabelTeacher(pool, torch.ones(len(pool), dtype=torch.bool), source, trust=trust)


def test_labels_are_words_and_frames_without_one_have_none(
    pool: FramePool, source: SqueezeNetTeacher
) -> None:
    teacher = teacher_of(pool, source)
    assert teacher.concepts == ("red room", "sea coast")
    assert teacher.given.tolist() == [1, 0] * 4 + [-1] * 3
    assert label_words("subway_station-platform") == "subway station platform"


def test_the_probe_tells_the_labels_apart(pool: FramePool, source: SqueezeNetTeacher) -> None:
    logits = teacher_of(pool, source).targets(pool.images(torch.arange(8))).logits
    assert logits.argmax(1).tolist() == [1, 0] * 4


def test_a_target_is_the_label_by_its_trust_and_else_the_probes_opinion(
    pool: FramePool, source: SqueezeNetTeacher
) -> None:
    teacher, rows = teacher_of(pool, source, trust=0.8), torch.tensor([0, 1, 9])
    images = pool.images(torch.tensor([1, 1, 1]))
    last = source.targets(images).last
    assert last is not None
    targets = teacher.targets_of_rows(rows, last).logits.exp()
    opinion = teacher.targets(images).logits.softmax(1)
    given = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    torch.testing.assert_close(targets[:2], 0.8 * given + 0.2 * opinion[:2])
    torch.testing.assert_close(targets[2], opinion[2])


def test_frames_held_out_do_not_fit_the_probe(pool: FramePool, source: SqueezeNetTeacher) -> None:
    kept = torch.ones(len(pool), dtype=torch.bool)
    kept[[1, 3, 5, 7]] = False
    with pytest.raises(SettingError, match="two labels at least; 4 frames to train on have 1"):
        LabelTeacher(pool, kept, source, trust=0.9)


def test_a_probe_is_softmax_regression_of_standardised_features() -> None:
    generator = torch.Generator().manual_seed(0)
    truth = torch.arange(90) % 3
    features = torch.randn(90, 4, generator=generator) * torch.tensor([1.0, 9.0, 0.1, 1.0])
    features[:, 2] += truth
    probe = Probe.fit(features, truth, 3)
    assert (probe.logits(features).argmax(1) == truth).float().mean() > 0.9
    scaled = Probe.fit(features * 7 + 3, truth, 3)
    torch.testing.assert_close(
        scaled.logits(features * 7 + 3), probe.logits(features), rtol=1e-2, atol=1e-2
    )
