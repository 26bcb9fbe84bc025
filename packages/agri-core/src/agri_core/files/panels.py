"""Commands in plain words: help in sections, and errors that name the option and what it expects.

Typer draws help panels with rich only, whose import takes longer than all the rest of a command
line's start. So the panels that options name are written here as sections of the plain help.
Its errors are those of pydantic, whose words are for programmers, and name no parameter file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

import typer
from typer.core import TyperCommand

from agri_core.files.errors import InputError, SettingError
from agri_core.files.params import origin
from agri_core.files.values import choices_of, near_choice, shown

MAIN = "Options"
"""Section of the options that name no panel."""
_KINDS = {"int": "a whole number", "float": "a number", "bool": "true or false"}
_BOUNDS = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}
"""The faults that pydantic names for the options of this house; "int_parsing" is of kind "int"."""


class PanelCommand(TyperCommand):
    """A command whose help shows its options by panel, in the order of their first option."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section of arguments, one of options without a panel, and one a panel."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], MAIN: []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections.setdefault(_section(parameter), []).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; a wrong value is told in plain words.

        Raises:
            InputError: a value of the parameter file cannot be the option's.
            BadParameter: a value on the command line cannot be its option's.
        """
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            fault = _fault(error.__cause__)
            if fault is None or error.param is None:
                raise
            name = str(error.param.name)
            given = origin(ctx, name)
            kind = get_type_hints(self.callback).get(name, str)
            if given is not None:
                raise InputError(f"{given.where} {_reason(fault, kind, given.value)}") from error
            reason = _reason(fault, kind, fault["input"])
            raise typer.BadParameter(reason, ctx=error.ctx, param=error.param) from error

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a wrong setting is named as its parameter file or its flag names it.

        Raises:
            InputError: a setting has a value that it cannot have.
        """
        try:
            return super().invoke(ctx)
        except SettingError as error:
            if error.setting not in ctx.params:
                raise
            given = origin(ctx, error.setting)
            flag = f"--{error.setting.replace('_', '-')}"
            raise InputError(f"{given.where if given else flag} {error.reason}") from error


def _section(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or MAIN


def _fault(cause: Any) -> Mapping[str, Any] | None:
    """Return the first fault that pydantic found; in a list, that of the entry."""
    found = None
    while hasattr(cause, "errors"):
        found = cause.errors()[0]
        cause = found.get("ctx", {}).get("error")
    return found


def _reason(fault: Mapping[str, Any], kind: Any, value: Any) -> str:
    """Return what is wrong with a value, the end of a sentence that its option begins."""
    choices = choices_of(kind)
    if choices:
        known = ", ".join(map(repr, choices))
        return f"{value!r} is not one of {known}{near_choice(value, choices)}"
    name = str(fault["type"])
    facts = fault.get("ctx", {})
    if name in _BOUNDS:
        word, key = _BOUNDS[name]
        return f"must be {word} {facts[key]:g}, got {shown(value)}"
    expected = _KINDS.get(name.partition("_")[0])
    if expected:
        return f"must be {expected}, got {shown(value)}"
    return str(facts["error"]) if "error" in facts else f"cannot be {shown(value)}"
