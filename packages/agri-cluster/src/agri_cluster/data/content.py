"""Fingerprints of what a fit reads: the content of tiles and of a weights file, not their paths."""

from __future__ import annotations

from pathlib import Path

from agri_core.files.hashing import sha256_file, sha256_text

from agri_cluster.data.folder import FolderTiles
from agri_cluster.data.sources import StoreTiles

WITHOUT_FILE = ("none", "imagenet")
"""Weights that are no file of the user's."""


def tiles_fingerprint(tiles: StoreTiles | FolderTiles) -> str:
    """Return the SHA-256 of the tiles: ids in order, bands, scaling, and the pixels they lie in.

    A store's arrays have their SHA-256 in its record; pictures are read.
    """
    if isinstance(tiles, StoreTiles):
        content = [tiles.store.fingerprint]
    else:
        content = [sha256_file(path) for path in tiles.files]
    return sha256_text("\n".join([*content, *tiles.ids, repr(tiles.shape), repr(tiles.scaling)]))


def weights_fingerprint(weights: str) -> str:
    """Return the SHA-256 of a weights file; "" where weights are no file, or it is not there."""
    path = Path(weights)
    return "" if weights in WITHOUT_FILE or not path.is_file() else sha256_file(path)
