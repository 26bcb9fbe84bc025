import csv

import numpy as np
import pytest
from agri_classify.cli import app
from agri_classify.prediction.classify import classify_patches
from agri_classify.prediction.predict import find_files, predict
from agri_classify.training.bundles.bundle_metrics import add_metrics
from agri_classify.training.train import Plan, train
from agri_core.files.atomic import replacing_file
from agri_core.files.errors import InputError, MissingError
from agri_map.inference.engine import open_engine
from agri_train.config import TrainConfig
from PIL import Image
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def colours(tmp_path_factory, photo_store):
    """A bundle that tells red patches from green and blue ones."""
    out = tmp_path_factory.mktemp("colours")
    config = TrainConfig(
        epochs=5,
        batch_size=10,
        lr=0.01,
        sample_rows=0,
        patience=0,
        schedule="constant",
        augment=False,
    )
    return train(Plan("compact", "colours", dropout=0.0), photo_store, config, out).result.bundle


@pytest.fixture
def pictures(tmp_path):
    rng, folder = np.random.default_rng(1), tmp_path / "pictures"
    for number, name in enumerate(("red", "green", "blue")):
        picture = rng.integers(60, 90, (16, 16, 3), np.uint8)
        picture[..., number] += 100
        path = folder / name / f"{name}.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(picture).save(path)
    (folder / "notes.txt").write_text("not a picture")
    return folder


def test_files_get_answers_in_order(colours, pictures):
    files, others = find_files([pictures])
    assert [path.name for path in files] == ["blue.png", "green.png", "red.png"]
    assert others == 1
    rows = list(predict(files, open_engine(colours), batch_size=2))
    assert [row.path for row in rows] == files
    assert [row.answer.label for row in rows] == ["blue", "green", "red"]


def test_names_that_lack_a_band_of_the_model_are_refused_before_anything_is_read(colours, pictures):
    engine = open_engine(colours)
    with pytest.raises(MissingError, match="--bands has no band B03; it has B04, B02"):
        list(predict([pictures / "gone.tif"], engine, bands=("B04", "B02")))


def test_files_that_are_no_data_are_left_out(pictures):
    for name in ("._red.png", ".ipynb_checkpoints/red.png", "__MACOSX/red.png", "Thumbs.db"):
        (pictures / name).parent.mkdir(exist_ok=True)
        (pictures / name).write_bytes(b"x")
    files, others = find_files([pictures])
    assert [path.name for path in files] == ["blue.png", "green.png", "red.png"]
    assert others == 1


def test_one_bad_file_costs_that_file_only(colours, pictures):
    (pictures / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    out = pictures.parent / "found.csv"
    done = CliRunner().invoke(
        app, ["predict", str(pictures), "--model", str(colours), "--out", str(out)]
    )
    assert done.exit_code == 3
    assert "1 of 4 files could not be read" in done.output
    assert "1 other file in the folders ignored" in done.output
    with out.open() as stream:
        rows = {row["file"].rsplit("/", 1)[1]: row for row in csv.DictReader(stream)}
    assert rows["red.png"]["class"] == "red"
    assert rows["red.png"]["error"] == ""
    assert rows["bad.jpg"]["class"] == ""
    assert "bad.jpg" in rows["bad.jpg"]["error"]


def test_a_table_leaves_the_screen_a_summary(colours, pictures):
    Image.new("RGB", (32, 32), (170, 75, 75)).save(pictures / "red/large.png")
    out = pictures.parent / "found.csv"
    done = CliRunner().invoke(
        app, ["predict", str(pictures), "--model", str(colours), "--out", str(out)]
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "      2  red"
    assert sorted(lines[1:3]) == ["      1  blue", "      1  green"]
    assert lines[3].endswith(" uncertain, 1 with a note")
    assert lines[4] == f"{out}: 4 files"
    assert "red.png" not in done.stdout


def test_a_second_bundle_answers_for_coarse_pictures_in_their_place(colours, pictures, tmp_path):
    files, _ = find_files([pictures])
    coarse = tmp_path / "green.jpg"
    Image.open(files[1]).save(coarse, quality=60)
    second = tmp_path / "second.onnx"
    with replacing_file(second) as temporary:
        temporary.write_bytes(colours.read_bytes())
    add_metrics(second, {"jpeg": {"50": 0.5}, "accuracy": 0.75})
    engines = open_engine(colours), open_engine(second)
    rows = list(predict([files[0], coarse, files[2]], engines[0], coarse=engines[1], batch_size=3))
    assert [row.answer.label for row in rows] == ["blue", "green", "red"]
    loss = "fine texture is lost; accuracy at quality 50 is 50.0 % instead of 75.0 %"
    assert [row.note for row in rows] == ["", f"JPEG of quality 60: {loss}", ""]
    (alone,) = predict([coarse], engines[0])
    assert alone.note != rows[1].note


def test_bundles_that_take_other_things_are_no_pair(colours, pictures, make_store, tmp_path):
    config = TrainConfig(epochs=1, batch_size=10, sample_rows=0)
    other = train(Plan("compact", "other"), make_store(), config, tmp_path / "run").result.bundle
    with pytest.raises(InputError, match="colours and other differ in bands"):
        next(predict(find_files([pictures])[0], open_engine(colours), coarse=open_engine(other)))


def test_all_well_is_exit_code_0(colours, pictures):
    done = CliRunner().invoke(app, ["predict", str(pictures / "red"), "--model", str(colours)])
    assert done.exit_code == 0, done.output
    assert "red.png  red 0." in done.output or "red.png  red 1." in done.output


def test_a_batch_of_bad_files(colours, tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"")
    rows = list(predict(find_files([tmp_path])[0], open_engine(colours), batch_size=2))
    assert [row.answer for row in rows] == [None] * 3
    assert all("is empty" in row.error for row in rows)


def test_nothing_to_predict(tmp_path, colours):
    with pytest.raises(MissingError, match="no file or folder"):
        find_files([tmp_path / "none"])
    with pytest.raises(MissingError, match="no picture found"):
        find_files([tmp_path])


def test_a_bundle_of_maps_is_refused(pictures, tmp_path):
    class Engine:
        class spec:
            task, name = "segment", "fields"

    with pytest.raises(InputError, match="fields is for segmentation"):
        next(predict(find_files([pictures])[0], Engine()))


def test_one_call_classifies_a_folder(colours, pictures):
    rows = classify_patches([pictures], model=colours)
    assert [row.answer.label for row in rows] == ["blue", "green", "red"]
    assert {row.model for row in rows} == {"colours"}
    with pytest.raises(MissingError):
        classify_patches([pictures / "gone"])
