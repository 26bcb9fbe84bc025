"""Files of named tensors that come from anywhere: safetensors, and torch files without their code.

A torch file is a pickle, which may name any function. Only torch's restricted reader
(`weights_only`) opens it here, which makes tensors and plain values and nothing else.
"""

import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

MAX_BYTES = 2**30
"""Largest file, packed or unpacked: VGG-19 with its classifier, the largest encoder, has 575 MB."""


class UnreadableError(Exception):
    """Why a file is not read: too large, damaged, or more than tensors and plain values."""


def load_tensors(path: Path) -> Any:
    """Read the content of a `.safetensors` or torch file onto the CPU.

    Raises:
        UnreadableError: it is no such file.
        OSError: it cannot be read at all.
    """
    _check_size(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _load(path)
    except (MemoryError, OSError):
        raise
    except pickle.UnpicklingError as error:
        # Torch's own message advises to run the code in the file.
        raise UnreadableError(
            "more than tensors and plain values, or none; no code is run"
        ) from error
    # The readers answer a damaged or hostile file with nearly any error, KeyError to struct.error.
    except Exception as error:
        raise UnreadableError(first_line(error)) from error


def first_line(error: BaseException) -> str:
    """Return the beginning of an error's message, or its name."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _load(path: Path) -> Any:
    if path.suffix.lower() == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                size = max(size, sum(item.file_size for item in archive.infolist()))
        except (zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeError) as error:
            raise UnreadableError(f"a damaged archive: {first_line(error)}") from error
    if size > MAX_BYTES:
        raise UnreadableError(f"{size:,} bytes, and {MAX_BYTES:,} are the most")
