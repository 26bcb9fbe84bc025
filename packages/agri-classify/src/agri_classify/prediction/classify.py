"""Classify pictures in one call: the model that comes with the package, or a bundle."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from agri_map.inference.engine import open_engine

from agri_classify.bundled import BOXED, ROBUST
from agri_classify.prediction.predict import Row, find_files, predict


def classify_patches(
    paths: Iterable[Path | str],
    model: Path | str = BOXED,
    *,
    bands: tuple[str, ...] = (),
    threads: int | None = None,
) -> list[Row]:
    """Return the land cover of pictures, a row per file in order.

    As in `agri-classify predict`, the model that comes with the package leaves pictures without
    fine texture to a second one. A file that cannot be read has a row with an error.

    Args:
        paths: of pictures, or of folders of pictures.
        model: a bundle that classifies.
        bands: bands of GeoTIFFs that do not name them, such as `("B04", "B03", "B02")`.
        threads: of the processor; all when None.

    Raises:
        MissingError: a path is not there, or no picture is found.
        InputError: the bundle does not classify patches.
    """
    files, _ = find_files(Path(path) for path in paths)
    engine = open_engine(Path(model), threads=threads)
    coarse = open_engine(ROBUST, threads=threads) if Path(model) == BOXED else None
    return list(predict(files, engine, coarse=coarse, bands=bands))
