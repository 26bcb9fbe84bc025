"""Encoders: from a tile to features, with their weights and preprocessing."""
