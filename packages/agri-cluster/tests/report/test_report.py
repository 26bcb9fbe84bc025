import csv
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from agri_cluster import cli
from agri_cluster.data.pictures import StoreSource
from agri_cluster.evaluation.scoreboard import Scoreboard, read_scoreboard
from agri_cluster.report.charts import draw_refreshes, draw_sizes
from agri_cluster.report.groups import groups, leaves, neighbours, tree
from agri_cluster.report.moments import FRAMES, moments
from agri_cluster.report.page import page
from agri_cluster.report.report import WRITTEN, make_report
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

RNG = np.random.default_rng


@pytest.fixture
def run(monkeypatch, capsys):
    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["agri-cluster", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


@pytest.fixture(scope="module")
def made_in(tmp_path_factory):
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def made(write_fitted, four_bands, made_in):
    centres = np.array([[0, 0], [10, 0], [0, 20], [99, 99]])
    embedding = centres[np.arange(24) % 3] + RNG(1).normal(0, 0.5, (24, 2))
    fitted = write_fitted(list(four_bands.table["chip_id"]), embedding, centres)
    names = {0: 'crops <script>alert("1")</script>', 2: "water"}
    return make_report(fitted, StoreSource(four_bands), made_in, names=names, tsne=False)


def test_groups_have_their_figures(fitted):
    found = groups(fitted, {1: "soil"}, RNG(0))
    assert [(g.cluster, g.name, g.tiles) for g in found] == [(0, "", 8), (1, "soil", 8), (2, "", 8)]
    table = fitted.table[fitted.table["cluster"] == 1]
    assert found[1].confidence == pytest.approx(table["confidence"].mean())
    assert found[1].margin == pytest.approx(table["margin"].mean())
    assert found[1].silhouette > 0.8  # blobs 10 apart, half a unit wide
    # Centres (0, 0), (10, 0), (0, 20): 1 is nearer to 0 (10) than to 2 (22.4).
    assert found[1].near == (0, 2)


def test_neighbours_of_one_and_two_centres():
    assert neighbours(np.zeros((1, 3), np.float32)).shape == (1, 0)
    assert neighbours(np.float32([[0], [1]])).tolist() == [[1], [0]]


def test_like_groups_follow_one_another(write_fitted):
    centres = np.float32([[0], [100], [1], [101]])
    fitted = write_fitted(list("abcd"), centres, centres)
    known = groups(fitted, {}, RNG(0))
    order = leaves(tree(fitted, known))
    assert sorted(order) == [0, 1, 2, 3]
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset((0, 2)), frozenset((1, 3))}


def test_moments_go_from_start_to_end(fitted, write_fitted):
    found = moments(fitted, RNG(0))
    assert [m.title for m in found] == [
        "iteration 0 · 3 used · 50.0% changed",
        "iteration 40 · 3 used · 25.0% changed",
        "iteration 80 · 3 used · 16.7% changed",
    ]
    assert np.array_equal(found[-1].labels, fitted.labels)
    long = write_fitted(list("abcd"), np.eye(4), np.eye(4), refreshes=25)
    assert len(moments(long, RNG(0))) == FRAMES


def test_the_end_is_shown_where_it_is_not_the_last_refresh(fitted):
    np.save(fitted.path / "series" / "labels-002.npy", np.zeros(24, np.int64))
    found = moments(fitted, RNG(0))
    assert [m.title for m in found][-1] == "final"
    assert np.array_equal(found[-1].labels, fitted.labels)


def test_without_a_series_the_end_stands_alone(fitted):
    for file in (fitted.path / "series").glob("*-*.npy"):
        file.unlink()
    np.save(fitted.path / "series" / "rows.npy", np.zeros(0, np.int64))
    (only,) = moments(fitted, RNG(0))
    assert only.rows.shape == (24, 2)


class Reader(HTMLParser):
    """Collects tags with their attributes, and refuses tags that are not closed in order."""

    EMPTY = frozenset({"meta", "img", "br", "circle", "path"})

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def _read(text):
    reader = Reader()
    reader.feed(text)
    assert not reader.open
    return reader


def test_the_page_opens_offline_and_runs_nothing(made):
    text = page(made)
    reader = _read(text)
    assert {tag for tag, _ in reader.tags} & {"script", "link", "iframe", "object"} == set()
    for tag, attributes in reader.tags:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href"):
                assert value.startswith(("data:image/", "#")), (tag, value[:40])
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import|https?://", text)


def test_names_are_escaped(made):
    text = page(made)
    assert "<script" not in text
    assert "crops &lt;script&gt;" in text


@given(st.text(), st.text())
def test_no_text_changes_the_tags(made, name, other):
    def shown(first, second):
        info = {
            **made.info,
            "stop_reason": first,
            "warnings": [second],
            "settings": {first: second},
        }
        group = replace(made.groups[0], name=first or "-")
        views = tuple(replace(view, ids=(second,)) for view in made.cards[0].views)
        spectrum = replace(made.cards[0].spectrum, names=((0.0, first),) * 4)
        card = replace(made.cards[0], group=group, views=views, spectrum=spectrum)
        board = Scoreboard(("method", first), ((second, "1"),), (first,))
        text = page(replace(made, source=second, info=info, cards=[card], unit=first), board)
        assert text.encode("utf-8")
        return [(tag, sorted(attributes)) for tag, attributes in _read(text).tags]

    assert shown(name or "-", other) == shown("a", "b")


def test_every_group_has_a_card_and_links_lead_to_cards(made):
    reader = _read(page(made))
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert {"g0", "g1", "g2"} <= set(ids) and "g3" not in ids
    assert len(ids) == len(set(ids))
    for tag, attributes in reader.tags:
        if tag == "a":
            assert attributes["href"].removeprefix("#") in ids


def test_the_page_says_what_is_known(made):
    text = _read(page(made)).text
    assert "Converged" in text
    assert "3 of 4" in text
    assert "1 of 4 clusters are empty: 3" in text
    assert "NDVI 0.80" in text
    assert "reflectance" in text
    assert "t00" in text
    assert "settings: seed" in text


def test_a_collapse_and_warnings_are_told(fitted, four_bands, tmp_path):
    content = json.loads((fitted.path / "cluster.json").read_text())
    content |= {"stop_reason": "collapse", "warnings": ["starts <disagree>"]}
    (fitted.path / "cluster.json").write_text(json.dumps(content))
    (tmp_path / "out").mkdir()
    again = type(fitted).open(fitted.path)
    text = page(make_report(again, StoreSource(four_bands), tmp_path / "out", tsne=False))
    assert "Collapsed" in text and "verdict bad" in text
    assert "starts &lt;disagree&gt;" in text


def test_tables_beside_the_page(made, made_in):
    with (made_in / "figures.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["cluster"] for row in rows] == ["0", "1", "2"]
    assert [float(row["ndvi"]) for row in rows] == pytest.approx([0.8, 0.2, -0.5], abs=0.01)
    with (made_in / "profiles.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 4
    assert (rows[0]["band"], rows[0]["unit"]) == ("B02", "reflectance")


def test_the_command_writes_everything_and_leaves_nothing_stale(run, fitted, four_bands, tmp_path):
    out = tmp_path / "reports"
    code, said, _ = run("report", fitted.path, four_bands.path, "--out", out)
    assert code == 0
    assert re.match(r"wrote .*report\.html: 3 clusters on one page of 0\.\d MB", said)
    assert {file.name for file in out.glob("[!.]*")} == {*WRITTEN, "report.html"}
    before = {file.name: file.read_bytes() for file in out.glob("[!.]*")}
    (out / "metrics.json").write_text("of evaluate")
    assert run("report", fitted.path, four_bands.path, "--out", out, "--no-tsne")[0] == 0
    after = {file.name: file.read_bytes() for file in out.glob("[!.]*")}
    assert set(before) - set(after) == {"tsne.png", "series.png", "tsne.gif"}
    assert set(after) - set(before) == {"metrics.json"}
    same = set(after) & set(before) - {"report.html"}
    assert all(after[name] == before[name] for name in same)
    assert b"Map of the tiles" in before["report.html"]
    assert b"Map of the tiles" not in after["report.html"]


def test_names_from_a_file(run, fitted, four_bands, tmp_path):
    (tmp_path / "names.yaml").write_text("0: arable land\n")
    common = ("report", fitted.path, four_bands.path, "--out", tmp_path / "o", "--no-tsne")
    assert run(*common, "--names", tmp_path / "names.yaml")[0] == 0
    assert "arable land" in (tmp_path / "o" / "report.html").read_text()
    (tmp_path / "names.yaml").write_text("7: arable\n")
    code, _, err = run(*common, "--names", tmp_path / "names.yaml")
    assert (code, "cluster 7" in err) == (2, True)


def test_mistakes_are_one_line(run, fitted, four_bands, tmp_path):
    code, _, err = run("report", tmp_path / "none", four_bands.path, "--out", tmp_path / "o")
    assert (code, "there is no fitted clustering" in err) == (2, True)
    (tmp_path / "p").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "p" / "other.png")
    code, _, err = run("report", fitted.path, tmp_path / "p", "--out", tmp_path / "o")
    assert (code, err.count("\n")) == (2, 1)
    assert "give the tiles it was fitted on" in err
    assert not (tmp_path / "o").exists()


def test_one_cluster_of_equal_tiles(write_fitted, four_bands, tmp_path):
    ids = list(four_bands.table["chip_id"])
    fitted = write_fitted(ids, np.ones((24, 3)), np.ones((2, 3)), refreshes=1)
    (tmp_path / "out").mkdir()
    found = make_report(fitted, StoreSource(four_bands), tmp_path / "out")
    assert [g.tiles for g in found.groups] == [24]
    text = _read(page(found)).text
    assert "1 of 2" in text
    assert "tsne.png" in found.pictures and "tree.png" not in found.pictures


def test_the_scoreboard_keeps_what_evaluate_wrote(made, tmp_path):
    assert read_scoreboard(tmp_path) is None
    (tmp_path / "table.csv").write_text(
        "method,space,clusters,runs,acc,acc_sd,nmi,nmi_sd,used,used_sd,trouble\n"
        "DEC <x>,embedding,3,2,0.81,0.02,,,3,0,\nUMAP,pca,3,0,,,,,,,not installed\n"
    )
    board = read_scoreboard(tmp_path)
    assert board.header == ("method", "K", "ACC", "used")
    assert board.rows == (("DEC <x>", "3", "0.810 ± 0.020", "3"), ("UMAP", "3", "n/a", "n/a"))
    text = page(made, board)
    assert "DEC &lt;x&gt;" in text and "UMAP: not installed" in text


def test_charts_are_pictures(fitted, tmp_path):
    draw_refreshes(fitted.history, 4, tmp_path / "r.png")
    draw_sizes(groups(fitted, {}, RNG(0)), tmp_path / "s.png")
    blank = draw_refreshes(
        pd.DataFrame({"iteration": [0], "used": [1], "changed": [""], "reseeded": [0]}), 4,
        tmp_path / "b.png",
    )  # fmt: skip
    for name in ("r.png", "s.png"):
        with Image.open(tmp_path / name) as image:
            assert image.width == 768
            assert len(image.convert("RGB").getcolors(1 << 24)) > 10
    assert blank.is_file()
