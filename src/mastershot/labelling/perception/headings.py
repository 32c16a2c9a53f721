"""A scene's heading as a script would write it: `INT. KITCHEN - NIGHT` (METHODS E)."""

from collections.abc import Sequence

from mastershot.core.labels import LabelScore
from mastershot.labelling.perception.setting import named_place, not_contradicting

SCRIPT_WORDS = {
    "agriculture field": "field",
    "archaeological site": "dig site",
    "automotive repair": "auto shop",
    "cab": "taxi",
    "grassland": "field",
    "parking": "parking lot",
    "retail": "store",
    "suburban": "suburban street",
}
"""Labels of MovieCLIP that scripts hardly write, and what 400 scripts write instead."""

_PREFIXES = {"INT": "INT.", "EXT": "EXT.", "INT/EXT": "INT./EXT."}


def heading_of(
    setting: LabelScore | None,
    labels: Sequence[LabelScore] | None,
    time_of_day: LabelScore | None,
) -> str | None:
    """Return a scene's heading; None where nothing is sure.

    What is unsure is left out, never guessed, and so is a setting that the place contradicts
    (`not_contradicting`). The place is the best of the labels that are kept.
    The dash parts place and time, so without a place there is none: ``EXT. DAY``.
    """
    place = named_place(labels)
    words = None if place is None else SCRIPT_WORDS.get(place, place).upper()
    if setting is not None:
        setting = not_contradicting(setting, labels)
    prefix = None if setting is None or setting.unsure else _PREFIXES[setting.name]
    moment = None if time_of_day is None or time_of_day.unsure else time_of_day.name
    what = " - ".join(part for part in (words, moment) if part)
    return " ".join(part for part in (prefix, what) if part) or None
