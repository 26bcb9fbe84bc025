"""The `agri-data` command: imagery to chips that are split, checked and described."""

from __future__ import annotations

import agri_core.interrupt  # noqa: F401  (before what takes long to import)
from agri_core.files.commands import CommandLine
from agri_core.files.console import run

from agri_data.commands.augment import augment
from agri_data.commands.check import check
from agri_data.commands.chips import chips
from agri_data.commands.drawn import drawn
from agri_data.commands.patches import patches
from agri_data.commands.scenes import scenes
from agri_data.commands.schema import schema
from agri_data.commands.select import select
from agri_data.commands.show import show
from agri_data.commands.split import split
from agri_data.commands.stats import stats
from agri_data.commands.synth import synth

app = CommandLine(
    "agri-data", "Satellite imagery to chips: build, split, check, describe and look at them."
)

app.command()(augment)
app.command()(check)
app.command()(chips)
app.command()(drawn)
app.command()(patches)
app.command()(select)
app.command()(show)
app.command()(scenes)
app.command()(schema)
app.command()(split)
app.command()(stats)
app.command()(synth)


def main() -> None:
    """Run the command line."""
    run(app)
