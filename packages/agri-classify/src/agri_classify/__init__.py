"""Land cover classification of image patches: training, evaluation and prediction."""

__version__ = "0.1.0"
