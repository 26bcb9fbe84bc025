"""What the tests that cross packages look at: tracked files, syntax trees, command lines."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
import typer.main

ROOT = Path(__file__).resolve().parent.parent
SEPARATORS = {"&&", "||", "|", ";", "&"}
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*")
FENCE = re.compile(r"^```(?:bash|sh|console)\n(.*?)^```", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of a package's src folder."""

    package: str
    path: Path
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def packages() -> list[str]:
    return sorted(path.parent.name for path in ROOT.glob("packages/*/pyproject.toml"))


@pytest.fixture(scope="session")
def projects(packages: list[str]) -> dict[str, dict[str, Any]]:
    """The `[project]` table of each package."""
    return {
        name: tomllib.loads((ROOT / "packages" / name / "pyproject.toml").read_text())["project"]
        for name in packages
    }


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """Load a script, given by its path in the repository, as a module."""

    def load(path: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """All files that git tracks or would track, as absolute paths."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [
        ROOT / name for name in sorted(set(names.split("\0")) - {""}) if (ROOT / name).is_file()
    ]


@pytest.fixture(scope="session")
def sources(packages: list[str]) -> list[Source]:
    found = [
        Source(name, path, ast.parse(path.read_text(encoding="utf-8")))
        for name in packages
        for path in sorted((ROOT / "packages" / name / "src").rglob("*.py"))
    ]
    assert len({source.package for source in found}) == len(packages)
    return found


@pytest.fixture(scope="session")
def parse() -> Callable[[str], Source]:
    """Make a Source from text, to plant a fault and see the check find it."""
    return lambda text: Source("agri-map", ROOT / "planted.py", ast.parse(text))


@pytest.fixture(scope="session")
def documents(packages: list[str]) -> list[Path]:
    """The Markdown files a user reads."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    pages = [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "benchmarks" / "README.md"]
    return [*top, *pages, *(ROOT / "packages" / name / "README.md" for name in packages)]


@pytest.fixture(scope="session")
def apps(projects: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The click command behind each console script."""
    found = {}
    for project in projects.values():
        for script, target in project.get("scripts", {}).items():
            module = importlib.import_module(target.partition(":")[0])
            found[script] = typer.main.get_command(module.app)
    return found


def subcommand(command: Any, words: list[str]) -> tuple[Any, list[str]]:
    """Walk from a command along subcommand names; return the last one and the words left."""
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def check_own(command: Any, script: str, words: list[str]) -> list[str]:
    """Return what is wrong with `script words`: an unknown subcommand or option."""
    command, left = subcommand(command, words)
    if hasattr(command, "commands") and left and not left[0].startswith("-"):
        return [f"{script} has no command {left[0]!r}; it has {', '.join(command.commands)}"]
    known = {"--help"} | {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    given = [word.partition("=")[0] for word in left if re.match(r"--?[A-Za-z]", word)]
    return [f"{script} {' '.join(words)}: no option {o}" for o in given if o not in known]


def check_dvc(words: list[str]) -> list[str]:
    from dvc.cli import DvcParserError, parse_args

    try:
        with mock.patch("sys.argv", ["dvc", *words]):  # DVC looks there for -v as well
            parse_args(words)
    except DvcParserError:
        return [f"dvc {' '.join(words)}: dvc does not understand it"]
    except SystemExit as stop:
        return [f"dvc {' '.join(words)}: dvc does not understand it"] if stop.code else []
    return []


def check_nox(words: list[str], sessions: set[str]) -> list[str]:
    own = words[: words.index("--")] if "--" in words else words
    asked = [own[i + 1] for i, word in enumerate(own[:-1]) if word in ("-s", "--session")]
    return [f"nox has no session {name}" for name in asked if name not in sessions]


@pytest.fixture(scope="session")
def nox_sessions(packages: list[str]) -> set[str]:
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    names = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("nox.session" in ast.unparse(decorator) for decorator in node.decorator_list)
    }
    return names | {f"tests({package})" for package in packages}


def commands(line: str) -> list[list[str]]:
    """Split a shell line into commands, without comments, assignments and prompts."""
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    found: list[list[str]] = [[]]
    for word in lexer:
        if word in SEPARATORS:
            found.append([])
        elif found[-1] or not ASSIGNMENT.fullmatch(word):
            found[-1].append(word)
    return [words for words in found if words]


@pytest.fixture(scope="session")
def check_line(apps: dict[str, Any], nox_sessions: set[str]) -> Callable[[str], list[str]]:
    """Return what is wrong with the agri-*, dvc and nox commands of a shell line."""

    def check(line: str) -> list[str]:
        problems = []
        for program, *words in commands(line):
            name = Path(program).name
            if name in apps:
                problems += check_own(apps[name], name, words)
            elif name.startswith("agri-"):
                problems.append(f"there is no command {name}")
            elif name == "dvc":
                problems += check_dvc(words)
            elif name == "nox":
                problems += check_nox(words, nox_sessions)
        return problems

    return check


@pytest.fixture(scope="session")
def shell_lines() -> Callable[[str], list[str]]:
    """Return the lines of all shell blocks of a Markdown text, continuations joined."""

    def lines(text: str) -> list[str]:
        blocks = [block.replace("\\\n", " ") for block in FENCE.findall(text)]
        return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]

    return lines
