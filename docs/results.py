"""The results table of README.md, made from the pipeline's committed metrics.

`python docs/results.py` prints it; `python docs/results.py --write` puts it into README.md.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- end of results -->)", re.S)
BASELINES = {
    "logistic": "logistic regression of single pixels",
    "majority": "majority class everywhere",
}


def table(compare: dict[str, Any], mapped: dict[str, Any]) -> str:
    """Return the Markdown between the markers of README.md."""
    names = [name for name, value in compare.items() if isinstance(value, dict) and "iou" in value]
    classes = list(compare[names[0]]["iou"])
    head = ["model", "mean IoU", "95 % CI", "accuracy", *classes]
    rows = [head, ["---"] * len(head), *(row(name, compare[name]) for name in names)]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    places = compare[names[0]]["places"]
    return "\n".join(
        [
            *lines,
            "",
            f"IoU of each class on the {compare['split']} split: {places} blocks of ground that no "
            "model saw, one seed; the interval",
            f"resamples blocks. The best on the {compare['select']} split, {compare['best']}, "
            "mapped another place: mean IoU "
            f"{mapped['miou']:.2f}, accuracy {mapped['accuracy']:.2f}",
            f"(always {mapped['majority_class']}: {mapped['majority_accuracy']:.2f}). "
            "Made by `dvc repro` on synthetic imagery, so it makes no statement about yours.",
            "Trained on and tested against simulated annotations; "
            "the map is scored against the truth itself.",
            "",
        ]
    )


def row(name: str, scores: dict[str, Any]) -> list[str]:
    """Return the cells of one model."""
    interval = f"{scores['miou_low']:.2f}-{scores['miou_high']:.2f}"
    values = [f"{scores['miou']:.2f}", interval, f"{scores['accuracy']:.2f}"]
    per_class = [show(value) for value in scores["iou"].values()]
    return [BASELINES.get(name, name), *values, *per_class]


def show(value: float | None) -> str:
    """Return a score with two digits; an absent class is n/a."""
    return "n/a" if value is None else f"{value:.2f}"


def current() -> str:
    """Return the table of the metrics that are there."""
    read = [ROOT / "reports" / "compare" / "metrics.json", ROOT / "reports" / "map" / "score.json"]
    return table(*(json.loads(path.read_text(encoding="utf-8")) for path in read))


def main() -> None:
    """Print the table, or write it into README.md."""
    if "--write" not in sys.argv:
        sys.stdout.write(current())
        return
    readme = ROOT / "README.md"
    readme.write_text(BLOCK.sub(lambda _: current(), readme.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
