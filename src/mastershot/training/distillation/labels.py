"""The teacher of labels: what frames were labelled as, and a probe that knows views without labels.

Labels of photographs gathered from the web are often wrong. A linear probe of them on the pooled
last map of the first teacher gives each view a second opinion: a label counts in the target of
its views by a constant trust, and the probe's opinion of the view for the rest, which is label
smoothing towards what is likely (soft bootstrapping, Reed et al. 2015, arXiv:1412.6596). Frames
without a label are taught by the probe alone.
"""
# F frames, G images, N labels, D channels of the teacher's last map

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from mastershot.core.errors import SettingError
from mastershot.training.distillation.frames import FramePool
from mastershot.training.distillation.teachers import SqueezeNetTeacher, Teacher, TeacherTargets

_PENALTY = 1e-3  # of the probe's squared weights
_ITERATIONS = 60
_AT_ONCE = 64
_LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear classifier of standardised features.

    Attributes:
        mean: Of the features it was fitted on, (D,).
        spread: Their standard deviation, (D,).
        weights: With the bias as the last row, (D + 1, N).
    """

    mean: Tensor
    spread: Tensor
    weights: Tensor

    @staticmethod
    def fit(features: Tensor, labels: Tensor, num_labels: int) -> "Probe":
        """Return the probe of these features (F, D) and labels (F,): softmax regression by L-BFGS.

        It starts from zeros, so it is the same for the same input.
        """
        mean, spread = features.mean(0), features.std(0, correction=0) + 1e-6
        inputs = _with_ones((features - mean) / spread)
        weights = torch.zeros(inputs.shape[1], num_labels, requires_grad=True)
        optimizer = torch.optim.LBFGS(
            [weights], max_iter=_ITERATIONS, history_size=20, line_search_fn="strong_wolfe"
        )

        def closure() -> float:
            optimizer.zero_grad()
            loss = cross_entropy(inputs @ weights, labels) + _PENALTY * weights[:-1].square().sum()
            loss.backward()  # type: ignore[no-untyped-call]
            return float(loss.detach())

        optimizer.step(closure)  # type: ignore[no-untyped-call]
        return Probe(mean, spread, weights.detach())

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (G, N) of features (G, D)."""
        return _with_ones((features.float().cpu() - self.mean) / self.spread) @ self.weights


def _with_ones(features: Tensor) -> Tensor:
    return torch.cat([features, features.new_ones(len(features), 1)], 1)


class LabelTeacher(Teacher):
    """The labels of a pool's frames as a teacher, with a probe for views and frames without one.

    Attributes:
        given: Place of each frame's label among the concepts, -1 without one, (F,).
    """

    def __init__(
        self, pool: FramePool, trained_on: Tensor, source: SqueezeNetTeacher, *, trust: float
    ) -> None:
        """Fit the probes on the labelled frames that are trained on, ``trained_on`` (F,) of bool.

        Raises:
            SettingError: Fewer than two labels are among them.
        """
        named = torch.tensor([bool(label) for label in pool.labels])
        rows = (named & trained_on).nonzero().flatten()
        names = sorted({pool.labels[row] for row in rows.tolist()})
        if len(names) < 2:
            raise SettingError(
                f"the teacher of labels needs frames of two labels at least; {len(rows)} frames "
                f"to train on have {len(names)}"
            )
        self.concepts = tuple(label_words(name) for name in names)
        self._source = source
        places = {name: place for place, name in enumerate(names)}
        self.given = torch.tensor([places.get(label, -1) for label in pool.labels])
        features = torch.cat(
            [self._pooled(pool.images(part)) for part in torch.split(rows, _AT_ONCE)]
        )
        self._probe = Probe.fit(features, self.given[rows], len(names))
        self._trust = trust

    def targets(self, images: Tensor) -> TeacherTargets:
        """Return the probe's logits, of images of RGB values 0…255, (G, 3, S, S)."""
        return TeacherTargets(self._probe.logits(self._pooled(images)))

    def targets_of_rows(self, rows: Tensor, last: Tensor) -> TeacherTargets:
        """Return log-probabilities for views of frames at these rows of the pool, (G, N).

        ``last`` is the first teacher's last map of the views, (G, D, H, W).
        """
        opinion = self._probe.logits(last.float().mean((2, 3))).softmax(1)
        given = self.given[rows]
        share = torch.where(given < 0, 0.0, self._trust).unsqueeze(1)
        labels = one_hot(given.clamp_min(0), len(self.concepts))
        mixed = share * labels + (1 - share) * opinion
        return TeacherTargets(mixed.clamp_min(_LEAST_PROBABILITY).log())

    def _pooled(self, images: Tensor) -> Tensor:
        with torch.inference_mode():
            maps = self._source.targets(images)
        assert maps.last is not None
        return maps.last.float().mean((2, 3)).cpu().clone()


def label_words(label: str) -> str:
    """Return a folder's name as words: ``subway_station-platform`` is a subway station platform."""
    return " ".join(label.replace("_", " ").replace("-", " ").split())
