import json

import pytest
from agri_core.files.errors import InputError
from agri_train.config import TrainConfig


def test_round_trip_through_json():
    config = TrainConfig(epochs=3, class_weights="0.4,2.2,0.4")
    again = TrainConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert again.class_weights == (0.4, 2.2, 0.4)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"optimizer": "adamm"}, "Did you mean `adam"),
        ({"schedule": "step"}, "constant, cosine, plateau"),
        ({"monitor": "val_accuracy"}, "Did you mean `accuracy`"),
        ({"precision": "16"}, "auto, 32, bf16"),
        ({"epochs": 0}, "whole number >= 1; received 0"),
        ({"batch_size": 2.5}, "received 2.5"),
        ({"epochs": True}, "received true"),
        ({"lr": -1.0}, "received -1.0"),
        ({"lr": float("nan")}, "received nan"),
        ({"lr": 0.0001, "min_lr": 0.01}, "not below `min_lr`"),
        ({"lr": 0.0, "min_lr": 0.0}, "`lr` must be above 0"),
        ({"augment": "yes"}, "`augment` must be true or false; received 'yes'"),
        (
            {"mix": "moon"},
            "`mix` must be one of none, mixup, cutmix, both; received 'moon'. Choices",
        ),
        (
            {"class_weights": ()},
            "`class_weights` must be a name or one weight per class; received ()",
        ),
        ({"class_weights": 5}, "one weight per class; received 5"),
        ({"augment_strength": 1.5}, "`augment_strength` must be from 0 to 1; received 1.5"),
        ({"downscale": 1.5}, "`downscale` must be from 0 to 1; received 1.5"),
        ({"jpeg": 2.0}, "`jpeg` must be from 0 to 1; received 2.0"),
        ({"jpeg": -0.5}, "received -0.5"),
        ({"class_weights": "equal"}, "none, inverse"),
        ({"class_weights": (1.0, -1.0)}, "received -1.0"),
        ({"seed": 2**32}, "`seed` must be at most 4294967295"),
        ({"epochs": 10**4400}, "`epochs` must be at most 1000000; received a number too long"),
        ({"batch_size": 10**9}, "`batch_size` must be at most 65536; received 1000000000"),
        ({"threads": 1025}, "`threads` must be at most 1024"),
        ({"threads": -1}, "`threads` must be a whole number >= 0"),
        ({"workers": 10**5}, "`workers` must be at most 256"),
        ({"warmup": 10**12}, "`warmup` must be at most 1000000"),
        ({"lr": float("inf")}, "`lr` must be at most 1000; received inf"),
        ({"lr": 1e300}, "`lr` must be at most 1000"),
        ({"lr": "0.1"}, "`lr` must be a number >= 0; received '0.1'"),
        ({"momentum": 1.0}, "`momentum` must be below 1"),
        ({"class_weights": (1.0, float("nan"))}, "received nan"),
        ({"class_weights": (1.0, 1e7)}, "must be at most 1e+06; received 10000000.0"),
        ({"class_weights": "x" * 5000}, "received 'xxx"),
    ],
)
def test_a_wrong_value_is_refused_with_the_choices(values, says):
    with pytest.raises(InputError, match=r".*") as caught:
        TrainConfig(**values)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 300
    assert caught.value.setting == next(iter(values))


@pytest.mark.parametrize(
    "values",
    [
        {"threads": 1024},
        {"epochs": 1_000_000},
        {"workers": 256},
        {"lr": 1000.0},
        {"momentum": 0.0},
        {"lr": 1.0},
        {"lr": 0.01, "min_lr": 0.01},
        {"augment_strength": 1.0},
    ],
)
def test_the_largest_values_are_taken(values):
    assert TrainConfig(**values).to_dict().items() >= values.items()


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(
        InputError, match=r"`epoch` is not a training setting. Did you mean `epochs`"
    ):
        TrainConfig.from_dict({"epoch": 3})


def test_fingerprint_follows_what_is_learned():
    base = TrainConfig(schedule="constant")
    assert base.fingerprint() == TrainConfig(schedule="constant", workers=2).fingerprint()
    assert base.fingerprint() == TrainConfig(schedule="constant", epochs=99).fingerprint()
    assert base.fingerprint() != TrainConfig(schedule="constant", lr=0.01).fingerprint()
    # The cosine rates depend on the number of epochs.
    assert TrainConfig(epochs=5).fingerprint() != TrainConfig(epochs=10).fingerprint()
