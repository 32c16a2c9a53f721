"""How often a 95 % interval of average precision holds the value of the whole population.

python bench/interval_coverage.py [--draws 150]

Classes cluster in films: one occurs in eight times its share of films, in an eighth of the samples
of those. A second set of scores is of the same samples and better. Test sets are drawn from this
population; that of 40,000 films stands for the whole of it.
"""

import argparse
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from mastershot.core.embeddings import FloatArray
from mastershot.evaluation.bootstrap import BoolArray, Interval, basic_interval, interval_of
from mastershot.evaluation.precision import average_precisions, resample_precisions

SAMPLES_A_FILM, NUM_RESAMPLES = 5, 300


@dataclass(frozen=True)
class Population:
    """What test sets are drawn from; ``share`` is that of the samples that have a class."""

    num_films: int
    num_classes: int
    share: float

    def draw(
        self, num_films: int, rng: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, BoolArray]:
        """Return scores, better scores, and the truth."""
        in_film = rng.random((num_films, 1, self.num_classes)) < 8 * self.share
        shape = (num_films, SAMPLES_A_FILM, self.num_classes)
        truth = (in_film & (rng.random(shape) < 1 / 8)).reshape(-1, self.num_classes)
        noise, more = rng.normal(size=(2, *truth.shape))
        scores, better = noise + 1.8 * truth, 0.8 * noise + 0.6 * more + 2.1 * truth
        return scores.astype(np.float32), better.astype(np.float32), truth


POPULATIONS = (
    Population(300, 20, 0.1),
    Population(300, 40, 0.02),
    Population(60, 20, 0.05),
    Population(300, 40, 0.005),
)


def holds(interval: Interval, value: float) -> bool:
    return interval.low <= value <= interval.high


def measure(population: Population, num_draws: int) -> None:
    rng = np.random.default_rng(0)
    scores, better, truth = population.draw(40_000, rng)
    true = average_precisions(scores, truth)
    true_gain = (average_precisions(better, truth) - true).mean()
    groups = np.arange(population.num_films).repeat(SAMPLES_A_FILM)
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(num_draws):
        *both, truth = population.draw(population.num_films, rng)
        held = truth.any(axis=0)
        one, other = (
            resample_precisions(some, truth, groups, seed=seed, num_resamples=NUM_RESAMPLES)
            for some in both
        )
        means = np.nanmean(one.resampled[:, held], axis=1)
        value = float(one.average[held].mean())
        found["mAP"].append(value)
        found["mAP, percentile"].append(holds(interval_of(means), true.mean()))
        found["mAP, basic"].append(holds(basic_interval(value, means), true.mean()))
        gains = np.nanmean((other.resampled - one.resampled)[:, held], axis=1)
        gain = float((other.average - one.average)[held].mean())
        found["gain in mAP, basic"].append(holds(basic_interval(gain, gains, least=-1), true_gain))
        for place in np.flatnonzero(held)[::5]:
            figures = one.resampled[:, place]
            value = float(one.average[place])
            found["class, percentile"].append(holds(interval_of(figures), true[place]))
            found["class, basic"].append(holds(basic_interval(value, figures), true[place]))
    num_positives = population.num_films * SAMPLES_A_FILM * population.share
    print(
        f"{population}: {num_positives:g} samples a class, mAP of the population {true.mean():.3f}"
    )
    for name, values in found.items():
        print(f"  {name:20} {np.mean(values):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--draws", type=int, default=150)
    arguments = parser.parse_args()
    for population in POPULATIONS:
        measure(population, arguments.draws)


if __name__ == "__main__":
    main()
