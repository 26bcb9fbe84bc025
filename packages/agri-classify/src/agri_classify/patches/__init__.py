"""Patches: decoding, resizing, labels and JPEG quality."""
