"""Choices by name, as types that the commands and the functions behind them share."""

from typing import Literal

EngineName = Literal["onnxruntime", "openvino"]
"""The runtime of a bundle; openvino is an extra."""

Precision = Literal["f32", "bf16"]
"""Arithmetic of the runtime; bf16 is for openvino alone."""
