"""The recogniser study's training runs: each is one `mastershot run`, in one thread."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

NETWORKS = (
    "resnet18", "slowfast", "r2plus1d", "i3d", "timesformer", "video-swin", "lstm-vit",
    "lstm-places",
)  # fmt: skip
"""The single-frame ResNet-18 is first: LSTM-Places reads its features, of the same labels and seed,
in the place of a ResNet-18 of Places2; LSTM-ViT reads the starter's, in the place of a ViT's."""
LABELS = ("weak", "true")
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Run:
    """A recogniser, the labels it learns from, and its seed."""

    network: str
    labels: str
    seed: int

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.network}-{self.labels}-{self.seed}"

    def command(self, corpus: Path, out: Path) -> list[str]:
        """Return the command that trains it; given again it resumes, or finds it finished."""
        cache = "vectors.cache=" if self.network.startswith("lstm") else "clips.cache="
        settings = [
            cache if self.network == "lstm-places" else f"{cache}cache",
            f"data={corpus.resolve()}",
            f"splits=splits/{self.labels}",
            "shots=shots.csv",
            "scored=[test]",
            f"training.seed={self.seed}",
        ]
        if self.network == "lstm-places":
            encoder = out / Run("resnet18", self.labels, self.seed).name / "recogniser"
            settings.append(f"vectors.encoder={encoder.resolve()}")
        recipe = f"debug/movieclip-{self.network}"
        start = [sys.executable, "-m", "mastershot", "run", recipe, *settings]
        return [*start, "--out", str(out / self.name), "--quiet"]


def plan_runs(networks: Sequence[str], seeds: Sequence[int]) -> Iterator[Run]:
    """Yield the runs, all networks at the first seed first."""
    for seed in seeds:
        for network in networks:
            for labels in LABELS:
                yield Run(network, labels, seed)


def train_all(corpus: Path, out: Path, runs: Sequence[Run], jobs: int) -> list[str]:
    """Train what is not finished, so many at once, and return the names of those that failed.

    The first run of each cache goes alone, so that no two decode the same films.
    """
    out.mkdir(parents=True, exist_ok=True)
    left = [run for run in runs if not is_finished(out / run.name)]
    first = {cache: run for run in reversed(left) if (cache := _cache_of(run))}
    failed = [run.name for run in first.values() if not _train(corpus, out, run)]
    rest = [run for run in left if run not in first.values()]
    with ThreadPoolExecutor(jobs) as pool:
        for run, done in zip(rest, pool.map(partial(_train, corpus, out), rest), strict=True):
            failed += [] if done else [run.name]
    return failed


def is_finished(run: Path) -> bool:
    """Return True if a run's scores are there; they are written when it has ended."""
    return (run / "scores" / "test.npz").exists() and (run / "seconds.json").exists()


def _cache_of(run: Run) -> str:
    """Return what names the cache that a run fills; empty where it has its own."""
    names = {"resnet18": "frames", "lstm-vit": "vectors", "lstm-places": ""}
    return names.get(run.network, "clips")


def _train(corpus: Path, out: Path, run: Run) -> bool:
    """Return True once the run is finished; its output is in ``<run>.log``."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    began_s = time.perf_counter()
    with (out / f"{run.name}.log").open("a", encoding="utf-8") as log:
        command = run.command(corpus, out)
        code = subprocess.run(command, stdout=log, stderr=log, env=environment, check=False)
    seconds = time.perf_counter() - began_s
    if code.returncode:
        print(f"{run.name} failed; see {out / run.name}.log", flush=True)
        return False
    (out / run.name / "seconds.json").write_text(json.dumps(round(seconds, 1)), "utf-8")
    print(f"{run.name}: {seconds:.0f} s", flush=True)
    return True
