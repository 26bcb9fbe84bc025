import io
from pathlib import Path

import numpy as np
import pytest
from agri_cluster.report.palette import COLOURS, colour, marker
from agri_cluster.report.scatter import animate, apart, draw_layout, draw_series
from agri_cluster.report.tsne import LEAST, align_rotation, between, chosen, layout, layouts
from PIL import Image


@pytest.fixture
def blobs():
    """60 rows of 5 values in three groups of 20, far apart."""
    rng = np.random.default_rng(0)
    centres = np.eye(5)[:3] * 30
    return np.float32(centres[np.arange(60) % 3] + rng.normal(size=(60, 5)))


def test_groups_lie_apart_in_the_plane(blobs):
    points = layout(blobs, 0)
    middles = np.stack([points[g::3].mean(axis=0) for g in range(3)])
    spread = max(np.linalg.norm(points[g::3] - middles[g], axis=1).max() for g in range(3))
    gaps = [np.linalg.norm(middles[a] - middles[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    assert min(gaps) > 2 * spread


def test_same_seed_same_layout(blobs):
    assert np.array_equal(layout(blobs, 4), layout(blobs, 4))


@pytest.mark.parametrize("rows", [np.ones((30, 4)), np.zeros((3, 2)), np.ones((40, 1)), [[1.0]]])
def test_degenerate_rows_have_a_finite_layout(rows):
    points = layout(np.float32(rows), 0)
    assert points.shape == (len(rows), 2)
    assert np.isfinite(points).all()


def test_few_rows_are_their_components():
    rows = np.zeros((LEAST - 1, 3), np.float32)
    rows[:, 1] = np.arange(LEAST - 1)
    points = layout(rows, 0)
    assert abs(np.corrcoef(points[:, 0], rows[:, 1])[0, 1]) > 0.999


def test_a_series_keeps_its_orientation(blobs):
    rng = np.random.default_rng(1)
    found = layouts([blobs, blobs + np.float32(rng.normal(0, 0.1, blobs.shape))], 0)
    for points in found:
        assert np.allclose(points.mean(axis=0), 0, atol=1e-9)
        assert np.sqrt((points**2).sum(axis=1).mean()) == pytest.approx(1)
    # A fresh layout would be anywhere; this one moves by a fraction of its radius of 1.
    assert np.linalg.norm(found[1] - found[0], axis=1).max() < 0.5


def test_turned_undoes_a_rotation_and_a_mirror():
    points = np.array([[0, 0], [4, 0], [0, 1.0], [1, 3]])
    angle = 1.1
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (points * [1, -1]) @ spin + [5, 7]
    assert np.allclose(align_rotation(moved, points), points - points.mean(axis=0))


@pytest.mark.parametrize(
    ("count", "most", "places"),
    [(1, 8, [0]), (3, 8, [0, 1, 2]), (10, 4, [0, 3, 6, 9]), (11, 2, [0, 10])],
)
def test_chosen_holds_first_and_last(count, most, places):
    assert chosen(count, most) == places


def test_between_eases_and_names_the_nearer_frame():
    frames = [np.zeros((1, 2)), np.ones((1, 2))]
    moves = between(frames, 3)
    # Smoothstep s²(3 - 2s) of 1/4, 1/2, 3/4: 5/32, 1/2, 27/32.
    assert [number for number, _ in moves] == [0, 0, 1, 1, 1]
    assert [float(p[0, 0]) for _, p in moves] == pytest.approx([0, 5 / 32, 0.5, 27 / 32, 1])


def test_apart_separates_even_equal_places():
    places = apart(np.array([[0, 0], [0, 0], [5, 5.0]]), 1.0)
    assert np.linalg.norm(places[0] - places[1]) > 0.9
    assert np.array_equal(places[2], [5, 5])


def test_a_hundred_clusters_differ_in_colour_or_marker():
    assert len(set(COLOURS)) == 20
    assert len({(colour(k), marker(k)) for k in range(100)}) == 100
    assert (colour(100), marker(100)) == (colour(0), marker(0))


def _pixels(path: Path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_the_picture_shows_current_labels(tmp_path):
    points = np.stack(np.meshgrid(np.arange(5.0), np.arange(3.0)), axis=-1).reshape(-1, 2)
    labels = np.arange(15) % 3
    one = draw_layout(points, labels, tmp_path / "a.png", "a")
    other = draw_layout(points, labels + 4, tmp_path / "b.png", "a")
    for path, shown in ((one, (0, 1, 2)), (other, (4, 5, 6))):
        seen = _pixels(path).reshape(-1, 3).astype(int)
        for cluster in range(7):
            # Marks are three quarters opaque on white.
            mark = 0.75 * np.array([*bytes.fromhex(colour(cluster)[1:])]) + 0.25 * 255
            assert (abs(seen - mark).max(axis=1) <= 2).any() == (cluster in shown)


def test_series_and_animation(tmp_path, blobs):
    frames = layouts([blobs, blobs * 2], 0)
    labels = [np.arange(60) % 3, np.arange(60) % 2]
    animate(frames, labels, ["first", "second"], tmp_path / "m.gif")
    with Image.open(tmp_path / "m.gif") as moving:
        assert moving.n_frames == 5
        rests = []
        for frame in range(5):
            moving.seek(frame)
            rests.append(moving.info["duration"])
    assert rests == [800, 70, 70, 70, 2500]
    draw_series(frames, labels, ["first", "second"], tmp_path / "s.png")
    assert _pixels(tmp_path / "s.png").shape[1] == round(2 * 2.6 * 120)
    assert io.BytesIO((tmp_path / "m.gif").read_bytes()).read(3) == b"GIF"
