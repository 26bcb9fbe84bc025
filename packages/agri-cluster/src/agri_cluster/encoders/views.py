"""Augmented views of a batch of tiles: agri-data's warp and photometric changes, per tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment, draw_photometric, draw_warp
from agri_data.augment.photometric import PhotometricChange
from agri_data.augment.warp import warp_image

from agri_cluster.data.tiles import Floats
from agri_cluster.encoders.jitter import Jitter, jittered, relit


@dataclass(frozen=True, slots=True)
class Views:
    """Make one view of each tile: a warp, and photometric changes by tile and by the whole set.

    Attributes:
        config: of `agri_data.augment.augment`; it means here what it means there. Tiles hold no
            gaps any more, so its `nodata` is not used.
        size: side of the views, which are made smaller or larger at the end; None keeps the tile's.
        jitter: photometric change on the scale of the set; none by default.
    """

    config: Augment = field(default_factory=Augment)
    size: int | None = None
    jitter: Jitter = field(default_factory=Jitter)

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise InputError(f"the side of a view is 1 pixel or more, got {self.size}")

    def __call__(self, batch: Floats, rng: np.random.Generator) -> Floats:
        """Return a new batch of views of tiles `(N, H, W, C)`.

        Raises:
            InputError: these are no tiles, or quarter turns meet tiles that are not square.
        """
        self._check(batch.shape)
        made = np.empty(batch.shape, np.float32)
        changes = []
        for row, tile in enumerate(batch):
            made[row] = warp_image(tile, draw_warp(self.config, rng))
            changes.append(draw_photometric(self.config, batch.shape[-1], rng))
        _apply_photometric(made, changes, rng)
        return resized(jittered(made, self.jitter, rng), self.size)

    def _check(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 4:
            raise InputError(
                f"views are made of tiles (N, H, W, C), got an array of shape {shape}; rows of "
                "features have none, so switch augmentation off"
            )
        if self.config.quarter and shape[1] != shape[2]:
            raise InputError(
                f"quarter turns need square tiles, got {shape[1]} x {shape[2]}; use quarter=False"
            )


def resized(batch: Floats, size: int | None) -> Floats:
    """Return tiles `(N, H, W, C)` with sides of `size`: averaged when smaller, else bilinear."""
    count, height, width, bands = batch.shape
    if size is None or (height, width) == (size, size):
        return batch
    made = np.empty((count, size, size, bands), np.float32)
    way = cv2.INTER_AREA if size < min(height, width) else cv2.INTER_LINEAR
    for row, tile in enumerate(batch):
        made[row] = cv2.resize(tile, (size, size), interpolation=way).reshape(size, size, bands)
    return made


def _apply_photometric(
    batch: Floats, changes: Sequence[PhotometricChange], rng: np.random.Generator
) -> None:
    """Change a batch in place, like `agri_data.augment.photometric.apply_photometric` a tile."""
    if not all(change.idle for change in changes):
        mean, deviation = _moments(batch)
        contrast = np.array([[change.contrast] for change in changes])
        brightness = np.array([[change.brightness] for change in changes])
        channel = np.array([change.channel for change in changes])
        noise = np.array([[change.noise] for change in changes]) * deviation
        relit(
            batch,
            contrast * brightness,
            mean * (1 - contrast) * brightness + channel * deviation,
        )
        if noise.any():
            grain = rng.standard_normal(batch.shape, np.float32)
            batch += grain * noise.astype(np.float32)[:, None, None]
    for tile, change in zip(batch, changes, strict=True):
        tile[..., list(change.lost)] = change.fill


def _moments(batch: Floats) -> tuple[Floats, Floats]:
    """Return mean and deviation of each band of each tile, `(N, C)`."""
    flat = batch.reshape(len(batch), -1, batch.shape[-1])
    mean = flat.mean(axis=1)
    square = np.einsum("nic,nic->nc", flat, flat) / flat.shape[1]
    return mean, np.sqrt(np.maximum(square - mean**2, 0))
