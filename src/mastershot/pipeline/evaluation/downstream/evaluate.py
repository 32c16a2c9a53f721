"""``mastershot evaluate`` on downstream tasks: from the command's inputs to a report."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mastershot import __version__
from mastershot.core.errors import SettingError
from mastershot.core.files import make_folder, written_whole
from mastershot.evaluation.downstream.items import FitProbes
from mastershot.evaluation.downstream.results import TaskResult
from mastershot.evaluation.downstream.tasks import DownstreamTask
from mastershot.exports.downstream import downstream_lines, downstream_markdown, task_facts
from mastershot.exports.pages.downstream import write_downstream_page
from mastershot.exports.pages.items import ITEMS_PAGE, write_items_page
from mastershot.pipeline.evaluation.downstream.labels import read_task_labels
from mastershot.pipeline.evaluation.downstream.measure import MeasureSettings, measure_task
from mastershot.pipeline.evaluation.downstream.pictures import library_pictures
from mastershot.pipeline.evaluation.downstream.vectors import (
    ItemVectors,
    encoded_vectors,
    library_rows,
    mean_vectors,
    read_rows,
    side_by_side,
)
from mastershot.pipeline.evaluation.inputs import SCHEMA, Evaluated, Inputs

DEFAULT_DATA = Path("data")
MOST_SEEDS = 1000
VectorsOf = Callable[[Sequence[str]], ItemVectors]


def evaluate_downstream(name: str, tasks: Sequence[DownstreamTask], inputs: Inputs) -> Evaluated:
    """Evaluate features, runs or an encoder on tasks; rows are compared with the first.

    With ``out``, write ``evaluation.json``, ``.md`` and ``.html``, and ``items.html`` there.

    Args:
        name: What was asked for.
        tasks: The tasks it stands for.
        inputs: What is evaluated.

    Raises:
        MastershotError: The inputs cannot be evaluated.
    """
    measure = task_measurer(name, inputs)
    results = []
    for done, task in enumerate(tasks):
        inputs.on_task(task.name, done, len(tasks))
        results.append(measure(task))
    return report(name, results, inputs)


def task_measurer(name: str, inputs: Inputs) -> Callable[[DownstreamTask], TaskResult]:
    """Return what measures a task of clips or scenes, for the inputs of ``--task`` of a name.

    Raises:
        MastershotError: The inputs cannot be evaluated; or, from what is returned, on that task.
    """
    check_seeds(inputs)
    if inputs.fit is None:
        raise SettingError(f"task {name} trains probes; give what trains them (fit)")
    settings = MeasureSettings(
        tuple(range(inputs.num_seeds)), inputs.split, inputs.common, inputs.seed
    )
    return partial(_measured, inputs, inputs.fit, settings, _sources(inputs))


def _measured(
    inputs: Inputs,
    fit: FitProbes,
    settings: MeasureSettings,
    sources: Sequence[VectorsOf],
    task: DownstreamTask,
) -> TaskResult:
    labels = read_task_labels(task, inputs.data or DEFAULT_DATA, inputs.missing_labels)
    wanted = [item for items in labels.splits.values() for item in items.names]
    rows = _named([vectors(wanted) for vectors in sources])
    if inputs.side_by_side:
        rows.append(side_by_side(rows[-len(inputs.views) :], common=inputs.common))
    return measure_task(task, labels, rows, fit, settings)


def check_seeds(inputs: Inputs) -> None:
    """Raise a `SettingError` where there are no probes to train, or too many."""
    if not 1 <= inputs.num_seeds <= MOST_SEEDS:
        raise SettingError(f"seeds is {inputs.num_seeds}; it must be from 1 to {MOST_SEEDS}")


def _sources(inputs: Inputs) -> list[VectorsOf]:
    """Return what gives each row's vectors of the items it is asked for."""
    if inputs.encoder and inputs.library is None:
        raise SettingError(
            "an encoder's vectors are those that a library of the clips holds; name it with "
            "--library"
        )
    if inputs.views and inputs.library is None and len(inputs.features) != 1:
        raise SettingError(
            f"a run encodes the shots of one file of features or of a library, and "
            f"{len(inputs.features)} files are given; name one with --features, or --library"
        )
    if inputs.library is not None and not (inputs.views or inputs.encoder):
        raise SettingError(
            "with --library, name the encoder of its vectors (--encoder) or a run (--run)"
        )
    given = len(inputs.views) or len(inputs.features) + bool(inputs.library)
    if inputs.side_by_side and given < 2:
        raise SettingError(
            f"side by side stand the vectors of two runs or more, or of two files; {given} is given"
        )
    sources: list[VectorsOf] = []
    files = [read_rows(path) for path in inputs.features]
    sources += [partial(mean_vectors, rows) for rows in files]
    if inputs.library is not None and inputs.encoder:
        held = library_rows(inputs.library, inputs.encoder, None)
        sources.append(partial(mean_vectors, held))
    for view in inputs.views:
        library = inputs.library
        shots = library_rows(library, inputs.encoder, view) if library else files[0]
        sources.append(partial(encoded_vectors, shots, view))
    return sources


def _named(rows: Sequence[ItemVectors]) -> list[ItemVectors]:
    """Return rows with a number behind names that repeat."""
    names = [row.name for row in rows]
    return [
        ItemVectors(
            row.name if names.count(row.name) == 1 else f"{row.name} ({place})",
            row.vectors,
            row.made_by,
        )
        for place, row in enumerate(rows, 1)
    ]


def not_run_notes(not_run: Mapping[str, str]) -> list[str]:
    """Return a sentence for each task that was not evaluated, from the reasons by task."""
    return [f"task {task} was not evaluated: {reason}" for task, reason in not_run.items()]


def report(
    name: str,
    results: Sequence[TaskResult],
    inputs: Inputs,
    *,
    not_run: Mapping[str, str] = MappingProxyType({}),
    **drawn: Any,
) -> Evaluated:
    """Return results as they are printed; with ``out``, write them there, too.

    Args:
        name: What was asked for.
        results: What was found, at least one.
        not_run: Why other tasks could not be evaluated, by task.
        inputs: What was evaluated.
        drawn: Boundaries along films, for the page of items, as `write_items_page` has them.

    Raises:
        OutputError: They cannot be written.
    """
    notes = not_run_notes(not_run)
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "task": name,
        "version": __version__,
        "seed": inputs.seed,
        "notes": notes,
        "not_run": dict(not_run),
        "results": [task_facts(result) for result in results],
    }
    lines = [*downstream_lines(results), *notes]
    if inputs.out is not None:
        make_folder(inputs.out)
        with written_whole(inputs.out / "evaluation.json") as file:
            json.dump(facts, file, indent=1, ensure_ascii=False)
            file.write("\n")
        with written_whole(inputs.out / "evaluation.md") as file:
            file.write(downstream_markdown(name, results, notes))
        page = inputs.out / "evaluation.html"
        write_downstream_page(name, results, page, notes=notes, items_page=ITEMS_PAGE)
        pictures = library_pictures(inputs.library) if inputs.library else None
        write_items_page(name, results, inputs.out / ITEMS_PAGE, pictures=pictures, **drawn)
        lines += [f"→ {page}", f"→ {inputs.out / ITEMS_PAGE}"]
    return Evaluated(facts, tuple(lines))
