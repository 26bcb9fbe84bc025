"""No error is swallowed: no bare `except`, no broad one that does not raise again."""

from __future__ import annotations

import ast

BROAD = {"Exception", "BaseException"}


def names(node):
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return {part.id for part in parts if isinstance(part, ast.Name)}


def swallows(handler):
    if handler.type is None:
        return True
    raises = any(isinstance(node, ast.Raise) for node in ast.walk(handler))
    return bool(names(handler.type) & BROAD) and not raises


def suppresses_all(node):
    called = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress")
    return called and any(names(argument) & BROAD for argument in node.args)


def faults(source):
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and swallows(node):
            yield f"{source.at(node)}: swallows every error"
        elif suppresses_all(node):
            yield f"{source.at(node)}: suppresses every error"


def test_no_error_is_swallowed(sources):
    assert [fault for source in sources for fault in faults(source)] == []


def test_planted_faults_are_found(parse):
    body = "try:\n    f()\nexcept{}:\n    {}\n"
    assert list(faults(parse(body.format("", "raise"))))
    assert list(faults(parse(body.format(" Exception", "pass"))))
    assert list(faults(parse(body.format(" (OSError, Exception)", "x = 1"))))
    assert list(faults(parse("with contextlib.suppress(Exception):\n    f()\n")))
    assert not list(faults(parse(body.format(" OSError", "pass"))))
    assert not list(faults(parse(body.format(" Exception", "raise"))))
