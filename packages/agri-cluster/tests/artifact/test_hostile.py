import json
import os
import pickle
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest
from agri_cluster.artifact.fitted import Fitted
from agri_cluster.artifact.modelfile import CONFIG, PARTS, WEIGHTS, check_model_file
from agri_core.files.errors import AgriError, InputError


def _centres(change):
    def write(path):
        array = np.load(path / "centres.npy")
        np.save(path / "centres.npy", change(array))

    return write


def _header(shape, descr="<f4"):
    """Write centres.npy as a header that promises `shape`, and four bytes."""

    def write(path):
        text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
        head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
        (path / "centres.npy").write_bytes(head + b"\0" * 4)

    return write


def _table(**columns):
    def write(path):
        table = pd.read_csv(path / "clusters.csv", dtype={"chip_id": str})
        for name, value in columns.items():
            table[name] = value
        table.to_csv(path / "clusters.csv", index=False)

    return write


def _text(name, text):
    return lambda path: (path / name).write_bytes(text)


def _pipe(path):
    (path / "centres.npy").unlink()
    os.mkfifo(path / "centres.npy")


def _nan(array):
    array[1, 1] = np.nan
    return array


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_centres(_nan), "NaN or infinity"),
        (_centres(lambda array: array * np.float32(np.inf)), "NaN or infinity"),
        (_centres(lambda array: array[:, :1]), r"embedding.npy is of shape \(24, 2\), \(24, 1\)"),
        (_centres(lambda array: array[:2]), "cluster is a number from 0 to 1"),
        (_centres(lambda array: array[:0]), "centres"),
        (_centres(lambda array: array.astype(np.float64)), "float64"),
        (_centres(lambda array: array.astype(complex)), "complex"),
        (_centres(lambda array: array.astype("U4")), "U4"),
        (_centres(lambda array: array.ravel()), r"\(8,\)"),
        (_header((1 << 40, 1 << 40)), "4 bytes"),
        (_header((-1, -4)), "float32 in rows"),
        (_header((4, 2), "|O"), "object"),
        (_text("centres.npy", pickle.dumps([1])), "not an .npy array"),
        (_text("centres.npy", b"PK\x03\x04"), "not an .npy array"),
        (_text("centres.npy", b""), "not an .npy array"),
        (_pipe, "centres.npy is missing"),
        (_table(cluster=4), "cluster is a number from 0 to 3"),
        (_table(cluster=-1), "cluster is a number"),
        (_table(cluster=0.5), "cluster is a number"),
        (_table(cluster="=1+1"), "cluster is a number"),
        (_table(initial=99), "initial is a number"),
        (_table(confidence="high"), "confidence is 0 to 1"),
        (_table(confidence=np.nan), "confidence is 0 to 1"),
        (_table(confidence=2.0), "confidence is 0 to 1"),
        (_table(distance=np.inf), "distance is 0 or more"),
        (_table(chip_id="same"), "an id twice"),
        (_text("clusters.csv", b"chip_id;cluster\na;0\n"), "lacks the columns chip_id, cluster"),
        (_text("clusters.csv", b"\xff\xfe\x00"), "is damaged"),
        (_text("clusters.csv", b"chip_id,cluster,confidence,margin,distance\n"), "no tile"),
        (_text("cluster.json", b"[" * 200_000), "JSON"),
        (_text("cluster.json", b'{"stop_reason": "\\ud800"}'), "half of a character"),
        (_text("cluster.json", b'{"alpha": "1"}'), "alpha"),
        (_text("cluster.json", b'{"warnings": 3}'), "warnings"),
        (lambda p: np.save(p / "embedding.npy", np.full((24, 2), np.nan, "f4")), "NaN"),
        (lambda p: np.save(p / "embedding.npy", np.zeros((24, 2))), "float64"),
    ],
)
def test_a_damaged_clustering_is_refused(fitted, damage, message):
    damage(fitted.path)
    with pytest.raises(AgriError, match=message) as caught:
        Fitted.open(fitted.path)
    assert "\n" not in str(caught.value)


def model_file(path, config, **parts):
    contents = {"metadata.json": b"{}", CONFIG: json.dumps(config).encode(), WEIGHTS: b""} | parts
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def layer(module, name, registered=None):
    return {"module": module, "class_name": name, "config": {}, "registered_name": registered}


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.layers", "Lambda"),
        ("keras.layers", "TFSMLayer"),
        ("keras.layers", "StringLookup"),
        ("keras.utils", "get_file"),
        ("keras.saving", "load_model"),
        ("builtins", "function"),
        ("os", "system"),
        ("agri_cluster.fit", "fit"),
        (["keras.layers"], {"a": 1}),
    ],
)
def test_a_model_with_other_classes_is_not_loaded(tmp_path, module, name):
    config = {**layer("keras.src.models.functional", "Functional")}
    config["config"] = {"layers": [layer("keras.layers", "Dense"), {"deep": [layer(module, name)]}]}
    path = model_file(tmp_path / "model.keras", config)
    with pytest.raises(InputError, match="it is not loaded"):
        check_model_file(path)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"../../slip": b"x"}, "are expected"),
        ({"/etc/slip": b"x"}, "are expected"),
        ({"assets/vocabulary.txt": b"x"}, "are expected"),
        ({WEIGHTS: bytes(64 << 20)}, "unpacks to 67108864 bytes"),
        ({CONFIG: b"[" * 200_000}, "JSON"),
        ({CONFIG: b"\xff"}, "JSON"),
    ],
)
def test_a_model_with_other_parts_is_not_loaded(tmp_path, parts, message):
    path = model_file(tmp_path / "model.keras", {}, **parts)
    with pytest.raises(InputError, match=message):
        check_model_file(path)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"\x89HDF\r\n\x1a\n", pickle.dumps(1)])
def test_a_model_that_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(InputError, match="not a Keras model"):
        check_model_file(tmp_path / "model.keras")


@pytest.mark.parametrize("name", ["convae", "small", "squeezenet", "resnet50", "vgg16", "mlp"])
def test_the_models_of_every_encoder_pass(tmp_path, name):
    from agri_cluster.backend.framework import keras
    from agri_cluster.encoders.registry import build_encoder
    from agri_cluster.encoders.rotations import mean_over_rotations

    made = build_encoder(name, (8,) if name == "mlp" else (32, 32, 3), width=4).model
    if name != "mlp":
        made = mean_over_rotations(made, 4)
    config = json.loads(made.to_json())
    check_model_file(model_file(tmp_path / "model.keras", config))
    assert set(PARTS) == {"metadata.json", CONFIG, WEIGHTS}
    keras.utils.clear_session()
