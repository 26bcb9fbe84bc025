"""The `agri-classify` command: land cover of image patches."""

from __future__ import annotations

from importlib.util import find_spec

import typer
from agri_data.console import run

from agri_classify.commands.card import card
from agri_classify.commands.evaluate import evaluate
from agri_classify.commands.map import map_patches
from agri_classify.commands.predict import predict

TRAINS = find_spec("agri_train") is not None

if TRAINS:
    from agri_classify.training.bands_command import bands
    from agri_classify.training.command import train
    from agri_classify.training.curve_command import curve
else:
    from agri_classify.commands.untrained import untrained

    train = bands = curve = untrained

app = typer.Typer(
    help="Classify patches of land cover.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)

app.command()(predict)
app.command()(evaluate)
app.command("map")(map_patches)
app.command()(card)
# Without the extra the options are unknown, and the commands say what to install instead.
for name, command in (("train", train), ("bands", bands), ("curve", curve)):
    app.command(name, context_settings={} if TRAINS else {"ignore_unknown_options": True})(command)


def main() -> None:
    """Run the command line."""
    run(app)
