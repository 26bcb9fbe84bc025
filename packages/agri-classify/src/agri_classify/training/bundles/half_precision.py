"""Half-precision storage of the weights of a bundle: half the file, the same arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from agri_core.files.atomic import replacing_file
from onnx import TensorProto, helper, numpy_helper

# Smaller tensors, biases and norms, save at most 2 KiB each and would need a cast node each.
LEAST = 1024
"""Smallest number of values of a tensor that is stored as float16."""


def to_half_precision(bundle: Path) -> None:
    """Store every large float32 tensor of a bundle as float16, cast back to float32 on loading.

    The runtime folds the casts into constants when it loads the graph, so inference is as fast as
    before. Weights are rounded to 11 bits, which changes the fourth digit of a probability.
    """
    model = onnx.load(bundle)
    graph = model.graph
    raised = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LEAST:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        raised.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*raised, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    with replacing_file(bundle) as temporary:
        onnx.save(model, temporary)
