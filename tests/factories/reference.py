"""Plain-loop versions of the maths: slow, and short enough to be checked by reading."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt


def clip_scene_scores(
    frame_vectors: Sequence[Sequence[float]],
    label_vectors: Sequence[Sequence[float]],
    logit_scale: float,
) -> list[float]:
    """Return the mean over frames of softmax over labels of scale times cosine (METHODS A4)."""
    totals = [0.0] * len(label_vectors)
    for frame in frame_vectors:
        logits = [logit_scale * cosine(frame, label) for label in label_vectors]
        highest = max(logits)
        weights = [math.exp(logit - highest) for logit in logits]
        for label, weight in enumerate(weights):
            totals[label] += weight / sum(weights)
    return [total / len(frame_vectors) for total in totals]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors."""
    product = sum(float(a) * float(b) for a, b in zip(one, other, strict=True))
    length = math.sqrt(sum(float(a) ** 2 for a in one) * sum(float(b) ** 2 for b in other))
    return product / length


def bilinear(x: float) -> float:
    """Return the triangle of PIL's BILINEAR at x."""
    return max(0.0, 1 - abs(x))


def bicubic(x: float) -> float:
    """Return Keys' cubic with a = -0.5, as PIL's BICUBIC has it, at x."""
    x, a = abs(x), -0.5
    if x < 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0


def resize(
    frame: npt.NDArray[np.uint8], height: int, width: int, kernel: Callable[[float], float]
) -> npt.NDArray[np.uint8]:
    """Return a frame resized as PIL does: along the width, rounded, then along the height."""
    wide = _resize_rows(frame.transpose(1, 0, 2), width, kernel).transpose(1, 0, 2)
    return _resize_rows(wide, height, kernel)


def _resize_rows(
    rows: npt.NDArray[np.uint8], size: int, kernel: Callable[[float], float]
) -> npt.NDArray[np.uint8]:
    """Return rows resampled to a new number, each a weighted mean around its centre."""
    if len(rows) == size:
        return rows
    scale = len(rows) / size
    stretch = max(scale, 1.0)  # antialias: a smaller picture covers more rows
    reach = stretch * (2 if kernel is bicubic else 1)
    resized = []
    for row in range(size):
        centre = (row + 0.5) * scale
        first = max(0, int(centre - reach + 0.5))
        end = min(len(rows), int(centre + reach + 0.5))
        weights = [kernel((x + 0.5 - centre) / stretch) for x in range(first, end)]
        total = sum(
            w * rows[x].astype(float) for w, x in zip(weights, range(first, end), strict=True)
        )
        resized.append(np.clip(np.floor(total / sum(weights) + 0.5), 0, 255))
    return np.stack(resized).astype(np.uint8)


def select_classes(
    scores: Sequence[float],
    names: Sequence[str],
    classes: Sequence[str],
    *,
    min_best: float,
    above: float,
    folds: Mapping[str, str],
) -> list[int]:
    """Return a shot's places in the index by METHODS A5, from scores and names, best first."""
    found: list[int] = []
    for rank, (score, name) in enumerate(zip(scores, names, strict=True)):
        if scores[0] < min_best:
            break
        if rank > 0 and not score > above:
            continue
        name = folds.get(name, name)
        if name in classes and classes.index(name) not in found:
            found.append(classes.index(name))
    return found


def krippendorff_alpha(units: Sequence[Sequence[int]]) -> float:
    """Return nominal alpha as one minus the ratio of two means over pairs of values.

    A unit holds the values it was given. Observed: pairs within units, each unit weighted by its
    number of values. Expected: pairs within all values.
    """
    pairable = [unit for unit in units if len(unit) > 1]
    values = [value for unit in pairable for value in unit]
    observed = 0.0
    for unit in pairable:
        differing = sum(a != b for a, b in permutations(unit, 2))
        observed += differing / (len(unit) - 1) / len(values)
    expected = sum(a != b for a, b in permutations(values, 2)) / (len(values) * (len(values) - 1))
    return 1 - observed / expected


def int8_linear(
    rows: Sequence[Sequence[float]], weights: Sequence[Sequence[float]], bias: Sequence[float]
) -> list[list[float]]:
    """Return rows times weights plus bias, both rounded to 127 steps of each row's largest."""

    def steps(row: Sequence[float]) -> tuple[list[int], float]:
        scale = max(abs(value) for value in row) / 127
        return [round(value / scale) for value in row], scale

    outputs = []
    for row in rows:
        numbers, scale = steps(row)
        output = []
        for weight, offset in zip(weights, bias, strict=True):
            weight_numbers, weight_scale = steps(weight)
            total = sum(a * b for a, b in zip(numbers, weight_numbers, strict=True))
            output.append(total * scale * weight_scale + offset)
        outputs.append(output)
    return outputs


def window_scores(
    one: npt.NDArray[np.float32], other: npt.NDArray[np.float32], window: int
) -> npt.NDArray[np.float64]:
    """Return the mean of every window of the full matrix of dot products (METHODS B4)."""
    products = one.astype(np.float64) @ other.astype(np.float64).T
    scores = np.empty((len(one) - window + 1, len(other) - window + 1))
    for row in range(scores.shape[0]):
        for column in range(scores.shape[1]):
            scores[row, column] = products[row : row + window, column : column + window].mean()
    return scores


def walk_sorted(
    scores: npt.NDArray[np.float32], window: int, consider: float = 1.0
) -> list[tuple[int, int, float]]:
    """Return the pairs of METHODS B4 by sorting all of B and going down it."""
    entries = [
        (-float(score), row, column)
        for row, line in enumerate(scores)
        for column, score in enumerate(line)
    ]
    taken: list[tuple[int, int, float]] = []
    for score, row, column in sorted(entries)[: math.ceil(len(entries) * consider)]:
        if all(abs(row - r) >= window and abs(column - c) >= window for r, c, _ in taken):
            taken.append((row, column, -score))
    return taken


def lstm_logits(
    frames: Sequence[Sequence[float]],
    weights: Mapping[str, Any],
    layers: int,
    *,
    both_directions: bool = False,
) -> list[float]:
    """Return the logits of a stacked LSTM's last step, followed by the first step of the way back
    where it reads in both directions."""
    inputs = [list(frame) for frame in frames]
    for layer in range(layers):
        outputs = _lstm_steps(inputs, weights, f"l{layer}")
        if both_directions:
            back = _lstm_steps(inputs[::-1], weights, f"l{layer}_reverse")[::-1]
            last = outputs[-1] + back[0]
            outputs = [one + other for one, other in zip(outputs, back, strict=True)]
        else:
            last = outputs[-1]
        inputs = outputs
    head, bias = weights["head.weight"], weights["head.bias"]
    return [_product(head, last, row) + float(bias[row]) for row in range(len(bias))]


def _lstm_steps(
    inputs: Sequence[Sequence[float]], weights: Mapping[str, Any], name: str
) -> list[list[float]]:
    """Return the state after each step of a layer, gate by gate (Hochreiter and Schmidhuber 1997,
    with the forget gate of Gers et al. 2000; gates in torch's order i, f, g, o)."""

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    w_in, w_state = weights[f"lstm.weight_ih_{name}"], weights[f"lstm.weight_hh_{name}"]
    b_in, b_state = weights[f"lstm.bias_ih_{name}"], weights[f"lstm.bias_hh_{name}"]
    hidden = len(b_in) // 4
    state, cell, outputs = [0.0] * hidden, [0.0] * hidden, []
    for vector in inputs:
        sums = [
            _product(w_in, vector, row) + _product(w_state, state, row)
            + float(b_in[row]) + float(b_state[row])
            for row in range(4 * hidden)
        ]  # fmt: skip
        for unit in range(hidden):
            let_in, forget = sigmoid(sums[unit]), sigmoid(sums[hidden + unit])
            new = math.tanh(sums[2 * hidden + unit])
            cell[unit] = forget * cell[unit] + let_in * new
        state = [sigmoid(sums[3 * hidden + unit]) * math.tanh(cell[unit]) for unit in range(hidden)]
        outputs.append(state)
    return outputs


def _product(matrix: Any, vector: Sequence[float], row: int) -> float:
    return sum(float(matrix[row][k]) * vector[k] for k in range(len(vector)))


def macro_f1(truth: Sequence[int], predicted: Sequence[int]) -> float:
    """Return the mean F1 over the classes that truth holds."""
    values = []
    for name in set(truth):
        hits = sum(1 for t, s in zip(truth, predicted, strict=True) if t == s == name)
        found = sum(1 for s in predicted if s == name)
        total = sum(1 for t in truth if t == name)
        precision = hits / found if found else 0.0
        recall = hits / total
        values.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return sum(values) / len(values)


def risk_coverage(
    scores: Sequence[float], right: Sequence[bool], weights: Sequence[float]
) -> list[tuple[float, float, float]]:
    """Return threshold, coverage and accuracy for every distinct score, highest first."""
    points = []
    for threshold in sorted(set(scores), reverse=True):
        kept = [i for i in range(len(scores)) if scores[i] >= threshold]
        weight = sum(weights[i] for i in kept)
        hits = sum(weights[i] for i in kept if right[i])
        points.append((threshold, weight / sum(weights), hits / weight))
    return points


def interpolated_rows(rows: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float64]:
    """Return rows interpolated to a new number, by Keys' cubic with a = -0.75, edges repeated."""
    scale, a = len(rows) / size, -0.75
    result = np.zeros((size, rows.shape[1]))
    for row in range(size):
        centre = (row + 0.5) * scale - 0.5
        first = math.floor(centre)
        for tap in range(first - 1, first + 3):
            x = abs(centre - tap)
            if x < 1:
                weight = ((a + 2) * x - (a + 3)) * x * x + 1
            else:
                weight = (((x - 5) * x + 8) * x - 4) * a
            result[row] += weight * rows[min(max(tap, 0), len(rows) - 1)].astype(float)
    return result


Vectors = Sequence[Sequence[float]]


def info_nce(queries: Vectors, keys: Vectors, negatives: Vectors, temperature: float) -> float:
    """Return the mean of -log softmax at the positive, over it and the negatives."""
    losses = []
    for query, key in zip(queries, keys, strict=True):
        positive = math.exp(_dot(query, key) / temperature)
        others = sum(math.exp(_dot(query, negative) / temperature) for negative in negatives)
        losses.append(-math.log(positive / (positive + others)))
    return sum(losses) / len(losses)


def nt_xent(one: Vectors, other: Vectors, temperature: float) -> float:
    """Return SimCLR's loss: each view against its partner and all other views of the batch."""
    views = [*one, *other]
    losses = []
    for index, view in enumerate(views):
        partner = (index + len(one)) % len(views)
        weights = [math.exp(_dot(view, each) / temperature) for each in views]
        losses.append(-math.log(weights[partner] / (sum(weights) - weights[index])))
    return sum(losses) / len(losses)


def alignment(one: Vectors, other: Vectors) -> float:
    """Return the mean squared distance of paired vectors."""
    distances = [_squared_distance(a, b) for a, b in zip(one, other, strict=True)]
    return sum(distances) / len(distances)


def uniformity(vectors: Vectors) -> float:
    """Return the log of the mean of exp(-2 d²) over distinct pairs."""
    potentials = [math.exp(-2 * _squared_distance(a, b)) for a, b in permutations(vectors, 2)]
    return math.log(sum(potentials) / len(potentials))


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def _squared_distance(one: Sequence[float], other: Sequence[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def window_similarities(
    one: Vectors, other: Vectors, *, kernel: int, stride: int
) -> list[list[float]]:
    """Return the mean dot product of the shots of every two windows (METHODS B3)."""
    table = []
    for row in range(0, len(one) - kernel + 1, stride):
        table.append([])
        for column in range(0, len(other) - kernel + 1, stride):
            products = [
                _dot(a, b) for a in one[row : row + kernel] for b in other[column : column + kernel]
            ]
            table[-1].append(sum(products) / len(products))
    return table
