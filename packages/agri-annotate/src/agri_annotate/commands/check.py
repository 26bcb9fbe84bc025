"""`agri-annotate check`: everything that `masks` does, but nothing is written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from agri_core.files.console import SKIPPED, echo

from agri_annotate import choices

if TYPE_CHECKING:
    from agri_annotate.annotate import Options, Outcome
    from agri_annotate.model.project import Project

CLASSES, DRAWING = "Classes of regions", "Regions to pixels"
"""Panels of the help."""

File = Annotated[Path, typer.Argument(metavar="FILE", help="Annotation file of any VIA form.")]
Pictures = Annotated[Path, typer.Option(help="Folder of the pictures, which stay there.")]
Attribute = Annotated[
    str | None,
    typer.Option(
        help="Attribute of regions that names the class, if there are more.",
        rich_help_panel=CLASSES,
    ),
]
Single = Annotated[
    str | None,
    typer.Option(help="One class for all regions, whatever they hold.", rich_help_panel=CLASSES),
]
Classes = Annotated[
    Path | None,
    typer.Option(
        help="classes.json to use, class 0 is background; else made from the options.",
        rich_help_panel=CLASSES,
    ),
]
Alias = Annotated[
    list[str] | None,
    typer.Option(
        help="'Bare soil=soil': a text as drawn is this class. Repeat.", rich_help_panel=CLASSES
    ),
]
Fold = Annotated[
    bool,
    typer.Option("--fold", help="Case and runs of blanks do not matter.", rich_help_panel=CLASSES),
]
Unlabelled = Annotated[
    str,
    typer.Option(
        help="Regions without a class: refuse, ignore (255), or a class.", rich_help_panel=CLASSES
    ),
]
Overlap = Annotated[
    choices.Overlap,
    typer.Option(
        help="Which region keeps a pixel that several cover; error refuses the picture.",
        rich_help_panel=DRAWING,
    ),
]
Priority = Annotated[
    str,
    typer.Option(
        help="Classes above all others, the last the highest: 'water,soil'.",
        rich_help_panel=DRAWING,
    ),
]
Line = Annotated[
    float | None, typer.Option(help="Width of polylines in pixels.", rich_help_panel=DRAWING)
]
Radius = Annotated[
    float | None, typer.Option(help="Radius of points in pixels.", rich_help_panel=DRAWING)
]
Empty = Annotated[
    bool,
    typer.Option(
        help="Whether pictures without regions become masks of background.",
        rich_help_panel=DRAWING,
    ),
]
Undrawn = Annotated[
    str,
    typer.Option(
        help="Class of unannotated pixels: a name, or ignore (255); class 0 if not stated.",
        rich_help_panel=DRAWING,
    ),
]
Format = Annotated[
    choices.Format, typer.Option(help="Of the masks; tif keeps the georeference of the picture.")
]


def check(
    file: File,
    pictures: Pictures,
    attribute: Attribute = None,
    single: Single = None,
    classes: Classes = None,
    alias: Alias = None,
    fold: Fold = False,
    unlabelled: Unlabelled = "refuse",
    undrawn: Undrawn = "",
    overlap: Overlap = "last",
    priority: Priority = "",
    line: Line = None,
    radius: Radius = None,
    empty: Empty = True,
) -> None:
    """Do all that `masks` does without writing, and report what would be lost.

    Exit code 0: nothing would be; 3: something would be; 2: no masks could be made.

    Example: agri-annotate check fields.json --pictures images --attribute label
    """
    run(
        file, pictures, None, attribute=attribute, single=single, classes=classes, alias=alias,
        fold=fold, unlabelled=unlabelled, undrawn=undrawn, overlap=overlap, priority=priority,
        line=line, radius=radius, empty=empty, kind="png",
    )  # fmt: skip


def run(
    file: Path, pictures: Path, out: Path | None, report: Path | None = None, **stated: Any
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
        options(project, **stated),
        problems=problems,
        source=file.name,
        finish=lambda result, folder: write_report(result.report, _home(report, out, folder)),
    )
    for text in listed(outcome.report.problems):
        typer.echo(text, err=True)
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


def options(
    project: "Project",
    *,
    attribute: str | None,
    single: str | None,
    classes: Path | None,
    alias: list[str] | None,
    fold: bool,
    unlabelled: str,
    undrawn: str,
    overlap: choices.Overlap,
    priority: str,
    line: float | None,
    radius: float | None,
    empty: bool,
    kind: choices.Format,
) -> "Options":
    """Convert what was stated to the options of `make_masks`.

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

    if attribute is not None and single is not None:
        raise InputError("state --attribute or --single, not both")
    name = None if single is not None else choose(project, attribute)
    legend = derive(project, name, single) if classes is None else Legend.read(classes)
    above = [part.strip() for part in priority.split(",") if part.strip()]
    rest = IGNORE if undrawn == TO_IGNORE else legend.index(undrawn) if undrawn else 0
    rules = Rules(overlap, tuple(map(legend.index, above)), line, radius, rest)
    pairs = dict(map(_pair, alias or ()))
    texts = option_texts(project, name)
    naming = Naming(legend, name, pairs, texts, single, unlabelled, fold)
    return Options(naming, rules, empty, kind)


def summary(outcome: "Outcome", out: Path | None) -> list[str]:
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
