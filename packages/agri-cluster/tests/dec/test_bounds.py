import pytest
from agri_cluster.dec.settings import BOUNDS, FitSettings
from agri_core.files.errors import InputError


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_both_bounds_are_taken_and_no_more(name):
    least, most = BOUNDS[name]
    for value in (least, most):
        FitSettings(**{name: value}).check()
    for value, message in [
        (least - 1, f"`{name}` is {least:g} or more, got {least - 1}"),
        (most + 1, f"`{name}` is at most {most:g}, got {most + 1}"),
        (float("nan"), f"`{name}` is {least:g} or more, got nan"),
        (float("inf"), f"`{name}` is {least:g} or more, got inf"),
    ]:
        with pytest.raises(InputError) as caught:
            FitSettings(**{name: value}).check()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_clusters", 65_536),
        ("hidden", "9" * 10_000),
        ("hidden", "16385"),
        ("hidden", ",".join(["8"] * 33)),
        ("hidden", "²"),
        ("filters", "8,0"),
        ("filters", "100000000"),
        ("alpha", "0"),
        ("alpha", "-1"),
        ("alpha", "nan"),
        ("alpha", "inf"),
        ("update_interval", "0"),
        ("update_interval", "1.5"),
        ("update_interval", "nan"),
        ("update_interval", "inf"),
        ("target", "most"),
        ("precision", "float16"),
    ],
)
def test_a_setting_out_of_bounds_is_named(name, value):
    with pytest.raises(InputError, match=f"`{name}` is") as caught:
        FitSettings(**{name: value}).check()
    assert len(str(caught.value)) < 400
