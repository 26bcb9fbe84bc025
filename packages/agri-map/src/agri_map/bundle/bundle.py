"""Read the spec of an ONNX bundle, and make the metadata that a bundle is written with.

The reader walks the outer fields of the protobuf and skips the graph, so nothing is executed,
nothing is unpacked and a file of any size costs a few kilobytes
(field numbers: onnx/onnx.proto, `ModelProto`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from agri_core.files.errors import InputError, MissingError

from agri_map.bundle.spec import BundleSpec

KEY = "agri_bundle"
MAX_BYTES = 2**31 - 1  # the limit of a protobuf message
# A spec has some kilobytes: a longer entry is a damaged length, not worth the memory.
MAX_METADATA = 16 * 2**20

_GRAPH, _METADATA = 7, 14
_EXTERNAL = 13  # TensorProto.external_data
_OPERATOR = 4  # NodeProto.op_type
# The messages inside a message, by field number: wherever a tensor or a node may be.
_INSIDE = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {},
}  # fmt: skip
MAX_DEPTH = 64
"""Of messages inside messages; a graph in a node of a graph is six deep."""
LOOPS = (b"Loop", b"Scan")
"""Operators that may run for ever; no network of ours has one."""
MAX_OPERATOR = 100
"""Bytes of an operator's name that is looked at; the longest of ONNX has 32."""
# Wire types of the protobuf encoding.
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_spec(path: Path | str) -> BundleSpec:
    """Read the spec of a bundle without loading a runtime.

    Raises:
        MissingError: No such file.
        InputError: Not an ONNX file, a damaged one, one that is not a bundle of ours, or one of
            another schema.
    """
    path = Path(path)
    text = read_metadata(path).get(KEY)
    if text is None:
        raise InputError(
            f"{path} is an ONNX model but not a bundle: it has no '{KEY}' metadata; "
            "export it with agri-train, which stores bands, unit, normalisation and legend"
        )
    try:
        return BundleSpec.from_json(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def read_metadata(path: Path | str) -> dict[str, str]:
    """Read `metadata_props` of an ONNX file without parsing its graph.

    Raises:
        MissingError: No such file.
        InputError: Larger than 2 GiB, not ONNX, or cut short.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingError(f"there is no model bundle {path}; expected an .onnx file")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"{path} has {size} bytes; an ONNX file may have {MAX_BYTES} at most")
    try:
        with path.open("rb") as stream:
            return _model_metadata(stream, size)
    except _DamagedError as error:
        raise InputError(f"{path} is not an ONNX model, or it is damaged: {error}") from error


def metadata(spec: BundleSpec) -> dict[str, str]:
    """Return all `metadata_props` of a bundle: our spec and the keys that QGIS Deepness reads.

    Deepness divides every channel by 255 before it standardises, so its mean and deviation are
    ours over 255; its resolution is in centimetres and its overlap in percent of a tile. Its
    code reads `tile_size`, its documents and tools write `tiles_size`: both are given.
    """
    facts: dict[str, object] = {
        "model_type": "Segmentor" if spec.task == "segment" else "Recognition",
        "class_names": {str(item.id): item.name for item in spec.legend.classes},
        "tile_size": spec.tile,
        "tiles_size": spec.tile,
        "tiles_overlap": round(100 * spec.overlap / spec.tile),
        "standardization_mean": [value / 255 for value in spec.mean],
        "standardization_std": [value / 255 for value in spec.std],
        "seg_thresh": 0.0,
        "seg_small_segment": 0,
    }
    if spec.pixel_size is not None:
        facts["resolution"] = round(spec.pixel_size * 100)
    # Our own entry comes last, so that a file cut short anywhere has lost it.
    return {key: json.dumps(value) for key, value in facts.items()} | {KEY: spec.to_json()}


def check_whole(path: Path | str) -> None:
    """Refuse a model whose weights lie in other files, since a bundle is one file, or that loops.

    Raises:
        InputError: A tensor, of the graph, of a node or of a graph inside a node, refers to
            external data; or an operator is one of `LOOPS`.
    """
    path = Path(path)
    size = path.stat().st_size
    try:
        with path.open("rb") as stream:
            _check_message(stream, size, "model", str(path))
    except _DamagedError as error:
        raise InputError(f"{path} is damaged: {error}") from error


def _check_message(stream: BinaryIO, end: int, what: str, where: str, depth: int = 0) -> None:
    """Look through a message from here to `end`, and through all messages inside it."""
    if depth > MAX_DEPTH:
        raise _DamagedError(f"its graphs are nested more than {MAX_DEPTH} deep")
    inside = _INSIDE[what]
    for number, wire, length in _fields(stream, end):
        if wire != _BYTES:
            continue
        if what == "tensor" and number == _EXTERNAL:
            raise InputError(
                f"{where} keeps weights in another file; a bundle holds everything itself, "
                "export it again without external data"
            )
        if what == "node" and number == _OPERATOR and length <= MAX_OPERATOR:
            name = stream.read(length)
            if name in LOOPS:
                raise InputError(
                    f"{where} has an operator {name.decode()}, which may run for ever; export the "
                    "model with its loops unrolled"
                )
        elif number in inside:
            _check_message(stream, stream.tell() + length, inside[number], where, depth + 1)


class _DamagedError(Exception):
    """The bytes are no protobuf message of the expected form."""


def _model_metadata(stream: BinaryIO, size: int) -> dict[str, str]:
    found: dict[str, str] = {}
    graphs = 0
    for number, kind, length in _fields(stream, size):
        if number == _GRAPH and kind == _BYTES:
            graphs += 1
        if number == _METADATA and kind == _BYTES:
            if length > MAX_METADATA:
                raise _DamagedError(f"a metadata entry of {length} bytes")
            key, value = _entry(stream, length)
            found[key] = value
    if graphs != 1:
        raise _DamagedError("it holds no graph")
    return found


def _fields(stream: BinaryIO, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield `(field number, wire type, length)` with the stream at the start of each value."""
    while stream.tell() < end:
        tag = _varint(stream)
        number, kind = tag >> 3, tag & 7
        length = _length(stream, kind)
        start = stream.tell()
        if number == 0 or start + length > end:
            raise _DamagedError(f"a field ends after the end of the file (byte {start})")
        yield number, kind, length
        stream.seek(start + length)


def _length(stream: BinaryIO, kind: int) -> int:
    if kind == _VARINT:
        _varint(stream)
        return 0
    if kind == _BYTES:
        return _varint(stream)
    if kind in (_FIXED64, _FIXED32):
        return 8 if kind == _FIXED64 else 4
    raise _DamagedError(f"unknown wire type {kind}")


def _varint(stream: BinaryIO) -> int:
    value = 0
    # 64 bits in bytes of 7 bits: ten at most.
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise _DamagedError("it ends inside a number")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise _DamagedError("a number is too long")


def _entry(stream: BinaryIO, length: int) -> tuple[str, str]:
    """Read a `StringStringEntryProto`: 1 = key, 2 = value."""
    parts = {1: b"", 2: b""}
    for number, kind, size in _fields(stream, stream.tell() + length):
        if number in parts and kind == _BYTES:
            parts[number] = stream.read(size)
    try:
        return parts[1].decode(), parts[2].decode()
    except UnicodeDecodeError as error:
        raise _DamagedError(f"metadata is not UTF-8: {error}") from error
