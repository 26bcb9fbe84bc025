import csv
import json
import subprocess
import sys

import pytest
from agri_core.files.errors import InputError
from agri_data.store.store import ChipStore, rewrite_table
from agri_map.inference.engine import open_engine
from agri_segment import cli
from agri_segment.evaluation.evaluate import evaluate, familiarity, write_evaluation
from typer.testing import CliRunner


@pytest.fixture
def bundle(small_store, line_bundle, tmp_path):
    return line_bundle(tmp_path / "rule.onnx", small_store, [[0.0], [1.0]], [0.0, -5.0])


@pytest.fixture
def written(bundle, small_store, tmp_path):
    engine = open_engine(bundle)
    text = write_evaluation(evaluate(engine, small_store), engine, small_store, tmp_path / "out")
    return text, tmp_path / "out"


def test_a_report_of_the_users_own_stays(bundle, small_store, tmp_path):
    engine, out = open_engine(bundle), tmp_path / "thesis"
    out.mkdir()
    (out / "report.md").write_text("chapter one")
    with pytest.raises(InputError, match=r"report\.md exists and was not written by"):
        write_evaluation(evaluate(engine, small_store), engine, small_store, out)
    assert [path.name for path in out.iterdir()] == ["report.md"]
    assert (out / "report.md").read_text() == "chapter one"


def test_an_evaluation_replaces_an_earlier_one(written, bundle, small_store):
    _, out = written
    engine, names = open_engine(bundle), sorted(path.name for path in out.iterdir())
    (out / "notes.md").write_text("mine")
    write_evaluation(evaluate(engine, small_store), engine, small_store, out)
    assert sorted(path.name for path in out.iterdir()) == sorted([*names, "notes.md"])


def table_of(path):
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def test_the_matrix_has_the_truth_in_rows(written):
    _, out = written
    assert table_of(out / "confusion.csv") == [
        ["truth / predicted", "other", "arable"], ["other", "3", "1"], ["arable", "1", "2"],
    ]  # fmt: skip
    shares = table_of(out / "confusion-normalised.csv")
    assert shares[1:] == [["other", "0.75", "0.25"], ["arable", "0.333333", "0.666667"]]


def test_all_files_are_written(written):
    text, out = written
    assert (out / "report.md").read_text() == text + "\n"
    for name in ("confusion.png", "worst.png", "metrics.json", "places.csv", "worst.csv"):
        assert (out / name).stat().st_size > 0, name


def test_the_report_and_the_metrics_hold_the_same_numbers(written):
    text, out = written
    content = json.loads((out / "metrics.json").read_text())
    assert content["miou"] == 0.55
    assert "mean IoU 0.550 (95 % CI 0.500..0.583)" in text
    assert "accuracy 0.714 (majority class 'other': 0.571)" in text
    assert "| other  |           4 | 0.600 | 0.750 |     0.750 |  0.750 |" in text
    assert (content["split"], content["fitted_data"], content["same_split"]) == ("val", False, True)


def test_counts_of_each_place(written):
    _, out = written
    rows = table_of(out / "places.csv")
    assert rows[0][2:] == ["other>other", "other>arable", "arable>other", "arable>arable"]
    assert [row[2:] for row in rows[1:]] == [["1", "1", "0", "1"], ["2", "0", "1", "1"]]


def test_the_worst_chip_and_its_mistake(written):
    _, out = written
    rows = table_of(out / "worst.csv")
    assert rows[1] == ["chip-2", "b.tif", "0.5", "other", "arable", "1"]


def test_train_is_called_fitted_data(bundle, small_store):
    result = evaluate(open_engine(bundle), small_store, "train")
    assert result.notes[0].startswith("fitted data")


def test_another_split_is_noted(bundle, small_store):
    engine = open_engine(bundle)
    table = small_store.table.assign(split=["val", "train", "train", "val", "test"])
    rewrite_table(small_store.path, table, split=None, stats=small_store.info.stats)
    changed = ChipStore.open(small_store.path)
    assert "may include training chips" in familiarity(engine.spec, changed, "val").notes[0]


def test_other_chips_are_noted(bundle, hidden_band):
    assert "of another store" in familiarity(open_engine(bundle).spec, hidden_band, "test").notes[0]


def test_a_random_split_is_noted(bundle, small_store):
    record = {"method": "random", "unit": "chip"}
    rewrite_table(small_store.path, small_store.table, split=record, stats=small_store.info.stats)
    found = familiarity(open_engine(bundle).spec, ChipStore.open(small_store.path), "test")
    assert any("random" in note for note in found.notes)


def test_test_is_scored_only_when_asked(bundle, small_store, tmp_path):
    base = ["evaluate", str(bundle), "--chips", str(small_store.path), "--out", str(tmp_path / "o")]
    result = CliRunner().invoke(cli.app, base)
    assert result.exit_code == 0, result.output
    assert "on the val split" in result.output
    result = CliRunner().invoke(cli.app, [*base, "--split", "test"])
    assert "on the test split" in result.output


def test_help_starts_without_heavy_imports():
    code = (
        "import sys; from typer.testing import CliRunner; from agri_segment.cli import app\n"
        "assert CliRunner().invoke(app, ['train', '--help']).exit_code == 0\n"
        "heavy = {'torch', 'numpy', 'pandas', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_wrong_file_is_one_line_and_exit_code_two(small_store, tmp_path):
    command = "from agri_segment.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "evaluate", str(tmp_path / "no.onnx"), "--chips",
         str(small_store.path), "--out", str(tmp_path / "o")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no model")
    assert len(done.stderr.splitlines()) == 1


def test_archs_lists_every_pair():
    from agri_segment.networks import archs

    result = CliRunner().invoke(cli.app, ["archs", "--bands", "3", "--classes", "2"])
    assert result.exit_code == 0, result.output
    assert "7,771,873" in result.output
    for name in archs.names():
        for encoder in archs.find(name).encoders:
            assert f"| {name.ljust(9)} | {encoder.rjust(17)} |" in result.output


def test_the_summary_counts_the_live_model():
    from agri_segment.networks import archs
    from agri_segment.networks.summary import describe

    net = archs.build("plain", bands=3, classes=2, frozen=True)
    text = describe(net, 3, 64)
    assert "7,771,873 parameters" in text
    assert "512 x 4 x 4" in text
    assert net.training
    learns = sum(p.numel() for p in net.parameters() if p.requires_grad)
    assert f"{learns:,} of them trainable" in text
