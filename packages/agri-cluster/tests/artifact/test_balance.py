import json

import numpy as np
import pytest
from agri_cluster.artifact.balance import Balance
from agri_cluster.cli import app
from typer.testing import CliRunner


def spread(*sizes):
    return Balance.of(np.repeat(np.arange(len(sizes)), sizes), len(sizes))


@pytest.mark.parametrize(
    "sizes",
    [
        (10,) * 10,
        # EuroSAT's classes, and digits': 2,000 to 3,000 of 27,000, and 174 to 183 of 1,797.
        (3000, 3000, 3000, 2500, 2500, 2000, 2500, 3000, 2500, 3000),
        (178, 182, 177, 183, 181, 182, 181, 179, 174, 180),
        # Each 0.6 of the one before: 5.1 effective clusters of 10.
        (400, 240, 144, 86, 52, 31, 19, 11, 7, 4),
        (50, 20, 20, 10),
        (66, 20, 14),
        (90, 10),
        (7,),
    ],
)
def test_even_and_moderately_uneven_clusters_pass(sizes):
    assert not spread(*sizes).dominated
    assert spread(*sizes).warning == ""


@pytest.mark.parametrize(
    "sizes",
    [
        (75, 5, 4, 4, 4, 4, 2, 2),
        (51, 17, 16, 16),
        (67, 20, 13),
        (91, 9),
        # Two halves: exp(ln 2) = 2 of 8, below 4.
        (50, 50, 0, 0, 0, 0, 0, 0),
        # Nearly all in three of eight, none with a majority.
        (33, 33, 30, 1, 1, 1, 1, 0),
    ],
)
def test_a_majority_in_one_cluster_or_few_effective_clusters_are_dominated(sizes):
    found = spread(*sizes)
    assert found.dominated
    assert found.to_json()["dominated"] is True
    assert f"cluster 0 holds {found.largest:.0%} of the tiles" in found.warning


def test_the_record_holds_the_figures():
    # Entropy of 1/2, 1/4, 1/4 is 1.5 ln 2; exp of it is 2 ** 1.5 = 2.828.
    assert spread(2, 1, 1, 0).to_json() == {
        "dominated": False, "largest": 0.5, "effective": 2.828427, "empty": 1,
    }  # fmt: skip


@pytest.fixture
def dominated(four_bands, write_fitted):
    centres = [[0, 0], [10, 0], [0, 20], [99, 99]]
    embedding = np.repeat(np.float32(centres), [20, 2, 1, 1], axis=0)
    return write_fitted(list(four_bands.table["chip_id"]), embedding, centres)


def test_page_and_commands_say_it(dominated, four_bands, tmp_path):
    def run(*arguments):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert done.exit_code == 0, done.output
        assert "warning: the clustering is dominated: cluster 0 holds 83%" in done.stderr

    run("report", dominated.path, four_bands.path, "--out", tmp_path / "page", "--no-tsne")
    page = (tmp_path / "page" / "report.html").read_text()
    assert 'class="verdict bad">Dominated: cluster 0 holds 83% of the tiles' in page
    assert 'class="verdict good"' not in page
    run("name", dominated.path, "--out", tmp_path / "names.yaml")
    run("select", dominated.path, "--out", tmp_path / "chosen.csv")
    run("suggest-k", dominated.path, "--out", tmp_path / "k", "--max-clusters", "3")


def test_a_fit_warns_and_keeps_it(four_bands, tmp_path, monkeypatch):
    from agri_cluster.artifact import balance

    # The three kinds of the store are even clusters: all are called dominated here.
    monkeypatch.setattr(balance, "MAJORITY", 0.0)
    done = CliRunner().invoke(
        app,
        [
            "fit", str(four_bands.path), "--out", str(tmp_path / "c"), "--n-clusters", "4",
            "--encoder", "statistics", "--hidden", "8", "--embedding-dim", "2", "--epochs", "1",
            "--n-components", "3", "--max-iter", "0", "--n-init", "1",
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "warning: the clustering is dominated" in done.stderr
    assert ", dominated by one cluster)" in done.stdout
    info = json.loads((tmp_path / "c" / "cluster.json").read_text())
    assert info["balance"]["dominated"] is True
    assert any("dominated" in text for text in info["warnings"])
