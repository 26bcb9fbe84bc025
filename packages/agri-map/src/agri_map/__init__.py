"""A model bundle and a scene to a georeferenced map with hectares; no torch."""
