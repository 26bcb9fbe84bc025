"""How the code is built, in figures: sizes, complexity, comments, examples, rooms, circles.

Without arguments this repository is measured; each argument is the root of another code base,
measured by the same rules, a column each. `tests` folders count only as test lines.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BRANCHES = (ast.If, ast.For, ast.While, ast.ExceptHandler, ast.IfExp, ast.Assert, ast.comprehension,
            ast.match_case, ast.AsyncFor)  # fmt: skip
"""Each adds one path through a function; every further operand of and/or adds another."""
LIMIT_COMPLEXITY, LIMIT_ARGUMENTS = 10, 7
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: its path, text and syntax tree."""

    path: Path
    text: str
    tree: ast.Module


def modules(root: Path) -> list[Module]:
    """Read all Python files below `root` that parse."""
    found = []
    for path in sorted(root.rglob("*.py")):
        if any(part.startswith(".") or part == "build" for part in path.relative_to(root).parts):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found.append(Module(path, text, ast.parse(text)))
    return found


def is_test(path: Path, root: Path) -> bool:
    """Whether a file belongs to the tests."""
    parts = path.relative_to(root).parts
    return "tests" in parts or "test" in parts or path.name in ("conftest.py", "noxfile.py")


def functions(module: Module) -> Iterator[Function]:
    """Yield every function and method."""
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Count the lines of a function's body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def complexity(function: Function) -> int:
    """Count the paths through a function (McCabe), nested functions apart."""
    total, waiting = 1, list(function.body)
    while waiting:
        node: ast.AST = waiting.pop()
        if isinstance(node, (*Function.__args__, ast.ClassDef)):
            continue
        total += isinstance(node, BRANCHES)
        total += len(node.values) - 1 if isinstance(node, ast.BoolOp) else 0
        waiting.extend(ast.iter_child_nodes(node))
    return total


def arguments(function: Function) -> int:
    """Count the arguments, `self` and `cls` apart."""
    given = function.args
    names = [item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def documents_raises(function: Function) -> bool | None:
    """Whether a public function that raises has a Raises section; None where neither."""
    raising = any(isinstance(node, ast.Raise) and node.exc for node in ast.walk(function))
    if function.name.startswith("_") or not raising:
        return None
    return "raise" in (ast.get_docstring(function) or "").lower()


def comment_lines(text: str) -> int:
    """Count the lines with a comment that is no directive of a tool."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    said = [token.string for token in tokens if token.type == tokenize.COMMENT]
    directives = ("# noqa", "# type:", "# fmt:", "#!", "# pragma", "# mypy", "# ruff")
    return sum(not comment.startswith(directives) for comment in said)


def exports(found: Sequence[Module]) -> int:
    """Count the names that `__init__.py` files import, or their stubs where they load lazily."""
    total = 0
    for module in found:
        if module.path.name == "__init__.py":
            stub = module.path.with_suffix(".pyi")
            tree = ast.parse(stub.read_text(encoding="utf-8")) if stub.is_file() else module.tree
            imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
            total += sum(len(node.names) for node in imports)
    return total


def widest(found: Sequence[Module]) -> tuple[int, str]:
    """Return the number of modules of the widest folder, and its name."""
    counted = Counter(module.path.parent for module in found if module.path.name != "__init__.py")
    folder, count = counted.most_common(1)[0]
    return count, folder.name


def circles(found: Sequence[Module]) -> int:
    """Count the import circles: groups of modules that import one another, wherever they do so."""
    names = {_dotted(module.path): module for module in found}
    graph = {name: _imports(module, set(names)) - {name} for name, module in names.items()}
    return len([group for group in _components(graph) if len(group) > 1])


def _dotted(path: Path) -> str:
    """Return a module's name, from its topmost package."""
    parts = [path.stem] if path.name != "__init__.py" else []
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.append(folder.name)
        folder = folder.parent
    return ".".join(reversed(parts))


def _imports(module: Module, known: set[str]) -> set[str]:
    own = _dotted(module.path)
    base = own if module.path.name == "__init__.py" else own.rpartition(".")[0]
    found = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(base.split(".")[: len(base.split(".")) - node.level + 1])
            name = ".".join(filter(None, [start if node.level else "", node.module or ""]))
            inner = {f"{name}.{alias.name}" for alias in node.names} & known
            found |= inner or {name}
    return found & known


def _components(graph: dict[str, set[str]]) -> list[set[str]]:
    """Return the strongly connected components (Kosaraju), without recursion."""
    order: list[str] = []
    seen: set[str] = set()
    for start in graph:
        stack = [(start, iter(sorted(graph[start])))] if start not in seen else []
        seen.add(start)
        while stack:
            name, rest = stack[-1]
            step = next((item for item in rest if item not in seen), None)
            if step is None:
                order.append(stack.pop()[0])
            else:
                seen.add(step)
                stack.append((step, iter(sorted(graph[step]))))
    backward: dict[str, set[str]] = defaultdict(set)
    for name, targets in graph.items():
        for target in targets:
            backward[target].add(name)
    return _collect(reversed(order), backward)


def _collect(order: Iterator[str], backward: dict[str, set[str]]) -> list[set[str]]:
    groups, seen = [], set[str]()
    for start in order:
        group, waiting = set[str](), [start] if start not in seen else []
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                group.add(name)
                waiting.extend(backward[name])
        if group:
            groups.append(group)
    return groups


def measure(root: Path) -> dict[str, str]:
    """Return the figures of a code base by name, as text."""
    everything = modules(root)
    source = [module for module in everything if not is_test(module.path, root)]
    all_functions = [function for module in source for function in functions(module)]
    lines = [len(module.text.splitlines()) for module in source]
    bodies = [body_lines(function) for function in all_functions]
    told = [has for function in all_functions if (has := documents_raises(function)) is not None]
    comments = sum(comment_lines(module.text) for module in source)
    tests = sum(len(m.text.splitlines()) for m in everything if is_test(m.path, root))
    examples = sum(module.text.count(">>> ") for module in source)
    complex_ = [complexity(function) > LIMIT_COMPLEXITY for function in all_functions]
    many = [arguments(function) > LIMIT_ARGUMENTS for function in all_functions]
    width, folder = widest(source)
    return {
        "files / lines": f"{len(source)} / {sum(lines):,}",
        "file length median / p90 / max": _spread(lines),
        "function body median / p90 / max": _spread(bodies),
        f"complexity over {LIMIT_COMPLEXITY}": _share(complex_),
        f"functions with over {LIMIT_ARGUMENTS} arguments": _share(many),
        "raising public functions that say so": _share(told),
        "comment lines": f"{100 * comments / sum(lines):.1f} %",
        "test : source lines": f"{tests / sum(lines):.2f}",
        "runnable examples (`>>>` lines)": str(examples),
        "names exported in `__init__`": str(exports(source)),
        "widest folder, modules": f"{width} ({folder})",
        "import circles": str(circles(source)),
    }


def _spread(values: Sequence[int]) -> str:
    tenths = statistics.quantiles(values, n=10)
    return f"{statistics.median(values):.0f} / {tenths[8]:.0f} / {max(values)}"


def _share(values: Sequence[bool]) -> str:
    return f"{100 * sum(values) / max(len(values), 1):.1f} %"


def main() -> None:
    """Print the table of this repository's packages, or of the folders given."""
    roots = [Path(name) for name in sys.argv[1:]] or [ROOT / "packages"]
    columns = [measure(root) for root in roots]
    print(f"| | {' | '.join(root.resolve().name for root in roots)} |")
    print(f"|---{'|---' * len(roots)}|")
    for name in columns[0]:
        print(f"| {name} | {' | '.join(column[name] for column in columns)} |")


if __name__ == "__main__":
    main()
