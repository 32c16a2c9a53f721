"""Which labels of MovieCLIP are always inside or always outside, by scripts and by Places365.

    python bench/label_settings.py HEADINGS.tsv

Prints the table labelling/perception/label_settings.csv. HEADINGS.tsv has a line of a script per
row, in its last column. A label is settled where 95 in 100 of at least ten headings that name it
alone have one setting; or where Places365 gives its name one setting (names with *indoor* and
*outdoor* give both) and scripts do not contradict: they name it less than ten times, or have that
setting in 85 of 100.
"""

import csv
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

from mastershot.core.labels import load_taxonomy
from mastershot.curation.sluglines import parse_heading
from mastershot.labelling.perception.headings import SCRIPT_WORDS
from mastershot.labelling.perception.setting import load_places

SAME = {
    "graveyard": "cemetery",
    "gym": "gymnasium",
    "road": "highway",
    "sea": "ocean",
    "shore": "coast",
}
"""What Places365 calls a label of another name."""

BOTH = {"boxing ring"}
"""Labels that Places365 settles and its photographs do not; see settled_places.csv."""

LEAST, SETTLED, NOT_CONTRADICTED = 10, 0.95, 0.85


def main() -> None:
    by_scripts, by_places = of_scripts(Path(sys.argv[1])), of_places()
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["label", "setting", "headings", "of_that_setting", "places365"])
    for label in sorted(set(load_taxonomy("movieclip").labels) - BOTH):
        counts = by_scripts[SCRIPT_WORDS.get(label, label)]
        place, total = by_places.get(SAME.get(label, label)), counts.total()
        for setting in ("INT", "EXT"):
            share = counts[setting] / total if total else 1.0
            by_script = total >= LEAST and share >= SETTLED
            if by_script or (place == setting and (total < LEAST or share >= NOT_CONTRADICTED)):
                out.writerow([label, setting, total, counts[setting], place or ""])


def of_scripts(path: Path) -> dict[str, Counter[str]]:
    """Return how often each place, alone in a heading, has each setting."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for line in path.read_text("utf-8", "replace").splitlines():
        heading = parse_heading(line.rsplit("\t", 1)[-1])
        if heading is not None and heading.setting is not None and len(heading.places) == 1:
            place = re.sub("[^a-z ]", "", heading.places[0].lower()).strip()
            found[place][heading.setting] += 1
    return found


def of_places() -> dict[str, str]:
    """Return the setting of each name of Places365 that has one, without *indoor* and so on."""
    settings: dict[str, set[str]] = defaultdict(set)
    places = load_places()
    for name, inside in zip(places.names, places.is_indoor, strict=True):
        plain = re.sub(" (indoor|outdoor|interior|exterior)$", "", name)
        first = {name for name in (plain.split()[0],) if name in {"forest", "desert", "mountain"}}
        for one in {plain, *first}:
            settings[one].add("INT" if inside else "EXT")
        if plain != name:  # The other one of the two may be missing from the 365.
            settings[plain].add("either")
    return {name: found.pop() for name, found in settings.items() if len(found) == 1}


if __name__ == "__main__":
    main()
