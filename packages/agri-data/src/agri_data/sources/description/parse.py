"""Reading the description of a source: its file as validated models, then as records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agri_core.files.errors import InputError, MissingError
from agri_core.files.hints import hint
from agri_core.files.records import parse_record
from agri_core.files.values import shown
from agri_core.files.yamlfile import read_yaml

from agri_data.sources.description.description import (
    Description,
    EurosatDescription,
    Imagery,
    PairsDescription,
    Scene,
    ScenesDescription,
)
from agri_data.sources.description.labelmodels import AnyLabel, RasterLabel, VectorLabel
from agri_data.sources.description.labelspec import make_label
from agri_data.sources.description.models import (
    AnyFile,
    DescriptionFile,
    EurosatFile,
    PairsFile,
    Pictures,
    SceneFile,
    SceneLabel,
    ScenesFile,
    short,
)


def read_description(path: Path, root: Path | None = None) -> Description:
    """Read a description; `root` (a folder or a .zip) replaces the one it names.

    Raises:
        MissingError: there is no such file.
        InputError: it is not YAML, a key is unknown or missing, or a value is wrong.
    """
    return parse_description(read_yaml(path), path, root)


def check_root(base: Path, path: Path, given: bool) -> None:
    """Check that the root of the description `path` is there; `given`: by --root.

    Raises:
        MissingError: there is no such folder or .zip.
    """
    if base.exists():
        return
    named = "--root" if given else "'root'"
    remedy = "correct it" if given else "correct 'root', or give --root"
    raise MissingError(
        f"{path}: {named} names {base}, and there is no such folder or .zip; {remedy}"
    )


def parse_description(content: Any, path: Path, root: Path | None = None) -> Description:
    """Convert the parsed content of the description `path` to records.

    Raises:
        InputError: a key is unknown or missing, or a value is wrong.
    """
    file: AnyFile = parse_record(DescriptionFile, content, str(path))
    base = root if root is not None else path.parent / file.root
    if isinstance(file, EurosatFile):
        return EurosatDescription(file.name, base, file.licence, tuple(file.use))
    if isinstance(file, PairsFile):
        return _pairs(file, base, str(path))
    return _scenes(file, base, str(path))


def _pairs(file: PairsFile, root: Path, where: str) -> PairsDescription:
    made = PairsDescription(
        file.name, root, file.licence, _imagery(file), file.legend,
        make_label(file.label, file.legend, where),
        images=file.images, masks=file.masks, table=file.table, suffix=file.suffix,
        unmatched=file.unmatched, group=file.group, labelled=file.labelled,
    )  # fmt: skip
    _check_pairs(made, where)
    _check_unused(file, ("suffix", "unmatched"), where)
    return made


def _scenes(file: ScenesFile, root: Path, where: str) -> ScenesDescription:
    scenes = tuple(_scene(item) for item in file.scenes)
    _check_names([scene.name for scene in scenes], where)
    label = file.label or _implied(scenes, where)
    if scenes and file.masks:
        raise InputError(
            f"{where}: unknown key 'masks' beside a list of 'scenes'; name the label file of each "
            "scene as its 'label'"
        )
    made = ScenesDescription(
        file.name, root, file.licence, _imagery(file), file.legend,
        make_label(label, file.legend, where),
        scenes=scenes, images=file.images, masks=file.masks, suffix=file.suffix,
        resolution=file.resolution, resampling=file.resampling, align=file.align,
        labelled=file.labelled,
    )  # fmt: skip
    _check_scenes(made, where)
    _check_unused(file, ("suffix",), where)
    return made


def _imagery(file: Pictures) -> Imagery:
    return Imagery(
        tuple(file.bands), tuple(file.use), file.unit, file.nodata, file.pixel, file.trust
    )


def _scene(file: SceneFile) -> Scene:
    files = {"": file.image} if isinstance(file.image, str) else file.image
    name = file.name
    if name is None:
        name = short(Path(next(iter(files.values()))).stem)
    kind, label = "", file.label
    if isinstance(label, SceneLabel):
        kind = "vector" if label.raster is None else "raster"
        label = label.raster or label.vector or ""
    return Scene(name, files, label, name if file.group is None else file.group, kind)


def _implied(scenes: tuple[Scene, ...], where: str) -> AnyLabel | None:
    """Return the label of the kind that the scenes themselves name, None where they do not."""
    kinds = sorted({scene.kind for scene in scenes})
    if len(kinds) > 1:
        raise InputError(f"{where}: the scenes' labels must be of one kind, got {kinds}")
    if kinds == ["raster"]:
        return RasterLabel(kind="raster")
    return VectorLabel(kind="vector") if kinds == ["vector"] else None


def _check_names(names: list[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{where}: scene names must be unique, {', '.join(twice)} is not")


def _check_pairs(description: PairsDescription, where: str) -> None:
    if bool(description.table) == bool(description.images):
        raise InputError(f"{where}: name either 'images' (with 'masks') or 'table' (a CSV file)")
    if description.table and description.masks:
        raise InputError(f"{where}: 'masks' do not go with 'table', which names the masks itself")
    label = description.label
    own = label.kind in ("raster", "palette") or (label.kind == "vector" and not label.file)
    if own and not (description.masks or description.table):
        raise InputError(f"{where}: labels of kind {label.kind} need 'masks' (or a 'table')")
    if not own and (description.masks or description.table):
        raise InputError(f"{where}: labels of kind {label.kind} need no 'masks' and no 'table'")


def _check_unused(file: Pictures, keys: tuple[str, ...], where: str) -> None:
    """Refuse keys about the masks' files where the description names none."""
    unused = [key for key in keys if key in file.model_fields_set and not file.masks]
    if unused:
        raise InputError(f"{where}: '{unused[0]}' goes with 'masks', which are not there")


def _check_resolution(description: ScenesDescription, where: str) -> None:
    """Refuse a grid that is the name of no file's band."""
    wanted = description.resolution
    known = sorted({band for scene in description.scenes for band in scene.files if band})
    if isinstance(wanted, str) and wanted not in ("finest", *known):
        bands = f", or one of the scenes' bands {', '.join(known)}" if known else ""
        raise InputError(
            f"{where}: 'resolution' is 'finest', a number (the size of a pixel){bands}; "
            f"got {shown(wanted)}{hint(wanted, ['finest', *known])}"
        )


def _check_scenes(description: ScenesDescription, where: str) -> None:
    _check_resolution(description, where)
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
            f"{where}: labels of kind {kind} need a 'label' in each scene, or 'masks' next to "
            f"'images'{': ' + ', '.join(bare[:8]) if bare else ''}"
        )
    if not own and (description.masks or any(s.label for s in description.scenes)):
        raise InputError(f"{where}: label files are named, but labels of kind {kind} need none")
