"""Writer of VIA 3.x: projects in the data format 3.1.1, and CSV.

The output is that of VIA 3.0.10 with one view per picture, but the same on every run: the ids of
the metadata are numbered, and the time of creation is 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agri_annotate.formats.readers.values import printable
from agri_annotate.formats.writers.definitions import unnamed, whole
from agri_annotate.formats.writers.entries import listed, same_names
from agri_annotate.formats.writers.losses import place, ticks_as_text, uprights
from agri_annotate.formats.writers.text import cell, compact, number
from agri_annotate.model.project import Attribute, Picture, Problem, Project, Value
from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect, Shape

VERSION = "3.1.1"
"""The version of the data format that 3.0.10 writes."""

CREATOR = "VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)"
TYPES = {"text": 1, "checkbox": 2, "radio": 3, "dropdown": 4, "image": 5}
# Anchors of VIA 3: one file, no time (Z0), with a shape (XY1) or of the whole file (XY0).
REGION, FILE = "FILE1_Z0_XY1", "FILE1_Z0_XY0"

COMMENT = """\
# Exported using VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)
# Notes:
# - spatial_coordinates of [2,10,20,50,80] denotes a rectangle (shape_id=2) of size 50x80 placed \
at (10,20)
# - temporal coordinate of [1.349,2.741] denotes a temporal segment from time 1.346 sec. to 2.741 \
sec.
# - temporal coordinate of [4.633] denotes a still video frame at 4.633 sec.
# - metadata of {""1"":""3""} indicates attribute with id "1" set to an attribute option with id "3"
# SHAPE_ID = {"POINT":1,"RECTANGLE":2,"CIRCLE":3,"ELLIPSE":4,"LINE":5,"POLYLINE":6,"POLYGON":7,\
"EXTREME_RECTANGLE":8,"EXTREME_CIRCLE":9}
# FLAG_ID = {"RESERVED_FOR_FUTURE":1}"""
HEADER = "metadata_id,file_list,flags,temporal_coordinates,spatial_coordinates,metadata"

Json = dict[str, Any]
Ids = Mapping[str, str]


def to_json(project: Project, sizes: Mapping[str, int], where: str) -> tuple[str, list[Problem]]:
    """Return the project JSON of VIA 3 and what it cannot hold."""
    del sizes  # VIA 3 records none
    attributes, metadata, problems = _content(project, where)
    ids = [str(number) for number in range(1, len(project.pictures) + 1)]
    content = {
        "project": _head(project.name, ids),
        "config": _config(),
        "attribute": attributes,
        "file": {fid: _file(fid, file) for fid, file in zip(ids, project.pictures, strict=True)},
        "metadata": metadata,
        "view": {fid: {"fid_list": [fid]} for fid in ids},
    }
    return compact(content), problems


def to_csv(project: Project, sizes: Mapping[str, int], where: str) -> tuple[str, list[Problem]]:
    """Return the CSV of VIA 3, its definitions in a comment, and what it cannot hold."""
    del sizes
    attributes, metadata, problems = _content(project, where)
    lines = [COMMENT, f"# ATTRIBUTE = {compact(attributes)}", f"# CSV_HEADER = {HEADER}"]
    for key, record in metadata.items():
        name = project.pictures[int(record["vid"]) - 1].name
        cells = [cell([name]), "0", cell(record["z"]), cell(record["xy"]), cell(record["av"])]
        lines.append(",".join([f'"{key}"', *cells]))
    return "\n".join(lines), problems + unnamed(project, where)


def coordinates(shape: Shape) -> list[int | float]:
    """Return `xy` of a metadata: the id of the shape, then its numbers.

    There is no theta: an ellipse is written unrotated.
    """
    match shape:
        case Point(cx, cy):
            numbers: tuple[float, ...] = (1, cx, cy)
        case Rect(x, y, width, height):
            numbers = (2, x, y, width, height)
        case Circle(cx, cy, r):
            numbers = (3, cx, cy, r)
        case Ellipse(cx, cy, rx, ry):
            numbers = (4, cx, cy, rx, ry)
        case Polyline(points):
            numbers = (6, *(value for point in points for value in point))
        case Polygon(points):
            numbers = (7, *(value for point in points for value in point))
    return [number(value) for value in numbers]


def _content(project: Project, where: str) -> tuple[Json, Json, list[Problem]]:
    regions, files = whole(project)
    first = len(regions) + 1
    drawn = {attribute.name: str(aid) for aid, attribute in enumerate(regions, start=1)}
    filed = {attribute.name: str(aid) for aid, attribute in enumerate(files, start=first)}
    attributes = {
        **{drawn[attribute.name]: _attribute(attribute, REGION) for attribute in regions},
        **{filed[attribute.name]: _attribute(attribute, FILE) for attribute in files},
    }
    metadata: Json = {}
    problems = _unsized(project, where) + same_names(project)
    for vid, picture in enumerate(project.pictures, start=1):
        metadata |= _metadata(str(vid), picture, drawn, filed, problems)
    return attributes, metadata, problems


def _metadata(vid: str, picture: Picture, drawn: Ids, filed: Ids, problems: list[Problem]) -> Json:
    found = [
        (coordinates(shape), _values(region.attributes, drawn, place(picture, region), problems))
        for region, shape in uprights(picture, problems)
    ]
    found.append(([], _values(picture.attributes, filed, printable(picture.name), problems)))
    return {
        f"{vid}_{count:08d}": {"vid": vid, "flg": 0, "z": [], "xy": xy, "av": values}
        for count, (xy, values) in enumerate(found, start=1)
    }


def _values(
    values: Mapping[str, Value], ids: Ids, where: str, problems: list[Problem]
) -> dict[str, str]:
    texts = ticks_as_text(values, where, problems, exact=True)
    return {ids[name]: text for name, text in texts.items()}


def _attribute(attribute: Attribute, anchor: str) -> Json:
    options = {} if attribute.kind == "text" else {"options": dict(attribute.options)}
    return {
        "aname": attribute.name,
        "anchor_id": anchor,
        "type": TYPES[attribute.kind],
        "desc": attribute.description,
        **options,
        "default_option_id": ",".join(attribute.default),
    }


def _file(fid: str, picture: Picture) -> Json:
    remote = picture.name.lower().startswith(("http://", "https://"))
    place = 2 if remote else 1
    return {"fid": fid, "fname": picture.name, "type": 2, "loc": place, "src": picture.name}


def _head(name: str, ids: Sequence[str]) -> Json:
    return {
        "pid": "__VIA_PROJECT_ID__",
        "rev": "__VIA_PROJECT_REV_ID__",
        "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
        "pname": name,
        "data_format_version": VERSION,
        "creator": CREATOR,
        "created": 0,
        "vid_list": list(ids),
    }


def _config() -> Json:
    return {
        "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
        "ui": {
            "file_content_align": "center",
            "file_metadata_editor_visible": True,
            "spatial_metadata_editor_visible": True,
            "spatial_region_label_attribute_id": "",
            "gtimeline_visible_row_count": "4",
        },
    }


def _unsized(project: Project, where: str) -> list[Problem]:
    names = [picture.name for picture in project.pictures if picture.size is not None]
    if not names:
        return []
    what = f"VIA 3 records no size in bytes; that of {listed(names)} is not in the file"
    return [Problem(where, what, "note")]
