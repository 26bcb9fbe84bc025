"""VGG encoders for DeepLab: pooling strides are replaced by dilation, as in DeepLab (2015).

Both are the batch-norm variants: without it a VGG hardly trains from random weights, and the
ImageNet weights of both variants are published.
"""

from segmentation_models_pytorch.encoders.vgg import VGGEncoder
from torch import nn

from agri_segment.networks.dilate import dilate


class DilatableVGGEncoder(VGGEncoder):  # type: ignore[misc]
    """VGG of segmentation-models-pytorch with output strides of 8 and 16."""

    def get_stages(self) -> dict[int, list[nn.Module]]:
        """Return the layers from each pool up to the next one, by the stride after the pool."""
        pools = [i for i, layer in enumerate(self.features) if isinstance(layer, nn.MaxPool2d)]
        ends = [*pools[1:], len(self.features)]
        return {
            2**number: list(self.features[start:end])
            for number, (start, end) in enumerate(zip(pools, ends, strict=True), start=1)
        }

    def make_dilated(self, output_stride: int) -> None:
        """Limit the stride to `output_stride` (8 or 16) and dilate the later kernels."""
        dilate(self.get_stages(), output_stride)
