"""`agri-segment archs`: the architectures and their encoders."""

from typing import Annotated

import typer


def archs(
    bands: Annotated[int, typer.Option(min=1, help="Bands of the images.")] = 4,
    classes: Annotated[int, typer.Option(min=2, help="Classes of the legend.")] = 6,
) -> None:
    """List the architectures, their encoders and how many parameters each pair has.

    Example: agri-segment archs --bands 12 --classes 3
    """
    from agri_core.files.console import say

    from agri_segment.catalogue import catalogue

    say(catalogue(bands, classes))
