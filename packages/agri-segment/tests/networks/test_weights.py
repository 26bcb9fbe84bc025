import pytest
import torch
from agri_core.files.errors import InputError, MissingError
from agri_segment.networks import archs, pretrained

ENCODERS = ["resnet18", "vgg16", "inceptionv3", "mobilenet_v2"]


def snapshot(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def train_a_step(net):
    net.train()
    learns = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(learns, lr=0.01, weight_decay=0.1)
    net(torch.randn(2, 3, 64, 64)).square().mean().backward()
    optimizer.step()


@pytest.mark.parametrize("arch", ["unet", "deeplab"])
@pytest.mark.parametrize("encoder", ["resnet18", "vgg16", "inceptionv3"])
def test_a_frozen_encoder_is_bit_identical_after_a_step(arch, encoder):
    torch.manual_seed(0)
    net = archs.build(arch, bands=3, classes=3, encoder=encoder, frozen=True)
    before, decoder = snapshot(net.encoder), snapshot(net.net.decoder)
    train_a_step(net)
    after = snapshot(net.encoder)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any("running_mean" in name for name in before)
    assert any(not torch.equal(decoder[n], t) for n, t in snapshot(net.net.decoder).items())


def test_an_encoder_that_is_not_frozen_changes():
    torch.manual_seed(0)
    net = archs.build("unet", bands=3, classes=3, encoder="resnet18")
    before = snapshot(net.encoder)
    train_a_step(net)
    after = snapshot(net.encoder)
    assert not torch.equal(before["conv1.weight"], after["conv1.weight"])
    assert not torch.equal(before["bn1.running_mean"], after["bn1.running_mean"])


@pytest.mark.parametrize("encoder", ENCODERS)
def test_weights_from_a_file(encoder, tmp_path):
    torch.manual_seed(0)
    donor = archs.build("unet", bands=3, classes=3, encoder=encoder).encoder
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    torch.manual_seed(1)
    net = archs.build(
        "deeplab", bands=3, classes=2, encoder=encoder, weights=str(tmp_path / "w.pth")
    )
    given = donor.state_dict()
    assert all(torch.equal(given[name], t) for name, t in net.encoder.state_dict().items())


def test_named_bands_take_the_filter_of_their_colour(tmp_path):
    donor = archs.build("unet", bands=3, classes=3, encoder="resnet18").encoder
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    bands = ("B02", "B03", "B04", "B08")
    net = archs.build(
        "unet", bands=bands, classes=3, encoder="resnet18", weights=str(tmp_path / "w.pth")
    )
    theirs, ours = donor.conv1.weight, net.encoder.conv1.weight
    # ImageNet's channels are red, green, blue; four bands instead of three scale by 3 / 4.
    assert torch.allclose(ours[:, 2], theirs[:, 0] * 0.75)
    assert torch.allclose(ours[:, 0], theirs[:, 2] * 0.75)
    assert torch.allclose(ours[:, 3], theirs.mean(1) * 0.75)


def test_imagenet_weights_are_fetched_for_the_encoder(monkeypatch):
    torch.manual_seed(0)
    donor = archs.build("unet", bands=3, classes=3, encoder="resnet18").encoder.state_dict()
    asked = []

    def fetch(name):
        asked.append(name)
        return donor

    monkeypatch.setattr(archs, "fetch_imagenet", fetch)
    net = archs.build("unet", bands=3, classes=3, encoder="resnet18", weights="imagenet")
    assert asked == ["resnet18"]
    assert torch.equal(net.encoder.state_dict()["conv1.weight"], donor["conv1.weight"])


@pytest.mark.parametrize("encoder", [n for n in pretrained.ENCODERS if n != "inceptionv3"])
def test_every_encoder_has_published_weights(encoder):
    name = pretrained.ENCODERS[encoder].removesuffix("_dilatable")
    assert "imagenet" in pretrained.smp_encoders[name]["pretrained_settings"]


def test_imagenet_without_network_says_what_to_do(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(MissingError, match="--weights none"):
        archs.build("unet", bands=3, classes=3, encoder="resnet18", weights="imagenet")


def test_plain_has_no_imagenet_weights():
    with pytest.raises(MissingError, match="no ImageNet weights"):
        archs.build("plain", bands=3, classes=3, weights="imagenet")


def test_weights_of_another_encoder_are_refused(tmp_path):
    donor = archs.build("unet", bands=3, classes=3, encoder="resnet18").encoder
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    with pytest.raises(InputError, match="another encoder"):
        archs.build(
            "unet", bands=3, classes=3, encoder="mobilenet_v2", weights=str(tmp_path / "w.pth")
        )


def test_inception_takes_a_whole_classifier_file(tmp_path):
    from timm.models.inception_v3 import InceptionV3

    donor = InceptionV3(aux_logits=True)
    torch.save(donor.state_dict(), tmp_path / "w.pth")
    net = archs.build(
        "unet", bands=3, classes=3, encoder="inceptionv3", weights=str(tmp_path / "w.pth")
    )
    assert torch.equal(
        net.encoder.Mixed_7c.branch1x1.conv.weight, donor.Mixed_7c.branch1x1.conv.weight
    )
