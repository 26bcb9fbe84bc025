import numpy as np
import pytest
from agri_cluster.backend.framework import keras, ops
from agri_cluster.data.tiles import ArrayTiles
from agri_cluster.dec.guard import Guard
from agri_cluster.dec.network import build_network, kl_loss
from agri_cluster.dec.refine import Refiner
from agri_cluster.dec.schedule import Schedule
from agri_cluster.dec.warmup import Warmup
from agri_core.files.errors import InputError
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score


def linear(width, dim, decode=False):
    """A linear encoder that starts as the identity, so that the embedding is the input."""
    layer = keras.layers.Dense(dim, kernel_initializer="identity")
    encoder = keras.Sequential([keras.Input((width,)), layer])
    if not decode:
        return encoder, None
    back = keras.layers.Dense(width, kernel_initializer="identity")
    return encoder, keras.Sequential([keras.Input((dim,)), back])


def refiner(x, centres, folder, labels=None, *, guard=None, decode=False, alpha=1.0, **schedule):
    keras.utils.set_random_seed(0)
    encoder, decoder = linear(x.shape[1], x.shape[1], decode)
    network = build_network(encoder, decoder, np.float32(centres), alpha=alpha, scale=1.0)
    if labels is None:
        labels = np.square(x[:, None] - centres).sum(2).argmin(1)
    plan = Schedule(**({"batch_size": 64, "update_interval": 10, "max_iter": 60} | schedule))
    rng = np.random.default_rng(0)
    return Refiner(network, ArrayTiles(np.float32(x)), labels, plan, guard or Guard(), rng, folder)


@pytest.fixture(scope="module")
def blobs():
    x, y = make_blobs(400, 4, centers=5, cluster_std=0.5, random_state=1)
    centres = np.array([x[y == k].mean(axis=0) for k in range(5)])
    return np.float32(x), y, centres


def test_clear_groups_come_to_rest(blobs, tmp_path):
    x, y, centres = blobs
    run = refiner(x, centres, tmp_path)
    assert run.refine() == "converged"
    assert adjusted_rand_score(y, run.state.labels) == 1
    # Two calm refreshes after the first one, which is never counted.
    assert [row["iteration"] for row in run.state.history] == [0, 10, 20]
    assert run.state.history[0]["used"] == 5


def test_the_labels_are_those_of_the_network_as_it_is(blobs, tmp_path):
    x, _, centres = blobs
    run = refiner(x, centres + 0.8, tmp_path, max_iter=15, tol=0.0)
    assert run.refine() == "max_iter"
    assert run.state.iteration == 15
    z = run.network.embed(x)
    nearest = np.square(z[:, None] - run.network.centres).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(run.state.labels, nearest)


def test_a_step_lowers_the_divergence(blobs, tmp_path):
    x, _, centres = blobs
    run = refiner(x, centres, tmp_path, tol=0.0, max_iter=40)
    run.refine()
    kl = [row["kl"] for row in run.state.history]
    assert kl[-1] < kl[0]


def test_centres_on_one_point_are_spread_again_or_the_run_says_so(tmp_path):
    x, _ = make_blobs(500, 6, centers=10, cluster_std=0.4, random_state=0)
    same = np.repeat(x[:1], 10, axis=0)
    labels = np.arange(500) % 10
    run = refiner(np.float32(x), same, tmp_path, labels, max_iter=200)
    reason = run.refine()
    assert run.state.history[0]["reseeded"] == 9
    used = len(np.unique(run.state.labels))
    assert used >= 9 or reason == "collapse"


def test_without_reseeding_the_collapse_is_said_and_the_best_state_restored(tmp_path, capsys):
    x, _ = make_blobs(300, 3, centers=6, cluster_std=0.3, random_state=0)
    same = np.repeat(np.float32(x[:1]), 6, axis=0)
    run = refiner(np.float32(x), same, tmp_path, np.arange(300) % 6, guard=Guard(reseeds=0))
    assert run.refine() == "collapse"
    assert "only 1 of 6 clusters" in capsys.readouterr().err


def test_dead_clusters_that_may_not_be_moved_are_a_collapse(tmp_path, capsys):
    x, _ = make_blobs(300, 3, centers=6, cluster_std=0.3, random_state=0)
    same = np.repeat(np.float32(x[:1]), 6, axis=0)
    guard = Guard(reseeds=0, used=0.0, giant=1.0)
    run = refiner(np.float32(x), same, tmp_path, np.arange(300) % 6, guard=guard)
    assert run.refine() == "collapse"
    assert "5 of 6 clusters are dead" in capsys.readouterr().err


def test_one_in_a_hundred_stays_a_group_of_its_own(tmp_path):
    rng = np.random.default_rng(0)
    x = np.float32(np.vstack([rng.normal(0, 1, (990, 3)), rng.normal(12, 0.3, (10, 3))]))
    run = refiner(x, np.array([[0.0] * 3, [12.0] * 3]), tmp_path, max_iter=200)
    assert run.refine() != "collapse"
    assert np.bincount(run.state.labels).tolist() == [990, 10]


def test_a_budget_ends_the_run_at_a_refresh(blobs, tmp_path):
    x, _, centres = blobs
    run = refiner(x, centres, tmp_path, budget=0.0, max_iter=1000, tol=0.0)
    assert run.refine() == "budget"


def test_every_tile_is_seen_once_before_any_is_seen_twice(blobs, tmp_path):
    x, _, centres = blobs
    run = refiner(x, centres, tmp_path, batch_size=100)
    seen = np.concatenate([run._next_batch() for _ in range(4)])
    assert sorted(seen) == list(range(400))


def test_idec_keeps_the_reconstruction(blobs, tmp_path):
    x, _, centres = blobs
    run = refiner(x, centres + 0.5, tmp_path, decode=True, tol=0.0, max_iter=20)
    run.refine()
    errors = [row["reconstruction"] for row in run.state.history]
    assert errors[0] is None
    assert errors[-1] < 0.5


def test_a_resumed_run_gives_the_same_bits(blobs, tmp_path, monkeypatch):
    monkeypatch.setattr("agri_cluster.dec.refine.SAVE_SECONDS", 0.0)
    x, _, centres = blobs
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plan = {"tol": 0.0, "max_iter": 40}
    whole = refiner(x, centres + 0.7, tmp_path / "a", **plan)
    whole.refine()

    class Killed(Exception):
        pass

    def kill_at_third(number, labels, rows):
        if number == 2:
            raise Killed

    killed = refiner(x, centres + 0.7, tmp_path / "b", **plan)
    killed.on_update = kill_at_third
    with pytest.raises(Killed):
        killed.refine()
    again = refiner(x, centres + 0.7, tmp_path / "b", **plan)
    assert again.resume()
    assert again.state.iteration == 20
    again.refine()
    assert again.state.history == whole.state.history
    np.testing.assert_array_equal(again.network.centres, whole.network.centres)


def test_a_state_of_other_settings_is_refused(blobs, tmp_path):
    x, _, centres = blobs
    first = refiner(x, centres, tmp_path)
    first._save()
    with pytest.raises(InputError, match="other settings"):
        refiner(x, centres, tmp_path, max_iter=7).resume()


def test_a_start_with_labels_is_learnt_before_it_is_refined(tmp_path):
    # Two rings of one blob: no two centres give these labels until the embedding has changed.
    rng = np.random.default_rng(0)
    x = np.float32(rng.normal(size=(256, 2)) * [3, 1])
    labels = (x[:, 1] > 0).astype(np.int64)
    centres = np.array([x[labels == k].mean(axis=0) for k in (0, 1)]) * [[1, 0.1]]
    run = refiner(x, centres, tmp_path, labels, warmup=Warmup(max_iter=2000))
    before = (run._embed_and_assign()[0] == labels).mean()
    run.warm_up()
    assert before < 0.9
    assert (run._embed_and_assign()[0] == labels).mean() >= 0.98
    learned = [row["agreement"] for row in run.state.warmup]
    assert learned[0] == before
    assert learned[-1] >= 0.98
    run._save()
    again = refiner(x, centres, tmp_path, labels, warmup=Warmup(max_iter=2000))
    assert again.resume()
    assert again.state.warmup == run.state.warmup


def test_moved_centres_start_from_rest(blobs, tmp_path):
    x, _, centres = blobs
    run = refiner(x, centres, tmp_path)
    run._update()
    run._train(3)
    network = run.network

    def momentum():
        (found,) = [
            np.array(keras.ops.convert_to_numpy(v))
            for v in network.trainer.optimizer.variables
            if "centres" in v.path and tuple(v.shape) == centres.shape
        ]
        return found

    assert (np.abs(momentum()).sum(axis=1) > 0).all()
    network.move_centres(np.array([1]), np.zeros((1, 4), np.float32))
    assert np.abs(momentum()).sum(axis=1)[1] == 0
    assert (np.abs(momentum()).sum(axis=1)[[0, 2, 3, 4]] > 0).all()
    np.testing.assert_array_equal(network.centres[1], np.zeros(4))


def test_one_step_is_the_papers_gradient_on_every_backend():
    rng = np.random.default_rng(0)
    z, centres = np.float32(rng.normal(size=(32, 5))), np.float32(rng.normal(size=(4, 5)))
    alpha, target = 3.0, rng.dirichlet(np.ones(4), size=32)
    encoder, _ = linear(5, 5)
    network = build_network(encoder, None, centres, alpha=alpha, scale=1.0)
    network.step(z, target)
    # Xie et al. (2016), equation 5, for the mean over the batch:
    # dL/dmu_j = -(alpha + 1) / alpha * mean_i (p_ij - q_ij) (z_i - mu_j) / (1 + d_ij^2 / alpha)
    gap = z[:, None].astype(np.float64) - centres
    kernel = 1 / (1 + np.square(gap).sum(axis=2) / alpha)
    q = kernel ** ((alpha + 1) / 2)
    q /= q.sum(axis=1, keepdims=True)
    pull = -(alpha + 1) / alpha * ((target - q) * kernel)[..., None] * gap
    np.testing.assert_allclose(network.centres, centres - 0.01 * pull.mean(axis=0), atol=1e-6)


def test_the_loss_is_the_divergence_and_balance_is_the_missing_entropy():
    p, q = np.float32([[0.5, 0.5], [1.0, 0.0]]), np.float32([[0.25, 0.75], [0.25, 0.75]])
    # KL: .5 ln 2 + .5 ln(2/3) = .14384, and ln 4 = 1.38629; their mean is .76507.
    p, log_q = ops.convert_to_tensor(p), ops.convert_to_tensor(np.log(q))
    value = float(kl_loss(0.0)(p, log_q))
    assert value == pytest.approx(0.765068, abs=1e-5)
    # mean q (.25, .75) has entropy .56234; ln 2 - .56234 = .13081.
    assert float(kl_loss(2.0)(p, log_q)) - value == pytest.approx(2 * 0.130812, abs=1e-5)


@pytest.mark.parametrize("target", ["ema", "batch"])
def test_other_targets_find_clear_groups_too(blobs, tmp_path, target):
    x, y, centres = blobs
    run = refiner(x, centres, tmp_path, target=target)
    assert run.refine() == "converged"
    assert adjusted_rand_score(y, run.state.labels) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "none"},
        {"batch_size": 0},
        {"max_iter": -1},
        {"update_interval": 0},
        {"patience": 0},
    ],
)
def test_a_schedule_is_checked(wrong):
    with pytest.raises(InputError):
        Schedule(**wrong)


@pytest.mark.parametrize(("tiles", "steps"), [(100, 20), (256 * 50, 50), (10**6, 200)])
def test_a_pass_between_refreshes_within_limits(tiles, steps):
    assert Schedule().steps(tiles) == steps
