"""Source of chips cut from pairs of an image and its mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from agri_core.files.errors import AgriError, InputError
from agri_core.files.folders import natural
from agri_core.legend import IGNORE, Legend
from agri_core.raster.facts import Facts
from agri_core.raster.grid import shifted, transform_text
from numpy.typing import NDArray

from agri_data.sources.chips import Chip, ChipIds, rejection, store_info
from agri_data.sources.description.description import PairsDescription
from agri_data.sources.description.label import encode
from agri_data.sources.readers.image import image_facts, read_image
from agri_data.sources.readers.imagery import make_layout
from agri_data.sources.readers.masks import read_mask
from agri_data.sources.readers.pairing import (
    Pair,
    find_keyed,
    listing,
    pair_up,
    read_table,
)
from agri_data.sources.readers.parallel import in_order
from agri_data.sources.readers.vector import Polygons, read_polygons
from agri_data.sources.readers.watch import LabelWatch
from agri_data.sources.skips import Losses
from agri_data.sources.windows import Cut, check_fits, windows
from agri_data.store.table import ChipRecord
from agri_data.store.writer import Mask


@dataclass(frozen=True, slots=True)
class Loaded:
    """One image ready to be cut: `image` `(H, W, C)`, `valid` and `mask` `(H, W)`."""

    pair: Pair
    image: NDArray[Any]
    valid: NDArray[np.bool_]
    mask: Mask | None
    facts: Facts


class PairsSource:
    """Images and masks paired by key, in natural key order."""

    def __init__(self, description: PairsDescription, cut: Cut, losses: Losses) -> None:
        """Pair the files and read the first image's header.

        Raises:
            AgriError: files have no partner, or the first image is not as described.
        """
        self.losses = losses
        self._about, self._cut = description, cut
        self._pairs = self._find()
        first = self._first_facts()
        label = description.label
        self._layout = make_layout(description.imagery, label.band, first)
        self._ids = ChipIds()
        self._watch = LabelWatch(label, description.legend)
        self._shared: dict[str, Polygons] = {}
        self.info = store_info(description, self._layout, first, cut.size)

    @property
    def expected(self) -> int | None:
        """Unknown: it follows from the sizes of the images."""
        return None

    def notes(self) -> list[str]:
        """Return how many images were read, and remarks on their labels."""
        return [f"{len(self._pairs)} images", *self._watch.notes]

    def __iter__(self) -> Iterator[Chip]:
        # Whole images may be large, so only two per thread are buffered.
        for future in in_order(self._load, self._pairs, ahead=2):
            loaded = self.losses.attempt(future.result)
            if loaded is not None:
                if loaded.valid.any():
                    self._watch.add(loaded.mask)
                yield from self._chips(loaded)
        self._watch.finish()

    def _find(self) -> list[Pair]:
        about = self._about
        own = about.label.kind in ("raster", "palette") or (
            about.label.kind == "vector" and about.label.file is None
        )
        if about.table:
            return read_table(about.root / about.table, own, about.root)
        images = find_keyed(about.root, about.images)
        if not own:
            return [Pair(key, images[key], None) for key in natural(images)]
        pairs, lonely = pair_up(images, find_keyed(about.root, about.masks, about.suffix))
        if lonely and about.unmatched == "refuse":
            raise InputError(
                f"{len(lonely)} files have no partner: {listing(lonely)}. Mend the names, or write "
                "'unmatched: skip'"
            )
        if not pairs:
            raise InputError(f"no image has a mask: {listing(lonely)}")
        self.losses.skipped.extend(lonely)
        return pairs

    def _first_facts(self) -> Facts:
        """Return the facts of the first readable image; the others must have the same."""
        failure: Exception | None = None
        for pair in self._pairs:
            try:
                return image_facts(pair.image, self._about.imagery.bands)
            except (AgriError, OSError) as error:
                if not self.losses.allow:
                    raise
                failure = failure or error
        raise failure or InputError("there are no images")

    def _load(self, pair: Pair) -> Loaded:
        image, valid, facts = read_image(pair.image, self._about.imagery.bands)
        check_fits(facts.shape, self._cut, str(pair.image))
        positions, label_band = self._layout.positions(facts)
        chosen, valid = self._layout.clean(image[..., positions], valid, facts)
        mask = self._mask(pair, facts, None if label_band is None else image[..., label_band])
        if mask is not None:
            # A pixel without imagery has no label to learn from.
            mask = np.where(valid, mask, np.uint8(IGNORE))
        return Loaded(pair, chosen, valid, mask, facts)

    def _mask(self, pair: Pair, facts: Facts, band: NDArray[Any] | None) -> Mask | None:
        label, legend = self._about.label, self._about.legend
        if legend is None or label.kind == "none":
            return None
        if band is not None:
            return encode(band, label, legend, f"{pair.image} band {label.band}")
        if label.kind == "vector":
            return self._polygons(pair, facts, legend).burn(facts.shape, _placed(facts))
        assert pair.mask is not None
        mask = read_mask(pair.mask, label, legend, self._watch)
        if mask.shape != facts.shape:
            raise InputError(
                f"{pair.mask} is {mask.shape[0]}x{mask.shape[1]} pixels, its image {pair.image} is "
                f"{facts.shape[0]}x{facts.shape[1]}; they must be equal"
            )
        return mask

    def _polygons(self, pair: Pair, facts: Facts, legend: Legend) -> Polygons:
        label = self._about.label
        _placed(facts)
        path = pair.mask or self._about.root / str(label.file)
        found = None if pair.mask is not None else self._shared.get(facts.crs_text)
        if found is None:
            found = read_polygons(path, facts.crs, label, legend)
            self._watch.note(found.notes)
        if pair.mask is None:
            self._shared[facts.crs_text] = found
        return found

    def _chips(self, loaded: Loaded) -> Iterator[Chip]:
        size = self._cut.size
        self._ids.begin(loaded.pair.key)
        for row, col in windows(loaded.facts.shape, self._cut):
            part = np.s_[row : row + size, col : col + size]
            mask = None if loaded.mask is None else loaded.mask[part]
            fraction = float(loaded.valid[part].mean())
            reason = rejection(fraction, mask, self._about.labelled)
            if reason:
                self.losses.drop(reason)
                continue
            yield self._record(loaded, row, col, fraction), loaded.image[part], mask

    def _record(self, loaded: Loaded, row: int, col: int, fraction: float) -> ChipRecord:
        facts, key = loaded.facts, loaded.pair.key
        transform = facts.transform and shifted(facts.transform, row, col)
        return ChipRecord(
            self._ids.make(key, row, col),
            _relative(loaded.pair.image, self._about.root),
            row,
            col,
            crs=facts.crs_text,
            transform=transform_text(transform),
            group=self._group(key),
            valid_fraction=fraction,
        )

    def _group(self, key: str) -> str:
        return key.rpartition("/")[0] or key if self._about.group == "folder" else key


def _placed(facts: Facts) -> Any:
    if facts.transform is None or facts.crs is None:
        raise InputError(
            f"{facts.name} has no georeference, so polygons cannot be laid on it; use masks instead"
        )
    return facts.transform


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
