"""`agri-annotate simulate`: simulated annotations from true maps."""

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import OUTPUT


def simulate(
    truth: Annotated[Path, typer.Argument(help="Folder of class maps SCENE.tif.")],
    *,
    pictures: Annotated[Path, typer.Option(help="Folder of georeferenced pictures SCENE_*.png.")],
    classes: Annotated[Path, typer.Option(help="The legend of the maps, a classes.json.")],
    out: Annotated[Path, OUTPUT, typer.Option(help="The VIA 2 project to write, a .json.")],
    jitter: Annotated[float, typer.Option(help="How far off a border is drawn, in pixels.")] = 0.5,
    minimum: Annotated[int, typer.Option(help="Smallest piece that is drawn, in pixels.")] = 32,
    skip: Annotated[list[str] | None, typer.Option(help="A class that is not annotated.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the jitter.")] = 7,
) -> None:
    """Draw pictures from maps that are known to be true, with simulated border jitter.

    It replaces manual annotation in examples and tests, and is more exact than a person.

    Example: agri-annotate simulate data/scenes/truth --pictures data/select/pictures
    --classes data/select/classes.json --out data/draw/drawings.json
    """
    from agri_core.files.console import echo
    from agri_core.legend import Legend

    from agri_annotate.formats.write import write_project
    from agri_annotate.vectorise.simulate import Hand
    from agri_annotate.vectorise.simulate import simulate as draw

    hand = Hand(jitter=jitter, minimum=minimum, skip=tuple(skip or ()))
    project = draw(truth, pictures, Legend.read(classes), hand, seed)
    write_project(project, "via2-project", out)
    count = sum(len(picture.regions) for picture in project.pictures)
    echo(f"simulated, not drawn by a person: {count} regions on {len(project.pictures)} pictures")
    echo(f"drawings: {out}")
