"""Classifies pictures in one call, with the bundled model or another bundle."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agri_map.inference.engine import open_engine

from agri_classify.bundled import BUNDLED, ROBUST
from agri_classify.prediction.predict import Row, find_files, predict


def classify_patches(
    paths: Iterable[Path | str],
    model: Path | str = BUNDLED,
    *,
    bands: tuple[str, ...] = (),
    threads: int | None = None,
) -> list[Row]:
    """Return the land cover of pictures, one row per file, in order.

    As in `agri-classify predict`, pictures without fine texture are classified by the second
    bundled model. An unreadable file has a row with an error.

    Args:
        paths: of pictures, or of folders of pictures.
        model: a bundle that classifies.
        bands: bands of GeoTIFFs without band names, such as `("B04", "B03", "B02")`.
        threads: CPU threads; None for all.

    Raises:
        MissingError: a path does not exist, or no picture is found.
        InputError: the bundle does not classify patches.
    """
    files, _ = find_files(Path(path) for path in paths)
    engine = open_engine(Path(model), threads=threads)
    coarse = open_engine(ROBUST, threads=threads) if Path(model) == BUNDLED else None
    return list(predict(files, engine, coarse=coarse, bands=bands))
