"""The `agri-annotate` command: drawings to masks, and maps to drawings."""

import typer

from agri_annotate.commands.check import check
from agri_annotate.commands.convert import convert
from agri_annotate.commands.diff import diff
from agri_annotate.commands.masks import masks
from agri_annotate.commands.prelabel import prelabel
from agri_annotate.commands.simulate import simulate
from agri_annotate.commands.vector import vector
from agri_annotate.console import run

app = typer.Typer(
    help="VGG Image Annotator drawings to exact masks, and maps to drawings to correct.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)


for command in (masks, check, vector, prelabel, diff, convert, simulate):
    app.command()(command)


def main() -> None:
    """Run the command line."""
    run(app)
