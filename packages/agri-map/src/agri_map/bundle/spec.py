"""The bundle spec: everything a model needs to be applied right, as one validated record.

It travels as JSON inside the ONNX file (`agri_map.bundle.bundle`), so training, evaluation, mapping
and serving read the same bands, unit, normalisation and legend.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, get_args, get_type_hints

from agri_core.bands import UNITS, Unit
from agri_core.files.errors import InputError
from agri_core.legend import Legend

SCHEMA = "agri-bundle/1"
WHAT = "the bundle spec"

Task = Literal["segment", "classify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleSpec:
    """How a model is to be fed and read.

    Attributes:
        schema: Version of this record; another one is refused.
        name: Name of the model.
        version: Version of the model.
        task: `segment` (a class per pixel) or `classify` (a class per patch).
        bands: Band names in the order of the input channels.
        unit: Unit of the pixel values the model was fitted on.
        mean: Per-band mean, in `unit`.
        std: Per-band standard deviation, in `unit`, all above 0.
        legend: The classes in the order of the output channels.
        pixel_size: Metres per pixel of the training imagery, None when unknown.
        tile: Side of the tiles the model is run on, pixels.
        overlap: Overlap of neighbouring tiles, pixels, at most half a tile.
        temperature: Divisor of the logits, already inside the graph.
        dataset: Fingerprint of the training chips.
        split: Fingerprint of the split.
        metrics: Scores with the split they were measured on and the majority baseline.
        licence: Licence of the weights.
        arch: Architecture name.
        created: Time of writing, ISO 8601.
    """

    schema: str = SCHEMA
    name: str
    version: str = "1"
    task: Task
    bands: tuple[str, ...]
    unit: Unit
    mean: tuple[float, ...]
    std: tuple[float, ...]
    legend: Legend
    pixel_size: float | None = None
    tile: int = 256
    overlap: int = 64
    temperature: float = 1.0
    dataset: str = ""
    split: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    licence: str = ""
    arch: str = ""
    created: str = ""

    def __post_init__(self) -> None:
        for name in ("bands", "mean", "std"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if self.schema != SCHEMA:
            raise InputError(
                f"expected a bundle of schema '{SCHEMA}', got '{self.schema}'; "
                "export the model again or use a matching version of agri-map"
            )
        _check_choice("task", self.task, get_args(Task))
        _check_choice("unit", self.unit, UNITS)
        _check_bands(self.bands, self.mean, self.std)
        check_tiling(self.tile, self.overlap)
        if len(self.legend) < 2:
            raise InputError(f"a bundle needs two classes or more, got {len(self.legend)}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise InputError(f"temperature must be above 0, got {self.temperature}")
        if self.pixel_size is not None and not 0 < self.pixel_size < math.inf:
            raise InputError(f"pixel_size must be above 0 metres, got {self.pixel_size}")

    def to_json(self) -> str:
        """Return the record as one JSON object; `from_json` is its inverse."""
        record = {name: getattr(self, name) for name in FIELDS}
        record["legend"] = self.legend.to_list()
        record["metrics"] = dict(self.metrics)
        return json.dumps(record, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "BundleSpec":
        """Read a record written by `to_json`.

        Raises:
            InputError: Not JSON, another schema, or a missing, unknown or wrong field.
        """
        from agri_core.files.records import load_json, parse_json

        record = load_json(text, WHAT)
        if not isinstance(record, dict):
            raise InputError(f"{WHAT} must be a JSON object, got {type(record).__name__}")
        schema = record.get("schema")
        if schema != SCHEMA:
            raise InputError(f"expected a bundle of schema '{SCHEMA}', got {schema!r}")
        found = parse_json(_wire(), text, WHAT)
        return cls(**{name: getattr(found, name) for name in FIELDS if name != "schema"})


FIELDS = tuple(f.name for f in fields(BundleSpec))


@cache
def _wire() -> Any:
    """What the JSON object holds: every field, each of its type."""
    from agri_core.files.records import Record
    from pydantic import Field, create_model

    types = get_type_hints(BundleSpec)
    others = {name: (types[name], ...) for name in FIELDS if name != "schema"}
    own = (str, Field(alias="schema"))
    return create_model("BundleFile", __base__=Record, schema_=own, **others)  # type: ignore[call-overload]


def _check_choice(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _check_bands(bands: tuple[str, ...], mean: tuple[float, ...], std: tuple[float, ...]) -> None:
    if not all(bands) or not bands:
        raise InputError(f"bands must be a list of names, got {bands!r}")
    if len(set(bands)) != len(bands):
        raise InputError(f"bands must not repeat, got {', '.join(bands)}")
    for name, values in (("mean", mean), ("std", std)):
        if len(values) != len(bands):
            raise InputError(f"{name} needs {len(bands)} values, one a band, got {len(values)}")
        if not all(map(math.isfinite, values)):
            raise InputError(f"{name} must be finite numbers, got {list(values)}")
    if min(std) <= 0:
        raise InputError(f"std must be above 0 in every band, got {list(std)}")


def check_tiling(tile: int, overlap: int) -> None:
    """Refuse tiles that are too small to see context, or too large to hold in memory."""
    if not 16 <= tile <= 8192:
        raise InputError(f"tile must be a whole number from 16 to 8192 pixels, got {tile}")
    if not 0 <= overlap <= tile // 2:
        raise InputError(
            f"overlap must lie in 0 to {tile // 2} (half a tile of {tile}), got {overlap}"
        )
