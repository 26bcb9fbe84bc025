"""A chip store with fewer labelled patches, for learning curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from agri_core.files.errors import InputError, MissingError
from agri_core.files.values import shown
from agri_data.store.store import ChipStore

SUBSAMPLED = ("train", "val")


@dataclass(frozen=True, slots=True)
class Size:
    """A number of labels: a share, or a number per class; exactly one is set."""

    share: float = 0.0
    count: int = 0

    def __post_init__(self) -> None:
        if (self.share > 0) == (self.count > 0) or not 0 <= self.share <= 1 or self.count < 0:
            raise InputError(
                "a size is a share above 0 and up to 1, or a number per class of 1 or more, got "
                f"{self.share:g} and {self.count}"
            )

    @classmethod
    def parse(cls, text: str) -> Size:
        """Parse "10" (per class), "0.2" (a share) or "all".

        Raises:
            InputError: it is none of these.
        """
        if text == "all":
            return cls(share=1.0)
        try:
            return cls(share=float(text)) if "." in text else cls(count=int(text))
        except ValueError as error:
            raise InputError(
                f"a size is a number per class such as 10, a share such as 0.2, or all; got "
                f"{shown(text)}"
            ) from error

    def __str__(self) -> str:
        if self.count:
            return f"{self.count} per class"
        return "all" if self.share == 1 else f"{100 * self.share:g} %"

    def of(self, patches: int) -> int:
        """Return how many of the `patches` of a class are kept, at least one."""
        return min(self.count or max(round(self.share * patches), 1), patches)


def subset(store: ChipStore, size: Size, seed: int) -> ChipStore:
    """Return the store with a sample of the training and validation patches of each class.

    For one seed, smaller samples are subsets of larger ones. The test split stays complete. The
    band statistics use no labels and stay those of the whole training split.

    Raises:
        MissingError: the store has no training or no validation split.
    """
    table = store.table.copy()
    for split in SUBSAMPLED:
        rows = store.indices(split)
        if len(rows) == 0:
            raise MissingError(
                f"no patch of {store.path} is in the {split} split; split the store first: "
                f"`agri-data split {store.path}`"
            )
        classes = store.labels(rows)
        kept = [
            # A generator per class, so that a class's draw does not depend on how large the
            # others are.
            np.random.default_rng([seed, number]).permutation(rows[classes == number])[
                : size.of(int((classes == number).sum()))
            ]
            for number in np.unique(classes)
        ]
        left = np.setdiff1d(rows, np.concatenate(kept))
        table.loc[table.index[left], "split"] = ""
    return ChipStore(store.path, store.info, table)
