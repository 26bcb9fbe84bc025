"""Synthetic Sentinel-2 scenes with known truth: landscape, spectra, sensor, files."""
