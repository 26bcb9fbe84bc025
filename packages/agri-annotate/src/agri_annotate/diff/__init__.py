"""Comparison of a corrected project with the proposal."""
