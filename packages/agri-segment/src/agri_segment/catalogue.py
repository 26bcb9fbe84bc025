"""The list of architectures and encoders, with the parameter count of each."""

from typing import Any

import torch

from agri_segment.evaluation.report import table
from agri_segment.networks.archs import build, find, names
from agri_segment.networks.unet import PRESETS, parameter_count


def catalogue(bands: int, classes: int) -> str:
    """Return a table of architectures and encoders with their parameter counts."""
    rows = []
    # On the meta device a network has shapes but no memory, so building it takes no time.
    with torch.device("meta"):
        for name in names():
            for variant in find(name).encoders or PRESETS:
                key = "encoder" if find(name).encoders else "preset"
                given: dict[str, Any] = {"bands": bands, "classes": classes, key: variant}
                net = build(name, **given)
                rows.append([name, variant, parameter_count(net), find(name).title])
    header = ["arch", "encoder or preset", "parameters", "what"]
    return f"{bands} bands, {classes} classes\n{table(header, rows)}"
