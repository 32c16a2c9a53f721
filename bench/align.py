"""How much of a film is aligned with the right heading of its script, on films simulated from it.

    python bench/align.py photographs DATA SCORES.npz       what the starter says of photographs
    python bench/align.py run DATA SCORES.npz [--seeds 0 1] [--scripts 0 1 …] [--only WAY …]
    python bench/align.py table                             bench/results/align.jsonl
    python bench/align.py speed                             300 headings, 2,000 shots
    python bench/align.py others DATA TIMELINE              scripts of other films on a film

Films with their scripts are not at hand, so films are drawn from the 20 whole scripts of
DATA/scripts/full. What is drawn, and at which rates, is in `Simulation`; rates that were measured
say where. The labels of a shot are not drawn from a model: they are what the shipped starter says
of a photograph that nothing learned from (shards 06 and 07), of the class whose name is nearest to
the heading's place, or, where a shot shows no place, of any class. Subtitles are the scene's own
dialogue, worn.
"""

import argparse
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from mastershot.core.labels import LabelScore, load_taxonomy
from mastershot.core.lanes import Interval, Lane
from mastershot.core.movie import Movie, Scene, Shot, Transition, scene_id, shot_id
from mastershot.core.time import Span
from mastershot.core.timeline import MadeBy, Timeline, span_of_shots
from mastershot.curation.moments import day_or_night
from mastershot.curation.scripts import ScriptScene, read_script_scenes
from mastershot.evaluation.bootstrap import bootstrap_interval
from mastershot.labelling.weak_labels import best_labels
from mastershot.pipeline.align.evidence import seen_labels, wanted_labels
from mastershot.pipeline.align.script import align_script
from mastershot.scenes.alignment import align_runs
from mastershot.scenes.script_evidence import EvidenceWeights

TAXONOMY = load_taxonomy("movieclip")
RATE = 24
RESULTS = Path(__file__).parent / "results" / "align.jsonl"
CUE = re.compile(r"^[A-Z][A-Z .'\-#\d]{1,30}(\(.*\))?$")
FROM_PHOTOGRAPHS = 0.45  # least cosine of a place's and a class's name


@dataclass(frozen=True)
class Simulation:
    """How a film departs from its script.

    Attributes:
        cut: Share of the script's scenes that are not in the film.
        moved: Share of scenes that are one to three places from where the script has them.
        added: Scenes in the film that no heading has, for each one that has.
        credits_s: Titles before and after, which no heading has.
        line_s: Seconds a line: a page of 55 lines a minute.
        length_noise: Standard deviation of the logarithm of a scene's length.
        shot_s: Median length of a shot; `shot_noise` is the deviation of its logarithm.
        hit: Share of the film's scene borders that are found at their place (docs/scenes.md: 44 to
            52 %).
        near: Share that are found one to three shots from it.
        extra: Borders found where there are none, for each scene (1.35 × as many as true in all).
        shows_place: Share of shots whose labels are of their place's class. With photographs whose
            best label is right for 38 % (docs/starter.md), 23 % of shots are labelled right: two
            readers found 22 % of 190 shots of films (153 shots with a place, 27.5 % right).
        setting_right: Of shots that show their place (docs/headings.md: 92.5 %, sure of 92.3 %).
        setting_sure: Share in which it is sure; of these 94.8 % are right.
        day_seen: Day outdoors that is surely day (82.4 %), and surely night (0.6 %).
        night_seen: Night outdoors that is surely night (48.2 %).
        inside_seen: Day and night indoors that is sure (3.5 and 6.4 %).
        cue_lost: Share of the script's lines of dialogue that nobody says in the film.
        cue_new: Lines that are only in the film, for each one of the script's.
        word_changed: Share of words that are left out or replaced.
    """

    cut: float = 0.12
    moved: float = 0.04
    added: float = 0.05
    credits_s: tuple[float, float] = (60, 240)
    line_s: float = 60 / 55
    length_noise: float = 0.5
    shot_s: float = 3.0
    shot_noise: float = 0.7
    hit: float = 0.48
    near: float = 0.2
    extra: float = 0.67
    shows_place: float = 0.6
    setting_sure: float = 0.923
    setting_right: tuple[float, float] = (0.948, 0.65)
    day_seen: tuple[float, float] = (0.824, 0.006)
    night_seen: float = 0.482
    inside_seen: tuple[float, float] = (0.035, 0.064)
    cue_lost: float = 0.25
    cue_new: float = 0.15
    word_changed: float = 0.2


@dataclass(frozen=True)
class Photographs:
    """What the starter says of photographs: class names, class of each, scores of 179 labels."""

    names: list[str]
    classes: np.ndarray
    scores: np.ndarray


def score_photographs(data: Path, out: Path) -> None:
    from mastershot.datasets.tables.pictures import read_labelled_pictures
    from mastershot.encoders.catalogue import load_encoder
    from mastershot.labelling.weak_labels import clip_scene_scores, encode_labels
    from mastershot.media.pictures import read_still

    encoder = load_encoder("starter")
    labels = encode_labels(encoder, TAXONOMY)
    classes, scores = [], []
    for path in sorted((data / "frames" / "photographs").glob("*0[67].parquet")):
        rows = list(read_labelled_pictures(path))
        classes += [name.replace("_", " ").replace("-", " ") for name, _ in rows]
        for first in range(0, len(rows), 128):
            stills = [read_still(path, jpeg) for _, jpeg in rows[first : first + 128]]
            vectors = encoder.encode_images(np.stack(stills))
            scores += [clip_scene_scores(v[None], labels, encoder.logit_scale) for v in vectors]
    np.savez_compressed(out, classes=np.array(classes), scores=np.array(scores, np.float32))
    print(f"{len(classes)} photographs of {len(set(classes))} classes → {out}")


def read_photographs(path: Path) -> Photographs:
    with np.load(path) as file:
        names, classes = np.unique(file["classes"], return_inverse=True)
        return Photographs(names.tolist(), classes, file["scores"])


@cache
def sentence_vectors(texts: tuple[str, ...]) -> np.ndarray:
    from mastershot.encoders.text import SentenceEncoder

    return SentenceEncoder().encode_texts(texts)


@dataclass(frozen=True)
class Part:
    """One scene of a film: its script scene or -1, the class it shows, and its length."""

    scene: int
    shown: int
    length_s: float


def draw_parts(
    scenes: list[ScriptScene], shown: list[int], how: Simulation, rng: np.random.Generator
) -> list[Part]:
    order = [i for i in range(len(scenes)) if rng.random() >= how.cut]
    for index in [i for i in order if rng.random() < how.moved]:
        at = order.index(index)
        step = int(rng.integers(1, 4)) * int(rng.choice([-1, 1]))
        order.insert(int(np.clip(at + step, 0, len(order) - 1)), order.pop(at))
    parts = [Part(-1, -1, how.credits_s[0])]
    for index in order:
        noise = float(np.exp(rng.normal(0, how.length_noise)))
        length_s = (scenes[index].num_lines + 2) * how.line_s * noise
        parts.append(Part(index, shown[index], max(length_s, 3.0)))
        if rng.random() < how.added:
            parts.append(Part(-1, int(rng.integers(100)), float(rng.uniform(20, 120))))
    return [*parts, Part(-1, -1, how.credits_s[1])]


def draw_film(
    scenes: list[ScriptScene],
    photographs: Photographs,
    how: Simulation,
    seed: int,
) -> tuple[Timeline, np.ndarray]:
    """Return a film's timeline, with a lane of subtitles, and the true scene of each shot."""
    rng = np.random.default_rng(seed)
    parts = draw_parts(scenes, shown_classes(scenes, photographs, rng), how, rng)
    lengths, owner = [], []
    for number, part in enumerate(parts):
        shots = []
        while sum(shots) < part.length_s:
            shots.append(max(0.5, float(rng.lognormal(np.log(how.shot_s), how.shot_noise))))
        shots[-1] = max(0.5, shots[-1] - (sum(shots) - part.length_s))
        lengths += shots
        owner += [number] * len(shots)
    frames = np.cumsum([0, *(max(1, round(length * RATE)) for length in lengths)])
    owners = np.array(owner)
    truth = np.array([parts[number].scene for number in owner])
    movie = Movie(
        "0" * 16, "simulated.mp4", "blake2b:" + "0" * 32, Fraction(RATE), Fraction(1, RATE), 0,
        int(frames[-1]), int(frames[-1]), 640, 360, Fraction(1), True, False,
    )  # fmt: skip
    scores = draw_scores(parts, owners, photographs, how, rng)
    shots = []
    for index, (first, end) in enumerate(pairwise(frames.tolist())):
        part = parts[owner[index]]
        setting, time_of_day = draw_states(part, scenes, how, rng)
        span = Span(first, end, first, end, movie.time_base)
        labels = best_labels(scores[index], TAXONOMY)
        begins = Transition("cut" if index else "start", first, first)
        shots.append(
            Shot(shot_id(movie.id, index), span, begins, labels, setting=setting,
                 time_of_day=time_of_day)
        )  # fmt: skip
    borders = draw_borders(owners, how, rng)
    found = tuple(
        Scene(scene_id(movie.id, i), a, b, span_of_shots(tuple(shots), a, b),
              best_labels(scores[a:b].mean(axis=0), TAXONOMY))
        for i, (a, b) in enumerate(pairwise([*borders, len(shots)]))
    )  # fmt: skip
    made_by = MadeBy("0", "2026-01-01T00:00:00Z")
    timeline = Timeline(movie, made_by, tuple(shots), found)
    cues = tuple(draw_subtitles(parts, owners, frames, scenes, how, rng))
    return replace(timeline, lanes=(Lane("subtitles", "subtitles", "film.srt", cues),)), truth


def shown_classes(
    scenes: list[ScriptScene], photographs: Photographs, rng: np.random.Generator
) -> list[int]:
    """Return the class of photographs that a scene shows; places unlike all show any class."""
    places = tuple(dict.fromkeys(p for scene in scenes for p in scene.heading.places))
    cosines = sentence_vectors(places) @ sentence_vectors(tuple(photographs.names)).T
    any_class = {place: int(rng.integers(len(photographs.names))) for place in places}
    shown = []
    for scene in scenes:
        if not scene.heading.places:
            shown.append(int(rng.integers(len(photographs.names))))
            continue
        place = scene.heading.places[int(rng.integers(len(scene.heading.places)))]
        row = cosines[places.index(place)]
        is_near = row.max() >= FROM_PHOTOGRAPHS
        shown.append(int(row.argmax()) if is_near else any_class[place])
    return shown


def draw_scores(
    parts: list[Part],
    owners: np.ndarray,
    photographs: Photographs,
    how: Simulation,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the scores of all labels of each shot: the mean of three photographs' scores.

    A shot's sampled frames show one thing, so it is one photograph drawn for the shot.
    """
    of_class = [np.flatnonzero(photographs.classes == c) for c in range(len(photographs.names))]
    rows = []
    for owner in owners:
        shown = parts[owner].shown
        seen = shown if shown >= 0 and rng.random() < how.shows_place else None
        pool = np.arange(len(photographs.classes)) if seen is None else of_class[seen]
        rows.append(int(rng.choice(pool)))
    return photographs.scores[rows]


def draw_states(
    part: Part, scenes: list[ScriptScene], how: Simulation, rng: np.random.Generator
) -> tuple[LabelScore, LabelScore]:
    heading = scenes[part.scene].heading if part.scene >= 0 else None
    written = (heading.setting if heading else None) or "INT/EXT"
    true = written if "/" not in written else str(rng.choice(["INT", "EXT"]))
    shows = rng.random() < how.shows_place
    is_sure = shows and rng.random() < how.setting_sure
    right = how.setting_right[0 if is_sure else 1] if shows else 0.5
    name = true if rng.random() < right else {"INT": "EXT", "EXT": "INT"}[true]
    score = float(rng.uniform(0.7, 1) if is_sure else rng.uniform(0.5, 0.7))
    setting = LabelScore(name, score, not is_sure)
    time_of_day = day_or_night(heading.time_of_day if heading else None) or "DAY"
    chance = rng.random()
    if true == "EXT" and time_of_day == "DAY":
        sure = (
            "DAY" if chance < how.day_seen[0] else "NIGHT" if chance > 1 - how.day_seen[1] else ""
        )
    elif true == "EXT":
        sure = "NIGHT" if chance < how.night_seen else ""
    else:
        sure = time_of_day if chance < how.inside_seen[time_of_day == "NIGHT"] else ""
    sure = sure if shows else ""
    return setting, LabelScore(sure or str(rng.choice(["DAY", "NIGHT"])),
                               float(rng.uniform(0.8, 1) if sure else rng.uniform(0.5, 0.8)),
                               not sure)  # fmt: skip


def draw_borders(owners: np.ndarray, how: Simulation, rng: np.random.Generator) -> list[int]:
    true = np.flatnonzero(np.diff(owners)) + 1
    found = {0}
    for border in true.tolist():
        chance = rng.random()
        if chance < how.hit:
            found.add(border)
        elif chance < how.hit + how.near:
            found.add(border + int(rng.integers(1, 4)) * int(rng.choice([-1, 1])))
    found |= set(rng.integers(1, len(owners), round(how.extra * len(true))).tolist())
    return sorted(border for border in found if 0 <= border < len(owners))


def dialogue_of(scene: ScriptScene) -> list[str]:
    """Return what is said in a scene, by the lines that follow a name in capitals."""
    said, is_said = [], False
    for line in scene.text.split("\n"):
        if CUE.match(line):
            is_said, new = True, True
            continue
        if line.startswith("("):
            continue
        if is_said and len(line) <= 45:
            if new:
                said.append(line)
                new = False
            else:
                said[-1] += " " + line
        else:
            is_said = False
    return [text for text in said if any(map(str.islower, text))]


def draw_subtitles(
    parts: list[Part],
    owners: np.ndarray,
    frames: np.ndarray,
    scenes: list[ScriptScene],
    how: Simulation,
    rng: np.random.Generator,
) -> Iterator[Interval]:
    vocabulary = [w for scene in scenes for said in dialogue_of(scene) for w in said.split()]
    for number, part in enumerate(parts):
        if part.scene < 0:
            continue
        cues = []
        for said in dialogue_of(scenes[part.scene]):
            words = said.split()
            for first in range(0, len(words), 9):
                if rng.random() >= how.cue_lost:
                    cues.append(worn(words[first : first + 9], vocabulary, how, rng))
                if rng.random() < how.cue_new:
                    cues.append([str(w) for w in rng.choice(vocabulary, 6)])
        own = np.flatnonzero(owners == number)
        first, end = int(frames[own[0]]), int(frames[own[-1] + 1])
        starts = np.linspace(first, end, len(cues) + 1).astype(int).tolist()
        for words, (start, stop) in zip(cues, pairwise(starts), strict=True):
            if words and stop > start:
                span = Span(start, stop, start, stop, Fraction(1, RATE))
                yield Interval(span, " ".join(words))


def worn(
    words: list[str], vocabulary: list[str], how: Simulation, rng: np.random.Generator
) -> list[str]:
    kept = []
    for word in words:
        chance = rng.random()
        if chance >= how.word_changed:
            kept.append(word)
        elif chance < how.word_changed / 2:
            kept.append(str(rng.choice(vocabulary)))
    return kept


def proportional(timeline: Timeline, scenes: list[ScriptScene]) -> np.ndarray:
    """Return the heading that each shot would have if film and script ran at one pace."""
    lines = np.cumsum([scene.num_lines + 2 for scene in scenes])
    middles = np.array([(s.span.start_s + s.span.end_s) / 2 for s in timeline.shots])
    places = middles / timeline.movie.duration_s * lines[-1]
    return np.minimum(np.searchsorted(lines, places, side="right"), len(scenes) - 1)


def warped(timeline: Timeline, scenes: list[ScriptScene]) -> np.ndarray:
    """Return each shot's heading by dynamic time warping on labels alone (Sakoe and Chiba 1978)."""
    named = (label.name for shot in timeline.shots for label in shot.labels or ())
    labels = tuple(dict.fromkeys((*TAXONOMY.labels, *named)))
    wanted, _ = wanted_labels([scene.heading for scene in scenes], labels)
    seen = seen_labels(timeline, labels)
    unit = [
        rows / np.maximum(np.linalg.norm(rows, axis=1), 1e-9)[:, None] for rows in (wanted, seen)
    ]
    distance = 1 - unit[0] @ unit[1].T
    num_scenes, num_shots = distance.shape
    total = np.full((num_scenes + 1, num_shots + 1), np.inf)
    total[0, 0] = 0
    step = np.zeros((num_scenes + 1, num_shots + 1), np.int8)
    for i in range(1, num_scenes + 1):
        for j in range(1, num_shots + 1):
            before = (total[i - 1, j - 1], total[i, j - 1], total[i - 1, j])
            best = min(range(3), key=before.__getitem__)
            step[i, j], total[i, j] = best, before[best] + distance[i - 1, j - 1]
    found, i, j = np.zeros(num_shots, np.int64), num_scenes, num_shots
    while i and j:
        found[j - 1] = i - 1
        di, dj = ((1, 1), (0, 1), (1, 0))[step[i, j]]
        i, j = i - di, j - dj
    return found


def ours(timeline: Timeline, path: Path, **settings) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return each shot's heading, how sure that is, and the scenes that are not in the film."""
    found = align_script(timeline, path, **settings)
    scene, sure = np.full(len(timeline.shots), -1), np.zeros(len(timeline.shots))
    for run in found.runs:
        scene[run.first_shot : run.end_shot] = run.scene
        sure[run.first_shot : run.end_shot] = run.score
    return scene, sure, [one.heading.line for one in found.differences if one.kind == "not in film"]


def share_right(found: np.ndarray, truth: np.ndarray, timeline: Timeline) -> tuple[float, float]:
    """Return the share right of the time that is in the script, and of the whole film's."""
    lengths = np.array([shot.span.duration_s for shot in timeline.shots])
    in_script, right = truth >= 0, found == truth
    return (
        float(lengths[in_script & right].sum() / lengths[in_script].sum()),
        float(lengths[right].sum() / lengths.sum()),
    )


EDGES = (0, 0.3, 0.5, 0.7, 0.9, 0.98, 1.0001)
WEIGHTS = {
    "ours, lengths alone": EvidenceWeights(place=0, setting=0, time_of_day=0),
    "ours, labels and lengths": EvidenceWeights(setting=0, time_of_day=0),
    "ours": EvidenceWeights(),
    "ours, subtitles": EvidenceWeights(),
}
NAMES = ("proportional", "warping on labels", *WEIGHTS)


def run(
    data: Path, photographs: Photographs, chosen: list[Path], seeds: list[int], names: list[str]
) -> Iterator[dict[str, object]]:
    """Yield one row for each script, seed and way: what is right, and how sure it was said."""
    how = Simulation()
    for path in chosen:
        scenes = read_script_scenes(path)
        for seed in seeds:
            timeline, truth = draw_film(scenes, photographs, how, seed)
            lengths = np.array([shot.span.duration_s for shot in timeline.shots])
            silent = replace(timeline, lanes=())
            for name in names:
                sure, missing = None, []
                if name == "proportional":
                    found = proportional(timeline, scenes)
                elif name == "warping on labels":
                    found = warped(silent, scenes)
                elif name in WEIGHTS:
                    film = timeline if name == "ours, subtitles" else silent
                    found, sure, missing = ours(film, path, weights=WEIGHTS[name])
                shares = share_right(found, truth, timeline)
                row = {"script": path.stem, "seed": seed, "way": name, "in_script": shares[0],
                       "film": shares[1], "shots": len(truth), "headings": len(scenes)}  # fmt: skip
                if sure is not None:
                    named = found >= 0
                    right = (found == truth)[named]
                    row["sure"] = binned(sure[named], right, lengths[named])
                    cut = {s.heading.line for i, s in enumerate(scenes) if i not in set(truth)}
                    row["cut"] = [len(cut & set(missing)), len(missing), len(cut)]
                    added = truth < 0
                    row["added"] = [float(lengths[both].sum()) for both in
                                    (added & ~named, ~named, added)]  # fmt: skip
                yield row


def binned(sure: np.ndarray, right: np.ndarray, lengths: np.ndarray) -> list[list[float]]:
    """Return time, time times what was said, and time right, for each bin of how sure it was."""
    rows = []
    for low, high in pairwise(EDGES):
        own = (sure >= low) & (sure < high)
        time_s = lengths[own]
        rows.append([float(one.sum()) for one in (time_s, time_s * sure[own], time_s * right[own])])
    return rows


def mean_of(values: np.ndarray, items: np.ndarray) -> float:
    return float(values[items].mean())


def table(rows: list[dict]) -> None:
    scripts = sorted({row["script"] for row in rows})
    print(f"{len(scripts)} scripts, {len({row['seed'] for row in rows})} films each")
    held = set(scripts[1::2])
    for title, own in (("all scripts", set(scripts)), ("those nothing was chosen on", held)):
        print(f"\n{title}\n| way | of the time that has a heading | of the whole film |")
        for name in NAMES:
            texts = []
            for column in ("in_script", "film"):
                means = [np.mean([row[column] for row in rows
                                  if (row["way"], row["script"]) == (name, script)])
                         for script in sorted(own)]  # fmt: skip
                found = bootstrap_interval(partial(mean_of, np.array(means)), len(means))
                texts.append(f"{100 * np.mean(means):.1f} % "
                             f"({100 * found.low:.1f} to {100 * found.high:.1f})")  # fmt: skip
            print(f"| {name} | {' | '.join(texts)} |")
    for name in ("ours, labels and lengths", "ours", "ours, subtitles"):
        mine = [row for row in rows if row["way"] == name]
        total = np.sum([row["sure"] for row in mine], axis=0)
        by_film = [np.sum(row["sure"], axis=0) for row in mine]
        least = min(one[1] / one[0] for one in by_film)
        print(f"\n{name}: of no film less sure than {least:.3f} on average")
        print("| said to be sure | of named time | mean said | right |")
        for (low, high), (time_s, said, right) in zip(pairwise(EDGES), total, strict=True):
            print(f"| {low:.2f} to {min(high, 1):.2f} | {100 * time_s / total[:, 0].sum():.0f} % | "
                  f"{said / time_s:.2f} | {right / time_s:.2f} |")  # fmt: skip
        cut, added = (np.sum([row[key] for row in mine], axis=0) for key in ("cut", "added"))
        print(f"cut scenes: {cut[0]} of {cut[1]} named are, of {cut[2]} in all; time without a "
              f"heading: {added[0] / 60:.0f} of {added[1] / 60:.0f} min named are, of "
              f"{added[2] / 60:.0f} in all")  # fmt: skip


def speed() -> None:
    rng = np.random.default_rng(0)
    num_scenes, num_shots = 300, 2000
    bounds_s = np.cumsum([0, *rng.lognormal(np.log(3), 0.6, num_shots)])
    borders = np.sort(rng.choice(np.arange(1, num_shots), num_scenes - 1, replace=False))
    truth = np.searchsorted(borders, np.arange(num_shots), side="right")
    evidence = rng.normal(-0.5, 1, (num_scenes, num_shots))
    evidence[truth, np.arange(num_shots)] += 2
    is_border = np.zeros(num_shots + 1, bool)
    is_border[[0, *borders, -1]] = True
    expected = np.array([np.diff(bounds_s)[truth == i].sum() for i in range(num_scenes)])
    expected *= rng.lognormal(0, 0.4, num_scenes)
    start_s = time.process_time()
    align_runs(evidence, bounds_s=bounds_s, expected_s=expected, is_border=is_border)
    print(f"{num_scenes} headings, {num_shots} shots: {time.process_time() - start_s:.2f} s of "
          "processor time")  # fmt: skip


def others(data: Path, path: Path) -> None:
    """Print how sure headings of other films' scripts are on a film, on average and by script."""
    timeline, means = Timeline.load(path), []
    for script in sorted((data / "scripts" / "full").glob("*.txt")):
        runs = align_script(timeline, script).runs
        lengths_s = [run.span.duration_s for run in runs]
        means.append(float(np.average([run.score for run in runs], weights=lengths_s)))
        print(f"{script.stem}: {len(runs)} headings, {means[-1]:.2f}", flush=True)
    print(f"{len(means)} scripts: {min(means):.3f} to {max(means):.3f}, mean {np.mean(means):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("photographs", "run"):
        command = commands.add_parser(name)
        command.add_argument("data", type=Path)
        command.add_argument("scores", type=Path)
    command.add_argument("--out", type=Path, default=RESULTS)
    command.add_argument("--seeds", type=int, nargs="+", default=[0])
    command.add_argument("--scripts", type=int, nargs="*", help="by place in the list; all if none")
    command.add_argument("--only", nargs="*", choices=NAMES, default=list(NAMES))
    tables = commands.add_parser("table")
    tables.add_argument("results", type=Path, nargs="?", default=RESULTS)
    commands.add_parser("speed")
    strangers = commands.add_parser("others")
    strangers.add_argument("data", type=Path)
    strangers.add_argument("timeline", type=Path)
    options = parser.parse_args()
    if options.command == "photographs":
        score_photographs(options.data, options.scores)
    elif options.command == "speed":
        speed()
    elif options.command == "others":
        others(options.data, options.timeline)
    elif options.command == "table":
        lines = options.results.read_text("utf-8").splitlines()
        table([json.loads(line) for line in lines])
    else:
        paths = sorted((options.data / "scripts" / "full").glob("*.txt"))
        chosen = [paths[place] for place in options.scripts or range(len(paths))]
        photographs = read_photographs(options.scores)
        for row in run(options.data, photographs, chosen, options.seeds, options.only):
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(row["script"], row["seed"], row["way"], f"{row['in_script']:.3f}", flush=True)


if __name__ == "__main__":
    main()
