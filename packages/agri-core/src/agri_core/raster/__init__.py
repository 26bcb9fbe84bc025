"""Rasters: pixel grids and the ground that a pixel covers."""
