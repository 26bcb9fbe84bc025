"""The `agri-annotate` command: drawings to masks, and maps to drawings."""

import typer

from agri_annotate.commands.convert import convert
from agri_annotate.console import run

app = typer.Typer(
    help="VGG Image Annotator drawings to exact masks, and maps to drawings to correct.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)


@app.callback()
def _commands() -> None:
    """Keep the names of commands needed, even where there is one only."""


for command in (convert,):
    app.command()(command)


def main() -> None:
    """Run the command line."""
    run(app)
