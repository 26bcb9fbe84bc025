"""The public names of each package: declared in its stub, loaded when used, described in docs."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys

import pytest

MODULES = ("confusion", "indices")
"""Of agri-core: public as modules, since their functions belong together."""


@pytest.fixture(scope="module")
def api(script):
    return script("docs/api.py")


@pytest.fixture(scope="module")
def stubs(root, packages):
    """The stub of each package by the name it is imported by."""
    names = [package.replace("-", "_") for package in packages]
    found = {name: root / f"packages/{name.replace('_', '-')}/src/{name}" for name in names}
    return {name: folder / "__init__.pyi" for name, folder in found.items()}


def test_importing_a_package_imports_nothing_large(packages):
    names = [package.replace("-", "_") for package in packages]
    text = f"import sys, {', '.join(names)}\nprint('numpy' in sys.modules, len(sys.modules))"
    run = [sys.executable, "-c", text]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert said[0] == "False"
    assert int(said[1]) < 200


def test_a_package_lists_its_public_names(api, stubs):
    for package, stub in stubs.items():
        module = importlib.import_module(package)
        declared = sorted(name for name, _, _ in api.names(stub))
        assert dir(module) == declared == sorted(module.__all__)
        assert 5 <= len(declared) <= 20
        assert module.__version__
        with pytest.raises(AttributeError, match="no_such_name"):
            module.no_such_name  # noqa: B018


def test_public_names_are_what_their_modules_define(api, stubs):
    for package, stub in stubs.items():
        for name, _, where in api.names(stub):
            public = getattr(importlib.import_module(package), name)
            module = importlib.import_module(f"{package}{where}")
            assert public is (
                module if where == f".{name}" and name in MODULES else vars(module)[name]
            )


def test_a_function_keeps_its_name_where_its_module_has_the_same():
    module = importlib.import_module("agri_train.fit")
    import agri_train

    assert agri_train.fit is module.fit


def test_every_public_name_is_described(api, stubs):
    missing = [name for stub in stubs.values() for name, text, _ in api.names(stub) if not text]
    assert missing == []


def test_the_page_of_public_names_is_current(api):
    assert api.PAGE.read_text(encoding="utf-8") == api.page(), "run: python docs/api.py --write"


def test_constants_and_long_first_lines_are_read(api):
    tree = ast.parse(
        'A = 1\n"""One."""\n\n\ndef f():\n    """Two\n    lines | here.\n\n    More."""\n'
    )
    assert api.described(tree, "A") == "One."
    assert api.first_line(api.described(tree, "f")) == "Two lines \\| here."
    assert api.described(tree, "g") is None
