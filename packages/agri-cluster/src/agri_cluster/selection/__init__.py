"""Naming of clusters and selection of tiles."""
