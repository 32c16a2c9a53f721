"""The training subset of a data set, split by film and written as released (METHODS A5)."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mastershot import __version__
from mastershot.core.errors import DatasetError, OutputError, SettingError
from mastershot.core.files import make_folder, written_whole
from mastershot.core.labels import Taxonomy, load_taxonomy
from mastershot.core.text import utf8_text
from mastershot.datasets import movieclip
from mastershot.datasets.clip_films import ClipFilms
from mastershot.datasets.files import read_text
from mastershot.datasets.tables.records import LabelledShot
from mastershot.datasets.tables.scored import ScoredDataset
from mastershot.labelling.selection import (
    Subset,
    all_classes,
    keep_common_classes,
    select_subset,
)
from mastershot.labelling.splits import (
    MOVIECLIP_RATIOS,
    SplitOverlap,
    require_ratios,
    split_by_film,
    split_overlaps,
)
from mastershot.labelling.weak_labels import KeepRule

SELECTION_FILE = "selection.json"


@dataclass(frozen=True)
class SelectionSettings:
    """How a training subset is chosen; the defaults are MovieCLIP's.

    Attributes:
        min_best: A shot is kept when its best score is at least this.
        above: Its further labels are kept when their score is higher than this.
        index: The classes: a shipped or own list of labels, an index in JSON, ``all``, or
            ``min-shots:N`` for all labels with at least N shots.
        ratios: Share of the films of each split, by name.
        seed: Settles which film is in which split.
    """

    min_best: float = 0.4
    above: float = 0.1
    index: str = "movieclip-150"
    ratios: Mapping[str, float] = field(default_factory=lambda: MOVIECLIP_RATIOS)
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in (("top-1", self.min_best), ("other", self.above)):
            if not 0 <= value <= 1:
                raise SettingError(f"the {name} threshold is {value:g}; scores go from 0 to 1")
        require_ratios(self.ratios)


@dataclass(frozen=True)
class Selection:
    """A training subset in splits.

    Attributes:
        subset: All its shots, and how many were left out.
        splits: The shots of each split.
        overlaps: What each two splits share, and each with the verified shots, if any.
    """

    subset: Subset
    splits: Mapping[str, tuple[LabelledShot, ...]]
    overlaps: tuple[SplitOverlap, ...]


def parse_ratios(text: str) -> dict[str, float]:
    """Return the splits that ``0.7,0.2,0.1`` or ``train=0.8,test=0.2`` names.

    Raises:
        SettingError: A part is no number, a name comes twice or could not be a file's, or there
            are more numbers than ``train``, ``val`` and ``test``.
    """
    ratios: dict[str, float] = {}
    names = iter(MOVIECLIP_RATIOS)
    for part in text.split(","):
        name, _, number = part.rpartition("=")
        name = name.strip() or next(names, "")
        try:
            ratio = float(number)
        except ValueError:
            ratio = 0.0
        if not name.isidentifier() or name in ratios or not ratio:
            raise SettingError(
                f"splits {text!r} mean nothing; write shares of train, val and test such as "
                "0.7,0.2,0.1, or names of your own such as train=0.8,test=0.2"
            )
        ratios[name] = ratio
    require_ratios(ratios)
    return ratios


def select_training_set(
    dataset: ScoredDataset,
    settings: SelectionSettings | None = None,
    *,
    films: ClipFilms | None = None,
    verified: tuple[LabelledShot, ...] = (),
) -> Selection:
    """Return the training subset of a data set in splits that share no film (METHODS A5).

    Args:
        dataset: The scored shots.
        settings: How they are chosen; as MovieCLIP did if not given.
        films: Which film each clip is of; if not given, each clip is one of its own.
        verified: Shots that people verified; none of their clips is taken.

    Raises:
        DatasetError: No shot is chosen, a class is unknown, or there are too few films to split.
    """
    settings = settings or SelectionSettings()
    classes, min_shots = read_classes(settings.index, dataset.taxonomy)
    subset = select_subset(
        dataset.batches(),
        dataset.taxonomy,
        classes,
        keep=KeepRule(settings.min_best, settings.above),
        held_out_clips={shot.video for shot in verified},
    )
    if not subset.shots:
        raise DatasetError(
            f"none of {subset.num_shots} shots is chosen: {subset.num_unsure} have no score of "
            f"{settings.min_best:g} or more, {subset.num_outside} have no label of the index, "
            f"{subset.num_held_out} are of verified clips"
        )
    if min_shots:
        subset = keep_common_classes(subset, min_shots=min_shots)
    film_of_clip = None if films is None else films.film_of_clip
    splits = split_by_film(subset.shots, film_of_clip, ratios=settings.ratios, seed=settings.seed)
    for name, shots in splits.items():
        if not shots:
            raise DatasetError(
                f"split {name!r} gets no film: there are too few to share out; take fewer splits "
                "or label more films"
            )
    parts = {**splits, movieclip.HUMAN_VERIFIED: verified} if verified else splits
    return Selection(subset, splits, split_overlaps(parts, film_of_clip))


def write_selection(
    selection: Selection, settings: SelectionSettings, out: Path, dataset: Path | None = None
) -> None:
    """Write the splits and the index as released, and how they were made, to a folder.

    The splits of an earlier selection there are removed first, so that two are never mixed. The
    place of the data set is noted, so that training finds its films.

    Raises:
        DatasetError: A name cannot stand in a split file.
        OutputError: The folder cannot be written.
    """
    make_folder(out)
    _remove_selection(out)
    movieclip.write_index(out / movieclip.INDEX_FILE, selection.subset.classes)
    for name, shots in selection.splits.items():
        movieclip.write_split(out / f"{name}.txt", shots)
    with written_whole(out / SELECTION_FILE) as file:
        facts = selection_facts(selection, settings)
        if dataset is not None:
            facts["dataset"] = utf8_text(str(dataset.resolve()))
        json.dump(facts, file, indent=1)
        file.write("\n")


def _remove_selection(out: Path) -> None:
    """Remove the splits that an earlier selection wrote to the folder."""
    path = out / SELECTION_FILE
    if not path.is_file():
        return
    try:
        names = list(json.loads(read_text(path, what="selection"))["splits"])
        splits = [out / f"{name}.txt" for name in names if Path(name).name == name]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise OutputError(
            f"{path} is not what an earlier selection wrote; name another folder"
        ) from error
    for old in (*splits, path):
        old.unlink(missing_ok=True)


def selection_facts(selection: Selection, settings: SelectionSettings) -> dict[str, object]:
    """Return what a selection is and how it was made, as JSON takes it."""
    subset = selection.subset
    return {
        "version": __version__,
        "settings": {**vars(settings), "ratios": dict(settings.ratios)},
        "num_shots": subset.num_shots,
        "num_selected": len(subset.shots),
        "num_unsure": subset.num_unsure,
        "num_outside": subset.num_outside,
        "num_held_out": subset.num_held_out,
        "num_classes": len(subset.classes),
        "multi_label_share": subset.multi_label_share,
        "splits": {name: len(shots) for name, shots in selection.splits.items()},
        "overlaps": [asdict(overlap) for overlap in selection.overlaps],
    }


def read_classes(index: str, taxonomy: Taxonomy) -> tuple[Taxonomy, int]:
    """Return the classes that an index as in `SelectionSettings` names, and N of ``min-shots:N``.

    Raises:
        SettingError: N is no number of 1 or more.
        TaxonomyError: The index is unknown, unreadable, empty or repeats a label.
        DatasetError: Its file is JSON but no index.
    """
    kind, _, number = index.partition(":")
    if index == "all":
        return all_classes(taxonomy), 0
    if kind == "min-shots":
        if not number.isdecimal() or not int(number):
            raise SettingError(
                f"index {index!r} means nothing; write min-shots:N with N of 1 or more"
            )
        return all_classes(taxonomy), int(number)
    if Path(index).suffix == ".json":
        start = ""
        with suppress(OSError, UnicodeDecodeError):
            start = Path(index).read_text("utf-8-sig").lstrip()[:1]
        if start != "[":  # which starts a taxonomy's file, a list of labels
            return movieclip.read_index(index), 0
    return load_taxonomy(index), 0
