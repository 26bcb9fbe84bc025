"""Comparison of several models on one split."""
