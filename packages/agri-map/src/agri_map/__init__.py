"""A model bundle and a scene to a georeferenced map with hectares; no torch."""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
