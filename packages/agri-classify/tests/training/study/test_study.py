import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from agri_classify.cli import app
from agri_classify.training.study.bands import band_sets
from agri_classify.training.study.study import Case, study
from agri_classify.training.study.study_figures import draw_cases
from agri_classify.training.study.study_report import table, write_study
from agri_classify.training.study.subset import Size, subset
from agri_classify.training.train import Plan
from agri_core.bands import EUROSAT_TIFF_ORDER
from agri_core.files.errors import InputError, MissingError
from agri_data.store.store import ChipStore
from agri_train.config import TrainConfig
from typer.testing import CliRunner

FAST = TrainConfig(epochs=6, batch_size=10, lr=0.01, sample_rows=0, patience=0, schedule="constant")
PLAN = Plan(model="compact", name="m", dropout=0.0)


def test_the_sets_of_thirteen_bands():
    found = band_sets(EUROSAT_TIFF_ORDER)
    kinds = [item.kind for item in found]
    # 13 alone, three composites, all, and 13 times all but one.
    assert [kinds.count(kind) for kind in ("single", "composite", "all", "without")] == [
        13, 3, 1, 13,
    ]  # fmt: skip
    named = {item.name: item.bands for item in found}
    assert len(named) == 30
    assert named["red, green, blue"] == ("B04", "B03", "B02")
    assert named["colour-infrared"] == ("B08", "B04", "B03")
    assert named["short-wave infrared"] == ("B12", "B8A", "B04")
    assert "B10" not in named["all but B10"]
    assert len(named["all but B10"]) == 12
    assert named["B11 alone"] == ("B11",)


def test_the_sets_of_pictures():
    # Red, green and blue are all there is, so the composite would be the same training again.
    names = [item.name for item in band_sets(("B04", "B03", "B02"))]
    assert names == [
        "B04 alone", "B03 alone", "B02 alone", "all 3 bands", "all but B04", "all but B03",
        "all but B02",
    ]  # fmt: skip
    assert [item.name for item in band_sets(("B04", "B03"), ("all",))] == ["all 2 bands"]
    with pytest.raises(InputError, match="got 'singles'"):
        band_sets(("B04",), ("singles",))
    with pytest.raises(InputError, match="no band set of the kinds composite"):
        band_sets(("B04",), ("composite",))


def test_a_class_in_one_band_is_found_with_that_band_alone(make_store, tmp_path):
    # Water is brighter in B02, arable in B03, forest in B04: B08 knows nothing.
    store = make_store()
    cases = [
        Case(f"{band} alone", replace(PLAN, bands=(band,)), store, FAST) for band in ("B02", "B08")
    ]
    found = study(cases, "val", tmp_path / "runs")
    seen, blind = found
    assert seen.f1["water"] == 1.0
    assert (seen.train, seen.val, seen.bands) == (30, 12, ("B02",))
    # Chance is a third; ten or more of twelve are right by luck once in 1,900 times.
    assert blind.accuracy < 10 / 12
    assert blind.baselines["majority class"] == pytest.approx(1 / 3)
    assert seen.interval[0] <= seen.accuracy <= seen.interval[1]


def test_a_finished_case_is_not_trained_again(make_store, tmp_path, monkeypatch):
    cases = [Case("all", PLAN, make_store(), FAST)]
    first = study(cases, "val", tmp_path / "runs")
    assert [path.name for path in (tmp_path / "runs").glob("[!.]*")] == ["all.json"]

    def never(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr("agri_classify.training.study.study.fit_plan", never)
    assert study(cases, "val", tmp_path / "runs") == first
    other = [replace(cases[0], config=replace(FAST, lr=0.02))]
    with pytest.raises(AssertionError, match="trained again"):
        study(other, "val", tmp_path / "runs")
    # A record that was changed is the user's: nothing is trained that could not be recorded.
    (tmp_path / "runs/all.json").write_text("{")
    with pytest.raises(InputError, match=r"all\.json was changed since"):
        study(cases, "val", tmp_path / "runs")


def test_studies_that_cannot_be_run(make_store, tmp_path):
    cases = [Case("a", PLAN, make_store(), FAST)] * 2
    with pytest.raises(InputError, match="different names; got a, a"):
        study(cases, "val", tmp_path / "runs")
    with pytest.raises(InputError, match=r"needs cases .* got none"):
        study([], "val", tmp_path / "runs")
    with pytest.raises(MissingError, match="is in the test split"):
        study(cases[:1], "test", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("text", "share", "count", "name", "of_ten"),
    [
        ("4", 0, 4, "4 per class", 4),
        ("40", 0, 40, "40 per class", 10),
        ("0.25", 0.25, 0, "25 %", 2),
        ("0.001", 0.001, 0, "0.1 %", 1),
        ("all", 1.0, 0, "all", 10),
    ],
)
def test_sizes(text, share, count, name, of_ten):
    size = Size.parse(text)
    assert (size.share, size.count, str(size), size.of(10)) == (share, count, name, of_ten)


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "0.0", "ten", "nan", "0.0x", "9" * 5000])
def test_sizes_that_are_none(text):
    with pytest.raises(InputError) as told:
        Size.parse(text)
    assert len(str(told.value)) < 200


def test_smaller_draws_lie_inside_larger_ones(make_store):
    store = make_store()
    small, large = (subset(store, Size(count=count), seed=3) for count in (2, 5))
    rows = [set(part.indices("train").tolist()) for part in (small, large)]
    assert rows[0] < rows[1]
    assert np.bincount(large.labels(large.indices("train"))).tolist() == [5, 5, 5]
    assert np.bincount(small.labels(small.indices("val"))).tolist() == [2, 2, 2]
    # The whole store is as it was, and another draw is another split.
    assert len(store.indices("train")) == 30
    assert small.split_fingerprint != large.split_fingerprint
    assert subset(store, Size(share=1.0), seed=3).split_fingerprint == store.split_fingerprint


def test_the_table_puts_the_baselines_beside(make_store, tmp_path):
    found = study([Case("all", PLAN, make_store(), FAST)], "val", tmp_path / "runs")
    lines = table([replace(found[0], accuracy=0.75, interval=(0.5, None))], "Title").splitlines()
    assert lines[0] == "Title"
    assert lines[-3].startswith(
        "| all | 30 | 12 | 12 | 0.7500 | 0.5000 .. n/a | 0.3333 | 1.0000 | "
    )
    assert lines[-1].startswith("- the validation split also selected the epoch")
    tested = table([replace(found[0], split="test")], "Title").splitlines()
    assert tested[-1].startswith("| all | 30 | 12 | 12 |")


@pytest.mark.parametrize(
    ("words", "cases"),
    [
        (["bands", "--kinds", "single,all"], ["B02 alone", "B03 alone", "B04 alone", "B08 alone",
                                              "all 4 bands"]),
        (["curve", "--sizes", "2,0.5,all"], ["2 per class", "50 %", "all"]),
    ],
)  # fmt: skip
def test_the_commands(make_store, tmp_path, words, cases):
    store, out = make_store(), tmp_path / "report"
    options = ["--chips", str(store.path), "--runs", str(tmp_path / "runs"), "--out", str(out)]
    fast = ["--split", "val", "--epochs", "2", "--batch-size", "10", "--sample-rows", "0"]
    done = CliRunner().invoke(app, [*words, *options, *fast])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.glob("[!.]*")) == [
        "metrics.json", "study.png", "table.csv", "table.md",
    ]  # fmt: skip
    told = json.loads((out / "metrics.json").read_text())
    assert told["part"] == "val"
    assert list(told["cases"]) == cases
    # A third of the patches is of the majority class, so no best baseline is below that.
    assert all(item["baseline"] >= 1 / 3 for item in told["cases"].values())
    with (out / "table.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["case"] for row in rows] == cases
    assert set(rows[0]) >= {"bands", "accuracy", "low", "F1 water", "majority class"}
    assert (out / "study.png").stat().st_size > 5000


def test_network_and_baselines_are_judged_on_the_same_patches(make_store, tmp_path):
    # Two patches of each of three classes are left in val, though the folder holds twelve.
    part = subset(make_store(), Size(count=2), seed=0)
    found = study([Case("few", PLAN, part, FAST)], "val", tmp_path / "runs")[0]
    assert (found.train, found.val, found.judged) == (6, 6, 6)
    assert found.baselines["majority class"] == pytest.approx(2 / 6)
    # Six answers: the accuracy is a whole number of sixths.
    assert (found.accuracy * 6) % 1 == pytest.approx(0, abs=1e-9)


def test_other_labels_are_another_study(make_store, tmp_path, monkeypatch):
    first = Case("all", PLAN, make_store(), FAST)
    study([first], "val", tmp_path / "runs")
    table = first.store.table.assign(label="water")
    other = replace(first, store=ChipStore(first.store.path, first.store.info, table))
    monkeypatch.setattr(
        "agri_classify.training.study.study.fit_plan", lambda *_: pytest.fail("again")
    )
    assert study([first], "val", tmp_path / "runs")
    with pytest.raises(pytest.fail.Exception, match="again"):
        study([other], "val", tmp_path / "runs")


def test_training_patches_judge_nothing(make_store, tmp_path):
    with pytest.raises(InputError, match="val or test, got 'train'"):
        study([Case("all", PLAN, make_store(), FAST)], "train", tmp_path / "runs")


def test_a_report_replaces_no_trained_model(make_store, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    for name in ("metrics.json", "model.onnx"):
        (model / name).write_text("{}")
    found = study([Case("all", PLAN, make_store(), FAST)], "val", tmp_path / "runs")
    with pytest.raises(InputError, match="was not written by"):
        write_study(found, model, "Title", draw_cases)
    assert (model / "model.onnx").is_file()
