"""Satellite imagery to chips: sources, splits, leak checks, augmentation and synthetic scenes."""
