from .artifact.fitted import Fitted as Fitted
from .data.sources import open_tiles as open_tiles
from .dec.estimator import DeepEmbeddedClustering as DeepEmbeddedClustering
from .dec.settings import EstimatorSettings as EstimatorSettings
from .dec.settings import FitSettings as FitSettings
from .deepcluster.config import DeepClusterConfig as DeepClusterConfig
from .deepcluster.deepcluster import DeepCluster as DeepCluster
from .evaluation.choose import Suggestion as Suggestion
from .evaluation.choose import suggest_k as suggest_k
from .evaluation.evaluation import Evaluation as Evaluation
from .evaluation.evaluation import evaluate as evaluate
from .fit import TileSource as TileSource
from .fit import fit as fit
from .report.report import make_report as make_report
from .selection.choice import SelectionRequest as SelectionRequest
from .selection.choice import choose_tiles as choose_tiles

__version__: str
