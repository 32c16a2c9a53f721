"""Options that several commands share: single ones as types, groups of them as dataclasses."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from typer import Argument, Option

if TYPE_CHECKING:
    from mastershot.pipeline.analysis.plan import Plan
    from mastershot.shots.content import DetectorName

Json = Annotated[bool, Option("--json", help="Print machine-readable results on stdout.")]
Quiet = Annotated[bool, Option("--quiet", help="Show no progress.")]
Debug = Annotated[bool, Option("--debug", help="Show tracebacks.")]
LibraryFolder = Annotated[Path, Option("--library", metavar="DIR", help="The library.")]
KeptLibrary = Annotated[
    Path | None, Option("--library", metavar="DIR", help="The library of the clips.")
]
DatasetPath = Annotated[
    Path, Argument(metavar="DATASET", help="What `label build` made, or a file of its kind.")
]
Taxonomy = Annotated[
    str, Option(metavar="NAME|FILE", help="Labels: movieclip, movieclip-150, or a file.")
]
Seed = Annotated[int, Option(help="Another seed draws others.")]


@dataclass(frozen=True)
class Reporting:
    """How a command reports what it does."""

    as_json: Json = False
    quiet: Quiet = False
    debug: Debug = False


@dataclass(frozen=True)
class AnalysisOptions:
    """How films are analysed; `plan` has the same settings checked."""

    encoder: Annotated[
        str | None, Option(metavar="NAME|FOLDER", help="Encoder of frames and words, for labels.")
    ] = None
    precision: Annotated[
        str | None,
        Option(metavar="float32|bfloat16|int8", help="Of frames; int8 is fastest and least exact."),
    ] = None
    taxonomy: Taxonomy = "movieclip"
    detector: Annotated[str, Option(metavar="content|adaptive", help="How cuts are found.")] = (
        "content"
    )
    exact: Annotated[
        bool, Option("--exact", help="Give the detector PySceneDetect's own pixels (slower).")
    ] = False
    threshold: Annotated[
        float | None, Option(help="Score of a cut; default 27 (content) or 3 (adaptive).")
    ] = None
    min_shot: Annotated[float, Option("--min-shot", metavar="SECONDS", help="Shortest shot.")] = 0.6
    shots: Annotated[
        Path | None,
        Option(metavar="LIST", help="Use shots found elsewhere: CSV, TransNetV2, MovieNet."),
    ] = None
    sampling: Annotated[
        str, Option(metavar="uniform:N|rate:HZ|every", help="Frames sampled in each shot.")
    ] = "uniform:3"
    steps: Annotated[
        str, Option(metavar="NAME,…", help="Which of shots, labels, scenes, scale.")
    ] = "shots,labels,scenes,scale"
    scale: Annotated[
        Path | None,
        Option(metavar="FOLDER", help="Trained classifier of shot scale (docs/scale.md)."),
    ] = None
    stream: Annotated[
        int | None, Option(metavar="N", min=0, help="Video stream to read, as ffprobe counts.")
    ] = None

    def plan(self) -> "Plan":
        """Return the plan of an analysis with these options.

        Raises:
            SettingError: An option has a value that means nothing.
        """
        from mastershot.media.sampling import parse_sampling
        from mastershot.pipeline.analysis.plan import Plan
        from mastershot.shots.content import ShotSettings

        detector = cast("DetectorName", self.detector)
        return Plan(
            steps=tuple(step.strip() for step in self.steps.split(",")),
            shots=ShotSettings(detector, self.exact, self.threshold, self.min_shot),
            shot_list=self.shots,
            sampling=parse_sampling(self.sampling),
            encoder=self.encoder,
            precision=self.precision,
            taxonomy=self.taxonomy,
            scale=self.scale,
            stream=self.stream,
        )
