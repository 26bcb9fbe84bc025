"""EuroSAT (Helber et al. 2019): a folder per class, 64 px RGB JPEG or 13-band TIFF patches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from agri_core.bands import EUROSAT_TIFF_ORDER, TRUE_COLOUR, band_indices, make_bands
from agri_core.files.errors import InputError, MissingError
from agri_core.files.folders import files_below
from agri_core.legend import EUROSAT
from agri_core.raster.facts import Facts, read_raster
from agri_core.raster.grid import to_ground, transform_text

from agri_data.sources.description.description import EurosatDescription
from agri_data.sources.readers.archive import members, open_archive, read_member
from agri_data.sources.readers.parallel import in_order
from agri_data.sources.readers.photo import decode_jpeg
from agri_data.sources.skips import Losses
from agri_data.store.info import StoreInfo
from agri_data.store.table import ChipRecord
from agri_data.store.writer import Image

SIZE = 64
PIXEL = 10.0
CELL = 20_000.0
"""Side of the squares, in metres, that name the group of a georeferenced patch."""

COUNTS = dict(
    zip(EUROSAT.names, (3000, 3000, 3000, 2500, 2500, 2000, 2500, 3000, 2500, 3000), strict=True)
)
"""The official number of patches per class, 27 000 in all."""

_JPEG = (".jpg", ".jpeg")
_TIFF = (".tif", ".tiff")

Read = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Patch:
    """One file: its path inside the root, and the class its folder names."""

    name: str
    label: str

    @property
    def stem(self) -> str:
        """The file name without its ending, such as "Forest_12"."""
        return PurePosixPath(self.name).stem

    @property
    def order(self) -> tuple[int, int, str]:
        """By class, then by number, then by name."""
        # Only the first 18 digits are used, so that the number fits an int64.
        digits = re.sub(r"\D", "", self.stem.removeprefix(self.label))[:18]
        return EUROSAT.index(self.label), int(digits or 0), self.stem


class EurosatSource:
    """The EuroSAT patches of a folder or an archive, in class order and then by number."""

    def __init__(self, description: EurosatDescription, losses: Losses) -> None:
        """List the patches of `description.root`.

        Raises:
            MissingError: no class folder is there.
            InputError: two forms or two copies of the set are mixed.
        """
        self.losses = losses
        self._root = description.root
        with _reading(self._root) as (names, _):
            self._patches = find_patches(names, str(self._root))
        self._tiff = self._patches[0].name.lower().endswith(_TIFF)
        self._have = EUROSAT_TIFF_ORDER if self._tiff else TRUE_COLOUR
        want = description.use or self._have
        self._bands = band_indices(self._have, want, str(self._root))
        self.info = StoreInfo(
            name=description.name,
            source="EuroSAT, 13-band TIFF" if self._tiff else "EuroSAT, RGB JPEG",
            licence=description.licence,
            bands=make_bands(want, "dn" if self._tiff else "uint8"),
            chip_size=SIZE,
            pixel_size=PIXEL,
            legend=EUROSAT,
        )

    @property
    def expected(self) -> int | None:
        """The number of patches."""
        return len(self._patches)

    def __iter__(self) -> Iterator[tuple[ChipRecord, Image, None]]:
        with _reading(self._root) as (_, read):
            # Patches are small, so many may be buffered, and no thread is idle.
            for future in in_order(lambda p: self._decode(p, read), self._patches, ahead=64):
                chip = self.losses.attempt(future.result)
                if chip is not None:
                    yield (*chip, None)

    def notes(self) -> list[str]:
        """Return a line per class whose number of patches is not the official one."""
        found = Counter(patch.label for patch in self._patches)
        return [
            f"{name}: {found[name]} of the official {count} patches"
            for name, count in COUNTS.items()
            if found[name] != count
        ]

    def _decode(self, patch: Patch, read: Read) -> tuple[ChipRecord, Image]:
        data, where, facts = read(patch.name), f"{self._root}: {patch.name}", None
        if self._tiff:
            image, _, facts = read_raster(data, where)
        else:
            image = decode_jpeg(data, where)
        if image.shape != (SIZE, SIZE, len(self._have)):
            raise InputError(
                f"{where} has {image.shape[0]}x{image.shape[1]} pixels and {image.shape[2]} bands; "
                f"a EuroSAT patch has {SIZE}x{SIZE} and {len(self._have)}"
            )
        return _record(patch, facts), image[..., self._bands]


def find_patches(names: Iterable[str], where: str) -> list[Patch]:
    """Return the patches among file paths, in class order and then by number.

    Raises:
        MissingError: no path is a picture in a folder named after a class.
        InputError: JPEG and TIFF are mixed, or a patch occurs twice.
    """
    patches = [patch for name in names if (patch := _as_patch(name)) is not None]
    if not patches:
        raise MissingError(
            f"{where} holds no EuroSAT patches; expected folders named {', '.join(EUROSAT.names)} "
            "with .jpg or .tif files"
        )
    if len({patch.name.lower().endswith(_TIFF) for patch in patches}) > 1:
        raise InputError(f"{where} holds both JPEG and TIFF patches; name the folder of one form")
    patches.sort(key=lambda patch: patch.order)
    _check_unique(patches, where)
    return patches


def is_eurosat(path: Path) -> bool:
    """Return whether `path` is an archive or holds a class folder within three levels."""
    if path.is_file():
        return path.suffix.lower() == ".zip"
    patterns = (f"{up}{name}" for up in ("", "*/", "*/*/") for name in EUROSAT.names)
    return any(found.is_dir() for pattern in patterns for found in path.glob(pattern))


def _as_patch(name: str) -> Patch | None:
    path = PurePosixPath(name)
    if path.parent.name not in COUNTS or path.suffix.lower() not in (*_JPEG, *_TIFF):
        return None
    return Patch(name, path.parent.name)


def _check_unique(patches: Sequence[Patch], where: str) -> None:
    seen: dict[tuple[str, str], str] = {}
    for patch in patches:
        other = seen.setdefault((patch.label, patch.stem), patch.name)
        if other != patch.name:
            raise InputError(
                f"{where} holds {patch.label}/{patch.stem} twice ({other} and {patch.name}); "
                "name the folder of one copy"
            )
        named = next((c for c in COUNTS if patch.stem.startswith(f"{c}_")), patch.label)
        if named != patch.label:
            raise InputError(f"{where}: {patch.name} lies in the folder of another class")


def _record(patch: Patch, facts: Facts | None) -> ChipRecord:
    chip = patch.stem if patch.stem.startswith(patch.label) else f"{patch.label}_{patch.stem}"
    if facts is None or facts.transform is None or not facts.crs_text:
        return ChipRecord(chip, patch.name, label=patch.label)
    x, y = to_ground(facts.transform, SIZE / 2, SIZE / 2)
    return ChipRecord(
        chip,
        patch.name,
        crs=facts.crs_text,
        transform=transform_text(facts.transform),
        label=patch.label,
        group=f"{facts.crs_text} {int(x // CELL)} {int(y // CELL)}",
    )


@contextmanager
def _reading(root: Path) -> Iterator[tuple[list[str], Read]]:
    """Yield the file paths inside a folder or a zip archive, and a function that reads one."""
    if root.is_dir():
        names = [path.relative_to(root).as_posix() for path in files_below(root)]
        yield names, lambda name: (root / name).read_bytes()
        return
    if not root.exists():
        raise MissingError(f"there is no file or folder {root}")
    with open_archive(root) as archive:
        infos = {info.filename: info for info in members(archive)}
        yield sorted(infos), lambda name: read_member(archive, name)
