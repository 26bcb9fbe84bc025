import numpy as np
import pytest
import torch
from agri_classify.training.networks.views import COUNTS, VIEWS, Views
from agri_classify.training.train import Plan, train
from agri_core.files.errors import InputError
from agri_map.bundle.preprocess import normalise
from agri_map.inference.engine import open_engine
from agri_train.config import TrainConfig
from torch import nn

CORNER = torch.tensor([[[[4.0, 0.0], [2.0, 0.0]]]])


class Corner(nn.Module):
    """Logits: the value in the upper left corner, and 0."""

    def forward(self, x):
        corner = x[:, 0, 0, 0]
        return torch.stack([corner, torch.zeros_like(corner)], dim=1)


def test_the_views_are_the_symmetries_of_a_square():
    x = torch.arange(9.0).reshape(1, 1, 3, 3)
    turned = [torch.rot90(y, k, (-2, -1)) for y in (x, x.flip(-1)) for k in range(4)]
    found = {tuple(view(x).flatten().tolist()) for view in VIEWS}
    assert found == {tuple(y.flatten().tolist()) for y in turned}
    assert len(found) == 8


@pytest.mark.parametrize(
    ("count", "corners"),
    # Mirrored: the right column; upside down: the lower row; both; turning swaps 2 and 0.
    [(2, [4, 0]), (4, [4, 0, 2, 0]), (8, [4, 0, 2, 0, 4, 2, 0, 0])],
)
def test_the_answer_is_the_mean_of_the_probabilities(count, corners):
    shares = [1 / (1 + np.exp(-corner)) for corner in corners]
    found = Views(Corner(), count).eval()(CORNER).softmax(1)
    assert found[0, 0].item() == pytest.approx(np.mean(shares))
    assert found.sum().item() == pytest.approx(1)


def test_training_sees_the_patch_alone():
    assert torch.equal(Views(Corner(), 8).train()(CORNER), Corner()(CORNER))


def test_another_number_of_views():
    assert COUNTS == (1, 2, 4, 8)
    with pytest.raises(InputError, match="one of 1, 2, 4, 8, got 3"):
        Views(Corner(), 3)


def test_a_bundle_with_views_does_not_mind_mirrors(make_store, tmp_path):
    store = make_store()
    config = TrainConfig(epochs=1, batch_size=10, lr=0.01, sample_rows=0)
    plan = Plan(model="compact", name="m", views=8)
    result = train(plan, store, config, tmp_path / "run").result
    rng = np.random.default_rng(0)
    patch = rng.integers(500, 3000, (1, 16, 16, 4)).astype(np.uint16)
    turned = np.rot90(patch, axes=(1, 2))[:, ::-1]
    engine = open_engine(result.bundle)
    answers = [engine.run(normalise(np.ascontiguousarray(x), result.spec)) for x in (patch, turned)]
    assert answers[0] == pytest.approx(answers[1], abs=1e-5)
