"""Dead and dominant clusters: detected at every update, then reseeded or a collapse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from agri_core.files.errors import InputError

from agri_cluster.data.shares import Doubles
from agri_cluster.data.tiles import Floats, Ints


@dataclass(frozen=True, slots=True)
class Guard:
    """Limits for dead and dominant clusters; shares are of all tiles, K is the cluster count.

    A cluster is dead when its share is below `dead` / K and below half of its initial share:
    clusters that were small from the start are kept. It is dominant when its share is above `giant`
    and above the middle between the largest initial share and 1. The clustering has collapsed when
    a cluster is dominant, when fewer than `used` x K clusters hold a tile, or when more than
    `lost` x K are dead although centres were moved as often as allowed.

    Attributes:
        dead: see above, 0.1 by default.
        giant: see above, 0.5 by default.
        used: see above, 0.5 by default.
        lost: see above, 0.05 by default.
        reseeds: how often centres may be moved in one run.
    """

    # A tenth of an even share: classes of land cover differ in area, so clusters differ in size.
    dead: float = 0.1
    giant: float = 0.5
    # With fewer clusters in use the result is no longer a partition into about K clusters.
    used: float = 0.5
    # One dead cluster in twenty is tolerated.
    lost: float = 0.05
    reseeds: int = 3

    def __post_init__(self) -> None:
        for name in ("dead", "giant", "used", "lost"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"guard {name} is a share from 0 to 1, got {getattr(self, name)}")
        if self.reseeds < 0:
            raise InputError(f"guard reseeds is 0 or more, got {self.reseeds}")


def dead_clusters(now: Doubles, initial: Doubles, guard: Guard) -> Ints:
    """Return the clusters that died, given current and initial shares `(K,)`."""
    empty = now == 0
    # Both conditions: a rare class that k-means found is small from the start, and is no failure.
    small = (now < guard.dead / len(now)) & (now < initial / 2)
    return np.flatnonzero(empty | small).astype(np.int64)


def dying(now: Doubles, initial: Doubles, guard: Guard) -> str:
    """Return why too many clusters are dead once no centre may be moved, "" if they are not."""
    dead = len(dead_clusters(now, initial, guard))
    if dead <= guard.lost * len(now):
        return ""
    again = f" again after {guard.reseeds} reseedings" if guard.reseeds else ""
    return f"{dead} of {len(now)} clusters are dead{again}"


def collapsed(now: Doubles, initial: Doubles, guard: Guard) -> str:
    """Return why the shares `(K,)` are a collapse, "" if they are not."""
    used, count = int((now > 0).sum()), len(now)
    if used < guard.used * count:
        return f"only {used} of {count} clusters hold a tile"
    # Relative to the start: one class, such as water, may hold most tiles from the beginning.
    limit = max(guard.giant, (1 + float(initial.max())) / 2)
    if now.max() > limit:
        return f"cluster {int(now.argmax())} holds {now.max():.0%} of the tiles"
    return ""


def new_centres(
    count: int, members: Floats, centre: Floats, rng: np.random.Generator
) -> tuple[Floats, Ints]:
    """Return `count` centres taken from the edge of the largest cluster, and their rows.

    As faiss splits its largest cluster, but at its farthest tiles, drawn in proportion to the
    squared distance from its centre, and moved a hundredth of the way back so that no centre
    coincides with a tile.

    Args:
        count: dead clusters to replace.
        members: embedding of tiles of the largest cluster, `(M, D)`, M >= count.
        centre: of that cluster, `(D,)`.
        rng: draws the tiles.
    """
    square = np.square(members - centre).sum(axis=1, dtype=np.float64)
    # Sampling without replacement needs as many non-zero weights as draws; repeated tiles on the
    # centre have weight 0, so 1 is added to all.
    weight = square if (square > 0).sum() >= count else square + 1.0
    rows = rng.choice(len(members), count, replace=False, p=weight / weight.sum())
    chosen = members[rows]
    # A centre on a tile has distance 0 to it and takes it at once, but then has no gradient from
    # it.
    return (chosen + 0.01 * (centre - chosen)).astype(np.float32), rows.astype(np.int64)
