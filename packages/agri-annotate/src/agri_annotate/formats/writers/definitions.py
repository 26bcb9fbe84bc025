"""Attribute definitions of a project, completed by the attributes its regions use."""

from collections.abc import Iterable, Mapping, Sequence

from agri_annotate.model.project import Attribute, Problem, Project, Value


def complete(
    defined: Sequence[Attribute], used: Iterable[Mapping[str, Value]]
) -> tuple[Attribute, ...]:
    """Return the definitions, and after them one for each attribute that is used undefined.

    VIA shows only what is defined. An undefined text becomes a text attribute, undefined ticks a
    checkbox with the options that occur, in the order in which they do.
    """
    result = {attribute.name: attribute for attribute in defined}
    known = set(result)
    for values in used:
        for name, value in values.items():
            if name not in known:
                result[name] = _widened(result.get(name), name, value)
    return tuple(result.values())


def whole(project: Project) -> tuple[tuple[Attribute, ...], tuple[Attribute, ...]]:
    """Return the complete definitions for regions and for pictures."""
    regions = (region.attributes for picture in project.pictures for region in picture.regions)
    files = (picture.attributes for picture in project.pictures)
    return complete(project.regions, regions), complete(project.files, files)


def undefined(project: Project, where: str) -> list[Problem]:
    """Return the problem of a form without definitions, where the project has some."""
    names = [attribute.name for attribute in (*project.regions, *project.files)]
    if not names:
        return []
    what = (
        f"this form has no definitions of attributes: the options, texts and defaults of "
        f"{', '.join(map(repr, names))} are not in it, only the values of each region"
    )
    return [Problem(where, what, "changed")]


def unnamed(project: Project, where: str) -> list[Problem]:
    """Return the problem of a form without a project name, where the project has one."""
    if not project.name:
        return []
    what = f"this form has no place for the project's name, {project.name!r:.80}"
    return [Problem(where, what, "note")]


def _widened(before: Attribute | None, name: str, value: Value) -> Attribute:
    if isinstance(value, str):
        return before or Attribute(name)
    options = {} if before is None else dict(before.options)
    return Attribute(name, "checkbox", {**options, **dict.fromkeys(value, "")})
