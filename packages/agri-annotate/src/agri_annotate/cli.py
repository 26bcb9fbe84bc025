"""The `agri-annotate` command: drawings to masks, and maps to drawings."""

import agri_core.interrupt  # noqa: F401  (before what takes long to import)
from agri_core.files.commands import CommandLine
from agri_core.files.console import run

from agri_annotate.commands.check import check
from agri_annotate.commands.convert import convert
from agri_annotate.commands.diff import diff
from agri_annotate.commands.masks import masks
from agri_annotate.commands.prelabel import prelabel
from agri_annotate.commands.simulate import simulate
from agri_annotate.commands.vector import vector

app = CommandLine(
    "agri-annotate", "VGG Image Annotator drawings to exact masks, and maps to drawings to correct."
)


for command in (masks, check, vector, prelabel, diff, convert, simulate):
    app.command()(command)


def main() -> None:
    """Run the command line."""
    run(app)
