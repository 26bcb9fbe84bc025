"""The `agri-classify` command: land cover of image patches."""

from __future__ import annotations

from importlib.util import find_spec

import agri_core.interrupt  # noqa: F401  (before what takes long to import)
from agri_core.files.commands import CommandLine
from agri_core.files.console import run

from agri_classify.commands.card import card
from agri_classify.commands.evaluate import evaluate
from agri_classify.commands.map import map_patches
from agri_classify.commands.predict import predict

TRAINS = find_spec("agri_train") is not None

if TRAINS:
    from agri_classify.training.commands.bands import bands
    from agri_classify.training.commands.curve import curve
    from agri_classify.training.commands.train import train
else:
    from agri_classify.commands.missing_extra import missing_extra

    train = bands = curve = missing_extra

app = CommandLine("agri-classify", "Classify patches of land cover.")

app.command()(predict)
app.command()(evaluate)
app.command("map")(map_patches)
app.command()(card)
# Without the extra the options are unknown, and the commands name what to install.
for name, command in (("train", train), ("bands", bands), ("curve", curve)):
    app.command(name, context_settings={} if TRAINS else {"ignore_unknown_options": True})(command)


def main() -> None:
    """Run the command line."""
    run(app)
