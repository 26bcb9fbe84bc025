"""Reader of the project JSON of VIA 3, and what the CSV reader shares with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agri_annotate.formats.readers.attributes import read_options, read_value, text_of
from agri_annotate.formats.readers.collector import Collector, Draft
from agri_annotate.formats.readers.decode import entries
from agri_annotate.formats.readers.geometry import from_list
from agri_annotate.formats.readers.values import Notes, brief, key, whole
from agri_annotate.model.project import Attribute, Kind, Problem, Project, Value

_KINDS: dict[int, Kind] = {1: "text", 2: "checkbox", 3: "radio", 4: "dropdown", 5: "image"}
# Anchors of VIA 3: one file, no time (Z0), with a shape (XY1) or of the whole file (XY0).
REGION, FILE = "FILE1_Z0_XY1", "FILE1_Z0_XY0"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The attribute definitions by id, and those of regions and of pictures in order."""

    known: Mapping[str, Attribute] = field(default_factory=dict)
    regions: tuple[Attribute, ...] = ()
    files: tuple[Attribute, ...] = ()


def read_via3_json(root: dict[str, Any], source: str) -> tuple[Project, list[Problem]]:
    """Read a VIA 3 project; pictures in the order of `vid_list`, then views it omits.

    Metadata without coordinates describes the whole picture. What was drawn at a time of a video,
    or in a view of several files, is reported as lost.
    """
    collector = Collector(source)
    notes: Notes = []
    vocabulary = read_vocabulary(root.get("attribute"), notes)
    drafts = _views(root, collector)
    metadata = root["metadata"]
    for identity, raw in entries(metadata):
        _read_metadata(identity, raw, drafts, vocabulary, collector)
    collector.report_all(collector.source, notes)
    project = root["project"]
    name = text_of(project.get("pname")) if isinstance(project, dict) else ""
    pictures = collector.pictures()
    return (
        Project("via3-json", pictures, vocabulary.regions, vocabulary.files, name),
        collector.problems,
    )


def read_vocabulary(raw: Any, notes: Notes) -> Vocabulary:
    """Return the attributes of VIA 3, `{id: {aname, anchor_id, type, options, ...}}`."""
    if not isinstance(raw, dict):
        notes.append((f"the attributes should be an object, got {brief(raw)}", "changed"))
        return Vocabulary()
    known: dict[str, Attribute] = {}
    anchored: dict[str, list[Attribute]] = {REGION: [], FILE: []}
    for identity, one in raw.items():
        if not isinstance(one, dict):
            notes.append((f"the definition of attribute {brief(identity)} is left out", "changed"))
            continue
        known[identity] = _definition(identity, one, notes)
        anchor = one.get("anchor_id")
        if isinstance(anchor, str) and anchor in anchored:
            anchored[anchor].append(known[identity])
    return Vocabulary(known, tuple(anchored[REGION]), tuple(anchored[FILE]))


def read_attribute_values(raw: Any, vocabulary: Vocabulary, notes: Notes) -> dict[str, Value]:
    """Return `{attribute id: value}` by attribute name; checkbox ids are joined by commas."""
    if not isinstance(raw, dict):
        if raw is not None:
            notes.append((f"its attributes should be an object, got {brief(raw)}", "changed"))
        return {}
    result: dict[str, Value] = {}
    for identity, value in raw.items():
        attribute = vocabulary.known.get(identity)
        if attribute is None:
            notes.append((f"attribute {brief(identity)} is not defined; its id is taken", "note"))
            attribute = Attribute(identity)
        one = read_value(value, attribute.name, notes)
        if one is not None:
            result[attribute.name] = _ticked(one, attribute)
    return result


def place(
    draft: Draft, raw: Mapping[str, Any], vocabulary: Vocabulary, collector: Collector
) -> None:
    """Add one metadata entry, with `xy`, `z` and `av`, to its picture."""
    xy, time = raw.get("xy"), raw.get("z")
    notes: Notes = []
    values = read_attribute_values(raw.get("av"), vocabulary, notes)
    if time not in (None, []):
        if xy in (None, []):
            collector.report(draft.label, "a span of a video is not a drawing; left out", "note")
        else:
            collector.lose(draft, f"drawn at a time of a video ({brief(time)}), not on a picture")
    elif xy in (None, []):
        draft.attributes.update(values)
        collector.report_all(draft.label, notes)
    else:
        collector.region(draft, from_list, xy, values, notes)


def _read_metadata(
    identity: str,
    raw: Any,
    drafts: Mapping[str, Draft | None],
    vocabulary: Vocabulary,
    collector: Collector,
) -> None:
    if not isinstance(raw, dict):
        what = f"metadata {brief(identity)} should be an object, got {brief(raw)}"
        collector.report(collector.source, what)
        return
    view = key(raw.get("vid"))
    draft = drafts.get(view) if view is not None else None
    if draft is not None:
        place(draft, raw, vocabulary, collector)
    elif raw.get("xy") not in (None, []):
        what = f"metadata {brief(identity)} is of view {brief(raw.get('vid'))}, which shows no"
        collector.report(collector.source, f"{what} single picture")


def _views(root: dict[str, Any], collector: Collector) -> dict[str, Draft | None]:
    """Return the picture of each view by view id, None where it has not exactly one."""
    views, files, project = root.get("view"), root.get("file"), root.get("project")
    views = views if isinstance(views, dict) else {}
    files = files if isinstance(files, dict) else {}
    listed = project.get("vid_list") if isinstance(project, dict) else None
    order = [key(view) for view in listed] if isinstance(listed, list) else []
    wanted = dict.fromkeys([v for v in order if v is not None and v in views] + list(views))
    return {view: _picture(view, views[view], files, collector) for view in wanted}


def _picture(view: str, raw: Any, files: Mapping[str, Any], collector: Collector) -> Draft | None:
    listed = raw.get("fid_list") if isinstance(raw, dict) else None
    if not isinstance(listed, list) or len(listed) != 1:
        what = f"view {brief(view)} should show one file, it shows {brief(listed)}"
        collector.report(collector.source, what, "changed")
        return None
    identity = key(listed[0])
    file = files.get(identity) if identity is not None else None
    source = text_of(file.get("src")) if isinstance(file, dict) else ""
    name = (text_of(file.get("fname")) if isinstance(file, dict) else "") or source
    if not name:
        what = f"view {brief(view)} shows file {brief(listed[0])}, which has no name"
        collector.report(collector.source, what, "changed")
        return None
    return collector.picture(name, mark=source)


def _definition(identity: str, raw: dict[str, Any], notes: Notes) -> Attribute:
    name = text_of(raw.get("aname")) or identity
    number = whole(raw.get("type"))
    if number not in _KINDS:
        notes.append((f"attribute {brief(name)} is of type {brief(raw.get('type'))}", "note"))
    kind = _KINDS.get(number or 0, "text")
    chosen = text_of(raw.get("default_option_id"))
    options = read_options(raw.get("options"), name, notes)
    draft = Attribute(name, kind, options, (), text_of(raw.get("desc")))
    default = _ticked(chosen, draft) if chosen else ()
    default = (default,) if isinstance(default, str) else default
    return Attribute(name, kind, options, default, draft.description)


def _ticked(value: Value, attribute: Attribute) -> Value:
    if attribute.kind != "checkbox" or not isinstance(value, str):
        return value
    if value in attribute.options:
        return (value,)
    return tuple(option for option in value.split(",") if option)
