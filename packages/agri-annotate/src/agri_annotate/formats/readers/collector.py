"""Collector of the pictures, regions and problems of one annotation file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agri_core.files.errors import InputError

from agri_annotate.formats.readers.values import Notes, printable
from agri_annotate.model.project import Picture, Problem, Region, Severity, Value
from agri_annotate.model.shape import Shape

Draw = Callable[[Any, Notes], Shape]


@dataclass(slots=True)
class Draft:
    """A picture whose regions are being read; `count` includes the lost ones."""

    name: str
    size: int | None
    shape: tuple[int, int] | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    regions: list[Region] = field(default_factory=list)
    count: int = 0

    @property
    def label(self) -> str:
        """The name on one line."""
        return printable(self.name)

    def done(self) -> Picture:
        """Return the finished record."""
        return Picture(self.name, self.size, tuple(self.regions), self.attributes, self.shape)


class Collector:
    """The pictures of one file in order, and the problems found.

    Entries with the same name, recorded size and mark (a path or id, where the form has one) are
    one picture: their regions are merged in file order, which is noted unless the form repeats
    pictures by design. The same name with another size or mark is another picture, since VIA keeps
    no folders and two pictures may share a name; that is noted too.
    """

    def __init__(self, source: str) -> None:
        self.source = printable(source)
        self.problems: list[Problem] = []
        self._drafts: dict[tuple[str, int | None, str], Draft] = {}
        self._names: set[str] = set()

    def picture(
        self, name: str, size: int | None = None, mark: str = "", *, repeats: bool = False
    ) -> Draft:
        """Return the draft of a picture, a new one or that of its earlier entry."""
        draft = self._drafts.get((name, size, mark))
        if draft is not None:
            if not repeats:
                what = "is repeated in the file; the regions of both entries are merged"
                self.report(draft.label, what, "note")
            return draft
        draft = self._drafts[name, size, mark] = Draft(name, size)
        if name in self._names:
            what = "is in the file more than once; kept apart, as different pictures of one name"
            self.report(draft.label, what, "note")
        self._names.add(name)
        return draft

    def region(
        self, draft: Draft, draw: Draw, raw: Any, attributes: Mapping[str, Value], notes: Notes
    ) -> None:
        """Add the region `raw` to the picture; one that cannot be drawn is reported as lost."""
        number = draft.count
        draft.count += 1
        where = f"{draft.label} region {number + 1}"
        try:
            shape = draw(raw, notes)
        except InputError as error:
            self.report(where, str(error))
            return
        for what, severity in notes:
            self.report(where, what, severity)
        draft.regions.append(Region(shape, attributes, number))

    def lose(self, draft: Draft, what: str) -> None:
        """Count and report a region that cannot be read at all."""
        draft.count += 1
        self.report(f"{draft.label} region {draft.count}", what)

    def report(self, where: str, what: str, severity: Severity = "lost") -> None:
        """Add a problem."""
        self.problems.append(Problem(where, what, severity))

    def report_all(self, where: str, notes: Notes) -> None:
        """Add all notes as problems."""
        for what, severity in notes:
            self.report(where, what, severity)

    def pictures(self) -> tuple[Picture, ...]:
        """Return the finished pictures; a file without any is noted."""
        if not self._drafts:
            self.report(self.source, "there is no picture in it", "note")
        return tuple(draft.done() for draft in self._drafts.values())
