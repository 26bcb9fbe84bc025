"""`agri-map predict`: a scene and a bundle to a map."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from agri_core.files.console import echo
from agri_core.files.errors import InputError, MissingError
from agri_core.files.options import with_records

from agri_map.choices import Precision
from agri_map.commands import options
from agri_map.commands.options import ENGINE, EXTRA

if TYPE_CHECKING:
    from agri_map.mapping import Result

MAX_NOTE = 16_384


@with_records
def predict(
    scene: options.SceneFile = None,
    *,
    model: Annotated[Path, typer.Option(metavar="BUNDLE", help="Model bundle, an .onnx file.")],
    out: options.MapFile,
    given: options.BandOptions,
    engine: options.EngineChoice = "onnxruntime",
    precision: Annotated[
        Precision, typer.Option(help="Arithmetic; bf16 needs openvino.", rich_help_panel=ENGINE)
    ] = "f32",
    tile: Annotated[
        int | None,
        typer.Option(help="Tile side; the bundle's by default.", rich_help_panel=ENGINE),
    ] = None,
    overlap: Annotated[
        int | None,
        typer.Option(help="Overlap of tiles; the bundle's by default.", rich_help_panel=ENGINE),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(
            help="Tiles per run of the model; by tile size by default.", rich_help_panel=ENGINE
        ),
    ] = None,
    threads: options.Threads = None,
    probabilities: options.Probabilities = None,
    confidence: options.Confidence = None,
    note: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A short text that the map shall carry: why this model.",
            rich_help_panel=EXTRA,
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Write probabilities as float32, not as percent.",
            rich_help_panel=EXTRA,
        ),
    ] = False,
) -> None:
    """Map a scene: tiles through the model, blended, written as a cloud-optimised GeoTIFF.

    Bands are found by name: in the scene's band descriptions, or given with --bands, or one file
    each with --band.

    Example: agri-map predict scene.tif --model models/unet/model.onnx --out maps/scene.tif
    """
    from agri_map.bundle.bundle import read_spec
    from agri_map.mapping import Options, Outputs, map_scene
    from agri_map.scene.scene import open_scene

    how = Options(
        tile=tile,
        overlap=overlap,
        batch=batch,
        threads=threads,
        engine=engine,
        precision=precision,
        exact=exact,
        note=read_note(note) if note else "",
    )
    spec = read_spec(model)
    if spec.task != "segment":
        raise InputError(
            f"the bundle {spec.name} names whole patches, not pixels; for a map of patches use "
            "`agri-classify map` with it"
        )
    names, files = read_bands(scene, given)
    with open_scene(scene, spec.bands, names=names, files=files, nodata=given.nodata) as source:
        outputs = Outputs(out, probabilities, confidence)
        result = map_scene(source, model, outputs, how, spec)
    report(result)


def read_bands(
    scene: Path | None, given: options.BandOptions
) -> tuple[list[str] | None, dict[str, Path]]:
    """Return the bands that the options give: names in file order, and files by name.

    Raises:
        InputError: Neither a scene nor the file of a band is given.
    """
    if scene is None and not given.band:
        raise InputError("name a scene, or give every band in its own file with --band NAME=FILE")
    names = [name.strip() for name in given.bands.split(",")] if given.bands else None
    return names, parse_files(given.band or [])


def read_note(path: Path) -> str:
    """Read a short text.

    Raises:
        MissingError: No such file.
        InputError: Too long, or not text.
    """
    if not path.is_file():
        raise MissingError(f"there is no note {path}")
    if path.stat().st_size > MAX_NOTE:
        raise InputError(f"{path} has {path.stat().st_size} bytes; a note has at most {MAX_NOTE}")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text ({error.reason})") from error
    if "\0" in text:
        raise InputError(f"{path} holds a NUL character, so it is not text")
    return text


def parse_files(pairs: list[str]) -> dict[str, Path]:
    """Read `NAME=FILE` pairs.

    Raises:
        InputError: No `=`, an empty part, or a name given twice.
    """
    files: dict[str, Path] = {}
    for pair in pairs:
        name, _, file = pair.partition("=")
        if not name or not file:
            raise InputError(f"--band expects NAME=FILE, for example B11=B11.tif, got {pair!r}")
        if name in files:
            raise InputError(f"--band {name} is given twice: {files[name]} and {file}")
        files[name] = Path(file)
    return files


def report(result: "Result", unit: str = "tiles") -> None:
    """Print where the map is, its hectares and the speed."""
    from agri_map.analysis.area import shares, to_text

    area = result.area
    pixels = int(area.pixels.sum())
    if area.pixel_area is None:
        echo(shares(area.pixels, result.legend))
    else:
        echo(to_text(area.table(result.legend)))
    if result.agreement is not None:
        echo(f"bf16 gives the class of f32 in {100 * result.agreement:.3f} % of sampled pixels")
    speed = f"{pixels / result.seconds / 1e6:.2f} Mpx/s"
    if area.pixel_area is not None:
        speed = f"{area.metres.sum() / 1e6 / result.seconds:.1f} km2/s, {speed}"
    skipped = f", {result.skipped} without data skipped" if result.skipped else ""
    echo(f"{result.tiles} {unit}{skipped} in {result.seconds:.1f} s: {speed}")
    echo(f"map: {result.path}")
