"""Source of chips cut from whole scenes, which are read window by window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from agri_core.files.errors import AgriError, InputError
from agri_core.files.folders import natural
from agri_core.legend import IGNORE
from agri_core.raster.grid import shifted, transform_text

from agri_data.sources.chips import Chip, ChipIds, rejection, store_info
from agri_data.sources.description.description import Scene, ScenesDescription
from agri_data.sources.readers.imagery import make_layout
from agri_data.sources.readers.pairing import find_keyed, listing, pair_up
from agri_data.sources.readers.watch import LabelWatch
from agri_data.sources.scenefiles import MULTI, OpenScene, SceneFacts, open_scene, scene_facts
from agri_data.sources.scenelabels import ReadLabels, open_labels
from agri_data.sources.skips import Losses
from agri_data.sources.windows import Cut, check_fits, starts, windows
from agri_data.store.table import ChipRecord


class ScenesSource:
    """Scenes in the order of the description, each cut row by row."""

    def __init__(self, description: ScenesDescription, cut: Cut, losses: Losses) -> None:
        """List the scenes and read the headers of the first.

        Raises:
            AgriError: no scene is there, or the first is not as described.
        """
        self.losses = losses
        self._about, self._cut = description, cut
        self._scenes = description.scenes or tuple(_find(description))
        self._facts = self._headers()
        first = next(iter(self._facts.values())).whole
        self._layout = make_layout(description.imagery, description.label.band, first)
        self._ids = ChipIds()
        self._watch = LabelWatch(description.label, description.legend)
        self.info = store_info(description, self._layout, first, cut.size)

    @property
    def expected(self) -> int | None:
        """The number of windows; some may have no data."""
        shapes = [facts.grid.shape for facts in self._facts.values()]
        return sum(len(starts(h, self._cut)) * len(starts(w, self._cut)) for h, w in shapes)

    def notes(self) -> list[str]:
        """Return how many scenes were read, and remarks on their labels."""
        return [f"{len(self._facts)} scenes", *self._watch.notes]

    def __iter__(self) -> Iterator[Chip]:
        for scene in self._scenes:
            if scene.name not in self._facts:
                continue
            for chip in self.losses.stream(self._chips(scene, self._facts[scene.name])):
                self._watch.add(chip[2])
                yield chip
        self._watch.finish()

    def _headers(self) -> dict[str, SceneFacts]:
        found: dict[str, SceneFacts] = {}
        failure: Exception | None = None
        for scene in self._scenes:
            try:
                facts = scene_facts(scene, self._about)
                check_fits(facts.grid.shape, self._cut, f"scene {scene.name}")
                found[scene.name] = facts
            except (AgriError, OSError) as error:
                if not self.losses.allow:
                    raise
                failure = failure or error
                self.losses.skipped.append(str(error))
        if not found:
            raise failure or InputError(f"{self._about.name} lists no scenes")
        return found

    def _chips(self, scene: Scene, facts: SceneFacts) -> Iterator[Chip]:
        self._ids.begin(scene.name)
        with (
            open_scene(scene, self._about, self._layout, facts) as opened,
            open_labels(scene, self._about, facts, self._watch) as labels,
        ):
            for row, col in windows(facts.grid.shape, self._cut):
                chip = self._chip(scene, facts, opened, labels, (row, col))
                if chip is not None:
                    yield chip

    def _chip(
        self,
        scene: Scene,
        facts: SceneFacts,
        opened: OpenScene,
        labels: ReadLabels,
        corner: tuple[int, int],
    ) -> Chip | None:
        row, col = corner
        image, valid, band = opened.read(row, col, self._cut.size)
        fraction = float(valid.mean())
        mask = labels(row, col, self._cut.size, band) if fraction else None
        if mask is not None:
            # A pixel without imagery has no label to learn from.
            mask = np.where(valid, mask, np.uint8(IGNORE))
        reason = rejection(fraction, mask, self._about.labelled)
        if reason:
            self.losses.drop(reason)
            return None
        return self._record(scene, facts, corner, fraction), image, mask

    def _record(
        self, scene: Scene, facts: SceneFacts, corner: tuple[int, int], fraction: float
    ) -> ChipRecord:
        placed = facts.whole.transform is not None
        transform = shifted(facts.grid.transform, *corner)
        return ChipRecord(
            self._ids.make(scene.name, *corner),
            scene.files.get(MULTI, scene.name),
            *corner,
            crs=facts.whole.crs_text,
            transform=transform_text(transform) if placed else "",
            group=scene.group or scene.name,
            valid_fraction=fraction,
        )


def _find(description: ScenesDescription) -> Iterator[Scene]:
    """Yield a scene per file that the patterns match, with its label file of the same key."""
    images = find_keyed(description.root, description.images)
    labels: dict[str, Path] = {}
    if description.masks:
        labels = find_keyed(description.root, description.masks, description.suffix)
        _, lonely = pair_up(images, labels)
        if lonely:
            raise InputError(f"{len(lonely)} files have no partner: {listing(lonely)}")
    for key in natural(images):
        label = _below(labels[key], description) if labels else ""
        path = _below(images[key], description)
        yield Scene(key, {MULTI: path}, label, key)


def _below(path: Path, description: ScenesDescription) -> str:
    return path.relative_to(description.root).as_posix()
