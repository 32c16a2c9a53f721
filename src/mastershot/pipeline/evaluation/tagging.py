"""Recognisers' scores evaluated: from files of scores to a report."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mastershot import __version__
from mastershot.core.errors import DatasetError, SettingError
from mastershot.core.files import make_folder, written_whole
from mastershot.datasets.movieclip import HUMAN_VERIFIED
from mastershot.datasets.tables.tag_scores import TagScores, read_tag_scores
from mastershot.evaluation.tagging import evaluate_tagging
from mastershot.exports.evaluation import tagging_facts, tagging_markdown, tagging_table
from mastershot.exports.pages.evaluation import write_tagging_page
from mastershot.pipeline.evaluation.inputs import SCHEMA, Evaluated, Inputs
from mastershot.pipeline.evaluation.truth import read_truth, with_truth

PREFERRED_SPLITS = (HUMAN_VERIFIED, "test")
"""What is evaluated of a run if no split is named: the first of these that it has scores of."""


def evaluate_tagging_files(inputs: Inputs) -> Evaluated:
    """Evaluate the scores of runs, and files of scores; each is compared with the first.

    With ``out``, write ``evaluation.json``, ``evaluation.md`` and ``evaluation.html`` there.

    Raises:
        DatasetError: Scores are missing or damaged, or sets of them are not of the same samples.
        SettingError: One file is given twice.
        OutputError: The report cannot be written.
    """
    paths = [scores_of_run(run, inputs.split) for run in inputs.runs] + list(inputs.features)
    names = _names_of([*inputs.runs, *inputs.features])
    sets, notes = _read_sets(dict(zip(names, paths, strict=True)), inputs.truth)
    results = evaluate_tagging(sets, seed=inputs.seed)
    sources = {
        name: {"scores": str(path), "made_by": dict(sets[name].made_by)}
        for name, path in zip(names, paths, strict=True)
    }
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "task": "tagging",
        "version": __version__,
        "seed": inputs.seed,
        "truth": None if inputs.truth is None else str(inputs.truth),
        "notes": notes,
        "results": [sources[result.name] | tagging_facts(result) for result in results],
    }
    lines = [*tagging_table(results), *notes]
    if inputs.out is not None:
        make_folder(inputs.out)
        with written_whole(inputs.out / "evaluation.json") as file:
            json.dump(facts, file, indent=1, ensure_ascii=False)
            file.write("\n")
        with written_whole(inputs.out / "evaluation.md") as file:
            file.write(tagging_markdown(results, notes=notes))
        write_tagging_page(results, inputs.out / "evaluation.html", notes=notes)
        lines.append(f"→ {inputs.out / 'evaluation.html'}")
    return Evaluated(facts, tuple(lines))


def scores_of_run(run: Path, split: str | None = None) -> Path:
    """Return the file of scores of a run's split.

    Raises:
        DatasetError: The run has no scores of it, or of none of `PREFERRED_SPLITS`.
    """
    folder = run / "scores"
    found = sorted(path.stem for path in folder.glob("*.npz"))
    if not found:
        raise DatasetError(f"run {run} holds no scores; a finished one has {folder}/<split>.npz")
    wanted = PREFERRED_SPLITS if split is None else (split,)
    for name in wanted:
        if name in found:
            return folder / f"{name}.npz"
    raise DatasetError(
        f"run {run} has no scores of {' or '.join(wanted)}; it has {', '.join(found)}: name one "
        "with --split"
    )


def _names_of(paths: list[Path]) -> list[str]:
    """Return what each run or file is called: its name, or its path where names repeat."""
    short = [path.stem if path.suffix == ".npz" else path.resolve().name for path in paths]
    names = short if len(set(short)) == len(short) else [str(path) for path in paths]
    for name in names:
        if names.count(name) > 1:
            raise SettingError(f"{name} is given twice")
    return names


def _read_sets(
    paths: Mapping[str, Path], truth_path: Path | None
) -> tuple[dict[str, TagScores], list[str]]:
    """Return the scores by name, with other true labels if given, and notes on those."""
    sets = {name: read_tag_scores(path) for name, path in paths.items()}
    if truth_path is None:
        return sets, []
    truth, notes = read_truth(truth_path), []
    for name, scores in sets.items():
        judged = with_truth(scores, truth)
        sets[name] = judged.scores
        notes.append(
            f"{name}: {len(judged.scores):,} samples have true labels in {truth_path.name}; "
            f"{judged.num_without_truth:,} scored samples have none, and "
            f"{judged.num_without_scores:,} labelled samples have no scores"
        )
    return sets, notes
