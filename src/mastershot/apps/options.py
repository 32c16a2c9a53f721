"""Options that several commands have in common."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print machine-readable results on stdout.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
LibraryFolder = Annotated[Path, typer.Option("--library", metavar="DIR", help="The library.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
KeptLibrary = Annotated[
    Path | None, typer.Option("--library", metavar="DIR", help="The library of the clips.")
]
DatasetPath = Annotated[
    Path,
    typer.Argument(metavar="DATASET", help="What `label build` made, or a file of its kind."),
]

Encoder = Annotated[
    str | None,
    typer.Option(metavar="NAME|FOLDER", help="Encoder of frames and words, for labels."),
]
Precision = Annotated[
    str | None,
    typer.Option(
        metavar="float32|bfloat16|int8", help="Of frames; int8 is fastest and least exact."
    ),
]
Taxonomy = Annotated[
    str, typer.Option(metavar="NAME|FILE", help="Labels: movieclip, movieclip-150, or a file.")
]
Detector = Annotated[str, typer.Option(metavar="content|adaptive", help="How cuts are found.")]
Exact = Annotated[
    bool, typer.Option("--exact", help="Give the detector PySceneDetect's own pixels (slower).")
]
Threshold = Annotated[
    float | None, typer.Option(help="Score of a cut; default 27 (content) or 3 (adaptive).")
]
MinShot = Annotated[float, typer.Option("--min-shot", metavar="SECONDS", help="Shortest shot.")]
ShotList = Annotated[
    Path | None,
    typer.Option(metavar="LIST", help="Use shots found elsewhere: CSV, TransNetV2, MovieNet."),
]
Sampling = Annotated[
    str,
    typer.Option("--sampling", metavar="uniform:N|rate:HZ|every", help="Frames looked at a shot."),
]
Stream = Annotated[
    int | None,
    typer.Option(metavar="N", min=0, help="Video stream to read, as ffprobe counts."),
]
Steps = Annotated[
    str, typer.Option(metavar="NAME,…", help="Which of shots, labels, scenes, scale.")
]
Scale = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Trained classifier of shot scale (docs/scale.md)."),
]
