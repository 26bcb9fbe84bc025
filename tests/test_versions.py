"""One version for all packages, and one licence."""

from __future__ import annotations

import re
import tomllib
from itertools import chain


def requirements(project):
    """Return all requirements of a package, extras included."""
    extras = project.get("optional-dependencies", {}).values()
    return [*project["dependencies"], *chain.from_iterable(extras)]


def test_all_packages_share_one_version(root, projects):
    versions = {name: project["version"] for name, project in projects.items()}
    whole = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    assert versions == dict.fromkeys(versions, whole)


def test_siblings_are_pinned_to_the_shared_version(projects):
    wrong = [
        f"{name}: {line}"
        for name, project in projects.items()
        for line in requirements(project)
        if line.startswith("agri-") and not line.endswith(f"=={project['version']}")
    ]
    assert wrong == []


def test_citation_names_the_shared_version(root, projects):
    text = (root / "CITATION.cff").read_text()
    version = re.search(r"^version: (\S+)$", text, re.M)[1]
    assert {project["version"] for project in projects.values()} == {version}


def test_python_floor_is_shared(root, projects):
    whole = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    assert {project["requires-python"] for project in projects.values()} == {whole}


def test_each_package_carries_the_licence(root, packages):
    licence = (root / "LICENSE").read_text()
    for package in packages:
        assert (root / "packages" / package / "LICENSE").read_text() == licence, package


def test_requirements_are_exact_pins(root):
    lines = (root / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 100
    assert [line for line in pins if not re.match(r"[a-z0-9-]+==[\w.+!]+( ; .+)?$", line)] == []


def test_requirements_cover_every_dependency(root, projects):
    """A dependency added without `nox -s pins` would float."""
    text = (root / "requirements.txt").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", text, re.M))
    needed = {
        re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line)[0]).lower()
        for project in projects.values()
        for line in requirements(project)
    }
    assert sorted(name for name in needed - pinned if not name.startswith("agri-")) == []
