from typing import get_args

import pytest
import torch
from agri_classify.choices import NetworkName
from agri_classify.training.networks.compact import Block, Compact
from agri_classify.training.networks.networks import build, names, parameters
from agri_core.files.errors import InputError, MissingError
from agri_train.network.freeze import frozen_stages
from torch import nn
from torchvision import models

BANDS = ("B02", "B03", "B04", "B08")
MIB = 2**20


@pytest.mark.parametrize("name", names())
def test_every_network_takes_any_bands(name):
    net = build(name, BANDS, 6).eval()
    with torch.no_grad():
        assert net(torch.zeros(2, 4, 64, 64)).shape == (2, 6)


def test_the_head_of_the_wide_network():
    with torch.device("meta"):
        head = build("wide_resnet50_2", ("B04", "B03", "B02"), 10).fc
    kinds = [type(part) for part in head]
    assert kinds == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert (head[0].in_features, head[0].out_features) == (2048, 256)
    assert (head[2].p, head[3].out_features) == (0.5, 10)


def test_a_head_without_an_inner_layer():
    net = build("resnet18", BANDS, 6, hidden=0, dropout=0.25)
    assert [type(part) for part in net.fc] == [nn.Dropout, nn.Linear]
    # 11,176,512 in torchvision's body with 3 bands, 64 x 7 x 7 more for the fourth, and the head.
    assert parameters(net) == 11_176_512 + 64 * 49 + 512 * 6 + 6


def test_compact_fits_its_box_and_loses_no_pixel():
    net = Compact(3, 10)
    assert parameters(net) * 4 < 12 * MIB
    # Blocks begin as their shortcut; ours averages, so each pixel of the patch counts.
    image = torch.zeros(1, 3, 64, 64, requires_grad=True)
    net.eval()(image + 1).sum().backward()
    assert (image.grad.abs().sum(1) > 0).all()


def test_a_block_begins_as_its_shortcut():
    block = Block(4, 4, 1).eval()
    x = torch.randn(2, 4, 8, 8)
    with torch.no_grad():
        assert torch.equal(block(x), x.relu())


def test_compact_of_odd_stages_is_refused():
    with pytest.raises(InputError, match="a width and a depth per stage"):
        Compact(3, 10, widths=(8, 16), depths=(1,))


def test_weights_from_a_file_are_fitted_to_the_bands(tmp_path):
    torch.manual_seed(0)
    source = models.resnet18(weights=None)
    torch.save(source.state_dict(), tmp_path / "r18.pth")
    net = build("resnet18", BANDS, 6, weights=str(tmp_path / "r18.pth"))
    red, mean = source.conv1.weight[:, 0], source.conv1.weight.mean(1)
    # B04 is red; B08 has no colour, so it takes the mean; 3 / 4 keeps the size of activations.
    assert torch.allclose(net.conv1.weight[:, 2], red * 0.75)
    assert torch.allclose(net.conv1.weight[:, 3], mean * 0.75)
    assert torch.equal(net.layer4[1].conv2.weight, source.layer4[1].conv2.weight)


def test_weights_that_do_not_fit(tmp_path):
    torch.save(models.resnet18(weights=None).state_dict(), tmp_path / "r18.pth")
    with pytest.raises(InputError, match="another encoder"):
        build("resnet50", BANDS, 6, weights=str(tmp_path / "r18.pth"))
    with pytest.raises(MissingError, match="no weights file"):
        build("resnet18", BANDS, 6, weights=str(tmp_path / "none.pth"))
    with pytest.raises(MissingError, match="no ImageNet weights for this encoder"):
        build("compact", BANDS, 6, weights="imagenet")


@pytest.mark.parametrize("name", ["compact", "resnet18"])
def test_a_frozen_body_stands_still(name):
    net = build(name, BANDS, 3, frozen=True).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    learns = [parameter for parameter in net.parameters() if parameter.requires_grad]
    step = torch.optim.SGD(learns, lr=0.1)
    net(torch.randn(4, 4, 32, 32)).square().sum().backward()
    step.step()
    after = net.state_dict()
    head = "head." if name == "compact" else "fc."
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed
    assert all(key.startswith(head) for key in changed)


def test_wrong_requests():
    with pytest.raises(InputError, match=r"one of compact, .*, got 'resnet19'"):
        build("resnet19", BANDS, 6)
    with pytest.raises(InputError, match="2 classes or more"):
        build("compact", BANDS, 1)
    with pytest.raises(InputError, match="`dropout` must be from 0 to below 1, got"):
        build("compact", BANDS, 2, dropout=1.0)


def test_a_single_band_is_copied_to_three_channels(tmp_path):
    torch.manual_seed(0)
    torch.save(models.resnet18(weights=None).state_dict(), tmp_path / "r18.pth")
    options = {"weights": str(tmp_path / "r18.pth"), "dropout": 0.0}
    torch.manual_seed(1)
    one = build("resnet18", ("B08",), 6, **options).eval()
    torch.manual_seed(1)
    three = build("resnet18", ("B04", "B03", "B02"), 6, **options).eval()
    band = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(one(band), three(torch.cat([band, band, band], 1)))


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        # The four stages from the last, then the first convolution with its norm.
        ("resnet18", [["layer4"], ["layer3"], ["layer2"], ["layer1"], ["conv1", "bn1"]]),
        ("compact", [["stages.3"], ["stages.2"], ["stages.1"], ["stages.0"], ["stem"]]),
    ],
)
def test_the_stages_in_which_a_body_wakes(name, groups):
    net = build(name, BANDS, 3, frozen=True)
    known = {id(part): key for key, part in net.named_modules()}
    assert [[known[id(part)] for part in group] for group in frozen_stages(net)] == groups
    # MobileNet's body is one long chain: each of its 13 blocks is a stage.
    assert len(frozen_stages(build("mobilenet", BANDS, 3, frozen=True))) == 13


def test_the_choices_of_the_command_lines_are_the_networks():
    assert get_args(NetworkName) == names()
