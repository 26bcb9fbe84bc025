"""The content of an annotation file of any version and form, as plain records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from agri_annotate.choices import Form
from agri_annotate.model.shape import Shape

Value = str | tuple[str, ...]
"""A text or the id of the chosen option; for a checkbox the ids of all ticked options."""

Kind = Literal["text", "dropdown", "radio", "checkbox", "image"]
Severity = Literal["lost", "changed", "note"]


@dataclass(frozen=True, slots=True)
class Region:
    """One drawn shape.

    Attributes:
        shape: in pixels of the picture.
        attributes: its attribute values by name; no entry where there is no value.
        number: its place among the regions of its picture in the file, from 0.
    """

    shape: Shape
    attributes: Mapping[str, Value] = field(default_factory=dict)
    number: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and what was drawn on it, in the order of drawing.

    Attributes:
        name: as the file gives it: a name, a path or an address; not to be trusted as a path.
        size: bytes of the picture as recorded, None where unknown.
        regions: later ones lie above earlier ones.
        attributes: attribute values of the whole picture.
        shape: `(height, width)` as recorded; only COCO has it.
    """

    name: str
    size: int | None = None
    regions: tuple[Region, ...] = ()
    attributes: Mapping[str, Value] = field(default_factory=dict)
    shape: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """The definition of an attribute of regions or pictures.

    Attributes:
        options: text by id, in order, for dropdown, radio, checkbox and image.
        default: ids of the options chosen beforehand, or the beforehand text.
    """

    name: str
    kind: Kind = "text"
    options: Mapping[str, str] = field(default_factory=dict)
    default: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """The content of one annotation file.

    Attributes:
        form: the version and form it was read from, or is to be written in.
        pictures: in the order of the file.
        regions: definitions of the attributes of regions, empty where the form has none.
        files: definitions of the attributes of pictures.
        name: of the project, "" where the form has none.
    """

    form: Form
    pictures: tuple[Picture, ...]
    regions: tuple[Attribute, ...] = ()
    files: tuple[Attribute, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of an annotation file or of its conversion.

    Attributes:
        where: the picture and the region (counted from 1), or the file.
        what: what was expected, what came, with its value.
        severity: "lost" = something drawn is missing from the result, so the run did not succeed;
            "changed" = it is there but not as drawn (clipped, repaired); "note" = a remark.
    """

    where: str
    what: str
    severity: Severity = "lost"

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
