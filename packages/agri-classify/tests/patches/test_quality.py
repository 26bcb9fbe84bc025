import io

import numpy as np
import pytest
from agri_classify.patches.quality import doubt, estimate_quality
from agri_core.legend import Legend
from agri_map.bundle.spec import BundleSpec
from PIL import Image

LEGEND = Legend.of({"water": "#2a7fba", "arable": "#e8c547"})


def spec(**metrics):
    return BundleSpec(
        name="m", task="classify", bands=("B04", "B03", "B02"), unit="uint8", mean=(0.0,) * 3,
        std=(1.0,) * 3, legend=LEGEND, tile=16, overlap=0, metrics=metrics,
    )  # fmt: skip


@pytest.mark.parametrize("quality", [30, 50, 75, 90, 95, 98, 100])
def test_the_quality_is_read_from_the_file_that_pillow_wrote(quality):
    file = io.BytesIO()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(file, "JPEG", quality=quality)
    # Entries are whole numbers, so the mean is near the formula's and not the same.
    assert estimate_quality(Image.open(file).quantization) == pytest.approx(quality, abs=1)


@pytest.mark.parametrize(
    ("quality", "says"),
    [
        (100, ""),
        (97, ""),
        # At 95 and 90 less than a point is lost; 80 is judged by what 75 costs.
        (96, ""),
        (92, ""),
        (
            80,
            "JPEG of quality 80: fine texture is lost; accuracy at quality 75 is 97.2 % instead of "
            "98.8 %",
        ),
        (
            50,
            "JPEG of quality 50: fine texture is lost; accuracy at quality 50 is 95.0 % instead of "
            "98.8 %",
        ),
        (49, "JPEG of quality 49: fine texture is lost; the prediction is unreliable"),
    ],
)
def test_a_judged_bundle_says_what_it_got_right(quality, says):
    judged = spec(accuracy=0.988, jpeg={"95": 0.985, "90": 0.984, "75": 0.972, "50": 0.95})
    assert doubt(quality, judged) == says


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"accuracy": 0.9},
        {"jpeg": {"75": 0.9}},
        {"accuracy": 0.9, "jpeg": [0.9]},
        {"accuracy": 0.9, "jpeg": {"seventy": 0.9, "75": "0.9"}},
    ],
)
def test_a_bundle_that_was_not_judged_is_doubted(metrics):
    assert (
        doubt(76, spec(**metrics))
        == "JPEG of quality 76: fine texture is lost; the prediction is unreliable"
    )
