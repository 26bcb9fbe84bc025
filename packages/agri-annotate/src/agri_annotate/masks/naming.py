"""The class of a region, from its attribute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from agri_core.files.errors import InputError
from agri_core.files.hints import nearest
from agri_core.legend import IGNORE, Legend

from agri_annotate.model.project import Problem, Project, Region

REFUSE, TO_IGNORE = "refuse", "ignore"


@dataclass(frozen=True)
class Naming:
    """Mapping of a region's attribute to a class; nothing is corrected that was not declared.

    Attributes:
        attribute: of regions; None if all regions are of the class `single`.
        aliases: a text as drawn -> the name of a class.
        texts: id of an option -> its text; a class may be named by either.
        single: the class of all regions.
        unlabelled: "refuse", "ignore" (255), or the class of regions without one.
        fold: whether case and runs of blanks make no difference.
    """

    legend: Legend
    attribute: str | None = None
    aliases: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    single: str | None = None
    unlabelled: str = REFUSE
    fold: bool = False

    def __post_init__(self) -> None:
        wanted = [self.single, *self.aliases.values()]
        if self.unlabelled not in (REFUSE, TO_IGNORE):
            wanted.append(self.unlabelled)
        for name in wanted:
            if name is not None:
                self.legend.index(name)
        if (self.attribute is None) == (self.single is None):
            raise InputError("a class comes either from an attribute or is one for all regions")
        self._known  # noqa: B018 - names that fold to one text are found before any region is

    def class_of(self, region: Region, where: str = "") -> int | Problem:
        """Return the id of the region's class, 255 for "not known", or why there is none.

        `where` names the region in the problem; without it that is its number from 1.

        Example:
            >>> from agri_annotate.model.shape import Rect
            >>> legend = Legend.of(["background", "wheat"])
            >>> naming = Naming(legend, "crop", aliases={"corn": "wheat"})
            >>> naming.class_of(Region(Rect(0, 0, 1, 1), {"crop": "corn"}))
            1
        """
        where = where or f"region {region.number + 1}"
        if self.single is not None:
            return self.legend.index(self.single)
        value = region.attributes.get(self.attribute or "", "")
        options = [value] if isinstance(value, str) else list(value)
        options = [text for text in options if text.strip()]
        if not options:
            return self._unlabelled(where)
        if len(options) > 1:
            ticked = ", ".join(repr(text) for text in options)
            return Problem(where, f"one class is needed, {self.attribute!r} has {ticked:.120}")
        found = self._known.get(self._folded(options[0]))
        return self._unknown(options[0], where) if found is None else found

    @cached_property
    def _known(self) -> dict[str, int]:
        """Texts that name a class: names, then aliases, then texts of options."""
        names = dict(zip(self.legend.names, range(len(self.legend.classes)), strict=True))
        known: dict[str, int] = {}
        for text, number in names.items():
            if known.setdefault(self._folded(text), number) != number:
                raise InputError(f"class {text!r} is no different from another but for case")
        for text, name in self.aliases.items():
            known[self._folded(text)] = names[name]
        for option, text in self.texts.items():
            found = known.get(self._folded(option), known.get(self._folded(text)))
            if found is not None:
                known.setdefault(self._folded(option), found)
                if text.strip():
                    known.setdefault(self._folded(text), found)
        return known

    def _folded(self, text: str) -> str:
        return " ".join(text.split()).casefold() if self.fold else text

    def _unlabelled(self, where: str) -> int | Problem:
        if self.unlabelled == TO_IGNORE:
            return IGNORE
        if self.unlabelled != REFUSE:
            return self.legend.index(self.unlabelled)
        return Problem(
            where,
            f"no class: {self.attribute!r} has no value; label it, or state --unlabelled ignore "
            "or --unlabelled CLASS",
        )

    def _unknown(self, text: str, where: str) -> Problem:
        near = nearest(text, self._known)
        hint = f"; {self._remedy(text, near)} if it is that" if near else ""
        names = ", ".join(self.legend.names)
        return Problem(where, f"no class is called {text!r:.60}; the legend has {names:.200}{hint}")

    def _remedy(self, text: str, near: str) -> str:
        """Return the option that takes `text` for what `near` names."""
        # The line break of such a text cannot be typed into an alias.
        if not text.isprintable() and " ".join(text.split()).casefold() == near.casefold():
            return "--fold"
        return f"--alias {f'{text}={self._name(near)}'!r}"

    def _name(self, text: str) -> str:
        return self.legend.names[self._known[text]]


def choose(project: Project, attribute: str | None) -> str:
    """Return the attribute that names the class: the one asked for, or the only one there is.

    Attributes to choose one option of come before ticked ones and texts.

    Raises:
        InputError: it is nowhere in the file, or there are several and none was asked for.
    """
    kinds = _kinds(project)
    if attribute is not None:
        if attribute not in kinds and any(picture.regions for picture in project.pictures):
            raise InputError(f"no region attribute is called {attribute!r}; {_there(list(kinds))}")
        return attribute
    chosen = [name for name, kind in kinds.items() if kind in ("dropdown", "radio")]
    names = chosen or list(kinds)
    if len(names) != 1:
        raise InputError(
            "which attribute names the class? State --attribute NAME, or --single CLASS for one "
            f"class for all regions; {_there(names)}"
        )
    return names[0]


def check_attribute(project: Project, attribute: str | None, file: str) -> None:
    """Refuse a class attribute that no region of a file has, though it has regions.

    Raises:
        InputError: there is none; each region would count as one without a class.
    """
    names = list(_kinds(project))
    if attribute not in names and any(picture.regions for picture in project.pictures):
        raise InputError(
            f"{file} has no region attribute {attribute!r} to name the class by; {_there(names)}. "
            "State one that both files have with --attribute NAME"
        )


def _kinds(project: Project) -> dict[str, str]:
    """Return the kind of each region attribute, "text" where the file does not define it."""
    kinds: dict[str, str] = {item.name: item.kind for item in project.regions}
    for picture in project.pictures:
        for region in picture.regions:
            kinds.update({name: "text" for name in region.attributes if name not in kinds})
    return kinds


def option_texts(project: Project, attribute: str | None) -> dict[str, str]:
    """Return id -> text of the options of `attribute`, empty where it has none."""
    found = [item.options for item in project.regions if item.name == attribute]
    return dict(found[0]) if found else {}


def _there(names: list[str]) -> str:
    return f"the file has {', '.join(map(repr, names))}" if names else "the file has none"
