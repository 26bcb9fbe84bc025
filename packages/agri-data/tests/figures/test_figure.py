from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from agri_core.legend import Legend
from agri_data.figures.confusion import draw_confusion
from agri_data.figures.figure import axes_at, new_chart, new_figure, save
from matplotlib.image import imread
from PIL import Image

TWO = Legend.of({"other $1": "#c8c8c8", "arable": "#e8c547"})


def test_axes_are_placed_in_inches() -> None:
    axes = axes_at(new_figure(4, 2), (1, 0.5, 2, 1))
    assert axes.get_position().bounds == pytest.approx((0.25, 0.25, 0.5, 0.5))


def test_the_same_figure_gives_the_same_bytes_at_its_own_resolution(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save(new_figure(2, 1, dpi=150), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (300, 150) and "Software" not in image.info


def test_powers_of_ten_are_written_out(tmp_path: Path) -> None:
    """Formulas are off, since names may hold a "$"; "$\\mathdefault{10^{3}}$" is one."""
    figure, axes = new_chart(4, 3, "a $ and $ b")
    axes.bar([0, 1], [1, 5000])
    axes.set_yscale("log")
    save(figure, tmp_path / "log.png")
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert "1,000" in labels and not any("$" in label for label in labels)


def test_the_shade_of_a_cell_is_its_share_of_the_truth(tmp_path: Path) -> None:
    # rows are the truth: 0 is found as 0 always, 1 is never found
    path = draw_confusion(np.array([[5, 0], [3, 0]]), TWO, tmp_path / "cm.png", "a model")
    shown = (imread(path)[..., :3] * 255).round().astype(int)
    full, empty = ((shown == colour).all(-1).sum() for colour in ([8, 48, 107], [247, 251, 255]))
    # Both cells of the first column are full, both of the second empty, but for their texts.
    assert full > 20_000 and empty > 20_000
    assert full / empty == pytest.approx(1, abs=0.2)


def test_a_class_without_truth_is_drawn(tmp_path: Path) -> None:
    path = draw_confusion(np.zeros((2, 2), np.int64), TWO, tmp_path / "cm.png", "nothing")
    assert path.is_file()
