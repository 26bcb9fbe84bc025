"""Reading the description of a source: a strict YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast

from agri_core.bands import UNITS, Unit, make_bands
from agri_core.files.errors import InputError
from agri_core.files.yamlfile import Fields, checked, read_yaml, shown
from agri_core.legend import Legend

from agri_data.sources.description.description import (
    Description,
    EurosatDescription,
    Imagery,
    PairsDescription,
    Scene,
    ScenesDescription,
)
from agri_data.sources.description.inside import check_inside
from agri_data.sources.description.label import LabelSpec
from agri_data.sources.description.labelfields import parse_label

KINDS = ("eurosat", "pairs", "scenes")
LONELY = ("refuse", "skip")
GROUPS = ("image", "folder")
RESAMPLING = ("bilinear", "cubic", "average", "nearest")


def read_description(path: Path, root: Path | None = None) -> Description:
    """Read a description; `root` (a folder or a .zip) takes the place of the one it names.

    Raises:
        MissingError: there is no such file.
        InputError: it is not YAML, a key is unknown or missing, or a value is wrong.
    """
    return parse_description(read_yaml(path), path, root)


def parse_description(content: Any, path: Path, root: Path | None = None) -> Description:
    """Turn the parsed content of the description `path` into records.

    Raises:
        InputError: a key is unknown or missing, or a value is wrong.
    """
    fields = Fields(content, str(path))
    name = fields.take("name", str)
    kind = fields.choice("kind", KINDS)
    licence = fields.take("licence", str, "MIT" if kind == "eurosat" else "unknown")
    declared = fields.take("root", str, ".")
    _check_text(name, f"{path}: 'name'")
    _check_text(declared, f"{path}: 'root'")
    base = root if root is not None else path.parent / declared
    parse = {"eurosat": _eurosat, "pairs": _pairs, "scenes": _scenes}[kind]
    description = parse(fields, name, licence, base)
    fields.finish()
    if isinstance(description, PairsDescription):
        _check_pairs(description, fields.where)
    if isinstance(description, ScenesDescription):
        _check_scenes(description, fields.where)
    return description


def _eurosat(fields: Fields, name: str, licence: str, root: Path) -> Description:
    return EurosatDescription(name, root, licence, fields.texts("use"))


def _pairs(fields: Fields, name: str, licence: str, root: Path) -> Description:
    legend, label, imagery = _common(fields)
    return PairsDescription(
        name, root, licence, imagery, legend, label,
        images=_path(fields, "images"),
        masks=_path(fields, "masks"),
        table=_path(fields, "table"),
        suffix=fields.take("suffix", str, ""),
        unmatched=cast(Literal["refuse", "skip"], fields.choice("unmatched", LONELY, "refuse")),
        group=cast(Literal["image", "folder"], fields.choice("group", GROUPS, "image")),
        labelled=_share(fields),
    )  # fmt: skip


def _scenes(fields: Fields, name: str, licence: str, root: Path) -> Description:
    scenes = _scene_list(fields)
    legend, label, imagery = _common(fields, _implied(scenes, fields.where))
    return ScenesDescription(
        name, root, licence, imagery, legend, label,
        scenes=scenes,
        images=_path(fields, "images"),
        masks=_path(fields, "masks"),
        suffix=fields.take("suffix", str, ""),
        resolution=_resolution(fields),
        resampling=fields.choice("resampling", RESAMPLING, "cubic"),
        align=cast(Literal["same", "warp"], fields.choice("align", ("same", "warp"), "same")),
        labelled=_share(fields),
    )  # fmt: skip


def _implied(scenes: tuple[Scene, ...], where: str) -> str:
    """The kind of labels the scenes themselves name, "" where they do not."""
    kinds = sorted({scene.kind for scene in scenes})
    if len(kinds) > 1:
        raise InputError(f"{where}: the scenes' labels must be of one kind, got {kinds}")
    return kinds[0] if kinds else ""


def _common(fields: Fields, implied: str = "") -> tuple[Legend | None, LabelSpec, Imagery]:
    items = fields.maybe("legend", list)
    legend = _legend(items, fields.where) if items is not None else None
    bands, use = _band_names(fields, "bands"), _band_names(fields, "use")
    imagery = Imagery(
        bands=bands,
        use=use,
        unit=cast(Unit, fields.choice("unit", UNITS)),
        nodata=fields.maybe("nodata", float),
        pixel=_positive(fields, "pixel"),
        trust=cast(Literal["both", "bands"], fields.choice("trust", ("both", "bands"), "both")),
    )
    content = fields.raw("label")
    if content is None and implied:
        content = {"kind": implied}
    label = parse_label(content, legend, f"{fields.where}: label")
    return legend, label, imagery


def _path(fields: Fields, key: str) -> str:
    """A path or pattern below the root, "" when the key is not there."""
    return check_inside(fields.take(key, str, ""), f"{fields.where}: '{key}'")


def _band_names(fields: Fields, key: str) -> tuple[str, ...]:
    names = fields.texts(key)
    try:
        make_bands(names, "dn")
    except InputError as error:
        raise InputError(f"{fields.where}: '{key}': {error}") from error
    return names


def _legend(items: list[Any], where: str) -> Legend:
    try:
        return Legend.from_list(items)
    except InputError as error:
        raise InputError(f"{where}: legend: {error}") from error


def _scene_list(fields: Fields) -> tuple[Scene, ...]:
    items = fields.take("scenes", list, [])
    scenes = tuple(_scene(item, f"{fields.where}: scene {i + 1}") for i, item in enumerate(items))
    names = [scene.name for scene in scenes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{fields.where}: scene names must be unique, {', '.join(twice)} is not")
    return scenes


def _scene(item: Any, where: str) -> Scene:
    fields = Fields(item, where)
    image = fields.raw("image")
    if isinstance(image, str):
        files = {"": image}
    else:
        files = {
            checked(band, str, f"{where}: a band name"): checked(path, str, f"{where}: {band}")
            for band, path in checked(image, dict, f"{where}: 'image'").items()
        }
    if not files or not all(path.strip() for path in files.values()):
        raise InputError(f"{where}: 'image' is a path, or a mapping of band names to paths")
    for band, path in files.items():
        check_inside(path, f"{where}: image {band}".rstrip())
    name = fields.take("name", str, Path(next(iter(files.values()))).stem)
    _check_text(name, f"{where}: 'name'")
    kind, label = _scene_label(fields)
    scene = Scene(name, files, label, fields.take("group", str, name), kind)
    fields.finish()
    return scene


def _scene_label(fields: Fields) -> tuple[str, str]:
    """A scene's label is a path, or `{raster: path}` or `{vector: path}`, which says its kind."""
    label = fields.raw("label")
    if label is None or isinstance(label, str):
        return "", _path(fields, "label")
    inner = Fields(label, f"{fields.where}: label")
    found = [kind for kind in ("raster", "vector") if inner.has(kind)]
    inner.finish()
    if len(found) != 1:
        raise InputError(f"{inner.where}: name one file, as 'raster' or as 'vector'")
    return found[0], _path(inner, found[0])


def _resolution(fields: Fields) -> str | float:
    value = fields.raw("resolution")
    if value is None:
        return "finest"
    if isinstance(value, str):
        return value
    size = checked(value, float, f"{fields.where}: 'resolution'")
    if not 0 < size < 1e9:
        raise InputError(f"{fields.where}: 'resolution' must be a positive size, got {size:g}")
    return size


def _positive(fields: Fields, key: str) -> float | None:
    value = fields.maybe(key, float)
    if value is not None and not 0 < value < 1e9:
        raise InputError(f"{fields.where}: '{key}' must be a positive number, got {value:g}")
    return value


def _share(fields: Fields) -> float:
    value = fields.take("labelled", float, 0.0)
    if not 0 <= value <= 1:
        raise InputError(f"{fields.where}: 'labelled' is a share from 0 to 1, got {value:g}")
    return value


def _check_pairs(description: PairsDescription, where: str) -> None:
    if bool(description.table) == bool(description.images):
        raise InputError(f"{where}: name either 'images' (with 'masks') or 'table' (a CSV file)")
    if description.table and (description.masks or description.suffix):
        raise InputError(f"{where}: 'masks' and 'suffix' do not go with 'table'")
    label = description.label
    own = label.kind in ("raster", "palette") or (label.kind == "vector" and not label.file)
    if own and not (description.masks or description.table):
        raise InputError(f"{where}: labels of kind {label.kind} need 'masks' (or a 'table')")
    if not own and (description.masks or description.table):
        raise InputError(f"{where}: labels of kind {label.kind} need no 'masks' and no 'table'")


def _check_scenes(description: ScenesDescription, where: str) -> None:
    if bool(description.scenes) == bool(description.images):
        raise InputError(f"{where}: name either 'scenes' (a list) or 'images' (a pattern)")
    kind = description.label.kind
    if kind == "palette":
        raise InputError(f"{where}: labels of scenes are of kind raster, vector, band or none")
    other = [s.name for s in description.scenes if s.kind not in ("", kind)]
    if other:
        raise InputError(f"{where}: scene {other[0]} names another kind of label than {kind!r}")
    own = kind in ("raster", "vector") and not description.label.file
    bare = [s.name for s in description.scenes if own and not s.label]
    if bare or (own and description.images and not description.masks):
        raise InputError(
            f"{where}: labels of kind {kind} need a 'label' in each scene, or 'masks' beside "
            f"'images'{': ' + ', '.join(bare[:8]) if bare else ''}"
        )
    if not own and (description.masks or any(s.label for s in description.scenes)):
        raise InputError(f"{where}: label files are named, but labels of kind {kind} need none")


def _check_text(text: str, what: str) -> None:
    if not text.strip() or "\0" in text or len(text) > 4096:
        raise InputError(f"{what} must be a short, non-empty text, got {shown(text)}")
