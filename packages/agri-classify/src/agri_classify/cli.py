"""The `agri-classify` command: land cover of image patches."""

from __future__ import annotations

from importlib.util import find_spec

import typer
from agri_data.console import run

from agri_classify.commands.evaluate import evaluate
from agri_classify.commands.predict import predict

if find_spec("agri_train"):
    from agri_classify.training.command import train
else:
    from agri_classify.commands.untrained import train

app = typer.Typer(
    help="Classify patches of land cover.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
)


app.command()(predict)
app.command()(evaluate)
app.command(
    context_settings=None
    if find_spec("agri_train")
    else {"ignore_unknown_options": True, "allow_extra_args": True}
)(train)


def main() -> None:
    """Run the command line."""
    run(app)
