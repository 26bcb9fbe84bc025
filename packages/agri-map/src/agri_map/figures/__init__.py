"""Figures of a map: panels, legend with hectares, scale."""
