from .baselines.patches import score_baselines as score_baselines
from .bundle.export import export_bundle as export_bundle
from .config import TrainConfig as TrainConfig
from .data.datamodule import ChipDataModule as ChipDataModule
from .engine.loss import Loss as Loss
from .engine.loss import build_loss as build_loss
from .engine.module import TrainingModule as TrainingModule
from .fit import FitResult as FitResult
from .fit import fit as fit
from .network.weights import load_encoder_weights as load_encoder_weights

__version__: str
