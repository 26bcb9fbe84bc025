"""The rules that every package shares: files, records, rasters, vectors, legends, bands, counts."""

__version__ = "0.1.0"
