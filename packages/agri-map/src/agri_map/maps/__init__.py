"""Map files: written as cloud-optimised GeoTIFF, read block by block."""
