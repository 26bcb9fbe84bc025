"""Who may import whom, between packages and inside them, and that a package declares its imports.

Inside a package a room is a folder, or a module at its top. `ROOMS` lists the rooms of each package
in floors, the lowest first: a room imports from lower floors only.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from importlib.util import resolve_name
from pathlib import Path

import pytest

ALLOWED = {
    "agri-core": set(),
    "agri-annotate": {"agri-core"},
    "agri-data": {"agri-core"},
    "agri-map": {"agri-data", "agri-core"},
    "agri-train": {"agri-map", "agri-data", "agri-core"},
    "agri-segment": {"agri-train", "agri-map", "agri-data", "agri-core"},
    "agri-cluster": {"agri-data", "agri-core"},
    "agri-classify": {"agri-map", "agri-data", "agri-core", "agri-train"},
    "agri-change": {"agri-map", "agri-data", "agri-core"},
    "agri-serve": {"agri-change", "agri-classify", "agri-map", "agri-data", "agri-core"},
}
LIGHT = {"agri-annotate", "agri-change", "agri-core", "agri-data", "agri-map", "agri-serve"}
HEAVY = {"torch", "torchvision", "tensorflow", "keras", "lightning", "torchmetrics", "timm"}
NEVER = {"dvc", "dvclive"}
TRAINING = "agri_classify/training/"
"""Where alone agri-classify may import what its extra brings; `cli` asks first."""
ROOMS = {
    "agri_core": (
        "choices interrupt threads",
        "files",
        "legend_entry",
        "bands legend pages vector",
        "raster",
        "confusion indices",
        "evaluation",
    ),
    "agri_data": (
        "choices sources.description store synth.layout",
        "figures sources.readers splits synth.spectra",
        "augment sources synth",
        "build",
        "annotation patches schemas",
        "commands",
        "cli",
    ),
    "agri_annotate": (
        "choices",
        "model",
        "formats.readers masks",
        "formats.writers report",
        "annotate formats",
        "diff geo vectorise",
        "commands",
        "cli",
    ),
    "agri_cluster": (
        "choices",
        "backend data",
        "encoders init",
        "artifact deepcluster pretrain",
        "dec evaluation",
        "report selection",
        "fit",
        "commands",
        "cli",
    ),
    "agri_map": (
        "bundle choices",
        "scene",
        "maps",
        "analysis inference",
        "figures mapping",
        "commands",
        "cli",
    ),
    "agri_train": ("baselines config", "device network", "data", "engine", "bundle run", "fit"),
    "agri_segment": (
        "choices",
        "evaluation networks params",
        "catalogue comparison train",
        "commands",
        "cli",
    ),
    "agri_classify": (
        "choices",
        "bundled patches training.networks",
        "prediction training.bundles",
        "evaluation",
        "commands training.calibration",
        "training",
        "training.study",
        "training.commands",
        "cli",
    ),
}
WIDEST = 20
"""Modules in one folder; more are no longer taken in at a glance."""


def imported(source):
    """Yield (top-level module, node) of every absolute import, wherever it stands."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0], node


def violations(source):
    own = source.package.replace("-", "_")
    for module, node in imported(source):
        sibling = module.replace("_", "-")
        if module.startswith("agri_") and module != own and sibling not in ALLOWED[source.package]:
            yield f"{source.at(node)}: {source.package} may not import {module}"
        if module in NEVER or module in too_heavy(source, source.at(node)):
            yield f"{source.at(node)}: {source.package} may not import {module}"


def too_heavy(source, where):
    if source.package == "agri-classify":
        return set() if TRAINING in where else HEAVY | {"agri_train"}
    return HEAVY if source.package in LIGHT else set()


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def dotted(path):
    """Return the dotted name of a module from its path below `src`."""
    parts = path.with_suffix("").parts
    parts = parts[parts.index("src") + 1 :]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def targets(name, tree, modules):
    """Yield the modules of the same package that a module imports, inside functions as well.

    The package's own `__init__` counts for nothing: it holds the version and the public names.
    """
    home = name if is_package(name, modules) else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), home)
            wanted = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found = {known(item, modules) for item in wanted} - {None, name}
        yield from (item for item in found if "." in item)


def known(name, modules):
    """Return the module that holds `name`: itself, or the one it is an attribute of."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def is_package(name, modules):
    return any(other.startswith(f"{name}.") for other in modules)


def arrows(modules):
    """Return the imports between the modules `{dotted name: tree}` of one package."""
    return {
        name: set(targets(name, tree, modules)) for name, tree in modules.items() if "." in name
    }


def room(name, modules):
    inside = name.split(".")[1:]
    folder = inside if is_package(name, modules) else inside[:-1]
    return ".".join(folder or inside)


def upward(modules, floors):
    """Yield the imports that do not lead to a lower floor, and rooms that stand on none."""
    level = {name: number for number, floor in enumerate(floors) for name in floor.split()}
    graph = arrows(modules)
    found = {room(name, modules) for name in graph}
    yield from (f"{name} stands on no floor" for name in sorted(found - set(level)))
    yield from (f"there is no room {name}" for name in sorted(set(level) - found))
    for name, wanted in sorted(graph.items()):
        for target in sorted(wanted):
            here, there = room(name, modules), room(target, modules)
            if here != there and level.get(here, 0) <= level.get(there, 0):
                yield f"{name} may not import {target}: {there} is not below {here}"


def circle(graph):
    """Return the modules of an import circle, the first again at the end; [] if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def too_wide(paths):
    folders = Counter(path.parent for path in paths if path.name != "__init__.py")
    return [f"{folder} holds {n} modules" for folder, n in folders.items() if n > WIDEST]


@pytest.fixture(scope="module")
def trees(sources):
    """The modules of each package: `{package: {dotted name: syntax tree}}`."""
    found = {}
    for source in sources:
        modules = found.setdefault(source.package.replace("-", "_"), {})
        modules[dotted(source.path)] = source.tree
    return found


def plant(**texts):
    """Return the modules of a package `agri_x`; `a__b` stands for `agri_x.a.b`."""
    names = {name: f"agri_x.{name.replace('__', '.')}" for name in texts}
    modules = {names[name]: ast.parse(text) for name, text in texts.items()}
    folders = {name.rpartition(".")[0] for name in modules}
    return modules | {name: ast.parse("") for name in folders}


def test_every_package_has_a_rule(packages):
    assert set(packages) <= set(ALLOWED)
    assert {name.replace("-", "_") for name in packages} == set(ROOMS)


def test_packages_import_only_what_they_may(sources):
    assert [line for source in sources for line in violations(source)] == []


def test_a_planted_violation_is_found(parse):
    text = "def f():\n    import torch.nn\n    from agri_train.fit import fit\n    import dvc.api\n"
    assert len(list(violations(parse(text)))) == 3
    assert list(violations(parse("import agri_data.store\nfrom . import torch\n"))) == []


def test_rooms_import_only_from_lower_floors(trees):
    lines = [line for name, modules in trees.items() for line in upward(modules, ROOMS[name])]
    assert lines == []


def test_a_planted_arrow_up_is_found():
    low, top = "from agri_x.top import go\n", "from agri_x.low.a import f\n"
    assert list(upward(plant(low__a="", top=top), ("low", "top"))) == []
    assert list(upward(plant(low__a=low, top=""), ("low", "top"))) == [
        "agri_x.low.a may not import agri_x.top: top is not below low"
    ]
    inside = "def f():\n    from agri_x import top\n"
    assert len(list(upward(plant(low__a=inside, top=""), ("low", "top")))) == 1
    relative = "from ..top import go\n"
    assert len(list(upward(plant(low__a=relative, top=""), ("low", "top")))) == 1
    beside = "from agri_x.other.b import g\n"
    assert len(list(upward(plant(low__a=beside, other__b=""), ("low other",)))) == 1
    assert list(upward(plant(low__a="from agri_x.low.b import g\n", low__b=""), ("low",))) == []


def test_a_room_without_a_floor_and_a_floor_without_a_room_are_found():
    assert list(upward(plant(low__a="", top=""), ("low gone",))) == [
        "top stands on no floor",
        "there is no room gone",
    ]


def test_no_import_circle(trees):
    assert {name: circle(arrows(modules)) for name, modules in trees.items()} == {
        name: [] for name in trees
    }


def test_a_planted_circle_is_found():
    back = "def f():\n    from agri_x.low.a import g\n    return g\n"
    found = circle(
        arrows(
            plant(low__a="import agri_x.low.b\n", low__b="from agri_x.low import c", low__c=back)
        )
    )
    assert set(found) == {"agri_x.low.a", "agri_x.low.b", "agri_x.low.c"}
    assert circle(arrows(plant(low__a="import agri_x.low.b\n", low__b="import agri_x\n"))) == []


def test_no_folder_is_too_wide(tracked):
    assert too_wide([path for path in tracked if path.suffix == ".py"]) == []


def test_a_planted_wide_folder_is_found():
    paths = [Path("wide", f"m{number}.py") for number in range(WIDEST)]
    assert too_wide([*paths, Path("wide/__init__.py"), Path("wide/room/a.py")]) == []
    assert too_wide([*paths, Path("wide/more.py")]) == [f"wide holds {WIDEST + 1} modules"]


def test_imports_are_declared(sources, projects):
    """What a package imports stands in its own pyproject.toml, not in a sibling's."""
    owners = packages_distributions()
    missing = set()
    for source in sources:
        project = projects[source.package]
        extras = project.get("optional-dependencies", {}).values()
        lines = [*project["dependencies"], *(line for extra in extras for line in extra)]
        declared = {normal(re.match(r"[\w.-]+", line)[0]) for line in lines} | {source.package}
        for module, _ in imported(source):
            names = {normal(name) for name in owners.get(module, [module])}
            if module not in sys.stdlib_module_names and not names & declared:
                missing.add(f"{source.package} imports {module} but does not declare it")
    assert sorted(missing) == []
