"""Masks of all pictures of a project, in a folder that replaces an earlier one when it is done."""

import contextlib
import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from agri_core.files.atomic import replacing_dir, write_text
from agri_core.files.console import progress
from agri_core.files.errors import InputError

from agri_annotate.choices import Format
from agri_annotate.formats.readers.values import printable
from agri_annotate.masks.mask import Drawn, Rules, draw
from agri_annotate.masks.maskfile import mask_names, write_mask
from agri_annotate.masks.naming import Naming
from agri_annotate.model.pictures import Header, count_pictures, find_pictures, header
from agri_annotate.model.project import Picture, Problem, Project
from agri_annotate.report.report import PictureReport, RegionReport, Report, to_json

MARKER = "classes.json"
TABLE = "masks.csv"
MASKS = "masks"
THREADS = 2
"""Coding a mask does not hold the interpreter, so one thread draws while another writes."""


LARGE = 100_000_000
"""Pixels from which masks are coded one at a time: a mask takes a byte a pixel meanwhile."""

# Held while a large mask is coded.
_alone = Lock()


@dataclass(frozen=True, slots=True)
class Options:
    """How masks are made.

    Attributes:
        naming: which class a region is.
        rules: how regions become pixels.
        empty: whether a picture without regions becomes a mask of background.
        format: of the mask files; a tif has the place of its picture on the ground.
    """

    naming: Naming
    rules: Rules = field(default_factory=Rules)
    empty: bool = True
    format: Format = "png"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was made and what became of every region.

    Attributes:
        report: pictures, regions, pixels and problems.
        empty: pictures without regions that became masks of background.
        skipped: pictures without regions that became none, as asked for.
        overwritten: class id or 255 -> pixels it lost to a region of another class above.
    """

    report: Report
    empty: int = 0
    skipped: int = 0
    overwritten: Mapping[int, int] = field(default_factory=dict)

    @property
    def masks(self) -> int:
        """Masks written, or that would be."""
        return sum(picture.mask is not None for picture in self.report.pictures)

    @property
    def lost(self) -> bool:
        """Whether anything drawn is missing from the masks."""
        return not self.report.clean

    def to_json(self) -> dict[str, Any]:
        """Return the counts as plain values, without absolute paths."""
        return {
            **to_json(self.report),
            "empty": self.empty,
            "skipped": self.skipped,
            "overwritten": {str(code): n for code, n in sorted(self.overwritten.items())},
        }


@dataclass(frozen=True, slots=True)
class _Task:
    """A picture that was found, its header, and the mask to make; `problems` came before."""

    picture: Picture
    path: Path
    header: Header
    mask: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Done:
    picture: PictureReport
    problems: tuple[Problem, ...]
    drawn: Drawn | None = None


def make_masks(
    project: Project,
    folder: Path,
    out: Path | None,
    options: Options,
    *,
    problems: Sequence[Problem] = (),
    source: str = "",
    finish: Callable[[Outcome, Path], None] | None = None,
) -> Outcome:
    """Draw a mask for each picture of `project` into the folder `out`.

    `out` then holds `masks/NAME.png`, `masks.csv` (image,mask: paths from the table's own folder),
    and `classes.json`. Of a picture the header alone is read; a mask is held as runs.

    Args:
        project: what was drawn.
        folder: where the pictures are; they stay there.
        out: replaced if it is an earlier output; None draws everything and writes nothing.
        options: how masks are made.
        problems: of reading `project`, which belong into the outcome.
        source: name of the annotation file for the outcome.
        finish: called with the outcome and the new folder before that replaces the old one.

    Raises:
        InputError: `out` is something else, or holds the pictures.
        MissingError: there is no such folder of pictures.
    """
    if out is not None and folder.resolve().is_relative_to(out.resolve()):
        raise InputError(f"{out} would be replaced, but the pictures are in it; choose another")
    found, missing = find_pictures(folder, [p.name for p in project.pictures], skip=out)
    target = contextlib.nullcontext() if out is None else replacing_dir(out)
    with target as new:
        plan = _plan(project, found, options, {*map(_region_of, problems)})
        if new is not None:
            (new / MASKS).mkdir()
        with ThreadPoolExecutor(THREADS) as pool:
            made = pool.map(lambda item: _make(item, new, options), plan)
            try:
                done = list(progress(made, "masks", len(project.pictures)))
            finally:
                pool.shutdown(cancel_futures=True)  # else Ctrl-C would wait for every mask
        outcome = _outcome(done, (*problems, *missing), options, source)
        outcome = replace(
            outcome, report=replace(outcome.report, files=count_pictures(folder, out))
        )
        if new is not None and out is not None:
            _write_tables(outcome, new, folder, out)
            if finish is not None:
                finish(outcome, new)
    return outcome


def _region_of(problem: Problem) -> str:
    """Return the picture, printable, that lost a region to this problem; "" for none."""
    picture, mark, _ = problem.where.rpartition(" region ")
    return picture if mark and problem.severity == "lost" else ""


def _plan(
    project: Project, found: Mapping[str, Path], options: Options, torn: set[str]
) -> Iterator[_Task | _Done]:
    """Yield what is to be drawn, or why not, in the order of the project.

    `torn` are the printable names of pictures with regions that could not be read: without others
    they are not empty.
    """
    # Each path once, in order: two entries of the file may find the same picture.
    paths = dict.fromkeys(found[p.name] for p in project.pictures if p.name in found)
    names = mask_names([path.name for path in paths], options.format)
    masks = dict(zip(paths, names, strict=True))
    for picture in project.pictures:
        path = found.get(picture.name)
        if path is None:
            yield _without(picture, options)
        elif path not in masks:
            text = f"{path.name} is in the file twice; the first is drawn, this one is not"
            yield _without(picture, options, Problem(picture.name, text))
        else:
            # Taken out, so that a second entry for the picture is reported.
            yield _task(picture, path, masks.pop(path), options, torn)


def _task(
    picture: Picture, path: Path, mask: str, options: Options, torn: set[str]
) -> _Task | _Done:
    if not picture.regions and printable(picture.name) in torn:
        text = "no mask of this picture: none of its regions could be read"
        return _without(picture, options, Problem(picture.name, text), path)
    if not picture.regions and not options.empty:
        return _without(picture, options, None, path)
    try:
        read = header(path)
    except InputError as error:
        return _without(picture, options, Problem(picture.name, str(error)), path)
    return _Task(picture, path, read, mask, tuple(_mismatches(picture, read)))


def _mismatches(picture: Picture, read: Header) -> Iterator[Problem]:
    """Yield in what the picture on the disk may not be the one that was drawn on."""
    if picture.shape is not None and picture.shape != (read.height, read.width):
        drawn, now = f"{picture.shape[1]} x {picture.shape[0]}", f"{read.width} x {read.height}"
        text = f"drawn on {drawn} pixels, but the picture has {now}: regions may be misplaced"
        yield Problem(picture.name, text, "changed")
    # -1 and 0 are no sizes: VIA had not seen the bytes of the picture.
    if picture.size is not None and picture.size not in (-1, 0, read.size_bytes):
        text = f"recorded with {picture.size} bytes, but the picture has {read.size_bytes}"
        yield Problem(picture.name, text, "note")
    if read.turned:
        text = (
            "the picture has an EXIF orientation: VIA showed it turned, the mask is that of the "
            "stored pixels, so regions may be misplaced; store the picture upright"
        )
        yield Problem(picture.name, text, "changed")


def _without(
    picture: Picture, options: Options, problem: Problem | None = None, path: Path | None = None
) -> _Done:
    """Return the outcome of a picture that gets no mask."""
    regions = []
    for region in picture.regions:
        code = options.naming.class_of(region)
        known = code if isinstance(code, int) else None
        regions.append(RegionReport(region.number + 1, region.shape, known, "lost"))
    report = PictureReport(picture.name, path, None, tuple(regions))
    return _Done(report, () if problem is None else (problem,))


def _make(task: _Task | _Done, new: Path | None, options: Options) -> _Done:
    if isinstance(task, _Done):
        return task
    picture, read = task.picture, task.header
    drawn = draw(picture, read.height, read.width, options.naming, options.rules)
    problems = [*task.problems, *drawn.problems]
    mask: str | None = f"{MASKS}/{task.mask}"
    if drawn.runs is None:
        mask = None
    elif picture.regions and set(drawn.fates.values()) == {"lost"}:
        text = "no mask of this picture: none of its regions could be drawn"
        problems.append(Problem(picture.name, text))
        mask = None
    elif new is not None:
        large = read.height * read.width >= LARGE
        with _alone if large else contextlib.nullcontext():
            path = new / MASKS / task.mask
            write_mask(path, drawn.runs, options.naming.legend, read, options.format)
    regions = tuple(
        RegionReport(r.number + 1, r.shape, drawn.codes.get(r.number), drawn.fates[r.number])
        for r in picture.regions
    )
    report = PictureReport(picture.name, task.path, (read.height, read.width), regions, mask)
    # Without its runs, which are written by now and would fill the memory.
    counted = Drawn(None, {}, {}, drawn.pixels, drawn.overwritten) if mask else None
    return _Done(report, tuple(problems), counted)


def _outcome(
    done: Sequence[_Done], problems: Sequence[Problem], options: Options, source: str
) -> Outcome:
    pixels: Counter[int] = Counter()
    overwritten: Counter[int] = Counter()
    for item in done:
        if item.drawn is not None:
            pixels.update(item.drawn.pixels)
            overwritten.update(item.drawn.overwritten)
    report = Report(
        source,
        options.naming.legend,
        tuple(item.picture for item in done),
        unread=sum(bool(_region_of(problem)) for problem in problems),
        pixels=dict(sorted(pixels.items())),
        problems=(*problems, *(problem for item in done for problem in item.problems)),
    )
    bare = [item for item in done if item.picture.path and not item.picture.regions]
    empty = sum(item.picture.mask is not None for item in bare)
    skipped = sum(item.picture.mask is None and not item.problems for item in bare)
    return Outcome(report, empty, skipped, overwritten)


def _write_tables(outcome: Outcome, new: Path, folder: Path, out: Path) -> None:
    """Write `classes.json` and `masks.csv`, whose paths start from the folder it will be in."""
    home, base = out.resolve(), folder.resolve()
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image", "mask"])
    for picture in outcome.report.pictures:
        if picture.mask is not None and picture.path is not None:
            path = base / picture.path.relative_to(folder)
            table.writerow([Path(os.path.relpath(path, home)).as_posix(), picture.mask])
    with (new / TABLE).open("w", encoding="utf-8", newline="") as file:
        file.write(text.getvalue())
    write_text(new / MARKER, outcome.report.legend.to_json())
