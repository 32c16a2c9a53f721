"""``mastershot moderation tune|policies``: another policy for a film, without a network."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from mastershot.apps.command import Commands, Json, ModerationPolicy, loading
from mastershot.apps.show import say_result
from mastershot.core.errors import SettingError

moderation_app = Commands(
    name="moderation", help="What policies ask to be reviewed: tune, queue, record, report."
)


@moderation_app.command("tune")
def tune(
    *,
    timeline: Annotated[
        Path, Argument(metavar="TIMELINE", help="The film's timeline.json, or its folder.")
    ],
    policy: ModerationPolicy = "default",
    write: Annotated[
        bool, Option("--write", help="Put it into the timeline, its report and its tables.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what another policy finds in a film, from its kept scores; no network runs."""
    with loading():
        from mastershot.exports.moderation import moderation_lines
        from mastershot.pipeline.moderation.cutting import tune_moderation
    found = tune_moderation(timeline, policy, write=write)
    made = found.made_by.steps["moderation"]["policy"]
    value = {
        "policy": made["name"],
        "fingerprint": made["fingerprint"],
        "intervals": [asdict(one) for one in found.moderation or ()],
        "coverage": [asdict(one) for one in found.moderation_coverage or ()],
        "written": write,
    }
    lines = [f"policy {made['name']} ({made['fingerprint']})"]
    lines += [f"  {line}" for line in moderation_lines(found)]
    say_result(value, [*lines, "written"] if write else lines, as_json=as_json)


@moderation_app.command("policies")
def policies(
    name: Annotated[
        str | None, Argument(metavar="[NAME|FILE]", help="Print this one as YAML, to copy it.")
    ] = None,
    model: Annotated[
        list[str] | None,
        Option(
            "--moderation-model",
            metavar="FOLDER|NAME",
            help="Trained or installed model whose classes it may name, as of `analyze`.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the policies that ship; or check one, and print it."""
    with loading():
        from mastershot.labelling.moderation.policy import (
            load_policy,
            policy_text,
            shipped_policies,
        )
        from mastershot.pipeline.moderation.models import model_classes

    if name is not None:
        classes = [one for source in model or () for one in model_classes(source)]
        found, text = load_policy(name, classes=classes), policy_text(name)
        say_result(found.made(), text.splitlines(), as_json=as_json)
        return
    if model:
        raise SettingError(
            f"moderation model {model[0]} is named, but no policy whose classes it finds; name its "
            "file"
        )
    held = [load_policy(one) for one in shipped_policies()]
    lines = [
        f"{one.name:8}  {one.about} ({', '.join(rule.name for rule in one.classes)})"
        for one in held
    ]
    say_result([one.made() for one in held], lines, as_json=as_json)
