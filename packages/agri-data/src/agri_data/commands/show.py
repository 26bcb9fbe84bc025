"""`agri-data show`: charts, sample sheets and the majority baseline of a chip store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.commands import REPLACED
from agri_core.files.console import echo

if TYPE_CHECKING:
    from agri_data.figures.explore import Census
    from agri_data.store.store import ChipStore

MARKER = "explore.json"


def show(
    chips: Annotated[Path, typer.Argument(help="Chip store to look at.")],
    out: Annotated[Path, REPLACED, typer.Option(help="Folder for the pictures and explore.json.")],
    samples: Annotated[int, typer.Option(help="Chips on each sample sheet.")] = 12,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the samples.")] = 0,
) -> None:
    """Draw class totals, area shares and sample sheets; print the majority baseline.

    A model has to beat the baseline: the accuracy of always answering the majority class.

    Example: agri-data show data/chips --out reports/chips
    """
    from agri_core.files.atomic import replacing_dir

    from agri_data.store.store import ChipStore

    store = ChipStore.open(chips)
    with replacing_dir(out) as folder:
        if store.info.legend is not None:
            _charts(store, folder)
        else:
            _unlabelled(store, folder)
        _samples(store, folder, samples, seed)
    echo(f"wrote {out}")


def _charts(store: ChipStore, folder: Path) -> None:
    from agri_core.files.atomic import write_json

    from agri_data.figures.charts import draw_shares, draw_spread, draw_totals
    from agri_data.figures.explore import census, census_by_split, summary

    found, name = census_by_split(store), store.info.name
    draw_totals(found, folder / "totals.png", f"{name}: class totals")
    draw_shares(found, folder / "shares.png", f"{name}: mean share per chip")
    if store.has_masks:
        draw_spread(census(store), folder / "spread.png", f"{name}: share per chip, all chips")
    write_json(folder / MARKER, summary(store, found))
    for split, item in found.items():
        _print(split, item)


def _unlabelled(store: ChipStore, folder: Path) -> None:
    from agri_core.files.atomic import write_json

    content = {"dataset": store.info.name, "chips": len(store), "counted": None, "parts": {}}
    write_json(folder / MARKER, content)
    echo(f"{len(store)} chips without labels: samples only")


def _samples(store: ChipStore, folder: Path, samples: int, seed: int) -> None:
    from agri_data.figures.gallery import draw_gallery
    from agri_data.store.table import SPLITS

    names: list[str | None] = [split for split in SPLITS if len(store.indices(split))]
    for split in names or [None]:
        word = split or "all"
        title = f"{store.info.name}: samples of {word}"
        path = folder / f"samples-{word}.png"
        draw_gallery(store, store.indices(split), path, title, samples, seed)


def _print(split: str, item: Census) -> None:
    unit = "chips" if item.patches else "pixels"
    echo(f"{split}: {len(item.rows)} chips")
    for name, total, share in zip(item.legend.names, item.totals, item.mean_share, strict=True):
        echo(f"  {name:<22}{int(total):>14} {unit}{share:>9.1%} of a chip on average")
    best = item.majority()
    if best is not None:
        echo(f"  majority baseline on {split}: accuracy {best[1]:.3f} (always {best[0]!r})")
