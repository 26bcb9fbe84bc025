"""`agri-annotate check`: everything that `masks` does, but nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from agri_core.files.console import SKIPPED, echo, tell
from agri_core.files.options import with_records, words

from agri_annotate.commands.options import File, MaskOptions, Pictures

if TYPE_CHECKING:
    from agri_annotate import choices
    from agri_annotate.annotate import Options, Outcome
    from agri_annotate.model.project import Project


@with_records
def check(file: File, pictures: Pictures, *, stated: MaskOptions) -> None:
    """Do all that `masks` does without writing, and report what would be lost.

    Exit code 0: nothing would be; 3: something would be; 2: no masks could be made.

    Example: agri-annotate check fields.json --pictures images --attribute label
    """
    run(file, pictures, None, stated)


def run(
    file: Path,
    pictures: Path,
    out: Path | None,
    stated: MaskOptions,
    *,
    kind: choices.Format = "png",
    report: Path | None = None,
) -> None:
    """Read, draw, write unless `out` is None, and print the outcome.

    The report goes into `report`, else into `out`.

    Raises:
        InputError: an option or a file is wrong, or `out` would take `file` with it.
    """
    from agri_core.files.errors import InputError

    from agri_annotate.annotate import make_masks
    from agri_annotate.formats.conversion import listed
    from agri_annotate.formats.read import read_project
    from agri_annotate.report.page import write_report

    if report is not None and report.exists() and not report.is_dir():
        raise InputError(f"--report {report} is no folder; name one that is, or a new one")
    project, problems = read_project(file)
    if out is not None and file.resolve().is_relative_to(out.resolve()):
        raise InputError(f"{out} would be replaced, but {file.name} is in it; choose another")
    outcome = make_masks(
        project,
        pictures,
        out,
        make_options(project, stated, kind),
        problems=problems,
        source=file.name,
        finish=lambda result, folder: write_report(result.report, _home(report, out, folder)),
    )
    for text in listed(outcome.report.problems):
        tell(text)
    for text in summary(outcome, out):
        echo(text)
    if outcome.lost:
        raise typer.Exit(SKIPPED)


def _home(report: Path | None, out: Path | None, new: Path) -> Path:
    """Return the folder of the report; `new` later replaces `out` with all it holds."""
    if report is None:
        return new
    if out is not None and report.resolve().is_relative_to(out.resolve()):
        return new / report.resolve().relative_to(out.resolve())
    return report


def make_options(project: Project, stated: MaskOptions, kind: choices.Format) -> Options:
    """Turn what was stated into the options of `make_masks`.

    Raises:
        InputError: a value is none of those allowed, or no class of the legend.
        MissingError: there is no such legend.
    """
    from agri_core.files.errors import InputError
    from agri_core.legend import IGNORE, Legend

    from agri_annotate.annotate import Options
    from agri_annotate.masks.mask import Rules
    from agri_annotate.masks.naming import TO_IGNORE, Naming, choose, option_texts
    from agri_annotate.model.classes import derive

    single, undrawn = stated.single, stated.undrawn
    if stated.attribute is not None and single is not None:
        raise InputError("state --attribute or --single, not both")
    name = None if single is not None else choose(project, stated.attribute)
    legend = (
        Legend.read(stated.classes) if stated.classes is not None else derive(project, name, single)
    )
    rest = IGNORE if undrawn == TO_IGNORE else legend.index(undrawn) if undrawn else 0
    rules = Rules(
        stated.overlap,
        tuple(map(legend.index, words(stated.priority))),
        stated.line,
        stated.radius,
        rest,
    )
    pairs = dict(map(_pair, stated.alias or ()))
    texts = option_texts(project, name)
    naming = Naming(legend, name, pairs, texts, single, stated.unlabelled, stated.fold)
    return Options(naming, rules, stated.empty, kind)


def summary(outcome: Outcome, out: Path | None) -> list[str]:
    """Return the lines to end with: masks, regions, classes."""
    from agri_core.files.text import legible

    report = outcome.report
    drawn, clipped = report.count("drawn", "clipped"), report.count("clipped")
    lines = [
        f"{len(report.pictures)} pictures in the file, {outcome.masks} masks "
        f"({outcome.empty} of pictures without regions"
        + (f", {outcome.skipped} more of those skipped)" if outcome.skipped else ")"),
        f"{report.count() + report.unread} regions in the file, {drawn} drawn ({clipped} cut at "
        f"the border), {report.lost} lost",
    ]
    for item in report.legend.classes:
        regions = report.count("drawn", "clipped", code=item.id)
        pixels, lost = (report.pixels or {}).get(item.id, 0), outcome.overwritten.get(item.id, 0)
        over = f", {lost} more were overwritten" if lost else ""
        lines.append(f"{item.id:>4} {legible(item.name)}: {regions} regions, {pixels} pixels{over}")
    if unknown := (report.pixels or {}).get(255):
        lines.append(
            f" 255 not known: {report.count('drawn', 'clipped', code=255)} regions, "
            f"{unknown} pixels"
        )
    return [*lines, "nothing written" if out is None else f"written to {out}"]


def _pair(text: str) -> tuple[str, str]:
    from agri_core.files.errors import InputError

    drawn, mark, name = text.rpartition("=")
    if not mark or not drawn.strip():
        raise InputError(f"an alias looks like 'Bare soil=soil', got {text!r}")
    return drawn, name.strip()
