"""YAML that cannot be read is refused in one line that names the file and the place in it."""

import pytest
from agri_core.files.errors import InputError
from agri_core.files.values import shown
from agri_core.files.yamlfile import parse_yaml, read_yaml

ROOT = "d.yaml is not valid YAML: "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "name: x\nunit: dn\nunit: dn\n",
            f"{ROOT}line 3, column 1: the key 'unit' occurs twice; keep one of them",
        ),
        (
            "a:\n  kind: raster\n  kind: vector\n",
            f"{ROOT}line 3, column 3: the key 'kind' occurs twice; keep one of them",
        ),
        (f"a: 1\nid: {'9' * 5000}\n", f"{ROOT}the number in line 2 has more than 4300 digits"),
        ("a:\n\tb: 1\n", f"{ROOT}line 2, column 1: while scanning for the next token found "
         "character '\\t' that cannot start any token"),
        ("name: *u\n", f"{ROOT}line 1, column 7: found undefined alias 'u'"),
        ("x: " + "[" * 2000, f"{ROOT}lists and mappings are nested too deep"),
        ("a: 1\x07\n", f"{ROOT}unacceptable character #x0007: special characters are not allowed "
         "at position 4"),
        ("a: !!bool x\n", f"{ROOT}a value does not fit its tag: 'x'"),
        (
            'name: "\\ud800"\n',
            "d.yaml: 'name' holds \\ud800, which is half of a character; write the whole character",
        ),
        (
            'a:\n- b: ["x", "y\\udfff"]\n',
            "d.yaml: 'a entry 1.b entry 2' holds \\udfff, which is half of a character; "
            "write the whole character",
        ),
        (
            'a: {"\\ud800": 1}\n',
            "d.yaml: 'a': a key holds \\ud800, which is half of a character; "
            "write the whole character",
        ),
    ],
)  # fmt: skip
def test_what_is_no_yaml(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse_yaml(text, "d.yaml")
    assert str(error.value) == message


def test_whole_characters_outside_the_basic_plane_stay() -> None:
    assert parse_yaml('name: "\\U0001F33E"\n', "d.yaml") == {"name": "\U0001f33e"}


def test_a_file_in_another_encoding(tmp_path) -> None:
    path = tmp_path / "d.yaml"
    path.write_bytes("name: x\n".encode("utf-16"))
    with pytest.raises(InputError) as error:
        read_yaml(path)
    assert str(error.value) == f"{path} is not UTF-8 text (invalid start byte); save it as UTF-8"


def test_values_are_shown_as_a_file_has_them() -> None:
    content = parse_yaml("[2024-05-01, 2024-05-01 10:00:00, true, ~, x]", "d.yaml")
    assert shown(content) == "[2024-05-01, 2024-05-01T10:00:00, true, null, 'x']"
    assert shown(10**5000) == "a number too long to be written"
    deep = "x"
    for _ in range(6):
        deep = [deep] * 9
    assert len(shown(deep)) == 303
