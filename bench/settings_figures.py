"""How often settings and times of day are right, on photographs that nothing was chosen on.

    python bench/settings_figures.py PHOTOGRAPHS [--fit] [--most N]

PHOTOGRAPHS is the folder of photographs-00.parquet … -07.parquet. Figures are of shards 06 and 07.
With --fit the weights of `labelling/perception/setting.py` are fitted on the photographs of shards
00 to 05 that the starter's recipe holds out, and on the same ones darkened, and printed. Day is a
photograph of an outdoor class (a few are taken at night), night the same one darkened by the model
of bench/night.py.
"""

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

from mastershot.core.embeddings import FloatArray, ImageArray
from mastershot.core.labels import load_taxonomy
from mastershot.encoders.catalogue import load_encoder
from mastershot.labelling.perception.light import STATISTICS, light_statistics
from mastershot.labelling.perception.setting import (
    encode_places,
    indoor_logits,
    indoor_probabilities,
    is_outdoors,
    label_settings,
    load_places,
    named_place,
    night_probabilities,
    setting_of,
    time_of_day_of,
)
from mastershot.labelling.weak_labels import best_labels, clip_scene_scores, encode_labels
from mastershot.training.distillation.held_out import held_out
from night import Night, darkened

HELD_OUT = 0.03
"""Of all frames, by the recipe distil/starter."""

SETTLED = Path(__file__).with_name("settled_places.csv")
"""The classes of MiniPlaces whose name settles it. Left out, as they are photographed from inside
and outside: abbey, amphitheater, aquarium, boat deck, botanical garden, boxing ring, chalet,
construction site, fire station, gas station, palace, phone booth, shed, football stadium, subway
platform, East Asian temple.
"""

# By luminance alone, as films are graded or have no colour; by two, whose weights stay below 0.
NIGHT_STATISTICS = ("median", "brightest")
UNSEEN = {"brighter": Night(exposure=(0.16, 0.25)), "darker": Night(exposure=(0.02, 0.04))}


@dataclass(frozen=True)
class Shard:
    """What is measured of a shard's photographs, one row each.

    Attributes:
        settings: ``INT`` or ``EXT``, by the photograph's class.
        places: `indoor_logits`.
        light: `light_statistics`.
        nights: Places and light of it darkened, by the name of the ranges.
        labels: The best label of MovieCLIP that is kept; empty where none is.
    """

    settings: np.ndarray
    places: FloatArray
    light: FloatArray
    nights: dict[str, tuple[FloatArray, FloatArray]]
    labels: list[str]

    @property
    def is_indoor(self) -> np.ndarray:
        return self.settings == "INT"

    @property
    def is_outdoor(self) -> np.ndarray:
        return self.settings == "EXT"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--most", type=int, default=2500, help="photographs of each shard")
    options = parser.parse_args()
    read = [read_shard(options.photographs, number, options.most) for number in (6, 7)]
    if options.fit:
        fit(
            [read_shard(options.photographs, n, options.most, only_held_out=True) for n in range(6)]
        )
    show("shards 06 and 07", read)


def read_shard(folder: Path, number: int, most: int, *, only_held_out: bool = False) -> Shard:
    """Return what is measured of the photographs of settled classes, or of the first of them."""
    path = folder / f"photographs-{number:02}.parquet"
    table = pq.read_table(path, columns=["class", "jpeg"])
    order = np.random.default_rng(number).permutation(len(table))
    if only_held_out:
        order = np.array([row for row in order if held_out(f"{path.name}@{row}", HELD_OUT)])
    rows = [(table["class"][i].as_py(), table["jpeg"][i].as_py()) for i in order.tolist()]
    with SETTLED.open(encoding="utf-8") as file:
        settled = {row["class"]: row["setting"] for row in csv.DictReader(file)}
    rows = [(settled[name], jpeg) for name, jpeg in rows if name in settled][:most]
    images = [decoded(jpeg) for _, jpeg in rows]
    random = np.random.default_rng(number)
    nights = {
        name: measured([darkened(image, night, random) for image in images])
        for name, night in {"stated": Night(), **UNSEEN}.items()
    }
    labels = kept_labels_of(images)
    return Shard(np.array([name for name, _ in rows]), *measured(images), nights, labels)


def kept_labels_of(images: list[ImageArray]) -> list[str]:
    """Return the best kept label of MovieCLIP of each photograph, as of a shot of its own."""
    encoder, taxonomy = load_encoder("starter"), load_taxonomy("movieclip")
    words = encode_labels(encoder, taxonomy)
    found = []
    for vector in encoder.encode_images(images):
        scores = clip_scene_scores(vector[None], words, encoder.logit_scale)
        found.append(named_place(best_labels(scores, taxonomy)) or "")
    return found


def measured(images: list[ImageArray]) -> tuple[FloatArray, FloatArray]:
    """Return the `indoor_logits` and the `light_statistics` of photographs."""
    encoder, places = load_encoder("starter"), load_places()
    logits = indoor_logits(
        encoder.encode_images(images), encode_places(encoder, places), places.is_indoor,
        encoder.logit_scale,
    )  # fmt: skip
    return logits, np.stack([light_statistics(image) for image in images])


def decoded(jpeg: bytes) -> ImageArray:
    """Return a photograph as RGB."""
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr[..., ::-1])


def fit(shards: list[Shard]) -> None:
    """Print the weights of both regressions."""
    light = np.concatenate([shard.light for shard in shards])
    places = np.concatenate([shard.places for shard in shards])
    indoor = np.concatenate([shard.is_indoor for shard in shards])
    dark_places, dark = (
        np.concatenate(parts)
        for parts in zip(*(shard.nights["stated"] for shard in shards), strict=True)
    )
    both, both_light = np.concatenate([places, dark_places]), np.concatenate([light, dark])
    twice = np.concatenate([indoor, indoor])
    print("INDOOR_WEIGHTS =", weights(both[:, None], twice, ("places",)))
    names = ("places", *STATISTICS)
    print("with light:", weights(np.column_stack([both, both_light]), twice, names))
    columns = [STATISTICS.index(name) for name in NIGHT_STATISTICS]
    day = light[~indoor][:, columns]
    night = np.concatenate([s.nights["stated"][1][s.is_outdoor] for s in shards])[:, columns]
    is_night = np.repeat([False, True], [len(day), len(night)])
    print("NIGHT_WEIGHTS =", weights(np.vstack([day, night]), is_night, NIGHT_STATISTICS))


def weights(rows: FloatArray, truth: np.ndarray, names: tuple[str, ...]) -> dict[str, float]:
    """Return the weights of a logistic regression (L2, C = 1 on standardised columns)."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    found = LogisticRegression(C=1.0).fit((rows - mean) / deviation, truth)
    slopes = found.coef_[0] / deviation
    bias = float(found.intercept_[0] - slopes @ mean)
    return {"bias": round(bias, 2)} | dict(zip(names, slopes.round(2).tolist(), strict=True))


def show(name: str, shards: list[Shard]) -> None:
    """Print how often the weights that ship are right."""
    light = np.concatenate([shard.light for shard in shards])
    indoor = np.concatenate([shard.is_indoor for shard in shards])
    places = np.concatenate([shard.places for shard in shards])
    alone = ((places > 0) == indoor).mean()
    print(f"{name}: {len(light):,} photographs; by places alone {alone:.1%} right")
    figures("setting", indoor_probabilities(places, light), indoor)
    labels = [label for shard in shards for label in shard.labels]
    contradictions(indoor_probabilities(places, light), indoor, labels)
    times("as they are", places, light, indoor)
    for ranges in shards[0].nights:
        dark_places, dark = (
            np.concatenate(parts)
            for parts in zip(*(shard.nights[ranges] for shard in shards), strict=True)
        )
        night = np.concatenate([light[~indoor], dark[~indoor]])
        truth = np.repeat([False, True], [(~indoor).sum()] * 2)
        figures(f"night, {ranges}", night_probabilities(night), truth)
        times(f"darkened, {ranges}", dark_places, dark, indoor)


def contradictions(indoors: FloatArray, indoor: np.ndarray, labels: list[str]) -> None:
    """Print how often a sure setting contradicts the kept label, and which of both is right."""
    found = [setting_of(inside) for inside in indoors.tolist()]
    sure = np.array([not one.unsure for one in found])
    of_label = np.array([label_settings().get(label, "") for label in labels])
    by_setting = np.array([one.name for one in found])
    truth = np.where(indoor, "INT", "EXT")
    is_settled, is_right = of_label != "", by_setting == truth
    both, against = sure & is_settled, sure & is_settled & (of_label != by_setting)
    print(
        f"  a label kept {np.mean(np.array(labels) != ''):.1%}; settled, and the setting sure "
        f"{both.mean():.1%}; against each other {against.sum()} of {both.sum()}, of which the "
        f"setting is right in {is_right[against].mean():.1%}"
    )
    for title, rows in (("setting sure", sure), ("not contradicted", sure & ~against)):
        print(f"  {title} {rows.mean():.1%}, of which {is_right[rows].mean():.1%} right")


def times(name: str, places: FloatArray, light: FloatArray, indoor: np.ndarray) -> None:
    """Print how many photographs would be surely day or night, as shots of their own."""
    indoors, nights = indoor_probabilities(places, light), night_probabilities(light)
    found = [
        time_of_day_of(night, outdoors=is_outdoors(setting_of(inside)))
        for inside, night in zip(indoors.tolist(), nights.tolist(), strict=True)
    ]
    for moment in ("DAY", "NIGHT"):
        sure = np.array([one.name == moment and not one.unsure for one in found])
        shares = f"outdoors {sure[~indoor].mean():.1%}, indoors {sure[indoor].mean():.1%}"
        print(f"  {name}, surely {moment}: {shares}")


def figures(name: str, probabilities: FloatArray, truth: np.ndarray) -> None:
    """Print how many are right, and how many from each probability on."""
    right = (probabilities >= 0.5) == truth
    error = 1.96 * np.sqrt(right.mean() * (1 - right.mean()) / len(right))
    confidence = np.maximum(probabilities, 1 - probabilities)
    print(f"  {name}: {right.mean():.1%} ± {error:.1%} right")
    for least in (0.6, 0.7, 0.8, 0.9):
        sure = confidence >= least
        print(f"    from {least}: {sure.mean():.1%} sure, of which {right[sure].mean():.1%} right")


if __name__ == "__main__":
    main()
