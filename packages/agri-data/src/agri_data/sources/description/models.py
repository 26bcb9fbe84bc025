"""The keys of a source description's file; `parse` turns them into records."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from agri_core.bands import Unit, make_bands
from agri_core.files.errors import InputError
from agri_core.files.values import shown
from agri_core.legend import Legend
from pydantic import AfterValidator, AllowInfNan, Field, model_validator

from agri_data.sources.description.inside import inside
from agri_data.sources.description.labelmodels import AnyLabel, Blank, Inside

LONGEST = 4096


def short(text: str) -> str:
    """Return `text` if it is a name or a path.

    Raises:
        InputError: it is empty, too long, or holds a NUL.
    """
    if not text.strip() or "\0" in text or len(text) > LONGEST:
        raise InputError(f"a short, non-empty text is expected, got {shown(text)}")
    return text


def _named(names: list[str]) -> list[str]:
    make_bands(names, "dn")
    return names


def _filled(text: str) -> str:
    if not text.strip():
        raise InputError("a path is expected, got an empty text")
    return inside(text)


Short = Annotated[str, AfterValidator(short)]
BandNames = Annotated[list[str], AfterValidator(_named)]
Metres = Annotated[float, Field(gt=0, lt=1e9)]
Share = Annotated[float, Field(ge=0, le=1)]
Image = Annotated[str, AfterValidator(_filled)]


class Common(Blank):
    """Keys of every description."""

    name: Short
    """Short name of the data set."""

    root: Short = "."
    """Folder or .zip that holds all files, relative to this file."""


class EurosatFile(Common):
    """The official EuroSAT archive, or a folder that holds the class folders."""

    kind: Literal["eurosat"]
    licence: str = "MIT"
    use: list[str] = Field(default=[])
    """Names of the bands to keep, in the order wanted; all without it."""


class Pictures(Common):
    """Keys that describe imagery."""

    licence: str = "unknown"
    """Of the imagery and its labels, in words."""

    bands: BandNames = Field(default=[])
    """Names in file order; without it, the files' own band descriptions."""

    use: BandNames = Field(default=[])
    """Names of the bands to keep, in the order wanted; without it, all but the label band."""

    unit: Unit
    """Of every band: digital numbers, reflectance 0..1, or 8-bit values."""

    nodata: Annotated[float, AllowInfNan(True)] | None = None
    """The value that means "no data"; without it, what the files declare."""

    pixel: Metres | None = None
    """Ground size of a pixel in metres; without it, from the georeference."""

    trust: Literal["both", "bands"] = "both"
    """Whether `bands` overrules the files' own band descriptions."""

    legend: Legend | None = None
    """The classes in order; not there for imagery without labels."""

    label: AnyLabel | None = None
    """How labels are stored, and what their values mean."""

    images: Inside = ""
    """A folder or a pattern below the root; the text that its wildcards match is the key."""

    masks: Inside = ""
    """The same for masks or polygons; an image and a mask of the same key belong together."""

    suffix: str = ""
    """Stripped from the end of a mask's key, such as "_mask"."""

    labelled: Share = 0.0
    """Least share of labelled pixels for a chip to be kept."""


class PairsFile(Pictures):
    """Pictures and masks, paired by key."""

    kind: Literal["pairs"]
    table: Inside = ""
    """A CSV file with the header `image,mask`, instead of `images` and `masks`."""

    unmatched: Literal["refuse", "skip"] = "refuse"
    """What to do with files that have no partner."""

    group: Literal["image", "folder"] = "image"
    """Chips that stay together in a split: those of an image, or of a folder of images."""


class SceneLabel(Blank):
    """A label file that names its own kind."""

    raster: Inside | None = None
    vector: Inside | None = None

    @model_validator(mode="after")
    def _one(self) -> SceneLabel:
        if (self.raster is None) == (self.vector is None):
            raise InputError("name one file, as 'raster' or as 'vector'")
        return self


class SceneFile(Blank):
    """One scene."""

    image: Image | dict[str, Image]
    """A multi-band file, or a mapping of band names to files of one band each."""

    name: Short | None = None
    """Unique; without it, the name of the first file."""

    group: str | None = None
    """Scenes of one group stay together in a split; without it, the scene's name."""

    label: Inside | SceneLabel = ""
    """Its label raster or polygons."""

    @model_validator(mode="after")
    def _image(self) -> SceneFile:
        if not self.image:
            raise InputError("'image' is a path, or a mapping of band names to paths")
        return self


class ScenesFile(Pictures):
    """Whole scenes, cut into chips."""

    kind: Literal["scenes"]
    scenes: list[SceneFile] = Field(default=[])
    """Each scene; without it, the files that `images` matches are the scenes."""

    resolution: Metres | str = "finest"
    """The grid of a scene: "finest", the name of a band, or a size in the units of its CRS."""

    resampling: Literal["bilinear", "cubic", "average", "nearest"] = "cubic"
    """Of bands that are not on that grid; classes are always nearest."""

    align: Literal["same", "warp"] = "same"
    """Refuse files in another CRS, or bring them to the grid."""


AnyFile = EurosatFile | PairsFile | ScenesFile
DescriptionFile: Any = Annotated[AnyFile, Field(discriminator="kind")]
