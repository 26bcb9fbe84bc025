import pytest
from agri_core.evaluation.familiarity import Origin, compare_origins, unrecorded, warn_of

OWN = Origin("d1", "s1")


@pytest.mark.parametrize(
    ("model", "data", "split", "fitted", "same", "said"),
    [
        (OWN, OWN, "train", True, True, "fitted data: the model was trained on these patches"),
        (OWN, OWN, "", True, True, "fitted data"),  # a whole store has the training split in it
        (OWN, OWN, "test", False, True, ""),
        (OWN, OWN, "val", False, True, "the validation split also selected the epoch"),
        (OWN, Origin("d1", "s2"), "test", None, False, "may include training patches"),
        (OWN, Origin("d1", "s2"), "train", None, False, "may include training patches"),
        (OWN, Origin("d2", "s1"), "test", None, False, "of another store"),
        # The train split of another store is not the model's, nor did its val choose the epoch.
        (OWN, Origin("d2", "s1"), "train", None, False, "of another store"),
        (OWN, Origin("d2", "s1"), "val", None, False, "of another store"),
        (Origin("", ""), Origin("", ""), "test", None, False, "of another store"),
    ],
)
def test_what_a_model_knows_of_the_data(model, data, split, fitted, same, said):
    found = compare_origins(model, data, split, noun="patch")
    assert (found.fitted, found.same_split) == (fitted, same)
    assert len(found.notes) == bool(said)
    assert all(said in note for note in found.notes)


def test_a_random_split_is_noted():
    (note,) = compare_origins(OWN, OWN, "test", method="random").notes
    assert note.startswith("the split is random, not by place: training chips may be next to these")
    assert compare_origins(OWN, OWN, "test", method="block").notes == ()


def test_data_without_a_record():
    found = unrecorded("picture")
    assert (found.fitted, found.same_split) == (None, False)
    assert unrecorded() == found
    assert "cannot tell whether these pictures taught the model" in found.notes[0]


def test_what_is_always_so_is_no_warning(capsys):
    warn_of(compare_origins(OWN, OWN, "val").notes)
    assert capsys.readouterr().err == ""
    warn_of(compare_origins(OWN, OWN, "train").notes)
    assert capsys.readouterr().err.startswith("warning: fitted data")
