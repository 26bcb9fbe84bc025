"""The radiometry of a synthetic scene: spectra, bands, sensor, weather."""
