"""Patches: chips labelled with the class that covers most of them, instead of with a mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import Legend

from agri_data.sources.eurosat import EurosatSource
from agri_data.sources.skips import Losses
from agri_data.store.info import StoreInfo
from agri_data.store.table import ChipRecord
from agri_data.store.writer import Image, Mask

if TYPE_CHECKING:
    from agri_data.sources.source import Source


class PatchSource:
    """The chips of another source of which one class covers at least a share, labelled with it."""

    def __init__(self, source: Source, share: float) -> None:
        """Prepare to label the chips of `source`.

        Raises:
            InputError: the share is not above 0.5 and up to 1, or the source's chips have no masks.
        """
        check_share(share)
        if isinstance(source, EurosatSource):
            raise InputError(
                f"{source.info.name} already has a label per patch; leave '--share' out"
            )
        if source.info.legend is None:
            raise InputError(
                f"{source.info.name} has no labels, so no class covers a share of a chip; describe "
                "them under 'label' and 'legend', or leave '--share' out"
            )
        self._source, self._share, self._legend = source, share, source.info.legend
        self._reason = f"no class covers {100 * share:g} % of them"

    @property
    def info(self) -> StoreInfo:
        """The description of the other source, which defines the labels."""
        text = f"{self._source.info.source}, a class on at least {100 * self._share:g} %"
        return replace(self._source.info, source=text)

    @property
    def losses(self) -> Losses:
        """Chips that did not become patches; complete once the iteration has ended."""
        return self._source.losses

    @property
    def expected(self) -> int | None:
        """The number of chips, labelled or left out."""
        return self._source.expected

    def notes(self) -> list[str]:
        """Remarks of the other source."""
        return self._source.notes()

    def __iter__(self) -> Iterator[tuple[ChipRecord, Image, None]]:
        for record, image, mask in self._source:
            label = None if mask is None else dominant(mask, self._legend, self._share)
            if label is None:
                self.losses.drop(self._reason)
            else:
                yield replace(record, label=label), image, None


def check_share(share: float) -> None:
    """Refuse a share that two classes can reach at once, or that none can reach.

    Raises:
        InputError: it is not above 0.5 and up to 1.
    """
    if not 0.5 < share <= 1:
        raise InputError(f"expected a share above 0.5 and up to 1, got {share:g}; 0.6 is usual")


def dominant(mask: Mask, legend: Legend, share: float) -> str | None:
    """Return the name of the class on at least `share` of all pixels of a mask `(H, W)`, or None.

    Pixels to be ignored count as pixels: of 16 pixels with 6 to be ignored, 10 are 62.5 %.

    Example:
        >>> legend = Legend.of(["other", "arable"])
        >>> dominant(np.array([[1, 1], [1, 0]], np.uint8), legend, share=0.75)
        'arable'
    """
    counts = np.bincount(mask.ravel(), minlength=len(legend))[: len(legend)]
    best = int(np.argmax(counts))
    return legend.names[best] if counts[best] / mask.size >= share else None
