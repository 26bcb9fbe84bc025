"""The page docs/api.md: the public names of each package, one line each from the docstrings.

`python docs/api.py` prints it; `python docs/api.py --write` writes it. The names are those of each
package's `__init__.pyi`; nothing is imported.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.md"
HEAD = """# Public names

What each package offers to Python code, from its docstrings; every other name is private and may
change. Names load when they are used, so `import agri_map` costs next to nothing. `nox -s docs`
writes the whole reference into `build/api`. This page is written by `python docs/api.py --write`.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *map(section, sorted(ROOT.glob("packages/*/src/*/__init__.pyi")))])


def section(stub: Path) -> str:
    """Return the part of one package."""
    package = stub.parent.name
    about = ast.get_docstring(parse(stub.with_suffix(".py"))) or ""
    rows = [f"| `{name}` | {text} | `{package}{where}` |" for name, text, where in names(stub)]
    head = [f"## {package}", "", about, "", "| name | is | from |", "|---|---|---|"]
    return "\n".join([*head, *sorted(rows, key=str.casefold), ""])


def names(stub: Path) -> Iterator[tuple[str, str, str]]:
    """Yield each public name, the first line of its docstring and its module."""
    for node in ast.walk(parse(stub)):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                where = f".{node.module}" if node.module else f".{alias.name}"
                tree = parse(stub.parent.joinpath(*where[1:].split(".")).with_suffix(".py"))
                text = described(tree, alias.name) if node.module else ast.get_docstring(tree)
                yield alias.name, first_line(text or ""), where


def described(tree: ast.Module, name: str) -> str | None:
    """Return the docstring of a function, a class or a constant of a module."""
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return ast.get_docstring(node)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            text = after.value if isinstance(after, ast.Expr) else None
            return str(ast.literal_eval(text)) if text else None
    return None


def first_line(text: str) -> str:
    """Return the first paragraph on one line, fit for a cell of a table."""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def main() -> None:
    """Print the page, or write it."""
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())


if __name__ == "__main__":
    main()
