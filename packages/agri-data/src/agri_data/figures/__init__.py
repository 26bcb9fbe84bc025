"""Figures of chips, stores and statistics."""
