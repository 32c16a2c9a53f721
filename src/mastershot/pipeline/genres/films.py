"""Splits of a data set that keep trailers of one film together, and genres in their shares."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from mastershot.core.errors import SettingError
from mastershot.datasets.genres.duplicates import Twins
from mastershot.datasets.genres.table import SPLITS
from mastershot.labelling.splits import seeded_key

DEFAULT_SHARES: Mapping[str, float] = dict(zip(SPLITS, (0.7, 0.15, 0.15), strict=True))


def groups_of(count: int, twins: Sequence[Twins]) -> list[int]:
    """Return the group of each trailer: the place of the first of those it is alike, or linked."""
    group = list(range(count))

    def root(place: int) -> int:
        while group[place] != place:
            group[place] = group[group[place]]
            place = group[place]
        return place

    for pair in twins:
        one, other = sorted((root(pair.one), root(pair.other)))
        group[other] = one
    return [root(place) for place in range(count)]


def parse_shares(text: str) -> dict[str, float]:
    """Return the share of each split that ``0.7,0.15,0.15`` or ``train=0.8,test=0.2`` names.

    Raises:
        SettingError: A split is none of ours, a share is no number from 0 to 1, or their sum is
            not 1.
    """
    shares = dict.fromkeys(SPLITS, 0.0)
    names = iter(SPLITS)
    known = set(SPLITS)
    try:
        for part in text.split(","):
            name, _, number = part.rpartition("=")
            name = name.strip() or next(names)
            known.remove(name)
            shares[name] = float(number)
    except (ValueError, KeyError, StopIteration):
        shares = {}
    if (
        not shares
        or not all(0 <= share <= 1 for share in shares.values())
        or abs(sum(shares.values()) - 1) > 1e-6
    ):
        raise SettingError(
            f"splits {text!r} mean nothing; write shares of {', '.join(SPLITS)} with sum 1, such "
            "as 0.7,0.15,0.15 or train=0.8,test=0.2"
        )
    return shares


def stratified_splits(
    genres: Sequence[Sequence[str]],
    groups: Sequence[int],
    keys: Sequence[str],
    *,
    shares: Mapping[str, float] = DEFAULT_SHARES,
    seed: int = 0,
) -> list[str]:
    """Return the split of each trailer, so that each genre has its share in each split.

    Iterative stratification (Sechidis et al. 2011): the genre with the fewest trailers left is
    dealt out first, each group to the split that lacks it most. Groups stay together. Trailers are
    shuffled by their keys and the seed alone: their order does not matter.

    Args:
        genres: Genres of each trailer.
        groups: Group of each, from `groups_of`.
        keys: What each is known by, such as the digest of its file.
        shares: Share of the trailers of each split.
        seed: Another seed makes other splits.
    """
    dealing = _Dealing(genres, groups, keys, shares, seed)
    dealt = dict(dealing.deal())
    return [dealt[group] for group in groups]


class _Dealing:
    def __init__(
        self,
        genres: Sequence[Sequence[str]],
        groups: Sequence[int],
        keys: Sequence[str],
        shares: Mapping[str, float],
        seed: int,
    ) -> None:
        self._members: dict[int, list[int]] = {}
        for place, group in enumerate(groups):
            self._members.setdefault(group, []).append(place)
        self._genres = {
            group: Counter(name for place in places for name in genres[place])
            for group, places in self._members.items()
        }
        order = {
            group: seeded_key(seed, min(keys[place] for place in places))
            for group, places in self._members.items()
        }
        self._left = sorted(self._members, key=lambda group: (order[group], group))
        total = Counter(name for one in genres for name in one)
        self._needs = {
            split: {name: share * count for name, count in total.items()}
            for split, share in shares.items()
            if share > 0
        }
        self._room = {split: shares[split] * len(genres) for split in self._needs}

    def deal(self) -> Iterator[tuple[int, str]]:
        """Yield each group and its split."""
        while self._left:
            counts = Counter(name for group in self._left for name in self._genres[group])
            if not counts:
                chosen, genre = list(self._left), None
            else:
                genre = min(counts, key=lambda name: (counts[name], name))
                chosen = [group for group in self._left if genre in self._genres[group]]
            for group in chosen:
                yield group, self._place(group, genre)
            taken = set(chosen)
            self._left = [group for group in self._left if group not in taken]

    def _place(self, group: int, genre: str | None) -> str:
        def lacks(split: str) -> tuple[float, float]:
            need = 0.0 if genre is None else self._needs[split][genre]
            return round(need, 9), round(self._room[split], 9)

        split = max(self._needs, key=lacks)
        for name, count in self._genres[group].items():
            self._needs[split][name] -= count
        self._room[split] -= len(self._members[group])
        return split
