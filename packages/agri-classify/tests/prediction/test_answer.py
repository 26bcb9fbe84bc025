from dataclasses import replace

import numpy as np
import pytest
from agri_classify.prediction.answer import answers
from agri_core.legend import Legend
from agri_map.bundle.spec import BundleSpec

LEGEND = Legend.of(
    {"water": "#2a7fba", "arable": "#e8c547", "forest": "#1b6e37", "bare": "#aa8866"}
)
SPEC = BundleSpec(
    name="m", task="classify", bands=("B04",), unit="dn", mean=(0.0,), std=(1.0,), legend=LEGEND
)
ROWS = np.float32([[0.1, 0.6, 0.25, 0.05], [0.96, 0.02, 0.01, 0.01], [0.25, 0.25, 0.25, 0.25]])


def test_the_three_most_probable_in_order():
    first, second, third = answers(ROWS, SPEC)
    assert [name for name, _ in first.top] == ["arable", "forest", "water"]
    assert [share for _, share in first.top] == pytest.approx([0.6, 0.25, 0.1])
    assert (second.label, second.probability) == ("water", pytest.approx(0.96))
    # Ties go to the class that comes first in the legend.
    assert [name for name, _ in third.top] == ["water", "arable", "forest"]
    assert not first.uncertain
    assert first.possible == ()


def test_the_conformal_set_by_hand():
    spec = replace(SPEC, metrics={"conformal": {"threshold": 0.2}})
    first, second, third = answers(ROWS, spec)
    assert first.possible == ("arable", "forest")
    assert first.uncertain
    assert second.possible == ("water",)
    assert not second.uncertain
    assert len(third.possible) == 4


def test_a_set_is_never_empty():
    spec = replace(SPEC, metrics={"conformal": {"threshold": 0.7}})
    assert answers(ROWS, spec)[0].possible == ("arable",)
