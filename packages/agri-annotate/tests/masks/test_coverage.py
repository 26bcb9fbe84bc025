"""Coverage against literal cases, shapely, the equation of the ellipse, and the analytic area."""

import math

import numpy as np
import pytest
import shapely
from agri_annotate.masks.coverage import cover, polygon_spans, spans
from agri_annotate.masks.outline import outline
from agri_annotate.masks.runs import Spans
from agri_annotate.model.shape import Circle, Ellipse, Point, Polygon, Polyline, Rect, Shape
from agri_core.files.errors import InputError
from hypothesis import example, given
from hypothesis import strategies as st

SIZE = (60, 80)


def pixels(shape: Shape, height: int = SIZE[0], width: int = SIZE[1], **stated) -> np.ndarray:
    covered = cover(shape, height, width, **stated)
    whole = np.zeros((height, width), bool)
    whole[covered.window] = covered.inside
    return whole


def centres(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.mgrid[:height, :width]
    return columns + 0.5, rows + 0.5


def test_a_rect_of_ten_by_ten_is_a_hundred_pixels() -> None:
    covered = cover(Rect(20, 30, 10, 10), *SIZE)
    assert (covered.top, covered.left, covered.inside.shape) == (30, 20, (10, 10))
    assert covered.inside.all() and not covered.clipped


def test_a_centre_on_an_outline_is_of_the_right_and_lower_neighbour() -> None:
    # The centre of pixel (0, 0) is (0.5, 0.5).
    assert pixels(Rect(0.5, 0.5, 1, 1), 3, 3).tolist()[0] == [True, False, False]
    assert pixels(Rect(0.5, 0.5, 10, 10)).sum() == 100


@pytest.mark.parametrize(
    ("shape", "count"),
    [
        (Polygon(((0, 0), (4, 0), (4, 4), (0, 4))), 16),
        # Rows of centres y = 0.5, 1.5, 2.5, 3.5 hold x from y to 4, the outline too: 4+3+2+1.
        (Polygon(((0, 0), (4, 0), (4, 4))), 10),
        (Circle(5, 5, 0.75), 4),  # four centres at a distance of 0.71
        (Circle(5, 5, 0.7), 0),
        (Circle(5.5, 5.5, 0.1), 1),
    ],
)
def test_small_shapes(shape: Shape, count: int) -> None:
    assert pixels(shape).sum() == count


def test_a_bow_tie_is_filled_on_both_sides_of_its_crossing() -> None:
    drawn = pixels(Polygon(((10, 10), (30, 30), (30, 10), (10, 30))))
    # Two triangles of base 20 and height 10.
    assert abs(int(drawn.sum()) - 200) <= 20
    assert drawn[20, 11] and drawn[20, 28] and not drawn[12, 20]


@pytest.mark.parametrize(
    ("shape", "clipped"),
    [
        (Rect(-3, 0, 10, 10), True),
        (Rect(-0.4, -0.4, 10, 10), False),  # no centre lies beyond the border
        (Rect(0, 0, 80, 60), False),
        (Rect(75, 5, 10, 10), True),
        (Rect(5, 55, 10, 10), True),
        (Rect(5, -5, 10, 10), True),
        (Circle(80, 30, 5), True),
        (Circle(40, 30, 5), False),
        (Polygon(((10, 10), (20, 10), (20, 70))), True),
    ],
)
def test_clipping_is_noticed(shape: Shape, clipped: bool) -> None:
    covered = cover(shape, *SIZE)
    assert covered.clipped is clipped
    assert covered.window[0].stop <= SIZE[0] and covered.window[1].stop <= SIZE[1]


def test_what_lies_outside_covers_nothing_and_is_clipped() -> None:
    for shape in (Rect(100, 5, 9, 9), Rect(-50, 5, 9, 9), Circle(40, -30, 9), Circle(400, 30, 9)):
        covered = cover(shape, *SIZE)
        assert not covered.inside.size and covered.clipped


def test_a_sliver_between_centres_covers_nothing_and_is_not_clipped() -> None:
    covered = cover(Rect(10.6, 10, 0.3, 20), *SIZE)
    assert not covered.inside.size and not covered.clipped


def test_lines_and_points_need_a_width() -> None:
    with pytest.raises(InputError, match="--line"):
        cover(Polyline(((1, 1), (5, 5))), *SIZE)
    with pytest.raises(InputError, match="--radius"):
        cover(Point(1, 1), *SIZE)
    assert (pixels(Point(9, 9), radius=3) == pixels(Circle(9, 9, 3))).all()


def test_a_line_covers_what_is_within_half_its_width() -> None:
    points = ((10.2, 10.1), (40.7, 20.3), (25.1, 50.9), (25.1, 50.9))
    x, y = centres(*SIZE)
    near = shapely.distance(shapely.points(x, y), shapely.LineString(points)) < 3.5
    assert (pixels(Polyline(points), line=7) == near).all()


def test_an_outline_too_intricate_for_the_memory_is_refused() -> None:
    points = tuple((float(i), float(i % 2 * 10_000)) for i in range(2_000))
    with pytest.raises(InputError, match="crosses rows"):
        spans(Polygon(points), 10_000, 2_000)


def test_one_too_intricate_outline_leaves_the_others_drawn() -> None:
    points = tuple((float(i), float(i % 2 * 10_000)) for i in range(2_000))
    small = Polygon(((0, 0), (4, 0), (0, 2)))
    shapes = [small, Polygon(points), small, small]
    drawn = list(polygon_spans(shapes, 10_000, 2_000))
    assert [isinstance(item, InputError) for item in drawn] == [False, True, False, False]
    # At y = 0.5 the small one reaches until x = 3, at y = 1.5 until x = 1: 3 + 1 centres.
    assert [item.count for item in drawn if isinstance(item, Spans)] == [4, 4, 4]


coordinate = st.floats(-30, 110).map(lambda x: round(x, 6))
whole = st.integers(-60, 220).map(lambda n: n / 2)  # halves lie on centres
ring = st.one_of(
    st.lists(st.tuples(whole, whole), min_size=3, max_size=12, unique=True),
    st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12, unique=True),
)


def even_odd(points: list, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether a ray to the right meets the outline an odd number of times."""
    odd = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        if y0 != y1:
            odd ^= ((y0 > y) != (y1 > y)) & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return odd


@given(ring)
@example([(0.5, 0.5), (10.5, 0.5), (10.5, 10.5), (0.5, 10.5)])
@example([(0, 1), (1, 1), (0, -1), (0, 2), (1, 0), (0, 0)])  # two edges lie on each other
def test_polygons_hold_the_centres_inside_by_the_even_odd_rule(points: list) -> None:
    covered, (x, y) = pixels(Polygon(tuple(points))), centres(*SIZE)
    on_outline = shapely.distance(shapely.points(x, y), shapely.LinearRing(points)) < 1e-6
    assert ((covered == even_odd(points, x, y)) | on_outline).all()
    if shapely.Polygon(points).is_valid:
        found = shapely.contains_xy(shapely.Polygon(points), x, y)
        assert ((covered == found) | on_outline).all()


@given(st.lists(ring, max_size=8))
def test_many_polygons_at_once_are_what_each_is_alone(rings: list) -> None:
    shapes = [Polygon(tuple(points)) for points in rings]
    for shape, together in zip(shapes, polygon_spans(shapes, *SIZE), strict=True):
        alone = spans(shape, *SIZE)
        assert isinstance(together, Spans) and together.clipped == alone.clipped
        assert together.begin.tolist() == alone.begin.tolist()
        assert together.end.tolist() == alone.end.tolist()


@given(
    *[st.floats(-20, 90)] * 2, *[st.floats(0.01, 60)] * 2, st.floats(-7, 7)
)  # fmt: skip
@example(40.0, 30.0, 1e6, 1e-3, 0.3)
def test_ellipses_hold_the_centres_that_their_equation_holds(
    cx: float, cy: float, rx: float, ry: float, theta: float
) -> None:
    x, y = centres(*SIZE)
    along = (x - cx) * math.cos(theta) + (y - cy) * math.sin(theta)
    across = -(x - cx) * math.sin(theta) + (y - cy) * math.cos(theta)
    value = (along / rx) ** 2 + (across / ry) ** 2
    drawn = pixels(Ellipse(cx, cy, rx, ry, theta))
    assert ((drawn == (value < 1)) | (abs(value - 1) < 1e-6)).all()


def half(most: int) -> st.SearchStrategy:
    return st.integers(0, most).map(lambda n: n / 2)


corners = [(0.0, 0.0), (80.0, 0.0), (80.0, 60.0), (0.0, 60.0)]


@given(
    st.lists(
        st.one_of(
            st.tuples(half(160), half(120)),
            # GEOS finds no triangles of points that are 1e-200 apart.
            st.tuples(*(st.floats(0, most).map(lambda v: round(v, 9)) for most in (80, 60))),
        ),
        max_size=20,
    )
)  # fmt: skip
def test_neighbours_neither_overlap_nor_leave_a_gap(points: list) -> None:
    triangles = shapely.delaunay_triangles(shapely.MultiPoint(corners + points))
    count = np.zeros(SIZE, int)
    for triangle in triangles.geoms:
        ring = tuple(triangle.exterior.coords)[:-1]
        count += pixels(Polygon(ring))
    if math.isclose(triangles.area, 80 * 60):
        assert (count == 1).all()


sizes = st.floats(100, 900)


@given(sizes, sizes, st.floats(0, 7), st.floats(0, 1), st.floats(0, 1))
def test_the_area_of_a_large_ellipse_is_right(
    rx: float, ry: float, theta: float, dx: float, dy: float
) -> None:
    covered = spans(Ellipse(1000 + dx, 1000 + dy, rx, ry, theta), 2000, 2000)
    assert covered.count == pytest.approx(math.pi * rx * ry, rel=0.005)


@given(st.lists(st.tuples(st.floats(100, 900)), min_size=5, max_size=40), st.randoms())
def test_the_area_of_a_large_polygon_is_right(radii: list, random) -> None:
    angles = [2 * math.pi * (i + 0.8 * random.random()) / len(radii) for i in range(len(radii))]
    ring = tuple(
        (round(1000 + r * math.cos(a)), round(1000 + r * math.sin(a)))
        for (r,), a in zip(radii, angles, strict=True)
    )
    drawn = Polygon(ring)
    assert spans(drawn, 2000, 2000).count == pytest.approx(outline(drawn).area, rel=0.005)


@given(*[st.integers(0, 500)] * 2, *[st.integers(1, 500)] * 2)
def test_the_area_of_a_rect_is_exact(x: int, y: int, width: int, height: int) -> None:
    assert spans(Rect(x, y, width, height), 1000, 1000).count == width * height
