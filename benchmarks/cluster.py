"""Deep clustering against simpler methods and a peer, on digits and on EuroSAT RGB.

    python benchmarks/cluster.py                              # digits, 5 seeds
    python benchmarks/cluster.py --eurosat DATA               # and EuroSAT, 3 seeds, K = 10 and 100
    python benchmarks/cluster.py --only "ours" --seeds 1      # rows whose name holds this

DATA is a folder with eurosat-rgb-dev.zip (the 21,600 development images in the official layout)
and weights/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5. Labels only score: no method
sees them. Settings were chosen by looking at such scores of these same sets, so read the rows as
what the methods can do, not as a forecast for other imagery.

Each row is a process of its own: wall and processor seconds from its first line to its labels,
imports included. The peer, ClustPy's DEC with its defaults, lives in an environment of its own:
--peers VENV, or a throwaway one made with uv, for which a network is needed. --keep FILE holds
finished rows, so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from peers import peers

PEERS = ("clustpy", "setuptools")
WEIGHTS = "weights/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5"
SCORES = ("acc", "nmi", "ari", "purity", "heldout", "permuted")
Row = Callable[[int, int, str], Any]


def digits() -> tuple[Any, Any]:
    """Return the 1797 digits of scikit-learn as rows of 64 values 0..1, and their classes."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32"), y


def store(folder: str) -> Any:
    """Open the chip store of EuroSAT."""
    from agri_data.store.store import ChipStore

    return ChipStore.open(Path(folder))


def eurosat_tiles(folder: str, scale: str = "standard") -> Any:
    """Return the set of tiles of EuroSAT."""
    from agri_cluster.data.sources import open_tiles

    return open_tiles(Path(folder), scale=scale)


def baseline(name: str, space: str) -> Row:
    """Return k-means, Ward, spectral or UMAP + k-means on digits or on a space of the tiles."""

    def run(clusters: int, seed: int, folder: str) -> Any:
        import numpy as np
        from agri_cluster.data.tiles import in_memory
        from agri_cluster.evaluation import baselines, spaces
        from agri_cluster.init import methods

        if space == "digits":
            rows = digits()[0]
        elif space == "statistics":
            rows = in_memory(spaces.statistics(eurosat_tiles(folder)))
        elif space == "pixels":
            rng = np.random.default_rng(seed)
            rows = in_memory(spaces.principal(eurosat_tiles(folder), rng, 50))
        else:
            rows = squeezenet_rows(folder)
        if name == "spectral":
            return methods.spectral(rows, clusters, np.random.default_rng(seed))
        from agri_cluster.data.tiles import ArrayTiles

        method = {"kmeans": baselines.kmeans, "ward": baselines.ward, "umap": baselines.umap_kmeans}
        return method[name](ArrayTiles(rows), clusters, seed)

    return run


def squeezenet_rows(folder: str) -> Any:
    """Return SqueezeNet's features of all tiles as they lie: PCA 50, rows of one length."""
    from agri_cluster.data.tiles import in_memory
    from agri_cluster.encoders.features import extract_whitened
    from agri_cluster.encoders.registry import build_encoder

    tiles = eurosat_tiles(folder, "photo")
    weights = str(Path(folder, "squeezenet.h5"))
    encoder = build_encoder("squeezenet", tiles.shape, weights=weights, bands=tiles.bands)
    with tempfile.TemporaryDirectory() as work:
        return in_memory(extract_whitened(encoder, tiles, Path(work)).rows)


def ours(scale: str = "", **settings: Any) -> Row:
    """Return `DeepEmbeddedClustering`, on digits or on tiles of a scale."""

    def run(clusters: int, seed: int, folder: str) -> Any:
        from agri_cluster.dec.estimator import DeepEmbeddedClustering
        from agri_cluster.pretrain.contrast import ContrastConfig

        plan = dict(settings)
        if plan.get("weights") == "squeezenet":
            plan["weights"] = str(Path(folder, "squeezenet.h5"))
        if epochs := plan.pop("contrast", 0):
            plan["contrast"] = ContrastConfig(epochs=epochs, size=48, precision="mixed_bfloat16")
        model = DeepEmbeddedClustering(clusters, random_state=seed, **plan)
        model.fit(eurosat_tiles(folder, scale) if scale else digits()[0])
        facts = {"start": model.initial_.labels.tolist(), "stop": model.stop_reason_}
        return model.labels_, facts | {"steps": model.n_iter_}

    return run


def clustpy(clusters: int, seed: int, folder: str) -> Any:
    """Return ClustPy's DEC with its defaults on digits; its own labels, not those of k-means."""
    from clustpy.deep import DEC

    model = DEC(clusters, random_state=seed).fit(digits()[0])
    return model.dec_labels_


FROZEN = {
    "hidden": (256, 256), "embedding_dim": 10, "epochs": 10, "max_iter": 4000, "views": 4,
    "precision": "mixed_bfloat16",
}  # fmt: skip
DIGITS: dict[str, tuple[int, Row]] = {
    "k-means": (10, baseline("kmeans", "digits")),
    "Ward": (10, baseline("ward", "digits")),
    "spectral": (10, baseline("spectral", "digits")),
    "UMAP + k-means": (10, baseline("umap", "digits")),
    "ClustPy DEC": (10, clustpy),
    "ours, k-means start": (10, ours(embedding_dim=10, epochs=200)),
    "ours, Ward start": (10, ours(embedding_dim=10, epochs=40, init="ward")),
    "ours, spectral start": (10, ours(embedding_dim=10, epochs=40, init="spectral")),
    "ours, UMAP start": (10, ours(embedding_dim=10, epochs=40, init="umap")),
    "ours, D = 100, alpha auto": (10, ours(embedding_dim=100, epochs=60)),
    "ours, D = 100, alpha 1": (10, ours(embedding_dim=100, epochs=60, alpha=1.0)),
    "ours, K = 100": (100, ours(embedding_dim=20, epochs=60)),
}
EUROSAT: dict[str, tuple[int, Row]] = {
    "band statistics + k-means": (10, baseline("kmeans", "statistics")),
    "pixels, PCA 50 + k-means": (10, baseline("kmeans", "pixels")),
    "SqueezeNet + k-means": (10, baseline("kmeans", "squeezenet")),
    "SqueezeNet + UMAP + k-means": (10, baseline("umap", "squeezenet")),
    "ours, SqueezeNet": (
        10, ours("photo", encoder="squeezenet", weights="squeezenet", alpha=1.0,
                 **(FROZEN | {"epochs": 30})),
    ),
    "ours, contrastive from scratch": (
        10, ours("standard", encoder="small", pretrain="contrastive", contrast=30, alpha=1.0,
                 n_components=20, **FROZEN),
    ),
    "ours, autoencoder": (
        10, ours("standard", encoder="convae", filters=(32, 16, 16, 8), embedding_dim=10, epochs=3,
                 max_iter=600),
    ),
    "SqueezeNet + k-means, K = 100": (100, baseline("kmeans", "squeezenet")),
    "SqueezeNet + UMAP + k-means, K = 100": (100, baseline("umap", "squeezenet")),
    "ours, SqueezeNet, K = 100": (
        100, ours("photo", encoder="squeezenet", weights="squeezenet", n_components=100,
                  init="spectral", alpha=1.0,
                  **(FROZEN | {"max_iter": 300, "embedding_dim": 20, "views": 8})),
    ),
}  # fmt: skip


def scores(truth: Any, labels: Any, clusters: int) -> dict[str, float | None]:
    """Score a grouping; a score that does not apply is None."""
    import numpy as np
    from agri_cluster.evaluation import metrics
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    truth, labels = np.asarray(truth, np.int64), np.asarray(labels, np.int64)
    table = metrics.contingency(truth, labels)
    rng = np.random.default_rng(0)
    return {
        "acc": metrics.accuracy(table) if clusters == len(np.unique(truth)) else None,
        "nmi": float(normalized_mutual_info_score(truth, labels)),
        "ari": float(adjusted_rand_score(truth, labels)), "purity": metrics.purity(table),
        "heldout": metrics.heldout_purity(truth, labels, rng),
        "permuted": metrics.heldout_purity(truth, rng.permutation(labels), rng),
        "used": int(metrics.used(labels)),
    }  # fmt: skip


def child(suite: str, name: str, seed: int, folder: str) -> None:
    """Run one row and print its labels and seconds as JSON."""
    began = time.monotonic()
    clusters, run = (DIGITS if suite == "digits" else EUROSAT)[name]
    found = run(clusters, seed, folder)
    labels, facts = found if isinstance(found, tuple) else (found, {})
    spent = os.times()
    cpu = spent.user + spent.system + spent.children_user + spent.children_system
    line = {"labels": [int(v) for v in labels], "wall": time.monotonic() - began, "cpu": cpu}
    sys.stdout.write("\n" + json.dumps(line | facts) + "\n")


def measure(python: Path | str, suite: str, name: str, seed: int, folder: str) -> dict[str, Any]:
    """Run one row in a process of its own."""
    command = [str(python), __file__, "--child", suite, name, str(seed), folder]
    threads = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"} if suite == "digits" else {}
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | threads)
    if done.returncode:
        tail = done.stderr.strip().splitlines()[-1:] or ["no message"]
        return {"error": tail[0]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def rows(
    suite: str, chosen: dict[str, tuple[int, Row]], seeds: int, folder: str, other: Path, keep: Path
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the scored runs of each row, one a seed."""
    truth = digits()[1] if suite == "digits" else None
    if truth is None:
        held = store(folder)
        truth = held.labels(held.indices())
    done = json.loads(keep.read_text()) if keep.is_file() else {}
    for name, (clusters, _) in chosen.items():
        runs = []
        for seed in range(seeds):
            key = f"{suite}/{name}/{seed}"
            if key not in done:
                python = peers(other, PEERS) if name.startswith("ClustPy") else sys.executable
                found = measure(python, suite, name, seed, folder)
                if "labels" in found:
                    found |= scores(truth, found.pop("labels"), clusters)
                if begun := found.pop("start", None):
                    found["begun"] = scores(truth, begun, clusters)
                done[key] = found
                keep.write_text(json.dumps(done, indent=1))
            runs.append(done[key])
        yield name, runs


def text(name: str, runs: list[dict[str, Any]]) -> str:
    """Return one line of the table: mean and deviation of each score over seeds."""
    failed = [run["error"] for run in runs if "error" in run]
    if failed:
        return f"| {name} | did not run: {failed[0]} |"
    cells = [f"{name} ({len(runs)})"]
    for score in SCORES:
        values = [run[score] for run in runs if run[score] is not None]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        cells.append(f"{statistics.mean(values):.3f} ± {spread:.3f}" if values else "-")
    begun = [run["begun"] for run in runs if "begun" in run]
    lead = "acc" if begun and begun[0]["acc"] is not None else "heldout"
    gain = [run[lead] - run["begun"][lead] for run in runs if "begun" in run]
    cells.append(f"{statistics.mean(gain):+.3f} (least {min(gain):+.3f})" if gain else "")
    cells.append(str(min(run["used"] for run in runs)))
    cells += [f"{statistics.mean(run[unit] for run in runs):.0f}" for unit in ("wall", "cpu")]
    return "| " + " | ".join(cells) + " |"


def prepare(data: Path, folder: Path) -> None:
    """Build the chip store of EuroSAT in `folder`, with the weights next to it."""
    described = folder.parent / "eurosat.yaml"
    described.write_text("name: eurosat\nkind: eurosat\nlicence: MIT\n", encoding="utf-8")
    archive = data / "eurosat-rgb-dev.zip"
    chips = ["agri-data", "chips", str(described), "--root", str(archive), "--out", str(folder)]
    subprocess.run(chips, check=True, capture_output=True)
    (folder / "squeezenet.h5").symlink_to((data / WEIGHTS).resolve())


def main() -> None:
    """Read the options, run the rows and print a table per set."""
    if "--child" in sys.argv:
        suite, name, seed, folder = sys.argv[2:]
        child(suite, name, int(seed), folder)
        return
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--eurosat", type=Path, metavar="DATA", help="folder of the real data")
    parser.add_argument("--suite", choices=("digits", "eurosat"), help="only this set")
    parser.add_argument("--seeds", type=int, default=0, help="5 for digits, 3 for EuroSAT")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    parser.add_argument("--peers", type=Path, help="environment with ClustPy")
    parser.add_argument("--keep", type=Path, help="file of finished rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        if options.suite != "eurosat":
            print_table("digits", DIGITS, options.seeds or 5, options, Path(work))
        if options.suite != "digits" and options.eurosat:
            prepare(options.eurosat, Path(work, "store"))
            print_table("eurosat", EUROSAT, options.seeds or 3, options, Path(work))


def print_table(
    suite: str, known: dict[str, tuple[int, Row]], seeds: int, options: Any, work: Path
) -> None:
    """Run the rows of one set and print them as they are done."""
    chosen = {name: row for name, row in known.items() if options.only in name}
    header = [*SCORES, "against its start", "used", "wall s", "CPU s"]
    print(f"\n{suite}\n\n| " + " | ".join(["method (seeds)", *header]) + " |")
    print("|" + " --- |" * (len(header) + 1), flush=True)
    keep, peer = options.keep or work / "rows.json", options.peers or work / "peers"
    for name, runs in rows(suite, chosen, seeds, str(work / "store"), peer, keep):
        print(text(name, runs), flush=True)


if __name__ == "__main__":
    main()
