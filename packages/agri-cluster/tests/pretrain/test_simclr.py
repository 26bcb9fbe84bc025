from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from agri_cluster.backend.framework import keras, make_deterministic, ops
from agri_cluster.backend.precision import computing
from agri_cluster.backend.prefetch import prefetch
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.pretrain.contrast import ContrastConfig
from agri_cluster.pretrain.nt_xent import nt_xent
from agri_cluster.pretrain.simclr import one_cycle, pretrain_contrastive
from agri_core.files.errors import InputError

FAST = ContrastConfig(epochs=2, batch_size=8, hidden_dim=8, projection_dim=4, learning_rate=0.01)


def encoder(side: int | None = 8) -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((side, side, 2)),
            layers.Conv2D(6, 3, 2, "same", kernel_initializer=keras.initializers.HeNormal(0)),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
        ]
    )


def fields(count: int = 16, side: int = 8) -> ArrayTiles:
    """Tiles of stripes or checks, whose exact values are theirs alone."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((side, side))
    kinds = np.stack([rows % 2, (rows + columns) % 2], -1) * 2.0 - 1
    chosen = kinds[..., rng.integers(0, 2, count)].transpose(2, 0, 1)[..., None]
    made = chosen * rng.uniform(0.5, 2, (count, 1, 1, 2)) + rng.normal(0, 1, (count, 1, 1, 2))
    return ArrayTiles(made.astype(np.float32))


def loss_by_hand(z: np.ndarray, temperature: float) -> float:
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    half, losses = len(z) // 2, []
    for i in range(len(z)):
        likeness = {k: np.exp(z[i] @ z[k] / temperature) for k in range(len(z)) if k != i}
        losses.append(-np.log(likeness[(i + half) % len(z)] / sum(likeness.values())))
    return float(np.mean(losses))


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_nt_xent_by_hand(temperature: float) -> None:
    z = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
    found = float(ops.convert_to_numpy(nt_xent(ops.convert_to_tensor(z), temperature)))
    assert found == pytest.approx(loss_by_hand(z, temperature), rel=1e-5)


def test_nt_xent_of_two_far_pairs() -> None:
    z = np.float32([[1, 0], [0, 2], [3, 0], [0, 4]])
    # Each row: its pair has cosine 1, the two others 0: -log(e / (e + 1 + 1)).
    expected = -np.log(np.e / (np.e + 2))
    assert float(ops.convert_to_numpy(nt_xent(z, 1.0))) == pytest.approx(expected, rel=1e-6)


def test_nt_xent_is_finite_at_a_low_temperature() -> None:
    z = np.float32([[1, 0], [-1, 0], [-1, 0], [1, 0]])
    assert float(ops.convert_to_numpy(nt_xent(z, 0.001))) == pytest.approx(2000, rel=1e-5)


def test_one_cycle_is_that_of_torch() -> None:
    # OneCycleLR(optimizer, 0.002, total_steps=40, pct_start=0.1) of torch 2.15; torch itself cannot
    # be imported beside TensorFlow.
    expected = {
        0: 8e-5,
        1: 0.00056,
        2: 0.00152,
        3: 0.002,
        20: 0.00108715939,
        38: 3.81328669e-6,
        39: 8e-9,
    }
    found = [one_cycle(step, 40, 0.002, 0.1) for step in expected]
    assert found == pytest.approx(list(expected.values()), rel=1e-6)


@pytest.mark.parametrize(("steps", "warmup"), [(1, 0.1), (5, 0.0), (5, 1.0), (10, 0.1), (3, 0.5)])
def test_one_cycle_stays_in_range(steps: int, warmup: float) -> None:
    rates = [one_cycle(step, steps, 1.0, warmup) for step in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)


def test_loss_falls_and_every_weight_moves() -> None:
    make_deterministic(0)
    model = encoder()
    before = [w.copy() for w in model.get_weights()]
    config = ContrastConfig(
        epochs=12, batch_size=16, hidden_dim=16, projection_dim=8, learning_rate=0.03
    )
    seen: list[tuple[int, float]] = []
    losses = pretrain_contrastive(
        model, fields(32), config, np.random.default_rng(0), lambda *row: seen.append(row)
    )
    # Were all projections alike, the loss would be log(2B - 1) = log 31 = 3.43.
    assert losses[-1] < losses[0] - 0.15
    assert losses[-1] < 3.2
    assert seen == list(enumerate(losses, start=1))
    moved = [np.abs(a - b).max() for a, b in zip(before, model.get_weights(), strict=True)]
    # The convolution's bias is taken away again by the normalisation after it.
    assert sum(m > 1e-4 for m in moved) >= len(moved) - 1


def test_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    class Kill(Exception):
        pass

    def kill(epoch: int, loss: float) -> None:
        raise Kill

    make_deterministic(0)
    whole, cut, state = encoder(), encoder(), tmp_path / "state.npz"
    expected = pretrain_contrastive(whole, fields(), FAST, np.random.default_rng(5))
    with pytest.raises(Kill):
        pretrain_contrastive(cut, fields(), FAST, np.random.default_rng(5), kill, state)
    again = encoder()
    losses = pretrain_contrastive(again, fields(), FAST, np.random.default_rng(5), state=state)
    assert losses == expected
    other = pretrain_contrastive(encoder(), fields(), FAST, np.random.default_rng(6))
    assert other != expected
    finished = encoder()
    assert pretrain_contrastive(finished, fields(), FAST, _rng(), state=state) == expected
    assert (finished.get_weights()[0] == whole.get_weights()[0]).all()
    for a, b in zip(again.get_weights(), whole.get_weights(), strict=True):
        assert (a == b).all()


def test_state_of_other_settings_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.npz"
    rng = np.random.default_rng(0)
    pretrain_contrastive(encoder(), fields(), FAST, rng, state=state)
    with pytest.raises(InputError, match="other settings"):
        pretrain_contrastive(encoder(), fields(12), FAST, rng, state=state)


def test_mixed_precision_trains_and_leaves_no_trace() -> None:
    make_deterministic(0)
    model = encoder()
    config = ContrastConfig(
        epochs=1, batch_size=8, hidden_dim=8, projection_dim=4, precision="mixed_bfloat16"
    )
    losses = pretrain_contrastive(model, fields(), config, np.random.default_rng(0))
    plain = encoder()
    config = ContrastConfig(epochs=1, batch_size=8, hidden_dim=8, projection_dim=4)
    expected = pretrain_contrastive(plain, fields(), config, np.random.default_rng(0))
    assert losses == pytest.approx(expected, abs=0.02)
    assert losses != expected
    assert {layer.dtype_policy.name for layer in [model, *model.layers]} == {"float32"}
    assert {keras.backend.standardize_dtype(w.dtype) for w in model.weights} == {"float32"}


def test_precision_changes_what_predict_computes_for_the_block_only() -> None:
    model, tiles = encoder(), fields().take(np.arange(4))
    before = model.predict_on_batch(tiles)
    with computing(model, "mixed_bfloat16"):
        rough = np.asarray(model.predict_on_batch(tiles), np.float32)
    assert (rough != before).any()
    assert np.allclose(rough, before, atol=0.05)
    assert (model.predict_on_batch(tiles) == before).all()


def test_layers_of_their_own_precision_keep_it() -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, dtype="float64")])
    with computing(model, "mixed_bfloat16"):
        assert model.layers[0].dtype_policy.name == "float64"
    assert model.layers[0].dtype_policy.name == "float64"


@pytest.mark.parametrize("side", [None, 8])
def test_smaller_views_train_the_weights_of_the_encoder(side: int | None) -> None:
    config = ContrastConfig(epochs=1, batch_size=8, hidden_dim=8, projection_dim=4, size=4)
    model = encoder(side)
    before = model.get_weights()
    losses = pretrain_contrastive(model, fields(), config, np.random.default_rng(0))
    assert np.isfinite(losses).all()
    moved = [(a != b).any() for a, b in zip(before, model.get_weights(), strict=True)]
    assert all(moved)
    assert model.input_shape == (None, side, side, 2)


def test_smaller_views_of_an_encoder_whose_weights_are_for_a_size() -> None:
    layers = keras.layers
    flat = keras.Sequential([keras.Input((8, 8, 2)), layers.Flatten(), layers.Dense(3)])
    config = ContrastConfig(epochs=1, batch_size=8, size=4)
    with pytest.raises(
        InputError, match=r"weights for items of \(8, 8, 2\).*cannot be \(4, 4, 2\)"
    ):
        pretrain_contrastive(flat, fields(), config, np.random.default_rng(0))


def test_fewer_tiles_than_a_batch() -> None:
    losses = pretrain_contrastive(encoder(), fields(3), FAST, np.random.default_rng(0))
    assert len(losses) == 2
    assert np.isfinite(losses).all()


def test_constant_tiles_give_a_finite_loss() -> None:
    flat = ArrayTiles(np.full((8, 8, 8, 2), 3.0, np.float32))
    losses = pretrain_contrastive(encoder(), flat, FAST, np.random.default_rng(0))
    assert np.isfinite(losses).all()


def test_inputs_that_cannot_be_learnt_from() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="2 tiles or more, got 1"):
        pretrain_contrastive(encoder(), fields(1), FAST, rng)
    with pytest.raises(InputError, match=r"items of shape \(5,\)"):
        pretrain_contrastive(encoder(), ArrayTiles(np.zeros((4, 5))), FAST, rng)
    layers = encoder().layers[:-1]
    unpooled = keras.Sequential([keras.Input((8, 8, 2)), *layers])
    with pytest.raises(InputError, match=r"gives \(4, 4, 6\)"):
        pretrain_contrastive(unpooled, fields(), FAST, rng)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch_size": 1},
        {"epochs": -1},
        {"learning_rate": 0},
        {"temperature": 0},
        {"warmup": 2},
        {"crop": 0.95},
        {"grey": 2},
        {"size": 0},
        {"precision": "float16"},
    ],
)
def test_settings_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        ContrastConfig(**wrong)  # type: ignore[arg-type]


def test_items_ahead_come_in_order_and_errors_come_too() -> None:
    def items() -> Iterator[int]:
        yield from range(5)
        raise OSError("torn")

    found = []
    with pytest.raises(OSError, match="torn"):
        for item in prefetch(items()):
            found.append(item)
    assert found == [0, 1, 2, 3, 4]
    assert list(prefetch(iter([]))) == []


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)
