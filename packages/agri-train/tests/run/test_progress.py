"""The progress bar: drawn on a terminal only, and never on stdout."""

import io
import sys

import pytest
from agri_train.config import TrainConfig
from agri_train.fit import fit


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_is_drawn_where_stderr_is_a_terminal(
    make_store, tiny, tmp_path, monkeypatch, terminal
):
    out, err = io.StringIO(), Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    fit(
        tiny(), make_store(), bands=("B02", "B03", "B04", "B08"), head="multiclass",
        config=TrainConfig(epochs=2, batch_size=5, sample_rows=0, patience=0),
        out=tmp_path / "run", name="m", arch="tiny",
    )  # fmt: skip
    drawn = "epoch 2:" in err.getvalue() and "3/3" in err.getvalue()
    assert drawn == terminal
    assert "epoch   2/2  lr" in err.getvalue()
    assert out.getvalue() == ""
