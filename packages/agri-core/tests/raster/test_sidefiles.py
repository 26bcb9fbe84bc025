"""Overviews and masks that GDAL opens by itself bring in no pixels of other files or addresses."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import rasterio
from agri_core.files.errors import InputError
from agri_core.raster.opening import open_raster
from rasterio.errors import RasterioError

VRT = """<VRTDataset rasterXSize="{side}" rasterYSize="{side}">
<Metadata><MDI key="INTERNAL_MASK_FLAGS_1">2</MDI></Metadata>
<VRTRasterBand dataType="Byte" band="1"><SimpleSource><SourceFilename>{path}</SourceFilename>
</SimpleSource></VRTRasterBand></VRTDataset>"""
PAM = (
    '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{}</MDI></Metadata>'
    "</PAMDataset>"
)
ONES = np.ones((1, 64, 64), np.uint8)


@pytest.fixture
def heard() -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server on loopback, and what was asked of it."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    link, _ = server.accept()
                    with link:
                        asked.append(link.recv(100))
                        link.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"/vsicurl/http://127.0.0.1:{server.getsockname()[1]}/a.tif", asked
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.fixture
def hostile(write, tmp_path: Path):
    """Make a raster of ones whose overviews or mask are the file or address `target`."""

    def make(way: str, target: str) -> Path:
        path = write(ONES)
        if way == "tag":
            with rasterio.open(path, "r+") as sink:
                sink.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=target)
        elif way == "aux.xml":
            path.with_name("a.tif.aux.xml").write_text(PAM.format(target))
        elif way == "tag of the mask":
            write(ONES * 255, "a.tif.msk")
            with rasterio.open(tmp_path / "a.tif.msk", "r+") as sink:
                sink.update_tags(INTERNAL_MASK_FLAGS_1="2")
                sink.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=target)
        else:
            side = 64 if way == ".msk" else 32
            path.with_name(f"a.tif{way}").write_text(VRT.format(side=side, path=target))
        return path

    return make


WAYS = ["tag", "aux.xml", ".ovr", ".OVR", ".msk", ".MSK", "tag of the mask"]


@pytest.mark.parametrize("way", WAYS)
def test_pixels_of_another_file_are_refused(hostile, write, way: str) -> None:
    secret = write(np.full((1, 32, 32), 77, np.uint8), "secret.tif")
    path = hostile(way, str(secret))
    with pytest.raises(InputError, match=r"a\.tif"), open_raster(path) as dataset:
        dataset.read(1, out_shape=(8, 8))


@pytest.mark.parametrize("way", WAYS)
def test_no_address_is_called(hostile, heard, way: str) -> None:
    address, asked = heard
    path = hostile(way, address)
    with pytest.raises(InputError), open_raster(path) as dataset:
        dataset.read(1, out_shape=(8, 8))
    assert asked == []


def test_gdal_itself_does_call_it(hostile, heard) -> None:
    address, asked = heard
    with suppress(RasterioError), rasterio.open(hostile("tag", address)) as dataset:
        dataset.read(1, out_shape=(8, 8))
    assert asked and asked[0].startswith((b"HEAD /a.tif", b"GET /a.tif"))


def test_imagine_overviews_are_refused(write) -> None:
    path = write(ONES)
    path.with_suffix(".aux").write_bytes(b"EHFA_HEADER_TAG" + bytes(100))
    with (
        pytest.raises(InputError, match=r"a\.aux holds overviews in the format of ERDAS"),
        open_raster(path),
    ):
        pass
    path.with_suffix(".aux").write_text("notes of LaTeX, say")
    with open_raster(path) as dataset:
        assert dataset.count == 1


@pytest.mark.parametrize("inside", [True, False])
def test_overviews_of_ones_own_are_read(write, inside: bool) -> None:
    values = np.kron(np.arange(16).reshape(4, 4), np.ones((16, 16))).astype(np.uint8)[None]
    path = write(values)
    with rasterio.Env(TIFF_USE_OVR=not inside), rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4])
    assert path.with_name("a.tif.ovr").exists() != inside
    with open_raster(path) as dataset:
        assert dataset.overviews(1) == [2, 4]
        assert dataset.read(1, out_shape=(4, 4)).tolist() == np.arange(16).reshape(4, 4).tolist()


def test_a_raster_in_memory_names_no_overviews_either(hostile, write) -> None:
    secret = write(ONES, "secret.tif")
    content = hostile("tag", str(secret)).read_bytes()
    with pytest.raises(InputError, match="overviews from another file"), open_raster(content, "b"):
        pass
