"""How OpenMP's threads wait for each other: asleep, so that other work may use their core."""

import os

VARIABLE = "OMP_WAIT_POLICY"

MAX_THREADS = 1024
"""Most threads that may be asked for: more than any machine has cores, few enough to be started."""


def wait_passively() -> None:
    """Let OpenMP's threads sleep while they wait, unless the user has set `OMP_WAIT_POLICY`.

    By default they spin. Beside other work, the thread that all others wait for may not be running,
    and the spinning ones then keep its core. OpenMP reads the policy once, as torch is loaded, so
    this is called before. TensorFlow, onnxruntime and OpenVINO have thread pools of their own.
    """
    os.environ.setdefault(VARIABLE, "PASSIVE")
