"""A hint names the nearest known word, and none where no word is near."""

import pytest
from agri_core.files.hints import hint, nearest

KEYS = ["align", "bands", "images", "kind", "label", "labelled", "masks", "name", "use"]
FORMATS = ["via1-json", "via2-json", "via2-csv", "via3-json", "coco"]


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("bnads", KEYS, "bands"),
        ("Label", KEYS, "label"),
        ("via2-csvv", FORMATS, "via2-csv"),
        ("csv", FORMATS, "via2-csv"),
        ("lt", ["lr", "epochs"], "lr"),
        ("onxruntime", ["onnxruntime", "openvino"], "onnxruntime"),
    ],
)
def test_a_mistyped_word_finds_its_own(word, known, near):
    assert nearest(word, known) == near
    assert hint(word, known) == f", did you mean '{near}'?"


@pytest.mark.parametrize("word", ["table", "None", "None\n", "attribute", "5", "", "~"])
def test_another_word_gets_no_hint(word):
    assert nearest(word, KEYS) == hint(word, KEYS) == ""
