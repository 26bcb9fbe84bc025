"""Satellite imagery to chips: sources, splits, leak checks, augmentation and synthetic scenes."""

__version__ = "0.1.0"
