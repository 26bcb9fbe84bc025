"""Scenes: bands by name on one grid, read window by window, unit checked."""
