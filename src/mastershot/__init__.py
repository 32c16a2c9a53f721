"""Mastershot turns films into knowledge; the names here are public and load what they need late."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mastershot.core.errors import MastershotError as MastershotError
    from mastershot.core.labels import Taxonomy as Taxonomy
    from mastershot.core.labels import load_taxonomy as load_taxonomy
    from mastershot.core.timeline import Timeline as Timeline
    from mastershot.curation.scripts import parse_script as parse_script
    from mastershot.curation.sluglines import Heading as Heading
    from mastershot.encoders.catalogue import load_encoder as load_encoder
    from mastershot.mining.pairs import mine_scene_pairs as mine_scene_pairs
    from mastershot.models.recognisers.build import build_recogniser as build_recogniser
    from mastershot.pipeline.align.script import align_script as align_script
    from mastershot.pipeline.analysis.plan import Plan as Plan
    from mastershot.pipeline.analyze import analyze as analyze
    from mastershot.pipeline.analyze import detect_shots as detect_shots
    from mastershot.pipeline.edits import export as export
    from mastershot.pipeline.edits import read_edits as read_edits
    from mastershot.pipeline.library import Library as Library
    from mastershot.pipeline.search.filters import ShotFilter as ShotFilter

__version__ = "0.1.0"

_HOMES = {
    "Heading": "mastershot.curation.sluglines",
    "Library": "mastershot.pipeline.library",
    "MastershotError": "mastershot.core.errors",
    "Plan": "mastershot.pipeline.analysis.plan",
    "ShotFilter": "mastershot.pipeline.search.filters",
    "Taxonomy": "mastershot.core.labels",
    "Timeline": "mastershot.core.timeline",
    "align_script": "mastershot.pipeline.align.script",
    "analyze": "mastershot.pipeline.analyze",
    "build_recogniser": "mastershot.models.recognisers.build",
    "detect_shots": "mastershot.pipeline.analyze",
    "export": "mastershot.pipeline.edits",
    "load_encoder": "mastershot.encoders.catalogue",
    "load_taxonomy": "mastershot.core.labels",
    "mine_scene_pairs": "mastershot.mining.pairs",
    "parse_script": "mastershot.curation.scripts",
    "read_edits": "mastershot.pipeline.edits",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mastershot' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
