"""Sidecar files of a map that name its classes where other programs look for them."""

from pathlib import Path
from xml.sax.saxutils import escape

from agri_core.files.atomic import write_text
from agri_core.files.ownership import is_own
from agri_core.legend import Legend


def write_sidecars(path: Path, legend: Legend) -> None:
    """Write class names where GDAL (`.aux.xml`) and QGIS (`.qml`) look for them.

    A style that was saved from QGIS is kept.
    """
    write_text(names_file(path), pam_xml(legend))
    style = path.with_suffix(".qml")
    if not style.exists() or is_own(style):
        write_text(style, qml_xml(legend))


def names_file(path: Path) -> Path:
    """Return where GDAL looks for the class names of a raster."""
    return path.with_name(path.name + ".aux.xml")


def pam_xml(legend: Legend) -> str:
    """Return GDAL's sidecar with the category names."""
    names = "".join(f"      <Category>{_escape(name)}</Category>\n" for name in legend.names)
    return (
        '<PAMDataset>\n  <PAMRasterBand band="1">\n    <CategoryNames>\n'
        f"{names}    </CategoryNames>\n  </PAMRasterBand>\n</PAMDataset>\n"
    )


def qml_xml(legend: Legend) -> str:
    """Return a QGIS style: one paletted entry per class."""
    entries = "".join(
        f'        <paletteEntry value="{item.id}" color="{item.colour}" alpha="255" '
        f'label="{_escape(item.name)}"/>\n'
        for item in legend.classes
    )
    return (
        f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">\n  <pipe>\n'
        '    <rasterrenderer type="paletted" band="1" opacity="1" alphaBand="-1" '
        'nodataColor="">\n      <colorPalette>\n'
        f"{entries}      </colorPalette>\n    </rasterrenderer>\n  </pipe>\n</qgis>\n"
    )


def _escape(text: str) -> str:
    return escape(text, {'"': "&quot;"})
