"""Is training on weak labels worth it? Seven recognisers on films whose places are known.

    python bench/recogniser_study.py --work DIR                # everything; resumes
    python bench/recogniser_study.py --work DIR --stages data  # films and labels only
    python bench/recogniser_study.py --work DIR --stages train --corpora drawn --networks i3d

The photographs come from MASTERSHOT_DATA. Stages: ``data`` makes the films (`study_corpora.py`)
and their weak labels (`study_labels.py`), ``train`` the runs (`study_runs.py`) and baselines
(`study_baselines.py`), ``report`` writes bench/results/recogniser_study.{md,json}
(`study_table.py`). How the 24 classes were chosen: `study_classes.py`.
"""

import argparse
import os
import sys
from pathlib import Path

from study_baselines import score_baselines
from study_corpora import MAKERS
from study_labels import label_corpus
from study_runs import LABELS, NETWORKS, SEEDS, plan_runs, train_all
from study_table import make_rows, write_report

STAGES = ("data", "train", "report")
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("mastershot-runs/study"))
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--corpora", nargs="+", choices=MAKERS, default=list(MAKERS))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    failed = []
    for name in options.corpora:
        corpus, runs = options.work / name, options.work / "runs" / name
        if "data" in options.stages and not (corpus / "README.txt").exists():
            MAKERS[name](corpus, options.jobs)
            label_corpus(corpus)
        if "train" in options.stages:
            for labels in LABELS:
                score_baselines(corpus, labels, runs)
            planned = list(plan_runs(options.networks, range(options.seeds)))
            failed += train_all(corpus, runs, planned, options.jobs)
    if "report" in options.stages:
        rows = {
            name: make_rows(options.work / name, options.work / "runs" / name, NETWORKS)
            for name in options.corpora
        }
        write_report(rows, options.work, RESULTS)
    if failed:
        sys.exit(f"{len(failed)} runs failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
