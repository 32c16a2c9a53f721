"""What commands share: groups of them, options, ``--debug``, and one sentence an error."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer import Argument, Option
from typer.models import CommandFunctionType as Work

from mastershot.apps.show import complain, complain_of
from mastershot.core.errors import SettingError

if TYPE_CHECKING:
    from mastershot.pipeline.analysis.plan import Plan
    from mastershot.shots.settings import DetectorName

Json = Annotated[bool, Option("--json", help="Print machine-readable results on stdout.")]
Debug = Annotated[bool, Option("--debug", help="Show tracebacks.")]
LibraryFolder = Annotated[Path, Option(metavar="DIR", help="The library.")]
KeptLibrary = Annotated[Path | None, Option(metavar="DIR", help="The library of the clips.")]
DatasetPath = Annotated[
    Path, Argument(metavar="DATASET", help="What `label build` made, or a file of its kind.")
]
Taxonomy = Annotated[
    str, Option(metavar="NAME|FILE", help="Labels: movieclip, movieclip-150, or a file.")
]
ModerationPolicy = Annotated[
    str, Option("--policy", metavar="NAME|FILE", help="Moderation: default, strict, lenient, file.")
]
Seed = Annotated[int, Option(help="Another seed draws others.")]


@dataclass(frozen=True)
class Reporting:
    """How a command reports what it does."""

    as_json: Json = False
    quiet: Annotated[bool, Option("--quiet", help="Show no progress.")] = False
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
    smoothing: Annotated[
        str, Option(metavar="off|on|STAY", help="Smooth labels over a film's shots.")
    ] = "off"
    detector: Annotated[
        str,
        Option(metavar="temporal|content|adaptive|learned|cascade", help="How shots are found."),
    ] = "temporal"
    exact: Annotated[
        bool,
        Option("--exact", help="Give content or adaptive PySceneDetect's own pixels (slower)."),
    ] = False
    threshold: Annotated[
        float | None,
        Option(help="Score of a cut; default 0.5, or 27 (content), 3 (adaptive)."),
    ] = None
    min_shot: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Shortest shot; default 0.15, or 0.6 (content, adaptive).",
        ),
    ] = None
    shots: Annotated[
        Path | None,
        Option(metavar="LIST", help="Use shots found elsewhere: CSV, EDL, OTIO, …"),
    ] = None
    sampling: Annotated[
        str, Option(metavar="uniform:N|rate:HZ|every", help="Frames sampled in each shot.")
    ] = "uniform:3"
    steps: Annotated[
        str,
        Option(
            metavar="NAME,…",
            help="Of shots, labels, scenes, scale, people, headings, sound, moderation, genres.",
        ),
    ] = "shots,labels,scenes,scale,people,headings,sound"
    scale: Annotated[
        Path | None,
        Option(metavar="FOLDER", help="Trained classifier of shot scale (docs/scale.md)."),
    ] = None
    recogniser: Annotated[
        Path | None,
        Option(metavar="FOLDER", help="Trained recogniser for labels (docs/recognising.md)."),
    ] = None
    fuse: Annotated[
        float | None,
        Option(metavar="SHARE", help="Its share, where labels by words make the rest."),
    ] = None
    genres: Annotated[
        Path | None,
        Option(metavar="RUN|FOLDER", help="Trained model of genres: adds the step genres."),
    ] = None
    scene_head: Annotated[
        Path | None,
        Option(metavar="RUN|FOLDER", help="Trained scene head (docs/scenes.md)."),
    ] = None
    stream: Annotated[
        int | None, Option(metavar="N", min=0, help="Video stream to read, as ffprobe counts.")
    ] = None
    policy: ModerationPolicy = "default"
    moderation_model: Annotated[
        list[str] | None,
        Option(metavar="FOLDER|NAME", help="Trained or installed model for step moderation."),
    ] = None

    def plan(self) -> "Plan":
        """Return the plan of an analysis with these options.

        Raises:
            SettingError: An option has a value that means nothing.
        """
        from mastershot.labelling.smoothing import parse_smoothing
        from mastershot.media.sampling import parse_sampling
        from mastershot.pipeline.analysis.plan import Plan
        from mastershot.pipeline.moderation.detectors import ModerationOptions
        from mastershot.shots.settings import ShotSettings

        detector = cast("DetectorName", self.detector)
        return Plan(
            steps=tuple(step.strip() for step in self.steps.split(",")),
            shots=ShotSettings(detector, self.exact, self.threshold, self.min_shot),
            shot_list=self.shots,
            sampling=parse_sampling(self.sampling),
            encoder=self.encoder,
            precision=self.precision,
            taxonomy=self.taxonomy,
            smoothing=parse_smoothing(self.smoothing),
            scale=self.scale,
            stream=self.stream,
            recogniser=self.recogniser,
            fuse=self.fuse,
            moderation=ModerationOptions(self.policy, tuple(self.moderation_model or ())),
            genres=self.genres,
            scene_head=self.scene_head,
        )


class Commands(typer.Typer):
    """A group of commands, which may take groups of options.

    A parameter whose type is a dataclass becomes one option for each parameter of its constructor.
    ``--debug`` comes last. An error ends the command as `errors_as_sentences` says.
    """

    def command(self, *args: Any, **settings: Any) -> Callable[[Work], Work]:
        """Return a decorator that adds a function to the group, as `typer.Typer.command` does."""
        register = super().command(*args, **settings)

        def add(work: Work) -> Work:
            register(flattened(work))
            return work

        return add


def flattened(work: Callable[..., None]) -> Callable[..., None]:
    """Return a command's function with one parameter for each option, as `Commands` takes it."""
    parameters = signature(work).parameters
    groups: dict[str, Any] = {
        name: one.annotation for name, one in parameters.items() if is_dataclass(one.annotation)
    }
    options: dict[str, Parameter] = {}
    for name, parameter in parameters.items():
        options |= signature(groups[name]).parameters if name in groups else {name: parameter}
    options.setdefault(
        "debug", Parameter("debug", Parameter.KEYWORD_ONLY, default=False, annotation=Debug)
    )

    @wraps(work)
    def run(**values: Any) -> None:
        with errors_as_sentences(values["debug"]):
            for name, group in groups.items():
                values[name] = group(
                    **{key: values.pop(key) for key in signature(group).parameters}
                )
            values.pop("debug", None)  # Unless a group has taken it.
            work(**values)

    run.__signature__ = signature(work).replace(  # type: ignore[attr-defined]
        parameters=[option.replace(kind=Parameter.KEYWORD_ONLY) for option in options.values()]
    )
    return run


@contextmanager
def loading() -> Iterator[None]:
    """Collect no garbage while modules and networks are loaded, and never look through them after.

    They stay, and the collector's rounds over them are a tenth of an import of torch. Where it is
    off, it stays off, and nothing is changed.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def errors_as_sentences(debug: bool) -> Iterator[None]:
    """Turn an error into one sentence on stderr and exit 1; with ``debug`` show its traceback.

    Wrong usage exits with 2, an interrupt with 130.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except KeyboardInterrupt:
        complain("stopped; the same command continues from here")
        raise typer.Exit(130) from None
    except BrokenPipeError:  # The reader of our output, such as `head`, has closed it.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
        raise typer.Exit(0) from None
    except Exception as error:  # noqa: BLE001  The last line of defence between a bug and a user.
        complain_of(error, debug=debug)
        raise typer.Exit(2 if isinstance(error, SettingError) else 1) from None
