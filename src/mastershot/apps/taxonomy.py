"""``mastershot taxonomy``: build a taxonomy from scripts, decide, look, compare."""

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from mastershot.apps.errors import errors_as_sentences
from mastershot.apps.options import Debug, Json, LibraryFolder
from mastershot.apps.show import ask, complain, say, say_json
from mastershot.core.errors import MastershotError, SettingError

if TYPE_CHECKING:
    from mastershot.curation.built import BuiltTaxonomy
    from mastershot.curation.decisions import DecisionKind
    from mastershot.curation.diff import TaxonomyDiff
    from mastershot.curation.review import Question
    from mastershot.pipeline.taxonomy.build import TaxonomyBuilder
    from mastershot.pipeline.taxonomy.relabel import RelabellingEffect

taxonomy_app = typer.Typer(name="taxonomy", help="Labels of places: build, decide, show, compare.")

DecisionsFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="What people decided, as CSV; it only grows.")
]
Aux = Annotated[str, typer.Option("--aux", metavar="FILE", help="HVU's tags, or a label a line.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; default: your login.")]
Top = Annotated[int, typer.Option(metavar="N", help="Labels of scripts at most; 0 takes all.")]
MinScripts = Annotated[int, typer.Option(metavar="N", help="Scripts that must name a label.")]
Glossary = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Definitions, as CSV: label, definition.")
]
TaxonomyName = Annotated[str, typer.Argument(metavar="NAME|FILE|FOLDER", show_default=False)]


@taxonomy_app.command("build")
def taxonomy_build(
    scripts: Annotated[list[Path], typer.Argument(metavar="SCRIPTS...", show_default=False)],
    aux: Aux,
    decisions: DecisionsFile = None,
    glossary: Glossary = None,
    top: Top = 173,
    min_scripts: MinScripts = 1,
    review: Annotated[
        bool, typer.Option("--review", help="Ask what nobody has decided yet, answer by answer.")
    ] = False,
    by: By = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of results.")] = Path("taxonomy"),
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Build a taxonomy from scripts, an auxiliary label set and people's decisions.

    SCRIPTS are Fountain, Final Draft or plain text, folders of them, or tables of headings (.tsv
    or .csv with the columns script and heading).
    """
    if review and decisions is None:
        raise typer.BadParameter("--review needs --decisions FILE to keep the answers in")
    with errors_as_sentences(debug):
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
        if as_json:
            say_json(built.as_json() | {"problems": problems})
        else:
            for name, count in built.made_by["steps"].items():
                say(f"{name:18} {count:6}")
            say(f"→ {out / 'taxonomy.txt'}")
    for text in (*builder.notes, *problems):
        complain(text)
    if problems:
        raise typer.Exit(1)


@taxonomy_app.command("decide")
def taxonomy_decide(
    decisions: Annotated[Path, typer.Option(metavar="FILE", help="The decisions file.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="add|keep|drop|merge|rename LABEL [INTO]", show_default=False),
    ] = None,
    drawn: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Add what a filled-in draw says is missing.")
    ] = None,
    by: By = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "",
    debug: Debug = False,
) -> None:
    """Add one decision to a decisions file, or what was missed in the shots of a draw."""
    with errors_as_sentences(debug):
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
            kind, label, *into = (" ".join(word.lower().split()) for word in words)
            target = into[0] if into else ""
            decision = cast("DecisionKind", kind)
            made.append(Decision(decision, label, target, by=who, made=now(), note=note))
        if missing and not made:
            say(f"all that {drawn} says is missing was added before")
            return
        if not made:
            raise SettingError("there is nothing to decide; name a decision, or a filled-in draw")
        append_decisions(decisions, made)
        for one in made:
            say(one.text)


@taxonomy_app.command("show")
def taxonomy_show(source: TaxonomyName, as_json: Json = False, debug: Debug = False) -> None:
    """Show a taxonomy's labels; of a build's folder also groups, sources and definitions."""
    with errors_as_sentences(debug):
        from mastershot.core.labels import Taxonomy
        from mastershot.curation.built import open_taxonomy

        found = open_taxonomy(source)
        if isinstance(found, Taxonomy):
            if as_json:
                labels = {"labels": list(found.labels)}
                say_json({"name": found.name, "fingerprint": found.fingerprint} | labels)
                return
            for label in found.labels:
                say(label)
            return
        if as_json:
            say_json(found.as_json())
            return
        _show_built(found)


@taxonomy_app.command("diff")
def taxonomy_diff(
    old: TaxonomyName,
    new: TaxonomyName,
    decisions: DecisionsFile = None,
    library: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Count the shots of this library that would change."),
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say what was added, dropped, merged and renamed, and what relabelling would change."""
    with errors_as_sentences(debug):
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
        a = before if isinstance(before, Taxonomy) else before.taxonomy
        b = after if isinstance(after, Taxonomy) else after.taxonomy
        diff = diff_taxonomies(a, b, SentenceEncoder().encode_texts, known=known)
        effect = None
        if library is not None:
            effect = relabelling_effect(Library(library, create=False), a, b)
        if as_json:
            say_json(asdict(diff) | {"relabelling": asdict(effect) if effect else None})
            return
        _show_diff(diff)
        _show_effect(effect)


@taxonomy_app.command("draw")
def taxonomy_draw(
    library: LibraryFolder,
    out: Annotated[Path, typer.Option(metavar="CSV", help="The file to fill in.")],
    num_shots: Annotated[
        int, typer.Option("--num-shots", metavar="N", help="How many shots to watch.")
    ] = 1000,
    seed: Annotated[int, typer.Option(help="Another seed draws others.")] = 0,
    debug: Debug = False,
) -> None:
    """Draw shots to watch; who misses a label writes it into the column missing.

    `taxonomy decide --drawn CSV` then adds those labels to the decisions.
    """
    with errors_as_sentences(debug):
        from mastershot.pipeline.library import Library
        from mastershot.pipeline.taxonomy.viewing import write_viewing

        kept = Library(library, create=False)
        say(f"{write_viewing(kept, out, num_drawn=num_shots, seed=seed)} shots → {out}")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise SettingError(
            "this machine does not say who you are; say it with --by NAME"
        ) from error


def _review(builder: "TaxonomyBuilder", path: Path, by: str) -> None:
    """Ask until all is decided, or the answers end; each answer is on disk before the next."""
    from mastershot.curation.review import questions

    skipped: set[str] = set()
    while True:
        asked = questions(builder.curate(), builder.glossary)
        left = [question for question in asked if question.label not in skipped]
        if not left:
            return
        ask(f"{len(left)} to decide")
        try:
            if not _ask(builder, left[0], path, by):
                skipped.add(left[0].label)
        except EOFError:
            return


def _ask(builder: "TaxonomyBuilder", question: "Question", path: Path, by: str) -> bool:
    """Return True once a question is answered, False where it is skipped.

    Raises:
        EOFError: There are no more answers, or the person has had enough.
    """
    from mastershot.curation.decisions import append_decisions
    from mastershot.curation.review import answer

    for line in _question_lines(question):
        ask(line)
    while True:
        text = input().strip()
        if text.lower() in {"s", "skip"}:
            return False
        if text.lower() in {"q", "quit"}:
            raise EOFError
        try:
            decision = answer(question, text, by=by)
            builder.require_label(decision)
        except MastershotError as error:
            complain(str(error))
            continue
        append_decisions(path, [decision])
        builder.decisions = (*builder.decisions, decision)
        return True


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


def _show_built(built: "BuiltTaxonomy") -> None:
    by_name = {label.label: label for label in built.labels}
    grouped = {name for group in built.groups for name in group.labels}
    groups = [(group.exemplar, group.labels) for group in built.groups]
    rest = tuple(name for name in by_name if name not in grouped)
    for exemplar, names in [*groups, *([("without a group", rest)] if rest else [])]:
        say(f"[{exemplar}]")
        for name in names:
            label = by_name[name]
            merged = f"  = {', '.join(label.merged)}" if label.merged else ""
            meaning = f"  {label.definition}" if label.definition else ""
            say(f"  {name:24} {label.origin:9} {label.num_scripts:5} scripts{merged}{meaning}")


def _show_diff(diff: "TaxonomyDiff") -> None:
    for word, names in (("added", diff.added), ("dropped", diff.dropped)):
        for name in names:
            say(f"{word:8} {name}")
    for word, changes in (("merged", diff.merged), ("renamed", diff.renamed)):
        for change in changes:
            why = "decided" if change.cosine is None else f"perhaps, cosine {change.cosine:.3f}"
            say(f"{word:8} {change.label} → {change.into} ({why})")
    if diff.moved:
        say("moved    labels of both stand in another order")
    if not any((diff.added, diff.dropped, diff.merged, diff.renamed, diff.moved)):
        say("the same labels in the same order")


def _show_effect(effect: "RelabellingEffect | None") -> None:
    if effect is None:
        return
    for note in effect.notes:
        complain(note)
    say(
        f"of {effect.num_shots:,} shots {effect.num_labelled:,} are labelled; "
        f"{effect.num_naming_gone:,} keep a label that is gone"
    )
    if effect.num_scored:
        say(
            f"scored with both, from kept vectors: {effect.num_scored:,} shots; "
            f"{effect.num_best_changed:,} get another best label, "
            f"{effect.num_kept_changed:,} keep other labels"
        )
