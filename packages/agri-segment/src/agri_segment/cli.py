"""The `agri-segment` command: list, train, evaluate and compare segmentation networks."""

import agri_core.interrupt  # noqa: F401  (before what takes long to import)
from agri_core.files.commands import CommandLine
from agri_core.files.console import run

from agri_segment.commands.archs import archs
from agri_segment.commands.compare import compare
from agri_segment.commands.evaluate import evaluate
from agri_segment.commands.train import train

app = CommandLine(
    "agri-segment",
    "Segment land cover: train, evaluate and compare U-Net and DeepLab networks.",
)
for command in (archs, train, evaluate, compare):
    app.command()(command)


def main() -> None:
    """Run the command line."""
    run(app)
