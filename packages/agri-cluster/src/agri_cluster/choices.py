"""Choices by name, as types that the commands and the functions behind them share."""

from typing import Literal

Pretrain = Literal["autoencoder", "contrastive", "none"]
"""How an encoder learns before the clustering."""

Objective = Literal["dec", "idec", "deepcluster"]
"""The method of clustering."""

Init = Literal["kmeans", "ward", "spectral", "umap"]
"""The method of the initial clusters; umap is an extra."""

Target = Literal["full", "ema", "batch"]
"""Whose cluster frequencies sharpen the target: of all tiles, a moving average, or of the step."""

Precision = Literal["float32", "mixed_bfloat16"]
"""Arithmetic of the network."""

MAX_SEED = 2**32 - 1
"""Largest seed that Keras and scikit-learn take."""

How = Literal["nearest", "diverse", "boundary"]
"""Which tiles of a cluster are chosen."""
