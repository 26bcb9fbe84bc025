"""`agri-classify predict`: land cover classes of pictures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.commands import OUTPUT
from agri_core.files.options import words

from agri_classify.bundled import BUNDLED, ROBUST
from agri_classify.commands.options import Model, Threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agri_classify.prediction.predict import Row

HEADER = (
    "file", "class", "probability", "second", "second_probability", "third", "third_probability",
    "possible", "model", "note", "error",
)  # fmt: skip


def predict(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of pictures.")],
    *,
    model: Model = BUNDLED,
    coarse: Annotated[
        Path | None,
        typer.Option(
            metavar="BUNDLE",
            help="Bundle for pictures without fine texture: JPEGs below quality 97, and enlarged "
            "pictures. One is bundled.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        OUTPUT,
        typer.Option(help="Write the results to this CSV file, and print only a summary."),
    ] = None,
    bands: Annotated[
        str, typer.Option(help="Bands of GeoTIFFs without band names, such as B04,B03,B02.")
    ] = "",
    batch_size: Annotated[
        int, typer.Option(min=1, max=4096, help="Pictures predicted at once.")
    ] = 64,
    threads: Threads = 0,
) -> None:
    """Classify the land cover of pictures: the three most probable classes of each.

    Pictures should be 64-pixel patches like the training data; others are resized, with a note.
    Unreadable files are listed at the end, and the exit code is then 3. The bundled model has ten
    land cover classes of Europe, from red, green and blue (`agri-classify card`).

    Example: agri-classify predict photo.jpg

    Example: agri-classify predict photos/ --model models/compact/model.onnx --out found.csv
    """
    from agri_core.files.atomic import write_text
    from agri_core.files.console import SKIPPED, echo, warn
    from agri_core.files.csvfile import csv_text
    from agri_map.inference.engine import open_engine

    from agri_classify.prediction.predict import find_files
    from agri_classify.prediction.predict import predict as run_prediction

    files, others = find_files(paths)
    engine = open_engine(model, threads=threads or None)
    if coarse is None and model == BUNDLED:
        coarse = ROBUST
    second = None if coarse is None else open_engine(coarse, threads=threads or None)
    names = words(bands)
    rows = []
    for row in run_prediction(files, engine, coarse=second, bands=names, batch_size=batch_size):
        rows.append(row)
        if row.answer is not None and out is None:
            echo(line(row))
    if out is not None:
        write_text(out, csv_text(HEADER, cells(rows)))
        for text in summary(rows):
            echo(text)
        echo(f"{out}: {len(rows):,} files")
    if others:
        warn(f"{others} other file{'s' * (others > 1)} in the folders ignored")
    failed = [row for row in rows if row.answer is None]
    for row in failed:
        warn(row.error)
    if failed:
        warn(f"{len(failed)} of {len(rows)} files could not be read")
        raise typer.Exit(SKIPPED)


def line(row: Row) -> str:
    """Return the output line of a file."""
    assert row.answer is not None
    parts = [f"{name} {share:.3f}" for name, share in row.answer.top]
    doubt = f"  uncertain: {' or '.join(row.answer.possible)}" if row.answer.uncertain else ""
    note = f"  ({row.note})" if row.note else ""
    return f"{row.path}  {', '.join(parts)}{doubt}{note}"


def summary(rows: Sequence[Row]) -> list[str]:
    """Return one line per class, most frequent first, and one about uncertain files."""
    read = [row for row in rows if row.answer is not None]
    labels = Counter(row.answer.label for row in read if row.answer)
    unsure = sum(row.answer.uncertain for row in read if row.answer)
    noted = sum(bool(row.note) for row in read)
    lines = [f"{count:7,}  {label}" for label, count in labels.most_common()]
    return [*lines, f"{unsure:,} uncertain, {noted:,} with a note"]


def cells(rows: Iterable[Row]) -> Iterable[list[object]]:
    """Return the cells of each table row."""
    for row in rows:
        top = row.answer.top if row.answer else ()
        flat = [value for name, share in top for value in (name, f"{share:.6f}")]
        flat += [""] * (6 - len(flat))
        possible = " ".join(row.answer.possible) if row.answer else ""
        yield [str(row.path), *flat, possible, row.model, row.note, row.error]
