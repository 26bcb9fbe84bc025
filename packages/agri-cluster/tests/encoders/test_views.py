import numpy as np
import pytest
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.encoders.jitter import Jitter, Level, jittered, measure_level
from agri_cluster.encoders.views import Views, resized
from agri_core.files.errors import InputError
from agri_data.augment.augment import Augment, augment
from hypothesis import given
from hypothesis import strategies as st


def tiles(count: int = 4, side: int = 8, bands: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(1, 2, (count, side, side, bands)).astype(np.float32)


@pytest.mark.parametrize(
    "config",
    [
        Augment(),
        Augment(crop=0.5, rotation=30, shear=5, shift=0.2, scale=0.2),
        Augment(brightness=0.3, contrast=0.3, channel=0.2, dropout=0.5, fill=7),
    ],
)
def test_views_are_those_of_agri_data(config: Augment) -> None:
    batch, rng = tiles(), np.random.default_rng(3)
    expected = np.stack([augment(tile, None, rng, config)[0] for tile in batch])
    assert np.allclose(Views(config)(batch, np.random.default_rng(3)), expected, atol=1e-5)


def test_noise_has_the_deviation_asked_for() -> None:
    batch = tiles(200, 16)
    config = Augment(flip=False, quarter=False, noise=0.5)
    moved = Views(config)(batch, np.random.default_rng(0)) - batch
    # The strength is uniform on 0..0.5 of the band's deviation, 2: its root mean square is
    # 0.5 * 2 / sqrt(3) = 0.577.
    assert np.sqrt((moved**2).mean()) == pytest.approx(0.577, abs=0.05)


def test_views_leave_their_input_alone_and_repeat_with_the_seed() -> None:
    batch = tiles()
    before = batch.copy()
    views = Views(Augment(crop=0.5, noise=0.1), None, Jitter(0.4, 0.3, 0.2, 0.5))
    first = views(batch, np.random.default_rng(1))
    assert (batch == before).all()
    assert (first == views(batch, np.random.default_rng(1))).all()
    assert (first != views(batch, np.random.default_rng(2))).any()


def test_rows_of_features_have_no_views() -> None:
    with pytest.raises(InputError, match=r"shape \(5, 7\)"):
        Views()(np.zeros((5, 7), np.float32), np.random.default_rng(0))


def test_quarter_turns_of_oblong_tiles_are_refused() -> None:
    with pytest.raises(InputError, match="6 x 8; use quarter=False"):
        Views()(np.zeros((2, 6, 8, 1), np.float32), np.random.default_rng(0))


def test_smaller_views_are_means() -> None:
    tile = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    # The upper left quarter holds 0, 1, 4, 5.
    assert resized(tile, 2)[0, :, :, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert Views(Augment(), 2)(tile, np.random.default_rng(0)).shape == (1, 2, 2, 1)


def test_brightness_is_in_deviations_of_the_set() -> None:
    level = Level(np.float32([10, 20]), np.float32([1, 100]))
    flat = np.broadcast_to(level.mean, (50, 2, 2, 2)).astype(np.float32)
    moved = jittered(flat.copy(), Jitter(brightness=0.4, level=level), np.random.default_rng(0))
    shift = (moved - flat) / level.deviation
    assert np.allclose(shift[..., 0], shift[..., 1], atol=1e-4)
    assert 0.3 < np.abs(shift).max() <= 0.4


def test_contrast_keeps_the_mean_of_the_set() -> None:
    level = Level(np.float32([5]), np.float32([2]))
    batch = np.full((20, 1, 1, 1), 5, np.float32)
    assert np.allclose(jittered(batch, Jitter(contrast=1, level=level), _rng()), 5)


def test_grey_tiles_have_the_mean_of_their_bands_in_each() -> None:
    level = Level(np.float32([0, 10]), np.float32([1, 2]))
    batch = np.float32([[[[1.0, 16.0]]]])
    # On the bands' own scales 1 and 3, so 2: 0 + 2 * 1 and 10 + 2 * 2.
    assert jittered(batch, Jitter(grey=1, level=level), _rng()).ravel().tolist() == [2, 14]


def test_level_of_a_constant_band() -> None:
    batch = tiles(3)
    batch[..., 1] = 4
    level = measure_level(ArrayTiles(batch), _rng())
    assert level.mean == pytest.approx(batch.mean(axis=(0, 1, 2)), abs=1e-5)
    assert level.deviation[1] == 1
    assert level.deviation[0] == pytest.approx(batch[..., 0].std(), rel=1e-5)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 100))
def test_views_are_finite_for_any_shape(side: int, bands: int, seed: int) -> None:
    views = Views(Augment(crop=0.9, noise=1, channel=1), None, Jitter(1, 1, 1, 0.5))
    made = views(tiles(2, side, bands, seed), np.random.default_rng(seed))
    assert made.shape == (2, side, side, bands)
    assert np.isfinite(made).all()


@pytest.mark.parametrize(
    "wrong", [{"brightness": -1}, {"contrast": 1.5}, {"channel": 11}, {"grey": 2}]
)
def test_strengths_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Jitter(**wrong)


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)
