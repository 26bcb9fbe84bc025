"""Reads the sections `train` and that of the architecture from a parameter file."""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import typer
from agri_core.files.errors import InputError
from agri_core.files.params import fill_defaults, keep_params, load_params
from agri_core.files.values import shown

from agri_segment.choices import ArchName


def read_params(ctx: typer.Context, path: Path | None) -> Path | None:
    """Callback of the eager `--params` option."""
    keep_params(ctx, path)
    _fill(ctx)
    return path


def read_arch(ctx: typer.Context, arch: str) -> str:
    """Callback of the eager `--arch` option, the name of one of the sections."""
    ctx.params["arch"] = arch
    _fill(ctx)
    return arch


def below(folders: Sequence[Path], params: Path) -> list[Path]:
    """Return the subfolders of `folders` that the list `archs` of a parameter file names.

    Raises:
        InputError: The file has no such list.
    """
    archs = load_params(params).get("archs")
    if not isinstance(archs, list) or not archs or not all(isinstance(a, str) for a in archs):
        raise InputError(
            f"{params} must have a list 'archs' of architecture names, got {shown(archs)}"
        )
    return [folder / arch for folder in folders for arch in archs]


def _fill(ctx: typer.Context) -> None:
    arch = ctx.params.get("arch")
    if arch is not None:
        # A file holds the sections of all architectures; 'deeplabv3' is no misspelt 'deeplab'.
        fill_defaults(ctx, ("train", arch), apart=("arch",), others=get_args(ArchName))
