"""Late fusion of runs: their scores, joined, as scores of a run of its own."""

from pathlib import Path

import numpy as np

from mastershot.core.errors import SettingError
from mastershot.core.files import make_folder
from mastershot.datasets.tables.tag_scores import read_tag_scores, write_tag_scores
from mastershot.evaluation.fusion import fuse_scores
from mastershot.evaluation.precision import average_precisions
from mastershot.training.engine.metrics_log import MetricsLog
from mastershot.training.engine.run_directory import open_run_directory
from mastershot.training.engine.settings import OnProgress, no_progress
from mastershot.training.probes.settings import FusionRecipe, missing_fusion_inputs

SCORES = "scores"


def fuse_runs(recipe: FusionRecipe, out: Path, on_progress: OnProgress = no_progress) -> Path:
    """Return the folder of the fused scores, one ``<split>.npz`` each.

    Raises:
        SettingError: Scores of a run are missing, or the folder is another recipe's.
        DatasetError: Scores are damaged, or two runs' are not of the same samples.
        OutputError: The folder cannot be written.
    """
    missing = missing_fusion_inputs(recipe)
    if missing:
        raise SettingError(missing[0])
    with open_run_directory(out, recipe, made=(SCORES,)):
        make_folder(out / SCORES)
        figures = {}
        for done, split in enumerate(recipe.splits, 1):
            scores = [read_tag_scores(recipe.score_path(run, split)) for run in recipe.runs]
            fused = fuse_scores(scores, recipe.weights)
            write_tag_scores(out / SCORES / f"{split}.npz", fused)
            precision = np.nanmean(average_precisions(fused.scores, fused.truth))
            figures[f"{split}_map"] = float(precision)
            on_progress("fusing scores", done, len(recipe.splits), {})
        MetricsLog(out).note(0, figures)
    return out / SCORES
