"""The shared training engine: data module, losses, checkpoints, model bundles."""

import lazy_loader
from agri_core.threads import wait_passively

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

# Before torch is loaded, which reads it once.
wait_passively()
