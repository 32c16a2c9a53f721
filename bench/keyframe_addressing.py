"""Address 33 million keyframes: memory and seconds, with files of holes (nothing is stored).

python bench/keyframe_addressing.py
"""

import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from mastershot.store.shot_arrays import ShotArrays
from mastershot.training.movies2scenes.batches import ShotBatches

FILMS, SHOTS, SIDE_PX = 30_000, 1_100, 128


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        shape = (SHOTS, 1, SIDE_PX, SIDE_PX, 3)
        for film in range(FILMS):
            with (Path(folder) / f"{film:05}.npy").open("wb") as file:
                header = {"descr": "|u1", "fortran_order": False, "shape": shape}
                npy.write_array_header_1_0(file, header)
                file.truncate(file.tell() + int(np.prod(shape)))
        before_mb = peak_mb()
        began_s = time.perf_counter()
        arrays = ShotArrays(folder)
        opened_s = time.perf_counter() - began_s
        batches = ShotBatches(arrays, reach=2, query_share=0.3, batch_size=128, seed=0)
        began_s = time.perf_counter()
        for step in range(20):
            batch = batches.batch(step)
        read_s = (time.perf_counter() - began_s) / 20
        print(
            f"{arrays.num_shots:,} keyframes of {len(arrays.movies):,} films: opened in "
            f"{opened_s:.1f} s; a batch of {len(batch.queries)} queries and their neighbours in "
            f"{1000 * read_s:.0f} ms; peak memory {peak_mb():.0f} MB, {before_mb:.0f} MB of it "
            "before (Python, torch)"
        )


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


if __name__ == "__main__":
    main()
