"""``mastershot taxonomy``: build a taxonomy from scripts, decide, view, compare."""

import getpass
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

from typer import Argument, BadParameter, Option

from mastershot.apps.command import Commands, Json, LibraryFolder, Seed
from mastershot.apps.show import complain, note, say, say_result
from mastershot.core.errors import MastershotError, SettingError

if TYPE_CHECKING:
    from mastershot.curation.built import BuiltTaxonomy
    from mastershot.curation.decisions import Decision, DecisionKind
    from mastershot.curation.diff import TaxonomyDiff
    from mastershot.curation.review import Question
    from mastershot.pipeline.taxonomy.build import TaxonomyBuilder
    from mastershot.pipeline.taxonomy.relabel import RelabellingEffect

taxonomy_app = Commands(name="taxonomy", help="Labels of places: build, decide, show, compare.")

DecisionsFile = Annotated[
    Path | None, Option(metavar="FILE", help="What people decided, as CSV; it only grows.")
]
By = Annotated[str | None, Option(metavar="NAME", help="Who decides; default: your login.")]
TaxonomyName = Annotated[str, Argument(metavar="NAME|FILE|FOLDER", show_default=False)]


@taxonomy_app.command("build")
def taxonomy_build(
    scripts: Annotated[list[Path], Argument(metavar="SCRIPTS...", show_default=False)],
    aux: Annotated[str, Option(metavar="FILE", help="HVU's tags, or a label a line.")],
    decisions: DecisionsFile = None,
    glossary: Annotated[
        Path | None, Option(metavar="FILE", help="Definitions, as CSV: label, definition.")
    ] = None,
    top: Annotated[int, Option(metavar="N", help="Labels of scripts at most; 0 takes all.")] = 173,
    min_scripts: Annotated[int, Option(metavar="N", help="Scripts that must name a label.")] = 1,
    review: Annotated[
        bool, Option("--review", help="Ask what nobody has decided yet, answer by answer.")
    ] = False,
    by: By = None,
    out: Annotated[Path, Option(metavar="DIR", help="Folder of results.")] = Path("taxonomy"),
    as_json: Json = False,
) -> None:
    """Build a taxonomy from scripts, an auxiliary label set and people's decisions.

    SCRIPTS are Fountain, Final Draft or plain text, folders of them, or tables of headings (.tsv
    or .csv with the columns script and heading).
    """
    if review and decisions is None:
        raise BadParameter("--review needs --decisions FILE to keep the answers in")
    from mastershot.exports.taxonomy import write_taxonomy
    from mastershot.pipeline.taxonomy.build import TaxonomyBuilder, TaxonomyPlan

    plan = TaxonomyPlan(
        tuple(scripts), aux, decisions, glossary, top=top or None, min_scripts=min_scripts
    )
    builder = TaxonomyBuilder(plan)
    if review and decisions is not None:
        _review(builder, decisions, by or _login())
    curation = builder.curate()
    built = builder.describe(curation, out.resolve().name)
    write_taxonomy(built, curation, out)
    problems = [*builder.problems, *(f"{decisions}: {text}" for text in curation.stale_texts())]
    steps = [f"{name:18} {count:6}" for name, count in built.made_by["steps"].items()]
    value, lines = built.as_json() | {"problems": problems}, [*steps, f"→ {out / 'taxonomy.txt'}"]
    complain(*builder.notes)
    say_result(value, lines, as_json=as_json, problems=problems)


@taxonomy_app.command("decide")
def taxonomy_decide(
    *,
    decisions: Annotated[Path, Option(metavar="FILE", help="The decisions file.")],
    words: Annotated[
        list[str] | None,
        Argument(metavar="add|keep|drop|merge|rename LABEL [INTO]", show_default=False),
    ] = None,
    drawn: Annotated[
        Path | None,
        Option(metavar="CSV", help="Add the labels that a filled-in draw lists as missing."),
    ] = None,
    by: By = None,
    reason: Annotated[str, Option("--note", metavar="TEXT", help="Why.")] = "",
) -> None:
    """Add one decision to a decisions file, or the labels that a filled-in draw found missing."""
    from mastershot.curation.decisions import Decision, append_decisions, now, read_decisions
    from mastershot.pipeline.taxonomy.viewing import not_yet_made, read_missing

    who = by or _login()
    missing = () if drawn is None else read_missing(drawn, by=who)
    made = list(not_yet_made(missing, read_decisions(decisions)))
    if words:
        if not 2 <= len(words) <= 3:
            raise SettingError(
                "a decision is a word, a label and perhaps another label, quoted where it has "
                'blanks: merge "fish pond" pond'
            )
        kind, label, into = [" ".join(word.lower().split()) for word in (*words, "")][:3]
        decision = cast("DecisionKind", kind)
        made.append(Decision(decision, label, into, by=who, made=now(), note=reason))
    if missing and not made:
        say(f"all labels that {drawn} lists as missing were added before")
        return
    if not made:
        raise SettingError("there is nothing to decide; name a decision, or a filled-in draw")
    append_decisions(decisions, made)
    say(*(one.text for one in made))


@taxonomy_app.command("show")
def taxonomy_show(source: TaxonomyName, as_json: Json = False) -> None:
    """Show a taxonomy's labels; of a build's folder also groups, sources and definitions."""
    from mastershot.core.labels import Taxonomy
    from mastershot.curation.built import open_taxonomy

    found = open_taxonomy(source)
    if isinstance(found, Taxonomy):
        value = {"name": found.name, "fingerprint": found.fingerprint, "labels": found.labels}
        say_result(value, found.labels, as_json=as_json)
    else:
        say_result(found.as_json(), _built_lines(found), as_json=as_json)


@taxonomy_app.command("diff")
def taxonomy_diff(
    old: TaxonomyName,
    new: TaxonomyName,
    decisions: DecisionsFile = None,
    library: Annotated[
        Path | None,
        Option(metavar="DIR", help="Count the shots of this library that would change."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what was added, dropped, merged and renamed, and what relabelling would change."""
    from mastershot.core.labels import Taxonomy
    from mastershot.curation.built import open_taxonomy
    from mastershot.curation.decisions import read_decisions
    from mastershot.curation.diff import diff_taxonomies, known_changes
    from mastershot.encoders.text import SentenceEncoder
    from mastershot.pipeline.library import Library
    from mastershot.pipeline.taxonomy.relabel import relabelling_effect

    before, after = open_taxonomy(old), open_taxonomy(new)
    known = {} if decisions is None else known_changes(read_decisions(decisions))
    if not isinstance(after, Taxonomy):
        known |= after.changes
    a, b = (one if isinstance(one, Taxonomy) else one.taxonomy for one in (before, after))
    diff = diff_taxonomies(a, b, SentenceEncoder().encode_texts, known=known)
    effect = None
    if library is not None:
        effect = relabelling_effect(Library(library, create=False), a, b)
    lines = [*_diff_lines(diff), *(_effect_lines(effect) if effect else ())]
    complain(*(effect.notes if effect and not as_json else ()))
    value = asdict(diff) | {"relabelling": asdict(effect) if effect else None}
    say_result(value, lines, as_json=as_json)


@taxonomy_app.command("draw")
def taxonomy_draw(
    library: LibraryFolder,
    out: Annotated[Path, Option(metavar="CSV", help="The file to fill in.")],
    num_shots: Annotated[int, Option(metavar="N", help="How many shots to draw.")] = 1000,
    seed: Seed = 0,
) -> None:
    """Draw shots for viewing; labels that viewers miss go into the column missing.

    `taxonomy decide --drawn CSV` then adds those labels to the decisions.
    """
    from mastershot.pipeline.library import Library
    from mastershot.pipeline.taxonomy.viewing import write_viewing

    kept = Library(library, create=False)
    say(f"{write_viewing(kept, out, num_drawn=num_shots, seed=seed)} shots → {out}")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise SettingError(
            "this machine does not know your login name; give your name with --by NAME"
        ) from error


def _review(builder: "TaxonomyBuilder", path: Path, by: str) -> None:
    """Ask until all is decided, or the answers end; each answer is on disk before the next."""
    from mastershot.curation.decisions import append_decisions
    from mastershot.curation.review import questions

    skipped: set[str] = set()
    while True:
        asked = questions(builder.curate(), builder.glossary)
        left = [question for question in asked if question.label not in skipped]
        if not left:
            return
        note(f"{len(left)} to decide", *_question_lines(left[0]))
        try:
            decision = _ask(builder, left[0], by)
        except EOFError:  # No more answers, or the person has had enough.
            return
        if decision is None:
            skipped.add(left[0].label)
        else:
            append_decisions(path, [decision])
            builder.decisions = (*builder.decisions, decision)


def _ask(builder: "TaxonomyBuilder", question: "Question", by: str) -> "Decision | None":
    """Return a person's decision; None where the question is skipped."""
    from mastershot.curation.review import answer

    while True:
        text = input().strip()
        if text.lower() in {"s", "skip"}:
            return None
        if text.lower() in {"q", "quit"}:
            raise EOFError
        try:
            decision = answer(question, text, by=by)
            builder.require_label(decision)
        except MastershotError as error:
            complain(str(error))
        else:
            return decision


def _question_lines(question: "Question") -> list[str]:
    where = f"{question.origin}, named by {question.num_scripts} scripts"
    lines = [f"{question.label} ({where}) {question.example}".rstrip()]
    if question.definition:
        lines.append(f"    {question.label}: {question.definition}")
    if question.into:
        lines.append(f"    merge into {question.into}? cosine {question.cosine:.3f}")
    if question.into_definition:
        lines.append(f"    {question.into}: {question.into_definition}")
    if question.hint:
        lines.append(f"    {question.hint}")
    merge = "[m]erge, " if question.into else ""
    lines.append(f"    [k]eep, [d]rop, {merge}m LABEL, r NAME, [s]kip, [q]uit")
    return lines


def _built_lines(built: "BuiltTaxonomy") -> Iterator[str]:
    by_name = {label.label: label for label in built.labels}
    groups = {group.exemplar: group.labels for group in built.groups}
    grouped = {name for names in groups.values() for name in names}
    if rest := tuple(name for name in by_name if name not in grouped):
        groups["without a group"] = rest
    for exemplar, names in groups.items():
        yield f"[{exemplar}]"
        for name in names:
            label = by_name[name]
            merged = f"  = {', '.join(label.merged)}" if label.merged else ""
            meaning = f"  {label.definition}" if label.definition else ""
            yield f"  {name:24} {label.origin:9} {label.num_scripts:5} scripts{merged}{meaning}"


def _diff_lines(diff: "TaxonomyDiff") -> Iterator[str]:
    for word, names in (("added", diff.added), ("dropped", diff.dropped)):
        yield from (f"{word:8} {name}" for name in names)
    for word, changes in (("merged", diff.merged), ("renamed", diff.renamed)):
        for change in changes:
            why = "decided" if change.cosine is None else f"perhaps, cosine {change.cosine:.3f}"
            yield f"{word:8} {change.label} → {change.into} ({why})"
    if diff.moved:
        yield "moved    labels of both are in another order"
    if not any((diff.added, diff.dropped, diff.merged, diff.renamed, diff.moved)):
        yield "the same labels in the same order"


def _effect_lines(effect: "RelabellingEffect") -> Iterator[str]:
    yield (
        f"of {effect.num_shots:,} shots {effect.num_labelled:,} are labelled; "
        f"{effect.num_naming_gone:,} keep a label that is gone"
    )
    if effect.num_scored:
        yield (
            f"scored with both, from kept vectors: {effect.num_scored:,} shots; "
            f"{effect.num_best_changed:,} get another best label, "
            f"{effect.num_kept_changed:,} keep other labels"
        )
