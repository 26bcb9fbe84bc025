import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from agri_cluster.artifact.fitted import Fitted
from agri_cluster.cli import app
from typer.testing import CliRunner

QUICK = [
    "--n-clusters", "3", "--encoder", "convae", "--filters", "8,8", "--embedding-dim", "4",
    "--epochs", "3", "--max-iter", "20", "--batch-size", "8",
]  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def fitted_folder(four_bands, tmp_path_factory):
    out = tmp_path_factory.mktemp("fit") / "cluster"
    done = run("fit", four_bands.path, "--out", out, *QUICK)
    assert done.exit_code == 0, done.output
    return out


def test_fit_writes_what_it_promises(fitted_folder, four_bands):
    fitted = Fitted.open(fitted_folder)
    assert len(fitted) == 24
    assert list(fitted.table["chip_id"]) == list(four_bands.table["chip_id"])
    assert fitted.info["bands"] == list(four_bands.bands)
    assert fitted.info["stop_reason"] in ("converged", "max_iter")
    assert fitted.info["settings"]["n_clusters"] == 3
    assert fitted.info["warmup"] == []
    assert set(fitted.table.columns) >= {"cluster", "confidence", "margin", "distance", "initial"}
    assert fitted.embedding.shape == (4,)
    assert len(fitted.series()) == len(fitted.history)


def test_three_kinds_of_land_are_three_groups(fitted_folder):
    labels = Fitted.open(fitted_folder).labels
    # The store's chips are by turns vegetation, soil and water.
    assert len({tuple(labels[start::3]) for start in range(3)}) == 3
    assert all(len(set(labels[start::3])) == 1 for start in range(3))


def test_predict_gives_the_same_groups_to_the_same_tiles(fitted_folder, four_bands, tmp_path):
    import pandas as pd

    done = run("predict", fitted_folder, four_bands.path, "--out", tmp_path / "again.csv")
    assert done.exit_code == 0, done.output
    again = pd.read_csv(tmp_path / "again.csv", dtype={"chip_id": str})
    first = Fitted.open(fitted_folder).table
    assert list(again["cluster"]) == list(first["cluster"])
    np.testing.assert_allclose(again["distance"], first["distance"], atol=1e-4)
    # Confidences are those of the fit's alpha, which the clustering keeps as a number.
    np.testing.assert_allclose(again["confidence"], first["confidence"], atol=1e-4)
    assert 1 <= Fitted.open(fitted_folder).info["alpha"] <= 3


def test_the_same_seed_writes_the_same_files(fitted_folder, four_bands, tmp_path):
    run("fit", four_bands.path, "--out", tmp_path / "again", *QUICK)
    for name in ("clusters.csv", "history.csv", "centres.npy", "embedding.npy", "cluster.json"):
        assert (tmp_path / "again" / name).read_bytes() == (fitted_folder / name).read_bytes()
    assert [item.name for item in tmp_path.iterdir()] == ["again"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--n-clusters", "1"], "--n-clusters is 2 or more, got 1"),
        (["--n-clusters", "25"], "24 items cannot make 25"),
        (["--hidden", "big"], "--hidden is widths such as 500,500,2000, got 'big'"),
        (["--alpha", "wide"], "--alpha is a number or 'auto', got 'wide'"),
        (["--tol", "nan"], "--tol is 0 or more, got nan"),
        (["--encoder", "alexnet"], "--encoder is one of mlp, convae, small,"),
        (["--weights", "nowhere.h5"], "nowhere.h5"),
        (["--split", "train"], "is in the split asked for"),
        (["--bands", "B99"], "B99"),
        (["--bands", "B02,B03,B02"], "each band is asked for once, got B02, B03, B02"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(four_bands, tmp_path, more, message):
    done = run("fit", four_bands.path, "--out", tmp_path / "out", *QUICK, *more)
    assert done.exit_code != 0
    assert message in str(done.exception)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flag", "given", "choices"),
    [
        ("--objective", "idecc", "'dec', 'idec', 'deepcluster', did you mean 'idec'?"),
        ("--init", "k-means", "'kmeans', 'ward', 'spectral', 'umap', did you mean 'kmeans'?"),
        ("--target", "fulll", "'full', 'ema', 'batch', did you mean 'full'?"),
        ("--pretrain", "magic", "'autoencoder', 'contrastive', 'none'"),
        ("--precision", "float23", "'float32', 'mixed_bfloat16', did you mean 'float32'?"),
        ("--split", "vall", "'train', 'val', 'test', did you mean 'val'?"),
    ],
)  # fmt: skip
def test_a_wrong_choice_lists_them_all(flag, given, choices):
    done = run("fit", "chips", "--out", "out", flag, given)
    assert done.exit_code == 2
    assert done.output.splitlines()[-1] == (
        f"Error: Invalid value for '{flag}': '{given}' is not one of {choices}"
    )


@pytest.mark.parametrize("command", ["fit", "report", "select", "suggest-k"])
@pytest.mark.parametrize("seed", ["-1", "4294967296", "99999999999999999999"])
def test_a_seed_out_of_range_is_refused_by_the_command_line(command, seed):
    done = run(command, "chips", "--out", "out", "--seed", seed)
    assert done.exit_code == 2
    assert "Invalid value for '--seed'" in done.output


def test_deepcluster_is_a_clustering_like_any_other(four_bands, tmp_path):
    quick = [*QUICK, "--objective", "deepcluster", "--epochs", "1"]
    done = run("fit", four_bands.path, "--out", tmp_path / "out", *quick)
    assert done.exit_code == 0, done.output
    fitted = Fitted.open(tmp_path / "out")
    assert len(fitted) == 24
    assert "initial" not in fitted.table.columns
    run("fit", four_bands.path, "--out", tmp_path / "again", *quick)
    for name in ("clusters.csv", "history.csv", "centres.npy"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_python_and_command_line_are_one_estimator(fitted_folder, four_bands):
    from agri_cluster.dec.estimator import DeepEmbeddedClustering

    names = [name.removeprefix("--").replace("-", "_") for name in QUICK[::2]]
    settings = dict(zip(names, QUICK[1::2], strict=True))
    numbers = {name: int(text) if text.isdigit() else text for name, text in settings.items()}
    model = DeepEmbeddedClustering(**numbers).fit(four_bands.path)
    np.testing.assert_array_equal(model.labels_, Fitted.open(fitted_folder).labels)
    np.testing.assert_array_equal(model.cluster_centers_, Fitted.open(fitted_folder).centres)


def test_a_killed_fit_goes_on_and_ends_as_if_it_had_not_been(fitted_folder, four_bands, tmp_path):
    out = tmp_path / "cluster"
    code = (
        "import sys\n"
        "from agri_cluster.dec import refine\n"
        "from agri_cluster.pretrain import autoencoder\n"
        "autoencoder.SAVE_SECONDS = refine.SAVE_SECONDS = 0.0\n"
        "plain = refine.Refiner._train\n"
        "def slow(self, steps):\n"
        "    plain(self, steps); self._save(); print('saved', flush=True); sys.stdin.read()\n"
        "refine.Refiner._train = slow\n"
        "from agri_cluster.cli import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, "fit", str(four_bands.path), "--out", str(out), *QUICK]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout is not None and "saved\n" in iter(child.stdout.readline, "")
        child.send_signal(signal.SIGKILL)
    state = tmp_path / ".cluster.fitting" / "refine.npz"
    assert state.is_file()
    assert not out.exists()
    other = run("fit", four_bands.path, "--out", out, *QUICK, "--seed", "5", "--resume")
    assert "seed (was 0, now 5)" in str(other.exception)
    done = run("fit", four_bands.path, "--out", out, *QUICK, "--resume")
    assert done.exit_code == 0, done.output
    for name in ("clusters.csv", "history.csv", "centres.npy"):
        assert (out / name).read_bytes() == (fitted_folder / name).read_bytes()
    assert json.loads((out / "cluster.json").read_text())["converged"] in (True, False)
    assert [item.name for item in tmp_path.iterdir()] == ["cluster"]
