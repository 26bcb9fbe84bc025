"""`agri-segment archs`: the architectures and their encoders."""

from typing import Annotated

import typer


def archs(
    bands: Annotated[int, typer.Option(min=1, help="Number of bands.")] = 4,
    classes: Annotated[int, typer.Option(min=2, help="Number of classes.")] = 6,
) -> None:
    """List the architectures and encoders, with the number of parameters of each pair.

    Example: agri-segment archs --bands 12 --classes 3
    """
    from agri_core.files.console import echo

    from agri_segment.catalogue import catalogue

    echo(catalogue(bands, classes))
