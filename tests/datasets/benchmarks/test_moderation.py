from pathlib import Path

import pytest

from mastershot.core.errors import DatasetError
from mastershot.datasets.benchmarks.moderation import CLASSES, LabelledClip, read_moderation


def table(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, "utf-8")
    return path


def test_a_table_names_clips_labels_splits_and_films(tmp_path: Path) -> None:
    text = "clip,label,split,film\na,sex,train,f\nb,Drug Use,val,g\nc,none,test,\n"
    text += "d,drug_use,test,h\n"
    found = read_moderation(table(tmp_path, text))
    assert found == {
        "train": (LabelledClip("a", 0, "f"),),
        "val": (LabelledClip("b", 2, "g"),),
        "test": (LabelledClip("c", 3, "c"), LabelledClip("d", 2, "h")),
    }


def test_clips_of_one_film_go_to_one_split_in_the_shares_of_the_paper(tmp_path: Path) -> None:
    rows = [f"clip {n},{CLASSES[n % 4]},film {n % 1000}" for n in range(2000)]
    found = read_moderation(table(tmp_path, "clip,label,film\n" + "\n".join(rows)))
    sizes = [len(clips) / 2000 for clips in found.values()]
    assert sizes == pytest.approx([0.7, 0.1, 0.2], abs=0.05)
    films = [{clip.film for clip in clips} for clips in found.values()]
    assert not films[0] & films[1]
    assert not films[0] & films[2]


def test_a_folder_holds_classes_or_splits_of_classes(tmp_path: Path) -> None:
    for split in ("train", "val", "test"):
        for label in ("sex", "none"):
            folder = tmp_path / split / label
            folder.mkdir(parents=True)
            (folder / f"{split}-{label}.mp4").touch()
            (folder / ".hidden").touch()
    found = read_moderation(tmp_path)
    assert found["val"] == (
        LabelledClip("val-none", 3, "val-none"), LabelledClip("val-sex", 0, "val-sex"),
    )  # fmt: skip
    plain = tmp_path / "plain" / "violence"
    plain.mkdir(parents=True)
    for number in range(40):
        (plain / f"{number}.mp4").touch()
    assert sum(map(len, read_moderation(plain.parent).values())) == 40


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clip,label\na,nudity\n", r"line 2: label is 'nudity'; it should be one of sex, violence"),
        ("clip,label\na,sex;violence\n", "label is 'sex;violence'; one label a clip is expected"),
        ("clip,label,split\na,sex,train\na,none,test\n", "clip 'a' is sex in train and none in te"),
        ("clip,label,split\na,sex,dev\n", "line 2: split is 'dev', which should be one of train"),
        ("clip,label\n,sex\n", "line 2: clip is empty"),
        ("clip,label,split\na,sex,train\n", "no clip of 1 is in val"),
        ("clip\na\n", "has no column 'label'"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_moderation(table(tmp_path, text))


def test_a_clip_in_two_folders_and_an_unknown_folder_are_refused(tmp_path: Path) -> None:
    for label in ("sex", "violence"):
        (tmp_path / "two" / label).mkdir(parents=True)
        (tmp_path / "two" / label / "same.mp4").touch()
    with pytest.raises(DatasetError, match=r"clip 'same' is sex in .* and violence in"):
        read_moderation(tmp_path / "two")
    (tmp_path / "odd" / "gore").mkdir(parents=True)
    with pytest.raises(DatasetError, match="label is 'gore'"):
        read_moderation(tmp_path / "odd")
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        read_moderation(tmp_path / "none.csv")
