import re

import pytest
from agri_cluster.cli import app
from agri_cluster.dec.estimator import DeepEmbeddedClustering
from agri_cluster.dec.settings import FitSettings, number_or_auto, whole_numbers
from agri_core.files.errors import InputError
from sklearn.base import clone
from typer.testing import CliRunner


def test_flags_are_arguments_of_the_estimator():
    arguments = DeepEmbeddedClustering().get_params()
    settings = FitSettings().to_json()
    assert {name: arguments[name] for name in settings} == settings
    done = CliRunner().invoke(app, ["fit", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    flags = set(re.findall(r"--([a-z][a-z-]+)", done.output))
    assert {name.replace("_", "-") for name in settings} <= flags


def test_settings_survive_clone_and_set_params():
    model = DeepEmbeddedClustering(7, init="ward", hidden=(16, 8), random_state=3)
    copy = clone(model).set_params(max_iter=5)
    assert (copy.n_clusters, copy.init, copy.hidden, copy.random_state) == (7, "ward", (16, 8), 3)
    assert (copy.max_iter, model.max_iter) == (5, 2000)


@pytest.mark.parametrize(
    ("given", "read"), [("500,500,2000", (500, 500, 2000)), ([4, 2], (4, 2)), ("", ()), ((), ())]
)
def test_widths_are_text_or_numbers(given, read):
    assert whole_numbers(given, "hidden") == read


@pytest.mark.parametrize("wrong", ["big", "4,-2", [0], "4.5"])
def test_widths_that_are_none(wrong):
    with pytest.raises(InputError, match="`hidden` is widths such as 500,500,2000"):
        whole_numbers(wrong, "hidden")


def test_a_number_or_auto():
    assert [number_or_auto(value, "alpha") for value in ("auto", "2.5", 3)] == [None, 2.5, 3.0]
    with pytest.raises(InputError, match="`alpha` is a number or 'auto', got 'wide'"):
        number_or_auto("wide", "alpha")


@pytest.mark.parametrize(
    "wrong",
    [
        {"objective": "kmeans"},
        {"pretrain": "magic"},
        {"filters": "a"},
        {"alpha": "wide"},
        {"tol": float("nan")},
        {"patience": 0},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(InputError):
        FitSettings(**wrong).check()
