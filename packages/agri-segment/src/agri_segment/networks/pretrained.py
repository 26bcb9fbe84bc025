"""U-Net and DeepLab with encoders that have published ImageNet weights.

The decoders, and ResNet and MobileNet, are those of segmentation-models-pytorch; InceptionV3 and
VGG are our own (`inception`, `vgg`), registered in its encoder table under the names below.
"""

from collections.abc import Mapping
from typing import Any

import segmentation_models_pytorch as smp
import torch.nn.functional as F  # noqa: N812
from agri_core.files.errors import InputError, SettingError
from segmentation_models_pytorch.encoders import encoders as smp_encoders
from segmentation_models_pytorch.encoders.vgg import cfg as vgg_layers
from torch import Tensor, nn

from agri_segment.networks.dilate import STRIDES
from agri_segment.networks.inception import InceptionV3Encoder
from agri_segment.networks.vgg import DilatableVGGEncoder

# The rates of ASPP at output stride 16 (DeepLabv3, Chen et al. 2017, arXiv:1706.05587, section 3.3;
# its image pooling is in the same section). A 3 x 3
# kernel of rate 18 spans 37 pixels of the map.
RATES = (6, 12, 18)
UPS = ("nearest", "bilinear")

# Our name of an encoder, and its name in the table of segmentation-models-pytorch.
ENCODERS: Mapping[str, str] = {
    "resnet18": "resnet18",
    "resnet50": "resnet50",
    "vgg16": "vgg16_bn_dilatable",
    "vgg19": "vgg19_bn_dilatable",
    "inceptionv3": "inceptionv3",
    "mobilenet_v2": "mobilenet_v2",
}


def build_unet(
    bands: int, outputs: int, encoder: str, *, up: str = "nearest", dropout: float = 0.0
) -> nn.Module:
    """Build a U-Net with a decoder that upsamples by `up`; `dropout` is before the head."""
    if up not in UPS:
        raise InputError(
            f"`up` of a U-Net with an encoder must be one of {', '.join(UPS)}, got '{up}'"
        )
    net: nn.Module = smp.Unet(
        ENCODERS[encoder],
        encoder_weights=None,
        decoder_interpolation=up,
        in_channels=bands,
        classes=outputs,
    )
    if dropout:
        head = net.get_submodule("segmentation_head")
        # Whole channels are dropped: neighbouring pixels are so alike that single ones can be
        # guessed.
        net.segmentation_head = nn.Sequential(nn.Dropout2d(dropout), head)
    return net


def build_deeplabv3(
    bands: int, outputs: int, encoder: str, *, stride: int = 16, dropout: float = 0.5
) -> nn.Module:
    """Build DeepLabv3 (Chen et al. 2017, arXiv 1706.05587), `dropout` in the ASPP projection."""
    return _deeplab(smp.DeepLabV3, bands, outputs, encoder, stride, dropout)


def build_deeplab(
    bands: int, outputs: int, encoder: str, *, stride: int = 16, dropout: float = 0.5
) -> nn.Module:
    """Build DeepLabv3+ (Chen et al. 2018, arXiv 1802.02611): 48 low-level channels at stride 4."""
    return _deeplab(smp.DeepLabV3Plus, bands, outputs, encoder, stride, dropout)


def fetch_imagenet(encoder: str) -> Mapping[str, Tensor]:
    """Download the published ImageNet weights of an encoder, or read them from the local cache."""
    if encoder == "inceptionv3":
        from timm import create_model

        state: Mapping[str, Tensor] = create_model("inception_v3", pretrained=True).state_dict()
        return state
    from huggingface_hub import hf_hub_download
    from safetensors.torch import load_file

    # The dilatable VGG has the layers of the plain one, so that its published weights fit.
    published = smp_encoders[ENCODERS[encoder].removesuffix("_dilatable")]
    where = published["pretrained_settings"]["imagenet"]
    path = hf_hub_download(where["repo_id"], "model.safetensors", revision=where["revision"])
    return dict(load_file(path))


class PooledNorm(nn.BatchNorm2d):
    """Batch norm of a globally pooled map, which has one value per channel and image.

    A batch of one has no variance, so it uses the running statistics: otherwise a last batch of one
    chip would stop the training.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `(N, C, 1, 1)`."""
        if self.training and x.shape[0] == 1:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
            )
        return super().forward(x)


def _deeplab(
    kind: Any, bands: int, outputs: int, encoder: str, stride: int, dropout: float
) -> nn.Module:
    if stride not in STRIDES:
        raise SettingError("stride", f"of DeepLab is 8 or 16, got {stride}")
    net: nn.Module = kind(
        ENCODERS[encoder],
        encoder_weights=None,
        encoder_output_stride=stride,
        decoder_atrous_rates=RATES,
        decoder_aspp_dropout=dropout,
        in_channels=bands,
        classes=outputs,
    )
    for module in net.modules():
        if isinstance(module, smp.decoders.deeplabv3.decoder.ASPPPooling):
            module[2] = PooledNorm(module[2].num_features)
    return net


def _register() -> None:
    # The table is the library's documented way to add an encoder.
    widths = [64, 128, 256, 512, 512, 512]
    for name, layers in (("vgg16", "D"), ("vgg19", "E")):
        params = {"out_channels": widths, "config": vgg_layers[layers], "batch_norm": True}
        smp_encoders[ENCODERS[name]] = {
            "encoder": DilatableVGGEncoder,
            "pretrained_settings": {},
            "params": params,
        }
    smp_encoders[ENCODERS["inceptionv3"]] = {
        "encoder": InceptionV3Encoder,
        "pretrained_settings": {},
        "params": {},
    }


_register()
