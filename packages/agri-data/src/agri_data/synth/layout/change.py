"""Land-cover change: what chosen features become between the two dates of a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from agri_data.synth.layout.kinds import FORESTS
from agri_data.synth.layout.land import Feature, Land
from agri_data.synth.layout.villages import Detail, estate

# Square metres: 40 pixels, so that every change can be mapped.
SMALLEST = 4000.0


@dataclass(frozen=True, slots=True)
class Story:
    """Features of `kinds` near features of `near` become `later`, up to a share of the scene."""

    kinds: tuple[str, ...]
    later: str
    share: float
    near: tuple[str, ...] = ()


# Together about 3 % of a place change.
STORIES = (
    Story(FORESTS, "felled", 0.011),
    Story(("field",), "estate", 0.009, ("village",)),
    Story(("field", "meadow"), "quarry", 0.006, ("quarry", "sand")),
    Story(("meadow",), "field", 0.007),
)


def change(land: Land, seed: tuple[int, ...]) -> Land:
    """Return the land with the second date's kinds planned and its new buildings added."""
    rng = np.random.default_rng(seed)
    features = list(land.features)
    for story in STORIES:
        for index in _choose(rng, features, story, land.frame.hectares * 1e4):
            features[index] = replace(features[index], later=story.later)
    details = [d for f in features if f.later == "estate" for d in _built(rng, f)]
    return replace(land, features=tuple(features), details=(*land.details, *details))


def _choose(
    rng: np.random.Generator, features: Sequence[Feature], story: Story, area: float
) -> list[int]:
    """Pick compact features at random until the story's area is filled, one at least."""
    wanted = story.share * area
    able = [i for i, f in enumerate(features) if f.kind in story.kinds and _fit(f)]
    if story.near:
        goal = shapely.union_all([f.shape for f in features if f.kind in story.near])
        able.sort(key=lambda i: features[i].shape.distance(goal))
        # The nearest twentieth only, at least six, so that chance still chooses.
        able = able[: max(6, len(able) // 20)]
    rng.shuffle(able)
    # A stable sort: features that fit come first, each kind in random order.
    able.sort(key=lambda i: features[i].shape.area > wanted)
    chosen: list[int] = []
    filled = 0.0
    for index in able:
        size = features[index].shape.area
        if not chosen or filled + size < 1.15 * wanted:
            chosen.append(index)
            filled += size
    return chosen


def _fit(feature: Feature) -> bool:
    shape = feature.shape
    # Isoperimetric quotient: 1 for a disc, 0.79 for a square; strips fall below 0.38.
    compact = 4 * np.pi * shape.area / shape.length**2 > 0.38
    return bool(not feature.later and compact and shape.area > SMALLEST)


def _built(rng: np.random.Generator, feature: Feature) -> list[Detail]:
    return estate(rng, feature.shape, feature.angle)
