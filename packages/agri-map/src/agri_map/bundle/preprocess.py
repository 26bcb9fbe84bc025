"""From pixel values to network input: the one function that training and use share."""

from typing import Any

import numpy as np
from agri_core.files.errors import InputError
from numpy.typing import NDArray

from agri_map.bundle.spec import BundleSpec


def normalise(
    image: NDArray[Any], spec: BundleSpec, valid: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Scale `(..., H, W, C)` values in the unit of the spec to `(..., C, H, W)` network input.

    Every value becomes `(float32(value) - float32(mean)) / float32(std)`, all in float32 and
    element by element, so the result does not depend on how an image was cut or batched. Pixels
    that are not `valid`, and values that are not finite, become 0: the mean of the band.

    Args:
        image: Pixel values, channels in the order of `spec.bands`; any real dtype.
        spec: The bundle spec.
        valid: `(..., H, W)`, False where the pixel is not to be trusted; all valid when omitted.

    Returns:
        A new C-contiguous float32 array.

    Raises:
        InputError: The number of channels is not that of the spec, or the shapes do not match.

    Example:
        >>> from agri_core.legend import Legend
        >>> legend = Legend.of(["other", "arable"])
        >>> spec = BundleSpec(
        ...     name="tiny", task="segment", bands=("B04", "B08"), unit="dn",
        ...     mean=(1000, 2000), std=(500, 1000), legend=legend,
        ... )
        >>> normalise(np.array([[[1500, 1000]]]), spec).ravel().tolist()
        [1.0, -1.0]
    """
    image = np.asarray(image)
    if image.ndim < 3 or image.shape[-1] != len(spec.bands):
        raise InputError(
            f"expected an image of shape (..., H, W, {len(spec.bands)}) for the bands "
            f"{', '.join(spec.bands)}, got shape {image.shape}"
        )
    if valid is not None and valid.shape != image.shape[:-1]:
        raise InputError(f"valid must have shape {image.shape[:-1]}, got {valid.shape}")
    out = np.empty((*image.shape[:-3], len(spec.bands), *image.shape[-3:-1]), np.float32)
    for band, (mean, std) in enumerate(zip(spec.mean, spec.std, strict=True)):
        plane = out[..., band, :, :]
        plane[...] = image[..., band]
        plane -= np.float32(mean)
        plane /= np.float32(std)
        if valid is not None:
            plane[~valid] = 0
    if image.dtype.kind == "f":
        np.nan_to_num(out, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return out
