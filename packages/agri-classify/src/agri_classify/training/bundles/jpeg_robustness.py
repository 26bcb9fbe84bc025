"""Accuracy of a bundle on patches that were recompressed as JPEG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from agri_core.bands import TRUE_COLOUR
from agri_data.augment.jpeg import Jpeg, save_again
from agri_data.store.store import ChipStore
from agri_map.bundle.preprocess import normalise
from agri_map.inference.engine import Engine

from agri_classify.patches.quality import QUALITIES
from agri_classify.patches.reading import BATCH_SIZE


def jpeg_accuracy(
    engine: Engine, store: ChipStore, split: str, qualities: Sequence[int] = QUALITIES
) -> dict[str, float]:
    """Return the accuracy at each JPEG quality, with 4:2:0 chroma; empty for other imagery.

    Args:
        engine: a bundle with the legend of the store.
        store: of labelled patches.
        split: whose patches are recompressed.
        qualities: 1..100.
    """
    spec = engine.spec
    if spec.bands != TRUE_COLOUR or spec.unit != "uint8":
        return {}
    rows, right = store.indices(split), dict.fromkeys(qualities, 0)
    for first in range(0, len(rows), BATCH_SIZE):
        some = rows[first : first + BATCH_SIZE]
        images, truth = store.images(some, spec.bands), store.labels(some)
        for quality in qualities:
            saved = np.stack([save_again(image, Jpeg(quality, halved=True)) for image in images])
            found = engine.run(normalise(saved, spec)).argmax(axis=1)
            right[quality] += int((found == truth).sum())
    return {str(quality): count / len(rows) for quality, count in right.items()}
