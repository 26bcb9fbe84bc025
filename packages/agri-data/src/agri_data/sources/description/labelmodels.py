"""The `label` section of a description, by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from agri_core.files.errors import InputError
from agri_core.files.records import Record
from pydantic import AfterValidator, Field, field_validator, model_validator

from agri_data.sources.description.inside import inside
from agri_data.sources.description.palette import parse_colour

EXACT = 2**53
"""Label values stay below this, so that a float holds each of them."""

Inside = Annotated[str, AfterValidator(inside)]
Code = Annotated[int, Field(gt=-EXACT, lt=EXACT)]
Colour = Annotated[str, AfterValidator(parse_colour)]


class Blank(Record):
    """A mapping in which a key without a value, as YAML allows, counts as absent."""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, content: Any) -> Any:
        if not isinstance(content, Mapping):
            return content
        return {k: v for k, v in content.items() if v is not None or k not in cls.model_fields}


class _Known(Blank):
    unknown: Literal["error", "ignore"] = "error"
    """What a value that stands for no class is: an error, or no label."""


class _Numbered(_Known):
    codes: dict[Code, str] | None = None
    """Value in the file to class name or 'ignore'; without it, values are class ids."""

    ignore: list[Code] = Field(default=[])
    """Values that mean "no label"."""


class NoLabel(Blank):
    """Imagery without labels."""

    kind: Literal["none"]


class RasterLabel(_Numbered):
    """A raster of whole numbers."""

    kind: Literal["raster"]


class BandLabel(_Numbered):
    """A band of the image itself."""

    kind: Literal["band"]
    band: str
    """Its name."""


class VectorLabel(_Known):
    """Polygons."""

    kind: Literal["vector"]
    codes: dict[Code | str, str] | None = None
    """Value of the attribute to class name or 'ignore'; without it, values are class names."""

    ignore: list[Code | str] = Field(default=[])
    """Values of the attribute that mean "no label"."""

    attribute: str = "class"
    """The column with the class."""

    layer: str | None = None
    """The layer of the files; not needed where there is one."""

    file: Inside | None = None
    """One file of polygons for all images; without it, each image has its own."""

    outside: str = "ignore"
    """The class outside every polygon, or 'ignore'."""


class PaletteLabel(_Known):
    """A picture in which a colour stands for a class."""

    kind: Literal["palette"]
    colours: dict[Colour, str] | None = None
    """Exact colour such as '#1a9641' to class name or 'ignore'; without it, the legend's."""

    @field_validator("colours", mode="before")
    @classmethod
    def _once(cls, content: Any) -> Any:
        if isinstance(content, Mapping):
            colours = [key.lower() for key in content if isinstance(key, str)]
            twice = sorted({colour for colour in colours if colours.count(colour) > 1})
            if twice:
                raise InputError(f"the colour {twice[0]} occurs twice")
        return content


AnyLabel = Annotated[
    NoLabel | RasterLabel | BandLabel | VectorLabel | PaletteLabel, Field(discriminator="kind")
]
