"""A scene: one place on one date, as the pixels a user would have and the truth behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from agri_core.files.errors import InputError
from agri_core.legend import IGNORE
from numpy.typing import NDArray

from agri_data.synth.layout.change import change
from agri_data.synth.layout.compose import compose
from agri_data.synth.layout.frame import Frame
from agri_data.synth.layout.land import Land
from agri_data.synth.spectra.bandset import TEN, BandSet
from agri_data.synth.spectra.moisture import dry_out
from agri_data.synth.spectra.render import Canvas, paint
from agri_data.synth.spectra.sensor import digitise, observe
from agri_data.synth.spectra.surface import Season
from agri_data.synth.spectra.weather import Sky, sky
from agri_data.synth.truth import labels

# As in Sentinel-2 products.
NODATA = 0
TREES = ("alder", "birch", "cedar", "elm", "hazel", "larch", "maple", "oak", "pine", "willow")
MAP = "map"
# Places lie in rows of eight, 6 km of ground between neighbours, so that none share any.
COLUMNS = 8
GAP = 6000


@dataclass(frozen=True, slots=True)
class Date:
    """One acquisition: its day, and how much of the scene clouds and the swath edge hide."""

    year: int
    month: int
    day: int
    season: Season
    clouds: float = 0.0
    wedge: float = 0.0

    @property
    def iso(self) -> str:
        """The day as YYYY-MM-DD."""
        return f"{self.year}-{self.month:02d}-{self.day:02d}"


@dataclass(frozen=True, slots=True)
class Place:
    """A named piece of land and its two acquisitions."""

    name: str
    land: Land
    dates: tuple[Date, Date]
    seed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """Pixels `(H, W, C)` in DN (reflectance times 10000, 0 = no data) and truth `(H, W)`."""

    place: Place
    index: int
    image: NDArray[np.uint16]
    truth: NDArray[np.uint8]
    bands: tuple[str, ...] = TEN.names

    @property
    def date(self) -> Date:
        """The acquisition."""
        return self.place.dates[self.index]

    @property
    def name(self) -> str:
        """`<place>-<year>`, the stem of the scene's files."""
        return f"{self.place.name}-{self.date.year}"


def names(count: int) -> list[str]:
    """Return the names of `count` training places."""
    if not 1 <= count <= 200:
        raise InputError(f"expected 1 to 200 places, got {count}")
    return [TREES[i % 10] + (str(i // 10 + 1) if i >= 10 else "") for i in range(count)]


def place(
    name: str, number: int, seed: int, size: int, clouds: float = 0.0, wedge: float = 0.0
) -> Place:
    """Make one place; `number` sets where it lies and, with `seed`, what it looks like.

    The first date is in May 2023 and clear, the second in July 2024 under clouds and wedge.
    """
    key = (seed, number)
    # Rounded up to the grid of 60 m.
    pitch = -(-(size * 10 + GAP) // 60) * 60
    row, column = divmod(number, COLUMNS)
    frame = Frame(size, left=300000 + column * pitch, top=5500020 - row * pitch)
    land = dry_out(change(compose(frame, (*key, 1)), (*key, 2)), (*key, 6))
    rng = np.random.default_rng((*key, 3))
    first, second = int(rng.integers(12, 22)), int(rng.integers(12, 24))
    dates = (
        # Days of the year: 120 come before May, 182 before July of a leap year.
        Date(2023, 5, first, Season(120 + first, float(rng.uniform(0.05, 0.35)))),
        Date(2024, 7, second, Season(182 + second, float(rng.uniform(0.3, 0.8))), clouds, wedge),
    )
    return Place(name, land, dates, key)


def observe_place(spot: Place, target: str, bands: BandSet = TEN) -> Iterator[Scene]:
    """Yield the two scenes of a place, one at a time so that only one is in memory.

    Dry fields look dry under the target "moisture" only; all else is the same under every target.
    """
    dry = target == "moisture"
    for index, date in enumerate(spot.dates):
        rng = np.random.default_rng((*spot.seed, 4, index))
        above = sky(rng, spot.land.frame.size, date.clouds, date.wedge)
        canvas = paint(spot.land, index, date.season, (*spot.seed, 5), bands.names, dry=dry)
        truth = labels(spot.land, index, target)
        truth[above.hidden] = IGNORE
        yield Scene(spot, index, _image(rng, canvas, above, bands), truth, bands.names)


def _image(
    rng: np.random.Generator, canvas: Canvas, above: Sky, bands: BandSet
) -> NDArray[np.uint16]:
    image = []
    for name in bands.names:
        ground = observe(canvas.band(name), name, cubic=bands.cubic)
        seen = digitise(rng, above.over(ground, name), name)
        seen[above.outside] = NODATA
        image.append(seen)
    return np.stack(image, axis=-1)
