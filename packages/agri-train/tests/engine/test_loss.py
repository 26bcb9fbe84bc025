import math

import pytest
import torch
from agri_core.files.errors import InputError
from agri_train.engine.loss import build_loss
from segmentation_models_pytorch.losses import DiceLoss
from torch.nn import functional

MULTI = ("ce", "dice", "jaccard", "tversky", "ce+dice")
BINARY = ("bce", "dice", "jaccard", "tversky", "bce+dice")
SURE = 200.0


def one_hot(classes: torch.Tensor, count: int) -> torch.Tensor:
    return functional.one_hot(classes, count).movedim(-1, 1).float()


def test_cross_entropy_by_hand():
    # softmax of (ln 3, 0) is (3/4, 1/4); truth 0 costs ln(4/3), truth 1 costs ln 4.
    logits = torch.tensor([[[[math.log(3), math.log(3)]], [[0.0, 0.0]]]])
    value = build_loss("ce", "multiclass", 2)(logits, torch.tensor([[[0, 1]]]))
    assert value.item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2, abs=1e-6)


def test_binary_cross_entropy_by_hand():
    # sigmoid(ln 3) = 3/4: truth 1 costs ln(4/3), truth 0 costs ln 4.
    logits = torch.full((1, 1, 1, 2), math.log(3))
    value = build_loss("bce", "binary", 2)(logits, torch.tensor([[[1, 0]]]))
    assert value.item() == pytest.approx((math.log(4 / 3) + math.log(4)) / 2, abs=1e-6)


def test_binary_dice_by_hand():
    # p = 3/4, 3/4, 1/4; truth 1, 0, 1: I = 1, P = 7/4, T = 2, dice = 2 / (15/4) = 8/15.
    logits = torch.tensor([[[[math.log(3), math.log(3), -math.log(3)]]]])
    truth = torch.tensor([[[1, 0, 1]]])
    assert build_loss("dice", "binary", 2)(logits, truth).item() == pytest.approx(7 / 15, abs=1e-6)
    # I / (P + T - I) = 1 / (11/4) = 4/11
    value = build_loss("jaccard", "binary", 2)(logits, truth)
    assert value.item() == pytest.approx(7 / 11, abs=1e-6)
    # TP = 1, FP = 3/4, FN = 1: 1 / (1 + 0.3 * 3/4 + 0.7) = 1 / 1.925
    value = build_loss("tversky", "binary", 2)(logits, truth)
    assert value.item() == pytest.approx(1 - 1 / 1.925, abs=1e-6)


def test_multiclass_dice_by_hand_leaves_out_the_absent_class():
    # Uniform thirds, truth 0, 0, 1. Class 0: I = 2/3, P = 1, T = 2, dice 4/9.
    # Class 1: I = 1/3, P = 1, T = 1, dice 1/3. Class 2 is absent. 1 - (4/9 + 1/3) / 2 = 11/18.
    value = build_loss("dice", "multiclass", 3)(
        torch.zeros(1, 3, 1, 3), torch.tensor([[[0, 0, 1]]])
    )
    assert value.item() == pytest.approx(11 / 18, abs=1e-6)


def test_sum_of_terms_is_the_sum():
    logits, truth = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    both = build_loss("ce+dice", "multiclass", 3)(logits, truth)
    each = [build_loss(n, "multiclass", 3)(logits, truth) for n in ("ce", "dice")]
    assert both.item() == pytest.approx(sum(v.item() for v in each), abs=1e-6)


@pytest.mark.parametrize("name", MULTI)
def test_perfect_is_0_multiclass(name):
    truth = torch.randint(0, 3, (2, 4, 4))
    value = build_loss(name, "multiclass", 3)(SURE * one_hot(truth, 3), truth)
    assert value.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", BINARY)
def test_perfect_is_0_binary(name):
    truth = torch.randint(0, 2, (2, 4, 4))
    value = build_loss(name, "binary", 2)(SURE * (2.0 * truth[:, None] - 1), truth)
    assert value.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["dice", "jaccard", "tversky"])
def test_worst_is_1(name):
    truth = torch.tensor([[[0, 1, 2, 1]]])
    wrong = SURE * one_hot((truth + 1) % 3, 3)
    assert build_loss(name, "multiclass", 3)(wrong, truth).item() == pytest.approx(1, abs=1e-6)
    two = torch.tensor([[[0, 1, 0, 1]]])
    wrong = SURE * (1 - 2.0 * two[:, None])
    assert build_loss(name, "binary", 2)(wrong, two).item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("head", "names"), [("multiclass", MULTI), ("binary", BINARY)])
def test_ignored_pixels_have_no_gradient_and_no_effect(head, names):
    channels, classes = (1, 2) if head == "binary" else (3, 3)
    for name in names:
        logits = torch.randn(2, channels, 4, 4, requires_grad=True)
        truth = torch.randint(0, classes, (2, 4, 4))
        truth[:, 1] = 255
        loss = build_loss(name, head, classes)
        value = loss(logits, truth)
        value.backward()
        assert (logits.grad[:, :, 1] == 0).all(), name
        assert (logits.grad[:, :, 0] != 0).any(), name
        other = logits.detach().clone()
        other[:, :, 1] = 1e4
        assert loss(other, truth).item() == pytest.approx(value.item(), abs=1e-6)


@pytest.mark.parametrize(("head", "names"), [("multiclass", MULTI), ("binary", BINARY)])
def test_a_batch_of_ignored_pixels_costs_nothing(head, names):
    channels, classes = (1, 2) if head == "binary" else (3, 3)
    for name in names:
        logits = torch.randn(1, channels, 2, 2, requires_grad=True)
        value = build_loss(name, head, classes)(logits, torch.full((1, 2, 2), 255))
        value.backward()
        assert value.item() == 0
        assert (logits.grad == 0).all()


def test_class_weights_equal_torch():
    logits, truth = torch.randn(2, 3, 4, 4), torch.randint(0, 3, (2, 4, 4))
    truth[0, 0] = 255
    weights = (0.4, 2.2, 0.4)
    ours = build_loss("ce", "multiclass", 3, weights=weights)(logits, truth)
    theirs = functional.cross_entropy(logits, truth, torch.tensor(weights), ignore_index=255)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-6)


def test_class_weights_of_dice_by_hand():
    # As above 5/9 for class 0 and 2/3 for class 1; class 2 is absent, whatever its weight.
    logits, truth = torch.zeros(1, 3, 1, 3), torch.tensor([[[0, 0, 1]]])
    value = build_loss("dice", "multiclass", 3, weights=(0.5, 2.0, 9.0))(logits, truth)
    assert value.item() == pytest.approx((0.5 * 5 / 9 + 2 * 2 / 3) / 2.5, abs=1e-6)


def test_a_binary_dice_has_one_weight():
    logits = torch.tensor([[[[math.log(3), math.log(3), -math.log(3)]]]])
    truth = torch.tensor([[[1, 0, 1]]])
    for weights, expected in (((5.0, 2.0), 7 / 15), ((5.0, 0.0), 0)):
        value = build_loss("dice", "binary", 2, weights=weights)(logits, truth)
        assert value.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["ce", "dice", "ce+tversky"])
def test_class_weights_are_of_the_settings_and_not_of_the_checkpoint(name):
    loss = build_loss(name, "multiclass", 2, weights=(1, 2))
    assert list(loss.state_dict()) == []
    assert [term.weights.tolist() for term in loss.terms] == [[1.0, 2.0]] * len(loss.terms)
    assert all(term.weights.dtype == torch.float32 for term in loss.terms)


@pytest.mark.parametrize(
    ("name", "head", "resolved"),
    [("auto", "multiclass", "ce"), ("auto", "binary", "bce"), ("ce+dice", "multiclass", "ce+dice")],
)
def test_auto_is_the_cross_entropy_of_the_head(name, head, resolved):
    assert build_loss(name, head, 2).name == resolved


def test_dice_equals_an_independent_implementation():
    logits, truth = torch.randn(2, 3, 8, 8), torch.randint(0, 3, (2, 8, 8))
    theirs = DiceLoss("multiclass", eps=1e-12)(logits, truth)
    ours = build_loss("dice", "multiclass", 3)(logits, truth)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-6)


@pytest.mark.parametrize("name", MULTI)
def test_sums_of_batches_add_up(name):
    logits, truth = torch.randn(5, 3, 4, 4).double(), torch.randint(0, 3, (5, 4, 4))
    loss = build_loss(name, "multiclass", 3)
    split = loss.sums(logits[:4], truth[:4]) + loss.sums(logits[4:], truth[4:])
    assert loss.compute(split).item() == pytest.approx(loss(logits, truth).item(), abs=1e-6)


def test_patches_take_the_same_losses():
    logits, truth = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    value = build_loss("ce", "multiclass", 3)(logits, truth)
    expected = functional.cross_entropy(logits, truth)
    assert value.item() == pytest.approx(expected.item(), abs=1e-6)
    assert build_loss("ce+dice", "multiclass", 3)(logits, truth) > value


def test_computed_in_float32_under_autocast():
    logits, truth = torch.randn(1, 3, 4, 4), torch.randint(0, 3, (1, 4, 4))
    loss = build_loss("ce+dice", "multiclass", 3)
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(logits.bfloat16(), truth)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(loss(logits.bfloat16().float(), truth).item(), abs=1e-7)


@pytest.mark.parametrize(
    ("name", "head", "classes", "says"),
    [
        ("ce", "binary", 2, "The loss `ce` does not fit a binary head: `ce` needs one logit per "
         "class. Use 'bce' or `auto`."),
        ("bce", "multiclass", 3, "The loss `bce` does not fit a multiclass head: `bce` needs a "
         "single logit. Use 'ce' or `auto`."),
        ("bce+dice", "multiclass", 2, "The loss `bce+dice` does not fit a multiclass head: `bce` "
         "needs a single logit. Use 'ce+dice' or `auto`."),
    ],
)  # fmt: skip
def test_a_wrong_pair_is_refused_at_construction(name, head, classes, says):
    with pytest.raises(InputError) as told:
        build_loss(name, head, classes)
    assert str(told.value) == says


@pytest.mark.parametrize("weights", [(0, 0, 0), (-1, 2, 1), (1, 1), (1, 1, 1, 1)])
def test_wrong_class_weights_are_refused(weights):
    with pytest.raises(InputError, match="must be 3 numbers >= 0, one per class, not all 0"):
        build_loss("ce", "multiclass", 3, weights=weights)


@pytest.mark.parametrize("weights", [(0, 1, 0), (0.5, 0.5, 0.5)])
def test_class_weights_may_be_0_or_small(weights):
    assert build_loss("ce", "multiclass", 3, weights=weights).terms[0].weights is not None


@pytest.mark.parametrize(("count", "says"), [(100, "Unknown loss"), (101, "has 101 characters")])
def test_a_loss_that_is_too_long_is_not_repeated(count, says):
    with pytest.raises(InputError, match=says):
        build_loss("x" * count, "multiclass", 3)


def test_other_wrong_requests_are_refused():
    with pytest.raises(InputError, match="Choices for a multiclass head: auto, ce, dice"):
        build_loss("dise", "multiclass", 3)
    with pytest.raises(InputError, match="exactly 2 classes; received 3"):
        build_loss("bce", "binary", 3)
    with pytest.raises(InputError, match="A multiclass head needs at least 2 classes; received 1"):
        build_loss("ce", "multiclass", 1)
    with pytest.raises(InputError, match="3 numbers >= 0"):
        build_loss("ce", "multiclass", 3, weights=(1.0, 2.0))
    with pytest.raises(InputError, match="`head` must be one of"):
        build_loss("ce", "softmax", 3)


def test_a_network_with_the_other_head_is_refused():
    truth = torch.zeros(1, 4, 4).long()
    with pytest.raises(InputError, match=r"expects logits \(1, 3, 4, 4\); received \(1, 1, 4, 4\)"):
        build_loss("ce", "multiclass", 3)(torch.zeros(1, 1, 4, 4), truth)
    with pytest.raises(InputError, match="matching head"):
        build_loss("bce", "binary", 2)(torch.zeros(1, 2, 4, 4), truth)


def test_smoothing_by_hand_and_only_while_training():
    loss = build_loss("ce", "multiclass", 2, label_smoothing=0.2)
    logits, truth = torch.tensor([[math.log(3.0), 0.0]]), torch.tensor([0])
    # p = (3/4, 1/4); the truth becomes (0.9, 0.1).
    expected = -(0.9 * math.log(0.75) + 0.1 * math.log(0.25))
    assert float(loss(logits, truth)) == pytest.approx(expected, rel=1e-6)
    assert float(loss.eval()(logits, truth)) == pytest.approx(-math.log(0.75), rel=1e-6)


def test_smoothing_of_a_loss_without_cross_entropy_is_refused():
    with pytest.raises(InputError, match="needs the loss term `ce`; the loss is 'dice'"):
        build_loss("dice", "multiclass", 3, label_smoothing=0.1)
