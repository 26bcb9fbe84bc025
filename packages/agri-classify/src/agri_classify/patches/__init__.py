"""Patches: decoded, resized and labelled, with their JPEG quality."""
