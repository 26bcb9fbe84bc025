"""The wait policy of OpenMP's threads is read as torch is loaded, so it is set before."""

import subprocess
import sys

PROGRAM = """
import os, sys
os.environ.pop("OMP_WAIT_POLICY", None)
import agri_train
assert "torch" not in sys.modules
print(os.environ["OMP_WAIT_POLICY"])
"""


def test_importing_the_package_sets_the_policy_before_torch_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["PASSIVE"]
