"""Similarity and scene pairs at the size of a film library of 30,000.

python bench/mining_scale.py co-watch [--events N] | synopsis | pairs [--films N]

Each prints seconds and the peak memory of its process. Views are simulated, by another process:
100,000 viewers and 30,000 films, both with a popularity that falls as 1 / rank^0.7, out of order.
Films have 400 to 1,600 shots of 512 dimensions, read from disk one by one; what 30,000 films would
take is extrapolated from those mined.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv, parquet

from mastershot.core.embeddings import FloatArray
from mastershot.datasets.tables.watch_log import WatchLog
from mastershot.mining.co_watch import CoWatch
from mastershot.mining.library_pairs import mine_library
from mastershot.mining.similarity import CloseSynopses, RandomMovies

NUM_FILMS, NUM_VIEWERS, NUM_PAIRS = 30_000, 100_000, 90_000
FILMS = [f"tt{number:07}" for number in range(NUM_FILMS)]


def popular(rng: np.random.Generator, num_items: int, size: int) -> npt.NDArray[np.int64]:
    shares = np.cumsum(1 / np.arange(1, num_items + 1) ** 0.7)
    return np.searchsorted(shares / shares[-1], rng.random(size))


def write_log(path: Path, num_events: int) -> None:
    rng = np.random.default_rng(0)
    names = pa.array(FILMS)
    table = pa.table(
        {
            "user": popular(rng, NUM_VIEWERS, num_events),
            "movie": names.take(pa.array(popular(rng, NUM_FILMS, num_events))),
            "time": rng.integers(10**9, 17 * 10**8, num_events),
        }
    )
    write = parquet.write_table if path.suffix == ".parquet" else csv.write_csv
    write(table, path)


def co_watch(num_events: int) -> None:
    for suffix in (".parquet", ".csv"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"log{suffix}"
            writer = multiprocessing.Process(target=write_log, args=(path, num_events))
            writer.start()
            writer.join()
            started_s = time.perf_counter()
            table = CoWatch(WatchLog(path)).similar(FILMS)
            took_s = time.perf_counter() - started_s
            num_events = table.made_by["events"]["num_events"]
            print(
                f"{num_events:,} views {suffix}, {path.stat().st_size >> 20} MB: "
                f"{table.made_by['num_pairs']:,} pairs, {len(table):,} rows, "
                f"{len(table.without_neighbours):,} films without a neighbour: {took_s:.1f} s"
            )


def synopsis() -> None:
    vectors = np.random.default_rng(0).standard_normal((NUM_FILMS, 384), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    started_s = time.perf_counter()
    table = CloseSynopses(FILMS, vectors).similar(FILMS)
    print(f"{len(table):,} rows of {NUM_FILMS:,} synopses: {time.perf_counter() - started_s:.1f} s")


def pairs(num_films: int) -> None:
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for film in FILMS[:num_films]:
            shots = rng.standard_normal((rng.integers(400, 1601), 512), np.float32)
            np.save(Path(folder) / f"{film}.npy", shots)

        def features(movie: str) -> FloatArray:
            read: FloatArray = np.load(Path(folder) / f"{movie}.npy", allow_pickle=False)
            return read

        table = RandomMovies().similar(FILMS[:num_films])
        started_s, started_core_s = time.perf_counter(), time.process_time()
        path = Path(folder) / "pairs.parquet"
        report = mine_library(table, features, path, made_by={"model": "simulated"})
        took_s = time.perf_counter() - started_s
        core_s = time.process_time() - started_core_s
        size_bytes = path.stat().st_size
    share = NUM_PAIRS / report.num_mined
    print(
        f"{num_films} films, {report.num_rows} rows, {report.num_mined} pairs of films: "
        f"{report.num_scene_pairs:,} pairs of scenes, {size_bytes >> 10} kB, {took_s:.1f} s, "
        f"{core_s:.1f} core-seconds\n{NUM_PAIRS:,} pairs of films would take "
        f"{took_s * share / 60:.0f} minutes, {core_s * share / 3600:.2f} core-hours and "
        f"{size_bytes * share / 2**20:.0f} MB of table"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=("co-watch", "synopsis", "pairs"))
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--films", type=int, default=150)
    arguments = parser.parse_args()
    if arguments.part == "co-watch":
        co_watch(arguments.events)
    elif arguments.part == "synopsis":
        synopsis()
    else:
        pairs(arguments.films)
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MB")


if __name__ == "__main__":
    main()
