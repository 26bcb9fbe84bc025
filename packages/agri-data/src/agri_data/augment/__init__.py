"""Augmentation of chips: geometry, photometry, resolution, JPEG."""
