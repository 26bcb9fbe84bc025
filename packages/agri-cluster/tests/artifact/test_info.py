"""`cluster.json` is checked when a clustering is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from agri_cluster.artifact.info import read_info
from agri_core.files.errors import InputError


def test_what_a_file_holds_is_kept(tmp_path: Path):
    path = tmp_path / "cluster.json"
    path.write_text('{"schema": 1, "alpha": 2, "bands": ["B02"], "contrast": {"a": [1, null]}}')
    assert read_info(path) == {
        "schema": 1, "alpha": 2.0, "bands": ["B02"], "contrast": {"a": [1, None]},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected a mapping"),
        ("{", "not valid JSON"),
        ('{"schema": 2}', "'schema' is one of 1, got 2"),
        ('{"alpha": "1"}', "'alpha' must be a number, got '1'"),
        ('{"settings": [], "tiles": -1}', "'settings' must be a mapping"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, text: str, message: str):
    path = tmp_path / "cluster.json"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"cluster\.json.*{message}.*fit again"):
        read_info(path)
