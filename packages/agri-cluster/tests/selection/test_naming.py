"""Names of clusters: from a file, from flags, from known labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from agri_cluster.data.truth import Truth
from agri_cluster.selection.naming import (
    Majority,
    check_names,
    name_by_truth,
    names_text,
    parse_keep,
    ranges,
    read_names,
)
from agri_core.files.errors import InputError, MissingError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("n.yaml", "{4: arable, 32: arable, 7: water}"),
        ("n.yml", "4: arable\n32: 'arable'\n7: water  # the lake\n9:\n"),
        ("n.csv", "cluster,name\n4,arable\n32, arable \n7,water\n9,\n"),
        ("n.CSV", "name,note,cluster\narable,x,4\narable,,32\nwater,,7\nwater,,7\n"),
    ],
)
def test_a_file_names_clusters(tmp_path: Path, file: str, text: str):
    path = tmp_path / file
    path.write_text(text)
    assert read_names(path) == {4: "arable", 32: "arable", 7: "water"}


def test_flags_name_clusters():
    assert parse_keep(["4,32=arable", " 7 = open water"]) == {
        4: "arable", 32: "arable", 7: "open water",
    }  # fmt: skip
    assert parse_keep([]) == {}
    # Only the first sign parts clusters and name.
    assert parse_keep(["1=a=b"]) == {1: "a=b"}


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("n.yaml", "- arable\n", "names are a mapping such as '4: arable'"),
        ("n.yaml", "arable\n", "names are a mapping"),
        ("n.yaml", "4: arable\n4: water\n", "n.yaml is not valid YAML"),
        ("n.yaml", "a: arable\n", "a cluster is a number from 0, got 'a'"),
        ("n.yaml", "-1: arable\n", "a cluster is a number from 0, got '-1'"),
        ("n.yaml", "1.5: arable\n", "a cluster is a number from 0, got '1.5'"),
        ("n.yaml", "true: arable\n", "a cluster is a number from 0, got 'True'"),
        ("n.yaml", "4: 2024\n", r"name of cluster 4: expected text, got 2024 \(put it in quotes"),
        ("n.yaml", "4: [a]\n", "name of cluster 4: expected text"),
        ("n.yaml", '4: " "\n', "1 to 100 printable characters"),
        ("n.yaml", '4: "a\\nb"\n', "1 to 100 printable characters"),
        ("n.yaml", f"4: {'x' * 101}\n", "1 to 100 printable characters"),
        ("n.csv", "cluster,name\n4,arable\n4,water\n", "cluster 4 is named arable and water"),
        ("n.csv", "cluster,label\n4,arable\n", "the columns cluster and name"),
        ("n.csv", "cluster,name\n,arable\n", "a cluster is a number from 0, got ''"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, file: str, text: str, words: str):
    path = tmp_path / file
    path.write_text(text)
    with pytest.raises(InputError, match=words) as error:
        read_names(path)
    assert str(path) in str(error.value)


def test_a_missing_file(tmp_path: Path):
    for file in ("n.yaml", "n.csv"):
        with pytest.raises(MissingError, match=file):
            read_names(tmp_path / file)


@pytest.mark.parametrize("text", ["4,32", "arable", "=arable", "4;5=arable", "4=", "4,=arable"])
def test_wrong_flags_are_refused(text: str):
    with pytest.raises(InputError, match="--keep"):
        parse_keep([text])


def test_two_names_for_one_cluster_are_refused():
    with pytest.raises(InputError, match="--keep: cluster 4 is named arable and water"):
        parse_keep(["4=arable", "4,7=water"])


def test_names_are_of_clusters_that_hold_tiles():
    sizes = [5, 0, 3, 2, 0, 9]
    check_names({0: "a", 5: "b"}, sizes, "n.yaml")
    with pytest.raises(InputError, match=r"n.yaml names cluster 6, but clusters are 0 to 5"):
        check_names({0: "a", 6: "b"}, sizes, "n.yaml")
    with pytest.raises(InputError, match=r"cluster 4, which holds no tile.* are 0, 2 to 3, 5"):
        check_names({4: "a"}, sizes, "n.yaml")
    with pytest.raises(InputError, match=r"n.yaml names no cluster"):
        check_names({}, sizes, "n.yaml")


def test_ranges():
    assert ranges([0, 1, 2, 4, 7, 8]) == "0 to 2, 4, 7 to 8"
    assert ranges([3]) == "3"
    assert ranges([]) == ""


def test_the_majority_of_known_labels_names_a_cluster():
    #              cluster 0: a a b, one unknown   2: b a (a is first)  3: unknown only   5: c
    labels = np.array([0, 0, 0, 0, 2, 2, 3, 5])
    classes = np.array([0, 0, 1, -1, 1, 0, -1, 2])
    found = name_by_truth(labels, Truth(classes, ("a", "b", "c"), "made"))
    assert found == {0: Majority("a", 2 / 3), 2: Majority("a", 0.5), 5: Majority("c", 1.0)}


def test_the_form_lists_clusters_with_tiles(tmp_path: Path):
    path = tmp_path / "names.yaml"
    path.write_text(names_text([12, 0, 3], {0: Majority("built-up", 0.754)}, "How to"))
    lines = ["# How to", "0: built-up  # 12 tiles, 75% of the labelled", "2:  # 3 tiles"]
    assert path.read_text().splitlines() == lines
    assert read_names(path) == {0: "built-up"}


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.dictionaries(
    st.integers(0, 20),
    st.one_of(
        st.text(min_size=1, max_size=12).filter(lambda t: t.strip() and t.isprintable()),
        st.sampled_from(["null", "True", "no", "1e5", "0x1", "-", "~", "2024", "&a", "*a", "[a]"]),
        st.sampled_from(["a: b", "a #b", "# a", "- a", "? a", "'a'", '"a"']),
    ),
    min_size=1,
))  # fmt: skip
def test_whatever_a_class_is_called_the_file_reads_back(tmp_path: Path, names: dict[int, str]):
    path = tmp_path / "names.yaml"
    found = {cluster: Majority(name, 1.0) for cluster, name in names.items()}
    path.write_text(names_text([1] * 21, found, "made"), encoding="utf-8")
    assert read_names(path) == {cluster: name.strip() for cluster, name in names.items()}
