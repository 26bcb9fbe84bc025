import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from agri_classify.cli import app
from agri_classify.evaluation.evaluate import evaluate, metrics
from agri_classify.patches.labelled import Labelled
from agri_core.files.errors import InputError, MissingError
from agri_core.legend import Legend
from agri_map.bundle.spec import BundleSpec
from PIL import Image
from typer.testing import CliRunner

LEGEND = Legend.of({"red": "#cc3333", "green": "#33aa33", "blue": "#3333cc"})


class Brightest:
    """Stands in for a bundle: the brightest band, with 0.8, is the class."""

    spec = BundleSpec(
        name="brightest", task="classify", bands=("B04", "B03", "B02"), unit="uint8",
        mean=(0.0,) * 3, std=(1.0,) * 3, legend=LEGEND, tile=16, overlap=0,
        metrics={"conformal": {"threshold": 0.5}},
    )  # fmt: skip

    def run(self, batch):
        best = batch.mean(axis=(2, 3)).argmax(axis=1)
        return np.where(np.arange(3) == best[:, None], 0.8, 0.1).astype(np.float32)


@pytest.fixture
def folders(tmp_path):
    """Three patches of each class; one red one is painted green."""
    rng, root = np.random.default_rng(0), tmp_path / "photos"
    for number, name in enumerate(LEGEND.names):
        for place in range(3):
            picture = rng.integers(0, 50, (16, 16, 3), np.uint8)
            shown = 1 if (name, place) == ("red", 2) else number
            picture[..., shown] += 150
            path = root / name / f"{name}_{place}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path)
    return root


def test_a_folder_of_class_folders_by_hand(folders):
    (folders / "red" / "._red_0.png").write_bytes(b"what macOS leaves")
    (folders / "__MACOSX").mkdir()
    result = evaluate(Brightest(), Labelled(folders, Brightest.spec), batch_size=4)
    assert result.matrix.tolist() == [[2, 1, 0], [0, 3, 0], [0, 0, 3]]
    found = metrics(result)
    assert found["accuracy"] == pytest.approx(8 / 9)
    assert found["majority"] == pytest.approx(3 / 9)
    # All nine at 0.8, eight of them right.
    assert found["ece"] == pytest.approx(8 / 9 - 0.8, abs=1e-6)
    assert found["ece_before"] == pytest.approx(found["ece"], abs=1e-6)
    assert found["conformal"] == {"coverage": pytest.approx(8 / 9), "size": 1.0}
    assert found["classes"][0]["recall"] == pytest.approx(2 / 3)
    (mistake,) = result.mistakes
    assert (mistake.name, mistake.truth, mistake.found) == ("red/red_2.png", 0, 1)
    assert mistake.probability == pytest.approx(0.8)


def test_the_same_numbers_whatever_the_batch(folders):
    def run(size):
        return evaluate(Brightest(), Labelled(folders, Brightest.spec), batch_size=size)

    one, all_ = run(1), run(100)
    assert one.names == all_.names
    assert np.array_equal(one.probabilities, all_.probabilities)


def test_a_part_of_a_store(photo_store):
    result = evaluate(Brightest(), Labelled(photo_store.path, Brightest.spec, "val"))
    assert len(result.truth) == 12
    assert metrics(result)["accuracy"] == 1.0
    with pytest.raises(MissingError, match="no patch in its test split"):
        Labelled(photo_store.path, Brightest.spec, "test")


@pytest.mark.parametrize(
    ("dataset", "split", "fitted", "said"),
    [
        ("own", "train", True, "warning: fitted data: the model was trained on these patches"),
        ("own", "val", False, "warning: the split is random"),
        ("", "val", None, "warning: the patches are of another store"),
        ("folder", "val", None, "warning: cannot tell whether these pictures taught the model"),
    ],
)
def test_pictures_that_taught_the_model(
    photo_store, folders, tmp_path, monkeypatch, dataset, split, fitted, said
):
    class Engine(Brightest):
        spec = replace(
            Brightest.spec,
            dataset=photo_store.fingerprint if dataset == "own" else "",
            split=photo_store.split_fingerprint,
        )

    monkeypatch.setattr("agri_map.inference.engine.open_engine", lambda *_, **__: Engine())
    data, out = folders if dataset == "folder" else photo_store.path, tmp_path / "report"
    words = ["evaluate", str(data), "--model", "m.onnx", "--split", split, "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert said in done.stderr
    found = json.loads((out / "metrics.json").read_text())
    assert found["fitted_data"] is fitted
    assert said.removeprefix("warning: ") in " ".join(found["notes"])
    assert said.removeprefix("warning: ") in (out / "table.md").read_text()


def test_all_right_is_not_certain(photo_store):
    found = metrics(evaluate(Brightest(), Labelled(photo_store.path, Brightest.spec, "val")))
    # 12 right of 12, by Wilson: 12 / (12 + 1.96^2).
    assert (found["accuracy"], found["interval"]) == (1.0, [pytest.approx(0.7575, abs=5e-5), 1.0])


def test_classes_the_model_does_not_know(folders, tmp_path):
    (folders / "yellow").mkdir()
    with pytest.raises(InputError, match="the folder yellow; expected folders named red, green"):
        Labelled(folders, Brightest.spec)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InputError, match="no class folders"):
        Labelled(empty, Brightest.spec)
    with pytest.raises(InputError, match=r"red_0\.png is a file; expected .* Unpack an archive"):
        Labelled(folders / "red" / "red_0.png", Brightest.spec)
    with pytest.raises(MissingError, match="no folder"):
        Labelled(tmp_path / "none", Brightest.spec)


def test_the_command_writes_table_and_pictures(folders, tmp_path, monkeypatch):
    monkeypatch.setattr("agri_map.inference.engine.open_engine", lambda *_, **__: Brightest())
    (folders / "blue/bad.png").write_bytes(b"")
    out = tmp_path / "report"
    words = ["evaluate", str(folders), "--model", "m.onnx", "--out", str(out)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 3
    assert "bad.png is empty" in done.output
    assert "9 patches of photos: accuracy 0.8889" in done.output
    assert json.loads((out / "metrics.json").read_text())["failed"] == 1
    for name in ("confusion.png", "reliability.png", "mistakes.png"):
        with Image.open(out / name) as picture:
            assert min(picture.size) > 150
    with (out / "predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["predicted"] for row in rows if row["patch"] == "red/red_2.png"] == ["green"]
    (folders / "blue/bad.png").unlink()
    assert CliRunner().invoke(app, words).exit_code == 0
    shutil.rmtree(out)
    out.mkdir()
    (out / "diary.txt").write_text("mine")
    assert CliRunner().invoke(app, words).exit_code != 0
    assert (out / "diary.txt").read_text() == "mine"
