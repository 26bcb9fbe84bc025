"""The classes that an annotation file itself names, as a legend whose class 0 is the background."""

from collections.abc import Iterable

from agri_core.legend import Legend

from agri_annotate.model.project import Attribute, Picture, Project

BACKGROUND = "background"


def derive(project: Project, attribute: str | None, single: str | None) -> Legend:
    """Return background and the options of `attribute` as defined, else its values, sorted.

    Names are the ids of options, which is what a region holds. An option that is called
    "background" is class 0.

    Raises:
        InputError: more than 253 different values.
    """
    if single is not None:
        names = [single]
    else:
        names = _options(project.regions, attribute) or _values(project.pictures, attribute)
    rest = [name for name in names if name.strip() and name.casefold() != BACKGROUND]
    first = next((name for name in names if name.casefold() == BACKGROUND), BACKGROUND)
    return Legend.of([first, *rest])


def _options(attributes: Iterable[Attribute], name: str | None) -> list[str]:
    return [option for item in attributes if item.name == name for option in item.options]


def _values(pictures: Iterable[Picture], name: str | None) -> list[str]:
    said = [r.attributes.get(name or "", ()) for picture in pictures for r in picture.regions]
    texts = {
        text.strip() for value in said for text in ([value] if isinstance(value, str) else value)
    }
    return sorted(texts)
