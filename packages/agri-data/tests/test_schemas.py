"""The JSON schemas in docs/schema are those of the code; an independent validator reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from agri_core.legend import ARABLE
from agri_data.schemas import Name, schema
from agri_data.store.store import ChipStore
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

DOCS = Path(__file__).parents[3] / "docs"
EXAMPLES = sorted((DOCS / "own-data").glob("*.yaml"))


def complaints(name: Name, content: Any) -> list[str]:
    """Return what an independent validator finds wrong; keys of JSON are text."""
    validator = Draft202012Validator(json.loads(schema(name)))
    return [error.message for error in validator.iter_errors(json.loads(json.dumps(content)))]


@pytest.mark.parametrize("name", get_args(Name))
def test_the_committed_schemas_are_up_to_date(name: Name):
    path = DOCS / "schema" / f"{name}.json"
    assert path.read_text() == schema(name), f"run: agri-data schema {name} > {path}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_name_their_schema_and_fit_it(path: Path):
    first = path.read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../schema/description.json"
    content = YAML(typ="safe").load(path.read_text())
    assert complaints("description", content) == []
    assert complaints("description", content | {"licnce": "x"}) != []
    assert complaints("description", content | {"kind": "pair"}) != []


def test_a_store_and_its_legend_fit_their_schemas(make_store):
    store: ChipStore = make_store(np.ones((3, 4, 4, 2), np.uint16))
    content = json.loads((store.path / "dataset.json").read_text())
    assert complaints("dataset", content) == []
    assert complaints("dataset", content | {"chips": "7"}) != []
    assert complaints("classes", ARABLE.to_list()) == []
    assert complaints("classes", [{"id": 0, "name": "a", "colour": "red"}]) != []
