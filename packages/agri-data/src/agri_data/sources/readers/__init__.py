"""Readers of image, label, raster, vector and archive files."""
