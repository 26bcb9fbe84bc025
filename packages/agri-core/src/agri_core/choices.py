"""Choices that several packages offer by name, as types that command lines and functions share."""

from typing import Literal

Split = Literal["train", "val", "test"]
