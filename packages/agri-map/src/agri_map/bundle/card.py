"""The readable card of a bundle: its inputs, its outputs and its scores."""

from collections.abc import Iterator, Mapping
from typing import Any

from agri_map.bundle.spec import BundleSpec

WIDTH = 14


def card(spec: BundleSpec, size: int, sha: str) -> str:
    """Describe a bundle; scores come with the split they were measured on.

    Args:
        spec: The spec of the bundle.
        size: Bytes of the file.
        sha: SHA-256 of the file.
    """
    lines = [
        f"{spec.name} {spec.version}",
        *_facts(spec, size, sha),
        "",
        f"{'band':<8}{'mean':>12}{'std':>12}   unit {spec.unit}",
        *(
            f"{name:<8}{mean:>12.6g}{std:>12.6g}"
            for name, mean, std in zip(spec.bands, spec.mean, spec.std, strict=True)
        ),
        "",
        "class   colour   name",
        *(f"{item.id:<8}{item.colour:<9}{item.name}" for item in spec.legend.classes),
        "",
        *_scores(spec.metrics),
    ]
    return "\n".join(lines)


def _facts(spec: BundleSpec, size: int, sha: str) -> Iterator[str]:
    pixel = "unknown" if spec.pixel_size is None else f"{spec.pixel_size:g} m"
    facts = {
        "task": spec.task,
        "architecture": spec.arch,
        "pixel": pixel,
        "tile": f"{spec.tile} px, overlap {spec.overlap} px",
        "temperature": f"{spec.temperature:g}",
        "training set": spec.dataset,
        "split": spec.split,
        "licence": spec.licence,
        "created": spec.created,
        "schema": spec.schema,
        "file": f"{size / 1e6:.1f} MB, sha256 {sha}",
    }
    for name, value in facts.items():
        yield f"{name:<{WIDTH}}{value or 'not stated'}"


def _scores(metrics: Mapping[str, Any]) -> list[str]:
    if not metrics:
        return ["scores: none stored; treat the model as untested"]
    pairs = list(_flatten(metrics))
    width = max(len(name) for name, _ in pairs) + 2
    return ["scores", *(f"  {name:<{width}}{value}" for name, value in pairs)]


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        label = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{label} / ")
        elif isinstance(value, list | tuple):
            yield label, ", ".join(_number(item) for item in value)
        else:
            yield label, _number(value)


def _number(value: object) -> str:
    if value is None:
        return "n/a"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
