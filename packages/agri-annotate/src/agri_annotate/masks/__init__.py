"""Masks: which pixels a shape covers, and mask files."""
