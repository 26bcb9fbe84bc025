from .comparison.compare import Comparison as Comparison
from .comparison.compare import compare as compare
from .comparison.compare import load_models as load_models
from .comparison.compare_report import write_comparison as write_comparison
from .evaluation.evaluate import ChipEvaluation as ChipEvaluation
from .evaluation.evaluate import evaluate as evaluate
from .evaluation.evaluate import write_evaluation as write_evaluation
from .networks.archs import Segmenter as Segmenter
from .networks.archs import build as build
from .networks.archs import names as names
from .train import Plan as Plan
from .train import train as train

__version__: str
