"""The categories of a COCO file: the options of one attribute, and one for unlabelled regions."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agri_core.files.errors import InputError

from agri_annotate.formats.writers.losses import place
from agri_annotate.model.project import Attribute, Picture, Problem, Project, Region, Value

UNLABELLED = "unlabelled"
"""The category of a region without the chosen attribute; no region is dropped."""


@dataclass(frozen=True, slots=True)
class Categories:
    """Category names by attribute value, in the order of their ids, from 1.

    Attributes:
        attribute: its name, "" where regions have no attribute.
        names: the name of the category by value.
        rest: the name of the category for regions without a value.
    """

    attribute: str
    names: Mapping[str, str]
    rest: str

    def id_of(self, value: str | None) -> int:
        """Return the id of the category of a value; None is the rest, which is the last."""
        ids = {known: number for number, known in enumerate(self.names, start=1)}
        return len(ids) + 1 if value is None else ids[value]


def categories(project: Project, attribute: str | None) -> Categories:
    """Return the categories from the attribute called `attribute`.

    Without a name it is the first dropdown or radio of the regions, else the attribute that most
    regions have a value of; the first among equals.

    Raises:
        InputError: nothing defines or uses an attribute called `attribute`.
    """
    used = Counter(name for _, region in regions(project) for name in non_empty(region.attributes))
    defined = {each.name: each for each in project.regions}
    if attribute is not None and attribute not in (*defined, *used):
        known = ", ".join(map(repr, dict.fromkeys((*defined, *used)))) or "none at all"
        raise InputError(f"regions have no attribute {attribute!r}; they have {known}")
    choices = [each.name for each in project.regions if each.kind in ("dropdown", "radio")]
    common = [name for name, _ in used.most_common(1)]
    chosen = attribute if attribute is not None else next(iter(choices + common), "")
    names = _names(defined.get(chosen), chosen, project)
    rest = UNLABELLED
    while rest in names.values():
        rest += "_"
    return Categories(chosen, names, rest)


def value_of(
    picture: Picture, region: Region, classes: Categories, problems: list[Problem]
) -> str | None:
    """Return a region's value of the chosen attribute or None, and append to `problems`."""
    value = non_empty(region.attributes).get(classes.attribute)
    if value is None:
        of = f"of {classes.attribute!r}" if classes.attribute else "of any attribute"
        what = f"it has no value {of}, so its category is {classes.rest!r}"
        problems.append(Problem(place(picture, region), what, "changed"))
        return None
    if isinstance(value, str):
        return value
    if len(value) > 1:
        what = f"{list(value)!r:.80} are ticked, COCO holds one category: {value[0]!r} is kept"
        problems.append(Problem(place(picture, region), what))
    return value[0]


def unheld(project: Project, chosen: str, where: str) -> list[Problem]:
    """Return the problems of attributes other than the category, which COCO cannot hold."""
    drawn: Counter[str] = Counter()
    for _, region in regions(project):
        drawn.update(name for name in non_empty(region.attributes) if name != chosen)
    filed = Counter(name for picture in project.pictures for name in non_empty(picture.attributes))
    what = "{2!r} of {0} {1} is not in the file: COCO holds one category a region"
    return [
        Problem(where, what.format(count, kind, name))
        for kind, counts in (("regions", drawn), ("pictures", filed))
        for name, count in counts.items()
    ]


def regions(project: Project) -> Iterator[tuple[Picture, Region]]:
    """Yield every region with its picture."""
    for picture in project.pictures:
        for region in picture.regions:
            yield picture, region


def non_empty(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values without empty texts and without checkboxes without a tick."""
    return {name: value for name, value in values.items() if value}


def _names(definition: Attribute | None, chosen: str, project: Project) -> dict[str, str]:
    options = {} if definition is None else dict(definition.options)
    for _, region in regions(project):
        value = non_empty(region.attributes).get(chosen, ())
        for option in (value,) if isinstance(value, str) else value[:1]:
            options.setdefault(option, "")
    texts = Counter(text for text in options.values())
    return {
        option: text
        if text and texts[text] == 1 and text not in set(options) - {option}
        else option
        for option, text in options.items()
    }
