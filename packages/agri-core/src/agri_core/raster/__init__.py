"""Rasters: opening, validity, units, pixel grids, ground area, what a map states of its classes."""
