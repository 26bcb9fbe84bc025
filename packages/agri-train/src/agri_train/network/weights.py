"""Pretrained encoder weights: `none`, `imagenet`, or a local file; only `imagenet` downloads.

A first convolution made for red, green and blue is adapted to any bands: a Sentinel-2 band that is
red, green or blue (B04, B03, B02, or the plain names) gets the filter of its colour, every other
band the mean of the three, and all are scaled by 3 / bands so that activations keep their scale.
For a number of bands without names, the three filters are repeated.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from agri_core.files.errors import InputError, MissingError
from torch import Tensor, nn

State = Mapping[str, Tensor]
Fetch = Callable[[], State]

_COLOURS = {"B04": 0, "B03": 1, "B02": 2, "red": 0, "green": 1, "blue": 2, "R": 0, "G": 1, "B": 2}
_CHECKPOINT_PREFIXES = tuple(
    kept + inner
    for kept in ("ema.module.", "net.")
    for inner in ("", "encoder.", "net.", "net.net.")
)
"""Prefixes of a network in our checkpoints, the moving average first; it may be wrapped."""

_PREFIXES = (
    "",
    *_CHECKPOINT_PREFIXES,
    "module.",
    "model.",
    "model.encoder.",
    "encoder.",
    "backbone.",
)


def load_encoder_weights(
    encoder: nn.Module,
    source: str,
    bands: Sequence[str] | int,
    fetch: Fetch | None = None,
) -> int:
    """Load pretrained weights into an encoder and return how many tensors were set.

    Args:
        encoder: the module to fill; its first convolution already has one channel per band.
        source: `none`, `imagenet`, or the path of a `.safetensors` or torch state-dict file.
        bands: band names in channel order, or their number.
        fetch: returns ImageNet weights; called for `imagenet` only, and may use the network.

    Raises:
        MissingError: the file does not exist, or ImageNet weights are not available.
        InputError: the file is not a state dict, or its shapes do not match the encoder.
    """
    if source == "none":
        return 0
    state = _imagenet(fetch) if source == "imagenet" else read_state(Path(source))
    return _fill(encoder, state, bands, source)


def read_state(path: Path) -> dict[str, Tensor]:
    """Read named tensors from a file; code in the file is never run.

    Raises:
        MissingError: the file does not exist.
        InputError: it is not a state dict.
    """
    if not path.is_file():
        raise MissingError(
            f"There is no weights file {path}. Give `none`, `imagenet`, or the path of a "
            ".safetensors or .pth file."
        )
    try:
        state = _read(path)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError) as error:
        raise InputError(
            f"{path} is not a weights file ({_first_line(error)}). Expected .safetensors or a "
            "torch state dict that loads with weights_only=True."
        ) from error
    tensors = {name: value for name, value in state.items() if isinstance(value, Tensor)}
    if not tensors:
        raise InputError(f"{path} holds no named tensors; expected a state dict.")
    return tensors


def adapt_input(weight: Tensor, bands: Sequence[str] | int) -> Tensor:
    """Adapt a first convolution `(out, 3, kh, kw)` to bands by the rule of this module."""
    names = [""] * bands if isinstance(bands, int) else list(bands)
    if weight.shape[1] == len(names):
        return weight
    if isinstance(bands, int):
        picked = [weight[:, i % weight.shape[1]] for i in range(bands)]
    else:
        mean = weight.mean(dim=1)
        picked = [weight[:, _COLOURS[n]] if n in _COLOURS else mean for n in names]
    return torch.stack(picked, dim=1) * (weight.shape[1] / len(names))


def _imagenet(fetch: Fetch | None) -> State:
    help_text = "Use `--weights none` for random weights, or the path of a weights file."
    if fetch is None:
        raise MissingError(f"There are no ImageNet weights for this encoder. {help_text}")
    try:
        return fetch()
    # A hub client raises nearly anything without a network; the cause is kept.
    except Exception as error:
        raise MissingError(
            f"The ImageNet weights could not be downloaded ({_first_line(error)}). {help_text}"
        ) from error


def _read(path: Path) -> dict[str, object]:
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(path))
        except SafetensorError as error:
            raise ValueError(str(error)) from error
    content = torch.load(path, map_location="cpu", weights_only=True)
    inner = content.get("state_dict", content) if isinstance(content, dict) else {}
    return {str(name): value for name, value in inner.items()}


def _fill(encoder: nn.Module, state: State, bands: Sequence[str] | int, source: str) -> int:
    own = encoder.state_dict()
    given = _match_names(state, set(own))
    first = first_convolution(encoder)
    if first in given and given[first].ndim == 4 and given[first].shape[1] == 3:
        given[first] = adapt_input(given[first], bands)
    missing = [name for name in own if name not in given and not _optional(name)]
    if missing:
        raise InputError(
            f"{source} lacks {len(missing)} of the {len(own)} tensors of this encoder, such as "
            f"{missing[0]}. Is the file of another encoder?"
        )
    wrong = [name for name in given if given[name].shape != own[name].shape]
    if wrong:
        raise InputError(
            f"{source}: {wrong[0]} has shape {tuple(given[wrong[0]].shape)}, this encoder expects "
            f"{tuple(own[wrong[0]].shape)}. Is the file of another encoder or of other bands?"
        )
    encoder.load_state_dict({name: value.clone() for name, value in given.items()}, strict=False)
    return len(given)


def first_convolution(encoder: nn.Module) -> str:
    """Return the name of the weight of the first convolution, "" without any."""
    for name, module in encoder.named_modules():
        if isinstance(module, nn.Conv2d):
            return f"{name}.weight" if name else "weight"
    return ""


def _match_names(state: State, own: set[str]) -> dict[str, Tensor]:
    """Return the tensors of the encoder, trying the usual prefixes of whole-model files."""
    best: dict[str, Tensor] = {}
    for prefix in _PREFIXES:
        cut = {name.removeprefix(prefix): t for name, t in state.items() if name.startswith(prefix)}
        kept = {name: tensor for name, tensor in cut.items() if name in own}
        if len(kept) > len(best):
            best = kept
    return best


def _optional(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
