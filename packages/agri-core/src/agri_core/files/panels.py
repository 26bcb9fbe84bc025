"""Help in sections: options of one panel are listed together, in plain text.

Typer draws help panels with rich only, whose import takes longer than all the rest of a command
line's start. So the panels that options name are written here as sections of the plain help.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

MAIN = "Options"
"""Section of the options that name no panel."""


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


def _section(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return getattr(parameter, "rich_help_panel", None) or MAIN
