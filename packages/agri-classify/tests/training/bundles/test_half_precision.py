import numpy as np
import onnx
import pytest
from agri_classify.cli import app
from agri_classify.training.bundles.half_precision import to_half_precision
from agri_classify.training.train import Plan, train
from agri_map.bundle.bundle import read_spec
from agri_map.bundle.preprocess import normalise
from agri_map.inference.engine import open_engine
from agri_train.config import TrainConfig
from typer.testing import CliRunner

ONCE = TrainConfig(epochs=1, batch_size=10, sample_rows=0)


def test_half_the_file_and_the_same_answers(photo_store, tmp_path):
    bundle = train(Plan("compact", "m"), photo_store, ONCE, tmp_path / "run").result.bundle
    spec, size, rows = read_spec(bundle), bundle.stat().st_size, photo_store.indices("val")
    batch = normalise(photo_store.images(rows), spec)
    before = open_engine(bundle).run(batch)
    to_half_precision(bundle)
    assert bundle.stat().st_size < 0.52 * size
    assert read_spec(bundle) == spec
    # 11 bits a weight: 1 in 2048.
    assert open_engine(bundle).run(batch) == pytest.approx(before, abs=5e-3)
    onnx.checker.check_model(str(bundle), full_check=True)


def test_halving_again_changes_nothing(photo_store, tmp_path):
    bundle = train(Plan("compact", "m"), photo_store, ONCE, tmp_path / "run").result.bundle
    to_half_precision(bundle)
    once = bundle.read_bytes()
    to_half_precision(bundle)
    assert bundle.read_bytes() == once


def test_the_option_judges_what_is_shipped(make_store, tmp_path):
    words = ["train", "--chips", str(make_store().path), "--lr", "0.01", "--epochs", "6"]
    options = ["--batch-size", "10", "--dropout", "0", "--schedule", "constant", "--half"]
    done = CliRunner().invoke(app, [*words, *options, "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    kinds = {
        tensor.data_type for tensor in onnx.load(tmp_path / "run/model.onnx").graph.initializer
    }
    assert onnx.TensorProto.FLOAT16 in kinds
    assert np.isfinite(read_spec(tmp_path / "run/model.onnx").temperature)
