"""Who may import whom, and that a package declares what it imports."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions

ALLOWED = {
    "agri-core": set(),
    "agri-annotate": {"agri-core"},
    "agri-data": {"agri-core"},
    "agri-map": {"agri-core", "agri-data"},
    "agri-train": {"agri-core", "agri-map", "agri-data"},
    "agri-segment": {"agri-core", "agri-train", "agri-map", "agri-data"},
    "agri-cluster": {"agri-core", "agri-data"},
    "agri-classify": {"agri-core", "agri-map", "agri-data", "agri-train"},
}
LIGHT = {"agri-annotate", "agri-core", "agri-data", "agri-map"}
HEAVY = {"torch", "torchvision", "tensorflow", "keras", "lightning", "torchmetrics", "timm"}
NEVER = {"dvc", "dvclive"}
TRAINING = "agri_classify/training/"
"""Where alone agri-classify may import what its extra brings; `cli` asks first."""


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


def test_every_package_has_a_rule(packages):
    assert set(packages) <= set(ALLOWED)


def test_packages_import_only_what_they_may(sources):
    assert [line for source in sources for line in violations(source)] == []


def test_a_planted_violation_is_found(parse):
    text = "def f():\n    import torch.nn\n    from agri_train.fit import fit\n    import dvc.api\n"
    assert len(list(violations(parse(text)))) == 3
    assert list(violations(parse("import agri_data.store\nfrom . import torch\n"))) == []


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
