"""Tiles to cluster: stores, folders, arrays, their scaling, truth and ground."""
