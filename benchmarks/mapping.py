"""Measure `agri-map predict` against the bare engine: time, peak memory, exactness, seams.

    python benchmarks/mapping.py                # a whole Sentinel-2 tile, 10980 x 10980 x 4
    python benchmarks/mapping.py --size 2048    # quicker
    python benchmarks/mapping.py --jpeg2000     # stored as Sentinel-2 products are

One command, one table. The scene is synthesised in a temporary folder. The model is a U-Net with
random weights, exported here: segmentation-models-pytorch with ResNet-18, or with `--encoder own`
one of three levels and 16, 32, 64 channels, where everything but the engine weighs more.
Each run of `agri-map predict` is a child process whose peak memory the kernel reports; the bare
engine then runs batches of the same shape, as many of them, in one process that only does that.
Set OMP_NUM_THREADS and stop other work on the machine for figures that mean something.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

BANDS = ("B02", "B03", "B04", "B08")
CODES = {"other": "#c8c8c8", "arable": "#e8c547", "water": "#2a7fba"}
STRIP = 512
PEAK = """
import atexit, re, sys
from pathlib import Path
def report():
    status = Path("/proc/self/status").read_text()
    print("peak", int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024, flush=True)
atexit.register(report)
"""
PREDICT = PEAK + "from agri_map.cli import main; main()"
BARE = (
    PEAK
    + """
import sys, time, numpy as np
from agri_map.inference.engine import open_engine
model, engine, precision, threads, batch, tile, runs = sys.argv[1:]
batch, tile, runs = int(batch), int(tile), int(runs)
loaded = open_engine(model, engine, precision, int(threads))
image = np.random.default_rng(0).normal(size=(batch, 4, tile, tile)).astype(np.float32)
loaded.run(image)
begun, busy = time.perf_counter(), time.process_time()
for _ in range(runs):
    loaded.run(image)
print((time.perf_counter() - begun) / runs, (time.process_time() - busy) / runs)
"""
)


def main() -> None:
    """Run everything and print the table."""
    options = parse()
    if options.bundle:
        trained_seams(options)
        return
    with tempfile.TemporaryDirectory(prefix="agri-bench-", dir=options.folder) as name:
        folder = Path(name)
        scene, small = folder / "scene.tif", folder / "small.tif"
        write_scene(scene, options.size)
        write_scene(small, min(options.size, 1500))
        model, point, local = (folder / f"{name}.onnx" for name in ("model", "point", "local"))
        export_unet(model, options.encoder, options.tile, options.overlap)
        export_unet(local, "own", options.tile, options.overlap)
        export_pointwise(point, options.tile, options.overlap)
        scene = to_jpeg2000(scene) if options.jpeg2000 else scene
        print(
            f"{options.size} x {options.size} x {len(BANDS)} uint16, tile {options.tile}, ", end=""
        )
        print(f"overlap {options.overlap}, batch {options.batch}, {options.threads} threads")
        print(
            f"model: U-Net, {options.encoder}, random weights, {model.stat().st_size / 1e6:.1f} MB"
        )
        print(exactness(small, point, options))
        for shift in (96, 37):
            print(seams(small, local, shift, options))
        for engine, precision in (
            ("onnxruntime", "f32"),
            ("openvino", "f32"),
            ("openvino", "bf16"),
        ):
            if options.engine in (engine, "all"):
                print(run(scene, model, folder, engine, precision, options), flush=True)


def describe(model: Path, options: argparse.Namespace) -> str:
    """Say what is measured."""
    size = f"{options.size} x {options.size} x {len(BANDS)} uint16"
    tiles = f"tile {options.tile}, overlap {options.overlap}, batch {options.batch}"
    net = f"U-Net, {options.encoder}, random weights, {model.stat().st_size / 1e6:.1f} MB"
    return f"{size}, {tiles}, {options.threads} threads\nmodel: {net}"


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=10980)
    parser.add_argument("--tile", type=int, default=512)
    parser.add_argument("--overlap", type=int, default=64)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--encoder", default="resnet18", help="or own: a small U-Net of ours")
    parser.add_argument("--engine", default="all", help="onnxruntime, openvino or all")
    parser.add_argument("--runs", type=int, default=0, help="batches of the bare engine; 0: all")
    parser.add_argument("--jpeg2000", action="store_true", help="the scene as JPEG 2000, lossless")
    parser.add_argument("--bundle", type=Path, help="only the seams of a trained bundle on --scene")
    parser.add_argument("--scene", type=Path, help="a GeoTIFF with the bands of --bundle")
    parser.add_argument("--folder", type=Path, default=None, help="where the files may lie")
    return parser.parse_args()


def write_scene(path: Path, size: int) -> None:
    """Write smooth digital numbers with noise, strip by strip."""
    import rasterio
    from rasterio.transform import from_origin
    from rasterio.windows import Window

    rng = np.random.default_rng(0)
    cols = np.arange(size)
    with rasterio.open(
        path, "w", driver="GTiff", width=size, height=size, count=len(BANDS), dtype="uint16",
        crs="EPSG:32633", transform=from_origin(499_980, 5_500_020, 10, 10), nodata=0,
        tiled=True, blockxsize=512, blockysize=512,
    ) as dataset:  # fmt: skip
        for top in range(0, size, STRIP):
            rows = np.arange(top, min(top + STRIP, size))[:, None]
            for number in range(1, len(BANDS) + 1):
                plane = 1500 + 400 * np.sin(cols / 39 + number) + 300 * np.cos(rows / 47 - number)
                plane = plane + rng.integers(0, 60, plane.shape)
                window = Window(0, top, size, len(rows))
                dataset.write(plane.astype(np.uint16), number, window=window)
        for number, band in enumerate(BANDS, start=1):
            dataset.set_band_description(number, band)


def to_jpeg2000(scene: Path) -> Path:
    """Store a GeoTIFF again as the products of Sentinel-2 are: JPEG 2000, blocks of 1024."""
    from rasterio.shutil import copy

    path = scene.with_suffix(".jp2")
    options = {"QUALITY": 100, "REVERSIBLE": "YES", "BLOCKXSIZE": 1024, "BLOCKYSIZE": 1024}
    copy(scene, path, driver="JP2OpenJPEG", **options)
    return path


def make_spec(name: str, tile: int, overlap: int) -> Any:
    """Describe the model."""
    from agri_core.legend import Legend
    from agri_map.bundle.spec import BundleSpec

    return BundleSpec(
        name=name, task="segment", bands=BANDS, unit="dn", mean=(1500.0,) * 4, std=(350.0,) * 4,
        legend=Legend.of(CODES), pixel_size=10.0, tile=tile, overlap=overlap,
    )  # fmt: skip


def small_unet() -> Any:
    """Build a U-Net of three levels and 16, 32, 64 channels (118 thousand weights)."""
    import torch
    from torch import nn

    def block(ins: int, outs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(ins, outs, 3, padding=1), nn.ReLU(), nn.Conv2d(outs, outs, 3, padding=1),
            nn.ReLU(),
        )  # fmt: skip

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.ModuleList([block(len(BANDS), 16), block(16, 32), block(32, 64)])
            self.up = nn.ModuleList([block(96, 32), block(48, 16)])
            self.head = nn.Conv2d(16, len(CODES), 1)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            first = self.down[0](image)
            second = self.down[1](nn.functional.max_pool2d(first, 2))
            third = self.down[2](nn.functional.max_pool2d(second, 2))
            wide = nn.functional.interpolate(third, scale_factor=2.0)
            second = self.up[0](torch.cat([wide, second], 1))
            wide = nn.functional.interpolate(second, scale_factor=2.0)
            return self.head(self.up[1](torch.cat([wide, first], 1)))

    return Small()


def export_unet(path: Path, encoder: str, tile: int, overlap: int) -> None:
    """Export a U-Net with random weights and softmax."""
    import onnx
    import torch
    from agri_map.bundle.bundle import metadata

    class Balance(torch.nn.Module):
        """Shift and scale random logits so that every class wins somewhere."""

        def __init__(self, net: torch.nn.Module, tile: int) -> None:
            super().__init__()
            rows = torch.arange(float(tile))
            waves = [torch.sin(rows / 39 + i)[None] + torch.cos(rows / 47 - i)[:, None]
                     for i in range(1, len(BANDS) + 1)]  # fmt: skip
            with torch.no_grad():
                logits = net(torch.stack(waves)[None])
            self.register_buffer("mean", logits.mean((0, 2, 3), keepdim=True))
            self.register_buffer("std", logits.std((0, 2, 3), keepdim=True))

        def forward(self, logits: torch.Tensor) -> torch.Tensor:
            return (logits - self.mean) / self.std

    torch.manual_seed(0)
    if encoder == "own":
        net = small_unet()
    else:
        import segmentation_models_pytorch as smp

        net = smp.Unet(encoder, encoder_weights=None, in_channels=len(BANDS), classes=len(CODES))
    model = torch.nn.Sequential(net, Balance(net.eval(), tile), torch.nn.Softmax(1)).eval()
    free = {0: "n", 2: "h", 3: "w"}
    torch.onnx.export(
        model, (torch.zeros(1, len(BANDS), tile, tile),), path, dynamo=False, opset_version=17,
        input_names=["image"], output_names=["probabilities"],
        dynamic_axes={"image": free, "probabilities": free},
    )  # fmt: skip
    graph = onnx.load(path)
    onnx.helper.set_model_props(graph, metadata(make_spec("unet", tile, overlap)))
    onnx.save(graph, path)


def export_pointwise(path: Path, tile: int, overlap: int) -> None:
    """Build a 1 x 1 convolution with softmax, whose un-tiled result is known."""
    import onnx
    from agri_map.bundle.bundle import metadata
    from onnx import TensorProto, helper, numpy_helper

    weight = np.random.default_rng(0).normal(size=(len(CODES), len(BANDS), 1, 1))
    image, out = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", count, "h", "w"])
        for name, count in (("image", len(BANDS)), ("probabilities", len(CODES)))
    )
    nodes = [
        helper.make_node("Conv", ["image", "weight"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    weights = [numpy_helper.from_array(weight.astype(np.float32), "weight")]
    graph = helper.make_graph(nodes, "pointwise", [image], [out], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata(make_spec("pointwise", tile, overlap)))
    onnx.save(model, path)


def whole(scene: Path, model: Path, options: argparse.Namespace) -> Any:
    """Predict a small scene tile by tile into an array `(K, H, W)`."""
    from agri_map.inference.engine import open_engine
    from agri_map.inference.predict import predict
    from agri_map.inference.tiles import Axis
    from agri_map.scene.scene import open_scene

    engine = open_engine(model, threads=options.threads)
    with open_scene(scene, engine.spec.bands) as source:
        axes = (
            Axis(source.grid.height, options.tile, options.overlap),
            Axis(source.grid.width, options.tile, options.overlap),
        )
        parts = [part.copy() for _, part, *_ in predict(source, engine, axes, options.batch)]
    return np.concatenate(parts, 1)


def exactness(scene: Path, model: Path, options: argparse.Namespace) -> str:
    """Compare tiled with un-tiled for a pointwise model."""
    from agri_map.bundle.preprocess import normalise
    from agri_map.inference.engine import open_engine
    from agri_map.scene.scene import open_scene

    engine = open_engine(model, threads=options.threads)
    with open_scene(scene, BANDS) as source:
        image, valid = source.read((0, source.grid.height), (0, source.grid.width))
    expected = engine.run(normalise(image[None], engine.spec, valid[None]))[0]
    gap = float(np.abs(whole(scene, model, options) - expected).max())
    return f"pointwise model, tiled against un-tiled: largest difference {gap:.1e} (target 1e-6)"


def seams(scene: Path, model: Path, shift: int, options: argparse.Namespace) -> str:
    """Shift the tile grid and count the pixels that change their class.

    Measured with the small U-Net (or a trained bundle): a deep one with random weights sees, and
    amplifies, the border of its tile from anywhere in it. A U-Net is itself not indifferent to
    shifts that its poolings do not divide: with such a shift the figure holds the network's own
    share as well.
    """
    import rasterio

    rim = 32
    moved = scene.with_name("moved.tif")
    with rasterio.open(scene) as source:
        profile = source.profile | {"width": source.width - shift, "height": source.height - shift}
        with rasterio.open(moved, "w", **profile) as target:
            target.write(source.read()[:, shift:, shift:])
            target.descriptions = source.descriptions
    inner = np.s_[rim:-rim, rim:-rim]
    first = whole(scene, model, options).argmax(0)[shift:, shift:][inner]
    second = whole(moved, model, options).argmax(0)[inner]
    share = 100 * float((first != second).mean())
    codes = range(int(first.max()) + 1)
    mix = ", ".join(f"{100 * float((first == code).mean()):.0f}" for code in codes)
    kind = "seams alone" if shift % 32 == 0 else "with the network's own pooling phase"
    return (
        f"{model.stem}, tile grid shifted by {shift} px, {kind}: {share:.3f} % of pixels change "
        f"(classes: {mix} %)"
    )


def trained_seams(options: argparse.Namespace) -> None:
    """Print how many pixels of a real map change with the tile grid, for a bundle that learnt."""
    from agri_map.bundle.bundle import read_spec

    spec = read_spec(options.bundle)
    with tempfile.TemporaryDirectory(prefix="agri-bench-", dir=options.folder) as name:
        scene = Path(name) / "scene.tif"
        scene.symlink_to(options.scene.resolve())
        tilings = dict.fromkeys([(spec.tile, spec.overlap), (256, 64), (256, 128)])
        for options.tile, options.overlap in tilings:
            for shift in (32, 37):
                line = seams(scene, options.bundle, shift, options)
                print(f"tile {options.tile}, overlap {options.overlap}: {line}", flush=True)


def measure(arguments: list[str], folder: Path) -> tuple[str, float, float, float]:
    """Run a child: its output, wall seconds, processor seconds, peak memory in MB."""
    begun = time.perf_counter()
    with (folder / "out.txt").open("w+") as out:
        child = subprocess.Popen([sys.executable, "-c", *arguments], stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if child.returncode:
        raise SystemExit(f"the child failed: {text}")
    wall = time.perf_counter() - begun
    # Not `usage.ru_maxrss`: it counts what this process held when it forked.
    *lines, last = text.splitlines()
    return "\n".join(lines), wall, usage.ru_utime + usage.ru_stime, float(last.split()[1])


def run(
    scene: Path, model: Path, folder: Path, engine: str, precision: str, options: argparse.Namespace
) -> str:
    """Map the scene, then run the bare engine on as many batches of the same shape."""
    text, wall, busy, peak = measure(
        [PREDICT, "predict", str(scene), "--model", str(model), "--out", str(folder / "map.tif"),
         "--engine", engine, "--precision", precision, "--batch", str(options.batch),
         "--threads", str(options.threads), "--bands", ",".join(BANDS)],
        folder,
    )  # fmt: skip
    tiles = int(next(line for line in text.splitlines() if " tiles" in line).split()[0])
    batches = -(-tiles // options.batch)
    runs = min(batches, options.runs or batches)
    out, _, _, bare_peak = measure(
        [BARE, str(model), engine, precision, str(options.threads), str(options.batch),
         str(options.tile), str(runs)],
        folder,
    )  # fmt: skip
    bare, bare_busy = (float(value) * batches for value in out.split())
    area = (options.size * 10) ** 2 / 1e6
    note = "" if runs == batches else f" (bare engine: {runs} of {batches} batches, extrapolated)"
    agreement = [line for line in text.splitlines() if line.startswith("bf16")]
    return (
        f"{engine} {precision}: {tiles} tiles, predict {wall:.1f} s, bare engine {bare:.1f} s, "
        f"ratio {wall / bare:.3f} (target 1.15), processor time {busy:.0f} / {bare_busy:.0f} s = "
        f"{busy / bare_busy:.3f}, {area / wall:.1f} km2/s, peak {peak:.0f} MB (target 1000; bare "
        f"{bare_peak:.0f}){note}" + "".join(f"; {line}" for line in agreement)
    )


if __name__ == "__main__":
    main()
