"""The table of downstream tasks: what each asks, how its probe is trained, and the metric.

Probes are those of Movies2Scenes (Chen et al., CVPR 2023, section 4 and supplement, Table 1;
METHODS B6): two hidden layers of 512.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

from mastershot.core.errors import SettingError
from mastershot.datasets.benchmarks.moderation import CLASSES as MODERATION_CLASSES
from mastershot.datasets.lvu import REGRESSION
from mastershot.evaluation.downstream.published import (
    LVU,
    MODERATION,
    PLACE_TAGS,
    RETRIEVAL,
    SCENE_BOUNDARIES,
    Published,
)

Dataset = Literal["lvu", "movienet", "moderation"]
Head = Literal["class", "value", "tags", "boundaries", "neighbours"]
Metric = Literal["accuracy", "mse", "map", "ap", "precision"]


@dataclass(frozen=True)
class Probe:
    """How a probe is trained: by SGD without momentum, a multilayer perceptron.

    Attributes:
        learning_rate: Of every step; no schedule is published.
        batch_size: Items a step.
        epochs: At most so many; the one that is best on the validation items is kept.
        dropout: Share of each hidden layer that is left out in training.
        hidden: Width of the two hidden layers.
        patience: Training stops after so many epochs without a better one; ours, to save time.
    """

    learning_rate: float
    batch_size: int
    epochs: int
    dropout: float
    hidden: int = 512
    patience: int = 50


@dataclass(frozen=True)
class DownstreamTask:
    """A row of the table.

    Attributes:
        name: What ``mastershot evaluate --task`` calls it.
        about: What is asked of an item.
        dataset: Whose labels they are.
        labels: What the data set calls them.
        inputs: What an item is, and so what features are of.
        head: What answers: a probe with a class, a value or any number of tags; boundaries between
            scenes; or the nearest neighbours, without a probe.
        probe: How the probe is trained; None without one.
        metric: By what it is judged.
        classes: Names of the classes, where the task fixes them.
        published: Figures of papers.
    """

    name: str
    about: str
    dataset: Dataset
    labels: str
    inputs: str
    head: Head
    probe: Probe | None
    metric: Metric
    classes: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()

    @property
    def is_better_high(self) -> bool:
        """Whether a higher figure is a better one."""
        return self.metric != "mse"


_CLIP = "a clip, by its YouTube id"


def _lvu(name: str, about: str, probe: Probe, *, labels: str = "") -> DownstreamTask:
    is_value = name in REGRESSION
    return DownstreamTask(
        f"lvu/{name}", about, "lvu", labels or name, _CLIP, "value" if is_value else "class",
        probe, "mse" if is_value else "accuracy", published=LVU[name],
    )  # fmt: skip


_ROWS = (
    _lvu("relationship", "how two people are related", Probe(0.01, 16, 400, 0.5)),
    _lvu("way_speaking", "how people speak", Probe(0.1, 256, 400, 0.1)),
    _lvu("place", "where it is", Probe(0.1, 128, 400, 0.1), labels="scene"),
    _lvu("director", "who directed the film", Probe(1.0, 256, 400, 0.5)),
    _lvu("writer", "who wrote the film", Probe(0.5, 32, 400, 0.25)),
    _lvu("year", "the decade of the film", Probe(0.1, 128, 400, 0.75)),
    _lvu("genre", "the genre of the film", Probe(0.1, 256, 400, 0.1)),
    _lvu("view_count", "how often it was viewed: ln(views) - 11.764", Probe(0.01, 16, 500, 0.8)),
    _lvu("like_ratio", "how it is liked: 10 likes / votes - 9.138", Probe(0.1, 16, 500, 0.5)),
    DownstreamTask(
        "place-tags", "the places of a scene, of 90", "movienet", "place_tag",
        "a scene, by its id in the annotations", "tags", Probe(5.0, 512, 200, 0.25), "map",
        published=PLACE_TAGS,
    ),
    DownstreamTask(
        "scene-boundaries", "whether a scene ends between the middle two of four shots", "movienet",
        "scene", "a film's shots, by its IMDb id", "boundaries", Probe(0.03, 4096, 800, 0.8), "ap",
        published=SCENE_BOUNDARIES,
    ),
    # The paper gives the layers of this probe alone; how it is trained is ours.
    DownstreamTask(
        "moderation", "sex, violence, drug use, or none of them", "moderation", "label",
        "a clip, by its name in the list", "class", Probe(0.1, 256, 400, 0.5), "ap",
        MODERATION_CLASSES, MODERATION,
    ),
    DownstreamTask(
        "retrieval", "whether the nearest clips show the same place", "lvu", "scene", _CLIP,
        "neighbours", None, "precision", published=RETRIEVAL,
    ),
)  # fmt: skip
TASKS: Mapping[str, DownstreamTask] = MappingProxyType({task.name: task for task in _ROWS})
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "lvu/scene": "lvu/place",
        "lvu/speaking": "lvu/way_speaking",
        "lvu/views": "lvu/view_count",
        "lvu/likes": "lvu/like_ratio",
        "movienet/place-tags": "place-tags",
        "movienet/scene-boundaries": "scene-boundaries",
        "lvu/retrieval": "retrieval",
    }
)
"""Other names of tasks."""
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lvu": tuple(name for name in TASKS if name.startswith("lvu/")),
        "all": tuple(TASKS),
    }
)
"""Names that stand for several tasks."""


def tasks_named(name: str, others: tuple[str, ...] = ()) -> tuple[DownstreamTask, ...]:
    """Return the tasks that a name stands for.

    Args:
        name: Of a task or a group.
        others: Names that mean no row of this table, for the message.

    Raises:
        SettingError: There is none.
    """
    if name in GROUPS:
        return tuple(TASKS[one] for one in GROUPS[name])
    found = TASKS.get(ALIASES.get(name, name))
    if found is not None:
        return (found,)
    known = (*others, *GROUPS, *TASKS)
    ends = {one.rpartition("/")[2]: one for one in (*TASKS, *ALIASES)}
    close = get_close_matches(name, (*known, *ALIASES), n=1)
    close = close or [ends[one] for one in get_close_matches(name, ends, n=1)]
    hint = f"did you mean {ALIASES.get(close[0], close[0])!r}? " if close else ""
    raise SettingError(f"task {name!r} is not known; {hint}known are {', '.join(known)}")
