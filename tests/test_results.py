"""The README's figures are the pipeline's own."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module")
def results(script):
    return script("docs/results.py")


def test_readme_shows_the_committed_metrics(results, root):
    found = results.BLOCK.search((root / "README.md").read_text(encoding="utf-8"))
    assert found, "README.md lacks the markers of the results table"
    assert found[0] == results.current(), "run: python docs/results.py --write"


def test_table_shows_scores_and_absent_classes(results):
    scores = {
        "miou": 0.5, "miou_low": 0.4, "miou_high": 0.625, "accuracy": 0.75, "places": 3,
        "iou": {"arable": 0.5, "water": None},
    }  # fmt: skip
    compare = {"split": "test", "select": "val", "best": "unet", "unet": scores}
    mapped = {"miou": 0.5, "accuracy": 0.9, "majority_accuracy": 0.4, "majority_class": "arable"}
    lines = results.table(compare, mapped).splitlines()
    assert lines[0] == "| model | mean IoU | 95 % CI | accuracy | arable | water |"
    assert lines[2] == "| unet | 0.50 | 0.40-0.62 | 0.75 | 0.50 | n/a |"
