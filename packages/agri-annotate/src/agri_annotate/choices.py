"""Choices by name, as types that the commands and the functions behind them share."""

from typing import Literal

Form = Literal[
    "via1-json", "via1-csv", "via2-json", "via2-project", "via2-csv", "via3-json", "via3-csv",
    "coco",
]  # fmt: skip
"""A file format of annotations."""

Overlap = Literal["last", "first", "largest", "error"]
"""Which region keeps a pixel that several cover."""

Format = Literal["png", "tif"]
"""The file format of masks."""

Background = Literal["holes", "all", "none"]
"""Which regions of class 0 become drawings: those inside other regions, all, or none."""
