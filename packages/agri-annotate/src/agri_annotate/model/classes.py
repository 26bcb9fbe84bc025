"""The classes that an annotation file itself names, as a legend whose class 0 is the background.

A project that was made from maps carries their legend in the description of the attribute, so that
its masks have the numbers and colours of the maps.
"""

import re
from collections.abc import Iterable

from agri_core.legend import Legend, colour

from agri_annotate.model.project import Attribute, Picture, Project

BACKGROUND = "background"
CARRIED = "colours of the masks: "
# Names may hold commas, so an entry ends at its colour.
_ENTRY = re.compile(r"(.+?) (#[0-9a-f]{6})(?:, |$)", re.DOTALL)


def derive(project: Project, attribute: str | None, single: str | None) -> Legend:
    """Return background and the options of `attribute` as defined, else its values, sorted.

    Names are the ids of options, which is what a region holds. An option that is called
    "background" is class 0. The legend that a project carries stays as it is; options that a
    person added follow.

    Raises:
        InputError: more than 253 different values.
    """
    if single is not None:
        names = [single]
    else:
        names = _options(project.regions, attribute)
        carried = _carried(project.regions, attribute)
        if carried:
            added = [name for name in names if name.strip() and name not in carried]
            more = {name: colour(number) for number, name in enumerate(added, len(carried))}
            return Legend.of(carried | more)
        names = names or _values(project.pictures, attribute)
    rest = [name for name in names if name.strip() and name.casefold() != BACKGROUND]
    first = next((name for name in names if name.casefold() == BACKGROUND), BACKGROUND)
    return Legend.of([first, *rest])


def describe(legend: Legend) -> str:
    """Return the description of an attribute with which a project carries `legend`."""
    return CARRIED + ", ".join(f"{item.name} {item.colour}" for item in legend.classes)


def _carried(attributes: Iterable[Attribute], name: str | None) -> dict[str, str]:
    """Return the names and colours that `describe` wrote, in order; empty where it did not."""
    texts = (item.description for item in attributes if item.name == name)
    found = next((text for text in texts if text.startswith(CARRIED)), CARRIED)
    return dict(_ENTRY.findall(found.removeprefix(CARRIED)))


def _options(attributes: Iterable[Attribute], name: str | None) -> list[str]:
    return [option for item in attributes if item.name == name for option in item.options]


def _values(pictures: Iterable[Picture], name: str | None) -> list[str]:
    values = [r.attributes.get(name or "", ()) for picture in pictures for r in picture.regions]
    texts = {
        text.strip() for value in values for text in ([value] if isinstance(value, str) else value)
    }
    return sorted(texts)
