"""The `agri-cluster` command: unlabelled tiles to groups a person can name."""

from __future__ import annotations

import typer
from agri_data.console import run

app = typer.Typer(
    help="Group unlabelled image tiles by deep clustering, look at the groups and choose from them.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def root() -> None:
    """Keep sub-commands even while there is one."""


def main() -> None:
    """Run the command line."""
    run(app)
