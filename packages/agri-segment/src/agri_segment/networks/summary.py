"""A summary of a network: its modules, their output shapes and parameters."""

import torch

from agri_segment.networks.archs import Segmenter
from agri_segment.networks.unet import parameter_count

DEPTH = 3


def describe(model: Segmenter, bands: int, size: int) -> str:
    """Return a table of all modules down to three levels, for an image `(1, bands, size, size)`.

    The shapes are traced by running the model.
    """
    shapes = _trace(model, bands, size)
    lines = [f"{'module':<44}{'output':>22}{'parameters':>14}"]
    for name, part in model.named_modules():
        if not name or name.count(".") >= DEPTH or not list(part.parameters()):
            continue
        shape = shapes.get(name, "")
        lines.append(f"{name:<44}{shape:>22}{parameter_count(part):>14,}")
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    lines += [
        "",
        f"{model.arch}{f' on {model.encoder_name}' if model.encoder_name else ''}, "
        f"{model.head} head, {bands} bands",
        f"{parameter_count(model):,} parameters, {trainable:,} of them trainable",
    ]
    return "\n".join(lines) + "\n"


def _trace(model: Segmenter, bands: int, size: int) -> dict[str, str]:
    shapes: dict[str, str] = {}

    def note(name: str, output: object) -> None:
        last = output[-1] if isinstance(output, list) else output
        if isinstance(last, torch.Tensor):
            shapes[name] = " x ".join(str(n) for n in last.shape[1:])

    handles = [
        part.register_forward_hook(lambda _m, _i, out, name=name: note(name, out))
        for name, part in model.named_modules()
    ]
    modes = [(part, part.training) for part in model.modules()]
    device = next(model.parameters()).device
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, bands, size, size, device=device))
    finally:
        for handle in handles:
            handle.remove()
        for part, mode in modes:
            part.training = mode
    return shapes
