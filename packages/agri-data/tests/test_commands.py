"""`agri-data split`, `stats` and `check` as a user runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from agri_data import cli
from agri_data.store.store import ChipStore
from numpy.typing import NDArray

MakeStore = Callable[..., ChipStore]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(command_line: Run) -> Run:
    """Run the command line; return exit code, stdout and stderr."""
    return partial(command_line, "agri-data", cli.main)


def scene(side: int = 12, size: int = 16) -> dict[str, Any]:
    """A scene of `side x side` chips with places, masks and noise."""
    rng = np.random.default_rng(0)
    count = side * side
    places = [(row * size, col * size) for row in range(side) for col in range(side)]
    images = rng.integers(1, 3000, (count, size, size, 3)).astype(np.uint16)
    return {
        "images": images,
        "masks": (images[..., 0] > 1500).astype(np.uint8),
        "source": ["a.tif"] * count,
        "row": [row for row, _ in places],
        "col": [col for _, col in places],
        "crs": ["EPSG:32633"] * count,
        "transform": [f"10 0 {500000 + 10 * c} 0 -10 {5000000 - 10 * r}" for r, c in places],
    }


def flip(store: ChipStore, change: Callable[[NDArray[Any]], None], stem: str = "images") -> None:
    """Change an array file behind the store's back."""
    array = np.lib.format.open_memmap(store.path / f"{stem}-00000.npy", mode="r+")
    change(array)
    array.flush()


def test_split_then_check_passes(make_store: MakeStore, run: Run, tmp_path: Path) -> None:
    store = make_store(**scene())
    code, out, err = run("split", store.path, "--block", 640, "--seed", 4)
    assert (code, err) == (0, "")
    assert "block split, seed 4, 16 blocks of 640" in out
    info = ChipStore.open(store.path).info
    assert info.split is not None
    assert info.split["block"] == 640
    assert info.split["fractions"] == [0.7, 0.15, 0.15]
    assert sum(info.split["counts"].values()) == 144
    assert info.stats is not None
    assert set(info.stats) == {"B02", "B03", "B04"}
    report = tmp_path / "reports" / "check.json"
    code, out, _ = run("check", store.path, "--near", "fail", "--json", report)
    assert code == 0, out
    content = json.loads(report.read_text())
    assert content["passed"] is True
    assert content["leaks"] == {"overlap": 0, "group": 0, "exact": 0, "near": 0}
    assert content["split_fingerprint"] == ChipStore.open(store.path).split_fingerprint


def test_the_same_command_twice_gives_the_same_files(make_store: MakeStore, run: Run) -> None:
    store = make_store(**scene())
    contents = []
    for _ in range(2):
        run("split", store.path, "--seed", 3)
        contents.append([(store.path / n).read_bytes() for n in ("chips.csv", "dataset.json")])
    assert contents[0] == contents[1]


def test_a_planted_duplicate_fails_the_check(make_store: MakeStore, run: Run) -> None:
    content = scene()
    content["images"][143] = content["images"][0]
    store = make_store(**content)
    command = ["split", store.path, "--method", "random", "--val", 0.4, "--test", 0.4]
    run(*command, "--seed", 1, "--no-alike")
    table = ChipStore.open(store.path).table
    assert table["split"].iloc[0] != table["split"].iloc[143]
    code, out, err = run("check", store.path)
    assert code == 1
    assert "FAIL exact: c0000" in out
    assert "FAILED: 144 chips" in out
    assert "optimistic" in err
    # As the default has it, equal chips stay together and the check passes.
    assert "1 sets of equal" in run(*command, "--seed", 1)[1]
    assert run("check", store.path)[0] == 0


def test_near_duplicates_fail_only_if_asked(make_store: MakeStore, run: Run) -> None:
    content = scene()
    content["images"][143] = content["images"][0] + np.uint16(1)
    split = ["train"] * 72 + ["val"] * 36 + ["test"] * 36
    store = make_store(**content, split=split)
    code, out, _ = run("check", store.path)
    assert code == 0
    assert "WARN near: c0000 (train) and c0143 (test)" in out
    assert run("check", store.path, "--near", "fail")[0] == 1
    code, out, _ = run("check", store.path, "--near", "off")
    assert (code, "near:" in out) == (0, False)


def test_a_flipped_byte_and_a_stray_class_fail_the_check(make_store: MakeStore, run: Run) -> None:
    store = make_store(**scene())
    run("split", store.path)

    def stray(masks: NDArray[Any]) -> None:
        masks[5, 0, 0] = 9

    flip(store, stray, "masks")
    code, out, _ = run("check", store.path)
    assert code == 1
    assert "FAIL checksum: masks-00000.npy" in out
    assert "FAIL mask: c0005: values [9] are not in the legend" in out


def test_infinite_values_fail_the_check(make_store: MakeStore, run: Run) -> None:
    images = np.random.default_rng(0).random((6, 8, 8, 2)).astype(np.float32)
    images[3, 0, 0, 0] = np.inf
    code, out, _ = run("check", make_store(images).path)
    assert (code, "1 chips hold infinite values" in out) == (1, True)


def test_an_unsplit_store_is_told_so(make_store: MakeStore, run: Run) -> None:
    store = make_store(**scene())
    code, _, err = run("check", store.path)
    assert (code, "not split yet" in err) == (0, True)
    code, _, err = run("stats", store.path)
    assert code == 2
    assert err.startswith("error: ")
    assert "agri-data split" in err


def test_stats_reports_a_constant_band(make_store: MakeStore, run: Run) -> None:
    content = scene()
    content["images"][..., 1] = 7
    store = make_store(**content)
    code, out, err = run("split", store.path)
    assert code == 0
    assert "B03: one single value" in err
    code, again, _ = run("stats", store.path)
    assert code == 0
    assert again in out


def test_an_unknown_method_is_answered_with_the_known_ones(make_store: MakeStore, run: Run) -> None:
    code, _, err = run("split", make_store(**scene()).path, "--method", "magic")
    assert code == 2
    assert "'magic' is not one of 'block', 'group', 'random', 'kfold'" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--val", "0.6", "--test", "0.6"], "fractions"),
        (["--method", "group"], "group for every chip"),
        (["--block", "100000"], "smaller --block"),
    ],
)
def test_mistakes_are_one_line_and_change_nothing(
    make_store: MakeStore, run: Run, arguments: list[str], message: str
) -> None:
    store = make_store(**scene())
    before = (store.path / "chips.csv").read_bytes()
    code, out, err = run("split", store.path, *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert (store.path / "chips.csv").read_bytes() == before


def test_no_store_is_one_line(run: Run, tmp_path: Path) -> None:
    for command in ("split", "stats", "check"):
        code, _, err = run(command, tmp_path / "nothing")
        assert (code, err.count("\n")) == (2, 1)
        assert "no chip store" in err


def test_augment_writes_copies_of_train_only(make_store: MakeStore, run: Run) -> None:
    store = make_store(**scene(side=6))
    run("split", store.path, "--block", 320)
    train = len(ChipStore.open(store.path).indices("train"))
    more = store.path.with_name("more")
    code, out, err = run("augment", store.path, "--out", more, "--copies", 3, "--noise", 0.1)
    assert (code, err) == (0, "")
    assert f"{36 + 3 * train} chips from 36" in out
    assert run("check", more)[0] == 0
    assert run("augment", store.path, "--out", store.path)[0] == 2
    other = store.path.with_name("other")
    code, _, err = run("augment", store.path, "--out", other, "--jpeg", 1)
    assert (code, err.count("\n"), other.exists()) == (2, 1, False)
    assert "can be saved as JPEG" in err


def test_a_split_without_train_changes_nothing(make_store: MakeStore, run: Run) -> None:
    store = make_store(**scene())
    code, out, err = run("split", store.path, "--val", 1, "--test", 0)
    assert (code, out) == (2, "")
    assert "no chip of" in err and "--no-stats" in err
    assert ChipStore.open(store.path).info.split is None
    assert run("split", store.path, "--val", 1, "--test", 0, "--no-stats")[0] == 0


@pytest.mark.parametrize(
    "command", ["split {}", "augment {} --out {}-2", "show {} --out {}-2", "synth --out {}-2"]
)
def test_a_negative_seed_is_named(make_store: MakeStore, run: Run, command: str) -> None:
    store = make_store(**scene(2))
    code, _, err = run(*command.replace("{}", str(store.path)).split(), "--seed", -1)
    assert code == 2
    assert "Traceback" not in err
    assert "seed" in err
    assert not store.path.with_name("chips-2").exists()
