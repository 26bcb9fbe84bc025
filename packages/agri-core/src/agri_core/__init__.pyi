from . import confusion as confusion
from . import indices as indices
from .bands import Band as Band
from .bands import band_indices as band_indices
from .bands import make_bands as make_bands
from .evaluation.calibration import reliability as reliability
from .evaluation.evaluation import Evaluation as Evaluation
from .files.errors import AgriError as AgriError
from .files.errors import InputError as InputError
from .files.errors import MissingError as MissingError
from .files.errors import StoreError as StoreError
from .legend import IGNORE as IGNORE
from .legend import Legend as Legend
from .legend import LegendClass as LegendClass
from .raster.grid import Grid as Grid
from .raster.pixel_area import measure_pixel_area as measure_pixel_area
from .vector.reader import read_layer as read_layer

__version__: str
