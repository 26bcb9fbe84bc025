"""Pretrained encoder weights: `none`, `imagenet`, or a local file; only `imagenet` downloads."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from agri_core.files.errors import InputError, MissingError
from agri_core.files.hashing import sha256_file
from torch import Tensor, nn

from agri_train.network.stem import RGB, adapt_input, first_convolution
from agri_train.network.tensorfile import UnreadableError, first_line, load_tensors

State = Mapping[str, Tensor]
Fetch = Callable[[], State]

NOT_FILES = ("none", "imagenet")
"""Weights that are no file."""

RUN_KEY = "agri"
"""Key of what a checkpoint of ours holds besides Lightning's: fingerprint, bands, history."""

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
    if source == "imagenet":
        return _fill(encoder, _imagenet(fetch), bands, source, RGB)
    state, trained = read_state(Path(source))
    return _fill(encoder, state, bands, source, trained)


def read_state(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Read named tensors from a file, and the bands if it is a checkpoint of ours.

    Code in the file is never run.

    Raises:
        MissingError: the file does not exist.
        InputError: it is not a state dict, or over `tensorfile.MAX_BYTES`.
    """
    if not path.is_file():
        raise MissingError(
            f"There is no weights file {path}. Give `none`, `imagenet`, or the path of a "
            ".safetensors or .pth file."
        )
    try:
        content = load_tensors(path)
    except UnreadableError as error:
        raise InputError(
            f"{path} is not a weights file ({error}). Expected .safetensors or a torch state dict "
            "that loads with weights_only=True."
        ) from error
    held = content if isinstance(content, dict) else {}
    inner = held.get("state_dict", held)
    tensors = {
        str(name): value
        for name, value in (inner.items() if isinstance(inner, dict) else ())
        if isinstance(value, Tensor)
    }
    if not tensors:
        raise InputError(f"{path} holds no named tensors; expected a state dict.")
    return tensors, _bands_of(held)


def weights_fingerprint(source: str) -> str:
    """Return the SHA-256 of a weights file; "" for `none`, `imagenet` and a file that is not there.

    A path does not tell whether its content was replaced.
    """
    path = Path(source)
    return "" if source in NOT_FILES or not path.is_file() else sha256_file(path)


def _imagenet(fetch: Fetch | None) -> State:
    help_text = "Use `--weights none` for random weights, or the path of a weights file."
    if fetch is None:
        raise MissingError(f"There are no ImageNet weights for this encoder. {help_text}")
    try:
        return fetch()
    # A hub client raises nearly anything without a network; the cause is kept.
    except Exception as error:
        raise MissingError(
            f"The ImageNet weights could not be downloaded ({first_line(error)}). {help_text}"
        ) from error


def _bands_of(content: Mapping[Any, Any]) -> tuple[str, ...]:
    """Return the bands of a checkpoint of ours; () of any other file."""
    run = content.get(RUN_KEY)
    bands = run.get("bands") if isinstance(run, dict) else None
    known = isinstance(bands, list | tuple) and all(isinstance(band, str) for band in bands)
    return tuple(bands) if known and bands else ()


def _fill(
    encoder: nn.Module,
    state: State,
    bands: Sequence[str] | int,
    source: str,
    trained: Sequence[str],
) -> int:
    own = encoder.state_dict()
    given = _match_names(state, set(own))
    _check_tables(given, source)
    first = first_convolution(encoder)
    if first in given and given[first].ndim == 4:
        channels = given[first].shape[1]
        # Published weights are of red, green and blue; so is a network of a single band, copied.
        names = tuple(trained) if len(trained) == channels else RGB
        if len(names) == channels:
            given[first] = adapt_input(given[first], bands, names)
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
    _check_finite(given, source)
    encoder.load_state_dict({name: value.clone() for name, value in given.items()}, strict=False)
    return len(given)


def _check_tables(given: State, source: str) -> None:
    """Raise for tensors that are no weights: whole numbers, sparse ones, views of fewer values."""
    for name, value in given.items():
        dense = value.layout == torch.strided and value.device.type == "cpu"
        if not dense or not (value.is_floating_point() or _optional(name)):
            raise InputError(
                f"{source}: {name} is a tensor of {value.dtype} ({value.layout}, "
                f"{value.device.type}); weights are dense tables of floating-point numbers."
            )
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            raise InputError(
                f"{source}: {name} has the shape {tuple(value.shape)} but fewer values."
            )


def _check_finite(given: State, source: str) -> None:
    for name, value in given.items():
        if not bool(torch.isfinite(value).all()):
            raise InputError(f"{source}: {name} holds NaN or infinite values; the file is damaged.")


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
