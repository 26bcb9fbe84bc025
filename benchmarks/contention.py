"""How training and mapping bear other work on the machine, by wait policy and number of threads.

    python benchmarks/contention.py
    python benchmarks/contention.py --work torch --policies none passive --threads 2

The step of a small network is timed alone and beside processes that each keep one core busy. Fair
sharing allows a step on all cores beside one busy process about 1.5 times its time on two cores;
threads that spin while they wait for each other cost far more. Each row runs in a process of its
own, since the libraries read the wait policy once, when they are loaded. `none` leaves
`OMP_WAIT_POLICY` unset. `ours` is what the command lines set.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

WORK = ("torch", "tensorflow", "onnxruntime", "openvino")
POLICIES = ("none", "active", "passive", "ours")
LIMIT = 2.5
"""What a step may cost beside one busy process, as a multiple of its time alone."""
SIDE = 64
BATCH = 16


def main() -> None:
    """Measure every combination and print a row each; fail where `ours` is above the limit."""
    args = parse()
    if args.child:
        print(time_steps(WORKLOADS[args.child](args), args.steps))
        return
    print(f"{'work':<13}{'policy':<9}{'threads':>8}{'alone, ms':>11}" + "".join(
        f"{f'{busy} busy':>9}" for busy in args.busy
    ))  # fmt: skip
    over = []
    with tempfile.TemporaryDirectory(prefix="agri-bench-") as folder:
        for work in args.work:
            for policy in args.policies:
                for threads in args.threads:
                    alone = best(args, work, policy, threads, 0, folder)
                    ratios = [
                        best(args, work, policy, threads, busy, folder) / alone
                        for busy in args.busy
                    ]
                    cells = "".join(f"{ratio:>9.2f}" for ratio in ratios)
                    print(f"{work:<13}{policy:<9}{threads:>8}{1000 * alone:>11.1f}{cells}")
                    if policy == "ours" and ratios[0] > LIMIT:
                        over.append(f"{work} on {threads} threads")
    if over:
        sys.exit(f"above {LIMIT} times the time alone: {', '.join(over)}")


def best(args: Any, work: str, policy: str, threads: int, busy: int, folder: str) -> float:
    """Return the shortest of several runs, seconds a step."""
    return min(measure(args, work, policy, threads, busy, folder) for _ in range(args.rounds))


def measure(args: Any, work: str, policy: str, threads: int, busy: int, folder: str) -> float:
    """Return the seconds of a step in a new process beside `busy` others."""
    environment = {key: value for key, value in os.environ.items() if key[:4] != "OMP_"}
    if policy in ("active", "passive"):
        environment["OMP_WAIT_POLICY"] = policy
    command = [sys.executable, __file__, "--child", work, "--threads", str(threads),
               "--steps", str(args.steps), "--folder", folder]  # fmt: skip
    if policy == "ours":
        command.append("--ours")
    with busy_processes(busy):
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep `count` cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def time_steps(step: Callable[[], object], steps: int) -> float:
    """Return the mean seconds of a step; the first few, which set things up, are left out."""
    for _ in range(3):
        step()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - start) / steps


def torch_step(args: Any) -> Callable[[], object]:
    """A training step of the plain U-Net of the embedded example."""
    if args.ours:
        import agri_train  # noqa: F401
    import torch
    from agri_segment.networks.archs import build

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    net = build("plain", bands=10, classes=6)
    optimiser = torch.optim.AdamW(net.parameters())
    images = torch.randn(BATCH, 10, SIDE, SIDE)
    masks = torch.randint(0, 6, (BATCH, SIDE, SIDE))

    def step() -> None:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(images), masks).backward()
        optimiser.step()

    return step


def tensorflow_step(args: Any) -> Callable[[], object]:
    """A training step of a small convolutional autoencoder in Keras."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = str(args.threads)
    if args.ours:
        from agri_cluster.backend.framework import keras
    else:
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import keras

    layers = keras.layers
    net = keras.Sequential(
        [
            layers.Input((SIDE, SIDE, 10)),
            *(layers.Conv2D(width, 3, 2, "same", activation="relu") for width in (32, 64, 128)),
            *(
                layers.Conv2DTranspose(width, 3, 2, "same", activation="relu")
                for width in (64, 32, 10)
            ),
        ]
    )
    net.compile("adam", "mse")
    images = np.random.default_rng(0).normal(size=(BATCH, SIDE, SIDE, 10)).astype(np.float32)
    return lambda: net.train_on_batch(images, images)


def engine_step(name: str) -> Callable[[Any], Callable[[], object]]:
    """A batch of one tile through an inference engine."""

    def make(args: Any) -> Callable[[], object]:
        model = Path(args.folder, "unet.onnx")
        if not model.exists():
            export = [sys.executable, "-c", EXPORT, str(model)]
            subprocess.run(export, check=True, cwd=HERE, capture_output=True)
        from agri_map.inference.engine import open_engine

        engine = open_engine(model, name, threads=args.threads)
        tile = np.random.default_rng(0).normal(size=(1, 4, 512, 512)).astype(np.float32)
        return lambda: engine.run(tile)

    return make


HERE = Path(__file__).resolve().parent
# Exported by a process of its own, so that torch and its threads are not loaded beside the engine.
EXPORT = """
import sys
from pathlib import Path
from mapping import export_unet
export_unet(Path(sys.argv[1]), "own", 512, 64)
"""
WORKLOADS: dict[str, Callable[[Any], Callable[[], object]]] = {
    "torch": torch_step,
    "tensorflow": tensorflow_step,
    "onnxruntime": engine_step("onnxruntime"),
    "openvino": engine_step("openvino"),
}


def parse() -> argparse.Namespace:
    """Read the options."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", nargs="+", default=list(WORK), choices=WORK)
    parser.add_argument("--policies", nargs="+", default=list(POLICIES), choices=POLICIES)
    parser.add_argument("--threads", nargs="+", type=int, default=[cores])
    parser.add_argument("--busy", nargs="+", type=int, default=[1, 2], help="busy processes")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many runs counts")
    parser.add_argument("--child", choices=WORK, help=argparse.SUPPRESS)
    parser.add_argument("--ours", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        args.threads = args.threads[0]
    return args


if __name__ == "__main__":
    main()
