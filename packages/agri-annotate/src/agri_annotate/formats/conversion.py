"""Conversion of an annotation file to another format; the result is read back and counted."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from agri_core.files.errors import InputError, MissingError

from agri_annotate.choices import Form
from agri_annotate.formats.read import read_project
from agri_annotate.formats.write import write_project
from agri_annotate.model.pictures import find_pictures, header
from agri_annotate.model.project import Picture, Problem, Project

LISTED = 20
"""Maximum number of listed problems that differ only in location and numbers."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Result of a conversion: the source, the written file as read back, and the problems.

    Attributes:
        source: as read.
        result: as read again from the file that was written.
        problems: of reading and of writing.
    """

    out: Path
    source: Project
    result: Project
    problems: tuple[Problem, ...]

    @property
    def lost(self) -> bool:
        """Whether a shape or an attribute value is missing from the result."""
        return any(problem.severity == "lost" for problem in self.problems)

    def summary(self) -> str:
        """Return a readable summary of what was kept."""
        shapes = Counter(
            region.shape.kind for each in self.result.pictures for region in each.regions
        )
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(shapes.items())) or "none"
        severities = Counter(problem.severity for problem in self.problems)
        return "\n".join(
            [
                f"{_printable(str(self.out))}: {self.result.form}, from {self.source.form}",
                f"pictures  {len(self.result.pictures)} of {len(self.source.pictures)}",
                f"regions   {shapes.total()} of {_count(self.source)}: {kinds}",
                f"lost {severities['lost']}, changed {severities['changed']}, "
                f"notes {severities['note']}",
            ]
        )


def convert_file(
    file: Path, form: Form, out: Path, pictures: Path | None = None, attribute: str | None = None
) -> Conversion:
    """Write the annotations of `file` to `out` in `form`.

    Args:
        file: an annotation file of any form.
        form: to write in.
        out: replaced where it is an annotation file already.
        pictures: folder of the pictures, whose sizes take precedence over the recorded ones.
        attribute: of the regions, whose values become the categories of COCO.

    Raises:
        InputError: `file` is no annotation file, or `out` is something that must not be replaced.
    """
    if attribute is not None and form != "coco":
        raise InputError(f"the attribute {attribute!r} is for categories of coco, not for {form}")
    check_target(file, out)
    source, problems = read_project(file)
    project = source
    sizes: dict[str, int] = {}
    if pictures is not None:
        project, sizes, missing = _sized(source, pictures)
        problems = problems + missing
    problems = problems + write_project(project, form, out, sizes, attribute=attribute)
    result, _ = read_project(out)
    return Conversion(out, source, result, tuple(problems))


def check_target(file: Path, out: Path) -> None:
    """Refuse to replace the source, a folder, or a file that is no annotation file.

    Raises:
        InputError: for each of these.
    """
    if out.is_dir():
        raise InputError(f"{out} is a folder; give the name of a file to write")
    if not out.exists():
        return
    if not out.is_file():
        raise InputError(f"{out} is no regular file; give the name of a file to write")
    if file.exists() and out.samefile(file):
        raise InputError(f"{out} is the file to convert; write to another one")
    try:
        read_project(out)
    except InputError as error:
        raise InputError(
            f"{out} exists and is no annotation file, so it is not replaced; choose another file "
            "or remove it yourself"
        ) from error


def listed(problems: Sequence[Problem]) -> Iterator[str]:
    """Yield the problems as lines, most severe first; similar ones beyond `LISTED` are counted."""
    seen: Counter[tuple[str, str]] = Counter()
    for severity in ("lost", "changed", "note"):
        for problem in problems:
            key = (severity, re.sub(r"\d+", "#", problem.what))
            if problem.severity != severity:
                continue
            seen[key] += 1
            if seen[key] <= LISTED:
                yield _printable(f"{severity}: {problem}")
        for (other, what), count in seen.items():
            if other == severity and count > LISTED:
                yield _printable(f"{severity}: {count - LISTED} more like: {what}")


def _sized(project: Project, folder: Path) -> tuple[Project, dict[str, int], list[Problem]]:
    names = [picture.name for picture in project.pictures]
    found, problems = find_pictures(folder, names)
    sizes: dict[str, int] = {}
    sized: list[Picture] = []
    for picture in project.pictures:
        path = found.get(picture.name)
        if path is None:
            sized.append(picture)
            continue
        try:
            head = header(path)
        except (InputError, MissingError) as error:
            problems.append(Problem(picture.name, str(error), "note"))
            sized.append(picture)
            continue
        sizes[picture.name] = head.size_bytes
        sized.append(replace(picture, shape=(head.height, head.width)))
    notes = [replace(problem, severity="note") for problem in problems]
    return replace(project, pictures=tuple(sized)), sizes, notes


def _count(project: Project) -> int:
    return sum(len(picture.regions) for picture in project.pictures)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
