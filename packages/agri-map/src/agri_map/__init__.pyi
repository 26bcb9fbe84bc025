from .analysis.area import AreaTable as AreaTable
from .analysis.area import measure as measure
from .analysis.score import score_map as score_map
from .analysis.vector import write_polygons as write_polygons
from .bundle.bundle import read_spec as read_spec
from .bundle.preprocess import normalise as normalise
from .bundle.spec import BundleSpec as BundleSpec
from .inference.engine import Engine as Engine
from .inference.engine import open_engine as open_engine
from .mapping import Options as Options
from .mapping import Outputs as Outputs
from .mapping import Result as Result
from .mapping import map_scene as map_scene
from .scene.scene import Scene as Scene
from .scene.scene import open_scene as open_scene

__version__: str
