"""The description of a source as validated records; `parse` makes them from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agri_core.bands import Unit
from agri_core.legend import Legend

from agri_data.sources.description.label import LabelSpec


@dataclass(frozen=True, slots=True)
class Imagery:
    """Imagery settings that the descriptions of every kind share.

    Attributes:
        bands: names in file order; empty = read from the files' band descriptions.
        use: names of the bands to keep, in the order wanted; empty = all but the label band.
        unit: of every band.
        nodata: the value that means "no data"; None = what the files declare.
        pixel: ground size of a pixel in metres; None = from the georeference.
        trust: whether `bands` overrules the files' own band descriptions.
    """

    bands: tuple[str, ...] = ()
    use: tuple[str, ...] = ()
    unit: Unit = "dn"
    nodata: float | None = None
    pixel: float | None = None
    trust: Literal["both", "bands"] = "both"


@dataclass(frozen=True, slots=True)
class EurosatDescription:
    """`kind: eurosat`: the official archive or a folder that holds the class folders."""

    name: str
    root: Path
    licence: str = "MIT"
    use: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageryDescription:
    """What the descriptions of a user's own imagery share."""

    name: str
    root: Path
    licence: str
    imagery: Imagery
    legend: Legend | None
    label: LabelSpec


@dataclass(frozen=True, slots=True)
class PairsDescription(ImageryDescription):
    """`kind: pairs`: pictures and masks, paired by key.

    Attributes:
        images: a folder or a pattern below `root`; the text that its wildcards match is the key.
        masks: the same for masks (or for polygons); "" where labels need no file of their own.
        table: a CSV file with the header `image,mask` instead of `images` and `masks`.
        suffix: stripped from the end of a mask's key, such as "_mask".
        unmatched: what to do with files that have no partner.
        group: chips that stay together in a split: those of an image, or of a folder of images
            (the key up to its last part).
        labelled: least share of labelled pixels for a chip to be kept.
    """

    images: str = ""
    masks: str = ""
    table: str = ""
    suffix: str = ""
    unmatched: Literal["refuse", "skip"] = "refuse"
    group: Literal["image", "folder"] = "image"
    labelled: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene: a multi-band file, or one single-band file per band name.

    Attributes:
        name: unique; chips are named after it.
        files: band name -> path, or "" -> path for one multi-band file.
        label: path of its label raster or polygons, "" where it has none of its own.
        group: scenes of one group stay in one split.
        kind: "raster" or "vector" where the scene states it, else "".
    """

    name: str
    files: Mapping[str, str]
    label: str = ""
    group: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ScenesDescription(ImageryDescription):
    """`kind: scenes`: whole scenes, cut into chips in windows.

    Attributes:
        scenes: listed scenes, or, when empty, the files that `images` matches are the scenes.
        images: pattern below `root`.
        masks: pattern of label files, paired with `images` by key.
        suffix: stripped from the end of a label file's key.
        resolution: the grid of a scene: "finest", the name of a band, or metres (CRS units).
        resampling: of bands that are not on that grid; classes are always nearest.
        align: "same" refuses files in another CRS, "warp" brings them to the grid.
        labelled: least share of labelled pixels for a chip to be kept.
    """

    scenes: tuple[Scene, ...] = ()
    images: str = ""
    masks: str = ""
    suffix: str = ""
    resolution: str | float = "finest"
    resampling: str = "cubic"
    align: Literal["same", "warp"] = "same"
    labelled: float = 0.0


Description = EurosatDescription | PairsDescription | ScenesDescription
