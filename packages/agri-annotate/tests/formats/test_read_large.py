"""Files of very many regions: what they take of memory while they are read."""

import gc
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from agri_annotate.formats.read import read_project
from agri_annotate.model.shape import Chain, Polygon, Polyline
from agri_core.files.errors import InputError


def region(number: int) -> dict:
    x = number % 4000
    shape = {"name": "polygon", "all_points_x": [x, x + 9, x + 4], "all_points_y": [300, 300, 309]}
    return {"shape_attributes": shape, "region_attributes": {"label": "ab"[number % 2]}}


@pytest.mark.parametrize("old", [False, True])
def test_reading_takes_a_few_times_the_file(tmp_path: Path, old: bool) -> None:
    entries = {}
    for name in range(50):
        regions = [region(100 * name + number) for number in range(100)]
        said = {str(n): each for n, each in enumerate(regions)} if old else regions
        entries[f"{name}.png"] = {"filename": f"{name}.png", "size": -1, "regions": said}
    path = tmp_path / "via.json"
    path.write_text(json.dumps(entries))
    tracemalloc.start()
    project, problems = read_project(path)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = path.stat().st_size
    # The text and its bytes, then the text and the records; with all JSON at once it is 12 times.
    assert peak < 4 * size and kept < 2.5 * size
    assert not problems and [len(p.regions) for p in project.pictures] == [100] * 50
    first, second, third = project.pictures[0].regions[:3]
    assert first.shape == Polygon(((0, 300), (9, 300), (4, 309)))
    assert (first.attributes, second.attributes) == ({"label": "a"}, {"label": "b"})
    assert first.attributes is third.attributes


@pytest.mark.parametrize("text", ['{"a.png": {"filename": "a.png", "regions": []}}', '{"a": '])
def test_the_collector_of_cycles_goes_on_after_reading(tmp_path: Path, text: str) -> None:
    (tmp_path / "via.json").write_text(text)
    try:
        read_project(tmp_path / "via.json")
    except InputError:
        assert text == '{"a": '
    assert gc.isenabled()


def test_points_are_as_the_tuple_they_were_made_from() -> None:
    points = ((0.5, 1.0), (2.0, 3.0), (4.0, -5.0))
    line = Polyline(points)
    assert isinstance(line.points, Chain) and line.points == points == tuple(line.points)
    assert line == Polyline(points) and hash(line) == hash(Polyline(points))
    assert line != Polyline(points[::-1]) and repr(line.points) == repr(points)
    assert (line.points[-1], line.points[1:], len(line.points)) == (points[-1], points[1:], 3)
    assert np.asarray(line.points).tolist() == [list(point) for point in points]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e7, -1e7])
def test_an_absurd_coordinate_is_found_wherever_it_stands(bad: float) -> None:
    for place in range(3):
        points = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
        points[place] = (1.0, bad)
        with pytest.raises(InputError, match="not a coordinate"):
            Polygon(tuple(points))
