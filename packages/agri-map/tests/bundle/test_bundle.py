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


def external(name):
    """A tensor whose two numbers lie in another file."""
    tensor = onnx.TensorProto(data_type=onnx.TensorProto.FLOAT, dims=[2], name=name)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret.bin")
    return tensor


def constant(**values):
    node = onnx.helper.make_node("Constant", [], ["hidden"])
    node.attribute.append(onnx.AttributeProto(**values))
    return node


def sparse():
    return onnx.SparseTensorProto(values=external("w"), dims=[2])


def inner(*nodes):
    return onnx.GraphProto(name="inner", node=nodes)


T = onnx.AttributeProto
HIDDEN = {
    "constant": lambda m: m.graph.node.append(
        constant(name="value", type=T.TENSOR, t=external("w"))
    ),
    "list of tensors": lambda m: m.graph.node.append(
        constant(name="x", type=T.TENSORS, tensors=[external("w")])
    ),
    "sparse constant": lambda m: m.graph.node.append(
        constant(name="sparse_value", type=T.SPARSE_TENSOR, sparse_tensor=sparse())
    ),
    "sparse weight": lambda m: m.graph.sparse_initializer.append(sparse()),
    "branch": lambda m: m.graph.node.append(
        onnx.helper.make_node(
            "If",
            ["x"],
            ["z"],
            then_branch=inner(constant(name="value", type=T.TENSOR, t=external("w"))),
            else_branch=inner(),
        )
    ),
    "weight of a branch": lambda m: m.graph.node.append(
        onnx.helper.make_node(
            "If", ["x"], ["z"], then_branch=onnx.GraphProto(initializer=[external("w")])
        )
    ),
    "function": lambda m: m.functions.append(
        onnx.FunctionProto(name="f", node=[constant(name="value", type=T.TENSOR, t=external("w"))])
    ),
    "training": lambda m: m.training_info.append(
        onnx.TrainingInfoProto(algorithm=onnx.GraphProto(initializer=[external("w")]))
    ),
}


@pytest.mark.parametrize("where", HIDDEN)
def test_external_weights_are_found_wherever_they_hide(save_model, tmp_path, where):
    model = onnx.load(save_model())
    HIDDEN[where](model)
    path = tmp_path / "hidden.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"hidden\.onnx keeps weights in another file"):
        check_whole(path)


@pytest.mark.parametrize("operator", ["Loop", "Scan"])
@pytest.mark.parametrize("deep", [False, True])
def test_operators_that_may_run_for_ever_are_refused(save_model, tmp_path, operator, deep):
    model = onnx.load(save_model())
    node = onnx.helper.make_node(operator, ["x"], ["z"], body=inner())
    if deep:
        node = onnx.helper.make_node("If", ["x"], ["z"], then_branch=inner(node))
    model.graph.node.append(node)
    path = tmp_path / "loop.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=rf"loop\.onnx has an operator {operator}"):
        check_whole(path)


def test_graphs_nested_too_deep_are_damage(save_model, tmp_path):
    model = onnx.load(save_model())
    graph = inner()
    for _ in range(30):
        graph = inner(onnx.helper.make_node("If", ["x"], ["z"], then_branch=graph))
    model.graph.node.extend(graph.node)
    path = tmp_path / "deep.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match=r"deep\.onnx is damaged: its graphs are nested"):
        check_whole(path)


def test_another_schema_is_refused(save_model, tmp_path, make_spec):
    model = onnx.load(save_model())
    text = make_spec().to_json().replace("agri-bundle/1", "agri-bundle/2")
    onnx.helper.set_model_props(model, {"agri_bundle": text})
    path = tmp_path / "new.onnx"
    onnx.save(model, path)
    with pytest.raises(InputError, match=r"new\.onnx: .*agri-bundle/2"):
        read_spec(path)
