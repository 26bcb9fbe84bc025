import csv
import json

import numpy as np
import pytest
from agri_core.files.errors import InputError, MissingError
from agri_map.bundle.bundle import read_spec
from agri_segment import cli
from agri_segment.comparison.compare import compare, difference, load_models
from agri_segment.comparison.compare_report import write_comparison
from agri_segment.evaluation.evaluate import evaluate
from typer.testing import CliRunner

# Scores 0 and x - 5: right but for one pixel a chip. Scores 0 and 5 - x: the opposite.
RIGHT, WRONG = ([[0.0], [1.0]], [0.0, -5.0]), ([[0.0], [-1.0]], [0.0, 5.0])


@pytest.fixture
def folders(small_store, line_bundle, tmp_path):
    for name, (weights, bias) in {"good": RIGHT, "bad": WRONG}.items():
        line_bundle(tmp_path / name / "model.onnx", small_store, weights, bias)
    facts = {"parameters": 4, "epochs": 3, "seconds": 1.5, "images_per_second": 20.0}
    (tmp_path / "good" / "metrics.json").write_text(json.dumps(facts))
    return [tmp_path / "bad", tmp_path / "good"]


@pytest.fixture
def written(folders, small_store, tmp_path):
    comparison = compare(load_models(folders), small_store, split="test")
    text = write_comparison(comparison, small_store, tmp_path / "out", tmp_path / "use.onnx")
    return comparison, text, tmp_path / "out"


def rows_of(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_best_is_chosen_on_val_and_shown_on_test(written, folders):
    comparison, text, out = written
    assert comparison.ranking == ["good", "bad"]
    content = json.loads((out / "best.json").read_text())
    others = content.pop("others")
    assert content == {
        "name": "good", "arch": "line", "path": "../use.onnx", "select": "val", "miou": 0.55,
    }  # fmt: skip
    assert list(others) == ["bad"] and others["bad"] < 0.55
    assert (out.parent / "use.onnx").read_bytes() == (folders[1] / "model.onnx").read_bytes()
    assert read_spec(out.parent / "use.onnx").arch == "line"
    assert "Best: good, by mean IoU on the val split." in text
    assert "Comparison on the test split" in text


def test_metrics_have_models_and_baselines(written):
    _, _, out = written
    content = json.loads((out / "metrics.json").read_text())
    assert (content["best"], content["second"]) == ("good", "bad")
    assert (content["select"], content["split"]) == ("val", "test")
    # The test chip: values 9 9 | 9 1 with truth 1 1 | 0 0, so 0>0, 0>1 and 1>1 twice.
    assert content["good"]["iou"] == {"other": 0.5, "arable": 0.666667}
    assert content["bad"]["iou"] == {"other": 0.25, "arable": 0.0}  # 1 / 4 and 0 / 3
    assert content["good"]["parameters"] == 4
    assert "parameters" not in content["bad"]
    assert content["majority"]["accuracy"] == 0.5
    assert content["over_second"]["miou"] > 0
    assert content["over_second"]["low"] is None  # one place


def test_the_same_numbers_in_table_and_metrics(written):
    _, _, out = written
    content = json.loads((out / "metrics.json").read_text())
    table = {row["model"]: row for row in rows_of(out / "table.csv")}
    assert list(table) == ["bad", "good", "majority", "logistic"]
    for name, row in table.items():
        assert float(row["miou"]) == content[name]["miou"]
        assert float(row["iou_arable"]) == content[name]["iou"]["arable"]
    classes = rows_of(out / "classes.csv")
    assert [row["model"] for row in classes][::2] == list(table)
    assert {row["class"] for row in classes} == {"other", "arable"}


def test_the_table_names_baseline_and_times(written):
    _, text, out = written
    assert (out / "table.md").read_text() == text + "\n"
    for word in ("majority", "logistic", "kappa", "ms per chip", "train images/s", "95 % CI"):
        assert word in text
    assert "based on only 1 group" in text


def test_pictures_use_the_colours_of_the_legend(written):
    from matplotlib.image import imread

    _, _, out = written
    shown = (imread(out / "pictures.png")[..., :3] * 255).round().astype(int)
    # Both classes of the legend fill panels of truth and prediction.
    for colour in ([200, 200, 200], [232, 197, 71]):
        assert (shown == colour).all(axis=-1).sum() > 5000
    assert (out / "classes.png").stat().st_size > 1000


def test_a_second_run_replaces_the_first(written, small_store):
    comparison, _, out = written
    (out / "notes.txt").write_text("mine")
    write_comparison(comparison, small_store, out)
    assert (out / "notes.txt").read_text() == "mine"
    assert json.loads((out / "best.json").read_text())["path"] == "../good/model.onnx"


def test_paired_difference_by_hand(folders, small_store):
    models = load_models(folders)
    bad, good = (evaluate(model.engine, small_store) for model in models)
    # Opposite predictions: good has [[3, 1], [1, 2]], bad the columns swapped [[1, 3], [2, 1]].
    assert bad.matrix.tolist() == [[1, 3], [2, 1]]
    gap = difference(good, bad)
    assert gap["miou"] == pytest.approx(0.55 - (1 / 6 + 1 / 6) / 2, abs=1e-6)
    assert gap["low"] <= gap["miou"] <= gap["high"]
    # Two places give three resamples; the interval is of the difference on the same places.
    places = [good.places[0], good.places[1]]
    assert np.array_equal(sum(places), good.matrix)


@pytest.mark.parametrize("part", ["test", "train"])
def test_a_model_is_chosen_on_val_alone(folders, small_store, part):
    with pytest.raises(InputError, match=f"selected on val .*, got '{part}'"):
        compare(load_models(folders), small_store, select=part)


def test_a_foreign_file_is_no_place_for_the_best(written, small_store, tmp_path):
    comparison, _, _ = written
    mine = tmp_path / "thesis.onnx"
    mine.write_text("mine")
    with pytest.raises(InputError, match=r"thesis\.onnx exists and was not written by"):
        write_comparison(comparison, small_store, tmp_path / "new", mine)
    assert mine.read_text() == "mine" and not (tmp_path / "new").exists()
    write_comparison(comparison, small_store, tmp_path / "new", tmp_path / "use.onnx")


def test_two_models_of_one_name(folders, line_bundle, small_store, tmp_path):
    line_bundle(tmp_path / "other" / "good" / "model.onnx", small_store, *RIGHT)
    with pytest.raises(InputError, match="two models have the name good"):
        load_models([*folders, tmp_path / "other" / "good"])


def test_a_folder_of_models(folders, tmp_path):
    (tmp_path / "several").mkdir()
    for folder in folders:
        folder.rename(tmp_path / "several" / folder.name)
    assert [model.name for model in load_models([tmp_path / "several"])] == ["bad", "good"]


def test_a_missing_model(tmp_path):
    with pytest.raises(MissingError, match="agri-segment train"):
        load_models([tmp_path])


def test_a_lone_bundle_is_called_by_its_file(line_bundle, small_store, tmp_path):
    path = line_bundle(tmp_path / "line.onnx", small_store, *RIGHT)
    (tmp_path / "metrics.json").write_text('{"parameters": 1}')
    [model] = load_models([path])
    assert (model.name, model.facts) == ("line", {})


def test_nothing_to_compare():
    with pytest.raises(InputError, match="one model or more, got none"):
        load_models([])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[1]", r"must be a JSON object, got \[1\]"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"epochs": "many"}', "'epochs' must be a number >= 0, got 'many'"),
        ('{"seconds": NaN}', "'seconds' must be a number >= 0, got nan"),
        ('{"seconds": 1e999}', "'seconds' must be a number >= 0, got inf"),
        ('{"parameters": true}', "'parameters' must be a number >= 0, got true"),
        ('{"parameters": -5}', "'parameters' must be a number >= 0, got -5"),
        (" " * 1_000_001, "has 1,000,001 bytes"),
    ],
)
def test_metrics_of_a_training_that_are_none(folders, text, reason):
    (folders[1] / "metrics.json").write_text(text)
    with pytest.raises(InputError, match=rf"metrics\.json \(train the model again\).*{reason}"):
        load_models(folders)


def test_other_metrics_are_left_out(folders):
    (folders[1] / "metrics.json").write_text('{"epochs": 3, "arch": ["<b>"]}')
    assert load_models(folders)[1].facts == {"epochs": 3}


def test_a_name_that_the_metrics_use(line_bundle, small_store, tmp_path):
    line_bundle(tmp_path / "best.onnx", small_store, *RIGHT)
    with pytest.raises(InputError, match="two models have the name best; rename"):
        load_models([tmp_path / "best.onnx"])


def test_a_model_that_does_not_beat_a_line_says_so(folders, small_store, tmp_path):
    comparison = compare(load_models(folders[:1]), small_store)
    text = write_comparison(comparison, small_store, tmp_path / "o")
    assert "is no better than the per-pixel logistic regression" in text


def test_command_line(folders, small_store, tmp_path):
    result = CliRunner().invoke(
        cli.app,
        ["compare", *map(str, folders), "--chips", str(small_store.path), "--out",
         str(tmp_path / "o"), "--best", str(tmp_path / "b.onnx")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Best: good" in result.output
    assert (tmp_path / "b.onnx").is_file()
