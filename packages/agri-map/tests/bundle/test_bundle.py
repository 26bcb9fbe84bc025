"""Reading bundles, and the keys QGIS Deepness needs."""

import json

import onnx
import pytest
from agri_core.files.errors import InputError, MissingError
from agri_map.bundle.bundle import check_whole, metadata, read_metadata, read_spec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_reads_what_onnx_wrote(save_model, make_spec):
    spec = make_spec()
    path = save_model(spec=spec)
    assert read_spec(path) == spec
    stored = {item.key: item.value for item in onnx.load(path).metadata_props}
    assert read_metadata(path) == stored


def test_deepness_keys_follow_its_parsing_rules(make_spec):
    spec = make_spec(tile=256, overlap=64)
    assert list(metadata(spec))[-1] == "agri_bundle"  # a cut file loses it first
    facts = {key: json.loads(value) for key, value in metadata(spec).items()}
    assert facts["model_type"] == "Segmentor"
    assert facts["class_names"] == {"0": "other", "1": "arable", "2": "water"}
    assert facts["resolution"] == 1000  # centimetres
    assert facts["tile_size"] == facts["tiles_size"] == 256
    assert facts["tiles_overlap"] == 25  # percent
    # Deepness: (value / 255 - mean) / std, ours: (value - mean) / std.
    mean, std = facts["standardization_mean"][0], facts["standardization_std"][0]
    assert (200 / 255 - mean) / std == pytest.approx((200 - spec.mean[0]) / spec.std[0])


def test_missing_file(tmp_path):
    with pytest.raises(MissingError, match=r"no\.onnx"):
        read_spec(tmp_path / "no.onnx")


def test_foreign_onnx(save_model, tmp_path):
    model = onnx.load(save_model())
    del model.metadata_props[:]
    path = tmp_path / "foreign.onnx"
    onnx.save(model, path)
    with pytest.raises(InputError, match=r"foreign\.onnx is an ONNX model but not a bundle"):
        read_spec(path)


@pytest.mark.parametrize("content", [b"", b"hello, I am no model", b"\0" * 64, b"\xff" * 64])
def test_not_onnx(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.onnx is not an ONNX model, or it is damaged"):
        read_spec(path)


def test_every_truncation_is_refused(save_model, tmp_path):
    whole = save_model().read_bytes()
    path = tmp_path / "cut.onnx"
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"cut\.onnx"):
            read_spec(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_give_a_clean_error(tmp_path, content):
    path = tmp_path / "any.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_spec(path)


def test_external_weights_are_refused(save_model, tmp_path):
    model = onnx.load(save_model())
    path = tmp_path / "split.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(InputError, match="keeps weights in another file"):
        check_whole(path)


def test_another_schema_is_refused(save_model, tmp_path, make_spec):
    model = onnx.load(save_model())
    text = make_spec().to_json().replace("agri-bundle/1", "agri-bundle/2")
    onnx.helper.set_model_props(model, {"agri_bundle": text})
    path = tmp_path / "new.onnx"
    onnx.save(model, path)
    with pytest.raises(InputError, match=r"new\.onnx: .*agri-bundle/2"):
        read_spec(path)
