"""The bundle spec: JSON round trip and what it refuses."""

import json

import pytest
from agri_core.files.errors import InputError
from agri_map.bundle.spec import BundleSpec


def test_round_trip(make_spec):
    spec = make_spec(metrics={"val": {"miou": 0.5}}, temperature=1.25, pixel_size=None)
    assert BundleSpec.from_json(spec.to_json()) == spec


def test_lists_become_tuples(make_spec):
    assert make_spec(mean=[1, 2, 3, 4]).mean == (1, 2, 3, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": "agri-bundle/2"}, "schema"),
        ({"task": "paint"}, "task must be one of segment, classify"),
        ({"unit": "percent"}, "unit must be one of"),
        ({"bands": ()}, "bands"),
        ({"bands": ("B02", "B02", "B03", "B04")}, "must not repeat"),
        ({"mean": (1.0, 2.0)}, "mean needs 4 values, one a band, got 2"),
        ({"mean": (1.0, 2.0, 3.0, float("nan"))}, "finite"),
        ({"std": (1.0, 2.0, 0.0, 1.0)}, "std must be above 0"),
        ({"tile": 8}, "tile must be"),
        ({"tile": 64, "overlap": 33}, "overlap must lie in 0 to 32"),
        ({"temperature": 0.0}, "temperature"),
        ({"pixel_size": -10.0}, "pixel_size"),
    ],
)
def test_refuses(make_spec, changes, message):
    with pytest.raises(InputError, match=message):
        make_spec(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "expected a bundle of schema"),
        ('{"schema": "agri-bundle/9"}', "agri-bundle/9"),
        ('{"schema": "agri-bundle/1"}', "missing"),
    ],
)
def test_refuses_text(text, message):
    with pytest.raises(InputError, match=message):
        BundleSpec.from_json(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [("mean", None), ("bands", 3), ("legend", [{"id": 0}]), ("tile", "256"), ("std", ["a"] * 4)],
)
def test_refuses_wrong_types(make_spec, key, value):
    record = json.loads(make_spec().to_json())
    with pytest.raises(InputError):
        BundleSpec.from_json(json.dumps({**record, key: value}))


def test_refuses_unknown_field(make_spec):
    record = json.loads(make_spec().to_json())
    with pytest.raises(InputError, match="surprise"):
        BundleSpec.from_json(json.dumps({**record, "surprise": 1}))
