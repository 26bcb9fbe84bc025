"""Reader of VIA 1 and 2 JSON: annotations, and the project file of VIA 2 around them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agri_core.files.errors import InputError

from agri_annotate.choices import Form
from agri_annotate.formats.readers.attributes import read_definitions, read_values
from agri_annotate.formats.readers.collector import Collector, Draft
from agri_annotate.formats.readers.decode import Doubled, entries
from agri_annotate.formats.readers.geometry import from_object
from agri_annotate.formats.readers.values import Notes, brief, key, whole
from agri_annotate.model.project import Problem, Project, Severity, Value
from agri_annotate.model.shape import Shape


@dataclass(frozen=True, slots=True)
class ParsedRegion:
    """A region as parsed; `shape` is the reason as text where it cannot be drawn."""

    shape: Shape | str
    attributes: Mapping[str, Value]
    notes: Sequence[tuple[str, Severity]]


class Regions:
    """Parser that replaces the JSON of a picture's regions as soon as it is complete.

    The JSON of all regions of a large file takes several times the memory of its content. Regions
    with equal attributes share one record.
    """

    def __init__(self) -> None:
        self._attributes: dict[tuple[tuple[str, Value], ...], Mapping[str, Value]] = {}

    def shrink(self, content: dict[str, Any]) -> None:
        """Replace the regions in the entry of a picture by their parsed form."""
        regions = content.get("regions")
        if isinstance(regions, list):
            content["regions"] = [self.read(region) for region in regions]
        elif isinstance(regions, dict) and not isinstance(regions, Doubled):
            content["regions"] = {name: self.read(region) for name, region in regions.items()}

    def read(self, raw: Any) -> Any:
        """Return a region's object as `ParsedRegion`, anything else unchanged."""
        if not isinstance(raw, dict):
            return raw
        notes: Notes = []
        attributes = read_values(raw.get("region_attributes"), notes)
        shared = self._attributes.setdefault(tuple(attributes.items()), attributes)
        try:
            shape: Shape | str = from_object(raw.get("shape_attributes"), notes)
        except InputError as error:
            shape = str(error)
        return ParsedRegion(shape, shared, notes or ())


def read_annotations(
    root: dict[str, Any], form: Form, source: str
) -> tuple[Project, list[Problem]]:
    """Read `{id: {filename, size, regions, file_attributes}, ...}`.

    `regions` is a list in VIA 2 and an object in VIA 1, ordered as JavaScript orders an object:
    whole numbers first and upwards, then the rest in file order.
    """
    collector = Collector(source)
    for identity, entry in entries(root):
        _read_picture(identity, entry, collector)
    return Project(form, collector.pictures()), collector.problems


def read_via2_project(root: dict[str, Any], source: str) -> tuple[Project, list[Problem]]:
    """Read a project of VIA 2, of any version; pictures in the order of its id list, if any.

    Pictures missing from the list come after the others, in file order. Where VIA imported the
    pictures from COCO, their ids are numbers in the list and texts elsewhere.
    """
    collector = Collector(source)
    metadata = root["_via_img_metadata"]
    for identity, entry in _ordered(metadata, root.get("_via_image_id_list"), collector):
        _read_picture(identity, entry, collector)
    notes: Notes = []
    raw = root.get("_via_attributes")
    defined = raw if isinstance(raw, dict) else {}
    regions = read_definitions(defined.get("region"), notes)
    files = read_definitions(defined.get("file"), notes)
    collector.report_all(collector.source, notes)
    pictures = collector.pictures()
    return (
        Project("via2-project", pictures, regions, files, _project_name(root)),
        collector.problems,
    )


def _ordered(
    metadata: dict[str, Any], listed: Any, collector: Collector
) -> Iterable[tuple[str, Any]]:
    found = list(entries(metadata))
    if listed is None:
        return found
    ids = [key(one) for one in listed] if isinstance(listed, list) else [None]
    if None in ids:
        what = "_via_image_id_list is no list of ids; pictures are in the order of the file"
        collector.report(collector.source, what, "note")
        return found
    place = {identity: n for n, identity in reversed(list(enumerate(ids)))}
    known = {identity for identity, _ in found}
    for identity in [one for one in place if one not in known]:
        what = f"_via_image_id_list names {brief(identity)}, which is not in the file"
        collector.report(collector.source, what, "note")
    return sorted(found, key=lambda pair: place.get(pair[0], len(ids)))


def _read_picture(identity: str, entry: Any, collector: Collector) -> None:
    if not isinstance(entry, dict):
        what = f"picture {brief(identity)} should be an object, got {brief(entry)}"
        collector.report(collector.source, what)
        return
    size = whole(entry.get("size"))
    name = _name(identity, entry.get("filename"), size, collector)
    if not name:
        return
    draft = collector.picture(name, size)
    if isinstance(entry, Doubled):
        collector.report(draft.label, "its entry repeats a name; only the last value is read")
    notes: Notes = []
    draft.attributes.update(read_values(entry.get("file_attributes"), notes))
    collector.report_all(draft.label, notes)
    _read_regions(entry.pop("regions", None), draft, collector)


def _name(identity: str, raw: Any, size: int | None, collector: Collector) -> str:
    """Return the file name, else the id without the size that VIA appends to it, else ""."""
    if isinstance(raw, str) and raw:
        return raw
    name = identity.removesuffix("-1" if size is None else str(size)) or identity
    what = f"picture {brief(identity)} has no filename"
    what = f"{what}; its id is taken" if name else f"{what}, nor has it an id"
    collector.report(collector.source, what, "note" if name else "lost")
    return name


def _read_regions(raw: Any, draft: Draft, collector: Collector) -> None:
    if isinstance(raw, dict):
        raw = [region for _, region in sorted(entries(raw), key=_place)]
    if raw is None:
        collector.report(draft.label, "its regions are missing; read as none", "note")
        return
    if not isinstance(raw, list):
        collector.report(draft.label, f"its regions should be a list, got {brief(raw)}")
        return
    for region in raw:
        _read_region(region, draft, collector)


def _read_region(raw: Any, draft: Draft, collector: Collector) -> None:
    read = Regions().read(raw)
    if not isinstance(read, ParsedRegion):
        collector.lose(draft, f"a region should be an object, got {brief(raw)}")
        return
    collector.region(draft, _shape, read.shape, read.attributes, list(read.notes))


def _shape(raw: Shape | str, notes: Notes) -> Shape:
    if isinstance(raw, str):
        raise InputError(raw)
    return raw


def _place(pair: tuple[str, Any]) -> tuple[bool, int]:
    index = whole(pair[0])
    return (True, 0) if index is None or str(index) != pair[0] else (False, index)


def _project_name(root: dict[str, Any]) -> str:
    settings = root.get("_via_settings")
    project = settings.get("project") if isinstance(settings, dict) else None
    name = project.get("name") if isinstance(project, dict) else None
    return name if isinstance(name, str) else ""
