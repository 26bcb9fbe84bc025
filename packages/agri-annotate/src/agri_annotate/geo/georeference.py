"""An annotation file to a file of polygons on the ground, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from agri_core.vector.reader import read_layer
from agri_core.vector.writer import check_suffix
from pyproj import CRS

from agri_annotate.formats.read import read_project
from agri_annotate.formats.write import write_project
from agri_annotate.geo.export import write_layer
from agri_annotate.geo.overlay import OverlayOptions, draw_layer
from agri_annotate.geo.places import list_pictures, read_places
from agri_annotate.geo.vector import Feature, Name, locate
from agri_annotate.masks.naming import TO_IGNORE, Naming, choose, option_texts
from agri_annotate.model.classes import derive
from agri_annotate.model.pictures import find_pictures
from agri_annotate.model.project import Problem, Project, Region


@dataclass(frozen=True, slots=True)
class Carried:
    """What was written.

    Attributes:
        summary: one readable line.
        problems: what differs from the expected.
    """

    summary: str
    problems: tuple[Problem, ...]

    @property
    def lost(self) -> bool:
        """Whether something drawn is missing."""
        return any(problem.severity == "lost" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class Labels:
    """Where the class of a region comes from: an attribute, the only one for None, or `single`."""

    attribute: str | None = None
    single: str | None = None

    def of(self, project: Project) -> Name:
        """Return a function that gives the class of a region; "" where it has none.

        Raises:
            InputError: there is no such attribute, or several and none was named.
        """
        attribute = None if self.single is not None else _chosen(project, self.attribute)
        if attribute is None and self.single is None:
            return lambda region, where: ""
        naming = Naming(
            derive(project, attribute, self.single),
            attribute,
            texts=option_texts(project, attribute),
            single=self.single,
            unlabelled=TO_IGNORE,
        )
        return lambda region, where: _name(naming, region, where)


def to_ground(
    file: Path, folder: Path, out: Path, crs: CRS | None, labels: Labels, *, flat: bool = False
) -> Carried:
    """Write the regions of an annotation file as polygons, lines and points on the ground.

    Raises:
        MissingError: there is no such file or folder.
        InputError: a file or a choice is wrong, or no region can be written.
    """
    check_suffix(out)
    project, problems = read_project(file)
    paths, missing = find_pictures(folder, [picture.name for picture in project.pictures])
    places, unplaced = read_places(paths, crs)
    features, listed = locate(project, places, labels.of(project), flat=flat)
    if not features:
        raise InputError(_nothing([*missing, *unplaced, *listed, *problems]))
    problems = [*problems, *missing, *unplaced, *listed]
    problems += write_layer(out, features)
    bare = sum(not feature.name for feature in features)
    if bare:
        problems.append(Problem(file.name, f"{bare} of its regions have no class", "note"))
    return Carried(_summary(features, out, flat), tuple(problems))


def to_drawings(
    file: Path, folder: Path, out: Path, crs: CRS | None, options: OverlayOptions
) -> Carried:
    """Draw a file of polygons, or its layer `options.layer`, on pictures; write a VIA 2 project.

    Raises:
        MissingError: there is no such file, folder, layer or column.
        InputError: a file is wrong, or no polygon lies on a picture.
    """
    if out.suffix != ".json":
        raise InputError(f"drawings of VIA 2 are a .json, got {out.name!r}")
    if out.exists() and file.samefile(out):
        raise InputError(f"{out} is the input; choose another output")
    paths = list_pictures(folder)
    places, unplaced = read_places(paths, crs)
    if not places:
        raise InputError(_nothing(unplaced))
    project, problems = draw_layer(read_layer(file, options.layer), places, options)
    sizes = {name: paths[name].stat().st_size for name in places}
    problems = [*unplaced, *problems, *write_project(project, "via2-project", out, sizes)]
    count = sum(len(picture.regions) for picture in project.pictures)
    summary = f"{_counted(count, 'region')} on {_counted(len(places), 'picture')}: {out}"
    return Carried(summary, tuple(problems))


def _chosen(project: Project, attribute: str | None) -> str | None:
    labelled = any(region.attributes for picture in project.pictures for region in picture.regions)
    if attribute is None and not labelled and not project.regions:
        return None
    return choose(project, attribute)


def _name(naming: Naming, region: Region, where: str) -> str | Problem:
    found = naming.class_of(region, where)
    if isinstance(found, Problem):
        return found
    return "" if found == IGNORE else naming.legend.names[found]


def _nothing(problems: Sequence[Problem]) -> str:
    first = f"; {problems[0]}" if problems else ""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"nothing can be written: no region lies on a georeferenced picture{first}{more}"


def _summary(features: Sequence[Feature], out: Path, flat: bool) -> str:
    hectares = sum(feature.hectares or 0.0 for feature in features)
    pictures = len({feature.picture for feature in features})
    overlaps = "overlaps cut" if flat else "as drawn: overlaps count for each, --flat cuts them"
    regions = f"{_counted(len(features), 'region')} of {_counted(pictures, 'picture')}"
    return f"{regions}, {hectares:,.4f} ha ({overlaps}): {out}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
