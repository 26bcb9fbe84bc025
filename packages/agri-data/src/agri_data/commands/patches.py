"""`agri-data patches`: where the pipeline's labelled patches come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from agri_core.files.commands import INPUT, REPLACED

SYNTHETIC = "synthetic"


def patches(
    source: Annotated[
        str,
        INPUT,
        typer.Argument(help="'synthetic', a EuroSAT zip or folder, or a description (.yaml)."),
    ],
    out: Annotated[Path, REPLACED, typer.Option(help="The chip store to write.")],
    root: Annotated[
        Path, typer.Option(help="Folder or .zip of a description; '.' = as described.")
    ] = Path(),
    seed: Annotated[int, typer.Option(min=0, help="Of the synthetic scenes.")] = 7,
    places: Annotated[int, typer.Option(help="Synthetic places, two dates each.")] = 6,
    size: Annotated[int, typer.Option(help="Side of a patch in pixels; EuroSAT has its own.")] = 32,
    share: Annotated[
        float, typer.Option(help="Least share of a patch under its class; not for EuroSAT.")
    ] = 0.6,
) -> None:
    """Make labelled patches, as the pipeline's first stage of classification.

    The synthetic ones have 13 bands. Moist and dry arable land look alike in all bands below
    900 nm: only B11 and B12 (and a little B09) tell them apart.

    Example: agri-data patches synthetic --out data/patches --places 6 --size 32 --share 0.6

    Example: agri-data patches EuroSAT.zip --out data/patches
    """
    from agri_data.commands.chips import tell
    from agri_data.patches import own_patches, synthetic_patches
    from agri_data.sources.windows import Cut

    cut = Cut(size)
    if source == SYNTHETIC:
        tell(synthetic_patches(out, seed=seed, places=places, cut=cut, share=share))
    else:
        folder = None if root == Path() else root
        tell(own_patches(Path(source), out, root=folder, cut=cut, share=share))
