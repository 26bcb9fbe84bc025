"""The `agri-map` command: a model bundle and a scene to a georeferenced map with hectares."""

import agri_core.interrupt  # noqa: F401  (before what takes long to import)
from agri_core.files.commands import CommandLine
from agri_core.files.console import run

from agri_map.commands.area import area
from agri_map.commands.info import info
from agri_map.commands.polygons import polygons
from agri_map.commands.predict import predict
from agri_map.commands.score import score
from agri_map.commands.show import show

app = CommandLine("agri-map", "A model bundle and a scene to a georeferenced map with hectares.")
for command in (predict, area, score, polygons, show, info):
    app.command()(command)


def main() -> None:
    """Run the command line."""
    run(app)
