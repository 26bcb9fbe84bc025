import pytest
import torch
from agri_core.files.errors import InputError
from agri_segment.networks import archs
from agri_segment.networks.unet import PRESETS, PlainUNet, UNetConfig, parameter_count

PAIRS = [
    (name, encoder) for name in archs.names() for encoder in archs.find(name).encoders or [None]
]


def changed_output(net, image):
    net.eval()
    with torch.no_grad():
        return net(image)


@pytest.mark.parametrize(("arch", "encoder"), PAIRS)
def test_every_advertised_pair_runs_at_odd_sizes_and_trains_its_encoder(arch, encoder):
    torch.manual_seed(0)
    net = archs.build(arch, bands=4, classes=3, encoder=encoder)
    logits = net(torch.randn(2, 4, 70, 85))
    assert logits.shape == (2, 3, 70, 85)
    logits.square().mean().backward()
    gradients = [p.grad for p in net.encoder.parameters()]
    assert all(g is not None and torch.isfinite(g).all() for g in gradients)
    assert gradients[0].abs().max() > 0


@pytest.mark.parametrize(("arch", "encoder"), PAIRS)
def test_every_pair_keeps_the_size_of_a_small_chip(arch, encoder):
    with torch.device("meta"):
        net = archs.build(arch, bands=3, classes=2, encoder=encoder)
        assert net(torch.empty(2, 3, 64, 64)).shape == (2, 1, 64, 64)


@pytest.mark.parametrize("bands", [1, 3, 4, 7, 12, 13])
@pytest.mark.parametrize("encoder", ["resnet18", "vgg16", "inceptionv3", "mobilenet_v2"])
def test_any_band_count(encoder, bands):
    with torch.device("meta"):
        net = archs.build("unet", bands=bands, classes=6, encoder=encoder)
        assert net(torch.empty(1, bands, 64, 64)).shape == (1, 6, 64, 64)


@pytest.mark.parametrize("size", [(1, 1), (5, 200), (33, 31)])
def test_tiny_and_long_images(size):
    net = archs.build("deeplab", bands=2, classes=2, encoder="mobilenet_v2").eval()
    assert net(torch.randn(1, 2, *size)).shape == (1, 1, *size)


def test_padding_does_not_change_a_whole_image():
    torch.manual_seed(0)
    net = archs.build("plain", bands=2, classes=2, filters=4, depth=2)
    image = torch.randn(1, 2, 16, 24)
    assert torch.equal(changed_output(net, image), changed_output(net.net, image))


@pytest.mark.parametrize(
    ("preset", "bands", "outputs", "count"),
    [
        ("small", 3, 1, 7_771_873),
        ("simple", 3, 3, 34_513_475),
        ("vanilla", 3, 3, 31_067_043),
        ("vanilla", 12, 3, 31_069_635),
        ("wide", 3, 3, 124_424_995),
    ],
)
def test_presets_have_the_published_parameter_counts(preset, bands, outputs, count):
    with torch.device("meta"):
        net = PlainUNet(bands, outputs, PRESETS[preset])
    assert parameter_count(net) == count


def test_vanilla_has_the_published_trained_parameters():
    # 31,067,043 in all, of which 2 x 4,768 are means and variances of batch norms.
    with torch.device("meta"):
        net = PlainUNet(3, 3, PRESETS["vanilla"])
    assert sum(p.numel() for p in net.parameters()) == 31_057_507


@pytest.mark.parametrize("up", ["transposed", "bilinear", "nearest"])
@pytest.mark.parametrize("kernel", [2, 3])
@pytest.mark.parametrize("norm", ["none", "conv", "stage"])
def test_plain_unet_variants_keep_the_size_and_train_every_level(up, kernel, norm):
    torch.manual_seed(0)
    config = UNetConfig((4, 8), 16, up=up, kernel=kernel, norm=norm, dropout=0.1)
    net = PlainUNet(2, 3, config)
    logits = net(torch.randn(2, 2, 16, 8))
    assert logits.shape == (2, 3, 16, 8)
    logits.square().mean().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert all(block[0].weight.grad.abs().max() > 0 for block in net.encoder.blocks)


def test_doubling_filters():
    config = UNetConfig.doubling(16, 3)
    assert (config.filters, config.bottleneck, config.convs) == ((16, 32, 64), 128, (2, 2, 2))


@pytest.mark.parametrize(
    "wrong",
    [{"dropout": 1.0}, {"kernel": 5}, {"up": "magic"}, {"norm": "x"}, {"convs": (2,)}],
)
def test_wrong_shapes_of_a_plain_unet_are_refused(wrong):
    with pytest.raises(InputError):
        UNetConfig(**wrong)


def test_two_classes_share_one_logit():
    assert (archs.head_of(2), archs.head_of(3)) == ("binary", "multiclass")
    assert archs.build("plain", bands=1, classes=2, filters=2, depth=1).net.head.out_channels == 1
    assert archs.build("plain", bands=1, classes=3, filters=2, depth=1).net.head.out_channels == 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"arch": "deeplap"}, ["plain", "deeplabv3", "did you mean 'deeplab'?"]),
        ({"arch": "unet", "encoder": "resnet5"}, ["inceptionv3", "did you mean 'resnet50'?"]),
        (
            {"arch": "plain", "encoder": "resnet50"},
            ["of 'plain', which has its own; omit 'resnet50'"],
        ),
        ({"arch": "plain", "preset": "smal"}, ["vanilla", "did you mean 'small'?"]),
        ({"arch": "deeplab", "stride": 4}, ["8 or 16", "4"]),
        ({"arch": "unet", "stride": 8}, ["unet", "stride"]),
        ({"arch": "unet", "up": "transposed"}, ["nearest, bilinear"]),
    ],
)
def test_a_wrong_name_lists_the_choices(call, words):
    with pytest.raises(InputError) as error:
        archs.build(**{"bands": 3, "classes": 3, **call})
    assert all(word in str(error.value) for word in words), str(error.value)


@pytest.mark.parametrize("encoder", ["resnet18", "vgg16", "inceptionv3", "mobilenet_v2"])
@pytest.mark.parametrize(("stride", "side"), [(8, 8), (16, 4)])
def test_deeplab_keeps_the_map_at_the_output_stride(encoder, stride, side):
    with torch.device("meta"):
        net = archs.build("deeplab", bands=3, classes=3, encoder=encoder, stride=stride)
        assert net.encoder(torch.empty(1, 3, 64, 64))[-1].shape[-2:] == (side, side)
        assert net(torch.empty(2, 3, 64, 64)).shape == (2, 3, 64, 64)


def test_deeplab_low_level_features_and_rates():
    with torch.device("meta"):
        net = archs.build("deeplab", bands=3, classes=3, encoder="resnet50").net
    assert net.decoder.block1[0].out_channels == 48
    rates = [net.decoder.aspp[0].convs[i][0][0].dilation[0] for i in (1, 2, 3)]
    assert rates == [6, 12, 18]


@pytest.mark.parametrize("arch", ["deeplab", "deeplabv3"])
def test_a_batch_of_one_trains_deeplab(arch):
    net = archs.build(arch, bands=3, classes=3, encoder="resnet18").train()
    assert torch.isfinite(net(torch.randn(1, 3, 64, 64))).all()


def test_inception_skips_lie_at_every_stride():
    from agri_segment.networks.inception import InceptionV3Encoder

    encoder = InceptionV3Encoder().eval()
    with torch.no_grad():
        maps = encoder(torch.randn(1, 3, 96, 64))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (3, 96, 64),
        (64, 48, 32),
        (192, 24, 16),
        (288, 12, 8),
        (768, 6, 4),
        (2048, 3, 2),
    ]


def test_inception_loads_the_weights_of_a_classifier_and_agrees_with_it():
    """Far from the border the padded net computes what timm's valid-padded one does."""
    from agri_segment.networks.inception import InceptionV3Encoder
    from timm.models.inception_v3 import InceptionV3

    torch.manual_seed(0)
    theirs = InceptionV3(aux_logits=True).eval()
    ours = InceptionV3Encoder().eval()
    ours.load_state_dict(theirs.state_dict())
    # The stem up to stride 2: valid padding in 1a shifts timm's window by one pixel.
    image = torch.randn(1, 3, 65, 65)
    shifted = image[..., 1:, 1:]
    with torch.no_grad():
        reference = theirs.Conv2d_2b_3x3(theirs.Conv2d_2a_3x3(theirs.Conv2d_1a_3x3(shifted)))
        found = ours(image)[1]
    # Their output i sits on our output i + 2: one row lost by 1a, one by 2a.
    assert torch.allclose(found[..., 4:26, 4:26], reference[..., 2:24, 2:24], atol=1e-4)


def test_vgg_is_the_batch_norm_variant():
    with torch.device("meta"):
        net = archs.build("unet", bands=3, classes=3, encoder="vgg19")
    assert sum(isinstance(m, torch.nn.BatchNorm2d) for m in net.encoder.modules()) == 16
