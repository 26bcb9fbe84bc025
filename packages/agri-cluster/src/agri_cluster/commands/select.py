"""`agri-cluster select`: the tiles worth drawing on, and pseudo-labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.commands import OUTPUT

from agri_cluster.choices import MAX_SEED, How

if TYPE_CHECKING:
    from agri_cluster.data.tiles import Ints
    from agri_cluster.selection.naming import Names

DEFAULT_COUNT = 64


def select(
    fitted: Annotated[Path, typer.Argument(help="A fitted clustering (`agri-cluster fit`).")],
    out: Annotated[Path, OUTPUT, typer.Option(help="The chosen tiles to write, a .csv.")],
    names: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Names: YAML '4: arable', or CSV cluster,name."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="4,32=arable", help="Names by flag, once or several times."),
    ] = None,
    groups: Annotated[
        int | None, typer.Option(min=1, help="Merge the clusters into so many groups first.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(help="Tiles in all, clusters taking turns; default 64 without --each."),
    ] = None,
    each: Annotated[int | None, typer.Option(help="Maximum number of tiles per cluster.")] = None,
    how: Annotated[How, typer.Option(help="Which tiles of a cluster are chosen.")] = "diverse",
    confidence: Annotated[float, typer.Option(help="Minimum confidence of a tile.")] = 0.0,
    pseudo: Annotated[
        Path | None,
        OUTPUT,
        typer.Option(help="Also write pseudo-labels of all tiles, a .csv."),
    ] = None,
    geojson: Annotated[
        Path | None,
        OUTPUT,
        typer.Option(help="Also write outlines of the chosen tiles; needs --chips."),
    ] = None,
    chips: Annotated[
        Path | None, typer.Option(help="The chip store that was clustered, for --geojson.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=MAX_SEED, help="Seed of the sample of very large clusters.")
    ] = 7,
) -> None:
    """Choose tiles of named clusters to draw on, the clusters taking turns.

    With names only tiles of named clusters are chosen, else of all. `nearest` tiles are the most
    typical, `diverse` ones as different as possible, `boundary` ones close to another cluster.

    Example: agri-cluster select data/cluster --names names.yaml --count 64 --out chosen.csv

    Example: agri-cluster select data/cluster --keep 4,32=arable --how nearest --out chosen.csv
    """
    import numpy as np
    from agri_core.files.atomic import write_text
    from agri_core.files.console import echo, warn
    from agri_core.files.errors import InputError
    from agri_core.vector.crs import LONLAT
    from agri_core.vector.writer import check_suffix, write_features
    from agri_data.store.store import ChipStore

    from agri_cluster.artifact.fitted import Fitted
    from agri_cluster.selection.choice import SelectionRequest, choose_tiles, grouped
    from agri_cluster.selection.selection import Selection

    if (geojson is None) != (chips is None):
        raise InputError(
            "--geojson FILE needs --chips STORE for the georeference; give both or neither"
        )
    if geojson is not None:
        check_suffix(geojson)
    request = SelectionRequest(
        DEFAULT_COUNT if count is None and each is None else count, each, how, confidence
    )
    opened = Fitted.open(fitted)
    opened.warn_dominated()
    labels, number = grouped(opened, groups)
    sizes = np.bincount(labels, minlength=number)
    named = _names(names, keep or [], sizes)
    kept = sorted(named) if named else np.flatnonzero(sizes).tolist()
    rng = np.random.default_rng(seed)
    chosen = choose_tiles(opened.table, labels, opened.embedding, kept, request, rng)
    selection = Selection(opened.table, labels, named, chosen)
    pseudo_text = "" if pseudo is None else selection.pseudo_text()
    outlines = None if chips is None else selection.features(ChipStore.open(chips))
    write_text(out, selection.list_text())
    if pseudo is not None:
        write_text(pseudo, pseudo_text)
    if geojson is not None and outlines is not None:
        write_features(geojson, [outlines], LONLAT)
        bare = len(chosen.rows) - len(outlines.geometries)
        if bare:
            warn(f"{bare} chosen chips have no georeference")
    for line in selection.summary():
        echo(line)
    if request.count is not None and len(chosen.rows) < request.count:
        warn(f"{request.count} tiles were asked for, there are {len(chosen.rows)}")
    echo(f"{out}: next, agri-data select SOURCE --chosen {out} --size TILE --out data/select")


def _names(file: Path | None, keep: list[str], sizes: Ints) -> Names:
    from agri_core.files.errors import InputError

    from agri_cluster.selection.naming import check_names, parse_keep, read_names

    if file is not None and keep:
        raise InputError("names come from --names or from --keep, got both; give one")
    if file is None and not keep:
        return {}
    found = parse_keep(keep) if file is None else read_names(file)
    check_names(found, sizes, "--keep" if file is None else str(file))
    return found
