from .bundled import find_model as find_model
from .evaluation.evaluate import PatchEvaluation as PatchEvaluation
from .evaluation.evaluate import evaluate as evaluate
from .evaluation.evaluation_report import write_evaluation as write_evaluation
from .patches.patch import Patch as Patch
from .patches.patch import read_patch as read_patch
from .prediction.answer import Answer as Answer
from .prediction.classify import classify_patches as classify_patches
from .prediction.predict import Row as Row
from .prediction.predict import predict as predict
from .training.train import Plan as Plan
from .training.train import train as train

__version__: str
