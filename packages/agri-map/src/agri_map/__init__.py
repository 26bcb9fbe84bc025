"""A model bundle and a scene to a georeferenced map with hectares; no torch."""

__version__ = "0.1.0"
