"""Features of images for simple classifiers: band statistics, and responses of random filters."""

from __future__ import annotations

import numpy as np

from agri_train.baselines.baseline import Floats

FILTERS, SIDE = 256, 5


def pixel_values(batch: Floats) -> Floats:
    """Return the images `(N, C, H, W)` themselves: the features of a pixel are its bands."""
    return batch


def band_statistics(batch: Floats) -> Floats:
    """Return mean, deviation, minimum and maximum of each band of `(N, C, H, W)`, `(N, 4C)`.

    Example:
        >>> band_statistics(np.array([[[[1.0, 3.0]]]], np.float32)).tolist()
        [[2.0, 1.0, 1.0, 3.0]]
    """
    flat = batch.reshape(*batch.shape[:2], -1)
    parts = (flat.mean(axis=2), flat.std(axis=2), flat.min(axis=2), flat.max(axis=2))
    return np.concatenate(parts, axis=1)


def random_filters(bands: int, rng: np.random.Generator, count: int = FILTERS) -> Floats:
    """Draw `count` filters `(count, bands, 5, 5)` of mean 0 and length 1."""
    drawn = rng.standard_normal((count, bands, SIDE, SIDE))
    drawn -= drawn.mean(axis=(2, 3), keepdims=True)
    length = np.sqrt(np.square(drawn).sum(axis=(1, 2, 3), keepdims=True))
    return np.asarray(drawn / length, np.float32)


def filter_responses(batch: Floats, filters: Floats) -> Floats:
    """Return the mean responses of each image to each filter, by sign, and its band means.

    The mean over the image of the positive and of the negative part of the convolution: random
    convolutional features (Rahimi and Recht 2007; for imagery Rolf et al. 2021, MOSAIKS).
    """
    import torch
    from torch.nn.functional import conv2d

    with torch.no_grad():
        found = conv2d(torch.from_numpy(batch), torch.from_numpy(filters))
        parts = [found.clamp_min(0).mean(dim=(2, 3)), (-found).clamp_min(0).mean(dim=(2, 3))]
    means = batch.mean(axis=(2, 3))
    return np.concatenate([*(part.numpy() for part in parts), means], axis=1)
